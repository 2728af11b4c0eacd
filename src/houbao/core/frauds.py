"""Fraud that is found when the money has gone out. Two agents rule it, as always: one proposes, another signs.

A seller's: what the fund or the platform bore is taken back from the seller, the one thing for which the guarantee does
not stand (R8); what the seller cannot pay it owes. A buyer's: it does not count, and the platform bears what the seller
bore, until the buyer pays it back.
"""

from houbao.core.accounts import store_account
from houbao.core.acts import DisputeRuled, Rule
from houbao.core.appeals import FundingChanged
from houbao.core.awards import close
from houbao.core.commissions import with_commission
from houbao.core.disputes import GOODWILL, Dispute, Event
from houbao.core.hearings import borne_by, paid
from houbao.core.phases import entering, head_of
from houbao.core.refunds import Refund, recoverable, recovered
from houbao.core.scene import Scene
from houbao.core.shortfalls import draw, spent
from houbao.core.terms import Refused


def rule_fraud(dispute: Dispute, command: Rule, scene: Scene, proposed_by: str) -> list[Event]:
    """What a ruling of fraud on a closed dispute leads to: it closes again as it was, but for funding and fault. Raises
    Refused: not_now for a ruling of anything else, bad_ruling."""
    if not command.fraud:
        raise Refused("not_now", "the dispute is over: a party may appeal, and agents may rule that there was fraud")
    if command.amount is not None or command.remedy:
        raise Refused("bad_ruling", "what the buyer got is not changed any more: leave amount and remedy out")
    if not may_be_fraud(dispute):
        raise Refused("bad_ruling", "fraud was ruled already, or nothing was refunded that might have been one")
    ruled = DisputeRuled(
        **entering(dispute, scene, "closed"),
        text=scene.text,
        finding=command.finding,
        reason=command.reason,
        fraud=command.fraud,
        proposed_by=proposed_by,
    )
    fault = dispute.fault
    if command.fraud == "buyer":
        then, state, why = borne_by(dispute, scene, "platform"), "exempt", fault.why or "fraud"
    else:
        then = _taken_back(dispute, scene)
        counts = fault.kind != "REMORSE"
        state, why = ("counted", "") if counts else (fault.state, fault.why)
    return [ruled, *then, close(dispute, scene, dispute.outcome, dispute.resolved_by, state, why)]


def may_be_fraud(dispute: Dispute) -> bool:
    """Whether a fraud may still be ruled on a closed dispute: something was refunded, and none was ruled before."""
    return not dispute.fraud and dispute.route != GOODWILL and paid(dispute) > 0


def _taken_back(dispute: Dispute, scene: Scene) -> list[Event]:
    """What others bore is the seller's: out of what it is owed, then its deposit; the rest it owes."""
    account, purse = store_account(dispute.store, "payable"), scene.purse
    changed: list[FundingChanged] = []
    for refund in dispute.refunds:
        minor = refund.minor - recovered(refund)
        if minor <= 0 or refund.payer == "seller" or _of_own_deposit(refund, scene):
            continue
        legs = draw(account, purse, minor, None) or ()
        purse = spent(purse, minor, legs)
        changed.append(
            FundingChanged(
                **head_of(dispute, scene),
                refund=refund.id,
                was=refund.payer,
                payer="seller",
                minor=minor,
                currency=refund.currency,
                legs=legs,
                **_to_fund(refund),
            )
        )
    return [*with_commission(changed, scene)]


def _of_own_deposit(refund: Refund, scene: Scene) -> bool:
    return refund.payer == "fund" and scene.order.coverage.mode == "deposit"


def _to_fund(refund: Refund) -> dict[str, int | str]:
    """What a fund in another currency has again."""
    if refund.payer != "fund" or refund.in_fund is None:
        return {}
    minor, currency = recoverable(refund)
    return {"fund_minor": minor, "fund_currency": currency}
