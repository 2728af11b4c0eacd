"""What is read for an answer: no more than it needs, and nothing long on the event loop, where everybody waits."""

import re

import pytest

import scenes
from given import AGENT, BUYER
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core.messages import WriteOnOrder
from web.desk import PAGE, signed_in
from web.served import money
from web.statements import statements


def test_the_figures_of_now_walk_no_history_of_the_fund(served):
    scenes.exchanged(served.market)
    with statements(served) as read:
        assert served.call("GET", "/metrics", role="read").status_code == 200
    assert read.of("balances")
    assert all("t.position>" in one for one in read.of("transfers"))


def test_the_fund_in_every_currency_is_one_walk_over_its_history(served):
    scenes.exchanged(served.market)
    with statements(served) as read:
        served.get("/v1/fund")
    assert len(read.of("transfers")) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/fund/top-ups", {"amount": money("1.00")}),
        ("/v1/fund/cash-moves", {"amount": money("1.00"), "provider": "sandbox"}),
    ],
)
def test_nobody_waits_on_the_event_loop_for_how_the_fund_stands(served, path, body):
    with statements(served) as read:
        served.post(path, body, role="finance")
    assert read.of("transfers")
    assert not [one for one in read.on_loop if one in read.of("transfers")]


LISTINGS = [
    ("/v1/disputes?limit=200", "platform"),
    ("/v1/disputes?limit=200", "buyer"),
    ("/v1/orders?limit=200", "platform"),
    ("/v1/orders?limit=200", "buyer"),
    ("/v1/stores?limit=200", "platform"),
    ("/v1/events?limit=200", "platform"),
    ("/v1/fund/records?limit=200", "finance"),
    ("/v1/stores/oak/statement?limit=200", "seller"),
    ("/v1/stores/oak/fund-records?limit=200", "seller"),
    ("/disputes", "buyer"),
    ("/orders", "buyer"),
    ("/orders", "seller"),
    ("/inbox", "seller"),
    ("/records", "seller"),
    ("/records/EUR", "seller"),
    ("/records/EUR/held", "seller"),
    ("/score", "seller"),
    ("/queue/verify", "agent"),
    ("/queue/judge", "agent"),
    ("/orders", "agent"),
    ("/fund/movements", "finance"),
    ("/refunds", "finance"),
    ("/debts", "finance"),
    ("/stores", "admin"),
    ("/audit", "admin"),
]
"""The pages of lists, and one of those who read them."""


BESIDE = re.compile(r" FROM keys |^SELECT booked_at FROM events .* position[<>]=\d+ ORDER BY position( DESC)? LIMIT 1$")
"""What is read once a second, and what a time's way to its position is halved by."""


def crowd(served, count: int) -> None:
    """So many of everything that is listed: decided and open disputes, with evidence asked for, words, refunds."""
    market = served.market
    for n in range(count):
        listing = o.Listing(title=f"Vase {len(market.contents()['orders'])}", category="home")
        paid = market.open(market.order(listing=listing), "damaged", "40.00")
        market.rule(paid)
        asked = market.open(market.order(listing=listing), "damaged", "40.00")
        market.accept(d.RequestEvidence(dispute=asked, party="buyer" if n % 2 else "seller", note="A photo?"), AGENT)
        order = market.order(listing=listing, delivered=False)
        market.accept(WriteOnOrder(order=order, message="Where is it?"), BUYER)
        scenes.awaiting_seller(market)
        judged = scenes.rejected(market)
        market.accept(d.Escalate(dispute=judged, note="No."), BUYER)
        against = scenes.rejected(market)
        market.accept(d.Escalate(dispute=against, note="No."), BUYER)
        market.rule(against)
        scenes.returning(market)
    market.top_up("2000.00")
    market.work()


def test_the_number_of_statements_of_a_page_does_not_depend_on_how_many_rows_it_shows(served):
    def told() -> dict[tuple[str, str], int]:
        counts = {}
        for path, who in LISTINGS:
            with statements(served) as read:
                answer = served.client.get(path, headers=signed_in(served, who) | PAGE, follow_redirects=False)
            assert answer.status_code == 200, (path, who, answer.text[:300])
            counts[path, who] = len([one for one in read.all if not BESIDE.search(one)])
        return counts

    crowd(served, 2)
    told()
    few = told()
    crowd(served, 4)
    many = told()
    assert {page: (few[page], count) for page, count in many.items() if count != few[page]} == {}
