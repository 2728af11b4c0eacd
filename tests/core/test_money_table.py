"""The money table of the specification, row by row: what each event does to the accounts, and to nothing else."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from core.policies import next_policy
from core.pure import Desk
from core.test_cells import (
    IN_BRL,
    RATE,
    awaiting_funds,
    awaiting_seller,
    exchanged,
    owed_for_long,
    refunding,
    sent,
    verifying,
)
from given import AGENT, BUYER, DAY, FINANCE, PLATFORM, SECOND, SELLER, T, eur
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core.accounts import BACKSTOP, BANK, COMMISSION, EXPENSE, WRITEOFF, keeps_balance
from houbao.core.fund import MoveCash, PayDeposit, Repay
from houbao.core.ledger import Transfer, transfers
from houbao.core.refunds import FundsReserved, RefundContradicted, RefundFailed, RefundSent
from houbao.core.scene import Purse
from houbao.core.terms import Actor, Refused, rfc3339
from houbao.core.world import apply
from houbao.shipped import policy_text

PAYABLE, HELD, DEPOSIT, OWES = (f"store:oak:{kind}" for kind in ("payable", "held", "deposit", "receivable"))
FREE, RESERVED, PROVIDER = "fund:available", "fund:reserved", "provider:sandbox"
TWO_CARDS = (
    o.Payment(id="a", provider="sandbox", minor=2000),
    o.Payment(id="b", provider="other", minor=2000),
)

PLACE: dict[str, Any] = {
    "store": "oak",
    "reference": "order-2",
    "buyer": "bob",
    "currency": "EUR",
    "lines": (o.NewLine(id="1", item=2000),),
    "payments": (o.Payment(id="card", provider="sandbox", minor=2000),),
    "ship_by": T,
    "promised_by": T,
    "at": T,
}
Moved = list[tuple[str, str, str, str]]
reserve = ("reserve", FREE, RESERVED, "40.00")
guarantee, refund = ("guarantee", RESERVED, HELD, "40.00"), ("refund", HELD, PROVIDER, "40.00")


def only(moved: list[Transfer]) -> list[tuple[str, str, str, int]]:
    return [(t.kind, t.source, t.target, t.minor) for t in moved]


def all_quiet(desk: Desk) -> None:
    """Nothing is on its way, and nothing is below zero that may not be."""
    assert desk.balance(HELD) == desk.balance(RESERVED) == "0.00"


# --- capital, orders, payouts --------------------------------------------------------------------------------------


def test_capital_added() -> None:
    desk = Desk(fund="0")
    desk.top_up("100.00")
    assert only(desk.transfers[-1:]) == [("capital", BANK, FREE, 10_000)]


def test_an_order_paid_owes_the_store_all_but_the_commission() -> None:
    desk = Desk("40.00", commission="4.00", payments=TWO_CARDS)
    paid = [t for t in desk.transfers if t.kind in ("payment", "commission")]
    assert only(paid) == [
        ("payment", PROVIDER, PAYABLE, 2000),
        ("payment", "provider:other", PAYABLE, 2000),
        ("commission", PAYABLE, COMMISSION, 400),
    ]
    assert {(t.store, t.order, t.dispute) for t in paid} == {("oak", desk.order().id, 0)}
    assert desk.balance(PAYABLE) == "36.00"


def test_without_a_commission_none_is_booked() -> None:
    assert not [t for t in Desk().transfers if t.kind == "commission"]


def test_a_seller_is_paid_out_no_more_than_is_owed() -> None:
    desk = Desk("40.00", commission="4.00", covered=False)
    assert desk.refuse(o.PaidOut(order=desk.order().id, at=T, minor=3601), PLATFORM).code == "payable_short"
    desk.do(o.PaidOut(order=desk.order().id, at=T, minor=3600), PLATFORM)
    assert only(desk.transfers[-1:]) == [("payout", PAYABLE, PROVIDER, 3600)]
    assert desk.balance(PAYABLE) == "0.00"


def test_the_providers_fee_on_a_payout_is_the_platforms() -> None:
    desk = Desk("40.00", covered=False)
    desk.do(o.PaidOut(order=desk.order().id, at=T, minor=4000, fee=35), PLATFORM)
    assert only(desk.transfers[-2:]) == [("payout", PAYABLE, PROVIDER, 4000), ("payout_fee", EXPENSE, PROVIDER, 35)]


def test_for_an_order_no_more_is_paid_out_than_it_brought() -> None:
    desk = Desk("40.00", commission="4.00", covered=False)
    desk.world = structs.replace(desk.world, purse=structs.replace(desk.world.purse, payable=10_000))
    desk.do(o.PaidOut(order=desk.order().id, at=T, minor=600), PLATFORM)
    refused = desk.refuse(o.PaidOut(order=desk.order().id, at=T, minor=3001), PLATFORM)
    assert refused.code == "payout_above_order"


@pytest.mark.parametrize(("delivered", "until"), [(True, T + 14 * DAY), (False, T + 14 * DAY)])
def test_what_a_covered_order_brought_is_paid_out_when_its_protection_has_ended(delivered, until) -> None:
    desk = Desk(delivered=delivered)
    early = o.PaidOut(order=desk.order().id, at=until - SECOND, minor=1)
    refused = desk.refuse(early, PLATFORM, at=until)
    assert (refused.code, refused.facts) == ("not_mature", {"matures_at": rfc3339(until)})
    desk.do(structs.replace(early, at=until), PLATFORM, at=until)


def test_no_date_that_is_written_on_a_payout_makes_it_mature_before_its_day() -> None:
    desk = Desk()
    ahead = o.PaidOut(order=desk.order().id, at=T + 400 * DAY, minor=1)
    assert desk.refuse(ahead, PLATFORM, at=T + 14 * DAY - SECOND).code == "not_mature"
    desk.do(ahead, PLATFORM, at=T + 14 * DAY)


@pytest.mark.parametrize(
    ("amount", "commission", "premium"),
    [("40.00", "4.00", 20), ("1.00", "0", 1), ("0.99", "0", 0), ("40.00", "39.90", 10)],
)
def test_in_premium_mode_a_covered_order_fills_the_fund(amount, commission, premium) -> None:
    desk = Desk(amount, commission=commission, mode="premium")
    booked = [t for t in desk.transfers if t.kind == "premium"]
    assert only(booked) == ([("premium", PAYABLE, FREE, premium)] if premium else [])
    assert desk.order().premium == premium
    assert desk.balances[FREE] == eur("1000.00") + premium


def test_an_order_that_is_not_covered_pays_no_premium() -> None:
    assert not [t for t in Desk(mode="premium", covered=False).transfers if t.kind == "premium"]


# --- deposits, cash, debts -----------------------------------------------------------------------------------------


def test_a_deposit_paid_in() -> None:
    desk = Desk()
    desk.do(PayDeposit(store="oak", minor=5000, currency="EUR"), FINANCE)
    assert only(desk.transfers[-1:]) == [("deposit", BANK, DEPOSIT, 5000)]
    assert desk.transfers[-1].store == "oak"


def test_cash_moved_from_the_bank_to_a_provider() -> None:
    desk = Desk()
    desk.do(MoveCash(provider="sandbox", minor=5000, currency="EUR"), FINANCE)
    assert only(desk.transfers[-1:]) == [("cash_move", PROVIDER, BANK, 5000)]
    desk.do(MoveCash(provider="sandbox", minor=1500, currency="EUR", back=True), FINANCE)
    assert only(desk.transfers[-1:]) == [("cash_move", BANK, PROVIDER, 1500)]


def test_cash_moved_before_it_is_booked_is_told_at_its_own_time_and_none_is_before_it_has_moved() -> None:
    desk = Desk()
    move = MoveCash(provider="sandbox", minor=5000, currency="EUR")
    wrong = {desk.now + DAY / 24: "bad_time", datetime(2026, 7, 1): "naive_time"}  # noqa: DTZ001
    for at, code in wrong.items():
        assert desk.refuse(structs.replace(move, at=at), FINANCE).code == code
    for at in (T - 9 * DAY, desk.now):
        desk.do(structs.replace(move, at=at), FINANCE)
        assert desk.events[-1].at == at


def test_a_store_pays_back_what_was_advanced_out_of_what_it_is_owed() -> None:
    desk = accepted("30.00")
    desk.world = structs.replace(desk.world, purse=structs.replace(desk.world.purse, payable=2500))
    assert desk.refuse(Repay(store="oak", minor=3001, currency="EUR"), FINANCE).code == "nothing_owed"
    assert desk.refuse(Repay(store="oak", minor=2501, currency="EUR"), FINANCE).code == "payable_short"
    assert desk.refuse(Repay(store="oak", minor=1, currency="EUR"), Actor("seller", "elm")).code == "not_permitted"
    desk.do(Repay(store="oak", minor=2500, currency="EUR"), SELLER)
    assert only(desk.transfers[-1:]) == [("repayment", PAYABLE, OWES, 2500)]


def test_what_a_store_owes_is_paid_back_by_itself_when_an_order_is_paid() -> None:
    desk = accepted("30.00")
    assert desk.balance(OWES) == "-30.00"
    desk.world = structs.replace(desk.world, order=None)
    desk.do(o.PlaceOrder(**PLACE), PLATFORM)
    desk.do(o.Paid(order=desk.order().id, at=T, commission=100), PLATFORM)
    assert only(desk.transfers[-2:]) == [("commission", PAYABLE, COMMISSION, 100), ("repayment", PAYABLE, OWES, 1900)]
    assert (desk.balance(OWES), desk.balance(PAYABLE)) == ("-11.00", "0.00")


# --- paid by the fund ----------------------------------------------------------------------------------------------


def test_fund_paid_and_approved_is_reserved() -> None:
    desk = refunding()
    assert desk.moved() == [reserve]
    assert (desk.balance(FREE), desk.balance(RESERVED)) == ("960.00", "40.00")


def test_short_of_money_nothing_is_booked_until_it_arrives() -> None:
    desk = awaiting_funds()
    assert desk.moved() == []
    desk.serve()
    assert desk.moved() == []
    desk.top_up("0.01")
    desk.serve()
    assert desk.moved() == [reserve]
    assert (desk.balance(FREE), desk.state().phase, desk.world.purse.queue) == ("0.00", "refunding", 0)


def test_an_approval_that_would_fit_still_queues_behind_those_that_wait() -> None:
    desk = verifying(queue=1)
    desk.rule()
    assert desk.state().phase == "awaiting_funds"
    assert (desk.moved(), desk.world.purse.queue) == ([], 2)


def test_waiting_refunds_are_served_in_order_of_approval_and_none_overtakes() -> None:
    lines = (o.NewLine(id="1", item=2500), o.NewLine(id="2", item=1500))
    desk = Desk(fund="0", lines=lines)
    first, second = desk.open(amount="25.00"), desk.open(amount="15.00", lines=(("2", 1),))
    desk.rule(dispute=first)
    desk.rule(dispute=second)
    desk.top_up("24.99")
    desk.serve()
    assert desk.moved() == []
    desk.top_up("15.01")
    desk.serve()
    assert [t.dispute for t in desk.transfers if t.kind == "reserve"] == [first, second]


@pytest.mark.parametrize("answer", ["", "unknown", "refused", "key_expired"])
def test_sent_unknown_or_failed_the_reservation_stays(answer: str) -> None:
    desk = refunding()
    attempt = desk.send()
    if answer:
        desk.report(attempt, answer)
    assert desk.moved() == [reserve]
    assert desk.balance(RESERVED) == "40.00"


def test_fund_paid_stands_on_the_sellers_statement_as_two_lines() -> None:
    desk = sent()
    before = desk.balance(PAYABLE)
    desk.report(desk.state().refunds[-1].shares[0].attempt, "paid")
    assert desk.moved() == [reserve, guarantee, refund]
    assert desk.balance(PAYABLE) == before
    all_quiet(desk)


def test_fund_paid_abandoned_goes_back_to_the_fund() -> None:
    desk = refunding()
    desk.report(desk.send(), "refused", final=True)
    desk.resolve("abandon")
    assert desk.moved() == [reserve, ("release", RESERVED, FREE, "40.00")]
    assert (desk.state().outcome, desk.balance(FREE)) == ("unclaimed", "1000.00")
    all_quiet(desk)


def test_abandoned_while_it_waits_moves_nothing_and_leaves_the_queue() -> None:
    desk = awaiting_funds()
    assert desk.world.purse.queue == 1
    desk.resolve("abandon")
    assert (desk.moved(), desk.world.purse.queue) == ([], 0)


def test_of_a_fund_paid_refund_only_what_was_not_paid_is_abandoned() -> None:
    desk = verifying(payments=TWO_CARDS)
    desk.rule()
    desk.report(desk.send("a"), "paid")
    desk.resolve("abandon")
    assert desk.moved()[-1] == ("release", RESERVED, FREE, "20.00")
    assert (desk.state().outcome, desk.state().refunds[-1].minor) == ("partially_refunded", eur("20.00"))
    assert d.funding_of(desk.state()) == (("fund", eur("20.00")),)
    all_quiet(desk)


def test_returned_later_reverses_both_lines_and_it_is_sent_again() -> None:
    desk = sent()
    attempt = desk.state().refunds[-1].shares[0].attempt
    desk.report(attempt, "paid")
    desk.report(attempt, "returned")
    back = [("refund_returned", PROVIDER, HELD, "40.00"), ("guarantee_returned", HELD, RESERVED, "40.00")]
    assert desk.moved() == [reserve, guarantee, refund, *back]
    assert (desk.state().phase, desk.balance(RESERVED)) == ("refunding", "40.00")

    desk.report(desk.send(), "paid")
    assert desk.moved() == [reserve, guarantee, refund, *back, guarantee, refund]
    all_quiet(desk)


def test_paid_elsewhere_leaves_from_the_bank() -> None:
    desk = refunding()
    desk.report(desk.send(), "refused", final=True)
    desk.resolve("paid_elsewhere")
    assert desk.moved() == [reserve, guarantee, ("refund", HELD, BANK, "40.00")]
    assert (desk.state().outcome, desk.state().phase) == ("refunded", "closed")
    all_quiet(desk)


def test_nothing_is_settled_by_hand_while_an_attempt_may_still_land() -> None:
    for answer in ("", "unknown"):
        desk = refunding()
        attempt = desk.send()
        if answer:
            desk.report(attempt, answer)
        for how in ("abandon", "paid_elsewhere"):
            with pytest.raises(Refused, match="refund_in_flight"):
                desk.resolve(how)
    with pytest.raises(Refused, match="refund_waits"):
        awaiting_funds().resolve("paid_elsewhere")


def test_what_was_paid_elsewhere_is_not_booked_again_when_the_provider_says_paid_after_all() -> None:
    desk = sent()
    attempt = desk.state().refunds[-1].shares[0].attempt
    desk.report(attempt, "key_expired")
    desk.resolve("paid_elsewhere")
    before = desk.moved()
    events = desk.report(attempt, "paid").events
    assert [type(event) for event in events] == [RefundContradicted]
    assert desk.moved() == before
    all_quiet(desk)


def half_paid_elsewhere_half_returned() -> Desk:
    """Of two shares the provider paid one and finance the other; then the provider's came back."""
    desk = verifying(payments=TWO_CARDS)
    desk.rule()
    attempt = desk.send("a")
    desk.report(attempt, "paid")
    desk.resolve("paid_elsewhere")
    assert desk.state().outcome == "refunded"
    desk.report(attempt, "returned")
    return desk


