"""The threads in which a server reads and shows pages: one at a time.

Python runs one thread at once, and a thread that reads lets another one in at every row. Sixteen that read together
take each other's turn thousands of times, and answer half as many requests as one that takes them in order.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Event, Lock, Thread
from time import monotonic, sleep
from typing import Any, ParamSpec, TypeVar

PATIENCE = 0.05
"""Seconds that others wait for one work. It goes on after that, and they go on beside it."""

MOST = 16
"""Works at once, all but one of them beyond the others' patience."""

P = ParamSpec("P")
T = TypeVar("T")


class Lane(ThreadPoolExecutor):
    """Does what is submitted in order, one work at a time; one that takes longer than `patience` (seconds) keeps nobody
    waiting."""

    def __init__(self, patience: float = PATIENCE, most: int = MOST) -> None:
        super().__init__(most, "lane")
        self._patience = patience
        self._lock = Lock()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._turn = 0
        self._taken = False
        self._since = 0.0
        self._somebody_waits = Event()
        Thread(target=self._overtake, name="lane", daemon=True).start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Do it when its turn has come."""
        future: Future[T] = Future()
        with self._lock:
            if not self._taken:
                self._begin()
            else:
                self._somebody_waits.set()
            self._waiting.append((future, partial(fn, *args, **kwargs)))
        return future

    def _begin(self) -> None:
        """Another thread does what waits; the one before goes on with what it has, and then ends. Under the lock.
        Raises RuntimeError where the lane is closed."""
        super().submit(self._go, self._turn + 1)
        self._turn += 1
        self._taken, self._since = True, monotonic()

    def _go(self, turn: int) -> None:
        while (taken := self._next(turn)) is not None:
            future, work = taken
            if future.set_running_or_notify_cancel():
                try:
                    done = work()
                except BaseException as fault:  # noqa: BLE001 - it is whoever waits who must hear of it
                    future.set_exception(fault)
                else:
                    future.set_result(done)

    def _next(self, turn: int) -> "tuple[Future[Any], Callable[[], Any]] | None":
        with self._lock:
            if turn != self._turn:
                return None
            if not self._waiting:
                self._taken = False
                return None
            self._since = monotonic()
            return self._waiting.popleft()

    def _overtake(self) -> None:
        """While somebody waits: look whether what is being done takes too long."""
        with suppress(RuntimeError):  # the lane is closed: what waits is done by the thread that has it
            while self._somebody_waits.wait():
                with self._lock:
                    left = self._since + self._patience - monotonic()
                    if not (self._waiting and self._taken):
                        self._somebody_waits.clear()
                    elif left <= 0:
                        self._begin()
                sleep(max(left, self._patience / 10))
