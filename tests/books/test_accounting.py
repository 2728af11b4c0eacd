"""What two accounting programs make of the journal: they accept it, and find the ledger's own balances."""

import json
import os
import re
import shutil
import subprocess
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

import pytest
from beancount import loader
from beancount.core.data import Transaction

from books.test_chart import ledger_account
from given import FINANCE, Market, T
from houbao.commands.exporting import export_journal
from houbao.commands.terminal import CommandFailed
from houbao.core.fund import TopUp
from houbao.core.money import DIGITS
from houbao.core.terms import Refused
from houbao.settings import Settings
from houbao.store import bookings, positions
from houbao.wiring import House
from store.history import build

hledger = pytest.mark.skipif(
    not shutil.which("hledger") and "CI" not in os.environ, reason="the program hledger is not installed"
)
EVER = ("", "")
LATER = ("2026-07-09", "2026-07-20")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A history with every event that there is, in two currencies."""
    path = tmp_path_factory.mktemp("books") / "houbao.db"
    history = build(path)
    history.database.close()
    house = House(Settings(database_url=f"sqlite:///{path}"))
    yield house
    house.close()


def quiet(what, done, of):
    assert done <= of, what


def exported(house, tmp_path, program, span=EVER):
    path = tmp_path / f"books.{program}"
    export_journal(house, program, *span, path, quiet)
    return path


def ledger(house, until=2**62):
    """The ledger's balances that are not zero, with the accountant's sign."""
    found = bookings.balances_at(house.database.connection, 0, until)
    return {
        (account, currency): -Decimal(minor).scaleb(-DIGITS[currency])
        for (account, currency), minor in found.items()
        if minor
    }


def ran(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def balances_by_hledger(path):
    done = ran("hledger", "-f", str(path), "balance", "--flat", "--no-total", "-O", "json")
    assert done.returncode == 0, done.stderr
    rows, _ = json.loads(done.stdout)
    return {
        (ledger_account(name), amount["acommodity"]): Decimal(amount["aquantity"]["decimalMantissa"]).scaleb(
            -amount["aquantity"]["decimalPlaces"]
        )
        for name, *_, amounts in rows
        for amount in amounts
        if amount["aquantity"]["decimalMantissa"]
    }


def balances_by_beancount(path):
    entries, errors, _ = loader.load_file(str(path))
    assert errors == []
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in entries:
        for posting in entry.postings if isinstance(entry, Transaction) else ():
            sums[ledger_account(posting.account), posting.units.currency] += posting.units.number
    return {key: number for key, number in sums.items() if number}


@hledger
@pytest.mark.parametrize("span", [EVER, LATER])
def test_hledger_accepts_the_journal_strictly_and_finds_every_balance(house, tmp_path, span):
    path = exported(house, tmp_path, "hledger", span)
    checked = ran("hledger", "-f", str(path), "check", "--strict")
    assert checked.returncode == 0, checked.stderr
    found = balances_by_hledger(path)
    until = positions.last_before(house.database.connection, 0, T + timedelta(days=12, hours=12))
    assert found == (ledger(house) if span == EVER else ledger(house, until))
    assert {currency for _, currency in found} >= {"EUR", "BRL"}


@pytest.mark.parametrize("span", [EVER, LATER])
def test_beancount_accepts_the_journal_and_finds_every_balance(house, tmp_path, span):
    path = exported(house, tmp_path, "beancount", span)
    until = positions.last_before(house.database.connection, 0, T + timedelta(days=12, hours=12))
    assert balances_by_beancount(path) == (ledger(house) if span == EVER else ledger(house, until))


def test_a_span_opens_with_what_was_there_and_tells_only_its_own_days(house, tmp_path):
    text = exported(house, tmp_path, "beancount", LATER).read_text(encoding="utf-8")
    days = re.findall(r"^(\S+) \* ", text, re.MULTILINE)
    assert days[0] == LATER[0]
    assert '* "opening balances"' in text
    assert LATER[0] <= min(days) <= max(days) <= LATER[1]
    whole = exported(house, tmp_path, "beancount").read_text(encoding="utf-8")
    assert len(re.findall(r"^\S+ \* ", whole, re.MULTILINE)) > len(days)


@hledger
def test_a_journal_that_lost_a_line_is_refused(house, tmp_path):
    path = exported(house, tmp_path, "hledger")
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    del blocks[len(blocks) // 2]
    path.write_text("\n\n".join(blocks), encoding="utf-8")
    assert "balance assertion" in ran("hledger", "-f", str(path), "check", "--strict").stderr.lower()


@hledger
def test_currencies_without_decimals_or_with_three_are_told_exactly(tmp_path):
    market = Market(tmp_path)
    for minor, currency in ((123_456, "JPY"), (1_234, "KWD"), (10**15, "KRW")):
        market.accept(TopUp(minor=minor, currency=currency), FINANCE)
    house = House(Settings(database_url=f"sqlite:///{market.database.path}"))
    path = exported(house, tmp_path, "hledger")
    checked = ran("hledger", "-f", str(path), "check", "--strict")
    assert checked.returncode == 0, checked.stderr
    assert balances_by_hledger(path) == ledger(house)
    assert balances_by_beancount(exported(house, tmp_path, "beancount")) == ledger(house)
    house.close()


@pytest.mark.parametrize("program", ["hledger", "beancount"])
def test_nothing_of_any_person_is_in_it(house, tmp_path, program):
    text = exported(house, tmp_path, program).read_text(encoding="utf-8")
    connection = house.database.connection
    people = {buyer for (buyer,) in connection.execute("SELECT body->>'$.buyer' FROM orders")}
    people |= {word for row in connection.execute("SELECT name, email FROM contacts") for word in row if word}
    assert len(people) > 5
    words = set(re.findall(r"[\w.@-]+", text))
    assert people & words == set()


def test_what_cannot_be_written_or_makes_no_sense_is_said(house, tmp_path):
    for given, said in (
        (("", "", tmp_path / "nowhere" / "x"), "cannot write"),
        (("2026-07-09", "2026-07-08", None), "is before"),
        (("", "2020-01-01", None), "no money has moved"),
    ):
        with pytest.raises(CommandFailed, match=said):
            export_journal(house, "hledger", *given, quiet)
    with pytest.raises(Refused) as refused:
        export_journal(house, "hledger", "July", "", None, quiet)
    assert refused.value.code == "bad_time"
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_stops_leaves_the_file_that_was_there(house, tmp_path, monkeypatch):
    path = exported(house, tmp_path, "hledger")
    before = path.read_bytes()

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("houbao.books.hledger.closing", stop)
    with pytest.raises(KeyboardInterrupt):
        export_journal(house, "hledger", "", "", path, quiet)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before
