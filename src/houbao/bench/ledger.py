"""ledger: what moves money, in lists of 1,000, beside the bare driver that writes the very rows of each list.

`through the store`: the ledger alone. Events of paid orders are given; what they do to the money is derived, the
transfers, balances and chained events are saved and committed, as the engine does it after deciding.
`paid orders`: the whole way of the commands that say so, with receipts, loading and deciding.
Each order makes three transfers: the payment, a commission and a premium into the fund.
"""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import structs

from houbao.bench.figures import Figure, Say, machine
from houbao.bench.market import NOW
from houbao.bench.replay import Recorded, Turns
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core.chain import link
from houbao.core.ledger import transfers
from houbao.core.policy_file import parse_policy
from houbao.core.subjects import Command
from houbao.core.terms import Actor
from houbao.engine.engine import Engine
from houbao.engine.ports import Batch, Written
from houbao.engine.request import Accepted, Request
from houbao.shipped import policy_text
from houbao.store import rows
from houbao.store.creating import create

BATCH = 1000
STORES = 1000
EACH = 3
"""Transfers of a paid order."""

PLATFORM = Actor("platform", "bench")
DAY = timedelta(days=1)


class Money:
    """A database in premium mode with stores, and the commands that place and pay their orders."""

    def __init__(self, path: Path, stores: int = STORES) -> None:
        launched = NOW - 400 * DAY
        policy = policy_text()
        policies = ((launched, parse_policy(policy).version),)
        programme = p.Programme(
            name="standard", currency="EUR", launched_at=launched, policies=policies, mode="premium"
        )
        create(path, policy=policy, programme=programme, sandbox_clock=NOW)
        self.database = Recorded(path)
        self.engine = Engine(self.database, lambda: NOW)
        self.stores = [f"store-{number:04}" for number in range(stores)]
        self.do([p.RegisterStore(store=store) for store in self.stores])
        self.do([p.Enrol(store=store, programme="standard", at=launched) for store in self.stores])

    def do(self, commands: list[Command]) -> list[int]:
        """Say all of it in one list; every one must be accepted."""
        return self.say([Request(command, PLATFORM, NOW) for command in commands])

    def say(self, requests: list[Request]) -> list[int]:
        """The same of requests."""
        outcomes = self.engine.execute(requests)
        accepted = [one for one in outcomes if isinstance(one, Accepted)]
        assert len(accepted) == len(requests), next(one for one in outcomes if not isinstance(one, Accepted))
        return [one.id for one in accepted]

    def place(self, first: int, count: int) -> list[Command]:
        """Place so many orders; returns the commands that say that they are paid."""
        places: list[Command] = [
            o.PlaceOrder(
                store=self.stores[number * 7919 % len(self.stores)],
                reference=f"o-{number}",
                buyer=f"buyer-{number}",
                currency="EUR",
                lines=(o.NewLine(id="1", item=8200),),
                payments=(o.Payment(id="card", provider="sandbox", minor=8200),),
                ship_by=NOW + 3 * DAY,
                promised_by=NOW + 9 * DAY,
                at=NOW - DAY,
            )
            for number in range(first, first + count)
        ]
        return [o.Paid(order=number, at=NOW, commission=820) for number in self.do(places)]


def measure(transfers: int, say: Say) -> list[Figure]:
    """The figures of about that many transfers."""
    orders = max(1, transfers // EACH)
    say(f"ledger: {EACH * orders:,} transfers in lists of {BATCH:,} orders, and the bare rows of each list in turn")
    return [_through_the_store(orders, say), _whole(orders, say)]


def _through_the_store(orders: int, say: Say) -> Figure:
    with TemporaryDirectory(prefix="houbao-bench-") as folder:
        money = Money(Path(folder) / "ledger.db")
        turns = Turns(money.database)
        for first, count in _lists(orders):
            paid = [_paid(money, number) for number in range(first, first + count)]
            turns.start()
            _book(money.database, paid)
            turns.next()
        return _figure("through the store", orders, money, turns, say)


def _paid(money: Money, number: int) -> o.OrderPaid:
    return o.OrderPaid(
        at=NOW,
        by=str(PLATFORM),
        store=money.stores[number * 7919 % len(money.stores)],
        order=number + 1,
        currency="EUR",
        payments=(o.Payment(id="card", provider="sandbox", minor=8200),),
        commission=820,
        premium=82,
        coverage=p.Coverage(),
    )


def _book(database: Recorded, events: list[o.OrderPaid]) -> None:
    """What the engine does with events that were decided."""
    head = database.lock_part(0)
    position, chain = head.position, head.chain
    written: list[Written] = []
    for event in events:
        position += 1
        body = rows.encode(event)
        chain = link(chain, position, body)
        written.append(Written(position, None, body, chain, transfers(event), []))
    database.save(0, Batch(structs.replace(head, position=position, chain=chain, booked_at=NOW), events=written))
    database.commit()


def _whole(orders: int, say: Say) -> Figure:
    with TemporaryDirectory(prefix="houbao-bench-") as folder:
        money = Money(Path(folder) / "ledger.db")
        lists = [money.place(first, count) for first, count in _lists(orders)]
        turns = Turns(money.database)
        for number, commands in enumerate(lists):
            requests = [Request(command, PLATFORM, NOW, f"{number}-{n}") for n, command in enumerate(commands)]
            turns.start()
            money.say(requests)
            turns.next()
        return _figure("paid orders", orders, money, turns, say)


def _lists(orders: int) -> list[tuple[int, int]]:
    """(first, count) of each list."""
    return [(first, min(BATCH, orders - first)) for first in range(0, orders, BATCH)]


def _figure(name: str, orders: int, money: Money, turns: Turns, say: Say) -> Figure:
    turns.close()
    (moved,) = money.database.connection.execute("SELECT count(*) FROM transfers").fetchone()
    money.database.close()
    assert moved == EACH * orders
    figure = Figure(
        scenario="ledger",
        of=name,
        value=round(moved / turns.engine, 1),
        unit="transfers/s",
        limit=round(moved / turns.bare, 1),
        ratio=round(turns.bare / turns.engine, 3),
        command=f"houbao bench ledger --transfers {moved}",
        machine=machine(),
        rows_per_second=round(turns.rows / turns.engine, 1),
    )
    say(f"  {name}: {figure.value:,.0f} transfers/s, bare {figure.limit:,.0f}, ratio {figure.ratio:.2f}")
    return figure
