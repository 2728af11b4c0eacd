"""`verify` says ok of a sound database, and names table, key and column of whatever is done to it behind its back."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from houbao.core.appeals import FundingChanged
from houbao.core.chain import link
from houbao.core.effects import effects
from houbao.core.fund import CapitalAdded, DebtRepaid
from houbao.core.ledger import transfers
from houbao.core.refunds import DisputeEvent, RefundApproved, RefundPaid, RefundResolved
from houbao.core.terms import tag_of
from houbao.core.world import Event, World, evolve
from houbao.engine.ports import Batch, Written
from houbao.shipped import policy_text
from houbao.store import rows, schema
from houbao.store.creating import create
from houbao.store.differences import KEYS, ROW
from houbao.store.sqlite import SQLite
from houbao.store.verify import verify
from store.history import T, build

Found = tuple[str, tuple[Any, ...], str]
Damage = Callable[[sqlite3.Connection], Found]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The file of a database that nobody tampered with, all of it in one file."""
    history = build(tmp_path_factory.mktemp("sound") / "houbao.db")
    history.database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    history.database.close()
    return history.path


@pytest.fixture
def copy(sound, tmp_path):
    return shutil.copy(sound, tmp_path / "copy.db")


@pytest.fixture(scope="module")
def shared(sound, tmp_path_factory):
    """A connection to a copy, for changes that are rolled back."""
    path = shutil.copy(sound, tmp_path_factory.mktemp("shared") / "copy.db")
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


# --- what is done to a row -----------------------------------------------------------------------------------------


def pick(connection: sqlite3.Connection, table: str, where: str) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """The first row found: the condition that selects it, its key's values, and all its columns."""
    columns = [column.name for column in schema.metadata.tables[table].columns]
    primary = [column.name for column in schema.metadata.tables[table].primary_key]
    values = connection.execute(f"SELECT * FROM {table} WHERE {where} LIMIT 1").fetchone()
    assert values, f"no row of {table} where {where}"
    row = dict(zip(columns, values, strict=True))
    only = " AND ".join(f'"{name}"=?' for name in primary)
    return only, tuple(row[name] for name in primary), row


def key_of(table: str, row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in KEYS[table])


def changed(table: str, column: str, value: str, where: str = "true") -> Any:
    """One column of one row gets another value (an SQL expression)."""

    def damage(connection: sqlite3.Connection) -> Found:
        only, primary, row = pick(connection, table, where)
        (new,) = connection.execute(f"SELECT {value} FROM {table} WHERE {only}", primary).fetchone()
        assert new != row[column]
        connection.execute(f'UPDATE {table} SET "{column}"=? WHERE {only}', (new, *primary))
        return table, key_of(table, {**row, column: new}), column

    return pytest.param(damage, id=f"{table}.{column}:{value[:30]}")


def gone(table: str, where: str = "true") -> Any:
    def damage(connection: sqlite3.Connection) -> Found:
        only, primary, row = pick(connection, table, where)
        connection.execute(f"DELETE FROM {table} WHERE {only}", primary)
        return table, key_of(table, row), ROW

    return pytest.param(damage, id=f"{table} gone:{where[:30]}")


def extra(table: str, where: str = "true", **other: Any) -> Any:
    """A row is doubled, with other values in some columns."""

    def damage(connection: sqlite3.Connection) -> Found:
        _, _, row = pick(connection, table, where)
        row |= other
        marks = ", ".join("?" for _ in row)
        connection.execute(f"INSERT INTO {table} VALUES ({marks})", tuple(row.values()))
        return table, key_of(table, row), ROW

    return pytest.param(damage, id=f"{table} extra:{other}")


def moved(table: str, column: str, value: str, where: str = "true") -> Any:
    """A part of a row's key gets another value: as if one row were gone and one too many."""

    def damage(connection: sqlite3.Connection) -> Found:
        only, primary, row = pick(connection, table, where)
        connection.execute(f'UPDATE {table} SET "{column}"={value} WHERE {only}', primary)
        return table, key_of(table, row), ROW

    return pytest.param(damage, id=f"{table}.{column} moved:{value[:30]}")


def swapped(connection: sqlite3.Connection) -> Found:
    """Two events change places."""
    for position, to in ((40, -1), (41, 40), (-1, 41)):
        connection.execute("UPDATE events SET position=? WHERE position=?", (to, position))
    return "events", (0, 40), "body"


