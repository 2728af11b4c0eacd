"""All of a part's past, for questions over history: read row by row, in the order of its ids, in one transaction."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime

import msgspec

from houbao.core.orders import Order
from houbao.core.policy_file import parse_policy
from houbao.core.programme import Coverage, policy_in_force
from houbao.core.terms import Refused, from_micros, micros
from houbao.core.world import Event
from houbao.engine.past import BookedEvent, BookedTransfer, DisputeStory, Past, StorePast
from houbao.engine.scorebook import Lines
from houbao.store import rows
from houbao.store.reading import reading
from houbao.store.scores import Scorebook
from houbao.store.sqlite import SQLite, decode_programme

_HISTORY = ("events", "disputes", "transfers", "orders")


class _Covered(msgspec.Struct):
    """Of an order its coverage alone: decoding all of it would take longer than all else."""

    coverage: Coverage = Coverage()


_decode_covered = msgspec.json.Decoder(_Covered).decode


def past(connection: sqlite3.Connection, part: int) -> Past:
    """The part's past as it stands in the connection's transaction; keep that open while the rows are read."""
    settings = dict(connection.execute("SELECT key, value FROM meta"))
    position, booked_at, chain, clock = connection.execute(
        "SELECT position, booked_at, chain, clock FROM parts WHERE part=?", (part,)
    ).fetchone()
    counts = {}
    for table in _HISTORY:
        ((counts[table],),) = connection.execute(f"SELECT count(*) FROM {table} WHERE part=?", (part,))
    return Past(
        part=part,
        position=position,
        booked_at=from_micros(booked_at),
        chain=chain,
        clock=None if clock is None else from_micros(clock),
        sandbox=settings["kind"] == "sandbox",
        programmes=[
            decode_programme(body) for (body,) in connection.execute("SELECT body FROM programmes ORDER BY name")
        ],
        policies=dict(connection.execute("SELECT version, text FROM policies ORDER BY version")),
        counts=counts,
        events=_events(connection, part),
        orders=_orders(connection, part),
        disputes=_disputes(connection, part),
        transfers=_transfers(connection, part),
    )


def _orders(connection: sqlite3.Connection, part: int) -> Iterator[Order]:
    for (body,) in connection.execute("SELECT body FROM orders WHERE part=? ORDER BY id", (part,)):
        yield rows.decode_order(body)


def _events(connection: sqlite3.Connection, part: int) -> Iterator[BookedEvent]:
    found = connection.execute("SELECT position, booked_at, body FROM events WHERE part=? ORDER BY position", (part,))
    for position, booked_at, body in found:
        yield BookedEvent(position, from_micros(booked_at), body)


def _disputes(connection: sqlite3.Connection, part: int, store: str = "", since: int = 0) -> Iterator[DisputeStory]:
    """A dispute is found by the position of the event that opened it; goodwill, which nobody opened, is one too. Of one
    store: those on its record that were opened since that time (microseconds)."""
    chosen, values = "d.part=?", [part]
    if store:
        chosen = "d.part=? AND d.id IN (SELECT dispute_id FROM tallies WHERE part=? AND store_id=? AND opened_at>=?)"
        values = [part, part, store, since]
    found = connection.execute(
        "SELECT d.body, e.body, o.body FROM disputes AS d"
        " JOIN events AS e ON e.part=d.part AND e.position=d.id JOIN orders AS o ON o.part=d.part AND o.id=d.order_id"
        f" WHERE {chosen} ORDER BY d.id",
        values,
    )
    for body, opened, order in found:
        began: Event = rows.decode_event(opened)
        yield DisputeStory(rows.decode_dispute(body), began, _decode_covered(order).coverage)


def _transfers(connection: sqlite3.Connection, part: int) -> Iterator[BookedTransfer]:
    found = connection.execute(
        "SELECT t.position, n, booked_at, kind, source, target, minor, currency, store_id, order_id, dispute_id"
        " FROM transfers AS t JOIN events AS e ON e.part=t.part AND e.position=t.position"
        " WHERE t.part=? ORDER BY t.position, n",
        (part,),
    )
    for position, n, booked_at, *moved in found:
        yield BookedTransfer(position, n, from_micros(booked_at), *moved)


LATELY = 5000
"""Of how many disputes, the last ones, it is said how many were handed to their seller."""


def store_past(database: SQLite, part: int, store: str, since: datetime, now: datetime) -> StorePast:
    """One store's past since that time. Raises Refused: unknown_store, unknown_programme, no_policy."""
    book = Scorebook(database)
    known, programme = database.store(part, store), book.programme()
    if known is None:
        raise Refused("unknown_store", f"no store {store}: register it first")
    if programme is None:
        raise Refused("unknown_programme", "this database has no programme: there is nothing to join")
    version = policy_in_force(programme, now)
    text = database.policy_text(version)
    if text is None:
        raise Refused("no_policy", f"no policy version {version!r} in this database")
    with reading(database.path) as connection:
        found = connection.execute("SELECT body FROM orders WHERE part=? AND store_id=?", (part, store))
        orders = [order for (body,) in found if _paid_since(order := rows.decode_order(body), since)]
        disputes = [*_disputes(connection, part, store, micros(since))]
        verified, handed = connection.execute(
            "SELECT count(*), coalesce(sum(coalesce(body->>'$.notice', 0) > 0), 0)"
            " FROM (SELECT phase, CAST(body AS TEXT) AS body FROM disputes WHERE part=? ORDER BY id DESC LIMIT ?)"
            " WHERE phase='closed' AND body->>'$.route'='verify'",
            (part, LATELY),
        ).fetchone()
    return StorePast(
        store=known,
        programme=programme,
        policy=parse_policy(text),
        orders=orders,
        disputes=disputes,
        lines=book.lines(part, None, store).get(store, Lines()),
        verified=verified,
        handed=handed,
    )


def _paid_since(order: Order, since: datetime) -> bool:
    return order.paid_at is not None and order.paid_at >= since
