"""What the fund will owe: the chain ladder as published, and reserves that add up on a market that is known."""

import os
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.test_cells import LABELS
from given import BUYER, DAY, FINANCE, PLATFORM, Market, T, eur, standard
from houbao.commands.reserving import told
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core.exchange import parse_rate
from houbao.core.ledger import fund_cost
from houbao.core.recoveries import Recover
from houbao.core.returns import SendLabel, ShipReturn
from houbao.insight.ladder import chain_ladder
from houbao.insight.reserves import FULL_CREDIBILITY, Reserves, reserves
from houbao.store import funds, history
from houbao.store.rates import keep
from houbao.store.reading import reading
from store.history import build

RAA = [
    [5012, 8269, 10907, 11805, 13539, 16181, 18009, 18608, 18662, 18834],
    [106, 4285, 5396, 10666, 13782, 15599, 15496, 16169, 16704],
    [3410, 8992, 13873, 16141, 18735, 22214, 22863, 23466],
    [5655, 11555, 15766, 21266, 23425, 26083, 27067],
    [1092, 9565, 15836, 22169, 25955, 26180],
    [1513, 6445, 11702, 12935, 15852],
    [557, 4020, 10946, 12314],
    [1351, 6947, 13112],
    [3133, 5395],
    [2063],
]
"""Automatic facultative business in general liability of the Reinsurance Association of America, 1981 to 1990 (in
thousands of dollars), as published by Mack (1994) and many after him."""

# --- the chain ladder ------------------------------------------------------------------------------------------------


def test_the_published_triangle_gives_the_published_reserve():
    ladder = chain_ladder(RAA)
    assert round(ladder.outstanding, 1) == 52_135.2
    assert [round(factor, 3) for factor in ladder.factors[:3]] == [2.999, 1.624, 1.271]
    assert round(ladder.ultimates[-1]) == 18_402


def test_nothing_paid_or_nothing_known_leaves_nothing_to_come():
    assert chain_ladder([]).outstanding == 0
    assert chain_ladder([[700]]).outstanding == 0
    assert chain_ladder([[0, 0, 0], [0, 0], [0]]).outstanding == 0


def test_what_is_no_triangle_is_refused():
    with pytest.raises(ValueError, match="no triangle"):
        chain_ladder([[1, 2], [3, 4]])


@st.composite
def triangles(draw: st.DrawFn) -> list[list[int]]:
    """Cumulated payments that only grow, of three to eight years."""
    size = draw(st.integers(3, 8))
    rows = []
    for origin in range(size):
        paid = draw(st.integers(1000, 10**6))
        row = [paid]
        for _ in range(size - origin - 1):
            paid += draw(st.integers(1, 10**6))
            row.append(paid)
        rows.append(row)
    return rows


@settings(deadline=None, max_examples=15)
@given(triangles())
def test_every_triangle_gives_what_the_chainladder_package_gives(triangle):
    if not os.environ.get("CI"):
        pytest.importorskip("chainladder", reason="chainladder is not installed: it comes with the extra `dev`")
    import chainladder as cl
    import pandas as pd

    cells = [
        {"origin": f"{2000 + origin}", "development": f"{2000 + origin + age}", "paid": float(paid)}
        for origin, row in enumerate(triangle)
        for age, paid in enumerate(row)
    ]
    theirs = cl.Triangle(
        pd.DataFrame(cells), origin="origin", development="development", columns="paid", cumulative=True
    )
    expected = cl.Chainladder().fit(theirs).ibnr_.sum()
    assert chain_ladder(triangle).outstanding == pytest.approx(float(expected), rel=1e-9, abs=1e-3)


# --- the fund's reserves ---------------------------------------------------------------------------------------------


def reserved(market: Market, classes: dict[str, str] | None = None, currency: str = "EUR") -> Reserves:
    with reading(market.database.path) as connection:
        past = history.past(connection, 0)
        return reserves(past, classes or {}, market.now, currency, lambda what, done, of: None)


def test_what_the_fund_holds_and_promised_is_what_the_ledger_says(tmp_path):
    market = Market(tmp_path)
    market.rule(market.open(market.order(), "damaged", "40.00"))
    found = reserved(market)
    assert (found.available, found.promised, found.holds) == (eur("960.00"), eur("40.00"), eur("1000.00"))
    assert found.owes == eur("40.00") + found.case + found.ibnr
    assert found.ratio == 1000 * found.holds // found.owes


