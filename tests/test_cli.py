"""The command line as a stranger meets it: what it prints, where it stops, and with which exit code."""

import contextlib
import io
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec import structs

import houbao
from feeds.test_olist import order, review, write
from houbao import cli
from houbao.commands.funding import key_of_day
from houbao.commands.listening import listen_or_anywhere
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import phases
from houbao.core.acts import AddEvidence
from houbao.core.fund import MoveCash, TopUp
from houbao.core.money import parse
from houbao.core.programme import RegisterStore, SetWatch
from houbao.core.scopes import Scope
from houbao.core.terms import Actor, Refused, public_id
from houbao.demo.play import opening
from houbao.demo.scenes import SCENES
from houbao.demo.signins import BUYER
from houbao.engine.request import Accepted, Request
from houbao.feeds.olist import read
from houbao.settings import Settings
from houbao.shipped import policy_text
from houbao.store import lists, queries
from houbao.store.lists import Filters
from houbao.wiring import House, create_database

SOURCE = Path(houbao.__file__).parents[1]
REAL = Path(__file__).parents[2] / "shared" / "data" / "olist"
PLATFORM = Actor("platform", "test")
OUTCOMES = ["refunded", "partially_refunded", "replaced", "rejected", "withdrawn", "lapsed", "unclaimed"]
T = datetime(2026, 7, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)

COMMANDS = {
    "": (
        "advise",
        "bench",
        "db",
        "demo",
        "evidence",
        "export",
        "fund",
        "import",
        "keys",
        "openapi",
        "outage",
        "policy",
        "rates",
        "reconcile",
        "sandbox-provider",
        "score",
        "serve",
        "statement",
        "users",
        "verify",
        "watch",
        "work",
    ),
    "policy": ("backtest", "check", "explain", "list", "promise", "publish", "show"),
    "fund": (
        "breaker",
        "cash-move",
        "deposit",
        "recover",
        "repay",
        "reserves",
        "settle",
        "status",
        "top-up",
        "write-off",
    ),
    "export": ("accounting", "lake", "statement"),
    "evidence": ("add", "erase", "tidy"),
    "db": ("backup", "copy", "upgrade"),
    "keys": ("add", "list", "revoke"),
    "users": ("add", "close", "list"),
}
ON_DATA = (
    "demo",
    "import",
    "verify",
    "statement",
    "export accounting",
    "export statement",
    "score",
    "work",
    "outage",
    "watch",
    "rates",
    "policy show",
    "policy explain",
    "policy list",
    "policy promise",
    "policy publish",
    "fund status",
    "fund top-up",
    "evidence erase",
)
VARYING = ("seconds", "disputes_per_second", "peak_memory_mb")
"""What of a report hangs on the machine."""

olist = pytest.mark.skipif(not REAL.is_dir(), reason="the published Olist tables are not at ../shared/data/olist")


