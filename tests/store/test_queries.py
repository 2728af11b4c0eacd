"""Queues and lists of disputes: by due time, page after page, nothing twice, and nobody sees what is another's."""

import pytest

from given import AGENT, BUYER, DAY, FINANCE, PLATFORM, SELLER, Market, T, eur, standard
from houbao.core import disputes as d
from houbao.core.fund import TopUp
from houbao.core.programme import RegisterStore
from houbao.core.scopes import Scope, scope_of
from houbao.core.terms import Actor, Refused
from houbao.store import desk_money, lists, queries, schema

ELM = Actor("seller", "elm")


def opened(market, count, reason, store="oak"):
    """That many disputes, each an hour after the other."""
    numbers = []
    for _ in range(count):
        numbers.append(market.open(market.order(store=store), reason, "9.00"))
        market.now += DAY / 24
    return numbers


def pages(market, by, waiting_for, limit=2, **more):
    """The numbers of the disputes, page by page."""
    found, after = [], (-1, 0)
    while after is not None:
        page = queries.queue(
            market.database.connection, 0, scope_of(by), waiting_for=waiting_for, after=after, limit=limit, **more
        )
        found.append([dispute.id for dispute in page.disputes])
        after = page.next
    return found


def test_the_agents_queue_comes_by_due_time_page_after_page(market):
    first, second, third = opened(market, 3, "counterfeit")
    market.accept(d.Reject(dispute=second, reason="genuine"), SELLER)
    market.accept(d.Escalate(dispute=second), BUYER)
    market.accept(d.Reject(dispute=first, reason="genuine"), SELLER)
    market.now += DAY
    market.accept(d.Escalate(dispute=first), BUYER)
    assert pages(market, AGENT, "agent") == [[second, first]]
    assert pages(market, AGENT, "agent", limit=1) == [[second], [first]]
    assert pages(market, FINANCE, "seller") == [[third]]


def test_disputes_due_at_the_same_time_are_all_there_once(market):
    order = [market.order() for _ in range(3)]
    numbers = [market.open(one, "counterfeit", "9.00") for one in order]
    assert pages(market, SELLER, "seller", limit=1) == [[number] for number in numbers]


def test_a_seller_sees_what_waits_for_their_own_store_alone(market):
    market.accept(RegisterStore(store="elm"), PLATFORM)
    oak, elm = opened(market, 2, "counterfeit"), opened(market, 1, "counterfeit", store="elm")
    assert pages(market, SELLER, "seller") == [oak]
    assert pages(market, ELM, "seller") == [elm]


def test_who_has_two_stores_sees_what_waits_for_both_the_first_due_first(market):
    market.accept(RegisterStore(store="elm"), PLATFORM)
    (first,), (second,), (third,) = (opened(market, 1, "counterfeit", store=store) for store in ("oak", "elm", "oak"))
    both = Scope(stores=("oak", "elm"))
    found = queries.queue(market.database.connection, 0, both, waiting_for="seller")
    assert [dispute.id for dispute in found.disputes] == [first, second, third]


@pytest.mark.parametrize(("by", "waiting_for"), [(SELLER, "agent"), (BUYER, "buyer"), (BUYER, "seller")])
def test_nobody_sees_a_queue_that_is_not_theirs(market, by, waiting_for):
    with pytest.raises(Refused, match="not_permitted"):
        pages(market, by, waiting_for)


def test_what_is_due_before_a_time_can_be_asked_for(market):
    first, _ = opened(market, 2, "counterfeit")
    due = d.due_at(market.dispute(first))
    assert pages(market, SELLER, "seller", due_before=due + DAY / 48) == [[first]]


def test_what_is_closed_leaves_the_queue_and_stays_in_the_list(market):
    first, second = opened(market, 2, "counterfeit")
    market.accept(d.Withdraw(dispute=first), BUYER)
    assert pages(market, SELLER, "seller") == [[second]]
    connection = market.database.connection
    newest = queries.disputes_of_store(connection, 0, scope_of(SELLER), "oak", limit=1)
    assert ([one.id for one in newest.disputes], newest.next) == ([second], (second, 0))
    older = queries.disputes_of_store(connection, 0, scope_of(AGENT), "oak", before=second, limit=1)
    assert ([one.id for one in older.disputes], older.next) == ([first], None)


