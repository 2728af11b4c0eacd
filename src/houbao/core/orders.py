"""The order: its life, the snapshot of what was promised (R17), and its protection window.

placed → paid → shipped → delivered → confirmed | confirmation_timed_out        placed, paid, shipped → cancelled
"""

from datetime import datetime
from hashlib import sha256
from typing import Literal

import msgspec
from msgspec import Struct, structs

from houbao.core import money
from houbao.core.calendars import days_after
from houbao.core.programme import Coverage, Store
from houbao.core.terms import Actor, Record, Refused, check_aware, check_reference, check_words, tag_of

ReasonClass = Literal["INR", "SNAD", "REMORSE", "OTHER"]

REASONS: dict[str, ReasonClass] = {
    **dict.fromkeys(
        (
            "never_shipped",
            "in_transit_overdue",
            "tracking_invalid",
            "delivered_not_received",
            "held_by_customs",
            "returned_to_sender",
            "wrong_address",
        ),
        "INR",
    ),
    **dict.fromkeys(
        (
            "different_item",
            "wrong_variant",
            "not_as_pictured",
            "poor_quality",
            "defective",
            "damaged",
            "missing_parts",
            "short_quantity",
            "counterfeit",
        ),
        "SNAD",
    ),
    **dict.fromkeys(("changed_mind", "ordered_by_mistake", "no_longer_needed", "does_not_fit"), "REMORSE"),
    **dict.fromkeys(("overcharged", "customs_charge", "other"), "OTHER"),
}
"""Reason → class: INR not received, SNAD not as described, REMORSE no reason, OTHER."""

MOST_LINES = 200
MOST_PAYMENTS = 50
MOST_LISTING = 65_536
"""The most bytes of one listing's snapshot."""

RATINGS = ("description", "service", "logistics")
LEAST_RATING, BEST_RATING = 1, 5
"""What a buyer rates, and from how much to how much."""

Status = Literal["placed", "paid", "shipped", "delivered", "confirmed", "confirmation_timed_out", "cancelled"]
Tracking = Literal["moving", "invalid", "returned"]


class Listing(Record, frozen=True, kw_only=True):
    """What the buyer was shown: the listing and its disclosures (size tolerance, colour, voltage, delivery time …)."""

    title: str
    description: str = ""
    category: str = ""
    disclosures: dict[str, str] = {}
    photos: tuple[str, ...] = ()


class Line(Record, frozen=True, kw_only=True):
    """One line as it was sold; amounts are minor units for the whole line. `listing` is the snapshot's digest."""

    id: str
    quantity: int = 1
    item: int
    shipping: int = 0
    tax: int = 0
    category: str = ""
    listing: str = ""


class NewLine(Line, frozen=True, kw_only=True):
    """A line as the marketplace sends it, with the listing itself."""

    shown: Listing | None = None


class Payment(Record, frozen=True, kw_only=True):
    """One payment of an order. `cash` is false for vouchers, which are refunded last."""

    id: str
    provider: str
    minor: int
    cash: bool = True


# --- commands ------------------------------------------------------------------------------------------------------


class PlaceOrder(Record, frozen=True, kw_only=True, tag="place_order"):
    """An order of one store. `ship_by` is the seller's shipping limit, `promised_by` the promised delivery."""

    store: str
    reference: str
    buyer: str
    currency: str
    lines: tuple[NewLine, ...]
    payments: tuple[Payment, ...]
    ship_by: datetime
    promised_by: datetime
    at: datetime
    buyer_email: str = ""


class OrderFact(Record, frozen=True, kw_only=True):
    """Something that happened to an order at `at`, in the world."""

    order: int
    at: datetime


class Paid(OrderFact, frozen=True, kw_only=True, tag="paid"):
    """The payments arrived; `commission` is the platform's share (minor units)."""

    commission: int = 0


class Shipped(OrderFact, frozen=True, kw_only=True, tag="shipped"):
    """The seller handed the parcel over."""


class Tracked(OrderFact, frozen=True, kw_only=True, tag="tracking"):
    """A scan that matters: still moving, an invalid number, or on its way back."""

    state: Tracking


