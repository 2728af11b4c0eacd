"""Money that comes back from outside for a refund that was paid: whoever bore the refund has it, once."""

from typing import Any

import pytest
from msgspec import structs

from core.policies import next_policy
from core.pure import Desk
from core.test_cells import agreed, awaiting_seller, closed, exchanged, owed_for_long, verifying
from given import BUYER, DAY, FINANCE, PLATFORM, SELLER, SENIOR, T, eur
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core.accounts import AVAILABLE, BANK, COMMISSION, EXPENSE, RESERVED, WRITEOFF
from houbao.core.recoveries import Recover
from houbao.core.refunds import SendRefund
from houbao.core.terms import SYSTEM, Actor

PAYABLE, OWES, CASH = "store:oak:payable", "store:oak:receivable", "provider:sandbox"


def recover(desk: Desk, amount: str = "40.00", **said: Any) -> Recover:
    came = {"source": "carrier", "currency": "EUR", "reference": "claim-7"}
    return Recover(**{"dispute": desk.dispute, "minor": eur(amount), **came, **said})


def paid_by_seller(**given: Any) -> Desk:
    """A parcel that had not come: the seller refunded it."""
    desk = awaiting_seller(**given)
    desk.do(d.Accept(dispute=desk.dispute), SELLER)
    desk.report(desk.send(), "paid")
    return desk


def mails(desk: Desk) -> list[tuple[str, str]]:
    return [(effect.to, effect.what) for effect in desk.effects if effect.kind == "mail"]


def test_what_a_carrier_pays_comes_to_the_fund_that_paid_and_whoever_waits_for_it_is_served() -> None:
    desk = closed()
    desk.do(recover(desk, "25.00"), FINANCE)
    assert desk.moved()[-1] == ("recovery", BANK, AVAILABLE, "25.00")
    assert (desk.balance(AVAILABLE), desk.balance(RESERVED)) == ("985.00", "0.00")
    assert [(e.to, e.what) for e in desk.effects if e.kind == "serve"][-1] == (AVAILABLE, "EUR")
    assert desk.state().outcome == "refunded"


def test_a_buyer_whose_parcel_came_after_all_pays_the_seller_back() -> None:
    desk = paid_by_seller(delivered=False)
    desk.do(o.Delivered(order=desk.order().id, at=T), PLATFORM)
    desk.do(recover(desk, source="buyer", provider="sandbox"), PLATFORM)
    assert desk.moved()[-1] == ("recovery", CASH, PAYABLE, "40.00")
    assert desk.balance(PAYABLE) == "40.00"
    assert mails(desk)[-2:] == [("seller", "recovered"), ("buyer", "recovered")]
    assert desk.state().fault.state == "counted"  # that it does not, an appeal with the scan says


def test_after_an_appeal_the_platform_gave_back_what_the_seller_bore() -> None:
    desk = paid_by_seller()
    desk.do(recover(desk, "10.00"), FINANCE)
    desk.do(d.FileAppeal(dispute=desk.dispute, about="funding"), SELLER)
    desk.do(d.Rule(dispute=desk.dispute, finding="justified", reason="scan"), SENIOR)
    assert desk.moved()[-1] == ("given_back", EXPENSE, PAYABLE, "30.00")
    assert [(e.to, e.what) for e in desk.effects if e.kind == "serve"][-1] == (PAYABLE, "EUR")
    desk.do(recover(desk, "30.00", reference="claim-8"), FINANCE)
    assert desk.moved()[-1] == ("recovery", BANK, EXPENSE, "30.00")
    assert (desk.balance(PAYABLE), desk.balance(EXPENSE)) == ("40.00", "0.00")


def test_a_seller_who_had_all_of_it_back_has_nothing_to_win_about_the_funding() -> None:
    desk = paid_by_seller()
    desk.do(recover(desk), FINANCE)
    appeal = d.FileAppeal(dispute=desk.dispute, about="funding")
    assert desk.refuse(appeal, SELLER).code == "nothing_to_appeal"
    desk.do(structs.replace(appeal, about="fault"), SELLER)


def test_said_twice_it_is_booked_once_and_with_another_amount_it_is_refused() -> None:
    desk = closed()
    command = recover(desk, "15.00")
    desk.do(command, FINANCE)
    before = desk.contents()
    assert desk.do(command, FINANCE).events == []
    assert desk.contents() == before
    assert desk.refuse(structs.replace(command, minor=1400), FINANCE).code == "recovery_booked"
    assert desk.refuse(structs.replace(command, source="buyer"), FINANCE).code == "recovery_booked"


def test_said_again_when_another_refund_has_become_the_latest_it_is_booked_once_too() -> None:
    desk = agreed("20.00")
    command = recover(desk, "5.00")
    desk.do(command, FINANCE)
    desk.now = T + DAY
    desk.do(d.FileAppeal(dispute=desk.dispute, about="remedy"), BUYER)
    desk.do(d.Rule(dispute=desk.dispute, finding="justified", reason="seen"), SENIOR)
    desk.report(desk.send(), "paid")
    assert len(desk.state().refunds) == 2
    assert desk.do(command, FINANCE).events == []
    assert desk.do(structs.replace(command, refund=desk.state().refunds[-1].id), FINANCE).events != []