def test_a_share_that_comes_back_is_sent_again_and_what_was_paid_elsewhere_is_not() -> None:
    desk = half_paid_elsewhere_half_returned()
    assert (desk.state().phase, desk.balance(RESERVED)) == ("refunding", "20.00")
    assert desk.send("b") == 0
    desk.report(desk.send("a"), "paid")
    assert (desk.state().outcome, desk.balance(BANK)) == ("refunded", "-980.00")
    all_quiet(desk)


def test_a_share_that_comes_back_and_is_given_up_leaves_what_was_paid_elsewhere() -> None:
    desk = half_paid_elsewhere_half_returned()
    desk.resolve("abandon")
    assert (desk.state().outcome, d.funding_of(desk.state())) == ("partially_refunded", (("fund", eur("20.00")),))
    assert [share.payment for share in desk.state().refunds[-1].shares] == ["b"]
    all_quiet(desk)


# --- paid by the platform ------------------------------------------------------------------------------------------


def platform_paid() -> Desk:
    """The notice was never accepted: the platform pays for its own delay."""
    desk = verifying()
    desk.rule("out_of_scope")
    desk.sweep(desk.due())
    return desk


def test_platform_paid_is_an_expense_when_it_goes_out() -> None:
    desk = platform_paid()
    assert desk.moved() == []
    attempt = desk.send()
    desk.report(attempt, "paid")
    out: Moved = [("guarantee", EXPENSE, HELD, "40.00"), refund]
    assert desk.moved() == out
    desk.report(attempt, "returned")
    back: Moved = [("refund_returned", PROVIDER, HELD, "40.00"), ("guarantee_returned", HELD, EXPENSE, "40.00")]
    assert desk.moved() == out + back
    all_quiet(desk)


