"""Rows that stand beside the events and that no rule reads: who may come in, and who is told."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from houbao.store.sqlite import connect, transaction

LONGEST_WAIT = 30.0
"""Seconds to wait for others who write to the same file."""


class Aside:
    """A connection of its own to one database, so that writing here never waits for the engine's batch to be decided.
    Safe to use from many threads."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._lock = Lock()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def writing(self, wait: float = LONGEST_WAIT) -> Generator[sqlite3.Connection]:
        """One transaction: it writes all or nothing. It waits for others who write, so not to be called on an event
        loop. Raises sqlite3.OperationalError where they take longer than `wait` seconds."""
        if not self._lock.acquire(timeout=wait):
            raise sqlite3.OperationalError("others are writing")
        try:
            self._connection.execute(f"PRAGMA busy_timeout={int(wait * 1000)}")
            with transaction(self._connection) as connection:
                yield connection
        finally:
            self._lock.release()

    @contextmanager
    def looking(self) -> Generator[sqlite3.Connection]:
        """The connection for one statement that reads: it waits for no other connection's writing, and keeps none from
        it."""
        with self._lock:
            yield self._connection
