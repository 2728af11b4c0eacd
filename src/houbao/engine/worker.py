"""The worker: lets deadlines pass, does what the outbox says, and reports back with commands.

1. Sweep: every timer that is due by the horizon becomes a `pass_time` command.
2. Outbox: claim what is due under a lease, act, report, and only then finish it. A crash anywhere leaves the row, and
   the lease ends. The cashier pays, the postman writes.
3. Statements: what was booked is filed by store, so that a page of a statement is found at once.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from houbao.core.disputes import PassTime
from houbao.core.programme import AssessStore
from houbao.core.terms import SYSTEM, Refused
from houbao.engine.cashier import Cashier
from houbao.engine.errands import Errands
from houbao.engine.outside import Notifier, RefundProvider
from houbao.engine.ports import Database, Delivery, Probe, Task
from houbao.engine.postman import Postman
from houbao.engine.request import Accepted, Outcome, Request

LEASE = timedelta(minutes=5)
MOST_DUE = 1000
AT_A_TIME = timedelta(hours=1)
"""A sweep's piece of time: no deadline sets another one that is sooner, as policies go."""
ASSESSED_OVER = timedelta(days=30)
ASSESSED_EVERY = timedelta(days=1)
FILED_FROM, FILED_AT_ONCE = 5_000, 20_000
"""Of how many events the stores' statements are filed at once: few enough that neither a reader of what is not filed
yet nor a writer that waits for the transaction notices it."""
MOST_TASKS = 5
"""Claimed at once: few enough that all of them, timing out at every step, end within the lease."""
BACKOFF = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 360, 1440))
"""Waits between tries of one effect, the last one repeated."""


class Done(Struct):
    """What one run did, and to which disputes. `troubles` are unexpected errors, each with the effect that stays in the
    outbox for it."""

    deadlines: int = 0
    effects: int = 0
    touched: set[int] = set()
    troubles: list[str] = []


