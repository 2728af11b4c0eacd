"""The money table of the specification, row by row: what each event does to the accounts, and to nothing else."""

from datetime import timedelta

import pytest

from core.pure import Desk
from core.test_cells import awaiting_funds, awaiting_seller, refunding, sent, verifying
from given import BUYER, DAY, PLATFORM, SELLER, T, eur
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core.ledger import BANK, COMMISSION, EXPENSE, Transfer, keeps_balance, transfers
from houbao.core.refunds import FundsReserved, RefundContradicted, RefundFailed, RefundSent
from houbao.core.terms import Refused

PAYABLE, HELD, DEPOSIT, OWES = (f"store:oak:{kind}" for kind in ("payable", "held", "deposit", "receivable"))
FREE, RESERVED, PROVIDER = "fund:available", "fund:reserved", "provider:sandbox"
TWO_CARDS = (
    o.Payment(id="a", provider="sandbox", minor=2000),
    o.Payment(id="b", provider="other", minor=2000),
)

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
    desk = Desk("40.00", commission="4.00")
    assert desk.refuse(o.PaidOut(order=desk.order().id, at=T, minor=3601), PLATFORM).code == "payable_short"
    desk.do(o.PaidOut(order=desk.order().id, at=T, minor=3600), PLATFORM)
    assert only(desk.transfers[-1:]) == [("payout", PAYABLE, PROVIDER, 3600)]
    assert desk.balance(PAYABLE) == "0.00"


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
