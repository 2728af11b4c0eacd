"""The worker: what it tries again and when, what it must never try again, and whom it tells."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.policies import next_policy
from given import AGENT, BUYER, DAY, FINANCE, PLATFORM, SECOND, SELLER, Market, Provider, T, eur, opening, standard
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.acts import SendGoodwill
from houbao.core.fund import PayDeposit
from houbao.core.outages import EnterOutage
from houbao.core.terms import SYSTEM, Actor, Refused, from_micros, public_id
from houbao.engine import worker
from houbao.engine.outside import Reply
from houbao.engine.request import TRANSIENT, Request
from houbao.engine.speech import Speech
from houbao.engine.worker import BACKOFF, Done
from houbao.shipped import policy_text
from houbao.store import queries

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def approved(market: Market, amount: str = "40.00", **order: Any) -> int:
    """A dispute whose refund is approved; all letters about it so far are out."""
    dispute = market.open(market.order(amount=amount, **order), "damaged", amount)
    market.work()
    market.rule(dispute)
    return dispute


def out_of_scope(market: Market, **order: Any) -> int:
    """A dispute that the guarantee does not cover: its official notice is about to go out."""
    dispute = market.open(market.order(**order), "damaged", "40.00")
    market.work()
    market.rule(dispute, "out_of_scope")
    return dispute


def moments(market: Market, call: str, until: datetime) -> list[timedelta]:
    """Work until then; after what times from T the provider was called so."""
    made: list[timedelta] = []
    while market.now <= until:
        before = calls(market, call)
        market.work()
        made += [market.now - T] * (calls(market, call) - before)
        wake = market.database.next_wake(0)
        if wake is None or wake > until:
            break
        market.now = wake
    return made


def calls(market: Market, call: str) -> int:
    return [name for name, _ in market.provider.calls].count(call)


def keys(market: Market, call: str) -> set[str]:
    return {key for name, key in market.provider.calls if name == call}


def letters(market: Market, words: str) -> int:
    """How many letters went out with those words in their subject."""
    return sum(words in letter.subject for letter in market.mailbox.letters)


def outbox(market: Market) -> list[tuple[str, int]]:
    """(kind, tries) of what is still to be done."""
    return market.database.connection.execute("SELECT body->>'kind', tries FROM outbox ORDER BY position, n").fetchall()


def deliveries(market: Market, kind: str) -> list[tuple[str, str]]:
    """(state, detail) of what was done of that kind, in order."""
    return market.database.connection.execute(
        "SELECT state, detail FROM deliveries WHERE body->>'kind'=? ORDER BY position, n", (kind,)
    ).fetchall()


# --- refunds that nobody answers for -------------------------------------------------------------------------------


def test_look_ups_come_at_ever_longer_intervals(market):
    dispute = approved(market)
    market.provider.script = ["timeout_paid", *["look_down"] * 9]
    waits = [*BACKOFF, BACKOFF[-1], BACKOFF[-1], BACKOFF[-1]]
    expected = [sum(waits[:n], timedelta()) for n in range(10)]
    assert moments(market, "look_up", T + 30 * DAY) == expected
    assert market.dispute(dispute).outcome == "refunded"
    assert calls(market, "pay") == 1


def test_a_request_that_never_arrived_is_sent_again_with_its_own_key_while_that_lives(market):
    approved(market)
    market.provider.script = ["lost"] * 50
    sent = moments(market, "pay", T + 10 * DAY)
    assert len(sent) > 3
    assert max(sent) < market.provider.key_life
    assert len(keys(market, "pay")) == 1
    assert market.funds()[1:] == ("960.00", "40.00")


def test_beyond_its_keys_life_an_attempt_is_only_looked_up_and_a_person_may_settle_it(market):
    dispute = approved(market)
    market.provider.script = ["lost"] * 50
    market.go(T + 23 * HOUR)
    settle = r.ResolveRefund(dispute=dispute, how="paid_elsewhere", note="by bank transfer")
    assert market.refuse(settle, FINANCE).code == "refund_in_flight"
    assert letters(market, "refund unknown") == 0

    market.go(T + 4 * DAY)
    paid, looked_up = calls(market, "pay"), calls(market, "look_up")
    market.go(T + 9 * DAY)
    assert calls(market, "pay") == paid
    assert calls(market, "look_up") > looked_up
    assert letters(market, "refund unknown") == 1
    assert market.dispute(dispute).phase == "refunding"
    assert market.funds()[2] == "40.00"

    market.accept(settle, FINANCE)
    market.go(T + 12 * DAY)
    assert market.dispute(dispute).outcome == "refunded"
    assert market.funds()[2] == "0.00"
    assert deliveries(market, "lookup") == [("done", "settled before")]
    assert outbox(market) == []


def test_beyond_its_keys_life_an_attempt_that_was_paid_after_all_is_found(market):
    dispute = approved(market)
    market.provider.script = ["timeout_paid", *["look_down"] * 7]
    market.go(T + 12 * DAY)
    assert market.dispute(dispute).outcome == "refunded"
    assert calls(market, "pay") == 1


def test_a_definite_no_leads_to_a_new_attempt_and_after_the_last_a_person_is_told(market):
    dispute = approved(market)
    market.provider.script = ["refuse"] * 3
    market.go(T + 5 * HOUR)
    assert len(keys(market, "pay")) == calls(market, "pay") == 3
    assert letters(market, "refund failed") == 1
    market.accept(r.ResolveRefund(dispute=dispute, how="abandon"), FINANCE)
    market.go(T + DAY)
    assert market.dispute(dispute).outcome == "unclaimed"
    assert market.funds()[1:] == ("1000.00", "0.00")


def test_a_refund_abandoned_before_its_next_attempt_is_not_attempted_again(market):
    dispute = approved(market)
    market.provider.script = ["refuse"]
    market.work()
    market.accept(r.ResolveRefund(dispute=dispute, how="abandon"), FINANCE)
    market.go(T + DAY)
    assert calls(market, "pay") == 1
    assert deliveries(market, "refund")[-1] == ("done", "settled before")
    assert outbox(market) == []


def test_money_that_comes_back_is_sent_again_by_a_new_attempt(market):
    dispute = approved(market)
    market.work()
    first = market.dispute(dispute).refunds[-1].shares[0].attempt
    market.now = T + 3 * DAY
    market.worker.cashier.hear("sandbox", [r.ReportRefund(dispute=dispute, attempt=first, result="returned")])
    assert market.dispute(dispute).phase == "refunding"
    assert market.funds()[1:] == ("960.00", "40.00")
    market.work()
    assert letters(market, "refund returned") == 1
    assert len(market.provider.paid) == 2
    assert market.dispute(dispute).outcome == "refunded"
    assert market.funds()[1:] == ("960.00", "0.00")
    assert [kind for kind, *_ in market.moved(dispute)][-4:] == [
        "refund_returned",
        "guarantee_returned",
        "guarantee",
        "refund",
    ]


def test_a_webhook_said_twice_changes_nothing_the_second_time(market):
    dispute = approved(market)
    market.work()
    attempt = market.dispute(dispute).refunds[-1].shares[0].attempt
    before = market.contents()
    market.worker.cashier.hear("sandbox", [r.ReportRefund(dispute=dispute, attempt=attempt, result="paid")] * 2)
    assert market.contents() == before


def test_an_attempt_found_sent_is_looked_up_even_when_another_deadline_passes_in_the_same_breath(market):
    """Two disputes on one order. The first one's attempt was sent before a crash, and its key is too old to send
    again; a sweep that was held back has not yet let the second one's deadline pass."""
    lines = (o.NewLine(id="1", item=eur("30.00")), o.NewLine(id="2", item=eur("20.00")))
    order = market.order(amount="50.00", lines=lines)
    first = market.open(order, "damaged", "30.00")
    market.open(order, "counterfeit", "20.00", lines=(("2", 1),))
    market.work()
    market.rule(first)
    market.accept(r.SendRefund(dispute=first, payment="card"), SYSTEM)
    market.now = T + 6 * DAY
    market.worker.horizon = lambda now: T
    market.worker.serve(Done())
    assert market.provider.calls[0][0] == "look_up"
    assert [call for call in market.provider.calls if call == ("pay", market.provider.calls[0][1])] == []


