"""What is true of a dispute after each of its events. No rules: those are where the event was decided."""

from datetime import datetime
from typing import Any

from msgspec import structs

from houbao.core.acts import (
    Alerted,
    CaseClaimed,
    CaseReleased,
    ClaimChanged,
    DeliveredAfterRefund,
    DisputeClosed,
    DisputeFrozen,
    DisputeOpened,
    DisputeRuled,
    DisputeThawed,
    Escalated,
    EvidenceAdded,
    EvidenceClosed,
    EvidenceRequested,
    FraudProposed,
    GoodwillSent,
    MessageWritten,
    NoticeFailed,
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
from houbao.core.disputes import (
    CHANGES,
    GOODWILL,
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
    RefundContradicted,
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
from houbao.core.terms import REASONS


def evolve_dispute(dispute: Dispute | None, event: Event, position: int) -> Dispute:
    """The dispute after the event at `position`."""
    if isinstance(event, DisputeOpened):
        return _opened(event, position)
    if isinstance(event, GoodwillSent):
        return _goodwill(event, position)
    assert dispute is not None
    changes: dict[str, Any] = {"history": (*dispute.history, position)}
    if isinstance(event, Move):
        changes |= {"phase": event.phase, "timers": event.timers}
        if event.timers != dispute.timers and not isinstance(event, TimersMoved):
            changes["running_since"] = event.at
        if event.phase != dispute.phase:
            changes |= {"claimed_by": "", "claimed_until": None, "proposed": None}
    match event:
        case DisputeRuled():
            changes |= _ruled(dispute, event, position)
        case FraudProposed():
            changes["proposed"] = Proposal(by=event.by, ruling=event.ruling)
        case CaseClaimed():
            changes |= {"claimed_by": event.by, "claimed_until": event.until}
        case CaseReleased():
            changes |= {"claimed_by": "", "claimed_until": None}
        case Appealed():
            changes["appeals"] = (*dispute.appeals, Appeal(party=event.party, about=event.about))
        case AppealRuled():
            changes |= _heard(dispute, event)
        case FundingChanged():
            changes |= {"payer": event.payer, "refunds": _borne_otherwise(dispute, event)}
        case NoticeServed():
            changes["notice"] = position
        case ClaimChanged():
            changes |= {"amount": event.amount, "rule": event.rule, "assessed": position}
            changes |= {"offer": None, "proposed": None}
            if event.phase == "notifying":
                changes["notice"] = position
        case SellerOffered():
            changes |= {"offer": Offer(amount=event.amount, remedy=event.remedy)}
        case SellerRejected():
            changes["offer"] = None
        case OfferAccepted(remedy="replacement"):
            changes["parcel"] = PROMISED
        case EvidenceRequested():
            others = (timer for timer in dispute.timers if timer.kind != "evidence")
            changes["timers"] = in_order((*others, Timer(kind="evidence", at=event.until)))
            changes["evidence_since"] = event.at
        case EvidenceClosed() | Alerted():
            changes["timers"] = tuple(t for t in dispute.timers if t.kind in CHANGES or t.at > event.at)
        case EvidenceAdded():
            changes["evidence"] = True
        case TimersMoved():
            changes["escalates_at"] = event.escalates_at
            if dispute.frozen:
                changes |= {"timers": (), "frozen": structs.replace(dispute.frozen, timers=event.timers)}
        case TimedOut():
            changes |= {"timers": (), "asked": dispute.asked + (dispute.phase == "awaiting_seller")}
        case Reopened():
            changes |= _as_it_began(dispute, position if event.phase == "notifying" else 0)
        case DisputeFrozen():
            changes |= {
                "frozen": Frozen(since=event.at, phase=dispute.phase, timers=dispute.timers, position=position),
                "timers": (),
            }
        case DisputeThawed():
            changes |= {"frozen": None, "negotiating_since": event.at, "evidence_since": event.at}
            if dispute.frozen and dispute.escalates_at:
                later = dispute.escalates_at + (event.at - dispute.frozen.since)
                changes["escalates_at"] = next((t.at for t in event.timers if t.kind == "escalate"), later)
        case DisputeClosed():
            changes |= _closed(dispute, event)
        case RefundApproved():
            changes |= {"payer": event.payer, "resolved_by": event.resolved_by}
            changes["refunds"] = (*dispute.refunds, evolve_refund(None, event, position))
            if event.handed_over:
                changes["amount"] = dispute.amount - event.handed_over
                changes["first_amount"] = dispute.first_amount - event.handed_over
        case RefundReleased():
            changes |= {"resolved_by": event.resolved_by, "refunds": _evolved(dispute, event, position)}
        case RefundReturned():
            changes["refunds"] = _evolved(dispute, event, position)
            if event.phase == "refunding":
                changes |= {"outcome": "", "closed_at": None}
        case DebtWrittenOff():
            changes |= {"write_off": "", "refunds": _written_off(dispute, event)}
        case WriteOffProposed():
            changes["write_off"] = event.by
        case RefundFailed() | PayoutWaySet():
            refunds = changes["refunds"] = _evolved(dispute, event, position)
            claim_by = event.claim_by if isinstance(event, RefundFailed) else None
            if dispute.phase == "refunding":
                changes |= _time_to_claim(dispute, refunds, claim_by)
        case RefundResolved():
            refunds = changes["refunds"] = _evolved(dispute, event, position)
            if dispute.phase == "awaiting_funds" and not any(refund.waits for refund in refunds):
                changes |= {"phase": "refunding", "timers": ()}  # others may still be on their way
        case FundsReserved() | FundsAwaited() | RefundSent() | RefundPaid() | RefundUnknown():
            changes["refunds"] = _evolved(dispute, event, position)
        case RefundSettled() | MoneyRecovered():
            changes["refunds"] = _evolved(dispute, event, position)
        case ReturnAuthorised():
            changes |= {"payer": event.payer, "parcel": evolve_parcel(dispute.parcel, event)}
        case (
            LabelSent()
            | ReturnShipped()
            | ReturnDelivered()
            | ReturnConfirmed()
            | ReturnReported()
            | ReplacementShipped()
            | ReplacementDelivered()
            | ReplacementReported()
        ):
            changes["parcel"] = evolve_parcel(dispute.parcel, event)
        case OfferAccepted() | Escalated() | MessageWritten() | NoticeStood() | NoticeFailed():
            pass  # where it is now, and until when, says all of it
        case RefundContradicted() | DeliveredAfterRefund():
            pass  # somebody is told
    if isinstance(event, Move) and dispute.phase == "awaiting_seller" and event.by.startswith("seller:"):
        changes |= {"asked": dispute.asked + 1, "answered": dispute.answered + 1}
    known = changes.get("escalates_at", dispute.escalates_at)
    end = next((t.at for t in event.timers if t.kind == "escalate"), None) if isinstance(event, Move) else None
    if end and (known is None or (isinstance(event, NoticeStood) and end != known)):
        changes |= {"escalates_at": end, "negotiating_since": event.at}
    after = structs.replace(dispute, **changes)
    return after if isinstance(event, TimedOut) else _claimed_in_time(after, event.at)


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


def _ruled(dispute: Dispute, event: DisputeRuled, position: int) -> dict[str, Any]:
    if event.finding == "out_of_scope":
        return {"notice": position, "payer": "seller", "judges": (*dispute.judges, event.by)}
    return {
        "ruled": event.fault,
        "adjudicated": dispute.adjudicated or dispute.phase == "adjudicating",
        "fraud": event.fraud,
        "judges": (*dispute.judges, event.by, *([event.proposed_by] if event.proposed_by else [])),
    }


def _heard(dispute: Dispute, event: AppealRuled) -> dict[str, Any]:
    changes: dict[str, Any] = {"appeals": _with_finding(dispute, event.finding)}
    if event.by != "system":
        changes["judges"] = (*dispute.judges, event.by)
    if event.phase != "closed":
        changes |= {"outcome": "", "closed_at": None}
    return changes


def _with_finding(dispute: Dispute, finding: str) -> tuple[Appeal, ...]:
    return (*dispute.appeals[:-1], structs.replace(dispute.appeals[-1], finding=finding))


def _as_it_began(dispute: Dispute, notice: int) -> dict[str, Any]:
    """A dispute that is taken up again forgets what came of it, and who was found to pay; `notice` where it begins with
    one."""
    return {
        "outcome": "",
        "resolved_by": "",
        "closed_at": None,
        "reopened": dispute.reopened + 1,
        "fault": Fault(state="exempt" if dispute.route == "return" else "pending", kind=dispute.fault.kind),
        "escalates_at": None,
        "offer": None,
        "payer": dispute.first_payer,
        "notice": notice,
        "parcel": None,
        "ruled": "",
        "fraud": "",
    }


def _closed(dispute: Dispute, event: DisputeClosed) -> dict[str, Any]:
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


def _opened(event: DisputeOpened, position: int) -> Dispute:
    exempt = event.fault == "exempt"
    kind = REASONS[event.reason] if exempt else event.fault
    fault = Fault(state="exempt" if exempt else "pending", kind=kind)
    return Dispute(
        id=position,
        store=event.store,
        order=event.order,
        buyer=event.buyer,
        currency=event.currency,
        lines=event.lines,
        reason=event.reason,
        first_amount=event.amount,
        first_payer=event.payer,
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
        evidence=bool(event.evidence),
        reference=event.reference,
        notice=position if event.phase == "notifying" else 0,
        excess_of=event.excess_of,
        timers=event.timers,
        escalates_at=next((timer.at for timer in event.timers if timer.kind == "escalate"), None),
    )


def _goodwill(event: GoodwillSent, position: int) -> Dispute:
    return Dispute(
        id=position,
        store=event.store,
        order=event.order,
        buyer=event.buyer,
        currency=event.currency,
        lines=event.lines,
        reason=GOODWILL,
        first_amount=event.amount,
        first_payer="seller",
        amount=event.amount,
        remedy="refund",
        route=GOODWILL,
        rule="",
        payer="seller",
        covered=event.covered,
        policy=event.policy,
        phase=event.phase,
        fault=Fault(state="exempt", kind=GOODWILL, why=GOODWILL),
        opened_at=event.at,
        assessed=position,
        history=(position,),
    )


def _time_to_claim(dispute: Dispute, refunds: tuple[Refund, ...], claim_by: datetime | None) -> dict[str, Any]:
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
