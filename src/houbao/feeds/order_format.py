"""The order format: one order, or one event of an order, as JSON (docs/order-format.md). Files and the API take the
same documents, so the shapes and what they mean stand here once.

A document is checked for its shape alone; what an order may say is decided in `core/placing.py` and
`core/fulfilment.py`.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from houbao.core import orders as o
from houbao.core.chargebacks import Chargeback
from houbao.core.money import Money
from houbao.core.terms import Refused
from houbao.feeds.sold import SoldOrder

T = TypeVar("T")

# --- an order ------------------------------------------------------------------------------------------------------


class Document(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What stands in a file or a request; a field that is not known is refused, since it may be a misspelt one."""


class LineDocument(Document, frozen=True, kw_only=True):
    """A line as it was sold; amounts are for the whole line. `listing` is what its buyer was shown."""

    id: str
    quantity: int = 1
    item: Money
    shipping: Money | None = None
    tax: Money | None = None
    category: str = ""
    listing: o.Listing | None = None


class PaymentDocument(Document, frozen=True, kw_only=True):
    """A payment; `cash` is false for vouchers, which are refunded last."""

    id: str
    provider: str
    amount: Money
    cash: bool = True


class OrderDocument(Document, frozen=True, kw_only=True):
    """An order of one store, with what has happened to it so far: each `…_at` is an event."""

    store_id: str
    reference: str
    buyer_id: str
    buyer_email: str = ""
    buyer_language: str = ""
    buyer_zone: str = ""
    currency: str
    placed_at: datetime
    ship_by: datetime
    promised_by: datetime
    lines: tuple[LineDocument, ...]
    payments: tuple[PaymentDocument, ...] = ()
    commission: Money | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    confirmed_at: datetime | None = None
    confirmation_timed_out_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_by: Literal["buyer", "seller", "platform"] = "platform"
    cancelled_reason: str = ""


# --- an event of an order ------------------------------------------------------------------------------------------


class EventDocument(Document, frozen=True, kw_only=True, tag_field="type"):
    """Of which order an event is: its `reference`, with the store; or Houbao's id alone. Where a path names the order,
    both are left out. `id` tells two events apart that say the same."""

    store_id: str = ""
    order: str = ""
    id: str = ""


class DatedDocument(EventDocument, frozen=True, kw_only=True):
    """An event that says when it was; one that is reported alone, over HTTP, is now where it does not say."""

    at: datetime | None = None


class PaidDocument(DatedDocument, frozen=True, kw_only=True, tag="paid"):
    """The payments arrived; `commission` is the platform's share."""

    commission: Money | None = None


class ShippedDocument(DatedDocument, frozen=True, kw_only=True, tag="shipped"):
    """The seller handed the parcel over."""


class TrackingDocument(DatedDocument, frozen=True, kw_only=True, tag="tracking"):
    """A scan that matters; `in_transit` is another word for `moving`."""

    state: Literal["moving", "in_transit", "invalid", "returned"]


class DeliveredDocument(DatedDocument, frozen=True, kw_only=True, tag="delivered"):
    """The carrier's delivery scan."""


class ConfirmedDocument(DatedDocument, frozen=True, kw_only=True, tag="confirmed"):
    """The buyer confirmed receipt."""


class ConfirmationTimedOutDocument(DatedDocument, frozen=True, kw_only=True, tag="confirmation_timed_out"):
    """The buyer's time to confirm passed."""


class CancelledDocument(DatedDocument, frozen=True, kw_only=True, tag="cancelled"):
    """The order was cancelled: by whom, for which reason in a few words (at most 200 characters). It is kept for good:
    name nobody in it."""

    by: Literal["buyer", "seller", "platform"] = "platform"
    reason: str = ""


class RatedDocument(DatedDocument, frozen=True, kw_only=True, tag="rated"):
    """The buyer's ratings, 1 to 5."""

    description: int
    service: int
    logistics: int


