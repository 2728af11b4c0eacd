"""A mapping file (TOML): how an export of another system names what the order format names (docs/order-format.md)."""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from houbao.core import money
from houbao.core.terms import Refused
from houbao.feeds.order_format import LineDocument, OrderDocument, OrderEventDocument, PaymentDocument

LINE_FIELDS = LineDocument.__struct_fields__
PAYMENT_FIELDS = PaymentDocument.__struct_fields__
ORDER_FIELDS = OrderDocument.__struct_fields__
EVENT_FIELDS = tuple(
    dict.fromkeys(("type", *(name for event in get_args(OrderEventDocument) for name in event.__struct_fields__)))
)
LINE_COLUMNS = ("line_id", "quantity", "item", "shipping", "tax", "category")
LISTING_COLUMNS = ("title", "description", "disclosures", "photos")
PAYMENT_COLUMNS = ("payment_id", "payment_provider", "payment_amount", "voucher_amount")
COLUMNS = frozenset((*ORDER_FIELDS, *EVENT_FIELDS, *LINE_COLUMNS, *LISTING_COLUMNS, *PAYMENT_COLUMNS))
"""Every name that a mapping may say in other words."""

PROMISES = {"ship_by", "promised_by"}


class FeedError(Exception):
    """A file or its mapping cannot be read at all: what is wrong with it, and what to do."""


class Mapping(Struct, frozen=True, forbid_unknown_fields=True):
    """Our name → theirs in `columns` (of NDJSON a path, `customer.id`), and inside `lines` and `payments` of NDJSON;
    `constants` stand where a row has nothing. Times without a zone are those of `zone`; `time` is their format, where
    it is not ISO 8601. Numbers are amounts in the currency's own decimals, or in `minor` units. What is promised after
    so many `days` where a row does not say."""

    columns: dict[str, str] = {}
    lines: dict[str, str] = {}
    payments: dict[str, str] = {}
    constants: dict[str, str | int | bool] = {}
    days: dict[str, int] = {}
    zone: str = ""
    time: str = ""
    amounts: Literal["decimal", "minor"] = "decimal"


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file. Raises FeedError, which names what is wrong in it."""
    try:
        mapping = msgspec.convert(tomllib.loads(path.read_bytes().decode()), Mapping)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise FeedError(f"the mapping {path} cannot be used: {error}") from None
    known = {
        "columns": COLUMNS,
        "constants": COLUMNS,
        "lines": {*LINE_FIELDS, *LISTING_COLUMNS},
        "payments": {*PAYMENT_FIELDS},
        "days": PROMISES,
    }
    for table, names in known.items():
        if unknown := sorted(getattr(mapping, table).keys() - names):
            raise FeedError(
                f"the mapping {path} says {unknown[0]!r} in [{table}]: on the left stand {', '.join(sorted(names))}"
            )
    try:
        ZoneInfo(mapping.zone or "UTC")
    except (KeyError, OSError, ValueError):
        raise FeedError(f"the mapping {path} has the zone {mapping.zone!r}: write one like Europe/Madrid") from None
    return mapping


class Reading:
    """How values of a file are read under its mapping."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.zone = ZoneInfo(mapping.zone) if mapping.zone else None

    def time(self, field: str, value: object) -> datetime:
        """A time; aware where it says its zone or the mapping does. Raises Refused: bad_field."""
        if isinstance(value, datetime):
            at = value
        else:
            try:
                at = _parsed(str(value), self.mapping.time)
            except ValueError:
                like = self.mapping.time or "2026-07-12T12:20:00Z"
                raise Refused("bad_field", f"{field} is {value!r}: write a time like {like}", field=field) from None
        if at.tzinfo is None and self.zone:
            at = at.replace(tzinfo=self.zone)
        try:
            return at.astimezone(UTC) if at.tzinfo else at
        except OverflowError:
            return at  # no order has such a year: the core says so

    def money(self, field: str, value: object, currency: str) -> dict[str, Any]:
        """An amount as the format writes it; one that has that form already as it is. Raises Refused: bad_field."""
        if isinstance(value, dict):
            return value
        text = str(value)
        try:
            if self.mapping.amounts == "minor":
                minor = int(text)
            else:
                minor = money.parse(text, currency)
        except ValueError as error:
            said = f"{text!r} is not a whole number" if self.mapping.amounts == "minor" else str(error)
            raise Refused("bad_field", f"{field}: {said}", field=field) from None
        return {"minor": minor, "currency": currency}

    def promises(self, plain: dict[str, Any]) -> None:
        """What the mapping promises where the row does not say."""
        placed = plain.get("placed_at")
        for name, days in self.mapping.days.items():
            if name not in plain and isinstance(placed, datetime):
                plain[name] = promised(name, placed, days)


def promised(name: str, placed: datetime, days: int) -> datetime:
    """So many days after that time. Raises Refused: bad_field where no calendar has such a day."""
    try:
        return placed + timedelta(days=days)
    except OverflowError:
        raise Refused("bad_field", f"{name}: there is no day {days} days after {placed}", field=name) from None


def _parsed(text: str, form: str) -> datetime:
    """A time without its zone is told apart later: it is read as it is written."""
    return datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007
