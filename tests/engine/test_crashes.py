"""Wherever the process dies, the provider's own log has one payment in the end: never two, never none.

A child executes an agent's ruling and runs the worker against a provider that is another process; it dies at one point
of its way. A second child then sends the same ruling with the same key and works until all is done.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from msgspec import structs

from engine import processes
from engine.child import Plan, Point
from given import AGENT, Market, T, eur
from houbao.core.disputes import Rule
from houbao.engine.request import Request
from houbao.store.verify import verify

HOUR = timedelta(hours=1)
AMOUNT = eur("40.00")
SHARES = range(8)
"""The points are shared out over so many tests, so that they can run at the same time."""


class Case:
    """A marketplace with one dispute to be ruled on, of which each life is lived on a copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.market = Market(folder)
        order = self.market.order("broken-lamp")
        self.dispute = self.market.open(order, "damaged", "40.00")
        self.market.work()
        self.market.database.close()
        self.nursery = processes.Nursery()
        self.lives = 0

    def plan(self, port: str, finding: Any = "justified", **more: Any) -> Plan:
        """Rule, then work for half a day."""
        self.lives += 1
        path = processes.copy_of(self.market, self.folder / str(self.lives))
        rule = Request(Rule(dispute=self.dispute, finding=finding, reason="photos"), AGENT, T, key="ruling-1")
        return Plan(str(path), port, [rule], T + 12 * HOUR, **more)

    def log(self) -> Path:
        return self.folder / f"bank-{self.lives + 1}.jsonl"

    def points(self, script: str = "", finding: Any = "justified", **more: Any) -> list[Point]:
        """All that a life without a crash passes."""
        with processes.provider(self.log(), script) as port:
            return self.nursery.run(self.plan(port, finding, **more)).passed

    def crash_and_restart(self, point: Point, script: str = "", finding: Any = "justified", **more: Any) -> "After":
        """Die there, then live to the end."""
        log = self.log()
        with processes.provider(log, script) as port:
            plan = self.plan(port, finding, **more)
            self.nursery.dies(structs.replace(plan, die_at=point))
            report = self.nursery.run(plan)
        assert (report.accepted, report.refused, report.troubles) == (1, [], []), point
        return After(Path(plan.database), log, self.dispute, point)


