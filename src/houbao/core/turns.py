"""What each command does in its turn, and what happens by itself when a turn's time ends (`fall_due`)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from houbao.core.claims import check_amount, check_text, head_of, move
from houbao.core.disputes import (
    Accept,
    Alerted,
    Dispute,
    DisputeClosed,
    DisputeRuled,
    Event,
    NoticeAccepted,
    NoticeBounced,
    NoticeFailed,
    NoticeServed,
    NoticeStood,
    PassTime,
    Reject,
    Rule,
    SellerRejected,
    ServeNotice,
    TimedOut,
    Withdraw,
)
from houbao.core.refunds import (
    Move,
    Refund,
    RefundPaid,
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
    find_share,
    paid_minor,
)
from houbao.core.terms import WORDS, Refused, check_reference

# --- each command in its turn --------------------------------------------------------------------------------------


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
        return [DisputeRuled(**move(dispute, scene, "notifying"), finding=command.finding, reason=command.reason)]
    if command.finding == "unjustified":
        ruled = DisputeRuled(**move(dispute, scene, "closed"), finding=command.finding, reason=command.reason)
        return [ruled, _close(dispute, scene, "rejected", "guarantee", "exempt", "rejected")]
    amount = dispute.amount if command.amount is None else command.amount
    check_amount(amount)
    if amount > dispute.amount:
        raise Refused("amount_above_claim", f"the buyer asked for {dispute.amount}, the ruling gives {amount}")
    paid = _pay(dispute, scene, amount, dispute.payer, "guarantee")
    (then,) = paid
    assert isinstance(then, Move)
    ruled = DisputeRuled(**move(dispute, scene, then.phase), finding=command.finding, reason=command.reason)
    return [ruled, then]


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
    return [SellerRejected(**move(dispute, scene, "awaiting_buyer"), reason=command.reason)]


def decide_serve_notice(dispute: Dispute, command: ServeNotice, scene: Scene) -> list[Event]:
    """The notice goes out again; the earlier one starts no clock any more."""
    return [NoticeServed(**head_of(dispute, scene))]


def decide_notice_accepted(dispute: Dispute, command: NoticeAccepted, scene: Scene) -> list[Event]:
    """The seller's five days start now (R10). An outdated or repeated notice changes nothing."""
    if dispute.phase != "notifying" or command.notice != dispute.notice:
        return []
    moved = move(dispute, scene, "awaiting_seller")
    return [NoticeStood(**moved, notice=command.notice, message_id=command.message_id[:WORDS])]


def decide_notice_bounced(dispute: Dispute, command: NoticeBounced, scene: Scene) -> list[Event]:
    """The clock stops, an agent is told. An outdated notice changes nothing."""
    if not dispute.notice or command.notice != dispute.notice:
        return []
    moved = move(dispute, scene, "notifying")
    if dispute.phase == "notifying":
        moved["timers"] = dispute.timers
    return [NoticeFailed(**moved, notice=command.notice, why=command.why[:WORDS])]


def decide_pass_time(dispute: Dispute, command: PassTime, scene: Scene) -> list[Event]:
    """Nothing by itself: what fell due has been applied before."""
    return []


def decide_send_refund(dispute: Dispute, command: SendRefund, scene: Scene) -> list[Event]:
    """See refunds.decide_send."""
    return [*decide_send(_refund(dispute), command, head_of(dispute, scene))]


def decide_report_refund(dispute: Dispute, command: ReportRefund, scene: Scene) -> list[Event]:
    """Book the provider's word; when every share is paid the dispute closes."""
    refund = _refund(dispute)
    share = find_share(refund, attempt=command.attempt)
    if scene.by.role == "provider" and share and share.provider != scene.by.id:
        raise Refused("not_yours", f"that attempt went to {share.provider}, not to {scene.by.id}")
    events: list[Event] = [*decide_report(refund, command, scene.policy, head_of(dispute, scene))]
    if len(events) == 1 and isinstance(events[0], RefundPaid):
        after = evolve_refund(refund, events[0], scene.position + 1)
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
    by_policy, timed_out = dispute.fault.state == "exempt", dispute.resolved_by == "platform_timeout"
    unpaid = paid == 0 and dispute.resolved_by == "guarantee"  # the guarantee counts when it paid
    why = "platform_timeout" if timed_out else "policy" if by_policy else "unclaimed" if unpaid else ""
    return _close(dispute, scene, outcome, dispute.resolved_by, "exempt" if why else "counted", why)


def _refund(dispute: Dispute) -> Refund:
    if dispute.refund is None:
        raise Refused("no_refund", "no refund was approved on this dispute")
    return dispute.refund


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
