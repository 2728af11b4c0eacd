"""The requirements that this version keeps, one promise a test, each through the real engine."""

from datetime import datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec import structs

from core.policies import next_policy
from given import (
    AGENT,
    BUYER,
    DAY,
    FINANCE,
    MAIL,
    PLATFORM,
    PROVIDER,
    SECOND,
    SELLER,
    Market,
    T,
    eur,
    opening,
    standard,
)
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.acts import SendGoodwill
from houbao.core.calendars import days_after
from houbao.core.exchange import parse_rate
from houbao.core.fund import PayDeposit
from houbao.core.messages import WriteOnOrder
from houbao.core.policy_file import parse_policy
from houbao.core.rulings import assess
from houbao.core.score import POINT, of_hundred
from houbao.core.terms import REASONS, SYSTEM, Actor, Refused, rfc3339
from houbao.engine.scoring import Scoring
from houbao.shipped import policy_text
from houbao.store import queries, statements
from houbao.store.policies import publish_text
from houbao.store.rates import keep
from houbao.store.scores import Scorebook

HOUR = timedelta(hours=1)
PHOTO = "ab" * 32
INR = [reason for reason, kind in REASONS.items() if kind == "INR"]
SNAD = [reason for reason, kind in REASONS.items() if kind == "SNAD"]
OTHER = [reason for reason, kind in REASONS.items() if kind == "OTHER"]
EXCLUDED = ("gift_cards", "live_animals", "perishables")


@pytest.fixture
def market_with(tmp_path):
    """Markets that begin otherwise than in the worked examples; every one must verify in the end."""
    made = []

    def make(**given):
        folder = tmp_path / f"market-{len(made)}"
        folder.mkdir()
        made.append(Market(folder, **given))
        return made[-1]

    yield make
    for market in made:
        market.check()
        market.database.close()


def coverage(market, order):
    return market.database.order(0, order).coverage


def handed_over(market, *answers):
    """A covered dispute of 60.00 that the agent found out of scope: its notice has not been served yet. `answers` is
    what the mail server will say to it."""
    dispute = market.open(market.order(amount="60.00"), "poor_quality", "60.00")
    market.work()
    market.mailbox.script = [*answers]
    market.rule(dispute, "out_of_scope", "counterfeit")
    return dispute


def not_received(market, amount="25.00", paid="30.00"):
    return market.open(market.order(amount=paid, delivered=False), "in_transit_overdue", amount)


# --- R1 many merchants, each with stores, across borders ------------------------------------------------------------


def test_r1_no_row_of_one_store_is_visible_to_another_and_a_refund_goes_out_in_the_currency_paid(market_with):
    market = market_with(programme=standard(also_covers=("BRL",)))
    keep(market.database, [parse_rate("EUR", "BRL", "4.6279", published_at=T - DAY, source="ECB")])
    market.accept(p.RegisterStore(store="elm", country="BR"), PLATFORM)
    market.accept(p.Enrol(store="elm", programme="standard", at=T - 90 * DAY), PLATFORM)
    oaks = market.order("same-reference", "40.00")
    elms = market.order("same-reference", "100.00", store="elm", currency="BRL")
    refunds = {store: market.open(order, "damaged", "40.00") for store, order in (("oak", oaks), ("elm", elms))}
    for dispute in refunds.values():
        market.rule(dispute)
    market.work()

    pairs = {store: market.statement(store, currency) for store, currency in (("oak", "EUR"), ("elm", "BRL"))}
    for store, other in (("oak", "elm"), ("elm", "oak")):
        seen = {(line.dispute, line.order) for line in pairs[store]}
        assert (refunds[store], {"oak": oaks, "elm": elms}[store]) in seen
        assert not {line.position for line in pairs[store]} & {line.position for line in pairs[other]}
        assert refunds[other] not in {dispute for dispute, _ in seen}
        appeal = d.FileAppeal(dispute=refunds[other], about="fault")
        assert market.refuse(appeal, Actor("seller", store)).code == "not_yours"
    (owed,) = {line.order for line in pairs["oak"]} - {oaks}
    assert market.database.order(0, owed).store == "oak"
    assert statements.currencies(market.database.connection, 0, "elm") == ["BRL"]
    assert statements.currencies(market.database.connection, 0, "oak") == ["EUR"]
    assert market.statement("oak", "BRL") == market.statement("elm", "EUR") == []

    assert market.dispute(refunds["elm"]).refunds[-1].currency == "BRL"
    assert sorted(market.provider.currencies) == ["BRL", "EUR"]
    assert [(line.kind, line.minor, line.currency) for line in pairs["elm"][-2:]] == [
        ("guarantee", 4000, "BRL"),
        ("refund", -4000, "BRL"),
    ]


def test_r1_a_seller_acts_on_the_disputes_of_its_own_store_alone(market):
    market.accept(p.RegisterStore(store="elm"), PLATFORM)
    dispute = market.open(market.order(), "never_shipped", "40.00")
    assert market.refuse(d.Accept(dispute=dispute), Actor("seller", "elm")).code == "not_yours"
    assert (market.seller_queue("oak"), market.seller_queue("elm")) == (1, 0)


# --- R2 the guarantee is a programme with versions and effective dates ----------------------------------------------


def test_r2_an_order_paid_before_the_launch_is_not_covered(market_with):
    market = market_with(programme=standard(launched_at=T - 5 * DAY))
    order = market.order(paid=T - 5 * DAY - SECOND)
    assert (coverage(market, order).covered, coverage(market, order).reason) == (False, "before_launch")
    state = market.dispute(market.open(order, "damaged", "40.00"))
    assert (state.phase, state.rule, state.covered) == ("awaiting_seller", "not_covered", False)


def test_r2_an_order_paid_at_the_instant_of_the_launch_is_covered(market_with):
    market = market_with(programme=standard(launched_at=T - 5 * DAY))
    order = market.order(paid=T - 5 * DAY)
    assert market.dispute(market.open(order, "damaged", "40.00")).phase == "verifying"


def test_r2_an_order_paid_after_the_end_is_not_covered_one_paid_before_still_is(market_with):
    market = market_with(programme=standard(ended_at=T - 5 * DAY))
    late, early = market.order(paid=T - 5 * DAY), market.order(paid=T - 5 * DAY - SECOND)
    assert (coverage(market, late).covered, coverage(market, late).reason) == (False, "after_end")
    assert market.dispute(market.open(late, "damaged", "40.00")).phase == "awaiting_seller"
    assert market.dispute(market.open(early, "damaged", "40.00")).phase == "verifying"