def test_an_open_dispute_is_reserved_at_the_share_of_claims_that_was_paid_so_far(tmp_path):
    market = Market(tmp_path)
    market.rule(market.open(market.order(), "damaged", "40.00"))
    market.rule(market.open(market.order(), "damaged", "40.00"), "unjustified")
    market.work()
    market.open(market.order(), "defective", "30.00")
    market.open(market.order(), "delivered_not_received", "25.00")
    found = reserved(market)
    assert (found.paid_share, found.open_disputes, found.case) == (500, 1, eur("15.00"))


def test_without_any_experience_a_claim_is_reserved_in_full(tmp_path):
    market = Market(tmp_path)
    market.open(market.order(), "defective", "30.00")
    assert (reserved(market).case, reserved(market).ibnr) == (eur("30.00"), 0)


def test_refunds_that_wait_for_money_are_owed(tmp_path):
    market = Market(tmp_path, fund="10.00")
    market.rule(market.open(market.order(), "damaged", "40.00"))
    found = reserved(market)
    assert (found.waiting, found.promised, found.case) == (eur("40.00"), 0, 0)
    assert found.ratio == 250


def brazilian(folder: Path, **given: Any) -> Market:
    """A fund in EUR that also covers orders in BRL, at a rate of 5."""
    market = Market(folder, programme=standard(also_covers=("BRL",)), **given)
    keep(market.database, [parse_rate("EUR", "BRL", "5", published_at=T - DAY, source="ECB")])
    return market


def test_a_refund_that_waits_is_owed_in_the_funds_currency_and_by_no_other_fund(tmp_path):
    market = brazilian(tmp_path, fund="1.00")
    market.rule(market.open(market.order(amount="100.00", currency="BRL"), "damaged", "40.00"))
    assert (reserved(market).waiting, reserved(market, currency="BRL").waiting) == (eur("8.00"), 0)


def test_the_share_that_was_paid_is_that_of_claims_in_the_funds_own_currency(tmp_path):
    market = brazilian(tmp_path)
    market.rule(market.open(market.order(amount="100.00", currency="BRL"), "damaged", "40.00"))
    market.rule(market.open(market.order(), "damaged", "40.00"), "unjustified")
    market.work()
    found, other = reserved(market), reserved(market, currency="BRL")
    assert (found.paid_share, other.paid_share) == (0, 1000)


def test_what_a_fund_in_another_currency_will_pay_is_not_owed_by_this_one(tmp_path):
    market = brazilian(tmp_path)
    market.open(market.order(amount="100.00", currency="BRL"), "damaged", "40.00")
    found = reserved(market, currency="BRL")
    assert (found.case, found.largest_exposure, found.left_out) == (0, 0, 3)


def test_what_was_paid_for_an_order_that_is_left_out_makes_no_cover_dearer(tmp_path):
    market = brazilian(tmp_path, owed="0")
    market.order()
    market.rule(market.open(market.order(amount="100.00", currency="BRL"), "damaged", "40.00"))
    market.work()
    found = reserved(market)
    cover = found.premiums["all"]
    assert (found.left_out, cover.orders, cover.claims, cover.paid, cover.suggested) == (1, 1, 0, 0, 0)
    assert found.largest_claim == 0


def test_the_freight_of_a_return_is_part_of_what_an_order_cost(tmp_path):
    market = Market(tmp_path, policy=LABELS)
    dispute = market.open(market.order(), "damaged", "40.00")
    market.rule(dispute)
    label = SendLabel(dispute=dispute, carrier="Post", tracking="LB1", minor=eur("4.50"), currency="EUR")
    market.accept(label, PLATFORM)
    market.accept(ShipReturn(dispute=dispute, carrier="Post", tracking="LB1"), BUYER)
    assert reserved(market).premiums["all"].paid == eur("4.50")