def outdated(connection: sqlite3.Connection) -> Found:
    """The last write of an order is lost: its row is as it was two events before."""
    number, body = connection.execute("SELECT id, body FROM orders WHERE status='delivered' LIMIT 1").fetchone()
    order = rows.decode_order(body)
    older = structs.replace(order, status="paid", shipped_at=None, delivered_at=None, history=order.history[:2])
    values = rows.order_row(0, older)
    connection.execute("UPDATE orders SET status=?, body=? WHERE id=?", (values[5], values[7], number))
    return "orders", (0, number), "status"


def later(event: int, what: str = "events") -> str:
    return f"position=(SELECT max(position)-{event} FROM {what})"


LAST = later(0)
TEXT = "CAST(replace(CAST(body AS TEXT), '{}', '{}') AS BLOB)"
BYTE = "CAST(substr(body, 1, 40) || x'7f' || substr(body, 42) AS BLOB)"
FLIP = (
    "CAST(substr(chain, 1, 9) || CASE WHEN substr(chain, 10, 1) = x'00' THEN x'01' ELSE x'00' END"
    " || substr(chain, 11) AS BLOB)"
)

DAMAGES = [
    changed("events", "body", BYTE, "position=1"),
    changed("events", "body", BYTE, "position=100"),
    changed("events", "body", BYTE, LAST),
    changed(
        "events",
        "body",
        TEXT.format('"minor":4000', '"minor":4009'),
        "CAST(body AS TEXT) LIKE '%refund_approved%\"minor\":4000%'",
    ),
    changed("events", "body", "x'00'", "position=50"),
    changed("events", "chain", FLIP, "position=1"),
    changed("events", "chain", FLIP, "position=100"),
    changed("events", "chain", FLIP, LAST),
    changed("events", "booked_at", "booked_at - 120000000", "position=100"),
    gone("events", "position=1"),
    gone("events", "position=100"),
    gone("events", LAST),
    extra("events", LAST, position=100_000),
    extra("events", LAST, position=-4),
    pytest.param(swapped, id="events swapped"),
    changed("parts", "position", "position + 3"),
    changed("parts", "position", "position - 1"),
    changed("parts", "chain", FLIP),
    changed("parts", "booked_at", "booked_at + 1"),
    changed("parts", "outages", "CAST('' AS BLOB)"),
    changed("parts", "breakers", "CAST('' AS BLOB)"),
    gone("parts"),
    changed("transfers", "minor", "minor + 1", "kind='reserve'"),
    changed("transfers", "minor", "-minor", "kind='payment'"),
    changed("transfers", "source", "'fund:reserved'", "kind='reserve'"),
    changed("transfers", "target", "'external:bank'", "kind='guarantee'"),
    changed("transfers", "currency", "'USD'", "kind='refund'"),
    changed("transfers", "kind", "'payout'", "kind='commission'"),
    changed("transfers", "order_id", "order_id + 1", "kind='refund'"),
    changed("transfers", "dispute_id", "0", "kind='refund'"),
    changed("transfers", "store_id", "'elm'", "store_id='oak'"),
    extra("transfers", "kind='refund'", n=7),
    extra("transfers", "kind='refund'", position=1),
    gone("transfers", "kind='hold'"),
    changed("entries", "balance", "balance + 1", "store_id='oak'"),
    moved("entries", "currency", "'USD'", "store_id='oak'"),
    gone("entries"),
    extra("entries", position=100_000),
    changed("filed", "position", "position + 100000"),
    changed("balances", "minor", "minor + 1", "account='fund:available'"),
    gone("balances", "account='store:oak:payable'"),
    extra("balances", account="store:oak:deposit", minor=5),
    changed("disputes", "phase", "'closed'", "phase='verifying'"),
    changed("disputes", "due_at", "due_at + 1", "due_at IS NOT NULL"),
    changed("disputes", "due_at", "NULL", "due_at IS NOT NULL"),
    changed("disputes", "due_at", "5", "due_at IS NULL"),
    changed("disputes", "waiting_for", "'seller'", "waiting_for='agent'"),
    changed("disputes", "store_id", "'elm'", "store_id='oak'"),
    changed("disputes", "order_id", "order_id + 1"),
    changed("disputes", "opened_at", "opened_at - 1", "phase='closed'"),
    changed("disputes", "reference", "'c-9'", "reference='c-1'"),
    changed("disputes", "body", BYTE, "phase='refunding'"),
    changed("disputes", "body", "x'7b7d'", "phase='closed'"),
    changed("disputes", "body", TEXT.format('"amount":', '"amount":1'), "phase='closed'"),
    gone("disputes", "phase='closed'"),
    gone("disputes", "phase='verifying'"),
    extra("disputes", id=3, reference=None),
    extra("disputes", id=99_999, reference=None),
    changed("orders", "status", "'paid'", "status='shipped'"),
    changed("orders", "covered", "1 - covered"),
    changed("orders", "reference", "'order-new'"),
    changed("orders", "store_id", "'nobody'"),
    changed("orders", "body", BYTE),
    changed("orders", "body", TEXT.format('"item":', '"item":1'), "status='delivered'"),
    gone("orders", "status='delivered'"),
    gone("orders", "status='cancelled'"),
    extra("orders", id=1, reference="order-new"),
    pytest.param(outdated, id="orders outdated"),
    changed("stores", "body", TEXT.format("DE", "AT"), "id='oak'"),
    gone("stores", "id='elm'"),
    extra("stores", id="yew"),
    gone("timers"),
    moved("timers", "due_at", "due_at + 86400000000"),
    moved("timers", "dispute_id", "dispute_id + 1"),
    extra("timers", kind="remind"),
    extra("timers", dispute_id=1),
    gone("outbox", "tries=0"),
    gone("outbox", "tries=1"),
    changed("outbox", "body", TEXT.format('"kind":"', '"kind":"x')),
    changed("outbox", "body", "x'ff'", "tries=1"),
    changed("outbox", "due_at", "due_at + 1", "tries=0"),
    extra("outbox", n=5),
    extra("outbox", due_at=1),
    gone("deliveries"),
    changed("deliveries", "body", TEXT.format('"what":"', '"what":"x'), "CAST(body AS TEXT) LIKE '%what%'"),
    changed("deliveries", "state", "'perhaps'"),
    changed("deliveries", "tries", "0"),
    extra("deliveries", n=3),
    gone("waiting"),
    changed("waiting", "minor", "minor - 1"),
    changed("waiting", "dispute_id", "dispute_id - 1"),
    extra("waiting", position=90),
    changed("instants", "minor", "minor + 1"),
    changed("instants", "opened_at", "opened_at + 1"),
    changed("instants", "currency", "'USD'"),
    moved("instants", "buyer_id", "'zed'"),
    gone("instants"),
    extra("instants", dispute_id=2),
    changed("texts", "body", "body || '!'"),
    changed("texts", "salt", "substr(salt, 1, 3)"),
    extra("texts", position=2),
    changed("snapshots", "body", "CAST(body || x'20' AS BLOB)"),
    gone("snapshots"),
    extra("snapshots", digest="ab" * 32),
    changed("tallies", "state", "'exempt'", "state='counted'"),
    changed("tallies", "kind", "'INR'", "kind='SNAD'"),
    changed("tallies", "store_id", "'elm'", "store_id='oak'"),
    changed("tallies", "why", "'withdrawn'", "why='rejected'"),
    changed("tallies", "opened_at", "opened_at - 1"),
    changed("tallies", "guaranteed", "1 - guaranteed"),
    changed("tallies", "asked", "asked + 1"),
    gone("tallies", "state='pending'"),
    extra("tallies", dispute_id=99_999),
    changed("deals", "state", "'completed'", "state='uncompleted'"),
    changed("deals", "ended_at", "ended_at - 1"),
    changed("deals", "description", "1", "description=5"),
    gone("deals"),
    extra("deals", order_id=99_999),
    changed("scores", "score", "score + 1"),
    changed("scores", "weight", "10000", "weight<10000"),
    changed("scores", "grade", "'excellent'", "grade='fail'"),
    changed("scores", "position", "position + 100000"),
    changed("scores", "body", TEXT.format('"inr":0', '"inr":5'), "CAST(body AS TEXT) LIKE '%\"inr\":0%'"),
    changed("scores", "body", "x'ff'"),
    changed("grades", "score", "score - 1"),
    changed("grades", "days", "days + 1"),
    changed("policies", "text", "text || ' '"),
    gone("policies"),
    changed("programmes", "body", "x'ff'"),
    changed("meta", "value", "'99'", "key='schema'"),
    changed("meta", "value", "'0'", "key='parts'"),
    changed("meta", "value", "'live'", "key='kind'"),
    gone("meta", "key='policy'"),
    changed("receipts", "id", "id + 1", "id > 0"),
    changed("receipts", "last", "last + 90000"),
    changed("receipts", "received_at", "received_at + 1", "caller LIKE 'buyer%'"),
    changed("receipts", "digest", "x'00'"),
    changed("receipts", "salt", "x'00'"),
    changed("receipts", "caller", "'buyer:nobody'", "caller LIKE 'agent%'"),
    extra("receipts", key="again", first=10_000, last=10_000),
]
"""What is done behind the back, each with the table, key and column that must be named."""


