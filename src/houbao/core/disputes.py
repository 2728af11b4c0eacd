"""The life of a dispute. TURNS below is the table: which command, by whom, in which phase, and where it may lead.

Remedy, funding and fault are three decisions kept apart: the refund, who pays it, and whether it counts against the
store. A deadline is a rule: `fall_due` says what happens by itself, and a late system says it with the due time.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, structs

from houbao.core import money
from houbao.core.orders import REASONS, Order, line_worth, protection_window, refundable
from houbao.core.policy import Compiled, Facts, Miss, Ruling, assess
from houbao.core.policy import Timers as Waits
from houbao.core.refunds import (
    DisputeEvent,
    FundsReserved,
    Head,
    Move,
    Refund,
    RefundApproved,
    RefundContradicted,
    RefundEvent,
    RefundFailed,
    RefundPaid,
    RefundResolved,
    RefundReturned,
    RefundSent,
    RefundUnknown,
    ReportRefund,
    ResolveRefund,
    Scene,
    SendRefund,
    Timer,
    approve,
    decide_report,
    decide_resolve,
    decide_send,
    evolve_refund,
    paid_minor,
)
from houbao.core.terms import Record, Refused, Role, check_reference

Phase = Literal["verifying", "notifying", "awaiting_seller", "awaiting_buyer", "awaiting_funds", "refunding", "closed"]
MOST_EVIDENCE = 20
MOST_TEXT = 5000

# --- commands ------------------------------------------------------------------------------------------------------


class OpenDispute(Record, frozen=True, kw_only=True, tag="open"):
    """The buyer asks for `amount` (minor units) back on some pieces of some lines. `evidence` are SHA-256 digests of
    photos, `statement` the buyer's own words (kept erasable)."""

    order: int
    lines: tuple[tuple[str, int], ...]
    reason: str
    amount: int
    remedy: str = "refund"
    statement: str = ""
    evidence: tuple[str, ...] = ()
    reference: str = ""


class Rule(Record, frozen=True, kw_only=True, tag="rule"):
    """The agent's finding after verification. `amount` (minor units) when less than claimed; `reason` a short code."""

    dispute: int
    finding: Literal["justified", "unjustified", "out_of_scope"]
    reason: str
    amount: int | None = None
    note: str = ""


class ChangeClaim(Record, frozen=True, kw_only=True, tag="change_claim"):
    """The buyer asks for another amount (minor units); the clock of the turn starts anew where the seller answers."""

    dispute: int
    amount: int
    note: str = ""


class Withdraw(Record, frozen=True, kw_only=True, tag="withdraw"):
    """The buyer takes the dispute back; it then counts nowhere (R15)."""

    dispute: int


class Accept(Record, frozen=True, kw_only=True, tag="accept"):
    """The seller agrees to the buyer's amount."""

    dispute: int


class Reject(Record, frozen=True, kw_only=True, tag="reject"):
    """The seller disagrees, with a reason code and words of their own."""

    dispute: int
    reason: str
    note: str = ""


class ServeNotice(Record, frozen=True, kw_only=True, tag="serve_notice"):
    """An agent has the official notice sent again."""

    dispute: int


class NoticeAccepted(Record, frozen=True, kw_only=True, tag="notice_accepted"):
    """The mail server accepted the official notice `notice`."""

    dispute: int
    notice: int
    message_id: str = ""


class NoticeBounced(Record, frozen=True, kw_only=True, tag="notice_bounced"):
    """The official notice could not be delivered."""

    dispute: int
    notice: int
    why: str = ""


class PassTime(Record, frozen=True, kw_only=True, tag="pass_time"):
    """Nobody acts: what fell due happens."""

    dispute: int


DisputeCommand = (
    Rule
    | ChangeClaim
    | Withdraw
    | Accept
    | Reject
    | ServeNotice
    | NoticeAccepted
    | NoticeBounced
    | PassTime
    | SendRefund
    | ReportRefund
    | ResolveRefund
)

# --- events --------------------------------------------------------------------------------------------------------


class DisputeOpened(Move, frozen=True, kw_only=True, tag="dispute_opened"):
    """A dispute, with what the policy said of it: the rule, and why no earlier rule matched."""

    buyer: str
    currency: str
    lines: tuple[tuple[str, int], ...]
    reason: str
    amount: int
    remedy: str
    route: str
    rule: str
    payer: str
    fault: str
    covered: bool
    policy: str
    misses: tuple[Miss, ...]
    evidence: tuple[str, ...] = ()
    reference: str = ""


