"""`houbao serve`: the API, the console and the worker in one process, and others that answer beside it."""

import asyncio
import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing.connection import Connection as Pipe
from types import FrameType
from typing import Any

import uvicorn
from litestar import Litestar

from houbao.commands.connections import Connection
from houbao.commands.lane import Lane
from houbao.commands.processes import Processes
from houbao.commands.relay import FarWriter
from houbao.commands.rounds import PAUSE, Rounds, announce
from houbao.engine.worker import Done
from houbao.serving import announcer_of, site_of
from houbao.settings import Settings
from houbao.web.metrics import Metrics
from houbao.web.server import create_app
from houbao.web.site import Beat, Site
from houbao.web.watch import log_to_stderr
from houbao.wiring import House

STOP_SECONDS = 20
"""How long what was asked already may take when the server stops."""

CLOSE_SECONDS = 5
"""How long a process that answered all may take to close what it opened."""

ON_THE_WAY = timedelta(seconds=2)
"""How long a command may take from the process that received it to the one that writes."""

log = logging.getLogger("houbao.worker")


def serve(settings: Settings, at: Sequence[socket.socket]) -> None:
    """Serve until stopped, a process for each of the sockets that listen; then finish what was begun. This one writes
    and does the worker's rounds; the others answer beside it. Raises DatabaseError, SettingsError as opening does."""
    log_to_stderr()
    metrics = Metrics()
    here, *elsewhere = at
    on_the_way = ON_THE_WAY if elsewhere else timedelta()
    house = House(settings, observe=metrics.note_batch, on_the_way=on_the_way)
    assert house.writer is not None
    site = site_of(house, settings, metrics)
    announcer = announcer_of(site.hooks, local=settings.webhooks_inside)
    stopping = threading.Event()
    with ExitStack() as ending:  # the last of these is done first, each whatever becomes of those before
        ending.callback(site.close)
        ending.callback(house.close)
        for name, work in (("worker", partial(_work, house, site)), ("webhooks", partial(announce, announcer))):
            thread = threading.Thread(target=work, args=(stopping,), name=name)
            thread.start()
            ending.callback(thread.join)
        ending.callback(stopping.set)
        beside = Processes(elsewhere, partial(_answer_beside, settings), house.writer, site.beat)
        ending.callback(beside.join, STOP_SECONDS + CLOSE_SECONDS)
        host, port, *_ = here.getsockname()
        said = {"host": host, "port": port, "processes": len(at)}
        logging.getLogger("houbao.http").info("serving", extra={"said": said})
        run(create_app(site, metrics), here, leaving=beside.leave)


def _answer_beside(settings: Settings, at: socket.socket, pipe: "Pipe[Any, Any]") -> None:
    """One of the other processes: it answers, and what is to be written it sends through the pipe."""
    os.setsid()  # what stops the terminal's processes stops the first one, and that one says when
    log_to_stderr()
    metrics, beat = Metrics(), Beat()
    house = House(settings)

    def told(now: Beat) -> None:
        beat.at, beat.troubles = now.at, now.troubles

    site = site_of(house, settings, metrics, FarWriter(pipe, told=told, lost=_stop))
    site.beat = beat
    try:
        run(create_app(site, metrics), at)
    finally:
        site.close()
        house.close()


def _stop() -> None:
    """This process finishes what was begun, and ends."""
    os.kill(os.getpid(), signal.SIGTERM)


class _Server(uvicorn.Server):
    """A server that tells others when it is told to stop, and returns when it has stopped. Uvicorn's raises the signal
    once more, which would end the process before what was opened is closed."""

    def __init__(self, config: uvicorn.Config, leaving: Callable[[], None]) -> None:
        super().__init__(config)
        self.leaving = leaving

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer until told to stop; what waits for the database does so in a lane of its own."""
        asyncio.get_running_loop().set_default_executor(Lane())
        await super().serve(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """While it runs, the signals that say to stop are its own."""
        before = {asked: signal.signal(asked, self.handle_exit) for asked in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for asked, handler in before.items():
                signal.signal(asked, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal says to stop."""
        self.leaving()
        super().handle_exit(sig, frame)


def run(app: Litestar, at: socket.socket, leaving: Callable[[], None] = lambda: None) -> None:
    """Answer requests on that socket until a signal says to stop, which `leaving` is told."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=STOP_SECONDS,
        http=Connection,
        loop="asyncio",
        ws="none",
        lifespan="off",
    )
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # it says in three lines what is said in one
    gc.collect()
    gc.freeze()  # what stays until the end is not walked again: each walk held every request for a tenth of a second
    _Server(config, leaving).run(sockets=[at])


def _work(house: House, site: Site, stopping: threading.Event) -> None:
    """The worker, until the server stops. What goes wrong is said, and tried again."""
    rounds = Rounds(house)
    while not stopping.is_set():
        try:
            _told(site, rounds.next().done)
        except Exception as fault:  # noqa: BLE001 - the worker goes on; readyz and the log say that it stumbles
            log.error("the worker stumbled", extra={"said": {"fault": type(fault).__name__}})
        stopping.wait(PAUSE)


def _told(site: Site, done: Done) -> None:
    site.beat.at = datetime.now(UTC)
    site.beat.troubles = done.troubles
    for trouble in done.troubles:
        log.warning("an effect stays in the outbox", extra={"said": {"trouble": trouble[:200]}})
