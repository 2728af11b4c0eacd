"""`houbao export …`: what is read, and where it goes."""

import sqlite3
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from houbao.books import as_camt, as_csv, as_pdf, as_xlsx
from houbao.books.accounting import Program, journal
from houbao.books.extract import Extract, Form, Language, Line, Sheet
from houbao.books.journals import Span
from houbao.commands.terminal import CommandFailed
from houbao.commands.times import day_of
from houbao.core.scopes import EVERYTHING
from houbao.core.terms import Refused
from houbao.store import bookings, fund_records, positions, statements
from houbao.store.reading import reading
from houbao.wiring import House

DAY = timedelta(days=1)
PAGE = 500
Shown = Callable[[str, int, int], None]
"""Told while it goes on: what is done, how many of it, of how many."""


class Asked(Struct, frozen=True, kw_only=True):
    """Which statement is wanted; the days and the currency are empty where all are."""

    store: str
    form: Form
    currency: str = ""
    start: str = ""
    end: str = ""
    language: Language = "en"
    fonts: Path | None = None


def export_journal(house: House, program: Program, start: str, end: str, output: Path | None, shown: Shown) -> None:
    """Write the ledger as a journal, event by event. Raises Refused: bad_time; CommandFailed for a file that cannot be
    written, or where there is nothing to tell."""
    first, last = days(start, end)
    with reading(house.database.connection) as connection, written(output) as file:
        begin = positions.last_before(connection, 0, midnight(first)) if first else 0
        until = positions.last_before(connection, 0, midnight(last + DAY)) if last else house.database.head(0).position
        found = bookings.booked(connection, 0, begin, until)
        opening, closing = (bookings.balances_at(connection, 0, position) for position in (begin, until))
        accounts = sorted({account for account, _ in closing})
        if not accounts:
            raise CommandFailed("no money has moved until then: there is nothing to export")
        first = first or positions.booked_at(connection, 0, 1).date()
        last = max(first, last or positions.booked_at(connection, 0, until).date())
        span = Span(first, last, accounts, opening, closing)
        for piece in journal(program, span, _told(found, until, shown)):
            file.write(piece.encode())


def _told(found: Iterable[bookings.Booked], until: int, shown: Shown) -> Iterator[bookings.Booked]:
    """The same, one after the other, while it is told how far it is."""
    for one in found:
        if one.position % 1000 == 0:
            shown("events", one.position, until)
        yield one


def export_statement(house: House, asked: Asked, output: Path | None, shown: Shown) -> None:
    """Write a store's statement. Raises Refused: unknown_store, bad_time; BookError; CommandFailed for a file that
    cannot be written, or where there is nothing to tell."""
    if output is None and asked.form in ("xlsx", "pdf") and sys.stdout.isatty():
        raise CommandFailed(f"a {asked.form} is no text: name a file with --output")
    with reading(house.database.connection), written(output) as file:
        extract = extract_of(house, asked, shown)
        match asked.form:
            case "xlsx":
                as_xlsx.write_xlsx(extract, file)
            case "pdf":
                file.write(as_pdf.pdf(extract, asked.fonts))
            case form:
                text = TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
                (as_csv.write_csv if form == "csv" else as_camt.write_camt)(extract, text)
                text.detach()


def extract_of(house: House, asked: Asked, shown: Shown) -> Extract:
    """The statement, its lines read when they are gone through. Raises Refused: unknown_store, bad_time; CommandFailed
    where there is none."""
    connection, store = house.database.connection, asked.store
    if house.database.store(0, store) is None:
        raise Refused("unknown_store", f"no store {store!r}: register it first")
    first, last = days(asked.start, asked.end)
    codes = statements.currencies(connection, 0, store)
    if asked.currency and asked.currency not in codes:
        raise CommandFailed(f"store {store} has no entries in {asked.currency}")
    if not codes:
        raise CommandFailed(f"store {store} has no entries yet")
    wanted = [asked.currency] if asked.currency else codes
    contact = house.database.contact(0, "store", store)
    now = house.clock()
    first = first or _first_day(connection, store, codes)
    last = last or max(first, *(at.astimezone(UTC).date() for at in (now, house.database.head(0).booked_at)))
    return Extract(
        part=0,
        store=store,
        name=contact.name if contact else "",
        first=first,
        last=last,
        made_at=now,
        language=asked.language,
        sheets=[_sheet(connection, store, code, first, last, shown) for code in wanted],
    )


def _first_day(connection: sqlite3.Connection, store: str, codes: list[str]) -> date:
    pages = [statements.statement(connection, EVERYTHING, 0, store, code, limit=1) for code in codes]
    return min(page.entries[0].at.astimezone(UTC).date() for page in pages if page.entries)


def _sheet(connection: sqlite3.Connection, store: str, code: str, first: date, last: date, shown: Shown) -> Sheet:
    start, end = midnight(first), midnight(last + DAY)
    opening, closing = (
        statements.statement(connection, EVERYTHING, 0, store, code, start=at, limit=1).opening for at in (start, end)
    )
    return Sheet(code, opening, closing, _lines(connection, store, code, start, end, shown))


def _lines(
    connection: sqlite3.Connection, store: str, code: str, start: datetime, end: datetime, shown: Shown
) -> Iterator[Line]:
    after: statements.Place | None = statements.START
    done = 0
    while after is not None:
        page = statements.statement(
            connection, EVERYTHING, 0, store, code, start=start, end=end, after=after, limit=PAGE
        )
        purposes = fund_records.purposes(connection, 0, page.entries)
        for entry in page.entries:
            yield Line(entry, purposes[entry.position])
        done += len(page.entries)
        shown(f"lines in {code}", done, done)
        after = page.next


def days(start: str, end: str) -> tuple[date | None, date | None]:
    """The two days, where they are given. Raises Refused: bad_time; CommandFailed for the wrong way round."""
    first = day_of("--from", start) if start else None
    last = day_of("--to", end) if end else None
    if first and last and last < first:
        raise CommandFailed(f"--to {last} is before --from {first}")
    return first, last


def midnight(day: date) -> datetime:
    """When the day begins, in UTC."""
    return datetime.combine(day, time(), UTC)


@contextmanager
def written(output: Path | None) -> Generator[BinaryIO]:
    """Where an export goes: standard output, or a file that is there whole or not at all. Raises CommandFailed."""
    if output is None:
        out: BinaryIO = sys.stdout.buffer
        yield out
        out.flush()
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(output)
    except OSError as error:
        raise CommandFailed(f"cannot write {output}: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
