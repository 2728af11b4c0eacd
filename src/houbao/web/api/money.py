"""Fund records → statement → entry: what a store may see of its money (R16), and the movements of the fund's."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from houbao.core.money import DIGITS, Money
from houbao.core.terms import Refused, public_id
from houbao.store import fund_records, movements, queries, statements
from houbao.store.fund_records import FundRecord, Purpose
from houbao.store.statements import Entry
from houbao.web.api.paging import Limit, Moment, cursor_of, seek, span
from houbao.web.api.shapes import Page, dispute_id, event_id, order_id
from houbao.web.api.stores import found_store
from houbao.web.callers import public_by
from houbao.web.operation import Ask, operation
from houbao.web.site import PART, number_of


class EntryView(Struct, kw_only=True):
    """One line of a store's statement: what came into its accounts (above zero) or left them, from or to whom, and the
    balance after it."""

    id: str
    at: datetime
    kind: str
    amount: Money
    counterparty: str
    order_id: str
    dispute_id: str
    balance: Money


class StatementView(Struct, kw_only=True):
    """A page of a store's statement: opening + in − out = closing."""

    store_id: str
    currency: str
    opening: Money
    money_in: Money
    money_out: Money
    closing: Money
    data: list[EntryView]
    next: str | None


class StatementQuery(Struct, kw_only=True, rename={"start": "from", "end": "to"}):
    """Which currency, from when until before when (RFC 3339, or days, the last one whole), and which page."""

    currency: str = ""
    start: Moment = ""
    end: Moment = ""
    limit: Limit = 100
    after: str = ""


@operation(
    "GET",
    "/v1/stores/{store_id:str}/statement",
    action="stores.money",
    query=StatementQuery,
    reply=StatementView,
    refuses=("unknown_store", "bad_currency", "bad_cursor", "naive_time", "bad_time"),
)
def read_statement(ask: Ask[Any, StatementQuery]) -> StatementView:
    """Every entry of the store's own accounts, the oldest first, with the running balance."""
    wanted, store = ask.query, ask.text("store_id")
    start, end = span(wanted.start, wanted.end)
    after = seek(wanted.after, 2)
    with ask.site.snapshot() as reading:
        found_store(reading, ask.scope, store)
        currency = wanted.currency
        if currency and currency not in DIGITS:
            raise Refused("bad_currency", f"{currency[:8]!r} is not an ISO 4217 currency")
        if not currency:
            known = statements.currencies(reading, PART, store) or queries.programme_currencies(reading)
            currency = next(iter(known), "EUR")
        found = statements.statement(
            reading,
            ask.scope,
            PART,
            store,
            currency,
            start=start,
            end=end,
            after=(after[0], after[1]) if after else (0, -1),
            limit=wanted.limit,
        )
    return StatementView(
        store_id=store,
        currency=currency,
        opening=Money(found.opening, currency),
        money_in=Money(found.incoming, currency),
        money_out=Money(found.outgoing, currency),
        closing=Money(found.closing, currency),
        data=[_entry(entry) for entry in found.entries],
        next=cursor_of(*found.next) if found.next else None,
    )


def entry_id(position: int, n: int) -> str:
    """The id of a line of a statement as others see it."""
    return f"{public_id('entry', PART, position)}_{n}"


def _entry(entry: Entry) -> EntryView:
    return EntryView(
        id=entry_id(entry.position, entry.n),
        at=entry.at,
        kind=entry.kind,
        amount=Money(entry.minor, entry.currency),
        counterparty=entry.counterparty,
        order_id=order_id(entry.order) if entry.order else "",
        dispute_id=dispute_id(entry.dispute) if entry.dispute else "",
        balance=Money(entry.balance, entry.currency),
    )


# --- fund records --------------------------------------------------------------------------------------------------


class PurposeView(Struct, kw_only=True):
    """What an amount was for: the marketplace's own names of order and dispute, why the buyer complained, which rule of
    which policy version decided, and who paid."""

    order_reference: str
    dispute_reference: str
    reason: str
    rule: str
    policy_version: str
    payer: str


class FundRecordView(Struct, kw_only=True):
    """What one event did to a store's money: what came in and went out, the balance after it, and its lines."""

    id: str
    at: datetime
    type: str
    order_id: str
    dispute_id: str
    purpose: PurposeView
    money_in: Money
    money_out: Money
    balance: Money
    entries: list[EntryView]


class RecordQuery(Struct, kw_only=True, rename={"start": "from", "end": "to"}):
    """Which records: of one currency, kind of line, order or dispute, in a time (RFC 3339, or days, the last one
    whole)."""

    currency: str = ""
    kind: Annotated[str, Meta(max_length=40)] = ""
    order_id: str = ""
    dispute_id: str = ""
    start: Moment = ""
    end: Moment = ""
    limit: Limit = 50
    after: str = ""