def test_what_is_recovered_later_is_no_part_of_what_an_order_cost(tmp_path):
    market = Market(tmp_path)
    dispute = market.open(market.order(), "damaged", "40.00")
    market.rule(dispute)
    market.work()
    back = Recover(dispute=dispute, source="carrier", minor=eur("15.00"), currency="EUR", reference="r-1")
    market.accept(back, FINANCE)
    assert reserved(market).premiums["all"].paid == eur("25.00")


def test_what_orders_cost_is_what_the_fund_paid_less_what_came_back(tmp_path):
    with reading(build(tmp_path / "live.db").path) as connection:
        costs: Counter[str] = Counter()
        for t in history.past(connection, 0).transfers:
            costs[t.currency] += fund_cost(t.kind, t.source, t.target, t.minor)
        for fund in funds.fund(connection, 0):
            assert costs[fund.currency] == fund.out - fund.back
            came = fund.capital + fund.premiums + fund.backstop + fund.deposits
            assert came - costs[fund.currency] == fund.available + fund.reserved
        assert costs["EUR"] > 0


def test_late_claims_on_old_orders_make_a_reserve_for_new_ones(tmp_path):
    market = late_claims(Market(tmp_path, fund="5000.00", owed="0"))
    found = reserved(market)
    assert (found.periods, found.factors) == (2, [2.0])
    assert found.ibnr == eur("40.00")


@pytest.mark.parametrize(("fund", "owed"), [("5000.00", "promised"), ("125.00", "waiting")])
def test_what_is_owed_for_an_order_that_is_left_out_makes_no_reserve_for_others_smaller(tmp_path, fund, owed):
    market = late_claims(brazilian(tmp_path, fund=fund, owed="0"))
    keep(market.database, [parse_rate("EUR", "BRL", "5", published_at=market.now - DAY, source="ECB")])
    market.rule(market.open(arrived(market, T + 35 * DAY, amount="100.00", currency="BRL"), "damaged", "40.00"))
    found = reserved(market)
    assert (found.left_out, getattr(found, owed)) == (1, eur("8.00"))
    assert found.ibnr == eur("40.00")


def late_claims(market: Market) -> Market:
    """Two orders of a month ago, paid for then and later; one of this month, paid for once."""
    early, late = market.order(paid=T - 2 * DAY), market.order(paid=T - 2 * DAY)
    paid_at(market, early, T)
    paid_at(market, late, T + 13 * DAY)
    paid_at(market, arrived(market, T + 35 * DAY), T + 38 * DAY)
    market.go(T + 40 * DAY)
    return market


def arrived(market: Market, paid: datetime, **given: Any) -> int:
    """An order paid for then that arrived a day later."""
    order = market.order(paid=paid, promised=paid + 15 * DAY, delivered=False, **given)
    market.accept(o.Delivered(order=order, at=paid + DAY), PLATFORM)
    return order


def paid_at(market: Market, order: int, at: datetime) -> None:
    """The fund pays 40.00 for that order then."""
    market.go(at)
    market.rule(market.open(order, "damaged", "40.00"))
    market.work()


def test_orders_that_are_not_covered_cost_the_fund_nothing(tmp_path):
    market = Market(tmp_path, enrolled=False)
    market.open(market.order(), "damaged", "40.00")
    found = reserved(market)
    assert (found.owes, found.ratio, found.premiums["all"].orders) == (0, None, 0)
    assert all(stress.lasts for stress in found.stress)


# --- the price of cover ----------------------------------------------------------------------------------------------


def test_a_class_that_costs_more_should_pay_more_as_far_as_it_is_believed(tmp_path):
    market = Market(tmp_path, owed="0")
    market.sell(3)
    market.rule(market.open(market.order(), "damaged", "40.00"))
    market.work()
    found = reserved(market, {"oak": "pass"})
    one, every = found.premiums["pass"], found.premiums["all"]
    assert (one.orders, one.price, one.claims, one.paid) == (4, eur("160.00"), 1, eur("40.00"))
    assert one.own == every.expected == 250.0
    assert one.credibility == round((1 / FULL_CREDIBILITY) ** 0.5, 3)
    assert one.suggested == every.suggested == 313


def one_that_is_dear(tmp_path) -> Market:
    """Three claims of 10.00 and one of 600.00, of forty orders."""
    market = Market(tmp_path, owed="0")
    market.sell(36)
    for amount in ("10.00", "10.00", "10.00", "600.00"):
        market.rule(market.open(market.order(amount=amount), "damaged", amount))
        market.work()
    return market


