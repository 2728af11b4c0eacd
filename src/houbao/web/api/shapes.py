"""What goes out: records as the API shows them. Ids name their part, money its currency, times are RFC 3339 in UTC."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec import Struct

from houbao.core.ledger import Transfer
from houbao.core.money import Money
from houbao.core.scopes import Scope, ends_seen
from houbao.core.terms import public_id
from houbao.web.problems import Problem
from houbao.web.site import PART

T = TypeVar("T")


class Page(Struct, Generic[T], kw_only=True):
    """One page of a list; `next` is the `after` of the page that follows, null on the last."""

    data: list[T]
    next: str | None = None


class Outcome(Struct, kw_only=True, omit_defaults=True):
    """What became of one item of a list: its `id`, or the problem for which nothing of it was written."""

    status: int
    id: str = ""
    also: list[str] = []
    problem: Problem | None = None


class Outcomes(Struct):
    """One outcome per item, in the order in which they were sent."""

    data: list[Outcome]


def order_id(number: int) -> str:
    """The id of an order as others see it."""
    return public_id("order", PART, number)


def dispute_id(number: int) -> str:
    """The id of a dispute as others see it."""
    return public_id("dispute", PART, number)


def event_id(position: int) -> str:
    """The id of an event as others see it."""
    return public_id("event", PART, position)


def refund_id(number: int) -> str:
    """The id of a refund as others see it."""
    return public_id("refund", PART, number)


class Moved(Struct, kw_only=True):
    """Money that moved with an event. To a buyer, an end that is in somebody's books is empty."""

    kind: str
    source: str
    target: str
    amount: Money


def moved(scope: Scope, transfers: Iterable[Transfer]) -> list[Moved]:
    """Those of the transfers that may be seen, as they may be."""
    seen = ((one, ends_seen(scope, one.kind, one.source, one.target)) for one in transfers)
    return [
        Moved(kind=one.kind, source=ends[0], target=ends[1], amount=Money(one.minor, one.currency))
        for one, ends in seen
        if ends
    ]


class EventView(Struct, kw_only=True):
    """Something that happened: `at` in the world, `booked_at` when it was written. `data` are its own fields, amounts
    in minor units of its `currency`; words of people are not in it."""

    id: str
    type: str
    at: datetime
    booked_at: datetime
    by: str
    store_id: str
    order_id: str
    dispute_id: str
    data: dict[str, Any]


HEAD = ("type", "at", "by", "store", "order", "dispute", "text", "facts")
"""What of an event's JSON is not its own data, or is nobody's business outside."""


def event_view(position: int, booked_at: datetime, said: dict[str, Any]) -> EventView:
    """An event as the feed shows it, from its stored JSON."""
    order, dispute = said.get("order", 0), said.get("dispute", 0)
    return EventView(
        id=event_id(position),
        type=said["type"],
        at=said["at"],
        booked_at=booked_at,
        by=said.get("by", ""),
        store_id=said.get("store", ""),
        order_id=order_id(order) if order else "",
        dispute_id=dispute_id(dispute) if dispute else "",
        data={name: value for name, value in said.items() if name not in HEAD},
    )
