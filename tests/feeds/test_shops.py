"""Orders of Shopify and WooCommerce: what becomes of each object; the published examples are read where they are."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from houbao.core import orders as o
from houbao.core.placing import decide_place
from houbao.core.programme import Store
from houbao.core.terms import Actor, Refused
from houbao.feeds import shopify, woocommerce
from houbao.feeds.files import START, Ignored
from houbao.feeds.mapping import FeedError, Mapping
from houbao.feeds.order_format import ChargebackDocument, DeliveredDocument, ShippedDocument, TrackingDocument
from houbao.feeds.shop_files import ShopFeed
from houbao.feeds.shops import PROMISED_DAYS, SHIP_DAYS, Shop
from houbao.feeds.sold import SoldOrder, worth

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "connectors"
shared = pytest.mark.skipif(not REAL.is_dir(), reason=f"{REAL} is not here")
AT = "2026-07-02T10:00:00Z"
SHOP = Shop(Mapping(constants={"store_id": "oak"}))
READERS = {"shopify": shopify.reader(SHOP), "woocommerce": woocommerce.reader(SHOP)}


def of_shopify(plain):
    (said,) = READERS["shopify"](plain)
    return said


def of_woocommerce(plain):
    (said,) = READERS["woocommerce"](plain)
    return said


def paid_for(sold):
    return sum(payment.minor for payment in sold.place.payments)


def worth_of(sold):
    return sum(worth(line) for line in sold.place.lines)


def bought(**changed):
    """An order of Shopify's: two lamps and a rug, shipped and arrived."""
    line = {"id": 1, "name": "Lamp - red", "variant_title": "red", "price": "20.00", "quantity": 2}
    return {
        "id": 450,
        "test": False,
        "currency": "EUR",
        "financial_status": "paid",
        "fulfillment_status": "fulfilled",
        "created_at": "2026-07-01T12:00:00+02:00",
        "processed_at": "2026-07-01T12:05:00+02:00",
        "cancelled_at": None,
        "total_price": "63.00",
        "taxes_included": False,
        "payment_gateway_names": ["Shopify Payments"],
        "email": "ann@mail.example",
        "customer": {"id": 77},
        "line_items": [
            line | {"tax_lines": [{"price": "8.00"}]},
            {"id": 2, "name": "Rug", "price": "10.00", "quantity": 1, "tax_lines": [{"price": "2.00"}]},
        ],
        "shipping_lines": [{"price": "2.50", "tax_lines": [{"price": "0.50"}]}],
        "fulfillments": [
            {"status": "success", "created_at": "2026-07-02T10:00:00Z", "shipment_status": "delivered"}
            | {"updated_at": "2026-07-04T10:00:00Z"}
        ],
        **changed,
    }


# --- Shopify -------------------------------------------------------------------------------------------------------


def test_an_order_comes_with_lines_payment_and_what_has_happened():
    sold = of_shopify({"order": bought()})
    place = sold.place
    assert (place.store, place.reference, place.buyer, place.currency) == ("oak", "450", "77", "EUR")
    assert [(line.id, line.quantity, line.item, line.shipping, line.tax) for line in place.lines] == [
        ("1", 2, 4000, 240, 800),
        ("2", 1, 1000, 60, 200),
    ]
    assert place.lines[0].shown == o.Listing(title="Lamp - red", disclosures={"variant": "red"})
    assert place.payments == (o.Payment(id="1", provider="shopify-payments", minor=6300),)
    assert [type(fact) for fact in sold.facts] == [o.Paid, o.Shipped, o.Delivered]
    assert sold.facts[0].at == datetime(2026, 7, 1, 10, 5, tzinfo=UTC)
    assert ((place.ship_by - place.at).days, (place.promised_by - place.at).days) == (SHIP_DAYS, PROMISED_DAYS)


