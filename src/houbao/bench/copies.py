"""Copies of open disputes, and of orders: a table of millions in minutes, which the engine would fill in hours."""

import sqlite3
from collections.abc import Callable, Sequence

from houbao.bench.market import OpenDisputes
from houbao.store import rows

LATER = 400 * 86_400 * 1_000_000
SERIES = "WITH RECURSIVE n(j) AS (SELECT 1 UNION ALL SELECT j+1 FROM n WHERE j<:copies)"
COPIES = (
    f"INSERT INTO disputes {SERIES} SELECT part, id+:behind+j, -:behind-j, store_id, buyer_id, phase, waiting_for,"
    " opened_at, due_at+:later+j, NULL, body FROM n CROSS JOIN disputes WHERE part=0 AND id=:dispute",
    f"INSERT INTO tallies {SERIES} SELECT part, dispute_id+:behind+j, store_id, -:behind-j, kind, state, why,"
    " opened_at, lifted_at, adjudicated, guaranteed, asked, answered"
    " FROM n CROSS JOIN tallies WHERE part=0 AND dispute_id=:dispute",
)
TIMER = f"INSERT INTO timers {SERIES} SELECT :part, :due+:later+j, :dispute+:behind+j, :kind FROM n"
ORDERS = (
    f"INSERT INTO orders {SERIES} SELECT part, id+:behind+j, store_id, 'buyer-'||((id+:behind+j)*7919%:buyers),"
    " reference||'-'||j, status, covered, body FROM n CROSS JOIN orders WHERE part=0 AND id=:order"
)

BASE = 1000
"""Disputes that are copied where a table is only to be large."""


def copy_rows(market: OpenDisputes, number: int, behind: int, copies: int) -> None:
    """Copies of a dispute's rows under the numbers from `behind` + 1 after its own on, due later, each on an order of
    its own: of those that are due no other dispute is read."""
    dispute = market.database.dispute(0, number)
    assert dispute is not None
    run = market.database.connection.execute
    given = {"dispute": number, "behind": behind, "copies": copies, "later": LATER}
    for copying in COPIES:
        run(copying, given)
    for part, due, _, kind in rows.timer_rows(0, dispute):
        run(TIMER, given | {"part": part, "due": due, "kind": kind})


def fill(market: OpenDisputes, most: int) -> int:
    """Open the market's first disputes, at most `BASE`, and copy them until there are `most`. Returns how many of the
    market's own were opened."""
    own = min(BASE, most)
    market.execute(market.requests(0, own))
    connection = market.database.connection
    opened = [number for (number,) in connection.execute("SELECT id FROM disputes WHERE part=0 ORDER BY id")]
    _copy(connection, opened, most - own, lambda number, behind, copies: copy_rows(market, number, behind, copies))
    return own


def fill_orders(connection: sqlite3.Connection, most: int) -> None:
    """Copy the orders that are there, without their events and deals, until there are `most`: three for each buyer, and
    under references that come before those of the next orders, as a shop numbers them."""
    known = [number for (number,) in connection.execute("SELECT id FROM orders WHERE part=0 ORDER BY id")]

    def copy(number: int, behind: int, copies: int) -> None:
        connection.execute(ORDERS, {"order": number, "behind": behind, "copies": copies, "buyers": most // 3})

    _copy(connection, known, most - len(known), copy)


def _copy(
    connection: sqlite3.Connection, known: Sequence[int], copies: int, copy: Callable[[int, int, int], None]
) -> None:
    """So many copies in all of what has these numbers, each under a number of its own behind the part's last event."""
    (head,) = connection.execute("SELECT position FROM parts WHERE part=0").fetchone()
    ends = [copies * (place + 1) // len(known) for place in range(len(known))]
    connection.execute("PRAGMA synchronous=OFF")  # it is not measured, and need not outlive a crash
    connection.execute("BEGIN IMMEDIATE")
    for number, start, end in zip(known, (0, *ends), ends, strict=False):
        if end > start:
            copy(number, head + start - number, end - start)
    connection.execute("UPDATE parts SET position=position+? WHERE part=0", (copies,))
    connection.execute("COMMIT")
    connection.execute("PRAGMA synchronous=FULL")
