"""The processes that answer beside the first one. They send what is to be written to its writer, and are begun again
when one ends; when it ends, they do."""

import logging
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from time import monotonic
from typing import Any

from houbao.commands.relay import SAID_EVERY, Line, relay, tell
from houbao.engine.writer import Writer
from houbao.web.site import Beat

QUICK_SECONDS = 10.0
"""A process that ends so soon after its beginning could not begin."""

MOST_QUICK = 5
"""After so many in a row nobody answers on that socket any more."""

log = logging.getLogger("houbao.processes")

Answering = Callable[[socket.socket, "Connection[Any, Any]"], None]


class _Place:
    """A socket and the process that answers on it."""

    def __init__(self, at: socket.socket, answering: Answering, writer: Writer) -> None:
        self.at = at
        self._answering = answering
        self._writer = writer
        self._quick = 0
        self.begin()

    def begin(self) -> None:
        """Begin the process, and listen to what it wants written."""
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self.process = context.Process(target=self._answering, args=(self.at, theirs), daemon=True)
        self.process.start()
        self._begun_at = monotonic()
        theirs.close()  # so that this side hears when the other is gone
        self.line = Line(ours)
        threading.Thread(target=relay, args=(self.line, self._writer), name="relay", daemon=True).start()

    def tell(self, how: signal.Signals) -> None:
        """Send the process that signal, if it is still there."""
        if self.process.pid and self.process.is_alive():
            os.kill(self.process.pid, how)

    def ended(self) -> bool:
        """Whether it ended; that is said once, and whether it ever began is counted."""
        if self.process.is_alive():
            return False
        said = {"pid": self.process.pid, "exit": self.process.exitcode}
        log.error("a process ended", extra={"said": said})
        self._quick = self._quick + 1 if monotonic() - self._begun_at < QUICK_SECONDS else 0
        return True

    def is_hopeless(self) -> bool:
        """Whether it ended too often before it had begun."""
        return self._quick >= MOST_QUICK


class Processes:
    """A process for each of the sockets, which runs `answering` with it and its end of a pipe to the writer. `beat` is
    how the worker is."""

    def __init__(self, at: Sequence[socket.socket], answering: Answering, writer: Writer, beat: Beat) -> None:
        self._writer = writer
        self._beat = beat
        self._stopping = threading.Event()
        self._places = [_Place(one, answering, writer) for one in at]
        self._thread = threading.Thread(target=self._keep, name="processes")
        self._thread.start()

    def leave(self) -> None:
        """Tell them to finish what was begun; asked again, to end at once. Nobody connects to them any more, and none
        is begun again."""
        how = signal.SIGINT if self._stopping.is_set() else signal.SIGTERM
        self._stopping.set()
        for place in self._places:
            place.at.close()
            place.tell(how)

    def join(self, seconds: float) -> None:
        """Wait for them; who takes longer is ended."""
        if not self._stopping.is_set():
            self.leave()
        self._thread.join()
        for place in self._places:
            place.process.join(seconds)
            place.process.kill()

    def _keep(self) -> None:
        """Look after them, and tell each how this process is."""
        while not self._stopping.wait(SAID_EVERY):
            for place in list(self._places):
                tell(place.line, self._writer, self._beat)
                if not self._stopping.is_set() and place.ended():
                    self._begin_again(place)
        for place in self._places:
            place.tell(signal.SIGTERM)  # one may have been begun meanwhile

    def _begin_again(self, place: _Place) -> None:
        if not place.is_hopeless():
            place.begin()
            return
        self._places.remove(place)
        place.at.close()  # whoever connects comes to the others
        log.error("a process ends whenever it is begun: the others go on without it")
