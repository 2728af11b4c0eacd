"""An order becomes known: what the marketplace must say of it, and the snapshot of what its buyer was shown (R17)."""

from hashlib import sha256

import msgspec

from houbao.core import money
from houbao.core.orders import Line, Listing, NewLine, Order, OrderPlaced, Payment, PlaceOrder
from houbao.core.programme import Store
from houbao.core.terms import Actor, Refused, check_aware, check_language, check_reference, check_words

MOST_LINES = 200
MOST_PAYMENTS = 50
MOST_LISTING = 65_536
"""The most bytes of one listing's snapshot."""


def encode_listing(listing: Listing) -> bytes:
    """The very bytes that are stored and hashed."""
    return msgspec.json.encode(listing, order="sorted")


def decide_place(exists: bool, store: Store | None, command: PlaceOrder, by: Actor) -> OrderPlaced:
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
    check_words("buyer_zone", command.buyer_zone)
    check_language("buyer_language", command.buyer_language)
    _check_lines(command.lines)
    lines = tuple(map(_line, command.lines))
    _check_payments(command.payments)
    return OrderPlaced(
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


def difference(order: Order, command: PlaceOrder) -> str:
    """The first field in which an order is not as the command would place it; empty where it is."""
    said = {name: getattr(command, name) for name in ("buyer", "currency", "payments", "ship_by", "promised_by")}
    said["placed_at"] = command.at
    if differs := next((name for name, value in said.items() if getattr(order, name) != value), ""):
        return differs
    try:
        lines = tuple(map(_line, command.lines))
    except Refused:  # no order has such a line
        return "lines"
    return "" if lines == order.lines else "lines"


def _line(line: NewLine) -> Line:
    """A line as it is kept: with the digest of what was shown instead of it (SHA-256 of its JSON, hex).
    Raises Refused: text_too_long."""
    listing = ""
    if line.shown:
        snapshot = encode_listing(line.shown)
        if len(snapshot) > MOST_LISTING:
            said = f"the listing of line {line.id} takes {len(snapshot)} bytes, at most {MOST_LISTING}"
            raise Refused("text_too_long", said)
        listing = sha256(snapshot).hexdigest()
    return Line(
        id=line.id,
        quantity=line.quantity,
        item=line.item,
        shipping=line.shipping,
        tax=line.tax,
        category=line.category or (line.shown.category if line.shown else ""),
        listing=listing,
    )


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
