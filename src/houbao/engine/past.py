"""A part's past, as records, for questions over history."""

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from houbao.core.disputes import Dispute
from houbao.core.orders import Order
from houbao.core.policy import Policy
from houbao.core.programme import Coverage, Programme, Store
from houbao.core.world import Event
from houbao.engine.scorebook import Lines


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
