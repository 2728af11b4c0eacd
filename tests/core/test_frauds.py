"""Fraud that two agents rule when the money has gone out: who bears it then, what counts, and what of the store."""

from typing import Any

import pytest
from msgspec import structs

from core.policies import next_policy
from core.pure import Desk
from core.test_cells import SUE, agreed, closed, exchanged, owed_for_long, turned_down, verifying, withdrawn
from given import AGENT, BUYER, DAY, FINANCE, PLATFORM, SELLER, T, eur
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core.accounts import AVAILABLE, COMMISSION, EXPENSE
from houbao.core.acts import SendGoodwill
from houbao.core.recoveries import Recover
from houbao.core.refunds import SendRefund
from houbao.core.tallies import tally_of
from houbao.core.terms import SYSTEM, Actor

PAYABLE, DEPOSIT, OWES = (f"store:oak:{kind}" for kind in ("payable", "deposit", "receivable"))


def ruling(desk: Desk, fraud: Any = "seller", **more: Any) -> d.Rule:
    finding = "justified" if fraud == "seller" else "unjustified"
    return d.Rule(dispute=desk.dispute, finding=finding, reason="same_house", fraud=fraud, **more)


def found(desk: Desk, fraud: Any = "seller") -> Desk:
    """One agent proposed it, another signed."""
    desk.do(ruling(desk, fraud), SUE)
    desk.do(d.Sign(dispute=desk.dispute), AGENT)
    return desk


def paid_by_fund(**given: Any) -> Desk:
    desk = verifying(**given)
    desk.rule()
    for refund in desk.state().refunds:
        desk.do(SendRefund(dispute=desk.dispute, payment="card", refund=refund.id), SYSTEM)
        desk.report(desk.world.position, "paid")
    return desk


def test_what_the_fund_paid_is_taken_back_from_a_seller_whose_fraud_it_was() -> None:
    desk = found(closed())
    assert desk.moved()[-1] == ("taken_back", PAYABLE, AVAILABLE, "40.00")
    assert (desk.balance(AVAILABLE), desk.balance(PAYABLE)) == ("1000.00", "0.00")
    state = desk.state()
    assert (state.phase, state.outcome, state.fraud, state.fault.state) == ("closed", "refunded", "seller", "counted")
    assert d.funding_of(state) == (("seller", 4000),)
    assert [(e.to, e.what) for e in desk.effects if e.kind == "serve"][-1] == (AVAILABLE, "EUR")


def test_proposed_by_one_it_changes_nothing() -> None:
    desk = closed()
    before = (desk.balance(AVAILABLE), desk.state().fault, desk.world.store)
    desk.do(ruling(desk), SUE)
    assert (desk.balance(AVAILABLE), desk.state().fault, desk.world.store) == before
    assert desk.refuse(d.Sign(dispute=desk.dispute), SUE).code == "same_person"


@pytest.mark.parametrize(
    ("commission", "deposit", "legs"),
    [
        ("0", "0", [(PAYABLE, "40.00")]),
        ("15.00", "0", [(PAYABLE, "25.00"), (OWES, "15.00")]),
        ("15.00", "10.00", [(PAYABLE, "25.00"), (DEPOSIT, "10.00"), (OWES, "5.00")]),
    ],
)
def test_what_the_seller_cannot_pay_it_owes_and_the_fund_has_all_of_it(commission, deposit, legs) -> None:
    desk = found(paid_by_fund(commission=commission, deposit=deposit))
    taken = [(source, amount) for kind, source, target, amount in desk.moved() if kind == "taken_back"]
    assert taken == legs
    assert desk.balance(AVAILABLE) == "1000.00"


def test_what_it_owes_may_be_given_up_by_two_people_as_any_debt() -> None:
    desk = found(paid_by_fund(commission="40.00"))
    desk.now = T + 90 * DAY
    for name in ("kim", "joy"):
        desk.do(d.WriteOff(dispute=desk.dispute), Actor("finance", name))
    assert desk.balance(OWES) == "0.00"


def test_the_platforms_part_above_the_limit_is_taken_back_too() -> None:
    desk = found(paid_by_fund(policy=next_policy("2026.1", per_dispute='"25.00"')))
    assert desk.moved()[-2:] == [
        ("taken_back", PAYABLE, EXPENSE, "15.00"),
        ("taken_back", PAYABLE, AVAILABLE, "25.00"),
    ]
    assert (desk.balance(EXPENSE), desk.balance(AVAILABLE)) == ("0.00", "1000.00")


def test_what_came_back_before_is_not_taken_once_more() -> None:
    desk = closed()
    came = {"source": "carrier", "minor": eur("10.00"), "currency": "EUR", "reference": "claim-7"}
    desk.do(Recover(dispute=desk.dispute, **came), FINANCE)
    found(desk)
    assert desk.moved()[-1] == ("taken_back", PAYABLE, AVAILABLE, "30.00")
    assert desk.balance(AVAILABLE) == "1000.00"
    desk.report(desk.state().refunds[0].shares[0].attempt, "returned")
    desk.resolve("abandon")
    assert desk.balance("store:oak:held") == "0.00"


def test_a_fund_in_another_currency_has_what_it_gave_from_the_platform() -> None:
    desk = found(exchanged())
    assert desk.moved()[-2:] == [
        ("taken_back", PAYABLE, EXPENSE, "100.00"),
        ("taken_back", EXPENSE, AVAILABLE, "21.61"),
    ]
    assert desk.balance(AVAILABLE) == "1000.00"


