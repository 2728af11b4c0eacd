"""Commands on their way between the processes of a server: many answer, one writes. Whoever answers elsewhere sends
what is to happen through a pipe; in the first process it waits in the writer's queue, as everybody's does. What was
sent is executed, whether or not somebody still waits for it."""

import asyncio
import pickle
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from itertools import count
from multiprocessing.connection import Connection
from queue import SimpleQueue
from time import monotonic
from typing import Any

import msgspec
from msgspec import Raw, Struct

from houbao.core.terms import Refused
from houbao.engine.deciding import BAD_TEXT
from houbao.engine.request import Accepted, Outcome, Request
from houbao.engine.writer import MOST_WAITING, Writer, not_taken
from houbao.web.site import Beat

SAID_EVERY = 1.0
"""Seconds between two words of how the first process is."""

SILENT_SECONDS = 10.0
"""After so long without a word it does not write any more."""

ENDED = "the process that writes ended"


class Asked(Struct, frozen=True, tag=True):
    """A list of commands, by the number under which its answer is waited for."""

    number: int
    requests: list[Raw]
    bulk: bool


class Answered(Struct, frozen=True, tag=True):
    """Its outcomes; or what went wrong, in words: whether it was written is not known then."""

    number: int
    outcomes: list[Accepted | bytes]
    fault: str = ""


class Standing(Struct, frozen=True, tag=True):
    """How the first process is: how many commands wait for the writer, whether it takes any, how the worker is."""

    waiting: int
    alive: bool
    beat: Beat


Message = Asked | Answered | Standing

encode = msgspec.json.Encoder().encode
"""As records are kept: a copy by `pickle` is another text, since what is at its default is left out by what it *is*."""

decode = msgspec.json.Decoder(Message).decode
decode_request = msgspec.json.Decoder(Request).decode


def packed(outcomes: Sequence[Outcome]) -> list[Accepted | bytes]:
    """Outcomes as they are sent: a refusal, which may hold sentences to be said in another language, is pickled."""
    return [pickle.dumps(one) if isinstance(one, Refused) else one for one in outcomes]


def unpacked(outcomes: Sequence[Accepted | bytes]) -> list[Outcome]:
    """Outcomes as they were before."""
    return [pickle.loads(one) if isinstance(one, bytes) else one for one in outcomes]


class Line:
    """One end of a pipe. Who sends never waits for the other side to read; that is for a thread of its own."""

    def __init__(self, pipe: "Connection[Any, Any]") -> None:
        self._pipe = pipe
        self._leaving: SimpleQueue[bytes] = SimpleQueue()
        threading.Thread(target=self._send, name="relay", daemon=True).start()

    def send(self, message: Message) -> None:
        """Send it, behind what was given before."""
        self._leaving.put(encode(message))

    def idle(self) -> bool:
        """Whether the other side has read what was sent."""
        return self._leaving.empty()

    def receive(self) -> Message:
        """The next message, waited for. Raises EOFError where the other side is gone."""
        try:
            return decode(self._pipe.recv_bytes())
        except OSError:
            raise EOFError from None

    def close(self) -> None:
        """Send no more."""
        self._leaving.put(b"")

    def _send(self) -> None:
        with suppress(OSError):  # the other side is gone: whoever receives hears of it
            while message := self._leaving.get():
                self._pipe.send_bytes(message)


# --- in the first process ------------------------------------------------------------------------------------------


def relay(line: Line, writer: Writer) -> None:
    """Give the writer what comes, until the other side is gone."""
    with suppress(EOFError):
        while isinstance(asked := line.receive(), Asked):
            try:
                requests = [decode_request(request) for request in asked.requests]
            except msgspec.DecodeError as fault:
                line.send(Answered(asked.number, [], repr(fault)))
                continue
            writer.submit(requests, bulk=asked.bulk).add_done_callback(partial(_answer, line, asked.number))
    line.close()


