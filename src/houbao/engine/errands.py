"""What every errand of the worker is run with: its part of the database, how commands are executed, the clock."""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from houbao.core.disputes import Dispute
from houbao.core.terms import Refused
from houbao.engine.ports import Database, Delivery, Probe
from houbao.engine.request import Accepted, Outcome, Request


class Errands(Struct):
    """One part, and how the worker acts on it. `execute` is the engine's or the writer's; a test may put another in its
    place, for all who share these errands."""

    database: Database
    execute: Callable[[list[Request]], list[Outcome]]
    clock: Callable[[], datetime]
    part: int
    probe: Probe

    def run(self, request: Request) -> Accepted:
        """Execute one command. Raises Refused."""
        (outcome,) = self.execute([request])
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    def dispute(self, number: int) -> Dispute:
        """A dispute as it stands. Raises Refused: unknown_dispute."""
        dispute = self.database.dispute(self.part, number)
        if dispute is None:
            raise Refused("unknown_dispute", f"no dispute {number}")
        return dispute

    def ended(self, detail: str = "", *, failed: bool = False) -> Delivery:
        """How an errand ended, now."""
        return Delivery("failed" if failed else "done", self.clock(), detail)
