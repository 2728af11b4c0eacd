"""One round of the worker, and telling the webhooks, as `houbao work` and `houbao serve` both do it."""

import logging
import threading
from datetime import datetime

from msgspec import Struct

from houbao.commands.breakers import keep_watch
from houbao.engine.announcing import Announcer
from houbao.engine.scoring import Scored
from houbao.engine.worker import ASSESSED_EVERY, Done
from houbao.wiring import House

PAUSE = 1.0
"""Seconds between two looks when nothing was due."""

log = logging.getLogger("houbao.worker")


class Round(Struct, frozen=True):
    """What one round did. `daily_at` is when what is done once a day is due again."""

    done: Done
    scored: Scored
    daily_at: datetime


def round_of(house: House, daily_at: datetime) -> Round:
    """What came in from providers and what fell due; from `daily_at` on the stores' assessment and the funds' breakers
    too; then the daily scores."""
    house.listen()
    done = house.worker.run()
    if house.clock() >= daily_at:
        house.worker.assess()
        keep_watch(house)
        daily_at = house.clock() + ASSESSED_EVERY
    return Round(done, house.scoring.keep(), daily_at)


def announce(announcer: Announcer, stopping: threading.Event) -> None:
    """Tell the webhooks, in a thread of its own: a receiver who is slow keeps no refund waiting."""
    while not stopping.is_set():
        tried = 0
        try:
            tried = announcer.run(stopping.is_set)
        except Exception as fault:  # noqa: BLE001 - the deliveries stay due, and the log says that it stumbles
            log.error("telling the webhooks stumbled", extra={"said": {"fault": type(fault).__name__}})
        if not tried:
            stopping.wait(PAUSE)
