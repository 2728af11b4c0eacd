"""Shopify's order, fulfillment, fulfillment event, refund and dispute objects (Admin API), as files of them are
exported (docs/how-to/import-orders.md says what becomes of each field)."""

from collections.abc import Callable, Iterator
from typing import Any

from houbao.core.terms import Refused
from houbao.feeds.files import Ignored
from houbao.feeds.order_format import event_from
from houbao.feeds.shops import Shop, minor, needed, object_of, objects, slug, spread, text, whole

WRAPPED = ("order", "fulfillment", "fulfillment_event", "refund", "dispute", "transaction")
SIGNS = {
    "financial_status": "order",
    "refund_line_items": "refund",
    "happened_at": "fulfillment_event",
    "tracking_number": "fulfillment",
    "evidence_due_by": "dispute",
    "authorization": "transaction",
}
"""A field by which an object that is not wrapped is known, and what it then is."""

PAID = ("paid", "partially_refunded", "refunded")
CANCELLED_BY = {"customer": "buyer", "inventory": "seller", "staff": "seller"}
MOVING = ("in_transit", "out_for_delivery", "attempted_delivery")
CHARGES = {
    "needs_response": "opened",
    "under_review": "opened",
    "won": "won",
    "lost": "lost",
    "accepted": "lost",
    "charge_refunded": "lost",
}


def reader(shop: Shop) -> Callable[[Any], Iterator[Any]]:
    """Makes rows of an exported object: an order, or events of one."""

    def read(plain: Any) -> Iterator[Any]:
        for kind, one in _kinds(plain):
            try:
                yield READ[kind](one, shop)
            except Refused as refused:
                yield refused

    return read