def test_platform_paid_abandoned_was_never_booked() -> None:
    desk = platform_paid()
    desk.resolve("abandon")
    assert desk.moved() == []


# --- paid by the seller --------------------------------------------------------------------------------------------


def accepted(commission: str = "0", deposit: str = "0", payments: tuple[o.Payment, ...] = ()) -> Desk:
    """The seller agrees to refund 40.00."""
    desk = awaiting_seller(commission=commission, deposit=deposit, payments=payments)
    desk.do(d.Accept(dispute=desk.dispute), SELLER)
    return desk


def test_where_the_policy_gives_the_commission_back_it_comes_with_the_sellers_refund_and_goes_with_its_return() -> None:
    desk = awaiting_seller(commission="4.00", policy=next_policy(version="2026.1", commission='"pro_rata"'))
    desk.do(d.Accept(dispute=desk.dispute), SELLER)
    desk.report(desk.send(), "paid")
    desk.report(desk.state().refunds[-1].shares[0].attempt, "returned")
    assert desk.moved()[2:] == [
        ("refund", HELD, PROVIDER, "40.00"),
        ("commission_back", COMMISSION, PAYABLE, "4.00"),
        ("refund_returned", PROVIDER, HELD, "40.00"),
        ("commission_again", PAYABLE, COMMISSION, "4.00"),
    ]


