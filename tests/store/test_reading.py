"""Connections to read with: lent, taken back, and never waited for."""

import sqlite3
from queue import LifoQueue
from threading import Thread

from houbao.store.reading import MOST_KEPT, Reader


class LookedAtTooEarly(LifoQueue):
    """A queue that somebody else fills between being looked at and being used."""

    def full(self) -> bool:
        return False


def works(connection: sqlite3.Connection) -> bool:
    try:
        return connection.execute("SELECT 1").fetchone() == (1,)
    except sqlite3.ProgrammingError:  # it is closed
        return False


def test_whoever_gives_a_connection_back_never_waits_for_a_place(tmp_path):
    reader = Reader(tmp_path / "some.sqlite")
    reader._free = LookedAtTooEarly(MOST_KEPT)
    lent = [reader.taken() for _ in range(MOST_KEPT + 1)]
    giving = [Thread(target=reader.put_back, args=(one,), daemon=True) for one in lent]
    for thread in giving:
        thread.start()
    for thread in giving:
        thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in giving)
    assert [works(one) for one in lent].count(False) == 1
    reader.close()
    assert not any(works(one) for one in lent)
