"""The worked examples of the specification (EUR, capital mode; before each P 200.00, F 1,000.00, R 0.00)."""

from datetime import UTC, date, datetime

from msgspec import structs

from given import AGENT, BUYER, DAY, FINANCE, PLATFORM, SECOND, SELLER, SENIOR, Market, T, eur, opening, standard
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core.accounts import store_account
from houbao.core.exchange import convert, ecb_counts_from, parse_rate
from houbao.core.programme import Enrol, Leave
from houbao.core.refunds import SettleRefund
from houbao.store.rates import keep


def test_example_1_covered_and_damaged_is_paid_by_the_fund(market):
    order = market.order(amount="40.00")
    before = market.funds()
    dispute = market.open(order, "damaged", "40.00")
    assert market.dispute(dispute).phase == "verifying"

    market.rule(dispute, "justified")
    assert market.funds() == (before[0], "960.00", "40.00")
    market.work()

    state = market.dispute(dispute)
    assert market.moved(dispute) == [
        ("reserve", "fund:available", "fund:reserved", "40.00"),
        ("guarantee", "fund:reserved", "store:oak:held", "40.00"),
        ("refund", "store:oak:held", "provider:sandbox", "40.00"),
    ]
    assert market.funds() == (before[0], "960.00", "0.00")
    assert (state.phase, state.outcome, state.resolved_by) == ("closed", "refunded", "guarantee")
    assert (state.fault.state, state.fault.kind) == ("counted", "SNAD")
    assert d.funding_of(state) == (("fund", eur("40.00")),)
    assert sum(market.provider.paid.values()) == eur("40.00")


def test_example_1_begins_with_the_given_balances_and_needs_no_seller(market):
    order = market.order(amount="40.00", commission="40.00")
    assert market.funds() == ("200.00", "1000.00", "0.00")
    dispute = market.open(order, "damaged", "40.00")
    market.rule(dispute)
    market.work()
    assert market.funds() == ("200.00", "960.00", "0.00")
    by = market.database.connection.execute("SELECT body->>'by' FROM events WHERE body->>'dispute'=?", (dispute,))
    assert not [who for (who,) in by if who.startswith("seller")]


def test_example_2_out_of_scope_is_handed_to_the_seller_whose_silence_pays(market):
    order = market.order(amount="60.00", commission="60.00")
    dispute = market.open(order, "poor_quality", "60.00")
    market.rule(dispute, "out_of_scope", "counterfeit")
    assert market.dispute(dispute).phase == "notifying"

    market.now = accepted_at = T + DAY
    market.work()
    state = market.dispute(dispute)
    assert (state.phase, d.due_at(state)) == ("awaiting_seller", accepted_at + 5 * DAY)
    assert any("Official notice" in letter.subject for letter in market.mailbox.letters)

    market.go(accepted_at + 5 * DAY)
    assert market.moved(dispute) == [
        ("hold", "store:oak:payable", "store:oak:held", "60.00"),
        ("refund", "store:oak:held", "provider:sandbox", "60.00"),
    ]
    state = market.dispute(dispute)
    assert market.funds() == ("140.00", "1000.00", "0.00")
    assert (state.outcome, state.resolved_by) == ("refunded", "seller_timeout")
    assert (state.fault.state, state.fault.kind) == ("counted", "SNAD")


def test_example_2b_in_scope_but_disclosed_is_rejected_without_a_trace_in_money(market):
    order = market.order(amount="60.00", commission="60.00")
    dispute = market.open(order, "not_as_pictured", "60.00")
    market.rule(dispute, "unjustified", "disclosed")
    state = market.dispute(dispute)
    assert (state.phase, state.outcome, state.fault.state) == ("closed", "rejected", "exempt")
    assert market.moved(dispute) == []
    assert market.funds() == ("200.00", "1000.00", "0.00")


def test_example_2b_the_buyer_appeals_and_somebody_else_decides(market):
    order = market.order(amount="60.00", commission="60.00")
    dispute = market.open(order, "not_as_pictured", "60.00")
    market.rule(dispute, "unjustified", "disclosed")
    market.accept(d.FileAppeal(dispute=dispute, about="remedy", note="Look at the photo again."), BUYER)
    assert (market.dispute(dispute).phase, d.due_at(market.dispute(dispute))) == ("adjudicating", T + 14 * DAY)
    again = d.Rule(dispute=dispute, finding="justified", reason="photo_differs")
    assert market.refuse(again, AGENT).code == "same_agent"
    market.accept(again, SENIOR)
    market.work()
    state = market.dispute(dispute)
    assert (state.phase, state.outcome, state.resolved_by) == ("closed", "refunded", "appeal")
    assert market.funds() == ("200.00", "940.00", "0.00")
    assert d.funding_of(state) == (("fund", eur("60.00")),)
    market.check()


