"""The commission on what a seller refunds: kept, or given back in proportion where the policy says so."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.policies import next_policy
from core.pure import Desk
from given import AGENT, BUYER, PROVIDER, SELLER, SENIOR
from houbao.core import chargebacks as c
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core.accounts import COMMISSION, EXPENSE
from houbao.core.acts import SendGoodwill
from houbao.core.commissions import given_back
from houbao.core.refunds import SendRefund
from houbao.core.terms import SYSTEM

PAYABLE, HELD, CASH = "store:oak:payable", "store:oak:held", "provider:sandbox"
BACK = ("commission_back", COMMISSION, PAYABLE)
AGAIN = ("commission_again", PAYABLE, COMMISSION)


def pro_rata(**given: Any) -> Desk:
    """An order of 40.00 with 4.00 of commission, which comes back with refunds."""
    policy = next_policy(version="2026.1", commission='"pro_rata"')
    return Desk(**{"policy": policy, "commission": "4.00", **given})


def accepted(amount: str = "10.00", **given: Any) -> Desk:
    """The seller agreed to a claim."""
    desk = pro_rata(**given)
    desk.open("in_transit_overdue", amount)
    desk.do(d.Accept(dispute=desk.dispute), SELLER)
    return desk


def pay_all(desk: Desk, number: int) -> None:
    for refund in desk.state(number).refunds:
        for share in refund.shares:
            command = SendRefund(dispute=number, payment=share.payment, refund=refund.id)
            if desk.do(command, SYSTEM).events:
                desk.report(desk.world.position, "paid", number)


def commissions(desk: Desk) -> list[tuple[str, str, str, str]]:
    return [moved for moved in desk.moved() if moved[0].startswith("commission_")]


def attempt(desk: Desk) -> int:
    return desk.state().refunds[-1].shares[0].attempt


def test_the_commission_comes_back_when_the_sellers_refund_is_paid_and_not_before() -> None:
    desk = accepted()
    number = desk.send()
    assert commissions(desk) == []
    desk.report(number, "paid")
    assert desk.moved()[-2:] == [("refund", HELD, CASH, "10.00"), (*BACK, "1.00")]
    assert desk.balance(COMMISSION) == "3.00"
    assert desk.balance(PAYABLE) == "27.00"


def test_what_is_said_twice_gives_nothing_twice() -> None:
    desk = accepted()
    number = desk.send()
    for _ in range(2):
        desk.report(number, "paid")
    assert commissions(desk) == [(*BACK, "1.00")]


def test_it_is_due_again_when_the_money_is_returned_and_comes_back_when_it_goes_out_again() -> None:
    desk = accepted()
    desk.report(desk.send(), "paid")
    desk.report(attempt(desk), "returned")
    assert desk.moved()[-2:] == [("refund_returned", CASH, HELD, "10.00"), (*AGAIN, "1.00")]
    assert desk.balance(COMMISSION) == "4.00"
    desk.report(desk.send(), "paid")
    assert commissions(desk) == [(*BACK, "1.00"), (*AGAIN, "1.00"), (*BACK, "1.00")]


def test_what_was_paid_and_returned_before_anybody_heard_of_it_is_even() -> None:
    desk = accepted()
    desk.report(desk.send(), "returned")
    assert commissions(desk) == [(*BACK, "1.00"), (*AGAIN, "1.00")]


@pytest.mark.parametrize(("how", "moved"), [("paid_elsewhere", [(*BACK, "1.00")]), ("abandon", [])])
def test_it_comes_back_for_what_was_paid_elsewhere_and_not_for_what_was_given_up(how, moved) -> None:
    desk = accepted()
    desk.report(desk.send(), "refused", final=True)
    desk.resolve(how)
    assert commissions(desk) == moved


def test_the_shipped_policy_keeps_it() -> None:
    desk = accepted(policy="")
    desk.report(desk.send(), "paid")
    assert (commissions(desk), desk.balance(COMMISSION)) == ([], "4.00")


def test_without_a_commission_none_comes_back() -> None:
    desk = accepted(commission="0")
    desk.report(desk.send(), "paid")
    assert commissions(desk) == []


def test_what_the_fund_or_the_platform_pays_brings_the_seller_none() -> None:
    for payer in ("fund", "platform"):
        desk = pro_rata()
        desk.open("in_transit_overdue", "10.00")
        desk.do(d.Reject(dispute=desk.dispute, reason="proof"), SELLER)
        desk.do(d.Escalate(dispute=desk.dispute), BUYER)
        desk.do(d.Rule(dispute=desk.dispute, finding="justified", reason="photos", payer=payer), AGENT)
        desk.report(desk.send(), "paid")
        desk.report(attempt(desk), "returned")
        assert commissions(desk) == []


def test_a_gift_brings_its_part_too() -> None:
    desk = pro_rata()
    desk.do(SendGoodwill(order=desk.order().id, amount=1000), SELLER)
    pay_all(desk, next(iter(desk.world.disputes)))
    assert commissions(desk) == [(*BACK, "1.00")]


def test_who_gets_the_refund_back_by_an_appeal_owes_the_commission_again() -> None:
    desk = accepted()
    desk.report(desk.send(), "paid")
    desk.do(d.FileAppeal(dispute=desk.dispute, about="funding"), SELLER)
    desk.do(d.Rule(dispute=desk.dispute, finding="justified", reason="photos"), SENIOR)
    assert desk.moved()[-2:] == [("given_back", EXPENSE, PAYABLE, "10.00"), (*AGAIN, "1.00")]
    assert (desk.balance(PAYABLE), desk.balance(COMMISSION)) == ("36.00", "4.00")


def test_a_chargeback_brings_none() -> None:
    desk = pro_rata()
    for state in ("opened", "lost"):
        charge = c.Chargeback(order=desk.order().id, payment="card", reference="cb", minor=1000, state=state)
        desk.do(charge, PROVIDER)
    assert desk.balance(COMMISSION) == "4.00"


def test_it_is_rounded_half_up_on_the_running_total_of_the_order() -> None:
    lines = tuple(o.NewLine(id=str(n), item=1000) for n in (1, 2, 3, 4))
    desk = pro_rata(lines=lines, commission="0.10")
    for line in ("1", "2", "3", "4"):
        number = desk.open("in_transit_overdue", "10.00", lines=((line, 1),))
        desk.do(d.Accept(dispute=number), SELLER)
        pay_all(desk, number)
    assert [moved[3] for moved in commissions(desk)] == ["0.03", "0.02", "0.03", "0.02"]
    assert desk.balance(COMMISSION) == "0.00"


def test_what_another_paid_is_no_part_of_that_total() -> None:
    lines = tuple(o.NewLine(id=str(n), item=1000) for n in (1, 2, 3, 4))
    desk = pro_rata(lines=lines, commission="0.10")
    for line, reason in (("1", "damaged"), ("2", "in_transit_overdue")):
        number = desk.open(reason, "10.00", lines=((line, 1),))
        if reason == "damaged":
            desk.rule(dispute=number)
        else:
            desk.do(d.Accept(dispute=number), SELLER)
        pay_all(desk, number)
    assert [moved[3] for moved in commissions(desk)] == ["0.03"]


@given(
    commission=st.integers(1, 4000),
    steps=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["pay", "return", "appeal"])), max_size=12),
    items=st.lists(st.integers(1, 1300), min_size=4, max_size=4),
)
def test_what_came_back_is_the_part_of_what_the_seller_has_refunded_and_never_above_the_commission(
    commission, steps, items
) -> None:
    total = sum(items)
    commission = min(commission, total)
    desk = pro_rata(
        amount=f"{total // 100}.{total % 100:02}",
        lines=tuple(o.NewLine(id=str(n), item=item) for n, item in enumerate(items)),
        commission=f"{commission // 100}.{commission % 100:02}",
    )
    numbers: dict[int, int] = {}
    for n, what in steps:
        number = numbers.get(n)
        if what == "pay" and number is None:
            asked = f"{items[n] // 100}.{items[n] % 100:02}"
            number = numbers[n] = desk.open("in_transit_overdue", asked, lines=((str(n), 1),))
            desk.do(d.Accept(dispute=number), SELLER)
        if number is None:
            continue
        state = desk.state(number)
        if what == "pay":
            pay_all(desk, number)
        elif what == "return" and state.phase == "closed":
            desk.report(state.refunds[0].shares[0].attempt, "returned", number)
        elif what == "appeal" and state.phase == "closed" and not state.appeals:
            desk.do(d.FileAppeal(dispute=number, about="funding"), SELLER)
            desk.do(d.Rule(dispute=number, finding="justified", reason="photos"), SENIOR)
        came = commission - desk.balances[COMMISSION]
        refunds = [refund for one in desk.world.disputes.values() for refund in one.refunds if refund.payer == "seller"]
        refunded = sum(refund.minor for refund in refunds if refund.state == "paid")
        assert 0 <= came == given_back(desk.order(), refunded) <= commission