def test_taxes_that_are_in_the_price_are_taken_out_of_it():
    sold = of_shopify(bought(taxes_included=True, total_price="52.50"))
    assert [(line.item, line.tax) for line in sold.place.lines] == [(3200, 800), (800, 200)]
    assert worth_of(sold) == 5250


def test_discounts_are_taken_off_the_lines_that_they_are_on():
    items = bought()["line_items"]
    items[1]["discount_allocations"] = [{"amount": "4.00"}]
    assert [line.item for line in of_shopify(bought(line_items=items)).place.lines] == [4000, 600]


def test_a_discount_on_the_whole_is_spread_exactly():
    sold = of_shopify(bought(total_discounts="10.01", total_price="52.99"))
    assert [line.item for line in sold.place.lines] == [3199, 800]
    assert worth_of(sold) == 5299


def test_what_the_shop_gave_back_is_not_there_to_be_given_back_again():
    refunds = [
        {"transactions": [{"kind": "refund", "status": status, "amount": "13.00"}]} for status in ("success", "error")
    ]
    assert paid_for(of_shopify(bought(refunds=refunds, financial_status="partially_refunded"))) == 5000


def test_what_the_shop_gave_back_entirely_comes_in_unpaid():
    refunds = [{"transactions": [{"kind": "refund", "status": "success", "amount": "63.00"}]}]
    sold = of_shopify(bought(refunds=refunds, financial_status="refunded", fulfillments=[]))
    assert (sold.place.payments, sold.facts) == ((), ())


@pytest.mark.parametrize(
    ("reason", "by"), [("customer", "buyer"), ("inventory", "seller"), ("fraud", "platform"), (None, "platform")]
)
def test_a_cancelled_order_says_by_whom(reason, by):
    sold = of_shopify(bought(cancelled_at="2026-07-03T10:00:00Z", cancel_reason=reason, fulfillments=[]))
    cancelled = sold.facts[-1]
    assert (cancelled.party, cancelled.reason) == (by, reason or "other")


def test_an_order_that_is_not_paid_yet_is_placed():
    sold = of_shopify(bought(financial_status="authorized", fulfillments=[]))
    assert (sold.facts, paid_for(sold)) == ((), 6300)


def test_a_guest_is_the_buyer_of_that_order_alone():
    assert of_shopify(bought(customer=None)).place.buyer == "guest-450"


def test_a_parcel_on_its_way_is_no_delivery():
    parcels = bought()["fulfillments"]
    sold = of_shopify(bought(fulfillments=[*parcels, parcels[0] | {"shipment_status": "in_transit"}]))
    assert [type(fact) for fact in sold.facts] == [o.Paid, o.Shipped]


def test_fulfillments_scans_and_disputes_are_events_of_their_order():
    at = "2026-07-02T10:00:00Z"
    (shipped,) = of_shopify({"fulfillment": {"order_id": 450, "status": "success", "created_at": at}})
    (moving,) = of_shopify({"fulfillment_event": {"order_id": 450, "status": "in_transit", "happened_at": at}})
    (arrived,) = of_shopify({"order_id": 450, "status": "delivered", "happened_at": at})
    (charged,) = of_shopify(
        {
            "dispute": {"id": 9, "order_id": 450, "type": "chargeback", "amount": "63.00", "currency": "EUR"}
            | {"status": "lost"}
        }
    )
    assert isinstance(shipped, ShippedDocument)
    assert isinstance(moving, TrackingDocument)
    assert isinstance(arrived, DeliveredDocument)
    assert isinstance(charged, ChargebackDocument)
    assert (charged.state, charged.amount.minor, charged.reference) == ("lost", 6300, "9")
    assert {(one.store_id, one.order) for one in (shipped, moving, arrived, charged)} == {("oak", "450")}


