"""Every cell of the table of turns: each command in each phase, by everybody; and every deadline, to the second."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
from msgspec import Struct

from core.pure import ACTORS, SHORT_OF_PAYMENTS, Desk
from given import BUYER, DAY, MAIL, SECOND, SELLER, T, eur, opening
from houbao.core import disputes as d
from houbao.core.refunds import ReportRefund, ResolveRefund, SendRefund
from houbao.core.terms import SYSTEM, Actor, Role, tag_of
from houbao.shipped import policy_text

# --- a desk in each phase ------------------------------------------------------------------------------------------


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


def awaiting_seller(**given: Any) -> Desk:
    """A parcel not received: the seller's turn from the start, by R11."""
    desk = Desk(**given)
    desk.open("in_transit_overdue", "40.00")
    return desk


def awaiting_buyer() -> Desk:
    desk = awaiting_seller()
    desk.do(d.Reject(dispute=desk.dispute, reason="proof_of_delivery"), SELLER)
    return desk


def awaiting_funds() -> Desk:
    desk = verifying(fund="39.99")
    desk.rule()
    return desk


def refunding() -> Desk:
    desk = verifying()
    desk.rule()
    return desk


def sent() -> Desk:
    desk = refunding()
    desk.send()
    return desk


def closed() -> Desk:
    desk = sent()
    desk.report(attempt_of(desk), "paid")
    return desk


def nothing_left(desk: Desk) -> Desk:
    """The same desk, after a dispute on another line took all that had been paid."""
    other = desk.open("damaged", "40.00", lines=(("2", 1),))
    desk.rule(dispute=other)
    return desk


PHASES: dict[str, Callable[[], Desk]] = {
    "verifying": verifying,
    "notifying": notifying,
    "awaiting_seller": awaiting_seller,
    "awaiting_buyer": awaiting_buyer,
    "awaiting_funds": awaiting_funds,
    "refunding": refunding,
    "closed": closed,
}


def attempt_of(desk: Desk) -> int:
    refund = desk.state().refund
    return refund.shares[0].attempt if refund else 0


COMMANDS: dict[str, Callable[[Desk], Any]] = {
    "rule": lambda desk: d.Rule(dispute=desk.dispute, finding="justified", reason="photos"),
    "change_claim": lambda desk: d.ChangeClaim(dispute=desk.dispute, amount=eur("20.00")),
    "withdraw": lambda desk: d.Withdraw(dispute=desk.dispute),
    "accept": lambda desk: d.Accept(dispute=desk.dispute),
    "reject": lambda desk: d.Reject(dispute=desk.dispute, reason="proof_of_delivery"),
    "serve_notice": lambda desk: d.ServeNotice(dispute=desk.dispute),
    "notice_accepted": lambda desk: d.NoticeAccepted(dispute=desk.dispute, notice=desk.state().notice),
    "notice_bounced": lambda desk: d.NoticeBounced(dispute=desk.dispute, notice=desk.state().notice),
    "send_refund": lambda desk: SendRefund(dispute=desk.dispute, payment="card"),
    "report_refund": lambda desk: ReportRefund(dispute=desk.dispute, attempt=attempt_of(desk), result="paid"),
    "resolve_refund": lambda desk: ResolveRefund(dispute=desk.dispute, how="abandon"),
    "pass_time": lambda desk: d.PassTime(dispute=desk.dispute),
}
"""Every command on a dispute, as it is meant."""

PERMITTED: dict[str, set[str]] = {
    name: {role for turns in d.TURNS.values() if name in turns for role in turns[name].by} for name in COMMANDS
}
PERMITTED["pass_time"] = {"system"}


