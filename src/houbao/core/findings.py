"""What an agent decides: after verification, where the guarantee is asked, and in adjudication, where two disagree."""

from msgspec import structs

from houbao.core.acts import DisputeRuled, EvidenceRequested, FraudProposed, RequestEvidence, Rule, Sign
from houbao.core.appeals import in_hearing
from houbao.core.awards import authorise, check_payer, close, leads_to, pay_out, put_back
from houbao.core.calendars import ends
from houbao.core.claims import check_amount, check_text
from houbao.core.disputes import Dispute, Event
from houbao.core.frauds import rule_fraud
from houbao.core.hearings import rule_appeal
from houbao.core.money import Money
from houbao.core.phases import entering, saying
from houbao.core.scene import Scene, later
from houbao.core.terms import Actor, Refused, check_reference


def decide_rule(dispute: Dispute, command: Rule, scene: Scene) -> list[Event]:
    """Verification ends: paid by the fund, rejected, or handed to the seller by an official notice (R10). Adjudication
    ends: paid by whom the ruling says, or rejected. A ruling of fraud ends nothing until another person signs it; it is
    checked all the same. When all is over fraud alone is ruled. An appeal is decided by hearings.rule_appeal. Raises
    Refused: bad_reference, text_too_long, bad_ruling, bad_amount, amount_above_claim, not_now."""
    if appeal := in_hearing(dispute.appeals):
        return rule_appeal(dispute, appeal, command, scene)
    check_reference("reason", command.reason)
    check_text(command.note)
    if command.fraud:
        _check_fraud(command, scene.by)
    ruled = _rule(dispute, command, scene)
    if not command.fraud:
        return ruled
    # What was said in words is kept erasable, as of every ruling.
    return [FraudProposed(**saying(dispute, scene), ruling=structs.replace(command, note=""))]


def decide_sign(dispute: Dispute, command: Sign, scene: Scene) -> list[Event]:
    """The ruling of fraud that was proposed holds, as it stands when it is signed. Raises Refused: not_proposed,
    same_person, and as a ruling does."""
    proposed = dispute.proposed
    if proposed is None:
        raise Refused("not_proposed", "nobody proposed a ruling of fraud that waits for a signature")
    if not scene.by.id or str(scene.by) == proposed.by:
        raise Refused("same_person", f"{proposed.by} proposed this ruling: another person, by name, signs it")
    return _rule(dispute, proposed.ruling, scene, proposed_by=proposed.by)


def _check_fraud(command: Rule, by: Actor) -> None:
    if not by.id:
        raise Refused("bad_ruling", "fraud is ruled by a person with a name: two different ones must agree")
    if command.finding == "out_of_scope":
        raise Refused("bad_ruling", "a fraud is no matter of the guarantee's scope: rule justified or unjustified")
    if command.fraud == "buyer" and command.finding != "unjustified":
        raise Refused("bad_ruling", "a buyer's fraud is not paid for: rule unjustified")
    if command.payer or command.fault:
        raise Refused("bad_ruling", "a ruling of fraud says by itself who pays and what counts: leave both out")


def _rule(dispute: Dispute, command: Rule, scene: Scene, proposed_by: str = "") -> list[Event]:
    """What the ruling leads to; `proposed_by` where another person proposed it."""
    if dispute.phase == "closed":
        return rule_fraud(dispute, command, scene, proposed_by)
    verifying = dispute.phase == "verifying"
    if verifying and (command.payer or command.fault):
        raise Refused("bad_ruling", "in verification the policy says who pays and what counts: leave both out")
    if command.finding == "out_of_scope":
        if not verifying:
            raise Refused("bad_ruling", "the guarantee's scope is found in verification: rule justified or unjustified")
        return [_ruled(dispute, command, scene, "notifying")]
    if command.finding == "unjustified":
        resolved_by = "guarantee" if verifying else "adjudication"
        closed = close(dispute, scene, "rejected", resolved_by, "exempt", "rejected")
        return [_ruled(dispute, command, scene, "closed", proposed_by), *put_back(dispute, scene), closed]
    amount = dispute.amount if command.amount is None else command.amount
    check_amount(amount)
    if amount > dispute.amount:
        asked, given = Money(dispute.amount, dispute.currency), Money(amount, dispute.currency)
        raise Refused("amount_above_claim", f"the buyer asked for {asked}, the ruling gives {given}")
    then = _awarded(dispute, command, later(scene), amount)
    return [_ruled(dispute, command, scene, leads_to(then), proposed_by), *then]


def _awarded(dispute: Dispute, command: Rule, scene: Scene, amount: int) -> list[Event]:
    # A seller's fraud is the one thing for which the fund does not stand: the seller pays (R8).
    payer = "seller" if command.fraud == "seller" else command.payer or dispute.payer
    if not command.fraud:
        check_payer(dispute, payer)
    resolved_by = "guarantee" if dispute.phase == "verifying" and not command.fraud else "adjudication"
    sent_back = scene.labels and payer == "fund" and dispute.phase == "verifying" and not command.fraud
    if command.remedy == "return_refund" or (sent_back and not command.remedy):
        if dispute.parcel is not None:
            raise Refused("bad_ruling", "the goods were on their way already: rule a refund, or unjustified")
        return authorise(dispute, scene, amount, payer, resolved_by)
    return pay_out(dispute, scene, amount, payer, resolved_by)


def _ruled(dispute: Dispute, command: Rule, scene: Scene, phase: str, proposed_by: str = "") -> DisputeRuled:
    return DisputeRuled(
        **entering(dispute, scene, phase),
        text=scene.text,
        finding=command.finding,
        reason=command.reason,
        payer=command.payer,
        fault=command.fault,
        fraud=command.fraud,
        proposed_by=proposed_by,
    )


def decide_request_evidence(dispute: Dispute, command: RequestEvidence, scene: Scene) -> list[Event]:
    """A party is asked for evidence; the turn stays. Asked again, of the same or the other party, its time begins anew.
    Raises Refused: text_too_long."""
    check_text(command.note)
    until = ends(scene.clock, scene.now, scene.policy.timers.evidence)
    return [EvidenceRequested(**saying(dispute, scene), party=command.party, until=until)]
