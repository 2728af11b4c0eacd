"""The buyer's bank asks for a payment back. What it does to disputes: freezes.py.

opened ── won (the payment stays) | lost (the bank took it)
"""

from typing import Literal

from msgspec import structs

from houbao.core.orders import Charge, Order, OrderEvent
from houbao.core.terms import Record


class Chargeback(Record, frozen=True, kw_only=True, tag="chargeback"):
    """What is known of a chargeback, by the bank's `reference`: `minor` units of a payment are asked back, stay, or
    were taken."""

    order: int
    payment: str
    reference: str
    minor: int
    state: Literal["opened", "won", "lost"]


class ChargebackMoved(OrderEvent, frozen=True, kw_only=True, tag="chargeback_moved"):
    """A chargeback was opened, won or lost. A lost one is borne by `payer`, a seller's by its `legs` (account kind,
    minor). `double` is how much of it had been paid back already or was taken before; `dispute` the one whose funding
    it follows, where there is one."""

    order: int
    payment: str
    provider: str
    reference: str
    minor: int
    currency: str
    state: str
    double: int = 0
    dispute: int = 0
    payer: str = ""
    legs: tuple[tuple[str, int], ...] = ()


def known_charge(order: Order, reference: str) -> Charge | None:
    """The order's chargeback of that reference."""
    return next((charge for charge in order.chargebacks if charge.reference == reference), None)


def charged(order: Order) -> dict[str, int]:
    """Payment → minor units that a bank asks back or took: not to be refunded."""
    sums: dict[str, int] = {}
    for charge in order.chargebacks:
        if charge.state != "won":
            sums[charge.payment] = sums.get(charge.payment, 0) + charge.minor
    return sums


def evolve_chargeback(order: Order, event: ChargebackMoved, position: int) -> Order:
    """The order after the event at `position`."""
    charge = Charge(reference=event.reference, payment=event.payment, minor=event.minor, state=event.state, at=event.at)
    others = tuple(one for one in order.chargebacks if one.reference != event.reference)
    return structs.replace(order, chargebacks=(*others, charge), history=(*order.history, position))
