"""A database as it is at one moment, in a file of its own; beside a writer, who is not kept waiting."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path


def copy_to(source: Path, target: Path) -> None:
    """Copy the database to a file that is not there yet. It has that name once it is whole and on the disk, and not
    before. Raises FileExistsError, OSError, sqlite3.Error."""
    if target.exists():
        raise FileExistsError(f"{target} is there already")
    unfinished = target.with_name(target.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reading,
            closing(sqlite3.connect(unfinished)) as writing,
        ):
            # All pages in one step are of one moment; in several, a writer would make it begin again and again.
            reading.backup(writing, pages=-1)
        with unfinished.open("rb+") as written:
            os.fsync(written.fileno())
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)
