"""Advice to a store: its last days once outside and once inside, and how sure that is."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from core.policies import next_policy
from given import DAY, PLATFORM, Market, T, eur, standard
from houbao.core import programme as p
from houbao.core.terms import Refused
from houbao.insight.advice import Advice, advise
from houbao.store import history


def advice(market: Market, days: int = 90) -> Advice:
    past = history.store_past(market.database, 0, "oak", market.now - timedelta(days=days), market.now)
    return advise(past, market.now, days)


def outside(folder: Path, disputes: int, **more: object) -> Market:
    """A store that is not in the guarantee; the seller's silence decided each of its disputes at 40.00."""
    market = Market(folder, enrolled=False, **more)
    market.sell(10)
    for _ in range(disputes):
        market.open(market.order(), "damaged", "40.00")
    market.go(T + 6 * DAY)
    return market


def test_a_store_outside_would_have_borne_nothing_inside(tmp_path):
    found = advice(outside(tmp_path, 6))
    balance = found.balances["EUR"]
    assert (balance.outside, balance.inside, balance.premium) == (eur("240.00"), 0, 0)
    assert balance.saves == eur("240.00")
    assert 0 < balance.low < balance.saves < balance.high
    assert (found.member, found.disputes, found.guaranteed, found.verdict) == (False, 6, 6, "pays")


def test_inside_the_guarantees_disputes_weigh_on_the_place_in_the_search_alone(tmp_path):
    market = outside(tmp_path, 6)
    found = advice(market)
    score = market.score()
    assert score is not None
    assert found.outside.weight == score.weight
    assert found.inside.score == found.outside.score
    assert found.inside.weight < found.outside.weight


def test_of_a_store_inside_it_is_said_what_it_would_have_borne_outside(tmp_path):
    market = Market(tmp_path)
    for _ in range(6):
        market.rule(market.open(market.order(), "damaged", "40.00"))
    market.work()
    found = advice(market)
    balance = found.balances["EUR"]
    assert found.member
    assert (balance.outside, balance.inside, found.verdict) == (eur("240.00"), 0, "pays")
    score = market.score()
    assert score is not None
    assert found.inside.weight == score.weight < found.outside.weight


def test_what_the_guarantee_never_settles_is_the_same_in_both(tmp_path):
    market = Market(tmp_path, enrolled=False)
    for _ in range(6):
        market.open(market.order(), "delivered_not_received", "25.00")
    market.go(T + 6 * DAY)
    found = advice(market)
    balance = found.balances["EUR"]
    assert (balance.outside, balance.inside, balance.saves) == (eur("150.00"), eur("150.00"), 0)
    assert (balance.low, balance.high, found.guaranteed, found.verdict) == (0, 0, 0, "open")


def test_premiums_may_cost_more_than_they_save(tmp_path):
    dear = next_policy("2026.1", per_mille="900")
    market = outside(tmp_path, 5, programme=standard(mode="premium"), policy=dear)
    found = advice(market)
    balance = found.balances["EUR"]
    paid = 15 * eur("40.00") + eur("200.00")
    assert balance.premium == paid * 900 // 1000
    assert balance.saves == eur("200.00") - balance.premium
    assert found.verdict == "costs"


def test_a_deposit_is_the_stores_own_money(tmp_path):
    balance = advice(outside(tmp_path, 5, programme=standard(mode="deposit"))).balances["EUR"]
    assert (balance.outside, balance.inside) == (eur("200.00"), eur("200.00"))


def test_what_is_handed_to_sellers_is_still_borne_by_them(tmp_path):
    market = outside(tmp_path, 5)
    past = history.store_past(market.database, 0, "oak", T - 90 * DAY, market.now)
    found = advise(structs.replace(past, verified=10, handed=2), market.now, 90)
    assert found.handed == 200
    assert found.balances["EUR"].inside == eur("40.00")


def test_with_few_disputes_nothing_is_claimed(tmp_path):
    market = outside(tmp_path, 4)
    found = advice(market)
    assert (found.disputes, found.verdict) == (4, "too_few")
    assert (advice(market, days=1).disputes, advice(market, days=1).orders) == (0, 0)


def test_an_open_dispute_is_in_no_sum(tmp_path):
    market = outside(tmp_path, 5)
    order = market.order(paid=T - DAY)
    market.open(order, "damaged", "40.00")
    found = advice(market)
    assert (found.disputes, found.open, found.balances["EUR"].outside) == (5, 1, eur("200.00"))


def test_a_refund_that_is_not_paid_yet_is_in_no_sum(tmp_path):
    market = Market(tmp_path)
    for _ in range(6):
        market.rule(market.open(market.order(), "damaged", "40.00"))
    found = advice(market)
    assert (found.disputes, found.open, found.verdict) == (0, 6, "too_few")
    market.work()
    assert (advice(market).disputes, advice(market).open) == (6, 0)


def test_the_same_past_gives_the_same_interval(tmp_path):
    market = outside(tmp_path, 6)
    assert advice(market).balances == advice(market).balances


def test_a_watched_store_is_told(tmp_path):
    market = outside(tmp_path, 5)
    market.accept(p.SetWatch(store="oak", why="shared"), structs.replace(PLATFORM, role="admin"))
    assert advice(market).watched


def test_a_store_that_nobody_knows_is_refused(tmp_path):
    market = Market(tmp_path)
    with pytest.raises(Refused, match="unknown_store"):
        history.store_past(market.database, 0, "elm", T, T)
