"""statement-page: one page of a store's statement, and of its fund records, while the ledger grows. Beside it the same
rows by a statement written by hand, without making records of them.

The ledger is a real one of some thousand paid orders, copied again and again behind itself; its lines are filed as the
worker files them, but for the last ones, which a page has to walk.
"""

import statistics
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from houbao.bench.figures import Figure, Say, machine
from houbao.bench.ledger import EACH, Money
from houbao.core.scopes import EVERYTHING
from houbao.engine.worker import FILED_AT_ONCE, FILED_FROM
from houbao.store import fund_records, statements
from houbao.store.filing import END_OF_EVENT, filed_to

BASE = 3_000
"""Transfers of the ledger that the engine wrote; the others are copies of them."""

LEAST = 30_000
"""In a smaller ledger hardly anything is filed."""

PAGE = 50
TIMES = 200
STORE = "store-0000"
LAST = "last page"
BARE = """
SELECT t.position, t.n, e.booked_at, t.kind, t.minor, t.source, t.target, t.order_id, t.dispute_id, f.balance
FROM entries AS f CROSS JOIN transfers AS t ON t.part=0 AND t.position=f.position AND t.n=f.n
CROSS JOIN events AS e ON e.part=0 AND e.position=f.position
WHERE f.part=0 AND f.store_id=? AND f.currency='EUR' AND (f.position, f.n) > (?, ?)
ORDER BY f.position, f.n LIMIT ?
"""
COPIES = (
    "INSERT INTO events SELECT part, position+:step*j, booked_at, body, chain FROM n CROSS JOIN events"
    " WHERE part=0 AND position<=:step ORDER BY j, position",
    "INSERT INTO transfers SELECT part, position+:step*j, n, kind, source, target, minor, currency, store_id, order_id,"
    " dispute_id FROM n CROSS JOIN transfers WHERE part=0 AND position<=:step ORDER BY j, position, n",
)
NUMBERS = "WITH RECURSIVE n(j) AS (SELECT :first UNION ALL SELECT j+1 FROM n WHERE j<:last) "


def measure(most: int, say: Say) -> list[Figure]:
    """The figures at up to `most` transfers: a hundredth of it (or LEAST), a tenth, and all."""
    sizes = sorted({max(BASE, size) for size in (min(most, max(LEAST, most // 100)), most // 10, most)})
    sized = ", ".join(f"{size:,}" for size in sizes)
    say(f"statement-page: a page of {PAGE} at {sized} transfers, and the bare statement")
    times: dict[str, dict[str, tuple[float, float]]] = {name: {} for name in (*ASKED, LAST)}
    with TemporaryDirectory(prefix="houbao-bench-") as folder:
        money = Money(Path(folder) / "pages.db", stores=10)
        money.do(money.place(0, BASE // EACH))
        step = money.database.head(0).position
        there = 1
        for size in sizes:
            there = _grow(money, step, there, size // BASE)
            for name in ASKED:
                times[name][f"{size:,}"] = _page(money, name)
            times[LAST][f"{size:,}"] = _last_page(money)
        money.database.close()
    return [_figure(name, most, by_size, say) for name, by_size in times.items()]


def _grow(money: Money, step: int, there: int, wanted: int) -> int:
    """Copy the ledger behind itself until it is there so many times, and file it as the worker does, which leaves as
    much as it ever leaves."""
    run = money.database.connection.execute
    if wanted > there:
        numbers = {"first": there, "last": wanted - 1, "step": step}
        run("BEGIN IMMEDIATE")
        for copy in COPIES:
            head, rest = copy.split(" SELECT", 1)
            run(f"{head} {NUMBERS}SELECT{rest}", numbers)
        run("UPDATE parts SET position=? WHERE part=0", (wanted * step,))
        run("COMMIT")
    end = money.database.head(0).position
    while (left := end - filed_to(money.database.connection, 0)) >= FILED_FROM:
        money.database.file(0, FILED_FROM, min(FILED_AT_ONCE, left - FILED_FROM + 1))
    run("PRAGMA wal_checkpoint(TRUNCATE)")
    return max(there, wanted)


def _statement(money: Money, after: statements.Place) -> int:
    """How many lines a page of the statement has."""
    page = statements.statement(money.database.connection, EVERYTHING, 0, STORE, "EUR", after=after, limit=PAGE)
    return len(page.entries)


def _fund_records(money: Money, after: statements.Place) -> int:
    """How many lines stand behind a page of fund records."""
    page = fund_records.fund_records(money.database.connection, EVERYTHING, 0, STORE, after=after[0], limit=PAGE)
    return sum(len(record.entries) for record in page.records)


ASKED: dict[str, Callable[[Money, statements.Place], int]] = {"statement": _statement, "fund records": _fund_records}


def _page(money: Money, name: str) -> tuple[float, float]:
    """Seconds of a page (the median over pages of all depths among the filed lines), and of its bare statement."""
    filed = filed_to(money.database.connection, 0)
    pages: list[float] = []
    bare: list[float] = []
    for turn in range(TIMES):
        after = (filed * 9 * turn // (10 * TIMES), END_OF_EVENT)
        began = perf_counter()
        lines = ASKED[name](money, after)
        pages.append(perf_counter() - began)
        began = perf_counter()
        money.database.connection.execute(BARE, (STORE, *after, lines)).fetchall()
        bare.append(perf_counter() - began)
    return statistics.median(pages), statistics.median(bare)


def _last_page(money: Money) -> tuple[float, float]:
    """Seconds of the end of the statement, where what is not filed yet is walked, and of its statements alone."""
    connection = money.database.connection
    after = (
        connection.execute(
            "SELECT position, n FROM entries WHERE part=0 AND store_id=? AND currency='EUR'"
            " ORDER BY position DESC, n DESC LIMIT 1",
            (STORE,),
        ).fetchone()
        or statements.START
    )
    said: list[str] = []
    connection.set_trace_callback(said.append)
    _statement(money, after)
    connection.set_trace_callback(None)
    pages: list[float] = []
    bare: list[float] = []
    for _ in range(TIMES):
        began = perf_counter()
        _statement(money, after)
        pages.append(perf_counter() - began)
        began = perf_counter()
        for statement in said:
            connection.execute(statement).fetchmany(PAGE + 1)
        bare.append(perf_counter() - began)
    return statistics.median(pages), statistics.median(bare)


def _figure(name: str, most: int, times: dict[str, tuple[float, float]], say: Say) -> Figure:
    *_, (page, bare) = times.values()
    figure = Figure(
        scenario="statement-page",
        of=name,
        value=round(1 / page, 1),
        unit="pages/s",
        limit=round(1 / bare, 1),
        ratio=round(bare / page, 3),
        command=f"houbao bench statement-page --statements-of {most}",
        machine=machine(),
        of_size={f"milliseconds at {size}": round(1000 * seconds, 3) for size, (seconds, _) in times.items()},
    )
    grown = ", ".join(f"{seconds * 1000:.2f} ms at {size}" for size, (seconds, _) in times.items())
    say(f"  {name}: {grown}; bare {bare * 1000:.2f} ms, ratio {figure.ratio:.2f}")
    return figure