def test_example_3_not_received_waits_for_the_seller_though_covered(market):
    order = market.order(amount="30.00", delivered=False, commission="30.00")
    dispute = market.open(order, "in_transit_overdue", "25.00")
    state = market.dispute(dispute)
    assert state.phase == "awaiting_seller"
    assert state.covered
    due = d.due_at(state)
    assert due == T + 5 * DAY

    market.go(due - SECOND)
    assert market.dispute(dispute).phase == "awaiting_seller"
    assert market.moved(dispute) == []

    market.go(due)
    state = market.dispute(dispute)
    assert market.funds() == ("175.00", "1000.00", "0.00")
    assert (state.outcome, state.resolved_by) == ("refunded", "seller_timeout")
    assert (state.fault.state, state.fault.kind) == ("counted", "INR")


def test_example_4_a_change_of_mind_goes_straight_into_the_return_flow(market):
    order = market.order(amount="80.00", commission="80.00")
    dispute = market.open(order, "changed_mind", "80.00")
    assert market.dispute(dispute).phase == "awaiting_return"
    assert market.funds() == ("120.00", "1000.00", "0.00")
    assert market.balance(store_account("oak", "held")) == "80.00"

    market.go(T + 3 * DAY)
    market.accept(d.ShipReturn(dispute=dispute, carrier="Post", tracking="RR1"), BUYER)
    market.go(T + 5 * DAY)
    market.accept(d.ScanReturn(dispute=dispute), PLATFORM)
    market.accept(d.ConfirmReturn(dispute=dispute), SELLER)
    market.work()
    state = market.dispute(dispute)
    assert market.funds() == ("120.00", "1000.00", "0.00")
    assert (state.outcome, state.resolved_by, state.fault.state) == ("refunded", "return", "exempt")
    assert not [line for line in market.moved(dispute) if "fund:" in line[1] + line[2]]
    market.check()


def test_example_5_settled_privately_and_withdrawn_leaves_no_transfers(market):
    order = market.order(amount="20.00", commission="20.00")
    market.accept(o.Rated(order=order, at=T, description=4, service=5, logistics=5), PLATFORM)
    never_opened = market.score()
    dispute = market.open(order, "wrong_variant", "20.00")
    opened = market.score()
    assert (opened.rates["snad"].n, opened.lost["snad"] > 0) == (1, True)
    market.go(T + DAY)
    market.accept(d.Withdraw(dispute=dispute), BUYER)
    assert structs.replace(market.score(day=T.date()), exempt=0) == never_opened
    state = market.dispute(dispute)
    assert (state.phase, state.outcome, state.fault.state) == ("closed", "withdrawn", "exempt")
    assert market.moved(dispute) == []
    assert market.funds() == ("200.00", "1000.00", "0.00")


def test_example_6_offer_counter_and_agreement(market):
    order = uncovered(market)
    dispute = market.open(order, "defective", "50.00")
    market.accept(d.MakeOffer(dispute=dispute, amount=eur("20.00")), SELLER)
    assert market.dispute(dispute).phase == "awaiting_buyer"
    market.accept(d.Counter(dispute=dispute, amount=eur("35.00")), BUYER)
    market.accept(d.Accept(dispute=dispute), SELLER)
    market.work()
    state = market.dispute(dispute)
    assert market.funds() == ("165.00", "1000.00", "0.00")
    assert (state.outcome, state.resolved_by) == ("partially_refunded", "agreement")
    assert (state.fault.state, state.fault.kind) == ("counted", "SNAD")
    market.check()


def uncovered(market):
    """An order that was paid after the store had left the guarantee."""
    market.accept(Leave(store="oak", at=T - 11 * DAY), PLATFORM)
    return market.order(amount="50.00", commission="50.00")


def test_example_7_a_time_out_is_neither_yes_nor_no_until_the_look_up(market):
    order = market.order(amount="40.00", commission="40.00")
    dispute = market.open(order, "damaged", "40.00")
    market.provider.script = ["timeout_paid", "look_down"]
    market.rule(dispute)
    market.work()
    assert market.funds() == ("200.00", "960.00", "40.00")
    assert market.dispute(dispute).phase == "refunding"

    market.go(T + DAY / 24)
    assert market.funds() == ("200.00", "960.00", "0.00")
    assert market.dispute(dispute).outcome == "refunded"
    assert list(market.provider.paid.values()) == [eur("40.00")]
    assert [what for what, _ in market.provider.calls].count("pay") == 1