class Delivered(OrderFact, frozen=True, kw_only=True, tag="delivered"):
    """The carrier's delivery scan."""


class Confirmed(OrderFact, frozen=True, kw_only=True, tag="confirmed"):
    """The buyer confirmed receipt."""


class ConfirmationTimedOut(OrderFact, frozen=True, kw_only=True, tag="confirmation_timed_out"):
    """The buyer's time to confirm passed."""


class Cancelled(OrderFact, frozen=True, kw_only=True, tag="cancelled"):
    """The order was cancelled; what was paid may still be disputed."""

    party: Literal["buyer", "seller", "platform"] = "platform"


class PaidOut(OrderFact, frozen=True, kw_only=True, tag="paid_out"):
    """The seller was paid `minor` of what the platform owed for this order; `fee` is what the provider took for it from
    the platform (minor units)."""

    minor: int
    fee: int = 0


class Rated(OrderFact, frozen=True, kw_only=True, tag="rated"):
    """The buyer rated the order, 1 to 5 each; rated again, the later word holds."""

    description: int
    service: int
    logistics: int


Fact = Paid | Shipped | Tracked | Delivered | Confirmed | ConfirmationTimedOut | Cancelled | PaidOut | Rated

# --- events --------------------------------------------------------------------------------------------------------


class OrderEvent(Record, frozen=True, kw_only=True):
    """What every event of an order carries."""

    at: datetime
    by: str
    store: str


class OrderPlaced(OrderEvent, frozen=True, kw_only=True, tag="order_placed"):
    """An order is known, with the digests of what its buyer was shown. `country` is the store's: its business days
    count."""

    reference: str
    buyer: str
    currency: str
    lines: tuple[Line, ...]
    payments: tuple[Payment, ...]
    ship_by: datetime
    promised_by: datetime
    country: str = ""


class OrderPaid(OrderEvent, frozen=True, kw_only=True, tag="order_paid"):
    """The order is paid; its coverage is frozen here (R4). `premium` fills the fund, `repaid` goes off what the store
    owes (minor units); `awaited`: refunds wait for this money."""

    order: int
    currency: str
    payments: tuple[Payment, ...]
    commission: int = 0
    premium: int = 0
    repaid: int = 0
    awaited: bool = False
    coverage: Coverage


class OrderMoved(OrderEvent, frozen=True, kw_only=True, tag="order_moved"):
    """The order went on: shipped, delivered, confirmed, timed out, cancelled (by which party), or a scan that
    matters."""

    order: int
    to: str
    tracking: str = ""
    party: str = ""


class OrderPaidOut(OrderEvent, frozen=True, kw_only=True, tag="order_paid_out"):
    """The seller was paid out."""

    order: int
    currency: str
    provider: str
    minor: int
    fee: int = 0


class OrderRated(OrderEvent, frozen=True, kw_only=True, tag="order_rated"):
    """The buyer's ratings, 1 to 5."""

    order: int
    description: int
    service: int
    logistics: int


OrderEvents = OrderPlaced | OrderPaid | OrderMoved | OrderPaidOut | OrderRated

# --- state ---------------------------------------------------------------------------------------------------------


class Charge(Record, frozen=True, kw_only=True):
    """A chargeback as it stands: `minor` units of a payment that the buyer's bank asks back."""

    reference: str
    payment: str
    minor: int
    state: str


class Order(Record, frozen=True, kw_only=True):
    """An order as it stands. `history` holds the positions of its own events, `ratings` the buyer's of description,
    service and logistics."""

    id: int
    store: str
    reference: str
    buyer: str
    currency: str
    lines: tuple[Line, ...]
    payments: tuple[Payment, ...]
    ship_by: datetime
    promised_by: datetime
    placed_at: datetime
    status: str = "placed"
    tracking: str = ""
    tracking_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    closed_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_by: str = ""
    rated_at: datetime | None = None
    ratings: tuple[int, int, int] | None = None
    chargebacks: tuple[Charge, ...] = ()
    coverage: Coverage = Coverage()
    commission: int = 0
    premium: int = 0
    paid_out: int = 0
    country: str = ""
    history: tuple[int, ...] = ()


