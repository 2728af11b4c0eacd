"""What the journals of plain text accounting share: what is told in them, and their postings."""

from collections.abc import Mapping
from datetime import UTC, date

from msgspec import Struct

from houbao.books.chart import account_name
from houbao.core.money import decimal
from houbao.core.terms import public_id
from houbao.store.bookings import Booked

Balances = Mapping[tuple[str, str], int]
"""(account of the ledger, currency) → minor units."""


class Span(Struct, frozen=True):
    """What a journal tells: bookings from the first day to the last, both whole and in UTC, after the balances that
    were there before; `accounts` are all that occur."""

    first: date
    last: date
    accounts: list[str]
    opening: Balances
    closing: Balances


def postings(booked: Booked) -> str:
    """Two lines for each transfer: what leaves an account is a debit there, above zero."""
    return "".join(
        _posting(account_name(t.source), t.minor, t.currency) + _posting(account_name(t.target), -t.minor, t.currency)
        for t in booked.transfers
    )


def _posting(name: str, minor: int, currency: str) -> str:
    return f"  {name:<48}  {decimal(minor, currency):>14} {currency}\n"


def opening_postings(span: Span) -> str:
    """The balances from before the span."""
    return "".join(
        _posting(account_name(account), -minor, currency)
        for (account, currency), minor in sorted(span.opening.items())
        if minor
    )


def currencies(span: Span) -> list[str]:
    """The currencies that occur."""
    return sorted({currency for _, currency in (*span.opening, *span.closing)})


def about(booked: Booked) -> dict[str, str]:
    """What the transaction is about, by the ids that all of Houbao uses; nothing of any person."""
    first = booked.transfers[0]
    told = {"event": public_id("event", booked.part, booked.position)}
    if first.store:
        told["store"] = first.store
    if first.order:
        told["order"] = public_id("order", booked.part, first.order)
    if first.dispute:
        told["dispute"] = public_id("dispute", booked.part, first.dispute)
    told["time"] = booked.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return told


def words(booked: Booked) -> str:
    """What happened, in plain words."""
    return booked.event.replace("_", " ")
