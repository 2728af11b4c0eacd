"""The funds' reserves for the console: everything is read once for them, so it is done in a thread of its own, one
measuring at a time, and what was found serves everybody for a while."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as ended
from datetime import datetime, timedelta
from threading import Lock

from msgspec import Struct

from houbao.insight.lake import Progress
from houbao.insight.reserves import Reserves

log = logging.getLogger("houbao.reserves")

KEPT = timedelta(minutes=15)
"""How long what was found is shown before it is measured again."""


class Step(Struct, frozen=True):
    """How far a measuring has come: so many of `of` rows of a kind."""

    what: str = ""
    done: int = 0
    of: int = 0


class Measured(Struct, frozen=True):
    """What was found last, None where nothing was yet; and how far the measuring is that runs now, None where none
    does."""

    found: list[Reserves] | None
    running: Step | None


class Closed(Exception):
    """Nobody waits for it any more."""


class Measuring:
    """Measures the funds and keeps what was found. `measure` reads everything, and tells how far it has come; `wall` is
    the machine's clock."""

    def __init__(self, measure: Callable[[Progress], list[Reserves]], wall: Callable[[], datetime]) -> None:
        self._measure = measure
        self._wall = wall
        self._thread = ThreadPoolExecutor(1, "reserves")
        self._lock = Lock()
        self._running: Future[list[Reserves]] | None = None
        self._found: list[Reserves] | None = None
        self._found_at: datetime | None = None
        self._step = Step()
        self._closed = False

    def latest(self, wait: float, *, anew: bool = False) -> Measured:
        """What is known; what is too old, or wanted `anew`, is measured meanwhile, and waited for so many seconds.
        Raises what the measuring failed with that was waited for; the next to ask has it measured again."""
        with self._lock:
            if self._running is None and (anew or self._is_old()):
                self._step = Step()
                self._running = self._thread.submit(self._run)
            running = self._running
        if running is None:
            return Measured(self._found, None)
        if not ended([running], wait).done:
            return Measured(self._found, self._step)
        return Measured(running.result(), None)

    def _run(self) -> list[Reserves]:
        """What is found is known from when it was measured on, whether or not anybody still waits for it."""
        try:
            found = self._measure(self._told)
        except BaseException as fault:
            # Nobody may be waiting for it any more: whoever looks after the server reads it here.
            log.error("the reserves could not be measured", extra={"said": {"fault": type(fault).__name__}})
            with self._lock:
                self._running = None
            raise
        with self._lock:
            self._running, self._found, self._found_at = None, found, self._wall()
        return found

    def _is_old(self) -> bool:
        return self._found_at is None or self._wall() - self._found_at > KEPT

    def _told(self, what: str, done: int, of: int) -> None:
        if self._closed:
            raise Closed
        self._step = Step(what, done, of)

    def close(self) -> None:
        """Measure no more; one that runs ends at its next step."""
        self._closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)
