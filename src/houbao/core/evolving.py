"""What is true of a dispute after each of its events. No rules: those are where the event was decided."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import structs

from houbao.core.acts import (
    Alerted,
    CaseClaimed,
    CaseReleased,
    ClaimChanged,
    DisputeClosed,
    DisputeFrozen,
    DisputeRuled,
    DisputeThawed,
    EvidenceAdded,
    EvidenceClosed,
    EvidenceRequested,
    FraudProposed,
    NoticeServed,
    NoticeStood,
    OfferAccepted,
    Reopened,
    SellerOffered,
    SellerRejected,
    TimedOut,
    TimersMoved,
)
from houbao.core.acts import OpenDispute as OpenDispute
from houbao.core.appeals import Appeal, Appealed, AppealRuled, FundingChanged, in_hearing
from houbao.core.beginnings import as_it_began, begun
from houbao.core.disputes import (
    CHANGES,
    Dispute,
    Event,
    Fault,
    Frozen,
    Offer,
    Proposal,
    in_order,
    refund_of,
    with_refund,
)
from houbao.core.moves import Move, Timer
from houbao.core.recoveries import MoneyRecovered
from houbao.core.refunds import (
    FundsAwaited,
    FundsReserved,
    PayoutWaySet,
    Refund,
    RefundApproved,
    RefundFailed,
    RefundPaid,
    RefundReleased,
    RefundResolved,
    RefundReturned,
    RefundSent,
    RefundSettled,
    RefundUnknown,
    evolve_refund,
    is_stuck,
    open_shares,
)
from houbao.core.returns import (
    PROMISED,
    LabelSent,
    ReplacementDelivered,
    ReplacementReported,
    ReplacementShipped,
    ReturnAuthorised,
    ReturnConfirmed,
    ReturnDelivered,
    ReturnReported,
    ReturnShipped,
    evolve_parcel,
)
from houbao.core.shortfalls import DebtWrittenOff, WriteOffProposed
from houbao.core.terms import role_of

Changes = dict[str, Any]
"""Fields of a dispute, and what they are after an event."""


def evolve_dispute(dispute: Dispute | None, event: Event, position: int) -> Dispute:
    """The dispute after the event at `position`."""
    if dispute is None:
        return begun(event, position)
    changes: Changes = {"history": (*dispute.history, position)}
    moves = isinstance(event, Move)
    if moves:
        _move(dispute, event, changes)
    if change := CHANGED.get(type(event)):
        changes |= change(dispute, event, position)
    if moves:
        _take_turn(dispute, event, changes)
    after = structs.replace(dispute, **changes)
    return after if isinstance(event, TimedOut) else _claimed_in_time(after, event.at)


# --- where it is, and until when -----------------------------------------------------------------------------------


def _move(dispute: Dispute, event: Move, changes: Changes) -> None:
    """The phase it is in now, and the timers that run there."""
    changes["phase"], changes["timers"] = event.phase, event.timers
    if event.timers != dispute.timers and not isinstance(event, TimersMoved):
        changes["running_since"] = event.at
    if event.phase != dispute.phase:
        changes["claimed_by"], changes["claimed_until"], changes["proposed"] = "", None, None


def _take_turn(dispute: Dispute, event: Move, changes: Changes) -> None:
    """The seller's turn, where this was its answer; and the end of the negotiation, where it begins."""
    if dispute.phase == "awaiting_seller" and role_of(event.by) == "seller":
        changes["asked"], changes["answered"] = dispute.asked + 1, dispute.answered + 1
    known = changes.get("escalates_at", dispute.escalates_at)
    end = next((timer.at for timer in event.timers if timer.kind == "escalate"), None) if event.timers else None
    if end and (known is None or (isinstance(event, NoticeStood) and end != known)):
        changes["escalates_at"], changes["negotiating_since"] = end, event.at