# --- the official notice -------------------------------------------------------------------------------------------


def test_without_an_address_the_notice_bounces_and_is_served_once_there_is_one(market):
    market.accept(p.RegisterStore(store="elm"), PLATFORM)
    market.accept(p.Enrol(store="elm", programme="standard", at=T - 90 * DAY), PLATFORM)
    dispute = out_of_scope(market, store="elm")
    market.work()
    assert deliveries(market, "notice") == [("failed", "no address is known")]
    assert letters(market, "notice bounced") == 1
    assert market.dispute(dispute).phase == "notifying"
    assert market.seller_queue("elm") == 0

    market.now = T + HOUR
    market.accept(p.ChangeContact(store="elm", email="elm@shops.example", name="Elm"), PLATFORM)
    market.accept(d.ServeNotice(dispute=dispute), AGENT)
    market.work()
    state = market.dispute(dispute)
    assert (state.phase, d.due_at(state)) == ("awaiting_seller", T + HOUR + 5 * DAY)
    assert [letter.to for letter in market.mailbox.letters if "Official notice" in letter.subject] == [
        "elm@shops.example"
    ]


def test_while_the_mail_server_is_down_the_notice_waits_and_the_clock_with_it(market):
    dispute = out_of_scope(market)
    market.mailbox.script = ["down", "down"]
    market.work()
    assert outbox(market) == [("notice", 1)]
    assert market.dispute(dispute).phase == "notifying"
    market.go(T + HOUR)
    assert d.due_at(market.dispute(dispute)) == T + sum(BACKOFF[:2], timedelta()) + 5 * DAY
    assert letters(market, "Official notice") == 1


