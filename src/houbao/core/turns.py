"""Who decides which command: one table from a command's name to its function."""

from collections.abc import Callable
from typing import Any

from houbao.core import answers, findings, hearings, notices, parcels, queues
from houbao.core.accounts import EXPENSE
from houbao.core.attempts import decide_payout_way, decide_report, decide_resolve, decide_send, decide_settle
from houbao.core.awards import settled
from houbao.core.calendars import ends
from houbao.core.claims import check_amount, check_text
from houbao.core.commissions import with_commission
from houbao.core.disputes import Dispute, Event, refund_of
from houbao.core.freezes import after_report
from houbao.core.money import decimal
from houbao.core.phases import head_of, saying, staying
from houbao.core.recoveries import MoneyRecovered, Recover
from houbao.core.refunds import (
    Refund,
    RefundPaid,
    ReportRefund,
    ResolveRefund,
    SendRefund,
    SetPayoutWay,
    SettleRefund,
    evolve_refund,
    find_share,
    paid_minor,
    recoverable,
    recovered,
)
from houbao.core.said import Said
from houbao.core.scene import Scene
from houbao.core.shortfalls import DebtWrittenOff, WriteOff, WriteOffProposed, advanced, drawn_on
from houbao.core.terms import Refused, check_reference, rfc3339


def decide_send_refund(dispute: Dispute, command: SendRefund, scene: Scene) -> list[Event]:
    """See refunds.decide_send. A frozen dispute begins no attempt; one that was begun before is looked at."""
    if dispute.frozen:
        return []
    return [*decide_send(_refund(dispute, command.refund), command, head_of(dispute, scene))]


def decide_report_refund(dispute: Dispute, command: ReportRefund, scene: Scene) -> list[Event]:
    """Book the provider's word; when every share of every refund is paid the dispute closes."""
    _refund(dispute)
    refund = next((one for one in dispute.refunds if find_share(one, attempt=command.attempt)), None)
    share = find_share(refund, attempt=command.attempt)
    if scene.by.role == "provider" and share and share.provider != scene.by.id:
        raise Refused("not_yours", f"that attempt went to {share.provider}, not to {scene.by.id}")
    waits = dispute.phase in ("adjudicating", "awaiting_funds")
    timers = dispute.timers if dispute.phase == "refunding" else ()
    back = staying(dispute, scene) if waits else {"phase": "refunding", "timers": timers}
    said = decide_report(refund, command, scene.policy, head_of(dispute, scene), back, scene.clock)
    events: list[Event] = [*with_commission(said, scene)]
    if len(events) == 1 and isinstance(events[0], RefundPaid):
        events += settled(dispute, scene, evolve_refund(refund, events[0], scene.position + 1))
    return [*events, *after_report(dispute, events, scene)]


def decide_resolve_refund(dispute: Dispute, command: ResolveRefund, scene: Scene) -> list[Event]:
    """Finance ends a refund that no provider will pay."""
    check_text(command.note)
    refund = _refund(dispute, command.refund)
    if refund.state not in ("waiting", "sending"):
        raise Refused("no_refund", f"nothing of that refund is left for a person to settle: it is {refund.state}")
    if command.how == "paid_elsewhere" and refund.state == "waiting":
        raise Refused("refund_waits", "the refund waits for money in the fund: top it up, or abandon the refund")
    said = decide_resolve(refund, command, -scene.purse.receivable, saying(dispute, scene))
    (event,) = with_commission(said, scene)
    events: list[Event] = [event, *settled(dispute, scene, evolve_refund(refund, event, scene.position + 1))]
    return [*events, *after_report(dispute, events, scene)]


def decide_set_payout_way(dispute: Dispute, command: SetPayoutWay, scene: Scene) -> list[Event]:
    """See refunds.decide_payout_way."""
    return [*decide_payout_way(_refund(dispute, command.refund), command, head_of(dispute, scene))]


def decide_settle_refund(dispute: Dispute, command: SettleRefund, scene: Scene) -> list[Event]:
    """See refunds.decide_settle."""
    return [*decide_settle(_refund(dispute, command.refund), command, head_of(dispute, scene))]


