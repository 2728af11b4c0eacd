"""The writer: many threads, few transactions, nobody's answer lost."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from time import sleep
from typing import Any

import pytest

from given import DAY, FINANCE, SECOND, SELLER, Market, T
from houbao.core import disputes as d
from houbao.core.fund import TopUp
from houbao.engine.engine import Engine
from houbao.engine.request import Accepted, Outcome, Request
from houbao.engine.worker import Done, Worker
from houbao.engine.writer import MOST_WAITING, Writer

SAFELY = 60
"""Seconds after which a future that never comes fails the test."""


class Desk:
    """A market behind a writer whose engine can be held after a commit, so that calls gather."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.commits = 0
        self.stopped, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.engine = Engine(market.database, lambda: market.now, probe=self.pass_by)
        self.writer = Writer(self.engine)

    def pass_by(self, point: str) -> None:
        if point == "batch.committed":
            self.commits += 1
            self.stopped.set()
            self.go_on.wait(SAFELY)

    def worker(self) -> Worker:
        """A worker that writes through the writer, and sweeps no further than it says."""
        market, writer = self.market, self.writer
        clock, mailbox = lambda: market.now, market.mailbox
        return Worker(market.database, writer.execute, clock, providers={}, notifier=mailbox, horizon=writer.horizon)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While inside, the writer's thread is kept with one command, and whatever is sent waits."""
        self.stopped.clear()
        self.go_on.clear()
        first = self.writer.submit([top_up(1)])
        assert self.stopped.wait(SAFELY)
        try:
            yield
        finally:
            self.go_on.set()
        answer(first)


def top_up(minor: int, key: str = "") -> Request:
    return Request(TopUp(minor=minor, currency="EUR"), FINANCE, T, key)


def answer(reply: "Future[list[Outcome]]") -> list[Any]:
    return reply.result(SAFELY)


@pytest.fixture
def desk(market: Market) -> Iterator[Desk]:
    desk = Desk(market)
    yield desk
    desk.writer.stop()


def test_what_many_threads_send_is_answered_to_each_and_durable(desk):
    def send(n: int) -> list[Any]:
        good, bad, again = (
            top_up(n, f"key-{n}"),
            Request(TopUp(minor=n, currency="EUR"), SELLER, T),
            top_up(n, f"key-{n}"),
        )
        return desk.writer.execute([good, bad, again])

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(1, 201)))

    assert {(type(good), bad.code, again.replayed) for good, bad, again in answers} == {
        (Accepted, "not_permitted", True)
    }
    found = desk.market.database.connection.execute(
        "SELECT position, minor FROM transfers WHERE kind='capital' ORDER BY position"
    ).fetchall()[1:]
    assert sorted(found) == sorted((good.first, n) for n, (good, _, _) in enumerate(answers, 1))


def test_whoever_waits_shares_a_transaction(desk):
    with desk.busy():
        replies = [desk.writer.submit([top_up(n)]) for n in range(1, 51)]
        assert desk.writer.waiting() == 50
        before = desk.commits
    outcomes = [answer(reply)[0] for reply in replies]
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert desk.commits - before < 50
    assert [outcome.first for outcome in outcomes] == sorted(outcome.first for outcome in outcomes)


def test_one_calls_own_list_stays_one_transaction(desk):
    with desk.busy():
        reply = desk.writer.submit([top_up(n) for n in range(1, 601)])
        before = desk.commits
    outcomes = answer(reply)
    assert [outcome.first - outcomes[0].first for outcome in outcomes] == list(range(600))
    assert desk.commits - before == 1


def test_people_come_before_imports(desk):
    with desk.busy():
        imported = [desk.writer.submit([top_up(1)], bulk=True) for _ in range(20)]
        people = [desk.writer.submit([top_up(2)]) for _ in range(20)]
    last = max(answer(reply)[0].first for reply in people)
    assert last < min(answer(reply)[0].first for reply in imported)


def test_a_full_queue_refuses_and_takes_again_when_there_is_room(desk):
    refused = Request(TopUp(minor=1, currency="EUR"), SELLER, T)
    with desk.busy():
        waiting = desk.writer.submit([refused] * MOST_WAITING, bulk=True)
        said = desk.writer.execute([top_up(1), top_up(2)])
        assert [outcome.code for outcome in said] == ["overloaded", "overloaded"]
    assert len(answer(waiting)) == MOST_WAITING
    assert isinstance(desk.writer.execute([top_up(1)])[0], Accepted)


def test_a_list_that_never_fits_is_told_so_and_not_to_try_again(desk):
    said = desk.writer.execute([top_up(1)] * (MOST_WAITING + 1))
    assert len(said) == MOST_WAITING + 1
    assert {outcome.code for outcome in said} == {"too_large"}
    assert "send it in pieces of at most 10,000" in said[0].detail
    assert asyncio.run(desk.writer.answer([top_up(1)] * (MOST_WAITING + 1)))[0].code == "too_large"


def test_an_answer_received_in_time_that_still_waits_holds_the_sweep_back(desk):
    market, writer = desk.market, desk.writer
    dispute = market.open(market.order(delivered=False), "in_transit_overdue", "25.00")
    due = d.due_at(market.dispute(dispute))
    worker = Worker(
        market.database,
        writer.execute,
        lambda: market.now,
        providers={},
        notifier=market.mailbox,
        horizon=writer.horizon,
    )
    with desk.busy():
        reply = writer.submit([Request(d.Accept(dispute=dispute), SELLER, due - SECOND)])
        market.now = due + DAY
        # what the writer is busy with holds the sweep back too: its answer is not given yet
        assert writer.horizon(market.now) <= due - SECOND
        assert worker.sweep(Done()) == 0
        assert market.dispute(dispute).phase == "awaiting_seller"
    (outcome,) = answer(reply)
    assert isinstance(outcome, Accepted)
    assert market.dispute(dispute).resolved_by == "agreement"
    assert writer.horizon(market.now) == market.now
    assert worker.sweep(Done()) == 0


