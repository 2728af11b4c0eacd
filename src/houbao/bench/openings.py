"""open-dispute: the engine opens distinct disputes (receipts on, shipped policy, full durability) in lists of 1, 100
and 1000. Beside it the bare driver replays the very rows that the engine wrote, on a copy of the same database, with
the same pragmas and the same batches. The two take turns, list by list; afterwards every table is equal.
"""

import gc
import shutil
import sqlite3
import statistics
import tempfile
from pathlib import Path
from time import perf_counter

from msgspec import Struct

from houbao.bench.copies import BASE, fill
from houbao.bench.figures import Figure, Say, machine
from houbao.bench.market import OpenDisputes
from houbao.bench.replay import same_tables
from houbao.store import schema
from houbao.store.changes import inserting
from houbao.store.sqlite import SQLite, connect

BATCHES = (1, 100, 1000)


class Round(Struct, frozen=True):
    """Seconds of one round, and how many rows it wrote."""

    engine: float
    bare: float
    rows: int
    where: dict[str, float]


def measure(disputes: int, rounds: int, among: int, say: Say) -> list[Figure]:
    """Measure all batch sizes, interleaved; medians over the rounds. `among` open disputes are there before."""
    figures: list[Figure] = []
    where = f"among {among:,}" if among else "in an empty database"
    say(f"open-dispute: {rounds} rounds of {disputes:,} {where} (200 where one by one), engine and bare in turn\n")
    say(f"{'batch':>6} {'engine/s':>10} {'bare/s':>10} {'ratio':>6}  rows, bytes a dispute · where the time goes")
    with tempfile.TemporaryDirectory(prefix="houbao-bench-") as folder:
        for batch in BATCHES:
            count = min(disputes, 200) if batch == 1 else disputes
            market = OpenDisputes(Path(folder) / f"market-{batch}.db", min(BASE, among) + count * rounds)
            first = fill(market, among) if among else 0
            market.points.clear()
            figure = _measure(market, batch, count, rounds, among, first, Path(folder))
            figures.append(figure)
            parts = ", ".join(f"{name} {share:.0%}" for name, share in figure.where.items())
            say(
                f"{batch:>6} {figure.value:>10,.0f} {figure.limit:>10,.0f} {figure.ratio:>6.2f}"
                f"  {figure.rows_per_dispute:.1f} rows, {figure.bytes_per_dispute:,.0f} B · {parts}"
            )
    return figures


def _measure(market: OpenDisputes, batch: int, count: int, rounds: int, among: int, first: int, folder: Path) -> Figure:
    copy = folder / f"bare-{batch}.db"
    market.checkpoint()
    shutil.copyfile(market.path, copy)
    market.reopen()
    bare = connect(copy)
    size_before = market.size()
    done = [_round(market, bare, batch, first + turn * count, count) for turn in range(rounds)]
    same_tables(market.database.connection, bare)
    bare.close()
    size = (market.size() - size_before) / (count * rounds)
    engine, limit = (count / statistics.median(getattr(r, side) for r in done) for side in ("engine", "bare"))
    ratio = statistics.median(r.bare / r.engine for r in done)
    where = {name: statistics.median(r.where[name] for r in done) for name in done[0].where}
    market.close()
    return Figure(
        scenario="open-dispute",
        of=f"lists of {batch}" + (f", among {among:,}" if among else ""),
        value=round(engine, 1),
        unit="disputes/s",
        limit=round(limit, 1),
        ratio=round(ratio, 3),
        command=f"houbao bench open-dispute --disputes {count} --rounds {rounds} --among {among}",
        machine=machine(),
        rows_per_dispute=round(sum(r.rows for r in done) / (count * rounds), 2),
        bytes_per_dispute=round(size),
        where={name: round(share, 3) for name, share in where.items()},
    )


def _round(market: OpenDisputes, bare: sqlite3.Connection, batch: int, start: int, count: int) -> Round:
    """Engine and bare driver in turn, list by list; what each is given is made just before and not timed."""
    engine = replay = 0.0
    rows = 0
    for first in range(start, start + count, batch):
        requests = market.requests(first, min(batch, start + count - first))
        before = position_of(market.database)
        gc.collect(0)
        began = perf_counter()
        market.execute(requests)
        engine += perf_counter() - began
        statements = statements_of(market.database, before, position_of(market.database))
        rows += sum(len(values) for _, values in statements)
        began = perf_counter()
        bare.execute("BEGIN IMMEDIATE")
        for sql, values in statements:
            bare.executemany(sql, values)
        bare.execute("COMMIT")
        replay += perf_counter() - began
    return Round(engine, replay, rows, market.where())


Statement = tuple[str, list[tuple[object, ...]]]
_APPENDED = (
    (schema.events, "position"),
    (schema.disputes, "id"),
    (schema.tallies, "dispute_id"),
    (schema.transfers, "position"),
    (schema.outbox, "position"),
    (schema.timers, "dispute_id"),
    (schema.waiting, "position"),
    (schema.instants, "dispute_id"),
    (schema.texts, "position"),
    (schema.receipts, "first"),
)


def position_of(database: SQLite) -> int:
    """The position of the last event."""
    return database.head(0).position


def statements_of(database: SQLite, before: int, end: int) -> list[Statement]:
    """The rows that the engine wrote at those positions, as the statements a bare driver would run, table by table."""
    statements: list[Statement] = []
    for table, key in _APPENDED:
        found = database.connection.execute(
            f"SELECT * FROM {table.name} WHERE part=0 AND {key}>? AND {key}<=? ORDER BY {key}", (before, end)
        ).fetchall()
        if found:
            statements.append((inserting(table), found))
    return statements + _updates(database, end, statements)


def _updates(database: SQLite, end: int, statements: list[Statement]) -> list[Statement]:
    """The balances and the part's own row as this transaction left them."""
    changes: dict[tuple[object, object], int] = {}
    for sql, rows in statements:
        if sql == inserting(schema.transfers):
            for row in rows:
                _, _, _, _, source, target, minor, currency, *_ = row
                assert isinstance(minor, int)
                for account, signed in ((source, -minor), (target, minor)):
                    if str(account).startswith(("fund:", "store:")):
                        changes[account, currency] = changes.get((account, currency), 0) + signed
    conflict = "ON CONFLICT (part, account, currency) DO UPDATE SET minor = minor + excluded.minor"
    add = f"{inserting(schema.balances)} {conflict}"
    chain, booked = database.connection.execute(
        "SELECT chain, booked_at FROM events WHERE part=0 AND position=?", (end,)
    ).fetchone()
    updates: list[Statement] = [(add, [(0, *account, minor) for account, minor in changes.items()])] if changes else []
    updates.append(("UPDATE parts SET position=?, booked_at=?, chain=? WHERE part=0", [(end, booked, chain)]))
    return updates