def decide_recover(dispute: Dispute, command: Recover, scene: Scene) -> list[Event]:
    """Money came back from outside for what was refunded: whoever bears it has it. Said twice, it changes nothing.
    Raises Refused: no_refund, bad_reference, bad_amount, bad_currency, recovery_booked, nothing_to_recover."""
    refund = _refund(dispute, command.refund)
    check_reference("reference", command.reference)
    if command.provider:
        check_reference("provider", command.provider)
    # Where none is named, whichever it was booked for: another may have become the latest since.
    booked = [one for of in ([refund] if command.refund else dispute.refunds) for one in of.recoveries]
    known = next((one for one in booked if one.reference == command.reference), None)
    if known is not None:
        if (known.fund_minor or known.minor, known.source) == (command.minor, command.source):
            return []
        raise Refused("recovery_booked", f"{known.reference} of the {known.source} was booked with another amount")
    check_amount(command.minor)
    left, currency = recoverable(refund)
    if command.currency != currency:
        raise Refused("bad_currency", f"it is booked in {currency}, whose money it was, not in {command.currency!r}")
    if command.minor > left:
        raise Refused("nothing_to_recover", f"of what was refunded {decimal(left, currency)} {currency} may come back")
    event = MoneyRecovered(
        **head_of(dispute, scene),
        refund=refund.id,
        source=command.source,
        reference=command.reference,
        provider=command.provider,
        account=drawn_on(scene.order, refund.payer) or EXPENSE,
        payer=refund.payer,
        **_made_good(refund, command.minor, left),
        currency=refund.currency,
        **_goes_off(refund, command.minor, -scene.purse.receivable),
    )
    return [*with_commission([event], scene)]


def _made_good(refund: Refund, minor: int, left: int) -> dict[str, Any]:
    """How much of the refund it makes good, where it came to a fund in another currency."""
    if refund.payer != "fund" or refund.in_fund is None:
        return {"minor": minor}
    part = (paid_minor(refund) - recovered(refund)) * minor // left
    return {"minor": part, "fund_minor": minor, "fund_currency": refund.in_fund.currency}


def _goes_off(refund: Refund, minor: int, owed: int) -> dict[str, int]:
    """What of it the platform has, which gave up a debt for that refund, and what goes off the store's debts."""
    if refund.payer != "seller":
        return {}
    given_up = dict(refund.legs).get("writeoff", 0) - sum(one.written_off for one in refund.recoveries)
    written_off = max(0, min(minor, given_up))
    return {"written_off": written_off, "repaid": max(0, min(minor - written_off, owed))}


def decide_write_off(dispute: Dispute, command: WriteOff, scene: Scene) -> list[Event]:
    """Two of finance give up what was advanced for this dispute. Raises Refused: nothing_owed, not_yet, same_person."""
    refund = next((refund for refund in dispute.refunds if advanced(refund)), None)
    minor = min(advanced(refund), -scene.purse.receivable) if refund else 0
    if refund is None or minor <= 0:
        raise Refused("nothing_owed", f"store {dispute.store} owes nothing that was advanced for this dispute")
    assert dispute.closed_at is not None
    if scene.now < (then := ends(scene.clock, dispute.closed_at, scene.policy.timers.write_off)):
        raise Refused("not_yet", f"what was advanced is written off from {rfc3339(then)} on", at=rfc3339(then))
    if dispute.write_off == str(scene.by):
        raise Refused("same_person", "you have signed; it takes another person of finance")
    head = head_of(dispute, scene)
    if not dispute.write_off:
        return [WriteOffProposed(**head)]
    return [DebtWrittenOff(**head, refund=refund.id, minor=minor, currency=refund.currency)]


def _refund(dispute: Dispute, number: int = 0) -> Refund:
    refund = refund_of(dispute, number)
    if refund is None:
        raise Refused("no_refund", Said("no such refund was approved on this dispute"))
    return refund


DECIDE: dict[str, Callable[[Dispute, Any, Scene], list[Event]]] = {
    "rule": findings.decide_rule,
    "sign": findings.decide_sign,
    "claim": queues.decide_claim,
    "release": queues.decide_release,
    "request_evidence": findings.decide_request_evidence,
    "evidence": answers.decide_evidence,
    "messages": answers.decide_message,
    "withdraw": answers.decide_withdraw,
    "reopen": answers.decide_reopen,
    "appeal": hearings.decide_appeal,
    "accept": answers.decide_accept,
    "offer": answers.decide_offer,
    "reject": answers.decide_reject,
    "accept_offer": answers.decide_accept_offer,
    "escalate": answers.decide_escalate,
    "serve_notice": notices.decide_serve_notice,
    "notice_accepted": notices.decide_notice_accepted,
    "notice_bounced": notices.decide_notice_bounced,
    "send_label": parcels.decide_send_label,
    "ship_return": parcels.decide_ship_return,
    "scan_return": parcels.decide_scan_return,
    "confirm_return": parcels.decide_confirm_return,
    "report_return": parcels.decide_report_return,
    "ship_replacement": parcels.decide_ship_replacement,
    "scan_replacement": parcels.decide_scan_replacement,
    "report_replacement": parcels.decide_report_replacement,
    "send_refund": decide_send_refund,
    "report_refund": decide_report_refund,
    "resolve_refund": decide_resolve_refund,
    "set_payout_way": decide_set_payout_way,
    "settle_refund": decide_settle_refund,
    "recover": decide_recover,
    "write_off": decide_write_off,
}
"""Command → decision; `open`, `change_claim` and `counter`, which ask the policy, are called with it by the decider,
and time passes there."""
