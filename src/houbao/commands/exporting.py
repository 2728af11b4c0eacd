"""`houbao export …`: what is read, and where it goes."""

import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import BinaryIO

from houbao.books.accounting import Program, journal
from houbao.books.journals import Span
from houbao.commands.terminal import CommandFailed
from houbao.commands.times import day_of
from houbao.store import queries
from houbao.wiring import House

DAY = timedelta(days=1)
Shown = Callable[[str, int, int], None]
"""Told while it goes on: what is done, how many of it, of how many."""


def export_journal(house: House, program: Program, start: str, end: str, output: Path | None, shown: Shown) -> None:
    """Write the ledger as a journal, event by event. Raises Refused: bad_time; CommandFailed for a file that cannot be
    written, or where there is nothing to tell."""
    first, last = days(start, end)
    with queries.reading(house.database.connection) as connection, written(output) as file:
        begin = queries.booked_before(connection, 0, midnight(first)) if first else 0
        until = queries.booked_before(connection, 0, midnight(last + DAY)) if last else house.database.head(0).position
        found = queries.booked(connection, 0, begin, until)
        opening, closing = (queries.balances_at(connection, 0, position) for position in (begin, until))
        accounts = sorted({account for account, _ in closing})
        if not accounts:
            raise CommandFailed("no money has moved until then: there is nothing to export")
        first = first or queries.booked_at(connection, 0, 1).date()
        last = max(first, last or queries.booked_at(connection, 0, until).date())
        span = Span(first, last, accounts, opening, closing)
        for piece in journal(program, span, _told(found, until, shown)):
            file.write(piece.encode())


def _told(found: Iterable[queries.Booked], until: int, shown: Shown) -> Iterator[queries.Booked]:
    """The same, one after the other, while it is told how far it is."""
    for one in found:
        if one.position % 1000 == 0:
            shown("events", one.position, until)
        yield one


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
