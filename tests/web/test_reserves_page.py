"""The page of the fund's reserves: the figures of the command, where each comes from, and a measuring that holds nobody
up."""

import re
import threading
from datetime import timedelta

import pytest

from given import FINANCE, Market
from houbao.core.breaker import SetBreaker, TellSolvency
from houbao.core.money import decimal
from houbao.core.terms import SYSTEM
from houbao.finance.reserving import reserves_of
from houbao.store.scores import Scorebook
from houbao.web.measuring import Measuring
from web.desk import get, post
from web.served import WALL, Served


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A market whose fund paid, promised and is asked for something."""
    market = Market(tmp_path_factory.mktemp("reserves"))
    for amount in ("40.00", "30.00"):
        market.rule(market.open(market.order(amount=amount), "damaged", amount))
        market.work() if amount == "40.00" else None
    market.open(market.order(amount="200.00"), "damaged", "200.00")
    served = Served(market)
    yield served
    served.close()
    market.database.close()


def told(served, who: str = "finance") -> str:
    answer = get(served, "/fund/reserves", who)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_page_has_the_figures_of_the_command_each_with_where_it_comes_from(measured):
    market = measured.market
    (found,) = reserves_of(market.database.path, Scorebook(market.database), market.now, lambda *step: None)
    said = told(measured)
    rows = re.findall(r'<th scope="row">([\w ]+)</th><td class="num" data-l="[\w ]+">([\d.,–]+)</td>', said)
    figures = dict(rows)
    assert (found.promised, found.case, found.open_disputes) == (3000, 20000, 1)
    for name, minor in {
        "Promised": found.promised,
        "Waiting for money": found.waiting,
        "Open disputes": found.case,
        "Not yet reported": found.ibnr,
        "Will owe": found.owes,
        "Holds": found.holds,
    }.items():
        assert figures[name].replace(",", "") == decimal(minor, "EUR"), name
    assert figures["Coverage ratio"].replace(",", "") == f"{found.ratio / 1000:.3f}"
    assert "What 1 open claim asks of the fund, times the share of closed claims that it paid: 100.00 %" in said
    assert 'by <a href="/fund/movements">every movement</a>' in said
    assert said.count("Lasts") == 3
    premium = found.premiums["all"]
    assert f'data-l="Suggested, ‰">{premium.suggested}</td>' in said, "not bold: it rests on one claim"
    assert f"One claim of €40.00 is 100.00 % of {premium.suggested} ‰: without it 0 ‰." in said
    assert "It rests on fewer than 30 claims of all stores." in said
    assert "No line is drawn" in said


def test_the_breaker_tells_whether_new_orders_are_covered(served):
    market = served.market
    market.accept(SetBreaker(currency="EUR", below=1200), FINANCE)
    assert "Below a ratio of <b>1.200</b> no new order is covered." in told(served)
    market.accept(TellSolvency(currency="EUR", holds=100, owes=100), SYSTEM)
    assert "<b>New orders are not covered</b> since Wed 8 Jul, 12:00" in told(served)


def test_finance_draws_the_line_and_takes_it_away_after_seeing_what_it_does(served):
    form = {"currency": "EUR", "below": "1,2"}
    seen = post(served, "/fund/reserves/line/preview", form, "finance").text
    assert "none → 1.200" in seen
    assert "No line is drawn" in told(served)
    done = post(served, "/fund/reserves/line", form, "finance").headers["location"]
    assert "The line is drawn." in get(served, done, "finance").text
    assert "Below a ratio of <b>1.200</b>" in told(served)
    assert post(served, "/fund/reserves/line", {"currency": "EUR", "below": ""}, "finance").status_code == 303
    assert "No line is drawn" in told(served)
    refused = post(served, "/fund/reserves/line", {"currency": "EUR", "below": "much"}, "finance")
    assert refused.status_code >= 400
    assert 'value="much"' in refused.text


def test_the_suggested_premium_stands_beside_what_is_taken_now(measured):
    said = told(measured)
    assert said.count('data-l="Now, ‰">0<') == said.count('data-l="Suggested, ‰"')
    assert "Programme standard takes no premium now: the platform fills the fund." in said


def test_before_the_worker_has_measured_it_a_ratio_below_the_line_is_said(measured):
    measured.market.accept(SetBreaker(currency="EUR", below=5_000), FINANCE)
    assert "<b>below the line of 5.000</b>" in told(measured)
    measured.market.accept(SetBreaker(currency="EUR", below=0), FINANCE)


def test_what_was_found_is_kept_for_a_while_and_measured_again_when_wanted(served):
    assert "holds <b>€1,000.00</b>" in told(served)
    assert "older than the last booking" not in told(served)
    served.market.top_up("500.00")
    said = told(served)
    assert "When it was measured the fund held <b>€1,000.00</b>" in said
    assert "older than the last booking of the fund:</b> it holds €1,500.00 now, and €0.00 waits" in said
    form = {"currency": "EUR"}
    assert post(served, "/fund/reserves", form, "finance").headers["location"] == "/fund/reserves?currency=EUR"
    assert "holds <b>€1,500.00</b>" in told(served)
    assert "older than the last booking" not in told(served)
    served.market.top_up("500.00")
    served.wall = WALL + timedelta(minutes=16)
    assert "holds <b>€2,000.00</b>" in told(served)


def test_a_refund_that_came_to_wait_makes_the_figures_old(served):
    told(served)
    served.market.rule(served.market.open(served.market.order(amount="1200.00"), "damaged", "1200.00"))
    assert "it holds €1,000.00 now, and €1,200.00 waits for money" in told(served)


def test_a_line_is_drawn_by_a_ratio_of_now(measured):
    told(measured)
    form = {"currency": "EUR", "below": "1.20"}
    measured.market.top_up("100.00")
    (now,) = reserves_of(measured.market.database.path, Scorebook(measured.market.database), measured.market.now, print)
    seen = post(measured, "/fund/reserves/line/preview", form, "finance").text
    assert f"<dt>The ratio now</dt><dd>{now.ratio // 1000}.{now.ratio % 1000:03}</dd>" in seen
    assert "Careful" not in seen


def test_a_line_that_is_drawn_while_it_is_being_measured_says_that_the_ratio_is_old(measured, monkeypatch):
    told(measured)
    measured.market.top_up("100.00")
    monkeypatch.setattr("houbao.web.console.handlers.reserves.WAIT", 0.01)
    measure, go_on = measured.site.reserves._measure, threading.Event()
    measured.site.reserves._measure = lambda progress: go_on.wait(10) and measure(progress)
    seen = post(measured, "/fund/reserves/line/preview", {"currency": "EUR", "below": "1.20"}, "finance").text
    go_on.set()
    measured.site.reserves._measure = measure
    assert "The ratio when it was measured" in seen
    assert "older than the last booking of the fund: measure it again before you draw the line" in seen


def test_a_long_measuring_says_how_far_it_is_and_nobody_waits_for_it(served, monkeypatch):
    monkeypatch.setattr("houbao.web.console.handlers.reserves.WAIT", 0.01)
    far, go_on = threading.Event(), threading.Event()
    measure = served.site.reserves._measure

    def slowly(progress):
        progress("orders", 50_000, 1_200_000)
        far.set()
        go_on.wait(10)
        return measure(progress)

    served.site.reserves._measure = slowly
    get(served, "/fund/reserves", "finance")
    far.wait(10)
    assert "Orders: 50,000 of 1,200,000 read" in told(served)
    go_on.set()
    monkeypatch.setattr("houbao.web.console.handlers.reserves.WAIT", 10)
    assert "will owe nothing for covered orders" in told(served)


def test_a_measuring_that_fails_is_tried_again(served):
    measure, tries = served.site.reserves._measure, []

    def once_broken(progress):
        tries.append(1)
        if len(tries) == 1:
            raise OSError("the disk")
        return measure(progress)

    served.site.reserves._measure = once_broken
    assert get(served, "/fund/reserves", "finance").status_code == 500
    assert "will owe nothing" in told(served)


class Held:
    """A measuring that is asked for and ends when nobody waits for it any more; how often it was measured."""

    def __init__(self, broken: bool = False) -> None:
        self.wall = WALL
        self.times = 0
        self._broken = broken
        self._go_on = threading.Event()
        self.measuring = Measuring(self._measure, lambda: self.wall)

    def _measure(self, progress) -> list:
        self.times += 1
        if self.times == 1:
            self._go_on.wait(10)
            if self._broken:
                raise OSError("the disk")
        return []

    def ends_unseen(self) -> None:
        assert self.measuring.latest(0).running is not None
        self._go_on.set()
        self.measuring._thread.submit(lambda: None).result(10)


def test_a_result_that_is_picked_up_late_is_not_taken_for_a_new_one():
    held = Held()
    held.ends_unseen()
    held.wall += timedelta(minutes=16)
    held.measuring.latest(10)
    assert held.times == 2
    held.measuring.close()


def test_whoever_did_not_wait_for_a_measuring_that_failed_is_not_told_of_it():
    held = Held(broken=True)
    held.ends_unseen()
    assert held.measuring.latest(10).found == []
    assert held.times == 2
    held.measuring.close()


def test_only_who_reads_the_fund_reads_it(measured):
    for who in ("agent", "buyer", "seller", "nobody"):
        status = 303 if who == "nobody" else 403
        assert get(measured, "/fund/reserves", who).status_code == status, who
        if who != "nobody":
            assert post(measured, "/fund/reserves", {}, who).status_code == 403, who
    assert told(measured, "admin")
