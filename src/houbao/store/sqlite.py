"""SQLite: WAL, synchronous=FULL, one writer at a time by BEGIN IMMEDIATE."""

import contextlib
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from threading import RLock

from sqlalchemy import Table

from houbao.core.disputes import Dispute
from houbao.core.exchange import PIVOT, Rate
from houbao.core.orders import Order
from houbao.core.policy_file import parse_policy
from houbao.core.programme import Programme, Store
from houbao.core.rulings import Compiled, compile_policy
from houbao.core.terms import from_micros, micros
from houbao.core.watches import Standing
from houbao.core.world import Event
from houbao.engine.ports import Batch, Contact, Delivery, Head, Loaded, Needs, Receipt, SaveFailed, Task
from houbao.store import filing, rows, schema, standings
from houbao.store.batch import rows_of
from houbao.store.changes import changes_of, inserting, putting
from houbao.store.loading import as_json, decode_programme, load
from houbao.store.reading import Reader

GENESIS = bytes(32)
"""The head of an empty hash chain."""

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=30000",
    "PRAGMA cache_size=-262144",
    "PRAGMA foreign_keys=ON",
)


class DatabaseError(Exception):
    """The database cannot be used; the message says what to do."""


def connect(path: str | Path) -> sqlite3.Connection:
    """A connection with the product's own settings; transactions are begun by hand."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in PRAGMAS:
        connection.execute(pragma)
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    """One transaction that has the part's lock from its beginning: it writes all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # on a full disk SQLite has rolled back by itself
            connection.execute("ROLLBACK")
        raise


TOGETHER = 32
"""How many rows one INSERT brings: to step through a statement for each row costs as much again as to write it."""


