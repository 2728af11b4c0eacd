"""What a dispute and an order leave on their store's record: one line each, kept in the transaction that changes it.

A line says what is true now. What it means for a day is for `score` to say.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from houbao.core.disputes import GOODWILL, Dispute
from houbao.core.orders import Order


class Tally(Struct, frozen=True, kw_only=True, gc=False):
    """A dispute on the record. `guaranteed`: it counts, and the guarantee had to settle it. `adjudicated`: the platform
    had to decide between the two. Of the seller's turns, `asked` ended and `answered` ended in time. What was
    `lifted_at` a time is exempt from the next day on."""

    dispute: int
    store: str
    order: int
    kind: str
    state: str
    why: str = ""
    opened_at: datetime
    lifted_at: datetime | None = None
    adjudicated: bool = False
    guaranteed: bool = False
    asked: int = 0
    answered: int = 0


class Deal(Struct, frozen=True, kw_only=True, gc=False):
    """An order on the record: `completed` (confirmed, or the time to confirm passed), `uncompleted` (paid, then
    cancelled by the seller), or still under way where it is only rated. Ratings are 1 to 5; 0 where there are none."""

    order: int
    store: str
    state: Literal["", "completed", "uncompleted"] = ""
    ended_at: datetime | None = None
    rated_at: datetime | None = None
    description: int = 0
    service: int = 0
    logistics: int = 0


def tally_of(dispute: Dispute) -> Tally | None:
    """The dispute's line on the record of its store; None of goodwill, which is no dispute and counts nowhere."""
    if dispute.route == GOODWILL:
        return None
    fault = dispute.fault
    return Tally(
        dispute=dispute.id,
        store=dispute.store,
        order=dispute.order,
        kind=fault.kind,
        state=fault.state,
        why=fault.why,
        opened_at=dispute.opened_at,
        lifted_at=fault.lifted_at,
        adjudicated=dispute.adjudicated,
        guaranteed=fault.state == "counted" and dispute.resolved_by == "guarantee",
        asked=dispute.asked,
        answered=dispute.answered,
    )


def deal_of(order: Order) -> Deal | None:
    """The order's line on the record of its store; None while it leaves none."""
    state, ended_at = "", None
    if order.closed_at is not None:
        state, ended_at = "completed", order.closed_at
    elif order.cancelled_by == "seller" and order.paid_at is not None:
        state, ended_at = "uncompleted", order.cancelled_at
    if not state and order.ratings is None:
        return None
    description, service, logistics = order.ratings or (0, 0, 0)
    return Deal(
        order=order.id,
        store=order.store,
        state=state,
        ended_at=ended_at,
        rated_at=order.rated_at,
        description=description,
        service=service,
        logistics=logistics,
    )
