"""Positions of events, and the times at which they were booked. Inside a part the booking time never goes back, so the
way from a time to its position is halved."""

import sqlite3
from datetime import datetime

from houbao.core.terms import from_micros, micros


def last_position(connection: sqlite3.Connection, part: int) -> int:
    """The position of the last event; 0 before the first one."""
    return connection.execute("SELECT position FROM parts WHERE part=?", (part,)).fetchone()[0]


def first_since(connection: sqlite3.Connection, part: int, at: datetime) -> int:
    """The position of the first event that was booked at that time or later; one behind the last where none was."""
    low, high, wanted = 1, last_position(connection, part) + 1, micros(at)
    while low < high:
        middle = (low + high) // 2
        (booked_at,) = connection.execute(
            "SELECT booked_at FROM events WHERE part=? AND position>=? ORDER BY position LIMIT 1", (part, middle)
        ).fetchone()
        low, high = (middle + 1, high) if booked_at < wanted else (low, middle)
    return low


def last_before(connection: sqlite3.Connection, part: int, at: datetime) -> int:
    """The position of the last event that was booked before that time; 0 where none was."""
    return first_since(connection, part, at) - 1


def booked_at(connection: sqlite3.Connection, part: int, position: int) -> datetime:
    """When the event at that position was booked. LookupError where there is none."""
    found = connection.execute("SELECT booked_at FROM events WHERE part=? AND position=?", (part, position)).fetchone()
    if found is None:
        raise LookupError(f"no event {position}")
    return from_micros(found[0])