def test_a_notice_of_a_dispute_withdrawn_meanwhile_is_not_sent(market):
    dispute = out_of_scope(market)
    market.mailbox.script = ["down"]
    market.work()
    market.accept(d.Withdraw(dispute=dispute), BUYER)
    market.go(T + DAY)
    assert letters(market, "Official notice") == 0
    assert outbox(market) == []


def test_a_notice_that_was_served_anew_is_sent_once(market):
    dispute = out_of_scope(market)
    market.mailbox.script = ["down"]
    market.work()
    market.accept(d.ServeNotice(dispute=dispute), AGENT)
    market.go(T + DAY)
    assert letters(market, "Official notice") == 1
    assert market.timeline(dispute).count("notice_stood") == 1


# --- mail and troubles ---------------------------------------------------------------------------------------------


def test_while_the_mail_server_is_down_letters_wait_and_the_money_does_not(market):
    dispute = approved(market)
    market.mailbox.script = ["down"] * 4
    market.work()
    assert market.dispute(dispute).outcome == "refunded"
    assert outbox(market) == [("mail", 1), ("mail", 1)]
    market.go(T + HOUR)
    assert letters(market, "The dispute is closed") == 2
    assert outbox(market) == []


def test_a_letter_that_bounces_is_not_sent_again(market):
    approved(market)
    market.mailbox.script = ["bounced"]
    market.go(T + DAY)
    closed = [state for state, _ in deliveries(market, "mail")][-2:]
    assert closed == ["failed", "done"]


class Unsound(Provider):
    """A provider whose program breaks until it is repaired."""

    name = "unsound"
    broken = True

    def pay(self, key: str, payment: str, minor: int, currency: str) -> Reply:
        if self.broken:
            raise ZeroDivisionError("a programming mistake")
        return super().pay(key, payment, minor, currency)


def test_a_task_that_breaks_stays_is_shown_and_stops_nobody_else(market):
    unsound = Unsound()
    market.worker.cashier.providers = {"sandbox": market.provider, "unsound": unsound}
    card = o.Payment(id="card", provider="unsound", minor=eur("40.00"))
    stuck, sound = (market.open(market.order(payments=cards), "damaged", "40.00") for cards in ((card,), ()))
    market.work()
    market.rule(stuck)
    market.rule(sound)

    done = market.worker.run()
    assert len(done.troubles) == 1
    assert "refund" in done.troubles[0]
    assert "a programming mistake" in done.troubles[0]
    assert stuck in done.touched
    assert market.dispute(sound).outcome == "refunded"
    assert outbox(market) == [("refund", 1)]
    assert market.worker.run().troubles == []

    unsound.broken = False
    market.go(T + HOUR)
    assert market.dispute(stuck).outcome == "refunded"
    assert len(unsound.paid) == 1
    assert outbox(market) == []


# --- a queue that is full, a command that cannot be saved ------------------------------------------------------------


class Full:
    """The way to the engine, which refuses one call for a reason that passes."""

    def __init__(self, market: Market, call: int, code: str = "overloaded") -> None:
        self.market, self.call, self.code = market, call, code
        self.calls = 0

    def execute(self, requests: list[Request]) -> list[Any]:
        self.calls += 1
        if self.calls == self.call:
            return [Refused(self.code, "not now")] * len(requests)
        return self.market.engine.execute(requests)


