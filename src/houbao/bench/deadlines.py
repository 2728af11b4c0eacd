"""sweep-deadlines: the worker lets the deadlines of silent sellers pass, among many more disputes that are open. What
is due lies anywhere in the table. Beside it the bare driver writes the very rows of each list."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from houbao.bench.copies import copy_rows
from houbao.bench.figures import Figure, Say, machine
from houbao.bench.market import NOW, OpenDisputes
from houbao.bench.replay import Recorded, Turns
from houbao.engine.request import Outcome, Request
from houbao.engine.worker import Done, Worker
from houbao.gateways.email import FolderMailer

CLAIMS = (("in_transit_overdue", 2500, False), ("delivered_not_received", 4100, False))
DUE = timedelta(days=5, hours=1)
"""Until then all have become due: they were opened within an hour, and a seller has five days."""

TOGETHER = 5
"""So many disputes lie side by side; then come others, which are not due."""


def measure(due: int, others: int, say: Say) -> list[Figure]:
    """The figure of `due` deadlines among `others` that are open and not due."""
    say(f"sweep-deadlines: {due:,} due of {due + others:,} open, and the bare rows of each list in turn")
    with TemporaryDirectory(prefix="houbao-bench-") as name:
        folder = Path(name)
        market = OpenDisputes(folder / "sweep.db", due, claims=CLAIMS, opened=Recorded)
        _fill(market, due, others)
        database = market.database
        assert isinstance(database, Recorded)
        _remind(market)
        turns = Turns(database)

        def execute(requests: list[Request]) -> list[Outcome]:
            outcomes = market.engine.execute(requests)
            turns.next()
            return outcomes

        worker = _worker(market, execute, NOW + DUE)
        done = Done()
        turns.start()
        worker.sweep(done)
        assert (done.deadlines, done.troubles) == (due, []), done.troubles[:3]
        turns.close()
        market.close()
    figure = Figure(
        scenario="sweep-deadlines",
        value=round(due / turns.engine, 1),
        unit="deadlines/s",
        limit=round(due / turns.bare, 1),
        ratio=round(turns.bare / turns.engine, 3),
        command=f"houbao bench sweep-deadlines --due {due} --open {due + others}",
        machine=machine(),
        rows_per_second=round(turns.rows / turns.engine, 1),
    )
    say(f"  {figure.value:,.0f} deadlines/s, bare {figure.limit:,.0f}/s, ratio {figure.ratio:.2f}\n")
    return [figure]


def _remind(market: OpenDisputes) -> None:
    """Let the reminders go that a worker would have sent before."""
    _worker(market, market.engine.execute, NOW + DUE - timedelta(hours=2)).sweep(Done())


def _worker(market: OpenDisputes, execute: Callable[[list[Request]], list[Outcome]], now: datetime) -> Worker:
    mailer = FolderMailer(market.path.with_suffix(".mails"), "Bench <bench@houbao.invalid>", lambda: now)
    return Worker(market.database, execute, lambda: now, providers={}, notifier=mailer)


def _fill(market: OpenDisputes, due: int, others: int) -> None:
    """Open the disputes that are due, a few at a time, and behind each few so many copies of the last of them, due
    later. The copies take the positions that are left out."""
    run = market.database.connection.execute
    left = others
    run("PRAGMA synchronous=OFF")  # it is not measured, and need not outlive a crash
    for first in range(0, due, TOGETHER):
        count = min(TOGETHER, due - first)
        market.execute(market.requests(first, count))
        groups = -(-(due - first) // TOGETHER)
        copies = -(-left // groups)
        left -= copies
        head = market.database.head(0).position
        (last,) = run("SELECT max(id) FROM disputes WHERE part=0").fetchone()
        if not copies:
            continue
        run("BEGIN IMMEDIATE")
        copy_rows(market, last, head - last, copies)
        run("UPDATE parts SET position=position+? WHERE part=0", (copies,))
        run("COMMIT")
    run("PRAGMA synchronous=FULL")
