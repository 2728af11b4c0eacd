"""Lists for pages and the API: one page at a time by key, and never without saying whose rows may be seen."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec import Struct

from houbao.core.disputes import GOODWILL, Dispute
from houbao.core.ledger import Transfer
from houbao.core.orders import Listing, Order
from houbao.core.programme import Store
from houbao.core.scopes import Scope, sees
from houbao.core.terms import from_micros, micros
from houbao.core.world import Event
from houbao.store import rows
from houbao.store.positions import last_position


def _where(scope: Scope) -> tuple[list[str], list[object]]:
    """The scope as conditions on rows of orders and disputes, with their values."""
    where: list[str] = []
    values: list[object] = []
    if scope.stores is not None:
        where.append(f"store_id IN ({', '.join('?' * len(scope.stores))})" if scope.stores else "1=0")
        values += scope.stores
    if scope.buyer:
        where.append("buyer_id=?")
        values.append(scope.buyer)
    return where, values


def _beside(scope: Scope) -> str:
    """What goes before a column so that the database looks for no rows by it: of a buyer there are few rows, whatever
    else is asked of them, and by their own index they are found."""
    return "+" if scope.buyer else ""


class Filters(Struct, frozen=True):
    """Which disputes; empty fields do not matter."""

    store: str = ""
    order: int = 0
    phase: str = ""
    waiting_for: str = ""
    due_before: datetime | None = None


class Row(Struct, frozen=True):
    """An event as it stands in the feed; `body` is its JSON."""

    position: int
    booked_at: datetime
    body: bytes


def dispute_page(
    connection: sqlite3.Connection,
    part: int,
    scope: Scope,
    filters: Filters,
    *,
    by_due: bool = False,
    after: tuple[int, int] | None = None,
    limit: int,
) -> list[Dispute]:
    """Disputes, the newest first; `by_due`: those that fall due, the earliest first. The page begins behind `after`,
    the (due time in microseconds, number) of the last one before it."""
    own, whose = _where(scope)
    where: list[str] = ["part=?", *own]
    values: list[object] = [part, *whose]
    for column, wanted in (
        ("store_id", filters.store),
        ("order_id", filters.order),
        ("phase", filters.phase),
        ("waiting_for", filters.waiting_for),
    ):
        if wanted:
            where, values = [*where, f"{_beside(scope)}{column}=?"], [*values, wanted]
    if filters.due_before is not None:
        where, values = [*where, "due_at<?"], [*values, micros(filters.due_before)]
    if by_due:
        where += ["due_at IS NOT NULL"]
    if after is not None:
        where += ["(due_at, id)>(?, ?)" if by_due else "id<?"]
        values += [*after] if by_due else [after[1]]
    where, values = [*where, "CAST(body AS TEXT)->>'$.route'<>?"], [*values, GOODWILL]
    found = connection.execute(
        f"SELECT body FROM disputes WHERE {' AND '.join(where)}"
        f" ORDER BY {'due_at, id' if by_due else 'id DESC'} LIMIT ?",
        (*values, limit),
    )
    return [rows.decode_dispute(body) for (body,) in found]


def dispute(connection: sqlite3.Connection, part: int, scope: Scope, number: int) -> Dispute | None:
    """A dispute, if it may be seen."""
    found = connection.execute("SELECT body FROM disputes WHERE part=? AND id=?", (part, number)).fetchone()
    known = rows.decode_dispute(found[0]) if found else None
    return known if known and sees(scope, known.store, known.buyer) else None


def order(connection: sqlite3.Connection, part: int, scope: Scope, number: int) -> Order | None:
    """An order, if it may be seen."""
    found = connection.execute("SELECT body FROM orders WHERE part=? AND id=?", (part, number)).fetchone()
    known = rows.decode_order(found[0]) if found else None
    return known if known and sees(scope, known.store, known.buyer) else None


def order_page(
    connection: sqlite3.Connection,
    part: int,
    scope: Scope,
    *,
    store: str = "",
    reference: str = "",
    before: int | None = None,
    limit: int,
) -> list[Order]:
    """Orders, the newest first, that are older than the order `before`."""
    own, whose = _where(scope)
    where: list[str] = ["part=?", *own]
    values: list[object] = [part, *whose]
    if store:
        where, values = [*where, f"{_beside(scope)}store_id=?"], [*values, store]
    if reference:
        where, values = [*where, f"{_beside(scope)}reference=?"], [*values, reference]
    if before is not None:
        where, values = [*where, "id<?"], [*values, before]
    found = connection.execute(
        f"SELECT body FROM orders WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?", (*values, limit)
    )
    return [rows.decode_order(body) for (body,) in found]


def store(connection: sqlite3.Connection, part: int, scope: Scope, number: str) -> Store | None:
    """A store, if it may be seen; a buyer sees none."""
    if scope.buyer or not sees(scope, number, ""):
        return None
    found = connection.execute("SELECT body FROM stores WHERE part=? AND id=?", (part, number)).fetchone()
    return rows.decode_store(found[0]) if found else None


def store_page(connection: sqlite3.Connection, part: int, after: str, limit: int) -> list[Store]:
    """Stores by id, behind `after`."""
    found = connection.execute(
        "SELECT body FROM stores WHERE part=? AND id>? ORDER BY id LIMIT ?", (part, after, limit)
    )
    return [rows.decode_store(body) for (body,) in found]


def texts(connection: sqlite3.Connection, part: int, positions: tuple[int, ...]) -> dict[int, str]:
    """Event → its free text, where it has one that was not erased."""
    found = connection.execute(
        "SELECT position, body FROM texts WHERE part=? AND position IN (SELECT value FROM json_each(?))",
        (part, rows.encode(positions).decode()),
    )
    return dict(found.fetchall())


def listings(connection: sqlite3.Connection, part: int, digests: Iterable[str]) -> dict[str, Listing]:
    """What buyers were shown, by digest."""
    found = connection.execute(
        "SELECT digest, body FROM snapshots WHERE part=? AND digest IN (SELECT value FROM json_each(?))",
        (part, rows.encode([*dict.fromkeys(digests)]).decode()),
    )
    return {digest: msgspec.json.decode(body, type=Listing) for digest, body in found}


def feed(connection: sqlite3.Connection, part: int, after: int, limit: int) -> list[Row]:
    """Events in the order in which they were committed, behind `after`: nothing skipped, nothing twice."""
    found = connection.execute(
        "SELECT position, booked_at, body FROM events WHERE part=? AND position>? ORDER BY position LIMIT ?",
        (part, after, limit),
    )
    return [Row(position, from_micros(at), body) for position, at, body in found]


def events(connection: sqlite3.Connection, part: int, positions: tuple[int, ...]) -> list[Row]:
    """The events at those positions."""
    found = connection.execute(
        "SELECT position, booked_at, body FROM events"
        " WHERE part=? AND position IN (SELECT value FROM json_each(?)) ORDER BY position",
        (part, rows.encode(positions).decode()),
    )
    return [Row(position, from_micros(at), body) for position, at, body in found]


def policy_text(connection: sqlite3.Connection, version: str) -> str | None:
    """The text of a policy version; the empty one is the database's default."""
    wanted = version or connection.execute("SELECT value FROM meta WHERE key='policy'").fetchone()[0]
    found = connection.execute("SELECT text FROM policies WHERE version=?", (wanted,)).fetchone()
    return found[0] if found else None