def _answer(line: Line, number: int, reply: "Future[list[Outcome]]") -> None:
    try:
        line.send(Answered(number, packed(reply.result())))
    except BaseException as fault:  # noqa: BLE001 - whatever it was, somebody waits to hear of it
        line.send(Answered(number, [], repr(fault)))


def tell(line: Line, writer: Writer, beat: Beat) -> None:
    """Say how this process is; nothing to whom has not yet read what was said before."""
    if line.idle():
        line.send(Standing(writer.waiting(), writer.alive(), beat))


# --- in the others -------------------------------------------------------------------------------------------------


class FarWriter:
    """The writer as seen from another process. `told` hears how the worker is, `lost` when the writer's process is
    gone."""

    def __init__(self, pipe: "Connection[Any, Any]", *, told: Callable[[Beat], None], lost: Callable[[], None]) -> None:
        self._line = Line(pipe)
        self._told, self._lost = told, lost
        self._numbers = count(1)
        self._open: dict[int, asyncio.Future[list[Outcome]]] = {}
        self._commands = 0
        self._standing = Standing(0, True, Beat())
        self._ended = False
        self._heard_at = monotonic()
        threading.Thread(target=self._listen, name="answers", daemon=True).start()

    async def answer(self, requests: Sequence[Request], *, bulk: bool = False) -> list[Outcome]:
        """See Writer. What this process waits for is bounded as the writer's own queue is. Raises ConnectionError where
        the writer's process ended or failed, and so perhaps wrote it."""
        if self._commands + len(requests) > MOST_WAITING:
            return not_taken(requests)
        sent = [_encoded(request) for request in requests]
        taken = [one for one in sent if isinstance(one, Raw)]
        decided = iter(await self._ask(taken, bulk) if taken else ())
        return [next(decided) if isinstance(one, Raw) else one for one in sent]

    async def _ask(self, requests: list[Raw], bulk: bool) -> list[Outcome]:
        number = next(self._numbers)
        self._open[number] = reply = asyncio.get_running_loop().create_future()
        self._commands += len(requests)
        try:
            if self._ended:  # asked once the answer can be found: whoever ends it looks for those that wait after that
                raise ConnectionError(ENDED)
            self._line.send(Asked(number, requests, bulk))
            return await reply
        finally:
            self._commands -= len(requests)
            del self._open[number]

    def waiting(self) -> int:
        """How many commands wait for the writer, of all processes."""
        return self._standing.waiting

    def alive(self) -> bool:
        """Whether it takes commands, as it said lately."""
        return self._standing.alive and monotonic() - self._heard_at < SILENT_SECONDS

    def _listen(self) -> None:
        try:
            while not isinstance(message := self._line.receive(), Asked):
                if isinstance(message, Answered):
                    self._pass_on(message)
                else:
                    self._standing, self._heard_at = message, monotonic()
                    self._told(message.beat)
        except EOFError:
            pass
        finally:  # whatever ended it: nobody answers any more
            self._ended, self._standing = True, Standing(0, False, self._standing.beat)
            for number in list(self._open):
                self._pass_on(Answered(number, [], ENDED))
            self._lost()

    def _pass_on(self, answered: Answered) -> None:
        reply = self._open.get(answered.number)
        if reply is not None:
            with suppress(RuntimeError):  # the loop ended: nobody waits there any more
                reply.get_loop().call_soon_threadsafe(_resolve, reply, answered)


def _encoded(request: Request) -> Raw | Refused:
    try:
        return Raw(encode(request))
    except UnicodeEncodeError:
        return Refused("bad_text", BAD_TEXT)


def _resolve(reply: "asyncio.Future[list[Outcome]]", answered: Answered) -> None:
    if reply.done():  # who left meanwhile hears nothing
        return
    try:
        outcomes = unpacked(answered.outcomes)
    except Exception as fault:  # noqa: BLE001 - whatever it was, somebody waits to hear of it
        reply.set_exception(ConnectionError(repr(fault)))
        return
    if answered.fault:
        reply.set_exception(ConnectionError(answered.fault))
    else:
        reply.set_result(outcomes)
