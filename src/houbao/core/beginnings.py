"""A dispute as it begins: opened, sent as goodwill, or taken up again."""

from typing import Any

from houbao.core.acts import DisputeOpened, GoodwillSent
from houbao.core.disputes import GOODWILL, Dispute, Fault
from houbao.core.terms import REASONS


def begun(event: object, position: int) -> Dispute:
    """The dispute that the event at `position` began: that is its number."""
    if isinstance(event, DisputeOpened):
        return _opened(event, position)
    assert isinstance(event, GoodwillSent), event
    return _goodwill(event, position)


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
    """What a seller's goodwill leaves: a dispute that nobody opened, and that counts nowhere."""
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


def as_it_began(dispute: Dispute, notice: int) -> dict[str, Any]:
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
