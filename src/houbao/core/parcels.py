"""What is said of goods on their way: see returns.py for their lives."""

from houbao.core.awards import leads_to, pay_out
from houbao.core.calendars import Span, ends
from houbao.core.claims import check_text
from houbao.core.disputes import Dispute, Event
from houbao.core.moves import Head, Timer
from houbao.core.phases import entering, staying
from houbao.core.returns import (
    PROMISED,
    ConfirmReturn,
    ReplacementDelivered,
    ReplacementReported,
    ReplacementShipped,
    ReportReplacement,
    ReportReturn,
    ReturnConfirmed,
    ReturnDelivered,
    ReturnReported,
    ReturnShipped,
    ScanReplacement,
    ScanReturn,
    ShipReplacement,
    ShipReturn,
    check_parcel,
)
from houbao.core.scene import Scene, later
from houbao.core.terms import Refused


def decide_ship_return(dispute: Dispute, command: ShipReturn, scene: Scene) -> list[Event]:
    """The buyer sent the goods back. Raises Refused: bad_words, bad_reference."""
    check_parcel(command.carrier, command.tracking)
    moved = entering(dispute, scene, "return_in_transit")
    return [ReturnShipped(**moved, carrier=command.carrier, tracking=command.tracking)]


def decide_scan_return(dispute: Dispute, command: ScanReturn, scene: Scene) -> list[Event]:
    """The goods are there: the time to inspect them runs. A second scan changes nothing."""
    if _delivered(dispute):
        return []
    return [ReturnDelivered(**_ends(dispute, scene, scene.policy.timers.return_inspection))]


def decide_confirm_return(dispute: Dispute, command: ConfirmReturn, scene: Scene) -> list[Event]:
    """The goods are intact: the refund goes out. Raises Refused: not_yours where the platform receives them."""
    _check_receiver(dispute, scene)
    return inspected(dispute, scene)


def inspected(dispute: Dispute, scene: Scene) -> list[Event]:
    """The return is complete, and brings what it promised."""
    parcel = dispute.parcel
    assert parcel is not None
    then = pay_out(dispute, later(scene), parcel.minor, parcel.payer, parcel.resolved_by)
    return [ReturnConfirmed(**entering(dispute, scene, leads_to(then))), *then]


def decide_report_return(dispute: Dispute, command: ReportReturn, scene: Scene) -> list[Event]:
    """Something is wrong with the return: the platform decides. Raises Refused: not_yours, text_too_long."""
    _check_receiver(dispute, scene)
    check_text(command.note)
    return [ReturnReported(**entering(dispute, scene, "adjudicating"), problem=command.problem)]


def _check_receiver(dispute: Dispute, scene: Scene) -> None:
    """Goods that the fund paid for go to the platform, all others to the seller."""
    receiver = "platform" if dispute.payer == "fund" else "seller"
    if scene.by.role != receiver:
        raise Refused("not_yours", f"these goods go back to the {receiver}")


def decide_ship_replacement(dispute: Dispute, command: ShipReplacement, scene: Scene) -> list[Event]:
    """The seller sent the replacement. Raises Refused: bad_words, bad_reference, shipped_before."""
    check_parcel(command.carrier, command.tracking)
    if dispute.parcel != PROMISED:
        raise Refused("shipped_before", "the replacement was sent already")
    moved = _ends(dispute, scene, scene.policy.timers.replacement_scan)
    return [ReplacementShipped(**moved, carrier=command.carrier, tracking=command.tracking)]


def decide_scan_replacement(dispute: Dispute, command: ScanReplacement, scene: Scene) -> list[Event]:
    """The replacement is there: the buyer may say that it is wrong. A scan of what was not sent, or was scanned before,
    changes nothing."""
    if dispute.parcel == PROMISED or _delivered(dispute):
        return []
    return [ReplacementDelivered(**_ends(dispute, scene, scene.policy.timers.replacement_trial))]


def decide_report_replacement(dispute: Dispute, command: ReportReplacement, scene: Scene) -> list[Event]:
    """Something is wrong with the replacement: the platform decides. Raises Refused: text_too_long."""
    check_text(command.note)
    return [ReplacementReported(**entering(dispute, scene, "adjudicating"), problem=command.problem)]


def _delivered(dispute: Dispute) -> bool:
    return dispute.parcel is not None and dispute.parcel.state == "delivered"


def _ends(dispute: Dispute, scene: Scene, wait: Span) -> Head:
    """The phase stays, and its turn ends after `wait`."""
    return {**staying(dispute, scene), "timers": (Timer(kind="turn", at=ends(scene.clock, scene.now, wait)),)}
