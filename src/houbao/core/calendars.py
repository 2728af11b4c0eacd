"""When is it due? Waits in exact hours or in business days of a calendar, reminders on the way, pauses in outages.

A day is 24 hours, whatever the clocks of a zone do in between. A business day is a day of a calendar, by the clocks of
its zone. Every time that comes out is UTC.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from houbao.core.said import Said, fault_at
from houbao.core.terms import Record

DAY = timedelta(hours=24)

REMINDERS = (timedelta(hours=48), timedelta(hours=24), timedelta(hours=2))
"""How long before it is due somebody is reminded, the earliest first (policy that ships)."""

WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""The days of the week as calendars name them, in ISO 8601's order."""

_WAIT = re.compile(r"([1-9][0-9]{0,3}) (h|d|bd)", re.ASCII)


class Wait(Record, frozen=True, kw_only=True):
    """How long somebody has: `count` hours (h), days of 24 hours (d) or business days of a calendar (bd)."""

    count: int
    unit: Literal["h", "d", "bd"]

    def __str__(self) -> str:
        return f"{self.count} {self.unit}"


class Calendar(Record, frozen=True, kw_only=True):
    """Which days are business days in a country, and by which clock. `weekend` holds days of the week, Monday is 0."""

    country: str
    zone: str
    weekend: frozenset[int] = frozenset({5, 6})
    holidays: frozenset[date] = frozenset()


EVERYWHERE = Calendar(country="", zone="UTC")
"""The calendar of a country that has none of its own: Monday to Friday in UTC."""


class Outage(Record, frozen=True, kw_only=True):
    """From `start` until before `end` nobody could act, because the system was down; an admin enters it. `position` is
    that of the event by which it was entered."""

    start: datetime
    end: datetime
    position: int = 0


class Clock(Record, frozen=True, kw_only=True):
    """How time runs for a dispute: by the business days of the store's country, and not in outages."""

    calendar: Calendar = EVERYWHERE
    outages: tuple[Outage, ...] = ()


ALWAYS = Clock()
"""Of a store without a calendar of its own, where there never was an outage."""

Span = timedelta | Wait
"""A wait as rules use it: exact, or in business days."""


# --- reading -------------------------------------------------------------------------------------------------------


def parse_wait(text: str) -> Wait:
    """The wait written as "24 h", "5 d" or "3 bd". ValueError says what is wrong."""
    match = _WAIT.fullmatch(text)
    if not match:
        raise ValueError(f'a wait such as "24 h", "5 d" or "3 bd" (business days) is needed, found {text!r}')
    return Wait(count=int(match[1]), unit=match[2])  # ty: ignore[invalid-argument-type]


def parse_calendar(country: str, raw: Mapping[str, Any]) -> tuple[Calendar, list[Said]]:
    """The calendar of a country (ISO 3166, two letters) as a policy writes it, and every fault of it, by field.

    `zone` is a name of the IANA's time zones, `weekend` a list such as ["Sat", "Sun"], `holidays` a list of dates.
    """
    faults: list[Said] = [
        fault_at(name, Said("no such field")) for name in sorted(raw.keys() - {"zone", "weekend", "holidays"})
    ]
    if not re.fullmatch(r"[A-Z]{2}", country, re.ASCII):
        faults.append(Said("the country is two capital letters such as BR, found %(country)s", country=repr(country)))
    zone, weekend, holidays = raw.get("zone"), raw.get("weekend", ["Sat", "Sun"]), raw.get("holidays", [])
    if not isinstance(zone, str) or zone_of(zone) is None:
        faults.append(
            fault_at("zone", Said('a time zone such as "America/Sao_Paulo" is needed, found %(zone)s', zone=repr(zone)))
        )
        zone = "UTC"
    if not isinstance(weekend, list) or not all(day in WEEK for day in weekend) or len(set(weekend)) >= len(WEEK):
        faults.append(
            fault_at(
                "weekend",
                Said(
                    "a list of at most six of %(known)s is needed, found %(weekend)s",
                    known=tuple(WEEK),
                    weekend=repr(weekend),
                ),
            )
        )
        weekend = []
    # A TOML date with a time of day is a date to Python too.
    if not isinstance(holidays, list) or not all(type(day) is date for day in holidays):
        faults.append(fault_at("holidays", Said("a list of dates such as 2026-12-25, without quotes, is needed")))
        holidays = []
    twice = sorted({f"{day}" for day in holidays if holidays.count(day) > 1})
    faults += [fault_at("holidays", Said("%(day)s stands there twice", day=day)) for day in twice]
    days = frozenset(WEEK.index(day) for day in weekend)
    return Calendar(country=country, zone=zone, weekend=days, holidays=frozenset(holidays)), faults