class Ran(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command in a folder of its own, without any setting from outside."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("HOUBAO_")]:
        monkeypatch.delenv(name)

    def call(command: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["houbao", *command.split()])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return call


def process(*arguments: str, cwd: Path) -> Ran:
    """The same as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "houbao", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def played(tmp_path_factory) -> tuple[Path, dict[str, Any]]:
    """A demonstration of 300 generated orders: its database and its report."""
    folder = tmp_path_factory.mktemp("played")
    ran = process("demo", "--orders", "300", "--json", "--database", "sqlite:///played.db", cwd=folder)
    assert ran.code == 0, ran.err
    return folder / "played.db", json.loads(ran.out)


@pytest.fixture
def copy(played, tmp_path) -> Path:
    """A copy of that database, to be changed."""
    shutil.copy(played[0], tmp_path / "copy.db")
    return tmp_path / "copy.db"


def contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with sqlite3.connect(path) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}


def execute(house: House, requests: list[Request]) -> list[Accepted]:
    """Do what must be accepted."""
    outcomes = house.engine.execute(requests)
    assert [outcome for outcome in outcomes if isinstance(outcome, Refused)] == []
    return [outcome for outcome in outcomes if isinstance(outcome, Accepted)]


# --- help, version, exit codes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", COMMANDS)
def test_help_lists_every_command(run, group):
    ran = run(f"{group} --help")
    listed = [line.split()[1] for line in ran.out.splitlines() if line.startswith("│ ") and line[2] not in " -"]
    assert ran.code == 0
    assert tuple(sorted(listed)) == COMMANDS[group]


def test_help_is_instant_for_it_loads_nothing_that_a_command_needs(tmp_path):
    code = (
        "import sys; sys.argv = ['houbao', '--help']; from houbao.cli import main; main();"
        "heavy = [n for n in sys.modules if n.startswith(('houbao.core', 'houbao.store', 'sqlalchemy', 'msgspec'))];"
        "assert not heavy, heavy"
    )
    surroundings = {**os.environ, "PYTHONPATH": str(SOURCE)}
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=surroundings, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_file_of_commands_stays_a_list_of_them():
    assert len((SOURCE / "houbao" / "cli.py").read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("command", ON_DATA)
def test_every_command_on_data_takes_a_database(run, command):
    assert "--database" in run(f"{command} --help").out


def test_the_version_is_the_packages(run):
    import tomllib

    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text())
    assert run("--version") == Ran(0, f"{project['project']['version']}\n", "")


def test_as_a_process_it_ends_with_the_same_codes(tmp_path):
    assert process("--version", cwd=tmp_path).code == 0
    assert process("fund", "status", cwd=tmp_path).code == 1
    assert process("nonsense", cwd=tmp_path).code == 2


@pytest.mark.parametrize(
    "command",
    [
        "nonsense",
        "demo --orders many",
        "demo --orders 0",
        "demo --orders 1000001",
        "import json orders.json",
        "fund top-up",
        "policy explain --order order_0_1",
        "bench nonsense",
    ],
)
def test_wrong_usage_ends_with_2_and_leaves_nothing(run, command, tmp_path):
    ran = run(command)
    assert ran.code == 2
    assert "Error" in ran.out + ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HOUBAO_DATABASE_URL", "postgresql://db/houbao", "sqlite:///FILE"),
        ("HOUBAO_SMTP_PORT", "often", "HOUBAO_SMTP_PORT is 'often': write a port, a whole number from 1 to 65535"),
        ("HOUBAO_SMTP_PORT", "70000", "write a port"),
        ("HOUBAO_SMTP_STARTTLS", "perhaps", "HOUBAO_SMTP_STARTTLS is 'perhaps': write true or false"),
        ("HOUBAO_SANDBOX_PROVIDER", "localhost", "host:port"),
    ],
)
def test_a_wrong_setting_ends_with_2_and_says_what_to_write(run, monkeypatch, name, value, said):
    run("db upgrade")
    monkeypatch.setenv(name, value)
    ran = run("fund status")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_setting_nobody_knows_is_named(run, tmp_path):
    (tmp_path / "houbao.toml").write_text('databse_url = "sqlite:///x.db"')
    ran = run("fund status")
    assert ran.code == 2
    assert "databse_url" in ran.err


def test_a_wrong_setting_of_the_file_is_named_with_it(run, tmp_path):
    (tmp_path / "houbao.toml").write_text("mail_folder = 7")
    ran = run("fund status")
    assert (ran.code, ran.err) == (2, "houbao: houbao.toml: mail_folder is 7: write a text\n")


def test_the_environment_overrides_the_file(run, tmp_path, monkeypatch):
    (tmp_path / "houbao.toml").write_text('database_url = "sqlite:///file.db"')
    assert run("db upgrade").out.startswith("file.db made")
    monkeypatch.setenv("HOUBAO_DATABASE_URL", "sqlite:///environment.db")
    assert run("db upgrade").out.startswith("environment.db made")
    assert run("db upgrade --database sqlite:///option.db").out.startswith("option.db made")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("fund status", "houbao db upgrade"),
        ("verify", "no database at houbao.db"),
        ("import olist nowhere --database sqlite:///live.db", "olist_customers_dataset.csv is missing"),
        ("statement nobody --database sqlite:///live.db", "'nobody'"),
        ("score nobody --database sqlite:///live.db", "unknown_store"),
        ("score nobody --on tomorrow --database sqlite:///live.db", "bad_time"),
        ("score nobody --on 2999-01-01 --database sqlite:///live.db", "still to come"),
        ("policy check nowhere.toml", "nowhere.toml"),
        ("policy promise 1999.1 --database sqlite:///live.db", "no_policy"),
        ("policy promise --programme golden --database sqlite:///live.db", "unknown_programme"),
        ("policy publish nowhere.toml --database sqlite:///live.db", "nowhere.toml"),
        ("policy publish other.toml --database sqlite:///live.db", "version_taken"),
        ("policy publish next.toml --from 2020-01-01T00:00:00Z --database sqlite:///live.db", "backdated"),
        ("policy publish next.toml --from tomorrow --database sqlite:///live.db", "bad_time"),
        ("policy publish next.toml --programme golden --database sqlite:///live.db", "unknown_programme"),
        ("policy show 1999.1 --database sqlite:///live.db", "'1999.1'"),
        ("policy explain --order o --reason damaged --amount 1 --database sqlite:///live.db", "unknown_order"),
        ("fund top-up much EUR --database sqlite:///live.db", "'much'"),
        ("fund top-up 1.005 EUR --database sqlite:///live.db", "decimals"),
        ("fund top-up 1.00 EURO --database sqlite:///live.db", "'EURO'"),
        ("fund status --database sqlite:///text.db", "not a database"),
        ("db upgrade --currency EURO --database sqlite:///new.db", "'EURO'"),
        ("db upgrade --parts 2 --database sqlite:///new.db", "one part"),
        ("sandbox-provider --log bank.jsonl --script nonsense", "timeout_paid"),
    ],
)
def test_a_refusal_ends_with_1_and_says_why_in_a_line(run, tmp_path, command, said):
    (tmp_path / "text.db").write_text("This is a letter.")
    (tmp_path / "other.toml").write_text(policy_text() + "# one more word")
    (tmp_path / "next.toml").write_text(policy_text().replace("2026.1", "2026.2"))
    run("db upgrade --database sqlite:///live.db")
    before = contents(tmp_path / "live.db")
    ran = run(command)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("houbao: ")
    assert said in ran.err
    assert contents(tmp_path / "live.db") == before


# --- the demonstration ---------------------------------------------------------------------------------------------


def test_the_report_has_every_figure_that_others_read(played):
    _, report = played
    assert {
        "orders",
        "covered_orders",
        "disputes",
        "refused",
        "by_route",
        "by_outcome",
        "by_payer",
        "by_resolved_by",
        "refunded",
        "fund",
        "seconds",
        "disputes_per_second",
        "time_to_refund",
        "verify",
    } <= report.keys()
    assert report["orders"] == 300
    assert report["fund"].keys() == {"opening", "in", "out", "closing"}
    assert report["time_to_refund"].keys() == {"p50", "p95"}
    assert 0 < report["time_to_refund"]["p50"] <= report["time_to_refund"]["p95"]


def test_the_figures_of_a_report_add_up(played):
    _, report = played
    fund = report["fund"]
    assert fund["opening"] + fund["in"] - fund["out"] == fund["closing"]
    assert fund["out"] > 0
    assert report["disputes"] + sum(report["refused"].values()) == report["complaints"]
    for name in ("by_route", "by_outcome", "by_resolved_by"):
        assert sum(report[name].values()) == report["disputes"] > 0
    assert 0 < report["covered_orders"] < report["orders"]
    assert report["verify"] == "ok"
    assert "Simulated" in report["simulated"]


def test_the_demonstration_leaves_a_dispute_of_every_phase_and_every_outcome(played):
    path, report = played
    with closing(sqlite3.connect(path)) as connection:
        found = queries.places(connection, 0)
    wanted = {(phase, "") for phase in phases.TURNS if phase != "closed"}
    wanted |= {("closed", outcome) for outcome in OUTCOMES}
    assert wanted <= found.keys()
    assert {scene.outcome or f"open: {scene.phase}" for scene in SCENES} == report["staged"].keys()


def test_in_the_demonstration_nothing_is_booked_before_it_happened(played):
    path, _ = played
    with closing(sqlite3.connect(path)) as connection:
        told = "unixepoch(json_extract(CAST(body AS TEXT), '$.at')) * 1000000"
        count, early = connection.execute(f"SELECT count(*), sum(booked_at < {told}) FROM events").fetchone()
    assert count > 1000
    assert early == 0


def test_its_buyer_has_an_offer_to_answer_and_a_delivered_order_to_report(played):
    path, _ = played
    with closing(sqlite3.connect(path)) as connection:
        reach = Scope(buyer=BUYER)
        orders = lists.order_page(connection, 0, reach, limit=9)
        waits = [one.phase for one in lists.dispute_page(connection, 0, reach, Filters(), limit=9)]
    assert waits == ["awaiting_buyer", "closed"]
    assert sorted(one.status for one in orders) == ["delivered", "shipped"]


def test_the_same_seed_plays_the_same_lives_and_another_one_others(run):
    def figures(seed: int, name: str) -> dict[str, Any]:
        report = json.loads(run(f"demo --orders 80 --seed {seed} --json --database sqlite:///{name}.db").out)
        return {key: value for key, value in report.items() if key not in VARYING}

    first = figures(11, "first")
    assert figures(11, "again") == first
    assert figures(12, "other") != first


def test_the_demonstration_never_writes_over_a_database_that_was_named(run, copy):
    before = contents(copy)
    ran = run("demo --orders 10 --database sqlite:///copy.db")
    assert (ran.code, ran.out) == (2, "")
    assert "copy.db" in ran.err
    assert contents(copy) == before


@olist
def test_nine_of_ten_real_complaints_become_disputes(tmp_path):
    complained = [sold for sold in read(REAL)[0] if sold.complaint]
    end = max(sold.complaint.at for sold in complained)
    start = min(sold.place.at for sold in complained)
    url = f"sqlite:///{tmp_path / 'real.db'}"
    create_database(url, currency="BRL", launched_at=start, sandbox_clock=end)
    house = House(Settings(database_url=url))
    stores = dict.fromkeys(sold.place.store for sold in complained)
    execute(house, [Request(RegisterStore(store=store, country="BR"), PLATFORM, start) for store in stores])
    placed = execute(house, [Request(sold.place, PLATFORM, sold.place.at) for sold in complained])
    numbers = [outcome.id for outcome in placed]
    for step in range(3):
        execute(
            house,
            [
                Request(structs.replace(sold.facts[step], order=number), PLATFORM, end)
                for number, sold in zip(numbers, complained, strict=True)
                if step < len(sold.facts) and sold.facts[step].at <= sold.complaint.at
            ],
        )

    outcomes = house.engine.execute(
        [
            Request(opening(sold, sold.complaint, number, ()), Actor("buyer", sold.place.buyer), sold.complaint.at)
            for number, sold in zip(numbers, complained, strict=True)
        ]
    )

    house.close()
    opened = sum(isinstance(outcome, Accepted) for outcome in outcomes)
    refused = {outcome.code for outcome in outcomes if isinstance(outcome, Refused)}
    assert len(complained) == 2085
    assert opened >= 0.9 * len(complained)
    assert refused <= {"not_paid", "outside_window"}


@olist
@pytest.mark.long
def test_the_demonstration_plays_the_published_orders(run):
    ran = run(f"demo --olist {REAL} --json --database sqlite:///real.db")
    report = json.loads(ran.out)
    assert (ran.code, report["verify"], report["complaints"]) == (0, "ok", 2085)
    assert report["disputes"] >= 0.9 * report["complaints"]
    fund = report["fund"]
    assert fund["opening"] + fund["in"] - fund["out"] == fund["closing"]


# --- orders in -----------------------------------------------------------------------------------------------------


def test_importing_twice_changes_nothing(run, tmp_path):
    tables = tmp_path / "tables"
    tables.mkdir()
    write(tables, orders=[order()], reviews=[review()])
    run("db upgrade --currency BRL --database sqlite:///live.db")

    first = json.loads(run("import olist tables --programme standard --json --database sqlite:///live.db").out)
    before = contents(tmp_path / "live.db")
    again = run("import olist tables --json --database sqlite:///live.db")

    assert first["new"] == {"register_store": 1, "enrol": 1, "place_order": 1, "paid": 1, "shipped": 1, "delivered": 1}
    assert (again.code, json.loads(again.out)["new"], json.loads(again.out)["refused"]) == (0, {}, {})
    assert contents(tmp_path / "live.db") == before
    assert all(t["rows"] == t["used"] + sum(t["skipped"].values()) for t in first["tables"]["tables"].values())


def test_a_damaged_table_stops_the_import_before_anything_is_written(run, tmp_path):
    tables = tmp_path / "tables"
    tables.mkdir()
    write(tables)
    (tables / "olist_order_payments_dataset.csv").write_text("order_id,payment_value\no1,1.00\n")
    run("db upgrade --currency BRL --database sqlite:///live.db")
    before = contents(tmp_path / "live.db")
    ran = run("import olist tables --database sqlite:///live.db")
    assert ran.code == 1
    assert "payment_sequential" in ran.err
    assert contents(tmp_path / "live.db") == before


# --- policy --------------------------------------------------------------------------------------------------------


def test_the_policy_that_is_shown_can_be_checked(run, tmp_path):
    (tmp_path / "mine.toml").write_text(run("policy show").out, encoding="utf-8")
    checked = json.loads(run("policy check mine.toml --json").out)
    assert (checked["version"], checked["rules"], checked["faults"]) == ("2026.1", 13, [])


def test_a_database_shows_the_policy_it_was_made_with(run):
    run("db upgrade")
    assert run("policy show 2026.1").out == policy_text()


def test_a_published_policy_is_kept_listed_and_shown(run, tmp_path):
    run("db upgrade")
    text = policy_text().replace("2026.1", "2026.2")
    (tmp_path / "next.toml").write_bytes(text.encode())
    told, again = run("policy publish next.toml --from 2099-01-01T00:00:00Z"), run("policy publish next.toml --json")
    assert told.out.startswith("version 2026.2 published: in force in standard from 2099-01-01 00:00:00 UTC, SHA-256")
    assert (json.loads(again.out)["new"], json.loads(again.out)["policy"]["start"]) == (False, "2099-01-01T00:00:00Z")
    rows = json.loads(run("policy list --json").out)
    assert [(row["version"], row["state"]) for row in rows] == [("2026.1", "in_force"), ("2026.2", "coming")]
    assert [line.split()[0] for line in run("policy list").out.splitlines()] == ["version", "2026.1", "2026.2"]
    assert run("policy show 2026.2 --database sqlite:///houbao.db").out == text
    assert run("verify").out == "verify: ok\n"


def test_the_promise_to_sellers_is_that_of_the_policy_in_force(run, tmp_path):
    run("db upgrade --currency BRL")
    shipped, live = run("policy promise"), run("policy promise --database sqlite:///houbao.db")
    assert shipped.out.startswith("Standard guarantee, version 2026.1: what the guarantee does for you\n")
    assert live.out == shipped.out.replace("EUR", "BRL")
    text = policy_text().replace("2026.1", "2026.2").replace('seller_answer = "5 d"', 'seller_answer = "6 d"')
    (tmp_path / "next.toml").write_bytes(text.encode())
    run("policy publish next.toml")
    assert "You have 6 days to answer." in run("policy promise --database sqlite:///houbao.db").out
    before = json.loads(run("policy promise 2026.1 --json").out)
    assert (before["version"], len(before["sections"])) == ("2026.1", 6)
    assert any("You have 5 days to answer." in line for line in before["sections"][3]["lines"])


def test_every_fault_of_a_policy_is_named_with_its_field(run, tmp_path):
    text = policy_text().replace('seller_answer = "5 d"', 'seller_answer = "5 days"')
    (tmp_path / "bad.toml").write_text(text.replace('["reason", "is", "counterfeit"]', '["raeson", "is", "x"]'))
    told, asked = run("policy check bad.toml"), run("policy check bad.toml --json")
    assert (told.code, asked.code, told.out) == (1, 1, "")
    timer, fact = json.loads(asked.out)["faults"]
    assert timer.startswith("timers.seller_answer")
    assert "'counterfeit'.when[1]" in fact
    assert timer in told.err
    assert fact in told.err


def undisputed(path: Path) -> tuple[str, str, datetime]:
    """A covered, delivered order that nobody disputed: its id, its reference, its delivery."""
    with sqlite3.connect(path) as connection:
        number, reference, delivered = connection.execute(
            "SELECT id, reference, body->>'delivered_at' AS at FROM orders WHERE covered=1 AND at IS NOT NULL"
            " AND id NOT IN (SELECT order_id FROM disputes) ORDER BY id LIMIT 1"
        ).fetchone()
    return public_id("order", 0, number), reference, datetime.fromisoformat(delivered)


def test_explain_says_who_would_pay_and_why_and_saves_nothing(run, copy):
    number, reference, delivered = undisputed(copy)
    before = contents(copy)
    ask = f"--reason damaged --amount 5.00 --at {(delivered + DAY).isoformat()} --database sqlite:///copy.db"
    answer = json.loads(run(f"policy explain --order {reference} {ask} --json").out)
    told = run(f"policy explain --order {number} {ask}")
    assert (answer["order"], answer["covered"], answer["rule"]) == (number, True, "verify")
    assert (answer["route"], answer["payer"], answer["fault"]) == ("verify", "fund", "SNAD")
    assert told.code == 0
    assert told.out.startswith(f"{number}: covered by the guarantee; route verify, paid by fund")
    assert [line.strip() for line in told.out.splitlines()[1:]] == answer["reasons"]
    assert contents(copy) == before


def test_explain_says_no_by_the_rule_that_refuses(run, copy):
    number, _, _ = undisputed(copy)
    ran = run(f"policy explain --order {number} --reason damaged --amount 5.00 --json --database sqlite:///copy.db")
    answer = json.loads(ran.out)
    assert (ran.code, answer["refused"], answer["rule"]) == (1, "outside_window", "outside_window")


# --- the fund ------------------------------------------------------------------------------------------------------


def test_a_top_up_with_its_key_books_once(run, copy):
    def available() -> int:
        (fund,) = json.loads(run("fund status --json --database sqlite:///copy.db").out)
        return fund["available"]

    before = available()
    first = run("fund top-up 12.34 BRL --key january --database sqlite:///copy.db")
    again = run("fund top-up 12.34 BRL --key january --database sqlite:///copy.db")
    other = run("fund top-up 99.00 BRL --key january --database sqlite:///copy.db")
    assert (first.code, first.out) == (0, "12.34 BRL added to the fund.\n")
    assert (again.code, "nothing changed" in again.out) == (0, True)
    assert (other.code, "key_reused" in other.err) == (1, True)
    assert available() == before + 1234


@pytest.mark.parametrize("command", ["top-up 12.34 BRL", "cash-move sandbox 12.34 BRL", "deposit {store} 12.34 BRL"])
def test_without_a_key_the_same_movement_is_booked_once_a_day(run, copy, command):
    with closing(sqlite3.connect(copy)) as connection:
        store = connection.execute("SELECT id FROM stores LIMIT 1").fetchone()[0]
    command = f"fund {command.format(store=store)} --database sqlite:///copy.db"
    first, before, again = run(command), contents(copy), run(command)
    assert (first.code, "nothing changed" in first.out) == (0, False)
    assert again.out == (
        "12.34 BRL was booked today already: nothing changed. If it came a second time, give it a --key of its own.\n"
    )
    assert contents(copy) == before
    assert "nothing changed" not in run(command.replace("12.34", "12.35")).out
    assert "nothing changed" not in run(f"{command} --key second").out


def test_a_key_of_a_day_is_another_on_the_next_day_and_for_another_movement():
    moves = [MoveCash(provider=name, minor=minor, currency="EUR") for name in ("a", "b") for minor in (1, 2)]
    moves += [TopUp(minor=1, currency="EUR")]
    assert len({key_of_day(move, T + n * DAY) for move in moves for n in (0, 1)}) == 2 * len(moves)
    assert key_of_day(moves[0], T) == key_of_day(moves[0], T + timedelta(hours=11))


def test_finance_moves_money_by_hand_and_is_told_what_it_may_not(run, copy):
    with closing(sqlite3.connect(copy)) as connection:
        store = connection.execute("SELECT id FROM stores LIMIT 1").fetchone()[0]
    url = "--database sqlite:///copy.db"
    assert run(f"fund deposit {store} 5.00 BRL {url}").out == "5.00 BRL added to the store's deposit.\n"
    assert run(f"fund cash-move sandbox 5.00 BRL {url}").out == "5.00 BRL booked from the bank to the provider.\n"
    back = run(f"fund cash-move sandbox 5.00 BRL --back {url}")
    assert back.out == "5.00 BRL booked from the provider to the bank.\n"
    refused = {
        f"fund deposit {store} 5.00 EUR": "bad_currency",
        f"fund repay {store} 999999.00 BRL": "nothing_owed",
        "fund write-off dispute_0_1 --by kim": "unknown_dispute",
        "fund settle dispute_0_1 card 1.00 BRL": "unknown_dispute",
    }
    for command, code in refused.items():
        ran = run(f"{command} {url}")
        assert (ran.code, code in ran.err) == (1, True), ran


def test_finance_books_what_a_carrier_pays_for_what_was_refunded_once(run, copy):
    with closing(sqlite3.connect(copy)) as connection:
        found = connection.execute("SELECT dispute_id FROM transfers WHERE kind='guarantee' AND dispute_id>0 LIMIT 1")
        dispute = public_id("dispute", 0, found.fetchone()[0])
    command = f"fund recover {dispute} carrier 1.00 BRL --reference claim-7 --database sqlite:///copy.db"
    assert run(command).out == "the carrier paid 1.00 BRL of it back, to the guarantee's fund\n"
    assert run(command).out == "booked before: nothing changed\n"
    assert "unknown_provider" in run(f"{command} --provider nobody").err
    assert "recovery_booked" in run(command.replace("1.00", "2.00")).err
    assert run("verify --database sqlite:///copy.db").code == 0


def test_a_new_database_may_have_another_way_to_fill_the_fund(run, tmp_path):
    assert run("db upgrade --mode premium --currency EUR --also BRL --database sqlite:///new.db").code == 0
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        (body,) = connection.execute("SELECT body FROM programmes").fetchone()
    programme = json.loads(body)
    assert (programme["mode"], programme["also_covers"]) == ("premium", ["BRL"])
    assert run("db upgrade --also REAL --database sqlite:///other.db").code == 1


def test_the_status_adds_up(run, played):
    (fund,) = json.loads(run(f"fund status --json --database sqlite:///{played[0]}").out)
    assert fund["capital"] + fund["back"] - fund["out"] == fund["available"] + fund["reserved"]


# --- the books -----------------------------------------------------------------------------------------------------


def test_sound_books_are_ok(run, played):
    assert run(f"verify --database sqlite:///{played[0]}") == Ran(0, "verify: ok\n", "")


def test_books_that_were_changed_are_not_and_the_place_is_named(run, copy):
    with sqlite3.connect(copy) as connection:
        connection.execute("UPDATE balances SET minor=minor+1 WHERE account='fund:available'")
    told, asked = run("verify --database sqlite:///copy.db"), run("verify --json --database sqlite:///copy.db")
    assert (told.code, asked.code) == (1, 1)
    assert told.out.startswith("verify: balances (0, 'fund:available', 'BRL'): minor should be ")
    assert json.loads(asked.out)["verify"] == "differs"
    assert len(json.loads(asked.out)["differences"]) == 1


def test_what_the_fund_pays_leaves_the_stores_balance_as_it_was(run, played):
    path, _ = played
    with sqlite3.connect(path) as connection:
        store, dispute = connection.execute(
            "SELECT store_id, dispute_id FROM transfers WHERE kind='guarantee' ORDER BY position LIMIT 1"
        ).fetchone()
    entries = json.loads(run(f"statement {store} --json --database sqlite:///{path}").out)["BRL"]
    balance = 0
    for entry in entries:
        balance += entry["minor"]
        assert entry["balance"] == balance
    mine = [(entry["kind"], entry["minor"]) for entry in entries if entry["dispute"] == dispute]
    assert [kind for kind, _ in mine] == ["guarantee", "refund"]
    assert sum(minor for _, minor in mine) == 0
    told = run(f"statement {store} --limit 3 --database sqlite:///{path}").out.splitlines()
    assert told[0] == f"Store {store} · BRL · {len(entries)} entries, the last 3 · times in UTC"
    opening, page = told[1].split()[-1], [line.split() for line in told[2:]]
    assert len(page) == 3
    assert parse(opening, "BRL") + sum(parse(line[3], "BRL") for line in page) == parse(page[-1][4], "BRL")


def worst(path: Path) -> tuple[str, str, str, str]:
    """The store of the lowest score that is graded: its name, the day, the score as told, and the grade."""
    with sqlite3.connect(path) as connection:
        store, day, score, grade = connection.execute(
            "SELECT store_id, day, score, grade FROM scores WHERE grade<>'' ORDER BY day DESC, score LIMIT 1"
        ).fetchone()
    return store, day, f"{score // 1_000_000}.{score % 1_000_000 // 10_000:02}", grade


def test_a_score_says_where_every_point_is_and_whose_it_is(run, played):
    path, report = played
    store, day, score, grade = worst(path)
    asked = json.loads(run(f"score {store} --on {day} --json --database sqlite:///{path}").out)
    parts = asked["parts"].values()
    assert sum(Fraction(part["got"]) for part in parts) == Fraction(asked["points"])
    assert sum(Fraction(part["got"]) + Fraction(part["lost"]) for part in parts) == asked["scale"]
    for part in parts:
        assert sum(Fraction(one["lost"]) for one in part["because"]) == Fraction(part["lost"])
    named = [one for name in ("inr", "snad") for one in asked["parts"][name]["because"]]
    assert all(one["disputes"] for one in named)
    assert asked["score"].startswith(score)
    assert (asked["industry"]["day"], asked["kept"], asked["grade"]) == (day, asked["score"], grade)
    assert report["scores"]["day"] == day
    assert sum(report["scores"]["grades"].values()) >= 1


def test_it_is_told_to_a_seller_in_words(run, played):
    path, _ = played
    store, day, score, grade = worst(path)
    said = run(f"score {store} --on {day} --database sqlite:///{path}").out
    assert said.splitlines()[0] == f"Store {store} · {day} · service score {score} of 100 · {grade}"
    for words in ("Where the points are", "Why points are lost: goods", "gone on 20", "What comes next", "Rates"):
        assert words in said
    shown = [line.split() for line in said.splitlines() if line.startswith(("  deals that", "  goods", "  rated"))]
    figures = [next(row[i : i + 3] for i in range(len(row)) if row[i].isdecimal()) for row in shown]
    assert all(Fraction(got) + Fraction(lost) == Fraction(of) for of, got, lost in figures)


# --- the worker ----------------------------------------------------------------------------------------------------


def sandbox(path: Path) -> int:
    """A sandbox whose buyer waits for a parcel and for the seller's answer, since T; returns the dispute."""
    url = f"sqlite:///{path}"
    create_database(url, currency="EUR", launched_at=T - 90 * DAY, sandbox_clock=T)
    house = House(Settings(database_url=url))
    buyer = Actor("buyer", "ann")
    place = o.PlaceOrder(
        store="oak",
        reference="o-1",
        buyer="ann",
        currency="EUR",
        lines=(o.NewLine(id="1", item=4000),),
        payments=(o.Payment(id="card", provider="sandbox", minor=4000),),
        ship_by=T - 9 * DAY,
        promised_by=T - DAY,
        at=T - 12 * DAY,
    )
    execute(house, [Request(RegisterStore(store="oak"), PLATFORM, T)])
    (placed,) = execute(house, [Request(place, PLATFORM, T)])
    execute(house, [Request(o.Paid(order=placed.id, at=T - 12 * DAY), PLATFORM, T)])
    claim = d.OpenDispute(order=placed.id, lines=(("1", 1),), reason="never_shipped", amount=4000)
    (opened,) = execute(house, [Request(claim, buyer, T)])
    house.close()
    return opened.id


def phase(path: Path, dispute: int) -> str:
    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT phase FROM disputes WHERE id=?", (dispute,)).fetchone()[0]


def test_a_moved_clock_lets_the_sellers_silence_decide(run, tmp_path):
    path = tmp_path / "sandbox.db"
    dispute = sandbox(path)
    run("work --once --now 2026-07-13T11:59:59Z --database sqlite:///sandbox.db")
    assert phase(path, dispute) == "awaiting_seller"
    ran = run("work --once --now 2026-07-13T12:00:00Z --database sqlite:///sandbox.db")
    assert (ran.code, ran.out.startswith("1 deadlines passed")) == (0, True)
    assert phase(path, dispute) == "closed"
    assert run("verify --database sqlite:///sandbox.db").out == "verify: ok\n"


def test_an_outage_moves_what_is_due_and_entering_it_again_changes_nothing(run, tmp_path):
    path = tmp_path / "sandbox.db"
    dispute = sandbox(path)
    entered = run(
        f"outage {T - DAY:%Y-%m-%dT%H:%M:%SZ} {T + DAY:%Y-%m-%dT%H:%M:%SZ} --json --database sqlite:///{path}"
    )
    assert json.loads(entered.out) == {"new": True, "disputes": 1}
    assert "1 disputes looked at" in entered.err
    again = run(f"outage {T - DAY:%Y-%m-%dT%H:%M:%SZ} {T + DAY:%Y-%m-%dT%H:%M:%SZ} --database sqlite:///{path}")
    assert again == Ran(0, "the outage was known before: nothing changed\n", "")
    run(f"work --once --now {T + 5 * DAY:%Y-%m-%dT%H:%M:%SZ} --database sqlite:///{path}")
    assert phase(path, dispute) == "awaiting_seller"
    assert run(f"verify --database sqlite:///{path}").out == "verify: ok\n"
    backwards = run(f"outage 2026-07-09T00:00:00Z 2026-07-08T00:00:00Z --database sqlite:///{path}")
    assert (backwards.code, "bad_outage" in backwards.err) == (1, True)


def test_a_watch_is_shown_and_lifted(run, tmp_path):
    path = tmp_path / "sandbox.db"
    sandbox(path)
    with contextlib.closing(House(Settings(database_url=f"sqlite:///{path}"))) as house:
        execute(house, [Request(SetWatch(store="oak", why="letters"), Actor("admin", "eve"), T)])
    shown = run(f"watch oak --database sqlite:///{path}").out
    assert shown.startswith("store oak: watched since 2026-07-08 12:00 UTC, by admin:eve: letters\n")
    assert run(f"watch oak --lift --database sqlite:///{path}").out.startswith("store oak: not watched\n")
    again = run(f"watch oak --lift --database sqlite:///{path}")
    assert (again.code, "not_watched" in again.err) == (1, True)
    assert run(f"watch elm --database sqlite:///{path}").code == 1


@pytest.mark.parametrize(
    ("now", "code"),
    [("2026-07-08T11:59:59Z", "clock_backwards"), ("tomorrow", "bad_time"), ("2026-07-13T12:00:00", "naive_time")],
)
def test_a_clock_is_never_moved_backwards_nor_to_nowhere(run, tmp_path, now, code):
    sandbox(tmp_path / "sandbox.db")
    before = contents(tmp_path / "sandbox.db")
    ran = run(f"work --once --now {now} --database sqlite:///sandbox.db")
    assert (ran.code, f"({code})" in ran.err) == (1, True)
    assert contents(tmp_path / "sandbox.db") == before


def test_a_live_database_has_no_clock_to_move(run, tmp_path):
    run("db upgrade")
    before = contents(tmp_path / "houbao.db")
    ran = run("work --once --now 2030-01-01T00:00:00Z")
    assert (ran.code, "(not_a_sandbox)" in ran.err) == (1, True)
    assert contents(tmp_path / "houbao.db") == before


# --- databases and figures -----------------------------------------------------------------------------------------


def test_making_a_database_twice_leaves_the_first(run, tmp_path):
    assert run("db upgrade --currency JPY").out == "houbao.db made: programme `standard` in JPY, one part\n"
    before = contents(tmp_path / "houbao.db")
    assert run("db upgrade").out == "houbao.db is up to date; options make new ones alone\n"
    assert contents(tmp_path / "houbao.db") == before


def test_the_benchmark_of_a_backtest_finds_what_the_query_by_hand_finds(run):
    pytest.importorskip("ibis", reason="ibis is not installed: it comes with the extra `analytics`")
    (figure,) = json.loads(run("bench backtest --rows 5000 --rounds 1 --json").out)
    assert (figure["scenario"], figure["of"]) == ("backtest", "5,000 disputes")
    assert figure["value"] > 0 < figure["limit"]


def test_a_backup_made_beside_a_writer_is_the_database_of_one_moment(run, tmp_path):
    sandbox(tmp_path / "sandbox.db")
    with closing(sqlite3.connect(tmp_path / "sandbox.db")) as writing:
        writing.execute("BEGIN IMMEDIATE")
        ran = run("db backup kept.db --database sqlite:///sandbox.db --json")
        writing.execute("ROLLBACK")
    told = json.loads(ran.out)
    assert (ran.code, told["verify"], told["file"]) == (0, "ok", "kept.db")
    assert told["bytes"] == (tmp_path / "kept.db").stat().st_size
    assert contents(tmp_path / "kept.db") == contents(tmp_path / "sandbox.db")


def test_a_backup_writes_over_nothing(run, tmp_path):
    sandbox(tmp_path / "sandbox.db")
    (tmp_path / "kept.db").write_text("somebody's")
    ran = run("db backup kept.db --database sqlite:///sandbox.db")
    assert (ran.code, ran.err) == (1, "houbao: kept.db is there already: name a new file, nothing is written over\n")
    assert (tmp_path / "kept.db").read_text() == "somebody's"


def test_a_backup_of_a_damaged_database_says_so(run, tmp_path):
    dispute = sandbox(tmp_path / "sandbox.db")
    with closing(sqlite3.connect(tmp_path / "sandbox.db")) as damaging, damaging:
        damaging.execute("UPDATE disputes SET phase='closed' WHERE id=?", (dispute,))
    ran = run("db backup kept.db --database sqlite:///sandbox.db")
    assert (ran.code, "is not what its events say: disputes" in ran.err) == (1, True)
    assert (tmp_path / "kept.db").exists()


def test_a_copy_is_a_database_that_works(run, tmp_path):
    dispute = sandbox(tmp_path / "sandbox.db")
    assert run("db copy sqlite:///sandbox.db sqlite:///other.db").out.startswith("other.db: ")
    run("work --once --now 2026-07-13T12:00:00Z --database sqlite:///other.db")
    assert (phase(tmp_path / "other.db", dispute), phase(tmp_path / "sandbox.db", dispute)) == (
        "closed",
        "awaiting_seller",
    )
    assert run("db copy sqlite:///sandbox.db sqlite:///parts.db --parts 4").code == 1
    assert not (tmp_path / "parts.db").exists()


def test_what_belongs_to_a_database_and_lies_beside_it_is_named(run, tmp_path):
    sandbox(tmp_path / "sandbox.db")
    (tmp_path / "sandbox.evidence").mkdir()
    assert "apart, copy it too: sandbox.evidence" in run("db backup kept.db --database sqlite:///sandbox.db").out


@pytest.mark.parametrize("command", ["serve", "db backup kept.db", "verify", "work --once"])
def test_without_a_database_a_command_says_how_to_make_one(run, command):
    ran = run(command)
    assert ran.code == 1
    assert ran.err.startswith("houbao: no database at houbao.db")


@pytest.mark.parametrize(
    "command",
    ["policy show", "work --once", "db upgrade", "export accounting --format hledger --output ledger.journal"],
)
def test_every_command_answers_as_one_json_document(run, tmp_path, command):
    sandbox(tmp_path / "sandbox.db")
    ran = run(f"{command} --database sqlite:///sandbox.db --json")
    assert ran.code == 0
    assert isinstance(json.loads(ran.out), dict)


def test_a_refusal_is_one_json_document_too(run, tmp_path):
    sandbox(tmp_path / "sandbox.db")
    ran = run("score nobody --database sqlite:///sandbox.db --json")
    assert (ran.code, json.loads(ran.out)["code"]) == (1, "unknown_store")
    ran = run("export accounting --format hledger --database sqlite:///sandbox.db --json")
    assert (ran.code, "--output" in json.loads(ran.out)["error"]) == (1, True)


def test_a_benchmark_is_measured_where_it_is_told(run, tmp_path):
    assert run("bench open-dispute --disputes 10 --rounds 1 --among 0 --database sqlite:///nowhere/x.db").code == 1
    assert run(f"bench open-dispute --disputes 10 --rounds 1 --among 0 --database sqlite:///{tmp_path}/x.db").code == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("scenario", "count"),
    [
        ("open-dispute --disputes 10 --rounds 1 --among 0", 3),
        ("open-dispute --disputes 10 --rounds 1 --among 0 --among 2345", 6),
        ("open-dispute-http --disputes 10 --rounds 1 --among 0 --among 1100", 8),
        ("import-orders --orders 30 --known 0 --known 1500", 2),
        ("sweep-deadlines --due 12 --open 40", 1),
        ("queue-page --pages-of 1000", 2),
        ("growth --grow-to 1000", 1),
        ("ledger --transfers 30", 2),
        ("statement-page --statements-of 3000", 3),
    ],
)
def test_a_benchmark_says_what_it_was_measured_against(run, scenario, count):
    figures = json.loads(run(f"bench {scenario} --json").out)
    assert len(figures) == count
    for figure in figures:
        assert {"scenario", "value", "unit", "limit", "ratio", "command", "machine"} <= figure.keys()
        assert figure["scenario"] == scenario.split()[0]
        assert figure["value"] > 0
        assert figure["limit"] > 0


