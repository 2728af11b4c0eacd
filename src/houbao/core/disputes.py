"""A dispute: what it is made of, and what is true of it after each event. What may happen when: phases.py.

Remedy, funding and fault are three decisions kept apart: the refund, who pays it, and whether it counts against the
store.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from houbao.core.acts import (
    Accept,
    AcceptOffer,
    AddEvidence,
    Alerted,
    CaseClaimed,
    CaseReleased,
    ChangeClaim,
    ClaimCase,
    ClaimChanged,
    Counter,
    DeliveredAfterRefund,
    DisputeClosed,
    DisputeFrozen,
    DisputeOpened,
    DisputeRuled,
    DisputeThawed,
    Escalate,
    Escalated,
    EvidenceAdded,
    EvidenceClosed,
    EvidenceRequested,
    FraudProposed,
    GoodwillSent,
    MakeOffer,
    MessageWritten,
    NoticeAccepted,
    NoticeBounced,
    NoticeFailed,
    NoticeServed,
    NoticeStood,
    OfferAccepted,
    PassTime,
    Reject,
    ReleaseCase,
    Reopen,
    Reopened,
    RequestEvidence,
    Rule,
    SellerOffered,
    SellerRejected,
    ServeNotice,
    Sign,
    TimedOut,
    TimersMoved,
    Withdraw,
    WriteMessage,
)
from houbao.core.acts import OpenDispute as OpenDispute
from houbao.core.appeals import Appeal, Appealed, AppealRuled, FileAppeal, FundingChanged
from houbao.core.moves import Timer
from houbao.core.recoveries import Recover
from houbao.core.refunds import (
    Refund,
    RefundEvent,
    ReportRefund,
    ResolveRefund,
    SendRefund,
    SetPayoutWay,
    SettleRefund,
)
from houbao.core.returns import (
    ConfirmReturn,
    Parcel,
    ParcelEvent,
    ReportReplacement,
    ReportReturn,
    ScanReplacement,
    ScanReturn,
    SendLabel,
    ShipReplacement,
    ShipReturn,
)
from houbao.core.shortfalls import DebtWrittenOff, WriteOff, WriteOffProposed
from houbao.core.terms import Record

Phase = Literal[
    "verifying",
    "notifying",
    "awaiting_seller",
    "awaiting_buyer",
    "adjudicating",
    "awaiting_return",
    "return_in_transit",
    "awaiting_replacement",
    "awaiting_funds",
    "refunding",
    "closed",
]

DisputeCommand = (
    Rule
    | Sign
    | ClaimCase
    | ReleaseCase
    | RequestEvidence
    | AddEvidence
    | WriteMessage
    | ChangeClaim
    | Withdraw
    | Reopen
    | FileAppeal
    | Accept
    | MakeOffer
    | Reject
    | AcceptOffer
    | Counter
    | Escalate
    | ServeNotice
    | NoticeAccepted
    | NoticeBounced
    | PassTime
    | SendLabel
    | ShipReturn
    | ScanReturn
    | ConfirmReturn
    | ReportReturn
    | ShipReplacement
    | ScanReplacement
    | ReportReplacement
    | SendRefund
    | ReportRefund
    | ResolveRefund
    | SetPayoutWay
    | SettleRefund
    | Recover
    | WriteOff
)
"""Everything that may be said of a dispute that exists."""

Event = (
    DisputeOpened
    | GoodwillSent
    | DisputeRuled
    | FraudProposed
    | CaseClaimed
    | CaseReleased
    | EvidenceRequested
    | EvidenceClosed
    | EvidenceAdded
    | MessageWritten
    | ClaimChanged
    | SellerOffered
    | SellerRejected
    | OfferAccepted
    | Escalated
    | Reopened
    | Appealed
    | AppealRuled
    | FundingChanged
    | NoticeServed
    | NoticeStood
    | NoticeFailed
    | TimedOut
    | TimersMoved
    | Alerted
    | DeliveredAfterRefund
    | DisputeFrozen
    | DisputeThawed
    | DisputeClosed
    | ParcelEvent
    | RefundEvent
    | WriteOffProposed
    | DebtWrittenOff
)

# --- state ---------------------------------------------------------------------------------------------------------


class Fault(Record, frozen=True, kw_only=True):
    """Whether the dispute counts against the store, in which class, and why if it does not. What was `lifted_at` a time
    is exempt from the next day on and counts in the days before."""

    state: Literal["pending", "counted", "exempt"]
    kind: str
    why: str = ""
    lifted_at: datetime | None = None


class Offer(Record, frozen=True, kw_only=True):
    """The seller's last offer, while it stands: an amount (minor units), with the goods kept, sent back or replaced."""

    amount: int
    remedy: str


