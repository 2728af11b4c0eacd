"""WooCommerce's order and refund objects (REST API, version 3), as files of them are exported
(docs/how-to/import-orders.md says what becomes of each field)."""

from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

from houbao.core.terms import Refused
from houbao.feeds.files import Ignored
from houbao.feeds.shops import Shop, minor, needed, object_of, objects, spread, text, whole

NO_ORDER = ("failed", "trash", "checkout-draft", "auto-draft")
"""Statuses in which nothing was ordered."""

BATCHED = ("create", "update", "delete")


def reader(shop: Shop) -> Callable[[Any], Iterator[Any]]:
    """Makes a row of an exported object."""

    def read(plain: Any) -> Iterator[Any]:
        if not isinstance(plain, dict):
            raise Refused("bad_field", "this is no JSON object", field="")
        batched = [one for name in BATCHED for one in objects(name, plain.get(name))]
        for one in batched or [plain]:
            try:
                yield _said(one, shop)
            except Refused as refused:
                yield refused

    return read


def _said(plain: dict[str, Any], shop: Shop) -> Any:
    if "refunded_by" in plain or "refunded_payment" in plain:
        return Ignored("refunded_in_the_shop")
    if "line_items" not in plain or "order_key" not in plain:
        raise Refused("bad_field", "this is neither an order nor a refund", field="")
    if plain.get("status") in NO_ORDER:
        return Ignored("not_ordered")
    needed(plain, "id", "currency", "date_created_gmt", "total")
    currency = text("currency", plain["currency"])
    refunded = sum(
        abs(minor("refunds.total", one.get("total"), currency)) for one in objects("refunds", plain.get("refunds"))
    )
    cancelled = plain.get("status") == "cancelled"
    return shop.order(
        plain,
        _lines(plain, currency),
        minor("total", plain["total"], currency) - refunded,
        currency=currency,
        gateway=text("payment_method", plain.get("payment_method")),
        buyer_id=str(plain.get("customer_id") or f"guest-{plain['id']}"),
        buyer_email=object_of("billing", plain.get("billing")).get("email"),
        placed_at=_utc(plain, "date_created_gmt", shop),
        paid_at=_utc(plain, "date_paid_gmt", shop),
        shipped_at=_utc(plain, "date_completed_gmt", shop),
        cancelled_at=_utc(plain, "date_modified_gmt", shop) if cancelled else None,
    )


def _lines(plain: dict[str, Any], currency: str) -> list[dict[str, Any]]:
    """The lines with their taxes; fees are lines too; shipping with its tax is spread over them."""
    lines = []
    off = 0
    for item in (*objects("line_items", plain["line_items"]), *objects("fee_lines", plain.get("fee_lines"))):
        needed(item, "id", "total")
        total = minor("total", item["total"], currency)
        if total < 0:  # a fee below zero is a discount on all
            off += total
            continue
        sku = {"sku": item["sku"]} if item.get("sku") else {}
        lines.append(
            {
                "id": str(item["id"]),
                "quantity": whole("quantity", item.get("quantity") or 1),
                "item": total,
                "shipping": 0,
                "tax": minor("total_tax", item.get("total_tax"), currency),
                "listing": {"title": unescape(str(item.get("name") or "")), "disclosures": sku},
            }
        )
    spread(lines, "item", off)
    shipping = sum(
        minor(name, one.get(name), currency)
        for one in objects("shipping_lines", plain.get("shipping_lines"))
        for name in ("total", "total_tax")
    )
    spread(lines, "shipping", shipping)
    return lines


def _utc(plain: dict[str, Any], field: str, shop: Shop) -> Any:
    """A time of a `…_gmt` field, which is UTC and does not say so."""
    value = plain.get(field)
    return None if value in (None, "") else shop.time(field, f"{value}Z")