class DisputeRuled(Move, frozen=True, kw_only=True, tag="dispute_ruled"):
    """An agent's finding."""

    finding: str
    reason: str


class ClaimChanged(Move, frozen=True, kw_only=True, tag="claim_changed"):
    """The buyer asks for another amount; the policy was assessed again."""

    amount: int
    rule: str
    misses: tuple[Miss, ...]


class SellerRejected(Move, frozen=True, kw_only=True, tag="seller_rejected"):
    """The seller disagreed."""

    reason: str


class NoticeServed(DisputeEvent, frozen=True, kw_only=True, tag="notice_served"):
    """The official notice goes out again."""


class NoticeStood(Move, frozen=True, kw_only=True, tag="notice_stood"):
    """The notice was accepted by the mail server and stands here, in the timeline: the seller's clock starts."""

    notice: int
    message_id: str = ""


class NoticeFailed(Move, frozen=True, kw_only=True, tag="notice_failed"):
    """The notice bounced: the clock does not run."""

    notice: int
    why: str = ""


class TimedOut(DisputeEvent, frozen=True, kw_only=True, tag="timed_out"):
    """A party's time ended; what follows is the default."""

    turn: str
    due_at: datetime


class Alerted(DisputeEvent, frozen=True, kw_only=True, tag="alerted"):
    """Somebody is told that this waits too long, or that their time is nearly over."""

    kind: str
    phase: str


class DisputeClosed(Move, frozen=True, kw_only=True, tag="dispute_closed"):
    """The dispute is over; `state` is the fault's, with the reason why it is exempt."""

    outcome: str
    resolved_by: str
    state: str
    why: str = ""


Event = (
    DisputeOpened
    | DisputeRuled
    | ClaimChanged
    | SellerRejected
    | NoticeServed
    | NoticeStood
    | NoticeFailed
    | TimedOut
    | Alerted
    | DisputeClosed
    | RefundEvent
)

# --- state ---------------------------------------------------------------------------------------------------------


class Fault(Record, frozen=True, kw_only=True):
    """Whether the dispute counts against the store, in which class, and why if it does not."""

    state: Literal["pending", "counted", "exempt"]
    kind: str
    why: str = ""


class Dispute(Record, frozen=True, kw_only=True):
    """A dispute as it stands. `assessed` is the position of the event with the policy's reasons; `notice` that of the
    official notice in force; `history` the positions of all its events."""

    id: int
    store: str
    order: int
    buyer: str
    currency: str
    lines: tuple[tuple[str, int], ...]
    reason: str
    first_amount: int
    amount: int
    remedy: str
    route: str
    rule: str
    payer: str
    covered: bool
    policy: str
    phase: str
    fault: Fault
    opened_at: datetime
    assessed: int
    history: tuple[int, ...]
    reference: str = ""
    timers: tuple[Timer, ...] = ()
    notice: int = 0
    refund: Refund | None = None
    resolved_by: str = ""
    outcome: str = ""
    closed_at: datetime | None = None


# --- the table -----------------------------------------------------------------------------------------------------


class Turn(Struct, frozen=True):
    """Who may do it, and the phases it may lead to."""

    by: tuple[Role, ...]
    to: tuple[str, ...]


PAID = ("refunding", "awaiting_funds")
ENDED = ("closed",)
_WITHDRAW = Turn(("buyer",), ENDED)
_REPORT = Turn(("provider", "system"), ("refunding", "closed"))

