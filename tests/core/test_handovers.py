"""Where the policy hands over what is above the fund's limit: the seller answers it, by official notice (R8, R10)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from core.policies import next_policy
from core.pure import Desk
from core.test_cells import HANDED_OVER, IN_BRL, above_the_limit, withdrawn
from given import AGENT, BUYER, DAY, MAIL, PLATFORM, SECOND, SELLER, SENIOR, T, eur
from houbao.core import disputes as d
from houbao.core import phases
from houbao.core import returns as g
from houbao.core.accounts import AVAILABLE, EXPENSE, RESERVED
from houbao.core.policy_file import parse_policy
from houbao.core.promise import promise
from houbao.core.refunds import SendRefund
from houbao.core.tallies import tally_of
from houbao.core.terms import SYSTEM
from houbao.engine.letters import Reader, write

PAYABLE, HELD, CASH = "store:oak:payable", "store:oak:held", "provider:sandbox"


def parts(desk: Desk) -> tuple[d.Dispute, d.Dispute]:
    """The dispute that the fund pays, and what is above its limit."""
    first, rest = desk.world.disputes.values()
    assert rest.excess_of == first.id
    return first, rest


def pay_all(desk: Desk) -> None:
    for dispute in list(desk.world.disputes.values()):
        for refund in dispute.refunds:
            for share in refund.shares:
                command = SendRefund(dispute=dispute.id, payment=share.payment, refund=refund.id)
                if desk.do(command, SYSTEM).events:
                    desk.report(desk.world.position, "paid", dispute.id)


def noticed(**given: Any) -> Desk:
    """The notice was accepted: the seller's five days run."""
    desk = above_the_limit(**given)
    desk.do(d.NoticeAccepted(dispute=desk.dispute, notice=desk.state().notice), MAIL)
    return desk


def test_the_fund_pays_its_most_at_once_and_the_rest_goes_to_the_seller_by_official_notice() -> None:
    desk = above_the_limit()
    assert desk.moved() == [("reserve", AVAILABLE, RESERVED, "25.00")]
    first, rest = parts(desk)
    assert (first.phase, first.amount, d.funding_of(first)) == ("refunding", 2500, (("fund", 2500),))
    assert (rest.phase, rest.amount, rest.payer, rest.covered) == ("notifying", 1500, "seller", False)
    assert [(e.kind, e.about, e.dispute) for e in desk.effects if e.kind == "notice"] == [("notice", rest.id, rest.id)]
    pay_all(desk)
    first, rest = parts(desk)
    assert (first.outcome, first.resolved_by, first.fault.state) == ("refunded", "guarantee", "counted")
    assert rest.refunds == ()


def test_a_seller_who_is_silent_pays_it_when_the_time_of_the_notice_has_ended_and_not_before() -> None:
    desk = above_the_limit()
    desk.now = T + 2 * DAY
    desk.do(d.NoticeAccepted(dispute=desk.dispute, notice=desk.state().notice), MAIL)
    assert desk.due() == T + 7 * DAY
    desk.sweep(T + 7 * DAY - SECOND)
    assert desk.balance(HELD) == "0.00"
    desk.sweep(T + 7 * DAY)
    assert desk.moved()[-1] == ("hold", PAYABLE, HELD, "15.00")
    pay_all(desk)
    first, rest = parts(desk)
    assert (rest.outcome, rest.resolved_by, rest.fault.state) == ("refunded", "seller_timeout", "counted")
    assert (first.fault.kind, rest.fault.kind) == ("SNAD", "SNAD")


def test_the_seller_may_answer_it_as_any_dispute() -> None:
    desk = noticed()
    desk.do(d.MakeOffer(dispute=desk.dispute, amount=eur("5.00")), SELLER)
    desk.do(d.Counter(dispute=desk.dispute, amount=eur("10.00")), BUYER)
    desk.do(d.Accept(dispute=desk.dispute), SELLER)
    pay_all(desk)
    _, rest = parts(desk)
    assert (rest.outcome, rest.resolved_by, d.funding_of(rest)) == (
        "partially_refunded",
        "agreement",
        (("seller", 1000),),
    )


