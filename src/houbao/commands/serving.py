"""`houbao serve`: the API, the console and the worker in one process."""

import gc
import logging
import socket
import threading
from datetime import UTC, datetime

import uvicorn
from litestar import Litestar

from houbao.commands.connections import Connection
from houbao.commands.rounds import PAUSE, Rounds, announce
from houbao.engine.worker import Done
from houbao.serving import announcer_of, site_of
from houbao.settings import Settings
from houbao.web.metrics import Metrics
from houbao.web.server import create_app
from houbao.web.site import Site
from houbao.web.watch import log_to_stderr
from houbao.wiring import House

STOP_SECONDS = 20
"""How long what was asked already may take when the server stops."""

log = logging.getLogger("houbao.worker")


def serve(settings: Settings, at: socket.socket) -> None:
    """Serve until stopped, on a socket that listens; then finish what was begun. Raises DatabaseError, SettingsError as
    opening does."""
    log_to_stderr()
    metrics = Metrics()
    house = House(settings, observe=metrics.note_batch)
    site = site_of(house, settings, metrics)
    announcer = announcer_of(site.hooks, local=settings.webhooks_inside)
    stopping = threading.Event()
    threads = [
        threading.Thread(target=_work, args=(house, site, stopping), name="worker"),
        threading.Thread(target=announce, args=(announcer, stopping), name="webhooks"),
    ]
    for thread in threads:
        thread.start()
    try:
        run(create_app(site, metrics), at)
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
        house.close()
        site.close()


def run(app: Litestar, at: socket.socket) -> None:
    """Answer requests on that socket until a signal says to stop."""
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
    host, port, *_ = at.getsockname()
    logging.getLogger("houbao.http").info("serving", extra={"said": {"host": host, "port": port}})
    gc.collect()
    gc.freeze()  # what stays until the end is not walked again: each walk held every request for a tenth of a second
    uvicorn.Server(config).run(sockets=[at])


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
