"""`houbao import`: what a feed yields, into a database. Twice changes nothing: what is there is compared with
what the row says, and what may happen to an order more than once carries a key made from what is said."""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from msgspec import Struct, structs

from houbao.core import orders as o
from houbao.core.chargebacks import Chargeback
from houbao.core.fulfilment import happened
from houbao.core.placing import difference
from houbao.core.programme import RegisterStore
from houbao.core.terms import Actor, Refused, parse_id, tag_of
from houbao.engine.request import Accepted, Outcome, Request
from houbao.feeds.files import Ignored, Row
from houbao.feeds.order_format import Command, OrderEventDocument, event_of
from houbao.feeds.sold import SoldOrder
from houbao.store import bookings, queries
from houbao.store.rows import encode
from houbao.store.sqlite import SQLite
from houbao.wiring import House

BATCH = 1000
"""How many rows are taken in at once."""

MOST_STORES = 100_000
"""How many stores are remembered as known; the memory must not grow with the file."""

Fact = tuple[int, str, Command]
"""What is still to be said: of which row, under which name of its own, and the command."""

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
        self._say(self._place(sold, told) + self._events(said, there, sold, told), told)
        return told

    def _events(
        self,
        said: list[tuple[int, OrderEventDocument]],
        there: dict[tuple[str, str], o.Order],
        sold: dict[int, SoldOrder],
        told: list[Told],
    ) -> list[Fact]:
        """What events still have to say of their orders: of those that were there, or stand before them."""
        first: dict[tuple[str, str], int] = {}
        for at, order in sold.items():
            first.setdefault((order.place.store, order.place.reference), at)
        facts: list[Fact] = []
        for at, event in said:
            name = _name(event)
            before = first.get(name, at)
            known = there.get(name)
            try:
                if known:
                    facts += self._unsaid(at, [event_of(event, known.id, known.currency)], known, event.id)
                elif before < at and told[before].order:
                    fact = event_of(event, told[before].order, sold[before].place.currency)
                    if structs.replace(fact, order=0) in sold[before].facts:
                        self.known[tag_of(fact)] += 1
                    else:
                        facts.append((at, event.id, fact))
                else:
                    of = f" of store {event.store_id}" if event.store_id else ""
                    raise Refused("unknown_order", f"no order {event.order!r}{of}: it must stand before its events")
            except Refused as refused:
                told[at].refused = told[at].refused or refused.with_traceback(None)  # which would hold all of these
        return facts

    def _unsaid(self, at: int, facts: Iterable[Command], order: o.Order, name: str = "") -> list[Fact]:
        """Of some facts, those that the order does not say yet."""
        left: list[Fact] = []
        for fact in facts:
            if not isinstance(fact, Chargeback) and happened(order, fact):
                self.known[tag_of(fact)] += 1
            else:
                left.append((at, name, structs.replace(fact, order=order.id)))
        return left

    def _register(self, stores: Iterable[str]) -> None:
        """Make the stores known that are not yet; with a programme, those that are new join it in the same moment: an
        import that dies leaves no store that would never be enrolled. Of those that are known a moment later, since
        somebody else made them so, nothing is changed."""
        unremembered = [store for store in stores if store not in self.stores]
        if not unremembered:
            return
        with self.house.database.alone() as connection:
            there = {*bookings.known_stores(connection, 0, unremembered)}
        new = [
            RegisterStore(store=store, country=self.country, programme=self.programme)
            for store in unremembered
            if store not in there
        ]
        self.known.update("register_store" for _ in there)
        for outcome in self._send(new):
            if isinstance(outcome, Refused) and outcome.code == "store_exists":
                self.known["register_store"] += 1
                continue
            self._count("register_store", outcome, Told())
            if isinstance(outcome, Accepted) and self.programme:
                self.new["enrol"] += 1
        if len(self.stores) > MOST_STORES:
            self.stores.clear()
        self.stores.update(unremembered)

    def _there(self, names: set[tuple[str, str]]) -> dict[tuple[str, str], o.Order]:
        """Of the orders that events speak of, those that are there."""
        database = self.house.database
        by_id = {name: _by_id(database, name[1]) for name in names if not name[0]}
        if not names:
            return {}
        with database.alone() as connection:
            orders = queries.orders_by_references(connection, 0, names)
        return orders | {name: order for name, order in by_id.items() if order}

    def _place(self, sold: dict[int, SoldOrder], told: list[Told]) -> list[Fact]:
        """Place the orders with what has happened to them. What is left to say: of orders that were there, which must
        be as the row says, and of those that are placed without it, since something of it is refused."""
        whole = [structs.replace(order.place, facts=order.facts) for order in sold.values()]
        outcomes = dict(zip(sold, self._send(whole), strict=True))
        refused = {at: one for at, one in outcomes.items() if isinstance(one, Refused)}
        alone = [at for at, one in refused.items() if one.code != "order_exists" and sold[at].facts]
        outcomes |= zip(alone, self._send([sold[at].place for at in alone]), strict=True)
        again = {at for at, one in refused.items() if one.code == "order_exists"}
        with self.house.database.alone() as connection:
            names = {(sold[at].place.store, sold[at].place.reference) for at in again}
            there = queries.orders_by_references(connection, 0, names) if names else {}
        left: list[Fact] = []
        for at in again:
            place = sold[at].place
            known = there[place.store, place.reference]
            if differs := difference(known, place):
                said = f"store {place.store} has an order {place.reference} already, with another {differs}"
                outcomes[at] = Refused("order_exists", said, field=differs)
            else:
                outcomes[at] = Accepted(id=known.id, replayed=True)
        facts: list[o.Fact] = []
        for at, outcome in outcomes.items():
            self._count("place_order", outcome, told[at])
            if not isinstance(outcome, Accepted):
                continue
            told[at].order = outcome.id
            if at in alone:
                left += [(at, "", structs.replace(fact, order=outcome.id)) for fact in sold[at].facts]
            elif at in again:
                place = sold[at].place
                left += self._unsaid(at, sold[at].facts, there[place.store, place.reference])
            else:
                facts += sold[at].facts
        self.new.update(map(tag_of, facts))
        return left

    def _say(self, facts: list[Fact], told: list[Told]) -> None:
        """Say what happened, in the order of the rows; the first refusal of a row is told."""
        facts.sort(key=lambda fact: fact[0])
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

    def _send(self, commands: Sequence[o.PlaceOrder | RegisterStore]) -> list[Outcome]:
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


def _key(fact: Command, name: str) -> str:
    """The key of what happened: the order's number first, so that the keys of new orders stand together."""
    kind = tag_of(fact)
    if kind in ONCE:
        return f"{fact.order:012}:{kind}"
    digest = blake2b(encode(fact) + name.encode(), digest_size=12).hexdigest()
    return f"{fact.order:012}:{kind}:{digest}"
