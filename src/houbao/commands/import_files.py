"""`houbao import` of files of orders: in pieces, each remembered when it is in, with every row accounted for."""

import gc
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from msgspec import Struct, structs

from houbao.commands.ahead import read_ahead
from houbao.commands.import_olist import Imported, counts, import_olist
from houbao.commands.importing import BATCH, Job, Told
from houbao.core.terms import Refused, public_id
from houbao.feeds.files import START, Feed, Ignored, Mark, Row
from houbao.feeds.mapping import FeedError, Mapping, read_mapping
from houbao.feeds.sold import SoldOrder
from houbao.store.imports import Progress, forget_progress, keep_progress, progress_of
from houbao.store.rows import encode
from houbao.wiring import House

MOST_BYTES = 16 << 20
"""From how many bytes on, in their file or else of what they say, no more rows are taken in at once: the memory must
not grow with their length."""

FIELDS = {
    "store": "store_id",
    "buyer": "buyer_id",
    "line id": "lines.id",
    "payment id": "payments.id",
    "provider": "payments.provider",
    "payout": "amount",
}
"""What a refusal's detail begins with → the field of the format."""

OF_CODES = {
    "bad_currency": "currency",
    "bad_lines": "lines",
    "bad_payments": "payments",
    "unknown_order": "order",
    "unknown_store": "store_id",
    "unknown_payment": "payment",
    "order_turn": "type",
    "bad_rating": "description",
    "not_mature": "at",
    "payable_short": "amount",
    "payout_above_order": "amount",
}
"""Code → field, where the detail does not begin with it."""


class Summary(Struct):
    """What became of every row: rows = imported + known + the rejected + the ignored. `in_part` of the rejected were
    placed all the same, without what was wrong. `resumed_at` is the line after which this run began."""

    source: str
    rows: int
    imported: int
    known: int
    rejected: dict[str, int]
    ignored: dict[str, int]
    in_part: int
    commands: dict[str, dict[str, int]]
    resumed_at: int
    seconds: float
    rows_per_second: float
    rejected_file: str
    unread: list[str]

    def told(self) -> list[str]:
        """The summary as lines of text."""
        lines = [
            f"{self.source}: {self.rows:,} rows = {self.imported:,} imported + {self.known:,} there already"
            f" + {sum(self.rejected.values()):,} rejected + {sum(self.ignored.values()):,} ignored",
            f"{self.seconds:.1f} s, {self.rows_per_second:,.0f} rows/s"
            + (f"; went on after line {self.resumed_at:,}" if self.resumed_at else ""),
        ]
        if self.rejected:
            part = f"; {self.in_part:,} of them placed without it" if self.in_part else ""
            lines.append(f"Rejected, each with its line in {self.rejected_file}: {counts(self.rejected)}{part}")
        if self.ignored:
            lines.append("Ignored: " + counts(self.ignored))
        if self.unread:
            lines.append("Columns that were not read: " + ", ".join(self.unread))
        lines += [f"{name.capitalize()}: {counts(found)}" for name, found in self.commands.items()]
        return lines