def _kinds(plain: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(plain, dict):
        raise Refused("bad_field", "this is no JSON object", field="")
    for name in WRAPPED:
        if name in plain and isinstance(plain[name], dict):
            yield name, plain[name]
            return
        if isinstance(plain.get(f"{name}s"), list) and "id" not in plain:
            yield from ((name, one) for one in objects(f"{name}s", plain[f"{name}s"]))
            return
    kind = next((kind for sign, kind in SIGNS.items() if sign in plain), "")
    if not kind:
        raise Refused("bad_field", f"this is none of {', '.join(WRAPPED)}", field="")
    yield kind, plain


def _order(plain: dict[str, Any], shop: Shop) -> Any:
    if plain.get("test") is True:
        return Ignored("test_order")
    needed(plain, "id", "currency", "created_at", "financial_status", "line_items")
    currency = text("currency", plain["currency"])
    lines = _lines(plain, currency)
    refunded = sum(
        minor("refunds.transactions.amount", one.get("amount"), currency)
        for refund in objects("refunds", plain.get("refunds"))
        for one in objects("refunds.transactions", refund.get("transactions"))
        if one.get("kind") == "refund" and one.get("status") == "success"
    )
    total = minor("total_price", plain.get("total_price"), currency)
    by = text("cancel_reason", plain.get("cancel_reason")) or "other"
    shipped, delivered = _parcels(plain, shop)
    cancelled = shop.first(plain, "cancelled_at")
    customer = object_of("customer", plain.get("customer"))
    return shop.order(
        plain,
        lines,
        total - refunded,
        currency=currency,
        gateway=_gateway(plain),
        buyer_id=str(customer.get("id") or f"guest-{plain['id']}"),
        buyer_email=plain.get("email"),
        placed_at=shop.time("created_at", plain["created_at"]),
        paid_at=shop.first(plain, "processed_at", "created_at") if plain["financial_status"] in PAID else None,
        shipped_at=shipped,
        delivered_at=delivered,
        cancelled_at=cancelled,
        cancelled_by=CANCELLED_BY.get(by, "platform") if cancelled else None,
        cancelled_reason=slug(by) if cancelled else None,
    )


def _gateway(plain: dict[str, Any]) -> str:
    names = plain.get("payment_gateway_names") or [plain.get("gateway")]
    if not isinstance(names, list):
        raise Refused("bad_field", f"payment_gateway_names is {names!r}, no list", field="payment_gateway_names")
    return text("payment_gateway_names", names[0])


def _lines(plain: dict[str, Any], currency: str) -> list[dict[str, Any]]:
    """The lines: price × quantity less discounts; taxes, and shipping with its own, spread where no line says them."""
    lines = []
    items = objects("line_items", plain["line_items"])
    allocated = 0
    for item in items:
        needed(item, "id", "price", "quantity")
        off = sum(
            minor("discount_allocations.amount", one.get("amount"), currency)
            for one in objects("discount_allocations", item.get("discount_allocations"))
        )
        allocated += off
        tax = _taxes(item, currency)
        quantity = whole("quantity", item["quantity"])
        price = minor("price", item["price"], currency) * quantity - off
        shown = {"variant": item.get("variant_title"), "sku": item.get("sku")}
        lines.append(
            {
                "id": str(item["id"]),
                "quantity": quantity,
                "item": price - tax if plain.get("taxes_included") else price,
                "shipping": 0,
                "tax": tax,
                "listing": {
                    "title": str(item.get("name") or item.get("title") or ""),
                    "disclosures": {name: str(said) for name, said in shown.items() if said},
                },
            }
        )
    shipping = 0
    for one in objects("shipping_lines", plain.get("shipping_lines")):
        shipping += minor("shipping_lines.price", one.get("discounted_price") or one.get("price"), currency)
        shipping += 0 if plain.get("taxes_included") else _taxes(one, currency)
    if not allocated:
        spread(lines, "item", -minor("total_discounts", plain.get("total_discounts"), currency))
    if not any(line["tax"] for line in lines) and not plain.get("taxes_included"):
        spread(lines, "tax", minor("total_tax", plain.get("total_tax"), currency))
    spread(lines, "shipping", shipping)
    return lines


def _taxes(plain: dict[str, Any], currency: str) -> int:
    taxes = objects("tax_lines", plain.get("tax_lines"))
    return sum(minor("tax_lines.price", one.get("price"), currency) for one in taxes)


def _parcels(plain: dict[str, Any], shop: Shop) -> tuple[Any, Any]:
    """When the first parcel was handed over, and when the last one arrived, where all did."""
    parcels = [one for one in objects("fulfillments", plain.get("fulfillments")) if _goes(one)]
    shipped = [shop.time("created_at", one["created_at"]) for one in parcels if one.get("created_at")]
    complete = plain.get("fulfillment_status") == "fulfilled"
    arrived = complete and parcels and all(one.get("shipment_status") == "delivered" for one in parcels)
    for one in parcels if arrived else ():
        needed(one, "updated_at")
    delivered = [shop.time("updated_at", one["updated_at"]) for one in parcels] if arrived else []
    return min(shipped, default=None), max(delivered, default=None)


def _goes(parcel: dict[str, Any]) -> bool:
    return parcel.get("status") not in ("cancelled", "error", "failure")


def _event(plain: dict[str, Any], shop: Shop, **said: Any) -> Any:
    needed(plain, "order_id")
    return (event_from({"store_id": shop.store, "order": str(plain["order_id"]), **said}),)


def _fulfillment(plain: dict[str, Any], shop: Shop) -> Any:
    if not _goes(plain):
        return Ignored("parcel_not_sent")
    needed(plain, "created_at")
    return _event(plain, shop, type="shipped", at=shop.time("created_at", plain["created_at"]))


def _scan(plain: dict[str, Any], shop: Shop) -> Any:
    needed(plain, "status", "happened_at")
    at = shop.time("happened_at", plain["happened_at"])
    if plain["status"] == "delivered":
        return _event(plain, shop, type="delivered", at=at)
    if plain["status"] in MOVING:
        return _event(plain, shop, type="tracking", state="moving", at=at)
    return Ignored("scan_that_says_nothing")


def _dispute(plain: dict[str, Any], shop: Shop) -> Any:
    if plain.get("type") == "inquiry":
        return Ignored("inquiry")
    needed(plain, "id", "amount", "currency", "status")
    status, currency = text("status", plain["status"]), text("currency", plain["currency"])
    if status not in CHARGES:
        raise Refused("bad_field", f"status is {status!r}", field="status")
    amount = {"minor": minor("amount", plain["amount"], currency), "currency": currency}
    said = {"payment": "1", "reference": str(plain["id"]), "amount": amount, "state": CHARGES[status]}
    return _event(plain, shop, type="chargeback", **said)


def _refund(plain: dict[str, Any], shop: Shop) -> Any:
    return Ignored("refunded_in_the_shop")


def _transaction(plain: dict[str, Any], shop: Shop) -> Any:
    return Ignored("transaction")


READ: dict[str, Callable[[dict[str, Any], Shop], Any]] = {
    "order": _order,
    "fulfillment": _fulfillment,
    "fulfillment_event": _scan,
    "refund": _refund,
    "dispute": _dispute,
    "transaction": _transaction,
}