class SQLite:
    """The `Database` port on one file. One connection, used by one thread at a time; and others, for whoever reads much
    and must keep nobody from writing."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise DatabaseError(f"no database at {path}: `houbao db upgrade` makes one, `houbao demo` a demonstration")
        self.connection = connect(path)
        self.reader = Reader(self.path)
        self._lock = RLock()
        self._open = False
        self._compiled: dict[tuple[str, str], Compiled] = {}
        settings = self.settings()
        if settings.get("schema") != str(schema.SCHEMA_VERSION):
            raise DatabaseError(
                f"{path} has schema {settings.get('schema', 'none')}, this Houbao needs {schema.SCHEMA_VERSION}"
            )

    def settings(self) -> dict[str, str]:
        """The database's own settings: schema, parts, policy, kind (live or sandbox)."""
        with contextlib.suppress(sqlite3.OperationalError):
            return dict(self.connection.execute("SELECT key, value FROM meta"))
        return {}

    def close(self) -> None:
        """Close the file."""
        self.reader.close()
        self.connection.close()

    # --- the write transaction -------------------------------------------------------------------------------------

    def lock_part(self, part: int) -> Head:
        """See ports.Database."""
        return self._begin("BEGIN IMMEDIATE", part)

    def look_at_part(self, part: int) -> Head:
        """See ports.Database."""
        return self._begin("BEGIN", part)

    def _begin(self, begin: str, part: int) -> Head:
        self._lock.acquire()
        self._open = True
        try:
            self.connection.execute(begin)
            return self.head(part)
        except BaseException:
            self.rollback()
            raise

    def head(self, part: int) -> Head:
        """See ports.Database."""
        with self._lock:
            position, booked_at, head, clock, known, breakers = self.connection.execute(
                "SELECT position, booked_at, chain, clock, outages, breakers FROM parts WHERE part=?", (part,)
            ).fetchone()
        at = None if clock is None else from_micros(clock)
        outages = rows.decode_outages(known) if known else ()
        return Head(
            position, from_micros(booked_at), head, at, outages, rows.decode_breakers(breakers) if breakers else ()
        )

    def commit(self) -> None:
        """See ports.Database."""
        self.connection.execute("COMMIT")
        self._open = False
        self._lock.release()

    def rollback(self) -> None:
        """See ports.Database. SQLite may have rolled back by itself (a full disk): the lock goes all the same."""
        if not self._open:
            return
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        self._open = False
        self._lock.release()

    def receipts(self, part: int, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Receipt]:
        """See ports.Database."""
        found = self.connection.execute(
            "SELECT r.caller, r.key, r.digest, r.salt, r.id, first, last"
            " FROM json_each(?) AS asked CROSS JOIN receipts AS r"
            " ON r.part=? AND r.caller=asked.value->>0 AND r.key=asked.value->>1",
            (as_json(keys), part),
        )
        return {(caller, key): Receipt(*rest) for caller, key, *rest in found}

    def load(self, part: int, needs: Needs) -> Loaded:
        """See ports.Database."""
        return load(self.connection, part, needs)

    def compiled(self, version: str, currency: str) -> Compiled | None:
        """See ports.Database. A version's text never changes, so it is parsed once."""
        known = self._compiled.get((version, currency))
        if known is None:
            text = self.policy_text(version)
            if text is None:
                return None
            known = self._compiled[(version, currency)] = compile_policy(parse_policy(text), currency)
        return known

    def rates(self, base: str, quote: str, since: datetime, until: datetime) -> tuple[Rate, ...]:
        """See ports.Database."""
        return tuple(rates_between(self.connection, base, quote, since, until))

    def policy_text(self, version: str) -> str | None:
        """The text of a policy version; the empty one is the database's default."""
        wanted = version or self.settings()["policy"]
        found = self.connection.execute("SELECT text FROM policies WHERE version=?", (wanted,)).fetchone()
        return found[0] if found else None

    def save(self, part: int, batch: Batch) -> None:
        """See ports.Database."""
        try:
            self._save(part, batch)
        except sqlite3.IntegrityError as error:
            raise SaveFailed(str(error)) from error

    def _save(self, part: int, batch: Batch) -> None:
        found, head = rows_of(part, batch), batch.head
        for table, new in found.new.items():
            self._insert(table, new)
        for statement, changed in changes_of(found):
            self.connection.executemany(statement, changed)
        self.connection.execute(
            "UPDATE parts SET position=?, booked_at=?, chain=?, outages=?, breakers=? WHERE part=?",
            (
                head.position,
                micros(head.booked_at),
                head.chain,
                rows.outages(head.outages),
                rows.breakers(head.breakers),
                part,
            ),
        )

    def _insert(self, table: Table, new: list[rows.Row]) -> None:
        many, whole = self.connection.executemany, len(new) - len(new) % TOGETHER
        if whole:
            groups = [tuple(chain.from_iterable(new[at : at + TOGETHER])) for at in range(0, whole, TOGETHER)]
            many(inserting(table, TOGETHER), groups)
        if whole < len(new):
            many(inserting(table), new[whole:])

    # --- the worker's side -----------------------------------------------------------------------------------------

    def due(
        self, part: int, now: datetime, most: int, after: tuple[datetime, int] | None = None
    ) -> list[tuple[datetime, int]]:
        """See ports.Database."""
        at, dispute = (micros(after[0]), after[1]) if after else (-1, 0)
        with self._lock:
            found = self.connection.execute(
                "SELECT due_at, dispute_id FROM timers WHERE part=? AND due_at<=? AND (due_at, dispute_id)>(?, ?)"
                " ORDER BY due_at, dispute_id LIMIT ?",
                (part, micros(now), at, dispute, most),
            ).fetchall()
        return [(from_micros(at), dispute) for at, dispute in found]

    def unmoved(self, part: int, outage: int, after: int, most: int) -> list[int]:
        """See ports.Database."""
        with self._lock:
            found = self.connection.execute(
                "SELECT id FROM disputes WHERE part=? AND id>? AND id<? AND phase<>'closed'"
                " AND body->>'$.history[#-1]'<? ORDER BY id LIMIT ?",
                (part, after, outage, outage, most),
            ).fetchall()
        return [number for (number,) in found]

    def standings(self, part: int, since: datetime, now: datetime) -> dict[str, Standing]:
        """See ports.Database."""
        with self.reader.snapshot() as connection:
            return standings.found(connection, part, since, now)

    def claim(self, part: int, now: datetime, lease: timedelta, most: int) -> list[Task]:
        """See ports.Database."""
        until = now + lease
        with self.writing():
            found = self.connection.execute(
                "SELECT due_at, position, n, tries, body FROM outbox WHERE part=? AND due_at<=?"
                " ORDER BY due_at, position, n LIMIT ?",
                (part, micros(now), most),
            ).fetchall()
            self.connection.executemany(
                "UPDATE outbox SET due_at=?, tries=tries+1 WHERE part=? AND due_at=? AND position=? AND n=?",
                [(micros(until), part, due_at, position, n) for due_at, position, n, _, _ in found],
            )
        return [Task(position, n, tries + 1, rows.decode_effect(body), until) for _, position, n, tries, body in found]

    def settle(self, part: int, ended: Sequence[tuple[Task, Delivery | datetime]]) -> None:
        """See ports.Database."""
        with self.writing():
            for task, how in ended:
                gone = self.connection.execute(
                    "DELETE FROM outbox WHERE part=? AND due_at=? AND position=? AND n=?",
                    (part, micros(task.claimed_until), task.position, task.n),
                )
                if gone.rowcount == 0:
                    continue
                body = rows.encode(task.effect)
                if isinstance(how, Delivery):
                    row = (part, task.position, task.n, how.state, micros(how.at), task.tries, how.detail, body)
                    self.connection.execute(inserting(schema.deliveries), row)
                else:
                    row = (part, micros(how), task.position, task.n, task.tries, body)
                    self.connection.execute(inserting(schema.outbox), row)

    def file(self, part: int, least: int, most: int) -> int:
        """See ports.Database."""
        with self._lock:
            after, until = filing.run_to_file(self.connection, part, least, most)
        if until == after:
            return 0
        with self.writing() as connection:
            after, until = filing.run_to_file(connection, part, least, most)  # another worker may have been quicker
            self._insert(schema.entries, filing.file_run(connection, part, after, until))
            connection.execute(putting(schema.filed), (part, until))
        return until - after

    def next_wake(self, part: int) -> datetime | None:
        """See ports.Database."""
        with self._lock:
            found = self.connection.execute(
                "SELECT min(at) FROM (SELECT min(due_at) AS at FROM timers WHERE part=?"
                " UNION ALL SELECT min(due_at) FROM outbox WHERE part=?)",
                (part, part),
            ).fetchone()
        return None if found[0] is None else from_micros(found[0])

    def move_clock(self, part: int, to: datetime) -> None:
        """See ports.Database."""
        with self.writing():
            self.connection.execute(
                "UPDATE parts SET clock=max(clock, ?) WHERE part=? AND clock IS NOT NULL", (micros(to), part)
            )

    def dispute(self, part: int, number: int) -> Dispute | None:
        """See ports.Database."""
        with self._lock:
            found = self.connection.execute(
                "SELECT body FROM disputes WHERE part=? AND id=?", (part, number)
            ).fetchone()
        return rows.decode_dispute(found[0]) if found else None

    def order(self, part: int, number: int) -> Order | None:
        """See ports.Database."""
        with self._lock:
            found = self.connection.execute("SELECT body FROM orders WHERE part=? AND id=?", (part, number)).fetchone()
        return rows.decode_order(found[0]) if found else None

    def store(self, part: int, number: str) -> Store | None:
        """See ports.Database."""
        with self._lock:
            found = self.connection.execute("SELECT body FROM stores WHERE part=? AND id=?", (part, number)).fetchone()
        return rows.decode_store(found[0]) if found else None

    def programme(self, name: str) -> Programme | None:
        """See ports.Database."""
        with self._lock:
            found = self.connection.execute("SELECT body FROM programmes WHERE name=?", (name,)).fetchone()
        return decode_programme(found[0]) if found else None

    def event(self, part: int, position: int) -> Event | None:
        """The event at that position, outside any transaction."""
        with self._lock:
            found = self.connection.execute(
                "SELECT body FROM events WHERE part=? AND position=?", (part, position)
            ).fetchone()
        return rows.decode_event(found[0]) if found else None

    def contact(self, part: int, kind: str, number: str) -> Contact | None:
        """See ports.Database."""
        with self._lock:
            found = self.connection.execute(
                "SELECT kind, id, name, email, language, zone FROM contacts WHERE part=? AND kind=? AND id=?",
                (part, kind, number),
            ).fetchone()
        return Contact(*found) if found else None

    @contextlib.contextmanager
    def alone(self) -> Generator[sqlite3.Connection]:
        """The connection, which no other thread uses meanwhile."""
        with self._lock:
            yield self.connection

    @contextlib.contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """One transaction for what is no event: it writes all or nothing."""
        with self._lock, transaction(self.connection) as connection:
            yield connection


def rates_between(
    connection: sqlite3.Connection, base: str, quote: str, since: datetime, until: datetime
) -> Iterable[Rate]:
    """The rates of two currencies in each other or in EUR that were published in that time."""
    names = (base, quote, PIVOT)
    columns = ", ".join(column.name for column in schema.rates.columns)
    found = connection.execute(
        f"SELECT {columns} FROM rates WHERE base IN (?, ?, ?) AND quote IN (?, ?, ?) AND published_at BETWEEN ? AND ?",
        (*names, *names, micros(since), micros(until)),
    )
    return map(rows.rate_of, found)