TURNS: dict[str, dict[str, Turn]] = {
    "verifying": {
        "rule": Turn(("agent",), (*PAID, "notifying", "closed")),
        "change_claim": Turn(("buyer",), ("verifying",)),
        "withdraw": _WITHDRAW,
    },
    "notifying": {
        "notice_accepted": Turn(("mail",), ("awaiting_seller", "notifying")),
        "notice_bounced": Turn(("mail",), ("notifying",)),
        "serve_notice": Turn(("agent",), ("notifying",)),
        "change_claim": Turn(("buyer",), ("notifying",)),
        "withdraw": _WITHDRAW,
    },
    "awaiting_seller": {
        "accept": Turn(("seller",), ("refunding", "closed")),
        "reject": Turn(("seller",), ("awaiting_buyer",)),
        "change_claim": Turn(("buyer",), ("awaiting_seller",)),
        "withdraw": _WITHDRAW,
        "notice_accepted": Turn(("mail",), ("awaiting_seller",)),
        "notice_bounced": Turn(("mail",), ("notifying", "awaiting_seller")),
    },
    "awaiting_buyer": {"withdraw": _WITHDRAW},
    "awaiting_funds": {"resolve_refund": Turn(("finance",), ENDED)},
    "refunding": {
        "send_refund": Turn(("system",), ("refunding",)),
        "report_refund": _REPORT,
        "resolve_refund": Turn(("finance",), ENDED),
    },
    "closed": {"send_refund": Turn(("system",), ENDED), "report_refund": _REPORT},
}
"""Phase → command → Turn. `open` starts a life and `pass_time` may happen in every phase."""

WAITS_FOR = {
    "verifying": "agent",
    "notifying": "mail",
    "awaiting_seller": "seller",
    "awaiting_buyer": "buyer",
    "awaiting_funds": "finance",
    "refunding": "provider",
    "closed": "",
}


def default_outcome(dispute: Dispute) -> str:
    """What happens when nobody acts until `due_at`: a code for pages to put into words; empty where nothing runs."""
    return {
        "verifying": "buyers_amount_by_fund" if dispute.covered else "buyers_amount_by_platform",
        "notifying": "buyers_amount_by_platform",
        "awaiting_seller": "buyers_amount_by_seller",
        "awaiting_buyer": "lapses",
    }.get(dispute.phase, "")


def due_at(dispute: Dispute) -> datetime | None:
    """When the phase or the money changes by itself."""
    return min((timer.at for timer in dispute.timers if timer.kind == "turn"), default=None)


def timers_of(phase: str, start: datetime, waits: Waits) -> tuple[Timer, ...]:
    """The timers that run in a phase entered at `start`, by the policy in force at opening."""
    match phase:
        case "verifying":
            return (
                Timer(kind="alert", at=start + waits.verification_alert),
                Timer(kind="turn", at=start + waits.verification),
            )
        case "notifying":
            return (Timer(kind="alert", at=start + waits.notice_alert), Timer(kind="turn", at=start + waits.notice))
        case "awaiting_seller":
            return (Timer(kind="turn", at=start + waits.seller_answer),)
        case "awaiting_buyer":
            end = start + waits.buyer_answer
            return (Timer(kind="remind", at=end - waits.buyer_reminder), Timer(kind="turn", at=end))
        case _:
            return ()


# --- opening -------------------------------------------------------------------------------------------------------


class Given(Record, frozen=True, kw_only=True):
    """Facts from outside the part, stored with their date: the buyer's instant sum, standing, the store's watch."""

    instant_sum: int = 0
    buyer_standing: str = "good"
    store_watch: str = "none"


def assess_claim(
    scene: Scene,
    compiled: Compiled,
    others: tuple[Dispute, ...],
    reason: str,
    lines: tuple[tuple[str, int], ...],
    amount: int,
    evidence: bool,
    given: Given,
) -> Ruling:
    """What the policy says of a claim on `lines` of the scene's order, beside the order's `others`.

    Raises Refused with the rule's code where the rule that matches refuses."""
    order, kind = scene.order, REASONS[reason]
    pieces = dict(lines)
    overlapping = [d for d in others if any(line in pieces for line, _ in d.lines)]
    facts = Facts(
        reason=reason,
        reason_class=kind,
        paid=order.paid_at is not None,
        in_window=protection_window(order, kind, compiled.policy.window_days, scene.now).holds(scene.now),
        open_on_lines=any(d.phase != "closed" for d in overlapping),
        ruled_on_lines=any(
            d.phase == "closed" and d.outcome != "withdrawn" and REASONS[d.reason] == kind for d in overlapping
        ),
        amount=amount,
        refundable=refundable(order, pieces, scene.taken_lines, scene.taken_payments),
        covered=order.coverage.covered,
        categories=tuple(line.category for line in order.lines if line.id in pieces),
        evidence=evidence,
        instant_sum=given.instant_sum + amount,
        buyer_standing=given.buyer_standing,
        store_watch=given.store_watch,
    )
    ruling = assess(compiled, facts)
    if ruling.rule.refuse:
        raise Refused(ruling.rule.refuse, ruling.rule.says, rule=ruling.rule.name, reasons=ruling.misses)
    if amount > facts.refundable:
        raise Refused(
            "amount_above_refundable",
            f"{money.decimal(amount, order.currency)} was asked, "
            f"{money.decimal(facts.refundable, order.currency)} {order.currency} can be refunded on these lines",
        )
    return ruling