class Counts:
    """What became of the rows, in this run and in those that it goes on from."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.ignored: Counter[str] = Counter()

    def add(self, row: Row, told: Told) -> None:
        """Count a row, by what became of it."""
        if told.ignored:
            self.ignored[told.ignored] += row.count
        elif told.refused:
            self.rejected[told.refused.code] += row.count
            self.rows["in_part"] += row.count if told.order else 0
        else:
            self.rows["imported" if told.new else "known"] += row.count

    def plain(self) -> dict[str, dict[str, int]]:
        """As it is kept."""
        return {"rows": dict(self.rows), "rejected": dict(self.rejected), "ignored": dict(self.ignored)}

    def go_on(self, kept: dict[str, dict[str, int]]) -> None:
        """Go on from what was kept."""
        for name, found in kept.items():
            getattr(self, name).update(found)


class Rejects:
    """The file of rejected rows beside the input: a line for each, with where it stood, which field, and why. Raises
    FeedError where its first `keep` bytes, which an import that was stopped wrote, are not there."""

    def __init__(self, path: Path, keep: int) -> None:
        self.path = path.with_name(path.name + ".rejected.ndjson")
        self.size = keep
        if not keep:
            self.path.unlink(missing_ok=True)
        elif not self.path.is_file() or self.path.stat().st_size < keep:
            raise FeedError(
                f"{self.path}, where the import that was stopped wrote what it rejected, is gone or shorter:"
                " run it without --resume, from the start; what is there already stays as it is"
            )
        else:
            os.truncate(self.path, keep)

    def add(self, rows: list[tuple[Row, Told]]) -> None:
        """Append the rejected ones of those rows."""
        lines = [_rejected(row, told, told.refused) for row, told in rows if told.refused]
        if lines:
            with self.path.open("ab") as file:
                file.write(b"".join(lines))
                self.size = file.tell()


def _rejected(row: Row, told: Told, refused: Refused) -> bytes:
    said: dict[str, object] = {"file": row.file} if row.file else {}
    field = field_of(refused, of_order=isinstance(row.said, SoldOrder))
    said |= {"line": row.line, "field": field, "reason": refused.code, "detail": refused.detail}
    if row.count > 1:
        said["rows"] = row.count
    if told.order:
        said["placed"] = public_id("order", 0, told.order)
    return json.dumps(said, ensure_ascii=False).encode() + b"\n"


def field_of(refused: Refused, *, of_order: bool) -> str:
    """The field of the order format that was refused, as far as it can be told; else empty."""
    name = str(refused.facts.get("field", OF_CODES.get(refused.code, "")))
    if not name and refused.code.startswith(("bad_", "naive_")):
        name, said, _ = refused.detail.partition(" is ")
        name = name.removeprefix("the ").partition(" of line ")[0] if said and len(name) < 40 else ""
    if name.startswith("payment ") and name != "payment id":
        return "payments.amount"
    return "placed_at" if name == "at" and of_order else FIELDS.get(name, name)


def feed_of(source: str, path: Path, mapping: Mapping | None) -> Feed:
    """The file as a feed of that kind. Raises FeedError."""
    match source:
        case "ndjson":
            from houbao.feeds.ndjson import NdjsonFeed

            return NdjsonFeed(path, mapping)
        case "csv":
            from houbao.feeds.csv_file import CsvFeed

            return CsvFeed(path, mapping)
        case "parquet":
            from houbao.feeds.parquet import ParquetFeed

            return ParquetFeed(path, mapping)
        case "shopify" | "woocommerce":
            from houbao.feeds import shopify, woocommerce
            from houbao.feeds.shop_files import ShopFeed
            from houbao.feeds.shops import Shop

            reader = shopify.reader if source == "shopify" else woocommerce.reader
            return ShopFeed(path, reader(Shop(mapping)))
    raise FeedError(f"no source {source!r}")


def mapping_of(file: Path | None, store: str) -> Mapping | None:
    """The mapping of a file, and of a store that is named beside it. Raises FeedError."""
    mapping = read_mapping(file) if file else None
    if not store:
        return mapping
    mapping = mapping or Mapping()
    return structs.replace(mapping, constants={**mapping.constants, "store_id": store})


class Ways(Struct, frozen=True):
    """How a file comes in, as it was asked for."""

    programme: str
    country: str
    mapping: Path | None
    store: str
    resume: bool
    silent: bool


def import_from(house: House, source: str, path: Path, ways: Ways) -> Summary | Imported:
    """Bring in orders from any source, telling how far it is. Raises FeedError, OlistError, Refused."""
    ticker = Ticker(silent=ways.silent)
    try:
        if source == "olist":
            return import_olist(house, path, ways.programme, ticker.orders)
        return import_file(
            house,
            source,
            path,
            mapping=mapping_of(ways.mapping, ways.store),
            programme=ways.programme,
            country=ways.country,
            resume=ways.resume,
            progress=ticker.rows,
        )
    finally:
        ticker.end()


def import_file(
    house: House,
    source: str,
    path: Path,
    *,
    mapping: Mapping | None,
    programme: str,
    country: str,
    resume: bool,
    progress: Callable[[Mark, int, int], None],
) -> Summary:
    """Bring in a file of orders. With a `programme`, stores that are new are enrolled in it from now on. With `resume`
    it goes on where an import of the same file into the same database was stopped. `progress` is told where it is, how
    long the file is, and how many rows this run has read.

    Raises FeedError where the file cannot be read, or is not what it was; Refused: unknown_programme."""
    job = Job(house, programme, country)
    feed = feed_of(source, path, mapping)
    name = f"{source}:{path.resolve()}"
    stopped = progress_of(house.database, name) if resume else None
    tally, mark = Counts(), START
    if stopped:
        mark = Mark(stopped.line, stopped.offset)
        if feed.witness(mark) != stopped.witness:
            raise FeedError(
                f"{path} has changed before line {stopped.line:,}, where its import was stopped: run it without"
                " --resume, from the start; what is there already stays as it is"
            )
        tally.go_on(stopped.counts)
    rejects = Rejects(path, stopped.rejected_bytes if stopped else 0)
    began, read = monotonic(), 0
    with read_ahead(_pieces(feed.rows(mark)), house.engine) as pieces, _collecting_seldom():
        for rows in pieces:
            told = job.take(rows)
            for row, outcome in zip(rows, told, strict=True):
                tally.add(row, outcome)
                read += row.count
            rejects.add([*zip(rows, told, strict=True)])
            here = rows[-1].after
            kept = Progress(here.line, here.offset, feed.witness(here), rejects.size, tally.plain())
            keep_progress(house.database, name, kept)
            progress(here, feed.whole, read)
    forget_progress(house.database, name)
    seconds = monotonic() - began
    return Summary(
        source=str(path),
        rows=tally.rows["imported"] + tally.rows["known"] + tally.rejected.total() + tally.ignored.total(),
        imported=tally.rows["imported"],
        known=tally.rows["known"],
        rejected=dict(tally.rejected),
        ignored=dict(tally.ignored),
        in_part=tally.rows["in_part"],
        commands={"new": dict(job.new), "known already": dict(job.known), "refused": dict(job.refused)},
        resumed_at=mark.line,
        seconds=round(seconds, 3),
        rows_per_second=round(read / seconds, 1) if seconds else 0.0,
        rejected_file=str(rejects.path) if tally.rejected else "",
        unread=getattr(getattr(feed, "columns", None), "unread", []),
    )


@contextmanager
def _collecting_seldom() -> Generator[None]:
    """Records are freed by count, and leave nothing to the cycle collector, whose walks are many."""
    before = gc.get_threshold()
    gc.set_threshold(100 * BATCH, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _pieces(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows as they are taken in together: up to BATCH, and only one that goes beyond MOST_BYTES."""
    piece: list[Row] = []
    size = 0
    for row in rows:
        piece.append(row)
        size += row.size or _size(row)
        if len(piece) == BATCH or size >= MOST_BYTES:
            yield piece
            piece = []
            size = 0
    if piece:
        yield piece


