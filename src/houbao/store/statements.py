"""Fund records → statement → entry: what a store may see of its money, down to what each amount was for.

Pages go forward by key and cost the same however large the tables are: the filed lines are read at their place, and of
what is not filed yet there is never much where a worker runs (store/filing.py).
"""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from itertools import chain, islice

from msgspec import Struct

from houbao.core.accounts import store_of
from houbao.core.scopes import Scope, check_books
from houbao.core.terms import from_micros
from houbao.store import rows
from houbao.store.filing import CROSSING, END_OF_EVENT, balance_at, filed_to
from houbao.store.positions import last_before

OWN = ("payable", "held", "deposit", "receivable")
Place = tuple[int, int]
"""Where a line stands in its part: the position of its event, and which of the event's transfers it is."""

START: Place = (0, -1)


class Entry(Struct, frozen=True):
    """One line of a store's statement: a transfer between an account of its own and one that is not (minor units).
    `balance` is the sum of its own accounts after it."""

    position: int
    n: int
    at: datetime
    kind: str
    minor: int
    currency: str
    counterparty: str
    order: int
    dispute: int
    balance: int


class Statement(Struct, frozen=True):
    """A page of a store's statement in one currency (minor units): opening + incoming − outgoing = closing. `next` is
    the place after which the next page begins; None on the last one."""

    store: str
    currency: str
    opening: int
    incoming: int
    outgoing: int
    closing: int
    entries: list[Entry]
    next: Place | None


def statement(
    connection: sqlite3.Connection,
    scope: Scope,
    part: int,
    store: str,
    currency: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    after: Place = START,
    limit: int = 0,
) -> Statement:
    """A page of the store's statement in one currency, oldest first: what was booked from `start` until before `end`,
    from the line after `after`. A `limit` of 0 means all. Raises Refused: not_yours."""
    check_books(scope, store)
    first, last = span(connection, part, start, end)
    after = max(after, first)
    opening, found = lines_after(connection, part, store, currency, after, last)
    page = list(islice(found, limit or None))
    following = next(found, None) if limit else None
    incoming = sum(entry.minor for entry in page if entry.minor > 0)
    outgoing = -sum(entry.minor for entry in page if entry.minor < 0)
    place = (page[-1].position, page[-1].n) if following else None
    closing = page[-1].balance if page else opening
    return Statement(store, currency, opening, incoming, outgoing, closing, page, place)


def currencies(connection: sqlite3.Connection, part: int, store: str) -> list[str]:
    """The currencies in which the store has a statement."""
    own = [f"store:{store}:{kind}" for kind in OWN]
    found = connection.execute(
        f"SELECT DISTINCT currency FROM balances WHERE part=? AND account IN ({','.join('?' * len(own))})", (part, *own)
    )
    return sorted(code for (code,) in found)


# --- lines ---------------------------------------------------------------------------------------------------------


def lines_after(
    connection: sqlite3.Connection, part: int, store: str, currency: str, after: Place, last: int
) -> tuple[int, Iterator[Entry]]:
    """The balance after that place, and the lines that follow it up to the event `last`: the filed ones, then those of
    the tail. What is filed meanwhile changes nothing: the tail begins where it began."""
    of, filed = (connection, part, store, currency), filed_to(connection, part)
    if after[0] <= filed:
        later = _tail(*of, filed, last) if last > filed else iter(())
        return balance_at(*of, after), chain(_filed(*of, after, min(last, filed)), later)
    tail = list(_tail(*of, filed, max(last, after[0])))
    before = [entry for entry in tail if (entry.position, entry.n) <= after]
    opening = before[-1].balance if before else balance_at(*of, (filed, END_OF_EVENT))
    return opening, (entry for entry in tail[len(before) :] if entry.position <= last)


def _filed(
    connection: sqlite3.Connection, part: int, store: str, currency: str, after: Place, last: int
) -> Iterator[Entry]:
    found = connection.execute(
        f"SELECT {_COLUMNS}, f.balance FROM entries AS f"
        " CROSS JOIN transfers AS t ON t.part=f.part AND t.position=f.position AND t.n=f.n"
        " CROSS JOIN events AS e ON e.part=f.part AND e.position=f.position"
        " WHERE f.part=? AND f.store_id=? AND f.currency=? AND (f.position, f.n) > (?, ?) AND f.position<=?"
        " ORDER BY f.position, f.n",
        (part, store, currency, *after, last),
    )
    for row in found:
        yield _entry(row[:-1], row[-1])


def _tail(
    connection: sqlite3.Connection, part: int, store: str, currency: str, filed: int, last: int
) -> Iterator[Entry]:
    """The lines that are not filed yet, with their running balances."""
    balance = balance_at(connection, part, store, currency, (filed, END_OF_EVENT))
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM transfers AS t CROSS JOIN events AS e ON e.part=t.part AND e.position=t.position"
        f" WHERE t.part=? AND t.position>? AND t.position<=? AND t.store_id=? AND t.currency=? AND {CROSSING}"
        " ORDER BY t.position, t.n",
        (part, filed, last, store, currency),
    )
    for row in found:
        balance += _signed(row)
        yield _entry(row, balance)


_COLUMNS = "t.position, t.n, e.booked_at, t.kind, t.minor, t.currency, t.source, t.target, t.order_id, t.dispute_id"


def _signed(row: rows.Row) -> int:
    """What the transfer is to the store: what leaves an account of its own is below zero (minor units)."""
    return -row[4] if store_of(row[6]) else row[4]


def _entry(row: rows.Row, balance: int) -> Entry:
    position, n, at, kind, _, currency, source, target, order, dispute = row
    other = target if store_of(source) else source
    return Entry(position, n, from_micros(at), kind, _signed(row), currency, other, order, dispute, balance)


def span(connection: sqlite3.Connection, part: int, start: datetime | None, end: datetime | None) -> tuple[Place, int]:
    """(the place after which, the position up to which) those times reach."""
    first = (last_before(connection, part, start), END_OF_EVENT) if start else START
    return first, last_before(connection, part, end) if end else rows.END
