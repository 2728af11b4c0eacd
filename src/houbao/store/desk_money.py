"""What finance looks at: the fund day by day, the line of refunds that wait for it, refunds without an answer or that
failed, stores that owe."""

import sqlite3
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec
from msgspec import Struct

from houbao.core.accounts import AVAILABLE, BANK, store_account, store_of
from houbao.core.breaker import Breaker
from houbao.core.disputes import Dispute
from houbao.core.effects import Effect
from houbao.core.ledger import FUND, FUND_IN
from houbao.core.refunds import Refund, Share, find_share
from houbao.core.terms import EPOCH, from_micros
from houbao.store import rows
from houbao.store.positions import first_since
from houbao.store.queries import Page

DAY_MICROS = 86_400_000_000


class Flow(Struct, frozen=True):
    """What came into an account and went out of it on a day (UTC) by one kind of transfer (minor units)."""

    day: date
    kind: str
    incoming: int
    outgoing: int


class Waiting(Struct, frozen=True):
    """A refund in the line for the fund: what it takes (minor units), and its dispute."""

    refund: int
    minor: int
    dispute: Dispute


class Unknown(Struct, frozen=True):
    """An attempt to pay that nobody answered for; `asked_at` is when the worker asks again."""

    dispute: Dispute
    refund: Refund
    share: Share
    asked_at: datetime


class Debt(Struct, frozen=True):
    """What a store owes in one currency (minor units)."""

    store: str
    currency: str
    minor: int


def flows(connection: sqlite3.Connection, part: int, account: str, currency: str, since: datetime) -> list[Flow]:
    """What moved on an account since then, by day and kind; days are UTC."""
    found = connection.execute(
        "SELECT e.booked_at / ?, t.kind, sum(CASE t.target WHEN ? THEN t.minor ELSE 0 END),"
        " sum(CASE t.source WHEN ? THEN t.minor ELSE 0 END)"
        " FROM transfers AS t JOIN events AS e ON e.part=t.part AND e.position=t.position"
        " WHERE t.part=? AND t.position>=? AND t.currency=? AND ? IN (t.source, t.target) GROUP BY 1, 2 ORDER BY 1, 2",
        (DAY_MICROS, account, account, part, first_since(connection, part, since), currency, account),
    )
    return [Flow((EPOCH + timedelta(days=day)).date(), *rest) for day, *rest in found]


def cash(connection: sqlite3.Connection, part: int, currency: str) -> dict[str, int]:
    """Where the cash is by the ledger: the bank, and every provider that had to do with that currency → minor units
    there. Reads every transfer of the currency once."""
    found = connection.execute(
        "SELECT account, sum(minor) FROM ("
        " SELECT source AS account, minor FROM transfers"
        " WHERE part=? AND currency=? AND (source=? OR source LIKE 'provider:%')"
        " UNION ALL SELECT target, -minor FROM transfers"
        " WHERE part=? AND currency=? AND (target=? OR target LIKE 'provider:%')) GROUP BY account ORDER BY account",
        (part, currency, BANK) * 2,
    )
    return dict(found.fetchall())


# --- refunds -------------------------------------------------------------------------------------------------------


def line_for_fund(connection: sqlite3.Connection, part: int, currency: str, limit: int) -> list[Waiting]:
    """The refunds that wait for the fund, the first approved first."""
    found = connection.execute(
        "SELECT w.position, w.minor, d.body FROM waiting AS w JOIN disputes AS d ON d.part=w.part AND d.id=w.dispute_id"
        " WHERE w.part=? AND w.account=? AND w.currency=? ORDER BY w.position LIMIT ?",
        (part, AVAILABLE, currency, limit),
    )
    return [Waiting(position, minor, rows.decode_dispute(body)) for position, minor, body in found]


def waiting_for_fund(connection: sqlite3.Connection, part: int) -> int:
    """How many refunds wait for the fund, in every currency."""
    (count,) = connection.execute(
        "SELECT count(*) FROM waiting WHERE part=? AND account=?", (part, AVAILABLE)
    ).fetchone()
    return count


def amounts_in_line(connection: sqlite3.Connection, part: int, currency: str, limit: int) -> list[int]:
    """What the refunds take that wait for the fund (minor units), the first approved first."""
    found = connection.execute(
        "SELECT minor FROM waiting WHERE part=? AND account=? AND currency=? ORDER BY position LIMIT ?",
        (part, AVAILABLE, currency, limit),
    )
    return [minor for (minor,) in found]