@pytest.mark.parametrize(
    ("plain", "rule"),
    [
        (bought(test=True), "test_order"),
        ({"refund": {"id": 1, "order_id": 450}}, "refunded_in_the_shop"),
        ({"fulfillment": {"order_id": 450, "status": "cancelled"}}, "parcel_not_sent"),
        ({"order_id": 450, "status": "label_printed", "happened_at": "2026-07-02T10:00:00Z"}, "scan_that_says_nothing"),
        ({"dispute": {"type": "inquiry"}}, "inquiry"),
        ({"transaction": {"id": 1}}, "transaction"),
    ],
)
def test_what_says_nothing_is_ignored_by_a_named_rule(plain, rule):
    assert of_shopify(plain) == Ignored(rule)


@pytest.mark.parametrize(
    ("plain", "field"),
    [
        (bought(currency=None), "currency"),
        (bought(total_price="12,00"), "total_price"),
        (bought(line_items={"1": "lamp"}), "line_items"),
        (bought(created_at="yesterday"), "created_at"),
        (bought(created_at="9999-12-20T00:00:00Z"), "promised_by"),
        (bought(currency=["EUR"]), "currency"),
        (bought(customer="Ann"), "customer"),
        (bought(payment_gateway_names=5), "payment_gateway_names"),
        (bought(payment_gateway_names=[5]), "payment_gateway_names"),
        (bought(cancel_reason=["customer"]), "cancel_reason"),
        (bought(line_items=[{"id": 1, "price": "20.00", "quantity": "1.5"}]), "quantity"),
        (bought(line_items=[{"id": 1, "price": "20.00", "quantity": True}]), "quantity"),
        (bought(fulfillments=[{"shipment_status": "delivered", "created_at": "2026-07-02T10:00:00Z"}]), "updated_at"),
        (bought(fulfillments=[{"created_at": at} for at in ("2026-07-02T10:00:00", AT)]), "created_at"),
        ({"dispute": {"id": 9, "order_id": 450, "amount": "1", "currency": "EUR", "status": ["won"]}}, "status"),
    ],
)
def test_what_is_wrong_with_an_object_is_named_by_its_field(plain, field):
    assert of_shopify(plain).facts["field"] == field


def test_a_discount_above_the_price_of_its_line_is_refused():
    lamp, rug = bought()["line_items"]
    refused = of_shopify(bought(line_items=[lamp, rug | {"discount_allocations": [{"amount": "10.01"}]}]))
    assert (refused.code, refused.facts["field"]) == ("bad_field", "line_items")
    assert "more than it costs" in refused.detail


def test_what_is_none_of_the_objects_is_refused():
    with pytest.raises(Refused, match="none of order"):
        of_shopify({"shop": {"id": 1}})


# --- WooCommerce ---------------------------------------------------------------------------------------------------


def carted(**changed):
    """An order of WooCommerce's."""
    return {
        "id": 727,
        "order_key": "wc_order_1",
        "status": "completed",
        "currency": "EUR",
        "date_created_gmt": "2026-07-01T10:00:00",
        "date_modified_gmt": "2026-07-05T10:00:00",
        "date_paid_gmt": "2026-07-01T10:05:00",
        "date_completed_gmt": "2026-07-02T10:00:00",
        "total": "29.35",
        "customer_id": 5,
        "billing": {"email": "ann@mail.example"},
        "payment_method": "bacs",
        "line_items": [
            {"id": 315, "name": "Mug &ndash; blue", "quantity": 2, "total": "6.00", "total_tax": "0.45", "sku": "M1"},
            {"id": 316, "name": "Cap", "quantity": 1, "total": "12.00", "total_tax": "0.90"},
        ],
        "shipping_lines": [{"total": "10.00", "total_tax": "0.00"}],
        "refunds": [],
        **changed,
    }