def _check_claim(command: OpenDispute, order: Order) -> None:
    if command.reason not in REASONS:
        raise Refused("unknown_reason", f"{command.reason!r} is not a reason; there are {', '.join(REASONS)}")
    if command.remedy != "refund":
        raise Refused("not_available_yet", f"the remedy {command.remedy!r} cannot be asked for yet; ask for a refund")
    known = {line.id: line for line in order.lines}
    if not command.lines or len({line for line, _ in command.lines}) < len(command.lines):
        raise Refused("bad_lines", "name at least one line of the order, each once")
    for line, quantity in command.lines:
        if line not in known:
            raise Refused("unknown_line", f"order {order.reference} has no line {line!r}; it has {', '.join(known)}")
        if not 1 <= quantity <= known[line].quantity:
            raise Refused("bad_lines", f"line {line} was sold {known[line].quantity} times, not {quantity}")
    _check_amount(command.amount)
    if len(command.evidence) > MOST_EVIDENCE or not all(
        len(digest) == 64 and set(digest) <= set("0123456789abcdef") for digest in command.evidence
    ):
        raise Refused(
            "bad_evidence", f"evidence is up to {MOST_EVIDENCE} SHA-256 digests, 64 lower-case hex digits each"
        )
    if command.reference:
        check_reference("reference", command.reference)
    check_text(command.statement)


def _check_amount(amount: int) -> None:
    if not 0 < amount <= money.LARGEST:
        raise Refused("bad_amount", f"the amount is {amount}: give minor units above zero")


def check_text(text: str) -> None:
    """`Refused('text_too_long')` above the named limit."""
    if len(text) > MOST_TEXT:
        raise Refused("text_too_long", f"{len(text)} characters, at most {MOST_TEXT}")


def decide_open(
    command: OpenDispute, scene: Scene, compiled: Compiled, others: tuple[Dispute, ...], given: Given
) -> list[Event]:
    """The buyer opens a dispute; the route decides its first phase. Refusals store nothing."""
    order = scene.order
    if scene.by.role != "buyer":
        raise Refused("not_permitted", f"a {scene.by.role} may not open a dispute; the buyer does")
    if scene.by.id != order.buyer:
        raise Refused("not_yours", f"order {order.reference} was bought by somebody else")
    _check_claim(command, order)
    ruling = assess_claim(
        scene, compiled, others, command.reason, command.lines, command.amount, bool(command.evidence), given
    )
    rule = ruling.rule
    if rule.route == "return":
        raise Refused(
            "not_available_yet",
            "returns without a reason cannot be handled yet",
            rule=rule.name,
            reasons=ruling.misses,
        )
    dispute = scene.position + 1
    approved = None
    if rule.route == "instant":
        approved = approve(scene, dispute, command.lines, command.amount, rule.payer, "guarantee")
    phase = approved.phase if approved else {"verify": "verifying", "seller": "awaiting_seller"}[rule.route]
    opened = DisputeOpened(
        at=scene.now,
        by=str(scene.by),
        store=order.store,
        order=order.id,
        dispute=dispute,
        text=scene.text,
        phase=phase,
        timers=timers_of(phase, scene.now, scene.policy.timers),
        buyer=order.buyer,
        currency=order.currency,
        lines=command.lines,
        reason=command.reason,
        amount=command.amount,
        remedy=command.remedy,
        route=rule.route,
        rule=rule.name,
        payer=rule.payer,
        fault=rule.fault,
        covered=order.coverage.covered,
        policy=scene.policy.version,
        misses=ruling.misses,
        evidence=command.evidence,
        reference=command.reference,
    )
    return [opened, approved] if approved else [opened]


# --- each command in its turn --------------------------------------------------------------------------------------