def busy_day(folder: Path, full_at: int, code: str = "overloaded") -> tuple[Market, Full]:
    """A day on which the worker has every kind of command to say, the `full_at`-th call of which is refused."""
    market = Market(folder, fund="50.00")
    full = Full(market, full_at, code)
    market.worker.errands.execute = full.execute
    notified, paid, waits, asked = (
        market.open(market.order(amount=amount), "damaged", amount) for amount in ("40.00", "20.00", "45.00", "9.00")
    )
    market.open(market.order(delivered=False), "in_transit_overdue", "5.00")  # the seller is silent
    market.rule(notified, "out_of_scope")
    market.provider.script = ["ok", "timeout_unpaid", "look_down"]
    for dispute in (paid, asked, waits):
        market.rule(dispute)
    market.worker.run()
    market.top_up("50.00")
    market.accept(EnterOutage(start=T + HOUR, end=T + 2 * HOUR), Actor("admin", "eve"))
    for hours in range(0, 6 * 24 + 1, 4):
        market.now = T + hours * HOUR
        market.worker.run()
    return market, full


def ended(market: Market) -> list[Any]:
    """Where a day leads: each dispute's phase and outcome, the money, the letters, and what is still to be done."""
    run = market.database.connection.execute
    states = run("SELECT id, phase, body->>'outcome' FROM disputes ORDER BY id").fetchall()
    return [states, market.funds(), sorted(market.provider.paid.values()), outbox(market)]


def test_a_command_that_is_refused_for_now_leaves_its_task_to_be_done_again(tmp_path):
    folders = iter(tmp_path / str(n) for n in range(1000))

    def day(full_at: int) -> tuple[Market, Full]:
        (folder := next(folders)).mkdir()
        return busy_day(folder, full_at)

    calm, full = day(0)
    assert {kind for kind in ("refund", "lookup", "notice", "serve", "outage") if deliveries(calm, kind)} == {
        "refund",
        "lookup",
        "notice",
        "serve",
        "outage",
    }
    for call in range(1, full.calls + 1):
        market, _ = day(call)
        assert ended(market) == ended(calm), f"call {call} was refused, and never made good"
        market.check()


@pytest.mark.parametrize("code", TRANSIENT)
def test_a_notice_whose_acceptance_could_not_be_booked_is_served_again(market, code):
    dispute = out_of_scope(market)
    market.worker.errands.execute = Full(market, 1, code).execute
    assert code in market.worker.run().troubles[0]
    assert (market.dispute(dispute).phase, outbox(market)) == ("notifying", [("notice", 1)])
    market.go(T + HOUR)
    assert (market.dispute(dispute).phase, outbox(market)) == ("awaiting_seller", [])
    one, again = [letter.reference for letter in market.mailbox.letters if "Official notice" in letter.subject]
    assert one == again


# --- refunds that wait for the fund --------------------------------------------------------------------------------


def test_the_first_approved_is_served_first_and_small_ones_wait_behind_it(tmp_path):
    market = Market(tmp_path, fund="50.00")
    large, small, tiny = (approved(market, amount) for amount in ("80.00", "30.00", "10.00"))
    market.work()
    assert [market.dispute(number).phase for number in (large, small, tiny)] == ["awaiting_funds"] * 3
    assert market.provider.paid == {}

    market.top_up("20.00")
    market.work()
    assert market.funds()[1:] == ("70.00", "0.00")

    market.top_up("15.00")
    market.work()
    assert [market.dispute(number).phase for number in (large, small, tiny)] == [
        "closed",
        "awaiting_funds",
        "awaiting_funds",
    ]
    market.top_up("40.00")
    market.work()
    assert list(market.provider.paid.values()) == [eur("80.00"), eur("30.00"), eur("10.00")]
    assert market.funds()[1:] == ("5.00", "0.00")
    market.check()


def test_an_abandoned_refund_makes_room_for_the_next(tmp_path):
    market = Market(tmp_path, fund="30.00")
    large, small = approved(market, "80.00"), approved(market, "30.00")
    market.work()
    market.accept(r.ResolveRefund(dispute=large, how="abandon"), FINANCE)
    market.work()
    assert [market.dispute(number).outcome for number in (large, small)] == ["unclaimed", "refunded"]
    market.check()