def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of that name (IANA); None where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # A folder, a path outside and an endless name are no zones either.
        return None


# --- due times -----------------------------------------------------------------------------------------------------


def days_after(at: datetime, days: int) -> datetime:
    """`at` plus `days` × 24 hours exactly, whatever the clocks of its zone do in between; in UTC."""
    return at.astimezone(UTC) + _days(days)


@cache
def _days(count: int) -> timedelta:
    """That many days; kept, because to multiply takes ten times as long as to add."""
    return count * DAY


def after(start: datetime, wait: Wait, calendar: Calendar = EVERYWHERE) -> datetime:
    """When a wait that begins at `start` ends, in UTC.

    Hours and days are exact. Business days are counted in the calendar's zone: the wait ends at the same wall-clock
    time on the `count`-th business day after the day of `start`. One that begins on another day begins when the next
    business day does, so that nobody has less than `count` whole business days. Who starts later never ends sooner, but
    inside an hour that clocks show twice, where what they show counts.
    """
    if wait.unit == "h":
        return start.astimezone(UTC) + timedelta(hours=wait.count)
    if wait.unit == "d":
        return days_after(start, wait.count)
    local = start.astimezone(_zone(calendar))
    day, clock = local.date(), local.time()
    if not is_business_day(day, calendar):
        day, clock = _next_business_day(day, calendar), time()
    for _ in range(wait.count):
        day = _next_business_day(day, calendar)
    return at_wall_clock(day, clock, _zone(calendar))


def ends(clock: Clock, start: datetime, span: Span) -> datetime:
    """When a span that begins at `start` (UTC) ends by that clock, in UTC."""
    due = start + span if isinstance(span, timedelta) else after(start, span, clock.calendar)
    return shifted(due, start, clock.outages) if clock.outages else due


def is_business_day(day: date, calendar: Calendar) -> bool:
    """Whether the day is neither of the weekend nor a holiday."""
    return day.weekday() not in calendar.weekend and day not in calendar.holidays


def at_wall_clock(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The moment (UTC) from which on the zone's clocks never show less than `clock` on that day.

    For a time that clocks skip, this is the moment of the jump; for one that they show twice, the second.
    """
    wall = datetime.combine(day, clock.replace(fold=0))
    first = wall.replace(tzinfo=zone).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first <= second:
        return second
    # Skipped: read with the offset after the jump it lies before it, and the other way round (PEP 495).
    before, behind = second, first
    offset = before.astimezone(zone).utcoffset()
    while behind - before > timedelta(microseconds=1):
        middle = before + (behind - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            behind = middle
    return behind


def _next_business_day(day: date, calendar: Calendar) -> date:
    day += timedelta(days=1)
    while not is_business_day(day, calendar):
        day += timedelta(days=1)
    return day


def _zone(calendar: Calendar) -> ZoneInfo:
    zone = zone_of(calendar.zone)
    if zone is None:
        raise ValueError(f"the calendar of {calendar.country or 'everywhere'} has no time zone {calendar.zone!r}")
    return zone


# --- on the way to it ----------------------------------------------------------------------------------------------


def reminders(start: datetime, due: datetime) -> tuple[datetime, ...]:
    """When somebody who has from `start` until `due` is reminded: 48, 24 and 2 hours before, but only after `start`."""
    return tuple(due - before for before in REMINDERS if due - before > start)


def shifted(at: datetime, entered: datetime, outages: Iterable[Outage]) -> datetime:
    """The due time `at` of a turn entered at `entered`, moved by the outages: the turn's clock stands still in them.

    It is the first moment by which as much time outside outages has passed since `entered` as lies between `entered`
    and `at`. So a due time moves by the part of each outage between `entered` and where it ends up itself; an outage
    that begins at the (moved) due time or later moves nothing; where two overlap, the time counts once. `at` is always
    the due time as it would be without outages, and `outages` are all of them: moving one that was moved already is
    not the same, for a later outage may become part of the turn by an earlier one.
    """
    due, counted = at, entered
    for outage in sorted(outages, key=lambda one: one.start):
        begin = max(outage.start, counted)
        if begin >= due:
            break
        if outage.end > begin:
            due += outage.end - begin
            counted = outage.end
    return due
