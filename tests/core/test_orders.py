"""The order: its life cell by cell, its protection windows to the second, and what can be refunded on it."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from core.pure import Desk
from given import AGENT, BUYER, DAY, PLATFORM, SECOND, SELLER, T, opening
from houbao.core import orders as o
from houbao.core.decider import decide
from houbao.core.orders import LIFE, Line, Order, Payment
from houbao.core.placing import encode_listing
from houbao.core.protection import protection_window
from houbao.core.refundable import line_worth, refundable, share_lines, share_payments
from houbao.core.scene import Purse
from houbao.core.terms import REASONS, Actor, Refused

FACTS: dict[str, Any] = {
    "paid": lambda order: o.Paid(order=order, at=T),
    "shipped": lambda order: o.Shipped(order=order, at=T),
    "tracking": lambda order: o.Tracked(order=order, at=T, state="invalid"),
    "delivered": lambda order: o.Delivered(order=order, at=T),
    "confirmed": lambda order: o.Confirmed(order=order, at=T),
    "confirmation_timed_out": lambda order: o.ConfirmationTimedOut(order=order, at=T),
    "cancelled": lambda order: o.Cancelled(order=order, at=T),
    "rated": lambda order: o.Rated(order=order, at=T, description=5, service=4, logistics=3),
    "paid_out": lambda order: o.PaidOut(order=order, at=T + 30 * DAY, minor=1),
}


def plain_order(**given: Any) -> Order:
    """40.00 for one piece, paid ten days before T, promised for T."""
    fields: dict[str, Any] = {
        "id": 4,
        "store": "oak",
        "reference": "order-1",
        "buyer": "ann",
        "currency": "EUR",
        "lines": (Line(id="1", item=4000),),
        "payments": (Payment(id="card", provider="sandbox", minor=4000),),
        "ship_by": T - 7 * DAY,
        "promised_by": T,
        "placed_at": T - 11 * DAY,
        "status": "paid",
        "paid_at": T - 10 * DAY,
    }
    return Order(**{**fields, **given})


NEW = o.PlaceOrder(
    store="oak",
    reference="order-2",
    buyer="ann",
    currency="EUR",
    lines=(o.NewLine(id="1", item=4000),),
    payments=(),
    ship_by=T + DAY,
    promised_by=T + DAY,
    at=T - DAY,
)


# --- what had happened before it was known -------------------------------------------------------------------------


@given(
    purse=st.builds(
        Purse,
        available=st.integers(0, 9),
        payable=st.integers(-9000, 9000),
        receivable=st.integers(-9000, 0),
        queue=st.integers(0, 1),
        payable_queue=st.integers(0, 1),
    ),
    mode=st.sampled_from(("capital", "premium", "deposit")),
    provider=st.sampled_from(("sandbox", "payable", "available", "receivable")),
    commission=st.integers(0, 100),
    steps=st.lists(st.sampled_from(("paid", "shipped", "delivered", "confirmed", "cancelled")), max_size=4),
)
def test_an_order_comes_with_what_happened_as_if_each_had_been_told_alone(purse, mode, provider, commission, steps):
    world = structs.replace(Desk(mode=mode).world, order=None, purse=purse)
    payment = Payment(id="card", provider=provider, minor=4000)
    place = structs.replace(NEW, payments=(payment,))
    facts = [FACTS[step](0) for step in steps]
    facts = [structs.replace(one, commission=commission) if isinstance(one, o.Paid) else one for one in facts]

    alone = [decide(world, place, PLATFORM, T)]
    refused = ""
    for fact in facts:
        known = alone[-1].world
        assert known.order is not None
        try:
            alone.append(decide(known, structs.replace(fact, order=known.order.id), PLATFORM, T))
        except Refused as found:
            refused = found.code
            break
    try:
        together = decide(world, structs.replace(place, facts=tuple(facts)), PLATFORM, T)
    except Refused as found:
        assert found.code == refused
        return
    assert refused == ""
    assert together.consequences == [one for decision in alone for one in decision.consequences]
    assert together.world == alone[-1].world


# --- life ----------------------------------------------------------------------------------------------------------


def desk_at(status: str) -> Desk:
    desk = Desk()
    desk.world = structs.replace(desk.world, order=structs.replace(desk.order(), status=status))
    return desk


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("status", LIFE)
def test_an_order_goes_where_its_table_says_or_not_at_all(status: str, fact: str) -> None:
    desk = desk_at(status)
    command = FACTS[fact](desk.order().id)
    if fact in LIFE[status]:
        desk.do(command, PLATFORM, at=command.at)
        assert desk.order().status == LIFE[status][fact]
    else:
        assert desk.refuse(command, PLATFORM).code == "order_turn"


def test_a_buyer_who_rates_again_has_the_last_word() -> None:
    desk = Desk()
    for stars in (1, 4):
        desk.do(o.Rated(order=desk.order().id, at=T, description=stars, service=5, logistics=5), PLATFORM)
    assert (desk.order().ratings, desk.order().rated_at) == ((4, 5, 5), T)


@pytest.mark.parametrize("stars", [-1, 0, 6])
@pytest.mark.parametrize("what", o.RATINGS)
def test_a_rating_is_one_to_five(what: str, stars: int) -> None:
    desk = Desk()
    given = {"description": 1, "service": 5, "logistics": 5} | {what: stars}
    assert desk.refuse(o.Rated(order=desk.order().id, at=T, **given), PLATFORM).code == "bad_rating"


def test_an_order_keeps_who_cancelled_it() -> None:
    desk = Desk(delivered=False)
    desk.do(o.Cancelled(order=desk.order().id, at=T, party="seller"), PLATFORM)
    assert desk.order().cancelled_by == "seller"


def test_every_status_and_every_fact_is_in_the_table() -> None:
    assert {fact for facts in LIFE.values() for fact in facts} == set(FACTS)
    assert {to for facts in LIFE.values() for to in facts.values()} == set(LIFE) - {"placed"}


@pytest.mark.parametrize("by", [BUYER, SELLER, AGENT])
@pytest.mark.parametrize("fact", FACTS)
def test_only_the_marketplace_reports_on_orders(fact: str, by: Actor) -> None:
    desk = Desk()
    assert desk.refuse(FACTS[fact](desk.order().id), by).code == "not_permitted"


def test_an_order_keeps_when_it_moved() -> None:
    desk = Desk()
    order = desk.order()
    assert (order.paid_at, order.shipped_at, order.delivered_at) == (T - 10 * DAY, T - 9 * DAY, T - DAY)
    desk.do(o.Confirmed(order=order.id, at=T), PLATFORM)
    assert (desk.order().status, desk.order().closed_at) == ("confirmed", T)


# --- protection windows --------------------------------------------------------------------------------------------


def open_at(order: Order, kind: Any, at: Any) -> bool:
    return protection_window(order, kind, 15, at).holds(at)


def exactly(order: Order, kind: Any, opens: Any, closes: Any) -> None:
    """The window is [opens, closes), to the second."""
    found = [open_at(order, kind, at) for at in (opens - SECOND, opens, closes - SECOND, closes)]
    assert found == [False, True, True, False]


@pytest.mark.parametrize("kind", ["SNAD", "REMORSE"])
def test_not_as_described_and_changed_mind_run_from_delivery(kind: str) -> None:
    exactly(plain_order(delivered_at=T + DAY), kind, T + DAY, T + 16 * DAY)


@pytest.mark.parametrize("kind", ["SNAD", "REMORSE"])
def test_what_was_not_delivered_is_neither(kind: str) -> None:
    assert not open_at(plain_order(shipped_at=T - DAY), kind, T + DAY)


def test_other_runs_from_payment_to_the_end_after_delivery_or_promise() -> None:
    exactly(plain_order(), "OTHER", T - 10 * DAY, T + 15 * DAY)
    exactly(plain_order(delivered_at=T + 3 * DAY), "OTHER", T - 10 * DAY, T + 18 * DAY)


def test_not_received_runs_from_the_promised_delivery() -> None:
    exactly(plain_order(shipped_at=T - 8 * DAY, tracking="moving", tracking_at=T - DAY), "INR", T, T + 15 * DAY)


def test_not_received_opens_at_once_when_the_shipping_limit_passed_unshipped() -> None:
    exactly(plain_order(), "INR", T - 7 * DAY, T + 15 * DAY)


@pytest.mark.parametrize("tracking", ["invalid", "returned"])
def test_not_received_opens_with_a_bad_tracking(tracking: str) -> None:
    order = plain_order(shipped_at=T - 8 * DAY, tracking=tracking, tracking_at=T - 3 * DAY)
    exactly(order, "INR", T - 3 * DAY, T + 15 * DAY)


def test_not_received_opens_when_a_delivery_is_claimed_or_the_order_is_cancelled() -> None:
    exactly(plain_order(shipped_at=T - 8 * DAY, delivered_at=T - 2 * DAY), "INR", T - 2 * DAY, T + 15 * DAY)
    exactly(plain_order(shipped_at=T - 8 * DAY, cancelled_at=T - 4 * DAY), "INR", T - 4 * DAY, T + 15 * DAY)


def test_nothing_opens_before_payment() -> None:
    late = plain_order(paid_at=T + DAY)
    exactly(late, "INR", T + DAY, T + 15 * DAY)
    unpaid = plain_order(paid_at=None, status="placed", delivered_at=T)
    assert not any(open_at(unpaid, kind, T + DAY) for kind in ("INR", "SNAD", "REMORSE", "OTHER"))


@pytest.mark.parametrize(("at", "code"), [(T + 14 * DAY - SECOND, ""), (T + 14 * DAY, "outside_window")])
def test_the_window_decides_whether_a_dispute_opens(at: Any, code: str) -> None:
    desk = Desk()
    command = opening(desk.order().id, "damaged", "40.00")
    if code:
        assert desk.refuse(command, BUYER, at=at).code == code
    else:
        assert desk.do(command, BUYER, at=at).events


def test_days_are_of_24_hours_whatever_the_zone() -> None:
    window = protection_window(plain_order(delivered_at=T), "SNAD", 15, T)
    assert window.closes is not None
    assert window.closes - T == timedelta(hours=360)


def test_every_reason_has_a_class() -> None:
    assert set(REASONS.values()) == {"INR", "SNAD", "REMORSE", "OTHER"}
    assert len(REASONS) == 23


# --- what can be refunded ------------------------------------------------------------------------------------------

small = st.integers(min_value=0, max_value=10_000)
lines = st.builds(Line, id=st.just("1"), quantity=st.integers(1, 9), item=small, shipping=small, tax=small)


@given(lines, st.data())
def test_pieces_of_a_line_are_worth_their_share_and_all_of_them_all_of_it(line: Line, data: Any) -> None:
    pieces = data.draw(st.integers(1, line.quantity))
    whole = line.item + line.shipping + line.tax
    assert abs(line_worth(line, pieces) * line.quantity - whole * pieces) < 3 * line.quantity
    assert line_worth(line, line.quantity) == whole
    assert 0 <= line_worth(line, pieces) <= whole


def test_a_line_is_worth_item_shipping_and_collected_tax() -> None:
    line = Line(id="1", quantity=3, item=1000, shipping=100, tax=210)
    assert [line_worth(line, pieces) for pieces in (1, 2, 3)] == [333 + 33 + 70, 667 + 67 + 140, 1310]


@pytest.mark.parametrize(
    ("taken_lines", "taken_payments", "left"),
    [
        ({}, {}, 4000),
        ({"1": 1500}, {"card": 1500}, 2500),
        ({"1": 3999}, {"card": 3999}, 1),
        ({"1": 4000}, {"card": 4000}, 0),
        ({"1": 4001}, {"card": 4000}, 0),
        ({}, {"card": 3000}, 1000),
    ],
)
def test_what_was_approved_cannot_be_had_again(taken_lines: Any, taken_payments: Any, left: int) -> None:
    assert refundable(plain_order(), {"1": 1}, taken_lines, taken_payments) == left


def test_no_more_than_the_disputed_pieces_and_no_more_than_was_paid() -> None:
    two = (Line(id="1", quantity=2, item=3000), Line(id="2", item=1000))
    order = plain_order(lines=two)
    assert refundable(order, {"1": 1}, {}, {}) == 1500
    assert refundable(order, {"1": 2, "2": 1}, {}, {}) == 4000
    assert refundable(order, {"2": 1}, {"1": 3000}, {"card": 3000}) == 1000
    cheap = plain_order(lines=two, payments=(Payment(id="card", provider="sandbox", minor=2500),))
    assert refundable(cheap, {"1": 2, "2": 1}, {}, {}) == 2500


CARD_A, CARD_B, VOUCHER = (
    Payment(id="a", provider="sandbox", minor=3000),
    Payment(id="b", provider="sandbox", minor=1000),
    Payment(id="v", provider="voucher", minor=500, cash=False),
)


@pytest.mark.parametrize(
    ("amount", "taken", "shares"),
    [
        (400, {}, {"a": 300, "b": 100}),
        (1, {}, {"a": 1}),
        (4000, {}, {"a": 3000, "b": 1000}),
        (4001, {}, {"a": 3000, "b": 1000, "v": 1}),
        (4500, {}, {"a": 3000, "b": 1000, "v": 500}),
        (400, {"a": 3000}, {"b": 400}),
        (1200, {"a": 3000}, {"b": 1000, "v": 200}),
        (300, {"a": 3000, "b": 1000}, {"v": 300}),
    ],
)
def test_a_refund_goes_back_over_cash_before_vouchers_pro_rata(amount: int, taken: Any, shares: Any) -> None:
    order = plain_order(payments=(VOUCHER, CARD_A, CARD_B))
    assert dict(share_payments(order, amount, taken)) == shares


@given(st.data())
def test_shares_sum_to_the_refund_and_none_exceeds_what_is_left(data: Any) -> None:
    paid = data.draw(st.lists(st.tuples(st.integers(1, 5000), st.booleans()), min_size=1, max_size=5))
    payments = tuple(Payment(id=f"p{n}", provider="x", minor=m, cash=cash) for n, (m, cash) in enumerate(paid))
    taken = {p.id: data.draw(st.integers(0, p.minor)) for p in payments}
    left = {p.id: p.minor - taken[p.id] for p in payments}
    amount = data.draw(st.integers(0, sum(left.values())))
    shares = dict(share_payments(plain_order(payments=payments), amount, taken))
    assert sum(shares.values()) == amount
    assert all(0 < minor <= left[payment] for payment, minor in shares.items())
    cash_left = sum(left[p.id] - shares.get(p.id, 0) for p in payments if p.cash)
    assert cash_left == 0 or not any(p.id in shares for p in payments if not p.cash)


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=5), st.data())
def test_a_refund_is_shared_over_the_disputed_lines_within_each(worth: list[int], data: Any) -> None:
    lines = tuple(Line(id=f"l{n}", item=minor) for n, minor in enumerate(worth))
    pieces = {line.id: 1 for line in lines}
    amount = data.draw(st.integers(1, sum(worth)))
    shares = dict(share_lines(plain_order(lines=lines), pieces, amount, {}))
    assert sum(shares.values()) == amount
    assert all(minor <= line.item for line in lines for minor in [shares.get(line.id, 0)])


# --- orders that cannot be -----------------------------------------------------------------------------------------

PLACE = o.PlaceOrder(
    store="oak",
    reference="order-2",
    buyer="ann",
    currency="EUR",
    lines=(o.NewLine(id="1", item=100),),
    payments=(CARD_A,),
    ship_by=T,
    promised_by=T,
    at=T,
)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"reference": ""}, "bad_reference"),
        ({"reference": "a b"}, "bad_reference"),
        ({"currency": "XXX"}, "bad_currency"),
        ({"lines": ()}, "bad_lines"),
        ({"lines": (o.NewLine(id="1", item=1), o.NewLine(id="1", item=1))}, "bad_lines"),
        ({"lines": (o.NewLine(id="1", item=1, quantity=0),)}, "bad_lines"),
        ({"lines": (o.NewLine(id="1", item=-1),)}, "bad_amount"),
        ({"lines": (o.NewLine(id="1", item=10**15 + 1),)}, "bad_amount"),
        ({"payments": (CARD_A, CARD_A)}, "bad_payments"),
        ({"payments": (structs.replace(CARD_A, minor=0),)}, "bad_amount"),
        ({"at": T.replace(tzinfo=None)}, "naive_time"),
    ],
)
def test_an_order_that_cannot_be_is_refused_with_its_code(changed: Any, code: str) -> None:
    assert Desk().refuse(structs.replace(PLACE, **changed), PLATFORM).code == code


def test_an_order_without_payments_is_never_paid() -> None:
    desk = Desk()
    desk.do(structs.replace(PLACE, payments=()), PLATFORM)
    assert desk.refuse(o.Paid(order=desk.order().id, at=T), PLATFORM).code == "bad_payments"


def test_the_listing_shown_is_kept_by_its_digest() -> None:
    listing = o.Listing(title="Oak table", disclosures={"size": "±2 cm"}, category="furniture")
    desk = Desk(lines=(o.NewLine(id="1", item=4000, shown=listing),))
    (line,) = desk.order().lines
    assert line.listing == sha256(encode_listing(listing)).hexdigest()
    changed = structs.replace(listing, disclosures={"size": "±5 cm"})
    assert line.listing != sha256(encode_listing(changed)).hexdigest()
    assert line.category == "furniture"