def test_a_store_does_not_list_anothers_disputes(market):
    with pytest.raises(Refused, match="not_permitted"):
        queries.disputes_of_store(market.database.connection, 0, scope_of(ELM), "oak")


def test_every_dispute_that_waits_for_an_agent_or_a_seller_is_due(market):
    opened(market, 2, "counterfeit")
    opened(market, 2, "damaged")
    found = market.database.connection.execute(
        "SELECT count(*) FROM disputes WHERE waiting_for IN ('agent', 'seller') AND due_at IS NULL"
    ).fetchone()
    assert found == (0,)


@pytest.mark.parametrize(
    ("by", "waiting_for", "index"),
    [(AGENT, "agent", "disputes_by_due"), (SELLER, "seller", "disputes_of_sellers")],
)
def test_a_page_of_a_queue_is_read_from_its_index_in_order(market, by, waiting_for, index):
    connection, said = market.database.connection, []
    connection.set_trace_callback(said.append)
    queries.queue(connection, 0, scope_of(by), waiting_for=waiting_for)
    connection.set_trace_callback(None)
    (plan,) = connection.execute(f"EXPLAIN QUERY PLAN {said[0]}").fetchall()
    assert index in plan[-1]
    assert "(due_at,id)>" in plan[-1].replace(" ", "") or "due_at>" in plan[-1]
    assert index in {str(one.name) for one in schema.disputes.indexes}


ASKED = {"store": "oak", "order": 3, "phase": "verifying", "waiting_for": "agent", "due_before": T + 90 * DAY}


def plans(connection, statements):
    """How the database goes about the statements, step by step."""
    return [step for said in statements for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {said}")]


@pytest.mark.parametrize("by_due", [False, True])
@pytest.mark.parametrize("named", [(), *((name,) for name in ASKED), tuple(ASKED)])
def test_whatever_is_asked_of_a_buyers_disputes_they_are_found_by_the_buyer(market, named, by_due):
    connection, said = market.database.connection, []
    filters = lists.Filters(**{name: ASKED[name] for name in named})
    connection.set_trace_callback(said.append)
    lists.dispute_page(connection, 0, scope_of(BUYER), filters, by_due=by_due, after=(0, 9), limit=50)
    connection.set_trace_callback(None)
    first, *sorting = plans(connection, said)
    assert "SEARCH disputes USING INDEX disputes_by_buyer (part=? AND buyer_id=?" in first
    assert len(sorting) == by_due


@pytest.mark.parametrize("asked", [{}, {"store": "oak"}, {"reference": "order-1"}, {"store": "oak", "reference": "o"}])
def test_whatever_is_asked_of_a_buyers_orders_they_are_found_by_the_buyer(market, asked):
    connection, said = market.database.connection, []
    connection.set_trace_callback(said.append)
    lists.order_page(connection, 0, scope_of(BUYER), **asked, before=9, limit=50)
    connection.set_trace_callback(None)
    assert plans(connection, said) == ["SEARCH orders USING INDEX orders_by_buyer (part=? AND buyer_id=? AND id<?)"]


def test_what_a_top_up_paid_ends_with_the_next_money_and_premiums_are_money(tmp_path):
    market = Market(tmp_path, fund="0", programme=standard(mode="premium"))
    disputes = [market.open(market.order(amount=amount), "damaged", amount) for amount in ("50.00", "9.00")]
    for dispute in disputes:
        market.rule(dispute)
    booked = market.accept(TopUp(minor=eur("50.00"), currency="EUR"), FINANCE).first
    market.work()
    market.order(amount="2000.00")
    market.work()
    assert [market.dispute(dispute).outcome for dispute in disputes] == ["refunded", "refunded"]
    assert desk_money.served_after(market.database.connection, 0, "EUR", booked) == (1, eur("50.00"))
