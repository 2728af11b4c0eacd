"""`verify`: derive everything again from the events, by the functions the engine uses, and compare it row by row.

One pass over the events of a part, inside one read transaction, so that it can run beside a writer. Whatever an event
makes is keyed by the event's position, so the stored rows are read in that order too and compared as the events go by:
in memory stay the stores, the balances, and the orders and disputes between their first and their last event.

What a database cannot know about itself is not looked for: the last rows of everything cut off together with the head
(keep a daily root elsewhere), `booked_at` moved between its neighbours, the words of names and addresses, a receipt or
an erased text that is gone, and what only the worker knows: when an effect was tried, how it ended, and in what words.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from hashlib import blake2b, sha256
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.chain import link
from houbao.core.decider import Event
from houbao.core.effects import Effect, effects
from houbao.core.fund import CapitalAdded
from houbao.core.ledger import AVAILABLE, RESERVED, Transfer, keeps_balance, transfers
from houbao.core.terms import micros
from houbao.store import rows, schema
from houbao.store.rows import Row
from houbao.store.sqlite import GENESIS, decode_programme

ROW = "(row)"
"""The column of a Difference about a whole row: missing where nothing was found, else one too many."""

MOST_PER_TABLE = 100
"""One lost event can leave everything after it wrong; what is beyond this many is only more of the same."""

END = 2**63
"""A position after the last; SQLite's integers end before it."""

UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, TypeError)

COLUMNS = {name: tuple(column.name for column in table.columns) for name, table in schema.metadata.tables.items()}
KEYS = {name: tuple(column.name for column in table.primary_key) for name, table in schema.metadata.tables.items()}
KEYS["outbox"] = ("part", "position", "n")

_key_of: dict[str, Callable[[Row], tuple[Any, ...]]] = {
    name: itemgetter(*(COLUMNS[name].index(column) for column in key)) for name, key in KEYS.items() if len(key) > 1
}


class Difference(Struct, frozen=True):
    """Where the database is not what its events say.

    `key` is the row's primary key (of `outbox`: part, position and n, for its due time moves); `field` the one inside
    a body; `expected` and `found` the values there.
    """

    table: str
    key: tuple[Any, ...]
    column: str
    expected: Any
    found: Any
    field: str = ""

    def __str__(self) -> str:
        where = f"{self.table} {_shown(self.key)}" if self.key else self.table
        if self.column != ROW:
            place = f"{self.column}.{self.field}" if self.field else self.column
            return f"{where}: {place} should be {_shown(self.expected)}, found {_shown(self.found)}."
        if self.found is None:
            return f"{where}: the row is missing; it should be {_shown(self.expected)}."
        return f"{where}: the row is one too many; found {_shown(self.found)}."


def _shown(value: Any) -> str:
    if isinstance(value, bytes) and len(value) in (16, 32):
        return value.hex()
    text = value if isinstance(value, str) and value.isprintable() else repr(value)
    return text if len(text) <= 160 else f"{text[:160]}…"


