"""One order and its disputes in memory: the rules alone, without a database, an engine or a worker.

Amounts are decimal texts in EUR; times are relative to T, a Wednesday noon.
"""

from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from msgspec import structs

from given import AGENT, BUYER, DAY, FINANCE, MAIL, PLATFORM, PROVIDER, SELLER, T, eur, opening
from houbao.core import disputes as d
from houbao.core import money
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core.accounts import AVAILABLE
from houbao.core.decider import Decision, decide
from houbao.core.exchange import Rate
from houbao.core.fund import MoveCash, PayDeposit, Repay, TopUp
from houbao.core.ledger import Transfer
from houbao.core.outages import EnterOutage
from houbao.core.policy_file import parse_policy
from houbao.core.refunds import RefundSent, ReportRefund, ResolveRefund, SendRefund, ServeWaiting
from houbao.core.rulings import Compiled, compile_policy
from houbao.core.scene import Purse
from houbao.core.terms import SYSTEM, Actor, Refused
from houbao.core.world import Event, World
from houbao.shipped import policy_text

ACTORS = {
    "buyer": BUYER,
    "seller": SELLER,
    "agent": AGENT,
    "finance": FINANCE,
    "admin": Actor("admin", "eve"),
    "platform": PLATFORM,
    "provider": PROVIDER,
    "mail": MAIL,
    "system": SYSTEM,
}
"""Somebody of every role; the buyer and the seller are the order's own."""


@cache
def compiled(text: str, currency: str = "EUR") -> Compiled:
    """A policy made ready for a currency."""
    return compile_policy(parse_policy(text), currency)


