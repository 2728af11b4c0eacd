"""Reading at one point in time, beside a writer."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from queue import Empty, LifoQueue


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
    """A pool of reading connections to one file. Safe to use from many threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._free: LifoQueue[sqlite3.Connection] = LifoQueue(MOST_KEPT)

    @contextmanager
    def snapshot(self) -> Generator[sqlite3.Connection]:
        """A connection in one read transaction: everything read in it is of the same moment."""
        connection = self._taken()
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.rollback()
            self._put_back(connection)

    def close(self) -> None:
        """Close those that are free."""
        while True:
            try:
                self._free.get_nowait().close()
            except Empty:
                return

    def _taken(self) -> sqlite3.Connection:
        try:
            return self._free.get_nowait()
        except Empty:
            connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA busy_timeout=30000")
            return connection

    def _put_back(self, connection: sqlite3.Connection) -> None:
        if self._free.full():
            connection.close()
        else:
            self._free.put(connection)