def served_after(connection: sqlite3.Connection, part: int, currency: str, position: int) -> tuple[int, int]:
    """How many refunds that had waited for the fund went out since the event at that position brought money, until
    money came in again; and what they took (minor units)."""
    (until,) = connection.execute(
        "SELECT coalesce(min(position), ?) FROM transfers"
        " WHERE part=? AND position>? AND currency=? AND target=? AND kind IN (SELECT value FROM json_each(?))",
        (rows.END, part, position, currency, AVAILABLE, rows.encode(FUND_IN).decode()),
    ).fetchone()
    return connection.execute(
        "SELECT count(*), coalesce(sum(t.minor), 0) FROM transfers AS t"
        " JOIN events AS e ON e.part=t.part AND e.position=t.position"
        " WHERE t.part=? AND t.position>? AND t.position<? AND t.currency=? AND t.source=? AND t.kind='reserve'"
        " AND e.body->>'$.type'='funds_reserved'",
        (part, position, until, currency, AVAILABLE),
    ).fetchone()


def fund_changed_since(connection: sqlite3.Connection, part: int, currency: str, position: int) -> bool:
    """Whether money of the fund was booked, or a refund came to wait for it, after that position."""
    (found,) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM transfers WHERE part=? AND position>? AND currency=?"
        " AND (source IN (?, ?) OR target IN (?, ?)))"
        " OR EXISTS (SELECT 1 FROM waiting WHERE part=? AND position>? AND account=? AND currency=?)",
        (part, position, currency, *FUND * 2, part, position, AVAILABLE, currency),
    ).fetchone()
    return bool(found)


def unknown_refunds(connection: sqlite3.Connection, part: int, limit: int) -> list[Unknown]:
    """Attempts that nobody answered for, as the worker will ask for them."""
    found = connection.execute(
        "SELECT due_at, body FROM outbox WHERE part=? AND CAST(body AS TEXT)->>'$.kind'='lookup'"
        " ORDER BY due_at LIMIT ?",
        (part, limit),
    ).fetchall()
    asked = [(from_micros(at), msgspec.json.decode(body, type=Effect)) for at, body in found]
    disputes = disputes_by_number(connection, part, [effect.dispute for _, effect in asked])
    told = [_unknown(disputes[effect.dispute], effect.about, at) for at, effect in asked if effect.dispute in disputes]
    return [one for one in told if one is not None]


def _unknown(dispute: Dispute, attempt: int, at: datetime) -> Unknown | None:
    for refund in dispute.refunds:
        share = find_share(refund, attempt=attempt)
        if share is not None and share.state in ("unknown", "lost"):
            return Unknown(dispute, refund, share, at)
    return None


def failed_refunds(connection: sqlite3.Connection, part: int, *, after: tuple[int, int], limit: int) -> Page:
    """Disputes with a refund that no provider would pay: the buyer may name another way, or a person settles it. The
    first whose time ends first."""
    found = connection.execute(
        "SELECT due_at, id, body FROM disputes WHERE part=? AND waiting_for='buyer' AND phase='refunding'"
        " AND due_at IS NOT NULL AND (due_at, id)>(?, ?) ORDER BY due_at, id LIMIT ?",
        (part, *after, limit + 1),
    ).fetchall()
    page = found[:limit]
    more = (page[-1][0], page[-1][1]) if len(found) > limit else None
    return Page([rows.decode_dispute(body) for _, _, body in page], more)


def disputes_by_number(connection: sqlite3.Connection, part: int, numbers: Sequence[int]) -> dict[int, Dispute]:
    """The disputes of those numbers."""
    found = connection.execute(
        "SELECT d.id, d.body FROM json_each(?) AS asked CROSS JOIN disputes AS d ON d.part=? AND d.id=asked.value",
        (rows.encode([*dict.fromkeys(numbers)]).decode(), part),
    )
    return {number: rows.decode_dispute(body) for number, body in found}


# --- debts ---------------------------------------------------------------------------------------------------------


def debts(connection: sqlite3.Connection, part: int, *, after: tuple[str, str] = ("", ""), limit: int) -> list[Debt]:
    """The stores that owe, by id, behind `after` (store, currency)."""
    start = (store_account(after[0], "receivable"), after[1]) if after[0] else ("store:", "")
    found = connection.execute(
        "SELECT account, currency, minor FROM balances WHERE part=? AND (account, currency)>(?, ?) AND account<'store;'"
        " AND minor<0 AND account LIKE 'store:%:receivable' ORDER BY account, currency LIMIT ?",
        (part, *start, limit),
    )
    return [Debt(store_of(account), currency, -minor) for account, currency, minor in found]


def breakers(connection: sqlite3.Connection, part: int) -> tuple[Breaker, ...]:
    """The breakers of the part's funds as they stand."""
    (kept,) = connection.execute("SELECT breakers FROM parts WHERE part=?", (part,)).fetchone()
    return rows.decode_breakers(kept) if kept else ()
