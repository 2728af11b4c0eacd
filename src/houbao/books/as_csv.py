"""A statement as CSV (RFC 4180, UTF-8): one row for each line, between the opening and the closing balance. Columns and
words are for programs, and the same in every language."""

import csv
from datetime import UTC
from io import TextIOBase

from houbao.books.extract import Extract, Line, dispute_of, entry_of, order_of
from houbao.core.money import decimal

COLUMNS = (
    "entry",
    "booked_at",
    "kind",
    "currency",
    "amount",
    "balance",
    "counterparty",
    "order_id",
    "order_reference",
    "dispute_id",
    "dispute_reference",
    "reason",
    "rule",
    "policy",
    "payer",
)


def write_csv(extract: Extract, file: TextIOBase) -> None:
    """Write the statement, line by line."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for sheet in extract.sheets:
        code = sheet.currency
        writer.writerow(_balance("opening_balance", f"{extract.first}T00:00:00Z", code, sheet.opening))
        writer.writerows(_row(extract, line) for line in sheet.lines)
        writer.writerow(_balance("closing_balance", f"{extract.last}T23:59:59Z", code, sheet.closing))


def _balance(kind: str, at: str, code: str, minor: int) -> tuple[str, ...]:
    return ("", at, kind, code, "", decimal(minor, code), *[""] * (len(COLUMNS) - 6))


def _row(extract: Extract, line: Line) -> tuple[str, ...]:
    entry, purpose = line.entry, line.purpose
    return (
        entry_of(line),
        entry.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        entry.kind,
        entry.currency,
        decimal(entry.minor, entry.currency),
        decimal(entry.balance, entry.currency),
        entry.counterparty,
        order_of(extract, line),
        purpose.order,
        dispute_of(extract, line),
        purpose.dispute,
        purpose.reason,
        purpose.rule,
        purpose.policy,
        purpose.payer,
    )
