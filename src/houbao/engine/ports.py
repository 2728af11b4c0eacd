"""The few interfaces that have two implementations, and the records that pass through them."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal, Protocol

from msgspec import Struct

from houbao.core.breaker import Breaker
from houbao.core.calendars import Outage
from houbao.core.disputes import Dispute, DisputeOpened
from houbao.core.effects import Effect
from houbao.core.exchange import Rate
from houbao.core.ledger import Transfer
from houbao.core.orders import Order
from houbao.core.policy import Policy, ScoreCurves
from houbao.core.programme import Coverage, Programme, Store
from houbao.core.refunds import FundsReserved, RefundApproved, RefundResolved
from houbao.core.rulings import Compiled
from houbao.core.score import Score
from houbao.core.subjects import Command
from houbao.core.tallies import Deal, Tally
from houbao.core.terms import EPOCH, Actor, Refused
from houbao.core.watches import Standing
from houbao.core.world import Event

Probe = Callable[[str], None]
"""Called with the name of each point that the write path and the worker pass: for tracing, and for tests that crash."""

# --- into and out of the engine ------------------------------------------------------------------------------------


SENT_BY_KEY = "key:"
"""With what a sender begins that is no actor: no role is called so."""


class Request(Struct, frozen=True):
    """A command at the edge: whose, when it was received (aware UTC, stamped once), and its idempotency key. `seen` is
    the position of the dispute's last event that its author knew of; 0 where they would act whatever happened since.
    `sender` is whose the key is, where one sends for several: a marketplace's software for all its buyers. `undated`:
    that the command's `at` is when it was received was said by nobody, so its key does not pin it."""

    command: Command
    by: Actor
    received_at: datetime
    key: str = ""
    seen: int = 0
    sender: str = ""
    undated: bool = False


class Accepted(Struct, frozen=True, gc=False):
    """The command happened. `id` is the number of the order or dispute it made or touched; `first`..`last` are the
    positions of its events (0 where nothing had to change); `replayed` when its key had been answered before. If not,
    `events` are those, and `dispute` is the one it made or touched as it left it, before whatever came next."""

    id: int = 0
    first: int = 0
    last: int = 0
    replayed: bool = False
    dispute: Dispute | None = None
    events: list[Event] = []


Outcome = Accepted | Refused

TRANSIENT = ("overloaded", "failed", "not_saved")
"""The refusals that say nothing of the command itself: what was to be done is done later, and never taken for done."""


class Preview(Struct, frozen=True):
    """What a command would do if it were executed now, in the order in which it would be booked; nothing of it is
    saved. `orders` and `disputes` are those that would change, as they would then stand."""

    accepted: Accepted
    events: list[Event]
    transfers: list[Transfer]
    effects: list[Effect]
    orders: dict[int, Order]
    disputes: dict[int, Dispute]


# --- the store -----------------------------------------------------------------------------------------------------


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


# --- the scores ----------------------------------------------------------------------------------------------------


class Lines(Struct):
    """The lines of one store's record."""

    deals: list[Deal] = []
    tallies: list[Tally] = []


class Kept(Struct, frozen=True):
    """How far the scores are kept: first and last day, the last event that the last day knew of, and the first day of
    the last month that is graded."""

    first: date | None = None
    last: date | None = None
    position: int = 0
    graded: date | None = None


class Grade(Struct, frozen=True):
    """A store's grade of a month (its first day): the mean of its graded `days`, of 100, in millionths of a point."""

    month: date
    store: str
    score: int
    days: int
    grade: str


