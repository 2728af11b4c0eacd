"""What buyer and seller answer each other, until they agree, one of them gives up, or the platform decides."""

from msgspec import structs

from houbao.core.acts import (
    Accept,
    AcceptOffer,
    AddEvidence,
    Escalate,
    Escalated,
    EvidenceAdded,
    MakeOffer,
    MessageWritten,
    OfferAccepted,
    Reject,
    Reopen,
    Reopened,
    SellerOffered,
    SellerRejected,
    Withdraw,
    WriteMessage,
)
from houbao.core.appeals import in_hearing
from houbao.core.awards import authorise, award, close, leads_to, put_back
from houbao.core.claims import FIRST_PHASE, check_amount, check_evidence, check_text
from houbao.core.disputes import Dispute, Event
from houbao.core.evolving import evolve_dispute
from houbao.core.money import Money
from houbao.core.phases import entering, saying
from houbao.core.protection import protection_window
from houbao.core.scene import Scene
from houbao.core.terms import REASONS, Refused, check_reference


def decide_accept(dispute: Dispute, command: Accept, scene: Scene) -> list[Event]:
    """The seller agrees to what the buyer asks."""
    return award(dispute, scene, dispute.amount, "seller", "agreement", dispute.remedy)


def decide_offer(dispute: Dispute, command: MakeOffer, scene: Scene) -> list[Event]:
    """The seller offers less, or something else: now the buyer is asked. Raises Refused: bad_amount,
    amount_above_claim, offer_is_claim, text_too_long."""
    check_text(command.note)
    if command.remedy == "replacement":
        if command.amount:
            raise Refused("bad_amount", "a replacement is sent without money: leave the amount out")
    else:
        check_amount(command.amount)
        if command.amount > dispute.amount:
            asked, offered = Money(dispute.amount, dispute.currency), Money(command.amount, dispute.currency)
            raise Refused("amount_above_claim", f"the buyer asks for {asked}, the offer is {offered}")
        if (command.amount, command.remedy) == (dispute.amount, dispute.remedy):
            raise Refused("offer_is_claim", "that is what the buyer asks for: accept it")
    moved = entering(dispute, scene, "awaiting_buyer")
    return [SellerOffered(**moved, text=scene.text, amount=command.amount, remedy=command.remedy)]


def decide_reject(dispute: Dispute, command: Reject, scene: Scene) -> list[Event]:
    """The seller disagrees: now the buyer is asked."""
    check_reference("reason", command.reason)
    check_text(command.note)
    moved = entering(dispute, scene, "awaiting_buyer")
    return [SellerRejected(**moved, text=scene.text, reason=command.reason)]


def decide_accept_offer(dispute: Dispute, command: AcceptOffer, scene: Scene) -> list[Event]:
    """The buyer takes the offer. Raises Refused: no_offer."""
    if dispute.offer is None:
        raise Refused("no_offer", "the seller rejected the claim and made no offer: counter, escalate or withdraw")
    return take_offer(dispute, scene, "agreement")


def take_offer(dispute: Dispute, scene: Scene, resolved_by: str) -> list[Event]:
    """The seller's offer is carried out."""
    offer = dispute.offer
    assert offer is not None
    if offer.remedy == "replacement":
        then: list[Event] = []
        phase = "awaiting_replacement"
    else:
        then = award(dispute, scene, offer.amount, "seller", resolved_by, offer.remedy)
        phase = leads_to(then)
    taken = OfferAccepted(**entering(dispute, scene, phase), amount=offer.amount, remedy=offer.remedy)
    return [taken, *then]


def decide_escalate(dispute: Dispute, command: Escalate, scene: Scene) -> list[Event]:
    """The buyer asks the platform to decide."""
    check_text(command.note)
    return [Escalated(**entering(dispute, scene, "adjudicating"), text=scene.text, why="buyer")]


def decide_withdraw(dispute: Dispute, command: Withdraw, scene: Scene) -> list[Event]:
    """The buyer's own act, before a ruling: no trace in any metric (R15). Raises Refused: in_appeal."""
    if in_hearing(dispute.appeals):
        raise Refused("in_appeal", "it was ruled on, and an appeal is heard: it cannot be withdrawn any more")
    return [*put_back(dispute, scene), close(dispute, scene, "withdrawn", "withdrawal", "exempt", "withdrawn")]


MOST_REOPENED = 1
"""How often a withdrawn dispute may be taken up again (domain R15, A)."""


def decide_reopen(dispute: Dispute, command: Reopen, scene: Scene) -> list[Event]:
    """A withdrawn dispute goes on where its route begins. Raises Refused: not_withdrawn, reopened_before,
    outside_window, text_too_long."""
    check_text(command.note)
    if dispute.outcome != "withdrawn":
        raise Refused("not_withdrawn", f"the dispute ended {dispute.outcome}: only a withdrawn one is taken up again")
    if dispute.reopened >= MOST_REOPENED:
        raise Refused("reopened_before", "a withdrawn dispute is taken up again once, and this one has been")
    window = protection_window(scene.order, REASONS[dispute.reason], scene.policy.window_days, scene.now)
    if not window.holds(scene.now):
        raise Refused("outside_window", "the protection window has ended")
    phase = FIRST_PHASE[dispute.route]
    anew = structs.replace(dispute, escalates_at=None)
    reopened = Reopened(**entering(anew, scene, phase), text=scene.text)
    if phase != "awaiting_return":
        return [reopened]
    then = evolve_dispute(dispute, reopened, scene.position + 1)
    return [reopened, *authorise(then, scene, dispute.amount, dispute.payer, "return")]


def decide_evidence(dispute: Dispute, command: AddEvidence, scene: Scene) -> list[Event]:
    """Photos and papers of a party or an agent. Raises Refused: bad_evidence, text_too_long."""
    check_evidence(command.evidence)
    check_text(command.note)
    if not command.evidence:
        raise Refused("bad_evidence", "name at least one SHA-256 digest")
    return [EvidenceAdded(**saying(dispute, scene), evidence=command.evidence)]


def decide_message(dispute: Dispute, command: WriteMessage, scene: Scene) -> list[Event]:
    """A party or an agent writes. Raises Refused: no_text, text_too_long."""
    check_text(command.message)
    if not command.message.strip():
        raise Refused("no_text", "the message is empty")
    return [MessageWritten(**saying(dispute, scene))]