def test_without_an_answer_the_same_sweep_lets_the_deadline_pass(desk):
    market, writer = desk.market, desk.writer
    dispute = market.open(market.order(delivered=False), "in_transit_overdue", "25.00")
    market.now = d.due_at(market.dispute(dispute))
    worker = Worker(
        market.database,
        writer.execute,
        lambda: market.now,
        providers={},
        notifier=market.mailbox,
        horizon=writer.horizon,
    )
    assert worker.sweep(Done()) == 4  # three reminders, and the seller's time
    assert market.dispute(dispute).resolved_by == "seller_timeout"


def test_stop_finishes_what_waits_and_refuses_what_comes_after(desk):
    with desk.busy():
        replies = [desk.writer.submit([top_up(n)], bulk=n % 2 == 0) for n in range(1, 31)]
        stopping = threading.Thread(target=desk.writer.stop)
        stopping.start()
    stopping.join(SAFELY)
    assert all(isinstance(reply.result(0)[0], Accepted) for reply in replies)
    assert desk.writer.execute([top_up(1)])[0].code == "overloaded"


def test_an_engine_that_fails_tells_every_waiting_caller_and_the_writer_goes_on(desk):
    run = desk.market.database.connection.execute
    with desk.busy():
        replies = [desk.writer.submit([top_up(n)]) for n in range(1, 6)]
        run("ALTER TABLE events RENAME TO hidden")
    troubles = [reply.exception(SAFELY) for reply in replies]
    assert all("no such table" in str(trouble) for trouble in troubles)
    run("ALTER TABLE hidden RENAME TO events")
    assert isinstance(desk.writer.execute([top_up(1)])[0], Accepted)
    assert desk.market.funds()[1] == "1000.02"


# --- in an event loop -----------------------------------------------------------------------------------------------


def test_who_waits_in_an_event_loop_is_answered_and_who_leaves_takes_nobody_elses_answer(desk):
    async def ask() -> list[Any]:
        with desk.busy():
            replies = [asyncio.create_task(desk.writer.answer([top_up(n), top_up(n)])) for n in range(1, 11)]
            while desk.writer.waiting() < 20:
                await asyncio.sleep(0)
            replies[4].cancel()
            await asyncio.sleep(0)
        return await asyncio.gather(*replies, return_exceptions=True)

    answers = asyncio.run(asyncio.wait_for(ask(), SAFELY))
    assert isinstance(answers.pop(4), asyncio.CancelledError)
    assert [outcome.first for one in answers for outcome in one] == sorted(
        outcome.first for one in answers for outcome in one
    )
    assert desk.market.funds()[1] == "1001.01"


def test_who_waits_in_an_event_loop_hears_of_a_full_queue_of_nothing_and_of_a_fault(desk):
    refused = Request(TopUp(minor=1, currency="EUR"), SELLER, T)

    async def ask() -> Any:
        with desk.busy():
            desk.writer.submit([refused] * MOST_WAITING)
            (full,) = await desk.writer.answer([refused])
        desk.engine.execute = lambda requests: 1 // 0
        with pytest.raises(ZeroDivisionError):
            await desk.writer.answer([refused])
        return full, await desk.writer.answer([])

    full, nothing = asyncio.run(asyncio.wait_for(ask(), SAFELY))
    assert (full.code, nothing) == ("overloaded", [])


def test_a_loop_that_ended_does_not_stop_the_writer(desk):
    async def leave() -> None:
        waiting = asyncio.ensure_future(desk.writer.answer([top_up(1)]))
        await asyncio.sleep(0)
        assert not waiting.done()

    loop = asyncio.new_event_loop()
    with desk.busy():
        loop.run_until_complete(leave())
        loop.close()
    assert isinstance(desk.writer.execute([top_up(1)])[0], Accepted)


# --- known defects of the writer -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_empty_list_is_answered_with_nothing(desk):
    reply = desk.writer.submit([])
    desk.writer.stop()
    assert reply.done()
    assert reply.result(0) == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_caller_that_gives_up_takes_nobody_elses_answer(desk):
    with desk.busy():
        given_up, other = desk.writer.submit([top_up(1)]), desk.writer.submit([top_up(2)])
        given_up.cancel()
    desk.writer.stop()
    assert other.done()


def test_the_horizon_is_never_beyond_now(desk):
    with desk.busy():
        desk.writer.submit([Request(TopUp(minor=1, currency="EUR"), FINANCE, T + 30 * DAY)])
        assert desk.writer.horizon(T) == T


def test_a_slow_disk_does_not_stop_the_gathering(market):
    commits = 0

    def slow_disk(point: str) -> None:
        nonlocal commits
        if point == "batch.saved":
            commits += 1
            sleep(0.03)

    writer = Writer(Engine(market.database, lambda: market.now, probe=slow_disk))
    for _ in range(12):
        writer.execute([top_up(1)])
    commits = 0
    replies = [writer.submit([top_up(1)]) for _ in range(40)]
    writer.stop()
    assert all(isinstance(reply.result(0)[0], Accepted) for reply in replies)
    assert commits < 20