def _size(row: Row) -> int:
    """How many bytes it takes to write down what a row says, where its file does not tell; refusals are short."""
    return 0 if isinstance(row.said, Refused | Ignored) else len(encode(row.said))


class Ticker:
    """Says how far it is, at most twice a second, where somebody reads it."""

    def __init__(self, *, silent: bool) -> None:
        self.silent = silent
        self.began = self.last = monotonic()

    def rows(self, here: Mark, whole: int, read: int) -> None:
        """How far a file is."""
        self.say(f"line {here.line:,}, {here.offset * 100 // max(whole, 1)} %", read)

    def orders(self, done: int, whole: int) -> None:
        """How many orders of all are in."""
        self.say(f"{done:,} of {whole:,} orders", done)

    def say(self, where: str, done: int) -> None:
        """Say it on the error stream: over itself on a terminal, else a line every ten seconds."""
        now, terminal = monotonic(), sys.stderr.isatty()
        if self.silent or now - self.last < (0.5 if terminal else 10):
            return
        self.last = now
        text = f"{where}, {done / (now - self.began):,.0f}/s"
        # The cursor goes back to where the line began: whatever is printed next stands in its place.
        print(f"{text}\033[K\r" if terminal else text, end="" if terminal else "\n", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Clear the line."""
        if not self.silent and sys.stderr.isatty():
            print("\033[K", end="", file=sys.stderr, flush=True)
