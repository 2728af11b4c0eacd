"""The database as the engine and the worker need it, and the records that pass through."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol

from msgspec import Struct

from houbao.core.breaker import Breaker
from houbao.core.calendars import Outage
from houbao.core.disputes import Dispute, DisputeOpened
from houbao.core.effects import Effect
from houbao.core.exchange import Rate
from houbao.core.ledger import Transfer
from houbao.core.orders import Order
from houbao.core.programme import Programme, Store
from houbao.core.refunds import FundsReserved, RefundApproved, RefundResolved
from houbao.core.rulings import Compiled
from houbao.core.terms import EPOCH
from houbao.core.watches import Standing
from houbao.core.world import Event

Probe = Callable[[str], None]
"""Called with the name of each point that the write path and the worker pass: for tracing, and for tests that crash."""


class Head(Struct, frozen=True):
    """Where a part stands: last position, booking time, head of the hash chain, its own clock in a sandbox, the outages
    that were entered, and the breakers of its funds."""

    position: int
    booked_at: datetime
    chain: bytes
    clock: datetime | None = None
    outages: tuple[Outage, ...] = ()
    breakers: tuple[Breaker, ...] = ()


class Receipt(Struct, frozen=True, gc=False):
    """What an idempotency key was answered with. `salt` keys the digest where the command carried free text."""

    digest: bytes
    salt: bytes
    id: int
    first: int
    last: int


class Needs(Struct):
    """What a batch must read. `references` are (store, order reference), `claims` (order, dispute reference). Of the
    orders, those in `opening` are disputed now (order → buyer), those in `again` more than once, those in `paying` get
    their coverage, those in `payouts` move money of their store's, as do the stores in `owed`; of the disputes, those
    in `signed` may have their store watched. Of what buyers were paid at once, what is after `instants_since` is summed
    up. `waiting` is the account and currency whose queue is served."""

    stores: set[str] = set()
    orders: set[int] = set()
    disputes: set[int] = set()
    references: set[tuple[str, str]] = set()
    claims: set[tuple[int, str]] = set()
    opening: dict[int, str] = {}
    again: set[int] = set()
    paying: set[int] = set()
    payouts: set[int] = set()
    owed: set[str] = set()
    signed: set[int] = set()
    instants_since: datetime = EPOCH
    waiting: tuple[str, str] | None = None


class Loaded(Struct):
    """What was read under the lock. `orders` are bodies as stored, each to be decoded when a command needs it: a
    thousand decoded orders would drive all else out of the processor's caches. `disputes` is order → id → dispute,
    each order whole; `taken` the references in use, (kind, store, reference); `instants` is buyer →
    [(opened, currency, minor)]; `queues` is (account, currency) → how many refunds
    wait for it, `waiting` the oldest that do, as disputes."""

    stores: dict[str, Store] = {}
    orders: dict[int, bytes] = {}
    disputes: dict[int, Mapping[int, Dispute]] = {}
    taken: set[tuple[str, str, str]] = set()
    balances: dict[tuple[str, str], int] = {}
    queues: dict[tuple[str, str], int] = {}
    instants: dict[str, list[tuple[datetime, str, int]]] = {}
    waiting: list[Dispute] = []
    programmes: dict[str, Programme] = {}


Noted = DisputeOpened | RefundApproved | FundsReserved | RefundResolved
"""The events that leave more than their bytes and transfers: an instant sum, a place in the queue for the fund."""


class Written(Struct, frozen=True, gc=False):
    """One event with all that follows from it, ready to be stored; the event itself only where it is `Noted`."""

    position: int
    noted: Noted | None
    body: bytes
    chain: bytes
    transfers: list[Transfer]
    effects: list[Effect]


class Text(Struct, frozen=True, gc=False):
    """Erasable free text that the event at `position` points at."""

    position: int
    salt: bytes
    body: str


class Contact(Struct, frozen=True):
    """Erasable: where a store or a buyer is reached, in which language (BCP 47), and a buyer by the clocks of which
    zone; both empty where it is not known."""

    kind: Literal["store", "buyer"]
    id: str
    name: str
    email: str
    language: str = ""
    zone: str = ""


class Batch(Struct):
    """All that one transaction writes. The `old` maps hold the states as they were loaded, empty for new ones."""

    head: Head
    events: list[Written] = []
    stores: dict[str, Store] = {}
    orders: dict[int, Order] = {}
    disputes: dict[int, Dispute] = {}
    old_stores: set[str] = set()
    old_orders: set[int] = set()
    old_disputes: dict[int, Dispute] = {}
    receipts: list[tuple[str, str, Receipt, datetime]] = []
    texts: list[Text] = []
    snapshots: dict[str, bytes] = {}
    contacts: list[Contact] = []


class Task(Struct, frozen=True):
    """An effect claimed from the outbox, to be done before its lease ends."""

    position: int
    n: int
    tries: int
    effect: Effect
    claimed_until: datetime


class Delivery(Struct, frozen=True):
    """How an effect ended."""

    state: Literal["done", "failed"]
    at: datetime
    detail: str = ""


class SaveFailed(Exception):
    """The database refused a row of this batch; nothing of it was saved."""


class Database(Protocol):
    """One database. A write transaction locks its part first and touches no other."""

    def lock_part(self, part: int) -> Head:
        """Begin a write transaction; wait for the part's lock."""
        ...

    def look_at_part(self, part: int) -> Head:
        """Begin a transaction that only reads, of one moment: it takes no lock of the database, so no other
        process waits for it."""
        ...

    def receipts(self, part: int, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Receipt]:
        """The receipts of those (sender, key)."""
        ...

    def load(self, part: int, needs: Needs) -> Loaded:
        """Read all that the batch needs."""
        ...

    def compiled(self, version: str, currency: str) -> Compiled | None:
        """A policy ready for use; the empty version is the database's default one."""
        ...

    def rates(self, base: str, quote: str, since: datetime, until: datetime) -> tuple[Rate, ...]:
        """The rates of two currencies in each other or in EUR that were published in that time."""
        ...

    def save(self, part: int, batch: Batch) -> None:
        """Write all; SaveFailed where a row is refused."""
        ...

    def commit(self) -> None:
        """End the transaction: durable when it returns."""
        ...

    def rollback(self) -> None:
        """End the transaction: nothing was written."""
        ...

    def close(self) -> None:
        """Close it."""
        ...

    def due(
        self, part: int, now: datetime, most: int, after: tuple[datetime, int] | None = None
    ) -> list[tuple[datetime, int]]:
        """The earliest timers due by `now`, behind `after` where that is given: (due time, dispute), at most `most`."""
        ...

    def unmoved(self, part: int, outage: int, after: int, most: int) -> list[int]:
        """Disputes with a number above `after` that were there when the outages at position `outage` were entered, are
        not closed, and about which nothing happened since: the first, at most `most`."""
        ...

    def standings(self, part: int, since: datetime, now: datetime) -> dict[str, Standing]:
        """What is to be found at `now`, from `since` on, of every store with disputes since then or a standing that was
        kept."""
        ...

    def claim(self, part: int, now: datetime, lease: timedelta, most: int) -> list[Task]:
        """Lease outbox effects that are due, the oldest first, in one short transaction."""
        ...

    def settle(self, part: int, ended: Sequence[tuple[Task, Delivery | datetime]]) -> None:
        """Claimed effects in one transaction: into the deliveries how they ended, or back until they are tried again.
        One whose lease has ended meanwhile is left to whoever has it now."""
        ...

    def file(self, part: int, least: int, most: int) -> int:
        """File the stores' statements of at most `most` events; nothing where fewer than `least` came since the last
        time. Returns of how many."""
        ...

    def next_wake(self, part: int) -> datetime | None:
        """When the next timer or effect falls due."""
        ...

    def move_clock(self, part: int, to: datetime) -> None:
        """Move a sandbox's clock; never backwards."""
        ...

    def dispute(self, part: int, number: int) -> Dispute | None:
        """A dispute as it stands, outside any transaction."""
        ...

    def order(self, part: int, number: int) -> Order | None:
        """An order as it stands, outside any transaction."""
        ...

    def store(self, part: int, number: str) -> Store | None:
        """A store as it stands, outside any transaction."""
        ...

    def programme(self, name: str) -> Programme | None:
        """A programme as it stands; None where there is none of that name."""
        ...

    def head(self, part: int) -> Head:
        """Where the part stands now."""
        ...

    def event(self, part: int, position: int) -> Event | None:
        """The event at that position, outside any transaction."""
        ...

    def contact(self, part: int, kind: str, number: str) -> Contact | None:
        """Where a store or buyer is reached; None where unknown or erased."""
        ...
