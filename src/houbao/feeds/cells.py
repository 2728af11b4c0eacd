"""Tables of orders: one row for each line of an order, or one for each event. CSV and Parquet have the same columns."""

from collections.abc import Iterable, Iterator
from typing import Any, get_args

import msgspec
from msgspec import Struct

from houbao.core.terms import Refused
from houbao.feeds.files import Mark, Row
from houbao.feeds.mapping import COLUMNS, EVENT_FIELDS, FeedError, Mapping, Reading
from houbao.feeds.order_format import OrderEventDocument, event_from, order_from, order_of

Cells = dict[str, str]
"""Our name → what stands there; nothing where a cell is empty."""

TEXTS = ("store_id", "reference", "buyer_id", "buyer_email", "currency", "cancelled_by", "cancelled_reason")
TIMES = (
    "placed_at",
    "ship_by",
    "promised_by",
    "paid_at",
    "shipped_at",
    "delivered_at",
    "confirmed_at",
    "confirmation_timed_out_at",
    "cancelled_at",
)
OF_THE_ORDER = (*TEXTS, *TIMES, "commission", "payments")
NEEDED = ("store_id", "reference", "buyer_id", "currency", "placed_at", "ship_by", "promised_by", "item")
NEEDED_OF_EVENTS = ("store_id", "order")


FIELDS: dict[str, set[str]] = {
    str(event.__struct_config__.tag): {*event.__struct_fields__} for event in get_args(OrderEventDocument)
}
"""Type of an event → the fields that it has."""


class Record(Struct, frozen=True):
    """One row of a table: where it begins and ends, and its cells in the order of the header; a refusal where it has
    not as many as that."""

    line: int
    before: Mark
    after: Mark
    cells: list[str] | Refused


class Columns:
    """The columns of a table under a mapping, checked once. Raises FeedError where one is missing."""

    def __init__(self, name: str, header: list[str], mapping: Mapping) -> None:
        theirs = {column: at for at, column in enumerate(header)}
        self.at = {
            ours: theirs[mapping.columns.get(ours, ours)]
            for ours in COLUMNS
            if mapping.columns.get(ours, ours) in theirs
        }
        self.constants = {ours: _text(value) for ours, value in mapping.constants.items()}
        there = {*self.at, *self.constants, *mapping.days}
        self.events = "type" in there
        used = {*self.at.values()}
        self.unread = [column for at, column in enumerate(header) if at not in used]
        needed = NEEDED_OF_EVENTS if self.events else NEEDED
        if missing := [ours for ours in needed if ours not in there]:
            raise FeedError(
                f"{name} has no column {', '.join(missing)}: name them in a mapping file (docs/order-format.md)"
            )

    def cells(self, row: list[str]) -> Cells:
        """The row's cells by our names, with the constants where it has nothing."""
        said = {ours: cell for ours, at in self.at.items() if (cell := row[at].strip())}
        return {**self.constants, **said}


def orders_and_events(records: Iterable[Record], columns: Columns, reading: Reading) -> Iterator[Row]:
    """The rows of a table: each event, or each order with the rows that stand together under its reference."""
    if columns.events:
        for record in records:
            yield Row(record.line, _event(record, columns, reading), record.after)
        return
    together: list[tuple[Record, Cells]] = []
    for record in records:
        if isinstance(record.cells, Refused):
            yield from _order(together, reading)
            together = []
            yield Row(record.line, record.cells, record.after)
            continue
        cells = columns.cells(record.cells)
        if together and any(cells.get(name) != together[0][1].get(name) for name in ("store_id", "reference")):
            yield from _order(together, reading)
            together = []
        together.append((record, cells))
    yield from _order(together, reading)


def _order(together: list[tuple[Record, Cells]], reading: Reading) -> Iterator[Row]:
    if not together:
        return
    said: Any
    try:
        said = order_of(order_from(_document([cells for _, cells in together], reading)))
    except Refused as refused:
        said = refused
    yield Row(together[0][0].line, said, together[-1][0].after, len(together))


