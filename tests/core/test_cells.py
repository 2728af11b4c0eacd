"""Every cell of the table of turns: each command in each phase, by everybody; and every deadline, to the second."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, get_args

import pytest
from msgspec import Struct

from core.policies import next_policy
from core.pure import ACTORS, SHORT_OF_PAYMENTS, Desk
from given import AGENT, BUYER, DAY, MAIL, SECOND, SELLER, SENIOR, T, eur, opening
from houbao.core import disputes as d
from houbao.core import money, phases
from houbao.core import orders as o
from houbao.core.accounts import BACKSTOP
from houbao.core.chargebacks import Chargeback
from houbao.core.exchange import parse_rate
from houbao.core.queues import CLAIM_LASTS
from houbao.core.recoveries import Recover
from houbao.core.refunds import FundsAwaited, ReportRefund, ResolveRefund, SendRefund, SetPayoutWay
from houbao.core.returns import SendLabel
from houbao.core.terms import SYSTEM, Actor, Role, rfc3339, tag_of
from houbao.shipped import policy_text

SUE = Actor("agent", "sue")

# --- a desk in each phase ------------------------------------------------------------------------------------------


SHORT_OF_MONEY = {"commission": "40.00", "policy": next_policy("2026.1", advance='"19.99"')}
"""The seller is owed nothing, and the platform advances little."""


def verifying(**given: Any) -> Desk:
    desk = Desk(**given)
    desk.open("damaged", "40.00")
    return desk


def notifying() -> Desk:
    desk = verifying()
    desk.rule("out_of_scope")
    return desk


def handed_over() -> Desk:
    """The official notice was accepted: the seller's turn, by R10."""
    desk = notifying()
    desk.do(d.NoticeAccepted(dispute=desk.dispute, notice=desk.state().notice), MAIL)
    return desk


def awaiting_seller(remedy: str = "refund", **given: Any) -> Desk:
    """A parcel not received: the seller's turn from the start, by R11."""
    desk = Desk(**given)
    desk.open("in_transit_overdue", "40.00", remedy=remedy)
    return desk


def awaiting_buyer() -> Desk:
    desk = awaiting_seller()
    desk.do(d.Reject(dispute=desk.dispute, reason="proof_of_delivery"), SELLER)
    return desk


def offered(remedy: Any = "refund", amount: str = "20.00", **given: Any) -> Desk:
    desk = awaiting_seller(**given)
    offer = d.MakeOffer(dispute=desk.dispute, amount=eur(amount) if remedy != "replacement" else 0, remedy=remedy)
    desk.do(offer, SELLER)
    return desk


def adjudicating(**given: Any) -> Desk:
    desk = awaiting_seller(**given)
    desk.do(d.Reject(dispute=desk.dispute, reason="proof_of_delivery"), SELLER)
    desk.do(d.Escalate(dispute=desk.dispute), BUYER)
    return desk


def awaiting_return(**given: Any) -> Desk:
    """A change of mind: the goods come first."""
    desk = Desk(**given)
    desk.open("changed_mind", "40.00")
    return desk


def covered_return_in_transit(**given: Any) -> Desk:
    """The agent wanted the goods back before the fund pays; they are on their way to the platform."""
    desk = verifying(**given)
    desk.rule(remedy="return_refund")
    desk.do(d.ShipReturn(dispute=desk.dispute, carrier="Post", tracking="RR1"), BUYER)
    return desk


LABELS = next_policy("2026.1", covered='"platform_label"')


def label_wanted(**given: Any) -> Desk:
    """Verified and justified where the policy wants the goods back: the platform's label comes first."""
    desk = verifying(**{"policy": LABELS, **given})
    desk.rule()
    return desk


def return_in_transit() -> Desk:
    desk = awaiting_return()
    desk.do(d.ShipReturn(dispute=desk.dispute, carrier="Post", tracking="RR1"), BUYER)
    return desk


def came_back() -> Desk:
    desk = return_in_transit()
    desk.do(d.ScanReturn(dispute=desk.dispute), ACTORS["platform"])
    return desk


def reported() -> Desk:
    """A box came back empty."""
    desk = came_back()
    desk.do(d.ReportReturn(dispute=desk.dispute, problem="empty"), SELLER)
    return desk


def awaiting_replacement() -> Desk:
    desk = offered("replacement")
    desk.do(d.AcceptOffer(dispute=desk.dispute), BUYER)
    return desk


def replacement_sent() -> Desk:
    desk = awaiting_replacement()
    desk.do(d.ShipReplacement(dispute=desk.dispute, carrier="Post", tracking="RP1"), SELLER)
    return desk


def replacement_there() -> Desk:
    desk = replacement_sent()
    desk.do(d.ScanReplacement(dispute=desk.dispute), ACTORS["platform"])
    return desk


def withdrawn(start: Callable[[], Desk] = verifying) -> Desk:
    desk = start()
    desk.do(d.Withdraw(dispute=desk.dispute), BUYER)
    return desk


def withdrawn_and_then_refunded_otherwise() -> Desk:
    """A return that was called off, and another dispute that left nothing of the order to refund."""
    desk = withdrawn(awaiting_return)
    desk.rule(dispute=desk.open("damaged"))
    return desk


HANDED_OVER = next_policy("2026.1", per_dispute='"25.00"', over='"hand_over"')


def above_the_limit(**given: Any) -> Desk:
    """The fund pays its most; the rest is a dispute of its own, which is looked at here."""
    desk = verifying(**{"policy": HANDED_OVER, **given})
    desk.rule()
    desk.dispute = max(desk.world.disputes)
    return desk


def awaiting_funds() -> Desk:
    desk = verifying(fund="39.99")
    desk.rule()
    return desk


def claimed(start: Callable[[], Desk] = verifying) -> Desk:
    desk = start()
    desk.do(d.ClaimCase(dispute=desk.dispute), AGENT)
    return desk


def proposed(start: Callable[[], Desk] = verifying, fraud: Any = "seller", **more: Any) -> Desk:
    """Another agent than the one who acts here would rule that there was fraud."""
    desk = start()
    desk.do(d.Rule(dispute=desk.dispute, reason="same_house", fraud=fraud, **{"finding": "justified"} | more), SUE)
    return desk


def refunding() -> Desk:
    desk = verifying()
    desk.rule()
    return desk


def in_two_refunds() -> Desk:
    """The fund pays its most, the platform the rest."""
    desk = verifying(policy=next_policy("2026.1", per_dispute='"25.00"'))
    desk.rule()
    return desk


def sent() -> Desk:
    desk = refunding()
    desk.send()
    return desk


def stuck() -> Desk:
    """The provider said a final no."""
    desk = sent()
    desk.report(attempt_of(desk), "refused", final=True)
    return desk


def closed() -> Desk:
    desk = sent()
    desk.report(attempt_of(desk), "paid")
    return desk


def turned_down() -> Desk:
    """The guarantee looked into it and found it unjustified."""
    desk = verifying()
    desk.rule("unjustified")
    return desk


def half_paid(**given: Any) -> Desk:
    """The fund paid half of what was asked."""
    desk = verifying(**given)
    desk.rule(amount=eur("20.00"))
    desk.report(desk.send(), "paid")
    return desk


def short_seller() -> Desk:
    """The seller accepts, has nothing, and the platform does not advance that much at once."""
    desk = awaiting_seller(**SHORT_OF_MONEY)
    desk.do(d.Accept(dispute=desk.dispute), SELLER)
    return desk


def owed_for_long() -> Desk:
    """What was advanced for a seller 90 days ago was never paid back."""
    desk = awaiting_seller(commission="40.00")
    desk.do(d.Accept(dispute=desk.dispute), SELLER)
    desk.report(desk.send(), "paid")
    desk.now = T + 90 * DAY
    return desk


RATE = parse_rate("EUR", "BRL", "4.6279", published_at=T - DAY, source="ECB")
IN_BRL: dict[str, Any] = {"amount": "100.00", "currency": "BRL", "also_covers": ("BRL",), "rates": (RATE,)}
"""An order of 100.00 BRL that a fund in EUR covers, and a rate of the day before."""