# --- rates ---------------------------------------------------------------------------------------------------------

RATES = "Date,USD,BRL,\n2018-07-09,1.1789,4.5564,\n2018-07-06,1.1724,4.6279,\n"


def test_rates_come_in_from_a_file_and_are_shown(run, tmp_path):
    (tmp_path / "rates.csv").write_text(RATES)
    assert run("db upgrade").code == 0
    assert "No rates" in run("rates").out
    taken = json.loads(run("rates rates.csv --json").out)
    assert taken == {"new": 4, "known": 0, "first": "2018-07-06", "last": "2018-07-09", "left_out": []}
    shown = json.loads(run("rates --json").out)
    assert [(rate["quote"], rate["numerator"], rate["denominator"]) for rate in shown] == [
        ("BRL", 11391, 2500),
        ("USD", 11789, 10000),
    ]


def test_rates_are_fetched_from_the_address_of_the_settings(run, monkeypatch):
    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(RATES.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    assert run("db upgrade").code == 0
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setenv("HOUBAO_RATES_URL", f"http://127.0.0.1:{server.server_port}/")
        assert run("rates --fetch").out == "Rates of 2018-07-06 to 2018-07-09: 4 new, 0 known already\n"


def test_rates_that_cannot_be_read_are_said_without_a_traceback(run, tmp_path):
    (tmp_path / "rates.csv").write_text(RATES + "2018-07-05,1.1709\n")
    assert run("db upgrade").code == 0
    assert run("rates rates.csv") == Ran(1, "", "houbao: line 4: 1 rates for 2 currencies; is the file whole?\n")
    assert run("rates rates.csv --fetch").code == 2


# --- questions over history ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lake(played, tmp_path_factory) -> Path:
    """The demonstration's past as a lake."""
    pytest.importorskip("ibis", reason="ibis is not installed: it comes with the extra `analytics`")
    folder = tmp_path_factory.mktemp("lakes") / "lake"
    ran = process("export", "lake", str(folder), "--database", f"sqlite:///{played[0]}", cwd=folder.parent)
    assert ran.code == 0, ran.err
    assert "chain head" in ran.out
    return folder


def candidate(folder: Path) -> Path:
    """The shipped policy, under another version, with a wider instant rule."""
    file = folder / "next.toml"
    text = policy_text().replace('"2026.1"', '"2027.1"').replace('    ["evidence", "is", true],\n', "")
    file.write_text(text.replace('"at_most", "15.00"', '"at_most", "90.00"'))
    return file


def test_a_backtest_of_a_lake_is_that_of_the_database_itself(run, played, lake, tmp_path):
    file = candidate(tmp_path)
    of_lake = run(f"policy backtest {file} --lake {lake} --json")
    of_database = run(f"policy backtest {file} --database sqlite:///{played[0]} --json")
    assert (of_lake.code, of_database.code) == (0, 0)
    found = json.loads(of_lake.out)
    assert found == json.loads(of_database.out)
    assert found["disputes"] == sum(played[1]["by_route"].values()) + sum(played[1]["staged"].values())
    assert found["simulated"] is True
    assert found["now"]["by_route"]["instant"] > found["was"]["by_route"].get("instant", 0)


def test_a_backtest_is_told_with_what_it_cannot_know(run, lake, tmp_path):
    ran = run(f"policy backtest {candidate(tmp_path)} --lake {lake} --on 2017-04-15")
    assert ran.code == 0
    for said in ("a simulated past", "Who pays, BRL", "verify → instant", "(scores of 2017-04-15)", "A changed ruling"):
        assert said in ran.out
    assert ran.out.rindex("What a backtest cannot know") > ran.out.rindex("A changed ruling")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("policy backtest {file} --lake nowhere", "no lake in nowhere: `houbao export lake nowhere` makes one"),
        ("policy backtest nowhere.toml --lake {lake}", "cannot read nowhere.toml"),
        ("policy backtest {file} --lake {lake} --on tomorrow", "--on is 'tomorrow': give a day such as"),
        ("export lake {file}", "is a file: name a folder"),
    ],
)
def test_what_a_backtest_or_a_lake_cannot_use_is_said(run, played, lake, tmp_path, command, said):
    database = f" --database sqlite:///{played[0]}"
    ran = run(command.format(file=candidate(tmp_path), lake=lake) + database)
    assert ran.code == 1
    assert said in ran.err


