"""A store's money as pages show it: fund records, a statement, one entry."""

import sqlite3
from datetime import date, datetime, time, timedelta, tzinfo

from msgspec import Struct, structs

from houbao.core.disputes import Dispute
from houbao.core.scopes import Scope
from houbao.core.terms import FIRST_YEAR, LAST_YEAR
from houbao.store import rows
from houbao.store.fund_records import EntryDetail, FundRecord, Purpose, entry_detail, fund_records, purposes
from houbao.store.holds import holds
from houbao.store.pages import Purse, place_back, purses
from houbao.store.statements import START, Entry, Place, Statement, currencies, span, statement
from houbao.web.console.views.orders import orders_of, titles_of

PAGE = 100
"""How many filed lines a page has; those that are not filed yet come on top of the latest one."""

MOST = 500
"""The most fund records of a page."""

END: Place = (rows.END, 0)
MONTH = timedelta(days=30)


class Span(Struct, frozen=True):
    """The days that are looked at, both included, in the reader's zone; and as times, the end not included."""

    first: date
    last: date
    start: datetime
    end: datetime


class Records(Struct, frozen=True, kw_only=True):
    """Fund records of those days, the latest first. `older` is where the page before this one ends; 0 on the first."""

    span: Span
    kind: str
    purses: list[Purse]
    records: list[FundRecord]
    older: int
    latest: bool


class Book(Struct, frozen=True, kw_only=True):
    """A page of the statement of those days, the latest entry first: opening + incoming − outgoing = closing (minor
    units). `older` is where the page before this one ends; `latest`: no later entry is on another page."""

    span: Span
    currency: str
    currencies: list[str]
    statement: Statement
    entries: list[Entry]
    purposes: dict[int, Purpose]
    purse: Purse | None
    older: Place | None
    latest: bool


class Page(Struct, frozen=True):
    """One entry, and the one that evens it out where there is one."""

    detail: EntryDetail
    partner: Entry | None


class HeldRow(Struct, frozen=True):
    """What is put aside for one dispute (minor units), with the order that it is about."""

    dispute: Dispute
    reference: str
    title: str
    minor: int
    since: datetime


class PutAside(Struct, frozen=True):
    """All that is put aside of a store's money in one currency: `minor` units in all."""

    currency: str
    minor: int
    rows: list[HeldRow]


def put_aside(connection: sqlite3.Connection, scope: Scope, part: int, store: str, currency: str) -> PutAside:
    """What is put aside of the store's money in that currency, and for what. Raises Refused: not_yours."""
    found = holds(connection, scope, part, store, currency)
    disputes = [hold.dispute for hold in found]
    orders, titles = orders_of(connection, part, disputes), titles_of(connection, part, disputes)
    told = [
        HeldRow(one.dispute, orders[one.dispute.order].reference, titles[one.dispute.id], one.minor, one.since)
        for one in found
    ]
    return PutAside(currency, sum(row.minor for row in told), told)


def span_of(first: str, last: str, now: datetime, zone: tzinfo) -> Span:
    """The days that were asked for; the last thirty where none, or none that can be read, were."""
    today = now.astimezone(zone).date()
    end = _day(last) or today
    begin = _day(first) or end - MONTH
    if begin > end:
        begin, end = end, begin
    midnight = datetime.combine(begin, time.min, zone)
    return Span(begin, end, midnight, datetime.combine(end + timedelta(days=1), time.min, zone))


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return day if day and FIRST_YEAR <= day.year <= LAST_YEAR else None


def records(
    connection: sqlite3.Connection, scope: Scope, part: int, store: str, days: Span, *, kind: str = "", before: int = 0
) -> Records:
    """What happened to the store's money in those days, before an event where one is named: the latest page, then
    older ones. Raises Refused: not_yours."""
    codes = currencies(connection, part, store)
    end = (before, -1) if before else END
    after = min((place_back(connection, part, store, code, end, PAGE) for code in codes), default=START)
    found = fund_records(
        connection,
        scope,
        part,
        store,
        kind=kind,
        start=days.start,
        end=days.end,
        after=after[0],
        limit=MOST,
    ).records
    shown = [one for one in found if not before or one.position < before]
    return Records(
        span=days,
        kind=kind,
        purses=purses(connection, scope, part, store),
        records=shown[::-1],
        older=after[0] + 1 if after != START and _reaches(connection, part, days, after) else 0,
        latest=not before,
    )


def book(
    connection: sqlite3.Connection,
    scope: Scope,
    part: int,
    store: str,
    currency: str,
    days: Span,
    *,
    before: Place | None = None,
) -> Book:
    """The store's statement of those days in one currency, before an entry where one is named: the latest page, then
    older ones. Raises Refused: not_yours."""
    after = place_back(connection, part, store, currency, before or END, PAGE)
    limit = PAGE if before else 0
    found = _cut(
        statement(connection, scope, part, store, currency, start=days.start, end=days.end, after=after, limit=limit),
        before or END,
    )
    return Book(
        span=days,
        currency=currency,
        currencies=currencies(connection, part, store),
        statement=found,
        entries=found.entries[::-1],
        purposes=purposes(connection, part, found.entries),
        purse=next((one for one in purses(connection, scope, part, store) if one.currency == currency), None),
        older=(after[0], after[1] + 1) if after != START and _reaches(connection, part, days, after) else None,
        latest=before is None,
    )


def _cut(found: Statement, before: Place) -> Statement:
    """The page without what is not before that place, its sums made anew."""
    mine = [entry for entry in found.entries if (entry.position, entry.n) < before]
    incoming = sum(entry.minor for entry in mine if entry.minor > 0)
    outgoing = -sum(entry.minor for entry in mine if entry.minor < 0)
    closing = found.opening + incoming - outgoing
    return structs.replace(found, entries=mine, incoming=incoming, outgoing=outgoing, closing=closing)


def _reaches(connection: sqlite3.Connection, part: int, days: Span, place: Place) -> bool:
    """Whether that place is still inside the days that are looked at."""
    return place > span(connection, part, days.start, None)[0]


def entry(connection: sqlite3.Connection, scope: Scope, part: int, store: str, place: Place) -> Page:
    """One entry with all that is known of it. Raises Refused: not_yours, unknown_entry."""
    detail = entry_detail(connection, scope, part, store, place)
    own = detail.entry
    before = (own.position, -1)
    lines = statement(connection, scope, part, store, own.currency, after=before, limit=20).entries
    mine = [line for line in lines if line.position == own.position and line.minor == -own.minor]
    return Page(detail, mine[0] if mine else None)
