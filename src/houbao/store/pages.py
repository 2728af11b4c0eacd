"""What only the console's pages ask for: mails beside a timeline, a store's purses, its days of scores, what waits."""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import msgspec
from msgspec import Struct

from houbao.core.accounts import store_account
from houbao.core.disputes import Dispute
from houbao.core.effects import Effect
from houbao.core.messages import OrderMessageWritten
from houbao.core.orders import Order
from houbao.core.scopes import Scope, check_books
from houbao.core.terms import from_micros, role_of
from houbao.store import lists, rows
from houbao.store.statements import OWN, START, Place, currencies


class Mail(Struct, frozen=True):
    """A mail that went out, or could not: to whom, about what, after the event at `position`."""

    position: int
    at: datetime
    to: str
    what: str
    state: str


class Purse(Struct, frozen=True):
    """What a store has in one currency (minor units): free to be spent, put aside for refunds, as a deposit, and what
    it owes for what was advanced."""

    currency: str
    free: int
    held: int
    deposit: int
    owed: int


class Day(Struct, frozen=True):
    """A kept score of one day, of 100, in millionths of a point."""

    day: date
    score: int


def mails(connection: sqlite3.Connection, part: int, positions: Sequence[int]) -> list[Mail]:
    """The mails and notices that the events at those positions led to, in their order."""
    found = connection.execute(
        "SELECT position, at, state, body FROM deliveries"
        " WHERE part=? AND position IN (SELECT value FROM json_each(?)) ORDER BY at, position, n",
        (part, rows.encode(list(positions)).decode()),
    )
    told = [(position, at, state, msgspec.json.decode(body, type=Effect)) for position, at, state, body in found]
    return [
        Mail(position, from_micros(at), one.to or "seller", one.what or one.kind, state)
        for position, at, state, one in told
        if one.kind in ("mail", "notice")
    ]


def purses(connection: sqlite3.Connection, scope: Scope, part: int, store: str) -> list[Purse]:
    """What the store has, one purse for each currency. Raises Refused: not_yours."""
    check_books(scope, store)
    return [_purse(connection, part, store, currency) for currency in currencies(connection, part, store)]


def _purse(connection: sqlite3.Connection, part: int, store: str, currency: str) -> Purse:
    accounts = [store_account(store, kind) for kind in OWN]
    found = connection.execute(
        "SELECT account, minor FROM balances WHERE part=? AND currency=? AND account IN (?, ?, ?, ?)",
        (part, currency, *accounts),
    )
    minor = dict(found.fetchall())
    free, held, deposit, receivable = (minor.get(account, 0) for account in accounts)
    return Purse(currency, free, held, deposit, -receivable)


def waiting_for_seller(connection: sqlite3.Connection, part: int, store: str) -> int:
    """How many disputes wait for that store."""
    (count,) = connection.execute(
        "SELECT count(*) FROM disputes WHERE part=? AND store_id=? AND waiting_for='seller'", (part, store)
    ).fetchone()
    return count


LATEST = 200
"""How many of a store's latest disputes are looked through for evidence that is asked for."""

ASKING = b'"kind":"evidence"'


def being_asked(connection: sqlite3.Connection, part: int, store: str) -> list[Dispute]:
    """The store's disputes, of its latest, in which the time for evidence runs. No index holds them: the store's own
    gives the numbers, and of the rows only the few that the platform decides on are read."""
    found = connection.execute(
        "SELECT body FROM disputes WHERE part=? AND phase IN ('verifying', 'adjudicating') AND id IN"
        " (SELECT id FROM disputes WHERE part=? AND store_id=? ORDER BY id DESC LIMIT ?)",
        (part, part, store, LATEST),
    )
    return [rows.decode_dispute(body) for (body,) in found if ASKING in bytes(body)]


