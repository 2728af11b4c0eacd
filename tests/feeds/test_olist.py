"""The published tables read in: small tables of our own first, then the real ones where they are at hand."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from houbao.core.fulfilment import Till, decide_fact
from houbao.core.orders import Delivered, Order, Paid, PlaceOrder, Shipped, evolve_order
from houbao.core.placing import decide_place
from houbao.core.programme import Coverage, Store
from houbao.core.protection import protection_window
from houbao.core.terms import REASONS, Actor
from houbao.feeds.olist import Summary, read
from houbao.feeds.sold import SoldOrder
from houbao.feeds.tables import (
    CATEGORIES,
    COLUMNS,
    CUSTOMERS,
    ITEMS,
    ORDERS,
    PAYMENTS,
    PRODUCTS,
    REVIEWS,
    SELLERS,
    OlistError,
)

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "olist"
PLATFORM = Actor("platform")

Row = dict[str, str]


def order(**changes: str) -> Row:
    return {
        "order_id": "o1",
        "customer_id": "c1",
        "order_status": "delivered",
        "order_purchase_timestamp": "2018-03-01 10:00:00",
        "order_approved_at": "2018-03-01 11:00:00",
        "order_delivered_carrier_date": "2018-03-02 12:00:00",
        "order_delivered_customer_date": "2018-03-10 09:00:00",
        "order_estimated_delivery_date": "2018-03-20 00:00:00",
    } | changes


def item(**changes: str) -> Row:
    return {
        "order_id": "o1",
        "order_item_id": "1",
        "product_id": "p1",
        "seller_id": "s1",
        "shipping_limit_date": "2018-03-05 10:00:00",
        "price": "100.0",
        "freight_value": "20.5",
    } | changes


def payment(**changes: str) -> Row:
    return {
        "order_id": "o1",
        "payment_sequential": "1",
        "payment_type": "credit_card",
        "payment_value": "120.5",
    } | changes


def review(**changes: str) -> Row:
    return {
        "review_id": "r1",
        "order_id": "o1",
        "review_score": "1",
        "review_comment_title": "",
        "review_comment_message": "Veio errado",
        "review_answer_timestamp": "2018-03-12 08:00:00",
    } | changes


CUSTOMER = {"customer_id": "c1", "customer_unique_id": "u1"}
SELLER = {"seller_id": "s1", "seller_city": "campinas", "seller_state": "SP"}
CATEGORY = {"product_category_name": "brinquedos", "product_category_name_english": "toys"}
PRODUCT = {
    "product_id": "p1",
    "product_category_name": "brinquedos",
    "product_photos_qty": "2.0",
    "product_weight_g": "400.0",
    "product_length_cm": "27.0",
    "product_height_cm": "13.0",
    "product_width_cm": "17.0",
}


def write(folder: Path, **tables: list[Row]) -> Path:
    """A whole set of tables, one good order unless told otherwise."""
    rows = {
        ORDERS: tables.get("orders", [order()]),
        ITEMS: tables.get("items", [item()]),
        PAYMENTS: tables.get("payments", [payment()]),
        REVIEWS: tables.get("reviews", []),
        CUSTOMERS: tables.get("customers", [CUSTOMER]),
        SELLERS: tables.get("sellers", [SELLER]),
        PRODUCTS: tables.get("products", [PRODUCT]),
        CATEGORIES: tables.get("categories", [CATEGORY]),
    }
    for name, own in rows.items():
        lines = [",".join(COLUMNS[name])]
        lines += [",".join('"' + row[column].replace('"', '""') + '"' for column in COLUMNS[name]) for row in own]
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def balanced(summary: Summary) -> bool:
    return all(table.rows == table.used + sum(table.skipped.values()) for table in summary.tables.values())


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def lived(sold: SoldOrder, until: datetime | None = None) -> Order:
    """The order after its facts, or after those known at `until`."""
    state = evolve_order(None, decide_place(False, Store(id=sold.place.store), sold.place, PLATFORM), 1)
    for position, fact in enumerate(sold.facts, start=2):
        if until is None or fact.at <= until:
            told = structs.replace(fact, order=state.id)
            state = evolve_order(state, decide_fact(state, told, Coverage(), Till(), PLATFORM, told.at), position)
    return state


# --- one good order ------------------------------------------------------------------------------------------------


def test_an_order_becomes_the_commands_of_one_store(tmp_path: Path) -> None:
    sold, summary = read(write(tmp_path))
    assert balanced(summary)
    assert [(o.place.store, o.place.reference, o.place.buyer, o.place.currency) for o in sold] == [
        ("s1", "o1", "u1", "BRL")
    ]
    line = sold[0].place.lines[0]
    assert (line.id, line.item, line.shipping, line.category) == ("1", 10_000, 2_050, "toys")
    assert line.shown is not None
    assert line.shown.title == "Toys"
    assert line.shown.disclosures == {"weight": "400 g", "size": "27 × 13 × 17 cm", "ships_from": "campinas, SP"}
    assert sold[0].place.payments[0].minor == 12_050
    assert sold[0].complaint is None


def test_times_are_são_paulo_s_and_the_promised_day_ends_at_its_24_00(tmp_path: Path) -> None:
    sold, _ = read(write(tmp_path))
    place = sold[0].place
    assert (place.at, place.ship_by) == (utc("2018-03-01 13:00"), utc("2018-03-05 13:00"))
    assert place.promised_by == utc("2018-03-21 03:00")


def test_a_promised_midnight_that_the_clock_change_left_out_is_the_instant_of_the_change(tmp_path: Path) -> None:
    sold, _ = read(write(tmp_path, orders=[order(order_estimated_delivery_date="2018-11-03 00:00:00")]))
    assert sold[0].place.promised_by == utc("2018-11-04 03:00")


def test_facts_stand_in_time_order_with_ten_percent_commission(tmp_path: Path) -> None:
    sold, summary = read(write(tmp_path, items=[item(price="99.99")]))
    assert sold[0].facts == (
        Paid(order=0, at=utc("2018-03-01 14:00"), commission=999),
        Shipped(order=0, at=utc("2018-03-02 15:00")),
        Delivered(order=0, at=utc("2018-03-10 12:00")),
    )
    assert summary.repaired == {}


def test_orders_come_by_the_time_they_were_placed(tmp_path: Path) -> None:
    early = "2018-02-01 10:00:00"
    orders = [order(), order(order_id="o2", order_purchase_timestamp=early, order_approved_at=early)]
    items, payments = [item(), item(order_id="o2")], [payment(), payment(order_id="o2")]
    sold, _ = read(write(tmp_path, orders=orders, items=items, payments=payments))
    assert [o.place.reference for o in sold] == ["o2", "o1"]


def test_vouchers_are_not_cash_and_a_payment_of_zero_is_none(tmp_path: Path) -> None:
    rows = [
        payment(),
        payment(payment_sequential="2", payment_type="voucher", payment_value="5"),
        payment(payment_sequential="3", payment_value="0.00"),
    ]
    sold, summary = read(write(tmp_path, payments=rows))
    assert [(p.id, p.minor, p.cash) for p in sold[0].place.payments] == [("1", 12_050, True), ("2", 500, False)]
    assert summary.tables[PAYMENTS].skipped == {"zero_value": 1}
    assert balanced(summary)


def test_an_unknown_product_or_seller_costs_the_listing_its_details_not_the_order(tmp_path: Path) -> None:
    sold, _ = read(write(tmp_path, products=[], sellers=[], categories=[]))
    shown = sold[0].place.lines[0].shown
    assert shown is not None
    assert (shown.title, shown.category, shown.disclosures) == ("Uncategorised product", "", {})


# --- several stores ------------------------------------------------------------------------------------------------


def test_an_order_of_two_sellers_becomes_two_orders_with_one_reference(tmp_path: Path) -> None:
    rows = [item(), item(order_item_id="2", seller_id="s2", price="300", freight_value="0")]
    sold, summary = read(write(tmp_path, items=rows, payments=[payment(payment_value="420.51")], reviews=[review()]))
    assert balanced(summary)
    by_store = {o.place.store: o for o in sold}
    assert {o.place.reference for o in sold} == {"o1"}
    assert sum(p.minor for o in sold for p in o.place.payments) == 42_051
    assert by_store["s1"].complaint is None, "the complaint goes to the store of the most expensive line"
    assert by_store["s2"].complaint is not None
    assert by_store["s2"].complaint.lines == ("2",)


def test_a_store_whose_part_of_every_payment_is_zero_got_no_order(tmp_path: Path) -> None:
    rows = [item(), item(order_item_id="2", seller_id="s2", price="0", freight_value="0")]
    sold, summary = read(write(tmp_path, items=rows))
    assert [o.place.store for o in sold] == ["s1"]
    assert summary.tables[ITEMS].skipped == {"nothing_paid": 1}
    assert balanced(summary)


cents = st.integers(1, 5_000_000)


@given(
    lines=st.lists(st.tuples(st.sampled_from(["s1", "s2", "s3"]), cents, cents), min_size=1, max_size=8),
    paid=st.lists(st.integers(0, 5_000_000), min_size=1, max_size=5),
)
def test_the_parts_of_each_payment_sum_to_it_exactly(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, int, int]], paid: list[int]
) -> None:
    def decimal(minor: int) -> str:
        return f"{minor // 100}.{minor % 100:02d}"

    items = [
        item(order_item_id=str(n), seller_id=store, price=decimal(price), freight_value=decimal(freight))
        for n, (store, price, freight) in enumerate(lines, start=1)
    ]
    payments = [
        payment(payment_sequential=str(n), payment_value=decimal(minor)) for n, minor in enumerate(paid, start=1)
    ]
    sold, summary = read(write(tmp_path_factory.mktemp("olist"), items=items, payments=payments))
    assert balanced(summary)
    parts: dict[str, int] = {}
    for part in (p for o in sold for p in o.place.payments):
        assert part.minor > 0
        parts[part.id] = parts.get(part.id, 0) + part.minor
    assert parts == {str(n): minor for n, minor in enumerate(paid, start=1) if minor}


# --- facts that cannot be as written -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "facts", "repaired"),
    [
        ({"order_approved_at": "2018-03-04 00:00:00"}, ["03-02 15", "03-02 15", "03-10 12"], "paid_moved"),
        (
            {"order_delivered_carrier_date": "2018-03-11 00:00:00"},
            ["03-01 14", "03-10 12", "03-10 12"],
            "shipped_moved",
        ),
        ({"order_approved_at": ""}, ["03-01 13", "03-02 15", "03-10 12"], "no_payment_time"),
        ({"order_approved_at": "2018-02-01 00:00:00"}, ["03-01 13", "03-02 15", "03-10 12"], "before_purchase"),
        ({"order_delivered_customer_date": ""}, ["03-01 14", "03-02 15"], "no_delivery_time"),
    ],
)
def test_facts_out_of_order_are_repaired_by_a_counted_rule(
    tmp_path: Path, changes: Row, facts: list[str], repaired: str
) -> None:
    sold, summary = read(write(tmp_path, orders=[order(**changes)]))
    assert [f"{fact.at:%m-%d %H}" for fact in sold[0].facts] == facts
    assert summary.repaired == {repaired: 1}
    lived(sold[0])


def test_a_cancellation_without_a_time_is_no_fact(tmp_path: Path) -> None:
    bare = order(order_status="canceled", order_delivered_carrier_date="", order_delivered_customer_date="")
    sold, summary = read(write(tmp_path, orders=[bare]))
    assert [type(fact) for fact in sold[0].facts] == [Paid]
    assert summary.repaired == {"no_cancel_time": 1}


def test_an_order_never_approved_nor_moved_stays_unpaid(tmp_path: Path) -> None:
    bare = order(
        order_status="created",
        order_approved_at="",
        order_delivered_carrier_date="",
        order_delivered_customer_date="",
    )
    sold, _ = read(write(tmp_path, orders=[bare]))
    assert sold[0].facts == ()


# --- complaints ----------------------------------------------------------------------------------------------------


def test_a_low_review_is_a_complaint_with_its_reason_lines_and_amount(tmp_path: Path) -> None:
    sold, summary = read(write(tmp_path, reviews=[review(review_comment_title="Que pena")]))
    complaint = sold[0].complaint
    assert complaint is not None
    assert (complaint.order, complaint.score, complaint.at) == ("o1", 1, utc("2018-03-12 11:00"))
    assert complaint.text == "Que pena\nVeio errado"
    assert (complaint.reason, complaint.why) == ("different_item", "keyword: veio errado")
    assert (complaint.lines, complaint.amount) == (("1",), 12_050)
    assert summary.tables[REVIEWS].used == 1


@pytest.mark.parametrize(("text", "amount"), [("Recebi apenas um", 6_025), ("Faltou o manual", 4_016)])
def test_missing_pieces_and_parts_ask_for_their_share(tmp_path: Path, text: str, amount: int) -> None:
    sold, _ = read(write(tmp_path, reviews=[review(review_comment_message=text)]))
    assert sold[0].complaint is not None
    assert sold[0].complaint.amount == amount


def test_nobody_asks_for_more_than_was_paid(tmp_path: Path) -> None:
    sold, _ = read(write(tmp_path, payments=[payment(payment_value="80")], reviews=[review()]))
    assert sold[0].complaint is not None
    assert sold[0].complaint.amount == 8_000


def test_the_earliest_low_review_is_the_complaint_and_every_other_one_is_counted(tmp_path: Path) -> None:
    rows = [
        review(review_id="r2", review_answer_timestamp="2018-03-15 08:00:00"),
        review(),
        review(review_id="r3", review_score="5"),
        review(review_id="r4", order_id="nowhere"),
        review(),
        review(review_id="r5", review_answer_timestamp="2018-01-01 08:00:00"),
    ]
    sold, summary = read(write(tmp_path, reviews=rows))
    assert sold[0].complaint is not None
    assert sold[0].complaint.at == utc("2018-03-12 11:00")
    assert summary.tables[REVIEWS].used == 1
    assert summary.tables[REVIEWS].skipped == {
        "before_the_order": 1,
        "duplicate": 1,
        "later_low_review": 1,
        "score_above_2": 1,
        "unknown_order": 1,
    }


def test_before_the_delivery_the_facts_decide_whatever_the_text_says(tmp_path: Path) -> None:
    rows = [review(review_answer_timestamp="2018-03-21 00:00:00")]
    late = order(order_delivered_customer_date="2018-03-25 09:00:00")
    sold, _ = read(write(tmp_path, orders=[late], reviews=rows))
    assert sold[0].complaint is not None
    assert sold[0].complaint.reason == "in_transit_overdue"


def test_a_comment_may_hold_new_lines_and_quotes(tmp_path: Path) -> None:
    sold, summary = read(write(tmp_path, reviews=[review(review_comment_message='Disseram "amanhã".\nVeio errado')]))
    assert sold[0].complaint is not None
    assert sold[0].complaint.text == 'Disseram "amanhã".\nVeio errado'
    assert summary.tables[REVIEWS].rows == 1


@pytest.mark.parametrize("payments", [[], [payment(payment_value="0")]])
def test_an_order_nobody_paid_is_placed_and_stays_unpaid(tmp_path: Path, payments: list[Row]) -> None:
    sold, summary = read(write(tmp_path, payments=payments, reviews=[review()]))
    assert sold[0].place.payments == ()
    assert sold[0].facts == ()
    assert sold[0].complaint is not None
    assert sold[0].complaint.amount > 0
    assert summary.repaired == {"no_payment": 1}
    assert balanced(summary)


# --- rows that cannot be used --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ({"items": []}, "no_items"),
        ({"customers": []}, "unknown_customer"),
        ({"orders": [order(order_purchase_timestamp="yesterday")]}, "bad_date"),
        ({"orders": [order(order_approved_at="2018-13-01 00:00:00")]}, "bad_date"),
        ({"orders": [order(order_estimated_delivery_date="")]}, "bad_date"),
        ({"orders": [order(order_estimated_delivery_date="9999-12-31 00:00:00")]}, "bad_date"),
        ({"items": [item(price="1,50")]}, "unreadable_item"),
        ({"items": [item(), item(order_item_id="2", freight_value="-1")]}, "unreadable_item"),
        ({"items": [item(shipping_limit_date="2018-03-05")]}, "unreadable_item"),
        ({"payments": [payment(), payment(payment_sequential="2", payment_value="12.345")]}, "unreadable_payment"),
        ({"payments": [payment(payment_value="1e9")]}, "unreadable_payment"),
        ({"items": [item(seller_id="no store")]}, "bad_reference"),
        ({"payments": [payment(payment_sequential=str(n)) for n in range(51)]}, "bad_payments"),
    ],
)
def test_an_order_that_cannot_be_used_is_skipped_with_the_reason(
    tmp_path: Path, tables: dict[str, list[Row]], reason: str
) -> None:
    sold, summary = read(write(tmp_path, reviews=[review(), review(review_id="r2", review_score="4")], **tables))
    assert sold == []
    assert summary.tables[ORDERS].skipped == {reason: 1}
    assert summary.tables[REVIEWS].skipped == {"order_skipped": 2}
    assert balanced(summary)


def test_rows_of_no_order_are_counted_as_such(tmp_path: Path) -> None:
    _, summary = read(
        write(tmp_path, items=[item(), item(order_id="gone")], payments=[payment(), payment(order_id="gone")])
    )
    assert summary.tables[ITEMS].skipped == {"unknown_order": 1}
    assert summary.tables[PAYMENTS].skipped == {"unknown_order": 1}
    assert balanced(summary)


def test_rows_told_twice_are_used_once(tmp_path: Path) -> None:
    sold, summary = read(
        write(
            tmp_path,
            orders=[order()] * 2,
            items=[item()] * 2,
            payments=[payment()] * 2,
            customers=[CUSTOMER] * 2,
            sellers=[SELLER] * 2,
            products=[PRODUCT] * 2,
            categories=[CATEGORY] * 2,
        )
    )
    assert len(sold) == 1
    for name in (ORDERS, ITEMS, PAYMENTS, CUSTOMERS, SELLERS, PRODUCTS, CATEGORIES):
        table = summary.tables[name]
        assert (table.rows, table.used, table.skipped) == (2, 1, {"duplicate": 1}), name


def test_what_no_order_speaks_of_is_not_used(tmp_path: Path) -> None:
    _, summary = read(
        write(
            tmp_path,
            customers=[CUSTOMER, {"customer_id": "c2", "customer_unique_id": "u2"}],
            sellers=[SELLER, SELLER | {"seller_id": "s2"}],
            products=[PRODUCT, PRODUCT | {"product_id": "p2"}, PRODUCT | {"product_id": "p3", "product_weight_g": "?"}],
            categories=[CATEGORY, {"product_category_name": "livros", "product_category_name_english": "books"}],
        )
    )
    assert balanced(summary)
    for name in (CUSTOMERS, SELLERS, CATEGORIES):
        assert summary.tables[name].skipped == {"not_in_an_order": 1}
    assert summary.tables[PRODUCTS].skipped == {"bad_number": 1, "not_in_an_order": 1}


def test_a_review_with_a_bad_score_or_date_is_skipped_and_the_order_goes_on(tmp_path: Path) -> None:
    rows = [review(review_score="six"), review(review_id="r2", review_answer_timestamp="")]
    sold, summary = read(write(tmp_path, reviews=rows))
    assert len(sold) == 1
    assert summary.tables[REVIEWS].skipped == {"bad_date": 1, "bad_number": 1}
    assert balanced(summary)


def test_a_row_with_cells_missing_or_left_over_is_a_bad_row(tmp_path: Path) -> None:
    with (write(tmp_path) / ITEMS).open("a") as file:
        file.write("o1,2\n\no1,2,p1,s1,2018-03-05 10:00:00,1.0,1.0,more\n")
    _, summary = read(tmp_path)
    assert summary.tables[ITEMS].skipped == {"bad_row": 2}
    assert balanced(summary)


# --- tables that cannot be read ------------------------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (write(tmp_path) / PAYMENTS).unlink()
    with pytest.raises(OlistError, match=PAYMENTS):
        read(tmp_path)


def test_a_missing_column_is_named_with_its_file(tmp_path: Path) -> None:
    path = write(tmp_path) / ITEMS
    path.write_text(path.read_text().replace("freight_value", "freight"))
    with pytest.raises(OlistError, match=rf"{ITEMS} has no column freight_value"):
        read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_an_empty_file_has_no_columns(tmp_path: Path, content: bytes) -> None:
    (write(tmp_path) / ORDERS).write_bytes(content)
    with pytest.raises(OlistError, match="has no column order_id"):
        read(tmp_path)


@pytest.mark.parametrize("tail", [b'o2,c1,"never closed\n', b"o2,c1,\xff\xfe\n"])
def test_a_damaged_file_stops_the_reading_and_says_where(tmp_path: Path, tail: bytes) -> None:
    path = write(tmp_path) / ORDERS
    path.write_bytes(path.read_bytes() + tail)
    with pytest.raises(OlistError, match=rf"{ORDERS} is damaged"):
        read(tmp_path)


def test_a_byte_order_mark_and_columns_in_another_order_change_nothing(tmp_path: Path) -> None:
    (write(tmp_path) / CUSTOMERS).write_bytes(
        b"\xef\xbb\xbfcustomer_unique_id,customer_city,customer_id\r\nu1,x,c1\r\n"
    )
    sold, _ = read(tmp_path)
    assert sold[0].place.buyer == "u1"


# --- the real tables -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> tuple[list[SoldOrder], Summary]:
    if not REAL.is_dir():
        pytest.skip("the published Olist tables are not at ../shared/data/olist")
    return read(REAL)


def test_every_real_row_is_used_or_skipped_with_a_reason(real: tuple[list[SoldOrder], Summary]) -> None:
    _, summary = real
    assert balanced(summary)
    assert summary.tables[ORDERS].skipped == {"no_items": 115}
    assert summary.tables[ITEMS].rows == 17_071
    assert summary.tables[PAYMENTS].skipped["zero_value"] == 2


def test_the_real_complaints_are_all_there_that_on_the_order_nobody_paid_too(
    real: tuple[list[SoldOrder], Summary],
) -> None:
    sold, summary = real
    complaints = [order.complaint for order in sold if order.complaint]
    assert len(complaints) == summary.tables[REVIEWS].used == 2_085
    assert len({complaint.order for complaint in complaints}) == 2_085
    assert summary.repaired["no_payment"] == 1
    assert all(complaint.amount > 0 and complaint.lines for complaint in complaints)


def test_the_core_accepts_every_real_order_and_its_facts(real: tuple[list[SoldOrder], Summary]) -> None:
    sold, _ = real
    keys = {(order.place.store, order.place.reference) for order in sold}
    assert len(keys) == len(sold) > 15_000
    for order in sold:
        times = [order.place.at, *(fact.at for fact in order.facts)]
        assert times == sorted(times)
        assert all(fact.order == 0 for fact in order.facts)
        lived(order)


def test_real_complaints_fit_what_had_happened_and_nearly_all_the_protection_window(
    real: tuple[list[SoldOrder], Summary],
) -> None:
    sold, _ = real
    outside = 0
    for order in (order for order in sold if order.complaint):
        complaint = order.complaint
        assert complaint is not None
        state = lived(order, until=complaint.at)
        kind = REASONS[complaint.reason]
        assert state.delivered_at is not None or kind in ("INR", "OTHER")
        outside += not protection_window(state, kind, 15, complaint.at).holds(complaint.at)
    assert outside < 60


def test_what_a_real_buyer_asks_for_is_never_above_what_was_paid(real: tuple[list[SoldOrder], Summary]) -> None:
    sold, _ = real
    for order in (order for order in sold if order.complaint):
        assert order.complaint is not None
        assert not order.place.payments or order.complaint.amount <= paid(order.place)


def paid(place: PlaceOrder) -> int:
    return sum(payment.minor for payment in place.payments)
