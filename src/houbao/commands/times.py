"""Times as they are written on the command line."""

from datetime import date, datetime

from houbao.core.terms import FIRST_YEAR, LAST_YEAR, Refused, check_aware


def time_of(option: str, text: str) -> datetime:
    """The time that an option gives. Raises Refused: bad_time; naive_time where it names no zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("bad_time", f"{option} is {text!r}: give a time such as 2026-07-12T12:20:00Z") from None
    check_aware(option, at)
    return at


def day_of(option: str, text: str) -> date:
    """The day that an option gives. Raises Refused: bad_time."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Refused("bad_time", f"{option} is {text!r}: give a day such as 2026-07-12") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Refused("bad_time", f"{option} is {text!r}: give a year from {FIRST_YEAR} to {LAST_YEAR}")
    return day