def score_days(connection: sqlite3.Connection, part: int, store: str, last: date, count: int) -> list[Day]:
    """The store's kept scores of the `count` days up to `last`, the oldest first; days without one are left out."""
    wanted = [(last - timedelta(days=n)).isoformat() for n in range(count)]
    found = connection.execute(
        "SELECT s.day, s.score FROM json_each(?) AS asked"
        " CROSS JOIN scores AS s ON s.part=? AND s.day=asked.value AND s.store_id=? ORDER BY s.day",
        (rows.encode(wanted).decode(), part, store),
    )
    return [Day(date.fromisoformat(day), score) for day, score in found]


def names_of(connection: sqlite3.Connection, part: int, stores: Iterable[str]) -> dict[str, str]:
    """Store → what it is called; its id where that is unknown."""
    wanted = [*dict.fromkeys(stores)]
    found = connection.execute(
        "SELECT id, name FROM contacts WHERE part=? AND kind='store' AND id IN (SELECT value FROM json_each(?))",
        (part, rows.encode(wanted).decode()),
    )
    known = dict(found.fetchall())
    return {store: known.get(store) or store for store in wanted}


def name_of(connection: sqlite3.Connection, part: int, store: str) -> str:
    """What the store is called; its id where that is unknown."""
    return names_of(connection, part, [store])[store]


class Written(Struct, frozen=True):
    """Something that was written on an order: when, by which role, and the words, empty where they were erased; after
    the event at `position`."""

    at: datetime
    by: str
    text: str
    position: int


def order_messages(connection: sqlite3.Connection, part: int, order: Order) -> list[Written]:
    """What was written on the order, the oldest first."""
    return messages_on(connection, part, [order]).get(order.id, [])


WRITTEN = b'"order_message_written"'


def messages_on(connection: sqlite3.Connection, part: int, orders: Sequence[Order]) -> dict[int, list[Written]]:
    """Order → what was written on it, the oldest first; orders on which nothing was written are left out."""
    history = tuple(position for order in orders for position in order.history)
    events = [(row.position, rows.decode_event(row.body)) for row in _told(connection, part, history)]
    words = lists.texts(connection, part, tuple(position for position, _ in events))
    found: dict[int, list[Written]] = {}
    for position, event in events:
        if isinstance(event, OrderMessageWritten):
            one = Written(event.at, role_of(event.by), words.get(position, ""), position)
            found.setdefault(event.order, []).append(one)
    return found


def _told(connection: sqlite3.Connection, part: int, history: tuple[int, ...]) -> list[lists.Row]:
    """The events of that history that may be words: the others are not decoded."""
    return [row for row in lists.events(connection, part, history) if WRITTEN in bytes(row.body)]


def unanswered(
    connection: sqlite3.Connection, part: int, orders: Sequence[Order], reader: str, since: datetime
) -> dict[int, Written]:
    """Order → what was written on it last, where that was since then, and not by that role itself."""
    last = {number: written[-1] for number, written in messages_on(connection, part, orders).items()}
    return {number: one for number, one in last.items() if one.by != reader and one.at > since}


class Month(Struct, frozen=True):
    """A month's grade, of 100, in millionths of a point: the mean of its graded days. `month` is its first day."""

    month: date
    score: int
    days: int
    grade: str


def months(connection: sqlite3.Connection, part: int, store: str, most: int = 12) -> list[Month]:
    """The store's grades, the latest month first."""
    found = connection.execute(
        "SELECT month, score, days, grade FROM grades WHERE part=? AND store_id=? ORDER BY month DESC LIMIT ?",
        (part, store, most),
    )
    return [Month(date.fromisoformat(f"{month}-01"), *rest) for month, *rest in found]


def place_back(
    connection: sqlite3.Connection, part: int, store: str, currency: str, before: Place, count: int
) -> Place:
    """The place of the filed line that stands `count` lines before another, so that the page after it ends there; the
    start where there are not so many. The lines that are not filed yet come on top of a page at the end."""
    found = connection.execute(
        "SELECT position, n FROM entries WHERE part=? AND store_id=? AND currency=? AND (position, n) < (?, ?)"
        " ORDER BY position DESC, n DESC LIMIT 1 OFFSET ?",
        (part, store, currency, *before, count),
    ).fetchone()
    return (found[0], found[1]) if found else START