# --- deadlines -----------------------------------------------------------------------------------------------------


def test_a_late_sweep_books_the_due_time_and_a_second_one_changes_nothing(market):
    dispute = market.open(market.order(delivered=False), "in_transit_overdue", "25.00")
    due = d.due_at(market.dispute(dispute))
    market.now = due + 3 * DAY
    assert market.worker.sweep(Done()) == 4  # three reminders, and the seller's time
    before = market.contents()
    assert market.worker.sweep(Done()) == 0
    assert market.contents() == before
    assert market.dispute(dispute).refunds[-1].payer == "seller"
    (at,) = market.database.connection.execute(
        "SELECT body->>'at' FROM events WHERE body->>'type'='timed_out'"
    ).fetchone()
    assert datetime.fromisoformat(at) == due


def test_a_deadline_that_cannot_pass_keeps_nobody_elses(market):
    poisoned, *others = (
        market.open(market.order(delivered=False), "in_transit_overdue", amount) for amount in ("5.00", "6.00", "7.00")
    )

    def execute(requests: list[Request]) -> list[Any]:
        return [
            Refused("failed", "a fault of ours") if one.command.dispute == poisoned else market.engine.execute([one])[0]
            for one in requests
        ]

    market.worker.errands.execute = execute
    market.now = T + 20 * DAY
    done = Done()
    market.worker.sweep(done)
    assert [market.dispute(number).phase for number in (poisoned, *others)] == [
        "awaiting_seller",
        "refunding",
        "refunding",
    ]
    assert done.troubles


def test_a_late_sweep_takes_the_deadlines_of_all_disputes_in_their_order(tmp_path):
    """Who was approved first is served first, though the other's first deadline comes before and sets two more."""
    told = []
    for name, late in (("timely", False), ("late", True)):
        (tmp_path / name).mkdir()
        market = Market(tmp_path / name)
        small, large = (
            market.open(market.order(amount=amount, commission=amount, delivered=False), "in_transit_overdue", amount)
            for amount in ("3.00", "900.00")
        )
        market.now = T + DAY
        market.accept(d.Accept(dispute=large), SELLER)
        market.work()
        if late:
            market.now = T + 20 * DAY
            market.work()
        else:
            market.go(T + 20 * DAY)
        run, both = market.database.connection, (market.dispute(small), market.dispute(large))
        happened = sorted(pair for one in both for pair in queries.timeline(run, 0, one))
        served = [(e.dispute, e.at, e.legs) for _, e in happened if isinstance(e, r.FundsReserved)]
        assert [dispute for dispute, *_ in served] == [large, small]
        told.append(served)
    assert told[0] == told[1]


@pytest.mark.parametrize("late", [timedelta(), DAY])
def test_an_answer_in_time_wins_over_a_sweep_and_one_too_late_loses(market, late):
    dispute = market.open(market.order(delivered=False), "in_transit_overdue", "25.00")
    due = d.due_at(market.dispute(dispute))
    market.now = due + late
    (outcome,) = market.engine.execute([Request(d.Accept(dispute=dispute), SELLER, due)])
    assert outcome.code == "answer_after_due"
    market.accept(d.Accept(dispute=dispute), SELLER, at=due - MINUTE)
    assert market.worker.sweep(Done()) == 0
    assert market.dispute(dispute).resolved_by == "agreement"


def test_an_outage_moves_the_due_times_of_many_a_slice_at_a_time_and_goes_on_where_it_was_stopped(market, monkeypatch):
    monkeypatch.setattr(worker, "MOST_DUE", 2)
    numbers = [market.open(market.order(f"order-{n}"), "in_transit_overdue", "1.00") for n in range(5)]
    market.now = T + 6 * DAY  # nobody could act since the third day, and everything fell due meanwhile
    entered = market.accept(EnterOutage(start=T + 3 * DAY, end=market.now), Actor("admin", "eve")).last

    def due() -> list[datetime]:
        rows = market.database.connection.execute("SELECT due_at FROM timers WHERE kind='turn' ORDER BY dispute_id")
        return [from_micros(at) for (at,) in rows]

    assert market.worker.move_due_times(entered) == 2
    assert due() == [T + 8 * DAY] * 2 + [T + 5 * DAY] * 3
    again = market.worker_of()  # a new process
    assert [again.move_due_times(entered) for _ in range(3)] == [2, 1, 0]
    assert due() == [T + 8 * DAY] * 5
    assert market.work().deadlines == 0
    assert {market.dispute(number).phase for number in numbers} == {"awaiting_seller"}
    ended = market.database.connection.execute("SELECT body->>'kind' FROM deliveries").fetchall()
    assert ended.count(("outage",)) == 1
    market.go(T + 8 * DAY)
    assert {market.dispute(number).resolved_by for number in numbers} == {"seller_timeout"}
    market.check()


