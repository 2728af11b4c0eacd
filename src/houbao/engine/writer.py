"""Group commit: a queue and one thread. Whoever waits shares a transaction with all others that wait."""

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime, timedelta
from time import perf_counter
from typing import Protocol

from msgspec import Struct

from houbao.core.terms import Refused
from houbao.engine.engine import Engine
from houbao.engine.request import Outcome, Request

MOST_GATHERED = 256
MOST_SECONDS = 0.020
MOST_WAITING = 10_000


class _Call(Struct):
    requests: Sequence[Request]
    reply: "Future[list[Outcome]] | asyncio.Future[list[Outcome]]"


Answers = list[tuple["asyncio.Future[list[Outcome]]", "list[Outcome] | BaseException"]]


class Writes(Protocol):
    """What takes commands to be written: the writer, or in another process the way to it."""

    async def answer(self, requests: Sequence[Request], *, bulk: bool = False) -> list[Outcome]:
        """The outcomes of a list, once they are durable."""
        ...

    def waiting(self) -> int:
        """How many commands wait."""
        ...

    def alive(self) -> bool:
        """Whether commands are taken and executed."""
        ...


class Writer:
    """Feeds an engine from threads and event loops. One call's own list stays one batch; small calls are gathered,
    people before imports, into batches of at most 256 commands or 20 ms of deciding. `observe` hears of each batch, how
    many commands it had and how many seconds it took. `on_the_way` is how long a command that was received may take
    until it waits here."""

    def __init__(
        self,
        engine: Engine,
        observe: Callable[[int, float], None] = lambda size, seconds: None,
        *,
        on_the_way: timedelta = timedelta(),
    ) -> None:
        self.engine = engine
        self.observe = observe
        self.on_the_way = on_the_way
        self._people: deque[_Call] = deque()
        self._imports: deque[_Call] = deque()
        self._waiting = 0
        self._executing: list[_Call] = []
        self._ready = threading.Condition()
        self._stopping = False
        self._seconds_each = 0.0001
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, requests: Sequence[Request], *, bulk: bool = False) -> "Future[list[Outcome]]":
        """Queue a list; the future holds one outcome per request once they are durable. `bulk`: an import, it waits for
        people. A full queue refuses every command with `overloaded`, a list longer than it with `too_large`."""
        reply: Future[list[Outcome]] = Future()
        if not self._takes(_Call(requests, reply), bulk):
            reply.set_result(not_taken(requests))
        return reply

    async def answer(self, requests: Sequence[Request], *, bulk: bool = False) -> list[Outcome]:
        """Queue a list as `submit` does, and wait for its outcomes in an event loop, which is woken once for a batch
        and not for each call in it."""
        reply: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        return await reply if self._takes(_Call(requests, reply), bulk) else not_taken(requests)

    def execute(self, requests: Sequence[Request], *, bulk: bool = False) -> list[Outcome]:
        """Queue a list and wait for its outcomes."""
        return self.submit(requests, bulk=bulk).result()

    def waiting(self) -> int:
        """How many commands wait."""
        return self._waiting

    def alive(self) -> bool:
        """Whether commands are still taken and executed."""
        return self._thread.is_alive() and not self._stopping

    def horizon(self, now: datetime) -> datetime:
        """Up to when a sweep may let deadlines pass: not beyond the oldest `received_at` not yet answered, so that an
        answer received in time wins over a sweep that overtakes it; nor beyond what may still be on its way."""
        with self._ready:
            calls = (*self._people, *self._imports, *self._executing)
            times = [q.received_at for call in calls for q in call.requests if q.received_at.tzinfo is not None]
        return min([now - self.on_the_way, *times])

    def stop(self) -> None:
        """Finish what waits, then stop."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        self._thread.join()

    def _takes(self, call: _Call, bulk: bool) -> bool:
        """Queue a call, unless it is empty, the queue is full or the writer stops."""
        with self._ready:
            if self._stopping or not call.requests or self._waiting + len(call.requests) > MOST_WAITING:
                return False
            (self._imports if bulk else self._people).append(call)
            self._waiting += len(call.requests)
            self._ready.notify()
        return True

    def _run(self) -> None:
        while calls := self._gather():
            # Who no longer waits (a dropped connection) is left out; nobody can leave from here on.
            calls = [call for call in calls if _still_waits(call)]
            requests = [request for call in calls for request in call.requests]
            if not requests:
                continue
            started = perf_counter()
            try:
                outcomes = iter(self.engine.execute(requests))
            except BaseException as error:  # noqa: BLE001 - every waiting caller must hear of it, whatever it was
                _tell(calls, [error] * len(calls))
                continue
            self.observe(len(requests), perf_counter() - started)
            self._seconds_each = 0.8 * self._seconds_each + 0.2 * self.engine.seconds_deciding / len(requests)
            _tell(calls, [[next(outcomes) for _ in call.requests] for call in calls])

    def _gather(self) -> list[_Call]:
        """Wait for calls, then take as many as fit; empty when stopped and nothing waits."""
        with self._ready:
            self._executing = []
            while not (self._people or self._imports or self._stopping):
                self._ready.wait()
            most = max(1, int(MOST_SECONDS / max(self._seconds_each, MOST_SECONDS / MOST_GATHERED)))
            calls: list[_Call] = []
            size = 0
            for queue in (self._people, self._imports):
                while queue and (not calls or size + len(queue[0].requests) <= most):
                    calls.append(queue.popleft())
                    size += len(calls[-1].requests)
            self._waiting -= size
            self._executing = calls
            return calls


def not_taken(requests: Sequence[Request]) -> list[Outcome]:
    """Why a list is not taken: for now, or because it never fits."""
    refused = Refused("overloaded", "too many commands wait: try again in a second")
    if (count := len(requests)) > MOST_WAITING:
        refused = Refused("too_large", f"{count:,} commands in one list: send it in pieces of at most {MOST_WAITING:,}")
    return [refused] * count


def _still_waits(call: _Call) -> bool:
    if isinstance(call.reply, Future):
        return call.reply.set_running_or_notify_cancel()
    return not call.reply.cancelled()


def _tell(calls: Sequence[_Call], answers: "Sequence[list[Outcome] | BaseException]") -> None:
    """Give each call its answer: a thread's at once, all those of one event loop together, by that loop itself."""
    loops: defaultdict[asyncio.AbstractEventLoop, Answers] = defaultdict(list)
    for call, answer in zip(calls, answers, strict=True):
        if isinstance(call.reply, asyncio.Future):
            loops[call.reply.get_loop()].append((call.reply, answer))
        else:
            _resolve(call.reply, answer)
    for loop, waiting in loops.items():
        with suppress(RuntimeError):  # the loop ended: nobody waits there any more
            loop.call_soon_threadsafe(_tell_here, waiting)


def _tell_here(waiting: Answers) -> None:
    for reply, answer in waiting:
        if not reply.done():  # who left while the batch ran hears nothing
            _resolve(reply, answer)


def _resolve(
    reply: "Future[list[Outcome]] | asyncio.Future[list[Outcome]]", answer: "list[Outcome] | BaseException"
) -> None:
    if isinstance(answer, BaseException):
        reply.set_exception(answer)
    else:
        reply.set_result(answer)
