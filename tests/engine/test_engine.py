"""The one write path: a list is its commands one by one, keys are answered once, and what is refused costs nothing."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from given import AGENT, BUYER, DAY, FINANCE, PLATFORM, PROVIDER, SELLER, Market, T, eur, opening, standard
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import phases
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.exchange import parse_rate
from houbao.core.fund import TopUp
from houbao.core.messages import WriteOnOrder
from houbao.core.refunds import RefundApproved
from houbao.core.returns import ReturnAuthorised
from houbao.core.terms import SYSTEM, Actor, Refused, micros
from houbao.engine.engine import Engine
from houbao.engine.needs import needs_of
from houbao.engine.request import Accepted, Outcome, Request
from houbao.store import queries
from houbao.store.rates import keep
from houbao.store.sqlite import SQLite, connect
from houbao.store.verify import verify

HOUR = timedelta(hours=1)
ZOE = Actor("buyer", "zoe")

# --- execute([a, b]) is execute([a]); execute([b]) -----------------------------------------------------------------


class Town:
    """A market with orders and disputes in every phase, copied for each try."""

    def __init__(self, folder: Path) -> None:
        market = Market(folder, fund="80.00")
        two_lines = (o.NewLine(id="1", item=eur("30.00")), o.NewLine(id="2", item=eur("20.00"), quantity=2))
        self.orders = [market.order(f"town-{n}", "50.00", lines=two_lines) for n in range(8)]
        self.orders.append(market.order("town-inr", "50.00", lines=two_lines, delivered=False))
        self.orders.append(market.order("town-usd", "50.00", lines=two_lines, currency="USD"))
        verified, sent, unknown, noticed, waiting = (
            market.open(order, "damaged", "30.00") for order in self.orders[:5]
        )
        for number in (sent, unknown, waiting):
            market.rule(number)
        self.attempts = [
            market.accept(r.SendRefund(dispute=number, payment="card"), SYSTEM).last for number in (sent, unknown)
        ]
        market.accept(r.ReportRefund(dispute=unknown, attempt=self.attempts[1], result="unknown"), SYSTEM)
        market.rule(noticed, "out_of_scope")
        market.rule(market.open(self.orders[5], "damaged", "30.00"))
        rejected = market.open(self.orders[8], "in_transit_overdue", "20.00")
        market.accept(d.Reject(dispute=rejected, reason="proof"), SELLER)
        answering = market.open(self.orders[9], "damaged", "20.00", reference="claim-0")
        self.disputes = [verified, sent, unknown, noticed, waiting, rejected, answering]
        self.disputes += self.further(market)
        market.accept(TopUp(minor=1, currency="USD"), FINANCE, key="key-0")
        reached = {market.dispute(number).phase for number in self.disputes}
        assert reached == set(phases.TURNS) - {"closed"}
        market.database.close()
        self.path = market.database.path

    def further(self, market: Market) -> list[int]:
        """A dispute before the platform, a return that is due, one under way, and a replacement."""
        numbers = []
        for n, reason in enumerate(("counterfeit", "changed_mind", "changed_mind", "in_transit_overdue")):
            order = market.order(f"town-further-{n}", "50.00", delivered=n < 3)
            numbers.append(market.open(order, reason, "20.00"))
        argued, _, back, replaced = numbers
        market.accept(d.Reject(dispute=argued, reason="proof"), SELLER)
        market.accept(d.Escalate(dispute=argued), BUYER)
        market.accept(d.ShipReturn(dispute=back, carrier="Post", tracking="RR1"), BUYER)
        market.accept(d.MakeOffer(dispute=replaced, remedy="replacement"), SELLER)
        market.accept(d.AcceptOffer(dispute=replaced), BUYER)
        return numbers

    @contextmanager
    def copy(self, name: str) -> Iterator[SQLite]:
        copy = SQLite(shutil.copy(self.path, self.path.with_name(name)))
        copy.connection.execute("PRAGMA synchronous=OFF")
        with closing(copy):
            yield copy


def contents(database: SQLite) -> dict[str, list[Any]]:
    """Every row of every table."""
    run = database.connection.execute
    names = [name for (name,) in run("SELECT name FROM sqlite_master WHERE type='table'")]
    return {name: run(f"SELECT * FROM {name}").fetchall() for name in names}


def words(outcome: Outcome) -> object:
    return (outcome.code, outcome.detail, outcome.facts) if isinstance(outcome, Refused) else outcome


class Spoken:
    """The orders and disputes there are when a command is said: those of the town, then those made in the list."""

    def __init__(self, town: Town) -> None:
        self.orders, self.disputes, self.attempts = list(town.orders), list(town.disputes), list(town.attempts)

    def command(self, kind: str, at: int, minor: int, text: str) -> tuple[Any, Actor]:
        order = self.orders[at % len(self.orders)]
        dispute = self.disputes[at % len(self.disputes)]
        attempt = self.attempts[at % len(self.attempts)]
        by_dispute = {"dispute": dispute}
        reference = f"claim-{at % 3}" if text else ""
        match kind:
            case "place":
                return self._place(at, minor), PLATFORM
            case "paid":
                return o.Paid(order=order, at=T - 9 * DAY, commission=minor % 100), PLATFORM
            case "delivered":
                return o.Delivered(order=order, at=T - DAY), PLATFORM
            case "paid_out":
                return o.PaidOut(order=order, minor=minor, at=T), PLATFORM
            case "open":
                reason = ("damaged", "in_transit_overdue", "changed_mind")[at % 3]
                lines, evidence = ((str(at % 2 + 1), 1),), ("ab" * 32,) if minor % 2 else ()
                command = opening(order, reason, "0.01", lines=lines, evidence=evidence, statement=text)
                return d.OpenDispute(**fields(command) | {"amount": minor, "reference": reference}), BUYER
            case "rule":
                finding: Any = ("justified", "unjustified", "out_of_scope", "justified")[minor % 4]
                return d.Rule(**by_dispute, finding=finding, reason="photos", note=text), AGENT
            case "change_claim":
                return d.ChangeClaim(**by_dispute, amount=minor, note=text), BUYER
            case "withdraw":
                return d.Withdraw(**by_dispute), (BUYER, ZOE)[minor % 2]
            case "accept":
                return d.Accept(**by_dispute), SELLER
            case "reject":
                return d.Reject(**by_dispute, reason="works", note=text), SELLER
            case "pass_time":
                return d.PassTime(**by_dispute), SYSTEM
            case "send":
                return r.SendRefund(**by_dispute, payment="card"), SYSTEM
            case "report":
                result: Any = ("paid", "refused", "unknown", "returned", "key_expired")[minor % 5]
                return r.ReportRefund(**by_dispute, attempt=attempt, result=result), PROVIDER
            case "resolve":
                how: Any = ("paid_elsewhere", "abandon")[minor % 2]
                return r.ResolveRefund(**by_dispute, how=how, note=text), FINANCE
            case "serve_waiting":
                return r.ServeWaiting(currency="EUR"), SYSTEM
            case "top_up":
                return TopUp(minor=minor, currency=("EUR", "USD")[at % 2]), (FINANCE, SELLER)[minor % 7 == 0]
            case "register":
                return p.RegisterStore(store=f"store-{at % 2}", email=text and "new@shops.example"), PLATFORM
            case "leave":
                return p.Leave(store="oak", at=T - 20 * DAY), SELLER
            case _:
                return p.Enrol(store="oak", programme="standard", at=T - 15 * DAY), SELLER

    def _place(self, at: int, minor: int) -> o.PlaceOrder:
        return o.PlaceOrder(
            store=("oak", "store-0", "store-1")[at % 3],
            reference=f"new-{at % 4}",
            buyer="ann",
            currency=("EUR", "EUR", "USD")[minor % 3],
            lines=(o.NewLine(id="1", item=minor, shown=o.Listing(title=f"Lamp {at % 2}")),),
            payments=(o.Payment(id="card", provider="sandbox", minor=minor),),
            ship_by=T - 8 * DAY,
            promised_by=T - 2 * DAY,
            at=T - 10 * DAY,
            buyer_email=f"ann{at % 2}@mail.example",
        )

    def hear(self, command: object, outcome: Outcome) -> None:
        if isinstance(outcome, Refused) or outcome.replayed:
            return
        if isinstance(command, o.PlaceOrder):
            self.orders.append(outcome.id)
        if isinstance(command, d.OpenDispute):
            self.disputes.append(outcome.id)
        if isinstance(command, r.SendRefund) and outcome.first:
            self.attempts.append(outcome.last)


def fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


KINDS = (
    *("place", "paid", "delivered", "paid_out", "open", "rule", "change_claim", "withdraw", "accept", "reject"),
    *("pass_time", "send", "report", "resolve", "serve_waiting", "top_up", "register", "leave", "enrol"),
)
SAYING = st.tuples(
    st.sampled_from(KINDS),
    st.integers(0, 30),
    st.sampled_from([1, 999, 1500, 2000, 3000, 10_000]) | st.integers(1, 5000),
    st.sampled_from(["", "", "It arrived broken.", "ganz kaputt — 碎了"]),
    st.sampled_from(["", "", "key-0", "key-1", "no key!"]),
    st.sampled_from([timedelta(), timedelta(), HOUR, -HOUR, 6 * DAY, 8 * DAY, 15 * DAY]),
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(tmp_path_factory.mktemp("town"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(sayings=[*[("place", 0, 1, "", "", timedelta())] * 4, ("open", 21, 1, "", "", timedelta())], again=[])
@given(sayings=st.lists(SAYING, min_size=2, max_size=14), again=st.lists(st.integers(0, 13), max_size=2))
def test_a_list_of_commands_is_the_same_commands_one_by_one(town: Town, sayings: list[Any], again: list[int]) -> None:
    with (
        town.copy("singles.db") as one_by_one,
        town.copy("batch.db") as together,
        patch.object(os, "urandom", bytes),  # equal salts of free text, so that whatever hangs on them is equal too
    ):
        engine = Engine(one_by_one, lambda: T)
        spoken, requests, outcomes = Spoken(town), [], []
        for kind, at, minor, text, key, later in sayings:
            command, by = spoken.command(kind, at, minor, text)
            requests.append(Request(command, by, T + later, key))
            outcomes += engine.execute(requests[-1:])
            spoken.hear(command, outcomes[-1])
        for place in again:
            requests.append(requests[place % len(sayings)])
            outcomes += engine.execute(requests[-1:])
        said = Engine(together, lambda: T).execute(requests)
        assert [words(outcome) for outcome in said] == [words(outcome) for outcome in outcomes]
        assert contents(together) == contents(one_by_one)
        assert verify(together.connection) == []


def test_a_store_is_paid_out_for_an_order_placed_and_paid_in_the_same_list(market):
    order = market.database.head(0).position + 1
    said = market.engine.execute([Request(command, PLATFORM, T + 15 * DAY) for command in new_order(order)])
    assert [type(outcome) for outcome in said] == [Accepted] * 3


def new_order(number: int) -> list[Any]:
    """An order of 50.00 that is placed, paid and paid out."""
    place = o.PlaceOrder(
        store="oak",
        reference="new",
        buyer="ann",
        currency="EUR",
        lines=(o.NewLine(id="1", item=eur("50.00")),),
        payments=(o.Payment(id="card", provider="sandbox", minor=eur("50.00")),),
        ship_by=T - 8 * DAY,
        promised_by=T - 2 * DAY,
        at=T - 10 * DAY,
    )
    return [place, o.Paid(order=number, at=T - 9 * DAY), o.PaidOut(order=number, minor=eur("50.00"), at=T + 15 * DAY)]


def test_waiting_refunds_are_served_with_the_money_that_came_earlier_in_the_same_list(tmp_path):
    market = Market(tmp_path, fund="10.00")
    dispute = market.open(market.order(), "damaged", "40.00")
    said = market.engine.execute(
        [
            Request(d.Rule(dispute=dispute, finding="justified", reason="photos"), AGENT, T),
            Request(TopUp(minor=eur("30.00"), currency="EUR"), FINANCE, T),
            Request(r.ServeWaiting(currency="EUR"), SYSTEM, T),
            Request(TopUp(minor=eur("5.00"), currency="EUR"), FINANCE, T),
        ]
    )
    assert [type(outcome) for outcome in said] == [Accepted] * 4
    assert market.dispute(dispute).phase == "refunding"
    assert market.funds()[1:] == ("5.00", "40.00")
    market.check()


# --- what a batch reads --------------------------------------------------------------------------------------------


@contextmanager
def reading(market: Market, table: str) -> Iterator[list[str]]:
    """The statements that read a table, while inside."""
    read: list[str] = []
    market.database.connection.set_trace_callback(lambda said: read.append(said) if f"FROM {table}" in said else None)
    try:
        yield read
    finally:
        market.database.connection.set_trace_callback(None)


def in_reais(tmp_path: Path) -> Market:
    """A market whose fund in EUR covers orders in BRL, by rates that change."""
    market = Market(tmp_path, programme=standard(also_covers=("BRL",)))
    for text, at in (("5", T - DAY), ("4", T + DAY), ("2", T + 13 * DAY), ("1", T + 29 * DAY)):
        keep(market.database, [parse_rate("EUR", "BRL", text, published_at=at, source="ECB")])
    return market


def test_the_rates_are_read_once_for_all_commands_of_a_list(tmp_path):
    market = in_reais(tmp_path)
    orders = [market.order(amount="10.00", currency="BRL", buyer=f"b{n}") for n in range(20)]
    requests = [
        Request(opening(order, "damaged", "4.00"), Actor("buyer", f"b{n}"), T + n * timedelta(minutes=1))
        for n, order in enumerate(orders)
    ]
    with reading(market, "rates") as read:
        assert all(isinstance(outcome, Accepted) for outcome in market.engine.execute(requests))
    assert len(read) == 1


def test_in_one_list_each_refund_counts_by_the_rate_of_its_own_time(tmp_path):
    market = in_reais(tmp_path)
    one, other, late = (market.open(market.order(currency="BRL"), "damaged", "40.00") for _ in range(3))
    said = [(d.Rule(dispute=number, finding="justified", reason="seen"), AGENT) for number in (one, other)]
    times = (T + DAY - timedelta(seconds=1), T + DAY, T + 30 * DAY)
    said.append((d.PassTime(dispute=late), SYSTEM))  # the platform's time had ended after fourteen days
    with reading(market, "rates") as read:
        market.engine.execute([Request(what, by, at) for (what, by), at in zip(said, times, strict=True)])
    paid = [market.dispute(number).refunds[0].in_fund for number in (one, other, late)]
    assert [refund and refund.minor for refund in paid] == [eur("8.00"), eur("10.00"), eur("20.00")]
    assert len(read) <= 3
    market.check()


def test_of_what_a_buyer_was_paid_at_once_only_the_last_thirty_days_are_read(market):
    for n, at in enumerate((T - 31 * DAY, T - 30 * DAY, T - 29 * DAY)):
        market.database.connection.execute(
            "INSERT INTO instants VALUES (0, 'ann', ?, ?, 'EUR', 100)", (1000 + n, micros(at))
        )
    ask = opening(market.order(), "damaged", "1.00")
    loaded = market.database.load(0, needs_of([Request(ask, BUYER, T), Request(ask, BUYER, T.replace(tzinfo=None))]))
    assert loaded.instants == {"ann": [(T - 29 * DAY, "EUR", 100)]}
    market.database.connection.execute("DELETE FROM instants WHERE dispute_id>=1000")


# --- keys ----------------------------------------------------------------------------------------------------------


def test_a_command_sent_again_with_its_key_gets_the_stored_reply_and_nothing_is_written(market):
    command = TopUp(minor=100, currency="EUR")
    first = market.accept(command, FINANCE, key="top-up-1")
    before = market.contents()
    market.now += DAY
    again = market.accept(command, FINANCE, key="top-up-1")
    assert (again.replayed, again.id, again.first, again.last) == (True, first.id, first.first, first.last)
    assert market.contents() == before


def test_a_key_counts_once_even_within_one_list(market):
    request = Request(TopUp(minor=100, currency="EUR"), FINANCE, T, "top-up-1")
    first, again = market.engine.execute([request, request])
    assert (first.replayed, again.replayed, again.first) == (False, True, first.first)
    assert market.funds()[1] == "1001.00"


@pytest.mark.parametrize("text", ["", "It arrived broken."])
def test_a_key_used_for_other_content_is_refused(market, text):
    order = market.order()
    market.accept(opening(order, "damaged", "40.00", statement=text), BUYER, key="mine")
    for amount, other in (("39.00", text), ("40.00", "Other words.")):
        command = opening(order, "damaged", amount, statement=other)
        assert market.refuse(command, BUYER, key="mine").code == "key_reused"


def test_keys_belong_to_their_caller(market):
    market.accept(TopUp(minor=100, currency="EUR"), FINANCE, key="mine")
    other = market.accept(TopUp(minor=200, currency="EUR"), Actor("finance", "bo"), key="mine")
    assert not other.replayed


def test_a_refused_command_may_be_tried_again_with_its_key(market):
    order = market.order(delivered=False)
    command = opening(order, "damaged", "40.00")
    assert market.refuse(command, BUYER, key="mine").code == "outside_window"
    market.accept(o.Delivered(order=order, at=T), PLATFORM)
    assert not market.accept(command, BUYER, key="mine").replayed
    assert market.accept(command, BUYER, key="mine").replayed


def test_a_key_is_remembered_over_a_restart(market):
    dispute = market.open(market.order(), "damaged", "40.00", statement="It arrived broken.")
    rule = d.Rule(dispute=dispute, finding="justified", reason="photos", note="clear")
    first = market.accept(rule, AGENT, key="ruling-1")
    reopened = SQLite(market.database.path)
    (again,) = Engine(reopened, lambda: T + DAY).execute([Request(rule, AGENT, T + DAY, "ruling-1")])
    reopened.close()
    assert again == Accepted(first.id, first.first, first.last, replayed=True)


def test_a_key_must_be_plain(market):
    assert market.refuse(TopUp(minor=1, currency="EUR"), FINANCE, key="a b").code == "bad_reference"


def test_a_time_without_zone_is_refused(market):
    assert market.refuse(TopUp(minor=1, currency="EUR"), FINANCE, at=T.replace(tzinfo=None)).code == "naive_time"


# --- a row that cannot be saved ------------------------------------------------------------------------------------


def test_only_the_command_whose_row_is_refused_is_not_saved(market):
    orders = [market.order() for _ in range(5)]
    market.database.connection.execute(
        "CREATE TRIGGER no_thirteen BEFORE INSERT ON disputes WHEN NEW.reference='claim-13'"
        " BEGIN SELECT RAISE(ABORT, 'thirteen'); END"
    )
    references = ["claim-11", "claim-12", "claim-13", "claim-14", "claim-15"]
    requests = [
        Request(opening(order, "damaged", "40.00", reference=reference, statement="Broken."), BUYER, T, reference)
        for order, reference in zip(orders, references, strict=True)
    ]
    said = market.engine.execute(requests)
    assert [getattr(outcome, "code", "") for outcome in said] == ["", "", "not_saved", "", ""]
    stored = market.database.connection.execute("SELECT reference FROM disputes ORDER BY id").fetchall()
    assert [reference for (reference,) in stored] == ["claim-11", "claim-12", "claim-14", "claim-15"]
    texts = market.database.connection.execute("SELECT count(*) FROM texts").fetchone()
    assert texts == (4,)

    market.database.connection.execute("DROP TRIGGER no_thirteen")
    again = market.engine.execute(requests)
    assert [outcome.replayed for outcome in again] == [True, True, False, True, True]


# --- free text and time --------------------------------------------------------------------------------------------


def test_free_text_stands_in_an_erasable_row_and_events_hold_only_its_keyed_digest(market):
    words = "Mrs Ann Smith, 5 Oak Lane: it arrived broken."
    dispute = market.open(market.order(), "damaged", "40.00", statement=words)
    everything = market.contents()
    ((position, salt, body),) = ((row[1], row[2], row[3]) for row in everything.pop("texts"))
    assert (position, body) == (dispute, words)
    assert words not in str(everything)
    (event,) = market.database.connection.execute("SELECT body FROM events WHERE position=?", (dispute,)).fetchone()
    digest = json.loads(event)["text"]
    assert digest == blake2b(words.encode(), key=salt, digest_size=16).hexdigest()
    assert digest != blake2b(words.encode(), digest_size=16).hexdigest()


def words_of(market, dispute):
    """The events of a dispute that point at words: what happened, by whom, and the words."""
    events = queries.timeline(market.database.connection, 0, market.dispute(dispute))
    words = dict(market.database.connection.execute("SELECT position, body FROM texts").fetchall())
    return [(type(event), event.by, words[position]) for position, event in events if event.text]


def test_words_that_come_after_a_deadline_stand_on_their_own_event_alone(market):
    dispute = market.open(market.order(), "damaged", "40.00", remedy="return_refund")
    market.rule(dispute, "out_of_scope")
    market.work()
    market.now += 5 * DAY + timedelta(minutes=1)  # nobody has swept since
    late = market.accept(d.WriteMessage(dispute=dispute, message="Call me."), BUYER)
    assert [type(one) for one in late.events[-4:]] == [d.TimedOut, ReturnAuthorised, RefundApproved, d.MessageWritten]
    assert words_of(market, dispute) == [(d.MessageWritten, "buyer:ann", "Call me.")]
    market.check()


def test_words_that_come_after_an_appeals_time_are_not_the_rulings_that_stands(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    market.rule(dispute, "unjustified")
    market.accept(d.FileAppeal(dispute=dispute, about="remedy", note="Look again."), BUYER)
    late = market.dispute(dispute).timers[-1].at + timedelta(minutes=1)
    market.accept(WriteOnOrder(order=market.dispute(dispute).order, message="And?"), BUYER, at=late)
    assert market.timeline(dispute)[-2:] == ["appeal_ruled", "dispute_closed"]
    assert words_of(market, dispute) == [(d.Appealed, "buyer:ann", "Look again.")]


@pytest.mark.parametrize("remedy", ["refund", "return_refund"])
def test_the_words_of_a_ruling_stand_on_the_ruling_alone(market, remedy):
    dispute = market.open(market.order(), "damaged", "40.00")
    market.rule(dispute, remedy=remedy, note="Send it back, please.")
    assert words_of(market, dispute) == [(d.DisputeRuled, "agent:lee", "Send it back, please.")]


def test_who_takes_a_claim_up_again_says_why_once(market):
    dispute = market.open(market.order(), "changed_mind", "40.00")
    market.accept(d.Withdraw(dispute=dispute), BUYER)
    market.accept(d.Reopen(dispute=dispute, note="It does not fit after all."), BUYER)
    assert words_of(market, dispute) == [(d.Reopened, "buyer:ann", "It does not fit after all.")]


def test_equal_words_leave_different_digests(market):
    for _ in range(2):
        market.open(market.order(), "damaged", "40.00", statement="Broken.")
    salts = market.database.connection.execute("SELECT DISTINCT salt FROM texts").fetchall()
    digests = market.database.connection.execute(
        "SELECT DISTINCT body->>'text' FROM events WHERE body->>'text' IS NOT NULL"
    ).fetchall()
    assert (len(salts), len(digests)) == (2, 2)


def test_the_booking_time_never_goes_back_when_the_clock_does(market):
    market.top_up("1.00")
    market.now -= 3 * DAY
    market.top_up("1.00")
    market.now += 4 * DAY
    market.top_up("1.00")
    booked = [at for (at,) in market.database.connection.execute("SELECT booked_at FROM events ORDER BY position")]
    assert booked == sorted(booked)
    assert booked[-3:] == [micros(T), micros(T), micros(T + DAY)]


# --- lists that speak of what they make themselves -----------------------------------------------------------------


def both_ways(folder, requests_of):
    """The same requests as one list and one by one, on two markets alike: (one list's, the singles')."""
    markets = []
    for name in ("list", "singles"):
        (folder / name).mkdir()
        market = Market(folder / name)
        requests = requests_of(market)
        if name == "list":
            outcomes = market.engine.execute(requests)
        else:
            outcomes = [outcome for request in requests for outcome in market.engine.execute([request])]
        assert all(isinstance(outcome, Accepted) for outcome in outcomes), outcomes
        markets.append(market)
    return markets


def test_two_disputes_of_one_order_in_one_list_take_the_sellers_money_as_they_would_singly(tmp_path):
    lines = (o.NewLine(id="1", item=4000), o.NewLine(id="2", item=3000))

    def requests(market):
        order = market.order(amount="70.00", lines=lines, delivered=False)
        opened = opening(order, "in_transit_overdue", "40.00")
        second = opening(order, "in_transit_overdue", "30.00", lines=(("2", 1),))
        return [Request(opened, BUYER, T), Request(second, BUYER, T + 6 * DAY)]

    together, singly = both_ways(tmp_path, requests)
    for market in (together, singly):
        held = market.database.connection.execute("SELECT source, minor FROM transfers WHERE kind='hold'").fetchall()
        assert held == [("store:oak:payable", 4000)]
        market.check()


def test_a_fault_in_one_command_is_told_to_it_alone(market):
    lost = market.order()
    market.database.connection.execute(
        "UPDATE orders SET body = CAST(json_set(body, '$.status', 'lost') AS BLOB) WHERE id = ?", (lost,)
    )
    good = market.order()
    outcomes = market.engine.execute(
        [
            Request(o.Confirmed(order=lost, at=T), PLATFORM, T),
            Request(opening(good, "damaged", "10.00"), BUYER, T),
            Request(p.RegisterStore(store="elm", name="half \ud800"), PLATFORM, T),
        ]
    )
    assert [getattr(outcome, "code", "") for outcome in outcomes] == ["failed", "", "bad_text"]
    assert market.dispute(outcomes[1].id).phase == "verifying"
    market.database.connection.execute(
        "UPDATE orders SET body = CAST(json_set(body, '$.status', 'delivered') AS BLOB) WHERE id = ?", (lost,)
    )


# --- previews ------------------------------------------------------------------------------------------------------


def test_a_preview_says_what_would_happen_and_saves_nothing(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    ruling = Request(d.Rule(dispute=dispute, finding="justified", reason="seen"), AGENT, market.now, "ruled-1")
    before = market.contents()
    seen = market.engine.preview(ruling)
    assert market.contents() == before
    assert [(t.source, t.target, t.minor) for t in seen.transfers] == [("fund:available", "fund:reserved", 4000)]
    assert (seen.disputes[dispute].phase, market.dispute(dispute).phase) == ("refunding", "verifying")
    assert market.engine.execute([ruling]) == [seen.accepted]
    assert market.dispute(dispute) == seen.disputes[dispute]


def test_an_explanation_reads_nothing_after_its_look_at_the_database(market):
    ask = Request(opening(market.order(), "damaged", "40.00"), BUYER, market.now)
    said: list[str] = []
    market.database.connection.set_trace_callback(said.append)
    ruling = market.engine.explain(ask)
    market.database.connection.set_trace_callback(None)
    assert (ruling.rule.name, said[0], said[-1]) == ("verify", "BEGIN", "ROLLBACK")


def test_a_preview_is_refused_as_the_command_would_be(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    with pytest.raises(Refused) as refused:
        market.engine.preview(Request(d.Accept(dispute=dispute), SELLER, market.now))
    assert market.refuse(d.Accept(dispute=dispute), SELLER).code == refused.value.code == "not_now"


def test_a_preview_of_a_late_answer_says_what_fell_due(market):
    dispute = market.open(market.order(delivered=False), "in_transit_overdue", "25.00")
    with pytest.raises(Refused) as refused:
        market.engine.preview(Request(d.Accept(dispute=dispute), SELLER, market.now + 5 * DAY))
    assert refused.value.code == "answer_after_due"
    assert market.dispute(dispute).phase == "awaiting_seller"


def test_a_preview_waits_for_no_writer_and_no_writer_for_it(market):
    order = market.order(amount="40.00")
    other = connect(market.database.path)
    other.execute("BEGIN IMMEDIATE")
    market.database.connection.execute("PRAGMA busy_timeout=0")
    try:
        seen = market.engine.preview(Request(opening(order, "damaged", "40.00"), BUYER, market.now))
        assert [type(event) for event in seen.events] == [d.DisputeOpened]
        outcome = market.engine.preview(Request(opening(order, "damaged", "39.00"), BUYER, market.now))
        assert outcome.events
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert not market.database.connection.in_transaction
