"""The ledger as a whole, event by event: for the books that accountants keep elsewhere."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from msgspec import Struct

from houbao.core.ledger import Transfer
from houbao.core.terms import from_micros
from houbao.core.world import Event
from houbao.store import rows

Balances = dict[tuple[str, str], int]
"""(account, currency) → the sum of its transfers (minor units)."""


class Booked(Struct, frozen=True, gc=False):
    """What one event moved: its part and position, when it was booked, its type, and the transfers."""

    part: int
    position: int
    at: datetime
    event: str
    transfers: list[Transfer]


class CashRow(Struct, frozen=True, gc=False):
    """A transfer to or from an account of cash, with its event and the reference of the order it is about."""

    position: int
    n: int
    transfer: Transfer
    event: Event
    reference: str


def booked(connection: sqlite3.Connection, part: int, after: int, last: int) -> Iterator[Booked]:
    """What moved money after one position up to another, in the order it was booked, one event at a time."""
    found = connection.execute(
        "SELECT t.position, e.booked_at, e.body->>'$.type', t.kind, t.source, t.target, t.minor, t.currency,"
        " t.store_id, t.order_id, t.dispute_id FROM transfers AS t"
        " CROSS JOIN events AS e ON e.part=t.part AND e.position=t.position"
        " WHERE t.part=? AND t.position>? AND t.position<=? ORDER BY t.position, t.n",
        (part, after, last),
    )
    for (position, at, event), moved in groupby(found, lambda row: row[:3]):
        yield Booked(part, position, from_micros(at), event, [Transfer(*row[3:]) for row in moved])


def balances_at(connection: sqlite3.Connection, part: int, last: int) -> Balances:
    """Every account's balance after the event at that position, by its transfers alone."""
    found = connection.execute(
        "SELECT account, currency, sum(minor) FROM ("
        "SELECT source AS account, currency, -minor AS minor FROM transfers WHERE part=? AND position<=?"
        " UNION ALL SELECT target, currency, minor FROM transfers WHERE part=? AND position<=?"
        ") GROUP BY account, currency",
        (part, last) * 2,
    )
    return {(account, currency): minor for account, currency, minor in found}


def cash_rows(connection: sqlite3.Connection, part: int, account: str) -> Iterator[CashRow]:
    """Every transfer to or from an account, in the order it was booked. Walks the ledger: when a movement happened in
    the world, only its event says."""
    found = connection.execute(
        "SELECT t.position, t.n, e.body, o.reference, t.kind, t.source, t.target, t.minor, t.currency,"
        " t.store_id, t.order_id, t.dispute_id FROM transfers AS t"
        " CROSS JOIN events AS e ON e.part=t.part AND e.position=t.position"
        " LEFT JOIN orders AS o ON o.part=t.part AND o.id=t.order_id"
        " WHERE t.part=? AND ? IN (t.source, t.target) ORDER BY t.position, t.n",
        (part, account),
    )
    for position, n, body, reference, *row in found:
        yield CashRow(position, n, Transfer(*row), rows.decode_event(body), reference or "")


def provider_accounts(connection: sqlite3.Connection, part: int) -> list[str]:
    """The accounts of the providers by which cash has moved."""
    found = connection.execute(
        "SELECT source FROM transfers WHERE part=? AND source LIKE 'provider:%'"
        " UNION SELECT target FROM transfers WHERE part=? AND target LIKE 'provider:%' ORDER BY 1",
        (part, part),
    )
    return [account for (account,) in found]


def known_stores(connection: sqlite3.Connection, part: int, names: list[str]) -> list[str]:
    """Those of the names that are stores."""
    found = connection.execute(
        "SELECT s.id FROM json_each(?) AS asked CROSS JOIN stores AS s ON s.part=? AND s.id=asked.value",
        (rows.encode(names).decode(), part),
    )
    return [store for (store,) in found]


def booked_under(connection: sqlite3.Connection, part: int, caller: str, prefix: str) -> dict[int, str]:
    """Position → the idempotency key, of what that caller booked under keys that begin so."""
    found = connection.execute(
        "SELECT first, key FROM receipts WHERE part=? AND caller=? AND key>=? AND key<?",
        (part, caller, prefix, f"{prefix}\U0010ffff"),
    )
    return dict(found.fetchall())
