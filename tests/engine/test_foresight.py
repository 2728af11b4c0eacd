"""A preview says what a command does to the store's score of today, and that is what it then does."""

import pytest

from given import AGENT, BUYER, PLATFORM, Market, opening
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core.score import of_hundred
from houbao.engine.foresight import Shift, shift
from houbao.engine.request import Request
from houbao.store.scores import Scorebook


@pytest.fixture
def market(tmp_path):
    market = Market(tmp_path)
    for _ in range(25):
        market.accept(o.Confirmed(order=market.order(), at=market.now), PLATFORM)
    yield market
    market.check()
    market.database.close()


def foreseen(market: Market, command: object, by: object) -> Shift:
    preview = market.engine.preview(Request(command, by, market.now))  # type: ignore[arg-type]
    return shift(Scorebook(market.database), 0, "oak", preview, market.now)


def test_opening_a_dispute_costs_what_its_preview_says(market):
    order = market.order()
    seen = foreseen(market, opening(order, "damaged", "40.00"), BUYER)
    assert seen.before and seen.after
    assert of_hundred(seen.after) < of_hundred(seen.before) == 100_000_000
    dispute = market.open(order, "damaged", "40.00")
    unjustified = d.Rule(dispute=dispute, finding="unjustified", reason="disclosed")
    then = foreseen(market, unjustified, AGENT)
    assert then.before == seen.after
    assert then.after and (then.after.parts, then.after.weight) == (seen.before.parts, seen.before.weight)


def test_a_withdrawal_gives_everything_back(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    seen = foreseen(market, d.Withdraw(dispute=dispute), BUYER)
    assert seen.after and of_hundred(seen.after) == 100_000_000


def test_an_order_that_completes_makes_the_same_dispute_weigh_less(market):
    market.open(market.order(), "damaged", "40.00")
    seen = foreseen(market, o.Confirmed(order=market.order(), at=market.now), PLATFORM)
    assert seen.before and seen.after
    assert of_hundred(seen.before) < of_hundred(seen.after)


def test_a_store_without_a_record_has_no_score_to_lose(market):
    preview = market.engine.preview(Request(opening(market.order(), "damaged", "40.00"), BUYER, market.now))
    assert shift(Scorebook(market.database), 0, "elm", preview, market.now) == Shift(None, None)