def hold(kind: str, amount: str) -> tuple[str, str, str, str]:
    return ("hold", f"store:oak:{kind}", HELD, amount)


@pytest.mark.parametrize(
    ("commission", "deposit", "legs"),
    [
        ("0", "0", [hold("payable", "40.00")]),
        ("0", "9.00", [hold("payable", "40.00")]),
        ("10.00", "10.00", [hold("payable", "30.00"), hold("deposit", "10.00")]),
        ("10.00", "4.00", [hold("payable", "30.00"), hold("deposit", "4.00"), hold("receivable", "6.00")]),
        ("40.00", "40.00", [hold("deposit", "40.00")]),
        ("40.00", "0", [hold("receivable", "40.00")]),
    ],
)
def test_a_sellers_refund_is_taken_from_payable_then_deposit_then_advanced(commission, deposit, legs) -> None:
    desk = accepted(commission, deposit)
    assert desk.moved() == legs
    assert desk.balance(HELD) == "40.00"
    desk.report(desk.send(), "paid")
    assert desk.moved() == [*legs, refund]
    assert desk.balance(FREE) == "1000.00"
    all_quiet(desk)


def test_a_sellers_refund_returned_waits_in_held_and_is_sent_again() -> None:
    desk = accepted()
    attempt = desk.send()
    desk.report(attempt, "paid")
    desk.report(attempt, "returned")
    assert desk.moved() == [hold("payable", "40.00"), refund, ("refund_returned", PROVIDER, HELD, "40.00")]
    assert desk.balance(HELD) == "40.00"
    desk.report(desk.send(), "paid")
    all_quiet(desk)


