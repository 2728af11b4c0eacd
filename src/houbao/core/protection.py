"""When a class of dispute may be opened, and when what a store is owed for an order is its own."""

from datetime import datetime

from msgspec import Struct

from houbao.core.calendars import days_after
from houbao.core.orders import Order
from houbao.core.terms import ReasonClass


class Window(Struct, frozen=True, gc=False):
    """When a class of dispute may be opened: [opens, closes); None: not yet known."""

    opens: datetime | None
    closes: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether a dispute received at `now` is inside."""
        return self.opens is not None and self.closes is not None and self.opens <= now < self.closes


def protection_window(order: Order, kind: ReasonClass, days: int, now: datetime) -> Window:
    """When a dispute of that class may be opened, given the policy's days after delivery or promise.

    INR opens with the promised delivery; at once when the shipping limit passed unshipped, when the tracking is
    invalid or returned, when the order was cancelled, and when a delivery is claimed before the promise ran out. SNAD
    and REMORSE open with the delivery; OTHER with the payment.
    """
    if order.paid_at is None:
        return Window(None, None)
    if kind == "INR":
        starts = [order.promised_by]
        if order.shipped_at is None and order.delivered_at is None and order.ship_by <= now:
            starts.append(order.ship_by)
        if order.tracking in ("invalid", "returned") and order.tracking_at is not None:
            starts.append(order.tracking_at)
        starts += [at for at in (order.delivered_at, order.cancelled_at) if at is not None]
        return Window(max(min(starts), order.paid_at), days_after(order.promised_by, days))
    if kind == "OTHER":
        return Window(order.paid_at, days_after(order.delivered_at or order.promised_by, days))
    if order.delivered_at is None:
        return Window(None, None)
    return Window(order.delivered_at, days_after(order.delivered_at, days))


def matures_at(order: Order, days: int) -> datetime:
    """When no dispute can be opened on it any more that the fund or the seller would pay: what a covered order brought
    is paid out from then on. Without a delivery it counts from the promised one."""
    return days_after(max(order.promised_by, order.delivered_at or order.promised_by), days)
