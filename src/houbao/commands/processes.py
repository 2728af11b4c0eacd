"""The processes that answer beside the first one. They send what is to be written to its writer, and are begun again
when one ends; when it ends, they do."""

import logging
import multiprocessing
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from houbao.commands.relay import SAID_EVERY, Line, relay, tell
from houbao.engine.writer import Writer
from houbao.web.site import Beat

log = logging.getLogger("houbao.processes")

Answering = Callable[["Connection[Any, Any]"], None]


class Processes:
    """A process for each of `answering`, which is given its end of a pipe to the writer. `beat` is how the worker
    is."""

    def __init__(self, answering: Sequence[Answering], writer: Writer, beat: Beat) -> None:
        self._answering = answering
        self._writer = writer
        self._beat = beat
        self._stopping = threading.Event()
        self._running = [self._begin(one) for one in answering]
        self._thread = threading.Thread(target=self._keep, name="processes")
        self._thread.start()

    def leave(self) -> None:
        """Tell them to finish what was begun, and begin none again."""
        self._stopping.set()
        for process, _ in self._running:
            process.terminate()

    def join(self, seconds: float) -> None:
        """Wait for them; who takes longer is ended."""
        self.leave()
        self._thread.join()
        for process, _ in self._running:
            process.join(seconds)
            process.kill()

    def _begin(self, answering: Answering) -> tuple[BaseProcess, Line]:
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=answering, args=(theirs,), daemon=True)
        process.start()
        theirs.close()  # so that this side hears when the other is gone
        line = Line(ours)
        threading.Thread(target=relay, args=(line, self._writer), name="relay", daemon=True).start()
        return process, line

    def _keep(self) -> None:
        """Look after them, and tell each how this process is."""
        while not self._stopping.wait(SAID_EVERY):
            for place, (process, line) in enumerate(self._running):
                tell(line, self._writer, self._beat)
                if not process.is_alive() and not self._stopping.is_set():
                    log.error("a process ended", extra={"said": {"pid": process.pid, "exit": process.exitcode}})
                    self._running[place] = self._begin(self._answering[place])
        for process, _ in self._running:
            process.terminate()  # one may have been begun meanwhile
