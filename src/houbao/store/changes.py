"""What is to be written, as SQLite's statements: compiled from `schema`, once for each table."""

from functools import cache

from sqlalchemy import Table, insert
from sqlalchemy.dialects import sqlite as dialect

from houbao.store.batch import Rows
from houbao.store.rows import Row

DIALECT = dialect.dialect(paramstyle="qmark")


@cache
def inserting(table: Table, rows: int = 1) -> str:
    """The INSERT of that many whole rows of a table, as text for the driver."""
    statement = str(insert(table).compile(dialect=DIALECT))
    return statement + f", {statement[statement.index(' VALUES ') + 8 :]}" * (rows - 1)


@cache
def keeping(table: Table) -> str:
    """The INSERT of a row unless its key is there already."""
    return f"{inserting(table)} ON CONFLICT DO NOTHING"


@cache
def putting(table: Table) -> str:
    """The INSERT of a row, in the place of what has its key."""
    return _merging(table, "{0} = excluded.{0}")


@cache
def adding(table: Table) -> str:
    """The INSERT of a row, or the addition of its figures to those of what has its key."""
    return _merging(table, "{0} = {1}.{0} + excluded.{0}")


def _merging(table: Table, change: str) -> str:
    key = ", ".join(column.name for column in table.primary_key)
    changes = ", ".join(change.format(c.name, table.name) for c in table.columns if not c.primary_key)
    return f"{inserting(table)} ON CONFLICT ({key}) DO UPDATE SET {changes}"


@cache
def deleting(table: Table) -> str:
    """The DELETE of a row by its key."""
    return f"DELETE FROM {table.name} WHERE {' AND '.join(f'{c.name}=?' for c in table.primary_key)}"


def changes_of(found: Rows) -> list[tuple[str, list[Row]]]:
    """What is not new of a batch, as statements with their rows."""
    return [
        (statement(table), changed)
        for statement, changes in (
            (putting, found.put),
            (adding, found.added),
            (keeping, found.kept),
            (deleting, found.gone),
        )
        for table, changed in changes.items()
        if changed
    ]