def _claimed_in_time(dispute: Dispute, now: datetime) -> Dispute:
    """Where all that is left to pay is stuck, its time to be claimed runs, whatever phase it got stuck in; it has ended
    already where the rest took longer."""
    if dispute.phase != "refunding" or dispute.timers or dispute.frozen:
        return dispute
    left = [share for refund in dispute.refunds for share in open_shares(refund)]
    ends = [share.claim_by for share in left if share.state == "stuck" and share.claim_by]
    if not ends or len(ends) < len(left):
        return dispute
    return structs.replace(dispute, timers=(Timer(kind="turn", at=max(*ends, now)),), running_since=now)


# --- what else each event changes ----------------------------------------------------------------------------------


def _timed_out(dispute: Dispute, event: TimedOut, position: int) -> Changes:
    return {"timers": (), "asked": dispute.asked + (dispute.phase == "awaiting_seller")}


def _timers_moved(dispute: Dispute, event: TimersMoved, position: int) -> Changes:
    moved: Changes = {"escalates_at": event.escalates_at}
    if dispute.frozen:
        moved |= {"timers": (), "frozen": structs.replace(dispute.frozen, timers=event.timers)}
    return moved


def _timer_ended(dispute: Dispute, event: EvidenceClosed | Alerted, position: int) -> Changes:
    return {"timers": tuple(t for t in dispute.timers if t.kind in CHANGES or t.at > event.at)}


def _evidence_requested(dispute: Dispute, event: EvidenceRequested, position: int) -> Changes:
    others = (timer for timer in dispute.timers if timer.kind != "evidence")
    timers = in_order((*others, Timer(kind="evidence", at=event.until)))
    return {"timers": timers, "evidence_since": event.at}


def _claim_changed(dispute: Dispute, event: ClaimChanged, position: int) -> Changes:
    changes: Changes = {"amount": event.amount, "rule": event.rule, "assessed": position}
    changes |= {"offer": None, "proposed": None}
    return changes | {"notice": position} if event.phase == "notifying" else changes


def _offer_accepted(dispute: Dispute, event: OfferAccepted, position: int) -> Changes:
    return {"parcel": PROMISED} if event.remedy == "replacement" else {}


def _reopened(dispute: Dispute, event: Reopened, position: int) -> Changes:
    return as_it_began(dispute, position if event.phase == "notifying" else 0)


def _frozen(dispute: Dispute, event: DisputeFrozen, position: int) -> Changes:
    frozen = Frozen(since=event.at, phase=dispute.phase, timers=dispute.timers, position=position)
    return {"frozen": frozen, "timers": ()}


def _thawed(dispute: Dispute, event: DisputeThawed, position: int) -> Changes:
    changes: Changes = {"frozen": None, "negotiating_since": event.at, "evidence_since": event.at}
    if dispute.frozen and dispute.escalates_at:
        later = dispute.escalates_at + (event.at - dispute.frozen.since)
        changes["escalates_at"] = next((t.at for t in event.timers if t.kind == "escalate"), later)
    return changes


def _appealed(dispute: Dispute, event: Appealed, position: int) -> Changes:
    return {"appeals": (*dispute.appeals, Appeal(party=event.party, about=event.about))}


def _parcel(dispute: Dispute, event: Any, position: int) -> Changes:
    return {"parcel": evolve_parcel(dispute.parcel, event)}


def _return_authorised(dispute: Dispute, event: ReturnAuthorised, position: int) -> Changes:
    return {"payer": event.payer, "parcel": evolve_parcel(dispute.parcel, event)}


def _refund_approved(dispute: Dispute, event: RefundApproved, position: int) -> Changes:
    refunds = (*dispute.refunds, evolve_refund(None, event, position))
    changes: Changes = {"payer": event.payer, "resolved_by": event.resolved_by, "refunds": refunds}
    if event.handed_over:
        changes["amount"] = dispute.amount - event.handed_over
        changes["first_amount"] = dispute.first_amount - event.handed_over
    return changes


def _refund(dispute: Dispute, event: Any, position: int) -> Changes:
    return {"refunds": _evolved(dispute, event, position)}


def _refund_released(dispute: Dispute, event: RefundReleased, position: int) -> Changes:
    return {"resolved_by": event.resolved_by, "refunds": _evolved(dispute, event, position)}


