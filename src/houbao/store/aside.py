"""Rows that stand beside the events and that no rule reads: who may come in, and who is told."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from houbao.store.sqlite import connect, transaction


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
    def writing(self) -> Generator[sqlite3.Connection]:
        """One transaction: it writes all or nothing."""
        with self._lock, transaction(self._connection) as connection:
            yield connection