def test_an_order_of_woocommerce_comes_with_all_that_it_says():
    sold = of_woocommerce(carted())
    place = sold.place
    assert (place.reference, place.buyer, place.buyer_email) == ("727", "5", "ann@mail.example")
    assert [(line.item, line.tax, line.shipping) for line in place.lines] == [(600, 45, 333), (1200, 90, 667)]
    assert place.lines[0].shown == o.Listing(title="Mug – blue", disclosures={"sku": "M1"})
    assert place.payments == (o.Payment(id="1", provider="bacs", minor=2935),)
    assert place.at == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert [type(fact) for fact in sold.facts] == [o.Paid, o.Shipped]


def test_fees_are_lines_and_fees_below_zero_are_discounts():
    fees = [{"id": 1, "name": "Gift wrap", "total": "3.00"}, {"id": 2, "name": "Loyal", "total": "-2.10"}]
    for either_way in (fees, fees[::-1]):
        sold = of_woocommerce(carted(fee_lines=either_way))
        assert [line.item for line in sold.place.lines] == [540, 1080, 270]


def test_refunds_and_cancellations_of_woocommerce():
    assert paid_for(of_woocommerce(carted(refunds=[{"id": 1, "total": "-10.00"}]))) == 1935
    cancelled = of_woocommerce(carted(status="cancelled", date_completed_gmt=None)).facts[-1]
    assert (type(cancelled), cancelled.party) == (o.Cancelled, "platform")


@pytest.mark.parametrize(
    ("plain", "field"),
    [
        (carted(currency=["EUR"]), "currency"),
        (carted(billing="ann@mail.example"), "billing"),
        (carted(payment_method=5), "payment_method"),
        (carted(line_items=[{"id": 1, "total": "10.00", "quantity": "1.5"}]), "quantity"),
        (carted(fee_lines=[{"id": 1, "total": "-18.01"}]), "line_items"),
    ],
)
def test_what_is_wrong_with_an_order_of_woocommerce_is_named_by_its_field(plain, field):
    assert of_woocommerce(plain).facts["field"] == field


@pytest.mark.parametrize(
    ("plain", "rule"),
    [(carted(status="failed"), "not_ordered"), ({"id": 1, "refunded_by": 2, "amount": "1.00"}, "refunded_in_the_shop")],
)
def test_what_woocommerce_says_beside_orders_is_ignored_by_a_named_rule(plain, rule):
    assert of_woocommerce(plain) == Ignored(rule)


# --- files ---------------------------------------------------------------------------------------------------------


def test_objects_come_one_on_a_line_in_a_list_or_over_several_lines(tmp_path):
    one, other = bought(), bought(id=451)
    ways = {
        "lines": f"{json.dumps(one)}\n\n{json.dumps({'order': other})}\n",
        "list": json.dumps([one, other]),
        "wrapped": json.dumps({"orders": [one, other]}, indent=2),
    }
    for name, text in ways.items():
        (tmp_path / name).write_text(text)
        rows = list(ShopFeed(tmp_path / name, READERS["shopify"]).rows(START))
        sold = [row.said.place.reference for row in rows if isinstance(row.said, SoldOrder)]
        assert sold == ["450", "451"], name


def test_a_folder_is_read_file_by_file_and_goes_on_after_any_row(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([bought(), bought(id=451)]))
    (tmp_path / "b.ndjson").write_text(json.dumps(bought(id=452)) + "\nnothing\n")
    (tmp_path / "readme.txt").write_text("not an order")
    feed = ShopFeed(tmp_path, READERS["shopify"])
    rows = list(feed.rows(START))
    assert [(row.file, row.line) for row in rows] == [("a.json", 1), ("a.json", 1), ("b.ndjson", 1), ("b.ndjson", 2)]
    assert isinstance(rows[3].said, Refused)
    assert list(feed.rows(rows[0].after))[:2] == rows[1:3]


def test_a_folder_without_files_and_a_shop_without_a_name_are_told(tmp_path):
    with pytest.raises(FeedError, match=r"\.ndjson"):
        ShopFeed(tmp_path, READERS["shopify"])
    with pytest.raises(FeedError, match="--store"):
        Shop(None)