def head_of(dispute: Dispute, scene: Scene, at: datetime | None = None) -> Head:
    """What every event of this decision carries."""
    head: Head = {
        "at": at or scene.now,
        "by": str(scene.by),
        "store": dispute.store,
        "order": dispute.order,
        "dispute": dispute.id,
    }
    return head


def _move(dispute: Dispute, scene: Scene, phase: str) -> Head:
    timers = timers_of(phase, scene.now, scene.policy.timers)
    return {**head_of(dispute, scene), "phase": phase, "timers": timers, "text": scene.text}


def _close(dispute: Dispute, scene: Scene, outcome: str, resolved_by: str, state: str, why: str = "") -> DisputeClosed:
    return DisputeClosed(
        **head_of(dispute, scene), phase="closed", outcome=outcome, resolved_by=resolved_by, state=state, why=why
    )


def _pay(dispute: Dispute, scene: Scene, wanted: int, payer: str, resolved_by: str) -> list[Event]:
    approved = approve(scene, dispute.id, dispute.lines, wanted, payer, resolved_by)
    if approved:
        return [approved]
    return [_close(dispute, scene, "lapsed", resolved_by, "exempt", "nothing_left")]


def decide_rule(dispute: Dispute, command: Rule, scene: Scene) -> list[Event]:
    """Verification ends: paid by the fund, rejected, or handed to the seller by an official notice (R10)."""
    check_reference("reason", command.reason)
    check_text(command.note)
    if command.finding == "out_of_scope":
        return [DisputeRuled(**_move(dispute, scene, "notifying"), finding=command.finding, reason=command.reason)]
    if command.finding == "unjustified":
        ruled = DisputeRuled(**_move(dispute, scene, "closed"), finding=command.finding, reason=command.reason)
        return [ruled, _close(dispute, scene, "rejected", "guarantee", "exempt", "rejected")]
    amount = dispute.amount if command.amount is None else command.amount
    _check_amount(amount)
    if amount > dispute.amount:
        raise Refused("amount_above_claim", f"the buyer asked for {dispute.amount}, the ruling gives {amount}")
    paid = _pay(dispute, scene, amount, dispute.payer, "guarantee")
    phase = "closed" if isinstance(paid[0], DisputeClosed) else "refunding"
    ruled = DisputeRuled(**_move(dispute, scene, phase), finding=command.finding, reason=command.reason)
    return [ruled, *paid]


def decide_withdraw(dispute: Dispute, command: Withdraw, scene: Scene) -> list[Event]:
    """The buyer's own act, before a ruling: no trace in any metric (R15)."""
    return [_close(dispute, scene, "withdrawn", "withdrawal", "exempt", "withdrawn")]


def decide_accept(dispute: Dispute, command: Accept, scene: Scene) -> list[Event]:
    """The seller pays what the buyer asked."""
    return _pay(dispute, scene, dispute.amount, "seller", "agreement")


def decide_reject(dispute: Dispute, command: Reject, scene: Scene) -> list[Event]:
    """The seller disagrees: now the buyer is asked."""
    check_reference("reason", command.reason)
    check_text(command.note)
    return [SellerRejected(**_move(dispute, scene, "awaiting_buyer"), reason=command.reason)]


def decide_serve_notice(dispute: Dispute, command: ServeNotice, scene: Scene) -> list[Event]:
    """The notice goes out again; the earlier one starts no clock any more."""
    return [NoticeServed(**head_of(dispute, scene))]


def decide_notice_accepted(dispute: Dispute, command: NoticeAccepted, scene: Scene) -> list[Event]:
    """The seller's five days start now (R10). An outdated or repeated notice changes nothing."""
    if dispute.phase != "notifying" or command.notice != dispute.notice:
        return []
    moved = _move(dispute, scene, "awaiting_seller")
    return [NoticeStood(**moved, notice=command.notice, message_id=command.message_id)]


def decide_notice_bounced(dispute: Dispute, command: NoticeBounced, scene: Scene) -> list[Event]:
    """The clock stops, an agent is told. An outdated notice changes nothing."""
    if not dispute.notice or command.notice != dispute.notice:
        return []
    moved = _move(dispute, scene, "notifying")
    if dispute.phase == "notifying":
        moved["timers"] = dispute.timers
    return [NoticeFailed(**moved, notice=command.notice, why=command.why)]


