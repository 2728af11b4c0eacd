"""One round of the worker, and telling the webhooks, as `houbao work` and `houbao serve` both do it."""

import logging
import threading
from datetime import timedelta

from msgspec import Struct

from houbao.commands.breakers import keep_watch
from houbao.engine.announcing import Announcer
from houbao.engine.scoring import Scored
from houbao.engine.worker import ASSESSED_EVERY, Done
from houbao.wiring import House

PAUSE = 1.0
"""Seconds between two looks when nothing was due."""

AGAIN = timedelta(hours=1)
"""When what is done once a day and failed is tried again."""

log = logging.getLogger("houbao.worker")


class Round(Struct, frozen=True):
    """What one round did."""

    done: Done
    scored: Scored


class Rounds:
    """The rounds of one worker. `daily_at` is when what is done once a day is due."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.daily_at = house.clock()

    def next(self) -> Round:
        """What came in from providers and what fell due; once a day the stores' assessment and the funds' breakers too;
        then the daily scores."""
        house = self.house
        house.listen()
        done = house.worker.run()
        if (now := house.clock()) >= self.daily_at:
            self.daily_at = now + AGAIN  # it reads a lot: where it fails, not at once again
            daily = Done()
            house.worker.assess(daily)
            keep_watch(house)
            done.troubles += daily.troubles
            if not daily.troubles:
                self.daily_at = now + ASSESSED_EVERY
        return Round(done, house.scoring.keep())


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
