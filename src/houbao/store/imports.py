"""How far the import of a file has come, kept in the database that it fills: to go on there, also after a crash."""

import msgspec
from msgspec import Struct

from houbao.store import rows, schema
from houbao.store.changes import inserting
from houbao.store.sqlite import SQLite


class Progress(Struct, frozen=True):
    """The place in the file, a digest of what was before it, how many bytes of rejected rows belong to that, and what
    became of the rows so far."""

    line: int
    offset: int
    witness: str
    rejected_bytes: int
    counts: dict[str, dict[str, int]]


_decode = msgspec.json.Decoder(Progress).decode


def progress_of(database: SQLite, source: str) -> Progress | None:
    """How far the import of that source has come; None where none was stopped."""
    with database.alone() as connection:
        found = connection.execute("SELECT body FROM imports WHERE source=?", (source,)).fetchone()
    return _decode(found[0]) if found else None


def keep_progress(database: SQLite, source: str, progress: Progress) -> None:
    """Remember it, in the place of what was known before."""
    conflict = "ON CONFLICT (source) DO UPDATE SET body=excluded.body"
    with database.writing() as connection:
        connection.execute(f"{inserting(schema.imports)} {conflict}", (source, bytearray(rows.encode(progress))))


def forget_progress(database: SQLite, source: str) -> None:
    """The import has ended."""
    with database.writing() as connection:
        connection.execute("DELETE FROM imports WHERE source=?", (source,))