@operation(
    "GET",
    "/v1/stores/{store_id:str}/fund-records",
    action="stores.money",
    query=RecordQuery,
    reply=Page[FundRecordView],
    refuses=("unknown_store", "bad_cursor", "bad_id", "naive_time", "bad_time"),
)
def read_fund_records(ask: Ask[Any, RecordQuery]) -> Page[FundRecordView]:
    """What each event did to the store's money, the oldest first, in all its currencies."""
    wanted, store = ask.query, ask.text("store_id")
    start, end = span(wanted.start, wanted.end)
    after = seek(wanted.after, 1)
    with ask.site.snapshot() as reading:
        found_store(reading, ask.scope, store)
        found = fund_records.fund_records(
            reading,
            ask.scope,
            PART,
            store,
            currency=wanted.currency,
            kind=wanted.kind,
            order=number_of("order", wanted.order_id) if wanted.order_id else 0,
            dispute=number_of("dispute", wanted.dispute_id) if wanted.dispute_id else 0,
            start=start,
            end=end,
            after=after[0] if after else 0,
            limit=wanted.limit,
        )
    data = [_record(one) for one in found.records]
    return Page(data=data, next=None if found.next is None else cursor_of(found.next))


def _record(record: FundRecord) -> FundRecordView:
    currency = record.currency
    return FundRecordView(
        id=event_id(record.position),
        at=record.at,
        type=record.event,
        order_id=order_id(record.order) if record.order else "",
        dispute_id=dispute_id(record.dispute) if record.dispute else "",
        purpose=_purpose(record.purpose),
        money_in=Money(record.incoming, currency),
        money_out=Money(record.outgoing, currency),
        balance=Money(record.balance, currency),
        entries=[_entry(entry) for entry in record.entries],
    )


def _purpose(purpose: Purpose) -> PurposeView:
    return PurposeView(
        order_reference=purpose.order,
        dispute_reference=purpose.dispute,
        reason=purpose.reason,
        rule=purpose.rule,
        policy_version=purpose.policy,
        payer=purpose.payer,
    )


class RateView(Struct, kw_only=True):
    """An exchange rate: one unit of `base` is numerator/denominator units of `quote`."""

    base: str
    quote: str
    numerator: int
    denominator: int
    published_at: datetime
    source: str


class EntryDetailView(Struct, kw_only=True):
    """All there is to know of one line: gross and fee, the rate where two currencies met, the provider and its attempt,
    what became of the refund since; `happened_at` in the world, `entry.at` in the books."""

    entry: EntryView
    type: str
    purpose: PurposeView
    account: str
    gross: Money
    fee: Money
    rate: RateView | None
    provider: str
    payment_id: str
    attempt_id: str
    status: str
    happened_at: datetime
    by: str


@operation(
    "GET",
    "/v1/stores/{store_id:str}/entries/{entry_id:str}",
    action="stores.money",
    reply=EntryDetailView,
    refuses=("unknown_store", "unknown_entry", "bad_id"),
)
def read_entry(ask: Ask[Any, Any]) -> EntryDetailView:
    """One line of the store's statement, down to what it was for."""
    store, named = ask.text("store_id"), ask.text("entry_id")
    body, _, n = named.rpartition("_")
    if not (n.isascii() and n.isdecimal() and len(n) < 10):
        raise Refused("bad_id", f"{named[:64]!r} is not the id of an entry; one looks like entry_0_47_1")
    position = number_of("entry", body)
    with ask.site.snapshot() as reading:
        found_store(reading, ask.scope, store)
        found = fund_records.entry_detail(reading, ask.scope, PART, store, (position, int(n)))
    currency, rate = found.entry.currency, found.rate
    return EntryDetailView(
        entry=_entry(found.entry),
        type=found.event,
        purpose=_purpose(found.purpose),
        account=found.account,
        gross=Money(found.gross, currency),
        fee=Money(found.fee, currency),
        rate=RateView(
            base=rate.base,
            quote=rate.quote,
            numerator=rate.numerator,
            denominator=rate.denominator,
            published_at=rate.published_at,
            source=rate.source,
        )
        if rate
        else None,
        provider=found.provider,
        payment_id=found.payment,
        attempt_id=public_id("attempt", PART, found.attempt) if found.attempt else "",
        status=found.status,
        happened_at=found.happened_at,
        by=public_by(found.by, ask.caller),
    )


# --- the fund's own ------------------------------------------------------------------------------------------------


class MovementView(Struct, kw_only=True):
    """Money that moved to or from an account of the fund."""

    id: str
    at: datetime
    kind: str
    source: str
    target: str
    amount: Money
    store_id: str
    order_id: str
    dispute_id: str


class MovementQuery(Struct, kw_only=True):
    """Which movements: of one kind, and which page."""

    kind: Annotated[str, Meta(max_length=40)] = ""
    limit: Limit = 100
    after: str = ""


@operation(
    "GET",
    "/v1/fund/records",
    action="fund.read",
    query=MovementQuery,
    reply=Page[MovementView],
    refuses=("bad_cursor",),
)
def read_fund_movements(ask: Ask[Any, MovementQuery]) -> Page[MovementView]:
    """Every movement of the fund's money, the newest first. A page may be short, or empty, with more behind it:
    follow `next` until it is null."""
    wanted = ask.query
    place = seek(wanted.after, 2)
    with ask.site.snapshot() as reading:
        before = (place[0], place[1]) if place else movements.LATEST
        found = movements.look(reading, PART, movements.Question(kind=wanted.kind), before=before, limit=wanted.limit)
    data = [
        MovementView(
            id=entry_id(one.position, one.n),
            at=one.at,
            kind=one.kind,
            source=one.source,
            target=one.target,
            amount=Money(one.minor, one.currency),
            store_id=one.store,
            order_id=order_id(one.order) if one.order else "",
            dispute_id=dispute_id(one.dispute) if one.dispute else "",
        )
        for one in found.rows
    ]
    return Page(data=data, next=cursor_of(*found.next) if found.next else None)
