"""`houbao bench`: every figure beside the bare work, measured in the same run. Each scenario is a module of its own."""

import tempfile
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from houbao.bench import deadlines, growth, ledger, openings, orders_in, queue_pages, statement_pages
from houbao.bench.figures import Figure, Say


class Sizes(Struct, frozen=True):
    """How much is measured: disputes opened in so many rounds, among each of these numbers of open ones; orders
    imported, among each of these numbers of known ones; deadlines due of so many open disputes; pages of a table of so
    many; a database that grows to so many; a backtest over a lake of so many; transfers booked, and in the ledger whose
    statements are read."""

    disputes: int
    among: tuple[int, ...]
    rounds: int
    orders: int
    known: tuple[int, ...]
    due: int
    open: int
    pages_of: int
    grow_to: int
    lake: int
    transfers: int
    statements_of: int


SCENARIOS: dict[str, Callable[[Sizes, Say], list[Figure]]] = {
    "open-dispute": lambda sizes, say: _openings(sizes, say),
    "open-dispute-http": lambda sizes, say: _over_http(sizes, say),
    "import-orders": lambda sizes, say: [
        figure for known in sizes.known for figure in orders_in.measure(sizes.orders, known, say)
    ],
    "sweep-deadlines": lambda sizes, say: deadlines.measure(sizes.due, max(0, sizes.open - sizes.due), say),
    "queue-page": lambda sizes, say: queue_pages.measure(sizes.pages_of, say),
    "backtest": lambda sizes, say: _backtest(sizes, say),
    "growth": lambda sizes, say: growth.measure(sizes.grow_to, say),
    "ledger": lambda sizes, say: ledger.measure(sizes.transfers, say),
    "statement-page": lambda sizes, say: statement_pages.measure(sizes.statements_of, say),
}


def run(names: Collection[str], sizes: Sizes, say: Say, folder: Path | None = None) -> list[Figure]:
    """Measure the scenarios of those names, or all of them where none is named; the databases that are measured are
    made in that folder, else where the machine keeps what is temporary."""
    wanted = [measure for name, measure in SCENARIOS.items() if not names or name in names]
    with _made_in(folder):
        return [figure for measure in wanted for figure in measure(sizes, say)]


@contextmanager
def _made_in(folder: Path | None) -> Generator[None]:
    before = tempfile.tempdir
    if folder is not None:
        tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def _openings(sizes: Sizes, say: Say) -> list[Figure]:
    """In each of the databases: what a row costs the bare driver, and so the ratio, hangs on how much there is."""
    return [figure for among in sizes.among for figure in openings.measure(sizes.disputes, sizes.rounds, among, say)]


def _backtest(sizes: Sizes, say: Say) -> list[Figure]:
    from houbao.bench import backtest  # it stands on the extra `analytics`

    return backtest.run(sizes.lake, sizes.rounds, say)


def _over_http(sizes: Sizes, say: Say) -> list[Figure]:
    from houbao.bench import over_http  # it brings in the whole server

    return [figure for among in sizes.among for figure in over_http.measure(sizes.disputes, sizes.rounds, among, say)]
