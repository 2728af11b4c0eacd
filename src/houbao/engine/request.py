"""What comes to the engine, and what it answers."""

from datetime import datetime

from msgspec import Struct

from houbao.core.disputes import Dispute
from houbao.core.effects import Effect
from houbao.core.ledger import Transfer
from houbao.core.orders import Order
from houbao.core.subjects import Command
from houbao.core.terms import Actor, Refused
from houbao.core.world import Event

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
