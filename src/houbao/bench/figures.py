"""What a benchmark gives: a figure, and the bare work of the same run beside it."""

import platform
import sqlite3
import sys

from msgspec import Struct


class Figure(Struct, frozen=True):
    """One figure. `ratio` = value / limit, where the limit is the bare work of the same run. Of opened disputes also
    the rows and bytes of each, and where the time went."""

    scenario: str
    value: float
    unit: str
    limit: float
    ratio: float
    command: str
    machine: str
    rows_per_dispute: float = 0.0
    bytes_per_dispute: float = 0.0
    where: dict[str, float] = {}


def machine() -> str:
    """This machine in a line."""
    sqlite = sqlite3.sqlite_version
    return f"{platform.machine()}, Python {sys.version.split()[0]}, SQLite {sqlite}, {platform.system()}"