def test_example_8_short_of_money_the_refund_waits_and_nothing_is_lost(market, tmp_path):
    from given import Market

    (tmp_path / "short").mkdir()
    market = Market(tmp_path / "short", fund="10.00")
    order = market.order(amount="40.00", commission="40.00")
    dispute = market.open(order, "damaged", "40.00")
    market.rule(dispute)
    market.work()
    assert market.dispute(dispute).phase == "awaiting_funds"
    assert market.moved(dispute) == []
    assert any("fund short" in letter.subject for letter in market.mailbox.letters)

    market.top_up("100.00")
    assert market.funds()[1] == "110.00"
    market.work()
    assert market.dispute(dispute).outcome == "refunded"
    assert market.funds() == ("200.00", "70.00", "0.00")
    market.check()


def test_example_9_a_rejection_one_second_before_due_wins(market):
    order = market.order(amount="30.00", delivered=False, commission="30.00")
    dispute = market.open(order, "in_transit_overdue", "25.00")
    due = d.due_at(market.dispute(dispute))
    market.go(due - SECOND)
    market.accept(d.Reject(dispute=dispute, reason="proof_of_delivery"), SELLER)
    assert market.dispute(dispute).phase == "awaiting_buyer"
    assert market.moved(dispute) == []
    market.go(due + DAY)
    assert market.dispute(dispute).phase == "awaiting_buyer"
    market.accept(d.Escalate(dispute=dispute), BUYER)
    assert market.dispute(dispute).phase == "adjudicating"
    assert market.moved(dispute) == []
    market.check()


SUNDAY = datetime(2018, 7, 8, 12, tzinfo=UTC)
PUBLISHED = {date(2018, 7, 5): "4.5748", date(2018, 7, 6): "4.6279", date(2018, 7, 9): "4.5564"}
"""The reference rates of the European Central Bank, BRL for one EUR, of the days around that Sunday."""


def published():
    """Those rates, as the reader of the bank's file gives them."""
    return [
        parse_rate("EUR", "BRL", rate, published_at=ecb_counts_from(day), source="ECB")
        for day, rate in PUBLISHED.items()
    ]


def test_example_10_a_refund_in_another_currency_and_its_settlement(tmp_path):
    launched = SUNDAY - 100 * DAY
    programme = standard(launched_at=launched, policies=((launched, "2026.1"),), also_covers=("BRL",))
    market = Market(tmp_path, programme=programme, enrolled=False)
    market.now = SUNDAY
    rates = published()
    keep(market.database, rates)
    market.accept(Enrol(store="oak", programme="standard", at=launched), PLATFORM)
    order = market.order(amount="100.00", currency="BRL", paid=SUNDAY - 10 * DAY, delivered=False)
    market.accept(o.Delivered(order=order, at=SUNDAY - DAY), PLATFORM)
    dispute = market.accept(opening(order, "damaged", "100.00"), BUYER).id
    market.rule(dispute)
    assert market.funds() == ("200.00", "978.39", "21.61")
    (refund,) = market.dispute(dispute).refunds
    assert refund.in_fund is not None
    assert (refund.in_fund.rate, refund.in_fund.minor) == (rates[1], eur("21.61"))

    market.work()
    reserve = ("reserve", "fund:available", "fund:reserved", "21.61")
    assert market.moved(dispute) == [
        reserve,
        ("exchange", "fund:reserved", "fx:EUR", "21.61"),
        ("guarantee", "fx:BRL", "store:oak:held", "100.00"),
        ("refund", "store:oak:held", "provider:sandbox", "100.00"),
    ]
    assert market.funds() == ("200.00", "978.39", "0.00")
    assert list(market.provider.paid.values()) == [10_000]

    market.now = SUNDAY + DAY
    taken = convert(10_000, "BRL", "EUR", rates[2])
    market.accept(SettleRefund(dispute=dispute, payment="card", taken=taken), FINANCE)
    assert market.moved(dispute)[4:] == [
        ("settlement", "fx:EUR", "external:bank", "21.95"),
        ("settlement", "provider:sandbox", "fx:BRL", "100.00"),
        ("difference", "platform:expense", "fx:EUR", "0.34"),
    ]
    assert [market.sum_of(f"fx:{currency}", currency) for currency in ("EUR", "BRL")] == ["0.00", "0.00"]
    market.check()
