"""A batch as rows: what one transaction writes, table by table. Every database writes the same.

To add a kind of row: its table in `schema`, how a record becomes one in `rows`, and its line here.
"""

from collections.abc import Callable, Container, Mapping
from functools import partial
from typing import TypeVar

from msgspec import Struct
from sqlalchemy import Table

from houbao.core.accounts import keeps_balance
from houbao.core.terms import micros
from houbao.engine.ports import Batch
from houbao.store import rows, schema
from houbao.store.rows import Row

K = TypeVar("K")
S = TypeVar("S")


class Rows(Struct):
    """Rows by table, to be written in this order: `new` ones; `put` in the place of what has their key; `added` to the
    figures of what has their key; `kept` unless their key is there already. Of those `gone`, the keys."""

    new: dict[Table, list[Row]] = {}
    put: dict[Table, list[Row]] = {}
    added: dict[Table, list[Row]] = {}
    kept: dict[Table, list[Row]] = {}
    gone: dict[Table, list[Row]] = {}


def rows_of(part: int, batch: Batch) -> Rows:
    """All rows of the batch, but the part's own."""
    found = Rows()
    _add_history(part, batch, found)
    _add_states(found, schema.stores, partial(rows.store_row, part), batch.stores, batch.old_stores)
    _add_states(found, schema.orders, partial(rows.order_row, part), batch.orders, batch.old_orders)
    _add_states(found, schema.disputes, partial(rows.dispute_row, part), batch.disputes, batch.old_disputes)
    _add_record(part, batch, found)
    _add_timers(part, batch, found)
    found.new[schema.receipts] = [
        (part, caller, key, bytearray(r.digest), bytearray(r.salt), micros(at), r.id, r.first, r.last)
        for caller, key, r, at in batch.receipts
    ]
    found.new[schema.texts] = [(part, t.position, bytearray(t.salt), t.body) for t in batch.texts]
    found.put[schema.contacts] = [(part, c.kind, c.id, c.name, c.email, c.language, c.zone) for c in batch.contacts]
    found.kept[schema.snapshots] = [(part, digest, body) for digest, body in batch.snapshots.items()]
    return found


def _add_history(part: int, batch: Batch, found: Rows) -> None:
    """The events and what follows from each: transfers and balances, outbox, waiting refunds, instant sums."""
    booked_at = micros(batch.head.booked_at)
    moved: list[Row] = []
    told: list[Row] = []
    waits: dict[Row, Row] = {}
    served: list[Row] = []
    instants: list[Row] = []
    change: dict[tuple[str, str], int] = {}
    for w in batch.events:
        if w.transfers:
            moved += rows.transfer_rows(part, w.position, w.transfers)
            for t in w.transfers:
                source, target = (t.source, t.currency), (t.target, t.currency)
                change[source] = change.get(source, 0) - t.minor
                change[target] = change.get(target, 0) + t.minor
        if w.effects:
            told += rows.effect_rows(part, w.position, w.effects)
        if w.noted is None:
            continue
        if row := rows.waiting_row(part, w.position, w.noted):
            waits[row[:4]] = row
        if (key := rows.served_key(part, w.noted)) and waits.pop(key, None) is None:
            served.append(key)
        if row := rows.instant_row(part, w.position, w.noted):
            instants.append(row)
    found.new[schema.events] = [
        (part, w.position, booked_at, bytearray(w.body), bytearray(w.chain)) for w in batch.events
    ]
    found.new |= {schema.transfers: moved, schema.outbox: told, schema.instants: instants}
    found.new[schema.waiting] = [*waits.values()]
    found.gone[schema.waiting] = served
    found.added[schema.balances] = [
        (part, *account, minor) for account, minor in change.items() if keeps_balance(account[0])
    ]


def _add_states(found: Rows, table: Table, row: Callable[[S], Row], states: Mapping[K, S], old: Container[K]) -> None:
    """States as they are after the batch: new ones, and those that were there."""
    found.new[table] = [row(state) for key, state in states.items() if key not in old]
    found.put[table] = [row(state) for key, state in states.items() if key in old]


def _add_record(part: int, batch: Batch, found: Rows) -> None:
    """Lines of the stores' record that are new, and those that say something else now."""
    new: list[Row] = []
    put: list[Row] = []
    for number, dispute in batch.disputes.items():
        lines = rows.tally_rows(part, dispute)
        old = batch.old_disputes.get(number)
        if old is None:
            new += lines
        elif rows.tally_rows(part, old) != lines:
            put += lines
    found.new[schema.tallies], found.put[schema.tallies] = new, put
    found.put[schema.deals] = [row for order in batch.orders.values() for row in rows.deal_rows(part, order)]


def _add_timers(part: int, batch: Batch, found: Rows) -> None:
    """Timers that began, and those that ended."""
    new: list[Row] = []
    gone: list[Row] = []
    for dispute in batch.disputes.values():
        old = batch.old_disputes.get(dispute.id)
        after = rows.timer_rows(part, dispute)
        if old is None:
            new += after
        elif old.timers != dispute.timers:
            before = rows.timer_rows(part, old)
            new += [row for row in after if row not in before]
            gone += [row for row in before if row not in after]
    found.new[schema.timers] = new
    found.gone[schema.timers] = gone