def exchanged(**given: Any) -> Desk:
    """A refund in another currency than the fund's was paid."""
    desk = Desk(**{**IN_BRL, **given})
    desk.open("damaged", "100.00")
    desk.rule()
    desk.report(desk.send(), "paid")
    return desk


def agreed(amount: str = "20.00") -> Desk:
    """The seller paid an offer that the buyer took."""
    desk = offered(amount=amount)
    desk.do(d.AcceptOffer(dispute=desk.dispute), BUYER)
    desk.report(desk.send(), "paid")
    return desk


def appealed(build: Callable[[], Desk] = turned_down, by: Actor = BUYER, about: Any = "remedy") -> Desk:
    desk = build()
    desk.do(d.FileAppeal(dispute=desk.dispute, about=about), by)
    return desk


def came_back_in_an_appeal() -> Desk:
    """While an appeal is heard, the provider gives back what was paid."""
    desk = appealed(agreed)
    desk.report(attempt_of(desk), "returned")
    return desk


def came_back_beside_one_that_waits() -> Desk:
    """On appeal the buyer gets the other half, for which the fund has no money; then the first half comes back."""
    desk = appealed(lambda: half_paid(fund="20.00"))
    desk.do(d.Rule(dispute=desk.dispute, finding="justified", reason="seen"), SENIOR)
    desk.report(desk.state().refunds[0].shares[0].attempt, "returned")
    return desk


def send_the_first(desk: Desk) -> Any:
    return SendRefund(dispute=desk.dispute, payment="card", refund=desk.state().refunds[0].id)


def give_up_the_first(desk: Desk) -> Any:
    return ResolveRefund(dispute=desk.dispute, how="abandon", refund=desk.state().refunds[0].id)


def sent_the_first() -> Desk:
    desk = came_back_beside_one_that_waits()
    desk.do(send_the_first(desk), SYSTEM)
    return desk


def report_the_first(desk: Desk) -> Any:
    return ReportRefund(dispute=desk.dispute, attempt=desk.state().refunds[0].shares[0].attempt, result="paid")


def sent_in_an_appeal() -> Desk:
    desk = came_back_in_an_appeal()
    desk.send()
    return desk


def lost_to_the_bank(build: Callable[[], Desk], attempt_is: str = "") -> Desk:
    """The bank took the payment while a refund was on its way: only its answer is waited for."""
    desk = build()
    lost = Chargeback(order=desk.order().id, payment="card", reference="cb", minor=eur("40.00"), state="lost")
    desk.do(lost, ACTORS["platform"])
    if attempt_is:
        desk.report(attempt_of(desk), attempt_is)
    return desk


def half_exchanged() -> Desk:
    """The same, of which half goes over another payment and is not paid yet."""
    halves = [o.Payment(id=name, provider="sandbox", minor=5000) for name in ("card", "other")]
    return exchanged(payments=tuple(halves))


def nothing_left(desk: Desk) -> Desk:
    """The same desk, after a dispute on another line took all that had been paid."""
    other = desk.open("damaged", "40.00", lines=(("2", 1),))
    desk.rule(dispute=other)
    return desk


def returned_of_two() -> Desk:
    return covered_return_in_transit(**SHORT_OF_PAYMENTS)


def nothing_left_of_an_offer() -> Desk:
    desk = awaiting_seller(**SHORT_OF_PAYMENTS)
    desk.do(d.MakeOffer(dispute=desk.dispute, amount=eur("20.00")), SELLER)
    return nothing_left(desk)


PHASES: dict[str, Callable[[], Desk]] = {
    "verifying": verifying,
    "notifying": notifying,
    "awaiting_seller": awaiting_seller,
    "awaiting_buyer": awaiting_buyer,
    "adjudicating": adjudicating,
    "awaiting_return": awaiting_return,
    "return_in_transit": return_in_transit,
    "awaiting_replacement": awaiting_replacement,
    "awaiting_funds": awaiting_funds,
    "refunding": refunding,
    "closed": closed,
}


def attempt_of(desk: Desk) -> int:
    refund = d.refund_of(desk.state())
    return refund.shares[0].attempt if refund else 0


COMMANDS: dict[str, Callable[[Desk], Any]] = {
    "rule": lambda desk: d.Rule(dispute=desk.dispute, finding="justified", reason="photos"),
    "sign": lambda desk: d.Sign(dispute=desk.dispute),
    "claim": lambda desk: d.ClaimCase(dispute=desk.dispute),
    "release": lambda desk: d.ReleaseCase(dispute=desk.dispute),
    "change_claim": lambda desk: d.ChangeClaim(dispute=desk.dispute, amount=eur("20.00")),
    "withdraw": lambda desk: d.Withdraw(dispute=desk.dispute),
    "accept": lambda desk: d.Accept(dispute=desk.dispute),
    "reject": lambda desk: d.Reject(dispute=desk.dispute, reason="proof_of_delivery"),
    "offer": lambda desk: d.MakeOffer(dispute=desk.dispute, amount=eur("20.00")),
    "accept_offer": lambda desk: d.AcceptOffer(dispute=desk.dispute),
    "counter": lambda desk: d.Counter(dispute=desk.dispute, amount=eur("30.00")),
    "escalate": lambda desk: d.Escalate(dispute=desk.dispute),
    "reopen": lambda desk: d.Reopen(dispute=desk.dispute),
    "appeal": lambda desk: d.FileAppeal(dispute=desk.dispute, about="remedy"),
    "settle_refund": lambda desk: d.SettleRefund(dispute=desk.dispute, payment="card", taken=eur("21.95")),
    "recover": lambda desk: Recover(
        dispute=desk.dispute, source="carrier", minor=eur("40.00"), currency="EUR", reference="claim-7"
    ),
    "write_off": lambda desk: d.WriteOff(dispute=desk.dispute),
    "request_evidence": lambda desk: d.RequestEvidence(dispute=desk.dispute, party="buyer"),
    "evidence": lambda desk: d.AddEvidence(dispute=desk.dispute, evidence=("a" * 64,)),
    "messages": lambda desk: d.WriteMessage(dispute=desk.dispute, message="It is the wrong one."),
    "send_label": lambda desk: SendLabel(
        dispute=desk.dispute, carrier="Post", tracking="LB1", minor=eur("4.50"), currency="EUR"
    ),
    "ship_return": lambda desk: d.ShipReturn(dispute=desk.dispute, carrier="Post", tracking="RR1"),
    "scan_return": lambda desk: d.ScanReturn(dispute=desk.dispute),
    "confirm_return": lambda desk: d.ConfirmReturn(dispute=desk.dispute),
    "report_return": lambda desk: d.ReportReturn(dispute=desk.dispute, problem="empty"),
    "ship_replacement": lambda desk: d.ShipReplacement(dispute=desk.dispute, carrier="Post", tracking="RP1"),
    "scan_replacement": lambda desk: d.ScanReplacement(dispute=desk.dispute),
    "report_replacement": lambda desk: d.ReportReplacement(dispute=desk.dispute, problem="different"),
    "serve_notice": lambda desk: d.ServeNotice(dispute=desk.dispute),
    "notice_accepted": lambda desk: d.NoticeAccepted(dispute=desk.dispute, notice=desk.state().notice),
    "notice_bounced": lambda desk: d.NoticeBounced(dispute=desk.dispute, notice=desk.state().notice),
    "send_refund": lambda desk: SendRefund(dispute=desk.dispute, payment="card"),
    "report_refund": lambda desk: ReportRefund(dispute=desk.dispute, attempt=attempt_of(desk), result="paid"),
    "resolve_refund": lambda desk: ResolveRefund(dispute=desk.dispute, how="abandon"),
    "set_payout_way": lambda desk: SetPayoutWay(dispute=desk.dispute, payment="card", way="iban-7"),
    "pass_time": lambda desk: d.PassTime(dispute=desk.dispute),
}
"""Every command on a dispute, as it is meant."""

