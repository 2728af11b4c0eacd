"""What a batch needs, read under the lock: few statements, however many commands ask."""

import sqlite3
from collections.abc import Iterable

import msgspec

from houbao.core.accounts import AVAILABLE, BACKSTOP, store_account
from houbao.core.disputes import Dispute
from houbao.core.programme import Programme
from houbao.core.terms import from_micros, micros
from houbao.engine.ports import Loaded, Needs
from houbao.store import rows

decode_programme = msgspec.json.Decoder(Programme).decode

Known = dict[int, tuple[str, int]]
"""Of the orders that were found: store, and whether it is covered."""


def load(connection: sqlite3.Connection, part: int, needs: Needs) -> Loaded:
    """Everything that `needs` names, under the part's lock. It may grow: what a dispute's order is, is found here."""
    run = connection.execute
    loaded = Loaded()
    known: Known = {}
    signed: set[int] = set(needs.opening) if needs.signed else set()
    if needs.disputes:
        found = dict(run(_asked("d.id, order_id", "disputes AS d", "d.id"), (as_json(needs.disputes), part)).fetchall())
        needs.orders |= set(found.values())
        signed |= {found[number] for number in needs.signed if number in found}
        if len(found) < len(needs.disputes):
            needs.again |= needs.opening.keys()  # a list may speak of disputes that it opens itself
    if needs.orders:
        asked = (as_json(needs.orders), part)
        for number, body, store, covered in run(_asked("o.id, body, store_id, covered", "orders AS o", "o.id"), asked):
            loaded.orders[number] = body
            known[number] = (store, covered)
            if number in needs.paying or number in signed or (covered and number in needs.opening):
                needs.stores.add(store)
        disputes: dict[int, dict[int, Dispute]] = {}
        for (body,) in run(_asked("body", "disputes", "order_id"), asked):
            dispute = rows.decode_dispute(body)
            disputes.setdefault(dispute.order, {})[dispute.id] = dispute
        loaded.disputes.update(disputes)
    if needs.stores:
        for (body,) in run(_asked("body", "stores AS s", "s.id"), (as_json(needs.stores), part)):
            store = rows.decode_store(body)
            loaded.stores[store.id] = store
    _load_references(connection, part, needs, known, loaded)
    _load_money(connection, part, needs, known, loaded)
    for name, body in run("SELECT name, body FROM programmes"):
        loaded.programmes[name] = decode_programme(body)
    return loaded


def _load_references(connection: sqlite3.Connection, part: int, needs: Needs, known: Known, loaded: Loaded) -> None:
    asked = {"orders": needs.references, "disputes": set[tuple[str, str]]()}
    placed = {store for store, _ in needs.references}  # a list may speak of orders that it places itself
    for order, reference in needs.claims:
        asked["disputes"] |= {(store, reference) for store in ({known[order][0]} if order in known else placed)}
    for table, names in asked.items():
        if names:
            found = connection.execute(
                f"SELECT store_id, reference FROM json_each(?) AS asked CROSS JOIN {table}"
                " ON part=? AND store_id=asked.value->>0 AND reference=asked.value->>1",
                (as_json(names), part),
            )
            loaded.taken |= {(table.removesuffix("s"), store, reference) for store, reference in found}


def _load_money(connection: sqlite3.Connection, part: int, needs: Needs, known: Known, loaded: Loaded) -> None:
    run = connection.execute
    accounts = [AVAILABLE, BACKSTOP]
    # Only a dispute that exists can fall due and take a store's money; an order's first one needs the fund alone.
    owed = (*loaded.disputes, *needs.payouts, *needs.again)
    stores = needs.owed | {known[order][0] for order in owed if order in known}
    if needs.references and needs.orders - known.keys():
        stores |= needs.stores  # a list may speak of orders that it places itself
    accounts += [store_account(store, kind) for store in stores for kind in ("payable", "deposit", "receivable")]
    found = run(_asked("account, currency, minor", "balances", "account"), (as_json(accounts), part))
    loaded.balances = {(account, currency): minor for account, currency, minor in found}
    for currency in {currency for account, currency in loaded.balances if account == AVAILABLE}:
        # Rules ask only whether any waits; a batch can end at most as many waits as it has commands.
        (loaded.queues[AVAILABLE, currency],) = run(
            "SELECT count(*) FROM (SELECT 1 FROM waiting WHERE part=? AND account=? AND currency=? LIMIT 1001)",
            (part, AVAILABLE, currency),
        ).fetchone()
    if stores:
        own = [store_account(store, kind) for store in stores for kind in ("payable", "deposit")]
        for account, currency in run(_asked("account, currency", "waiting", "account"), (as_json(own), part)):
            loaded.queues[account, currency] = loaded.queues.get((account, currency), 0) + 1
    covered = [order for order in needs.opening if order not in known or known[order][1]]
    if buyers := {needs.opening[order] for order in (*covered, *(needs.paying & needs.opening.keys()))}:
        asked = _asked("buyer_id, opened_at, currency, minor", "instants", "buyer_id")
        found = run(f"{asked} AND opened_at>?", (as_json(buyers), part, micros(needs.instants_since)))
        for buyer, opened_at, currency, minor in found:
            loaded.instants.setdefault(buyer, []).append((from_micros(opened_at), currency, minor))
    if needs.waiting:
        found = run(
            "SELECT body FROM waiting JOIN disputes ON disputes.part=waiting.part AND id=dispute_id"
            " WHERE waiting.part=? AND account=? AND currency=? ORDER BY position LIMIT 200",
            (part, *needs.waiting),
        )
        loaded.waiting = [rows.decode_dispute(body) for (body,) in found]


def _asked(columns: str, table: str, key: str) -> str:
    """The SELECT of a part's rows by a list of keys; it takes the list as JSON, then the part."""
    return f"SELECT {columns} FROM json_each(?) AS asked CROSS JOIN {table} ON part=? AND {key}=asked.value"


def as_json(values: Iterable[object]) -> str:
    """A list as the JSON text that `json_each` takes apart again."""
    return msgspec.json.encode(list(values)).decode()