def decide_pass_time(dispute: Dispute, command: PassTime, scene: Scene) -> list[Event]:
    """Nothing by itself: what fell due has been applied before."""
    return []


def decide_send_refund(dispute: Dispute, command: SendRefund, scene: Scene) -> list[Event]:
    """See refunds.decide_send."""
    return [*decide_send(_refund(dispute), command, head_of(dispute, scene))]


def decide_report_refund(dispute: Dispute, command: ReportRefund, scene: Scene) -> list[Event]:
    """Book the provider's word; when every share is paid the dispute closes."""
    events: list[Event] = [*decide_report(_refund(dispute), command, scene.policy, head_of(dispute, scene))]
    if events and isinstance(events[0], RefundPaid):
        after = evolve_refund(dispute.refund, events[0], scene.position + 1)
        if after.state == "paid":
            events.append(_settled(dispute, scene, paid_minor(after)))
    return events


def decide_resolve_refund(dispute: Dispute, command: ResolveRefund, scene: Scene) -> list[Event]:
    """Finance ends a refund that no provider will pay."""
    check_text(command.note)
    refund = _refund(dispute)
    head = {**head_of(dispute, scene), "text": scene.text}
    if command.how == "paid_elsewhere" and refund.state == "waiting":
        raise Refused("refund_waits", "the refund waits for money in the fund: top it up, or abandon the refund")
    (event,) = decide_resolve(refund, command, head)
    after = evolve_refund(refund, event, scene.position + 1)
    return [event, _settled(dispute, scene, paid_minor(after))]


def _settled(dispute: Dispute, scene: Scene, paid: int) -> DisputeClosed:
    """Closed after money: refunded, partially_refunded (less than first claimed), or unclaimed where none went out."""
    outcome = "unclaimed" if paid == 0 else "refunded" if paid >= dispute.first_amount else "partially_refunded"
    exempt = dispute.resolved_by == "platform_timeout"
    why = "platform_timeout" if exempt else ""
    return _close(dispute, scene, outcome, dispute.resolved_by, "exempt" if exempt else "counted", why)


def _refund(dispute: Dispute) -> Refund:
    if dispute.refund is None:
        raise Refused("no_refund", "no refund was approved on this dispute")
    return dispute.refund


def decide_change_claim(
    dispute: Dispute,
    command: ChangeClaim,
    scene: Scene,
    compiled: Compiled,
    others: tuple[Dispute, ...],
    given: Given,
) -> list[Event]:
    """Another amount: assessed again, the phase stays; the seller's clock restarts, a notice goes out anew (R11)."""
    _check_amount(command.amount)
    check_text(command.note)
    if command.amount == dispute.amount:
        raise Refused("claim_unchanged", f"the claim is {command.amount} already")
    ruling = assess_claim(scene, compiled, others, dispute.reason, dispute.lines, command.amount, False, given)
    moved = _move(dispute, scene, dispute.phase)
    if dispute.phase != "awaiting_seller":
        moved["timers"] = dispute.timers
    return [ClaimChanged(**moved, amount=command.amount, rule=ruling.rule.name, misses=ruling.misses)]


DECIDE: dict[str, Callable[[Dispute, Any, Scene], list[Event]]] = {
    "rule": decide_rule,
    "withdraw": decide_withdraw,
    "accept": decide_accept,
    "reject": decide_reject,
    "serve_notice": decide_serve_notice,
    "notice_accepted": decide_notice_accepted,
    "notice_bounced": decide_notice_bounced,
    "pass_time": decide_pass_time,
    "send_refund": decide_send_refund,
    "report_refund": decide_report_refund,
    "resolve_refund": decide_resolve_refund,
}
"""Command → decision; `open` and `change_claim`, which ask the policy, are called with it by the decider."""

# --- what happens by itself ----------------------------------------------------------------------------------------


def next_due(dispute: Dispute, now: datetime) -> Timer | None:
    """The earliest timer that has fallen due by `now`."""
    due = [timer for timer in dispute.timers if timer.at <= now]
    return min(due, key=lambda timer: (timer.at, timer.kind)) if due else None


