"""Two processes at once on one file: nothing is lost, nothing is done twice, and the history has no gap."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from engine import processes
from engine.child import Plan
from given import AGENT, BUYER, DAY, FINANCE, PLATFORM, Market, T, eur, opening
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core.fund import TopUp
from houbao.core.terms import Actor
from houbao.engine.request import Accepted, Request
from houbao.store.verify import verify

NOWHERE = "127.0.0.1:9"
HOUR = timedelta(hours=1)


def sell(market: Market, count: int) -> list[int]:
    """So many delivered orders of 40.00, in few transactions."""
    lines = (o.NewLine(id="1", item=eur("40.00")),)
    payments = (o.Payment(id="card", provider="sandbox", minor=eur("40.00")),)
    times: dict[str, Any] = {"ship_by": T - 7 * DAY, "promised_by": T - DAY, "at": T - 10 * DAY}
    common: dict[str, Any] = {"store": "oak", "buyer": "ann", "currency": "EUR", "lines": lines, "payments": payments}
    placed = say(market, [o.PlaceOrder(reference=f"lamp-{n}", **common, **times) for n in range(count)], PLATFORM)
    orders = [outcome.id for outcome in placed]
    for happened in (o.Paid, o.Shipped, o.Delivered):
        say(market, [happened(order=order, at=T - 2 * DAY) for order in orders], PLATFORM)
    return orders


def say(market: Market, commands: list[Any], by: Actor) -> list[Accepted]:
    said = market.engine.execute([Request(command, by, T) for command in commands])
    accepted = [outcome for outcome in said if isinstance(outcome, Accepted)]
    assert len(accepted) == len(commands), said
    return accepted


def ask(path: Path, question: str) -> Any:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchone()


def test_two_processes_write_at_the_same_time_without_a_gap(tmp_path):
    market = Market(tmp_path)
    orders = sell(market, 200)
    before = market.database.head(0).position
    market.database.close()
    plans = []
    for half in (orders[:100], orders[100:]):
        opens = [Request(opening(order, "damaged", "40.00", statement="Broken."), BUYER, T) for order in half]
        fills = [Request(TopUp(minor=1, currency="EUR"), FINANCE, T, f"top-up-{order}") for order in half]
        both = [request for pair in zip(opens, fills, strict=True) for request in pair]
        plans.append(Plan(str(market.database.path), NOWHERE, both, in_step=True))

    reports = processes.run_together(plans)

    assert [(report.accepted, report.new, report.refused) for report in reports] == [(200, 200, [])] * 2
    path = market.database.path
    assert ask(path, "SELECT count(*), max(position) FROM events") == (before + 400, before + 400)
    assert ask(path, "SELECT count(DISTINCT order_id), count(*) FROM disputes") == (200, 200)
    assert ask(path, "SELECT minor FROM balances WHERE account='fund:available'") == (eur("1002.00"),)
    assert verify(path) == []


def test_two_workers_on_one_outbox_pay_nothing_twice(tmp_path):
    """Each moves the clock beyond the other's leases, so that both do the same tasks at the same time."""
    market = Market(tmp_path, fund="10000.00")
    disputes = [market.open(order, "damaged", "40.00") for order in sell(market, 40)]
    say(market, [d.Rule(dispute=number, finding="justified", reason="photos") for number in disputes], AGENT)
    market.database.close()
    path, log = market.database.path, tmp_path / "bank.jsonl"
    script = "ok,timeout_paid,refuse,timeout_unpaid,webhook_first,duplicate,ok,timeout_paid"
    with processes.provider(log, script) as port:
        workers = [Plan(str(path), port, until=T + 12 * HOUR, in_step=True) for _ in range(2)]
        reports = processes.run_together(workers)

    assert [report.troubles for report in reports] == [[], []]
    assert sorted(processes.payments(log)) == sorted((f"lamp-{n}:card", eur("40.00")) for n in range(40))
    assert ask(path, "SELECT count(*) FROM disputes WHERE body->>'outcome'='refunded'") == (40,)
    assert ask(path, "SELECT minor FROM balances WHERE account='fund:reserved'") == (0,)
    assert ask(path, "SELECT count(*) FROM outbox") == (0,)
    assert verify(path) == []
