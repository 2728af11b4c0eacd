"""Where a refund cannot be paid: the buyer names another way, or in 90 days it goes back (domain §4, refunding)."""

from core.pure import Desk
from core.test_cells import (
    agreed,
    awaiting_seller,
    came_back_beside_one_that_waits,
    came_back_in_an_appeal,
    send_the_first,
    stuck,
    verifying,
)
from given import BUYER, DAY, PLATFORM, SECOND, SELLER, T, eur
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import phases
from houbao.core.refunds import SendRefund, SetPayoutWay
from houbao.core.terms import SYSTEM


def name_a_way(desk: Desk, way: str = "iban-7") -> None:
    desk.do(SetPayoutWay(dispute=desk.dispute, payment="card", way=way), BUYER)


def test_another_way_makes_what_was_stuck_due_again_and_stops_the_clock() -> None:
    desk = stuck()
    assert (phases.waits_for(desk.state()), desk.due()) == ("buyer", T + 90 * DAY)
    name_a_way(desk)
    assert [effect.payment for effect in desk.effects if effect.kind == "refund"] == ["card", "card"]
    assert (d.due_at(desk.state()), desk.state().refunds[0].shares[0].way) == (None, "iban-7")
    desk.report(desk.send(), "paid")
    assert desk.state().outcome == "refunded"


def test_a_second_no_gives_ninety_days_anew() -> None:
    desk = stuck()
    desk.now = T + 80 * DAY
    name_a_way(desk)
    desk.report(desk.send(), "refused", final=True)
    assert desk.due() == T + 170 * DAY


def test_ninety_days_without_a_way_close_it_unclaimed_and_the_money_goes_back() -> None:
    desk = stuck()
    desk.sweep(T + 90 * DAY - SECOND)
    assert desk.state().phase == "refunding"
    desk.sweep(T + 90 * DAY)
    state = desk.state()
    assert (state.outcome, state.fault.state, d.funding_of(state)) == ("unclaimed", "exempt", ())
    assert (desk.balance("fund:available"), desk.balance("fund:reserved")) == ("1000.00", "0.00")


def test_what_the_seller_paid_goes_back_to_the_seller() -> None:
    desk = awaiting_seller()
    desk.do(d.Accept(dispute=desk.dispute), SELLER)
    desk.report(desk.send(), "refused", final=True)
    desk.sweep(T + 90 * DAY)
    assert (desk.state().outcome, desk.balance("store:oak:payable")) == ("unclaimed", "40.00")


def test_only_where_something_is_stuck_is_another_way_taken() -> None:
    desk = stuck()
    for changed, code in (({"payment": "cash"}, "no_refund"), ({"way": "no spaces"}, "bad_reference")):
        command = SetPayoutWay(**{"dispute": desk.dispute, "payment": "card", "way": "iban-7"} | changed)
        assert desk.refuse(command, BUYER).code == code
    name_a_way(desk)
    assert desk.refuse(SetPayoutWay(dispute=desk.dispute, payment="card", way="iban-8"), BUYER).code == "no_refund"


def test_delivered_after_a_refund_for_what_had_not_come_both_are_told_and_the_seller_may_appeal() -> None:
    desk = Desk(delivered=False)
    desk.open("in_transit_overdue", "40.00")
    desk.do(d.Accept(dispute=desk.dispute), SELLER)
    desk.report(desk.send(), "paid")
    desk.do(o.Delivered(order=desk.order().id, at=T), PLATFORM)
    told = [(effect.kind, effect.to) for effect in desk.effects if effect.what == "delivered_after_refund"]
    assert told == [("alert", ""), ("mail", "buyer"), ("mail", "seller")]
    desk.do(d.FileAppeal(dispute=desk.dispute, about="remedy"), SELLER)
    desk.rule()
    assert (desk.balance("store:oak:payable"), desk.state().fault.state) == ("40.00", "exempt")
    assert d.funding_of(desk.state()) == (("platform", eur("40.00")),)


def test_a_delivery_is_told_of_no_dispute_about_anything_else() -> None:
    desk = agreed()
    assert not [effect for effect in desk.effects if effect.what == "delivered_after_refund"]


def test_what_got_stuck_while_an_appeal_was_heard_has_its_ninety_days_too() -> None:
    desk = came_back_in_an_appeal()
    desk.report(desk.send(), "refused", final=True)
    desk.sweep(T + 15 * DAY)
    assert (desk.state().phase, phases.waits_for(desk.state()), desk.due()) == ("refunding", "buyer", T + 90 * DAY)
    desk.sweep(T + 90 * DAY)
    assert (desk.state().phase, desk.state().outcome) == ("closed", "unclaimed")


def test_what_is_stuck_beside_a_payment_that_nobody_knows_of_is_given_up_when_the_word_comes() -> None:
    desk = verifying(payments=CARDS)
    desk.rule()
    desk.report(desk.send("card"), "refused", final=True)
    attempt = desk.send("second")
    desk.report(attempt, "unknown")
    desk.sweep(T + 90 * DAY)
    assert (desk.state().phase, d.due_at(desk.state())) == ("refunding", None)
    desk.now = T + 95 * DAY
    desk.report(attempt, "paid")
    assert desk.due() == T + 95 * DAY
    desk.sweep(T + 95 * DAY)
    assert (desk.state().outcome, d.funding_of(desk.state())) == ("partially_refunded", (("fund", eur("10.00")),))


def test_what_got_stuck_beside_one_that_waited_for_money_has_its_ninety_days_when_that_is_paid() -> None:
    desk = came_back_beside_one_that_waits()
    first, second = desk.state().refunds
    desk.do(send_the_first(desk), SYSTEM)
    desk.report(desk.state().refunds[0].shares[0].attempt, "refused", final=True)
    assert desk.state().phase == "awaiting_funds"
    desk.top_up("20.00")
    desk.serve()
    desk.do(SendRefund(dispute=desk.dispute, payment="card", refund=second.id), SYSTEM)
    desk.report(desk.state().refunds[1].shares[0].attempt, "paid")
    assert (desk.state().phase, desk.due()) == ("refunding", T + 90 * DAY)
    desk.sweep(T + 90 * DAY)
    assert (desk.state().outcome, d.refund_of(desk.state(), first.id).state) == ("partially_refunded", "abandoned")


CARDS = (
    o.Payment(id="card", provider="sandbox", minor=3000),
    o.Payment(id="second", provider="sandbox", minor=1000),
)
"""An order of 40.00 paid with two cards."""