class PaidOutDocument(DatedDocument, frozen=True, kw_only=True, tag="paid_out"):
    """The seller was paid out; `fee` is what the provider took for it from the platform."""

    amount: Money
    fee: Money | None = None


class ChargebackDocument(EventDocument, frozen=True, kw_only=True, tag="chargeback"):
    """The buyer's bank asks for the payment `payment_id` back (`payment` is its older name), by the bank's `reference`;
    it counts from when Houbao hears of it, so `at` may be left out."""

    at: datetime | None = None
    payment_id: str = ""
    payment: str = ""
    reference: str
    amount: Money
    state: Literal["opened", "won", "lost"]


OrderEventDocument = (
    PaidDocument
    | ShippedDocument
    | TrackingDocument
    | DeliveredDocument
    | ConfirmedDocument
    | ConfirmationTimedOutDocument
    | CancelledDocument
    | RatedDocument
    | PaidOutDocument
    | ChargebackDocument
)
Command = o.Fact | Chargeback

# --- reading -------------------------------------------------------------------------------------------------------


def decode_order(body: bytes) -> OrderDocument:
    """An order from its JSON. Raises Refused: bad_field, which names the field."""
    return _read(_order_of_json, body)


def decode_event(body: bytes) -> OrderEventDocument:
    """An event of a file from its JSON. Raises Refused: bad_field."""
    return _of_file(_read(_event_of_json, body))


def order_from(plain: object) -> OrderDocument:
    """An order from decoded JSON or a row of a table. Raises Refused: bad_field."""
    return _read(_order_of_plain, plain)


def event_from(plain: object) -> OrderEventDocument:
    """An event from decoded JSON or a row of a table. Raises Refused: bad_field."""
    return _of_file(_read(_event_of_plain, plain))


def _of_file(event: OrderEventDocument) -> OrderEventDocument:
    """The event; a file is read some time later, so it says when each was. Raises Refused: bad_field."""
    if isinstance(event, ChargebackDocument):
        _payment(event)
    else:
        _at(event, None)
    return event


def _order_of_plain(plain: Any) -> OrderDocument:
    return msgspec.convert(plain, OrderDocument)


def _event_of_plain(plain: Any) -> OrderEventDocument:
    return msgspec.convert(plain, OrderEventDocument)


_order_of_json = msgspec.json.Decoder(OrderDocument).decode
_event_of_json = msgspec.json.Decoder(OrderEventDocument).decode


def _read(decode: Callable[[Any], T], source: object) -> T:
    try:
        return decode(source)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        raise bad_field(error) from None


def bad_field(error: Exception, item: str = "") -> Refused:
    """The refusal of what has another shape: which field (empty where it is no JSON at all), and why. `item` is the
    place of what was read in a list, such as `[2]`."""
    said, _, at = str(error).partition(" - at `$")
    at = at.rstrip("`").lstrip(".")
    unnamed = re.search(r"(?:missing required|contains unknown) field `(.*?)`", said)
    field = ".".join(part for part in (item, at, unnamed[1] if unnamed else "") if part)
    return Refused("bad_field", f"{field}: {said}" if field else said, field=field)


# --- what it means -------------------------------------------------------------------------------------------------


def order_of(document: OrderDocument) -> SoldOrder:
    """The order as commands: how it was placed, and the facts so far in the order in which an order lives.

    Raises Refused: bad_currency where an amount is in another currency than the order."""
    place = o.PlaceOrder(
        store=document.store_id,
        reference=document.reference,
        buyer=document.buyer_id,
        currency=document.currency,
        lines=tuple([_line(line, document.currency) for line in document.lines]),
        payments=tuple(
            [
                o.Payment(
                    id=p.id, provider=p.provider, minor=_minor("amount", p.amount, document.currency), cash=p.cash
                )
                for p in document.payments
            ]
        ),
        ship_by=document.ship_by,
        promised_by=document.promised_by,
        at=document.placed_at,
        buyer_email=document.buyer_email,
        buyer_language=document.buyer_language,
        buyer_zone=document.buyer_zone,
    )
    return SoldOrder(place=place, facts=_facts(document))


