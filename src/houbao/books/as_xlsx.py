"""A statement as a spreadsheet: a sheet for each currency, numbers as numbers, times as times."""

from datetime import UTC, datetime
from typing import Any, BinaryIO

from houbao.books.extract import BookError, Extract, Line, Sheet, dispute_of, entry_of, order_of
from houbao.books.words import word
from houbao.core.money import DIGITS

COLUMNS = ("time", "what", "amount", "balance", "counterparty", "order", "dispute", "reason", "rule", "payer", "entry")
WIDTHS = (18, 22, 16, 16, 22, 26, 26, 24, 18, 14, 12)
EXACT = 10**15
"""A spreadsheet holds 15 digits; an amount with more would be another one there."""


def write_xlsx(extract: Extract, file: BinaryIO) -> None:
    """Write the workbook, row by row. Raises BookError where xlsxwriter is missing, or for an amount that a spreadsheet
    cannot hold."""
    try:
        import xlsxwriter
    except ImportError:
        raise BookError("a spreadsheet needs xlsxwriter: pip install 'houbao[books]'") from None
    with xlsxwriter.Workbook(file, {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        title = f"{word('heading', 'statement', extract.language)} {extract.store}"
        book.set_properties({"title": title, "created": _plain(extract.made_at)})
        for sheet in extract.sheets:
            _write_sheet(book, extract, sheet)


def _write_sheet(book: Any, extract: Extract, sheet: Sheet) -> None:
    page = book.add_worksheet(sheet.currency)
    bold = book.add_format({"bold": True})
    money = book.add_format({"num_format": _format_of(sheet.currency)})
    strong = book.add_format({"num_format": _format_of(sheet.currency), "bold": True})
    for column, width in enumerate(WIDTHS):
        page.set_column(column, column, width)

    def heading(name: str) -> str:
        return word("heading", name, extract.language)

    who = f"{extract.store} · {extract.name}" if extract.name else extract.store
    page.write_string(0, 0, f"{heading('statement')} · {who} · {sheet.currency}", bold)
    page.write_string(1, 0, f"{extract.first} – {extract.last} · {heading('utc')}")
    for column, name in enumerate(COLUMNS):
        page.write_string(3, column, heading(name), bold)
    page.freeze_panes(4, 0)
    page.write_string(4, 1, heading("opening"), bold)
    page.write_number(4, 3, _number(sheet.opening, sheet.currency), strong)
    row = 4
    for row, line in enumerate(sheet.lines, 5):
        _write_line(page, row, extract, line, money)
    page.write_string(row + 1, 1, heading("closing"), bold)
    page.write_number(row + 1, 3, _number(sheet.closing, sheet.currency), strong)


def _write_line(page: Any, row: int, extract: Extract, line: Line, money: Any) -> None:
    entry, purpose, language = line.entry, line.purpose, extract.language
    page.write_datetime(row, 0, _plain(entry.at))
    page.write_string(row, 1, word("kind", entry.kind, language))
    page.write_number(row, 2, _number(entry.minor, entry.currency), money)
    page.write_number(row, 3, _number(entry.balance, entry.currency), money)
    words = (
        entry.counterparty,
        purpose.order or order_of(extract, line),
        purpose.dispute or dispute_of(extract, line),
        word("reason", purpose.reason, language),
        purpose.rule,
        word("payer", purpose.payer, language),
        entry_of(line),
    )
    for column, text in enumerate(words, 4):
        page.write_string(row, column, text)


def _number(minor: int, currency: str) -> float:
    if abs(minor) >= EXACT:
        raise BookError(f"{minor} minor units of {currency} are more than a spreadsheet can hold: take --format csv")
    return minor / 10 ** DIGITS[currency]


def _format_of(currency: str) -> str:
    digits = DIGITS[currency]
    return f"#,##0.{'0' * digits}" if digits else "#,##0"


def _plain(at: datetime) -> datetime:
    """A time of a spreadsheet has no zone: it is in UTC."""
    return at.astimezone(UTC).replace(tzinfo=None)
