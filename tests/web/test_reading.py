"""What is read for an answer: no more than it needs, and nothing long on the event loop, where everybody waits."""

import pytest

import scenes
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
