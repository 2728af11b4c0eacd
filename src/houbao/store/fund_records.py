"""Fund records, and what stands behind each line of a statement: what it was for, and what became of it."""

import sqlite3
from datetime import datetime
from heapq import merge
from itertools import groupby, islice

from msgspec import Struct

from houbao.core.accounts import provider_of, store_of
from houbao.core.disputes import refund_of
from houbao.core.exchange import Rate
from houbao.core.orders import OrderPaid, OrderPaidOut
from houbao.core.refunds import Refund
from houbao.core.scopes import Scope, check_books
from houbao.core.terms import Refused, tag_of
from houbao.core.world import Event
from houbao.store import rows
from houbao.store.filing import CROSSING, END_OF_EVENT
from houbao.store.statements import Entry, Place, currencies, lines_after, span


class Purpose(Struct, frozen=True):
    """What an amount was for: the marketplace's own names of order and dispute, why the buyer complained, which rule of
    which policy version decided, and who paid."""

    order: str = ""
    dispute: str = ""
    reason: str = ""
    rule: str = ""
    policy: str = ""
    payer: str = ""


NOTHING = Purpose()


class FundRecord(Struct, frozen=True):
    """What one event did to a store's money in one currency: what came in and went out (minor units), the balance after
    it, and its lines. `event` is the event's type."""

    position: int
    at: datetime
    event: str
    currency: str
    order: int
    dispute: int
    purpose: Purpose
    incoming: int
    outgoing: int
    balance: int
    entries: list[Entry]


class FundRecords(Struct, frozen=True):
    """A page of fund records, oldest first. `next` is the position after which the next page begins."""

    records: list[FundRecord]
    next: int | None


class EntryDetail(Struct, frozen=True):
    """All there is to know of one line. `gross` is what was paid before `fee` (minor units); `rate` stands where two
    currencies met; `status` is what became of a refund since. `happened_at` is in the world, `entry.at` in the books.
    """

    entry: Entry
    event: str
    purpose: Purpose
    account: str
    gross: int
    fee: int
    rate: Rate | None
    provider: str
    payment: str
    attempt: int
    status: str
    happened_at: datetime
    by: str


def fund_records(
    connection: sqlite3.Connection,
    scope: Scope,
    part: int,
    store: str,
    *,
    currency: str = "",
    kind: str = "",
    order: int = 0,
    dispute: int = 0,
    start: datetime | None = None,
    end: datetime | None = None,
    after: int = 0,
    limit: int = 50,
) -> FundRecords:
    """A page of the store's fund records of all currencies, or of one, oldest first; of a kind of line, an order or a
    dispute where that is named. A filter walks the store's own lines. Raises Refused: not_yours."""
    check_books(scope, store)
    first, last = span(connection, part, start, end)
    place = max((after, END_OF_EVENT), first) if after else first
    codes = [currency] if currency else currencies(connection, part, store)
    found = (lines_after(connection, part, store, code, place, last)[1] for code in codes)
    wanted = (
        (position, event)
        for position, lines in groupby(merge(*found, key=lambda e: (e.position, e.n)), lambda e: e.position)
        if _matches(event := list(lines), kind, order, dispute)
    )
    page = list(islice(wanted, limit + 1))
    more, page = len(page) > limit, page[:limit]
    return FundRecords(_records(connection, part, [event for _, event in page]), page[-1][0] if more else None)


def entry_detail(connection: sqlite3.Connection, scope: Scope, part: int, store: str, place: Place) -> EntryDetail:
    """One line of the store's statement with all that is known of it. Raises Refused: not_yours, unknown_entry."""
    check_books(scope, store)
    position, n = place
    found = connection.execute(
        "SELECT store_id, currency, source, target, body FROM transfers AS t"
        " JOIN events AS e ON e.part=t.part AND e.position=t.position"
        f" WHERE t.part=? AND t.position=? AND t.n=? AND {CROSSING}",
        (part, position, n),
    ).fetchone()
    if found is None or found[0] != store:
        raise Refused("unknown_entry", f"store {store} has no entry {position}/{n}: take one of its statement")
    _, currency, source, target, body = found
    _, lines = lines_after(connection, part, store, currency, (position, n - 1), position)
    entry, event = next(lines), rows.decode_event(body)
    purpose = purposes(connection, part, [entry])[entry.position]
    return _detail(connection, part, entry, event, purpose, source if store_of(source) else target)


