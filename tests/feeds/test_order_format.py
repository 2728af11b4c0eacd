"""The order format: a document says the same in a file and in a request, and what is wrong with one is named."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from houbao.core import orders as o
from houbao.core.chargebacks import Chargeback
from houbao.core.terms import Refused
from houbao.feeds.order_format import decode_event, decode_order, event_from, event_of, order_from, order_of

PLACED = "2026-07-01T10:00:00Z"
AT = datetime(2026, 7, 3, 9, 30, tzinfo=UTC)


def money(minor, currency="EUR"):
    return {"minor": minor, "currency": currency}


def order(**changed):
    return {
        "store_id": "oak",
        "reference": "A-1001",
        "buyer_id": "ann",
        "currency": "EUR",
        "placed_at": PLACED,
        "ship_by": "2026-07-04T10:00:00Z",
        "promised_by": "2026-07-12T00:00:00+02:00",
        "lines": [
            {
                "id": "1",
                "quantity": 2,
                "item": money(4000),
                "shipping": money(500),
                "tax": money(300),
                "listing": {"title": "Lamp", "category": "home", "disclosures": {"voltage": "220 V"}},
            }
        ],
        "payments": [{"id": "card", "provider": "sandbox", "amount": money(4800)}],
        **changed,
    }


def read(**changed):
    return order_of(decode_order(msgspec.json.encode(order(**changed))))


def test_an_order_says_what_was_sold_to_whom_and_how_it_was_paid():
    place = read().place
    assert (place.store, place.reference, place.buyer, place.currency) == ("oak", "A-1001", "ann", "EUR")
    assert place.at == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert place.promised_by == datetime(2026, 7, 11, 22, tzinfo=UTC)
    (line,) = place.lines
    assert (line.id, line.quantity, line.item, line.shipping, line.tax) == ("1", 2, 4000, 500, 300)
    assert line.shown == o.Listing(title="Lamp", category="home", disclosures={"voltage": "220 V"})
    assert place.payments == (o.Payment(id="card", provider="sandbox", minor=4800),)


def test_what_has_happened_so_far_follows_in_the_order_of_an_orders_life():
    so_far = {
        "delivered_at": "2026-07-05T10:00:00Z",
        "shipped_at": "2026-07-02T10:00:00Z",
        "paid_at": PLACED,
        "commission": money(400),
        "confirmed_at": "2026-07-06T10:00:00Z",
    }
    facts = read(**so_far).facts
    assert [type(fact) for fact in facts] == [o.Paid, o.Shipped, o.Delivered, o.Confirmed]
    assert facts[0] == o.Paid(order=0, at=datetime(2026, 7, 1, 10, tzinfo=UTC), commission=400)


def test_a_cancelled_order_says_by_whom():
    (_, cancelled) = read(paid_at=PLACED, cancelled_at="2026-07-02T10:00:00Z", cancelled_by="buyer").facts
    assert isinstance(cancelled, o.Cancelled)
    assert cancelled.party == "buyer"


def test_decoded_json_reads_as_its_bytes_do():
    assert order_from(order()) == decode_order(msgspec.json.encode(order()))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"reference": None}, "reference"),
        ({"lines": [{"id": "1"}]}, "lines[0].item"),
        ({"lines": [{"id": "1", "item": {"minor": "40", "currency": "EUR"}}]}, "lines[0].item.minor"),
        ({"lines": [{"id": "1", "item": {"minor": 40.5, "currency": "EUR"}}]}, "lines[0].item.minor"),
        ({"shiped_at": PLACED}, "shiped_at"),
        ({"placed_at": "yesterday"}, "placed_at"),
        ({"cancelled_by": "carrier"}, "cancelled_by"),
    ],
)
def test_what_is_wrong_with_an_order_is_named_by_its_field(changed, field):
    with pytest.raises(Refused) as refused:
        read(**changed)
    assert refused.value.code == "bad_field"
    assert refused.value.facts["field"] == field


def test_a_field_that_is_missing_is_named():
    body = order()
    del body["buyer_id"]
    with pytest.raises(Refused) as refused:
        order_from(body)
    assert refused.value.facts["field"] == "buyer_id"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"store_id": "\xff"}', b"[" * 100_000])
def test_what_is_no_order_at_all_is_refused_too(body):
    with pytest.raises(Refused) as refused:
        decode_order(body)
    assert refused.value.code == "bad_field"


def test_an_amount_in_another_currency_than_the_order_is_refused():
    with pytest.raises(Refused) as refused:
        read(payments=[{"id": "card", "provider": "sandbox", "amount": money(4800, "USD")}])
    assert refused.value.code == "bad_currency"


EVENTS = [
    ({"type": "paid", "commission": money(400)}, o.Paid(order=7, at=AT, commission=400)),
    ({"type": "shipped"}, o.Shipped(order=7, at=AT)),
    ({"type": "tracking", "state": "returned"}, o.Tracked(order=7, at=AT, state="returned")),
    ({"type": "tracking", "state": "in_transit"}, o.Tracked(order=7, at=AT, state="moving")),
    ({"type": "delivered"}, o.Delivered(order=7, at=AT)),
    ({"type": "confirmed"}, o.Confirmed(order=7, at=AT)),
    ({"type": "confirmation_timed_out"}, o.ConfirmationTimedOut(order=7, at=AT)),
    (
        {"type": "cancelled", "by": "seller", "reason": "sold_out"},
        o.Cancelled(order=7, at=AT, party="seller", reason="sold_out"),
    ),
    (
        {"type": "rated", "description": 5, "service": 4, "logistics": 1},
        o.Rated(order=7, at=AT, description=5, service=4, logistics=1),
    ),
    ({"type": "paid_out", "amount": money(4000), "fee": money(35)}, o.PaidOut(order=7, at=AT, minor=4000, fee=35)),
    (
        {"type": "chargeback", "payment": "card", "reference": "cb-1", "amount": money(4800), "state": "opened"},
        Chargeback(order=7, payment="card", reference="cb-1", minor=4800, state="opened"),
    ),
    (
        {"type": "chargeback", "payment_id": "card", "reference": "cb-1", "amount": money(4800), "state": "opened"},
        Chargeback(order=7, payment="card", reference="cb-1", minor=4800, state="opened"),
    ),
]


@pytest.mark.parametrize(("said", "meant"), EVENTS, ids=[said["type"] for said, _ in EVENTS])
def test_every_event_becomes_its_command(said, meant):
    document = event_from({"at": AT.isoformat(), **said})
    assert event_of(document, 7, "EUR") == meant
    assert decode_event(msgspec.json.encode({"at": AT.isoformat(), **said})) == document


def test_there_is_an_event_for_every_fact_of_an_order():
    meant = {type(one) for _, one in EVENTS}
    assert meant == {*o.Fact.__args__, Chargeback}


def test_an_event_names_its_order_where_nothing_else_does():
    event = event_from({"type": "shipped", "store_id": "oak", "order": "A-1001", "at": AT + timedelta(days=1)})
    assert (event.store_id, event.order) == ("oak", "A-1001")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"type": "lost", "at": PLACED}, "type"),
        ({"type": "shipped"}, "at"),
        ({"type": "tracking", "at": PLACED, "state": "gone"}, "state"),
        ({"at": PLACED}, "type"),
        ({"type": "chargeback", "reference": "cb-1", "amount": money(1), "state": "won"}, "payment_id"),
        (
            {"type": "chargeback", "payment": "card", "payment_id": "voucher", "reference": "cb-1"}
            | {"amount": money(1), "state": "won"},
            "payment_id",
        ),
    ],
)
def test_what_is_wrong_with_an_event_is_named_by_its_field(said, field):
    with pytest.raises(Refused) as refused:
        event_from(said)
    assert (refused.value.code, refused.value.facts["field"]) == ("bad_field", field)