def test_a_sellers_refund_abandoned_goes_back_to_where_it_was_taken_from() -> None:
    desk = accepted("10.00", "4.00")
    desk.resolve("abandon")
    assert desk.moved()[3:] == [
        ("release", HELD, OWES, "6.00"),
        ("release", HELD, DEPOSIT, "4.00"),
        ("release", HELD, PAYABLE, "30.00"),
    ]
    assert (desk.balance(OWES), desk.balance(DEPOSIT), desk.balance(PAYABLE)) == ("0.00", "4.00", "30.00")
    all_quiet(desk)


def test_an_advance_is_undone_before_a_sellers_own_money_comes_back() -> None:
    desk = accepted("10.00", payments=TWO_CARDS)
    desk.report(desk.send("a"), "paid")
    desk.resolve("abandon")
    assert desk.moved()[3:] == [("release", HELD, OWES, "10.00"), ("release", HELD, PAYABLE, "10.00")]
    all_quiet(desk)


def test_a_leg_that_went_back_once_does_not_go_back_again() -> None:
    desk = accepted("10.00", payments=TWO_CARDS)
    attempt = desk.send("a")
    desk.report(attempt, "paid")
    desk.resolve("abandon")
    desk.report(attempt, "returned")
    desk.resolve("abandon")
    assert (desk.balance(OWES), desk.balance(PAYABLE)) == ("0.00", "30.00")
    all_quiet(desk)


def short_of(advance: str = "6.00", **given: Any) -> Desk:
    """The seller agrees to refund 40.00, is owed 30.00, and the platform advances up to so much."""
    desk = awaiting_seller(commission="10.00", policy=next_policy("2026.1", advance=f'"{advance}"'), **given)
    desk.do(d.Accept(dispute=desk.dispute), SELLER)
    return desk


def test_a_seller_short_beyond_the_advance_waits_and_nothing_is_taken() -> None:
    desk = short_of("9.99")
    assert (desk.state().phase, desk.moved(), desk.world.purse.payable_queue) == ("awaiting_funds", [], 1)
    assert [e.what for e in desk.effects if e.kind == "alert"] == ["store_short"]
    assert short_of("10.00").moved() == [hold("payable", "30.00"), hold("receivable", "10.00")]


def test_a_sellers_refund_that_waits_is_taken_when_the_deposit_grows() -> None:
    desk = short_of()
    desk.pay_deposit("3.99")
    desk.serve(PAYABLE)
    assert desk.moved() == []
    desk.pay_deposit("0.01")
    assert [(e.kind, e.to) for e in desk.effects[-2:]] == [("serve", DEPOSIT), ("serve", PAYABLE)]
    desk.serve(PAYABLE)
    assert desk.moved() == [hold("payable", "30.00"), hold("deposit", "4.00"), hold("receivable", "6.00")]
    assert (desk.state().phase, desk.world.purse.payable_queue) == ("refunding", 0)
    desk.report(desk.send(), "paid")
    all_quiet(desk)


def test_after_three_days_the_platform_advances_to_the_seller_beyond_its_cap() -> None:
    desk = short_of()
    desk.sweep(T + 3 * DAY)
    assert desk.moved() == [hold("payable", "30.00"), hold("receivable", "10.00")]
    desk.report(desk.send(), "paid")
    assert (desk.state().outcome, desk.balance(OWES)) == ("refunded", "-10.00")


def test_what_a_store_owes_already_is_part_of_what_may_be_advanced() -> None:
    lines = (o.NewLine(id="1", item=2000), o.NewLine(id="2", item=2000))
    desk = Desk(commission="40.00", lines=lines, policy=next_policy("2026.1", advance='"39.99"'), delivered=False)
    for line in ("1", "2"):
        number = desk.open("in_transit_overdue", "20.00", lines=((line, 1),))
        desk.do(d.Accept(dispute=number), SELLER)
    assert desk.moved() == [hold("receivable", "20.00")]
    assert desk.state(number).phase == "awaiting_funds"


def test_a_sellers_refund_given_up_while_it_waits_moves_nothing() -> None:
    desk = short_of()
    desk.resolve("abandon")
    assert (desk.moved(), desk.world.purse.payable_queue, desk.state().outcome) == ([], 0, "unclaimed")


def test_for_a_return_the_platform_advances_at_once_for_it_takes_longer_than_three_days() -> None:
    desk = Desk(commission="40.00", policy=next_policy("2026.1", advance='"0"'))
    desk.open("changed_mind", "40.00")
    assert desk.moved() == [hold("receivable", "40.00")]


def test_what_was_advanced_and_paid_back_is_the_sellers_when_the_refund_is_given_up() -> None:
    desk = accepted("10.00")
    desk.world = structs.replace(desk.world, purse=structs.replace(desk.world.purse, payable=700))
    desk.do(Repay(store="oak", minor=700, currency="EUR"), FINANCE)
    desk.resolve("abandon")
    assert desk.moved()[2:] == [("release", HELD, OWES, "3.00"), ("release", HELD, PAYABLE, "37.00")]
    all_quiet(desk)


