"""`houbao work`: the worker as a process of its own."""

import sys
import time

from houbao.commands.rounds import round_of
from houbao.commands.times import time_of
from houbao.core.terms import Refused
from houbao.wiring import House

PAUSE = 1.0
"""Seconds between two looks at the database when nothing was due."""


def work(house: House, *, once: bool, now: str) -> None:
    """Run until stopped, or once. `now` moves a sandbox's clock first; a live database refuses that."""
    if now:
        _move(house, now)
    daily_at = house.clock()
    while True:
        told = round_of(house, daily_at)
        done, scored, daily_at = told.done, told.scored, told.daily_at
        for trouble in done.troubles:
            print(f"houbao work: {trouble}; it stays in the outbox and is tried again", file=sys.stderr)
        if once:
            print(f"{done.deadlines} deadlines passed, {done.effects} effects done")
            if scored.days:
                print(f"{scored.days} daily scores kept, {scored.grades} grades given")
            return
        time.sleep(PAUSE)


def _move(house: House, now: str) -> None:
    if house.database.settings()["kind"] != "sandbox":
        raise Refused("not_a_sandbox", "only a sandbox database has a clock that can be moved")
    to = time_of("--now", now)
    if to < house.clock():
        raise Refused(
            "clock_backwards", f"the sandbox's clock stands at {house.clock().isoformat()} and never goes back"
        )
    house.database.move_clock(0, to)
