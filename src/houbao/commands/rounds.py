"""One round of the worker, as `houbao work` and `houbao serve` both run it."""

from datetime import datetime

from msgspec import Struct

from houbao.commands.breakers import keep_watch
from houbao.engine.scoring import Scored
from houbao.engine.worker import ASSESSED_EVERY, Done
from houbao.wiring import House


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
