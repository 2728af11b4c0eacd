"""queue-page: one page of the agents' and of a seller's queue by due time, while the table of disputes grows. Beside it
the same statement by hand, without decoding a row."""

import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from houbao.bench.figures import Figure, Say, machine
from houbao.bench.market import OpenDisputes
from houbao.core.scopes import EVERYTHING, Scope
from houbao.store import queries

BASE = 1000
"""Disputes that the engine opened; the others are copies of them, nine of ten closed."""

STORE = "store-0000"
"""The seller whose queue is read."""

PAGE = 50
TIMES = 200
CLAIMS = (("damaged", 4000, True), ("delivered_not_received", 4100, False))
COPY = """
INSERT INTO disputes
WITH RECURSIVE n(j) AS (SELECT :first UNION ALL SELECT j+1 FROM n WHERE j<:last)
SELECT part, id+j*:step, order_id+j*:step, store_id, buyer_id,
       iif(j%10, 'closed', phase), iif(j%10, '', waiting_for), opened_at, iif(j%10, NULL, due_at+j), NULL, body
FROM n CROSS JOIN disputes WHERE part=0 AND id<=:step ORDER BY j, id
"""


def measure(most: int, say: Say) -> list[Figure]:
    """The figures at up to `most` disputes: a page at a tenth of a tenth of it, at a tenth, and at all of it."""
    sizes = sorted({max(BASE, most // 100), max(BASE, most // 10), max(BASE, most)})
    say(f"queue-page: a page of {PAGE} at {', '.join(f'{size:,}' for size in sizes)} disputes, and the bare statement")
    asked = [("agents", EVERYTHING, "agent"), ("a seller's", Scope(stores=(STORE,)), "seller")]
    times: dict[str, dict[str, tuple[float, float]]] = {name: {} for name, _, _ in asked}
    with TemporaryDirectory(prefix="houbao-bench-") as folder:
        market = OpenDisputes(Path(folder) / "queue.db", BASE, claims=CLAIMS)
        market.execute(market.requests(0, BASE))
        market.database.connection.execute(
            "UPDATE disputes SET store_id=? WHERE part=0 AND id%7=0 AND waiting_for='seller'", (STORE,)
        )
        there = 1
        for size in sizes:
            there = _grow(market, there, size // BASE)
            for name, scope, waiting_for in asked:
                times[name][f"{size:,}"] = seconds_of_page(market, scope, waiting_for)
        market.close()
    return [_figure(name, most, times[name], say) for name, _, _ in asked]


def _grow(market: OpenDisputes, there: int, wanted: int) -> int:
    run = market.database.connection.execute
    if wanted > there:
        step = market.database.head(0).position
        run("BEGIN IMMEDIATE")
        run(COPY, {"first": there, "last": wanted - 1, "step": step})
        run("COMMIT")
        market.checkpoint()
    return max(there, wanted)


def seconds_of_page(market: OpenDisputes, scope: Scope, waiting_for: str) -> tuple[float, float]:
    """Seconds of a page, and of its statement alone: medians over pages from the first on, as deep as they go. Now the
    one goes first, now the other, since who does finds the rows in no cache."""
    connection = market.database.connection
    seconds: dict[str, list[float]] = {"page": [], "bare": []}
    after: tuple[int, int] = (-1, 0)
    page = queries.Page([], None)
    for turn in range(TIMES):
        for side in ("page", "bare") if turn % 2 else ("bare", "page"):
            began = perf_counter()
            if side == "bare":
                connection.execute(_statement(waiting_for, scope, after)).fetchall()
            else:
                page = queries.queue(connection, 0, scope, waiting_for=waiting_for, after=after, limit=PAGE)
            seconds[side].append(perf_counter() - began)
        after = page.next or (-1, 0)
    return statistics.median(seconds["page"]), statistics.median(seconds["bare"])


def _statement(waiting_for: str, scope: Scope, after: tuple[int, int]) -> str:
    """The statement as one would write it by hand."""
    of = f"store_id='{STORE}' AND " if scope.stores else ""
    return (
        f"SELECT due_at, id, body FROM disputes WHERE part=0 AND {of}waiting_for='{waiting_for}' AND due_at IS NOT NULL"
        f" AND (due_at, id)>({after[0]}, {after[1]}) ORDER BY due_at, id LIMIT {PAGE + 1}"
    )


def _figure(name: str, most: int, times: dict[str, tuple[float, float]], say: Say) -> Figure:
    *_, (page, bare) = times.values()
    figure = Figure(
        scenario="queue-page",
        of=f"{name} queue",
        value=round(1 / page, 1),
        unit="pages/s",
        limit=round(1 / bare, 1),
        ratio=round(bare / page, 3),
        command=f"houbao bench queue-page --pages-of {most}",
        machine=machine(),
        of_size={f"milliseconds at {size}": round(1000 * seconds, 3) for size, (seconds, _) in times.items()},
    )
    grown = ", ".join(f"{seconds * 1000:.2f} ms at {size}" for size, (seconds, _) in times.items())
    say(f"  {name}: {grown}; bare {bare * 1000:.2f} ms, ratio {figure.ratio:.2f}")
    return figure