def test_due_times_that_could_not_be_moved_are_moved_later_and_keep_nobody_elses(market, monkeypatch):
    monkeypatch.setattr(worker, "MOST_DUE", 1)
    numbers = [market.open(market.order(f"order-{n}"), "in_transit_overdue", "1.00") for n in range(3)]
    market.work()
    market.now = T + DAY
    market.accept(EnterOutage(start=T + 2 * DAY, end=T + 4 * DAY), Actor("admin", "eve"))
    market.worker.errands.execute = Full(market, 2).execute
    assert "overloaded" in "".join(market.worker.run().troubles)
    assert [d.due_at(market.dispute(number)) for number in numbers] == [T + 7 * DAY, T + 5 * DAY, T + 7 * DAY]
    market.go(T + 2 * DAY)
    assert {d.due_at(market.dispute(number)) for number in numbers} == {T + 7 * DAY}
    assert outbox(market) == []


def test_the_worker_moves_what_an_outage_moved_by_itself_beside_its_other_work(market, monkeypatch):
    monkeypatch.setattr(worker, "MOST_DUE", 1)
    numbers = [market.open(market.order(f"order-{n}"), "in_transit_overdue", "1.00") for n in range(3)]
    market.now = T + DAY
    market.accept(EnterOutage(start=T + 2 * DAY, end=T + 4 * DAY), Actor("admin", "eve"))
    market.work()
    assert {d.due_at(market.dispute(number)) for number in numbers} == {T + 7 * DAY}
    assert market.subjects().count("You have more time (order-1)") == 1
    market.check()


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/Sao_Paulo"])
def test_sellers_are_told_by_their_own_clocks_and_buyers_by_those_of_the_programme(tmp_path, zone):
    market = Market(tmp_path, programme=standard(zone="Europe/Berlin"))
    market.accept(p.RegisterStore(store="elm", zone=zone, email="elm@shops.example"), PLATFORM)
    market.accept(p.Enrol(store="elm", programme="standard", at=T - 90 * DAY), PLATFORM)
    market.open(market.order("far", store="elm"), "in_transit_overdue", "1.00")
    market.work()
    mails = {letter.to: letter.body for letter in market.mailbox.letters}
    assert Speech("en", zone).when(T + 5 * DAY) in mails["elm@shops.example"]
    assert Speech("en", "Europe/Berlin").when(T + 5 * DAY) in mails["ann@mail.example"]


def test_each_reads_their_own_language_by_their_own_clocks_with_a_button_to_the_dispute(tmp_path):
    market = Market(tmp_path, programme=standard(zone="Europe/Berlin"))
    market.worker.postman.console = "https://claims.example"
    market.accept(p.RegisterStore(store="elm", zone="Asia/Shanghai", email="elm@x.example", language="zh-CN"), PLATFORM)
    market.accept(p.Enrol(store="elm", programme="standard", at=T - 90 * DAY), PLATFORM)
    far = market.order("far", store="elm", buyer_language="zh-Hans", buyer_zone="America/Sao_Paulo")
    dispute = public_id("dispute", 0, market.open(far, "in_transit_overdue", "1.00"))
    market.work()
    mails = {letter.to: letter for letter in market.mailbox.letters}
    for to, zone in (("elm@x.example", "Asia/Shanghai"), ("ann@mail.example", "America/Sao_Paulo")):
        letter = mails[to]
        assert (letter.language, Speech("zh", zone).when(T + 5 * DAY) in letter.body) == ("zh-Hans", True)
        assert letter.html.count("<a ") == 1
        assert f'href="https://claims.example/disputes/{dispute}"' in letter.html
        assert f"https://claims.example/disputes/{dispute}\n" in letter.body
    assert mails["elm@x.example"].subject == "有一件纠纷需要您答复 (far)"
    market.check()


