"""What a check finds: the differences between stored rows and those that should be there, column by column."""

from collections import Counter
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import msgspec
from msgspec import Struct

from houbao.store import schema
from houbao.store.rows import Row

ROW = "(row)"
"""The column of a Difference about a whole row: missing where nothing was found, else one too many."""

MOST_PER_TABLE = 100
"""One lost event can leave everything after it wrong; what is beyond this many is only more of the same."""

UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, TypeError)
"""What a body raises that cannot be decoded."""

COLUMNS = {name: tuple(column.name for column in table.columns) for name, table in schema.metadata.tables.items()}
KEYS = {name: tuple(column.name for column in table.primary_key) for name, table in schema.metadata.tables.items()}
KEYS["outbox"] = ("part", "position", "n")

KEY_OF: dict[str, Callable[[Row], tuple[Any, ...]]] = {
    name: itemgetter(*(COLUMNS[name].index(column) for column in key)) for name, key in KEYS.items() if len(key) > 1
}
"""Table → what finds the key in one of its rows; of the tables whose key has several columns."""


class Difference(Struct, frozen=True):
    """Where the database is not what its events say.

    `key` is the row's primary key (of `outbox`: part, position and n, for its due time moves); `field` the one inside
    a body; `expected` and `found` the values there.
    """

    table: str
    key: tuple[Any, ...]
    column: str
    expected: Any
    found: Any
    field: str = ""

    def __str__(self) -> str:
        where = f"{self.table} {_shown(self.key)}" if self.key else self.table
        if self.column != ROW:
            place = f"{self.column}.{self.field}" if self.field else self.column
            return f"{where}: {place} should be {_shown(self.expected)}, found {_shown(self.found)}."
        if self.found is None:
            return f"{where}: the row is missing; it should be {_shown(self.expected)}."
        return f"{where}: the row is one too many; found {_shown(self.found)}."


def _shown(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        value = bytes(value)
        if len(value) in (16, 32):
            return value.hex()
    text = value if isinstance(value, str) and value.isprintable() else repr(value)
    return text if len(text) <= 160 else f"{text[:160]}…"


class Notes:
    """The differences found so far."""

    def __init__(self) -> None:
        self.found: list[Difference] = []
        self.lost: set[str] = set()
        self._counts: Counter[str] = Counter()

    def add(self, table: str, key: tuple[Any, ...], column: str, expected: Any, found: Any, field: str = "") -> None:
        """Note one difference; of a table that is lost, or has MOST_PER_TABLE, no more."""
        self._counts[table] += 1
        if self._counts[table] <= MOST_PER_TABLE and table not in self.lost:
            self.found.append(Difference(table, key, column, expected, found, field))

    def unreadable(self, table: str, error: object) -> None:
        """The table, or the file, cannot be read to its end: what it lacks is not compared any more."""
        self.add(table, (), "(all)", "readable", str(error))
        self.lost.add(table)

    def extra(self, table: str, row: Row) -> None:
        """A row that nothing made."""
        self.add(table, KEY_OF[table](row), ROW, None, row)

    def compare(self, table: str, expected: Sequence[Row], found: Sequence[Row]) -> None:
        """Compare the rows of a table that one event or one state makes."""
        if expected == found:
            return
        key_of = KEY_OF[table]
        left = {key_of(row): row for row in found}
        for row in expected:
            key = key_of(row)
            other = left.pop(key, None)
            if other is None:
                self.add(table, key, ROW, row, None)
            else:
                self.columns(table, key, row, other)
        for row in left.values():
            self.extra(table, row)

    def columns(self, table: str, key: tuple[Any, ...], expected: Row, found: Row) -> None:
        """Compare a row column by column, and a body field by field."""
        for column, want, have in zip(COLUMNS[table], expected, found, strict=True):
            if want == have:
                continue
            for field, inside, instead in fields(want, have) if column == "body" else [("", want, have)]:
                self.add(table, key, column, inside, instead, field)


def fields(expected: bytes, found: bytes) -> list[tuple[str, Any, Any]]:
    """(field, expected, found) where two bodies differ; one without a name where they cannot be told apart so."""
    whole = [("", expected, found)]
    try:
        want, have = msgspec.json.decode(expected), msgspec.json.decode(found)
    except UNDECODABLE:
        return whole
    if not isinstance(have, dict):
        return whole
    names = [name for name in {**want, **have} if want.get(name) != have.get(name)]
    return [(name, want.get(name), have.get(name)) for name in names] or whole
