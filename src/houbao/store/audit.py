"""Looking through what happened: the events of an order or a dispute, of somebody, of a day, the latest first, page
after page."""

import sqlite3
from datetime import datetime

import msgspec
from msgspec import Struct

from houbao.core.orders import Order
from houbao.core.terms import from_micros
from houbao.core.world import Event
from houbao.store import queries, rows
from houbao.store.positions import first_since, last_position

MOST_LOOKED_AT = 50_000
"""How many events one page looks at: somebody's are found by looking, since no index knows who did what."""


class Row(Struct, frozen=True):
    """An event with its place and when it was booked; `tag` is its kind as events have it."""

    position: int
    booked_at: datetime
    tag: str
    event: Event


class Found(Struct, frozen=True):
    """A page. `next` is the position that the next one begins before; 0 on the last."""

    rows: list[Row]
    next: int


class Question(Struct, frozen=True):
    """What is looked for: `actor` as events have it (agent:lee) or only the name; positions from `first` up to and
    without `end`; where `only` is not None, none but those."""

    actor: str = ""
    first: int = 1
    end: int = rows.END
    only: tuple[int, ...] | None = None


def of_order(connection: sqlite3.Connection, part: int, order: Order) -> tuple[int, ...]:
    """The positions of all events of an order and of its disputes."""
    disputes = queries.disputes_of(connection, part, order.id)
    return tuple(sorted({*order.history, *(one for dispute in disputes for one in dispute.history)}))


def of_days(connection: sqlite3.Connection, part: int, start: datetime, end: datetime) -> tuple[int, int]:
    """The positions that were booked between two times: the first one, and the one behind the last."""
    return first_since(connection, part, start), first_since(connection, part, end)


def look(connection: sqlite3.Connection, part: int, question: Question, *, before: int = rows.END, limit: int) -> Found:
    """A page of the events that fit, those before `before`, the latest first."""
    top = min(before, question.end, last_position(connection, part) + 1)
    floor = question.first if question.only is not None else max(question.first, top - MOST_LOOKED_AT)
    where = ["part=?", "position<?", "position>=?"]
    values: list[object] = [part, top, floor]
    if question.only is not None:
        where.append("position IN (SELECT value FROM json_each(?))")
        values.append(rows.encode(question.only).decode())
    if question.actor:
        by = "CAST(body AS TEXT)->>'$.by'"
        where.append(f"{by}=?" if ":" in question.actor else f"substr({by}, instr({by}, ':')+1)=?")
        values.append(question.actor)
    found = connection.execute(
        f"SELECT position, booked_at, body FROM events WHERE {' AND '.join(where)} ORDER BY position DESC LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    page = found[:limit]
    if len(found) > limit:
        following = page[-1][0]
    else:
        following = floor if floor > question.first else 0
    return Found([_row(*one) for one in page], following)


def _row(position: int, at: int, body: bytes) -> Row:
    tag = msgspec.json.decode(body, type=dict[str, object])["type"]
    return Row(position, from_micros(at), str(tag), rows.decode_event(body))