class After:
    """What the database and the bank say in the end."""

    def __init__(self, path: Path, log: Path, dispute: int, point: Point) -> None:
        self.path, self.log, self.dispute, self.point = path, log, dispute, point

    def ask(self, question: str, *given: object) -> Any:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(question, given).fetchone()[0]

    def assert_paid_once(self) -> None:
        assert processes.payments(self.log) == [("broken-lamp:card", AMOUNT)], self.point
        assert self.ask("SELECT body->>'outcome' FROM disputes WHERE id=?", self.dispute) == "refunded", self.point
        assert self.balance("fund:reserved") == 0, self.point
        assert self.balance("fund:available") == eur("960.00"), self.point
        self.assert_sound()

    def assert_noticed_once(self) -> None:
        notices = self.ask("SELECT count(*) FROM events WHERE body->>'type'='notice_stood'")
        ruled_at = self.ask("SELECT position FROM events WHERE body->>'type'='dispute_ruled'")
        stood_at = self.ask("SELECT body->>'at' FROM events WHERE body->>'type'='notice_stood'")
        due, kind = self.ask("SELECT due_at || ' ' || kind FROM timers WHERE kind='turn'").split()
        five_days = self.ask("SELECT cast(unixepoch(?) AS INTEGER) + 5 * 24 * 3600", stood_at)
        assert (notices, self.ask("SELECT body->>'notice' FROM disputes")) == (1, ruled_at), self.point
        assert (int(due) // 1_000_000, kind) == (five_days, "turn"), self.point
        assert self.ask("SELECT phase FROM disputes") == "awaiting_seller", self.point
        # the notice itself, and the mail with the exact due time that follows its acceptance
        assert len(list(self.path.with_suffix(".mails").glob("*.eml"))) == 2, self.point
        assert processes.payments(self.log) == [], self.point
        self.assert_sound()

    def assert_sound(self) -> None:
        assert self.ask("SELECT count(*) FROM outbox") == 0, self.point
        assert verify(self.path) == [], self.point

    def balance(self, account: str) -> int:
        return self.ask("SELECT minor FROM balances WHERE account=?", account)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    case = Case(tmp_path_factory.mktemp("crashes") / "case")
    yield case
    case.nursery.close()


@pytest.fixture(scope="module")
def points(case: Case) -> list[Point]:
    return case.points()


def test_the_way_of_a_refund_is_as_long_as_the_tests_of_its_crashes_believe(points: list[Point]) -> None:
    names = {name for name, _ in points}
    assert {f"batch.{step}" for step in ("locked", "loaded", "decided", "saved", "committed")} <= names
    assert {"task.claimed", "refund.sent", "refund.calling", "refund.called", "refund.reported"} <= names
    assert points[-1] == ("tasks.settled", 2)


@pytest.mark.parametrize("share", SHARES)
def test_a_crash_at_any_point_pays_exactly_once(case: Case, points: list[Point], share: int) -> None:
    for point in points[share :: len(SHARES)]:
        case.crash_and_restart(point).assert_paid_once()


SCRIPTS: dict[str, dict[str, Any]] = {
    "timeout_paid": {},
    "timeout_unpaid": {},
    "webhook_first": {"listen_at": "refund.called"},
    "duplicate": {},
    "refuse": {},
}
"""What the provider does, and when the child hears its webhooks besides between two rounds of work."""


SAMPLES = [
    *((script, ("refund.calling", 1)) for script in SCRIPTS),
    *((script, ("refund.called", 1)) for script in SCRIPTS),
    *((script, ("batch.saved", 3)) for script in SCRIPTS),
    ("timeout_paid", ("batch.saved", 4)),
    ("timeout_unpaid", ("refund.called", 2)),
    ("refuse", ("refund.called", 2)),
]


@pytest.mark.parametrize(("script", "point"), SAMPLES)
def test_a_crash_with_a_difficult_provider_pays_exactly_once(case: Case, script: str, point: Point) -> None:
    case.crash_and_restart(point, script, **SCRIPTS[script]).assert_paid_once()


def test_a_process_killed_while_the_provider_holds_back_its_answer_pays_exactly_once(case: Case) -> None:
    log = case.log()
    with processes.provider(log, "timeout_paid", hold=processes.SECONDS) as port:
        plan = case.plan(port)
        child = processes.start(processes.write(plan))
        while not processes.payments(log):
            assert child.poll() is None
            sleep(0.01)
        child.kill()
        child.communicate()
        report = case.nursery.run(plan)
    assert (report.accepted, report.new, report.troubles) == (1, 0, [])
    After(Path(plan.database), log, case.dispute, ("killed", 1)).assert_paid_once()


@pytest.mark.long
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("share", SHARES)
def test_a_crash_at_any_point_with_a_difficult_provider_pays_exactly_once(case: Case, script: str, share: int) -> None:
    for point in case.points(script, **SCRIPTS[script])[share :: len(SHARES)]:
        case.crash_and_restart(point, script, **SCRIPTS[script]).assert_paid_once()


@pytest.mark.parametrize("share", SHARES)
def test_a_crash_around_the_official_notice_starts_the_sellers_clock_once(case: Case, share: int) -> None:
    for point in case.points(finding="out_of_scope")[share :: len(SHARES)]:
        case.crash_and_restart(point, finding="out_of_scope").assert_noticed_once()


@pytest.mark.long
@pytest.mark.parametrize("share", SHARES)
def test_a_crash_before_any_sql_statement_pays_exactly_once(case: Case, share: int) -> None:
    statements = [point for point in case.points(statements=True) if point[0] == "statement"]
    assert len(statements) > 50
    for point in statements[share :: len(SHARES)]:
        case.crash_and_restart(point, statements=True).assert_paid_once()
