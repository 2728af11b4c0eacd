"""growth: how fast disputes are opened, how big the file is and what a page of the agents' queue takes, while the
database grows. The engine plays all of it: each order is placed, paid and delivered, and gets its dispute. What the
last rate is set beside is the first."""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from msgspec import Struct

from houbao.bench.figures import Figure, Say, machine
from houbao.bench.market import OpenDisputes
from houbao.bench.queue_pages import seconds_of_page
from houbao.core.scopes import EVERYTHING

LIST = 1000
LAST = 10
"""Of so many lists before a size is reached, the rate is that size's."""


class Grown(Struct, frozen=True):
    """What was measured at a size: disputes a second, bytes a dispute with its order, seconds of a page."""

    size: int
    rate: float
    bytes_each: float
    page: float


def measure(most: int, say: Say) -> list[Figure]:
    """The figures at a hundredth of `most` disputes, at a tenth, and at all of them."""
    sizes = sorted({max(LIST, size - size % LIST) for size in (most // 100, most // 10, most)})
    say(f"growth: the engine opens up to {sizes[-1]:,} disputes in lists of {LIST:,}, each on an order of its own\n")
    say(f"{'disputes':>12} {'opened/s':>10} {'bytes each':>11} {'page, ms':>9}")
    grown: list[Grown] = []
    with TemporaryDirectory(prefix="houbao-bench-") as folder:
        market = OpenDisputes(Path(folder) / "growth.db", 0)
        seconds: list[float] = []
        for size in range(LIST, sizes[-1] + 1, LIST):
            seconds.append(_list(market))
            if size in sizes:
                grown.append(_at(market, size, seconds[-LAST:]))
                say(_line(grown[-1]))
        market.close()
    return [_figure(grown, most)]


def _list(market: OpenDisputes) -> float:
    """The seconds of opening one more list."""
    first = len(market.orders)
    market.place(LIST)
    requests = market.requests(first, LIST)
    began = perf_counter()
    market.execute(requests)
    market.points.clear()
    return perf_counter() - began


def _at(market: OpenDisputes, size: int, seconds: list[float]) -> Grown:
    market.checkpoint()
    page, _ = seconds_of_page(market, EVERYTHING, "agent")
    return Grown(size, LIST * len(seconds) / sum(seconds), market.size() / size, page)


def _line(grown: Grown) -> str:
    return f"{grown.size:>12,} {grown.rate:>10,.0f} {grown.bytes_each:>11,.0f} {grown.page * 1000:>9.2f}"


def _figure(grown: list[Grown], most: int) -> Figure:
    first, last = grown[0], grown[-1]
    return Figure(
        scenario="growth",
        of=f"to {last.size:,} disputes",
        value=round(last.rate, 1),
        unit="disputes/s",
        limit=round(first.rate, 1),
        ratio=round(last.rate / first.rate, 3),
        command=f"houbao bench growth --grow-to {most}",
        machine=machine(),
        bytes_per_dispute=round(last.bytes_each),
        of_size={
            name: value
            for one in grown
            for name, value in (
                (f"disputes/s at {one.size:,}", round(one.rate, 1)),
                (f"bytes a dispute with its order at {one.size:,}", round(one.bytes_each)),
                (f"milliseconds of a page at {one.size:,}", round(one.page * 1000, 3)),
            )
        },
    )
