"""What buyer and seller settle between themselves: words on the order, and money without a dispute (R15)."""

from typing import Any

import pytest
from msgspec import structs

from core.pure import ACTORS, Desk
from given import BUYER, DAY, PROVIDER, SELLER, T, eur, opening
from houbao.core import disputes as d
from houbao.core.acts import SendGoodwill
from houbao.core.chargebacks import Chargeback
from houbao.core.messages import OrderMessageWritten, WriteOnOrder
from houbao.core.refunds import Refund
from houbao.core.terms import Actor

PAYABLE, HELD, BANK = "store:oak:payable", "store:oak:held", "provider:sandbox"


def gift(desk: Desk, amount: str = "10.00") -> int:
    """The seller sends that much; returns the number of its record."""
    desk.do(SendGoodwill(order=desk.order().id, amount=eur(amount)), SELLER)
    return max(desk.world.disputes)


def refund(desk: Desk, number: int) -> Refund:
    (only,) = desk.state(number).refunds
    return only


def test_the_sellers_own_money_goes_out_as_any_refund_does_and_once() -> None:
    desk = Desk()
    number = gift(desk)
    desk.report(desk.send(dispute=number), "paid", number)
    assert desk.moved() == [("hold", PAYABLE, HELD, "10.00"), ("refund", HELD, BANK, "10.00")]
    state = desk.state(number)
    assert (state.phase, state.outcome, state.resolved_by) == ("closed", "refunded", "goodwill")
    assert d.funding_of(state) == (("seller", eur("10.00")),)


def test_it_counts_nowhere() -> None:
    desk = Desk()
    number = gift(desk)
    assert desk.state(number).fault == d.Fault(state="exempt", kind="goodwill", why="goodwill")
    desk.report(desk.send(dispute=number), "paid", number)
    assert desk.state(number).fault.state == "exempt"
    assert (desk.state(number).asked, desk.state(number).adjudicated) == (0, False)
    assert not [event for event in desk.events if isinstance(event, d.DisputeOpened)]


def test_it_takes_no_dispute_from_the_buyer_who_may_ask_for_the_rest() -> None:
    desk = Desk()
    number = gift(desk)
    rest = opening(desk.order().id, "damaged", "30.01")
    assert desk.refuse(rest, BUYER).code == "amount_above_refundable"
    assert desk.state(desk.open("damaged", "30.00")).phase == "verifying"
    desk.report(desk.send(dispute=number), "paid", number)
    desk.do(d.Withdraw(dispute=desk.dispute or number + 2), BUYER)


def test_it_is_capped_at_what_is_refundable_and_at_what_the_store_is_owed() -> None:
    desk = Desk(commission="15.00")
    for amount, code in (("40.01", "amount_above_refundable"), ("25.01", "payable_short"), ("0", "bad_amount")):
        assert desk.refuse(SendGoodwill(order=desk.order().id, amount=eur(amount)), SELLER).code == code
    gift(desk, "25.00")


@pytest.mark.parametrize("role", ["buyer", "agent", "finance", "platform"])
def test_nobody_else_sends_it(role: str) -> None:
    desk = Desk()
    assert desk.refuse(SendGoodwill(order=desk.order().id, amount=1), ACTORS[role]).code == "not_permitted"
    assert desk.refuse(SendGoodwill(order=desk.order().id, amount=1), Actor("seller", "elm")).code == "not_yours"


def test_nobody_ruled_so_nobody_appeals_or_takes_it_up_again() -> None:
    desk = Desk()
    number = gift(desk)
    desk.report(desk.send(dispute=number), "paid", number)
    for by in (BUYER, SELLER):
        assert desk.refuse(d.FileAppeal(dispute=number, about="remedy"), by).code == "nothing_to_appeal"
    assert desk.refuse(d.Reopen(dispute=number), BUYER).code == "not_withdrawn"


def test_a_chargeback_is_never_the_sellers_for_a_gift_beside_what_the_guarantee_covers() -> None:
    desk = Desk()
    gift(desk)
    desk.open("damaged", "30.00")
    desk.do(Chargeback(order=desk.order().id, payment="card", reference="cb", minor=4000, state="lost"), PROVIDER)
    assert desk.balance(PAYABLE) == "40.00"


def test_parties_and_agents_write_on_an_order_before_any_dispute_and_nobody_else() -> None:
    desk = Desk()
    command = WriteOnOrder(order=desk.order().id, message="When does it come?")
    for role in ("buyer", "seller", "agent"):
        assert [type(event) for event in desk.do(command, ACTORS[role]).events] == [OrderMessageWritten]
    assert len(desk.order().history) == 7
    for by, code in ((ACTORS["finance"], "not_permitted"), (Actor("buyer", "zoe"), "not_yours")):
        assert desk.refuse(command, by).code == code
    assert desk.refuse(WriteOnOrder(order=desk.order().id, message="  "), BUYER).code == "no_text"


def test_a_message_on_an_order_lets_what_fell_due_happen_first() -> None:
    desk = Desk()
    desk.open("in_transit_overdue", "40.00")
    events: list[Any] = desk.do(WriteOnOrder(order=desk.order().id, message="?"), SELLER, at=T + 6 * DAY).events
    assert desk.state().resolved_by == "seller_timeout"
    assert isinstance(events[-1], OrderMessageWritten)


def test_what_refunds_wait_for_is_not_given_away() -> None:
    desk = Desk()
    desk.world = structs.replace(desk.world, purse=structs.replace(desk.world.purse, payable_queue=1))
    assert desk.refuse(SendGoodwill(order=desk.order().id, amount=eur("5.00")), SELLER).code == "payable_short"
