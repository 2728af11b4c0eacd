"""Due times in mails: absolute, as the reader's own clocks show them, with UTC beside."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pure import Desk
from given import DAY, T
from houbao.core.effects import Effect
from houbao.engine.letters import when, write
from houbao.engine.ports import Letter

ZONES = ("Asia/Shanghai", "America/Sao_Paulo", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def letter(desk: Desk, what: str, zone: str, to: str = "seller") -> Letter:
    effect = Effect("notice" if what == "notice" else "mail", T, desk.dispute, to=to, what=what)
    return write(effect, desk.state(), desk.order(), "oak@shops.example", 0, "1", desk.due(), zone=zone)


@pytest.mark.parametrize(
    ("moment", "zone", "told"),
    [
        ("2017-03-14 02:08", "Asia/Shanghai", "Tue 14 Mar 2017, 10:08 Asia/Shanghai time (02:08 UTC)"),
        ("2017-03-14 20:08", "Asia/Shanghai", "Wed 15 Mar 2017, 04:08 Asia/Shanghai time (Tue 14 Mar 2017, 20:08 UTC)"),
        ("2017-03-14 02:08", "UTC", "Tue 14 Mar 2017, 02:08 UTC"),
        # Summer time ended at 01:00 UTC: the same clock time twice, told apart by UTC.
        ("2026-10-25 00:30", "Europe/Berlin", "Sun 25 Oct 2026, 02:30 Europe/Berlin time (00:30 UTC)"),
        ("2026-10-25 01:30", "Europe/Berlin", "Sun 25 Oct 2026, 02:30 Europe/Berlin time (01:30 UTC)"),
        # Seconds are cut.
        ("2026-03-29 00:59:59", "Europe/Berlin", "Sun 29 Mar 2026, 01:59 Europe/Berlin time (00:59 UTC)"),
        ("2026-03-29 01:00", "Europe/Berlin", "Sun 29 Mar 2026, 03:00 Europe/Berlin time (01:00 UTC)"),
        ("2017-03-14 02:08", "Mars/Olympus", "Tue 14 Mar 2017, 02:08 UTC"),
        ("2017-03-14 02:08", "", "Tue 14 Mar 2017, 02:08 UTC"),
    ],
)
def test_a_time_is_told_as_the_readers_clocks_show_it_with_utc_beside(moment: str, zone: str, told: str):
    assert when(at(moment), zone) == told


def test_a_time_that_is_not_known_yet_is_not_made_up():
    assert when(None, "Asia/Shanghai") == "the time in our latest mail"


@given(
    st.timedeltas(timedelta(0), timedelta(days=3650)).map(lambda gone: datetime(2017, 1, 1, tzinfo=UTC) + gone),
    st.sampled_from(ZONES),
)
def test_what_is_told_gives_the_moment_back_to_the_minute(moment: datetime, zone: str):
    told = when(moment, zone)
    day_and_time = "%a %d %b %Y, %H:%M"
    minute = moment.replace(second=0, microsecond=0)
    local = minute.astimezone(ZoneInfo(zone))
    utc = told.removesuffix(")").rpartition("(")[2].removesuffix(" UTC")
    if len(utc) == len("02:08"):
        utc = f"{minute.astimezone(ZoneInfo(zone)):%a %d %b %Y}, {utc}"
    assert datetime.strptime(f"{utc} +0000", f"{day_and_time} %z") == minute
    assert told.startswith(f"{local:{day_and_time}}")


@pytest.mark.parametrize("what", ["notice", "answer_needed"])
def test_a_seller_reads_the_due_time_of_their_own_zone(what: str):
    desk = Desk(covered=False)
    desk.open("defective")
    assert desk.due() == T + 5 * DAY
    body = letter(desk, what, "Asia/Shanghai").body
    assert "Answer by Mon 13 Jul 2026, 20:00 Asia/Shanghai time (12:00 UTC)." in body


def test_a_buyer_whose_zone_is_not_known_reads_utc():
    desk = Desk(covered=False)
    desk.open("defective")
    assert "The seller answers by Mon 13 Jul 2026, 12:00 UTC." in letter(desk, "opened", "UTC", "buyer").body