LIFE: dict[str, dict[str, str]] = {
    "placed": {"paid": "paid", "cancelled": "cancelled"},
    "paid": {
        "shipped": "shipped",
        "tracking": "paid",
        "delivered": "delivered",
        "cancelled": "cancelled",
        "paid_out": "paid",
    },
    "shipped": {"tracking": "shipped", "delivered": "delivered", "cancelled": "cancelled", "paid_out": "shipped"},
    "delivered": {
        "tracking": "delivered",
        "confirmed": "confirmed",
        "confirmation_timed_out": "confirmation_timed_out",
        "paid_out": "delivered",
        "rated": "delivered",
    },
    "confirmed": {"paid_out": "confirmed", "rated": "confirmed"},
    "confirmation_timed_out": {"paid_out": "confirmation_timed_out", "rated": "confirmation_timed_out"},
    "cancelled": {"paid_out": "cancelled"},
}
"""Status → what may happen → status after it."""


# --- the protection window -----------------------------------------------------------------------------------------


class Window(Struct, frozen=True, gc=False):
    """When a class of dispute may be opened: [opens, closes); None: not yet known."""

    opens: datetime | None
    closes: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether a dispute received at `now` is inside."""
        return self.opens is not None and self.closes is not None and self.opens <= now < self.closes


def protection_window(order: Order, kind: ReasonClass, days: int, now: datetime) -> Window:
    """When a dispute of that class may be opened, given the policy's days after delivery or promise.

    INR opens with the promised delivery; at once when the shipping limit passed unshipped, when the tracking is
    invalid or returned, when the order was cancelled, and when a delivery is claimed before the promise ran out. SNAD
    and REMORSE open with the delivery; OTHER with the payment.
    """
    if order.paid_at is None:
        return Window(None, None)
    if kind == "INR":
        starts = [order.promised_by]
        if order.shipped_at is None and order.delivered_at is None and order.ship_by <= now:
            starts.append(order.ship_by)
        if order.tracking in ("invalid", "returned") and order.tracking_at is not None:
            starts.append(order.tracking_at)
        starts += [at for at in (order.delivered_at, order.cancelled_at) if at is not None]
        return Window(max(min(starts), order.paid_at), days_after(order.promised_by, days))
    if kind == "OTHER":
        return Window(order.paid_at, days_after(order.delivered_at or order.promised_by, days))
    if order.delivered_at is None:
        return Window(None, None)
    return Window(order.delivered_at, days_after(order.delivered_at, days))


def matures_at(order: Order, days: int) -> datetime:
    """When no dispute can be opened on it any more that the fund or the seller would pay: what a covered order brought
    is paid out from then on. Without a delivery it counts from the promised one."""
    return days_after(max(order.promised_by, order.delivered_at or order.promised_by), days)


# --- decide --------------------------------------------------------------------------------------------------------


class Till(Struct, frozen=True, gc=False):
    """What deciding on an order's money may read: what its store is owed and owes (minor units), how much of a covered
    order is the premium (per mille), how many days it is protected, whether refunds wait for the money it brings."""

    payable: int = 0
    owed: int = 0
    premium: int = 0
    days: int = 0
    fund_awaits: bool = False
    store_awaits: bool = False


def listing_digest(listing: Listing) -> str:
    """The content address of a snapshot: SHA-256 of its JSON, hex."""
    return sha256(encode_listing(listing)).hexdigest()


def encode_listing(listing: Listing) -> bytes:
    """The very bytes that are stored and hashed."""
    return msgspec.json.encode(listing, order="sorted")


def decide_place(exists: bool, store: Store | None, command: PlaceOrder, by: Actor) -> list[OrderEvents]:
    """A new order. Raises Refused: not_permitted, bad_reference, unknown_store, order_exists, bad_currency,
    bad_amount, bad_lines, bad_payments, bad_words, text_too_long, naive_time, bad_time."""
    if by.role not in ("platform", "admin"):
        raise Refused("not_permitted", f"a {by.role} may not place orders; the marketplace does")
    for name, text in (("store", command.store), ("reference", command.reference), ("buyer", command.buyer)):
        check_reference(name, text)
    if store is None:
        raise Refused("unknown_store", f"no store {command.store}: register it first")
    if exists:
        raise Refused("order_exists", f"store {command.store} has an order {command.reference} already")
    for name, at in (("at", command.at), ("ship_by", command.ship_by), ("promised_by", command.promised_by)):
        check_aware(name, at)
    if command.currency not in money.DIGITS:
        raise Refused("bad_currency", f"{command.currency!r} is not an ISO 4217 currency")
    check_words("buyer_email", command.buyer_email)
    _check_lines(command.lines)
    _check_payments(command.payments)
    lines = tuple(
        Line(
            id=line.id,
            quantity=line.quantity,
            item=line.item,
            shipping=line.shipping,
            tax=line.tax,
            category=line.category or (line.shown.category if line.shown else ""),
            listing=listing_digest(line.shown) if line.shown else "",
        )
        for line in command.lines
    )
    return [
        OrderPlaced(
            at=command.at,
            by=str(by),
            store=command.store,
            reference=command.reference,
            buyer=command.buyer,
            currency=command.currency,
            lines=lines,
            payments=command.payments,
            ship_by=command.ship_by,
            promised_by=command.promised_by,
            country=store.country,
        )
    ]


def _check_lines(lines: tuple[NewLine, ...]) -> None:
    if not 1 <= len(lines) <= MOST_LINES or len({line.id for line in lines}) < len(lines):
        raise Refused("bad_lines", f"an order has 1 to {MOST_LINES} lines, each with its own id")
    for line in lines:
        check_reference("line id", line.id)
        check_words("category", line.category)
        if line.listing:
            check_reference("listing", line.listing)
        if line.shown:
            check_words("category", line.shown.category)
            if (size := len(encode_listing(line.shown))) > MOST_LISTING:
                raise Refused(
                    "text_too_long", f"the listing of line {line.id} takes {size} bytes, at most {MOST_LISTING}"
                )
        if not 1 <= line.quantity <= 1_000_000:
            raise Refused("bad_lines", f"line {line.id} has quantity {line.quantity}")
        for name, minor in (("item", line.item), ("shipping", line.shipping), ("tax", line.tax)):
            if not 0 <= minor <= money.LARGEST:
                raise Refused("bad_amount", f"{name} of line {line.id} is {minor}")


def _check_payments(payments: tuple[Payment, ...]) -> None:
    if len(payments) > MOST_PAYMENTS or len({p.id for p in payments}) < len(payments):
        raise Refused("bad_payments", f"an order has up to {MOST_PAYMENTS} payments, each with its own id")
    for payment in payments:
        check_reference("payment id", payment.id)
        check_reference("provider", payment.provider)
        if not 0 < payment.minor <= money.LARGEST:
            raise Refused("bad_amount", f"payment {payment.id} is {payment.minor}")


def decide_fact(order: Order, command: Fact, coverage: Coverage, till: Till, by: Actor) -> list[OrderEvents]:
    """What happened to an order. `coverage` is used at payment.

    Raises Refused: not_permitted, order_turn, bad_amount, bad_payments, payable_short, payout_above_order, not_mature,
    bad_rating, naive_time, bad_time."""
    if by.role not in ("platform", "admin"):
        raise Refused("not_permitted", f"a {by.role} may not report on orders; the marketplace does")
    check_aware("at", command.at)
    kind = tag_of(command)
    if kind not in LIFE[order.status]:
        raise Refused("order_turn", f"order {order.reference} is {order.status}: {kind} cannot happen now")
    who = str(by)
    if isinstance(command, Paid):
        return [_paid(order, command, coverage, till, who)]
    if isinstance(command, PaidOut):
        return [_paid_out(order, command, till, who)]
    if isinstance(command, Rated):
        return [_rated(order, command, who)]
    tracking = command.state if isinstance(command, Tracked) else ""
    party = command.party if isinstance(command, Cancelled) else ""
    return [
        OrderMoved(at=command.at, by=who, store=order.store, order=order.id, to=kind, tracking=tracking, party=party)
    ]


def _rated(order: Order, command: Rated, who: str) -> OrderRated:
    figures = {name: getattr(command, name) for name in RATINGS}
    for name, figure in figures.items():
        if not LEAST_RATING <= figure <= BEST_RATING:
            raise Refused("bad_rating", f"{name} is {figure}: give {LEAST_RATING} to {BEST_RATING}")
    return OrderRated(at=command.at, by=who, store=order.store, order=order.id, **figures)


def _paid(order: Order, command: Paid, coverage: Coverage, till: Till, by: str) -> OrderPaid:
    paid = sum(payment.minor for payment in order.payments)
    if not paid:
        raise Refused("bad_payments", f"order {order.reference} was placed without payments: nothing was paid")
    if not 0 <= command.commission <= paid:
        raise Refused("bad_amount", f"the commission is {command.commission}, the order was paid {paid}")
    premium = 0
    if coverage.covered and coverage.mode == "premium":
        premium = min(money.part(paid, till.premium, 1000), paid - command.commission)
    left = paid - command.commission - premium
    return OrderPaid(
        at=command.at,
        by=by,
        store=order.store,
        order=order.id,
        currency=order.currency,
        payments=order.payments,
        commission=command.commission,
        premium=premium,
        repaid=max(0, min(till.owed, till.payable + left)),
        awaited=till.store_awaits or (premium > 0 and till.fund_awaits),
        coverage=coverage,
    )


def _paid_out(order: Order, command: PaidOut, till: Till, by: str) -> OrderPaidOut:
    if order.paid_at is None:
        raise Refused("order_turn", f"order {order.reference} was never paid: nothing can be paid out for it")
    if not 0 < command.minor <= money.LARGEST or not 0 <= command.fee <= money.LARGEST:
        raise Refused("bad_amount", f"the payout is {command.minor}, its fee {command.fee}")
    if command.minor > till.payable:
        raise Refused("payable_short", f"store {order.store} is owed {till.payable}, not {command.minor}")
    brought = sum(payment.minor for payment in order.payments) - order.commission - order.premium
    if command.minor > brought - order.paid_out:
        raise Refused(
            "payout_above_order",
            f"order {order.reference} brought the store {brought}, of which {order.paid_out} were paid out before",
        )
    if order.coverage.covered and command.at < (mature := matures_at(order, till.days)):
        raise Refused(
            "not_mature",
            f"what the covered order {order.reference} brought is paid out from {mature.isoformat()} on",
            matures_at=mature.isoformat(),
        )
    return OrderPaidOut(
        at=command.at,
        by=by,
        store=order.store,
        order=order.id,
        currency=order.currency,
        provider=order.payments[0].provider,
        minor=command.minor,
        fee=command.fee,
    )


# --- evolve --------------------------------------------------------------------------------------------------------

_MOVED_AT = {
    "shipped": "shipped_at",
    "delivered": "delivered_at",
    "confirmed": "closed_at",
    "confirmation_timed_out": "closed_at",
    "cancelled": "cancelled_at",
}


def evolve_order(order: Order | None, event: OrderEvents, position: int) -> Order:
    """The order after the event at `position`."""
    if isinstance(event, OrderPlaced):
        return Order(
            id=position,
            store=event.store,
            reference=event.reference,
            buyer=event.buyer,
            currency=event.currency,
            lines=event.lines,
            payments=event.payments,
            ship_by=event.ship_by,
            promised_by=event.promised_by,
            placed_at=event.at,
            country=event.country,
            history=(position,),
        )
    assert order is not None
    history = (*order.history, position)
    match event:
        case OrderPaid():
            return structs.replace(
                order,
                status="paid",
                paid_at=event.at,
                commission=event.commission,
                premium=event.premium,
                coverage=event.coverage,
                history=history,
            )
        case OrderMoved(to="tracking"):
            return structs.replace(order, tracking=event.tracking, tracking_at=event.at, history=history)
        case OrderMoved():
            status, when = LIFE[order.status][event.to], {_MOVED_AT[event.to]: event.at}
            by = event.party or order.cancelled_by
            return structs.replace(order, status=status, cancelled_by=by, history=history, **when)
        case OrderPaidOut():
            return structs.replace(order, paid_out=order.paid_out + event.minor, history=history)
        case OrderRated():
            ratings = (event.description, event.service, event.logistics)
            return structs.replace(order, rated_at=event.at, ratings=ratings, history=history)
