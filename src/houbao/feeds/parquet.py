"""Parquet: the columns of the CSV format, of any types that say the same (extra `analytics`)."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from houbao.feeds.cells import Columns, Record, orders_and_events
from houbao.feeds.files import Feed, Mark, Row, digest_of, opened
from houbao.feeds.mapping import FeedError, Mapping, Reading

AT_ONCE = 256
"""The most rows that are decoded at once."""

MOST_BYTES = 4 << 20
"""How many bytes of the file are decoded at once, or one row where that takes more. Long texts that repeat stand in the
file once: of them more is held."""


class ParquetFeed(Feed):
    """A Parquet file, read a few hundred rows at a time; a mark's offset is its number of rows."""

    def __init__(self, path: Path, mapping: Mapping | None) -> None:
        try:
            from pyarrow import ArrowException
            from pyarrow.parquet import ParquetFile
        except ImportError:
            raise FeedError("Parquet needs the extra `analytics`: pip install 'houbao[analytics]'") from None
        opened(path).close()
        self.path = path
        self.reading = Reading(mapping or Mapping())
        try:
            self.file = ParquetFile(path, memory_map=True)
        except (ArrowException, OSError) as error:
            raise FeedError(f"{path} is no Parquet file that can be read: {error}") from None
        self.names = self.file.schema_arrow.names
        self.columns = Columns(path.name, self.names, self.reading.mapping)
        self.whole = self.file.metadata.num_rows
        self._digest = ""

    def witness(self, mark: Mark) -> str:
        """See Feed: of the whole file, which nobody appends to."""
        self._digest = self._digest or digest_of([self.path])
        return self._digest

    def rows(self, after: Mark) -> Iterator[Row]:
        """See Feed. The rows before the mark are passed over undecoded."""
        return orders_and_events(self._records(after.offset), self.columns, self.reading)

    def _records(self, after: int) -> Iterator[Record]:
        number = 0
        for batch in self._batches():
            left = batch.slice(max(0, after - number))
            number += batch.num_rows - left.num_rows
            columns = [[_cell(value) for value in column.to_pylist()] for column in left.columns]
            for cells in zip(*columns, strict=True):
                yield Record(number + 1, Mark(number, number), Mark(number + 1, number + 1), list(cells))
                number += 1

    def _batches(self) -> Iterator[Any]:
        """The file group by group, of each as many rows at once as fit into MOST_BYTES when they are as long as the
        group's are by its own account."""
        for at in range(self.file.num_row_groups):
            group = self.file.metadata.row_group(at)
            fit = MOST_BYTES * group.num_rows // max(group.total_byte_size, 1)
            yield from self.file.iter_batches(batch_size=max(1, min(AT_ONCE, fit)), row_groups=[at])


def _cell(value: Any) -> str:
    """A value as a CSV cell has it."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return str(value).lower()
        case float():
            return f"{Decimal(repr(value)):f}"
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", "replace")
        case dict() | list():
            return msgspec.json.encode(value).decode()
        case _:
            return str(value)
