"""Connections to read with: lent, taken back, and never waited for."""

import sqlite3
from threading import Event, Thread

from given import DAY, PLATFORM, T
from houbao.core.programme import RegisterStore
from houbao.store import standings
from houbao.store.reading import MOST_KEPT, Reader, reading
from houbao.store.scores import Scorebook


def works(connection: sqlite3.Connection) -> bool:
    try:
        return connection.execute("SELECT 1").fetchone() == (1,)
    except sqlite3.ProgrammingError:  # it is closed
        return False


def test_of_the_connections_that_are_given_back_so_many_are_kept(tmp_path):
    reader = Reader(tmp_path / "some.sqlite")
    lent = [reader.taken() for _ in range(MOST_KEPT + 1)]
    for one in lent:
        reader.put_back(one)
    assert [works(one) for one in lent].count(False) == 1
    reader.close()
    assert not any(works(one) for one in lent)


def test_a_pool_is_closed_while_others_still_read(tmp_path):
    reader, over, faults = Reader(tmp_path / "some.sqlite"), Event(), []

    def read():
        while not over.is_set():
            try:
                with reader.glance() as connection:
                    assert works(connection)
            except (IndexError, AssertionError, sqlite3.Error) as fault:
                faults.append(fault)

    readers = [Thread(target=read) for _ in range(4)]
    for thread in readers:
        thread.start()
    for _ in range(500):
        reader.close()
    over.set()
    for thread in readers:
        thread.join()
    reader.close()
    assert faults == []


def test_who_reads_a_whole_part_keeps_nobody_from_writing(market):
    """Neither stands on the writer's connection: a write waits for neither."""
    dispute = market.open(market.order(), "damaged", "40.00")
    market.rule(dispute)
    market.work()
    book, said = Scorebook(market.database), []
    market.database.connection.set_trace_callback(said.append)
    assert market.database.standings(0, T - DAY, T)["oak"].disputes == 1
    assert len(book.lines(0, None)["oak"].tallies) == 1
    assert book.changed_since(0, 0) == {"oak"}
    assert book.position(0) > 0
    assert book.days_of(0, T.date()) == {}
    market.database.connection.set_trace_callback(None)
    assert said == []


def test_the_standings_of_many_stores_take_as_many_statements_as_those_of_one(market):
    def statements() -> int:
        said = []
        with reading(market.database.path) as connection:
            connection.set_trace_callback(said.append)
            found = standings.found(connection, 0, T - DAY, T)
        assert all(one.disputes == 1 and one.completed == 1 for one in found.values())
        return len([one for one in said if "count(*)" in one])

    def disputed(store: str) -> None:
        market.accept(RegisterStore(store=store), PLATFORM)
        market.sell(1, store)
        market.open(market.order(store=store), "damaged", "40.00")

    disputed("elm")
    one = statements()
    for store in ("fig", "ivy", "yew"):
        disputed(store)
    assert statements() == one
