"""The one write path: a list is its commands one by one, keys are answered once, and what is refused costs nothing."""

import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from given import AGENT, BUYER, DAY, FINANCE, PLATFORM, PROVIDER, SELLER, Market, T, eur, opening
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.fund import TopUp
from houbao.core.terms import SYSTEM, Actor, Refused
from houbao.engine.engine import Engine
from houbao.engine.ports import Accepted, Outcome, Request
from houbao.store.sqlite import SQLite
from houbao.store.verify import verify

HOUR = timedelta(hours=1)
ZOE = Actor("buyer", "zoe")

# --- execute([a, b]) is execute([a]); execute([b]) -----------------------------------------------------------------


class Town:
    """A market with orders and disputes in every phase, copied for each try."""

    def __init__(self, folder: Path) -> None:
        market = Market(folder, fund="80.00")
        two_lines = (o.NewLine(id="1", item=eur("30.00")), o.NewLine(id="2", item=eur("20.00"), quantity=2))
        self.orders = [market.order(f"town-{n}", "50.00", lines=two_lines) for n in range(8)]
        self.orders.append(market.order("town-inr", "50.00", lines=two_lines, delivered=False))
        self.orders.append(market.order("town-usd", "50.00", lines=two_lines, currency="USD"))
        verified, sent, unknown, noticed, waiting = (
            market.open(order, "damaged", "30.00") for order in self.orders[:5]
        )
        for number in (sent, unknown, waiting):
            market.rule(number)
        self.attempts = [
            market.accept(r.SendRefund(dispute=number, payment="card"), SYSTEM).last for number in (sent, unknown)
        ]
        market.accept(r.ReportRefund(dispute=unknown, attempt=self.attempts[1], result="unknown"), SYSTEM)
        market.rule(noticed, "out_of_scope")
        market.rule(market.open(self.orders[5], "damaged", "30.00"))
        rejected = market.open(self.orders[8], "in_transit_overdue", "20.00")
        market.accept(d.Reject(dispute=rejected, reason="proof"), SELLER)
        answering = market.open(self.orders[9], "damaged", "20.00", reference="claim-0")
        self.disputes = [verified, sent, unknown, noticed, waiting, rejected, answering]
        market.accept(TopUp(minor=1, currency="USD"), FINANCE, key="key-0")
        phases = {market.dispute(number).phase for number in self.disputes}
        assert phases == set(d.TURNS) - {"closed"}
        market.database.close()
        self.path = market.database.path

    def copy(self, name: str) -> SQLite:
        copy = SQLite(shutil.copy(self.path, self.path.with_name(name)))
        copy.connection.execute("PRAGMA synchronous=OFF")
        return copy


def contents(database: SQLite) -> dict[str, list[Any]]:
    """Every row of every table."""
    run = database.connection.execute
    names = [name for (name,) in run("SELECT name FROM sqlite_master WHERE type='table'")]
    return {name: run(f"SELECT * FROM {name}").fetchall() for name in names}


def words(outcome: Outcome) -> object:
    return (outcome.code, outcome.detail, outcome.facts) if isinstance(outcome, Refused) else outcome


