"""The ledger's cash at one account, movement by movement, with the words by which the other side may name it."""

import re
from datetime import UTC, date, datetime

from msgspec import Struct

from houbao.core.chargebacks import ChargebackMoved
from houbao.core.orders import OrderPaid
from houbao.core.refunds import RefundPaid, RefundReturned, RefundSettled
from houbao.core.terms import public_id
from houbao.core.world import Event
from houbao.store.bookings import CashRow

OURS = re.compile(r"(?:attempt|dispute|order|event)_[0-9]{1,4}_[0-9]{1,18}", re.ASCII)
"""An id of Houbao's: what names one is about that, and nothing else."""

_TELLING = re.compile(r"(?=.*[0-9])[A-Za-z0-9_.:\-]{6,}", re.ASCII)
"""A name of somebody else's that does not occur by chance: payment ids may be as short as `card`."""

KEY, STRONG, WEAK = 3, 2, 1
"""How well a name names a movement: by the key under which a line of a file was booked, the movement or its payment
itself, or the order or dispute that it is about."""


class Cash(Struct, frozen=True):
    """A movement of cash: `minor` above zero came in. `day` is when it happened in the world, in UTC. `names` are the
    words that name it, and how well."""

    position: int
    n: int
    day: date
    kind: str
    minor: int
    currency: str
    other: str
    store: str
    order: str
    dispute: str
    payment: str
    names: dict[str, int]


def cash_of(row: CashRow, account: str, part: int, key: str = "") -> Cash:
    """A movement of the ledger as one at that account; `key` is the idempotency key it was booked under."""
    t, event = row.transfer, row.event
    comes = t.source == account
    order = public_id("order", part, t.order) if t.order else ""
    dispute = public_id("dispute", part, t.dispute) if t.dispute else ""
    weak = [order, dispute, public_id("event", part, row.position), *_telling(row.reference)]
    payment = _payment(event, row)
    strong = _telling(payment, getattr(event, "reference", ""))
    if isinstance(event, RefundPaid | RefundReturned):
        strong.append(public_id("attempt", part, event.attempt))
    names = dict.fromkeys(filter(None, weak), WEAK) | dict.fromkeys(strong, STRONG)
    if key:
        names[key] = KEY
    at: datetime = event.at
    return Cash(
        position=row.position,
        n=row.n,
        day=at.astimezone(UTC).date(),
        kind=t.kind,
        minor=t.minor if comes else -t.minor,
        currency=t.currency,
        other=t.target if comes else t.source,
        store=t.store,
        order=order,
        dispute=dispute,
        payment=payment,
        names=names,
    )


def _telling(*names: str) -> list[str]:
    return [name for name in names if _TELLING.fullmatch(name)]


def _payment(event: Event, row: CashRow) -> str:
    """The id of the payment that moved."""
    match event:
        case OrderPaid():
            paid = [payment for payment in event.payments if payment.minor]
            return paid[row.n].id if row.n < len(paid) else ""
        case RefundPaid() | RefundReturned() | RefundSettled() | ChargebackMoved():
            return event.payment
        case _:
            return ""