def test_a_store_that_changes_its_language_is_written_to_in_the_new_one(market):
    market.accept(p.ChangeContact(store="oak", email="oak@shops.example", language="zh-Hans"), PLATFORM)
    market.open(market.order(), "damaged", "1.00")
    market.work()
    (letter,) = [letter for letter in market.mailbox.letters if letter.to == "oak@shops.example"]
    assert letter.subject.startswith("有一件纠纷正由平台为您处理")


def test_a_notice_tells_the_sellers_time_in_business_days_of_their_country(tmp_path):
    text = policy_text().replace('seller_answer = "5 d"', 'seller_answer = "5 bd"')
    market = Market(tmp_path, policy=f'{text}\n[calendars.BR]\nzone = "America/Sao_Paulo"\nholidays = [2026-07-10]\n')
    market.accept(
        p.RegisterStore(store="elm", country="BR", zone="America/Sao_Paulo", email="elm@shops.example"), PLATFORM
    )
    market.accept(p.Enrol(store="elm", programme="standard", at=T - 90 * DAY), PLATFORM)
    dispute = market.open(market.order("far", store="elm"), "damaged", "1.00")
    market.rule(dispute, "out_of_scope")
    market.work()
    # Wednesday; Friday is a holiday, then comes the weekend: the fifth business day after it is Thursday.
    assert d.due_at(market.dispute(dispute)) == T + 8 * DAY
    notice = next(x for x in market.mailbox.letters if x.subject.startswith("Official notice"))
    assert Speech("en", "America/Sao_Paulo").when(T + 8 * DAY) in notice.body
    market.check()


def test_a_store_whose_buyers_send_the_same_photos_and_cost_the_fund_much_is_found_and_watched(market):
    for n, buyer in enumerate(["ann", "ann", "ann", "bob"]):
        order = market.order(f"order-{n}", "900.00", buyer=buyer)
        dispute = market.open(order, "damaged", "150.00", Actor("buyer", buyer), evidence=("cd" * 32,))
        market.rule(dispute)
    market.work()
    assert market.worker.assess(Done()) == 1
    store = market.database.store(0, "oak")
    assert store.standing == p.Standing(
        at=T, disputes=4, buyers=(("ann", 750), ("bob", 250)), exposure=eur("600.00"), currency="EUR", shared=("photo",)
    )
    assert (store.watch.why, store.watch.by) == ("young_exposure", "system")
    assert market.worker.assess(Done()) == 0
    late = market.database.order(0, market.order("late", paid=T + SECOND))
    assert (late.coverage.covered, late.coverage.reason) == (False, "watch")
    small = market.open(market.order("small", "10.00"), "damaged", "1.00", evidence=("ef" * 32,))
    facts = market.events(small)[0].facts
    assert (market.dispute(small).route, facts.buyer_share, facts.shared, facts.exposure) == ("verify", 750, 1, 60_000)
    market.now = T + 40 * DAY
    assert market.worker.assess(Done()) == 1  # nothing is left of it after thirty days
    assert market.database.store(0, "oak").standing.exposure == 0
    market.check()


def test_stores_are_assessed_some_at_a_time_and_one_that_is_refused_is_told(market, monkeypatch):
    monkeypatch.setattr(worker, "MOST_DUE", 1)
    for n in range(3):
        market.accept(p.RegisterStore(store=f"s{n}"), PLATFORM)
        market.open(market.order(store=f"s{n}"), "damaged", "1.00")
    full = Full(market, 2)
    market.worker.errands.execute = full.execute
    done = Done()
    assert market.worker.assess(done) == 2
    assert (full.calls, len(done.troubles)) == (3, 1)
    assert "overloaded" in done.troubles[0]
    assert market.worker.assess(done) == 1


def test_what_is_above_the_funds_limit_reaches_the_seller_by_a_notice_that_starts_the_five_days(tmp_path):
    market = Market(tmp_path, policy=next_policy("2026.1", per_dispute='"25.00"', over='"hand_over"'))
    dispute = market.open(market.order(), "damaged", "40.00")
    market.accept(d.Rule(dispute=dispute, finding="justified", reason="photos", note="It is."), AGENT, key="ruled")
    market.work()
    order = market.dispute(dispute).order
    (rest,) = [one for one in queries.disputes_of(market.database.connection, 0, order) if one.excess_of == dispute]
    assert (market.dispute(dispute).phase, rest.phase, d.due_at(rest)) == ("closed", "awaiting_seller", T + 5 * DAY)
    notices = [letter for letter in market.mailbox.letters if letter.subject.startswith("Official notice")]
    assert [(letter.to, "€15.00, is yours" in letter.body) for letter in notices] == [("oak@shops.example", True)]
    assert market.explain(
        opening(market.order(amount="12.00"), "damaged", "12.00", evidence=("a" * 64,))
    ).rule.route == ("instant")
    market.go(T + 5 * DAY)
    assert market.dispute(rest.id).resolved_by == "seller_timeout"
    market.check()