PERMITTED: dict[str, set[str]] = {
    name: {role for turns in phases.TURNS.values() if name in turns for role in turns[name].by} for name in COMMANDS
}
PERMITTED["pass_time"] = {"system"}


def test_the_tables_here_name_every_phase_command_and_role() -> None:
    assert set(COMMANDS) == {command.__struct_config__.tag for command in get_args(d.DisputeCommand)}
    assert set(PHASES) == set(phases.TURNS) == set(phases.WAITS_FOR) == set(get_args(d.Phase))
    assert set(ACTORS) == set(get_args(Role))
    assert all(build().state().phase == phase for phase, build in PHASES.items())
    assert all(tag_of(build(closed())) == name for name, build in COMMANDS.items())


# --- cells that the table accepts ----------------------------------------------------------------------------------


class Case(Struct, frozen=True):
    """A command in a phase, as the table accepts it, and the phase it leads to. `text` is how it is written."""

    phase: str
    name: str
    to: str
    given: Callable[[], Desk]
    command: Callable[[Desk], Any]

    def __str__(self) -> str:
        return f"{self.phase}-{self.name}-{self.to}"


def case(phase: str, name: str, to: str, given: Any = None, **changed: Any) -> Case:
    """The command as it is meant in that phase, with some fields changed."""

    def command(desk: Desk) -> Any:
        meant = COMMANDS[name](desk)
        fields = {field: getattr(meant, field) for field in meant.__struct_fields__}
        return type(meant)(**{**fields, **changed})

    return Case(phase, name, to, given or PHASES[phase], command)


CASES = [
    case("verifying", "rule", "refunding"),
    case("verifying", "rule", "awaiting_funds", lambda: verifying(fund="39.99")),
    case("verifying", "rule", "awaiting_funds", lambda: verifying(queue=1)),
    case("verifying", "rule", "notifying", finding="out_of_scope"),
    case("verifying", "rule", "closed", finding="unjustified"),
    case("verifying", "rule", "closed", lambda: nothing_left(verifying(**SHORT_OF_PAYMENTS))),
    case("verifying", "rule", "verifying", fraud="seller"),
    case("verifying", "sign", "refunding", proposed),
    case("verifying", "sign", "awaiting_funds", lambda: proposed(lambda: verifying(**SHORT_OF_MONEY))),
    case("verifying", "sign", "awaiting_return", lambda: proposed(remedy="return_refund")),
    case("verifying", "sign", "closed", lambda: proposed(fraud="buyer", finding="unjustified")),
    case("adjudicating", "rule", "adjudicating", fraud="buyer", finding="unjustified"),
    case("adjudicating", "sign", "refunding", lambda: proposed(adjudicating)),
    case("adjudicating", "sign", "awaiting_funds", lambda: proposed(lambda: adjudicating(**SHORT_OF_MONEY))),
    case("adjudicating", "sign", "awaiting_return", lambda: proposed(adjudicating, remedy="return_refund")),
    case("adjudicating", "sign", "closed", lambda: proposed(reported, "buyer", finding="unjustified")),
    *(
        case(phase, name, phase, given)
        for phase in ("verifying", "notifying", "adjudicating")
        for name, given in (("claim", PHASES[phase]), ("release", partial(claimed, PHASES[phase])))
    ),
    case("verifying", "change_claim", "verifying"),
    case("verifying", "withdraw", "closed"),
    case("notifying", "notice_accepted", "awaiting_seller"),
    case("notifying", "notice_accepted", "notifying", notice=1),
    case("notifying", "notice_bounced", "notifying"),
    case("notifying", "serve_notice", "notifying"),
    case("notifying", "change_claim", "notifying"),
    case("notifying", "withdraw", "closed"),
    case("awaiting_seller", "accept", "refunding"),
    case("awaiting_seller", "accept", "refunding", handed_over),
    case("awaiting_seller", "accept", "awaiting_funds", lambda: awaiting_seller(**SHORT_OF_MONEY)),
    case("awaiting_seller", "accept", "closed", lambda: nothing_left(awaiting_seller(**SHORT_OF_PAYMENTS))),
    case("awaiting_seller", "reject", "awaiting_buyer"),
    case("awaiting_seller", "change_claim", "awaiting_seller"),
    case("awaiting_seller", "withdraw", "closed"),
    case("awaiting_seller", "notice_accepted", "awaiting_seller", handed_over),
    case("awaiting_seller", "notice_bounced", "notifying", handed_over),
    case("awaiting_seller", "notice_bounced", "awaiting_seller"),
    case("awaiting_seller", "notice_bounced", "awaiting_seller", handed_over, notice=1),
    case("awaiting_buyer", "withdraw", "closed"),
    case("awaiting_funds", "resolve_refund", "closed"),
    case("refunding", "send_refund", "refunding"),
    case("refunding", "send_refund", "refunding", sent),
    case("refunding", "report_refund", "closed", sent),
    case("refunding", "report_refund", "refunding", sent, result="unknown"),
    case("refunding", "report_refund", "refunding", sent, result="refused"),
    case("refunding", "resolve_refund", "closed"),
    case("refunding", "resolve_refund", "closed", how="paid_elsewhere"),
    case("refunding", "resolve_refund", "refunding", in_two_refunds),
    case("closed", "send_refund", "closed"),
    case("closed", "report_refund", "closed"),
    case("closed", "report_refund", "refunding", result="returned"),
    case("verifying", "rule", "awaiting_return", remedy="return_refund"),
    case("awaiting_seller", "accept", "awaiting_return", lambda: awaiting_seller(remedy="return_refund")),
    case("awaiting_seller", "offer", "awaiting_buyer"),
    case("awaiting_buyer", "accept_offer", "refunding", offered),
    case("awaiting_buyer", "accept_offer", "awaiting_funds", lambda: offered(**SHORT_OF_MONEY)),
    case("awaiting_buyer", "accept_offer", "awaiting_return", lambda: offered("return_refund")),
    case("awaiting_buyer", "accept_offer", "awaiting_replacement", lambda: offered("replacement")),
    case("awaiting_buyer", "accept_offer", "closed", nothing_left_of_an_offer),
    case("awaiting_buyer", "counter", "awaiting_seller"),
    case("awaiting_buyer", "counter", "awaiting_seller", offered),
    case("awaiting_buyer", "escalate", "adjudicating"),
    case("adjudicating", "rule", "refunding"),
    case("adjudicating", "rule", "refunding", payer="platform"),
    case("adjudicating", "rule", "refunding", reported),
    case("adjudicating", "rule", "refunding", reported, amount=eur("10.00")),
    case("adjudicating", "rule", "awaiting_funds", lambda: adjudicating(fund="39.99"), payer="fund"),
    case("adjudicating", "rule", "awaiting_return", remedy="return_refund"),
    case("adjudicating", "rule", "closed", finding="unjustified"),
    case("adjudicating", "rule", "closed", reported, finding="unjustified"),
    case("adjudicating", "request_evidence", "adjudicating"),
    case("adjudicating", "withdraw", "closed"),
    case("verifying", "request_evidence", "verifying"),
    case("awaiting_return", "ship_return", "return_in_transit"),
    case("awaiting_return", "send_label", "awaiting_return", label_wanted),
    case("awaiting_return", "withdraw", "closed"),
    case("return_in_transit", "scan_return", "return_in_transit"),
    case("return_in_transit", "scan_return", "return_in_transit", came_back),
    case("return_in_transit", "confirm_return", "refunding"),
    case("return_in_transit", "confirm_return", "refunding", covered_return_in_transit),
    case("return_in_transit", "confirm_return", "awaiting_funds", lambda: covered_return_in_transit(fund="39.99")),
    case(
        "return_in_transit",
        "confirm_return",
        "closed",
        lambda: nothing_left(covered_return_in_transit(**SHORT_OF_PAYMENTS)),
    ),
    case("return_in_transit", "report_return", "adjudicating"),
    case("return_in_transit", "report_return", "adjudicating", covered_return_in_transit),
    case("awaiting_replacement", "ship_replacement", "awaiting_replacement"),
    case("awaiting_replacement", "scan_replacement", "awaiting_replacement"),
    case("awaiting_replacement", "scan_replacement", "awaiting_replacement", replacement_sent),
    case("awaiting_replacement", "report_replacement", "adjudicating", replacement_there),
    case("closed", "settle_refund", "closed", exchanged),
    case("refunding", "settle_refund", "refunding", half_exchanged),
    case("closed", "rule", "closed", fraud="seller"),
    case("closed", "sign", "closed", lambda: proposed(closed)),
    case("closed", "recover", "closed"),
    case("closed", "write_off", "closed", owed_for_long),
    case("closed", "reopen", "verifying", withdrawn),
    case("closed", "reopen", "awaiting_seller", lambda: withdrawn(awaiting_seller)),
    case("closed", "reopen", "notifying", lambda: withdrawn(above_the_limit)),
    case("closed", "reopen", "awaiting_return", lambda: withdrawn(awaiting_return)),
    case("closed", "reopen", "closed", withdrawn_and_then_refunded_otherwise),
    case("refunding", "set_payout_way", "refunding", stuck),
    case("closed", "appeal", "adjudicating", agreed),
    case("adjudicating", "rule", "refunding", lambda: appealed(agreed)),
    case("adjudicating", "rule", "closed", lambda: appealed(agreed), finding="unjustified"),
    case("adjudicating", "rule", "closed", lambda: appealed(agreed, SELLER, "fault")),
    case("adjudicating", "send_refund", "adjudicating", came_back_in_an_appeal),
    case("adjudicating", "report_refund", "adjudicating", sent_in_an_appeal),
    case("adjudicating", "resolve_refund", "adjudicating", came_back_in_an_appeal),
    case("adjudicating", "report_refund", "closed", lambda: lost_to_the_bank(sent_in_an_appeal)),
    case(
        "adjudicating",
        "resolve_refund",
        "closed",
        lambda: lost_to_the_bank(sent_in_an_appeal, "key_expired"),
        how="paid_elsewhere",
    ),
    Case("awaiting_funds", "report_refund", "closed", lambda: lost_to_the_bank(sent_the_first), report_the_first),
    Case("awaiting_funds", "send_refund", "awaiting_funds", came_back_beside_one_that_waits, send_the_first),
    case("awaiting_funds", "resolve_refund", "refunding", came_back_beside_one_that_waits),
    Case("awaiting_funds", "report_refund", "awaiting_funds", sent_the_first, report_the_first),
    Case("awaiting_funds", "resolve_refund", "awaiting_funds", came_back_beside_one_that_waits, give_up_the_first),
    *(
        case(phase, name, phase)
        for phase, turns in phases.TURNS.items()
        for name in ("evidence", "messages")
        if name in turns
    ),
]


