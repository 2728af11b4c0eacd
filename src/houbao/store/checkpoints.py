"""The write-ahead log brought into the file beside a writer of much, which would stop for it in its commits."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress

MOST_LOG = 64 << 20
"""From how many bytes on the log is to begin anew: the next transaction waits until all of it is in the file."""

LEFT_TO_WRITER = 4 * MOST_LOG
"""From how many bytes on the writer does it itself, as SQLite has it: what is here has stumbled, or somebody reads for
long."""


class Checkpoints:
    """A thread with a connection of its own. SQLite begins the log anew where a transaction finds that all of it is in
    the file; a writer that goes from one to the next would never find that by itself."""

    def __init__(self, connected: Callable[[], sqlite3.Connection], page_size: int) -> None:
        self._connected = connected
        self._most = MOST_LOG // page_size
        self._ready = threading.Condition()
        self._due = self._busy = self._stopping = False
        self._log = 0
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def committed(self) -> None:
        """The log has grown."""
        with self._ready:
            self._due = True
            self._ready.notify_all()

    def make_room(self) -> None:
        """Before a transaction: where the log is long, see that it can begin anew."""
        if self._log > self._most:
            self.catch_up()

    def catch_up(self) -> None:
        """Wait until all of the log is in the file, as far as those who read allow it."""
        self.committed()
        with self._ready:
            self._ready.wait_for(lambda: not (self._due or self._busy))

    def close(self) -> None:
        """No more of it."""
        with self._ready:
            self._stopping = True
            self._ready.notify_all()
        self._thread.join()

    def _run(self) -> None:
        connection = self._connected()
        while self._next():
            with suppress(sqlite3.Error):  # the writer, who does it where nobody else did, is told then
                _, self._log, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        connection.close()

    def _next(self) -> bool:
        """Wait until there is something to do; false where it is to stop."""
        with self._ready:
            self._busy = False
            self._ready.notify_all()
            self._ready.wait_for(lambda: self._due or self._stopping)
            self._due, self._busy = False, not self._stopping
            return self._busy