def test_r2_routes_follow_the_version_in_force_at_payment_and_times_the_one_at_opening(market_with):
    market = market_with(programme=standard())
    newer = next_policy(verification='"2 d"').replace('"15.00"', '"50.00"')
    publish_text(market.database, "standard", newer, T)
    before, after = (market.order(paid=paid, shipped=False) for paid in (T - SECOND, T))
    market.now = T + DAY
    for order in (before, after):
        market.accept(o.Shipped(order=order, at=T), PLATFORM)
        market.accept(o.Delivered(order=order, at=T + HOUR), PLATFORM)
    old, new = (market.open(order, "damaged", "20.00", evidence=(PHOTO,)) for order in (before, after))
    assert (market.dispute(old).route, market.dispute(new).route) == ("verify", "instant")
    assert (market.dispute(old).policy, d.due_at(market.dispute(old))) == ("2026.2", T + 3 * DAY)


# --- R3 covered? who pays? why? before it is opened and after -------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "reason", "evidence", "rule", "payer"),
    [
        ({}, "damaged", (), "verify", "fund"),
        ({}, "damaged", (PHOTO,), "instant", "fund"),
        ({}, "counterfeit", (PHOTO,), "counterfeit", "seller"),
        ({"category": "gift_cards"}, "damaged", (), "excluded_category", "seller"),
        ({"delivered": False}, "in_transit_overdue", (), "not_received", "seller"),
        ({"paid": T - 91 * DAY}, "damaged", (), "not_covered", "seller"),
        ({}, "overcharged", (), "other", "seller"),
    ],
)
def test_r3_the_answer_before_opening_is_the_answer_after(market, order, reason, evidence, rule, payer):
    command = opening(market.order(**order), reason, "10.00", evidence=evidence)
    told = market.explain(command)
    assert (told.rule.name, told.rule.payer) == (rule, payer)
    assert told.rule.says

    opened = market.events(market.accept(command, BUYER).id)[0]
    assert (opened.rule, opened.payer) == (told.rule.name, told.rule.payer)
    rules = market.database.compiled(opened.policy, "EUR")
    assert assess(rules, opened.facts) == told


def test_r3_the_answer_says_why_no_earlier_rule_matched(market):
    told = market.explain(opening(market.order(), "damaged", "40.00"))
    earlier = [rule.name for rule in parse_policy(policy_text()).rules]
    assert [miss.rule for miss in told.misses] == earlier[: earlier.index("verify")]
    assert ("instant", 2, False) in [(miss.rule, miss.condition, miss.found) for miss in told.misses]


def test_r3_what_would_be_refused_is_refused_before_opening_with_the_rule(market):
    with pytest.raises(Refused) as refused:
        market.explain(opening(market.order(delivered=False), "damaged", "40.00"))
    assert (refused.value.code, refused.value.rule) == ("outside_window", "outside_window")
    assert [miss.rule for miss in refused.value.reasons] == ["not_paid"]


