"""A store's statement as every format tells it."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal, get_args

from msgspec import Struct

from houbao.core.terms import public_id
from houbao.store.fund_records import Purpose
from houbao.store.statements import Entry

Form = Literal["csv", "xlsx", "pdf", "camt053"]
Language = Literal["en", "zh", "es", "pt", "ru"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


class Line(Struct, frozen=True):
    """One line, and what it was for."""

    entry: Entry
    purpose: Purpose


class Sheet(Struct, frozen=True):
    """The statement in one currency (minor units): opening + the lines = closing. The lines are gone through once."""

    currency: str
    opening: int
    closing: int
    lines: Iterable[Line]


class Extract(Struct, frozen=True):
    """The statement of a store from the first day to the last, both whole and in UTC, made at a time."""

    part: int
    store: str
    name: str
    first: date
    last: date
    made_at: datetime
    language: Language
    sheets: list[Sheet]


class BookError(Exception):
    """A statement that cannot be made in that form, or a file that cannot be reconciled; the message says why, and what
    to do."""


def order_of(extract: Extract, line: Line) -> str:
    """The order's id; empty where it has none."""
    return public_id("order", extract.part, line.entry.order) if line.entry.order else ""


def dispute_of(extract: Extract, line: Line) -> str:
    """The dispute's id; empty where it has none."""
    return public_id("dispute", extract.part, line.entry.dispute) if line.entry.dispute else ""


def entry_of(line: Line) -> str:
    """What the line is called: the position of its event, and its place in it."""
    return f"{line.entry.position}-{line.entry.n}"
