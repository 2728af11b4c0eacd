"""What both `houbao work` and `houbao serve` do in one round, and whom they tell."""

import http.server
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from functools import partial

import pytest

from engine.processes import ENVIRONMENT, SECONDS
from houbao.commands import breakers
from houbao.commands.rounds import AGAIN, Rounds
from houbao.commands.working import work
from houbao.core.programme import AssessStore
from houbao.core.terms import Refused
from houbao.engine.announcing import Hook, Secret
from houbao.engine.request import Outcome, Request
from houbao.engine.worker import ASSESSED_EVERY, Done
from houbao.settings import Settings
from houbao.store.hooks import Hooks, deliveries
from houbao.wiring import House


def test_once_a_day_the_funds_breakers_hear_what_the_fund_holds(market):
    breakers.set_line(house := served(market), "EUR", "9")
    try:
        rounds = Rounds(house)
        rounds.next()
        assert breakers.shown(house, "EUR").stopped
        assert rounds.daily_at == market.now + ASSESSED_EVERY
    finally:
        house.close()


def test_between_two_days_they_do_not(market):
    breakers.set_line(house := served(market), "EUR", "9")
    try:
        rounds = Rounds(house)
        rounds.daily_at = later = market.now + ASSESSED_EVERY
        rounds.next()
        assert rounds.daily_at == later
        assert not breakers.shown(house, "EUR").stopped
    finally:
        house.close()


def test_what_is_done_once_a_day_and_fails_is_tried_again_in_an_hour_and_not_at_each_round(market):
    house, tries = served(market), []

    def failing(done: Done) -> int:
        tries.append(market.now)
        raise OSError("the disk is full")

    house.worker.assess = failing
    try:
        rounds, began = Rounds(house), market.now
        with pytest.raises(OSError, match="disk"):
            rounds.next()
        rounds.next()
        market.now = began + AGAIN
        with pytest.raises(OSError, match="disk"):
            rounds.next()
        assert tries == [began, began + AGAIN]
    finally:
        house.close()


def test_stores_that_could_not_be_assessed_are_assessed_in_an_hour_and_the_breakers_hear_all_the_same(market):
    breakers.set_line(house := served(market), "EUR", "9")
    free = house.worker.errands.execute

    def full(requests: list[Request]) -> list[Outcome]:
        if isinstance(requests[0].command, AssessStore):
            return [Refused("overloaded", "not now")] * len(requests)
        return free(requests)

    house.worker.errands.execute = full
    try:
        rounds, began = Rounds(house), market.now
        assert "overloaded" in rounds.next().done.troubles[-1]
        assert breakers.shown(house, "EUR").stopped
        assert rounds.daily_at == began + AGAIN
        house.worker.errands.execute = free
        market.now = began + AGAIN
        assert not rounds.next().done.troubles
        assert rounds.daily_at == market.now + ASSESSED_EVERY
        assert house.database.store(0, "oak").standing.disputes == 1
    finally:
        house.close()


def served(market) -> House:
    """The market as a server has it: its worker writes through the writer."""
    market.open(market.order("o-1", "400.00"), "damaged", "400.00")
    return House(settings_of(market), clock=lambda: market.now, observe=lambda commands, seconds: None)


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes every message, keeps the ids, and has whoever sends them stopped."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(self.headers["webhook-id"])
        self.server.stop()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *said):
        pass


@pytest.mark.parametrize("once", [True, False])
def test_the_worker_alone_tells_the_webhooks_too(market, once):
    with http.server.HTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        stopping = threading.Event()
        receiver.got, receiver.stop = [], stopping.set
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        hooks, house = Hooks(market.database.path), House(settings_of(market), clock=lambda: market.now)
        hooks.add(hook(f"http://127.0.0.1:{receiver.server_address[1]}/"), 0)
        dispute = market.open(market.order(), "damaged", "40.00")
        worked = work(house, once=once, now="", inside=True, stopping=stopping)
        hooks.close()
        house.close()
        receiver.shutdown()
    assert receiver.got == [f"msg_0_{dispute}"]
    assert ("1 delivery to webhooks tried" in worked.told()) == once


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_the_worker_finishes_what_it_has_begun_when_its_process_is_told_to_stop(market, asked):
    """Given a receiver who is being told when the signal comes, and answers only then."""
    with http.server.HTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        receiver.got, receiver.timeout = [], SECONDS
        hooks = Hooks(market.database.path)
        hooks.add(hook(f"http://127.0.0.1:{receiver.server_address[1]}/"), 0)
        dispute = market.open(market.order(), "damaged", "40.00")
        url = f"sqlite:///{market.database.path}"
        worker = subprocess.Popen(
            [sys.executable, "-m", "houbao", "work", "--database", url],
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT | {"HOUBAO_WEBHOOKS_INSIDE": "true"},
        )
        receiver.stop = partial(worker.send_signal, asked)
        try:
            receiver.handle_request()
            _, said = worker.communicate(timeout=SECONDS)
        finally:
            worker.kill()
    told = deliveries(market.database.connection, 0, "webhook_1", before=2**62, limit=10)
    hooks.close()
    assert (worker.returncode, said) == (0, "")
    assert [(one.position, one.state) for one in told] == [(dispute, "done")]


def hook(url: str) -> Hook:
    """A webhook of new disputes."""
    secrets = (Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),)
    return Hook(
        id="webhook_1", url=url, types=("dispute_opened",), store="", secrets=secrets, created_at=datetime.now(UTC)
    )


def settings_of(market) -> Settings:
    return Settings(database_url=f"sqlite:///{market.database.path}")
