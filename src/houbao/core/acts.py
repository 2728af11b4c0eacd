"""What people may do in a dispute (commands), and what then happened (events).

Refunds and returns have lives of their own: see refunds.py and returns.py.
"""

from datetime import datetime
from typing import Literal

from houbao.core.conditions import Facts
from houbao.core.moves import DisputeEvent, Move
from houbao.core.terms import Record

Finding = Literal["justified", "unjustified", "out_of_scope"]
Fraud = Literal["", "seller", "buyer"]
"""Whose fraud it was. A ruling of fraud takes two people."""
Remedy = Literal["refund", "return_refund", "replacement"]

# --- commands ------------------------------------------------------------------------------------------------------


class CaseCommand(Record, frozen=True, kw_only=True):
    """What every command on a dispute names."""

    dispute: int


class OpenDispute(Record, frozen=True, kw_only=True, tag="open"):
    """The buyer asks for `amount` (minor units) back on some pieces of some lines, with the goods kept (`refund`) or
    sent back (`return_refund`). `evidence` are SHA-256 digests of photos, `statement` the buyer's own words (kept
    erasable)."""

    order: int
    lines: tuple[tuple[str, int], ...]
    reason: str
    amount: int
    remedy: str = "refund"
    statement: str = ""
    evidence: tuple[str, ...] = ()
    reference: str = ""


class Rule(CaseCommand, frozen=True, kw_only=True, tag="rule"):
    """An agent's finding after verification or adjudication. `amount` (minor units) when less than claimed; `remedy`
    when another than asked; `reason` a short code. Adjudication may also say who pays and whether it counts: three
    decisions, each by itself. With `fraud` it is only proposed: another person signs it."""

    finding: Finding
    reason: str
    amount: int | None = None
    remedy: Literal["", "refund", "return_refund"] = ""
    payer: Literal["", "fund", "seller", "platform"] = ""
    fault: Literal["", "counted", "exempt"] = ""
    fraud: Fraud = ""
    note: str = ""


class Sign(CaseCommand, frozen=True, kw_only=True, tag="sign"):
    """A second person signs the ruling of fraud that was proposed: now it holds."""


class ClaimCase(CaseCommand, frozen=True, kw_only=True, tag="claim"):
    """An agent takes the dispute out of the queue: for a while no other agent may decide it. Claimed again by the one
    who has it, the while begins anew."""


class ReleaseCase(CaseCommand, frozen=True, kw_only=True, tag="release"):
    """The agent who has the dispute puts it back into the queue."""


class RequestEvidence(CaseCommand, frozen=True, kw_only=True, tag="request_evidence"):
    """An agent asks a party for evidence; the turn stays as it is."""

    party: Literal["buyer", "seller"]
    note: str = ""


class AddEvidence(CaseCommand, frozen=True, kw_only=True, tag="evidence"):
    """Photos and papers, by their SHA-256 digests."""

    evidence: tuple[str, ...]
    note: str = ""


class WriteMessage(CaseCommand, frozen=True, kw_only=True, tag="messages"):
    """A party or an agent writes (kept erasable)."""

    message: str


class ChangeClaim(CaseCommand, frozen=True, kw_only=True, tag="change_claim"):
    """The buyer asks for another amount (minor units); the clock of the turn starts anew where the seller answers."""

    amount: int
    note: str = ""


class Withdraw(CaseCommand, frozen=True, kw_only=True, tag="withdraw"):
    """The buyer takes the dispute back; it then counts nowhere (R15)."""


class Reopen(CaseCommand, frozen=True, kw_only=True, tag="reopen"):
    """The buyer takes up a withdrawn dispute again, once, because the private deal was broken (R15)."""

    note: str = ""


class Accept(CaseCommand, frozen=True, kw_only=True, tag="accept"):
    """The seller agrees to what the buyer asks."""


class MakeOffer(CaseCommand, frozen=True, kw_only=True, tag="offer"):
    """The seller offers another amount (minor units), a refund after the goods are back, or a replacement."""

    amount: int = 0
    remedy: Remedy = "refund"
    note: str = ""


class Reject(CaseCommand, frozen=True, kw_only=True, tag="reject"):
    """The seller disagrees, with a reason code and words of their own."""

    reason: str
    note: str = ""


class AcceptOffer(CaseCommand, frozen=True, kw_only=True, tag="accept_offer"):
    """The buyer takes the seller's offer."""


class Counter(CaseCommand, frozen=True, kw_only=True, tag="counter"):
    """The buyer answers with another amount (minor units): the seller's turn again."""

    amount: int
    note: str = ""


class Escalate(CaseCommand, frozen=True, kw_only=True, tag="escalate"):
    """The buyer asks the platform to decide."""

    note: str = ""


class ServeNotice(CaseCommand, frozen=True, kw_only=True, tag="serve_notice"):
    """An agent has the official notice sent again."""


class NoticeAccepted(CaseCommand, frozen=True, kw_only=True, tag="notice_accepted"):
    """The mail server accepted the official notice `notice`."""

    notice: int
    message_id: str = ""


