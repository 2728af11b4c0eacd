"""Fund records → statement → entry: the same filed or not, page by page, and each store sees its own alone."""

import sqlite3
from datetime import timedelta
from itertools import pairwise

import pytest

from given import BUYER, DAY, FINANCE, PLATFORM, SELLER, Market, T, eur
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.fund import PayDeposit
from houbao.core.scopes import EVERYTHING, Scope, scope_of
from houbao.core.terms import Actor, Refused
from houbao.store import fund_records, statements
from houbao.store.statements import START, Statement, lines_after
from store.history import build

OAK = scope_of(SELLER)


@pytest.fixture
def market(tmp_path):
    """Two stores; of oak's orders one was refunded by the fund, one by the seller; the clock went on between."""
    market = Market(tmp_path)
    market.accept(p.RegisterStore(store="elm"), PLATFORM)
    market.order(store="elm", amount="33.00", commission="3.00")
    for day, reason in enumerate(("damaged", "in_transit_overdue")):
        market.go(T + day * DAY)
        dispute = market.open(market.order(amount="40.00", commission="4.00"), reason, "40.00", reference=f"c-{day}")
        if reason == "damaged":
            market.rule(dispute)
        market.work()
    market.go(T + 8 * DAY)
    market.accept(PayDeposit(store="oak", minor=eur("5.00"), currency="EUR"), FINANCE)
    return market


def page(market: Market, **asked) -> Statement:
    return statements.statement(market.database.connection, OAK, 0, "oak", "EUR", **asked)


def pages(market: Market, limit: int) -> list[Statement]:
    found, after = [], START
    while after is not None:
        found.append(page(market, after=after, limit=limit))
        after = found[-1].next
    return found


def file_up_to(market: Market, least: int, most: int) -> int:
    return market.database.file(0, least, most)


def test_the_balance_on_the_statement_is_what_the_stores_accounts_hold(market):
    whole = page(market)
    held = market.database.connection.execute(
        "SELECT sum(minor) FROM balances WHERE account LIKE 'store:oak:%' AND currency='EUR'"
    ).fetchone()[0]
    assert whole.closing == held == whole.entries[-1].balance
    assert (whole.opening, whole.next) == (0, None)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("filed", [0, 7, 12, 10_000])
def test_on_every_page_opening_and_in_less_out_is_closing_wherever_filing_stopped(market, limit, filed):
    unfiled = page(market).entries
    if filed:
        file_up_to(market, 1, filed)
    found = pages(market, limit)
    assert [entry for one in found for entry in one.entries] == unfiled
    assert all(one.opening + one.incoming - one.outgoing == one.closing for one in found)
    assert all(before.closing == after.opening for before, after in pairwise(found))


def test_nothing_is_filed_before_enough_has_come_and_then_in_runs(market):
    head = market.database.head(0).position
    assert file_up_to(market, head + 1, head) == 0
    assert file_up_to(market, head, 10) == 10
    assert file_up_to(market, 1, 1000) == head - 10
    assert file_up_to(market, 1, 1000) == 0
    market.check()


def test_what_is_filed_while_a_page_is_read_is_not_told_twice(market):
    file_up_to(market, 1, 12)
    whole = page(market).entries
    other = sqlite3.connect(market.database.path, isolation_level=None)
    _, lines = lines_after(other, 0, "oak", "EUR", START, 2**62)
    first = next(lines)
    file_up_to(market, 1, 1000)
    assert [first, *lines] == whole
    other.close()


def test_a_page_of_filed_lines_is_found_without_walking_any_table(market):
    file_up_to(market, 1, 10_000)
    said: list[str] = []
    connection = market.database.connection
    connection.set_trace_callback(said.append)
    page(market, start=T + DAY, end=T + 9 * DAY, after=(20, 0), limit=3)
    connection.set_trace_callback(None)
    assert said
    for statement in said:
        for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
            assert not step.startswith("SCAN"), (statement, step)


def test_a_span_of_time_opens_with_what_was_there_before_it(market):
    whole = page(market).entries
    first_day = [entry for entry in whole if entry.at < T + DAY]
    later = page(market, start=T + DAY, end=T + 8 * DAY)
    assert later.opening == first_day[-1].balance
    assert later.entries == [entry for entry in whole if T + DAY <= entry.at < T + 8 * DAY]
    assert page(market, start=T + 30 * DAY).opening == whole[-1].balance
    assert page(market, end=T - DAY).entries == []