RECEIVERS = ("confirm_return", "report_return")
"""What is the receiver's to say: the platform's where the fund pays, else the seller's."""


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_the_table_accepts_leads_where_the_table_says(case: Case) -> None:
    for role in phases.TURNS[case.phase][case.name].by:
        desk = case.given()
        if case.name in RECEIVERS and role != ("platform" if desk.state().payer == "fund" else "seller"):
            continue  # see test_goods_that_the_fund_paid_for_go_to_the_platform_all_others_to_the_seller
        assert desk.state().phase == case.phase
        desk.do(case.command(desk), ACTORS[role])
        assert desk.state().phase == case.to


@pytest.mark.parametrize("phase", phases.TURNS)
def test_the_table_names_every_phase_that_can_be_reached_and_no_other(phase: str) -> None:
    reached: dict[str, set[str]] = {}
    for known in CASES:
        if known.phase == phase:
            reached.setdefault(known.name, set()).add(known.to)
    assert reached == {name: set(turn.to) for name, turn in phases.TURNS[phase].items()}


# --- cells that the table does not accept, and people who may not --------------------------------------------------

CELLS = [(phase, name) for phase in phases.TURNS for name in COMMANDS]


@pytest.mark.parametrize(
    ("phase", "name"), [c for c in CELLS if c[1] not in phases.TURNS[c[0]] and c[1] != "pass_time"]
)
def test_what_the_table_does_not_accept_cannot_happen_now(phase: str, name: str) -> None:
    desk = PHASES[phase]()
    for role in PERMITTED[name]:
        assert desk.refuse(COMMANDS[name](desk), ACTORS[role]).code == "not_now"


@pytest.mark.parametrize(("phase", "name"), CELLS)
def test_nobody_else_may_whatever_the_phase(phase: str, name: str) -> None:
    desk = PHASES[phase]()
    command = COMMANDS[name](desk)
    for role in set(ACTORS) - PERMITTED[name]:
        assert desk.refuse(command, ACTORS[role]).code == "not_permitted"
    for stranger in (Actor("buyer", "zoe"), Actor("seller", "elm")):
        if stranger.role in PERMITTED[name]:
            assert desk.refuse(command, stranger).code == "not_yours"


@pytest.mark.parametrize("phase", phases.TURNS)
def test_time_that_passes_before_anything_is_due_changes_nothing(phase: str) -> None:
    desk = PHASES[phase]()
    before = desk.contents()
    assert desk.sweep(T + SECOND) == []
    assert desk.contents() == before


def test_a_dispute_nobody_knows_cannot_be_acted_on() -> None:
    desk = verifying()
    assert desk.refuse(d.Withdraw(dispute=desk.dispute + 100), BUYER).code == "unknown_dispute"


@pytest.mark.parametrize("role", ACTORS)
def test_only_the_buyer_of_the_order_opens(role: str) -> None:
    desk = Desk()
    command = opening(desk.order().id, "damaged", "40.00")
    if role == "buyer":
        assert desk.refuse(command, Actor("buyer", "zoe")).code == "not_yours"
        desk.do(command, ACTORS[role])
        assert [x.phase for x in desk.world.disputes.values()] == ["verifying"]
    else:
        assert desk.refuse(command, ACTORS[role]).code == "not_permitted"


@pytest.mark.parametrize("phase", [phase for phase in phases.TURNS if phase != "closed"])
def test_no_second_dispute_is_opened_on_lines_that_have_one(phase: str) -> None:
    desk = PHASES[phase]()
    assert desk.refuse(opening(desk.order().id, "damaged", "1.00"), BUYER).code == "dispute_open"


def test_lines_once_ruled_on_are_not_disputed_again_for_the_same_class() -> None:
    desk = verifying()
    desk.rule("unjustified")
    assert desk.refuse(opening(desk.order().id, "defective", "1.00"), BUYER).code == "already_ruled"
    assert desk.state(desk.open("in_transit_overdue", "1.00")).phase == "awaiting_seller"


def test_what_was_withdrawn_may_be_opened_again() -> None:
    desk = verifying()
    desk.do(d.Withdraw(dispute=desk.dispute), BUYER)
    assert desk.state(desk.open("damaged", "40.00")).phase == "verifying"


# --- deadlines -----------------------------------------------------------------------------------------------------