def test_in_deposit_mode_the_stores_own_deposit_paid_already() -> None:
    desk = found(paid_by_fund(mode="deposit", deposit="40.00"))
    assert not [moved for moved in desk.moved() if moved[0] == "taken_back"]
    assert (desk.state().fraud, desk.state().fault.state) == ("seller", "counted")


def test_the_commission_on_it_comes_back_as_on_all_that_a_seller_refunds() -> None:
    desk = found(paid_by_fund(policy=next_policy("2026.1", commission='"pro_rata"'), commission="4.00"))
    assert desk.moved()[-1] == ("commission_back", COMMISSION, PAYABLE, "4.00")


def test_the_store_is_watched_and_its_new_orders_are_not_covered() -> None:
    desk = closed()
    desk.do(ruling(desk), SUE)
    watch = desk.do(d.Sign(dispute=desk.dispute), AGENT).events[-1]
    assert (watch.why, watch.by, watch.store) == ("fraud", "agent:lee", "oak")
    store = desk.world.store
    assert store is not None
    assert store.watch == p.Watch(since=T, by="agent:lee", why="fraud")
    other = structs.replace(desk.order(), id=99, status="placed", coverage=p.Coverage(), paid_at=None)
    desk.world = structs.replace(desk.world, order=other, disputes={})
    desk.do(o.Paid(order=99, at=T), PLATFORM)
    assert (desk.order().coverage.covered, desk.order().coverage.reason) == (False, "watch")


def test_a_store_that_is_watched_already_is_not_watched_twice() -> None:
    desk = closed()
    desk.do(p.SetWatch(store="oak", why="letters"), Actor("admin", "eve"))
    found(desk)
    assert [e.why for e in desk.events if isinstance(e, p.WatchSet)] == ["letters"]


def test_fraud_that_is_found_before_anything_was_paid_has_the_store_watched_too() -> None:
    desk = found(verifying())
    assert [e.why for e in desk.events if isinstance(e, p.WatchSet)] == ["fraud"]
    assert [e for e in desk.effects if e.kind == "watch"]


def test_of_a_buyers_fraud_the_seller_bears_nothing_and_it_does_not_count_from_the_next_day_on() -> None:
    desk = agreed("20.00")
    desk.now = T + DAY
    found(desk, "buyer")
    assert desk.moved()[-1] == ("given_back", EXPENSE, PAYABLE, "20.00")
    assert desk.balance(PAYABLE) == "40.00"
    tally = tally_of(desk.state())
    assert tally is not None
    assert (tally.state, tally.why, tally.lifted_at) == ("exempt", "fraud", T + DAY)
    assert [e for e in desk.events if isinstance(e, p.WatchSet)] == []
    came = {"source": "buyer", "minor": eur("20.00"), "currency": "EUR", "reference": "court-7"}
    desk.do(Recover(dispute=desk.dispute, **came), FINANCE)
    assert desk.balance(EXPENSE) == "0.00"


def test_of_a_buyers_fraud_the_fund_has_what_the_buyer_pays_back() -> None:
    desk = found(closed(), "buyer")
    assert (desk.balance(AVAILABLE), desk.state().fault.state) == ("960.00", "exempt")
    came = {"source": "buyer", "minor": eur("40.00"), "currency": "EUR", "reference": "court-7"}
    desk.do(Recover(dispute=desk.dispute, **came), FINANCE)
    assert desk.balance(AVAILABLE) == "1000.00"


def test_when_all_is_over_nothing_else_is_ruled() -> None:
    desk = closed()
    honest = d.Rule(dispute=desk.dispute, finding="justified", reason="seen")
    assert desk.refuse(honest, AGENT).code == "not_now"
    for more in ({"amount": 1}, {"remedy": "refund"}, {"payer": "seller"}, {"fault": "counted"}):
        assert desk.refuse(ruling(desk, **more), AGENT).code == "bad_ruling"
    assert desk.refuse(d.Sign(dispute=desk.dispute), AGENT).code == "not_proposed"
    found(desk)
    assert desk.refuse(ruling(desk, "buyer"), AGENT).code == "bad_ruling"


@pytest.mark.parametrize("build", [turned_down, withdrawn])
def test_where_nothing_was_paid_there_is_nothing_to_take_back(build) -> None:
    desk = build()
    assert desk.refuse(ruling(desk), AGENT).code == "bad_ruling"


def test_a_gift_is_nobodys_fraud() -> None:
    desk = Desk()
    desk.do(SendGoodwill(order=desk.order().id, amount=100), SELLER)
    desk.dispute = max(desk.world.disputes)
    desk.report(desk.send(), "paid")
    assert desk.refuse(ruling(desk), AGENT).code == "bad_ruling"


def test_a_seller_that_bore_it_already_bears_it_still() -> None:
    desk = owed_for_long()
    moved = len(desk.moved())
    found(desk)
    assert len(desk.moved()) == moved
    assert d.funding_of(desk.state()) == (("seller", 4000),)


def test_a_proposal_is_void_when_an_appeal_is_filed() -> None:
    desk = agreed("20.00")
    desk.do(ruling(desk), SUE)
    desk.do(d.FileAppeal(dispute=desk.dispute, about="remedy"), BUYER)
    assert desk.refuse(d.Sign(dispute=desk.dispute), AGENT).code == "not_proposed"
