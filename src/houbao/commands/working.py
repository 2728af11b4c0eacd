"""`houbao work`: the worker as a process of its own."""

import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

from houbao.commands.rounds import PAUSE, Rounds, announce
from houbao.commands.times import time_of
from houbao.core.terms import Refused
from houbao.engine.announcing import Announcer
from houbao.serving import announcer_of
from houbao.store.hooks import Hooks
from houbao.wiring import House


def work(house: House, *, once: bool, now: str, inside: bool = False, stopping: threading.Event | None = None) -> None:
    """Run until `stopping` or until the process is told to stop, or once. `now` moves a sandbox's clock first; a live
    database refuses that. `inside` lets webhooks go to machines of this network too."""
    if now:
        _move(house, now)
    hooks = Hooks(house.database.path)
    try:
        announcer = announcer_of(hooks, local=inside)
        if once:
            _once(house, announcer)
        else:
            _until(stopping or threading.Event(), house, announcer)
    finally:
        hooks.close()


def _once(house: House, announcer: Announcer) -> None:
    told = Rounds(house).next()
    _say(told.done.troubles)
    print(f"{told.done.deadlines} deadlines passed, {told.done.effects} effects done")
    if told.scored.days:
        print(f"{told.scored.days} daily scores kept, {told.scored.grades} grades given")
    if tried := announcer.run():
        print(f"{tried} {'delivery' if tried == 1 else 'deliveries'} to webhooks tried")


def _until(stopping: threading.Event, house: House, announcer: Announcer) -> None:
    rounds = Rounds(house)
    telling = threading.Thread(target=announce, args=(announcer, stopping), name="webhooks")
    with _told_to_stop() as told:
        telling.start()
        try:
            while not told and not stopping.is_set():
                _say(rounds.next().done.troubles)
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


def _say(troubles: list[str]) -> None:
    for trouble in troubles:
        print(f"houbao work: {trouble}; it stays in the outbox and is tried again", file=sys.stderr)


def _move(house: House, now: str) -> None:
    if house.database.settings()["kind"] != "sandbox":
        raise Refused("not_a_sandbox", "only a sandbox database has a clock that can be moved")
    to = time_of("--now", now)
    if to < house.clock():
        raise Refused(
            "clock_backwards", f"the sandbox's clock stands at {house.clock().isoformat()} and never goes back"
        )
    house.database.move_clock(0, to)