def test_never_more_comes_back_than_was_paid() -> None:
    desk = closed()
    assert desk.refuse(recover(desk, "40.01"), FINANCE).code == "nothing_to_recover"
    desk.do(recover(desk, "39.99"), FINANCE)
    assert desk.refuse(recover(desk, "0.02", reference="claim-8"), FINANCE).code == "nothing_to_recover"
    desk.do(recover(desk, "0.01", reference="claim-8"), FINANCE)
    assert desk.balance(AVAILABLE) == "1000.00"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"minor": 0}, "bad_amount"),
        ({"currency": "BRL"}, "bad_currency"),
        ({"reference": ""}, "bad_reference"),
        ({"provider": "no way"}, "bad_reference"),
        ({"refund": 1}, "no_refund"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, Any], code: str) -> None:
    desk = closed()
    assert desk.refuse(structs.replace(recover(desk), **changed), FINANCE).code == code


def test_where_nothing_was_refunded_nothing_comes_back() -> None:
    desk = verifying()
    desk.rule("unjustified")
    assert desk.refuse(recover(desk), FINANCE).code == "no_refund"


def test_it_goes_off_what_the_platform_advanced_first() -> None:
    desk = owed_for_long()
    desk.do(recover(desk, "25.00"), FINANCE)
    assert desk.moved()[-2:] == [("recovery", BANK, PAYABLE, "25.00"), ("repayment", PAYABLE, OWES, "25.00")]
    assert (desk.balance(PAYABLE), desk.balance(OWES)) == ("0.00", "-15.00")


def test_what_was_written_off_is_the_platforms_first() -> None:
    desk = owed_for_long()
    desk.do(recover(desk, "10.00"), FINANCE)
    for name in ("kim", "joy"):
        desk.do(d.WriteOff(dispute=desk.dispute), Actor("finance", name))
    assert desk.moved()[-1] == ("write_off", WRITEOFF, OWES, "30.00")
    desk.do(recover(desk, "30.00", reference="claim-8"), FINANCE)
    assert desk.moved()[-1] == ("recovery", BANK, WRITEOFF, "30.00")
    assert desk.balance(PAYABLE) == "0.00"


def test_the_commission_on_what_comes_back_to_the_seller_is_due_again() -> None:
    policy = next_policy("2026.1", commission='"pro_rata"')
    desk = paid_by_seller(policy=policy, commission="4.00", deposit="10.00")
    desk.do(recover(desk, "10.00"), FINANCE)
    assert desk.moved()[-1] == ("commission_again", PAYABLE, COMMISSION, "1.00")
    desk.report(d.refund_of(desk.state()).shares[0].attempt, "returned")  # more came back than is refunded
    assert desk.balance(COMMISSION) == "4.00"
    desk.report(desk.send(), "paid")
    assert desk.balance(COMMISSION) == "1.00"


def test_in_deposit_mode_it_comes_to_the_deposit_that_paid() -> None:
    desk = verifying(mode="deposit", deposit="40.00")
    desk.rule()
    desk.report(desk.send(), "paid")
    desk.do(recover(desk), FINANCE)
    assert desk.moved()[-1] == ("recovery", BANK, "store:oak:deposit", "40.00")


def test_a_fund_in_another_currency_has_it_in_its_own() -> None:
    desk = exchanged()
    assert desk.refuse(recover(desk, "1.00", currency="BRL"), FINANCE).code == "bad_currency"
    desk.do(recover(desk, "10.00"), FINANCE)
    assert desk.moved()[-1] == ("recovery", BANK, AVAILABLE, "10.00")
    desk.do(recover(desk, "11.61", reference="claim-8"), FINANCE)
    refund = d.refund_of(desk.state())
    assert refund is not None
    assert [(one.minor, one.fund_minor) for one in refund.recoveries] == [(4627, 1000), (5373, 1161)]
    assert desk.balance(AVAILABLE) == "1000.00"


def test_each_refund_of_a_dispute_has_its_own() -> None:
    desk = verifying(policy=next_policy("2026.1", per_dispute='"25.00"'))
    desk.rule()
    above, rest = desk.state().refunds
    for refund in (above, rest):
        desk.do(SendRefund(dispute=desk.dispute, payment="card", refund=refund.id), SYSTEM)
        desk.report(desk.world.position, "paid")
    desk.do(recover(desk, "15.00", refund=above.id), FINANCE)
    desk.do(recover(desk, "25.00", refund=rest.id), FINANCE)
    assert [moved[2:] for moved in desk.moved()[-2:]] == [(EXPENSE, "15.00"), (AVAILABLE, "25.00")]


def test_who_paid_back_is_not_refunded_again() -> None:
    desk = agreed("20.00")
    desk.do(recover(desk, "20.00", source="buyer"), PLATFORM)
    desk.now = T + DAY
    desk.do(d.FileAppeal(dispute=desk.dispute, about="remedy"), BUYER)
    desk.do(d.Rule(dispute=desk.dispute, finding="justified", reason="seen"), SENIOR)
    assert d.funding_of(desk.state()) == (("seller", eur("40.00")),)
