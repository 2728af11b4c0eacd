"""A database made: its tables, what the planner must know of them, its policy and programme."""

import sqlite3
from datetime import datetime
from pathlib import Path

from sqlalchemy.schema import CreateIndex, CreateTable

from houbao.core.policy_file import parse_policy
from houbao.core.programme import Programme
from houbao.core.terms import micros
from houbao.store import rows, schema
from houbao.store.changes import DIALECT, inserting
from houbao.store.sqlite import GENESIS, connect


def create(path: str | Path, *, policy: str, programme: Programme | None, sandbox_clock: datetime | None) -> None:
    """Make the tables of an empty database with its policy (TOML text) and programme. A sandbox keeps its own clock."""
    connection = connect(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        for table in schema.metadata.sorted_tables:
            connection.execute(str(CreateTable(table).compile(dialect=DIALECT)))
            for index in sorted(table.indexes, key=lambda index: index.name or ""):
                connection.execute(str(CreateIndex(index).compile(dialect=DIALECT)))
        _fix_plans(connection)
        parsed = parse_policy(policy)
        kind = "sandbox" if sandbox_clock else "live"
        settings = {"schema": str(schema.SCHEMA_VERSION), "parts": "1", "policy": parsed.version, "kind": kind}
        connection.executemany(inserting(schema.meta), settings.items())
        connection.execute(inserting(schema.policies), (parsed.version, parsed.digest, policy))
        clock = micros(sandbox_clock) if sandbox_clock else None
        connection.execute(inserting(schema.parts), (0, 0, 0, GENESIS, clock, b"", b""))
        if programme:
            connection.execute(inserting(schema.programmes), (programme.name, rows.encode(programme)))
        connection.execute("COMMIT")
    finally:
        connection.close()


def _fix_plans(connection: sqlite3.Connection) -> None:
    """Tell the planner once what every table is like when it is big: one part holds nearly all of it, and each further
    column of a key narrows it down. Without that it believes `part=?` to be selective, and walks the whole part."""
    connection.execute("ANALYZE")
    for table in schema.metadata.sorted_tables:
        keys = {table.name: list(table.primary_key.columns)}
        keys |= {str(index.name): list(index.columns) for index in table.indexes}
        for name, columns in keys.items():
            narrowing = ["1000000", *("10" for _ in columns[1:-1]), "1"][: len(columns)]
            connection.execute(
                "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)",
                (table.name, name, " ".join(["1000000", *narrowing])),
            )