def test_the_tables_here_name_every_phase_command_and_role() -> None:
    assert set(COMMANDS) == {command.__struct_config__.tag for command in get_args(d.DisputeCommand)}
    assert set(PHASES) == set(d.TURNS) == set(d.WAITS_FOR) == set(get_args(d.Phase))
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
    case("closed", "send_refund", "closed"),
    case("closed", "report_refund", "closed"),
    case("closed", "report_refund", "refunding", result="returned"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_the_table_accepts_leads_where_the_table_says(case: Case) -> None:
    for role in d.TURNS[case.phase][case.name].by:
        desk = case.given()
        assert desk.state().phase == case.phase
        desk.do(case.command(desk), ACTORS[role])
        assert desk.state().phase == case.to


@pytest.mark.parametrize("phase", d.TURNS)
def test_the_table_names_every_phase_that_can_be_reached_and_no_other(phase: str) -> None:
    reached: dict[str, set[str]] = {}
    for known in CASES:
        if known.phase == phase:
            reached.setdefault(known.name, set()).add(known.to)
    assert reached == {name: set(turn.to) for name, turn in d.TURNS[phase].items()}


# --- cells that the table does not accept, and people who may not --------------------------------------------------

CELLS = [(phase, name) for phase in d.TURNS for name in COMMANDS]


@pytest.mark.parametrize(("phase", "name"), [c for c in CELLS if c[1] not in d.TURNS[c[0]] and c[1] != "pass_time"])
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


@pytest.mark.parametrize("phase", d.TURNS)
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


@pytest.mark.parametrize("phase", [phase for phase in d.TURNS if phase != "closed"])
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

# Phase → how long it waits, who lets it pass, and then: the next phase, who pays, why it is over.
DUE = {
    "verifying": (14 * DAY, "platform", "refunding", "fund", "platform_timeout"),
    "notifying": (7 * DAY, "platform", "refunding", "platform", "platform_timeout"),
    "awaiting_seller": (5 * DAY, "seller", "refunding", "seller", "seller_timeout"),
    "awaiting_buyer": (7 * DAY, "buyer", "closed", "", "buyer_timeout"),
}


def run_out(events: list[Any]) -> list[str]:
    return [event.turn for event in events if isinstance(event, d.TimedOut)]


def test_every_phase_that_waits_for_a_person_or_a_server_has_a_due_time() -> None:
    assert {phase for phase, build in PHASES.items() if d.due_at(build().state())} == set(DUE)


@pytest.mark.parametrize("phase", DUE)
def test_one_second_before_its_time_nothing_happens_and_at_its_time_the_default(phase: str) -> None:
    wait, turn, then, payer, resolved_by = DUE[phase]
    desk = PHASES[phase]()
    assert desk.due() == T + wait
    assert run_out(desk.sweep(T + wait - SECOND)) == []
    assert desk.state().phase == phase

    assert run_out(desk.sweep(T + wait)) == [turn]
    state = desk.state()
    assert (state.phase, state.resolved_by) == (then, resolved_by)
    assert (state.refund.payer if state.refund else "") == payer
    if state.refund:
        assert state.refund.minor == state.amount == eur("40.00")


@pytest.mark.parametrize("phase", DUE)
def test_a_late_sweep_gives_the_very_events_of_a_punctual_one(phase: str) -> None:
    punctual, late = PHASES[phase](), PHASES[phase]()
    end = punctual.due()
    while (timers := punctual.state().timers) and punctual.state().phase == phase:
        punctual.sweep(min(timer.at for timer in timers))
    late.sweep(end + 30 * DAY)

    assert late.events == punctual.events
    assert late.transfers == punctual.transfers
    assert late.effects == punctual.effects
    assert late.events[-1].at == end


@pytest.mark.parametrize("phase", DUE)
def test_a_second_sweep_changes_nothing(phase: str) -> None:
    desk = PHASES[phase]()
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
    assert refused.facts == {"fell_due": DUE[phase][1], "due_at": due.isoformat()}
    assert f"the {DUE[phase][1]}'s time ended at {due.isoformat()}" in refused.detail


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
    assert desk.state().refund is not None
    assert desk.state().refund.payer == "platform"


def test_the_last_second_of_a_phase_names_its_default_outcome() -> None:
    promised = {phase: d.default_outcome(build().state()) for phase, build in PHASES.items()}
    assert {phase for phase, default in promised.items() if default} == set(DUE)


def test_money_that_waits_is_told_after_three_days_and_goes_on_waiting() -> None:
    desk = awaiting_funds()
    assert desk.sweep(T + 3 * DAY - SECOND) == []
    assert [(e.kind, e.phase) for e in desk.sweep(T + 3 * DAY)] == [("overdue", "awaiting_funds")]
    assert desk.sweep(T + 30 * DAY) == []
    assert desk.state().phase == "awaiting_funds"


def test_the_buyer_is_reminded_once_a_day_before_the_end() -> None:
    desk = awaiting_buyer()
    assert [e.kind for e in desk.sweep(T + 6 * DAY)] == ["reminder"]
    assert run_out(desk.sweep(T + 7 * DAY - SECOND)) == []
    assert run_out(desk.sweep(T + 7 * DAY)) == ["buyer"]
    assert [e.kind for e in desk.events if isinstance(e, d.Alerted)] == ["reminder"]


def test_the_system_itself_passes_time() -> None:
    desk = awaiting_seller()
    events = desk.sweep(T + 5 * DAY)
    assert {event.by for event in events} == {str(SYSTEM)}