class Desk:
    """A store `oak`, enrolled unless told otherwise, with one order that was paid and delivered; a fund of 1,000.00.

    `dispute` is the first one opened on it; `events`, `transfers` and `effects` are all that happened, in order.
    """

    def __init__(
        self,
        amount: str = "40.00",
        *,
        covered: bool = True,
        fund: str = "1000.00",
        delivered: bool = True,
        commission: str = "0",
        deposit: str = "0",
        lines: tuple[o.NewLine, ...] = (),
        payments: tuple[o.Payment, ...] = (),
        policy: str = "",
        queue: int = 0,
        country: str = "",
        currency: str = "EUR",
        rates: tuple[Rate, ...] = (),
        **programme: Any,
    ) -> None:
        self.now = T
        self.events: list[Event] = []
        self.transfers: list[Transfer] = []
        self.effects: list[Any] = []
        self.dispute = 0
        since = T - 100 * DAY
        rules = compiled(policy or policy_text(), currency)
        standard = p.Programme(
            name="standard", currency="EUR", launched_at=since, policies=((since, "2026.1"),), **programme
        )
        purse = Purse(queue=queue)
        self.world = World(position=0, programme=standard, rules=rules, policy=rules, purse=purse, rates=rates)
        self.balances: Counter[str] = Counter()
        self.do(p.RegisterStore(store="oak", country=country), PLATFORM)
        if covered:
            self.do(p.Enrol(store="oak", programme="standard", at=T - 90 * DAY), PLATFORM)
        if eur(fund):
            self.top_up(fund)
        if eur(deposit):
            self.pay_deposit(deposit)
        paid, minor = T - 10 * DAY, eur(amount)
        place = o.PlaceOrder(
            store="oak",
            reference="order-1",
            buyer="ann",
            currency=currency,
            lines=lines or (o.NewLine(id="1", item=minor),),
            payments=payments or (o.Payment(id="card", provider="sandbox", minor=minor),),
            ship_by=paid + 3 * DAY,
            promised_by=T - DAY,
            at=paid - timedelta(hours=1),
        )
        self.do(place, PLATFORM)
        order = self.world.position
        self.do(o.Paid(order=order, at=paid, commission=eur(commission)), PLATFORM)
        self.do(o.Shipped(order=order, at=paid + DAY), PLATFORM)
        if delivered:
            self.do(o.Delivered(order=order, at=T - DAY), PLATFORM)

    # --- saying what happens ---------------------------------------------------------------------------------------

    def do(self, command: Any, by: Actor, *, at: datetime | None = None) -> Decision:
        """What `command`, received now (or at `at`), leads to; Refused where it may not happen."""
        decision = decide(self._seen(command), command, by, at or self.now)
        self.world = structs.replace(
            self.world,
            position=decision.world.position,
            store=decision.world.store or self.world.store,
            order=decision.world.order or self.world.order,
            disputes={**self.world.disputes, **decision.world.disputes},
            purse=decision.world.purse,
            outages=decision.world.outages,
            breakers=decision.world.breakers,
        )
        self.events += decision.events
        for t in (t for one in decision.consequences for t in one.transfers):
            self.transfers.append(t)
            self.balances[t.source] -= t.minor
            self.balances[t.target] += t.minor
        self.effects += [e for one in decision.consequences for e in one.effects]
        return decision

    def refuse(self, command: Any, by: Actor, *, at: datetime | None = None) -> Refused:
        """Send one command that must be refused, and must leave everything as it was."""
        before = self.contents()
        try:
            self.do(command, by, at=at)
        except Refused as refused:
            assert self.contents() == before
            return refused
        raise AssertionError(f"{command} of {by} was accepted")

    def _seen(self, command: Any) -> World:
        """What the engine would show to that command."""
        match command:
            case TopUp() | PayDeposit() | MoveCash() | Repay() | EnterOutage():
                return structs.replace(self.world, disputes={})
            case ServeWaiting():
                waits = {n: [refund.waits for refund in x.refunds] for n, x in self.world.disputes.items()}
                waiting = {n: x for n, x in self.world.disputes.items() if command.account in waits[n]}
                return structs.replace(self.world, disputes=waiting)
            case _:
                return self.world

    def top_up(self, amount: str) -> None:
        self.do(TopUp(minor=eur(amount), currency="EUR"), FINANCE)

    def serve(self, account: str = AVAILABLE) -> None:
        self.do(ServeWaiting(currency="EUR", account=account), SYSTEM)

    def pay_deposit(self, amount: str) -> None:
        self.do(PayDeposit(store="oak", minor=eur(amount), currency="EUR"), FINANCE)

    def open(self, reason: str = "damaged", amount: str = "40.00", **more: Any) -> int:
        """The buyer opens a dispute; returns its number."""
        order = self.order().id
        decision = self.do(opening(order, reason, amount, **more), BUYER)
        number = next(e.dispute for e in decision.events if isinstance(e, d.DisputeOpened))
        self.dispute = self.dispute or number
        return number

    def rule(self, finding: Any = "justified", dispute: int = 0, **more: Any) -> Decision:
        return self.do(d.Rule(dispute=dispute or self.dispute, finding=finding, reason="photos", **more), AGENT)

    def send(self, payment: str = "card", dispute: int = 0) -> int:
        """The worker commits an attempt; returns its number."""
        decision = self.do(SendRefund(dispute=dispute or self.dispute, payment=payment), SYSTEM)
        return decision.world.position if any(isinstance(e, RefundSent) for e in decision.events) else 0

    def report(self, attempt: int, result: Any, dispute: int = 0, **more: Any) -> Decision:
        command = ReportRefund(dispute=dispute or self.dispute, attempt=attempt, result=result, **more)
        return self.do(command, PROVIDER)

    def resolve(self, how: Any, dispute: int = 0) -> Decision:
        return self.do(ResolveRefund(dispute=dispute or self.dispute, how=how), FINANCE)

    def sweep(self, at: datetime) -> list[Event]:
        """Time passes to `at` at one stroke; what that led to."""
        self.now = at
        return [e for number in list(self.world.disputes) for e in self.do(d.PassTime(dispute=number), SYSTEM).events]

    # --- looking ---------------------------------------------------------------------------------------------------

    def state(self, number: int = 0) -> d.Dispute:
        return self.world.disputes[number or self.dispute]

    def order(self) -> o.Order:
        assert self.world.order is not None
        return self.world.order

    def due(self) -> datetime:
        due = d.due_at(self.state())
        assert due is not None
        return due

    def balance(self, account: str) -> str:
        """A balance as a decimal text."""
        return money.decimal(self.balances[account], "EUR")

    def moved(self) -> list[tuple[str, str, str, str]]:
        """(kind, source, target, amount) of every transfer of the disputes, in order."""
        return [(t.kind, t.source, t.target, money.decimal(t.minor, "EUR")) for t in self.transfers if t.dispute]

    def contents(self) -> tuple[Any, ...]:
        """All that is true now."""
        world = self.world
        return (
            world.position,
            world.store,
            world.order,
            dict(world.disputes),
            world.purse,
            len(self.events),
            len(self.transfers),
        )


SHORT_OF_PAYMENTS: dict[str, Any] = {
    "lines": (o.NewLine(id="1", item=4000), o.NewLine(id="2", item=4000)),
    "payments": (o.Payment(id="card", provider="sandbox", minor=4000),),
}
"""An order of two lines of 40.00 for which only 40.00 were paid: what one dispute takes, another cannot have."""
