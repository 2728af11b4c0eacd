"""Appeals: once more, by somebody else, about one thing; and what that thing alone changes (domain §4, §5)."""

from typing import Any

import pytest

from core.pure import ACTORS, Desk
from core.test_cells import (
    agreed,
    appealed,
    attempt_of,
    awaiting_seller,
    came_back_in_an_appeal,
    closed,
    half_paid,
    turned_down,
    withdrawn,
)
from given import AGENT, BUYER, DAY, SECOND, SELLER, SENIOR, T, eur
from houbao.core import disputes as d
from houbao.core.allowed import allowed
from houbao.core.ledger import EXPENSE
from houbao.core.terms import Actor, Refused
from houbao.shipped import policy_text

PAYABLE, HELD, FREE, RESERVED = "store:oak:payable", "store:oak:held", "fund:available", "fund:reserved"


def rule(desk: Desk, finding: Any = "justified", by: Any = SENIOR, **more: Any) -> None:
    desk.do(d.Rule(dispute=desk.dispute, finding=finding, reason="seen_again", **more), by)


def refused(desk: Desk, by: Any = SENIOR, finding: Any = "justified", **more: Any) -> Refused:
    return desk.refuse(d.Rule(dispute=desk.dispute, finding=finding, reason="seen_again", **more), by)


def what_was_ruled(desk: Desk) -> tuple[Any, ...]:
    """Remedy, funding and fault as they stand, and how it ended."""
    state = desk.state()
    return state.outcome, state.resolved_by, d.funding_of(state), state.fault


def silent_seller() -> Desk:
    """The seller never answered and paid all of it: nobody has ruled."""
    desk = awaiting_seller()
    desk.sweep(T + 5 * DAY)
    desk.report(desk.send(), "paid")
    return desk


# --- what a ruling changes -----------------------------------------------------------------------------------------


def test_a_buyer_whose_claim_was_rejected_wins_it_on_appeal_and_the_fund_pays() -> None:
    desk = appealed(turned_down)
    rule(desk)
    assert desk.state().phase == "refunding"
    desk.report(desk.send(), "paid")
    state = desk.state()
    assert (state.outcome, state.resolved_by) == ("refunded", "appeal")
    assert d.funding_of(state) == (("fund", eur("40.00")),)
    assert state.fault == d.Fault(state="exempt", kind="SNAD", why="rejected")  # the remedy was named, not the fault


def test_a_buyer_who_got_half_gets_the_rest_by_whom_the_ruling_says() -> None:
    desk = appealed(agreed)
    rule(desk, payer="platform")
    desk.report(desk.send(), "paid")
    state = desk.state()
    assert [(one.payer, one.minor) for one in state.refunds] == [("seller", 2000), ("platform", 2000)]
    assert d.funding_of(state) == (("seller", 2000), ("platform", 2000))
    assert (state.outcome, state.resolved_by, state.fault.state) == ("refunded", "appeal", "counted")
    assert desk.balance(PAYABLE) == "20.00"


def test_an_appeal_gives_no_more_than_is_still_open_of_the_claim() -> None:
    desk = appealed(agreed)
    above = refused(desk, amount=eur("20.01"))
    assert (above.code, above.detail) == (
        "amount_above_claim",
        "of the claim 20.00 EUR are open, the ruling gives 20.01 EUR",
    )
    assert refused(desk, amount=0).code == "bad_amount"
    rule(desk, amount=eur("5.00"))
    desk.report(desk.send(), "paid")
    assert desk.state().outcome == "partially_refunded"


def test_a_seller_who_wins_after_payment_gets_what_it_bore_from_the_platform_and_the_buyer_keeps_the_money() -> None:
    desk = appealed(silent_seller, SELLER, "remedy")
    before = desk.moved()
    rule(desk)
    assert desk.moved()[len(before) :] == [("given_back", EXPENSE, PAYABLE, "40.00")]
    state = desk.state()
    assert (state.phase, state.outcome, state.resolved_by) == ("closed", "refunded", "appeal")
    assert state.fault == d.Fault(state="exempt", kind="INR", why="appeal", lifted_at=desk.now)
    assert d.funding_of(state) == (("platform", eur("40.00")),)
    assert desk.balance(PAYABLE) == "40.00"


