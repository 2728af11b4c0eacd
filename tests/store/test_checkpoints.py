"""The log brought into the file beside whoever writes much: it stays short, nothing is lost, and nobody is stopped."""

import sqlite3

import pytest

from given import Market
from houbao.store import checkpoints

LONG = 4 << 20
"""More bytes than a log has that begins anew in time."""


@pytest.fixture
def short(monkeypatch):
    """A log is to begin anew from 64 KiB on."""
    monkeypatch.setattr(checkpoints, "MOST_LOG", 64 << 10)


def log_of(market):
    return market.database.path.with_name(market.database.path.name + "-wal").stat().st_size


def sell(market, times):
    for _ in range(times):
        market.sell(20)


def settings(market):
    return market.database.connection.execute("PRAGMA wal_autocheckpoint").fetchone()


def test_the_log_stays_short_however_much_is_written(tmp_path, short):
    market = Market(tmp_path)
    with market.database.checkpointing_beside():
        sell(market, 10)
        assert log_of(market) < LONG
    market.check()


def test_without_anybody_beside_it_would_have_grown(tmp_path):
    market = Market(tmp_path)
    market.database.connection.execute("PRAGMA wal_autocheckpoint=0")
    sell(market, 10)
    assert log_of(market) > 4 * LONG


def test_who_reads_for_long_stops_nobody_from_writing(tmp_path, short):
    market = Market(tmp_path)
    reader = sqlite3.connect(market.database.path, isolation_level=None)
    with market.database.checkpointing_beside():
        sell(market, 5)
        reader.execute("BEGIN")
        (before,) = reader.execute("SELECT count(*) FROM orders").fetchone()
        sell(market, 20)
        assert reader.execute("SELECT count(*) FROM orders").fetchone() == (before,)
        reader.close()
    market.check()


def test_what_fails_beside_is_left_to_the_writer(tmp_path, short, monkeypatch):
    class Broken(sqlite3.Connection):
        def execute(self, *given):
            raise sqlite3.OperationalError("disk I/O error")

    def connect(path):
        return sqlite3.connect(path, factory=Broken, check_same_thread=False)

    market = Market(tmp_path)
    monkeypatch.setattr("houbao.store.sqlite.connect", connect)
    with market.database.checkpointing_beside():
        sell(market, 5)
        assert settings(market) == (checkpoints.LEFT_TO_WRITER // 4096,)
    market.check()


def test_afterwards_all_is_as_it_was(tmp_path):
    market = Market(tmp_path)
    before = settings(market)
    with pytest.raises(KeyboardInterrupt), market.database.checkpointing_beside():
        assert settings(market) != before
        raise KeyboardInterrupt
    assert settings(market) == before
    sell(market, 1)
    market.check()