class Proposal(Record, frozen=True, kw_only=True):
    """A ruling of fraud that waits for a second person's signature, and whose it is."""

    by: str
    ruling: Rule


class Frozen(Record, frozen=True, kw_only=True):
    """Since when a dispute stands still, by the event at which `position`, in which phase, and the timers that ran
    there."""

    since: datetime
    position: int
    phase: str
    timers: tuple[Timer, ...]


class Dispute(Record, frozen=True, kw_only=True):
    """A dispute as it stands. `assessed` is the position of the event with the policy's reasons; `notice` that of the
    official notice in force; `history` the positions of all its events. `escalates_at` ends the negotiation; `ruled` is
    the fault as a person ruled it, `judges` those who ruled; `asked` counts the seller's turns that ended, `answered`
    those ended in time. While an appeal is heard, outcome and fault are those of the earlier ruling, which stands.
    `claimed_by` is the agent who has it until `claimed_until`; `proposed` the ruling of fraud that nobody has signed
    yet, `fraud` whose fraud it was found to be. Timers run since the opening, unless `running_since` says otherwise, or
    `negotiating_since` of the end of the negotiation, `evidence_since` of evidence. `write_off` is
    who has signed to give up what the store owes for it; `excess_of` the dispute above whose limit this one is."""

    id: int
    store: str
    order: int
    buyer: str
    currency: str
    lines: tuple[tuple[str, int], ...]
    reason: str
    first_amount: int
    first_payer: str
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
    frozen: Frozen | None = None
    notice: int = 0
    offer: Offer | None = None
    parcel: Parcel | None = None
    refunds: tuple[Refund, ...] = ()
    escalates_at: datetime | None = None
    running_since: datetime | None = None
    negotiating_since: datetime | None = None
    evidence_since: datetime | None = None
    adjudicated: bool = False
    ruled: str = ""
    judges: tuple[str, ...] = ()
    appeals: tuple[Appeal, ...] = ()
    asked: int = 0
    answered: int = 0
    reopened: int = 0
    claimed_by: str = ""
    claimed_until: datetime | None = None
    proposed: Proposal | None = None
    fraud: str = ""
    write_off: str = ""
    resolved_by: str = ""
    outcome: str = ""
    closed_at: datetime | None = None
    excess_of: int = 0


EXCESS = "hand_over"
"""The route of what was found justified above the fund's limit: by the official notice to the seller."""

GOODWILL = "goodwill"
"""The route of what a seller sends of its own accord: the record of its money, no dispute, and no part of any rate."""

CHANGES = ("turn", "escalate")
"""The timers that change phase or money."""


def due_at(dispute: Dispute) -> datetime | None:
    """When the phase or the money changes by itself."""
    for timer in dispute.timers:
        if timer.kind in CHANGES:
            return timer.at
    return None


def in_order(timers: Iterable[Timer]) -> tuple[Timer, ...]:
    """The timers, the earliest first."""
    return tuple(sorted(timers, key=lambda timer: timer.at))


# --- evolve --------------------------------------------------------------------------------------------------------


# --- its refunds ---------------------------------------------------------------------------------------------------


def refund_of(dispute: Dispute, number: int = 0) -> Refund | None:
    """Its refund of that number; the latest, where none is named."""
    return next((refund for refund in reversed(dispute.refunds) if number in (0, refund.id)), None)


def with_refund(dispute: Dispute, changed: Refund) -> tuple[Refund, ...]:
    """Its refunds, with one of them changed."""
    return tuple(changed if refund.id == changed.id else refund for refund in dispute.refunds)


def funding_of(dispute: Dispute) -> tuple[tuple[str, int], ...]:
    """Who paid, or will pay what was approved: (payer, minor units), each payer once."""
    sums: dict[str, int] = {}
    for refund in dispute.refunds:
        if refund.minor:
            sums[refund.payer] = sums.get(refund.payer, 0) + refund.minor
    return tuple(sums.items())
