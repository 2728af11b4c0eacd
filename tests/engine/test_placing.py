"""An order that comes in with what has happened to it: as if each had been said alone, and all of it or nothing."""

import pytest
from msgspec import structs

from given import DAY, PLATFORM, Market, T, eur, standard
from houbao.core import orders as o
from houbao.core.chargebacks import Chargeback
from houbao.core.fulfilment import happened
from houbao.engine.request import Accepted, Request

PLACE = o.PlaceOrder(
    store="oak",
    reference="A-1",
    buyer="ann",
    currency="EUR",
    lines=(o.NewLine(id="1", item=4000),),
    payments=(o.Payment(id="card", provider="sandbox", minor=4000),),
    ship_by=T - 5 * DAY,
    promised_by=T,
    at=T - 8 * DAY,
)
PAID = o.Paid(order=0, at=T - 7 * DAY, commission=400)
LIVES = {
    "unpaid": (),
    "paid": (PAID,),
    "delivered": (PAID, o.Shipped(order=0, at=T - 6 * DAY), o.Delivered(order=0, at=T - DAY)),
    "confirmed": (
        PAID,
        o.Shipped(order=0, at=T - 6 * DAY),
        o.Delivered(order=0, at=T - DAY),
        o.Confirmed(order=0, at=T - DAY),
    ),
    "cancelled": (PAID, o.Cancelled(order=0, at=T - 6 * DAY, party="seller", reason="sold_out")),
    "cancelled unpaid": (o.Cancelled(order=0, at=T - 6 * DAY),),
    "before the store joined": (structs.replace(PAID, at=T - 95 * DAY),),
}


def markets(tmp_path, **programme):
    for name in ("whole", "piecewise"):
        (tmp_path / name).mkdir()
        yield Market(tmp_path / name, owed="0", programme=standard(**programme))


def indebted(market):
    """A bank took back what the store had been paid out: it owes 40.00."""
    order = market.order(amount="40.00")
    market.now = T + 20 * DAY
    market.accept(o.PaidOut(order=order, at=market.now, minor=eur(market.balance("store:oak:payable"))), PLATFORM)
    for state in ("opened", "lost"):
        market.accept(Chargeback(order=order, payment="card", reference="cb", minor=4000, state=state), PLATFORM)
    assert market.balance("store:oak:receivable") < "0"


@pytest.mark.parametrize("mode", ["capital", "premium"])
@pytest.mark.parametrize("life", LIVES)
def test_an_order_with_its_facts_is_as_one_of_which_they_are_said(tmp_path, mode, life):
    whole, piecewise = markets(tmp_path, mode=mode)
    for market in (whole, piecewise):
        indebted(market)
    whole.accept(structs.replace(PLACE, facts=LIVES[life]), PLATFORM)
    order = piecewise.accept(PLACE, PLATFORM).id
    for fact in LIVES[life]:
        piecewise.accept(structs.replace(fact, order=order), PLATFORM)
    for market in (whole, piecewise):
        market.check()
        market.database.connection.execute("DELETE FROM receipts")
    assert whole.contents() == piecewise.contents()


def test_several_orders_of_a_store_see_what_those_before_them_left(tmp_path):
    whole, piecewise = markets(tmp_path, mode="premium")
    several = [structs.replace(PLACE, reference=f"A-{n}", facts=LIVES["delivered"]) for n in range(3)]
    outcomes = whole.engine.execute([Request(place, PLATFORM, T) for place in several])
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    for place in several:
        piecewise.accept(place, PLATFORM)
    assert whole.contents() == piecewise.contents()


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ((structs.replace(PAID, commission=4001),), "bad_amount"),
        ((PAID, o.Confirmed(order=0, at=T)), "order_turn"),
        ((PAID, o.Shipped(order=0, at=T.replace(tzinfo=None))), "naive_time"),
    ],
)
def test_where_a_fact_is_refused_nothing_comes_in(market, facts, code):
    before = market.contents()
    assert market.refuse(structs.replace(PLACE, facts=facts), PLATFORM).code == code
    assert market.contents() == before


@pytest.mark.parametrize("life", LIVES)
def test_an_order_says_what_has_happened_to_it_and_nothing_else(market, life):
    order = market.accept(structs.replace(PLACE, facts=LIVES[life]), PLATFORM).id
    said = market.database.order(0, order)
    for fact in {fact for facts in LIVES.values() for fact in facts}:
        assert happened(said, fact) == (fact in LIVES[life])
        assert not happened(said, structs.replace(fact, at=T + DAY))
