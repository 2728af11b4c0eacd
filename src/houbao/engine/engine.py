"""The one write path: lock the part, read all, decide each in turn, save all, commit.

Law: `execute([a, b])` ≡ `execute([a]); execute([b])`. A refusal costs nothing, since nothing has been written; only
accepted commands leave a receipt. If a row is refused by the database, the batch's commands run one by one.
"""

import gc
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import RLock
from time import perf_counter

import msgspec

from houbao.core import disputes as d
from houbao.core import refunds as r
from houbao.core.rulings import Ruling, assess
from houbao.core.terms import Refused
from houbao.engine.deciding import Work, asked_of
from houbao.engine.needs import needs_of
from houbao.engine.ports import Database, Head, Probe, SaveFailed
from houbao.engine.request import Outcome, Preview, Request

LARGEST_BATCH = 1000


class Engine:
    """Executes commands on one part of one database, one batch at a time. `seconds_deciding` is what the last batch
    took to decide, without reading, saving and committing."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        part: int = 0,
        probe: Probe = lambda point: None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.part = part
        self.probe = probe
        self.seconds_deciding = 0.0
        self._one_at_a_time = RLock()

    def execute(self, requests: Sequence[Request]) -> list[Outcome]:
        """One outcome per request, in order. Accepted ones are durable when this returns."""
        outcomes: list[Outcome] = []
        with self._one_at_a_time, _no_collector():
            for batch in _batches(requests):
                outcomes += self._execute(batch)
        return outcomes

    def preview(self, request: Request) -> Preview:
        """What the command would do now (`dry_run`): the path of `execute` as far as saving, without the lock, and
        nothing is saved.

        Raises Refused as the command would be."""
        with self._one_at_a_time:
            try:
                work, (outcome,) = self._decided([request], self.database.look_at_part)
            finally:
                self.database.rollback()
        if isinstance(outcome, Refused):
            raise outcome
        return work.preview(outcome)

    def explain(self, request: Request) -> Ruling:
        """What the policy says of a claim before it is opened (R3): the same path as opening, nothing saved.

        Raises Refused as opening would. `request.command` is an OpenDispute."""
        preview = self.preview(msgspec.structs.replace(request, key=""))
        opened, *more = [
            event for event in preview.events if isinstance(event, d.DisputeOpened) and not event.excess_of
        ]
        if more:
            raise Refused("split_lines", "these lines go different ways, as several disputes: ask about each alone")
        rules = self.database.compiled(opened.rules or opened.policy, opened.currency)
        assert rules is not None
        return assess(rules, opened.facts)

    def _execute(self, requests: Sequence[Request]) -> list[Outcome]:
        try:
            return self._transaction(requests)
        except SaveFailed as failed:
            if len(requests) == 1:
                return [Refused("not_saved", f"the database refused a row: {failed}; nothing was written")]
            return [outcome for request in requests for outcome in self._execute([request])]

    def _transaction(self, requests: Sequence[Request]) -> list[Outcome]:
        try:
            work, outcomes = self._decided(requests, self.database.lock_part)
            if work.batch.events:
                self.database.save(self.part, work.finish())
                self.probe("batch.saved")
                self.database.commit()
            else:
                self.database.rollback()
        except BaseException:
            self.database.rollback()
            raise
        self.probe("batch.committed")
        return outcomes

    def _decided(self, requests: Sequence[Request], begin: Callable[[int], Head]) -> tuple[Work, list[Outcome]]:
        """Begin, read all, decide each in turn; the transaction is left open, with nothing written yet."""
        database, part = self.database, self.part
        head = begin(part)
        self.probe("batch.locked")
        asked = [asked_of(request) for request in requests]
        sound = [one for one in asked if one.content]
        keys = [one.name for one in sound if one.name[1]]
        receipts = database.receipts(part, keys) if keys else {}
        loaded = database.load(part, needs_of([one.request for one in sound]))
        self.probe("batch.loaded")
        work = Work(database, head, loaded, receipts, self.clock(), _salts(len(asked)))
        started = perf_counter()
        outcomes = [work.run(one) for one in asked]
        self.seconds_deciding = perf_counter() - started
        self.probe("batch.decided")
        return work, outcomes


@contextmanager
def _no_collector() -> Generator[None]:
    """Keep the cycle collector from walking the heap in the middle of batches: their records form no cycles and are
    freed by count, and its walks cost a tenth of the write rate and more as the heap grows."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _salts(count: int) -> list[bytes]:
    """Random keys, drawn at once: a call of the system for each takes longer than to use it."""
    random = os.urandom(16 * count)
    return [random[at : at + 16] for at in range(0, 16 * count, 16)]


def _batches(requests: Sequence[Request]) -> list[Sequence[Request]]:
    """Batches of at most LARGEST_BATCH; a command that reads the queue of waiting refunds runs alone, so that it sees
    what all before it left."""
    batches: list[Sequence[Request]] = []
    start = 0
    for at, request in enumerate(requests):
        alone = isinstance(request.command, r.ServeWaiting)
        if alone or at - start == LARGEST_BATCH:
            batches.append(requests[start:at])
            start = at
        if alone:
            batches.append(requests[at : at + 1])
            start = at + 1
    batches.append(requests[start:])
    return [batch for batch in batches if batch]
