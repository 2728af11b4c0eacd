"""The movements of the fund's money: of a kind, of some days, of a store, an order or a dispute; the latest first.

No index knows which transfers touch the fund, and none is written for it inside the commit. What an order, a dispute or
a store with few orders moved is found at the events that these name themselves; everything else is walked, a bounded
stretch of the ledger at a time, and whoever asks is told where a walk ended.
"""

import sqlite3
from datetime import datetime

from msgspec import Struct

from houbao.core.ledger import FUND
from houbao.core.refunds import RefundApproved
from houbao.core.terms import from_micros
from houbao.core.world import Event
from houbao.store import rows
from houbao.store.audit import MOST_LOOKED_AT
from houbao.store.positions import booked_at, last_position

Place = tuple[int, int]
"""Where a movement stands: the position of its event, and which of the event's transfers it is."""

LATEST: Place = (rows.END, 0)

MOST_ORDERS = 2_000
"""Up to so many orders a store's movements are found at its orders' events. Those of a larger one stand close enough in
the ledger to be met by walking."""


class Movement(Struct, frozen=True):
    """Money that moved from one account to another (minor units). `refund` is the one that it was for; 0 without."""

    position: int
    n: int
    at: datetime
    kind: str
    source: str
    target: str
    minor: int
    currency: str
    store: str
    order: int
    dispute: int
    refund: int


class Question(Struct, frozen=True):
    """Which movements; empty fields do not matter. Positions from `first` up to and without `end`; where `only` is not
    None, at none but those."""

    kind: str = ""
    store: str = ""
    dispute: int = 0
    first: int = 1
    end: int = rows.END
    only: tuple[int, ...] | None = None


class Found(Struct, frozen=True):
    """A page, the latest first. `next` is the place that the next one begins before; None on the last. `since` is when
    the event was booked back to which was looked, where a walk ended before the page was full; else None."""

    rows: list[Movement]
    next: Place | None
    since: datetime | None


def change(source: str, target: str, minor: int) -> int:
    """What a movement makes the fund larger by (minor units); below zero what leaves it, 0 what stays inside."""
    return minor * ((target in FUND) - (source in FUND))


def look(connection: sqlite3.Connection, part: int, question: Question, *, before: Place = LATEST, limit: int) -> Found:
    """A page of the movements that fit, before a place. It looks at no more than MOST_LOOKED_AT events, or at
    those that are asked for: it may be short, or empty, with more behind it."""
    top = min(before, (question.end, 0), (last_position(connection, part) + 1, 0))
    floor = question.first if question.only is not None else max(question.first, top[0] - MOST_LOOKED_AT)
    found = _between(connection, part, question, floor, top, limit + 1)
    page = found[:limit]
    if len(found) > limit:
        return Found(page, (page[-1].position, page[-1].n), None)
    if floor <= question.first:
        return Found(page, None, None)
    return Found(page, (floor, 0), booked_at(connection, part, floor))


def _between(
    connection: sqlite3.Connection, part: int, question: Question, floor: int, top: Place, limit: int
) -> list[Movement]:
    """The latest movements that fit, from an event on and before a place."""
    named = {"kind": question.kind, "store_id": question.store, "dispute_id": question.dispute}
    wanted = {column: value for column, value in named.items() if value}
    table, at, asked = "transfers AS t", "", []
    if question.only is not None:
        table, at = "json_each(?) AS asked CROSS JOIN transfers AS t", " AND t.position=asked.value"
        asked = [rows.encode(question.only).decode()]
    found = connection.execute(
        "SELECT t.position, t.n, e.booked_at, t.kind, t.source, t.target, t.minor, t.currency, t.store_id, t.order_id,"
        f" t.dispute_id, e.body FROM {table} CROSS JOIN events AS e ON e.part=t.part AND e.position=t.position"
        f" WHERE t.part=?{at} AND t.position>=? AND (t.position, t.n)<(?, ?)"
        f" AND (t.source IN (?, ?) OR t.target IN (?, ?)){''.join(f' AND t.{column}=?' for column in wanted)}"
        " ORDER BY t.position DESC, t.n DESC LIMIT ?",
        (*asked, part, floor, *top, *FUND, *FUND, *wanted.values(), limit),
    )
    return [_movement(*row) for row in found]


def _movement(position: int, n: int, at: int, *rest: object) -> Movement:
    *told, body = rest
    refund = refund_named(rows.decode_event(body), position)  # ty: ignore[invalid-argument-type]
    return Movement(position, n, from_micros(at), *told, refund)  # ty: ignore[invalid-argument-type]


def refund_named(event: Event, position: int) -> int:
    """The refund that an event is about: the one it names, or the one that it approved. 0 without one."""
    return position if isinstance(event, RefundApproved) else getattr(event, "refund", 0)


def of_store(connection: sqlite3.Connection, part: int, store: str) -> tuple[int, ...] | None:
    """The positions of all events of the store's orders and of their disputes; None where it has more than MOST_ORDERS.
    Whatever moves the fund's money for a store is of an order."""
    (count,) = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM orders WHERE part=? AND store_id=? LIMIT ?)",
        (part, store, MOST_ORDERS + 1),
    ).fetchone()
    if count > MOST_ORDERS:
        return None
    told = " UNION ".join(
        f"SELECT h.value FROM {table} AS x, json_each(CAST(x.body AS TEXT), '$.history') AS h"
        " WHERE x.part=? AND x.store_id=?"
        for table in ("orders", "disputes")
    )
    found = connection.execute(f"SELECT value FROM ({told}) ORDER BY value", (part, store) * 2)
    return tuple(position for (position,) in found)