def test_where_the_fund_paid_the_seller_bore_nothing_and_gets_nothing_but_a_clean_record() -> None:
    desk = appealed(closed, SELLER, "remedy")
    before = desk.moved()
    rule(desk)
    assert desk.moved() == before
    assert (desk.state().fault.state, desk.state().resolved_by) == ("exempt", "appeal")


@pytest.mark.parametrize(
    ("payer", "moved"),
    [
        ("", [("given_back", EXPENSE, PAYABLE, "20.00")]),
        ("platform", [("given_back", EXPENSE, PAYABLE, "20.00")]),
        ("fund", [("reserve", FREE, RESERVED, "20.00"), ("given_back", RESERVED, PAYABLE, "20.00")]),
    ],
)
def test_another_funding_changes_who_bears_it_and_nothing_else(payer: Any, moved: Any) -> None:
    desk = appealed(agreed, SELLER, "funding")
    outcome, resolved_by, _, fault = what_was_ruled(desk)
    before = desk.moved()
    rule(desk, payer=payer)
    assert desk.moved()[len(before) :] == moved
    assert what_was_ruled(desk) == (outcome, resolved_by, ((payer or "platform", eur("20.00")),), fault)
    assert desk.balance(PAYABLE) == "40.00"


def test_the_fund_bears_nothing_that_it_does_not_have_or_does_not_cover() -> None:
    short = appealed(lambda: agreed_with(fund="19.99"), SELLER, "funding")
    assert refused(short, payer="fund").code == "bad_ruling"
    behind = appealed(lambda: agreed_with(queue=1), SELLER, "funding")
    assert refused(behind, payer="fund").code == "bad_ruling"
    uncovered = appealed(lambda: agreed_with(covered=False), SELLER, "funding")
    assert refused(uncovered, payer="fund").code == "bad_ruling"


def agreed_with(**given: Any) -> Desk:
    desk = awaiting_seller(**given)
    desk.do(d.MakeOffer(dispute=desk.dispute, amount=eur("20.00")), SELLER)
    desk.do(d.AcceptOffer(dispute=desk.dispute), BUYER)
    desk.report(desk.send(), "paid")
    return desk


def test_an_appeal_about_the_fault_exempts_and_leaves_the_money_where_it_is() -> None:
    desk = appealed(agreed, SELLER, "fault")
    outcome, resolved_by, funding, _ = what_was_ruled(desk)
    before = desk.moved()
    rule(desk)
    assert desk.moved() == before
    assert what_was_ruled(desk) == (
        outcome,
        resolved_by,
        funding,
        d.Fault(state="exempt", kind="INR", why="appeal", lifted_at=desk.now),
    )


@pytest.mark.parametrize(
    ("by", "about"), [(BUYER, "remedy"), (SELLER, "remedy"), (SELLER, "funding"), (SELLER, "fault")]
)
@pytest.mark.parametrize("how", ["dismissed", "not decided in time"])
def test_dismissed_or_not_decided_in_time_the_earlier_ruling_stands(by: Any, about: Any, how: str) -> None:
    desk = agreed()
    before = (*what_was_ruled(desk), desk.moved())
    desk.do(d.FileAppeal(dispute=desk.dispute, about=about), by)
    assert (*what_was_ruled(desk), desk.moved()) == before  # while it is heard too
    if how == "dismissed":
        rule(desk, "unjustified")
    else:
        desk.sweep(desk.due())
    assert (*what_was_ruled(desk), desk.moved()) == before
    assert desk.state().phase == "closed"


# --- who, when, how often ------------------------------------------------------------------------------------------