def test_a_fund_record_is_what_one_event_did_and_what_it_was_for(market):
    records = fund_records.fund_records(market.database.connection, OAK, 0, "oak").records
    refunded = next(record for record in records if record.purpose.payer == "fund")
    assert (refunded.event, refunded.incoming, refunded.outgoing) == ("refund_paid", 4000, 4000)
    assert [entry.kind for entry in refunded.entries] == ["guarantee", "refund"]
    assert (refunded.purpose.dispute, refunded.purpose.reason) == ("c-0", "damaged")
    assert refunded.purpose.rule == market.dispute(refunded.dispute).rule != ""
    assert sum(x.incoming - x.outgoing for x in records) == page(market).closing == records[-1].balance


def test_fund_records_come_in_pages_and_can_be_asked_for_by_kind_order_and_dispute(market):
    def records(**asked):
        return fund_records.fund_records(market.database.connection, OAK, 0, "oak", **asked)

    whole = records(limit=100).records
    file_up_to(market, 1, 15)
    paged, after = [], 0
    while after is not None:
        found = records(after=after, limit=2)
        paged += found.records
        after = found.next
    assert paged == whole
    assert [x.purpose.order for x in records(kind="payment").records] == ["owed", "order-2", "order-3"]
    disputed = whole[-2].dispute
    assert [x.dispute for x in records(dispute=disputed).records] == [disputed]
    assert {x.order for x in records(order=whole[-2].order).records} == {whole[-2].order}


def test_a_statement_in_two_currencies_is_told_record_by_record(tmp_path):
    database = build(tmp_path / "houbao.db").database
    for store in ("oak", "elm"):
        codes = statements.currencies(database.connection, 0, store)
        found = fund_records.fund_records(database.connection, EVERYTHING, 0, store, limit=10_000).records
        assert {record.currency for record in found} == set(codes)
        assert [record.position for record in found] == sorted(record.position for record in found)
        for code in codes:
            whole = statements.statement(database.connection, EVERYTHING, 0, store, code)
            assert sum(x.incoming - x.outgoing for x in found if x.currency == code) == whole.closing
            for entry in whole.entries:
                detail = fund_records.entry_detail(database.connection, EVERYTHING, 0, store, (entry.position, entry.n))
                assert detail.entry == entry


def test_an_entry_tells_what_was_paid_what_it_cost_and_what_became_of_it(market):
    connection = market.database.connection
    lines = page(market).entries

    def detail(kind):
        entry = [line for line in lines if line.kind == kind][-1]
        return fund_records.entry_detail(connection, OAK, 0, "oak", (entry.position, entry.n))

    payment = detail("payment")
    assert (payment.gross, payment.fee, payment.provider, payment.status) == (4000, 400, "sandbox", "booked")
    assert payment.happened_at == T - 10 * DAY < payment.entry.at
    refund = detail("refund")
    assert (refund.gross, refund.provider, refund.payment, refund.status) == (4000, "sandbox", "card", "paid")
    attempt = refund.attempt
    dispute = refund.entry.dispute
    market.accept(r.ReportRefund(dispute=dispute, attempt=attempt, result="returned"), Actor("provider", "sandbox"))
    assert detail("refund").status == "due"


def test_an_entry_of_two_currencies_tells_the_rate(tmp_path):
    database = build(tmp_path / "houbao.db").database
    told = [
        fund_records.entry_detail(database.connection, EVERYTHING, 0, store, (entry.position, entry.n))
        for store in ("oak", "elm")
        for code in statements.currencies(database.connection, 0, store)
        for entry in statements.statement(database.connection, EVERYTHING, 0, store, code).entries
    ]
    assert {(x.rate.base, x.rate.quote) for x in told if x.rate} == {("EUR", "BRL")}


@pytest.mark.parametrize("scope", [scope_of(Actor("seller", "elm")), scope_of(BUYER), Scope(stores=())])
def test_nobody_sees_the_books_of_another_store(market, scope):
    connection = market.database.connection
    for ask in (
        lambda: statements.statement(connection, scope, 0, "oak", "EUR"),
        lambda: fund_records.fund_records(connection, scope, 0, "oak"),
        lambda: fund_records.entry_detail(connection, scope, 0, "oak", (4, 0)),
    ):
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.code == "not_yours"


def test_an_entry_of_another_store_is_none_of_ones_own(market):
    (line, *_) = market.statement("elm")
    with pytest.raises(Refused) as refused:
        fund_records.entry_detail(market.database.connection, OAK, 0, "oak", (line.position, line.n))
    assert refused.value.code == "unknown_entry"


def test_the_worker_files_once_enough_has_come(market, monkeypatch):
    monkeypatch.setattr("houbao.engine.worker.FILED_FROM", 10)
    market.go(market.now + timedelta(minutes=1))
    filed = market.database.connection.execute("SELECT position FROM filed").fetchone()[0]
    assert market.database.head(0).position - filed < 10