# --- anything ------------------------------------------------------------------------------------------------------

ODD = (None, True, -1, 10**30, "", "x", "1.5", "-1", "1e9", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "EUR")
ANYTHING = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def _published(shop):
    return [
        json.loads(path.read_bytes()) for path in sorted((REAL / shop).glob("*.json")) if "webhook" not in path.name
    ]


EXPORTED = {
    "shopify": [
        bought(cancelled_at=AT, cancel_reason="customer", total_discounts="1.00", refunds=[{"transactions": [{}]}]),
        {"fulfillment": {"order_id": 450, "status": "success", "created_at": AT}},
        {"fulfillment_event": {"order_id": 450, "status": "delivered", "happened_at": AT}},
        {"dispute": {"id": 9, "order_id": 450, "amount": "63.00", "currency": "EUR", "status": "lost"}},
        *_published("shopify"),
    ],
    "woocommerce": [
        carted(fee_lines=[{"id": 1, "total": "-2.10"}], refunds=[{"id": 1, "total": "-10.00"}]),
        {"create": [carted()]},
        *_published("woocommerce"),
    ],
}


def _places(plain, above=()):
    """Every place in a document, as the keys that lead to it."""
    yield above
    inside = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    for key, value in inside:
        yield from _places(value, (*above, key))


def _with(plain, place, value):
    """The document with that value at that place."""
    if not place:
        return value
    key, *rest = place
    return (
        type(plain)(plain | {key: _with(plain[key], rest, value)})
        if isinstance(plain, dict)
        else [_with(one, rest, value) if at == key else one for at, one in enumerate(plain)]
    )


@pytest.mark.parametrize("shop", sorted(EXPORTED))
@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_any_value_at_any_place_of_an_object_gives_rows_or_rejections(shop, data, tmp_path_factory):
    plain = data.draw(st.sampled_from(EXPORTED[shop]))
    changed = _with(plain, data.draw(st.sampled_from([*_places(plain)])), data.draw(ANYTHING))
    path = tmp_path_factory.getbasetemp() / f"{shop}.json"
    path.write_text(json.dumps([changed]))
    said = [row.said for row in ShopFeed(path, READERS[shop]).rows(START)]
    assert all(isinstance(one, SoldOrder | tuple | Refused | Ignored) for one in said)
    assert said or isinstance(changed, dict | list)  # an empty list says nothing; all else is accounted for


# --- the published examples ----------------------------------------------------------------------------------------


@shared
@pytest.mark.parametrize("shop", ["shopify", "woocommerce"])
def test_every_published_order_is_one_that_the_core_accepts_and_adds_up(shop):
    found = 0
    for path in sorted((REAL / shop).glob("order*.json")):
        for row in ShopFeed(path, READERS[shop]).rows(START):
            if isinstance(row.said, SoldOrder):
                found += 1
                assert decide_place(False, Store(id="oak"), row.said.place, Actor("platform"))
                assert paid_for(row.said) <= worth_of(row.said), path.name
            elif isinstance(row.said, Refused):
                assert (path.name, row.said.facts["field"]) == ("orders.json", "line_items")  # it has none
            else:
                assert isinstance(row.said, Ignored), path.name
    assert found >= 1


@shared
def test_every_published_object_of_shopify_that_is_meant_is_understood():
    rules = {}
    for name in ("fulfillment", "fulfillment_event", "refund", "transaction", "transactions"):
        rows = list(ShopFeed(REAL / "shopify" / f"{name}.json", READERS["shopify"]).rows(START))
        rules[name] = {row.said.rule if isinstance(row.said, Ignored) else type(row.said) for row in rows}
    assert rules == {
        "fulfillment": {tuple},
        "fulfillment_event": {"scan_that_says_nothing"},
        "refund": {"refunded_in_the_shop"},
        "transaction": {"transaction"},
        "transactions": {"transaction"},
    }
