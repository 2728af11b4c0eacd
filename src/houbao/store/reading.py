"""Reading at one point in time, beside a writer."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path


@contextmanager
def reading(database: sqlite3.Connection | str | Path) -> Generator[sqlite3.Connection]:
    """A connection inside one read transaction; what the caller had open stays open."""
    if isinstance(database, sqlite3.Connection):
        source = nullcontext(database)
    else:
        uri = f"{Path(database).absolute().as_uri()}?mode=ro"
        source = closing(sqlite3.connect(uri, uri=True, isolation_level=None))
    with source as connection:
        inside = connection.in_transaction
        if not inside:
            connection.execute("BEGIN")
        try:
            yield connection
        finally:
            if not inside:
                connection.rollback()


MOST_KEPT = 16
"""Connections kept for the next reader; more are opened where more read at once, and closed again."""


class Reader:
    """A pool of reading connections to one file. Safe to use from many threads: a list's `pop` and `append` are one
    step each, without the locks of a queue, which nobody waits at."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._free: list[sqlite3.Connection] = []

    def snapshot(self) -> "Reading":
        """A connection in one read transaction: everything read in it is of the same moment."""
        return Reading(self, whole=True)

    def glance(self) -> "Reading":
        """A connection for one statement, or for rows that never change: each statement is of its own moment."""
        return Reading(self, whole=False)

    def close(self) -> None:
        """Close those that are free."""
        with suppress(IndexError):
            while True:
                self._free.pop().close()

    def taken(self) -> sqlite3.Connection:
        """A connection that nobody else has."""
        try:
            return self._free.pop()
        except IndexError:
            connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA busy_timeout=30000")
            return connection

    def put_back(self, connection: sqlite3.Connection) -> None:
        """Whoever had it needs it no more."""
        if len(self._free) < MOST_KEPT:
            self._free.append(connection)
        else:
            connection.close()


class Reading:
    """A connection for as long as a `with` lasts; a class, since every request opens several."""

    def __init__(self, reader: Reader, *, whole: bool) -> None:
        self._reader = reader
        self._whole = whole

    def __enter__(self) -> sqlite3.Connection:
        self._connection = self._reader.taken()
        if self._whole:
            self._connection.execute("BEGIN")
        return self._connection

    def __exit__(self, *raised: object) -> None:
        if self._whole:
            self._connection.rollback()
        self._reader.put_back(self._connection)
