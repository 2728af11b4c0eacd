"""The tables, once, for every database. Every key begins with the part; big tables only ever append.

Times are microseconds since 1970 UTC; amounts are minor units; bodies are the JSON of the records in `core`.
"""

from typing import Any

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, Table, Text, literal_column

SCHEMA_VERSION = 10

metadata = MetaData()


def _table(name: str, *columns: Column[Any]) -> Table:
    return Table(name, metadata, *columns, sqlite_with_rowid=False, sqlite_strict=True)


def _key(name: str, kind: type[Integer | Text] = Integer) -> Column[Any]:
    return Column(name, kind(), primary_key=True, autoincrement=False)


def _int(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, Integer(), nullable=null)


def _text(name: str, *, null: bool = False) -> Column[Any]:
    return Column(name, Text(), nullable=null)


def _blob(name: str) -> Column[Any]:
    return Column(name, LargeBinary(), nullable=False)


# Small tables that all parts share.
meta = _table("meta", _key("key", Text), _text("value"))
policies = _table("policies", _key("version", Text), _text("digest"), _text("text"))
programmes = _table("programmes", _key("name", Text), _blob("body"))
rates = _table(
    "rates",
    _key("base", Text),
    _key("quote", Text),
    _key("published_at"),
    _key("source", Text),
    _int("numerator"),
    _int("denominator"),
)

# How far an import of a file has come, so that it can go on there.
imports = _table("imports", _key("source", Text), _blob("body"))

# A part's own row: its lock, its last position, its booking time, the head of its hash chain, a sandbox's clock, the
# outages that were entered and the breakers of its funds (nothing, where there are none).
parts = _table(
    "parts",
    _key("part"),
    _int("position"),
    _int("booked_at"),
    _blob("chain"),
    _int("clock", null=True),
    _blob("outages"),
    _blob("breakers"),
)

# History: appended, never changed.
events = _table("events", _key("part"), _key("position"), _int("booked_at"), _blob("body"), _blob("chain"))
transfers = _table(
    "transfers",
    _key("part"),
    _key("position"),
    _key("n"),
    _text("kind"),
    _text("source"),
    _text("target"),
    _int("minor"),
    _text("currency"),
    _text("store_id"),
    _int("order_id"),
    _int("dispute_id"),
)
# The stores' statements (store/filing.py), derivable: the line of each transfer to or from a store, with the running
# balance, up to the event `filed`. The worker writes them, never the commit.
entries = _table(
    "entries",
    _key("part"),
    _key("store_id", Text),
    _key("currency", Text),
    _key("position"),
    _key("n"),
    _int("balance"),
)
filed = _table("filed", _key("part"), _int("position"))
snapshots = _table("snapshots", _key("part"), _key("digest", Text), _blob("body"))
instants = _table(
    "instants",
    _key("part"),
    _key("buyer_id", Text),
    _key("dispute_id"),
    _int("opened_at"),
    _text("currency"),
    _int("minor"),
)
receipts = _table(
    "receipts",
    _key("part"),
    _key("caller", Text),
    _key("key", Text),
    _blob("digest"),
    _blob("salt"),
    _int("received_at"),
    _int("id"),
    _int("first"),
    _int("last"),
)

# States: the present, derivable from the events.
stores = _table("stores", _key("part"), _key("id", Text), _blob("body"))
orders = _table(
    "orders",
    _key("part"),
    _key("id"),
    _text("store_id"),
    _text("buyer_id"),
    _text("reference"),
    _text("status"),
    _int("covered"),
    _blob("body"),
)
Index("orders_by_reference", orders.c.part, orders.c.store_id, orders.c.reference, unique=True)
Index("orders_by_buyer", orders.c.part, orders.c.buyer_id, orders.c.id)
disputes = _table(
    "disputes",
    _key("part"),
    _key("id"),
    _int("order_id"),
    _text("store_id"),
    _text("buyer_id"),
    _text("phase"),
    _text("waiting_for"),
    _int("opened_at"),
    _int("due_at", null=True),
    _text("reference", null=True),
    _blob("body"),
)
Index(
    "disputes_by_reference",
    disputes.c.part,
    disputes.c.store_id,
    disputes.c.reference,
    unique=True,
    sqlite_where=disputes.c.reference.is_not(None),
)
Index("disputes_by_order", disputes.c.part, disputes.c.order_id)
Index("disputes_by_store", disputes.c.part, disputes.c.store_id, disputes.c.id)
Index("disputes_by_buyer", disputes.c.part, disputes.c.buyer_id, disputes.c.id)
# The queues: small, since what is closed or waits for nothing is not in them.
Index(
    "disputes_by_due",
    disputes.c.part,
    disputes.c.waiting_for,
    disputes.c.due_at,
    disputes.c.id,
    sqlite_where=disputes.c.due_at.is_not(None),
)
Index(
    "disputes_of_sellers",
    disputes.c.part,
    disputes.c.store_id,
    disputes.c.due_at,
    disputes.c.id,
    sqlite_where=disputes.c.waiting_for == literal_column("'seller'"),
)
balances = _table("balances", _key("part"), _key("account", Text), _key("currency", Text), _int("minor"))
# The stores' record (core/tallies.py), derivable too: a line for each dispute and each order that left one.
tallies = _table(
    "tallies",
    _key("part"),
    _key("dispute_id"),
    _text("store_id"),
    _int("order_id"),
    _text("kind"),
    _text("state"),
    _text("why"),
    _int("opened_at"),
    _int("lifted_at", null=True),
    _int("adjudicated"),
    _int("guaranteed"),
    _int("asked"),
    _int("answered"),
)
Index("tallies_by_store", tallies.c.part, tallies.c.store_id, tallies.c.opened_at)
deals = _table(
    "deals",
    _key("part"),
    _key("order_id"),
    _text("store_id"),
    _text("state"),
    _int("ended_at", null=True),
    _int("rated_at", null=True),
    _int("description"),
    _int("service"),
    _int("logistics"),
)
Index("deals_by_store", deals.c.part, deals.c.store_id)

