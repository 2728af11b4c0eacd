"""The lake: all of the past as Parquet, one folder a table and one a month (UTC), for any tool that reads that.

    DIR/manifest.json · DIR/policies/VERSION.toml · DIR/disputes/month=2026-07/part-0.parquet …

It is written beside its place and put there whole: whoever reads finds the lake before or the one after.
"""

import ctypes
import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from houbao.core.programme import Programme
from houbao.engine.past import Past
from houbao.insight.columns import (
    DISPUTES,
    EVENTS,
    ORDERS,
    TABLES,
    TRANSFERS,
    Kind,
    Row,
    digest_under,
    dispute_row,
    event_row,
    order_row,
    transfer_row,
)

if TYPE_CHECKING:
    import pyarrow

FORMAT = 1
MANIFEST = "manifest.json"
TOGETHER = 50_000
"""Rows of a month that are written together."""

MOST_HELD = 300_000
"""Rows that are held at most, over all months of a table."""

Progress = Callable[[str, int, int], None]
"""Told, again and again, what is being done, how many rows of it are done, and of how many."""


class LakeError(Exception):
    """A folder that is no lake, or not a whole one; or one that a lake cannot be written to."""


class Filed(msgspec.Struct, frozen=True):
    """How many rows of a table there are, in all and in each month."""

    rows: int
    months: dict[str, int]


class PartHead(msgspec.Struct, frozen=True):
    """Up to where the past of a part is in the lake: its last event, when that was booked, and the head of the hash
    chain there (hex)."""

    part: int
    position: int
    booked_at: datetime
    chain: str


class Manifest(msgspec.Struct, frozen=True):
    """What a lake holds. `until` is the database's clock when it was written; a sandbox's past is simulated. `policies`
    is version → SHA-256 of its text."""

    format: int
    until: datetime
    sandbox: bool
    parts: list[PartHead]
    programmes: list[Programme]
    policies: dict[str, str]
    currencies: list[str]
    tables: dict[str, Filed]


# --- writing -------------------------------------------------------------------------------------------------------