def paid_by_verification(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    market.rule(dispute, amount=eur("15.00"))
    return dispute


def paid_at_once(market):
    return market.open(market.order(), "damaged", "15.00", evidence=(PHOTO,))


def paid_by_silence(market):
    dispute = not_received(market)
    market.go(T + 5 * DAY)
    return dispute


def paid_by_agreement(market):
    dispute = not_received(market)
    market.accept(d.Accept(dispute=dispute), SELLER)
    return dispute


def paid_for_a_notice_never_served(market):
    dispute = handed_over(market, "bounced")
    market.go(T + 7 * DAY)
    return dispute


def paid_for_a_verification_never_ended(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    market.go(T + 14 * DAY)
    return dispute


@pytest.mark.parametrize(
    ("scene", "payer", "amount"),
    [
        (paid_by_verification, "fund", "15.00"),
        (paid_at_once, "fund", "15.00"),
        (paid_by_silence, "seller", "25.00"),
        (paid_by_agreement, "seller", "25.00"),
        (paid_for_a_notice_never_served, "platform", "60.00"),
        (paid_for_a_verification_never_ended, "fund", "40.00"),
    ],
)
def test_r3_funding_is_set_where_money_went_out_and_equals_the_ledger(market, scene, payer, amount):
    dispute = scene(market)
    market.work()
    state = market.dispute(dispute)
    assert state.phase == "closed"
    assert d.funding_of(state) == ((payer, eur(amount)),)
    assert market.ledger_funding(dispute) == dict(d.funding_of(state))
    assert list(market.provider.paid.values()) == [eur(amount)]


def test_r3_where_a_seller_is_short_the_funding_still_says_seller_and_equals_the_ledger(market_with):
    market = market_with(owed="0")
    dispute = market.open(market.order(amount="30.00", commission="20.00", delivered=False), "never_shipped", "30.00")
    market.go(T + 5 * DAY)
    assert [(kind, source) for kind, source, *_ in market.moved(dispute)][:2] == [
        ("hold", "store:oak:payable"),
        ("hold", "store:oak:receivable"),
    ]
    assert market.ledger_funding(dispute) == dict(d.funding_of(market.dispute(dispute))) == {"seller": eur("30.00")}


def test_r3_a_dispute_that_paid_nothing_has_no_funding(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    market.rule(dispute, "unjustified", "disclosed")
    assert (d.funding_of(market.dispute(dispute)), market.ledger_funding(dispute)) == ((), {})


# --- R4 coverage is frozen when the order is paid ------------------------------------------------------------------


def test_r4_leaving_touches_later_orders_only(market):
    before = market.order(paid=T - 3 * DAY)
    market.accept(p.Leave(store="oak", at=T - 2 * DAY), PLATFORM)
    after = market.order(paid=T - DAY)
    state = market.dispute(market.open(before, "damaged", "40.00"))
    assert (state.covered, state.phase) == (True, "verifying")
    state = market.dispute(market.open(after, "damaged", "40.00"))
    assert (state.covered, state.phase) == (False, "awaiting_seller")


def test_r4_a_store_itself_joins_and_leaves_from_now_on_never_for_the_past(market):
    market.accept(p.Leave(store="oak", at=T), SELLER)
    assert market.refuse(p.Enrol(store="oak", programme="standard", at=T - SECOND), SELLER).code == "bad_time"
    market.accept(p.Enrol(store="oak", programme="standard", at=T), SELLER)


def test_r4_nobody_leaves_before_the_store_joined(market):
    assert market.refuse(p.Leave(store="oak", at=T - 91 * DAY), PLATFORM).code == "bad_time"


def test_r4_the_instant_of_leaving_is_outside_the_second_before_it_inside(market):
    market.accept(p.Leave(store="oak", at=T - 2 * DAY), PLATFORM)
    assert not coverage(market, market.order(paid=T - 2 * DAY)).covered
    assert coverage(market, market.order(paid=T - 2 * DAY - SECOND)).covered


def test_r4_a_leave_dated_back_does_not_touch_an_order_that_is_paid(market):
    order = market.order(paid=T - 3 * DAY)
    market.accept(p.Leave(store="oak", at=T - 30 * DAY), PLATFORM)
    dispute = market.open(order, "damaged", "40.00")
    market.rule(dispute)
    market.work()
    assert d.funding_of(market.dispute(dispute)) == (("fund", eur("40.00")),)


def test_r4_joining_touches_later_orders_only_and_a_store_may_come_back(market_with):
    market = market_with(enrolled=False)
    before = market.order(paid=T - 9 * DAY)
    market.accept(p.Enrol(store="oak", programme="standard", at=T - 8 * DAY), PLATFORM)
    market.accept(p.Leave(store="oak", at=T - 6 * DAY), PLATFORM)
    market.accept(p.Enrol(store="oak", programme="standard", at=T - 4 * DAY), PLATFORM)
    orders = [before, *(market.order(paid=T - days * DAY) for days in (7, 5, 3))]
    assert [coverage(market, order).covered for order in orders] == [False, True, False, True]


# --- R5 the fund never pays what it cannot book --------------------------------------------------------------------


def short_fund(market):
    """Approved in this order: 40.00 (paid), 40.00 and 5.00 (both wait, though 10.00 are there). F is 10.00."""
    disputes = [market.open(market.order(), "damaged", amount) for amount in ("40.00", "40.00", "5.00")]
    for dispute in disputes:
        market.rule(dispute)
        market.work()
    return disputes


def phases(market, disputes):
    return [market.dispute(dispute).phase for dispute in disputes]


def test_r5_short_of_money_refunds_wait_and_later_ones_queue_behind_even_where_they_would_fit(market_with):
    market = market_with(fund="50.00")
    disputes = short_fund(market)
    assert phases(market, disputes) == ["closed", "awaiting_funds", "awaiting_funds"]
    assert market.funds()[1:] == ("10.00", "0.00")
    assert market.moved(disputes[1]) == market.moved(disputes[2]) == []


def test_r5_money_that_arrives_pays_each_exactly_once_in_order_of_approval(market_with):
    market = market_with(fund="50.00")
    disputes = short_fund(market)
    steps = []
    for amount in ("29.99", "0.01", "5.00"):
        market.top_up(amount)
        market.work()
        market.work()
        steps.append((*market.funds()[1:], phases(market, disputes).count("closed")))
    assert steps == [("39.99", "0.00", 1), ("0.00", "0.00", 2), ("0.00", "0.00", 3)]
    assert list(market.provider.paid.values()) == [eur("40.00"), eur("40.00"), eur("5.00")]
    assert [what for what, _ in market.provider.calls] == ["pay"] * 3
    assert [market.dispute(dispute).outcome for dispute in disputes] == ["refunded"] * 3


def test_r5_the_order_is_that_of_approval_not_of_opening(market_with):
    market = market_with(fund="1.00")
    first, second = (market.open(market.order(), "damaged", "40.00") for _ in range(2))
    market.rule(second)
    market.rule(first)
    market.work()
    market.top_up("40.00")
    market.work()
    assert phases(market, (first, second)) == ["awaiting_funds", "closed"]


def test_r5_one_large_top_up_pays_all_that_wait_and_nothing_is_ever_negative(market_with):
    market = market_with(fund="50.00")
    disputes = short_fund(market)
    market.top_up("100.00")
    market.work()
    assert phases(market, disputes) == ["closed"] * 3
    assert market.funds()[1:] == ("65.00", "0.00")
    running: dict[str, int] = {}
    found = market.database.connection.execute("SELECT source, target, minor FROM transfers ORDER BY position, n")
    for source, target, minor in found:
        running[source] = running.get(source, 0) - minor
        running[target] = running.get(target, 0) + minor
        assert all(running.get(account, 0) >= 0 for account in ("fund:available", "fund:reserved", "store:oak:held"))


def test_r5_an_instant_claim_queues_behind_too(market_with):
    market = market_with(fund="50.00")
    short_fund(market)
    dispute = market.open(market.order(), "damaged", "3.00", evidence=(PHOTO,))
    assert (market.dispute(dispute).route, market.dispute(dispute).phase) == ("instant", "awaiting_funds")


def test_r5_where_the_first_in_line_is_abandoned_the_next_is_served(market_with):
    market = market_with(fund="50.00")
    _, first, second = short_fund(market)
    market.accept(r.ResolveRefund(dispute=first, how="abandon"), FINANCE)
    market.work()
    assert [market.dispute(number).outcome for number in (first, second)] == ["unclaimed", "refunded"]
    assert market.funds()[1:] == ("5.00", "0.00")


def test_r5_finance_is_alerted_at_once_and_after_three_days_the_treasury_adds_what_is_lacking(market_with):
    market = market_with(fund="10.00")
    dispute = market.open(market.order(), "damaged", "40.00")
    market.rule(dispute)

    def alerts():
        return [le.subject.split(" (")[0] for le in market.mailbox.letters if le.to == "alerts@houbao.example"]

    market.work()
    assert alerts() == ["Alert: fund short"]
    market.go(T + 3 * DAY - SECOND)
    assert alerts() == ["Alert: fund short"]
    market.go(T + 3 * DAY)
    assert alerts() == ["Alert: fund short", "Alert: awaiting funds overdue"]
    assert market.moved(dispute)[0] == ("backstop", "platform:backstop", "fund:available", "30.00")
    assert (market.dispute(dispute).outcome, market.funds()[1:]) == ("refunded", ("0.00", "0.00"))
    market.check()


def test_r5_at_the_treasurys_cap_a_refund_waits_on_and_finance_and_the_buyer_are_told_each_day(market_with):
    market = market_with(fund="0")
    dispute = market.open(market.order(amount="20000.00"), "damaged", "20000.00")
    market.rule(dispute)
    market.go(T + 6 * DAY)
    assert [minor for kind, _, _, minor in market.moved(dispute)] == ["10000.00"]
    told = [letter.subject.split(" (")[0] for letter in market.mailbox.letters]
    assert told.count("Alert: awaiting funds overdue") == told.count("Your refund still waits for money") == 4
    market.top_up("10000.00")
    market.work()
    assert market.dispute(dispute).outcome == "refunded"
    market.check()


def test_r5_a_premium_of_every_covered_order_fills_the_fund(market_with):
    market = market_with(fund="0", programme=standard(mode="premium"))
    assert market.funds()[1] == "1.00"
    dispute = market.open(market.order(amount="1.50"), "damaged", "1.50")
    market.rule(dispute)
    market.work()
    assert market.dispute(dispute).phase == "awaiting_funds"
    market.order(amount="99.00")
    market.work()
    assert (market.dispute(dispute).outcome, market.funds()[1:]) == ("refunded", ("0.01", "0.00"))
    market.check()


def test_r5_in_deposit_mode_refunds_wait_for_the_stores_own_deposit_and_never_for_anothers(market_with):
    market = market_with(programme=standard(mode="deposit"))
    market.accept(p.RegisterStore(store="elm"), PLATFORM)
    dispute = market.open(market.order(), "damaged", "40.00")
    market.rule(dispute)
    market.accept(PayDeposit(store="elm", minor=eur("90.00"), currency="EUR"), FINANCE)
    market.work()
    assert (market.dispute(dispute).phase, market.funds()[1]) == ("awaiting_funds", "1000.00")
    market.accept(PayDeposit(store="oak", minor=eur("90.00"), currency="EUR"), FINANCE)
    market.work()
    assert market.dispute(dispute).outcome == "refunded"
    assert (market.balance("store:oak:deposit"), market.balance("store:elm:deposit")) == ("50.00", "90.00")
    assert [line.kind for line in market.statement()][-4:] == ["deposit", "deposit_pays", "guarantee", "refund"]
    market.check()


def test_r5_a_seller_who_is_short_beyond_what_is_advanced_pays_when_an_order_of_theirs_is_paid(market_with):
    market = market_with(owed="0")
    dispute = market.open(market.order(amount="700.00", commission="700.00", delivered=False), "other", "700.00")
    market.accept(d.Accept(dispute=dispute), SELLER)
    market.work()
    assert (market.dispute(dispute).phase, market.moved(dispute)) == ("awaiting_funds", [])
    market.order(amount="250.00")
    market.work()
    assert (market.dispute(dispute).outcome, market.balance("store:oak:receivable")) == ("refunded", "-450.00")
    market.order(amount="500.00")
    assert (market.balance("store:oak:receivable"), market.balance("store:oak:payable")) == ("0.00", "50.00")
    market.check()


def test_r5_after_three_days_the_platform_advances_to_a_seller_what_is_short(market_with):
    market = market_with(owed="0")
    dispute = market.open(market.order(amount="700.00", commission="700.00", delivered=False), "other", "700.00")
    market.accept(d.Accept(dispute=dispute), SELLER)
    market.go(T + 3 * DAY - SECOND)
    assert market.moved(dispute) == []
    market.go(T + 3 * DAY)
    assert (market.dispute(dispute).outcome, market.balance("store:oak:receivable")) == ("refunded", "-700.00")
    market.check()


# --- R6 refunded at once, with no step by the seller ---------------------------------------------------------------


def test_r6_between_opening_and_refund_there_is_no_act_of_the_seller(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    market.rule(dispute)
    market.work()
    assert market.dispute(dispute).outcome == "refunded"
    assert [event.by.partition(":")[0] for event in market.events(dispute)] == [
        "buyer",
        "agent",
        "agent",
        "system",
        "provider",
        "provider",
    ]


def test_r6_the_refund_is_on_its_way_at_the_instant_of_the_ruling(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    market.now = T + 2 * HOUR
    market.rule(dispute)
    market.work()
    paid = [event for event in market.events(dispute) if isinstance(event, r.RefundPaid)]
    assert [event.at for event in paid] == [T + 2 * HOUR]
    assert market.dispute(dispute).closed_at == T + 2 * HOUR


def test_r6_an_instant_claim_is_refunded_with_nobody_between_buyer_and_provider(market):
    dispute = market.open(market.order(), "damaged", "15.00", evidence=(PHOTO,))
    market.work()
    state = market.dispute(dispute)
    assert (state.outcome, state.closed_at) == ("refunded", state.opened_at)
    assert {event.by.partition(":")[0] for event in market.events(dispute)} == {"buyer", "system", "provider"}


# --- R7 in the guarantee's lane the seller has no task and no deadline ---------------------------------------------


def test_r7_the_sellers_queue_is_empty_from_opening_to_refund(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    assert market.seller_queue() == 0
    market.rule(dispute)
    assert market.seller_queue() == 0
    market.work()
    assert market.seller_queue() == 0
    assert not any("needs your answer" in subject for subject in market.subjects())


def test_r7_there_is_nothing_for_a_seller_to_answer(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    for answer in (d.Accept(dispute=dispute), d.Reject(dispute=dispute, reason="no")):
        assert market.refuse(answer, SELLER).code == "not_now"


def test_r7_silence_of_any_length_changes_nothing_but_the_platforms_own_time(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    opened = market.dispute(dispute)
    market.go(T + 7 * DAY)
    assert market.subjects()[-1].startswith("Alert: verifying overdue")
    market.go(T + 14 * DAY - SECOND)
    waiting = market.dispute(dispute)
    assert (waiting.phase, waiting.payer, waiting.fault) == (opened.phase, opened.payer, opened.fault)
    assert (market.seller_queue(), market.moved(dispute)) == (0, [])

    market.go(T + 14 * DAY)
    state = market.dispute(dispute)
    assert d.funding_of(state) == (("fund", eur("40.00")),)
    assert (state.resolved_by, state.fault.state, state.fault.why) == (
        "platform_timeout",
        "exempt",
        "platform_timeout",
    )


# --- R8 in scope, the fund pays all of it --------------------------------------------------------------------------


def test_r8_the_sellers_net_is_zero_and_the_statement_shows_two_lines(market):
    order = market.order(amount="40.00", commission="4.00")
    before = market.statement()
    dispute = market.open(order, "damaged", "40.00")
    market.rule(dispute)
    market.work()

    lines = market.statement()[len(before) :]
    assert [(line.kind, line.minor, line.dispute, line.order) for line in lines] == [
        ("guarantee", eur("40.00"), dispute, order),
        ("refund", -eur("40.00"), dispute, order),
    ]
    assert lines[-1].balance == before[-1].balance == eur("236.00")
    commission = [line.minor for line in market.statement() if line.kind == "commission"]
    assert commission == [-eur("4.00")]


def test_r8_where_the_policy_gives_the_commission_back_it_does_so_on_what_the_seller_refunds_alone(market_with):
    market = market_with(policy=next_policy(version="2026.1", commission='"pro_rata"'))
    orders = [market.order(amount="40.00", commission="4.00") for _ in range(2)]
    covered = market.open(orders[0], "damaged", "40.00")
    market.rule(covered)
    own = market.open(orders[1], "tracking_invalid", "10.00")
    market.accept(d.Accept(dispute=own), SELLER)
    market.work()
    lines = [(line.kind, line.minor) for line in market.statement() if line.dispute in (covered, own)]
    assert sorted(lines) == [("commission_back", 100), ("guarantee", 4000), ("refund", -4000), ("refund", -1000)]
    assert market.sum_of("platform:commission") == "7.00"


@pytest.mark.parametrize("commission", ["0", "4.00", "40.00"])
def test_r8_whatever_the_commission_the_dispute_moves_no_account_of_the_sellers(market, commission):
    order = market.order(amount="40.00", commission=commission)
    names = [f"store:oak:{kind}" for kind in ("payable", "held", "deposit", "receivable")]
    before = [market.balance(name) for name in names]
    market.rule(market.open(order, "damaged", "40.00"))
    market.work()
    assert [market.balance(name) for name in names] == before


def test_r8_a_refund_over_two_payments_is_two_lines_for_each(market):
    payments = (
        o.Payment(id="card", provider="sandbox", minor=eur("30.00")),
        o.Payment(id="voucher", provider="sandbox", minor=eur("10.00"), cash=False),
    )
    dispute = market.open(market.order(payments=payments), "damaged", "40.00")
    market.rule(dispute)
    market.work()
    lines = [(line.kind, line.minor) for line in market.statement() if line.dispute == dispute]
    assert lines == [("guarantee", 3000), ("refund", -3000), ("guarantee", 1000), ("refund", -1000)]


def test_r8_money_that_the_provider_returns_and_that_goes_out_again_leaves_the_seller_at_zero(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    market.rule(dispute)
    market.work()
    attempt = market.dispute(dispute).refunds[-1].shares[0].attempt
    market.accept(r.ReportRefund(dispute=dispute, attempt=attempt, result="returned"), PROVIDER)
    assert sum(line.minor for line in market.statement() if line.dispute == dispute) == 0
    market.work()
    lines = [(line.kind, line.minor) for line in market.statement() if line.dispute == dispute]
    pair = [("guarantee", 4000), ("refund", -4000)]
    assert lines == [*pair, ("refund_returned", 4000), ("guarantee_returned", -4000), *pair]
    assert market.funds()[1:] == ("960.00", "0.00")


@pytest.mark.parametrize(("limit", "by_fund"), [("", "40.00"), ("25.00", "25.00"), ("0.00", "0.00")])
def test_r8_up_to_the_policys_limit_the_fund_pays_above_it_the_platform_never_the_seller(market_with, limit, by_fund):
    market = market_with(policy=next_policy(version="2026.1", per_dispute=f'"{limit}"'))
    dispute = market.open(market.order(amount="40.00"), "damaged", "40.00")
    before = market.funds()
    market.rule(dispute)
    market.work()
    state = market.dispute(dispute)
    assert (state.phase, state.outcome, state.resolved_by) == ("closed", "refunded", "guarantee")
    assert market.funds() == (before[0], f"{1000 - float(by_fund):.2f}", "0.00")
    assert sum(market.provider.paid.values()) == eur("40.00")
    assert dict(d.funding_of(state)) == market.ledger_funding(dispute)
    assert market.ledger_funding(dispute).get("fund", 0) == eur(by_fund)
    assert sum(line.minor for line in market.statement() if line.dispute == dispute) == 0


# --- R9 not as described on a covered order: the platform verifies -------------------------------------------------


@pytest.mark.parametrize("reason", [reason for reason in SNAD if reason != "counterfeit"])
def test_r9_every_covered_reason_is_the_platforms_decision_from_opening(market, reason):
    verified = market.dispute(market.open(market.order(), reason, "40.00"))
    assert (verified.route, verified.phase, verified.payer) == ("verify", "verifying", "fund")
    instant = market.dispute(market.open(market.order(), reason, "15.00", evidence=(PHOTO,)))
    assert (instant.route, instant.phase, instant.payer) == ("instant", "refunding", "fund")


@pytest.mark.parametrize("category", EXCLUDED)
def test_r9_only_counterfeits_and_excluded_categories_go_elsewhere(market, category):
    excluded = market.order(category=category)
    for order, reason in ((excluded, "damaged"), (market.order(), "counterfeit")):
        state = market.dispute(market.open(order, reason, "10.00", evidence=(PHOTO,)))
        assert (state.route, state.phase, state.payer) == ("seller", "awaiting_seller", "seller")


def test_r9_an_excluded_line_takes_no_covered_one_with_it_each_goes_its_own_way(market):
    lines = (o.NewLine(id="1", item=2000), o.NewLine(id="2", item=2000, category="perishables"))
    order = market.order(lines=lines)
    assert market.dispute(market.open(order, "damaged", "10.00", lines=(("1", 1),))).route == "verify"
    assert market.dispute(market.open(order, "damaged", "10.00", lines=(("2", 1),))).route == "seller"


def test_r9_lines_that_go_different_ways_become_several_disputes_when_opened_at_once(market):
    lines = (
        o.NewLine(id="1", item=3000),
        o.NewLine(id="2", item=1000, category="perishables"),
        o.NewLine(id="3", item=2000, category="toys"),
    )
    order = market.order(amount="60.00", lines=lines)
    claim = opening(order, "damaged", "30.00", lines=(("1", 1), ("2", 1), ("3", 1)), reference="c", statement="Broken.")
    accepted = market.accept(claim, BUYER, key="claim-1")
    first, second = queries.disputes_of(market.database.connection, 0, order)
    assert accepted.id == first.id
    assert (first.route, first.lines, first.amount, first.reference) == ("verify", (("1", 1), ("3", 1)), 2500, "c")
    assert (second.route, second.lines, second.amount, second.reference) == ("seller", (("2", 1),), 500, "")
    assert {first.phase, second.phase} == {"verifying", "awaiting_seller"}
    assert market.accept(claim, BUYER, key="claim-1").replayed


def test_r9_an_amount_too_small_to_be_shared_by_several_disputes_is_refused_with_what_to_do(market):
    lines = (o.NewLine(id="1", item=3000), o.NewLine(id="2", item=1000, category="perishables"))
    order = market.order(lines=lines)
    refused = market.refuse(opening(order, "damaged", "0.01", lines=(("1", 1), ("2", 1))), BUYER)
    assert refused.code == "split_lines"
    assert "line 2" in refused.detail


def test_r9_what_a_buyer_got_at_once_in_thirty_days_adds_up_and_beyond_it_the_platform_verifies(market):
    routes = [
        market.dispute(market.open(market.order(), "damaged", amount, evidence=(PHOTO,))).route
        for amount in ("10.00", "5.01", "5.00")
    ]
    assert routes == ["instant", "verify", "instant"]
    market.go(T + 30 * DAY)
    order = market.order(paid=T + 28 * DAY, promised=T + 29 * DAY, delivered=False)
    market.accept(o.Delivered(order=order, at=T + 29 * DAY), PLATFORM)
    assert market.dispute(market.open(order, "damaged", "15.00", evidence=(PHOTO,))).route == "instant"


# --- R10 out of scope: no hand-over without a recorded notice ------------------------------------------------------


def test_r10_nothing_is_handed_over_until_the_mail_server_has_accepted_the_notice(market):
    dispute = handed_over(market, "down", "down")
    market.work()
    assert (market.dispute(dispute).phase, market.seller_queue()) == ("notifying", 0)
    assert market.refuse(d.Accept(dispute=dispute), SELLER).code == "not_now"
    assert "notice_stood" not in market.timeline(dispute)

    market.go(T + HOUR)
    (stood,) = [event for event in market.events(dispute) if isinstance(event, d.NoticeStood)]
    (letter,) = [letter for letter in market.mailbox.letters if "Official notice" in letter.subject]
    assert letter.to == "oak@shops.example"
    assert (market.dispute(dispute).phase, market.seller_queue()) == ("awaiting_seller", 1)
    assert stood.at > T
    assert d.due_at(market.dispute(dispute)) == stood.at + 5 * DAY


def test_r10_the_clock_starts_at_acceptance_not_at_the_ruling(market):
    dispute = handed_over(market)
    market.now = T + 6 * DAY
    market.work()
    assert d.due_at(market.dispute(dispute)) == T + 11 * DAY


def test_r10_a_bounce_alerts_and_keeps_the_clock_stopped_until_an_agent_serves_it_again(market):
    dispute = handed_over(market, "bounced")
    market.work()
    assert "notice_failed" in market.timeline(dispute)
    assert market.subjects()[-1].startswith("Alert: notice bounced")
    market.go(T + 6 * DAY)
    assert (market.dispute(dispute).phase, market.moved(dispute)) == ("notifying", [])

    market.accept(d.ServeNotice(dispute=dispute), AGENT)
    market.work()
    state = market.dispute(dispute)
    assert (state.phase, d.due_at(state)) == ("awaiting_seller", T + 11 * DAY)


def test_r10_a_late_bounce_stops_the_clock_and_the_next_acceptance_gives_five_days_anew(market):
    dispute = handed_over(market)
    market.work()
    market.go(T + 5 * DAY - SECOND)
    notice = market.dispute(dispute).notice
    market.accept(d.NoticeBounced(dispute=dispute, notice=notice, why="550 no such user"), MAIL)
    market.go(T + 8 * DAY)
    assert (market.dispute(dispute).phase, market.moved(dispute)) == ("notifying", [])

    market.accept(d.ServeNotice(dispute=dispute), AGENT)
    market.work()
    assert d.due_at(market.dispute(dispute)) == T + 13 * DAY
    market.go(T + 13 * DAY - SECOND)
    assert market.moved(dispute) == []
    market.go(T + 13 * DAY)
    assert market.dispute(dispute).resolved_by == "seller_timeout"


def test_r10_a_bounce_at_the_due_time_is_too_late(market):
    dispute = handed_over(market)
    market.work()
    market.now = T + 5 * DAY
    bounced = d.NoticeBounced(dispute=dispute, notice=market.dispute(dispute).notice)
    assert market.refuse(bounced, MAIL).code == "answer_after_due"


def test_r10_an_earlier_notice_starts_no_clock_once_another_was_served(market):
    dispute = handed_over(market)
    earlier = market.dispute(dispute).notice
    market.accept(d.ServeNotice(dispute=dispute), AGENT)
    outcome = market.accept(d.NoticeAccepted(dispute=dispute, notice=earlier), MAIL)
    assert (outcome.first, market.dispute(dispute).phase) == (0, "notifying")


def test_r10_a_notice_not_served_within_a_day_alerts_and_after_seven_the_platform_pays_and_it_does_not_count(market):
    dispute = handed_over(market, "bounced")
    market.go(T + DAY - SECOND)
    assert not any("notifying overdue" in subject for subject in market.subjects())
    market.go(T + DAY)
    assert market.subjects()[-1].startswith("Alert: notifying overdue")
    market.go(T + 7 * DAY - SECOND)
    assert market.moved(dispute) == []

    before = market.funds()
    market.go(T + 7 * DAY)
    state = market.dispute(dispute)
    assert d.funding_of(state) == (("platform", eur("60.00")),)
    assert (state.resolved_by, state.fault.state, state.fault.why) == (
        "platform_timeout",
        "exempt",
        "platform_timeout",
    )
    assert market.funds() == before


# --- R11 the seller answers personally within 5 × 24 h -------------------------------------------------------------


@pytest.mark.parametrize("covered", [True, False], ids=["covered", "uncovered"])
@pytest.mark.parametrize("reason", INR)
def test_r11_every_parcel_not_received_is_the_sellers_to_answer_covered_or_not(market, reason, covered):
    order = market.order(delivered=False, paid=T - (10 if covered else 91) * DAY)
    state = market.dispute(market.open(order, reason, "40.00"))
    assert (state.covered, state.phase, state.payer) == (covered, "awaiting_seller", "seller")
    assert d.due_at(state) == T + 5 * DAY


@pytest.mark.parametrize("reason", ["counterfeit", *OTHER])
def test_r11_so_is_every_class_that_policy_gives_to_sellers(market, reason):
    state = market.dispute(market.open(market.order(), reason, "40.00"))
    assert (state.phase, d.due_at(state)) == ("awaiting_seller", T + 5 * DAY)


@pytest.mark.parametrize(
    ("opened", "due_on_the_wall"),
    [
        (datetime(2026, 10, 23, 12, tzinfo=ZoneInfo("Europe/Berlin")), "2026-10-28 11:00"),
        (datetime(2027, 3, 26, 12, tzinfo=ZoneInfo("Europe/Berlin")), "2027-03-31 13:00"),
    ],
    ids=["autumn", "spring"],
)
def test_r11_five_days_are_120_hours_even_where_the_clocks_change(market, opened, due_on_the_wall):
    order = market.order(delivered=False, promised=opened - DAY)
    market.now = opened
    due = d.due_at(market.dispute(market.open(order, "in_transit_overdue", "40.00")))
    assert due.astimezone(opened.tzinfo).strftime("%Y-%m-%d %H:%M") == due_on_the_wall
    assert due.timestamp() - opened.timestamp() == 120 * 3600


def test_r11_so_are_the_days_of_the_protection_window():
    start = datetime(2026, 10, 23, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    assert days_after(start, 15).timestamp() - start.timestamp() == 15 * 86_400


def test_r11_every_change_of_the_ask_restarts_the_clock_up_and_down(market):
    dispute = not_received(market)
    for day, amount in ((1, "30.00"), (4, "10.00"), (8, "12.00")):
        market.go(T + day * DAY)
        market.accept(d.ChangeClaim(dispute=dispute, amount=eur(amount)), BUYER)
        state = market.dispute(dispute)
        assert (state.phase, d.due_at(state)) == ("awaiting_seller", T + (day + 5) * DAY)
    market.go(T + 13 * DAY)
    assert d.funding_of(market.dispute(dispute)) == (("seller", eur("12.00")),)


def test_r11_the_ask_may_change_after_the_window_in_which_the_dispute_was_opened(market):
    order = market.order(delivered=False)
    market.go(T + 14 * DAY - SECOND)
    dispute = market.open(order, "in_transit_overdue", "30.00")
    market.go(T + 16 * DAY)
    assert market.refuse(opening(order, "never_shipped", "30.00"), BUYER).code == "outside_window"
    market.accept(d.ChangeClaim(dispute=dispute, amount=eur("20.00")), BUYER)
    assert d.due_at(market.dispute(dispute)) == T + 21 * DAY


# --- R12 no answer in time: the buyer's amount is executed ---------------------------------------------------------


def test_r12_nothing_one_second_before_due_resolved_at_due_and_a_second_sweep_changes_nothing(market):
    dispute = not_received(market)
    market.go(T + 5 * DAY - SECOND)
    assert (market.dispute(dispute).phase, market.moved(dispute)) == ("awaiting_seller", [])
    market.go(T + 5 * DAY)
    assert market.dispute(dispute).resolved_by == "seller_timeout"
    before = market.contents()
    market.work()
    market.accept(d.PassTime(dispute=dispute), SYSTEM)
    assert market.contents() == before
    assert list(market.provider.paid.values()) == [eur("25.00")]


def test_r12_a_late_sweep_gives_the_same(market_with):
    def told(late):
        market = market_with()
        dispute = not_received(market)
        if late:
            market.now = T + 40 * DAY
            market.work()
        else:
            market.go(T + 5 * DAY)
        kept = d.TimedOut | r.RefundApproved
        return [event for event in market.events(dispute) if isinstance(event, kept)], market.moved(dispute)

    (passed, approved), moved = told(late=True)
    assert (passed.due_at, passed.at, approved.at, approved.minor) == (*[T + 5 * DAY] * 3, eur("25.00"))
    assert told(late=False) == ([passed, approved], moved)


def test_r12_the_amount_is_capped_at_what_is_refundable_by_then(market):
    lines = (o.NewLine(id="1", item=3000), o.NewLine(id="2", item=3000))
    payments = (o.Payment(id="card", provider="sandbox", minor=4000),)
    order = market.order(lines=lines, payments=payments, delivered=False)
    first, second = (market.open(order, "in_transit_overdue", "30.00", lines=((line, 1),)) for line in ("1", "2"))
    market.go(T + 5 * DAY)
    assert [d.funding_of(market.dispute(number)) for number in (first, second)] == [
        (("seller", 3000),),
        (("seller", 1000),),
    ]
    assert market.dispute(second).outcome == "partially_refunded"
    assert sorted(market.provider.paid.values()) == [1000, 3000]


def test_r12_where_nothing_is_left_by_then_the_dispute_lapses_without_a_trace_in_money(market):
    lines = (o.NewLine(id="1", item=3000), o.NewLine(id="2", item=3000))
    payments = (o.Payment(id="card", provider="sandbox", minor=3000),)
    order = market.order(lines=lines, payments=payments, delivered=False)
    _, second = (market.open(order, "in_transit_overdue", "30.00", lines=((line, 1),)) for line in ("1", "2"))
    market.go(T + 5 * DAY)
    state = market.dispute(second)
    assert (state.outcome, state.fault.state, market.moved(second)) == ("lapsed", "exempt", [])


def test_r12_an_answer_received_before_due_wins_though_it_is_executed_late(market):
    dispute = not_received(market)
    market.now = T + 6 * DAY
    market.accept(d.Reject(dispute=dispute, reason="proof_of_delivery"), SELLER, at=T + 5 * DAY - SECOND)
    market.work()
    state = market.dispute(dispute)
    assert (state.phase, market.moved(dispute)) == ("awaiting_buyer", [])
    assert d.due_at(state) == T + 12 * DAY - SECOND


@pytest.mark.parametrize("after", [timedelta(), SECOND, 30 * DAY], ids=["at due", "1 s later", "30 d later"])
def test_r12_an_answer_received_at_or_after_due_is_refused_though_nothing_was_swept_yet(market, after):
    dispute = not_received(market)
    market.now = T + 5 * DAY + after
    refused = market.refuse(d.Reject(dispute=dispute, reason="proof_of_delivery"), SELLER)
    assert refused.code == "answer_after_due"
    assert refused.facts == {"fell_due": "seller", "due_at": rfc3339(T + 5 * DAY)}
    market.work()
    assert market.dispute(dispute).resolved_by == "seller_timeout"


def test_r12_an_answer_after_the_sweep_is_refused_too(market):
    dispute = not_received(market)
    market.go(T + 5 * DAY)
    assert market.refuse(d.Accept(dispute=dispute), SELLER).code == "answer_after_due"


# --- R13: without a reason ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["changed_mind", "ordered_by_mistake", "no_longer_needed", "does_not_fit"])
def test_r13_a_change_of_mind_goes_straight_into_the_return_flow_and_never_touches_the_fund(market, reason):
    dispute = market.open(market.order(), reason, "40.00")
    state = market.dispute(dispute)
    assert (state.phase, state.route, state.covered, state.fault.state) == ("awaiting_return", "return", True, "exempt")
    market.accept(d.ShipReturn(dispute=dispute, carrier="Post", tracking="RR1"), BUYER)
    market.accept(d.ScanReturn(dispute=dispute), PLATFORM)
    market.go(T + 10 * DAY)
    state = market.dispute(dispute)
    assert (state.outcome, state.resolved_by, state.fault.state) == ("refunded", "return", "exempt")
    assert not [move for move in market.moved(dispute) if "fund:" in move[1] + move[2]]


def test_r13_neither_does_a_return_that_the_seller_asks_for(market):
    dispute = market.open(market.order(delivered=False), "in_transit_overdue", "40.00")
    market.accept(d.MakeOffer(dispute=dispute, amount=eur("40.00"), remedy="return_refund"), SELLER)
    market.accept(d.AcceptOffer(dispute=dispute), BUYER)
    market.accept(d.ShipReturn(dispute=dispute, carrier="Post", tracking="RR1"), BUYER)
    market.accept(d.ConfirmReturn(dispute=dispute), SELLER)
    market.work()
    assert market.dispute(dispute).resolved_by == "agreement"
    assert not [move for move in market.moved(dispute) if "fund:" in move[1] + move[2]]


# --- R14: what counts worsens the record, and fades ---------------------------------------------------------------


def counted(market, order, reason="damaged"):
    """A dispute that the guarantee pays, and that counts."""
    market.rule(dispute := market.open(order, reason, "40.00"))
    market.work()
    assert market.dispute(dispute).fault.state == "counted"
    return dispute


def test_r14_each_counted_dispute_worsens_the_dispute_rate_the_score_and_the_weight(market):
    orders = market.sell(100)
    seen = [market.score()]
    for order in orders[:4]:
        counted(market, order)
        seen.append(market.score())
    assert [score.rates["dispute"].n for score in seen] == [0, 1, 2, 3, 4]
    points = [of_hundred(score) for score in seen]
    assert points == sorted(points, reverse=True)
    assert len(set(points)) == 5
    assert [score.weight for score in seen] == [10_000, 9_425, 8_850, 8_275, 7_700]


def test_r14_an_open_dispute_weighs_already_and_one_that_is_rejected_no_more(market):
    orders = market.sell(100)
    dispute = market.open(orders[0], "damaged", "40.00")
    pending = market.score()
    market.rule(dispute, "unjustified")
    rejected = market.score()
    assert (pending.pending, of_hundred(pending)) == (1, 92_500000)
    assert (rejected.exempt, of_hundred(rejected)) == (1, 100 * POINT)


def test_r14_without_a_counted_dispute_for_the_window_the_effect_is_gone(market):
    orders = market.sell(20)
    counted(market, orders[0])
    market.now = T + 29 * DAY
    assert market.score().rates["snad"].n == 1
    market.now = T + 30 * DAY
    market.sell(20)
    cleared = market.score()
    assert (cleared.rates["snad"].n, of_hundred(cleared), cleared.weight) == (0, 100 * POINT, 10_000)


def test_r14_good_service_regains_points_before_that(market):
    orders = market.sell(20)
    counted(market, orders[0])
    low = market.score()
    market.sell(40)
    assert of_hundred(market.score()) > of_hundred(low)


def test_r14_a_day_is_kept_by_the_worker_and_the_ranker_reads_the_weight_there(market):
    orders = market.sell(10)
    counted(market, orders[0])
    market.now = T + DAY
    book = Scorebook(market.database)
    Scoring(book, lambda: market.now).keep()
    assert dict(book.of_day(0, T.date()))["oak"] == market.score(day=T.date())


# --- R15: settled privately ---------------------------------------------------------------------------------------


def test_r15_a_gift_of_the_sellers_goes_through_the_ledger_and_counts_nowhere(market):
    order = market.order(amount="40.00")
    market.sell(10)
    record = market.score()
    before = market.balance("store:oak:payable")
    market.accept(WriteOnOrder(order=order, message="The lamp has a scratch."), BUYER)
    gift = market.accept(SendGoodwill(order=order, amount=eur("10.00"), note="Sorry."), SELLER).id
    market.work()
    state = market.dispute(gift)
    assert (state.outcome, state.resolved_by, state.fault.state) == ("refunded", "goodwill", "exempt")
    assert eur(market.balance("store:oak:payable")) == eur(before) - eur("10.00")
    assert sum(market.provider.paid.values()) == eur("10.00")
    assert market.score() == record
    assert "The store sent you money" in [subject.partition(" (")[0] for subject in market.subjects()]
    assert market.open(order, "damaged", "30.00") > gift
    market.check()


def test_r15_words_on_an_order_are_erasable(market):
    order = market.order()
    written = market.accept(WriteOnOrder(order=order, message="Is it a B22?"), BUYER).last
    (text,) = market.database.connection.execute("SELECT body FROM texts WHERE position=?", (written,)).fetchone()
    assert text == "Is it a B22?"
    market.database.connection.execute("DELETE FROM texts")
    market.check()


def test_r15_the_parties_write_to_each_other_and_the_words_are_erasable(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    market.accept(d.WriteMessage(dispute=dispute, message="I send you another one."), SELLER)
    market.accept(d.WriteMessage(dispute=dispute, message="Thank you!"), BUYER)
    texts = market.database.connection.execute("SELECT body FROM texts ORDER BY position").fetchall()
    assert [body for (body,) in texts] == ["I send you another one.", "Thank you!"]
    assert not [event for event in market.events(dispute) if "another one" in str(event)]


def test_r15_who_withdraws_may_go_on_once_where_the_deal_is_broken(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    market.accept(d.Withdraw(dispute=dispute), BUYER)
    assert market.dispute(dispute).fault.state == "exempt"
    market.accept(d.Reopen(dispute=dispute, note="Nothing came."), BUYER)
    state = market.dispute(dispute)
    assert (state.phase, state.fault.state) == ("verifying", "pending")
    market.rule(dispute)
    market.work()
    assert market.dispute(dispute).outcome == "refunded"


def test_r15_a_store_whose_buyer_withdrew_has_the_metrics_of_one_that_was_never_disputed(market_with):
    def metrics(*, disputed):
        market = market_with()
        orders = market.sell(12)
        if disputed:
            dispute = market.open(orders[0], "delivered_not_received", "40.00")
            market.accept(d.Reject(dispute=dispute, reason="proof"), SELLER)
            market.accept(d.Escalate(dispute=dispute), BUYER)
            market.accept(d.Withdraw(dispute=dispute), BUYER)
        market.now = T + 3 * DAY
        Scoring(Scorebook(market.database), lambda: market.now).keep()
        return [structs.replace(market.score(day=(T + n * DAY).date()), exempt=0) for n in range(3)]

    assert metrics(disputed=True) == metrics(disputed=False)


# --- R17 the listing is kept as the buyer saw it -------------------------------------------------------------------


def listing(**changed):
    shown = {"title": "Linen shirt", "disclosures": {"size": "tolerance 2 cm", "colour": "may differ on screens"}}
    return o.Listing(**shown | changed)


def snapshot(market, order):
    """(digest on the order, the stored bytes)."""
    (line,) = market.database.order(0, order).lines
    found = market.database.connection.execute("SELECT body FROM snapshots WHERE digest=?", (line.listing,))
    return line.listing, found.fetchone()[0]


def test_r17_editing_the_listing_later_does_not_change_the_snapshot(market):
    first = market.order(listing=listing())
    before = snapshot(market, first)
    second = market.order(listing=listing(disclosures={"size": "tolerance 5 cm"}))
    assert snapshot(market, first) == before
    assert msgspec.json.decode(before[1], type=o.Listing) == listing()
    assert msgspec.json.decode(snapshot(market, second)[1], type=o.Listing).disclosures == {"size": "tolerance 5 cm"}


def test_r17_the_digest_on_the_order_is_that_of_the_stored_bytes(market):
    digest, body = snapshot(market, market.order(listing=listing()))
    assert digest == sha256(body).hexdigest()


def test_r17_the_category_shown_decides_where_the_line_names_none(market):
    order = market.order(listing=listing(category="perishables"))
    assert market.dispute(market.open(order, "damaged", "10.00")).rule == "excluded_category"