def _line(line: LineDocument, currency: str) -> o.NewLine:
    return o.NewLine(
        id=line.id,
        quantity=line.quantity,
        item=_minor("item", line.item, currency),
        shipping=_minor("shipping", line.shipping, currency),
        tax=_minor("tax", line.tax, currency),
        category=line.category,
        shown=line.listing,
    )


def _facts(document: OrderDocument) -> tuple[o.Fact, ...]:
    facts: list[o.Fact] = []
    if document.paid_at:
        commission = _minor("commission", document.commission, document.currency)
        facts.append(o.Paid(order=0, at=document.paid_at, commission=commission))
    if document.shipped_at:
        facts.append(o.Shipped(order=0, at=document.shipped_at))
    if document.delivered_at:
        facts.append(o.Delivered(order=0, at=document.delivered_at))
    if document.confirmed_at:
        facts.append(o.Confirmed(order=0, at=document.confirmed_at))
    if document.confirmation_timed_out_at:
        facts.append(o.ConfirmationTimedOut(order=0, at=document.confirmation_timed_out_at))
    if document.cancelled_at:
        by, reason = document.cancelled_by, document.cancelled_reason
        facts.append(o.Cancelled(order=0, at=document.cancelled_at, party=by, reason=reason))
    return tuple(facts)


def event_of(document: OrderEventDocument, order: int, currency: str, now: datetime | None = None) -> Command:
    """The event as a command on the order of that number, which was sold in `currency`; it was `now` where it does not
    say when.

    Raises Refused: bad_currency, bad_field."""
    if isinstance(document, ChargebackDocument):
        minor = _minor("amount", document.amount, currency)
        payment, reference = _payment(document), document.reference
        return Chargeback(order=order, payment=payment, reference=reference, minor=minor, state=document.state)
    at = _at(document, now)
    match document:
        case PaidDocument():
            commission = _minor("commission", document.commission, currency)
            return o.Paid(order=order, at=at, commission=commission)
        case ShippedDocument():
            return o.Shipped(order=order, at=at)
        case TrackingDocument():
            state = "moving" if document.state == "in_transit" else document.state
            return o.Tracked(order=order, at=at, state=state)
        case DeliveredDocument():
            return o.Delivered(order=order, at=at)
        case ConfirmedDocument():
            return o.Confirmed(order=order, at=at)
        case ConfirmationTimedOutDocument():
            return o.ConfirmationTimedOut(order=order, at=at)
        case CancelledDocument():
            return o.Cancelled(order=order, at=at, party=document.by, reason=document.reason)
        case RatedDocument():
            ratings = {name: getattr(document, name) for name in o.RATINGS}
            return o.Rated(order=order, at=at, **ratings)
        case PaidOutDocument():
            minor, fee = (_minor(name, getattr(document, name), currency) for name in ("amount", "fee"))
            return o.PaidOut(order=order, at=at, minor=minor, fee=fee)


def is_undated(document: OrderEventDocument) -> bool:
    """Whether it is a fact of the order's life that does not say when it was."""
    return isinstance(document, DatedDocument) and document.at is None


def _at(document: DatedDocument, now: datetime | None) -> datetime:
    at = document.at or now
    if at is None:
        raise Refused("bad_field", "at: say when it was", field="at")
    return at


def _payment(document: ChargebackDocument) -> str:
    """The payment that a bank asks back, by either name."""
    named = {document.payment_id, document.payment} - {""}
    if len(named) != 1:
        found = "two payments are named" if named else "no payment is named"
        raise Refused("bad_field", f"payment_id: {found}; name the one that the bank asks back", field="payment_id")
    return named.pop()


def _minor(name: str, amount: Money | None, currency: str) -> int:
    """The minor units of an amount of the order; nothing where there is none."""
    if amount is None:
        return 0
    if amount.currency != currency:
        raise Refused("bad_currency", f"{name} is in {amount.currency}, the order in {currency}")
    return amount.minor
