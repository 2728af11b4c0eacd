"""Everything one command may see, and what is true of it after an event."""

from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct, structs

from houbao.core import chargebacks as c
from houbao.core import claims, outages
from houbao.core import disputes as d
from houbao.core import messages as m
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.accounts import AVAILABLE, keeps_balance, kind_of
from houbao.core.breaker import Breaker, BreakerEvents, BreakerSet, CoverageResumed, CoverageStopped, evolve_breakers
from houbao.core.calendars import Outage
from houbao.core.evolving import evolve_dispute
from houbao.core.exchange import Rate
from houbao.core.fund import FundEvent, FundEvents
from houbao.core.ledger import Transfer
from houbao.core.rulings import Compiled
from houbao.core.scene import Purse
from houbao.core.terms import Refused

Event = (
    p.StoreEvents
    | o.OrderEvents
    | c.ChargebackMoved
    | m.OrderMessageWritten
    | d.Event
    | FundEvents
    | outages.OutageEntered
    | BreakerEvents
)


IN_PURSE = {"available", "payable", "deposit", "receivable", "backstop"}
"""The accounts that a rule may read, by the last word of their names: the purse's fields are called the same."""


class World(Struct, frozen=True, kw_only=True, gc=False):
    """Everything one command may see, read under the lock.

    `disputes` are those of `order`, by id; for `ServeWaiting` the oldest that wait, in order of approval.
    `rules` is the policy in force at payment, `policy` the one in force at opening, both for the order's currency.
    `purse` holds the balances it may read, of the order's store and currency (for `ServeWaiting`, of the fund's).
    `rates` are those of the order's currency in the fund's, where that is another.
    """

    position: int
    store: p.Store | None = None
    programme: p.Programme | None = None
    order: o.Order | None = None
    disputes: Mapping[int, d.Dispute] = {}
    rules: Compiled | None = None
    policy: Compiled | None = None
    purse: Purse = Purse()
    given: claims.Given = claims.Given()
    rates: tuple[Rate, ...] = ()
    reference_taken: bool = False
    text: str = ""
    outages: tuple[Outage, ...] = ()
    breakers: tuple[Breaker, ...] = ()


def evolve(world: World, event: Event, moved: list[Transfer]) -> World:
    """The world after the event; `moved` are its transfers."""
    position = world.position + 1
    purse = apply(world.purse, moved) if moved else world.purse
    if isinstance(event, r.DisputeEvent):
        dispute = evolve_dispute(world.disputes.get(event.dispute), event, position)  # ty: ignore[invalid-argument-type]
        if type(event) in QUEUES and (change := queue_change(event)):
            purse = _queued(purse, change[0], change[2])
        disputes = {**world.disputes, event.dispute: dispute}
        return structs.replace(world, position=position, disputes=disputes, purse=purse)
    match event:
        case o.OrderPlaced() | o.OrderPaid() | o.OrderMoved() | o.OrderPaidOut() | o.OrderRated():
            order = o.evolve_order(world.order, event, position)
            return structs.replace(world, position=position, order=order, purse=purse)
        case c.ChargebackMoved():
            order = c.evolve_chargeback(order_of(world), event, position)
            return structs.replace(world, position=position, order=order, purse=purse)
        case m.OrderMessageWritten():
            order = m.evolve_message(order_of(world), position)
            return structs.replace(world, position=position, order=order)
        case outages.OutageEntered():
            known = outages.evolve_outages(world.outages, event, position)
            return structs.replace(world, position=position, outages=known)
        case BreakerSet() | CoverageStopped() | CoverageResumed():
            known = evolve_breakers(world.breakers, event)
            return structs.replace(world, position=position, breakers=known)
        case FundEvent():
            return structs.replace(world, position=position, purse=purse)
        case _:
            return structs.replace(world, position=position, store=p.evolve_store(world.store, event))


def apply(purse: Purse, moved: list[Transfer]) -> Purse:
    """The purse after the transfers."""
    changes: dict[str, int] = {}
    for t in moved:
        if name := _in_purse(t.source):
            changes[name] = changes.get(name, getattr(purse, name)) - t.minor
        if name := _in_purse(t.target):
            changes[name] = changes.get(name, getattr(purse, name)) + t.minor
    return structs.replace(purse, **changes) if changes else purse


@lru_cache(4096)
def _in_purse(account: str) -> str:
    """The purse's field for that account; empty where no rule reads it: a provider may be called `payable`, too."""
    name = kind_of(account)
    return name if name in IN_PURSE and keeps_balance(account) else ""


QUEUES = frozenset((r.RefundApproved, r.FundsReserved, r.RefundResolved))
"""The events that may begin or end a wait for money; all others are passed over at once."""


def queue_change(event: Event) -> tuple[str, str, int] | None:
    """What the event does to the refunds that wait: the account they wait for, its currency, one more or one less."""
    match event:
        case r.RefundApproved(waits=account) if account:
            return account, r.takes(event)[1], 1
        case r.FundsReserved():
            return event.account, event.currency, -1
        case r.RefundResolved(waited=account) if account:
            return account, event.fund_currency or event.currency, -1
        case _:
            return None


def order_of(world: World) -> o.Order:
    """The order that the command is about. Raises Refused: unknown_order."""
    if world.order is None:
        raise Refused("unknown_order", "no such order: place it first")
    return world.order


def _queued(purse: Purse, account: str, change: int) -> Purse:
    """The purse when so many more refunds wait for the account."""
    name = "queue" if account == AVAILABLE else f"{account.rpartition(':')[2]}_queue"
    return structs.replace(purse, **{name: getattr(purse, name) + change})