def test_another_agent_than_the_one_who_ruled_before_decides() -> None:
    desk = appealed(turned_down)
    assert refused(desk, AGENT).code == "same_agent"
    assert desk.refuse(d.ClaimCase(dispute=desk.dispute), AGENT).code == "same_agent"
    assert not {"rule", "claim"} & set(allowed(desk.state(), [AGENT], desk.now))
    assert {"rule", "claim"} <= set(allowed(desk.state(), [SENIOR], desk.now))
    rule(desk)


def test_nor_does_the_one_who_found_it_out_of_scope() -> None:
    desk = Desk()
    desk.open("poor_quality", "40.00")
    desk.rule("out_of_scope")
    desk.do(d.NoticeAccepted(dispute=desk.dispute, notice=desk.state().notice), ACTORS["mail"])
    desk.do(d.Accept(dispute=desk.dispute), SELLER)
    desk.report(desk.send(), "paid")
    desk.do(d.FileAppeal(dispute=desk.dispute, about="fault"), SELLER)
    assert refused(desk, AGENT).code == "same_agent"


def test_each_party_appeals_once_and_what_was_ruled_in_an_appeal_is_final() -> None:
    desk = appealed(agreed, SELLER, "remedy")
    rule(desk, "unjustified")
    assert desk.refuse(d.FileAppeal(dispute=desk.dispute, about="fault"), SELLER).code == "appealed_before"
    assert desk.refuse(d.FileAppeal(dispute=desk.dispute, about="remedy"), BUYER).code == "final_ruling"


def test_after_one_party_the_other_may_appeal_about_what_was_not_ruled_on_yet() -> None:
    desk = appealed(agreed, SELLER, "fault")
    rule(desk)
    desk.do(d.FileAppeal(dispute=desk.dispute, about="remedy"), BUYER)
    assert refused(desk, SENIOR).code == "same_agent"


def test_what_nobody_decided_in_time_is_not_final() -> None:
    desk = appealed(agreed, SELLER, "remedy")
    desk.sweep(desk.due())
    assert [appeal.finding for appeal in desk.state().appeals] == ["stands"]
    desk.do(d.FileAppeal(dispute=desk.dispute, about="remedy"), BUYER)
    assert desk.state().phase == "adjudicating"


def test_an_appeal_is_filed_within_thirty_days_to_the_second() -> None:
    desk = turned_down()
    command = d.FileAppeal(dispute=desk.dispute, about="remedy")
    assert desk.refuse(command, BUYER, at=T + 30 * DAY).code == "appeal_too_late"
    desk.do(command, BUYER, at=T + 30 * DAY - SECOND)


@pytest.mark.parametrize(
    ("build", "by", "about"),
    [
        (closed, BUYER, "remedy"),
        (turned_down, BUYER, "funding"),
        (turned_down, BUYER, "fault"),
        (turned_down, SELLER, "remedy"),
        (turned_down, SELLER, "fault"),
        (closed, SELLER, "funding"),
        (withdrawn, BUYER, "remedy"),
    ],
)
def test_nobody_appeals_where_nothing_can_be_won(build: Any, by: Any, about: Any) -> None:
    desk = build()
    assert desk.refuse(d.FileAppeal(dispute=desk.dispute, about=about), by).code == "nothing_to_appeal"


def test_what_was_ruled_on_is_not_withdrawn_any_more() -> None:
    desk = appealed(turned_down)
    assert desk.refuse(d.Withdraw(dispute=desk.dispute), BUYER).code == "in_appeal"


@pytest.mark.parametrize(
    ("by", "about", "more"),
    [
        (BUYER, "remedy", {"fault": "counted"}),
        (BUYER, "remedy", {"remedy": "return_refund"}),
        (BUYER, "remedy", {"finding": "unjustified", "amount": 1}),
        (SELLER, "remedy", {"payer": "fund"}),
        (SELLER, "funding", {"fault": "exempt"}),
        (SELLER, "funding", {"payer": "seller"}),
        (SELLER, "fault", {"amount": 1}),
        (SELLER, "fault", {"finding": "out_of_scope"}),
    ],
)
def test_a_ruling_says_nothing_that_the_appeal_did_not_ask(by: Any, about: Any, more: dict[str, Any]) -> None:
    assert refused(appealed(agreed, by, about), **more).code == "bad_ruling"