# Where it stands → how it came there, how long it waits, who lets it pass, and then: the next phase, who pays, why.
DUE: dict[str, tuple[Callable[[], Desk], Any, str, str, str, str]] = {
    "verifying": (verifying, 14 * DAY, "platform", "refunding", "fund", "platform_timeout"),
    "notifying": (notifying, 7 * DAY, "platform", "refunding", "platform", "platform_timeout"),
    "awaiting_seller": (awaiting_seller, 5 * DAY, "seller", "refunding", "seller", "seller_timeout"),
    "awaiting_buyer": (awaiting_buyer, 7 * DAY, "buyer", "closed", "", "buyer_timeout"),
    "adjudicating": (adjudicating, 14 * DAY, "platform", "refunding", "fund", "platform_timeout"),
    "awaiting_return": (awaiting_return, 10 * DAY, "buyer", "closed", "seller", "buyer_timeout"),
    "return_in_transit": (return_in_transit, 30 * DAY, "carrier", "adjudicating", "seller", "return"),
    "awaiting_replacement": (awaiting_replacement, 5 * DAY, "seller", "refunding", "seller", "seller_timeout"),
    "a label that never came": (label_wanted, 10 * DAY, "platform", "refunding", "fund", "platform_timeout"),
    "a seller who is short": (short_seller, 3 * DAY, "finance", "refunding", "seller", "agreement"),
    "an offer": (offered, 7 * DAY, "buyer", "refunding", "seller", "buyer_timeout"),
    "a return that came back": (came_back, 10 * DAY, "seller", "refunding", "seller", "return"),
    "a return that was reported": (reported, 14 * DAY, "platform", "refunding", "fund", "platform_timeout"),
    "a replacement on its way": (replacement_sent, 30 * DAY, "carrier", "adjudicating", "", ""),
    "a refund that no way can pay": (stuck, 90 * DAY, "buyer", "closed", "fund", "guarantee"),
    "an appeal": (appealed, 14 * DAY, "platform", "closed", "", "guarantee"),
    "a replacement that came": (replacement_there, 15 * DAY, "buyer", "closed", "", "agreement"),
}


def run_out(events: list[Any]) -> list[str]:
    return [event.turn for event in events if isinstance(event, d.TimedOut)]


def test_every_phase_that_waits_for_a_person_or_a_server_has_a_due_time() -> None:
    due = {phase for phase, build in PHASES.items() if d.due_at(build().state())}
    assert due == set(DUE) & set(PHASES) | {"awaiting_funds"}


@pytest.mark.parametrize("where", DUE)
def test_one_second_before_its_time_nothing_happens_and_at_its_time_the_default(where: str) -> None:
    build, wait, turn, then, payer, resolved_by = DUE[where]
    desk = build()
    phase = desk.state().phase
    assert desk.due() == T + wait
    assert run_out(desk.sweep(T + wait - SECOND)) == []
    assert desk.state().phase == phase

    assert run_out(desk.sweep(T + wait)) == [turn]
    state = desk.state()
    assert (state.phase, state.resolved_by) == (then, resolved_by)
    refund = d.refund_of(state)
    assert (refund.payer if refund else "") == payer
    if state.phase == "refunding":
        assert refund is not None
        assert refund.minor == (state.offer.amount if state.offer and state.offer.amount else state.amount)


@pytest.mark.parametrize("where", DUE)
def test_a_late_sweep_gives_the_very_events_of_a_punctual_one(where: str) -> None:
    punctual, late = DUE[where][0](), DUE[where][0]()
    end, phase = punctual.due(), punctual.state().phase
    while (timers := punctual.state().timers) and punctual.state().phase == phase:
        punctual.sweep(min(timer.at for timer in timers))
    late.sweep(end + 6 * DAY)

    assert late.events == punctual.events
    assert late.transfers == punctual.transfers
    assert late.effects == punctual.effects
    assert late.events[-1].at == end


@pytest.mark.parametrize("where", DUE)
def test_a_second_sweep_changes_nothing(where: str) -> None:
    desk = DUE[where][0]()
    at = desk.due() + DAY
    assert desk.sweep(at)
    before = desk.contents()
    assert desk.sweep(at) == []
    assert desk.contents() == before


ANSWERS = [
    ("verifying", "rule", "refunding"),
    ("verifying", "withdraw", "closed"),
    ("notifying", "notice_accepted", "awaiting_seller"),
    ("awaiting_seller", "accept", "refunding"),
    ("awaiting_seller", "reject", "awaiting_buyer"),
    ("awaiting_seller", "change_claim", "awaiting_seller"),
    ("awaiting_buyer", "withdraw", "closed"),
    ("awaiting_buyer", "counter", "awaiting_seller"),
    ("awaiting_buyer", "escalate", "adjudicating"),
    ("awaiting_seller", "offer", "awaiting_buyer"),
    ("adjudicating", "rule", "refunding"),
    ("awaiting_return", "ship_return", "return_in_transit"),
    ("awaiting_replacement", "ship_replacement", "awaiting_replacement"),
]


def person(name: str) -> Actor:
    return ACTORS[next(iter(PERMITTED[name]))]


@pytest.mark.parametrize(("phase", "name", "to"), ANSWERS)
def test_an_answer_received_in_time_wins_though_the_house_was_late(phase: str, name: str, to: str) -> None:
    desk = PHASES[phase]()
    received = desk.due() - SECOND
    desk.now = desk.due() + DAY  # nobody swept
    desk.do(COMMANDS[name](desk), person(name), at=received)
    assert desk.state().phase == to
    assert run_out(desk.events) == []


def test_a_notice_that_bounced_and_stands_late_gives_the_seller_five_days_anew() -> None:
    desk = handed_over()
    desk.do(d.MakeOffer(dispute=desk.dispute, amount=eur("10.00")), SELLER)
    desk.now = T + 6 * DAY
    desk.do(d.Counter(dispute=desk.dispute, amount=eur("30.00")), BUYER)
    desk.now = T + 10 * DAY
    desk.do(d.NoticeBounced(dispute=desk.dispute, notice=desk.state().notice, why="550"), MAIL)
    desk.now = T + 16 * DAY
    desk.do(d.NoticeAccepted(dispute=desk.dispute, notice=desk.state().notice), MAIL)
    assert (desk.state().phase, d.due_at(desk.state())) == ("awaiting_seller", T + 21 * DAY)


@pytest.mark.parametrize(("phase", "name", "to"), [answer for answer in ANSWERS if answer[1] != "change_claim"])
def test_an_answer_ends_the_deadline(phase: str, name: str, to: str) -> None:
    desk = PHASES[phase]()
    due = desk.due()
    desk.now = due - SECOND
    desk.do(COMMANDS[name](desk), person(name))
    assert run_out(desk.sweep(due)) == []
    assert desk.state().phase == to


@pytest.mark.parametrize("late", [0 * SECOND, SECOND, 40 * DAY])
@pytest.mark.parametrize(("phase", "name", "to"), ANSWERS)
def test_an_answer_received_at_its_due_time_or_later_is_told_what_fell_due(phase, name, to, late) -> None:
    desk = PHASES[phase]()
    due = desk.due()
    refused = desk.refuse(COMMANDS[name](desk), person(name), at=due + late)
    assert refused.code == "answer_after_due"
    assert refused.facts == {"fell_due": DUE[phase][2], "due_at": rfc3339(due)}
    assert f"the {DUE[phase][2]}'s time ended at {rfc3339(due)}" in refused.detail


@pytest.mark.parametrize(("phase", "name", "to"), [answer for answer in ANSWERS if answer[1] != "notice_accepted"])
def test_a_late_answer_is_told_so_even_where_the_deadline_was_swept_long_before(phase, name, to) -> None:
    desk = PHASES[phase]()
    desk.sweep(desk.due())
    assert desk.refuse(COMMANDS[name](desk), person(name), at=desk.now + DAY).code == "answer_after_due"


def test_what_fell_due_on_another_line_is_not_held_against_an_answer_on_this_one() -> None:
    desk = awaiting_seller(**SHORT_OF_PAYMENTS)
    desk.now = T + DAY
    other = desk.open("damaged", "10.00", lines=(("2", 1),))
    assert desk.refuse(d.Accept(dispute=other), SELLER, at=T + 5 * DAY).code == "not_now"


def test_an_alert_that_passed_is_no_deadline() -> None:
    desk = verifying()
    desk.rule("out_of_scope")
    refused = desk.refuse(d.Rule(dispute=desk.dispute, finding="justified", reason="late"), ACTORS["agent"], at=T + DAY)
    assert refused.code == "not_now"


def test_a_changed_claim_restarts_the_sellers_clock() -> None:
    desk = awaiting_seller()
    desk.now = T + 4 * DAY
    desk.do(d.ChangeClaim(dispute=desk.dispute, amount=eur("20.00")), BUYER)
    assert desk.due() == T + 9 * DAY