def write_lake(folder: Path, past: Past, now: datetime, progress: Progress) -> Manifest:
    """Write the past to `folder`, in the place of the lake that is there. Raises LakeError: the folder holds something
    else, or cannot be written to."""
    _check_place(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise LakeError(f"{folder} cannot be written: {error}") from None
    try:
        manifest = _write(beside, past, now, progress)
        beside.chmod(0o755)
        _put_in_place(beside, folder)
    except OSError as error:
        raise LakeError(f"{folder} cannot be written: {error}; what was there before is as it was") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return manifest


def _check_place(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise LakeError(f"{folder} is a file: name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise LakeError(f"{folder} holds other things than a lake: name a new folder, or an empty one")


def _write(folder: Path, past: Past, now: datetime, progress: Progress) -> Manifest:
    digest = digest_under(os.urandom(16))
    currencies: set[str] = set()
    part, at = past.part, list(DISPUTES).index("currency")

    def told() -> Iterator[tuple[datetime, Row]]:
        for story in past.disputes:
            if found := dispute_row(part, story, digest):
                currencies.add(found[1][at])
                yield found

    streams: dict[str, tuple[dict[str, Kind], Iterable[tuple[datetime, Row]]]] = {
        "events": (EVENTS, (event_row(part, one) for one in past.events)),
        "disputes": (DISPUTES, told()),
        "transfers": (TRANSFERS, (transfer_row(part, one) for one in past.transfers)),
        "orders": (ORDERS, (order_row(part, one, digest) for one in past.orders)),
    }
    tables = {
        name: _write_table(folder / name, columns, rows, lambda done, n=name: progress(n, done, past.counts[n]))
        for name, (columns, rows) in streams.items()
    }
    (folder / "policies").mkdir()
    for version, text in past.policies.items():
        (folder / "policies" / f"{file_name(version)}.toml").write_bytes(text.encode())
    manifest = Manifest(
        format=FORMAT,
        until=now,
        sandbox=past.sandbox,
        parts=[PartHead(part, past.position, past.booked_at, past.chain.hex())],
        programmes=past.programmes,
        policies={version: sha256(text.encode()).hexdigest() for version, text in past.policies.items()},
        currencies=sorted(currencies),
        tables=tables,
    )
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    return manifest


def file_name(version: str) -> str:
    """A policy's version as the name of a file: any text becomes a plain one, no two the same."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else f"%{ord(c):x}%" for c in version)


def _write_table(
    folder: Path, columns: dict[str, Kind], rows: Iterable[tuple[datetime, Row]], progress: Callable[[int], None]
) -> Filed:
    """Rows by months, held a while so that those of a month are written together."""
    months = _Months(folder, columns)
    done = 0
    for done, (at, row) in enumerate(rows, 1):
        months.add(f"{at:%Y-%m}", row)
        if done % TOGETHER == 0:
            progress(done)
    months.close()
    progress(done)
    return Filed(done, dict(sorted(months.counts.items())))


class _Months:
    """The files of a table that are being written, one a month."""

    def __init__(self, folder: Path, columns: dict[str, Kind]) -> None:
        self.folder = folder
        self.schema = schema_of(columns)
        self.held: dict[str, list[Row]] = {}
        self.counts: dict[str, int] = {}
        self.files: dict[str, pyarrow.parquet.ParquetWriter] = {}
        self.holding = 0
        folder.mkdir(parents=True)
        if not folder.is_dir():
            raise NotADirectoryError(folder)

    def add(self, month: str, row: Row) -> None:
        held = self.held.setdefault(month, [])
        held.append(row)
        self.holding += 1
        if len(held) == TOGETHER:
            self._flush(month)
        elif self.holding == MOST_HELD:
            self._flush(max(self.held, key=lambda name: len(self.held[name])))

    def _flush(self, month: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = self.held.pop(month)
        self.holding -= len(rows)
        self.counts[month] = self.counts.get(month, 0) + len(rows)
        if month not in self.files:
            path = self.folder / f"month={month}" / "part-0.parquet"
            path.parent.mkdir()
            self.files[month] = pq.ParquetWriter(path, self.schema, compression="zstd")
        columns = [
            pa.array(values, field.type) for values, field in zip(zip(*rows, strict=True), self.schema, strict=True)
        ]
        self.files[month].write_table(pa.Table.from_arrays(columns, schema=self.schema))

    def close(self) -> None:
        """Write what is held. A table without rows gets one empty file, so that every reader finds its columns."""
        import pyarrow.parquet as pq

        for month in [*self.held]:
            self._flush(month)
        for file in self.files.values():
            file.close()
        if not self.files:
            path = self.folder / "month=0000-00" / "part-0.parquet"
            path.parent.mkdir()
            pq.write_table(self.schema.empty_table(), path)


def schema_of(columns: dict[str, Kind]) -> "pyarrow.Schema":
    """The columns of a table as Arrow has them."""
    import pyarrow as pa

    kinds = {
        "int": pa.int64(),
        "text": pa.string(),
        "flag": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
        "texts": pa.list_(pa.string()),
    }
    return pa.schema([(name, kinds[kind]) for name, kind in columns.items()])


# --- putting it in its place ---------------------------------------------------------------------------------------

_AT_FDCWD, _EXCHANGE = -100, 2


def _put_in_place(new: Path, folder: Path) -> None:
    """The new folder in the place of the old one, which is then in the new one's. In one step where the system has it
    (Linux); else there is an instant between two."""
    if not folder.exists():
        new.rename(folder)
    elif not _exchanged(new, folder):
        old = new.with_name(f"{new.name}.old")
        folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            old.rename(folder)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Whether the two could be exchanged in one step."""
    try:
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if exchange(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) == 0:
        return True
    problem = ctypes.get_errno()
    if problem in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(problem, os.strerror(problem), str(other))


# --- reading -------------------------------------------------------------------------------------------------------


class Lake(msgspec.Struct, frozen=True):
    """A lake that was opened: where, what it holds, and its policies' texts."""

    folder: Path
    manifest: Manifest
    policies: dict[str, str]

    def files(self, table: str, months: Iterable[str] = ()) -> list[Path]:
        """The files of a table, of those months or of all. Raises LakeError where one is missing."""
        wanted = [*months] or [*self.manifest.tables[table].months] or ["0000-00"]
        paths = [self.folder / table / f"month={month}" / "part-0.parquet" for month in wanted]
        for path in paths:
            if not path.is_file():
                raise LakeError(f"{path} is missing: export the lake again")
        return paths


def open_lake(folder: Path) -> Lake:
    """The lake in that folder. Raises LakeError where there is none, or one of another format."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise LakeError(f"no lake in {folder}: `houbao export lake {folder}` makes one") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise LakeError(f"{folder / MANIFEST} cannot be read: {error}; export the lake again") from None
    if manifest.format != FORMAT or manifest.tables.keys() != TABLES.keys():
        raise LakeError(f"{folder} has format {manifest.format}, this Houbao reads {FORMAT}: export the lake again")
    policies = {}
    for version, digest in manifest.policies.items():
        policies[version] = _policy_text(folder / "policies" / f"{file_name(version)}.toml", digest)
    return Lake(folder, manifest, policies)


def _policy_text(path: Path, digest: str) -> str:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise LakeError(f"{path} cannot be read: {error}; export the lake again") from None
    if sha256(text).hexdigest() != digest:
        raise LakeError(f"{path} has another text than when it was exported: export the lake again")
    return text.decode()