# --- evidence ------------------------------------------------------------------------------------------------------


def test_a_photograph_is_taken_in_and_erased_for_good(run, tmp_path):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: it comes with the extra `images`")
    image.new("RGB", (64, 48), "red").save(tmp_path / "photo.jpg")
    kept = json.loads(run("evidence add photo.jpg --json").out)
    assert (tmp_path / "houbao.evidence" / kept["digest"][:2] / f"{kept['digest']}.jpg").exists()
    assert run("evidence add photo.jpg").out.startswith(f"{kept['digest']} · image/jpeg, 64 × 48, ")
    assert run(f"evidence erase {kept['digest']}").out == f"{kept['digest']} erased\n"
    assert json.loads(run(f"evidence erase {kept['digest']} --json").out) == {"erased": [], "unknown": [kept["digest"]]}
    assert not list((tmp_path / "houbao.evidence").rglob("*.*"))


def test_photographs_that_no_dispute_names_are_tidied_away_after_their_time(run, tmp_path, market):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: it comes with the extra `images`")
    database = f"--database sqlite:///{market.database.path}"
    kept = []
    for colour in ("red", "green", "blue", "white"):
        image.new("RGB", (64, 48), colour).save(tmp_path / "photo.jpg")
        kept.append(json.loads(run(f"evidence add photo.jpg {database} --json").out)["digest"])
    opened, added, forgotten, fresh = kept
    dispute = market.open(market.order(), "damaged", "40.00", evidence=(opened,))
    market.accept(AddEvidence(dispute=dispute, evidence=(added,)), Actor("seller", "oak"))
    folder = market.database.path.with_suffix(".evidence")
    for digest in (opened, added, forgotten):
        os.utime(folder / digest[:2] / f"{digest}.jpg", (0, time.time() - 31 * 86_400))
    assert json.loads(run(f"evidence tidy {database} --json").out) == {"erased": [forgotten]}
    assert sorted(path.stem for path in folder.glob("??/*.jpg") if "." not in path.stem) == sorted(
        [opened, added, fresh]
    )
    assert run(f"evidence tidy --days 1 {database}").out == "0 photographs erased that no dispute names\n"


