"""The stores' statements as a read model: one row for each line, filed in the background in large sorted runs.

An index by store would be written inside every commit, in random places, and the commit would get slower as the table
grows. So the worker files what came since the last run, sorted; what is not filed yet is the tail, which a reader
walks. A statement is exact at any time, filed or not.
"""

import sqlite3
from collections.abc import Iterable, Iterator

from houbao.core.accounts import store_of
from houbao.store import schema
from houbao.store.positions import last_position
from houbao.store.rows import Row

Balances = dict[tuple[str, str], int]
"""(store, currency) → the sum of the store's own accounts (minor units)."""

CROSSING = "(t.source LIKE 'store:%') <> (t.target LIKE 'store:%')"
"""Of a transfer `t`: whether it is a line of a statement. Inside a store money only changes its place."""


def entry_rows(moved: Iterable[Row], balances: Balances) -> Iterator[Row]:
    """The rows of `entries` that rows of `transfers` leave, in their order; `balances` goes along."""
    for part, position, n, _, source, target, minor, currency, *_ in moved:
        giver, taker = store_of(source), store_of(target)
        if bool(giver) != bool(taker):
            key = (giver or taker, currency)
            balances[key] = balances.get(key, 0) + (minor if taker else -minor)
            yield (part, *key, position, n, balances[key])


def filed_to(connection: sqlite3.Connection, part: int) -> int:
    """The position of the last event whose transfers are filed; 0 where none is."""
    found = connection.execute("SELECT position FROM filed WHERE part=?", (part,)).fetchone()
    return found[0] if found else 0


def run_to_file(connection: sqlite3.Connection, part: int, least: int, most: int) -> tuple[int, int]:
    """(after, up to) which position the next run files: nothing where fewer than `least` events came since the last."""
    head = last_position(connection, part)
    filed = filed_to(connection, part)
    return filed, min(head, filed + most) if head - filed >= least else filed


def file_run(connection: sqlite3.Connection, part: int, after: int, until: int) -> list[Row]:
    """The new rows of `entries` of the events after one position up to another, in the order of their key."""
    columns = ", ".join(f"t.{column.name}" for column in schema.transfers.columns)
    moved = connection.execute(
        f"SELECT {columns} FROM transfers AS t WHERE t.part=? AND t.position>? AND t.position<=? AND {CROSSING}"
        " ORDER BY t.position, t.n",
        (part, after, until),
    ).fetchall()
    touched = {(store_of(row[4]) or store_of(row[5]), row[7]) for row in moved}
    balances = {key: balance_at(connection, part, *key, (after, END_OF_EVENT)) for key in touched}
    return sorted(entry_rows(moved, balances))


END_OF_EVENT = 2**31
"""More than the transfers of any event."""


def balance_at(connection: sqlite3.Connection, part: int, store: str, currency: str, place: tuple[int, int]) -> int:
    """The running balance after the last filed line up to a place (position, n); 0 without one (minor units)."""
    found = connection.execute(
        "SELECT balance FROM entries WHERE part=? AND store_id=? AND currency=? AND (position, n) <= (?, ?)"
        " ORDER BY position DESC, n DESC LIMIT 1",
        (part, store, currency, *place),
    ).fetchone()
    return found[0] if found else 0