@pytest.mark.parametrize("phase", ["verifying", "notifying"])
def test_a_changed_claim_leaves_the_platforms_clock(phase: str) -> None:
    desk = PHASES[phase]()
    due = desk.due()
    desk.now = T + DAY / 2
    desk.do(d.ChangeClaim(dispute=desk.dispute, amount=eur("20.00")), BUYER)
    assert desk.due() == due


def test_the_sellers_clock_starts_when_the_notice_is_accepted_and_anew_after_a_bounce() -> None:
    desk = notifying()
    desk.now = T + 2 * DAY
    desk.do(d.NoticeAccepted(dispute=desk.dispute, notice=desk.state().notice), MAIL)
    assert desk.due() == T + 7 * DAY

    desk.now = T + 6 * DAY
    desk.do(d.NoticeBounced(dispute=desk.dispute, notice=desk.state().notice), MAIL)
    assert (desk.state().phase, desk.due()) == ("notifying", T + 13 * DAY)

    desk.do(d.ServeNotice(dispute=desk.dispute), ACTORS["agent"])
    desk.do(d.NoticeAccepted(dispute=desk.dispute, notice=desk.state().notice), MAIL)
    assert (desk.state().phase, desk.due()) == ("awaiting_seller", T + 11 * DAY)


def test_a_notice_served_again_or_a_changed_claim_outdates_the_one_before() -> None:
    for again in (d.ServeNotice, lambda dispute: d.ChangeClaim(dispute=dispute, amount=eur("20.00"))):
        desk = notifying()
        first = desk.state().notice
        command = again(dispute=desk.dispute)
        desk.do(command, person(tag_of(command)))
        desk.do(d.NoticeAccepted(dispute=desk.dispute, notice=first), MAIL)
        assert desk.state().phase == "notifying"


def test_the_platforms_own_delay_never_counts_against_the_store() -> None:
    for phase in ("verifying", "notifying"):
        desk = PHASES[phase]()
        desk.sweep(desk.due())
        desk.report(desk.send(), "paid")
        state = desk.state()
        assert (state.outcome, state.fault.state, state.fault.why) == ("refunded", "exempt", "platform_timeout")


def test_where_policy_verifies_what_is_not_covered_the_platform_pays_for_its_delay() -> None:
    text = policy_text()
    where = text.index('name = "not_covered"')
    policy = text[:where] + text[where:].replace('"seller"', '"verify"', 1).replace('"seller"', '"platform"', 1)
    desk = verifying(covered=False, policy=policy)
    desk.sweep(desk.due())
    assert desk.state().refunds[-1].payer == "platform"


def test_the_last_second_of_a_phase_names_its_default_outcome() -> None:
    promised = {phase: phases.default_outcome(build().state()) for phase, build in PHASES.items()}
    assert {phase for phase, default in promised.items() if default} == set(DUE) & set(PHASES) | {"awaiting_funds"}
    assert promised["awaiting_funds"] == "treasury_adds"
    assert {where: phases.default_outcome(given[0]().state()) for where, given in DUE.items()} == {
        "verifying": "buyers_amount_by_fund",
        "notifying": "buyers_amount_by_platform",
        "awaiting_seller": "buyers_amount_by_seller",
        "awaiting_buyer": "lapses",
        "adjudicating": "buyers_amount_by_fund",
        "awaiting_return": "lapses",
        "return_in_transit": "platform_decides",
        "awaiting_replacement": "buyers_refund_by_seller",
        "a label that never came": "buyers_amount_by_fund",
        "a seller who is short": "platform_advances",
        "an offer": "sellers_offer",
        "a return that came back": "refund",
        "a return that was reported": "buyers_amount_by_fund",
        "a replacement on its way": "platform_decides",
        "an appeal": "ruling_stands",
        "a refund that no way can pay": "unclaimed",
        "a replacement that came": "replaced",
    }


def test_after_three_days_the_treasury_adds_what_the_fund_lacks() -> None:
    desk = awaiting_funds()
    assert desk.sweep(T + 3 * DAY - SECOND) == []
    _, added = desk.sweep(T + 3 * DAY)
    assert (added.minor, desk.balance("fund:available"), desk.balance(BACKSTOP)) == (1, "40.00", "-0.01")
    desk.serve()
    assert (desk.state().phase, desk.balance("fund:available")) == ("refunding", "0.00")


def test_where_others_wait_too_the_treasury_adds_all_that_a_refund_takes() -> None:
    desk = verifying(fund="39.99", queue=1)
    desk.rule()
    _, added = desk.sweep(T + 3 * DAY)
    assert added.minor == eur("40.00")


def test_at_its_cap_the_treasury_adds_no_more_and_everybody_is_told_each_day() -> None:
    desk = verifying(fund="10.00", policy=next_policy("2026.1", backstop='"25.00"'))
    desk.rule()
    told = len(desk.effects)
    steps = [[e.minor for e in desk.sweep(T + day * DAY) if isinstance(e, FundsAwaited)] for day in (3, 4, 5)]
    assert steps == [[eur("25.00")], [0], [0]]
    assert (desk.state().phase, desk.balance("fund:available")) == ("awaiting_funds", "35.00")
    tellings = [(e.kind, e.what) for e in desk.effects[told:] if e.kind != "serve"]
    assert tellings == [("alert", "awaiting_funds_overdue"), ("mail", "still_waiting")] * 3
    desk.top_up("5.00")
    desk.serve()
    assert desk.state().phase == "refunding"


def test_after_a_month_nobody_is_told_again_and_the_refund_waits_on() -> None:
    desk = verifying(fund="10.00", policy=next_policy("2026.1", backstop='"0"'))
    desk.rule()
    told = [event for event in desk.sweep(T + 900 * DAY) if isinstance(event, FundsAwaited)]
    assert (len(told), told[-1].at, desk.state().phase) == (30, T + 32 * DAY, "awaiting_funds")
    desk.top_up("30.00")
    desk.serve()
    assert desk.state().phase == "refunding"


def test_a_late_sweep_adds_day_by_day_what_a_punctual_one_would() -> None:
    punctual, late = awaiting_funds(), awaiting_funds()
    for day in (3, 4, 5, 6):
        punctual.sweep(T + day * DAY)
    late.sweep(T + 6 * DAY)
    assert (late.events, late.transfers) == (punctual.events, punctual.transfers)


@pytest.mark.parametrize("phase", ["awaiting_seller", "awaiting_buyer", "awaiting_return", "awaiting_replacement"])
def test_a_person_is_reminded_two_days_one_day_and_two_hours_before_the_end(phase: str) -> None:
    desk = PHASES[phase]()
    end = desk.due()
    for before in (48, 24, 2):
        at = end - timedelta(hours=before)
        assert run_out(desk.sweep(at - SECOND)) == []
        assert [e.kind for e in desk.sweep(at)] == ["reminder"]
    told = [e.to for e in desk.effects if e.what == "reminder"]
    assert told == [phases.WAITS_FOR[phase]] * 3


# --- a negotiation and its end -------------------------------------------------------------------------------------


def test_counter_offers_do_not_move_the_day_on_which_the_platform_decides() -> None:
    desk = awaiting_seller()
    for day in (4, 8, 12):
        desk.now = T + day * DAY
        desk.do(d.Reject(dispute=desk.dispute, reason="proof_of_delivery"), SELLER)
        desk.do(d.Counter(dispute=desk.dispute, amount=eur("40.00") - day), BUYER)
    assert desk.due() == T + 15 * DAY
    assert phases.default_outcome(desk.state()) == "platform_decides"
    assert [type(e) for e in desk.sweep(T + 15 * DAY)] == [d.Escalated]
    assert desk.state().phase == "adjudicating"


def test_an_offer_above_the_claim_or_equal_to_it_is_no_offer() -> None:
    desk = awaiting_seller()
    for amount, code in (("40.01", "amount_above_claim"), ("40.00", "offer_is_claim"), ("0", "bad_amount")):
        offer = d.MakeOffer(dispute=desk.dispute, amount=eur(amount))
        assert desk.refuse(offer, SELLER).code == code
    with_money = d.MakeOffer(dispute=desk.dispute, amount=1, remedy="replacement")
    assert desk.refuse(with_money, SELLER).code == "bad_amount"


