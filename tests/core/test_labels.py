"""Covered returns with the platform's label: the goods go to the platform, and the fund pays the freight (R8)."""

from typing import Any

import pytest
from msgspec import structs

from core.pure import Desk
from core.test_cells import HANDED_OVER, LABELS, awaiting_return, label_wanted
from given import BUYER, DAY, PLATFORM, SELLER, T, eur
from houbao.core import disputes as d
from houbao.core import phases
from houbao.core import returns as g
from houbao.core.accounts import AVAILABLE, BANK, EXPENSE, RESERVED
from houbao.core.policy_file import parse_policy
from houbao.core.promise import promise
from houbao.core.returns import SendLabel
from houbao.engine.letters import Reader, write

HELD, DEPOSIT, PAYABLE = "store:oak:held", "store:oak:deposit", "store:oak:payable"


def label(desk: Desk, freight: str = "4.50", **said: Any) -> SendLabel:
    fields = {"dispute": desk.dispute, "carrier": "Post", "tracking": "LB1", "minor": eur(freight)}
    return SendLabel(**{**fields, "currency": "EUR", **said})


def ship(desk: Desk) -> g.ShipReturn:
    return g.ShipReturn(dispute=desk.dispute, carrier="Post", tracking="LB1")


def shipped(freight: str = "4.50", **given: Any) -> Desk:
    desk = label_wanted(**given)
    desk.do(label(desk, freight), PLATFORM)
    desk.do(ship(desk), BUYER)
    return desk


def test_what_is_found_justified_is_refunded_when_the_goods_are_with_the_platform() -> None:
    desk = shipped()
    assert desk.refuse(g.ConfirmReturn(dispute=desk.dispute), SELLER).code == "not_yours"
    desk.do(g.ConfirmReturn(dispute=desk.dispute), PLATFORM)
    desk.report(desk.send(), "paid")
    state = desk.state()
    assert (state.outcome, state.resolved_by, d.funding_of(state)) == ("refunded", "guarantee", (("fund", 4000),))
    assert (desk.balance(AVAILABLE), desk.balance(PAYABLE)) == ("955.50", "40.00")


def test_the_fund_pays_the_freight_when_the_goods_are_on_their_way_and_the_sellers_balance_stays() -> None:
    desk = label_wanted()
    desk.do(label(desk), PLATFORM)
    assert desk.moved() == []
    desk.do(ship(desk), BUYER)
    assert desk.moved() == [
        ("reserve", AVAILABLE, RESERVED, "4.50"),
        ("freight", RESERVED, HELD, "4.50"),
        ("freight", HELD, BANK, "4.50"),
    ]


def test_where_the_fund_is_short_or_others_wait_the_platform_pays_it() -> None:
    for given in ({"fund": "4.49"}, {"queue": 1}):
        desk = shipped(**given)
        assert desk.moved() == [("freight", EXPENSE, HELD, "4.50"), ("freight", HELD, BANK, "4.50")]


def test_in_deposit_mode_the_stores_own_deposit_pays_it() -> None:
    desk = shipped(mode="deposit", deposit="50.00")
    assert desk.moved()[0] == ("deposit_pays", DEPOSIT, RESERVED, "4.50")
    assert shipped(mode="deposit", deposit="4.49").moved()[0][1] == EXPENSE


def test_a_label_that_costs_nothing_moves_nothing() -> None:
    assert shipped("0").moved() == []


def test_without_the_label_nobody_sends_anything_and_the_buyers_time_begins_with_it() -> None:
    desk = label_wanted()
    assert phases.waits_for(desk.state()) == "platform"
    assert desk.refuse(ship(desk), BUYER).code == "no_label"
    assert [(e.kind, e.what) for e in desk.effects[-2:]] == [("alert", "label_wanted"), ("mail", "label_coming")]
    desk.now = T + 9 * DAY
    desk.do(label(desk), PLATFORM)
    assert (phases.waits_for(desk.state()), desk.due()) == ("buyer", T + 19 * DAY)
    assert phases.default_outcome(desk.state()) == "lapses"
    desk.sweep(T + 19 * DAY)
    assert (desk.state().outcome, desk.moved()) == ("lapsed", [])


def test_a_platform_that_sends_no_label_pays_without_the_goods_and_it_does_not_count() -> None:
    desk = label_wanted()
    desk.sweep(T + 10 * DAY)
    desk.report(desk.send(), "paid")
    state = desk.state()
    assert (state.outcome, state.fault.state, state.fault.why) == ("refunded", "exempt", "platform_timeout")
    assert [e for e in desk.effects if e.what == "reminder"] == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"minor": -1}, "bad_amount"),
        ({"currency": "BRL"}, "bad_currency"),
        ({"tracking": ""}, "bad_reference"),
        ({"carrier": "x" * 201}, "bad_words"),
    ],
)
def test_a_label_that_cannot_be_is_refused(changed: dict[str, Any], code: str) -> None:
    desk = label_wanted()
    assert desk.refuse(structs.replace(label(desk), **changed), PLATFORM).code == code


def test_a_second_label_or_one_for_a_sellers_own_return_is_not_wanted() -> None:
    desk = label_wanted()
    desk.do(label(desk), PLATFORM)
    assert desk.refuse(label(desk), PLATFORM).code == "no_label_wanted"
    own = awaiting_return(policy=LABELS)
    assert own.refuse(label(own), PLATFORM).code == "no_label_wanted"
    own.do(ship(own), BUYER)


def test_an_agent_may_let_the_buyer_keep_the_goods() -> None:
    desk = Desk(policy=LABELS)
    desk.open("damaged", "40.00")
    desk.rule(remedy="refund")
    assert desk.state().phase == "refunding"


def test_what_is_paid_at_once_is_kept() -> None:
    desk = Desk("12.00", policy=LABELS)
    desk.open("damaged", "12.00", evidence=("a" * 64,))
    assert desk.state().phase == "refunding"


def test_what_the_seller_answers_is_sent_back_only_where_the_two_agree() -> None:
    desk = Desk(policy=LABELS)
    desk.open("in_transit_overdue", "40.00")
    desk.do(d.Accept(dispute=desk.dispute), SELLER)
    assert desk.state().phase == "refunding"


def test_the_mails_tell_the_buyer_of_the_label_and_the_time_it_gives() -> None:
    desk = label_wanted()
    coming = next(e for e in desk.effects if e.what == "label_coming")
    first = write(coming, desk.state(), desk.order(), Reader("ann@mail.example"), 0, "1", desk.due())
    assert "the guarantee's fund" in first.body
    desk.do(label(desk), PLATFORM)
    second = write(desk.effects[-1], desk.state(), desk.order(), Reader("ann@mail.example"), 0, "1", desk.due())
    assert "Use the label LB1 of Post. Send them by Sat 18 Jul 2026, 12:00" in second.body


def test_the_promise_says_where_the_goods_go_and_who_pays_the_freight() -> None:
    for text, said in ((LABELS, "sends the goods to the platform, with a label"), (HANDED_OVER, "keeps the goods")):
        page = {section.title: section.lines for section in promise(parse_policy(text), "EUR", "capital")}
        assert said in page["Returns"][0]
