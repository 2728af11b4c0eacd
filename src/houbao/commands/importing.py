"""`houbao import`: orders from a feed into a database. Every command carries a key made from what it says, so that
importing twice changes nothing and a stopped import is simply run again."""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from msgspec import Struct, structs

from houbao.core.decider import Command
from houbao.core.programme import Enrol, RegisterStore
from houbao.core.terms import Actor, Refused, tag_of
from houbao.engine.ports import Accepted, Outcome, Request
from houbao.feeds.olist import Summary, read
from houbao.feeds.sold import SoldOrder
from houbao.store import queries
from houbao.wiring import House

BATCH = 1000
PLATFORM = Actor("platform", "import")


class Imported(Struct):
    """What became of the input: each table's rows, and each command's outcome."""

    tables: Summary
    new: dict[str, int]
    known: dict[str, int]
    refused: dict[str, int]

    def told(self) -> list[str]:
        """The summary as lines of text."""
        lines = ["Input rows"]
        for name, table in self.tables.tables.items():
            skipped = ", ".join(f"{reason} {n:,}" for reason, n in table.skipped.items()) or "none"
            lines.append(f"  {name:<40} {table.rows:>8,} read, {table.used:>8,} used; skipped: {skipped}")
        lines.append("Repaired (docs/how-to/import-olist.md says how): " + _counts(self.tables.repaired))
        lines.append("New: " + _counts(self.new))
        lines.append("Known already: " + _counts(self.known))
        lines.append("Refused: " + _counts(self.refused))
        return lines


def import_olist(house: House, folder: Path, programme: str) -> Imported:
    """Bring in the published Olist tables. With a `programme`, stores that are new are enrolled in it from now on.

    Raises OlistError for a missing file or column."""
    if programme and not queries.has_programme(house.database.connection, programme):
        raise Refused("unknown_programme", f"no programme {programme!r}: nothing was imported")
    sold, tables = read(folder)
    job = _Job(house)
    stores = dict.fromkeys(order.place.store for order in sold)
    now = house.clock()
    registered = job.send([(f"store:{_digest(store)}", RegisterStore(store=store, country="BR")) for store in stores])
    if programme:
        new = [store for store, outcome in zip(stores, registered, strict=True) if _is_new(outcome)]
        job.send([(f"enrol:{_digest(store)}", Enrol(store=store, programme=programme, at=now)) for store in new])
    for start in range(0, len(sold), BATCH):
        _import_orders(job, sold[start : start + BATCH])
    return Imported(tables, dict(job.new), dict(job.known), dict(job.refused))


def _import_orders(job: "_Job", orders: list[SoldOrder]) -> None:
    names = [_digest(order.place.store, order.place.reference) for order in orders]
    placed = job.send([(f"place:{name}", order.place) for name, order in zip(names, orders, strict=True)])
    numbers = [
        (outcome.id, name, order)
        for outcome, name, order in zip(placed, names, orders, strict=True)
        if isinstance(outcome, Accepted)
    ]
    job.send(
        [
            (f"{tag_of(fact)}:{name}", structs.replace(fact, order=number))
            for number, name, order in numbers
            for fact in order.facts
        ]
    )


class _Job:
    def __init__(self, house: House) -> None:
        self.house = house
        self.new: Counter[str] = Counter()
        self.known: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def send(self, commands: Sequence[tuple[str, Command]]) -> list[Outcome]:
        now = self.house.clock()
        requests = [Request(command, PLATFORM, now, key) for key, command in commands]
        outcomes = self.house.engine.execute(requests)
        for (_, command), outcome in zip(commands, outcomes, strict=True):
            name = tag_of(command)
            if isinstance(outcome, Refused):
                self.refused[f"{name}: {outcome.code}"] += 1
            else:
                (self.known if outcome.replayed else self.new)[name] += 1
        return outcomes


def _is_new(outcome: Outcome) -> bool:
    return isinstance(outcome, Accepted) and not outcome.replayed


def _digest(*names: str) -> str:
    return blake2b("\0".join(names).encode(), digest_size=16).hexdigest()


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counts.items()) or "none"
