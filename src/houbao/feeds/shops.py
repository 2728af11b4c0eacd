"""What the feeds of shops share: an order of a shop as a document of the order format."""

import re
from datetime import datetime
from typing import Any

from houbao.core import money
from houbao.core.terms import Refused
from houbao.feeds.mapping import FeedError, Mapping, Reading, promised
from houbao.feeds.order_format import order_from, order_of
from houbao.feeds.sold import SoldOrder

SHIP_DAYS = 7
"""Until when a shop ships where nothing says it; an assumption of ours."""

PROMISED_DAYS = 30
"""Until when the buyer was promised it where nothing says it (Directive 2011/83/EU, article 18)."""


class Shop:
    """One shop: its store in Houbao, and how its values are read. Raises FeedError where no store is named."""

    def __init__(self, mapping: Mapping | None) -> None:
        self.mapping = mapping or Mapping()
        self.reading = Reading(self.mapping)
        self.store = str(self.mapping.constants.get("store_id", ""))
        self.provider = str(self.mapping.constants.get("payment_provider", ""))
        if not self.store:
            raise FeedError("these objects do not say whose they are: name the store with --store")

    def time(self, field: str, value: Any) -> datetime:
        """A time of the shop's. Raises Refused: bad_field, and naive_time where neither it nor the mapping says its
        zone: such a time can be compared with no other."""
        at = self.reading.time(field, value)
        if at.tzinfo is None:
            raise Refused("naive_time", f"{field} is {value!r} and names no zone", field=field)
        return at

    def first(self, plain: dict[str, Any], *fields: str) -> datetime | None:
        """The first of those times that is there."""
        return next((self.time(field, plain[field]) for field in fields if plain.get(field)), None)

    def order(self, plain: dict[str, Any], lines: list[dict[str, Any]], paid: int, **more: Any) -> SoldOrder:
        """The order with those lines, amounts in minor units, of which `paid` was paid and not given back."""
        placed, currency = more["placed_at"], more["currency"]
        number = str(plain["id"])
        days = {"ship_by": SHIP_DAYS, "promised_by": PROMISED_DAYS, **self.mapping.days}
        provider = self.provider or slug(more["gateway"])
        document = {
            "store_id": self.store,
            "reference": number,
            "lines": [_line(line, currency) for line in lines],
            "payments": [_payment(paid, provider, currency)] if paid > 0 else [],
            **{name: promised(name, placed, count) for name, count in days.items()},
            **{name: value for name, value in more.items() if name != "gateway" and value not in (None, "")},
        }
        if paid <= 0:
            document.pop("paid_at", None)
        return order_of(order_from(document))


def _line(line: dict[str, Any], currency: str) -> dict[str, Any]:
    amounts = {name: {"minor": line[name], "currency": currency} for name in ("item", "shipping", "tax")}
    return {**line, **amounts}


def _payment(minor: int, provider: str, currency: str) -> dict[str, Any]:
    return {"id": "1", "provider": provider, "amount": {"minor": minor, "currency": currency}}


def minor(field: str, value: Any, currency: str) -> int:
    """Minor units of an amount of a shop's; 0 where there is none. Raises Refused: bad_field."""
    if value in (None, ""):
        return 0
    try:
        return money.parse(str(value), currency)
    except ValueError as error:
        raise Refused("bad_field", f"{field}: {error}", field=field) from None


def spread(lines: list[dict[str, Any]], name: str, total: int) -> None:
    """Add `total` to the lines' `name`, in proportion to what they cost, exactly; below zero it is taken off them.
    Raises Refused: bad_field where a line costs less than nothing, so that there is no proportion."""
    if any(line["item"] < 0 for line in lines):
        raise Refused("bad_field", "line_items: what is taken off a line is more than it costs", field="line_items")
    if lines:
        parts = money.split(abs(total), [line["item"] for line in lines])
        for line, part in zip(lines, parts, strict=True):
            line[name] += part if total > 0 else -part


def objects(field: str, value: Any) -> list[dict[str, Any]]:
    """A list of objects; none where there is nothing. Raises Refused: bad_field."""
    if not isinstance(value or [], list) or not all(isinstance(one, dict) for one in value or []):
        raise Refused("bad_field", f"{field} is no list of objects", field=field)
    return value or []


def object_of(field: str, value: Any) -> dict[str, Any]:
    """An object; an empty one where there is nothing. Raises Refused: bad_field."""
    if not isinstance(value or {}, dict):
        raise Refused("bad_field", f"{field} is {value!r}, no object", field=field)
    return value or {}


def text(field: str, value: Any) -> str:
    """A text; an empty one where there is nothing. Raises Refused: bad_field."""
    if not isinstance(value or "", str):
        raise Refused("bad_field", f"{field} is {value!r}, no text", field=field)
    return value or ""


def whole(field: str, value: Any) -> int:
    """A whole number, or a text that writes one. Raises Refused: bad_field."""
    if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,18}", str(value), re.ASCII):
        raise Refused("bad_field", f"{field} is {value!r}, no whole number", field=field)
    return int(value)


def needed(plain: dict[str, Any], *fields: str) -> None:
    """Raises Refused: bad_field where one of them is not there."""
    for field in fields:
        if plain.get(field) in (None, ""):
            raise Refused("bad_field", f"{field}: there is none", field=field)


def slug(name: str) -> str:
    """A name as a plain id."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64] or "unknown"