class Worker:
    """Serves one part. `execute` is the engine's or the writer's; `horizon` says how far a sweep may go."""

    def __init__(
        self,
        database: Database,
        execute: Callable[[list[Request]], list[Outcome]],
        clock: Callable[[], datetime],
        *,
        providers: Mapping[str, RefundProvider],
        notifier: Notifier,
        alerts_to: str = "",
        console: str = "",
        horizon: Callable[[datetime], datetime] = lambda now: now,
        part: int = 0,
        probe: Probe = lambda point: None,
    ) -> None:
        self.errands = Errands(database, execute, clock, part, probe)
        self.cashier = Cashier(self.errands, providers)
        self.postman = Postman(self.errands, notifier, alerts_to, console)
        self.horizon = horizon
        self._moved_to: dict[int, int] = {}
        self._not_moved: dict[int, Refused] = {}

    def run(self) -> Done:
        """Do everything that is due now, and what that leads to, until nothing is."""
        done = Done()
        while True:
            swept, acted = self.sweep(done), self.serve(done)
            if not swept and not acted:
                self.file()
                return done

    def file(self) -> None:
        """File the stores' statements, once enough came together for a long sorted run."""
        while self.errands.database.file(self.errands.part, FILED_FROM, FILED_AT_ONCE):
            pass

    # --- deadlines -------------------------------------------------------------------------------------------------

    def sweep(self, done: Done) -> int:
        """Let what is due by the horizon happen, the earliest first; returns how many deadlines passed. A late sweep
        goes through the time that was missed piece by piece, since a deadline may set another one that comes before
        those of other disputes, and who comes first is served first."""
        now = self.horizon(self.errands.clock())
        moved = 0
        after: tuple[datetime, int] | None = None  # what does not pass keeps nobody else: it is tried the next time
        while due := self.errands.database.due(self.errands.part, now, MOST_DUE, after):
            end = due[0][0] + AT_A_TIME
            piece = dict.fromkeys((at, dispute) for at, dispute in due if at <= end)
            requests = [Request(PassTime(dispute=dispute, until=at), SYSTEM, now) for at, dispute in piece]
            outcomes = self.errands.execute(requests)
            done.touched.update(dispute for _, dispute in piece)
            passed = sum(isinstance(outcome, Accepted) and outcome.first > 0 for outcome in outcomes)
            stuck = [str(outcome) for outcome in outcomes if isinstance(outcome, Refused)]
            moved += passed
            done.troubles += stuck
            if stuck or not passed:
                after = [*piece][-1]
        done.deadlines += moved
        return moved

    def move_due_times(self, outage: int) -> int:
        """Move the due times of the next disputes that were there when the outages at position `outage` were entered;
        returns how many were looked at, 0 when none is left. Who asks about a dispute sees them moved in any case: this
        is for lists. Stopped and begun anew, it passes over what it has moved before; so it does after it raised
        Refused at the end, since one of them could not be moved for now."""
        after = self._moved_to.pop(outage, 0)
        disputes = self.errands.database.unmoved(self.errands.part, outage, after, MOST_DUE)
        if not disputes:
            if refused := self._not_moved.pop(outage, None):
                raise refused
            return 0
        now = self.horizon(self.errands.clock())
        outcomes = self.errands.execute([Request(PassTime(dispute=dispute), SYSTEM, now) for dispute in disputes])
        for outcome in outcomes:
            if isinstance(outcome, Refused):
                self._not_moved[outage] = outcome
        self._moved_to[outage] = disputes[-1]
        return len(disputes)

    def assess(self, done: Done) -> int:
        """Look at the stores that might buy from themselves, and have those watched that pass the policy's limits: once
        a day, and again where `done` tells of trouble. Returns of how many something new was found."""
        now, new = self.errands.clock(), 0
        found = self.errands.database.standings(self.errands.part, now - ASSESSED_OVER, now)
        requests = [
            Request(AssessStore(store=store, standing=standing), SYSTEM, now) for store, standing in found.items()
        ]
        for start in range(0, len(requests), MOST_DUE):
            outcomes = self.errands.execute(requests[start : start + MOST_DUE])
            new += sum(isinstance(outcome, Accepted) and outcome.first > 0 for outcome in outcomes)
            done.troubles += [str(outcome) for outcome in outcomes if isinstance(outcome, Refused)]
        return new

    # --- the outbox ------------------------------------------------------------------------------------------------

    def serve(self, done: Done) -> int:
        """Do the effects that are due; returns how many were ended or moved on."""
        tasks = self.errands.database.claim(self.errands.part, self.errands.clock(), LEASE, MOST_TASKS)
        ended: list[tuple[Task, Delivery | datetime]] = []
        for task in tasks:
            self.errands.probe("task.claimed")
            if task.effect.dispute:
                done.touched.add(task.effect.dispute)
            try:
                delivery = self._act(task)
            except Exception as trouble:  # noqa: BLE001 - one bad task must not stop the rest; it stays and is shown
                done.troubles.append(f"{task.effect.kind} of event {task.position}: {trouble!r}")
                delivery = None
            again = self.errands.clock() + BACKOFF[min(task.tries, len(BACKOFF)) - 1]
            ended.append((task, delivery or again))
            self.errands.probe("task.done")
        if ended:
            self.errands.database.settle(self.errands.part, ended)
            self.errands.probe("tasks.settled")
        done.effects += len(tasks)
        return len(tasks)

    def _act(self, task: Task) -> Delivery | datetime | None:
        """Do one effect: how it ended, or when to go on with it; None to try again later."""
        match task.effect.kind:
            case "refund":
                return self.cashier.refund(task.effect)
            case "lookup":
                return self.cashier.look_up(task.effect)
            case "notice":
                return self.postman.notice(task)
            case "serve":
                return self.cashier.serve_waiting(task.effect)
            case "outage":
                # A thousand at a time, so that refunds and mail are not kept waiting by many.
                return self.errands.clock() if self.move_due_times(task.effect.about) else self.errands.ended()
            case "watch":
                return self.postman.tell_of_watch(task)
            case _:
                return self.postman.mail(task)
