"""The stored side of a check: rows in the order of the events that made them, and what follows them event by event."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar, get_args

import msgspec
from msgspec import Struct

from houbao.core import chargebacks as c
from houbao.core import disputes as d
from houbao.core import messages as m
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.breaker import BreakerEvent
from houbao.core.chain import link
from houbao.core.fund import CapitalAdded, CashMoved, DebtRepaid, DepositPaid
from houbao.core.outages import OutageEntered
from houbao.core.terms import micros
from houbao.core.world import Event
from houbao.engine.request import SENT_BY_KEY
from houbao.store.differences import COLUMNS, KEY_OF, UNDECODABLE, Notes
from houbao.store.rows import Row
from houbao.store.sqlite import GENESIS

STORE_EVENTS = get_args(p.StoreEvents)

END = 2**63
"""A position after the last; SQLite's integers end before it."""


class Reader:
    """Reads the tables of one part; a table that fails is noted and ends there."""

    def __init__(self, connection: sqlite3.Connection, part: int, notes: Notes) -> None:
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

    def stream(self, table: str, place: str, *then: str) -> "Stream":
        """The table's rows in the order of the events that made them, whose position is in the column `place`."""
        order = ", ".join(f'"{column}"' for column in (place, *then))
        return Stream(self, table, place, self.rows(table, f"ORDER BY {order}"))


class Stream:
    """Stored rows in order of position. What is passed over was made by no event: it is one too many."""

    def __init__(self, reader: Reader, table: str, place: str, found: Iterator[Row]) -> None:
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


class Lives(Generic[State]):
    """Orders or disputes, each held from its first event to the last one that its stored row knows of.

    There it is compared, and if it is equal it is let go: the row is then as good as the memory. If another event
    comes all the same, the row is outdated; it is held again and stays, to be compared at the end.
    """

    def __init__(
        self,
        notes: Notes,
        streams: tuple[Stream, ...],
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


class Chain:
    """Follows the hash chain. What does not fit is judged by its successor: if that continues the head that is stored,
    the body was changed; if it continues the one that should be, the head was."""

    def __init__(self, part: int, notes: Notes) -> None:
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


class Receipts:
    """Follows the receipts: the events of one are its caller's, beside what time did, and about what it names; no event
    has two. Where a key of the API sent it, they are one actor's: which, the key alone does not tell."""

    def __init__(self, notes: Notes, stream: Stream, end: int) -> None:
        """`end` is the position of the part's last event, as its own row says it."""
        self._notes = notes
        self._stream = stream
        self._end = end
        self._receipt: Row | None = None
        self._made: set[int] = set()
        self._by = ""

    def follow(self, position: int, event: Event) -> None:
        """The next event."""
        if self._receipt is None and self._stream.at > position:
            return
        for row in self._stream.take(position):
            if self._receipt is not None:
                self._bad(row, "first", f"after {self._receipt[8]}")
            self._check_lengths(row)
            self._receipt = row
            self._made.clear()
            self._by = "" if row[1].startswith(SENT_BY_KEY) else row[1]
            if not position <= row[8] <= self._end:
                self._bad(row, "last", f"from {position} to {self._end}")
                self._receipt = None
        if self._receipt is None:
            return
        _, _, _, _, _, received_at, number, _, last = self._receipt
        self._by = self._by or ("" if event.by == "system" else event.by)
        if event.by not in (self._by, "system"):
            self._bad(self._receipt, "caller", event.by)
        elif event.by != "system":
            subject = _subject(event, position)
            if isinstance(event, d.DisputeOpened) and (number in (subject, event.excess_of) or self._made):
                self._made.add(subject)
            # What is said of an order may move its disputes too, as a chargeback does; one opening may make several; a
            # ruling of fraud has the store watched.
            watched = isinstance(event, p.WatchSet) and event.why == "fraud"
            if not watched and number not in (subject, getattr(event, "order", subject)) and subject not in self._made:
                self._bad(self._receipt, "id", subject)
            if isinstance(event, r.DisputeEvent) and micros(event.at) != received_at:
                self._bad(self._receipt, "received_at", micros(event.at))
        if position >= last:
            self._receipt = None

    def finish(self, position: int) -> None:
        """No event comes after that position."""
        if self._receipt is not None:
            self._bad(self._receipt, "last", f"at most {position}")
        self._stream.skip()

    def _check_lengths(self, row: Row) -> None:
        _, _, _, digest, salt, *_ = row
        if len(digest) != 16:
            self._bad(row, "digest", "16 bytes")
        if len(salt) not in (0, 16):
            self._bad(row, "salt", "16 bytes, or none")

    def _bad(self, row: Row, column: str, expected: object) -> None:
        found = row[COLUMNS["receipts"].index(column)]
        self._notes.add("receipts", KEY_OF["receipts"](row), column, expected, found)


def _subject(event: Event, position: int) -> int:
    """The number of the dispute or order that the event is about; 0 where it is about neither."""
    match event:
        case _ if isinstance(event, STORE_EVENTS):
            return 0
        case CapitalAdded() | DepositPaid() | CashMoved() | DebtRepaid() | OutageEntered() | BreakerEvent():
            return 0
        case o.OrderPlaced():
            return position
        case (
            o.OrderPaid()
            | o.OrderMoved()
            | o.OrderPaidOut()
            | o.OrderRated()
            | c.ChargebackMoved()
            | m.OrderMessageWritten()
        ):
            return event.order
        case _:
            return event.dispute