def test_of_it_the_buyer_asks_for_no_more_than_was_above_the_limit() -> None:
    desk = noticed()
    command = d.ChangeClaim(dispute=desk.dispute, amount=eur("15.01"))
    assert desk.refuse(command, BUYER).code == "amount_above_refundable"
    desk.do(structs.replace(command, amount=eur("14.00")), BUYER)
    assert desk.state().amount == eur("14.00")


def test_whoever_decides_it_the_fund_pays_no_more() -> None:
    desk = noticed()
    desk.do(d.Reject(dispute=desk.dispute, reason="fine"), SELLER)
    desk.do(d.Escalate(dispute=desk.dispute), BUYER)
    assert phases.default_outcome(desk.state()) == "buyers_amount_by_platform"
    ruling = d.Rule(dispute=desk.dispute, finding="justified", reason="seen", payer="fund")
    assert desk.refuse(ruling, AGENT).code == "bad_ruling"
    desk.sweep(desk.due())
    _, rest = parts(desk)
    assert d.funding_of(rest) == (("platform", 1500),)


def test_where_the_notice_never_stands_the_platform_pays() -> None:
    desk = above_the_limit()
    desk.sweep(T + 7 * DAY)
    _, rest = parts(desk)
    assert (d.funding_of(rest), rest.resolved_by) == ((("platform", 1500),), "platform_timeout")


def test_withdrawn_it_leaves_no_trace_and_taken_up_again_it_begins_with_its_notice() -> None:
    desk = withdrawn(above_the_limit)
    tally = tally_of(desk.state())
    assert tally is not None
    assert (tally.state, tally.why) == ("exempt", "withdrawn")
    desk.do(d.Reopen(dispute=desk.dispute), BUYER)
    state = desk.state()
    assert (state.phase, state.notice, state.fault.state) == ("notifying", desk.world.position, "pending")
    assert ("notice", state.notice) in [(e.kind, e.about) for e in desk.effects]


def test_paid_at_once_it_is_split_at_once() -> None:
    policy = next_policy("2026.1", per_dispute='"5.00"', over='"hand_over"')
    desk = Desk("12.00", policy=policy)
    desk.open("damaged", "12.00", evidence=("a" * 64,))
    first, rest = parts(desk)
    assert (first.route, d.funding_of(first)) == ("instant", (("fund", 500),))
    assert (rest.phase, rest.amount) == ("notifying", 700)


@pytest.mark.parametrize("silent", [False, True])
def test_after_a_return_it_is_split_when_the_goods_are_back(silent: bool) -> None:
    desk = Desk(policy=HANDED_OVER)
    desk.open("damaged", "40.00")
    desk.rule(remedy="return_refund")
    desk.do(g.ShipReturn(dispute=desk.dispute, carrier="post", tracking="X1"), BUYER)
    if silent:
        desk.do(g.ScanReturn(dispute=desk.dispute), PLATFORM)
        desk.sweep(desk.due())
    else:
        desk.do(g.ConfirmReturn(dispute=desk.dispute), PLATFORM)
    first, rest = parts(desk)
    assert (first.phase, d.funding_of(first)) == ("refunding", (("fund", 2500),))
    assert (rest.phase, rest.amount, rest.remedy) == ("notifying", 1500, "refund")


def test_the_platforms_own_delay_costs_the_seller_nothing() -> None:
    desk = Desk(policy=HANDED_OVER)
    desk.open("damaged", "40.00")
    desk.sweep(desk.due())
    assert dict(d.funding_of(desk.state())) == {"platform": 1500, "fund": 2500}
    assert len(desk.world.disputes) == 1


def test_what_an_appeal_gives_above_the_limit_the_platform_pays() -> None:
    desk = Desk(policy=HANDED_OVER)
    desk.open("damaged", "40.00")
    desk.rule(amount=eur("20.00"))
    pay_all(desk)
    desk.do(d.FileAppeal(dispute=desk.dispute, about="remedy"), BUYER)
    desk.do(d.Rule(dispute=desk.dispute, finding="justified", reason="seen"), SENIOR)
    assert dict(d.funding_of(desk.state())) == {"fund": 2500, "platform": 1500}