def _document(rows: list[Cells], reading: Reading) -> dict[str, Any]:
    """The order that these rows are, in the order format. Raises Refused: bad_field."""
    for row in rows[1:]:
        for name in OF_THE_ORDER:
            if name in row and row[name] != rows[0].get(name):
                raise Refused("bad_field", f"{name} differs between the rows of one order", field=name)
    first = rows[0]
    currency = first.get("currency", "")
    plain: dict[str, Any] = {name: first[name] for name in TEXTS if name in first}
    plain |= {name: reading.time(name, first[name]) for name in TIMES if name in first}
    reading.promises(plain)
    if "commission" in first:
        plain["commission"] = reading.money("commission", first["commission"], currency)
    plain["lines"] = [_line(i, row, currency, reading) for i, row in enumerate(rows, start=1)]
    plain["payments"] = _payments(first, plain["lines"], currency, reading)
    return plain


def _line(i: int, row: Cells, currency: str, reading: Reading) -> dict[str, Any]:
    line: dict[str, Any] = {"id": row.get("line_id", str(i))}
    if "quantity" in row:
        line["quantity"] = _whole("quantity", row["quantity"])
    for name in ("item", "shipping", "tax"):
        if name in row:
            line[name] = reading.money(name, row[name], currency)
    if "category" in row:
        line["category"] = row["category"]
    if "title" in row:
        line["listing"] = {name: row[name] for name in ("title", "description", "category") if name in row}
        for name in ("disclosures", "photos"):
            if name in row:
                line["listing"][name] = _json(name, row[name])
    return line


def _payments(row: Cells, lines: list[dict[str, Any]], currency: str, reading: Reading) -> list[Any]:
    """The payments as JSON, or a single one with a voucher beside it; it is the whole order where no amount is said."""
    if "payments" in row:
        payments = _json("payments", row["payments"])
        if not isinstance(payments, list) or not all(isinstance(one, dict) for one in payments):
            raise Refused("bad_field", "payments is no list of objects", field="payments")
        return [
            {"id": str(i), **one, "amount": reading.money("payments.amount", one.get("amount"), currency)}
            for i, one in enumerate(payments, start=1)
        ]
    if "payment_provider" not in row:
        return []
    provider, number = row["payment_provider"], row.get("payment_id", "1")
    voucher = reading.money("voucher_amount", row.get("voucher_amount", "0"), currency)
    if "payment_amount" in row:
        amount = reading.money("payment_amount", row["payment_amount"], currency)
    else:
        parts = [line[name]["minor"] for line in lines for name in ("item", "shipping", "tax") if name in line]
        amount = {"minor": sum(parts) - voucher["minor"], "currency": currency}
    ways = [(number, amount, True), (f"{number}-voucher", voucher, False)]
    return [
        {"id": name, "provider": provider, "amount": minor, "cash": cash}
        for name, minor, cash in ways
        if minor["minor"]
    ]


def _event(record: Record, columns: Columns, reading: Reading) -> Any:
    try:
        if isinstance(record.cells, Refused):
            return record.cells
        row = columns.cells(record.cells)
        currency = row.get("currency", "")
        plain: dict[str, Any] = {name: row[name] for name in EVENT_FIELDS if name in row}
        plain = _of_type(plain)
        for name in plain:
            if name == "at":
                plain[name] = reading.time(name, row[name])
            elif name in ("commission", "amount", "fee"):
                plain[name] = reading.money(name, row[name], currency)
            elif name in ("description", "service", "logistics"):
                plain[name] = _whole(name, row[name])
        return (event_from(plain),)
    except Refused as refused:
        return refused


def _of_type(plain: dict[str, Any]) -> dict[str, Any]:
    """Only what such an event says: a table has all the columns in every row."""
    fields = FIELDS.get(plain.get("type", ""))
    return {name: plain[name] for name in plain if fields is None or name in fields or name == "type"}


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Refused("bad_field", f"{name} is {text!r}: write a whole number", field=name) from None


def _json(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Refused("bad_field", f"{name} is no JSON: {error}", field=name) from None


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