def _refund_returned(dispute: Dispute, event: RefundReturned, position: int) -> Changes:
    opened = {"outcome": "", "closed_at": None} if event.phase == "refunding" else {}
    return {"refunds": _evolved(dispute, event, position), **opened}


def _refund_tried(dispute: Dispute, event: RefundFailed | PayoutWaySet, position: int) -> Changes:
    refunds = _evolved(dispute, event, position)
    claim_by = event.claim_by if isinstance(event, RefundFailed) else None
    ends = _time_to_claim(dispute, refunds, claim_by) if dispute.phase == "refunding" else {}
    return {"refunds": refunds, **ends}


def _refund_resolved(dispute: Dispute, event: RefundResolved, position: int) -> Changes:
    refunds = _evolved(dispute, event, position)
    if dispute.phase == "awaiting_funds" and not any(refund.waits for refund in refunds):
        return {"refunds": refunds, "phase": "refunding", "timers": ()}  # others may still be on their way
    return {"refunds": refunds}


def _funding_changed(dispute: Dispute, event: FundingChanged, position: int) -> Changes:
    return {"payer": event.payer, "refunds": _borne_otherwise(dispute, event)}


def _debt_written_off(dispute: Dispute, event: DebtWrittenOff, position: int) -> Changes:
    return {"write_off": "", "refunds": _written_off(dispute, event)}


def _ruled(dispute: Dispute, event: DisputeRuled, position: int) -> Changes:
    if event.finding == "out_of_scope":
        return {"notice": position, "payer": "seller", "judges": (*dispute.judges, event.by)}
    return {
        "ruled": event.fault,
        "adjudicated": dispute.adjudicated or dispute.phase == "adjudicating",
        "fraud": event.fraud,
        "judges": (*dispute.judges, event.by, *([event.proposed_by] if event.proposed_by else [])),
    }


def _heard(dispute: Dispute, event: AppealRuled, position: int) -> Changes:
    changes: Changes = {"appeals": _with_finding(dispute, event.finding)}
    if event.by != "system":
        changes["judges"] = (*dispute.judges, event.by)
    if event.phase != "closed":
        changes |= {"outcome": "", "closed_at": None}
    return changes


def _with_finding(dispute: Dispute, finding: str) -> tuple[Appeal, ...]:
    return (*dispute.appeals[:-1], structs.replace(dispute.appeals[-1], finding=finding))


def _closed(dispute: Dispute, event: DisputeClosed, position: int) -> Changes:
    """How it ended, and what it leaves on the record; an appeal that was being heard is over with it."""
    fault = Fault(
        state=event.state,  # ty: ignore[invalid-argument-type]
        kind=dispute.fault.kind,
        why=event.why,
        lifted_at=_lifted_at(dispute, event),
    )
    return {
        "frozen": None,
        "appeals": _with_finding(dispute, "stands") if in_hearing(dispute.appeals) else dispute.appeals,
        "outcome": event.outcome,
        "resolved_by": event.resolved_by,
        "closed_at": event.at,
        "fault": fault,
    }


def _borne_otherwise(dispute: Dispute, event: FundingChanged) -> tuple[Refund, ...]:
    borne = refund_of(dispute, event.refund)
    assert borne is not None
    legs = dict(event.legs)
    if event.payer == "seller" and (others := borne.minor - event.minor):  # what came back before is nobody else's
        legs["payable"] = legs.get("payable", 0) + others
    return with_refund(dispute, structs.replace(borne, payer=event.payer, legs=tuple(legs.items())))


def _lifted_at(dispute: Dispute, event: DisputeClosed) -> datetime | None:
    """When an appeal, or a ruling of the buyer's fraud, lifted a fault that had counted."""
    if event.state != "exempt" or not (dispute.appeals or dispute.fraud):
        return None
    return event.at if dispute.fault.state == "counted" else dispute.fault.lifted_at