# --- paid out of the store's own deposit ---------------------------------------------------------------------------


def deposit_mode(deposit: str, **given: Any) -> Desk:
    desk = verifying(mode="deposit", deposit=deposit, **given)
    desk.rule()
    return desk


def test_in_deposit_mode_the_stores_own_deposit_pays_and_its_statement_says_so() -> None:
    desk = deposit_mode("50.00")
    pays = ("deposit_pays", DEPOSIT, RESERVED, "40.00")
    assert desk.moved() == [pays]
    desk.report(desk.send(), "paid")
    assert desk.moved() == [pays, guarantee, refund]
    assert (desk.balance(DEPOSIT), desk.balance(FREE), desk.balance(PAYABLE)) == ("10.00", "1000.00", "40.00")
    assert d.funding_of(desk.state()) == (("fund", eur("40.00")),)
    all_quiet(desk)


def test_a_deposit_that_is_short_is_waited_for_and_served_in_order_of_approval() -> None:
    lines = (o.NewLine(id="1", item=2500), o.NewLine(id="2", item=1500))
    desk = Desk(mode="deposit", deposit="10.00", lines=lines)
    first, second = desk.open(amount="25.00"), desk.open(amount="10.00", lines=(("2", 1),))
    desk.rule(dispute=first)
    desk.rule(dispute=second)
    assert (desk.moved(), desk.world.purse.deposit_queue) == ([], 2)
    desk.pay_deposit("14.99")
    desk.serve(DEPOSIT)
    assert desk.moved() == []
    desk.pay_deposit("10.01")
    desk.serve(DEPOSIT)
    assert [t.dispute for t in desk.transfers if t.kind == "deposit_pays"] == [first, second]
    assert desk.balance(DEPOSIT) == "0.00"


def test_after_three_days_the_platform_advances_what_the_deposit_lacks() -> None:
    desk = deposit_mode("30.00")
    assert desk.state().phase == "awaiting_funds"
    desk.sweep(T + 3 * DAY)
    assert desk.moved() == [("deposit_pays", DEPOSIT, RESERVED, "30.00"), ("deposit_pays", OWES, RESERVED, "10.00")]


def test_what_a_deposit_paid_goes_back_to_it_when_the_refund_is_given_up() -> None:
    desk = deposit_mode("50.00")
    desk.resolve("abandon")
    assert desk.moved()[1:] == [("deposit_back", RESERVED, DEPOSIT, "40.00")]
    assert (desk.balance(DEPOSIT), desk.balance(RESERVED)) == ("50.00", "0.00")


def test_a_deposit_that_refunds_wait_for_is_not_taken_for_what_the_seller_pays() -> None:
    lines = (o.NewLine(id="1", item=2500), o.NewLine(id="2", item=1500))
    desk = Desk(mode="deposit", deposit="10.00", lines=lines, commission="40.00")
    desk.rule(dispute=desk.open(amount="25.00"))
    number = desk.open("never_shipped", "15.00", lines=(("2", 1),))
    desk.do(d.Accept(dispute=number), SELLER)
    assert desk.moved() == [hold("receivable", "15.00")]


def test_nor_is_it_taken_for_one_that_waits_for_what_the_store_is_owed() -> None:
    lines = (o.NewLine(id="1", item=2500), o.NewLine(id="2", item=1500))
    policy = policy_text().replace('advance = "500.00"', 'advance = "0.01"')
    desk = Desk(mode="deposit", deposit="20.00", lines=lines, commission="40.00", policy=policy)
    desk.rule(dispute=desk.open(amount="25.00"))
    number = desk.open("never_shipped", "15.00", lines=(("2", 1),))
    desk.do(d.Accept(dispute=number), SELLER)
    desk.serve(PAYABLE)
    assert (desk.moved(), desk.state(number).phase) == ([], "awaiting_funds")
    desk.pay_deposit("20.00")
    desk.serve(DEPOSIT)
    desk.serve(PAYABLE)
    assert desk.moved() == [("deposit_pays", DEPOSIT, RESERVED, "25.00"), hold("deposit", "15.00")]


# --- the treasury, and what is written off -------------------------------------------------------------------------


def test_the_treasury_adds_to_the_fund_after_three_days() -> None:
    desk = awaiting_funds()
    desk.sweep(T + 3 * DAY)
    assert only(desk.transfers[-1:]) == [("backstop", BACKSTOP, FREE, 1)]
    desk.serve()
    assert desk.moved() == [("backstop", BACKSTOP, FREE, "0.01"), reserve]


def test_what_was_advanced_is_written_off_by_two_people_after_ninety_days() -> None:
    desk = owed_for_long()
    command = d.WriteOff(dispute=desk.dispute)
    assert desk.refuse(command, FINANCE, at=T + 90 * DAY - SECOND).code == "not_yet"
    desk.do(command, FINANCE)
    assert desk.refuse(command, FINANCE).code == "same_person"
    desk.do(command, Actor("finance", "joy"))
    assert desk.moved()[-1] == ("write_off", WRITEOFF, OWES, "40.00")
    assert desk.balance(OWES) == "0.00"
    assert desk.refuse(command, FINANCE).code == "nothing_owed"