def watched(market):
    market.accept(p.SetWatch(store="oak", why="buyer_share"), Actor("admin", "eve"))


def lifted(market):
    market.accept(p.LiftWatch(store="oak"), Actor("admin", "eve"))


def test_a_store_reads_since_when_and_why_it_is_watched_and_that_it_is_no_more(market):
    watched(market)
    market.work()
    lifted(market)
    market.work()
    first, second = market.mailbox.letters
    assert (first.to, first.subject) == ("oak@shops.example", "Your new orders are not covered for now")
    assert "Since Wed 08 Jul 2026, 12:00 UTC your store is under watch, because one buyer opened many" in first.body
    assert (second.to, second.subject) == ("oak@shops.example", "Your new orders are covered again")
    market.check()


def test_what_changed_before_the_mail_went_out_is_not_told(market):
    watched(market)
    lifted(market)
    market.work()
    assert market.subjects() == ["Your new orders are covered again"]


def test_a_letter_of_a_watch_waits_for_the_mail_server_and_one_without_an_address_ends(market):
    market.mailbox.script = ["later"]
    watched(market)
    market.work()
    assert market.subjects() == []
    market.accept(p.ChangeContact(store="oak", email=""), PLATFORM)
    market.go(T + timedelta(minutes=2))
    assert market.subjects() == []
    assert market.database.next_wake(0) is None


def test_a_photo_that_one_buyer_sends_twice_is_not_shared_and_gifts_are_no_disputes(market):
    for n in range(2):
        market.open(market.order(f"order-{n}"), "damaged", "20.00", evidence=("cd" * 32,))
    market.accept(SendGoodwill(order=market.order("gift"), amount=100), SELLER)
    assert market.worker.assess(Done()) == 1
    standing = market.database.store(0, "oak").standing
    assert (standing.shared, standing.disputes) == ((), 2)


def test_what_the_platform_paid_is_no_exposure_of_the_fund(market):
    dispute = market.open(market.order(delivered=False), "in_transit_overdue", "40.00")
    market.accept(d.Reject(dispute=dispute, reason="proof"), SELLER)
    market.accept(d.Escalate(dispute=dispute), BUYER)
    market.rule(dispute, payer="platform")
    market.rule(market.open(market.order("second"), "damaged", "30.00"))
    market.work()
    market.worker.assess(Done())
    assert market.database.store(0, "oak").standing.exposure == eur("30.00")


def test_what_a_deposit_pays_is_no_exposure_of_the_fund(tmp_path):
    market = Market(tmp_path, programme=standard(mode="deposit"), fund="0")
    market.accept(PayDeposit(store="oak", minor=eur("100.00"), currency="EUR"), FINANCE)
    market.rule(market.open(market.order(), "damaged", "40.00"))
    market.work()
    market.worker.assess(Done())
    assert market.database.store(0, "oak").standing.exposure == 0
    market.check()


def test_what_the_marketplace_told_of_addresses_stays_with_what_is_found(market):
    told = p.Standing(at=T, shared=("address", "photo"))
    market.accept(p.AssessStore(store="oak", standing=told), PLATFORM)
    assert market.database.store(0, "oak").watch.why == "shared"
    assert market.worker.assess(Done()) == 1
    assert market.database.store(0, "oak").standing.shared == ("address",)


def test_a_provider_that_is_still_thinking_is_asked_again(market):
    dispute = market.open(market.order(amount="40.00"), "damaged", "40.00")
    pay = market.provider.pay
    market.provider.pay = lambda *asked: Reply("pending")
    market.rule(dispute)
    market.work()
    assert market.dispute(dispute).refunds[-1].shares[0].state == "unknown"
    market.provider.pay = pay
    market.go(T + DAY / 12)
    assert market.dispute(dispute).outcome == "refunded"
