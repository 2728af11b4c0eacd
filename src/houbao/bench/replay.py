"""The bare work: what the engine saved, written once more by the driver alone, on a copy of the same database."""

import gc
import shutil
import sqlite3
from pathlib import Path
from time import perf_counter

from houbao.core.terms import micros
from houbao.engine.ports import Batch
from houbao.store import rows, schema
from houbao.store.batch import rows_of
from houbao.store.changes import changes_of, inserting
from houbao.store.sqlite import SQLite, connect


class Recorded(SQLite):
    """A database that remembers what it saved, transaction by transaction."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self.saved: list[Batch] = []

    def save(self, part: int, batch: Batch) -> None:
        """See ports.Database."""
        super().save(part, batch)
        self.saved.append(batch)


class Turns:
    """Engine and bare driver in turn, piece by piece. `engine` and `bare` are the seconds of each, `rows` what both
    wrote."""

    def __init__(self, database: Recorded) -> None:
        database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        copy = database.path.with_suffix(".bare")
        shutil.copyfile(database.path, copy)
        self.database = database
        self.connection = connect(copy)
        self.engine = self.bare = 0.0
        self.rows = 0
        self.began = 0.0
        database.saved.clear()

    def start(self) -> None:
        """The engine's turn begins."""
        gc.collect(0)
        self.began = perf_counter()

    def next(self) -> None:
        """The engine's turn has ended: the driver writes the same, then it is the engine's again."""
        self.engine += perf_counter() - self.began
        for batch in self.database.saved:
            self._replay(batch)
        self.database.saved.clear()
        self.start()

    def _replay(self, batch: Batch) -> None:
        """What is given to the driver is made before, and not timed."""
        found, head = rows_of(0, batch), batch.head
        statements = [(inserting(table), new) for table, new in found.new.items() if new] + changes_of(found)
        last = (head.position, micros(head.booked_at), head.chain, rows.outages(head.outages))
        self.rows += sum(len(values) for _, values in statements) + 1
        began = perf_counter()
        self.connection.execute("BEGIN IMMEDIATE")
        for sql, values in statements:
            self.connection.executemany(sql, values)
        self.connection.execute("UPDATE parts SET position=?, booked_at=?, chain=?, outages=? WHERE part=0", last)
        self.connection.execute("COMMIT")
        self.bare += perf_counter() - began

    def close(self) -> None:
        """Both wrote the same, or this raises AssertionError."""
        same_tables(self.database.connection, self.connection, without=("imports",))
        self.connection.close()


def same_tables(engine: sqlite3.Connection, bare: sqlite3.Connection, without: tuple[str, ...] = ()) -> None:
    """Raises AssertionError unless every table holds the same rows in both."""
    for table in schema.metadata.sorted_tables:
        if table.name in without:
            continue
        key = ", ".join(column.name for column in table.primary_key.columns)
        found = [c.execute(f"SELECT * FROM {table.name} ORDER BY {key}") for c in (engine, bare)]
        for left, right in zip(*found, strict=True):
            if left != right:
                raise AssertionError(f"{table.name} differs: {left} / {right}")