@pytest.mark.parametrize("damage", DAMAGES)
def test_whatever_is_changed_is_named(damage: Damage, shared):
    shared.execute("BEGIN")
    try:
        table, key, column = damage(shared)
        differences = verify(shared)
    finally:
        shared.execute("ROLLBACK")
    assert (table, key, column) in [(x.table, x.key, x.column) for x in differences], "\n".join(map(str, differences))
    assert all(str(x).endswith(".") and "\n" not in str(x) for x in differences)


# --- what is fine --------------------------------------------------------------------------------------------------


def test_the_history_holds_every_event(sound):
    with sqlite3.connect(sound) as connection:
        found = {tag_of(rows.decode_event(body)) for (body,) in connection.execute("SELECT body FROM events")}
    assert found == {tag_of(event) for event in get_args(Event)}


def test_a_sound_database_is_ok(sound):
    before = sound.read_bytes()
    assert verify(sound) == []
    assert verify(str(sound)) == []
    assert sound.read_bytes() == before


def test_an_empty_database_is_ok(tmp_path):
    create(tmp_path / "empty.db", policy=policy_text(), programme=None, sandbox_clock=None)
    assert verify(tmp_path / "empty.db") == []


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM texts",
        "DELETE FROM contacts",
        "DELETE FROM balances WHERE minor=0",
        "INSERT INTO balances VALUES (0, 'store:oak:deposit', 'EUR', 0)",
        "UPDATE outbox SET due_at=due_at+5, tries=tries+1",
        "UPDATE parts SET clock=clock+5",
        "UPDATE receipts SET salt=x''",
    ],
)
def test_what_may_happen_later_is_ok(shared, change):
    shared.execute("BEGIN")
    shared.execute(change)
    differences = verify(shared)
    shared.execute("ROLLBACK")
    assert differences == []


