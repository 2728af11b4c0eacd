"""The breaker: a fund that holds too little covers no new order, and every covered one stays covered."""

import pytest

from given import AGENT, BUYER, DAY, FINANCE, PLATFORM, SELLER, Market, T, eur, standard
from houbao.core.breaker import CoverageResumed, CoverageStopped, SetBreaker, TellSolvency, stopped_at
from houbao.core.programme import Coverage
from houbao.core.terms import SYSTEM, Actor

HOUR = DAY / 24


def coverage(market: Market, order: int) -> Coverage:
    found = market.database.order(0, order)
    assert found is not None
    return found.coverage


def stop(market: Market) -> None:
    """The fund holds 100.00 and will owe 200.00, and the line is 1.000."""
    market.accept(SetBreaker(currency="EUR", below=1000), FINANCE)
    market.accept(TellSolvency(currency="EUR", holds=eur("100.00"), owes=eur("200.00")), SYSTEM)


def resume(market: Market) -> None:
    market.accept(TellSolvency(currency="EUR", holds=eur("200.00"), owes=eur("200.00")), SYSTEM)


def test_below_the_line_no_new_order_is_covered_until_the_fund_holds_enough(tmp_path):
    market = Market(tmp_path)
    before = market.order(paid=T - DAY)
    stop(market)
    market.now = T + HOUR
    during = market.order(paid=T + HOUR / 2)
    resume(market)
    market.now = T + 3 * HOUR
    after = market.order(paid=T + 2 * HOUR)
    assert [coverage(market, order).covered for order in (before, during, after)] == [True, False, True]
    assert coverage(market, during).reason == "breaker"
    market.check()


def test_what_counts_is_when_an_order_was_paid_not_when_that_is_told(tmp_path):
    market = Market(tmp_path)
    stop(market)
    told_late = market.order(paid=T - HOUR)
    market.now = T + 2 * HOUR
    resume(market)
    paid_meanwhile = market.order(paid=T + HOUR)
    assert [coverage(market, order).covered for order in (told_late, paid_meanwhile)] == [True, False]


def test_covered_orders_stay_covered_and_are_paid_for(tmp_path):
    market = Market(tmp_path)
    order = market.order()
    stop(market)
    dispute = market.open(order, "damaged", "40.00")
    assert market.dispute(dispute).route == "verify"
    market.rule(dispute)
    market.work()
    assert market.dispute(dispute).outcome == "refunded"
    assert market.funds() == ("240.00", "960.00", "0.00")


def test_said_again_it_changes_nothing(tmp_path):
    market = Market(tmp_path)
    stop(market)
    position = market.database.head(0).position
    stop(market)
    assert market.database.head(0).position == position
    resume(market)
    resume(market)
    assert market.database.head(0).position == position + 1


def test_without_a_line_or_exactly_on_it_nothing_is_stopped(tmp_path):
    market = Market(tmp_path)
    short = TellSolvency(currency="EUR", holds=0, owes=1)
    assert market.accept(short, SYSTEM).first == 0
    market.accept(SetBreaker(currency="EUR", below=1500), FINANCE)
    assert market.accept(TellSolvency(currency="EUR", holds=300, owes=200), SYSTEM).first == 0
    first = market.accept(TellSolvency(currency="EUR", holds=299, owes=200), SYSTEM).first
    assert isinstance(market.database.event(0, first), CoverageStopped)


def test_taking_the_line_away_covers_again(tmp_path):
    market = Market(tmp_path)
    stop(market)
    last = market.accept(SetBreaker(currency="EUR", below=0), FINANCE).last
    assert isinstance(market.database.event(0, last), CoverageResumed)
    assert coverage(market, market.order(paid=T)).covered
    market.check()


def test_a_stores_own_deposit_is_no_fund(tmp_path):
    market = Market(tmp_path, programme=standard(mode="deposit"))
    stop(market)
    market.now = T + HOUR
    assert coverage(market, market.order(paid=T + HOUR)).covered


def test_each_currency_has_its_own(tmp_path):
    market = Market(tmp_path)
    market.accept(SetBreaker(currency="BRL", below=1000), FINANCE)
    market.accept(TellSolvency(currency="BRL", holds=0, owes=1), SYSTEM)
    breakers = market.database.head(0).breakers
    assert (stopped_at(breakers, "BRL", T), stopped_at(breakers, "EUR", T)) == (True, False)
    assert coverage(market, market.order(paid=T)).covered


@pytest.mark.parametrize(
    ("command", "by", "code"),
    [
        (SetBreaker(currency="EUR", below=1000), SYSTEM, "not_permitted"),
        (SetBreaker(currency="EUR", below=1000), AGENT, "not_permitted"),
        (TellSolvency(currency="EUR", holds=1, owes=1), BUYER, "not_permitted"),
        (TellSolvency(currency="EUR", holds=1, owes=1), SELLER, "not_permitted"),
        (TellSolvency(currency="EUR", holds=1, owes=1), PLATFORM, "not_permitted"),
        (SetBreaker(currency="EUR", below=10_001), FINANCE, "bad_line"),
        (SetBreaker(currency="EUR", below=-1), FINANCE, "bad_line"),
        (SetBreaker(currency="XXX", below=1), FINANCE, "bad_currency"),
        (TellSolvency(currency="EUR", holds=-1, owes=1), Actor("admin", "eve"), "bad_amount"),
    ],
)
def test_what_may_not_be_is_refused(tmp_path, command, by, code):
    assert Market(tmp_path).refuse(command, by).code == code
