"""The commission on what a seller refunds: given back in proportion where the policy says so, and due again where the
seller gets the money back."""

from collections.abc import Sequence
from typing import TypeVar

from msgspec import structs

from houbao.core.appeals import FundingChanged
from houbao.core.orders import Order
from houbao.core.recoveries import MoneyRecovered
from houbao.core.refunds import RefundEvent, RefundPaid, RefundResolved, RefundReturned
from houbao.core.scene import Scene


def given_back(order: Order, refunded: int) -> int:
    """What of the order's commission its seller has back when it has refunded so much of the order (minor units), half
    up: all of it when the order was refunded in full, and never more."""
    paid = sum(payment.minor for payment in order.payments)
    return (2 * order.commission * refunded + paid) // (2 * paid)


Booked = TypeVar("Booked", bound=RefundEvent | FundingChanged)


def with_commission(events: Sequence[Booked], scene: Scene) -> list[Booked]:
    """The events, each with the commission that comes back by it or is due again. It follows the running total of the
    order, so that what rounding leaves of one refund is in the next."""
    refunded = scene.refunded
    if refunded is None:
        return [*events]
    then: list[Booked] = []
    for event in events:
        before, refunded = refunded, refunded + _refunded_by(event)
        # More may have come back than is refunded now: then there is no commission on it, not less than none.
        moved = abs(given_back(scene.order, max(0, refunded)) - given_back(scene.order, max(0, before)))
        then.append(structs.replace(event, commission=moved) if moved else event)
    return then


def _refunded_by(event: RefundEvent | FundingChanged) -> int:
    """What the seller bears more of the order after that event, less below zero (minor units)."""
    match event:
        case RefundPaid(payer="seller") | RefundResolved(payer="seller", how="paid_elsewhere"):
            return event.minor
        case FundingChanged(payer="seller"):
            return event.minor
        case RefundReturned(payer="seller") | MoneyRecovered(payer="seller") | FundingChanged(was="seller"):
            return -event.minor
        case _:
            return 0
