"""When it is due: exact hours, business days across clock changes, reminders, and turns that stand still in outages."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from houbao.core.calendars import (
    EVERYWHERE,
    Calendar,
    Outage,
    Wait,
    after,
    at_wall_clock,
    days_after,
    is_business_day,
    parse_calendar,
    parse_wait,
    reminders,
    shifted,
    zone_of,
)

BRAZIL = Calendar(
    country="BR",
    zone="America/Sao_Paulo",
    holidays=frozenset({date(2018, 11, 2), date(2018, 11, 15), date(2018, 12, 25)}),
)
GERMANY = Calendar(country="DE", zone="Europe/Berlin", holidays=frozenset({date(2026, 4, 3), date(2026, 4, 6)}))
EGYPT = Calendar(country="EG", zone="Africa/Cairo", weekend=frozenset({4, 5}))
CALENDARS = st.sampled_from([BRAZIL, GERMANY, EGYPT, EVERYWHERE])
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=3650)).map(lambda gone: datetime(2017, 1, 1, tzinfo=UTC) + gone)
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str, calendar: Calendar) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(calendar.zone))


def ends(text: str, wait: str, calendar: Calendar) -> str:
    """When a wait that begins at that local time ends, in local time."""
    end = after(local(text, calendar), parse_wait(wait), calendar)
    assert end.tzinfo is UTC
    return f"{end.astimezone(ZoneInfo(calendar.zone)):%a %Y-%m-%d %H:%M}"


# --- waits ---------------------------------------------------------------------------------------------------------


def test_a_wait_is_read_as_it_is_written():
    assert parse_wait("24 h") == Wait(count=24, unit="h")
    assert parse_wait("5 d") == Wait(count=5, unit="d")
    assert str(parse_wait("3 bd")) == "3 bd"


@pytest.mark.parametrize(
    "text", ["", "5", "5d", "0 d", "-1 d", "5 days", "1.5 d", "5 d ", "٥ d", "12345 h", "5  d", "05 d"]
)
def test_what_is_no_wait_is_said_with_what_to_write(text: str):
    with pytest.raises(ValueError, match='"5 d" or "3 bd"'):
        parse_wait(text)


@given(MOMENTS, st.integers(1, 60), CALENDARS)
def test_days_are_24_hours_exactly_whatever_the_clocks_do(start: datetime, count: int, calendar: Calendar):
    zoned = start.astimezone(ZoneInfo(calendar.zone))
    assert after(zoned, Wait(count=count, unit="d"), calendar) - start == count * timedelta(hours=24)
    assert after(zoned, Wait(count=count, unit="h"), calendar) - start == count * HOUR
    assert days_after(zoned, count) == after(start, Wait(count=count, unit="d"), calendar)


# --- business days -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "wait", "end", "calendar"),
    [
        ("2026-03-03 15:00", "3 bd", "Fri 2026-03-06 15:00", GERMANY),
        ("2026-03-06 15:00", "1 bd", "Mon 2026-03-09 15:00", GERMANY),
        # Good Friday and Easter Monday are holidays, and the clocks went forward on the Sunday before.
        ("2026-03-27 15:00", "5 bd", "Tue 2026-04-07 15:00", GERMANY),
        ("2018-11-01 09:30", "2 bd", "Tue 2018-11-06 09:30", BRAZIL),
        # Sunday to Thursday is a week of work there.
        ("2026-03-05 10:00", "2 bd", "Mon 2026-03-09 10:00", EGYPT),
    ],
)
def test_business_days_leave_out_weekends_and_holidays(start: str, wait: str, end: str, calendar: Calendar):
    assert ends(start, wait, calendar) == end


@pytest.mark.parametrize("start", ["2026-03-07 00:00", "2026-03-07 15:00", "2026-03-08 23:59", "2026-03-09 00:00"])
def test_a_wait_that_begins_at_a_weekend_begins_with_the_next_business_day(start: str):
    assert ends(start, "1 bd", GERMANY) == "Tue 2026-03-10 00:00"


def test_the_day_is_the_day_of_the_calendars_zone():
    friday_in_utc, saturday_in_berlin = utc("2026-03-06 23:30"), local("2026-03-07 00:30", GERMANY)
    assert friday_in_utc == saturday_in_berlin
    assert after(friday_in_utc, parse_wait("1 bd"), GERMANY) == local("2026-03-10 00:00", GERMANY)
    assert after(friday_in_utc, parse_wait("1 bd")) == utc("2026-03-09 23:30")


def test_the_same_wall_clock_time_is_kept_when_the_clocks_change():
    start = local("2026-10-23 12:00", GERMANY)
    assert after(start, parse_wait("1 bd"), GERMANY) - start == timedelta(days=3, hours=1)
    start = local("2026-03-27 12:00", GERMANY)
    assert after(start, parse_wait("1 bd"), GERMANY) - start == timedelta(days=3, hours=-1)


def test_a_time_that_the_clocks_skip_is_the_moment_of_the_jump():
    berlin = ZoneInfo("Europe/Berlin")
    assert at_wall_clock(date(2026, 3, 29), time(2, 30), berlin) == utc("2026-03-29 01:00")
    assert at_wall_clock(date(2026, 3, 29), time(3), berlin) == utc("2026-03-29 01:00")
    assert at_wall_clock(date(2026, 3, 29), time(1, 59), berlin) == utc("2026-03-29 00:59")
    # Midnight itself was skipped in São Paulo; in Samoa a whole day was.
    assert at_wall_clock(date(2017, 10, 15), time(0), ZoneInfo("America/Sao_Paulo")) == utc("2017-10-15 03:00")
    assert at_wall_clock(date(2011, 12, 30), time(12), ZoneInfo("Pacific/Apia")) == utc("2011-12-30 10:00")


def test_a_time_that_the_clocks_show_twice_is_the_second():
    berlin = ZoneInfo("Europe/Berlin")
    assert at_wall_clock(date(2026, 10, 25), time(2, 30), berlin) == utc("2026-10-25 01:30")
    assert at_wall_clock(date(2026, 10, 25), time(2, 30, fold=1), berlin) == utc("2026-10-25 01:30")
    # Clocks of Lord Howe Island go back by half an hour.
    assert at_wall_clock(date(2026, 4, 5), time(1, 45), ZoneInfo("Australia/Lord_Howe")) == utc("2026-04-04 15:15")


@given(
    st.dates(date(1970, 1, 2), date(2037, 12, 30)),
    st.times(),
    st.sampled_from(
        ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia", "UTC"]
    ),
)
def test_from_a_wall_clock_time_on_no_less_is_shown_and_just_before_it_was(day: date, clock: time, name: str):
    zone, shown = ZoneInfo(name), datetime.combine(day, clock.replace(fold=0))
    moment = at_wall_clock(day, clock, zone)
    assert all((moment + n * HOUR / 4).astimezone(zone).replace(tzinfo=None) >= shown for n in range(12))
    assert (moment - timedelta(microseconds=1)).astimezone(zone).replace(tzinfo=None) < shown


@given(MOMENTS, st.integers(1, 15), CALENDARS)
def test_a_wait_has_as_many_whole_business_days_as_it_says_and_ends_on_one(
    start: datetime, count: int, calendar: Calendar
):
    zone = ZoneInfo(calendar.zone)
    end = after(start, Wait(count=count, unit="bd"), calendar).astimezone(zone)
    first = start.astimezone(zone)
    assert is_business_day(end.date(), calendar)
    days = [first.date() + timedelta(days=n) for n in range((end.date() - first.date()).days + 1)]
    assert sum(is_business_day(day, calendar) for day in days) == count + 1
    assert after(start, Wait(count=count + 1, unit="bd"), calendar) > end


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=5)), st.integers(1, 15), CALENDARS)
def test_who_starts_later_never_ends_sooner(start: datetime, later: timedelta, count: int, calendar: Calendar):
    zone, wait = ZoneInfo(calendar.zone), Wait(count=count, unit="bd")
    end = after(start, wait, calendar)
    shown, shown_later = (at.astimezone(zone).replace(tzinfo=None) for at in (start, start + later))
    if shown <= shown_later:
        assert end <= after(start + later, wait, calendar)


# --- calendars as a policy writes them -----------------------------------------------------------------------------


def test_a_calendar_is_read_as_a_policy_writes_it():
    raw = {"zone": "Africa/Cairo", "weekend": ["Fri", "Sat"], "holidays": [date(2026, 7, 23)]}
    calendar, faults = parse_calendar("EG", raw)
    assert faults == []
    assert calendar == Calendar(
        country="EG", zone="Africa/Cairo", weekend=frozenset({4, 5}), holidays=frozenset({date(2026, 7, 23)})
    )
    assert parse_calendar("DE", {"zone": "Europe/Berlin"}) == (Calendar(country="DE", zone="Europe/Berlin"), [])


@pytest.mark.parametrize(
    ("country", "raw", "fault"),
    [
        ("br", {}, "two capital letters"),
        ("BR", {"zone": "America/Atlantis"}, "zone: a time zone such as"),
        ("BR", {"zone": None}, "zone: a time zone such as"),
        ("BR", {"weekend": ["Saturday"]}, "weekend: a list of at most six of Mon"),
        ("BR", {"weekend": "Sat"}, "weekend: a list"),
        ("BR", {"weekend": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]}, "at most six"),
        ("BR", {"holidays": ["2026-12-25"]}, "without quotes"),
        ("BR", {"holidays": [datetime(2026, 12, 25, 8, tzinfo=UTC)]}, "a list of dates"),
        ("BR", {"holidays": [date(2026, 12, 25), date(2026, 12, 25)]}, "holidays: 2026-12-25 stands there twice"),
        ("BR", {"hollidays": []}, "hollidays: no such field"),
    ],
)
def test_every_fault_of_a_calendar_is_named(country: str, raw: dict, fault: str):
    _, faults = parse_calendar(country, {"zone": "UTC", **raw})
    assert len(faults) == 1
    assert fault in faults[0]


@pytest.mark.parametrize(
    "name", ["", "Atlantis", "Europe", "../../etc/passwd", "/etc/passwd", "x" * 300, "\0", "\ud800"]
)
def test_what_is_no_zone_is_none_and_no_calendar_can_count_in_it(name: str):
    assert zone_of(name) is None
    with pytest.raises(ValueError, match="no time zone"):
        after(utc("2026-03-06 12:00"), parse_wait("1 bd"), Calendar(country="XX", zone=name))


# --- reminders -----------------------------------------------------------------------------------------------------


def test_reminders_come_48_24_and_2_hours_before_but_only_after_the_start():
    start = utc("2026-03-02 12:00")
    due = days_after(start, 5)
    assert reminders(start, due) == (utc("2026-03-05 12:00"), utc("2026-03-06 12:00"), utc("2026-03-07 10:00"))
    assert reminders(due - 48 * HOUR, due) == (due - 24 * HOUR, due - 2 * HOUR)
    assert reminders(due - HOUR, due) == ()


# --- outages -------------------------------------------------------------------------------------------------------

ENTERED = utc("2026-03-02 12:00")
seconds = st.integers(-20, 60)


def second(n: int) -> datetime:
    return ENTERED + timedelta(seconds=n)


def outage(start: int, end: int) -> Outage:
    return Outage(start=second(start), end=second(end))


outages = st.lists(st.tuples(seconds, seconds).map(lambda pair: outage(min(pair), max(pair))), max_size=6)
dues = st.integers(0, 40).map(second)


def stood_still(until: datetime, during: list[Outage]) -> timedelta:
    """The seconds from entering the turn until then that lie in an outage, counted one by one."""
    n = int((until - ENTERED).total_seconds())
    return timedelta(seconds=sum(any(o.start <= second(i) < o.end for o in during) for i in range(n)))


@pytest.mark.parametrize(
    ("during", "moved"),
    [
        ([outage(2, 5)], 3),
        ([outage(-5, 5)], 5),
        ([outage(-5, 0)], 0),
        ([outage(8, 30)], 22),
        ([outage(10, 12)], 0),
        # Moved by the first, the due time lies behind the start of the second.
        ([outage(2, 5), outage(11, 15)], 7),
        ([outage(11, 15)], 0),
        ([outage(2, 6), outage(4, 8), outage(5, 6)], 6),
    ],
)
def test_a_due_time_moves_by_the_part_of_each_outage_inside_the_turn(during: list[Outage], moved: int):
    assert shifted(second(10), ENTERED, during) == second(10 + moved)


@given(dues, outages)
def test_what_is_moved_is_the_time_inside_outages_until_the_moved_due_time(due: datetime, during: list[Outage]):
    moved = shifted(due, ENTERED, during)
    assert moved - due == stood_still(moved, during)


@given(dues, outages)
def test_no_earlier_moment_gives_the_whole_time(due: datetime, during: list[Outage]):
    moved = shifted(due, ENTERED, during)
    if moved > ENTERED:
        before = moved - timedelta(seconds=1)
        assert before - ENTERED - stood_still(before, during) < due - ENTERED


@given(dues, outages, st.randoms(use_true_random=False))
def test_the_order_of_outages_does_not_matter(due: datetime, during: list[Outage], random):
    shuffled = random.sample(during, len(during))
    assert shifted(due, ENTERED, shuffled) == shifted(due, ENTERED, during)


@given(dues, st.integers(0, 20), outages)
def test_what_was_due_later_stays_due_later_by_at_least_as_much(due: datetime, more: int, during: list[Outage]):
    later = due + timedelta(seconds=more)
    assert shifted(later, ENTERED, during) - shifted(due, ENTERED, during) >= later - due


@given(dues, outages, outages)
def test_one_more_outage_never_brings_a_due_time_forward(due: datetime, during: list[Outage], more: list[Outage]):
    assert shifted(due, ENTERED, during + more) >= shifted(due, ENTERED, during) >= due


@given(dues, outages, st.integers(0, 30), st.integers(0, 30))
def test_an_outage_at_or_after_the_due_time_or_before_the_turn_moves_nothing(
    due: datetime, during: list[Outage], gap: int, length: int
):
    end = shifted(due, ENTERED, during)
    start = end + timedelta(seconds=gap)
    late = Outage(start=start, end=start + timedelta(seconds=length))
    early = Outage(start=second(-gap - length), end=second(-gap))
    assert shifted(due, ENTERED, [late, *during, early]) == end
