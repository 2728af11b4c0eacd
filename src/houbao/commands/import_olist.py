"""`houbao import olist`: the published tables, read whole; every row of each is accounted for."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from houbao.commands.importing import BATCH, Job
from houbao.feeds.files import Mark, Row
from houbao.feeds.olist import Summary, read
from houbao.wiring import House


class Imported(Struct):
    """What became of the input: each table's rows, and each command's outcome."""

    tables: Summary
    new: dict[str, int]
    known: dict[str, int]
    refused: dict[str, int]

    def told(self) -> list[str]:
        """The summary as lines of text."""
        lines = ["Input rows"]
        for name, table in self.tables.tables.items():
            skipped = ", ".join(f"{reason} {n:,}" for reason, n in table.skipped.items()) or "none"
            lines.append(f"  {name:<40} {table.rows:>8,} read, {table.used:>8,} used; skipped: {skipped}")
        lines.append("Repaired (docs/how-to/import-olist.md says how): " + counts(self.tables.repaired))
        lines.append("New: " + counts(self.new))
        lines.append("Known already: " + counts(self.known))
        lines.append("Refused: " + counts(self.refused))
        return lines


def import_olist(house: House, folder: Path, programme: str, progress: Callable[[int, int], None]) -> Imported:
    """Bring in the published Olist tables. With a `programme`, stores that are new are enrolled in it from now on.
    `progress` is told how many orders are in, and of how many. Stopped anywhere, it is simply run again.

    Raises OlistError for a missing file or column; Refused: unknown_programme."""
    job = Job(house, programme, country="BR")
    sold, tables = read(folder)
    for start in range(0, len(sold), BATCH):
        job.take([Row(at, order, Mark(at, at)) for at, order in enumerate(sold[start : start + BATCH], start)])
        progress(min(start + BATCH, len(sold)), len(sold))
    return Imported(tables, dict(job.new), dict(job.known), dict(job.refused))


def counts(found: dict[str, int]) -> str:
    """Counts by name, in a line."""
    return ", ".join(f"{name} {n:,}" for name, n in found.items()) or "none"
