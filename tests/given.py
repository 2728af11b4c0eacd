"""Builders: a small marketplace on a real engine and a real SQLite file, with a clock that is moved on purpose.

Amounts are decimal texts in EUR; times are relative to T, a Wednesday noon.
"""

import itertools
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from houbao.core import disputes as d
from houbao.core import money
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core.fund import TopUp
from houbao.core.ledger import store_account
from houbao.core.policy import ScoreCurves
from houbao.core.rulings import Ruling
from houbao.core.scopes import EVERYTHING
from houbao.core.score import Score, score_on, standing
from houbao.core.terms import Actor, Refused
from houbao.engine.engine import Engine
from houbao.engine.outside import Letter, Posted, Reply
from houbao.engine.request import Accepted, Outcome, Request
from houbao.engine.scorebook import Lines
from houbao.engine.worker import Done, Worker
from houbao.shipped import policy_text
from houbao.store import queries, sqlite, statements
from houbao.store.creating import create
from houbao.store.scores import Scorebook

T = datetime(2026, 7, 8, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

PLATFORM = Actor("platform", "shop")
BUYER = Actor("buyer", "ann")
SELLER = Actor("seller", "oak")
AGENT = Actor("agent", "lee")
SENIOR = Actor("agent", "mia")
"""An agent who has not ruled on anything yet: appeals are decided by another."""

FINANCE = Actor("finance", "kim")
MAIL = Actor("mail", "outbox")
PROVIDER = Actor("provider", "sandbox")


def eur(text: str) -> int:
    """Minor units of an amount in EUR."""
    return money.parse(text, "EUR")


class Provider:
    """A fake refund provider: answers in a given order, then pays; its log is what a bank would have on paper."""

    name = "sandbox"
    key_life = timedelta(hours=24)

    def __init__(self) -> None:
        self.script: list[str] = []
        self.paid: dict[str, int] = {}
        self.calls: list[tuple[str, str]] = []
        self.currencies: list[str] = []
        self.refused: set[str] = set()

    def pay(self, key: str, payment: str, minor: int, currency: str) -> Reply:
        self.calls.append(("pay", key))
        self.currencies.append(currency)
        answer = self.script.pop(0) if self.script else "ok"
        if answer in ("ok", "timeout_paid"):
            self.paid[key] = minor
        if answer in ("refuse", "refuse_final"):
            self.refused.add(key)
            return Reply("refused", final=answer == "refuse_final", code="declined")
        return Reply("paid" if answer == "ok" else "unknown")

    def look_up(self, key: str) -> Reply:
        self.calls.append(("look_up", key))
        answer = self.script.pop(0) if self.script and self.script[0].startswith("look") else ""
        if answer == "look_down":
            return Reply("unknown")
        if key in self.refused:
            return Reply("refused")
        return Reply("paid" if key in self.paid else "not_found")


class Mailbox:
    """A fake mail server: keeps what it accepted; can bounce or be down."""

    def __init__(self) -> None:
        self.script: list[str] = []
        self.letters: list[Letter] = []

    def post(self, letter: Letter) -> Posted:
        answer = self.script.pop(0) if self.script else "accepted"
        if answer == "accepted":
            self.letters.append(letter)
            return Posted("accepted", "queued")
        return Posted("bounced", "550 no such user") if answer == "bounced" else Posted("later", "down")


class Market:
    """A marketplace with a store `oak`, enrolled, owed 200.00, and a fund of 1,000.00 (domain.md §7)."""

    def __init__(
        self,
        folder: Path,
        *,
        fund: str = "1000.00",
        owed: str = "200.00",
        enrolled: bool = True,
        programme: p.Programme | None = None,
        policy: str = "",
    ) -> None:
        self.now = T
        path = folder / "market.db"
        create(path, policy=policy or policy_text(), programme=programme or standard(), sandbox_clock=T)
        self.database = sqlite.SQLite(path)
        self.engine = Engine(self.database, lambda: self.now)
        self.provider, self.mailbox = Provider(), Mailbox()
        self.worker = self.worker_of()
        self.numbers = itertools.count(1)
        self.accept(p.RegisterStore(store="oak", email="oak@shops.example", name="Oak"), PLATFORM)
        if enrolled:
            self.accept(p.Enrol(store="oak", programme="standard", at=T - 90 * DAY), PLATFORM)
        if eur(fund):
            self.top_up(fund)
        if eur(owed):
            self.order("owed", owed, delivered=False, buyer="zoe")

    def worker_of(self) -> Worker:
        """A worker that has just been started."""
        return Worker(
            self.database,
            self.engine.execute,
            lambda: self.now,
            providers={"sandbox": self.provider},
            notifier=self.mailbox,
            alerts_to="alerts@houbao.example",
        )

    # --- saying what happens ---------------------------------------------------------------------------------------

    def say(self, command: Any, by: Actor, *, key: str = "", at: datetime | None = None) -> Outcome:
        """Send one command, received now (or at `at`)."""
        (outcome,) = self.engine.execute([Request(command, by, at or self.now, key)])
        return outcome

    def accept(self, command: Any, by: Actor, **given: Any) -> Accepted:
        """Send one command that must be accepted."""
        outcome = self.say(command, by, **given)
        assert isinstance(outcome, Accepted), outcome
        return outcome

    def refuse(self, command: Any, by: Actor, **given: Any) -> Refused:
        """Send one command that must be refused, and must leave no trace at all."""
        before = self.contents()
        outcome = self.say(command, by, **given)
        assert isinstance(outcome, Refused), outcome
        assert self.contents() == before
        return outcome

    def work(self) -> Done:
        """Let the worker do all that is due now."""
        done = self.worker.run()
        assert not done.troubles, done.troubles
        return done

    def go(self, to: datetime) -> Done:
        """Move the clock, stopping wherever something falls due on the way."""
        while (wake := self.database.next_wake(0)) is not None and wake <= to:
            self.now = max(self.now, wake)
            self.work()
        self.now = to
        return self.work()

    # --- scenes ----------------------------------------------------------------------------------------------------

    def top_up(self, amount: str) -> None:
        self.accept(TopUp(minor=eur(amount), currency="EUR"), FINANCE)

    def order(
        self,
        reference: str = "",
        amount: str = "40.00",
        *,
        paid: datetime = T - 10 * DAY,
        delivered: bool = True,
        shipped: bool = True,
        promised: datetime = T - DAY,
        store: str = "oak",
        buyer: str = "ann",
        commission: str = "0",
        category: str = "",
        payments: tuple[o.Payment, ...] = (),
        lines: tuple[o.NewLine, ...] = (),
        currency: str = "EUR",
        listing: o.Listing | None = None,
        buyer_language: str = "",
        buyer_zone: str = "",
    ) -> int:
        """An order that was paid, shipped, and (unless told not to) delivered a day ago; returns its number."""
        reference = reference or f"order-{next(self.numbers)}"
        minor = eur(amount)
        place = o.PlaceOrder(
            store=store,
            reference=reference,
            buyer=buyer,
            currency=currency,
            lines=lines or (o.NewLine(id="1", item=minor, category=category, shown=listing),),
            payments=payments or (o.Payment(id="card", provider="sandbox", minor=minor),),
            ship_by=paid + 3 * DAY,
            promised_by=promised,
            at=paid - timedelta(hours=1),
            buyer_email=f"{buyer}@mail.example",
            buyer_language=buyer_language,
            buyer_zone=buyer_zone,
        )
        order = self.accept(place, PLATFORM).id
        facts: list[o.Fact] = [o.Paid(order=order, at=paid, commission=eur(commission))]
        if shipped:
            facts.append(o.Shipped(order=order, at=paid + DAY))
        if shipped and delivered:
            facts.append(o.Delivered(order=order, at=T - DAY))
        for fact in facts:
            self.accept(fact, PLATFORM)
        return order

    def open(self, order: int, reason: str, amount: str, by: Actor = BUYER, **more: Any) -> int:
        """The buyer opens a dispute; returns its number."""
        return self.accept(opening(order, reason, amount, **more), by).id

    def rule(self, dispute: int, finding: str = "justified", reason: str = "photos", **more: Any) -> Accepted:
        return self.accept(d.Rule(dispute=dispute, finding=finding, reason=reason, **more), AGENT)

    # --- looking ---------------------------------------------------------------------------------------------------

    def dispute(self, number: int) -> d.Dispute:
        found = self.database.dispute(0, number)
        assert found is not None
        return found

    def balance(self, account: str, currency: str = "EUR") -> str:
        """A balance as a decimal text."""
        found = self.database.connection.execute(
            "SELECT minor FROM balances WHERE account=? AND currency=?", (account, currency)
        ).fetchone()
        return money.decimal(found[0] if found else 0, currency)

    def sum_of(self, account: str, currency: str = "EUR") -> str:
        """The sum of the transfers of any account, as a decimal text."""
        (minor,) = self.database.connection.execute(
            "SELECT sum(CASE target WHEN ?1 THEN minor ELSE -minor END) FROM transfers"
            " WHERE ?1 IN (source, target) AND currency=?2",
            (account, currency),
        ).fetchone()
        return money.decimal(minor or 0, currency)

    def funds(self) -> tuple[str, str, str]:
        """P, F and R of the worked examples: owed to the store, free in the fund, reserved in the fund."""
        names = (store_account("oak", "payable"), "fund:available", "fund:reserved")
        return tuple(self.balance(name) for name in names)  # type: ignore[return-value]

    def moved(self, dispute: int) -> list[tuple[str, str, str, str]]:
        """(kind, source, target, amount) of every transfer of a dispute, in order."""
        found = self.database.connection.execute(
            "SELECT kind, source, target, minor, currency FROM transfers WHERE dispute_id=? ORDER BY position, n",
            (dispute,),
        )
        return [
            (kind, source, target, money.decimal(minor, currency)) for kind, source, target, minor, currency in found
        ]

    def ledger_funding(self, dispute: int) -> dict[str, int]:
        """Payer → minor units, by the transfers alone: whose money came into the store's held, less what went back."""
        payers = {"fund:reserved": "fund", "platform:expense": "platform"}
        payers |= {f"fx:{self.dispute(dispute).currency}": "fund"}
        held = store_account(self.dispute(dispute).store, "held")
        paid: dict[str, int] = {}
        for kind, source, target, amount in self.moved(dispute):
            if target == held and kind in ("guarantee", "hold"):
                paid[payers.get(source, "seller")] = paid.get(payers.get(source, "seller"), 0) + eur(amount)
            if source == held and kind in ("guarantee_returned", "release"):
                paid[payers.get(target, "seller")] -= eur(amount)
        return {payer: minor for payer, minor in paid.items() if minor}

    def statement(self, store: str = "oak", currency: str = "EUR") -> list[statements.Entry]:
        """The store's statement."""
        return statements.statement(self.database.connection, EVERYTHING, 0, store, currency).entries

    def score(self, store: str = "oak", *, day: date | None = None) -> Score | None:
        """The store's score of a day, by the shipped curves; today's where none is given."""
        lines = Scorebook(self.database).lines(0, None, store).get(store, Lines())
        return score_on(standing(lines.deals, lines.tallies, UTC), day or self.now.date(), ScoreCurves())

    def sell(self, count: int, store: str = "oak") -> list[int]:
        """Orders that their buyer confirms now."""
        orders = [self.order(store=store) for _ in range(count)]
        for order in orders:
            self.accept(o.Confirmed(order=order, at=self.now), PLATFORM)
        return orders

    def events(self, dispute: int) -> list[Any]:
        """The dispute's events, in the order they were booked."""
        return [event for _, event in queries.timeline(self.database.connection, 0, self.dispute(dispute))]

    def explain(self, command: d.OpenDispute, by: Actor = BUYER) -> Ruling:
        """What the policy says before a dispute is opened. Raises Refused; leaves no trace."""
        before = self.contents()
        try:
            return self.engine.explain(Request(command, by, self.now))
        finally:
            assert self.contents() == before

    def subjects(self) -> list[str]:
        """What the mails that went out are about."""
        return [letter.subject for letter in self.mailbox.letters]

    def timeline(self, dispute: int) -> list[str]:
        """The types of the dispute's events."""
        marks = ",".join("?" * len(self.dispute(dispute).history))
        found = self.database.connection.execute(
            f"SELECT body->>'type' FROM events WHERE position IN ({marks}) ORDER BY position",
            self.dispute(dispute).history,
        )
        return [name for (name,) in found]

    def seller_queue(self, store: str = "oak") -> int:
        """How many disputes wait for that seller."""
        return self.database.connection.execute(
            "SELECT count(*) FROM disputes WHERE store_id=? AND waiting_for='seller'", (store,)
        ).fetchone()[0]

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        names = [
            name for (name,) in self.database.connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        return {name: self.database.connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}

    def check(self) -> None:
        """`houbao verify` finds nothing."""
        from houbao.store import verify

        assert verify.verify(self.database.path) == []


def standard(**changed: Any) -> p.Programme:
    """The programme of every market, launched 100 days before T, unless told otherwise."""
    launched = T - 100 * DAY
    return p.Programme(
        **{"name": "standard", "currency": "EUR", "launched_at": launched, "policies": ((launched, "2026.1"),)}
        | changed
    )


def opening(order: int, reason: str, amount: str, **more: Any) -> d.OpenDispute:
    """A claim for `amount` on line 1 of an order."""
    lines = more.pop("lines", (("1", 1),))
    return d.OpenDispute(order=order, lines=lines, reason=reason, amount=eur(amount), **more)