def test_what_is_no_photograph_is_refused_plainly(run, tmp_path):
    (tmp_path / "photo.jpg").write_text("<svg/>")
    assert run("evidence add photo.jpg").err.startswith("houbao: refused (bad_image): it is no picture by its content")
    assert run("evidence add nowhere.jpg").err == "houbao: cannot read nowhere.jpg: No such file or directory\n"
    assert run("evidence erase all").err.startswith("houbao: refused (bad_evidence)")


def test_a_port_that_is_taken_is_told_plainly_and_with_what_to_do(run):
    run("db upgrade")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        served = run(f"serve --port {port}")
    assert served.code == 1
    assert served.err == (
        f"houbao: cannot answer on 127.0.0.1 port {port}: Address already in use; --host and --port name another\n"
    )


def test_an_answer_does_not_wait_until_its_first_packet_is_acknowledged():
    with listen_or_anywhere("127.0.0.1", 0) as found, socket.create_connection(found.getsockname()):
        answering, _ = found.accept()
        with answering:
            assert answering.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_demonstration_goes_elsewhere_where_its_port_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as other, listen_or_anywhere(*other.getsockname()) as found:
        assert found.getsockname()[1] not in (0, other.getsockname()[1])


def test_another_password_leaves_an_authenticator_in_use_until_it_is_taken_away(run, monkeypatch):
    def add(*more: str) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
        return run(" ".join(("users add lee --role agent", *more))).out

    def asks() -> bool:
        with contextlib.closing(sqlite3.connect("houbao.db")) as connection:
            (secret,) = connection.execute("SELECT totp FROM users WHERE id='lee'").fetchone()
        return bool(secret)

    run("db upgrade")
    assert "shown this once: otpauth://" in add("--totp")
    assert "otpauth" not in add()
    assert asks()
    add("--no-totp")
    assert not asks()