def test_a_rate_that_one_claim_decides_is_told_with_what_it_is_without_it(tmp_path):
    found = reserved(one_that_is_dear(tmp_path))
    every = found.premiums["all"]
    price = (36 * 40 + 30 + 600) * 100
    assert (every.price, every.claims, every.paid) == (price, 4, 63_000)
    assert every.largest == eur("600.00")
    assert every.suggested == -(-1000 * 63_000 * 5 // (price * 4))
    assert every.without == -(-1000 * 3_000 * 5 // (price * 4))
    assert every.largest_share == round(1000 * 60_000 / 63_000)
    assert every.doubts == ["one_claim", "dear", "few_claims"]
    text = "\n".join(told([found]))
    assert f"one claim of 600.00 EUR is 95 % of this: without it {every.without}" in text
    assert "no price of cover" in text
    assert "fewer than 30 claims" in text


def test_a_class_that_paid_little_is_told_what_the_dear_claim_of_another_does_to_it(tmp_path):
    market = one_that_is_dear(tmp_path)
    market.accept(p.RegisterStore(store="fir", name="Fir"), PLATFORM)
    market.accept(p.Enrol(store="fir", programme="standard", at=T - 30 * DAY), PLATFORM)
    market.order(store="fir")
    found = reserved(market, {"oak": "fail", "fir": "pass"})
    assert found.premiums["pass"].paid == 0
    assert found.premiums["pass"].largest == eur("600.00")
    assert "one_claim" in found.premiums["pass"].doubts


def test_what_is_not_yet_reported_by_one_claim_alone_is_told_without_it(tmp_path):
    market = Market(tmp_path, fund="5000.00", owed="0")
    early, late = market.order(paid=T - 2 * DAY), market.order(paid=T - 2 * DAY, amount="900.00")
    paid_at(market, early, T)
    market.go(T + 13 * DAY)
    market.rule(market.open(late, "damaged", "900.00"))
    market.work()
    new = market.order(paid=T + 35 * DAY, promised=T + 50 * DAY, delivered=False)
    market.accept(o.Delivered(order=new, at=T + 36 * DAY), PLATFORM)
    paid_at(market, new, T + 38 * DAY)
    market.go(T + 40 * DAY)
    found = reserved(market)
    assert found.rests_on_one
    assert (found.ibnr, found.ibnr_without, found.largest_claim) == (eur("900.00"), 0, eur("900.00"))
    assert "one claim of 900.00 EUR decides what is not yet reported: without it 0.00" in "\n".join(told([found]))


# --- hard times ------------------------------------------------------------------------------------------------------


def test_the_largest_store_is_the_one_with_most_covered_orders_under_protection(tmp_path):
    market = Market(tmp_path, fund="100.00", owed="0")
    for _ in range(3):
        market.order()
    found = reserved(market)
    assert (found.largest_store, found.largest_exposure) == ("oak", eur("120.00"))
    assert [(stress.owes, stress.lasts) for stress in found.stress] == [(0, True), (12000, False), (12000, False)]
    market.go(T + 40 * DAY)
    assert reserved(market).largest_exposure == 0


@pytest.mark.parametrize("fund", ["1000.00", "10.00"])
def test_what_is_approved_for_the_largest_store_is_counted_once_in_its_default(tmp_path, fund):
    market = Market(tmp_path, fund=fund, owed="0")
    market.order()
    market.rule(market.open(market.order(amount="70.00"), "damaged", "70.00"))  # reserved, or waits for the fund
    found = reserved(market)
    assert found.promised + found.waiting == eur("70.00")
    assert found.largest_exposure == eur("40.00")
    assert found.stress[1].owes == found.owes + eur("40.00")


def test_half_as_many_disputes_again_adds_half_of_what_is_uncertain(tmp_path):
    market = Market(tmp_path)
    market.rule(market.open(market.order(), "damaged", "40.00"))
    market.open(market.order(), "defective", "30.00")
    found = reserved(market)
    assert found.stress[0].owes == found.owes + (found.case + found.ibnr) // 2