@pytest.mark.parametrize(("asked", "remedy"), [("refund", "refund"), ("return_refund", "refund")])
def test_a_counter_for_no_more_than_is_offered_is_refused(asked: Any, remedy: Any) -> None:
    desk = awaiting_seller(asked)
    desk.do(d.MakeOffer(dispute=desk.dispute, amount=eur("20.00"), remedy=remedy), SELLER)
    for amount in ("20.00", "10.00"):
        assert desk.refuse(d.Counter(dispute=desk.dispute, amount=eur(amount)), BUYER).code == "claim_is_offer"
    desk.do(d.Counter(dispute=desk.dispute, amount=eur("20.01")), BUYER)
    assert desk.state().phase == "awaiting_seller"


@pytest.mark.parametrize("remedy", ["return_refund", "replacement"])
def test_less_may_be_asked_for_than_is_offered_on_other_terms(remedy: Any) -> None:
    desk = offered(remedy)
    desk.do(d.Counter(dispute=desk.dispute, amount=eur("10.00")), BUYER)
    assert desk.state().phase == "awaiting_seller"


def test_a_rejection_takes_the_offer_back_and_a_counter_does_too() -> None:
    desk = offered()
    desk.do(d.Counter(dispute=desk.dispute, amount=eur("30.00")), BUYER)
    assert desk.state().offer is None
    desk.do(d.Reject(dispute=desk.dispute, reason="no_more"), SELLER)
    assert desk.refuse(d.AcceptOffer(dispute=desk.dispute), BUYER).code == "no_offer"


def test_the_sellers_turns_that_ended_are_counted_with_those_answered_in_time() -> None:
    desk = offered()
    assert (desk.state().asked, desk.state().answered) == (1, 1)
    desk.do(d.Counter(dispute=desk.dispute, amount=eur("30.00")), BUYER)
    desk.sweep(T + 5 * DAY)
    assert (desk.state().asked, desk.state().answered) == (2, 1)
    accepted = awaiting_seller()
    accepted.do(d.Accept(dispute=accepted.dispute), SELLER)
    assert (accepted.state().asked, accepted.state().answered) == (1, 1)


def test_adjudication_says_remedy_payer_and_fault_each_by_itself() -> None:
    for payer in ("seller", "fund", "platform"):
        for fault in ("counted", "exempt"):
            desk = adjudicating()
            desk.do(
                d.Rule(dispute=desk.dispute, finding="justified", reason="seen", payer=payer, fault=fault),
                ACTORS["agent"],
            )
            desk.report(desk.send(), "paid")
            state = desk.state()
            assert d.funding_of(state) == ((payer, eur("40.00")),)
            assert (state.fault.state, state.resolved_by, state.adjudicated) == (fault, "adjudication", True)


def test_the_policy_alone_says_who_pays_after_verification() -> None:
    desk = verifying()
    for changed in ({"payer": "platform"}, {"fault": "exempt"}):
        ruling = d.Rule(dispute=desk.dispute, finding="justified", reason="seen", **changed)
        assert desk.refuse(ruling, ACTORS["agent"]).code == "bad_ruling"


def test_the_fund_never_pays_for_what_it_does_not_cover_whatever_is_ruled() -> None:
    desk = adjudicating(covered=False)
    ruling = d.Rule(dispute=desk.dispute, finding="justified", reason="seen", payer="fund")
    assert desk.refuse(ruling, ACTORS["agent"]).code == "bad_ruling"


def test_evidence_is_asked_for_two_days_and_asked_again_for_two_days_from_then() -> None:
    desk = adjudicating()
    due = desk.due()
    desk.do(COMMANDS["request_evidence"](desk), ACTORS["agent"])
    desk.now = T + DAY
    desk.do(d.RequestEvidence(dispute=desk.dispute, party="seller", note="The slip, too."), ACTORS["agent"])
    assert desk.due() == due
    assert desk.sweep(T + 2 * DAY) == []
    assert [type(e) for e in desk.sweep(T + 3 * DAY)] == [d.EvidenceClosed]
    assert not any(timer.kind == "evidence" for timer in desk.state().timers)


# --- the agents' queue --------------------------------------------------------------------------------------------


def test_who_claimed_a_dispute_alone_decides_it_until_it_is_released() -> None:
    desk = claimed()
    assert (desk.state().claimed_by, desk.due()) == ("agent:lee", T + 14 * DAY)
    for name in ("rule", "request_evidence", "claim", "release"):
        refused = desk.refuse(COMMANDS[name](desk), SUE)
        assert (refused.code, refused.facts["claimed_by"]) == ("claimed", "agent:lee")
    desk.do(d.WriteMessage(dispute=desk.dispute, message="I have seen this store before."), SUE)
    desk.do(d.ReleaseCase(dispute=desk.dispute), AGENT)
    assert desk.refuse(d.ReleaseCase(dispute=desk.dispute), AGENT).code == "not_claimed"
    desk.do(COMMANDS["rule"](desk), SUE)
    assert desk.state().phase == "refunding"


def test_a_claim_lapses_by_itself_and_begins_anew_where_it_is_claimed_again() -> None:
    desk = claimed()
    desk.now = T + CLAIM_LASTS - SECOND
    assert desk.refuse(COMMANDS["claim"](desk), SUE).code == "claimed"
    desk.do(COMMANDS["claim"](desk), AGENT)
    desk.now = T + CLAIM_LASTS
    assert desk.refuse(COMMANDS["claim"](desk), SUE).code == "claimed"
    desk.now = T + 2 * CLAIM_LASTS - SECOND
    assert desk.refuse(COMMANDS["release"](desk), AGENT, at=desk.now + SECOND).code == "not_claimed"
    desk.do(COMMANDS["claim"](desk), SUE, at=desk.now + SECOND)
    assert desk.state().claimed_by == "agent:sue"


def test_a_claim_moves_no_timer_and_ends_with_its_phase() -> None:
    for phase in ("verifying", "notifying", "adjudicating"):
        free, taken = PHASES[phase](), claimed(PHASES[phase])
        assert taken.state().timers == free.state().timers
        assert taken.sweep(T + 30 * DAY) == free.sweep(T + 30 * DAY)
    handed = claimed(notifying)
    assert handed.refuse(d.ServeNotice(dispute=handed.dispute), SUE).code == "claimed"
    handed.do(d.NoticeAccepted(dispute=handed.dispute, notice=handed.state().notice), MAIL)
    assert (handed.state().claimed_by, handed.state().claimed_until) == ("", None)


# --- fraud, which takes two people --------------------------------------------------------------------------------


def test_a_ruling_of_fraud_holds_when_a_second_person_signs_and_not_before() -> None:
    desk = proposed()
    assert (desk.state().phase, desk.state().refunds) == ("verifying", ())
    assert desk.state().timers == verifying().state().timers
    assert desk.refuse(d.Sign(dispute=desk.dispute), SUE).code == "same_person"
    assert desk.refuse(d.Sign(dispute=desk.dispute), Actor("agent")).code == "same_person"
    desk.do(d.Sign(dispute=desk.dispute), AGENT)
    ruled = next(e for e in desk.events if isinstance(e, d.DisputeRuled))
    assert (ruled.fraud, ruled.proposed_by, ruled.by) == ("seller", "agent:sue", "agent:lee")
    assert desk.state().fraud == "seller"


def test_a_sellers_fraud_is_what_the_seller_pays_for_though_the_order_is_covered() -> None:
    for start in (verifying, adjudicating):
        desk = proposed(start)
        desk.do(d.Sign(dispute=desk.dispute), AGENT)
        desk.report(desk.send(), "paid")
        state = desk.state()
        assert d.funding_of(state) == (("seller", eur("40.00")),)
        assert (state.outcome, state.resolved_by, state.fault.state) == ("refunded", "adjudication", "counted")
        assert (desk.balance("fund:available"), desk.balance("store:oak:payable")) == ("1000.00", "0.00")


