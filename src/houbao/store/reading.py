"""Reading at one point in time, beside a writer."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path


@contextmanager
def reading(database: sqlite3.Connection | str | Path) -> Generator[sqlite3.Connection]:
    """A connection inside one read transaction; what the caller had open stays open."""
    if isinstance(database, sqlite3.Connection):
        source = nullcontext(database)
    else:
        uri = f"{Path(database).absolute().as_uri()}?mode=ro"
        source = closing(sqlite3.connect(uri, uri=True, isolation_level=None))
    with source as connection:
        inside = connection.in_transaction
        if not inside:
            connection.execute("BEGIN")
        try:
            yield connection
        finally:
            if not inside:
                connection.rollback()
