"""`houbao demo`: a fresh database, orders with their complaints, the play, the report."""

import resource
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from houbao import wiring
from houbao.demo.buyers import lived
from houbao.demo.play import Clock, Play
from houbao.demo.players import PROVIDER_PER_MILLE, Dice
from houbao.demo.report import SIMULATED, Report, gather
from houbao.demo.scores import scored
from houbao.feeds.generated import generate
from houbao.feeds.olist import read
from houbao.feeds.sold import SoldOrder
from houbao.gateways.refunds.sandbox import Script
from houbao.settings import Settings
from houbao.store.scores import Scorebook
from houbao.store.verify import verify

CURRENCY = "BRL"
CAPITAL = 20_000_00
TOP_UP = 15_000_00
LAUNCH = datetime(2017, 1, 1, 3, tzinfo=UTC)


def run(
    settings: Settings, *, olist: Path | None, orders: int, seed: int, anew: bool, progress: Callable[[int, int], None]
) -> Report:
    """Play the demonstration into the database that `settings` name, and report. It must not exist yet."""
    started = perf_counter()
    sold, source = _orders(olist, orders, seed)
    dice = Dice(seed)
    sold = [lived(dice, order) for order in sold]
    if anew:
        _remove(wiring.path_of(settings.database_url))
    first = min(order.place.at for order in sold)
    clock = Clock(first - timedelta(days=1))
    wiring.create_database(settings.database_url, currency=CURRENCY, launched_at=LAUNCH, sandbox_clock=clock())
    script = Script(weights=PROVIDER_PER_MILLE, seed=seed)  # ty: ignore[invalid-argument-type]
    house = wiring.House(settings, clock=clock, script=script)
    try:
        play = Play(house, clock, dice, capital=CAPITAL, top_up=TOP_UP, currency=CURRENCY)
        entries = sum(1 + len(order.facts) + (order.complaint is not None) for order in sold)
        played = play.run(sold, lambda done: progress(done, entries))
        house.database.move_clock(0, clock())
        seconds = perf_counter() - started
        differences = verify(wiring.path_of(settings.database_url))
        figures = gather(house.database.connection, played, CAPITAL, CURRENCY)
        scores = scored(Scorebook(house.database))
    finally:
        house.close()
    return Report(
        source=source,
        simulated=f"{SIMULATED} Seed {seed}.",
        seconds=round(seconds, 2),
        disputes_per_second=round(figures["disputes"] / seconds, 1),
        verify="ok" if not differences else str(differences[0]),
        peak_memory_mb=_peak_memory(),
        scores=scores,
        **figures,
    )


def _remove(path: Path) -> None:
    """Remove an earlier demonstration: its own files, nothing beside them."""
    for suffix in (".db", ".db-wal", ".db-shm", ".provider.jsonl"):
        path.with_suffix(suffix).unlink(missing_ok=True)
    for suffix in (".mails", ".evidence"):
        shutil.rmtree(path.with_suffix(suffix), ignore_errors=True)


def _orders(olist: Path | None, orders: int, seed: int) -> tuple[list[SoldOrder], str]:
    if olist is None:
        return generate(orders, seed), f"{orders:,} generated orders, seed {seed}"
    sold, _ = read(olist)
    return sold, (
        f"real orders of the Olist marketplace ({olist.name}), complaints by documented rules over real texts,"
        " descriptions rated as in the real reviews"
    )


def _peak_memory() -> int:
    """Peak memory of this process in MB (Linux counts KiB, macOS bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform != "darwin" else peak // 1024 // 1024
