"""What every feed of orders yields: an order as Houbao's commands, with its complaint if it had one."""

from datetime import datetime

from houbao.core.orders import Fact, NewLine, PlaceOrder
from houbao.core.terms import REASONS, Record

COMMISSION_PERCENT = 10
"""The platform's share of the items' price; no published data says it, so this is our assumption."""

SHARES = {"missing_parts": (1, 3), "short_quantity": (1, 2)}
"""What part of its lines such a complaint asks for (numerator, denominator); every other one asks for all of it."""


class Complaint(Record, frozen=True, kw_only=True):
    """What a buyer complained about. `lines` are the ids of the lines concerned, `amount` is asked in minor units of
    the order's currency, `why` names the keyword rule or the delivery fact that decided the reason."""

    order: str
    at: datetime
    score: int
    text: str
    reason: str
    why: str
    lines: tuple[str, ...]
    amount: int


class SoldOrder(Record, frozen=True, kw_only=True):
    """One store's order. The facts stand in time order with `order=0`: the caller fills in the id Houbao gave it.
    `stars` is what its buyer's last review gave, 1 to 5; 0 where there is none."""

    place: PlaceOrder
    facts: tuple[Fact, ...]
    complaint: Complaint | None = None
    stars: int = 0


def worth(line: NewLine) -> int:
    """What a line is worth: item, shipping and tax (minor units)."""
    return line.item + line.shipping + line.tax


def commission(place: PlaceOrder) -> int:
    """The platform's share of the order, rounded down, and never more than was paid (minor units)."""
    share = sum(line.item for line in place.lines) * COMMISSION_PERCENT // 100
    return min(share, sum(payment.minor for payment in place.payments))


def claim(place: PlaceOrder, reason: str) -> tuple[tuple[str, ...], int]:
    """The ids of the lines a complaint concerns, and the amount it asks for (minor units).

    A parcel that did not come, came late or came short concerns every line; a flaw or a change of mind the most
    expensive one, since no text says which. The amount is what those lines are worth with their shipping, or its share
    by `SHARES` (rounded down), and never more than was paid (where the payments are known).
    """
    whole = REASONS[reason] in ("INR", "OTHER") or reason == "short_quantity"
    lines = place.lines if whole else (max(place.lines, key=worth),)
    part, of = SHARES.get(reason, (1, 1))
    asked = sum(worth(line) for line in lines) * part // of
    paid = sum(payment.minor for payment in place.payments)
    return tuple(line.id for line in lines), min(asked, paid) if place.payments else asked
