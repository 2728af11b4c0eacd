"""A process of its own that does what its plan says, and dies where the plan says so.

    python child.py PLAN.json        one child
    python child.py                  a nursery: forks a child for each plan named on stdin, then says how it exited

It sends the plan's commands one by one and lets the worker do all that falls due until a time, moving the sandbox's
clock from one due thing to the next. What came of it is written beside the plan, as a Report; a child that dies writes
none. The nursery only saves the time of the imports: it opens nothing itself.
"""

import os
import sys
import traceback
from collections import Counter
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from houbao.engine.request import Accepted, Request
from houbao.settings import Settings
from houbao.wiring import House

DIED = 86
"""The exit code of a child that died where it was told to."""

Point = tuple[str, int]
"""A place that is passed, and for the how manieth time."""


class Plan(Struct):
    """`die_at`: where the process ends at once. `statements`: each SQL statement is a point too. `listen_at`: the
    webhooks are taken in at that point. `in_step`: say `ready` and wait for a line before beginning."""

    database: str
    provider: str
    requests: list[Request] = []
    until: datetime | None = None
    die_at: Point | None = None
    statements: bool = False
    listen_at: str = ""
    in_step: bool = False


class Report(Struct):
    """What came of a plan: how many commands were accepted and how many of them anew, the words of the others."""

    passed: list[Point] = []
    accepted: int = 0
    new: int = 0
    refused: list[str] = []
    troubles: list[str] = []


class Life:
    """One process's life."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.report = Report()
        self.times: Counter[str] = Counter()
        settings = Settings(database_url=f"sqlite:///{plan.database}", sandbox_provider=plan.provider)
        self.house = House(settings, probe=self.pass_by)
        if plan.statements:
            self.house.database.connection.set_trace_callback(lambda _: self.pass_by("statement"))

    def pass_by(self, name: str) -> None:
        self.times[name] += 1
        point = name, self.times[name]
        self.report.passed.append(point)
        if point == self.plan.die_at:
            os._exit(DIED)
        if name == self.plan.listen_at:
            self.house.listen()

    def live(self) -> Report:
        for request in self.plan.requests:
            (outcome,) = self.house.engine.execute([request])
            if isinstance(outcome, Accepted):
                self.report.accepted += 1
                self.report.new += not outcome.replayed
            else:
                self.report.refused.append(str(outcome))
        if self.plan.until:
            self.work(self.plan.until)
        return self.report

    def work(self, until: datetime) -> None:
        """All that falls due until then, whenever it does."""
        database = self.house.database
        while (wake := database.next_wake(0)) is not None and wake <= until:
            database.move_clock(0, wake)
            self.turn()
        database.move_clock(0, until)
        self.turn()

    def turn(self) -> None:
        self.house.listen()
        self.report.troubles += self.house.worker.run().troubles


def follow(path: Path) -> None:
    """Live by the plan and write the report."""
    life = Life(msgspec.json.decode(path.read_bytes(), type=Plan))
    if life.plan.in_step:
        print("ready", flush=True)
        sys.stdin.readline()
    path.with_suffix(".report").write_bytes(msgspec.json.encode(life.live()))
    life.house.close()


def nursery() -> None:
    """A child for each plan, one after the other."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                follow(Path(line.strip()))
            except BaseException:  # noqa: BLE001 - a forked child must not go on as a second nursery
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    follow(Path(sys.argv[1])) if sys.argv[1:] else nursery()
