"""`houbao outage START END`: nobody could act from then till then; what runs over it is due so much later."""

from collections.abc import Callable

from msgspec import Struct

from houbao.commands.times import time_of
from houbao.core.outages import EnterOutage
from houbao.core.terms import Actor, Refused
from houbao.engine.request import Request
from houbao.wiring import House


class Entered(Struct):
    """What came of it. `new` is false where the outage was known already; `disputes` are the open ones that were looked
    at."""

    new: bool
    disputes: int

    def told(self) -> str:
        """It as a line of text."""
        if not self.new:
            return "the outage was known before: nothing changed"
        return f"the outage is entered: {self.disputes} open disputes were looked at, what runs over it is due later"


def enter(house: House, start: str, end: str, progress: Callable[[int], None]) -> Entered:
    """Enter the outage and move what runs over it; `progress` is told how many disputes were looked at so far. Stopped
    on the way, nothing is lost: `houbao work` goes on with it. Raises Refused as the command does, bad_time too."""
    command = EnterOutage(start=time_of("START", start), end=time_of("END", end))
    request = Request(command, Actor("admin", "command-line"), house.clock())
    (outcome,) = house.engine.execute([request])
    if isinstance(outcome, Refused):
        raise outcome
    disputes = 0
    while outcome.first and (more := house.worker.move_due_times(outcome.last)):
        disputes += more
        progress(disputes)
    return Entered(new=outcome.first > 0, disputes=disputes)
