"""`houbao watch STORE`: whether a store is watched, since when, why, and what was found of it; `--lift` ends it."""

from msgspec import Struct

from houbao.core.money import decimal
from houbao.core.programme import LiftWatch, Standing, Watch
from houbao.core.terms import Actor, Refused
from houbao.engine.request import Request
from houbao.wiring import House


class Seen(Struct):
    """A store as those see it who watch it."""

    store: str
    watch: Watch | None
    standing: Standing | None

    def told(self) -> list[str]:
        """It as lines of text."""
        watch, found = self.watch, self.standing
        said = f"watched since {watch.since:%Y-%m-%d %H:%M} UTC, by {watch.by}: {watch.why}" if watch else "not watched"
        lines = [f"store {self.store}: {said}"]
        if found:
            paid = f"{decimal(found.exposure, found.currency)} {found.currency}" if found.currency else "nothing"
            shares = ", ".join(f"{buyer} {share / 10:.1f} %" for buyer, share in found.buyers) or "nobody a tenth"
            lines += [
                f"  found on {found.at:%Y-%m-%d}, over 30 days: {found.disputes} disputes, the fund paid {paid}",
                f"  of the disputes: {shares}; shared: {', '.join(found.shared) or 'nothing'}",
                f"  {found.completed} completed orders",
            ]
        return lines


def watched(house: House, store: str, *, lift: bool) -> Seen:
    """The store as it is, or after its watch was lifted. Raises Refused as that does, CommandFailed for no store."""
    if lift:
        request = Request(LiftWatch(store=store), Actor("admin", "command-line"), house.clock())
        (outcome,) = house.engine.execute([request])
        if isinstance(outcome, Refused):
            raise outcome
    found = house.database.store(0, store)
    if found is None:
        raise Refused("unknown_store", f"no store {store!r}: register it first")
    return Seen(store, found.watch, found.standing)