def purposes(connection: sqlite3.Connection, part: int, entries: list[Entry]) -> dict[int, Purpose]:
    """Position → what the lines of that event were for."""
    orders = _bodies(connection, part, "orders", {entry.order for entry in entries})
    disputes = _bodies(connection, part, "disputes", {entry.dispute for entry in entries})
    found: dict[int, Purpose] = {}
    for entry in entries:
        if entry.position in found:
            continue
        order = rows.decode_order(orders[entry.order]).reference if entry.order in orders else ""
        found[entry.position] = Purpose(order=order)
        if entry.dispute in disputes:
            told = rows.decode_dispute(disputes[entry.dispute])
            payer = told.refunds[-1].payer if told.refunds else told.payer
            found[entry.position] = Purpose(order, told.reference, told.reason, told.rule, told.policy, payer)
    return found


# --- records and details -------------------------------------------------------------------------------------------


def _matches(event: list[Entry], kind: str, order: int, dispute: int) -> bool:
    return any(
        kind in ("", entry.kind) and order in (0, entry.order) and dispute in (0, entry.dispute) for entry in event
    )


def _records(connection: sqlite3.Connection, part: int, events: list[list[Entry]]) -> list[FundRecord]:
    """The fund records of those events: one for each of an event's currencies."""
    purpose = purposes(connection, part, [line for lines in events for line in lines])
    found = connection.execute(
        "SELECT e.position, e.body->>'$.type' FROM json_each(?) AS asked"
        " CROSS JOIN events AS e ON e.part=? AND e.position=asked.value",
        (rows.encode([lines[0].position for lines in events]).decode(), part),
    )
    kinds: dict[int, str] = dict(found.fetchall())
    return [
        _record(kinds[lines[0].position], purpose[lines[0].position], [line for line in lines if line.currency == code])
        for lines in events
        for code in dict.fromkeys(line.currency for line in lines)
    ]


def _record(kind: str, purpose: Purpose, lines: list[Entry]) -> FundRecord:
    first, last = lines[0], lines[-1]
    return FundRecord(
        position=first.position,
        at=first.at,
        event=kind,
        currency=first.currency,
        order=first.order,
        dispute=first.dispute,
        purpose=purpose,
        incoming=sum(line.minor for line in lines if line.minor > 0),
        outgoing=-sum(line.minor for line in lines if line.minor < 0),
        balance=last.balance,
        entries=lines,
    )


def _bodies(connection: sqlite3.Connection, part: int, table: str, numbers: set[int]) -> dict[int, bytes]:
    found = connection.execute(
        f"SELECT x.id, x.body FROM json_each(?) AS asked CROSS JOIN {table} AS x ON x.part=? AND x.id=asked.value",
        (rows.encode(sorted(numbers)).decode(), part),
    )
    return dict(found.fetchall())


# --- details -------------------------------------------------------------------------------------------------------


def _detail(
    connection: sqlite3.Connection, part: int, entry: Entry, event: Event, purpose: Purpose, account: str
) -> EntryDetail:
    refund = _refund(connection, part, entry, event)
    payment = getattr(event, "payment", "")
    share = next((share for share in refund.shares if share.payment == payment), None) if refund else None
    gross, fee = _gross(event, entry)
    bank = provider_of(entry.counterparty)
    return EntryDetail(
        entry=entry,
        event=tag_of(event),
        purpose=purpose,
        account=account,
        gross=gross,
        fee=fee,
        rate=refund.in_fund.rate if refund and refund.in_fund else None,
        provider=bank or getattr(event, "provider", ""),
        payment=payment,
        attempt=getattr(event, "attempt", 0),
        status=share.state if share else refund.state if refund else "booked",
        happened_at=event.at,
        by=event.by,
    )


def _gross(event: Event, entry: Entry) -> tuple[int, int]:
    """(what was paid, what was taken off it), minor units."""
    match event:
        case OrderPaid():
            return sum(payment.minor for payment in event.payments), event.commission + event.premium
        case OrderPaidOut():
            return event.minor, event.fee
        case _:
            return abs(entry.minor), 0


def _refund(connection: sqlite3.Connection, part: int, entry: Entry, event: Event) -> Refund | None:
    """The refund that the line is of, as it stands now."""
    body = _bodies(connection, part, "disputes", {entry.dispute}).get(entry.dispute)
    if body is None:
        return None
    return refund_of(rows.decode_dispute(body), getattr(event, "refund", 0) or entry.position)