class NoticeBounced(CaseCommand, frozen=True, kw_only=True, tag="notice_bounced"):
    """The official notice could not be delivered."""

    notice: int
    why: str = ""


class PassTime(CaseCommand, frozen=True, kw_only=True, tag="pass_time"):
    """Nobody acts: what fell due happens; of that, what fell due `until` a time, so that a late sweep can take the
    deadlines of many disputes in their order."""

    until: datetime | None = None


class SendGoodwill(Record, frozen=True, kw_only=True, tag="goodwill"):
    """The seller sends the buyer of an order `amount` (minor units), without a dispute, and counted nowhere (R15)."""

    order: int
    amount: int
    note: str = ""


# --- events --------------------------------------------------------------------------------------------------------


class DisputeOpened(Move, frozen=True, kw_only=True, tag="dispute_opened"):
    """A dispute, with what the policy said of it: the rule, and the facts from which `assess` tells why. `policy` is
    the version in force at opening (timers), `rules` the one at payment where that is another. `excess_of`: opened by
    the platform, for what was above the fund's limit in that one."""

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
    excess_of: int = 0


class GoodwillSent(Move, frozen=True, kw_only=True, tag="goodwill_sent"):
    """The seller sends money back of its own accord. The record lives as a dispute does from its refund on, so that the
    money goes out once; it is on no record but the ledger's."""

    buyer: str
    currency: str
    lines: tuple[tuple[str, int], ...]
    amount: int
    covered: bool
    policy: str


class DisputeRuled(Move, frozen=True, kw_only=True, tag="dispute_ruled"):
    """An agent's finding. `fault` is what it says of the fault where it says so, `payer` who is to pay. A ruling of
    `fraud` was proposed by one person and is signed by another, whose act this is."""

    finding: str
    reason: str
    payer: str = ""
    fault: str = ""
    fraud: Fraud = ""
    proposed_by: str = ""


class FraudProposed(DisputeEvent, frozen=True, kw_only=True, tag="fraud_proposed"):
    """An agent would rule that there was fraud; nothing comes of it until somebody else signs."""

    ruling: Rule


class CaseClaimed(DisputeEvent, frozen=True, kw_only=True, tag="case_claimed"):
    """An agent has the dispute until `until`, unless it is released or decided before."""

    until: datetime


class CaseReleased(DisputeEvent, frozen=True, kw_only=True, tag="case_released"):
    """The dispute is back in the queue."""


class EvidenceRequested(DisputeEvent, frozen=True, kw_only=True, tag="evidence_requested"):
    """A party is asked for evidence until `until`."""

    party: str
    until: datetime


class EvidenceClosed(DisputeEvent, frozen=True, kw_only=True, tag="evidence_closed"):
    """The time to send what was asked for is over."""


class EvidenceAdded(DisputeEvent, frozen=True, kw_only=True, tag="evidence_added"):
    """Evidence, by its digests."""

    evidence: tuple[str, ...]


class MessageWritten(DisputeEvent, frozen=True, kw_only=True, tag="message_written"):
    """Somebody wrote; the words are kept erasable."""


class ClaimChanged(Move, frozen=True, kw_only=True, tag="claim_changed"):
    """The buyer asks for another amount; the policy was assessed again."""

    amount: int
    rule: str
    facts: Facts


class SellerOffered(Move, frozen=True, kw_only=True, tag="seller_offered"):
    """The seller made an offer."""

    amount: int
    remedy: str


class SellerRejected(Move, frozen=True, kw_only=True, tag="seller_rejected"):
    """The seller disagreed."""

    reason: str


class OfferAccepted(Move, frozen=True, kw_only=True, tag="offer_accepted"):
    """The seller's offer holds: the buyer took it, or let the time pass."""

    amount: int
    remedy: str


class Escalated(Move, frozen=True, kw_only=True, tag="escalated"):
    """The platform decides: the buyer asked for it, the negotiation took too long, or a return went wrong."""

    why: str


class Reopened(Move, frozen=True, kw_only=True, tag="reopened"):
    """A withdrawn dispute goes on."""


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


class DeliveredAfterRefund(DisputeEvent, frozen=True, kw_only=True, tag="delivered_after_refund"):
    """What had not been received, and was refunded, was delivered after all."""


class DisputeFrozen(DisputeEvent, frozen=True, kw_only=True, tag="dispute_frozen"):
    """The buyer's bank asks for the payment back: the dispute stands still, with the time that is left."""

    chargeback: str = ""


class DisputeThawed(Move, frozen=True, kw_only=True, tag="dispute_thawed"):
    """The payment stays: the dispute goes on, with the time that was left."""


class TimersMoved(Move, frozen=True, kw_only=True, tag="timers_moved"):
    """Nobody could act in an outage: by so much everything is due later, the end of the negotiation too."""

    escalates_at: datetime | None = None


class DisputeClosed(Move, frozen=True, kw_only=True, tag="dispute_closed"):
    """The dispute is over; `state` is the fault's, with the reason why it is exempt."""

    outcome: str
    resolved_by: str
    state: str
    why: str = ""
