"""What happens by itself: whose time has ended, and the default that follows. A newcomer who asks "what happens when a
seller is silent?" reads `fall_due`."""

from collections.abc import Callable
from datetime import datetime

from houbao.core.accounts import AVAILABLE
from houbao.core.acts import Alerted, Escalated, EvidenceClosed, TimedOut
from houbao.core.answers import take_offer
from houbao.core.appeals import in_hearing
from houbao.core.attempts import decide_abandon
from houbao.core.awards import award, close, pay_out, put_back, settled
from houbao.core.calendars import DAY
from houbao.core.disputes import Dispute, Event
from houbao.core.evolving import evolve_dispute
from houbao.core.freezes import on_its_way
from houbao.core.hearings import ruling_stands
from houbao.core.moves import Timer
from houbao.core.parcels import inspected
from houbao.core.phases import entering, head_of, waits_for, wants_label
from houbao.core.refunds import FundsAwaited, FundsReserved, is_settled, takes
from houbao.core.scene import Scene, later
from houbao.core.shortfalls import backstop_for, draw


def next_due(dispute: Dispute, now: datetime) -> Timer | None:
    """The earliest timer that has fallen due by `now`."""
    due = [timer for timer in dispute.timers if timer.at <= now]
    if len(due) < 2:
        return due[0] if due else None
    return min(due, key=lambda timer: (timer.at, timer.kind))


def fall_due(dispute: Dispute, timer: Timer, scene: Scene) -> list[Event]:
    """What that timer does. `scene.now` is its due time, however late it is applied."""
    head = head_of(dispute, scene)
    match timer.kind:
        case "alert" | "remind":
            kind = {"alert": "overdue", "remind": "reminder"}[timer.kind]
            return [Alerted(**head, kind=kind, phase=dispute.phase)]
        case "evidence":
            return [EvidenceClosed(**head)]
        case "escalate":
            return [Escalated(**entering(dispute, scene, "adjudicating"), why="too_long")]
        case "turn":
            whose = WHOSE.get(waits_for(dispute), waits_for(dispute))
            return [TimedOut(**head, turn=whose, due_at=timer.at), *DEFAULT[dispute.phase](dispute, later(scene))]


WHOSE = {"agent": "platform", "mail": "platform"}
"""Agents and the mail are the platform's own: its time ended."""


def _platform_silent(dispute: Dispute, scene: Scene) -> list[Event]:
    """Nobody verified or decided: the buyer's amount, by the fund where it covers, else by the platform. An appeal
    nobody decided changes nothing."""
    if in_hearing(dispute.appeals):
        return ruling_stands(dispute, scene)
    payer = "fund" if dispute.covered else "platform"
    return pay_out(dispute, scene, dispute.amount, payer, "platform_timeout")


def _notice_not_served(dispute: Dispute, scene: Scene) -> list[Event]:
    return pay_out(dispute, scene, dispute.amount, "platform", "platform_timeout")


def _seller_silent(dispute: Dispute, scene: Scene) -> list[Event]:
    """The buyer's proposal is carried out as it stands (R12)."""
    return award(dispute, scene, dispute.amount, "seller", "seller_timeout", dispute.remedy)


def _buyer_silent(dispute: Dispute, scene: Scene) -> list[Event]:
    """An offer holds; after a rejection nothing is left to wait for."""
    if dispute.offer:
        return take_offer(dispute, scene, "buyer_timeout")
    return [close(dispute, scene, "lapsed", "buyer_timeout", "exempt", "lapsed")]


def _never_returned(dispute: Dispute, scene: Scene) -> list[Event]:
    """The buyer did not send the goods: it lapses. The platform did not send its label: the buyer's amount."""
    parcel = dispute.parcel
    if parcel is not None and wants_label(dispute):
        return pay_out(dispute, scene, parcel.minor, parcel.payer, "platform_timeout")
    return [*put_back(dispute, scene), close(dispute, scene, "lapsed", "buyer_timeout", "exempt", "lapsed")]


def _return_in_transit(dispute: Dispute, scene: Scene) -> list[Event]:
    """Delivered and not complained of: intact. Never scanned: the platform decides."""
    if dispute.parcel is not None and dispute.parcel.state == "delivered":
        return inspected(dispute, scene)
    return [Escalated(**entering(dispute, scene, "adjudicating"), why="never_scanned")]


def _replacement(dispute: Dispute, scene: Scene) -> list[Event]:
    """Never sent: the buyer's amount. Never scanned: the platform decides. Delivered and not complained of: done."""
    state = dispute.parcel.state if dispute.parcel else ""
    if state == "promised":
        return pay_out(dispute, scene, dispute.amount, "seller", "seller_timeout")
    if state == "shipped":
        return [Escalated(**entering(dispute, scene, "adjudicating"), why="never_scanned")]
    return [close(dispute, scene, "replaced", "agreement", "counted")]


def _unclaimed(dispute: Dispute, scene: Scene) -> list[Event]:
    """Nobody named a way to be paid: what was not paid goes back. An attempt that may have been paid is waited for."""
    if on_its_way(dispute):
        return []
    events: list[Event] = []
    owed = -scene.purse.receivable
    for refund in (refund for refund in dispute.refunds if not is_settled(refund)):
        given_up = decide_abandon(refund, owed, head_of(dispute, scene))
        owed -= dict(given_up.legs).get("receivable", 0)
        after = evolve_dispute(dispute, given_up, scene.position + 1)
        events += [given_up, *settled(dispute, scene, next(one for one in after.refunds if one.id == refund.id))]
        dispute = after
    return events


def _money_short(dispute: Dispute, scene: Scene) -> list[Event]:
    """For the fund the treasury adds money, up to its cap, and whoever waits first is served first; for a store the
    platform advances what is short."""
    refund = next(refund for refund in dispute.refunds if refund.waits)
    minor, currency = takes(refund)
    said = {"refund": refund.id, "currency": currency}
    if refund.waits == AVAILABLE:
        again = (Timer(kind="turn", at=scene.now + DAY),) if refund.told < MOST_TOLD - 1 else ()
        added = backstop_for(refund, scene)
        return [FundsAwaited(**head_of(dispute, scene), phase="awaiting_funds", timers=again, minor=added, **said)]
    legs = draw(refund.waits, scene.purse, minor, None) or ()
    moved = entering(dispute, scene, "refunding")
    return [FundsReserved(**moved, minor=minor, account=refund.waits, legs=legs, **said)]


MOST_TOLD = 30
"""On how many days everybody is told that a refund waits for the fund (A): who did not act by then was told enough."""

DEFAULT: dict[str, Callable[[Dispute, Scene], list[Event]]] = {
    "verifying": _platform_silent,
    "notifying": _notice_not_served,
    "awaiting_seller": _seller_silent,
    "awaiting_buyer": _buyer_silent,
    "adjudicating": _platform_silent,
    "awaiting_return": _never_returned,
    "return_in_transit": _return_in_transit,
    "awaiting_replacement": _replacement,
    "refunding": _unclaimed,
    "awaiting_funds": _money_short,
}
"""Phase → what happens when its time has ended."""