def fall_due(dispute: Dispute, timer: Timer, scene: Scene) -> list[Event]:
    """What that timer does. `scene.now` is its due time, however late it is applied."""
    if timer.kind != "turn":
        kind = {"alert": "overdue", "remind": "reminder"}[timer.kind]
        return [Alerted(**head_of(dispute, scene), kind=kind, phase=dispute.phase)]
    turn = {"verifying": "platform", "notifying": "platform", "awaiting_seller": "seller", "awaiting_buyer": "buyer"}[
        dispute.phase
    ]
    passed = TimedOut(**head_of(dispute, scene), turn=turn, due_at=timer.at)
    match dispute.phase:
        case "verifying":
            payer = "fund" if dispute.covered else "platform"
            return [passed, *_pay(dispute, scene, dispute.amount, payer, "platform_timeout")]
        case "notifying":
            return [passed, *_pay(dispute, scene, dispute.amount, "platform", "platform_timeout")]
        case "awaiting_seller":
            return [passed, *_pay(dispute, scene, dispute.amount, "seller", "seller_timeout")]
        case _:
            return [passed, _close(dispute, scene, "lapsed", "buyer_timeout", "exempt", "lapsed")]


# --- evolve --------------------------------------------------------------------------------------------------------


def evolve_dispute(dispute: Dispute | None, event: Event, position: int) -> Dispute:
    """The dispute after the event at `position`."""
    if isinstance(event, DisputeOpened):
        return _opened(event, position)
    assert dispute is not None
    changes: dict[str, Any] = {"history": (*dispute.history, position)}
    if isinstance(event, Move):
        changes |= {"phase": event.phase, "timers": event.timers}
    match event:
        case DisputeRuled(finding="out_of_scope"):
            changes |= {"notice": position, "payer": "seller"}
        case NoticeServed():
            changes["notice"] = position
        case ClaimChanged():
            changes |= {"amount": event.amount, "rule": event.rule, "assessed": position}
            if event.phase == "notifying":
                changes["notice"] = position
        case Alerted():
            changes["timers"] = tuple(t for t in dispute.timers if t.kind == "turn" or t.at > event.at)
        case TimedOut():
            changes["timers"] = ()
        case DisputeClosed():
            fault = Fault(state=event.state, kind=dispute.fault.kind, why=event.why)  # ty: ignore[invalid-argument-type]
            changes |= {
                "outcome": event.outcome,
                "resolved_by": event.resolved_by,
                "closed_at": event.at,
                "fault": fault,
            }
        case RefundApproved():
            changes |= {"payer": event.payer, "resolved_by": event.resolved_by}
            changes["refund"] = evolve_refund(None, event, position)
        case RefundReturned():
            changes |= {"outcome": "", "closed_at": None, "refund": evolve_refund(dispute.refund, event, position)}
        case (
            FundsReserved()
            | RefundSent()
            | RefundPaid()
            | RefundFailed()
            | RefundUnknown()
            | RefundContradicted()
            | RefundResolved()
        ):
            changes["refund"] = evolve_refund(dispute.refund, event, position)
        case DisputeRuled() | SellerRejected() | NoticeStood() | NoticeFailed():
            pass
    return structs.replace(dispute, **changes)


def _opened(event: DisputeOpened, position: int) -> Dispute:
    exempt = event.fault == "exempt"
    fault = Fault(state="exempt" if exempt else "pending", kind=REASONS[event.reason])
    return Dispute(
        id=position,
        store=event.store,
        order=event.order,
        buyer=event.buyer,
        currency=event.currency,
        lines=event.lines,
        reason=event.reason,
        first_amount=event.amount,
        amount=event.amount,
        remedy=event.remedy,
        route=event.route,
        rule=event.rule,
        payer=event.payer,
        covered=event.covered,
        policy=event.policy,
        phase=event.phase,
        fault=fault,
        opened_at=event.at,
        assessed=position,
        history=(position,),
        reference=event.reference,
        timers=event.timers,
    )


def funding_of(dispute: Dispute) -> tuple[tuple[str, int], ...]:
    """Who paid, or will pay what was approved: (payer, minor units)."""
    return ((dispute.refund.payer, dispute.refund.minor),) if dispute.refund and dispute.refund.minor else ()


def worth(order: Order, lines: Mapping[str, int]) -> int:
    """What those pieces of an order were sold for (minor units)."""
    return sum(line_worth(line, lines[line.id]) for line in order.lines if line.id in lines)