def verify(database: sqlite3.Connection | str | Path, part: int = 0) -> list[Difference]:
    """Every way in which a part of the database (a file or an open connection) is not what its events say; empty: ok.

    Reads only. Each table gets at most MOST_PER_TABLE differences.
    """
    notes = _Notes()
    try:
        with _reading(database) as connection:
            _Check(connection, part, notes).run()
    except (sqlite3.Error, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # A damaged file can hold what no column may, such as a text where a number belongs.
        notes.unreadable("(file)", f"{type(error).__name__}: {error}")
    return notes.found


@contextmanager
def _reading(database: sqlite3.Connection | str | Path) -> Generator[sqlite3.Connection]:
    """A connection inside one read transaction; what the caller had open stays open."""
    if isinstance(database, sqlite3.Connection):
        source = nullcontext(database)
    else:
        uri = f"{Path(database).absolute().as_uri()}?mode=ro"
        source = closing(sqlite3.connect(uri, uri=True, isolation_level=None))
    with source as connection:
        inside = connection.in_transaction
        if not inside:
            connection.execute("BEGIN")
        try:
            yield connection
        finally:
            if not inside:
                connection.rollback()


class _Notes:
    """The differences found so far."""

    def __init__(self) -> None:
        self.found: list[Difference] = []
        self.lost: set[str] = set()
        self._counts: Counter[str] = Counter()

    def add(self, table: str, key: tuple[Any, ...], column: str, expected: Any, found: Any, field: str = "") -> None:
        self._counts[table] += 1
        if self._counts[table] <= MOST_PER_TABLE and table not in self.lost:
            self.found.append(Difference(table, key, column, expected, found, field))

    def unreadable(self, table: str, error: object) -> None:
        """The table, or the file, cannot be read to its end: what it lacks is not compared any more."""
        self.add(table, (), "(all)", "readable", str(error))
        self.lost.add(table)

    def extra(self, table: str, row: Row) -> None:
        self.add(table, _key_of[table](row), ROW, None, row)

    def compare(self, table: str, expected: Sequence[Row], found: Sequence[Row]) -> None:
        """Compare the rows of a table that one event or one state makes."""
        if expected == found:
            return
        key_of = _key_of[table]
        left = {key_of(row): row for row in found}
        for row in expected:
            key = key_of(row)
            other = left.pop(key, None)
            if other is None:
                self.add(table, key, ROW, row, None)
            else:
                self.columns(table, key, row, other)
        for row in left.values():
            self.extra(table, row)

    def columns(self, table: str, key: tuple[Any, ...], expected: Row, found: Row) -> None:
        """Compare a row column by column, and a body field by field."""
        for column, want, have in zip(COLUMNS[table], expected, found, strict=True):
            if want == have:
                continue
            for field, inside, instead in _fields(want, have) if column == "body" else [("", want, have)]:
                self.add(table, key, column, inside, instead, field)


def _fields(expected: bytes, found: bytes) -> list[tuple[str, Any, Any]]:
    """(field, expected, found) where two bodies differ; one without a name where they cannot be told apart so."""
    whole = [("", expected, found)]
    try:
        want, have = msgspec.json.decode(expected), msgspec.json.decode(found)
    except UNDECODABLE:
        return whole
    if not isinstance(have, dict):
        return whole
    names = [name for name in {**want, **have} if want.get(name) != have.get(name)]
    return [(name, want.get(name), have.get(name)) for name in names] or whole


# --- the stored side -----------------------------------------------------------------------------------------------


class _Reader:
    """Reads the tables of one part; a table that fails is noted and ends there."""

    def __init__(self, connection: sqlite3.Connection, part: int, notes: _Notes) -> None:
        self.connection = connection
        self.part = part
        self.notes = notes

    def rows(self, table: str, rest: str = "", *given: object) -> Iterator[Row]:
        """The table's rows, of this part where it has parts."""
        columns = COLUMNS[table]
        where = "WHERE part=?" if "part" in columns else "WHERE ?>=0"
        names = ", ".join(f'"{column}"' for column in columns)
        cursor = self.connection.cursor()
        cursor.row_factory = None
        try:
            yield from cursor.execute(f"SELECT {names} FROM {table} {where} {rest}", (self.part, *given))
        except sqlite3.Error as error:
            self.notes.unreadable(table, error)

    def stream(self, table: str, place: str, *then: str) -> "_Stream":
        """The table's rows in the order of the events that made them, whose position is in the column `place`."""
        order = ", ".join(f'"{column}"' for column in (place, *then))
        return _Stream(self, table, place, self.rows(table, f"ORDER BY {order}"))


class _Stream:
    """Stored rows in order of position. What is passed over was made by no event: it is one too many."""

    def __init__(self, reader: _Reader, table: str, place: str, found: Iterator[Row]) -> None:
        self.table = table
        self._reader = reader
        self._place = place
        self._index = COLUMNS[table].index(place)
        self._rows = found
        self._advance()

    def _advance(self) -> None:
        self._row: Row = next(self._rows, ())
        self.at: int = self._row[self._index] if self._row else END

    def take(self, position: int) -> list[Row]:
        """The rows of that position; each is had once, and none before it after that."""
        self.skip(position)
        taken: list[Row] = []
        while self.at == position:
            taken.append(self._row)
            self._advance()
        return taken

    def skip(self, position: int = END) -> None:
        """Pass over all before that position."""
        while self.at < position:
            self._reader.notes.extra(self.table, self._row)
            self._advance()

    def again(self, position: int) -> list[Row]:
        """The rows of that position, had before."""
        return [*self._reader.rows(self.table, f"AND {self._place}=?", position)]


State = TypeVar("State", o.Order, d.Dispute)


class _Tail(Struct):
    history: list[int]


_decode_tail = msgspec.json.Decoder(_Tail).decode


class _Held(Struct, Generic[State]):
    state: State
    stored: list[list[Row]]
    last: int


class _Lives(Generic[State]):
    """Orders or disputes, each held from its first event to the last one that its stored row knows of.

    There it is compared, and if it is equal it is let go: the row is then as good as the memory. If another event
    comes all the same, the row is outdated; it is held again and stays, to be compared at the end.
    """

    def __init__(
        self,
        notes: _Notes,
        streams: tuple[_Stream, ...],
        derive: Callable[[State], list[list[Row]]],
        decode: Callable[[bytes], State],
    ) -> None:
        self._notes = notes
        self._streams = streams
        self._derive = derive
        self._decode = decode
        self._held: dict[int, _Held[State]] = {}

    def put(self, position: int, before: State | None, after: State) -> None:
        """The state after the event at `position`."""
        held = self._held.get(after.id)
        if before is None:
            stored = [stream.take(position) for stream in self._streams]
            held = self._held[after.id] = _Held(after, stored, _last_event(stored[0]))
        elif held is None:
            held = self._held[after.id] = _Held(after, self._derive(before), END)
        held.state = after
        if position >= held.last and self._derive(after) == held.stored:
            del self._held[after.id]

    def get(self, number: int) -> State:
        """The state now; LookupError where no event made it."""
        held = self._held.get(number)
        if held is not None:
            return held.state
        (row,) = self._streams[0].again(number) or [None]
        if row is None:
            raise LookupError(f"no event made {number}")
        return self._decode(row[-1])

    def finish(self) -> None:
        """Compare all that is still held."""
        for held in self._held.values():
            for stream, expected, found in zip(self._streams, self._derive(held.state), held.stored, strict=True):
                self._notes.compare(stream.table, expected, found)
        for stream in self._streams:
            stream.skip()


def _last_event(stored: list[Row]) -> int:
    """The position of the last event that a stored state knows of; END where it cannot say."""
    try:
        return _decode_tail(stored[0][-1]).history[-1]
    except (IndexError, *UNDECODABLE):
        return END


class _Chain:
    """Follows the hash chain. What does not fit is judged by its successor: if that continues the head that is stored,
    the body was changed; if it continues the one that should be, the head was."""

    def __init__(self, part: int, notes: _Notes) -> None:
        self.head: bytes | None = GENESIS
        self._part = part
        self._notes = notes
        self._doubt: tuple[int, bytes, bytes, bytes] | None = None

    def follow(self, position: int, body: bytes, stored: bytes) -> None:
        """The next event. After a gap (`head` is None) there is nothing that it could continue."""
        computed = stored if self.head is None else link(self.head, position, body)
        if self._doubt is not None:
            repaired = link(self._doubt[2], position, body)
            self.settle(repaired, stored)
            if repaired == stored:
                computed = stored
        if computed != stored:
            self._doubt = (position, body, computed, stored)
        self.head = stored

    def settle(self, repaired: bytes, stored: bytes) -> None:
        """End a doubt: the head that was expected is right where what follows from it is what is stored there."""
        if self._doubt is None:
            return
        position, body, computed, head = self._doubt
        key = (self._part, position)
        self._doubt = None
        if repaired == stored:
            self._notes.add("events", key, "chain", computed, head)
        else:
            self._notes.add("events", key, "body", f"what hashes to {head.hex()}", body)

    def gap(self) -> None:
        """An event is missing here."""
        self.settle(b"", b"-")
        self.head = None

    def end(self, stored: bytes) -> None:
        """The last event's head is the part's, whose stored one is `stored`."""
        if self._doubt is not None:
            computed = self._doubt[2]
            if computed == stored:
                self.head = stored
            self.settle(computed, stored)


# --- the check -----------------------------------------------------------------------------------------------------


class _Check:
    """One part being verified."""

    def __init__(self, connection: sqlite3.Connection, part: int, notes: _Notes) -> None:
        reader = self.read = _Reader(connection, part, notes)
        self.part = part
        self.notes = notes
        self.chain = _Chain(part, notes)
        self.position = self.booked_at = 0
        self.stores: dict[str, p.Store] = {}
        self.balances: dict[tuple[str, str], int] = {}
        self.left: dict[int, dict[str, int]] = {}
        self.waiting: dict[Row, tuple[Row, list[Row]]] = {}
        self.policies: set[str] = set()
        self.listings: set[str] = set()
        self.receipt: Row | None = None
        self._check_file(connection)
        self.head: Row = next(reader.rows("parts"), ())
        self.transfers = reader.stream("transfers", "position", "n")
        self.outbox = reader.stream("outbox", "position", "n")
        self.deliveries = reader.stream("deliveries", "position", "n")
        self.instants = reader.stream("instants", "dispute_id")
        self.waits = reader.stream("waiting", "position")
        self.texts = reader.stream("texts", "position")
        self.receipts = reader.stream("receipts", "first")
        self.orders = _Lives(
            notes,
            (reader.stream("orders", "id"),),
            lambda order: [[rows.order_row(part, order)]],
            rows.decode_order,
        )
        self.disputes = _Lives(
            notes,
            (reader.stream("disputes", "id"), reader.stream("timers", "dispute_id", "due_at", "kind")),
            lambda dispute: [[rows.dispute_row(part, dispute)], sorted(rows.timer_rows(part, dispute))],
            rows.decode_dispute,
        )

    def _check_file(self, connection: sqlite3.Connection) -> None:
        """What the database engine itself can tell of its file."""
        for (said,) in connection.execute("PRAGMA integrity_check(1)"):
            if said != "ok":
                self.notes.unreadable("(file)", said)

    def run(self) -> None:
        """Walk the events, then look at what is left."""
        for row in self.read.rows("events", "ORDER BY position"):
            self._check_event(*row)
        if "events" in self.notes.lost:
            return
        self._check_head()
        self._check_settings()
        self.orders.finish()
        self.disputes.finish()
        for stream in (self.transfers, self.outbox, self.deliveries, self.instants, self.texts):
            stream.skip()
        self._check_receipts_end()
        self._check_waiting()
        self._check_stores()
        self._check_balances()
        self._check_snapshots()

    # --- an event --------------------------------------------------------------------------------------------------

    def _check_event(self, part: int, position: int, booked_at: int, body: bytes, chain: bytes) -> None:
        ended = self.head and self.head[1] == self.position and self.head[3] == self.chain.head
        if ended or position <= self.position:
            self.notes.extra("events", (part, position, booked_at, body, chain))
            return
        self._check_gap(position)
        self.position = position
        self.chain.follow(position, body, chain)
        if booked_at < self.booked_at:
            self.notes.add("events", (part, position), "booked_at", f"at least {self.booked_at}", booked_at)
        self.booked_at = booked_at
        try:
            event = rows.decode_event(body)
            self._follow(position, event)
        except (AssertionError, AttributeError, LookupError, ValueError, *UNDECODABLE) as error:
            why = f"{type(error).__name__}: {error}"
            self.notes.add("events", (part, position), "body", f"an event that follows from those before ({why})", body)

    def _check_gap(self, position: int) -> None:
        first = self.position + 1
        if position > first:
            self.chain.gap()
        for missing in islice(range(first, position), MOST_PER_TABLE):
            self.notes.add("events", (self.part, missing), ROW, "an event", None)

    def _follow(self, position: int, event: Event) -> None:
        """All that the event leads to, by the engine's own functions."""
        dispute = self._evolve(position, event)
        if moved := transfers(event):
            self._check_transfers(position, moved)
        if told := effects(event, dispute, position):
            self._check_tasks(position, told)
        if isinstance(event, r.DisputeEvent):
            self._check_queues(position, event)
            if event.text:
                self._check_text(position, event.text)
        if self.receipt is not None or self.receipts.at <= position:
            self._check_receipt(position, event)

    def _evolve(self, position: int, event: Event) -> d.Dispute | None:
        """The state after the event; the dispute, where it is about one."""
        match event:
            case p.StoreRegistered() | p.ContactChanged() | p.StoreEnrolled() | p.StoreLeft():
                self.stores[event.store] = p.evolve_store(self.stores.get(event.store), event, position)
            case o.OrderPlaced():
                self.listings |= {line.listing for line in event.lines if line.listing}
                self.orders.put(position, None, o.evolve_order(None, event, position))
            case o.OrderPaid() | o.OrderMoved() | o.OrderPaidOut():
                order = self.orders.get(event.order)
                if isinstance(event, o.OrderPaid):
                    self.policies.add(event.coverage.policy)
                self.orders.put(position, order, o.evolve_order(order, event, position))
            case CapitalAdded():
                pass
            case _:
                return self._evolve_dispute(position, event)
        return None

    def _evolve_dispute(self, position: int, event: d.Event) -> d.Dispute:
        before: d.Dispute | None = None
        if isinstance(event, d.DisputeOpened):
            self.policies.add(event.policy)
        else:
            before = self.disputes.get(event.dispute)
        after = d.evolve_dispute(before, event, position)
        self.disputes.put(position, before, after)
        if isinstance(event, r.RefundApproved):
            self._check_approval(position, event)
        elif isinstance(event, r.RefundResolved) and before is not None:
            self._give_back(before, after)
        return after

    # --- money -----------------------------------------------------------------------------------------------------

    def _check_transfers(self, position: int, moved: list[Transfer]) -> None:
        """The rows; and the laws that an amount is above zero and no account of a promise below it, at any position."""
        self.notes.compare("transfers", rows.transfer_rows(self.part, position, moved), self.transfers.take(position))
        for n, t in enumerate(moved):
            key = (self.part, position, n)
            if t.minor <= 0 or t.source == t.target:
                self.notes.add("transfers", key, "minor", "above zero, from one account to another", t.minor)
            for account, minor in ((t.source, -t.minor), (t.target, t.minor)):
                if keeps_balance(account):
                    balance = self.balances.get((account, t.currency), 0) + minor
                    self.balances[account, t.currency] = balance
                    if balance < 0 and minor < 0 and _never_below_zero(account):
                        self.notes.add("transfers", key, "minor", f"at most the {balance - minor} in {account}", -minor)

    def _check_approval(self, position: int, event: r.RefundApproved) -> None:
        """The law that of no payment more is approved to go back than was paid."""
        left = self.left.get(event.order)
        if left is None:
            order = self.orders.get(event.order)
            paid = order.payments if order.paid_at is not None else ()
            left = self.left[event.order] = {payment.id: payment.minor for payment in paid}
        for share in event.shares:
            there = left.get(share.payment, 0)
            left[share.payment] = there - share.minor
            if there < share.minor:
                self._break(position, "shares", f"at most the {there} left of payment {share.payment}", share.minor)
        if event.minor != sum(share.minor for share in event.shares):
            self._break(position, "minor", "the sum of its shares", event.minor)

    def _break(self, position: int, field: str, expected: str, found: int) -> None:
        self.notes.add("events", (self.part, position), "body", expected, found, field)

    def _give_back(self, before: d.Dispute, after: d.Dispute) -> None:
        """What of a refund was abandoned can be approved again."""
        held, kept = (r.taken([x.refund] if x.refund else [])[1] for x in (before, after))
        left = self.left.get(after.order, {})
        for payment, minor in held.items():
            left[payment] = left.get(payment, 0) + minor - kept.get(payment, 0)

    # --- what must be done, and what waits -------------------------------------------------------------------------

    def _check_tasks(self, position: int, told: list[Effect]) -> None:
        """Never forgotten: each effect has ended or is to be done, once."""
        notes = self.notes
        found = [("deliveries", row[2], row) for row in self.deliveries.take(position)]
        found += [("outbox", row[3], row) for row in self.outbox.take(position)]
        for row in rows.effect_rows(self.part, position, told):
            n = row[3]
            mine = [(table, stored) for table, number, stored in found if number == n]
            if not mine:
                for table in ("outbox", "deliveries"):  # which of the two it was in, nobody knows any more
                    notes.add(table, (self.part, position, n), ROW, row[-1], None)
            for table, stored in mine[:1]:
                self._check_task(table, (self.part, position, n), row, stored)
            for table, stored in mine[1:]:
                notes.extra(table, stored)
        for table, number, stored in found:
            if not 0 <= number < len(told):
                notes.extra(table, stored)

    def _check_task(self, table: str, key: tuple[Any, ...], row: Row, stored: Row) -> None:
        """An untried task is as it was made; one that was tried, or has ended, keeps its body."""
        add, body = self.notes.add, stored[-1]
        if body != row[-1]:
            for field, want, have in _fields(row[-1], body):
                add(table, key, "body", want, have, field)
        tries = stored[COLUMNS[table].index("tries")]
        if tries < (table == "deliveries"):
            add(table, key, "tries", "a number of tries", tries)
        if table == "outbox" and tries == 0 and stored[1] != row[1]:
            add(table, key, "due_at", row[1], stored[1])
        if table == "deliveries" and stored[3] not in ("done", "failed"):
            add(table, key, "state", "done or failed", stored[3])

    def _check_queues(self, position: int, event: Event) -> None:
        if row := rows.instant_row(self.part, position, event):
            self.notes.compare("instants", [row], self.instants.take(position))
        if row := rows.waiting_row(self.part, position, event):
            self.waiting[self.part, row[1], position] = (row, self.waits.take(position))
        if key := rows.served_key(self.part, event):
            _, found = self.waiting.pop(key)
            self.notes.compare("waiting", [], found)

    def _check_waiting(self) -> None:
        self.waits.skip()
        for row, found in self.waiting.values():
            self.notes.compare("waiting", [row], found)

    # --- words -----------------------------------------------------------------------------------------------------

    def _check_text(self, position: int, digest: str) -> None:
        for _, _, salt, text in self.texts.take(position):
            key = (self.part, position)
            if len(salt) != 16:
                self.notes.add("texts", key, "salt", "16 bytes", salt)
            elif blake2b(text.encode(), key=salt, digest_size=16).hexdigest() != digest:
                self.notes.add("texts", key, "body", f"what hashes to {digest}", text)

    def _check_snapshots(self) -> None:
        for _, digest, body in self.read.rows("snapshots"):
            key = (self.part, digest)
            if digest not in self.listings:
                self.notes.add("snapshots", key, ROW, None, body)
            elif sha256(body).hexdigest() != digest:
                self.notes.add("snapshots", key, "body", f"what hashes to {digest}", body)
            self.listings.discard(digest)
        for digest in sorted(self.listings):
            self.notes.add("snapshots", (self.part, digest), ROW, "what was shown to a buyer", None)

    # --- receipts --------------------------------------------------------------------------------------------------

    def _check_receipt(self, position: int, event: Event) -> None:
        """The events of a receipt are its caller's, beside what time did, and about what it names; none has two."""
        for row in self.receipts.take(position):
            if self.receipt is not None:
                self._bad_receipt(row, "first", f"after {self.receipt[8]}")
            self._check_lengths(row)
            self.receipt = row
            end = self.head[1] if self.head else END
            if not position <= row[8] <= end:
                self._bad_receipt(row, "last", f"from {position} to {end}")
                self.receipt = None
        if self.receipt is None:
            return
        _, caller, _, _, _, received_at, number, _, last = self.receipt
        if event.by not in (caller, "system"):
            self._bad_receipt(self.receipt, "caller", event.by)
        elif event.by != "system":
            if (subject := _subject(event, position)) != number:
                self._bad_receipt(self.receipt, "id", subject)
            if isinstance(event, r.DisputeEvent) and micros(event.at) != received_at:
                self._bad_receipt(self.receipt, "received_at", micros(event.at))
        if position >= last:
            self.receipt = None

    def _check_lengths(self, row: Row) -> None:
        _, _, _, digest, salt, *_ = row
        if len(digest) != 16:
            self._bad_receipt(row, "digest", "16 bytes")
        if len(salt) not in (0, 16):
            self._bad_receipt(row, "salt", "16 bytes, or none")

    def _bad_receipt(self, row: Row, column: str, expected: object) -> None:
        found = row[COLUMNS["receipts"].index(column)]
        self.notes.add("receipts", _key_of["receipts"](row), column, expected, found)

    def _check_receipts_end(self) -> None:
        if self.receipt is not None:
            self._bad_receipt(self.receipt, "last", f"at most {self.position}")
        self.receipts.skip()

    # --- the end ---------------------------------------------------------------------------------------------------

    def _check_head(self) -> None:
        """The part's own row against its last event."""
        key, notes = (self.part,), self.notes
        if not self.head:
            self.chain.gap()
            notes.add("parts", key, ROW, (self.position, self.booked_at), None)
            return
        _, position, booked_at, chain, _ = self.head
        self.chain.end(chain)
        if chain != self.chain.head and position > self.position:
            for missing in islice(range(self.position + 1, position + 1), MOST_PER_TABLE):
                notes.add("events", (self.part, missing), ROW, "an event", None)
            return
        if chain != self.chain.head:
            notes.add("parts", key, "chain", self.chain.head, chain)
        if position != self.position:
            notes.add("parts", key, "position", self.position, position)
        if booked_at != self.booked_at:
            notes.add("parts", key, "booked_at", self.booked_at, booked_at)

    def _check_settings(self) -> None:
        """Settings, programmes and policies: what the events and each other name is there."""
        notes = self.notes
        settings = dict(self.read.rows("meta"))
        parts = settings.get("parts", "")
        clock = "sandbox" if self.head and self.head[4] is not None else "live"
        sane = {
            "schema": (str(schema.SCHEMA_VERSION), settings.get("schema") == str(schema.SCHEMA_VERSION)),
            "parts": (f"more than {self.part}", parts.isdecimal() and int(parts) > self.part),
            "policy": ("a policy's version", bool(settings.get("policy"))),
            "kind": (clock, settings.get("kind") == clock or not self.head),
        }
        for name, (expected, good) in sane.items():
            if not good:
                notes.add("meta", (name,), "value" if name in settings else ROW, expected, settings.get(name))
        self.policies.add(settings.get("policy", ""))
        for name, body in self.read.rows("programmes"):
            try:
                self.policies |= {version for _, version in decode_programme(body).policies}
            except UNDECODABLE as error:
                notes.add("programmes", (name,), "body", f"a programme ({error})", body)
        self._check_policies()

    def _check_policies(self) -> None:
        for version, digest, text in self.read.rows("policies"):
            if sha256(text.encode()).hexdigest() != digest:
                self.notes.add("policies", (version,), "text", f"what hashes to {digest}", text)
            self.policies.discard(version)
        for version in sorted(self.policies - {""}):
            self.notes.add("policies", (version,), ROW, "a policy that was in force", None)

    def _check_stores(self) -> None:
        left = {store.id: rows.store_row(self.part, store) for store in self.stores.values()}
        for row in self.read.rows("stores"):
            expected = left.pop(row[1], None)
            self.notes.compare("stores", [expected] if expected else [], [row])
        self.notes.compare("stores", [*left.values()], [])

    def _check_balances(self) -> None:
        """Σ transfers; a row of zero may be there or not."""
        left = dict(self.balances)
        for row in self.read.rows("balances"):
            part, account, currency, minor = row
            expected = left.pop((account, currency), None)
            if expected is None and minor:
                self.notes.extra("balances", row)
            elif minor != (expected or 0):
                self.notes.add("balances", (part, account, currency), "minor", expected, minor)
        missing = ((self.part, *account, minor) for account, minor in left.items() if minor)
        self.notes.compare("balances", [*missing], [])


def _never_below_zero(account: str) -> bool:
    return account in (AVAILABLE, RESERVED) or account.endswith((":held", ":deposit"))


def _subject(event: Event, position: int) -> int:
    """The number of the dispute or order that the event is about; 0 where it is about neither."""
    match event:
        case p.StoreRegistered() | p.ContactChanged() | p.StoreEnrolled() | p.StoreLeft() | CapitalAdded():
            return 0
        case o.OrderPlaced():
            return position
        case o.OrderPaid() | o.OrderMoved() | o.OrderPaidOut():
            return event.order
        case _:
            return event.dispute