# --- R8, caps, and money that comes back ---------------------------------------------------------------------------


def test_r8_nothing_in_scope_is_ever_taken_from_the_seller_by_an_appeal_neither() -> None:
    for build in (turned_down, half_paid):
        desk = appealed(build)
        assert refused(desk, payer="seller").code == "bad_ruling"
        rule(desk, payer="platform")
        desk.report(desk.send(), "paid")
        assert desk.balance(PAYABLE) == "40.00"


def test_an_appeal_gives_nothing_where_nothing_is_left_to_refund() -> None:
    desk = turned_down()
    other = desk.open("in_transit_overdue", "40.00")
    desk.do(d.Accept(dispute=other), SELLER)
    desk.do(d.FileAppeal(dispute=desk.dispute, about="remedy"), BUYER)
    assert refused(desk).code == "nothing_left"


def test_a_refund_that_comes_back_while_an_appeal_is_heard_goes_out_again_before_it_is_decided() -> None:
    desk = came_back_in_an_appeal()
    assert refused(desk).code == "refund_in_flight"
    desk.report(desk.send(), "paid")
    assert desk.state().phase == "adjudicating"
    rule(desk)
    desk.report(desk.send(), "paid")
    assert (desk.state().outcome, desk.balance(HELD)) == ("refunded", "0.00")


def test_or_after_it_where_nobody_decided_in_time() -> None:
    desk = came_back_in_an_appeal()
    desk.sweep(desk.due())
    assert (desk.state().phase, desk.state().outcome) == ("refunding", "")
    desk.report(desk.send(), "paid")
    assert (desk.state().outcome, desk.state().resolved_by) == ("partially_refunded", "agreement")


def test_two_refunds_of_a_dispute_are_sent_and_settled_apart() -> None:
    desk = appealed(agreed)
    rule(desk)
    first, second = desk.state().refunds
    desk.report(attempt_of(desk) or first.shares[0].attempt, "returned")
    assert {share.state for one in desk.state().refunds for share in one.shares} == {"due"}
    desk.report(desk.send(), "paid")
    assert desk.state().phase == "refunding"
    desk.do(d.SendRefund(dispute=desk.dispute, payment="card", refund=first.id), ACTORS["system"])
    desk.report(desk.state().refunds[0].shares[0].attempt, "paid")
    assert desk.state().outcome == "refunded"
    assert d.refund_of(desk.state()) == d.refund_of(desk.state(), second.id)


def test_a_store_that_wins_is_not_given_what_was_written_off_for_it() -> None:
    desk = written_off()
    appeal = d.FileAppeal(dispute=desk.dispute, about="remedy")
    desk.do(appeal, SELLER)
    rule(desk)
    assert (desk.balance(PAYABLE), desk.balance(EXPENSE)) == ("0.00", "0.00")
    assert (desk.state().resolved_by, desk.state().fault.state) == ("appeal", "exempt")


def test_who_bears_nothing_since_it_was_written_off_has_nothing_to_win_about_the_funding() -> None:
    desk = written_off()
    assert desk.refuse(d.FileAppeal(dispute=desk.dispute, about="funding"), SELLER).code == "nothing_to_appeal"


def written_off() -> Desk:
    """The platform gave up what the store owes for a refund, while it may still be appealed."""
    desk = awaiting_seller(commission="40.00", policy=policy_text().replace('appeal = "30 d"', 'appeal = "120 d"'))
    desk.do(d.Accept(dispute=desk.dispute), SELLER)
    desk.report(desk.send(), "paid")
    desk.now = T + 91 * DAY
    for name in ("kim", "joy"):
        desk.do(d.WriteOff(dispute=desk.dispute), Actor("finance", name))
    return desk
