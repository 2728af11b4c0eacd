"""NDJSON: one document of the order format on each line; under a mapping, any JSON object."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from houbao.core.terms import Refused
from houbao.feeds.files import ByteFeed, Ignored, Mark, Row
from houbao.feeds.mapping import (
    EVENT_FIELDS,
    LINE_FIELDS,
    LISTING_COLUMNS,
    ORDER_FIELDS,
    PAYMENT_FIELDS,
    Mapping,
    Reading,
)
from houbao.feeds.order_format import bad_field, decode_event, decode_order, event_from, order_from, order_of

LONGEST = 16 << 20
"""The most bytes of one line; a file whose documents have none between them must not fill the memory."""

TIMES = {name for name in (*ORDER_FIELDS, "at") if name.endswith("_at") or name in ("ship_by", "promised_by", "at")}


class _Kind(Struct):
    type: str | None = None


_kind_of = msgspec.json.Decoder(_Kind).decode
_plain_of = msgspec.json.Decoder(float_hook=str).decode


class NdjsonFeed(ByteFeed):
    """A file of documents, one on each line; each is decoded when its turn comes."""

    def __init__(self, path: Path, mapping: Mapping | None) -> None:
        super().__init__(path)
        self.reading = Reading(mapping) if mapping else None

    def rows(self, after: Mark) -> Iterator[Row]:
        """See Feed."""
        line, offset = after.line, after.offset
        self.file.seek(offset)
        while body := self.file.readline(LONGEST):
            line += 1
            offset += len(body)
            whole = body.endswith(b"\n") or len(body) < LONGEST
            while not whole:
                rest = self.file.readline(LONGEST)
                offset += len(rest)
                whole = rest.endswith(b"\n") or len(rest) < LONGEST
                body = b""
            yield Row(line, self._said(body), Mark(line, offset), size=len(body))

    def _said(self, body: bytes) -> Any:
        if not body:
            said = f"more than {LONGEST:,} bytes on one line: NDJSON has a line for each document"
            return Refused("bad_field", said, field="")
        if body.isspace():
            return Ignored("blank_line")
        try:
            if self.reading:
                return mapped(_plain_of(body), self.reading)
            if _kind_of(body).type is None:
                return order_of(decode_order(body))
            return (decode_event(body),)
        except Refused as refused:
            return refused
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return bad_field(error)


# --- under a mapping -----------------------------------------------------------------------------------------------


def mapped(plain: Any, reading: Reading) -> Any:
    """An order or an event out of a JSON object of somebody else's shape. Raises Refused: bad_field, bad_currency."""
    if not isinstance(plain, dict):
        raise Refused("bad_field", "this is no JSON object", field="")
    mapping = reading.mapping
    event = _found(plain, mapping.columns.get("type", "type")) or mapping.constants.get("type")
    fields = EVENT_FIELDS if event else ORDER_FIELDS
    found = {name: _found(plain, mapping.columns.get(name, name)) for name in fields}
    said = {name: mapping.constants.get(name) if _nothing(value) else value for name, value in found.items()}
    known: dict[str, Any] = {name: value for name, value in said.items() if not _nothing(value)}
    currency = str(_found(plain, mapping.columns.get("currency", "currency")) or mapping.constants.get("currency", ""))
    for name, value in known.items():
        if name in TIMES:
            known[name] = reading.time(name, value)
        elif name in ("commission", "amount", "fee"):
            known[name] = reading.money(name, value, currency)
        elif name in ("store_id", "reference", "buyer_id", "order", "id", "payment") and isinstance(value, int):
            known[name] = str(value)
    if event:
        return (event_from(known),)
    for name, fields_of in (("lines", _line), ("payments", _payment)):
        if name in known:
            known[name] = [fields_of(i, one, reading, currency) for i, one in enumerate(_listed(name, known[name]))]
    reading.promises(known)
    return order_of(order_from(known))


def _line(i: int, plain: dict[str, Any], reading: Reading, currency: str) -> dict[str, Any]:
    line = _fields(f"lines[{i}]", plain, LINE_FIELDS, reading.mapping.lines, reading, currency)
    shown = _fields(f"lines[{i}]", plain, LISTING_COLUMNS, reading.mapping.lines, reading, currency)
    if "listing" not in line and "title" in shown:
        line["listing"] = shown
    return {"id": str(i + 1), **line}


def _payment(i: int, plain: dict[str, Any], reading: Reading, currency: str) -> dict[str, Any]:
    payment = _fields(f"payments[{i}]", plain, PAYMENT_FIELDS, reading.mapping.payments, reading, currency)
    provider = reading.mapping.constants.get("payment_provider")
    return {"id": str(i + 1), **({"provider": provider} if provider else {}), **payment}


def _fields(
    place: str, plain: dict[str, Any], names: tuple[str, ...], theirs: dict[str, str], reading: Reading, currency: str
) -> dict[str, Any]:
    found = {name: _found(plain, theirs.get(name, name)) for name in names}
    known: dict[str, Any] = {name: value for name, value in found.items() if not _nothing(value)}
    for name, value in known.items():
        if name in ("item", "shipping", "tax", "amount"):
            known[name] = reading.money(f"{place}.{name}", value, currency)
        elif name == "id" and isinstance(value, int):
            known[name] = str(value)
    return known


def _listed(name: str, value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Refused("bad_field", f"{name} is no list of objects", field=name)
    return value


def _found(plain: Any, path: str) -> Any:
    """What stands at a path such as `customer.id`; None where there is nothing."""
    if path in plain:
        return plain[path]
    for step in path.split("."):
        plain = plain.get(step) if isinstance(plain, dict) else None
    return plain


def _nothing(value: object) -> bool:
    return value is None or value == ""