def test_a_buyers_fraud_is_not_paid_for_and_the_seller_gets_back_what_was_put_aside() -> None:
    desk = proposed(reported, "buyer", finding="unjustified")
    assert desk.balance("store:oak:held") == "40.00"
    desk.do(d.Sign(dispute=desk.dispute), AGENT)
    assert (desk.state().outcome, desk.state().fraud, desk.state().fault.state) == ("rejected", "buyer", "exempt")
    assert (desk.balance("store:oak:held"), desk.balance("store:oak:payable")) == ("0.00", "40.00")


def test_a_ruling_of_fraud_that_nobody_signed_lapses_with_the_turn() -> None:
    desk = proposed()
    desk.sweep(T + 14 * DAY)
    state = desk.state()
    assert (state.phase, state.proposed, state.fraud) == ("refunding", None, "")
    assert state.refunds[-1].payer == "fund"
    assert desk.refuse(d.Sign(dispute=desk.dispute), AGENT).code == "answer_after_due"


def test_what_was_proposed_is_replaced_by_another_ruling() -> None:
    desk = proposed()
    desk.do(d.Rule(dispute=desk.dispute, finding="unjustified", reason="staged", fraud="buyer"), AGENT)
    assert desk.refuse(d.Sign(dispute=desk.dispute), AGENT).code == "same_person"
    desk.rule()
    assert (desk.state().phase, desk.state().proposed) == ("refunding", None)
    assert verifying().refuse(d.Sign(dispute=desk.dispute), AGENT).code == "not_proposed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"finding": "out_of_scope", "fraud": "seller"},
        {"finding": "justified", "fraud": "buyer"},
        {"finding": "justified", "fraud": "seller", "payer": "fund"},
        {"finding": "unjustified", "fraud": "buyer", "fault": "counted"},
    ],
)
def test_a_ruling_of_fraud_says_by_itself_who_pays_and_what_counts(wrong: dict[str, Any]) -> None:
    for desk in (verifying(), adjudicating()):
        assert desk.refuse(d.Rule(dispute=desk.dispute, reason="seen", **wrong), AGENT).code == "bad_ruling"
    nobody = d.Rule(dispute=desk.dispute, reason="seen", finding="justified", fraud="seller")
    assert desk.refuse(nobody, Actor("agent")).code == "bad_ruling"


# --- goods on their way --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["confirm_return", "report_return"])
def test_goods_that_the_fund_paid_for_go_to_the_platform_all_others_to_the_seller(name: str) -> None:
    for build, stranger in ((return_in_transit, "platform"), (covered_return_in_transit, "seller")):
        desk = build()
        assert desk.refuse(COMMANDS[name](desk), ACTORS[stranger]).code == "not_yours"


def test_a_return_that_lapses_or_is_withdrawn_gives_the_seller_everything_back() -> None:
    for deposit in ("0", "10.00"):
        for end in (lambda desk: desk.sweep(T + 10 * DAY), lambda desk: desk.do(COMMANDS["withdraw"](desk), BUYER)):
            desk = awaiting_return(deposit=deposit, commission="15.00")
            assert desk.balance("store:oak:held") == "40.00"
            end(desk)
            assert desk.state().phase == "closed"
            left = [desk.balance(f"store:oak:{kind}") for kind in ("held", "payable", "deposit", "receivable")]
            assert left == ["0.00", "25.00", money.decimal(eur(deposit), "EUR"), "0.00"]


def test_a_return_found_wanting_may_bring_less_and_the_rest_goes_back_to_the_seller() -> None:
    desk = reported()
    desk.rule(amount=eur("10.00"))
    desk.report(desk.send(), "paid")
    assert (desk.balance("store:oak:held"), desk.balance("store:oak:payable")) == ("0.00", "30.00")
    assert (desk.state().outcome, desk.state().resolved_by) == ("partially_refunded", "adjudication")


def test_the_fund_pays_for_a_covered_return_when_the_goods_are_back() -> None:
    desk = covered_return_in_transit()
    assert desk.moved() == []
    desk.do(d.ConfirmReturn(dispute=desk.dispute), ACTORS["platform"])
    desk.report(desk.send(), "paid")
    assert (desk.state().outcome, desk.state().resolved_by) == ("refunded", "guarantee")
    assert desk.balance("store:oak:payable") == "40.00"


def test_a_replacement_is_shipped_once_and_scanned_once_and_counts_as_agreed() -> None:
    desk = replacement_there()
    assert desk.refuse(COMMANDS["ship_replacement"](desk), SELLER).code == "shipped_before"
    before = desk.contents()
    desk.do(d.ScanReplacement(dispute=desk.dispute), ACTORS["platform"])
    assert desk.contents() == before
    desk.sweep(T + 15 * DAY)
    state = desk.state()
    assert (state.outcome, state.resolved_by, state.fault.state) == ("replaced", "agreement", "counted")
    assert desk.moved() == []


def test_a_withdrawn_dispute_is_taken_up_again_once_and_in_the_window() -> None:
    desk = withdrawn()
    desk.do(d.Reopen(dispute=desk.dispute), BUYER)
    assert (desk.state().fault.state, desk.state().outcome) == ("pending", "")
    desk.do(d.Withdraw(dispute=desk.dispute), BUYER)
    assert desk.refuse(d.Reopen(dispute=desk.dispute), BUYER).code == "reopened_before"
    assert withdrawn().refuse(d.Reopen(dispute=desk.dispute), BUYER, at=T + 14 * DAY).code == "outside_window"
    assert closed().refuse(d.Reopen(dispute=desk.dispute), BUYER).code == "not_withdrawn"


def test_the_system_itself_passes_time() -> None:
    desk = awaiting_seller()
    events = desk.sweep(T + 5 * DAY)
    assert {event.by for event in events} == {str(SYSTEM)}


def test_what_is_taken_up_again_after_it_was_handed_over_is_the_guarantees_anew() -> None:
    desk = withdrawn(handed_over)
    assert desk.state().payer == "seller"
    desk.do(d.Reopen(dispute=desk.dispute), BUYER)
    state = desk.state()
    assert (state.phase, state.payer, state.notice) == ("verifying", "fund", 0)
    desk.rule()
    desk.report(desk.send(), "paid")
    assert d.funding_of(desk.state()) == (("fund", eur("40.00")),)
    assert desk.balance("store:oak:payable") == "40.00"


def test_what_a_person_had_ruled_is_forgotten_when_a_withdrawn_dispute_is_taken_up_again() -> None:
    desk = adjudicating()
    desk.rule(remedy="return_refund", fault="exempt", payer="platform")
    desk.do(d.Withdraw(dispute=desk.dispute), BUYER)
    desk.do(d.Reopen(dispute=desk.dispute), BUYER)
    state = desk.state()
    assert (state.phase, state.payer, state.parcel, state.ruled) == ("awaiting_seller", "seller", None, "")
    desk.do(d.Accept(dispute=desk.dispute), SELLER)
    desk.report(desk.send(), "paid")
    assert desk.state().fault.state == "counted"


def test_a_ruling_of_fraud_is_of_the_claim_as_it_was_and_falls_when_the_buyer_asks_for_more() -> None:
    desk = Desk()
    desk.open("damaged", "10.00")
    desk.rule(fraud="seller")
    desk.do(d.ChangeClaim(dispute=desk.dispute, amount=eur("40.00")), BUYER)
    assert desk.state().proposed is None
    assert desk.refuse(d.Sign(dispute=desk.dispute), SUE).code == "not_proposed"


def test_a_store_short_of_money_waits_for_it_after_a_ruling_of_fraud_too() -> None:
    desk = proposed(lambda: verifying(**SHORT_OF_MONEY))
    desk.do(d.Sign(dispute=desk.dispute), AGENT)
    assert (desk.state().phase, desk.state().refunds[0].waits) == ("awaiting_funds", "store:oak:payable")
