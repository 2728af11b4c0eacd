"""Orders and stores as the API shows them."""

from datetime import datetime

from msgspec import Struct

from houbao.core.money import Money
from houbao.core.orders import Order
from houbao.core.programme import Store
from houbao.web.api.shapes import dispute_id, order_id


class CoverageView(Struct, kw_only=True):
    """Whether the order is covered, frozen at payment; `reason` says why not."""

    covered: bool
    reason: str
    programme: str
    policy_version: str


class OrderLineView(Struct, kw_only=True):
    """A line as it was sold; amounts are of the whole line. `listing` is the digest of what the buyer was shown."""

    id: str
    quantity: int
    item: Money
    shipping: Money
    tax: Money
    category: str
    listing: str


class PaymentView(Struct, kw_only=True):
    """One payment of an order."""

    id: str
    provider: str
    amount: Money
    cash: bool


class OrderView(Struct, kw_only=True):
    """An order with its coverage."""

    id: str
    reference: str
    store_id: str
    buyer_id: str
    status: str
    currency: str
    placed_at: datetime
    ship_by: datetime
    promised_by: datetime
    paid_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    closed_at: datetime | None
    cancelled_at: datetime | None
    lines: list[OrderLineView]
    payments: list[PaymentView]
    coverage: CoverageView
    disputes: list[str]


def order_view(order: Order, disputes: list[int]) -> OrderView:
    """An order as the API shows it."""
    currency = order.currency
    return OrderView(
        id=order_id(order.id),
        reference=order.reference,
        store_id=order.store,
        buyer_id=order.buyer,
        status=order.status,
        currency=currency,
        placed_at=order.placed_at,
        ship_by=order.ship_by,
        promised_by=order.promised_by,
        paid_at=order.paid_at,
        shipped_at=order.shipped_at,
        delivered_at=order.delivered_at,
        closed_at=order.closed_at,
        cancelled_at=order.cancelled_at,
        lines=[
            OrderLineView(
                id=line.id,
                quantity=line.quantity,
                item=Money(line.item, currency),
                shipping=Money(line.shipping, currency),
                tax=Money(line.tax, currency),
                category=line.category,
                listing=line.listing,
            )
            for line in order.lines
        ],
        payments=[
            PaymentView(id=one.id, provider=one.provider, amount=Money(one.minor, currency), cash=one.cash)
            for one in order.payments
        ],
        coverage=CoverageView(
            covered=order.coverage.covered,
            reason=order.coverage.reason or ("not_paid" if order.paid_at is None else ""),
            programme=order.coverage.programme,
            policy_version=order.coverage.policy,
        ),
        disputes=[dispute_id(number) for number in disputes],
    )


class EnrolmentView(Struct, kw_only=True):
    """A stretch of membership."""

    programme: str
    joined: datetime
    left: datetime | None


class StoreView(Struct, kw_only=True):
    """A store; `enrolled` is whether it is in a programme now."""

    id: str
    country: str
    zone: str
    enrolled: bool
    enrolments: list[EnrolmentView]
    watched_since: datetime | None


def store_view(store: Store, now: datetime) -> StoreView:
    """A store as the API shows it."""
    return StoreView(
        id=store.id,
        country=store.country,
        zone=store.zone,
        enrolled=any(one.joined <= now and (one.left is None or now < one.left) for one in store.enrolments),
        enrolments=[
            EnrolmentView(programme=one.programme, joined=one.joined, left=one.left) for one in store.enrolments
        ],
        watched_since=store.watch.since if store.watch else None,
    )
