"""`houbao import`: what a feed yields, into a database. Twice changes nothing: an order that is there is compared with
what the row says, and what happened to it carries a key made from the order's number and what is said."""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from msgspec import Struct, structs

from houbao.core import orders as o
from houbao.core.placing import difference
from houbao.core.programme import Enrol, RegisterStore
from houbao.core.terms import Actor, Refused, parse_id, tag_of
from houbao.engine.ports import Accepted, Outcome, Request
from houbao.feeds.files import Ignored, Row
from houbao.feeds.order_format import Command, OrderEventDocument, event_of
from houbao.feeds.sold import SoldOrder
from houbao.store import queries
from houbao.store.rows import encode
from houbao.store.sqlite import SQLite
from houbao.wiring import House

BATCH = 1000
"""How many rows are taken in at once."""

MOST_STORES = 100_000
"""How many stores are remembered as known; the memory must not grow with the file."""

PLATFORM = Actor("platform", "import")
ONCE = ("paid", "shipped", "delivered", "confirmed", "confirmation_timed_out", "cancelled")
"""What happens to an order once; anything else may be said again, and then differs in what it says."""


class Told(Struct):
    """What became of a row: `new` where it changed something; `order` is its number where it was placed."""

    new: bool = False
    order: int = 0
    refused: Refused | None = None
    ignored: str = ""


