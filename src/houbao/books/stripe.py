"""Stripe's balance transactions: as its API lists them (a list, an array, one in each line) or as its reports do (CSV).

Amounts of the API are in the smallest unit that Stripe knows, which for ISK and UGX is a hundredth though ISO 4217 has
none (https://docs.stripe.com/currencies#special-cases); those of a report are decimal.
"""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from msgspec import Struct

from houbao.books.external import External, File, check_once, checked, file_of, tokens_of
from houbao.books.extract import BookError
from houbao.core.money import DIGITS, parse
from houbao.core.said import Said

IN_HUNDREDTHS = ("ISK", "UGX")
OBJECT = "balance_transaction"


class _Transaction(Struct):
    id: str
    amount: int
    currency: str
    created: int
    type: str
    object: str = OBJECT
    fee: int = 0
    reporting_category: str = ""
    source: str | dict[str, Any] | None = None
    description: str | None = None


COLUMNS = {
    "id": ("balance_transaction_id", "id"),
    "currency": ("currency", "Currency"),
    "amount": ("gross", "Amount"),
    "fee": ("fee", "Fee"),
    "kind": ("reporting_category", "Type"),
    "at": ("created_utc", "created", "Created (UTC)"),
}
"""What a line says → the columns of Stripe's reports and of its dashboard that say it."""


def read_json(data: bytes) -> File:
    """The file of balance transactions in JSON. Raises BookError, which names the place."""
    lines = [_line(place, plain) for place, plain in _objects(data)]
    check_once(lines)
    return file_of(Said("Stripe's balance transactions (JSON)"), "provider", lines)


def _objects(data: bytes) -> Iterator[tuple[str, Any]]:
    """Each object with its place: of one document, or one in each line."""
    try:
        whole = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        rows = [(number, row) for number, row in enumerate(data.splitlines(), 1) if row.strip()]
        if len(rows) < 2:
            raise BookError(Said("it begins like JSON, but is none: %(error)s", error=error)) from None
        for number, row in rows:
            try:
                yield _at_line(number), msgspec.json.decode(row)
            except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
                raise BookError(Said("%(place)s: no JSON: %(error)s", place=_at_line(number), error=wrong)) from None
        return
    if isinstance(whole, dict) and isinstance(whole.get("data"), list):
        if whole.get("has_more") is True:
            raise BookError(Said("the list goes on (has_more is true): fetch all of its pages into one file"))
        whole = whole["data"]
    found = whole if isinstance(whole, list) else [whole]
    yield from ((Said("object %(number)s", number=number), one) for number, one in enumerate(found, 1))


def _at_line(number: int) -> Said:
    return Said("line %(number)s", number=number)


def _line(place: str, plain: Any) -> External:
    try:
        told = msgspec.convert(plain, _Transaction)
    except msgspec.ValidationError as error:
        raise BookError(
            Said("%(place)s: no balance transaction of Stripe's: %(error)s", place=place, error=error)
        ) from None
    if told.object != OBJECT:
        raise BookError(
            Said("%(place)s: a %(object)s, where a %(wanted)s belongs", place=place, object=told.object, wanted=OBJECT)
        )
    code = _currency(place, told.currency)
    try:
        at = datetime.fromtimestamp(told.created, UTC)
    except (OverflowError, OSError, ValueError):
        said = Said(
            "%(place)s: created is %(created)s: no time in seconds since 1970", place=place, created=told.created
        )
        raise BookError(said) from None
    words = [told.description or "", *_words(told.source)]
    amount, fee = (_iso(place, minor, code) for minor in (told.amount, told.fee))
    kind = told.reporting_category or told.type
    return External(place, told.id, at.date(), amount, code, kind, tokens_of(told.id, *words), fee, at)


def _words(value: Any) -> Iterator[str]:
    """Every text inside a value."""
    match value:
        case str():
            yield value
        case dict():
            for inside in value.values():
                yield from _words(inside)
        case list():
            for inside in value:
                yield from _words(inside)


def _currency(place: str, text: str) -> str:
    code = text.strip().upper()
    if code not in DIGITS:
        raise BookError(Said("%(place)s: %(code)s is not a currency of ISO 4217", place=place, code=repr(text)))
    return code


def _iso(place: str, minor: int, code: str) -> int:
    """Minor units of ISO 4217."""
    if code not in IN_HUNDREDTHS:
        return checked(place, minor)
    if minor % 100:
        raise BookError(
            Said("%(place)s: %(minor)s is not a whole amount of %(code)s", place=place, minor=minor, code=code)
        )
    return checked(place, minor // 100)


def is_report(header: str) -> bool:
    """Whether the first line of a CSV is that of a report of Stripe's."""
    return _columns(next(csv.reader([header]), [])) is not None


def _columns(header: list[str]) -> dict[str, str] | None:
    names = [name.strip().lstrip("\ufeff") for name in header]
    found = {what: next((name for name in known if name in names), "") for what, known in COLUMNS.items()}
    return found if all(found.values()) else None


def read_csv(data: bytes) -> File:
    """The file of one of Stripe's reports. Raises BookError, which names the line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BookError(Said("the file is not UTF-8: %(error)s", error=error)) from None
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    columns = _columns(list(reader.fieldnames or []))
    if columns is None:
        raise BookError(Said("its columns are not those of a report of Stripe's"))
    reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
    lines: list[External] = []
    try:
        lines.extend(_row(_at_line(reader.line_num), row, columns) for row in reader)
    except csv.Error as error:
        raise BookError(Said("%(place)s: %(error)s", place=_at_line(reader.line_num), error=error)) from None
    check_once(lines)
    return file_of(Said("a report of Stripe's (CSV)"), "provider", lines)


def _row(place: str, row: dict[str | None, Any], columns: dict[str, str]) -> External:
    if None in row or None in row.values():
        raise BookError(Said("%(place)s: not as many cells as the header has; is the file whole?", place=place))
    cells = {what: str(row[name]).strip() for what, name in columns.items()}
    code = _currency(place, cells["currency"])
    if not cells["id"]:
        raise BookError(Said("%(place)s: the transaction's id is missing", place=place))
    try:
        amount, fee = parse(cells["amount"], code), parse(cells["fee"] or "0", code)
    except ValueError as error:
        raise BookError(Said("%(place)s: %(error)s", place=place, error=error)) from None
    tokens = tokens_of(*(str(cell) for cell in row.values()))
    day, at = _time(place, cells["at"], in_utc="utc" in columns["at"].lower())
    minor, kept = checked(place, amount), checked(place, fee)
    return External(place, cells["id"], day, minor, code, cells["kind"], tokens, kept, at)


def _time(place: str, text: str, *, in_utc: bool) -> tuple[date, datetime | None]:
    """The day, and when it was where the cell says the hour and in which zone."""
    try:
        told = datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        said = Said("%(place)s: %(text)s is no time such as 2026-07-08 12:20:00", place=place, text=repr(text))
        raise BookError(said) from None
    if in_utc and told.tzinfo is None:
        told = told.replace(tzinfo=UTC)
    return told.date(), told if ":" in text and told.tzinfo else None
