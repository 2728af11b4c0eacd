"""The pages of stores and outages, for admins: the watch set and lifted, an outage entered, each seen before."""

import typing
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from given import DAY, T
from houbao.core.terms import Refused
from houbao.core.world import Event
from houbao.engine.worker import Done
from houbao.web.console import auditing, chronicle
from houbao.web.console.deeds import time_of
from web.desk import get, post


def told(served, path: str) -> str:
    answer = get(served, path, "admin")
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_watch_is_seen_set_listed_and_lifted(served):
    assert "No store is under watch." in told(served, "/stores?watched=yes")
    assert 'href="/stores/oak"' in told(served, "/stores")
    form = {"why": "Same street as buyers"}
    seen = post(served, "/stores/oak/watch/preview", form, "admin").text
    assert "are not covered while it is watched" in seen
    assert served.market.database.store(0, "oak").watch is None
    assert post(served, "/stores/oak/watch", form, "admin").headers["location"] == "/stores/oak?done=watch"
    watch = served.market.database.store(0, "oak").watch
    assert (watch.by, watch.why) == ("admin:eve", "Same_street_as_buyers")
    page = told(served, "/stores/oak")
    assert "<b>Under watch</b>" in page
    assert "same street as buyers" in page
    assert 'href="/stores/oak"' in told(served, "/stores?watched=yes")
    order = served.market.order(paid=T, delivered=False, shipped=False, promised=T + DAY)
    assert not served.market.database.order(0, order).coverage.covered
    assert "are covered again" in post(served, "/stores/oak/lift/preview", {}, "admin").text
    assert post(served, "/stores/oak/lift", {}, "admin").headers["location"] == "/stores/oak?done=lift"
    assert served.market.database.store(0, "oak").watch is None
    assert "That store is not under watch." in post(served, "/stores/oak/lift", {}, "admin").text


def test_what_the_fund_paid_is_told_as_it_was_measured_and_as_it_is_now(served):
    market = served.market
    market.rule(market.open(market.order(amount="40.00"), "damaged", "40.00"))
    market.work()
    market.worker.assess(Done())
    market.rule(market.open(market.order(amount="70.00"), "damaged", "70.00"))
    market.work()
    page = told(served, "/stores/oak")
    assert "Over the 30 days before each daily measuring; last changed Wed 8 Jul, 12:00" in page
    assert "<dt>Paid by the fund</dt><dd>€40.00</dd>" in page
    assert "<dt>The same now, by its statement</dt><dd>€110.00</dd>" in page


def test_a_reason_that_cannot_be_kept_is_refused_with_what_was_typed(served):
    answer = post(served, "/stores/oak/watch/preview", {"why": "fünf <Konten>"}, "admin")
    assert answer.status_code >= 400
    assert 'value="fünf &lt;Konten&gt;"' in answer.text


def test_a_store_is_found_by_its_id_and_what_is_not_there_is_said_so(served):
    assert get(served, "/stores?store=oak", "admin").headers["location"] == "/stores/oak"
    assert "There is no store with that id." in told(served, "/stores?store=nowhere")
    assert get(served, "/stores/nowhere", "admin").status_code == 404
    assert post(served, "/stores/oak/burn", {}, "admin").status_code == 404


def test_an_outage_is_seen_before_it_is_entered_and_moves_what_runs_over_it(served):
    market = served.market
    number = market.open(market.order(amount="40.00", delivered=False), "in_transit_overdue", "40.00")
    due = market.dispute(number).timers[0].at
    market.go(T + 2 * DAY)
    form = {"start": "2026-07-09T00:00", "end": "2026-07-09T06:00"}
    seen = post(served, "/outages/preview", form, "admin").text
    assert "1 open dispute is due after its start" in seen
    assert "No outage is known." in told(served, "/outages")
    assert post(served, "/outages", form, "admin").headers["location"] == "/outages?done=entered"
    assert post(served, "/outages", form, "admin").headers["location"] == "/outages?done=known"
    market.work()
    assert market.dispute(number).timers[0].at > due
    assert "Thu 9 Jul 2026, 00:00:00" in told(served, "/outages")
    assert "Outage from Thu 9 Jul 2026, 00:00:00 to Thu 9 Jul 2026, 06:00:00" in told(served, "/audit")


@pytest.mark.parametrize(
    "typed", ["2026-07-09T06:00", " 2026-07-09 06:00 ", "2026-07-09T04:00Z", "2026-07-09T00:00-04:00"]
)
def test_a_time_is_the_readers_own_where_it_names_no_zone(typed):
    assert time_of({"start": typed}, "start", ZoneInfo("Europe/Madrid")) == datetime(2026, 7, 9, 4, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["", "tomorrow", "6:00"])
def test_what_is_no_time_is_refused(typed):
    with pytest.raises(Refused, match="bad_time"):
        time_of({"start": typed}, "start", ZoneInfo("Europe/Madrid"))


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"start": "yesterday", "end": "2026-07-09T06:00"}, "That is not a time."),
        ({"start": "2026-07-09T06:00", "end": "2026-07-09T00:00"}, "That is no outage."),
    ],
)
def test_what_is_no_outage_is_refused_with_the_form_kept(served, form, said):
    answer = post(served, "/outages/preview", form, "admin")
    assert answer.status_code >= 400
    assert said in answer.text
    assert f'value="{form["start"]}"' in answer.text


def test_every_event_is_told_either_of_a_dispute_or_in_the_audit():
    assert set(typing.get_args(Event)) == set(chronicle.TELLERS) | set(auditing.TELLERS)


def test_the_audit_says_what_happened_to_what_and_which_keys_and_webhooks_there_are(served):
    order = served.market.order(amount="40.00")
    served.market.top_up("70.00")
    post(served, "/stores/oak/watch", {"why": "checks"}, "admin")
    post(served, "/keys", {"name": "The till", "read": "yes"}, "admin")
    page = told(served, "/audit")
    assert "Capital of €70.00 came from the bank into the fund" in page
    assert 'href="/fund/movements?before=' in page
    placed = next(row for row in page.split("<tr>") if "placed at oak" in row)
    assert f'href="/orders/order_0_{order}"' in placed
    assert "Store oak put under watch: checks" in page
    assert 'href="/stores/oak"' in page
    assert "Order of €40.00 at oak paid, covered" in page
    assert "Key made" in page
    assert "The till" in page.partition('id="kept"')[2]
    assert 'id="kept"' not in told(served, "/audit?day=2026-07-08"), "made on another day"


@pytest.mark.parametrize(
    ("path", "form", "who"),
    [
        ("/stores/oak/watch", {"why": "checks"}, "admin"),
        ("/outages", {"start": "2026-07-08T09:00:00+00:00", "end": "2026-07-08T10:00:00+00:00"}, "admin"),
        ("/fund/reserves/line", {"currency": "EUR", "below": "1.20"}, "finance"),
        ("/fund/top-ups", {"currency": "EUR", "amount": "5.00"}, "finance"),
        ("/orders/order_0_{order}/goodwill", {"amount": "5.00"}, "seller"),
    ],
)
def test_what_was_not_shown_before_is_not_done(served, path, form, who):
    path = path.format(order=served.market.order())
    before = served.market.contents()["events"]
    for mark in ("", "0" * 32):
        answer = post(served, path, form | {"previewed": mark}, who)
        assert answer.status_code == 403
        assert "This is not what was shown before it was sent" in answer.text
    assert served.market.contents()["events"] == before
    assert post(served, path, form, who).status_code == 303