def test_a_buyer_who_got_less_than_asked_may_still_appeal_about_that_alone() -> None:
    desk = Desk(policy=HANDED_OVER)
    desk.open("damaged", "40.00")
    desk.rule(amount=eur("30.00"))
    pay_all(desk)
    first, rest = parts(desk)
    assert (first.amount, first.outcome, rest.amount) == (3500, "partially_refunded", 500)
    desk.do(d.FileAppeal(dispute=first.id, about="remedy"), BUYER)
    desk.do(d.Rule(dispute=first.id, finding="justified", reason="seen"), SENIOR)
    first, _ = parts(desk)
    assert dict(d.funding_of(first)) == {"fund": 2500, "platform": 1000}


def test_in_deposit_mode_and_in_another_currency_the_limit_is_the_funds() -> None:
    desk = above_the_limit(mode="deposit", deposit="30.00")
    assert desk.moved() == [("deposit_pays", "store:oak:deposit", RESERVED, "25.00")]
    foreign = Desk(policy=HANDED_OVER, **{**IN_BRL, "amount": "200.00"})
    foreign.open("damaged", "200.00")
    foreign.rule()
    first, rest = parts(foreign)
    assert (first.refunds[0].in_fund.minor, first.amount + rest.amount) == (2500, 20_000)


def test_below_the_limit_nothing_is_handed_over() -> None:
    desk = Desk(policy=HANDED_OVER)
    desk.open("damaged", "25.00")
    desk.rule()
    assert (len(desk.world.disputes), d.funding_of(desk.state())) == (1, (("fund", 2500),))


def test_the_notice_says_that_the_guarantee_pays_a_part_and_what_is_the_sellers() -> None:
    desk = above_the_limit()
    effect = next(e for e in desk.effects if e.kind == "notice")
    letter = write(effect, desk.state(), desk.order(), Reader("oak@shops.example"), 0, "1", T + 5 * DAY)
    assert "above the guarantee's limit" in letter.subject
    assert "what is above, €15.00, is yours to answer" in letter.body
    assert "Answer by Mon 13 Jul 2026, 12:00 UTC." in letter.body


def test_the_promise_says_whose_the_excess_is() -> None:
    page = promise(parse_policy(HANDED_OVER), "EUR", "capital")
    (line,) = [line for section in page for line in section.lines if "25.00 EUR" in line]
    assert "is yours: an official notice hands it over to you" in line
    assert "within 5 days" in line


@given(claim=st.integers(1, 4000), limit=st.integers(1, 4000), answer=st.sampled_from(["silent", "accept", "reject"]))
def test_nothing_is_taken_from_the_seller_without_an_answer_period_and_the_fund_pays_at_most_its_limit(
    claim: int, limit: int, answer: str
) -> None:
    policy = next_policy("2026.1", per_dispute=f'"{limit / 100:.2f}"', over='"hand_over"')
    desk = Desk(policy=policy)
    desk.open("damaged", f"{claim / 100:.2f}")
    desk.rule()
    pay_all(desk)
    assert desk.balance(PAYABLE) == "40.00"
    by_fund = sum(t.minor for t in desk.transfers if (t.kind, t.source) == ("guarantee", RESERVED))
    assert by_fund == min(claim, limit)
    if claim > limit:
        first, rest = parts(desk)
        desk.dispute = rest.id
        desk.do(d.NoticeAccepted(dispute=rest.id, notice=rest.notice), MAIL)
        if answer == "accept":
            desk.do(d.Accept(dispute=rest.id), SELLER)
        elif answer == "reject":
            desk.do(d.Reject(dispute=rest.id, reason="fine"), SELLER)
        desk.sweep(desk.due() if desk.state().timers else desk.now)
        pay_all(desk)
        assert first.amount + rest.amount == claim
        refunded = sum(t.minor for t in desk.transfers if t.kind == "refund")
        assert refunded == (limit if answer == "reject" else claim)
        assert desk.balances[EXPENSE] == 0