class Scorebook(Protocol):
    """The stores' record and what is kept of it."""

    def programme(self) -> Programme | None:
        """The programme whose days, months and curves are meant: the first by name."""
        ...

    def curves(self, version: str, currency: str) -> ScoreCurves:
        """The curves of a policy version."""
        ...

    def position(self, part: int) -> int:
        """The position of the part's last event."""
        ...

    def kept(self, part: int) -> Kept:
        """How far the scores are kept."""
        ...

    def changed_since(self, part: int, position: int) -> set[str]:
        """The stores that an event after `position` is about."""
        ...

    def lines(self, part: int, since: datetime | None, store: str = "") -> dict[str, Lines]:
        """Store → its lines since then, with the deals of the disputes among them; of one store, or of all."""
        ...

    def keep(
        self, part: int, anew: Collection[str], since: date, scores: Sequence[tuple[str, Score]], position: int
    ) -> None:
        """Keep scores, known up to `position`; of the stores `anew` in the place of all theirs from `since` on."""
        ...

    def grade(self, part: int, grades: Sequence[Grade]) -> None:
        """Keep grades; one that is given stays."""
        ...

    def days_of(self, part: int, month: date) -> dict[str, list[int]]:
        """Store → the scores of its graded days in a month, given by its first day."""
        ...


# --- the past, for questions over history ----------------------------------------------------------------------------


class BookedEvent(Struct, frozen=True, gc=False):
    """An event as it is stored: its JSON, where it stands, and when it was booked."""

    position: int
    booked_at: datetime
    body: bytes


class BookedTransfer(Struct, frozen=True, gc=False):
    """A transfer with its place, the `n`-th of the event at `position`, and when it was booked."""

    position: int
    n: int
    booked_at: datetime
    kind: str
    source: str
    target: str
    minor: int
    currency: str
    store: str
    order: int
    dispute: int


class DisputeStory(Struct, frozen=True, gc=False):
    """A dispute as it stands, with the event that began it, which holds the facts that were ruled on, and the coverage
    of its order."""

    dispute: Dispute
    began: Event
    coverage: Coverage


class Past(Struct):
    """All of a part's past at one moment: where it stood, and its rows, each to be read once, in the order of their
    ids. `policies` is version → text, `counts` how many rows of each table there are."""

    part: int
    position: int
    booked_at: datetime
    chain: bytes
    clock: datetime | None
    sandbox: bool
    programmes: list[Programme]
    policies: dict[str, str]
    counts: dict[str, int]
    events: Iterator[BookedEvent]
    orders: Iterator[Order]
    disputes: Iterator[DisputeStory]
    transfers: Iterator[BookedTransfer]


class StorePast(Struct):
    """One store's past since some time: its paid orders, the disputes opened since then, and all of its record; its
    programme and the policy in force there now. `handed`: of the disputes `verified` lately, of all stores, those that
    were handed to their seller."""

    store: Store
    programme: Programme
    policy: Policy
    orders: list[Order]
    disputes: list[DisputeStory]
    lines: Lines
    verified: int
    handed: int


# --- the outside ---------------------------------------------------------------------------------------------------


class Reply(Struct, frozen=True):
    """What a provider said. `unknown`: no answer in time. `not_found`: a look-up found no such key."""

    result: Literal["paid", "refused", "unknown", "not_found", "pending"]
    final: bool = False
    code: str = ""


class RefundProvider(Protocol):
    """Sends money back over a payment. Both calls are safe to repeat; only `pay` with a new key moves money."""

    name: str
    key_life: timedelta

    def pay(self, key: str, payment: str, minor: int, currency: str) -> Reply:
        """Pay out under an idempotency key."""
        ...

    def look_up(self, key: str) -> Reply:
        """What became of that key."""
        ...


class Letter(Struct, frozen=True):
    """A mail to be sent, in `language` (BCP 47): `body` as plain text, `html` the same where there is such. `reference`
    is stable over repeats, so that a reader's program can tell them."""

    to: str
    subject: str
    body: str
    reference: str
    html: str = ""
    language: str = "en"


class Posted(Struct, frozen=True):
    """What the mail server said: accepted, bounced for good, or not reached (try again)."""

    result: Literal["accepted", "bounced", "later"]
    detail: str = ""


class Notifier(Protocol):
    """Sends mail."""

    def post(self, letter: Letter) -> Posted:
        """Hand one letter to the mail server."""
        ...