class Job:
    """Rows on their way into one database. `new`, `known` and `refused` count commands."""

    def __init__(self, house: House, programme: str = "", country: str = "") -> None:
        if programme and not queries.has_programme(house.database.connection, programme):
            raise Refused("unknown_programme", f"no programme {programme!r}: nothing was imported")
        self.house = house
        self.programme = programme
        self.country = country
        self.stores: set[str] = set()
        self.new: Counter[str] = Counter()
        self.known: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def take(self, rows: Sequence[Row]) -> list[Told]:
        """Take in some rows, each as if those before it had been taken in before."""
        told = [_told(row) for row in rows]
        sold = {at: row.said for at, row in enumerate(rows) if isinstance(row.said, SoldOrder)}
        said = [(at, event) for at, row in enumerate(rows) if isinstance(row.said, tuple) for event in row.said]
        self._register(dict.fromkeys(order.place.store for order in sold.values()))
        there = self._there({_name(event) for _, event in said})
        self._place(sold, told)
        first: dict[tuple[str, str], int] = {}
        for at, order in sold.items():
            first.setdefault((order.place.store, order.place.reference), at)
        facts: list[tuple[int, str, Command]] = [
            (at, "", structs.replace(fact, order=told[at].order))
            for at, order in sold.items()
            if told[at].order
            for fact in order.facts
        ]
        for at, event in said:
            name = _name(event)
            before = first.get(name, at)
            if name not in there and before < at and told[before].order:
                there[name] = (told[before].order, sold[before].place.currency)
            try:
                facts.append((at, event.id, _fact(event, there.get(name))))
            except Refused as refused:
                told[at].refused = told[at].refused or refused
        facts.sort(key=lambda fact: fact[0])
        self._report(facts, told)
        return told

    def _register(self, stores: Iterable[str]) -> None:
        """Make the stores known that are not yet; with a programme, enrol those that are new."""
        unknown = [store for store in stores if store not in self.stores]
        outcomes = self._send([RegisterStore(store=store, country=self.country) for store in unknown])
        new = []
        for store, outcome in zip(unknown, outcomes, strict=True):
            if isinstance(outcome, Accepted):
                new.append(store)
                self.new["register_store"] += 1
            elif outcome.code == "store_exists":
                self.known["register_store"] += 1
            else:
                self.refused[f"register_store: {outcome.code}"] += 1
        if self.programme and new:
            now = self.house.clock()
            self._send([Enrol(store=store, programme=self.programme, at=now) for store in new])
            self.new["enrol"] += len(new)
        if len(self.stores) > MOST_STORES:
            self.stores.clear()
        self.stores.update(unknown)

    def _there(self, names: set[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, str]]:
        """Of the orders that events speak of, those that are there: number and currency."""
        database = self.house.database
        found = {}
        for store, order in names:
            if not store and (known := _by_id(database, order)):
                found[store, order] = (known.id, known.currency)
        if not names:
            return found
        with database.alone() as connection:
            orders = queries.orders_by_references(connection, 0, names)
        return found | {name: (order.id, order.currency) for name, order in orders.items()}

    def _place(self, sold: dict[int, SoldOrder], told: list[Told]) -> None:
        """Place the orders; one that is there already must be as the row says."""
        outcomes = dict(zip(sold, self._send([order.place for order in sold.values()]), strict=True))
        again = [
            at for at, outcome in outcomes.items() if isinstance(outcome, Refused) and outcome.code == "order_exists"
        ]
        with self.house.database.alone() as connection:
            names = {(sold[at].place.store, sold[at].place.reference) for at in again}
            there = queries.orders_by_references(connection, 0, names) if names else {}
        for at in again:
            place = sold[at].place
            known = there[place.store, place.reference]
            differs = difference(known, place)
            if differs:
                said = f"store {place.store} has an order {place.reference} already, with another {differs}"
                outcomes[at] = Refused("order_exists", said, field=differs)
            else:
                outcomes[at] = Accepted(id=known.id, replayed=True)
        for at, outcome in outcomes.items():
            self._count("place_order", outcome, told[at])
            if isinstance(outcome, Accepted):
                told[at].order = outcome.id

    def _report(self, facts: list[tuple[int, str, Command]], told: list[Told]) -> None:
        """Report what happened; the first refusal of a row is told."""
        now = self.house.clock()
        requests = [Request(fact, PLATFORM, now, _key(fact, name)) for _, name, fact in facts]
        outcomes = self.house.engine.execute(requests)
        for (at, _, fact), outcome in zip(facts, outcomes, strict=True):
            self._count(tag_of(fact), outcome, told[at])

    def _count(self, name: str, outcome: Outcome, told: Told) -> None:
        if isinstance(outcome, Refused):
            self.refused[f"{name}: {outcome.code}"] += 1
            told.refused = told.refused or outcome
        elif outcome.replayed:
            self.known[name] += 1
        else:
            self.new[name] += 1
            told.new = True

    def _send(self, commands: Sequence[o.PlaceOrder | RegisterStore | Enrol]) -> list[Outcome]:
        """Execute commands that change nothing where they were executed before, without receipts for them."""
        now = self.house.clock()
        return self.house.engine.execute([Request(command, PLATFORM, now) for command in commands])


def _told(row: Row) -> Told:
    match row.said:
        case Refused():
            return Told(refused=row.said)
        case Ignored():
            return Told(ignored=row.said.rule)
        case _:
            return Told()


def _name(event: OrderEventDocument) -> tuple[str, str]:
    return (event.store_id, event.order)


def _by_id(database: SQLite, order: str) -> o.Order | None:
    try:
        return database.order(*parse_id("order", order))
    except Refused:
        return None


def _fact(event: OrderEventDocument, order: tuple[int, str] | None) -> Command:
    """The event as a command. Raises Refused: unknown_order, bad_currency."""
    if order is None:
        of = f" of store {event.store_id}" if event.store_id else ""
        raise Refused("unknown_order", f"no order {event.order!r}{of}: it must stand before what happened to it")
    return event_of(event, *order)


def _key(fact: Command, name: str) -> str:
    """The key of what happened: the order's number first, so that the keys of new orders stand together."""
    kind = tag_of(fact)
    if kind in ONCE:
        return f"{fact.order:012}:{kind}"
    digest = blake2b(encode(fact) + name.encode(), digest_size=12).hexdigest()
    return f"{fact.order:012}:{kind}:{digest}"