def clock(connection: sqlite3.Connection, part: int) -> datetime | None:
    """A sandbox's own clock; None in a live database."""
    found = connection.execute("SELECT clock FROM parts WHERE part=?", (part,)).fetchone()
    return None if found is None or found[0] is None else from_micros(found[0])


# --- figures -------------------------------------------------------------------------------------------------------


def overdue(connection: sqlite3.Connection, part: int, now: datetime) -> dict[str, int]:
    """Phase → how many timers should have run already; none while the worker keeps up."""
    found = connection.execute(
        "SELECT d.phase, count(*) FROM timers AS t JOIN disputes AS d ON d.part=t.part AND d.id=t.dispute_id"
        " WHERE t.part=? AND t.due_at<=? GROUP BY d.phase",
        (part, micros(now)),
    )
    return dict(found.fetchall())


RECENT = 1000
LATELY = 50_000
"""How many refunds a figure of their time looks back on, and over how many events at most."""


def refund_seconds(connection: sqlite3.Connection, part: int) -> list[float]:
    """How long the last refunds of the fund took from opening to money, in seconds, the shortest first."""
    found = connection.execute(
        "SELECT e.booked_at - d.opened_at FROM transfers AS t"
        " JOIN events AS e ON e.part=t.part AND e.position=t.position"
        " JOIN disputes AS d ON d.part=t.part AND d.id=t.dispute_id"
        " WHERE t.part=? AND t.position>? AND t.kind='guarantee'"
        " ORDER BY t.position DESC LIMIT ?",
        (part, last_position(connection, part) - LATELY, RECENT),
    )
    return sorted(micro / 1_000_000 for (micro,) in found)


# --- what belongs to a dispute -------------------------------------------------------------------------------------


def disputes_between(connection: sqlite3.Connection, part: int, first: int, last: int) -> list[int]:
    """The numbers of the disputes that the events from `first` to `last` made."""
    found = connection.execute(
        "SELECT id FROM disputes WHERE part=? AND id BETWEEN ? AND ? ORDER BY id", (part, first, last)
    )
    return [number for (number,) in found]


def orders_by_number(connection: sqlite3.Connection, part: int, scope: Scope, numbers: list[int]) -> dict[int, Order]:
    """The orders of those numbers that may be seen."""
    found = connection.execute(
        "SELECT o.body FROM json_each(?) AS asked CROSS JOIN orders AS o ON o.part=? AND o.id=asked.value",
        (rows.encode([*dict.fromkeys(numbers)]).decode(), part),
    )
    orders = [rows.decode_order(body) for (body,) in found]
    return {one.id: one for one in orders if sees(scope, one.store, one.buyer)}


def events_at(connection: sqlite3.Connection, part: int, positions: Iterable[int]) -> dict[int, Event]:
    """Position → the event there."""
    found = events(connection, part, tuple(dict.fromkeys(positions)))
    return {row.position: rows.decode_event(row.body) for row in found}


def event(connection: sqlite3.Connection, part: int, position: int) -> Event | None:
    """The event at that position."""
    found = connection.execute("SELECT body FROM events WHERE part=? AND position=?", (part, position)).fetchone()
    return rows.decode_event(found[0]) if found else None


def transfers_of(connection: sqlite3.Connection, part: int, dispute: int) -> dict[int, list[Transfer]]:
    """Event → its transfers, of the events of one dispute."""
    found = connection.execute(
        "SELECT t.position, t.kind, t.source, t.target, t.minor, t.currency FROM disputes AS d,"
        " json_each(CAST(d.body AS TEXT), '$.history') AS h"
        " JOIN transfers AS t ON t.part=d.part AND t.position=h.value"
        " WHERE d.part=? AND d.id=? ORDER BY t.position, t.n",
        (part, dispute),
    )
    moved: dict[int, list[Transfer]] = {}
    for position, *what in found:
        moved.setdefault(position, []).append(Transfer(*what))
    return moved
