"""Rates are kept as published: twice changes nothing, another value is refused, the last before a time counts."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from given import standard
from houbao.core.exchange import OLDEST, Rate, cross, ecb_counts_from, inverse, parse_rate
from houbao.core.terms import Refused
from houbao.shipped import policy_text
from houbao.store import sqlite
from houbao.store.creating import create
from houbao.store.rates import Kept, keep, latest, rate
from houbao.store.verify import verify

FRIDAY, MONDAY = date(2018, 7, 6), date(2018, 7, 9)
SUNDAY_NOON = datetime(2018, 7, 8, 12, tzinfo=UTC)


def ecb(quote: str, text: str, day: date = FRIDAY) -> Rate:
    return parse_rate("EUR", quote, text, published_at=ecb_counts_from(day), source="ECB")


PUBLISHED = [ecb("BRL", "4.5564", MONDAY), ecb("USD", "1.1789", MONDAY), ecb("BRL", "4.6279"), ecb("USD", "1.1724")]


@pytest.fixture
def database(tmp_path: Path):
    create(tmp_path / "rates.db", policy=policy_text(), programme=standard(), sandbox_clock=None)
    database = sqlite.SQLite(tmp_path / "rates.db")
    yield database
    assert verify(database.path) == []
    database.close()


def test_keeping_twice_changes_nothing(database: sqlite.SQLite):
    assert keep(database, PUBLISHED[2:]) == Kept(new=2, known=0)
    assert keep(database, PUBLISHED) == Kept(new=2, known=2)
    assert keep(database, PUBLISHED + PUBLISHED) == Kept(new=0, known=8)
    assert latest(database.connection) == PUBLISHED[:2]


def test_what_is_kept_already_is_looked_for_by_few_statements_while_others_wait(database: sqlite.SQLite):
    rates = [ecb("BRL", "4.6279", FRIDAY - timedelta(days=n)) for n in range(2000)]
    keep(database, rates[1000:])
    read: list[str] = []
    database.connection.set_trace_callback(read.append)
    assert keep(database, iter(rates)) == Kept(new=1000, known=1000)
    database.connection.set_trace_callback(None)
    assert sum("SELECT" in said and "rates" in said for said in read) == 1


@pytest.mark.parametrize("known", [[], PUBLISHED])
def test_another_value_for_the_same_time_is_refused_and_nothing_of_the_file_is_kept(database: sqlite.SQLite, known):
    keep(database, known)
    with pytest.raises(Refused, match=r"rate_changed: EUR in BRL .* is kept as 46279/10000, not 1157/250"):
        keep(database, [ecb("JPY", "129.65"), ecb("BRL", "4.6279"), ecb("BRL", "4.6280")])
    assert latest(database.connection) == known[:2]


def test_another_source_may_say_something_else(database: sqlite.SQLite):
    bank = parse_rate("EUR", "BRL", "4.70", published_at=ecb_counts_from(FRIDAY), source="bank")
    assert keep(database, [ecb("BRL", "4.6279"), bank]) == Kept(new=2, known=0)


def test_the_last_rate_before_a_time_is_found_either_way_and_across(database: sqlite.SQLite):
    keep(database, PUBLISHED)
    connection = database.connection
    assert rate(connection, "EUR", "BRL", SUNDAY_NOON) == ecb("BRL", "4.6279")
    assert rate(connection, "BRL", "EUR", SUNDAY_NOON) == inverse(ecb("BRL", "4.6279"))
    assert rate(connection, "BRL", "USD", SUNDAY_NOON) == cross(ecb("BRL", "4.6279"), ecb("USD", "1.1724"))
    assert rate(connection, "EUR", "BRL", ecb_counts_from(MONDAY)) == ecb("BRL", "4.5564", MONDAY)
    assert rate(connection, "EUR", "BRL", ecb_counts_from(FRIDAY) - timedelta(microseconds=1)) is None
    assert rate(connection, "EUR", "BRL", ecb_counts_from(MONDAY) + OLDEST + timedelta(seconds=1)) is None
    assert rate(connection, "EUR", "KWD", SUNDAY_NOON) is None


@pytest.mark.parametrize(("numerator", "denominator"), [(0, 1), (-4, 1), (4, 0), (4, 2)])
def test_a_ratio_that_is_none_is_named_by_verify(database: sqlite.SQLite, numerator: int, denominator: int):
    keep(database, PUBLISHED)
    with database.connection as connection:
        connection.execute("UPDATE rates SET numerator=?, denominator=? WHERE quote='USD'", (numerator, denominator))
    found = verify(database.path)
    assert [(x.table, x.key[:2], x.column) for x in found] == [("rates", ("EUR", "USD"), "numerator")] * 2
    database.connection.execute("DELETE FROM rates")
