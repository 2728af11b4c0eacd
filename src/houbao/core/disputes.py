"""The life of a dispute. TURNS below is the table: which command, by whom, in which phase, and where it may lead.

Remedy, funding and fault are three decisions kept apart: the refund, who pays it, and whether it counts against the
store. A deadline is a rule: `fall_due` says what happens by itself, and a late system says it with the due time.
"""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, structs

from houbao.core.conditions import Facts
from houbao.core.orders import REASONS
from houbao.core.policy import Timers as Waits
from houbao.core.refunds import (
    DisputeEvent,
    FundsReserved,
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
    SendRefund,
    Timer,
    evolve_refund,
)
from houbao.core.terms import Record, Role

Phase = Literal["verifying", "notifying", "awaiting_seller", "awaiting_buyer", "awaiting_funds", "refunding", "closed"]

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
    """A dispute, with what the policy said of it: the rule, and the facts from which `assess` tells why. `policy` is
    the version in force at opening (timers), `rules` the one at payment where that is another."""

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
    facts: Facts
    rules: str = ""
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
    facts: Facts


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
    evidence: bool = False
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
    for timer in dispute.timers:
        if timer.kind == "turn":
            return timer.at
    return None


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
        timers=event.timers,
    )


def funding_of(dispute: Dispute) -> tuple[tuple[str, int], ...]:
    """Who paid, or will pay what was approved: (payer, minor units)."""
    return ((dispute.refund.payer, dispute.refund.minor),) if dispute.refund and dispute.refund.minor else ()
