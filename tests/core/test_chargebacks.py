"""Chargebacks: disputes stand still, go on with the time that was left, or end; caps hold (domain §4, §5)."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from core.pure import SHORT_OF_PAYMENTS, Desk
from core.test_cells import (
    PHASES,
    agreed,
    appealed,
    awaiting_funds,
    awaiting_return,
    awaiting_seller,
    closed,
    handed_over,
    notifying,
    refunding,
    run_out,
    sent,
    turned_down,
    verifying,
    withdrawn,
)
from given import AGENT, BUYER, DAY, FINANCE, PLATFORM, PROVIDER, SECOND, SELLER, T, eur
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core.acts import SendGoodwill
from houbao.core.chargebacks import Chargeback, ChargebackMoved
from houbao.core.fund import Repay
from houbao.core.ledger import EXPENSE
from houbao.core.refunds import ReportRefund
from houbao.core.terms import Actor

PAYABLE, HELD, OWES = "store:oak:payable", "store:oak:held", "store:oak:receivable"
FREE, RESERVED, BANK = "fund:available", "fund:reserved", "provider:sandbox"


def charge(desk: Desk, state: Any, amount: str = "40.00", reference: str = "cb-1", payment: str = "card") -> list[Any]:
    command = Chargeback(order=desk.order().id, payment=payment, reference=reference, minor=eur(amount), state=state)
    return desk.do(command, PROVIDER).events


def moved_by_bank(desk: Desk) -> list[tuple[str, str, str]]:
    return [(t.source, t.target, f"{t.minor / 100:.2f}") for t in desk.transfers if t.kind == "chargeback"]


# --- the dispute stands still, and goes on -------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase != "closed"])
def test_while_the_bank_decides_no_time_runs_and_then_the_time_that_was_left(phase: str) -> None:
    desk = PHASES[phase]()
    before = desk.state()
    desk.now = T + DAY / 3
    charge(desk, "opened")
    assert desk.state().timers == ()
    assert desk.sweep(T + 100 * DAY) == []
    charge(desk, "won")
    after = desk.state()
    pause = 100 * DAY - DAY / 3
    assert [timer.at - pause for timer in after.timers] == [timer.at for timer in before.timers]
    assert (after.phase, after.frozen) == (before.phase, None)
    if before.escalates_at:
        assert after.escalates_at == before.escalates_at + pause


def test_after_a_won_chargeback_the_default_falls_due_exactly_so_much_later() -> None:
    desk = awaiting_seller()
    desk.now = T + 4 * DAY
    charge(desk, "opened")
    desk.now = T + 20 * DAY
    charge(desk, "won")
    assert run_out(desk.sweep(T + 21 * DAY - SECOND)) == []
    assert run_out(desk.sweep(T + 21 * DAY)) == ["seller"]
    assert desk.state().resolved_by == "seller_timeout"


def test_what_fell_due_before_the_chargeback_was_heard_of_has_happened() -> None:
    desk = awaiting_seller()
    desk.now = T + 5 * DAY
    charge(desk, "opened")
    assert (desk.state().phase, desk.state().resolved_by) == ("refunding", "seller_timeout")


def test_nobody_decides_meanwhile_but_everybody_may_write_and_the_buyer_give_up() -> None:
    desk = verifying()
    charge(desk, "opened")
    assert desk.refuse(d.Rule(dispute=desk.dispute, finding="justified", reason="seen"), AGENT).code == "frozen"
    desk.do(d.WriteMessage(dispute=desk.dispute, message="It was the bank."), BUYER)
    desk.do(d.Withdraw(dispute=desk.dispute), BUYER)
    assert (desk.state().outcome, desk.state().frozen) == ("withdrawn", None)


def test_of_two_chargebacks_the_last_one_won_lets_it_go_on() -> None:
    desk = verifying()
    charge(desk, "opened", "10.00")
    charge(desk, "opened", "20.00", "cb-2")
    charge(desk, "won", "10.00")
    assert desk.state().frozen is not None
    charge(desk, "won", "20.00", "cb-2")
    assert desk.state().frozen is None


def test_a_refund_that_goes_over_another_payment_goes_on() -> None:
    payments = (
        o.Payment(id="card", provider="sandbox", minor=2000),
        o.Payment(id="voucher", provider="sandbox", minor=2000, cash=False),
    )
    desk = verifying(payments=payments)
    desk.rule(amount=eur("10.00"))
    charge(desk, "opened", "20.00", payment="voucher")
    desk.report(desk.send(), "paid")
    assert desk.state().outcome == "partially_refunded"


def test_a_dispute_opened_while_the_bank_decides_stands_still_from_the_start() -> None:
    desk = Desk()
    charge(desk, "opened", "30.00")
    desk.open("damaged", "10.00")
    assert (desk.state().phase, desk.state().timers) == ("verifying", ())
    assert desk.sweep(T + 100 * DAY) == []
    assert desk.refuse(d.Rule(dispute=desk.dispute, finding="justified", reason="seen"), AGENT).code == "frozen"
    charge(desk, "lost", "30.00")
    assert desk.state().outcome == "charged_back"


def test_so_does_one_that_is_taken_up_again_or_appealed_meanwhile() -> None:
    for build, again in (
        (withdrawn, d.Reopen),
        (turned_down, lambda dispute: d.FileAppeal(dispute=dispute, about="remedy")),
    ):
        desk = build()
        charge(desk, "opened", "30.00")
        desk.do(again(dispute=desk.dispute), BUYER)
        assert desk.state().frozen is not None
        charge(desk, "won", "30.00")
        assert (desk.state().frozen, bool(desk.state().timers)) == (None, True)


def test_a_notice_that_could_not_be_served_is_served_when_the_dispute_goes_on() -> None:
    desk = notifying()
    charge(desk, "opened")
    charge(desk, "won")
    notices = [effect for effect in desk.effects if effect.kind == "notice"]
    assert [effect.about for effect in notices] == [desk.state().notice] * 2


def test_a_refund_that_was_due_is_sent_when_the_dispute_goes_on() -> None:
    desk = refunding()
    charge(desk, "opened")
    charge(desk, "won")
    assert [effect.payment for effect in desk.effects if effect.kind == "refund"] == ["card", "card"]


def test_no_attempt_is_begun_while_the_bank_decides() -> None:
    desk = refunding()
    charge(desk, "opened")
    assert desk.send() == 0
    assert desk.state().refunds[0].shares[0].state == "due"


def test_money_that_comes_for_a_refund_that_waits_does_not_wake_it() -> None:
    desk = awaiting_funds()
    charge(desk, "opened")
    desk.top_up("100.00")
    desk.serve()
    assert (desk.state().phase, desk.state().frozen is None) == ("refunding", False)
    charge(desk, "won")
    assert (desk.state().phase, desk.state().timers) == ("refunding", ())


# --- lost ----------------------------------------------------------------------------------------------------------


def test_lost_the_dispute_ends_and_counts_and_the_fund_bears_what_is_in_its_scope() -> None:
    desk = verifying()
    charge(desk, "opened")
    charge(desk, "lost")
    state = desk.state()
    assert (state.phase, state.outcome, state.resolved_by) == ("closed", "charged_back", "chargeback")
    assert state.fault == d.Fault(state="counted", kind="SNAD")
    assert desk.moved() == [("reserve", FREE, RESERVED, "40.00"), ("chargeback", RESERVED, BANK, "40.00")]
    assert desk.balance(PAYABLE) == "40.00"  # R8


@pytest.mark.parametrize("fund", ["39.99", "0"])
def test_the_platform_bears_what_the_fund_does_not_have(fund: str) -> None:
    desk = verifying(fund=fund)
    charge(desk, "lost")
    assert moved_by_bank(desk) == [(EXPENSE, BANK, "40.00")]
    assert desk.balance(PAYABLE) == "40.00"


@pytest.mark.parametrize("build", [awaiting_seller, handed_over])
def test_the_seller_bears_what_is_the_sellers(build: Any) -> None:
    desk = build()
    charge(desk, "lost")
    assert moved_by_bank(desk) == [(PAYABLE, BANK, "40.00")]
    assert desk.state().fault.state == "counted"


def test_a_seller_who_is_owed_less_owes_the_rest() -> None:
    desk = awaiting_seller(commission="30.00", deposit="4.00")
    charge(desk, "lost")
    assert moved_by_bank(desk) == [(PAYABLE, BANK, "10.00"), ("store:oak:deposit", BANK, "4.00"), (OWES, BANK, "26.00")]


def test_what_was_put_aside_for_a_return_is_there_when_the_bank_takes_it() -> None:
    desk = awaiting_return()
    charge(desk, "opened")
    charge(desk, "lost")
    assert (desk.balance(HELD), desk.balance(PAYABLE), desk.balances[OWES]) == ("0.00", "0.00", 0)
    assert desk.state().fault.state == "exempt"  # a change of mind never counts


@pytest.mark.parametrize("build", [refunding, awaiting_funds])
def test_a_refund_that_was_not_sent_is_given_up(build: Any) -> None:
    desk = build()
    charge(desk, "opened")
    charge(desk, "lost")
    assert (desk.state().outcome, desk.state().refunds[0].state) == ("charged_back", "abandoned")
    assert desk.balance(RESERVED) == "0.00"


def test_an_order_without_a_dispute_is_the_sellers() -> None:
    desk = Desk()
    assert [type(event) for event in charge(desk, "opened")] == [ChargebackMoved]
    charge(desk, "lost")
    assert moved_by_bank(desk) == [(PAYABLE, BANK, "40.00")]


def test_so_is_one_whose_dispute_was_withdrawn() -> None:
    desk = withdrawn()
    charge(desk, "lost")
    assert moved_by_bank(desk) == [(PAYABLE, BANK, "40.00")]
    assert desk.state().outcome == "withdrawn"


def test_an_appeal_that_was_heard_ends_with_the_dispute() -> None:
    desk = appealed(turned_down)
    charge(desk, "opened")
    charge(desk, "lost")
    assert (desk.state().phase, desk.state().outcome) == ("closed", "charged_back")
    assert desk.state().appeals[-1].finding == "stands"


# --- twice ---------------------------------------------------------------------------------------------------------


def test_one_that_comes_after_the_refund_is_double_booked_in_full_and_contested() -> None:
    desk = closed()
    charge(desk, "opened", "30.00")
    (moved,) = charge(desk, "lost", "30.00")
    assert (moved.double, moved.payer, moved.dispute) == (3000, "fund", desk.dispute)
    assert moved_by_bank(desk) == [(RESERVED, BANK, "30.00")]
    assert (desk.balance(PAYABLE), desk.balance(RESERVED)) == ("40.00", "0.00")
    assert [effect.what for effect in desk.effects if effect.kind == "alert"] == ["representment", "representment"]
    assert desk.state().outcome == "refunded"


def test_only_what_was_paid_back_already_is_double() -> None:
    desk = agreed("20.00")
    (moved,) = charge(desk, "lost", "30.00")
    assert (moved.double, moved.payer) == (1000, "seller")


def test_a_refund_on_its_way_is_waited_for_and_may_be_double() -> None:
    desk = sent()
    attempt = desk.state().refunds[0].shares[0].attempt
    charge(desk, "opened")
    charge(desk, "lost")
    assert (desk.state().phase, desk.state().frozen is None) == ("refunding", False)
    desk.report(attempt, "paid")
    assert (desk.state().outcome, desk.state().frozen) == ("refunded", None)


def test_where_the_provider_refused_it_nothing_is_sent_again() -> None:
    desk = sent()
    attempt = desk.state().refunds[0].shares[0].attempt
    charge(desk, "lost")
    desk.report(attempt, "refused")
    assert (desk.state().outcome, desk.state().refunds[0].state) == ("charged_back", "abandoned")
    assert desk.balance(RESERVED) == "0.00"


def test_a_refusal_while_the_bank_decides_waits_for_the_bank() -> None:
    desk = sent()
    attempt = desk.state().refunds[0].shares[0].attempt
    charge(desk, "opened")
    desk.report(attempt, "refused")
    assert desk.state().phase == "refunding"
    charge(desk, "won")
    desk.report(desk.send(), "paid")
    assert desk.state().outcome == "refunded"


def test_the_time_to_name_another_way_does_not_run_while_the_bank_decides() -> None:
    desk = sent()
    attempt = desk.state().refunds[0].shares[0].attempt
    charge(desk, "opened")
    desk.do(ReportRefund(dispute=desk.dispute, attempt=attempt, result="refused", final=True), PROVIDER)
    assert desk.state().timers == ()
    desk.now = T + 10 * DAY
    charge(desk, "won")
    assert desk.due() == T + 100 * DAY


def test_what_comes_back_while_the_bank_asks_for_it_is_not_sent_again() -> None:
    desk = closed()
    attempt = desk.state().refunds[0].shares[0].attempt
    charge(desk, "opened")
    desk.report(attempt, "returned")
    assert desk.state().frozen is not None
    charge(desk, "lost")
    assert desk.state().outcome == "charged_back"


def test_nor_is_what_comes_back_after_the_bank_took_it() -> None:
    desk = closed()
    attempt = desk.state().refunds[0].shares[0].attempt
    charge(desk, "lost")
    desk.report(attempt, "returned")
    assert (desk.state().phase, desk.state().outcome) == ("closed", "charged_back")
    assert desk.balance(RESERVED) == "0.00"


# --- caps, and who says what ---------------------------------------------------------------------------------------


def test_what_a_bank_asks_back_or_took_is_not_refunded_too() -> None:
    for state, code in (("opened", "nothing_left"), ("lost", "nothing_left"), ("won", "")):
        desk = Desk()
        charge(desk, "opened" if state == "won" else state)
        if state == "won":
            charge(desk, "won")
            desk.open()
        else:
            command = d.OpenDispute(order=desk.order().id, lines=(("1", 1),), reason="damaged", amount=1)
            assert desk.refuse(command, BUYER).code == code


def test_of_the_rest_a_refund_is_approved() -> None:
    desk = Desk()
    charge(desk, "lost", "30.00")
    desk.open("damaged", "10.00")
    desk.rule()
    assert desk.state().refunds[0].minor == 1000


def test_an_approval_made_before_is_capped_by_what_is_left_then() -> None:
    desk = verifying(**SHORT_OF_PAYMENTS)
    other = desk.open("damaged", "40.00", lines=(("2", 1),))
    charge(desk, "lost", "25.00")
    assert {desk.state(number).outcome for number in (desk.dispute, other)} == {"charged_back"}


def test_the_same_word_twice_changes_nothing_and_another_is_refused() -> None:
    desk = verifying()
    charge(desk, "opened")
    assert charge(desk, "opened") == []
    charge(desk, "won")
    assert charge(desk, "won") == []
    for state, amount in (("lost", "40.00"), ("opened", "40.00"), ("won", "30.00")):
        again = Chargeback(order=desk.order().id, payment="card", reference="cb-1", minor=eur(amount), state=state)  # type: ignore[arg-type]
        assert desk.refuse(again, PROVIDER).code == "chargeback_turn"
    never = Chargeback(order=desk.order().id, payment="card", reference="cb-2", minor=1, state="won")
    assert desk.refuse(never, PROVIDER).code == "chargeback_turn"


def test_a_provider_speaks_of_its_own_payments_and_the_marketplace_of_all() -> None:
    desk = Desk()
    command = Chargeback(order=desk.order().id, payment="card", reference="cb-1", minor=1, state="opened")
    assert desk.refuse(command, Actor("provider", "rival")).code == "not_yours"
    for stranger in (BUYER, SELLER, AGENT):
        assert desk.refuse(command, stranger).code == "not_permitted"
    desk.do(command, PLATFORM)


def test_a_chargeback_is_of_a_payment_that_arrived_and_at_most_of_all_of_it() -> None:
    desk = Desk()
    for changed, code in (({"payment": "cash"}, "unknown_payment"), ({"minor": 4001}, "bad_amount")):
        fields: dict[str, Any] = {"order": desk.order().id, "payment": "card", "reference": "cb-1", "minor": 1}
        assert desk.refuse(Chargeback(**{**fields, **changed}, state="opened"), PROVIDER).code == code


def test_the_time_left_is_kept_to_the_microsecond() -> None:
    desk = awaiting_seller()
    desk.now = T + timedelta(microseconds=1)
    charge(desk, "opened")
    desk.now += timedelta(microseconds=2)
    charge(desk, "won")
    assert desk.due() == T + 5 * DAY + timedelta(microseconds=2)


def test_a_chargeback_won_does_not_let_go_on_what_another_one_took() -> None:
    desk = verifying(payments=TWO_CARDS)
    desk.rule()
    attempt = desk.send("card")
    desk.report(attempt, "unknown")
    desk.report(desk.send("second"), "paid")
    charge(desk, "opened", "20.00", "cb-1")
    charge(desk, "opened", "10.00", "cb-2")
    charge(desk, "lost", "20.00", "cb-1")
    charge(desk, "won", "10.00", "cb-2")
    assert desk.state().frozen is not None
    desk.report(attempt, "refused")
    assert (desk.state().outcome, desk.send("card")) == ("charged_back", 0)


def test_what_a_bank_took_before_anything_was_sent_holds_up_nothing_later() -> None:
    desk = Desk()
    charge(desk, "lost", "10.00", "cb-1")
    desk.open("damaged", "30.00")
    desk.rule()
    desk.report(desk.send(), "unknown")
    desk.now = T + DAY
    charge(desk, "opened", "10.00", "cb-2")
    charge(desk, "won", "10.00", "cb-2")
    assert (desk.state().phase, desk.state().frozen) == ("refunding", None)


def test_two_advances_that_a_bank_undoes_never_give_back_more_than_the_store_owes() -> None:
    lines = (o.NewLine(id="1", item=6000), o.NewLine(id="2", item=4000))
    desk = Desk("100.00", commission="100.00", lines=lines)
    desk.open("changed_mind", "60.00")
    desk.open("changed_mind", "40.00", lines=(("2", 1),))
    assert desk.balance(OWES) == "-100.00"
    desk.world = structs.replace(desk.world, purse=structs.replace(desk.world.purse, payable=5000))
    desk.do(Repay(store="oak", minor=5000, currency="EUR"), FINANCE)
    charge(desk, "lost", "1.00")
    assert (desk.balance(OWES), desk.world.purse.receivable) == ("0.00", 0)


def test_what_a_bank_takes_after_the_seller_gave_it_back_of_its_own_accord_is_contested() -> None:
    desk = Desk()
    desk.do(SendGoodwill(order=desk.order().id, amount=eur("40.00")), SELLER)
    record = max(desk.world.disputes)
    desk.report(desk.send(dispute=record), "paid", record)
    charge(desk, "lost")
    told = [(effect.dispute, effect.what) for effect in desk.effects if effect.what == "representment"]
    assert told == [(record, "representment")]


TWO_CARDS = (
    o.Payment(id="card", provider="sandbox", minor=2000),
    o.Payment(id="second", provider="sandbox", minor=2000),
)
"""An order of 40.00 paid with two cards."""
