"""What a benchmark says: one figure beside the bare work of the same run."""

import platform
import sqlite3
import sys
from collections.abc import Callable

from msgspec import Struct

Say = Callable[[str], None]


class Figure(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One figure of a scenario, `of` which case of it. `ratio` = value / limit, where the limit is the bare work of the
    same run; `where` are the shares of the time, `of_size` the figure at other sizes of the table, `milliseconds` the
    waits of callers by quantile."""

    scenario: str
    of: str = ""
    value: float
    unit: str
    limit: float
    ratio: float
    command: str
    machine: str
    rows_per_dispute: float = 0.0
    bytes_per_dispute: float = 0.0
    rows_per_second: float = 0.0
    where: dict[str, float] = {}
    of_size: dict[str, float] = {}
    milliseconds: dict[str, float] = {}


def machine() -> str:
    """This machine in a line."""
    sqlite = sqlite3.sqlite_version
    return f"{platform.machine()}, Python {sys.version.split()[0]}, SQLite {sqlite}, {platform.system()}"