def test_only_what_is_still_owed_is_written_off() -> None:
    desk = owed_for_long()
    desk.world = structs.replace(desk.world, purse=structs.replace(desk.world.purse, payable=1500))
    desk.do(Repay(store="oak", minor=1500, currency="EUR"), FINANCE)
    for name in ("kim", "joy"):
        desk.do(d.WriteOff(dispute=desk.dispute), Actor("finance", name))
    assert desk.moved()[-1] == ("write_off", WRITEOFF, OWES, "25.00")


def test_what_was_written_off_and_comes_back_is_the_platforms() -> None:
    desk = owed_for_long()
    attempt = d.refund_of(desk.state()).shares[0].attempt
    for name in ("kim", "joy"):
        desk.do(d.WriteOff(dispute=desk.dispute), Actor("finance", name))
    desk.report(attempt, "returned")
    desk.resolve("abandon")
    assert desk.moved()[-1] == ("release", HELD, WRITEOFF, "40.00")
    assert (desk.balance(OWES), desk.balance(WRITEOFF)) == ("0.00", "0.00")
    all_quiet(desk)


# --- in another currency -------------------------------------------------------------------------------------------

FX_EUR, FX_BRL = "fx:EUR", "fx:BRL"
IN_EUR, TURNED = ("reserve", FREE, RESERVED, "21.61"), ("exchange", RESERVED, FX_EUR, "21.61")
OUT = [("guarantee", FX_BRL, HELD, "100.00"), ("refund", HELD, PROVIDER, "100.00")]


def settle(desk: Desk, taken: int, payment: str = "card") -> None:
    desk.do(d.SettleRefund(dispute=desk.dispute, payment=payment, taken=taken), FINANCE)


def test_a_refund_in_another_currency_is_turned_by_the_last_rate_before_its_approval() -> None:
    desk = exchanged()
    assert desk.moved() == [IN_EUR, TURNED, *OUT]
    settle(desk, 2195)
    assert desk.moved()[4:] == [
        ("settlement", FX_EUR, BANK, "21.95"),
        ("settlement", PROVIDER, FX_BRL, "100.00"),
        ("difference", EXPENSE, FX_EUR, "0.34"),
    ]
    assert desk.balance(FX_EUR) == desk.balance(FX_BRL) == "0.00"
    again = desk.refuse(d.SettleRefund(dispute=desk.dispute, payment="card", taken=1), FINANCE)
    assert again.code == "nothing_to_settle"


def test_where_the_provider_took_less_the_platform_has_the_difference() -> None:
    desk = exchanged()
    settle(desk, 2100)
    assert desk.moved()[-1] == ("difference", FX_EUR, EXPENSE, "0.61")
    assert desk.balance(FX_EUR) == "0.00"


def test_what_it_takes_of_the_fund_is_split_over_the_payments_to_the_last_cent() -> None:
    thirds = (("card", 3333), ("b", 3333), ("c", 3334))
    desk = exchanged(payments=tuple(o.Payment(id=n, provider="sandbox", minor=m) for n, m in thirds))
    for name in ("b", "c"):
        desk.report(desk.send(name), "paid")
    parts = [t.minor for t in desk.transfers if t.kind == "exchange"]
    assert (sum(parts), max(parts) - min(parts), desk.balance(RESERVED)) == (2161, 1, "0.00")
    for name, taken in (("card", 732), ("b", 731), ("c", 732)):
        settle(desk, taken, name)
    assert desk.balance(FX_EUR) == desk.balance(FX_BRL) == "0.00"


def test_what_comes_back_in_another_currency_is_reserved_again_and_sent_again() -> None:
    desk = exchanged()
    desk.report(d.refund_of(desk.state()).shares[0].attempt, "returned")
    assert desk.moved()[4:] == [
        ("refund_returned", PROVIDER, HELD, "100.00"),
        ("guarantee_returned", HELD, FX_BRL, "100.00"),
        ("exchange_returned", FX_EUR, RESERVED, "21.61"),
    ]
    desk.resolve("abandon")
    assert desk.moved()[7:] == [("release", RESERVED, FREE, "21.61")]
    assert [desk.balance(name) for name in (FX_EUR, FX_BRL, HELD, RESERVED, FREE)] == ["0.00"] * 4 + ["1000.00"]


def test_a_refund_in_another_currency_waits_for_the_funds_own() -> None:
    desk = Desk(**IN_BRL, fund="21.60")
    desk.open("damaged", "100.00")
    desk.rule()
    assert (desk.state().phase, desk.moved(), desk.world.purse.queue) == ("awaiting_funds", [], 1)
    desk.top_up("0.01")
    desk.serve()
    assert (desk.moved(), desk.state().phase, desk.world.purse.queue) == ([IN_EUR], "refunding", 0)


def test_the_treasury_adds_in_the_funds_currency() -> None:
    desk = Desk(**IN_BRL, fund="21.60")
    desk.open("damaged", "100.00")
    desk.rule()
    desk.sweep(T + 3 * DAY)
    assert [(t.currency, t.minor) for t in desk.transfers if t.kind == "backstop"] == [("EUR", 1)]


