"""Connections to read with: lent, taken back, and never waited for."""

import sqlite3
from threading import Event, Thread

from houbao.store.reading import MOST_KEPT, Reader


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
