"""The ledger as a journal of plain text accounting: for hledger, or for Beancount.

One transaction for each event, two postings for each transfer; at the end every account's balance is asserted, so that
a journal that lost a line is refused.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

from houbao.books import beancount, hledger
from houbao.books.journals import Span
from houbao.store.bookings import Booked

Program = Literal["hledger", "beancount"]


def journal(program: Program, span: Span, bookings: Iterable[Booked]) -> Iterator[str]:
    """The journal for that program, piece by piece, in the order of the bookings."""
    writer = hledger if program == "hledger" else beancount
    yield writer.head(span)
    if any(span.opening.values()):
        yield writer.opening(span)
    for booked in bookings:
        yield writer.booking(booked)
    yield writer.closing(span)
