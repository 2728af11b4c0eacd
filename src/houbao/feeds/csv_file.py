"""CSV: a header, then one row for each line of an order, or one for each event (docs/order-format.md)."""

import csv
from collections.abc import Iterator
from pathlib import Path

from houbao.core.terms import Refused
from houbao.feeds.cells import Columns, Record, orders_and_events
from houbao.feeds.files import ByteFeed, Mark, Row
from houbao.feeds.mapping import FeedError, Mapping, Reading

SEPARATORS = ",;\t|"


class CsvFeed(ByteFeed):
    """A CSV file in UTF-8. What separates its cells is what the header has most of: a comma, semicolon, tab or bar."""

    def __init__(self, path: Path, mapping: Mapping | None) -> None:
        super().__init__(path)
        self.reading = Reading(mapping or Mapping())
        self._line = self._offset = 0
        first = self.file.readline().decode("utf-8-sig", "replace")
        self.separator = max(SEPARATORS, key=first.count)
        self.file.seek(0)
        self.header = [name.strip() for name in next(self._reader(Mark()), [])]
        self.columns = Columns(path.name, self.header, self.reading.mapping)
        self.first = Mark(self._line, self._offset)

    def rows(self, after: Mark) -> Iterator[Row]:
        """See Feed."""
        return orders_and_events(
            self._records(max(after, self.first, key=lambda mark: mark.offset)), self.columns, self.reading
        )

    def _records(self, after: Mark) -> Iterator[Record]:
        before = after
        for cells in self._reader(after):
            line, here = before.line + 1, Mark(self._line, self._offset)
            if cells and len(cells) != len(self.header):
                said = f"{len(cells)} cells, the header has {len(self.header)}"
                yield Record(line, before, here, Refused("bad_field", said, field=""))
            elif cells:
                yield Record(line, before, here, cells)
            before = here

    def _reader(self, after: Mark) -> Iterator[list[str]]:
        """The rows; strict, for a stray quote would swallow those after it. Raises FeedError on the first such one."""
        self._line, self._offset = after.line, after.offset
        self.file.seek(after.offset)
        rows = csv.reader(self._lines(), strict=True, delimiter=self.separator)
        try:
            yield from rows
        except (csv.Error, UnicodeDecodeError) as error:
            raise FeedError(
                f"{self.path.name} is damaged at line {self._line} ({error}): mend it there and import it again"
            ) from None

    def _lines(self) -> Iterator[str]:
        for line in self.file:
            self._line += 1
            self._offset += len(line)
            yield line.decode("utf-8-sig" if self._line == 1 else "utf-8")
