"""Waits in business days of the store's country, in the life of a dispute."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.pure import Desk
from given import DAY, SELLER, T
from houbao.core import disputes as d
from houbao.core.policy_file import parse_policy
from houbao.core.promise import promise
from houbao.shipped import policy_text

CALENDARS = """
[calendars.BR]
zone = "America/Sao_Paulo"
holidays = [2026-07-09, 2026-07-10]
[calendars.DE]
zone = "Europe/Berlin"
[calendars.AE]
zone = "Asia/Dubai"
weekend = ["Fri", "Sat"]
"""


def policy(**waits: str) -> str:
    """The shipped policy with some waits changed, and calendars of three countries."""
    text = policy_text()
    for timer, wait in waits.items():
        before, after = text.split(f'\n{timer} = "', 1)
        text = f'{before}\n{timer} = "{wait}{after[after.index(chr(34)) :]}'
    return text + CALENDARS


@pytest.mark.parametrize(
    ("country", "days"),
    [
        ("DE", 7),  # Wednesday to Wednesday: one weekend
        ("AE", 7),
        ("BR", 9),  # Thursday and Friday are holidays
        ("FR", 7),  # no calendar of its own: Monday to Friday in UTC
        ("", 7),
    ],
)
def test_a_seller_has_the_business_days_of_their_own_country(country: str, days: int) -> None:
    desk = Desk(policy=policy(seller_answer="5 bd"), country=country)
    desk.open("in_transit_overdue", "40.00")
    assert desk.due() == T + days * DAY
    assert [type(e) for e in desk.sweep(T + days * DAY - timedelta(seconds=1)) if isinstance(e, d.TimedOut)] == []
    desk.sweep(T + days * DAY)
    assert desk.state().resolved_by == "seller_timeout"


def test_the_wall_clock_stays_over_a_change_of_the_clocks() -> None:
    desk = Desk(policy=policy(verification="80 bd"), country="DE")
    desk.open("damaged", "40.00")
    berlin = ZoneInfo("Europe/Berlin")
    assert T.astimezone(berlin).hour == 14
    assert desk.due().astimezone(berlin) == datetime(2026, 10, 28, 14, tzinfo=berlin)
    assert desk.due() == T + 112 * DAY + timedelta(hours=1)  # winter time has come meanwhile


def test_other_waits_are_as_exact_as_before_and_every_wait_may_be_in_business_days() -> None:
    waits = dict.fromkeys(("buyer_answer", "evidence", "return_shipping", "return_scan", "funds"), "2 bd")
    desk = Desk(policy=policy(**waits), country="BR")
    desk.open("in_transit_overdue", "40.00")
    assert desk.due() == T + 5 * DAY
    desk.do(d.Reject(dispute=desk.dispute, reason="proof"), SELLER)
    assert desk.due() == T + 6 * DAY  # two holidays and a weekend
    returning = Desk(policy=policy(**waits), country="BR")
    returning.open("changed_mind", "40.00")
    assert returning.due() == T + 6 * DAY


def test_sellers_are_promised_business_days_in_words() -> None:
    page = promise(parse_policy(policy(seller_answer="1 bd", verification="10 bd")), "EUR", "capital")
    lines = [line for section in page for line in section.lines]
    assert any(line.startswith("You have 1 business day to answer.") for line in lines)
    assert any("10 business days to decide" in line for line in lines)
