"""All of a part's past, for questions over history: read row by row, in the order of its ids, in one transaction."""

import sqlite3
from collections.abc import Iterator

import msgspec

from houbao.core.orders import Order
from houbao.core.programme import Coverage
from houbao.core.terms import from_micros
from houbao.core.world import Event
from houbao.engine.ports import BookedEvent, BookedTransfer, DisputeStory, Past
from houbao.store import rows, sqlite

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
            sqlite.decode_programme(body) for (body,) in connection.execute("SELECT body FROM programmes ORDER BY name")
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


def _disputes(connection: sqlite3.Connection, part: int) -> Iterator[DisputeStory]:
    """A dispute is found by the position of the event that opened it; goodwill, which nobody opened, is one too."""
    found = connection.execute(
        "SELECT d.body, e.body, o.body FROM disputes AS d"
        " JOIN events AS e ON e.part=d.part AND e.position=d.id JOIN orders AS o ON o.part=d.part AND o.id=d.order_id"
        " WHERE d.part=? ORDER BY d.id",
        (part,),
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
