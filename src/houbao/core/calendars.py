"""When is it due? Working calendars, holidays and pauses will live here; today a day is 24 hours everywhere."""

from datetime import UTC, datetime, timedelta

DAY = timedelta(hours=24)


def days_after(at: datetime, days: int) -> datetime:
    """`at` plus `days` × 24 hours exactly, whatever the clocks of its zone do in between; in UTC."""
    return at.astimezone(UTC) + days * DAY