# What the worker keeps of it: each store's score of each day (of 100, in millionths of a point; `position` is the last
# event that it knew of), and its grade of each month. A month that is graded stays as it was known then.
scores = _table(
    "scores",
    _key("part"),
    _key("day", Text),
    _key("store_id", Text),
    _int("position"),
    _int("score"),
    _int("weight"),
    _text("grade"),
    _blob("body"),
)
grades = _table(
    "grades", _key("part"), _key("month", Text), _key("store_id", Text), _int("score"), _int("days"), _text("grade")
)

timers = _table("timers", _key("part"), _key("due_at"), _key("dispute_id"), _key("kind", Text))
waiting = _table(
    "waiting",
    _key("part"),
    _key("account", Text),
    _key("currency", Text),
    _key("position"),
    _int("dispute_id"),
    _int("minor"),
)

# What must be done outside, in the order it falls due (a claim moves `due_at` to its lease's end), and how it ended.
outbox = _table("outbox", _key("part"), _key("due_at"), _key("position"), _key("n"), _int("tries"), _blob("body"))
deliveries = _table(
    "deliveries",
    _key("part"),
    _key("position"),
    _key("n"),
    _text("state"),
    _int("at"),
    _int("tries"),
    _text("detail"),
    _blob("body"),
)

# Erasable: free text with the key of its digest, and where people are reached.
texts = _table("texts", _key("part"), _key("position"), _blob("salt"), _text("body"))
contacts = _table(
    "contacts",
    _key("part"),
    _key("kind", Text),
    _key("id", Text),
    _text("name"),
    _text("email"),
    _text("language"),
    _text("zone"),
)

# Who may come in: plain rows that no event knows. Secrets are kept as digests, passwords as argon2 hashes; times are of
# the machine's clock, not of a sandbox's.
keys = _table(
    "keys",
    _key("id", Text),
    _blob("digest"),
    _text("name"),
    _text("scopes"),
    _int("created_at"),
    _int("revoked_at", null=True),
)
users = _table(
    "users",
    _key("id", Text),
    _text("name"),
    _text("role"),
    _text("store_id"),
    _text("password"),
    _text("totp"),
    _int("totp_step"),
    _int("failures"),
    _int("locked_until"),
    _int("active"),
)
sessions = _table(
    "sessions",
    Column("digest", LargeBinary(), primary_key=True),
    _text("kind"),
    _text("role"),
    _text("subject"),
    _text("store_id"),
    _int("created_at"),
    _int("seen_at"),
    _int("expires_at"),
)
links = _table(
    "links",
    Column("digest", LargeBinary(), primary_key=True),
    _text("role"),
    _text("subject"),
    _int("expires_at"),
    _int("used_at", null=True),
)

# What was done to accounts, keys, webhooks and policies, in the order in which it was noted.
deeds = _table(
    "deeds",
    _key("n"),
    _int("at"),
    _text("by"),
    _text("what"),
    _text("subject"),
    _text("name"),
)
# Who outside is told of events. A secret is kept as it is, since it signs; a cursor is how far a part's events were
# looked at; a delivery is due at `due_at` until it is done, or given up.
webhooks = _table(
    "webhooks",
    _key("id", Text),
    _text("url"),
    _text("types"),
    _text("store_id"),
    _text("secrets"),
    _int("created_at"),
    _int("ended_at", null=True),
)
hook_cursors = _table("hook_cursors", _key("part"), _key("webhook_id", Text), _int("position"))
hook_deliveries = _table(
    "hook_deliveries",
    _key("part"),
    _key("webhook_id", Text),
    _key("position"),
    _text("state"),
    _int("due_at", null=True),
    _int("tries"),
    _int("tried_at", null=True),
    _int("status"),
    _text("detail"),
)
Index(
    "hook_deliveries_due",
    hook_deliveries.c.part,
    hook_deliveries.c.webhook_id,
    hook_deliveries.c.due_at,
    hook_deliveries.c.position,
    sqlite_where=hook_deliveries.c.due_at.is_not(None),
)
