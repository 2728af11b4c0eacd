"""What reads takes turns: one work at a time, in order, and none that takes long keeps the others waiting."""

import asyncio
import threading
import time
from concurrent.futures import CancelledError

import pytest

from houbao.commands.lane import Lane

LONG = 60.0
"""Seconds that nothing here takes: a test that waits so long has failed."""


@pytest.fixture
def lane():
    """A lane whose patience never ends."""
    lane = Lane(patience=LONG)
    yield lane
    lane.shutdown()


@pytest.fixture
def gate():
    """What holds a work up until it is set."""
    gate = threading.Event()
    yield gate
    gate.set()


def test_works_are_done_in_order_and_one_at_a_time(lane):
    at_once, most, order = 0, 0, []

    def work(number):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        order.append(number)
        time.sleep(0.001)  # lets in whoever might come beside it
        at_once -= 1
        return number

    done = [lane.submit(work, number) for number in range(200)]
    assert [one.result(LONG) for one in done] == order == list(range(200))
    assert most == 1


def test_whoever_waits_behind_a_long_work_goes_on_beside_it(gate):
    lane = Lane(patience=0.02)
    slow = lane.submit(gate.wait, LONG)
    assert lane.submit(str, 7).result(LONG) == "7"
    assert not slow.done()
    gate.set()
    assert slow.result(LONG)
    assert lane.submit(str, 8).result(LONG) == "8"
    lane.shutdown()


def test_within_its_patience_the_next_waits(lane, gate):
    began = threading.Event()
    slow = lane.submit(lambda: (began.set(), gate.wait(LONG)))
    behind = lane.submit(str, 7)
    assert began.wait(LONG)
    with pytest.raises(TimeoutError):
        behind.result(0.1)
    gate.set()
    assert slow.result(LONG)
    assert behind.result(LONG) == "7"


def test_a_fault_is_for_whoever_waits_for_it_and_for_nobody_else(lane):
    broken, fine = lane.submit(int, "x"), lane.submit(int, "7")
    with pytest.raises(ValueError, match="invalid literal"):
        broken.result(LONG)
    assert fine.result(LONG) == 7


def test_what_nobody_waits_for_any_more_is_not_begun(lane, gate):
    done = []
    held, left, kept = lane.submit(gate.wait, LONG), lane.submit(done.append, "left"), lane.submit(done.append, "kept")
    assert left.cancel()
    gate.set()
    held.result(LONG)
    kept.result(LONG)
    with pytest.raises(CancelledError):
        left.result(LONG)
    assert done == ["kept"]


def test_what_waits_when_it_closes_is_done_first(gate):
    lane, done = Lane(patience=LONG), []
    lane.submit(gate.wait, LONG)
    for number in range(10):
        lane.submit(done.append, number)
    gate.set()
    lane.shutdown()
    assert done == list(range(10))


def test_so_is_it_where_one_that_takes_long_has_it(gate):
    lane, done, began = Lane(patience=0.02), [], threading.Event()
    lane.submit(lambda: (began.set(), gate.wait(LONG)))
    assert began.wait(LONG)
    closing = threading.Thread(target=lane.shutdown)
    with lane._lock:  # it closes before anybody looks who waits
        closing.start()
        while not lane._shutdown:
            time.sleep(0.001)
    for _ in range(3):
        lane.submit(done.append, "done")
    time.sleep(0.1)
    gate.set()
    closing.join(LONG)
    assert done == ["done"] * 3


def test_a_closed_lane_takes_nothing():
    lane = Lane()
    lane.shutdown()
    with pytest.raises(RuntimeError):
        lane.submit(str, 7)


def test_the_threads_of_an_event_loop_may_be_a_lane():
    async def ask():
        asyncio.get_running_loop().set_default_executor(Lane())
        return await asyncio.gather(*(asyncio.to_thread(str, number) for number in range(100)))

    assert asyncio.run(ask()) == [str(number) for number in range(100)]
