"""The read side: what pages, reports and commands show. Each takes an open connection and a part."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from houbao.core.disputes import Dispute
from houbao.core.orders import Order
from houbao.core.scopes import Scope, sees
from houbao.core.terms import Refused, micros
from houbao.core.world import Event
from houbao.store import rows
from houbao.store.loading import as_json


def has_programme(connection: sqlite3.Connection, name: str) -> bool:
    """Whether the database has that programme."""
    return connection.execute("SELECT 1 FROM programmes WHERE name=?", (name,)).fetchone() is not None


def programme_currencies(connection: sqlite3.Connection) -> list[str]:
    """The currencies in which the database's programmes pay."""
    found = connection.execute("SELECT DISTINCT body->>'currency' FROM programmes ORDER BY 1")
    return [currency for (currency,) in found]


def places(connection: sqlite3.Connection, part: int) -> dict[tuple[str, str], int]:
    """(phase, outcome) → how many disputes stand there; an open one has no outcome."""
    found = connection.execute(
        "SELECT phase, coalesce(CAST(body AS TEXT) ->> '$.outcome', ''), count(*) FROM disputes WHERE part=?"
        " GROUP BY 1, 2 ORDER BY 1, 2",
        (part,),
    )
    return {(phase, outcome): count for phase, outcome, count in found}


def disputes(connection: sqlite3.Connection, part: int) -> Iterator[Dispute]:
    """Every dispute of the part, oldest first, one at a time."""
    for (body,) in connection.execute("SELECT body FROM disputes WHERE part=? ORDER BY id", (part,)):
        yield rows.decode_dispute(body)


def disputes_of(connection: sqlite3.Connection, part: int, order: int) -> list[Dispute]:
    """The disputes of an order, oldest first."""
    return disputes_of_orders(connection, part, [order])[order]


def disputes_of_orders(connection: sqlite3.Connection, part: int, orders: Sequence[int]) -> dict[int, list[Dispute]]:
    """Order → its disputes, oldest first."""
    found = connection.execute(
        "SELECT d.body FROM json_each(?) AS asked CROSS JOIN disputes AS d ON d.part=? AND d.order_id=asked.value"
        " ORDER BY d.id",
        (as_json(orders), part),
    )
    told: dict[int, list[Dispute]] = {order: [] for order in orders}
    for (body,) in found:
        dispute = rows.decode_dispute(body)
        told[dispute.order].append(dispute)
    return told


class Page(Struct, frozen=True):
    """Some of the disputes that were asked for, and where the next page begins; None on the last one."""

    disputes: list[Dispute]
    next: tuple[int, int] | None


def queue(
    connection: sqlite3.Connection,
    part: int,
    scope: Scope,
    *,
    waiting_for: str,
    due_before: datetime | None = None,
    after: tuple[int, int] = (-1, 0),
    limit: int = 50,
) -> Page:
    """What waits for somebody, the first due first, as far as it may be seen: a store's people see what waits for their
    seller alone. `after` is the `next` of the page before. Raises Refused: not_permitted."""
    if scope.buyer or (scope.stores is not None and waiting_for != "seller"):
        raise Refused("not_permitted", f"what waits for the {waiting_for} is not yours to see")
    until = micros(due_before) if due_before else rows.END
    where, values = ["part=?", "waiting_for=?"], [part, waiting_for]
    if scope.stores is not None:
        # The word itself: the index of the sellers' queues holds nothing else.
        where = ["part=?", "waiting_for='seller'", f"store_id IN ({', '.join('?' * len(scope.stores))})"]
        values = [part, *scope.stores]
    found = connection.execute(
        f"SELECT due_at, id, body FROM disputes WHERE {' AND '.join(where)} AND due_at IS NOT NULL"
        " AND (due_at, id)>(?, ?) AND due_at<? ORDER BY due_at, id LIMIT ?",
        (*values, *after, until, limit + 1),
    ).fetchall()
    page = found[:limit]
    more = (page[-1][0], page[-1][1]) if len(found) > limit else None
    return Page([rows.decode_dispute(body) for _, _, body in page], more)


def disputes_of_store(
    connection: sqlite3.Connection, part: int, scope: Scope, store: str, *, before: int = rows.END, limit: int = 50
) -> Page:
    """A store's disputes, the newest first, open and closed; from `before` (the number in `next`) back.

    Raises Refused: not_permitted."""
    if scope.buyer or not sees(scope, store, ""):
        raise Refused("not_permitted", f"the disputes of store {store} are not yours to see")
    found = connection.execute(
        "SELECT id, body FROM disputes WHERE part=? AND store_id=? AND id<? ORDER BY id DESC LIMIT ?",
        (part, store, before, limit + 1),
    ).fetchall()
    page = found[:limit]
    return Page([rows.decode_dispute(body) for _, body in page], (page[-1][0], 0) if len(found) > limit else None)


def order_counts(connection: sqlite3.Connection, part: int, without: Sequence[str] = ()) -> tuple[int, int]:
    """(orders, covered orders) of the part, those of some stores left out."""
    marks = ", ".join("?" * len(without))
    found = connection.execute(
        f"SELECT count(*), coalesce(sum(covered), 0) FROM orders WHERE part=? AND store_id NOT IN ({marks})",
        (part, *without),
    )
    orders, covered = found.fetchone()
    return orders, covered


def order_by_reference(connection: sqlite3.Connection, part: int, reference: str) -> list[Order]:
    """The orders with that caller's reference, one per store at most. Scans where the store is not known."""
    found = connection.execute("SELECT body FROM orders WHERE part=? AND reference=?", (part, reference))
    return [rows.decode_order(body) for (body,) in found]


def orders_by_references(
    connection: sqlite3.Connection, part: int, names: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Order]:
    """The orders of those (store, reference)."""
    found = connection.execute(
        "SELECT body FROM json_each(?) AS asked CROSS JOIN orders"
        " ON part=? AND store_id=asked.value->>0 AND reference=asked.value->>1",
        (as_json(names), part),
    )
    orders = [rows.decode_order(body) for (body,) in found]
    return {(order.store, order.reference): order for order in orders}


def timeline(connection: sqlite3.Connection, part: int, dispute: Dispute) -> list[tuple[int, Event]]:
    """The dispute's events with their positions, in the order they were booked."""
    found = connection.execute(
        "SELECT position, body FROM events"
        " WHERE part=? AND position IN (SELECT value FROM json_each(?)) ORDER BY position",
        (part, rows.encode(dispute.history).decode()),
    )
    return [(position, rows.decode_event(body)) for position, body in found]


def evidence_named(connection: sqlite3.Connection, part: int) -> set[str]:
    """The digests of all evidence that a dispute names: one look at every event."""
    found = connection.execute(
        "SELECT DISTINCT piece.value FROM events, json_each(body->'evidence') AS piece WHERE part=?"
        " AND body->>'type' IN ('dispute_opened', 'evidence_added') AND body->'evidence' IS NOT NULL",
        (part,),
    )
    return {digest for (digest,) in found}
