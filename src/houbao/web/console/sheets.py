"""A table as a file that spreadsheets open: CSV (RFC 4180) in UTF-8, with the mark that tells them so, in pieces."""

import csv
from collections.abc import Iterable
from io import StringIO

BOM = "\ufeff"
"""Without it spreadsheets take the file for one of their own old code page, and Chinese for noise."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet would work out; the last four are wide, as Chinese and Japanese are typed."""


def as_text(text: str) -> str:
    """A text cell that no spreadsheet takes for a formula, whoever wrote it."""
    return f"'{text}" if text.startswith(FORMULA) else text


def lines(rows: Iterable[Iterable[str]]) -> str:
    """Those rows as lines of the file."""
    piece = StringIO(newline="")
    csv.writer(piece).writerows(rows)
    return piece.getvalue()
