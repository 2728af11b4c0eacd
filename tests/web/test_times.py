"""Times go out in UTC, with a Z, however they came in."""

import re
from datetime import datetime, timedelta, timezone

import pytest

from core.policies import next_policy
from given import DAY, T
from houbao.web.api.orders import ORDER_EXAMPLE
from web.served import claim, money

BEIJING = timezone(timedelta(hours=8))
TIME = re.compile(r'"(\d{4}-\d\d-\d\dT[^"]*)"')


def there(at) -> str:
    """A time as somebody in Beijing writes it."""
    return at.astimezone(BEIJING).isoformat()


def times(text: str) -> list[str]:
    """Every time that an answer tells, which must all be in UTC."""
    found = TIME.findall(text)
    assert found
    assert [one for one in found if not one.endswith("Z") or "+" in one] == []
    return found


@pytest.fixture
def far(served):
    """An order that was placed, and lived, in another zone."""
    at = served.market.now
    offset = {name: there(at + 3 * DAY) for name in ("ship_by", "promised_by")}
    lived = {"placed_at": there(at - 2 * DAY), "paid_at": there(at - DAY)}
    order = served.post("/v1/orders", ORDER_EXAMPLE | {"reference": "far"} | offset | lived)["id"]
    for kind in ("shipped", "delivered"):
        served.post(f"/v1/orders/{order}/events", {"type": kind, "at": there(at)})
    return order


def test_an_order_is_told_in_utc_however_it_was_placed(served, far):
    answer = served.call("GET", f"/v1/orders/{far}")
    assert len(times(answer.text)) == 6
    assert answer.json()["placed_at"] == (T - 2 * DAY).isoformat().replace("+00:00", "Z")


def test_so_is_every_event_with_what_it_says(served, far):
    at = served.market.now
    cash = {"provider": "sandbox", "amount": money("1.00"), "at": there(at - DAY)}
    served.post("/v1/fund/cash-moves", cash, role="finance")
    left = served.call("PUT", "/v1/stores/oak/enrolment", {"enrolled": False, "at": there(at + DAY)})
    times(left.text)
    published = {"text": next_policy("2026.8"), "start": there(T + 40 * DAY)}
    served.post("/v1/policies/2026.8/publish", published, role="finance")
    times(served.call("GET", "/v1/policies").text)
    times(served.call("GET", "/v1/events?limit=200").text)


def test_so_are_the_facts_and_words_of_a_refusal(served, far):
    early = {"type": "paid_out", "amount": money("1.00"), "at": there(served.market.now)}
    served.post(f"/v1/orders/{far}/events", {"type": "confirmed", "at": there(served.market.now)})
    refused = served.call("POST", f"/v1/orders/{far}/events", early)
    assert (refused.json()["code"], len(times(refused.text))) == ("not_mature", 1)
    assert "+00:00" not in refused.text


def test_a_late_answer_is_told_when_the_time_ended(served):
    order = served.market.order(delivered=False)
    dispute = served.open(order, "in_transit_overdue", "25.00")
    served.market.now += 5 * DAY
    refused = served.refuse(f"/v1/disputes/{dispute}/accept", {}, role="seller")
    assert refused["code"] == "answer_after_due"
    assert refused["facts"]["due_at"].endswith("Z")
    assert "+00:00" not in refused["detail"]


def test_a_time_without_a_zone_or_beyond_all_years_is_still_refused(served):
    for at, code in (("2026-07-01T12:00:00", "naive_time"), ("0001-01-01T00:00:00+14:00", "bad_time")):
        body = ORDER_EXAMPLE | {"reference": "odd", "placed_at": at}
        assert served.refuse("/v1/orders", body)["code"] == code
    assert served.post("/v1/disputes", claim(served.market.order(), "damaged", "40.00"))


# --- from when to when ---------------------------------------------------------------------------------------------


def listed(served, path: str) -> int:
    return len(served.get(path)["data"])


def test_a_statement_takes_days_of_which_the_last_is_whole(served):
    served.market.order()
    path = "/v1/stores/oak/statement"
    day = served.get(path)["data"][0]["at"][:10]
    whole = listed(served, path)
    assert whole
    assert listed(served, f"{path}?from={day}&to={day}") == whole
    assert listed(served, f"{path}?to=2026-01-31") == 0
    assert listed(served, f"/v1/stores/oak/fund-records?from={day}&to={day}") == whole
    assert listed(served, f"{path}?to={day}T00:00:00Z") == 0


def test_disputes_that_fall_due_before_a_day_do_so_before_it_begins(served):
    served.open(served.market.order(), "damaged", "40.00")
    (dispute,) = served.get("/v1/disputes")["data"]
    due = datetime.fromisoformat(dispute["due_at"])
    assert listed(served, f"/v1/disputes?due_before={due.date()}") == 0
    assert listed(served, f"/v1/disputes?due_before={(due + DAY).date()}") == 1
    assert listed(served, f"/v1/disputes?due_before={dispute['due_at']}") == 0


@pytest.mark.parametrize("path", ["/v1/stores/oak/statement", "/v1/stores/oak/fund-records"])
@pytest.mark.parametrize("name", ["from", "to"])
def test_what_is_no_time_is_refused_by_the_name_of_its_field(served, path, name):
    for given, code in (("tomorrow", "bad_time"), ("2026-02-30", "bad_time"), ("2026-07-01T12:00:00", "naive_time")):
        refused = served.call("GET", f"{path}?{name}={given}").json()
        assert (refused["code"], refused["detail"].split(" is ")[0]) == (code, name)
    refused = served.call("GET", "/v1/disputes?due_before=soon").json()
    assert (refused["code"], refused["detail"].split(" is ")[0]) == ("bad_time", "due_before")
