"""The order: its life, the snapshot of what was promised (R17), and its protection window.

placed → paid → shipped → delivered → confirmed | confirmation_timed_out        placed, paid, shipped → cancelled
"""

from datetime import datetime
from typing import Literal

from msgspec import structs

from houbao.core.programme import Coverage
from houbao.core.terms import Record

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
    """The order was cancelled, for a `reason` in a few words of the marketplace's own, which stands in the event for
    good and so names nobody; what was paid may still be disputed."""

    party: Literal["buyer", "seller", "platform"] = "platform"
    reason: str = ""


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


Once = Paid | Shipped | Delivered | Confirmed | ConfirmationTimedOut | Cancelled
"""What happens to an order once."""


class PlaceOrder(Record, frozen=True, kw_only=True, tag="place_order"):
    """An order of one store. `ship_by` is the seller's shipping limit, `promised_by` the promised delivery. The buyer
    is written to at `buyer_email`, in `buyer_language` (BCP 47) and by the clocks of `buyer_zone`; all three are kept
    erasable. `facts` are what has happened to it so far (their `order` says nothing): all of it comes in, or nothing.
    """

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
    buyer_language: str = ""
    buyer_zone: str = ""
    facts: tuple[Once, ...] = ()


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
    """The order went on: shipped, delivered, confirmed, timed out, cancelled (by which party, for what reason), or a
    scan that matters."""

    order: int
    to: str
    tracking: str = ""
    party: str = ""
    reason: str = ""


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
    """A chargeback as it stands, since `at`: `minor` units of a payment that the buyer's bank asks back."""

    reference: str
    payment: str
    minor: int
    state: str
    at: datetime


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
        case OrderMoved():
            if event.to == "tracking":
                return structs.replace(order, tracking=event.tracking, tracking_at=event.at, history=history)
            status, when = LIFE[order.status][event.to], {_MOVED_AT[event.to]: event.at}
            by = event.party or order.cancelled_by
            return structs.replace(order, status=status, cancelled_by=by, history=history, **when)
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
        case OrderPaidOut():
            return structs.replace(order, paid_out=order.paid_out + event.minor, history=history)
        case OrderRated():
            ratings = (event.description, event.service, event.logistics)
            return structs.replace(order, rated_at=event.at, ratings=ratings, history=history)
