"""What is said of goods on their way: see returns.py for their lives."""

from typing import Any

from houbao.core.awards import leads_to, pay_out
from houbao.core.calendars import Span, ends
from houbao.core.claims import check_text
from houbao.core.disputes import Dispute, Event
from houbao.core.money import LARGEST
from houbao.core.moves import Head, Timer
from houbao.core.phases import entering, staying, wants_label
from houbao.core.returns import (
    PROMISED,
    ConfirmReturn,
    LabelSent,
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
    SendLabel,
    ShipReplacement,
    ShipReturn,
    check_parcel,
)
from houbao.core.scene import Scene, later
from houbao.core.shortfalls import draw, drawn_on, waiting_for
from houbao.core.terms import Refused


def decide_ship_return(dispute: Dispute, command: ShipReturn, scene: Scene) -> list[Event]:
    """The buyer sent the goods back, with the platform's label where one is to be given: its freight is paid then.
    Raises Refused: bad_words, bad_reference, no_label."""
    check_parcel(command.carrier, command.tracking)
    if wants_label(dispute):
        raise Refused("no_label", "the platform sends a label for the way back: wait for it")
    moved = entering(dispute, scene, "return_in_transit")
    return [ReturnShipped(**moved, carrier=command.carrier, tracking=command.tracking, **_freight(dispute, scene))]


def decide_send_label(dispute: Dispute, command: SendLabel, scene: Scene) -> list[Event]:
    """The buyer has the label: the time to send the goods runs from now. Raises Refused: bad_words, bad_reference,
    bad_amount, bad_currency, no_label_wanted."""
    check_parcel(command.carrier, command.tracking)
    if not 0 <= command.minor <= LARGEST:
        raise Refused("bad_amount", f"the freight is {command.minor}: give minor units, 0 where it costs nothing")
    currency = scene.order.coverage.currency or scene.order.currency
    if command.currency != currency:
        raise Refused("bad_currency", f"the freight is booked in {currency}, not in {command.currency!r}")
    if not wants_label(dispute):
        raise Refused("no_label_wanted", "no label of the platform's is waited for")
    said = {"carrier": command.carrier, "tracking": command.tracking, "currency": command.currency}
    return [LabelSent(**entering(dispute, scene, "awaiting_return"), **said, freight=command.minor)]


def _freight(dispute: Dispute, scene: Scene) -> dict[str, Any]:
    """Who bears the freight of the platform's label: the fund, as the goods; where it is short the platform, since no
    carrier waits."""
    parcel = dispute.parcel
    if parcel is None or not parcel.freight:
        return {}
    said, account = {"freight": parcel.freight, "currency": parcel.currency}, drawn_on(scene.order, "fund")
    short = waiting_for(scene.purse, account) > 0
    legs = None if short else draw(account, scene.purse, parcel.freight, 0)
    return {**said, "payer": "platform"} if legs is None else {**said, "payer": "fund", "legs": legs}


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
    return [ReturnReported(**entering(dispute, scene, "adjudicating"), text=scene.text, problem=command.problem)]


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
    return [ReplacementReported(**entering(dispute, scene, "adjudicating"), text=scene.text, problem=command.problem)]


def _delivered(dispute: Dispute) -> bool:
    return dispute.parcel is not None and dispute.parcel.state == "delivered"


def _ends(dispute: Dispute, scene: Scene, wait: Span) -> Head:
    """The phase stays, and its turn ends after `wait`."""
    return {**staying(dispute, scene), "timers": (Timer(kind="turn", at=ends(scene.clock, scene.now, wait)),)}