class Spoken:
    """The orders and disputes there are when a command is said: those of the town, then those made in the list."""

    def __init__(self, town: Town) -> None:
        self.orders, self.disputes, self.attempts = list(town.orders), list(town.disputes), list(town.attempts)

    def command(self, kind: str, at: int, minor: int, text: str) -> tuple[Any, Actor]:
        order = self.orders[at % len(self.orders)]
        dispute = self.disputes[at % len(self.disputes)]
        attempt = self.attempts[at % len(self.attempts)]
        by_dispute = {"dispute": dispute}
        reference = f"claim-{at % 3}" if text else ""
        match kind:
            case "place":
                return self._place(at, minor), PLATFORM
            case "paid":
                return o.Paid(order=order, at=T - 9 * DAY, commission=minor % 100), PLATFORM
            case "delivered":
                return o.Delivered(order=order, at=T - DAY), PLATFORM
            case "paid_out":
                return o.PaidOut(order=order, minor=minor, at=T), PLATFORM
            case "open":
                reason = ("damaged", "in_transit_overdue", "changed_mind")[at % 3]
                lines, evidence = ((str(at % 2 + 1), 1),), ("ab" * 32,) if minor % 2 else ()
                command = opening(order, reason, "0.01", lines=lines, evidence=evidence, statement=text)
                return d.OpenDispute(**fields(command) | {"amount": minor, "reference": reference}), BUYER
            case "rule":
                finding: Any = ("justified", "unjustified", "out_of_scope", "justified")[minor % 4]
                return d.Rule(**by_dispute, finding=finding, reason="photos", note=text), AGENT
            case "change_claim":
                return d.ChangeClaim(**by_dispute, amount=minor, note=text), BUYER
            case "withdraw":
                return d.Withdraw(**by_dispute), (BUYER, ZOE)[minor % 2]
            case "accept":
                return d.Accept(**by_dispute), SELLER
            case "reject":
                return d.Reject(**by_dispute, reason="works", note=text), SELLER
            case "pass_time":
                return d.PassTime(**by_dispute), SYSTEM
            case "send":
                return r.SendRefund(**by_dispute, payment="card"), SYSTEM
            case "report":
                result: Any = ("paid", "refused", "unknown", "returned", "key_expired")[minor % 5]
                return r.ReportRefund(**by_dispute, attempt=attempt, result=result), PROVIDER
            case "resolve":
                how: Any = ("paid_elsewhere", "abandon")[minor % 2]
                return r.ResolveRefund(**by_dispute, how=how, note=text), FINANCE
            case "serve_waiting":
                return r.ServeWaiting(currency="EUR"), SYSTEM
            case "top_up":
                return TopUp(minor=minor, currency=("EUR", "USD")[at % 2]), (FINANCE, SELLER)[minor % 7 == 0]
            case "register":
                return p.RegisterStore(store=f"store-{at % 2}", email=text and "new@shops.example"), PLATFORM
            case "leave":
                return p.Leave(store="oak", at=T - 20 * DAY), SELLER
            case _:
                return p.Enrol(store="oak", programme="standard", at=T - 15 * DAY), SELLER

    def _place(self, at: int, minor: int) -> o.PlaceOrder:
        return o.PlaceOrder(
            store=("oak", "store-0", "store-1")[at % 3],
            reference=f"new-{at % 4}",
            buyer="ann",
            currency=("EUR", "EUR", "USD")[minor % 3],
            lines=(o.NewLine(id="1", item=minor, shown=o.Listing(title=f"Lamp {at % 2}")),),
            payments=(o.Payment(id="card", provider="sandbox", minor=minor),),
            ship_by=T - 8 * DAY,
            promised_by=T - 2 * DAY,
            at=T - 10 * DAY,
            buyer_email=f"ann{at % 2}@mail.example",
        )

    def hear(self, command: object, outcome: Outcome) -> None:
        if isinstance(outcome, Refused) or outcome.replayed:
            return
        if isinstance(command, o.PlaceOrder):
            self.orders.append(outcome.id)
        if isinstance(command, d.OpenDispute):
            self.disputes.append(outcome.id)
        if isinstance(command, r.SendRefund) and outcome.first:
            self.attempts.append(outcome.last)


def fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


KINDS = (
    *("place", "paid", "delivered", "paid_out", "open", "rule", "change_claim", "withdraw", "accept", "reject"),
    *("pass_time", "send", "report", "resolve", "serve_waiting", "top_up", "register", "leave", "enrol"),
)
SAYING = st.tuples(
    st.sampled_from(KINDS),
    st.integers(0, 30),
    st.sampled_from([1, 999, 1500, 2000, 3000, 10_000]) | st.integers(1, 5000),
    st.sampled_from(["", "", "It arrived broken.", "ganz kaputt — 碎了"]),
    st.sampled_from(["", "", "key-0", "key-1", "no key!"]),
    st.sampled_from([timedelta(), timedelta(), HOUR, -HOUR, 6 * DAY, 8 * DAY, 15 * DAY]),
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(tmp_path_factory.mktemp("town"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sayings=st.lists(SAYING, min_size=2, max_size=14), again=st.lists(st.integers(0, 13), max_size=2))
def test_a_list_of_commands_is_the_same_commands_one_by_one(town: Town, sayings: list[Any], again: list[int]) -> None:
    one_by_one, together = town.copy("singles.db"), town.copy("batch.db")
    engine = Engine(one_by_one, lambda: T)
    spoken, requests, outcomes = Spoken(town), [], []
    with patch.object(
        os, "urandom", bytes
    ):  # so that the salts of free text are equal, and with them all that hangs on them
        for kind, at, minor, text, key, later in sayings:
            command, by = spoken.command(kind, at, minor, text)
            requests.append(Request(command, by, T + later, key))
            outcomes += engine.execute(requests[-1:])
            spoken.hear(command, outcomes[-1])
        for place in again:
            requests.append(requests[place % len(sayings)])
            outcomes += engine.execute(requests[-1:])
        said = Engine(together, lambda: T).execute(requests)
    assume(any(isinstance(outcome, Accepted) for outcome in outcomes))
    assert [words(outcome) for outcome in said] == [words(outcome) for outcome in outcomes]
    assert contents(together) == contents(one_by_one)
    one_by_one.close()
    together.close()
    assert verify(town.path.with_name("batch.db")) == []
