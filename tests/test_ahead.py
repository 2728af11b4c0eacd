"""A file read ahead: every piece once and in order, begun when the engine saves; faults where the piece is wanted."""

import threading

import pytest

from given import Market
from houbao.commands.ahead import read_ahead


@pytest.fixture
def engine(tmp_path):
    return Market(tmp_path).engine


class Reading:
    """Three pieces, of which it is known how many were read, and a fault after them where there is to be one."""

    def __init__(self, fault=None):
        self.fault = fault
        self.read = []
        self.begun = threading.Event()

    def __iter__(self):
        for number in range(3):
            self.read.append(number)
            if number == 1:
                self.begun.set()
            yield [number]
        if self.fault:
            raise self.fault


def test_every_piece_comes_once_and_in_order(engine):
    with read_ahead(Reading(), engine) as pieces:
        assert [*pieces] == [[0], [1], [2]]


def test_the_next_piece_is_read_while_the_last_one_is_committed(engine):
    reading = Reading()
    with read_ahead(reading, engine) as pieces:
        assert next(iter(pieces)) == [0]
        engine.probe("batch.decided")
        assert reading.read == [0]
        engine.probe("batch.saved")
        assert reading.begun.wait(10), "nobody asked for it yet"
        engine.probe("batch.saved")
    assert reading.read == [0, 1], "one piece ahead, and no more"


def test_what_is_wrong_with_a_piece_is_told_where_it_is_wanted(engine):
    with read_ahead(Reading(ValueError("line 4")), engine) as pieces:
        coming = iter(pieces)
        assert [next(coming) for _ in range(3)] == [[0], [1], [2]]
        engine.probe("batch.saved")
        with pytest.raises(ValueError, match="line 4"):
            next(coming)


def test_afterwards_the_engine_is_as_it_was(engine):
    told = []
    engine.probe = before = told.append
    with pytest.raises(KeyboardInterrupt), read_ahead(Reading(), engine):
        engine.probe("batch.saved")
        raise KeyboardInterrupt
    assert (engine.probe, told) == (before, ["batch.saved"])