def test_without_a_rate_an_agent_is_told_and_what_happens_by_itself_is_paid_by_the_platform() -> None:
    old = structs.replace(RATE, published_at=T - 8 * DAY)
    for rates in ((), (old,), (structs.replace(RATE, published_at=T + SECOND),)):
        desk = Desk(**{**IN_BRL, "rates": rates})
        desk.open("damaged", "100.00")
        ruling = d.Rule(dispute=desk.dispute, finding="justified", reason="photos")
        assert desk.refuse(ruling, AGENT).code == "no_rate"
    desk = Desk(**{**IN_BRL, "rates": ()})
    desk.open("damaged", "100.00")
    desk.sweep(desk.due())
    assert d.funding_of(desk.state()) == (("platform", 10_000),)


def test_a_claim_in_another_currency_is_never_paid_unseen() -> None:
    desk = Desk(**IN_BRL)
    desk.open("damaged", "1.00", evidence=("a" * 64,))
    assert desk.state().route == "verify"


def test_an_order_in_a_currency_that_the_programme_does_not_cover_is_not_covered() -> None:
    desk = Desk(**{**IN_BRL, "also_covers": ("USD",)})
    assert (desk.order().coverage.covered, desk.order().coverage.reason) == (False, "currency")
    desk = Desk(**IN_BRL, mode="deposit")
    assert desk.order().coverage.reason == "currency"


# --- attempts ------------------------------------------------------------------------------------------------------


def test_a_new_attempt_is_made_only_after_a_definite_no() -> None:
    desk = sent()
    first = desk.state().refunds[-1].shares[0].attempt
    for answer in ("", "unknown", "key_expired"):
        if answer:
            desk.report(first, answer)
        assert desk.send() == 0
    desk.report(first, "refused")
    assert desk.send() > first


def test_a_no_is_tried_again_an_hour_later_and_after_the_third_a_person_is_asked() -> None:
    desk = refunding()
    fates = []
    for _ in range(3):
        (failed,) = desk.report(desk.send(), "refused").events
        assert isinstance(failed, RefundFailed)
        fates.append((failed.stuck, failed.retry_at))
    assert fates == [(False, T + timedelta(hours=1)), (False, T + timedelta(hours=1)), (True, None)]
    assert desk.send() == 0
    assert [e.what for e in desk.effects if e.kind == "alert"] == ["refund_failed"]


def test_what_is_said_twice_or_of_an_old_attempt_books_nothing() -> None:
    desk = sent()
    first = desk.state().refunds[-1].shares[0].attempt
    desk.report(first, "refused")
    second = desk.send()
    desk.report(first, "paid")
    assert desk.moved() == [reserve]
    desk.report(second, "paid")
    desk.report(second, "paid")
    assert desk.moved() == [reserve, guarantee, refund]


def test_a_share_given_up_is_not_sent_when_its_next_try_falls_due() -> None:
    desk = refunding()
    desk.report(desk.send(), "refused")
    desk.resolve("abandon")
    assert desk.send() == 0


def test_events_without_a_row_in_the_table_move_nothing() -> None:
    desk = sent()
    silent = [e for e in desk.events if isinstance(e, RefundSent | d.DisputeOpened | d.DisputeRuled | o.OrderMoved)]
    assert len(silent) == 5
    assert all(transfers(event) == [] for event in silent)


def test_reserved_later_is_the_same_transfer_as_reserved_at_once() -> None:
    desk = awaiting_funds()
    desk.top_up("0.01")
    desk.serve()
    (reserved,) = [event for event in desk.events if isinstance(event, FundsReserved)]
    assert only(transfers(reserved)) == [("reserve", FREE, RESERVED, 4000)]


def test_only_accounts_that_a_rule_reads_keep_a_balance() -> None:
    kept = [
        name for name in (BANK, PROVIDER, COMMISSION, EXPENSE, FREE, RESERVED, PAYABLE, OWES) if keeps_balance(name)
    ]
    assert kept == [FREE, RESERVED, PAYABLE, OWES]


def test_the_refund_never_exceeds_the_claim_nor_what_is_left_of_the_order() -> None:
    desk = verifying()
    with pytest.raises(Refused, match="amount_above_claim"):
        desk.rule(amount=eur("40.01"))
    desk.rule(amount=eur("39.99"))
    assert desk.state().refunds[-1].minor == eur("39.99")
    desk.report(desk.send(), "paid")
    assert desk.state().outcome == "partially_refunded"
    desk.now = T + DAY
    again = d.OpenDispute(order=desk.order().id, lines=(("1", 1),), reason="never_shipped", amount=2)
    assert desk.refuse(again, BUYER).code == "amount_above_refundable"


def test_a_provider_may_be_called_like_an_account_that_rules_read() -> None:
    for name in ("payable", "deposit", "available"):
        moved = [Transfer("payment", f"provider:{name}", PAYABLE, 4000, "EUR", "oak")]
        assert apply(Purse(available=9, deposit=7), moved) == Purse(available=9, deposit=7, payable=4000)