def _time_to_claim(dispute: Dispute, refunds: tuple[Refund, ...], claim_by: datetime | None) -> Changes:
    """The time to name another way, counted from the last no; none runs where nothing is stuck any more, and none while
    the dispute stands still."""
    kept = dispute.frozen.timers if dispute.frozen else dispute.timers
    running = (Timer(kind="turn", at=claim_by),) if claim_by else kept
    timers = running if any(map(is_stuck, refunds)) else ()
    return {"frozen": structs.replace(dispute.frozen, timers=timers)} if dispute.frozen else {"timers": timers}


def _evolved(
    dispute: Dispute,
    event: RefundReleased
    | RefundReturned
    | FundsReserved
    | RefundSent
    | RefundPaid
    | RefundFailed
    | PayoutWaySet
    | RefundUnknown
    | RefundResolved
    | RefundSettled
    | MoneyRecovered
    | FundsAwaited,
    position: int,
) -> tuple[Refund, ...]:
    return with_refund(dispute, evolve_refund(refund_of(dispute, event.refund), event, position))


def _written_off(dispute: Dispute, event: DebtWrittenOff) -> tuple[Refund, ...]:
    """What was advanced is the platform's expense now: that is where it goes back to, should the refund be undone."""
    refund = refund_of(dispute, event.refund)
    assert refund is not None
    legs = dict(refund.legs)
    legs["receivable"] -= event.minor
    legs["writeoff"] = legs.get("writeoff", 0) + event.minor
    return with_refund(dispute, structs.replace(refund, legs=tuple(leg for leg in legs.items() if leg[1])))


# --- the table -----------------------------------------------------------------------------------------------------

CHANGED: dict[type, Callable[[Dispute, Any, int], Changes]] = {
    DisputeRuled: _ruled,
    FraudProposed: lambda dispute, event, position: {"proposed": Proposal(by=event.by, ruling=event.ruling)},
    CaseClaimed: lambda dispute, event, position: {"claimed_by": event.by, "claimed_until": event.until},
    CaseReleased: lambda dispute, event, position: {"claimed_by": "", "claimed_until": None},
    Appealed: _appealed,
    AppealRuled: _heard,
    FundingChanged: _funding_changed,
    NoticeServed: lambda dispute, event, position: {"notice": position},
    ClaimChanged: _claim_changed,
    SellerOffered: lambda dispute, event, position: {"offer": Offer(amount=event.amount, remedy=event.remedy)},
    SellerRejected: lambda dispute, event, position: {"offer": None},
    OfferAccepted: _offer_accepted,
    EvidenceRequested: _evidence_requested,
    EvidenceClosed: _timer_ended,
    Alerted: _timer_ended,
    EvidenceAdded: lambda dispute, event, position: {"evidence": True},
    TimersMoved: _timers_moved,
    TimedOut: _timed_out,
    Reopened: _reopened,
    DisputeFrozen: _frozen,
    DisputeThawed: _thawed,
    DisputeClosed: _closed,
    RefundApproved: _refund_approved,
    RefundReleased: _refund_released,
    RefundReturned: _refund_returned,
    RefundFailed: _refund_tried,
    PayoutWaySet: _refund_tried,
    RefundResolved: _refund_resolved,
    FundsReserved: _refund,
    FundsAwaited: _refund,
    RefundSent: _refund,
    RefundPaid: _refund,
    RefundUnknown: _refund,
    RefundSettled: _refund,
    MoneyRecovered: _refund,
    DebtWrittenOff: _debt_written_off,
    WriteOffProposed: lambda dispute, event, position: {"write_off": event.by},
    ReturnAuthorised: _return_authorised,
    LabelSent: _parcel,
    ReturnShipped: _parcel,
    ReturnDelivered: _parcel,
    ReturnConfirmed: _parcel,
    ReturnReported: _parcel,
    ReplacementShipped: _parcel,
    ReplacementDelivered: _parcel,
    ReplacementReported: _parcel,
}
"""What each event changes beside phase, timers and history. Of the others (`Escalated`, `MessageWritten`,
`NoticeStood`, `NoticeFailed`, `RefundContradicted`, `DeliveredAfterRefund`) that says all, or somebody is told."""