def test_it_runs_beside_a_writer(copy):
    with closing(sqlite3.connect(copy, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE balances SET minor=minor+1")
        assert verify(copy) == []
        assert verify(writer)
        writer.execute("COMMIT")
    assert verify(copy)


# --- bytes ---------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, database=None)
@given(data=st.data())
def test_a_flipped_byte_of_an_event_is_named(shared, data):
    (last,) = shared.execute("SELECT position FROM parts").fetchone()
    position = data.draw(st.integers(1, last))
    (body,) = shared.execute("SELECT body FROM events WHERE position=?", (position,)).fetchone()
    at, by = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(1, 255))
    shared.execute("BEGIN")
    changed = body[:at] + bytes([body[at] ^ by]) + body[at + 1 :]
    shared.execute("UPDATE events SET body=? WHERE position=?", (changed, position))
    differences = verify(shared)
    shared.execute("ROLLBACK")
    assert ("events", (0, position), "body") in [(x.table, x.key, x.column) for x in differences]


@pytest.fixture(scope="module")
def bodies(sound):
    """Where the bodies of events lie in the file: those that lie there once, and in one piece."""
    whole = sound.read_bytes()
    with closing(sqlite3.connect(sound)) as connection:
        found = [body for (body,) in connection.execute("SELECT body FROM events") if whole.count(body) == 1]
    assert found
    return [range(whole.index(body), whole.index(body) + len(body)) for body in found]


@settings(max_examples=80, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_said_so_and_never_a_crash(sound, bodies, tmp_path, data):
    whole = sound.read_bytes()
    of_an_event = st.sampled_from(bodies).flatmap(st.sampled_from)
    at = min(data.draw(st.integers(0, len(whole) - 64) | of_an_event), len(whole) - 64)
    damaged = whole[:at] + data.draw(st.binary(min_size=64, max_size=64)) + whole[at + 64 :]
    path = tmp_path / "damaged.db"
    path.write_bytes(damaged)
    differences = verify(path)
    assert all(str(x) for x in differences)
    changed = {i for i in range(at, at + 64) if whole[i] != damaged[i]}
    if any(not changed.isdisjoint(body) for body in bodies):
        assert differences


@pytest.mark.parametrize("content", [b"", b"no database", None])
def test_what_is_no_database_is_said_so(tmp_path, content):
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    assert verify(path)


HOOKS = ("webhooks", "hook_cursors", "hook_deliveries")
NOT_DERIVED = ("contacts", "imports", "keys", "users", "sessions", "links", "deeds", *HOOKS)
"""The tables of which the events know nothing."""


@pytest.mark.parametrize("table", [table for table in schema.metadata.tables if table not in NOT_DERIVED])
def test_a_lost_table_is_named(shared, table):
    shared.execute("BEGIN")
    shared.execute(f"DROP TABLE {table}")
    differences = verify(shared)
    shared.execute("ROLLBACK")
    assert (table, (), "(all)") in [(x.table, x.key, x.column) for x in differences]


# --- laws ----------------------------------------------------------------------------------------------------------


def forge(path: Path, event: Event) -> None:
    """Write an event that the rules would never make, with all that follows from it, as a faulty engine would."""
    database = SQLite(path)
    head = database.lock_part(0)
    number = event.dispute if isinstance(event, DisputeEvent) else 0
    dispute = database.dispute(0, number)
    world = World(position=head.position, disputes={number: dispute} if dispute else {})
    after = evolve(world, event, moved := transfers(event)).disputes
    position, body = head.position + 1, rows.encode(event)
    chain = link(head.chain, position, body)
    told = effects(event, after.get(number), position)
    written = Written(position, event, body, chain, moved, told)
    batch = Batch(structs.replace(head, position=position, chain=chain), [written])
    batch.disputes, batch.old_disputes = {**after}, {number: dispute} if dispute else {}
    database.save(0, batch)
    database.commit()
    database.close()


def event_of(path: Path, kind: type[Any], **fields: Any) -> Any:
    with closing(sqlite3.connect(path)) as connection:
        events = [rows.decode_event(body) for (body,) in connection.execute("SELECT body FROM events")]
    return next(
        x for x in events if isinstance(x, kind) and all(getattr(x, name) == value for name, value in fields.items())
    )


def test_a_refund_approved_above_what_was_paid_breaks_a_law(copy):
    approved = event_of(copy, RefundApproved, payer="seller", minor=3_500)
    forge(copy, structs.replace(approved, legs=(("payable", approved.minor),)))
    (found,) = verify(copy)
    assert (found.table, found.column, found.field, found.found) == ("events", "body", "shares", 3_500)


@pytest.mark.parametrize("minor", [0, -5])
def test_an_amount_that_is_not_above_zero_breaks_a_law(copy, minor):
    forge(copy, CapitalAdded(at=T, by="finance:kim", minor=minor, currency="USD"))
    (found,) = verify(copy)
    assert (found.table, found.column, found.found) == ("transfers", "minor", minor)


def test_an_account_of_promises_below_zero_breaks_a_law(copy):
    resolved = event_of(copy, RefundResolved, payer="fund", waited="fund:available")
    forge(copy, structs.replace(resolved, how="paid_elsewhere", minor=10**6, waited=""))
    (found,) = verify(copy)
    assert (found.table, found.column, found.found) == ("transfers", "minor", 10**6)
    assert "fund:reserved" in str(found)


def test_a_store_that_owes_less_than_nothing_breaks_a_law(copy):
    forge(copy, DebtRepaid(at=T, by="finance:kim", store="oak", minor=10**9, currency="EUR"))
    found = [one for one in verify(copy) if "owed" in str(one)]
    assert [(one.table, one.column, one.found) for one in found] == [("transfers", "minor", 10**9)]


def test_a_commission_due_again_that_never_came_back_breaks_a_law(copy):
    paid = event_of(copy, RefundPaid, payer="seller")
    head = {name: getattr(paid, name) for name in ("at", "by", "store", "order", "dispute", "refund", "currency")}
    forge(copy, FundingChanged(**head, was="seller", payer="platform", minor=paid.minor, commission=7))
    (found,) = verify(copy)
    assert (found.table, found.column, found.found) == ("transfers", "minor", 7)
