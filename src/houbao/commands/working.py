"""`houbao work`: the worker as a process of its own."""

import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

from msgspec import Struct

from houbao.commands.rounds import PAUSE, Round, Rounds, announce
from houbao.commands.times import time_of
from houbao.core.terms import Refused, rfc3339
from houbao.engine.announcing import Announcer
from houbao.serving import announcer_of
from houbao.store.hooks import Hooks
from houbao.wiring import House, is_sandbox


class Worked(Struct):
    """What was done in all: deadlines passed, effects done, daily scores and grades kept; `deliveries` to webhooks are
    counted in a single round alone, and `troubles` are what stays in the outbox after the last."""

    deadlines: int = 0
    effects: int = 0
    days_scored: int = 0
    grades: int = 0
    deliveries: int = 0
    troubles: list[str] = []

    def told(self) -> list[str]:
        """It in lines."""
        lines = [f"{self.deadlines} deadlines passed, {self.effects} effects done"]
        if self.days_scored:
            lines.append(f"{self.days_scored} daily scores kept, {self.grades} grades given")
        if self.deliveries:
            tried = "delivery" if self.deliveries == 1 else "deliveries"
            lines.append(f"{self.deliveries} {tried} to webhooks tried")
        return lines


def work(
    house: House, *, once: bool, now: str, inside: bool = False, stopping: threading.Event | None = None
) -> Worked:
    """Run until `stopping` or until the process is told to stop, or once. `now` moves a sandbox's clock first; a live
    database refuses that. `inside` lets webhooks go to machines of this network too."""
    if now:
        _move(house, now)
    worked, rounds = Worked(), Rounds(house)
    hooks = Hooks(house.database.path)
    try:
        announcer = announcer_of(hooks, local=inside)
        if once:
            _note(worked, rounds.next())
            worked.deliveries = announcer.run()
        else:
            _until(stopping or threading.Event(), rounds, announcer, worked)
    finally:
        hooks.close()
    return worked


def _note(worked: Worked, done: Round) -> None:
    worked.deadlines += done.done.deadlines
    worked.effects += done.done.effects
    worked.days_scored += done.scored.days
    worked.grades += done.scored.grades
    worked.troubles = done.done.troubles
    for trouble in done.done.troubles:
        print(f"houbao work: {trouble}; it stays in the outbox and is tried again", file=sys.stderr)


def _until(stopping: threading.Event, rounds: Rounds, announcer: Announcer, worked: Worked) -> None:
    telling = threading.Thread(target=announce, args=(announcer, stopping), name="webhooks")
    with _told_to_stop() as told:
        telling.start()
        try:
            while not told and not stopping.is_set():
                _note(worked, rounds.next())
                if not told:
                    stopping.wait(PAUSE)
        finally:
            stopping.set()
            telling.join()


@contextmanager
def _told_to_stop() -> Generator[list[int]]:
    """The signals that came. The first SIGTERM and the first SIGINT only ask, so that what was begun is finished; a
    second one ends the process as ever, where that hangs."""
    told: list[int] = []
    heard = (signal.SIGTERM, signal.SIGINT) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.getsignal(number) for number in heard}

    def hear(number: int, frame: object) -> None:
        # An event must not be set here: the thread that is interrupted may be inside of it, and would wait for itself.
        told.append(number)
        signal.signal(number, before[signal.Signals(number)])

    for number in heard:
        signal.signal(number, hear)
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _move(house: House, now: str) -> None:
    if not is_sandbox(house.database):
        raise Refused("not_a_sandbox", "only a sandbox database has a clock that can be moved")
    to = time_of("--now", now)
    if to < house.clock():
        raise Refused("clock_backwards", f"the sandbox's clock stands at {rfc3339(house.clock())} and never goes back")
    house.database.move_clock(0, to)
