"""Whose money a refund takes, what happens where it is short, and what a store owes that nobody will ever pay.

A seller's refund is taken from what the store is owed, then from its deposit, then advanced by the platform up to the
policy's cap. In deposit mode the fund pays out of the store's own deposit. Where money is short a refund waits for its
account, the first approved first.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import structs

from houbao.core.accounts import AVAILABLE, kind_of, store_account
from houbao.core.exchange import Rate, convert, rate_at
from houbao.core.moves import DisputeEvent
from houbao.core.orders import Order
from houbao.core.refunds import InFund, Refund, takes
from houbao.core.rulings import Caps
from houbao.core.scene import Purse, Scene
from houbao.core.terms import Record

Legs = tuple[tuple[str, int], ...]

# --- commands ------------------------------------------------------------------------------------------------------


class WriteOff(Record, frozen=True, kw_only=True, tag="write_off"):
    """What was advanced for a refund of this dispute will never be paid back: one of finance proposes it, another signs
    with the same command."""

    dispute: int


# --- events --------------------------------------------------------------------------------------------------------


class WriteOffProposed(DisputeEvent, frozen=True, kw_only=True, tag="write_off_proposed"):
    """One of two has signed."""


class DebtWrittenOff(DisputeEvent, frozen=True, kw_only=True, tag="debt_written_off"):
    """Both have signed: the store owes `minor` less, which the platform bears."""

    refund: int
    minor: int
    currency: str


# --- whose money ---------------------------------------------------------------------------------------------------


def drawn_on(order: Order, payer: str) -> str:
    """The account that a refund by that payer takes its money from first; empty where it is the platform's expense."""
    match payer:
        case "seller":
            return store_account(order.store, "payable")
        case "fund" if order.coverage.mode == "deposit":
            return store_account(order.store, "deposit")
        case "fund":
            return AVAILABLE
        case _:
            return ""


def draw(account: str, purse: Purse, minor: int, advance: int | None) -> Legs | None:
    """Where `minor` units drawn on that account are taken from, as (account kind, minor), empty for the fund; None
    where it is short. `advance` is what the platform advances to a seller at most, together with what the store owes
    already; without a limit where it is None."""
    if account == AVAILABLE:
        return () if purse.available >= minor else None
    own = kind_of(account)
    payable = max(0, min(minor, purse.payable)) if own == "payable" else 0
    # A deposit that others wait for is theirs first.
    deposit = 0 if own == "payable" and purse.deposit_queue else max(0, min(minor - payable, purse.deposit))
    rest = minor - payable - deposit
    room = 0 if own == "deposit" else max(0, (advance or 0) + purse.receivable)
    if rest and advance is not None and rest > room:
        return None
    return tuple(leg for leg in (("payable", payable), ("deposit", deposit), ("receivable", rest)) if leg[1])


def in_fund(order: Order, minor: int, rates: tuple[Rate, ...], at: datetime) -> InFund | None:
    """What `minor` units of an order in another currency take of the fund; None where no rate is known that is young
    enough at that time."""
    currency = order.coverage.currency
    rate = rate_at(rates, currency, order.currency, at)
    if rate is None:
        return None
    return InFund(minor=convert(minor, order.currency, currency, rate), currency=currency, rate=rate)


def spent(purse: Purse, minor: int, legs: Legs) -> Purse:
    """The purse when `minor` units were taken from it in these legs."""
    if not legs:
        return structs.replace(purse, available=purse.available - minor)
    return structs.replace(purse, **{kind: getattr(purse, kind) - part for kind, part in legs})


def waiting_for(purse: Purse, account: str) -> int:
    """How many refunds wait for that account."""
    return {"available": purse.queue, "deposit": purse.deposit_queue, "payable": purse.payable_queue}[kind_of(account)]


def fund_room(caps: Caps, refunds: Iterable[Refund]) -> int | None:
    """What the fund may still pay for a dispute with those refunds, by the policy's limit (minor units of the fund's
    currency); None where there is no limit."""
    if caps.per_dispute is None:
        return None
    return max(0, caps.per_dispute - sum(map(_of_fund, refunds)))


def _of_fund(refund: Refund) -> int:
    if refund.payer != "fund":
        return 0
    # What was given up of a refund has no shares any more.
    return sum(share.fund_minor for share in refund.shares) if refund.in_fund else refund.minor


def added(wanted: int, available: int, waiting: int, left: int) -> int:
    """What the treasury adds for a refund of `wanted` that waits too long: what the fund lacks for it or, where others
    wait too, all of it; no more than is `left` of the policy's limit (minor units)."""
    return max(0, min(wanted - (available if waiting == 1 else 0), left))


def backstop_for(refund: Refund, scene: Scene) -> int:
    """What the treasury adds to the fund for a refund that waits too long, up to the policy's cap: what it lacks, or
    where others wait too, all of it (minor units)."""
    purse = scene.purse
    return added(takes(refund)[0], purse.available, purse.queue, scene.caps.backstop + purse.backstop)


def advanced(refund: Refund) -> int:
    """What the platform advanced for it (minor units)."""
    return dict(refund.legs).get("receivable", 0)
