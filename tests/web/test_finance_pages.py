"""The pages of finance: the fund now and over time, refunds without an answer, debts, policies and their changes."""

from datetime import date, timedelta

import pytest

from given import DAY, PLATFORM, T, eur
from houbao.core import disputes as d
from houbao.core import programme as p
from houbao.core.disputes import due_at
from houbao.core.outages import EnterOutage
from houbao.core.terms import Actor, Refused
from houbao.shipped import policy_text
from houbao.store import desk_money
from houbao.store.desk_money import Flow
from houbao.web.console.deeds import minor_of
from houbao.web.console.fund_chart import step_for
from houbao.web.console.handlers.policies import compared
from houbao.web.console.views.fund import days_of, pace_of, served_by, weeks_of
from web.desk import case, get, post, seen
from web.deskfront import furnish_desks


@pytest.fixture
def shown(served):
    return furnish_desks(served.market)


def told(served, path: str, who: str = "finance") -> str:
    answer = get(served, path, who)
    assert answer.status_code == 200, answer.text
    return answer.text


# --- the fund ------------------------------------------------------------------------------------------------------


def test_the_first_screen_says_how_much_is_missing_by_when_and_what_follows(served, shown):
    said = told(served, "/fund")
    assert "<b>The fund is short by €1,120.00.</b>" in said
    assert "1 approved refund waits for money" in said
    assert "Top up by <b>Sat 11 Jul, 12:00</b>" in said
    assert "the treasury adds €1,120.00</b>, and the first one goes out" in said
    assert said.count(f'href="{case(shown["waiting"])}"') == 1


def test_a_fund_that_nobody_waits_for_says_so(served):
    assert "<b>€1,000.00 is free</b>, and no refund waits for money." in told(served, "/fund")


def test_a_top_up_is_seen_before_it_is_booked_and_pays_who_waits(served, shown):
    form = {"currency": "EUR", "amount": "2000.00"}
    said = post(served, "/fund/top-ups/preview", form, "finance").text
    assert "1 refund that waits goes out" in said
    assert "€880.00 → €880.00" in said
    assert "Book the top-up of €2,000.00" in said
    assert served.market.balance("fund:available") == "880.00"
    answer = post(served, "/fund/top-ups", form | {"key": "slip-1"}, "finance")
    done = answer.headers["location"]
    assert done.startswith("/fund?currency=EUR&done=top-ups&at=")
    for _ in range(2):  # as soon as it is booked, and when the worker has come round
        said = told(served, done)
        assert "€2,000.00 is in the fund. 1 refund that waited goes out (€2,000.00)." in said
        served.market.work()
    post(served, "/fund/top-ups", form | {"key": "slip-1"}, "finance")
    served.market.work()
    assert served.market.balance("fund:available") == "880.00"
    assert served.market.dispute(shown["waiting"]).outcome == "refunded"


def test_right_after_a_top_up_the_page_says_one_thing_and_the_same_when_the_worker_has_come_round(served, shown):
    form = {"currency": "EUR", "amount": "2000.00"}
    done = post(served, "/fund/top-ups", form, "finance").headers["location"]
    figures = []
    for _ in range(2):
        said = told(served, done)
        assert "<b>€880.00 is free</b>" in said
        assert "The fund is short" not in said
        assert "the treasury adds" not in said
        figures.append(said[said.index('<dl class="figures">') : said.index("<dt>Time to refund")])
        served.market.work()
    assert figures[0].replace("€2,075.00", "€75.00") == figures[1], "but that it is paid by then"
    assert "<dd>€0.00</dd><dd>0 refunds</dd>" in figures[0], "nobody waits any more"


def test_until_the_worker_comes_round_the_line_says_who_has_the_money(served, shown):
    done = post(served, "/fund/top-ups", {"currency": "EUR", "amount": "2000.00"}, "finance").headers["location"]
    said = told(served, done)
    assert "1 refund has its money and goes out with the worker’s next round: €2,000.00." in said
    assert "and no other refund waits for money." in said
    assert "not needed: it goes out now" in said
    served.market.work()
    assert "goes out with the worker" not in told(served, done)


def test_too_small_a_top_up_says_who_goes_on_waiting(served, shown):
    said = post(served, "/fund/top-ups/preview", {"currency": "EUR", "amount": "100.00"}, "finance").text
    assert "Still waiting" in said
    assert "€880.00 → €980.00" in said
    done = post(served, "/fund/top-ups", {"currency": "EUR", "amount": "100.00"}, "finance").headers["location"]
    served.market.work()
    said = told(served, done)
    assert "No refund goes out: the first that waits still lacks €1,020.00." in said
    assert "nothing to spare" in said
    assert "is free lasts" not in said


def test_a_treasury_whose_limit_is_too_low_is_said_to_be_so_in_money(served):
    market = served.market
    number = market.open(market.order(amount="15000.00"), "damaged", "15000.00")
    market.rule(number)
    said = told(served, "/fund")
    assert "the treasury adds €10,000.00</b>, all that is left of its limit" in said
    assert "still lacks €4,000.00 and keeps waiting" in said
    market.go(market.now + 3 * DAY)
    market.work()
    assert market.balance("fund:available") == "11000.00", "as the page said"
    assert market.dispute(number).phase == "awaiting_funds"
    assert "<b>the treasury adds nothing</b>" in told(served, "/fund")


def test_what_is_given_a_day_is_less_what_came_back():
    moved = [
        Flow(date(2026, 7, 9), "reserve", 0, 3600),
        Flow(date(2026, 7, 9), "capital", 9000, 0),
        Flow(date(2026, 7, 10), "release", 1200, 0),
        Flow(date(2026, 6, 26), "reserve", 0, 70_000),
    ]
    assert pace_of(moved, date(2026, 7, 10)) == 2400 // 14


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"currency": "EUR", "amount": "much"}, "That is not an amount."),
        ({"currency": "EUR", "amount": "0"}, "That is not an amount."),
        ({"currency": "XXX", "amount": "10.00"}, "bad_currency"),
    ],
)
def test_what_cannot_be_booked_is_refused_on_the_page(served, form, said):
    answer = post(served, "/fund/top-ups", form, "finance")
    assert answer.status_code >= 400
    assert said in answer.text
    assert served.market.balance("fund:available") == "1000.00"


@pytest.mark.parametrize("typed", ["1000.50", "1000,50", "1.000,50", "1,000.50", "1 000,50"])
def test_an_amount_is_read_as_its_writer_meant_it_and_shown_before_it_is_booked(served, typed):
    said = post(served, "/fund/top-ups/preview", {"currency": "EUR", "amount": typed}, "finance").text
    assert "Book the top-up of €1,000.50" in said


@pytest.mark.parametrize(
    ("typed", "like"),
    [
        *[(typed, "1500.00") for typed in ("1,204", "1.204", "1.500", "1,000")],
        *[(typed, "1000.50") for typed in ("1.2,3.4", "1,00.50")],
    ],
)
def test_what_could_be_two_amounts_is_refused_with_how_to_write_it(served, typed, like):
    answer = post(served, "/fund/top-ups/preview", {"currency": "EUR", "amount": typed}, "finance")
    assert answer.status_code >= 400
    assert f"like {like}" in answer.text


def test_more_cash_than_the_ledger_knows_of_is_warned_of_before_it_is_booked(served):
    form = {"currency": "EUR", "amount": "1000.01", "provider": "sandbox"}
    said = post(served, "/fund/cash-moves/preview", form, "finance").text
    assert "<b>€0.01 of it the ledger does not know to be at the bank." in said
    assert '<button class="btn broad">Book the move' in said
    said = post(served, "/fund/cash-moves/preview", form | {"amount": "1000.00"}, "finance").text
    assert "does not know" not in said
    assert '<button class="btn go broad">Book the move' in said


def test_cash_goes_to_a_provider_that_there_is(served):
    form = {"currency": "EUR", "amount": "300.00", "provider": "sandbox"}
    said = post(served, "/fund/cash-moves/preview", form, "finance").text
    assert "<dt>At the bank</dt><dd>€1,000.00 → €700.00</dd>" in said
    assert "<dt>At sandbox</dt><dd>€200.00 → €500.00</dd>" in said
    assert post(served, "/fund/cash-moves", form, "finance").status_code == 303
    assert served.market.sum_of("provider:sandbox") == "-500.00", "200.00 came in by an order"
    assert "<dt>sandbox</dt><dd>500.00</dd>" in told(served, "/fund/sums")
    answer = post(served, "/fund/cash-moves", form | {"provider": "other"}, "finance")
    assert "There is no such provider." in answer.text


def test_who_waits_is_paid_in_order_and_nobody_is_passed_over():
    assert (served_by(100, [40, 50, 20, 5]).refunds, served_by(100, [40, 50, 20, 5]).free) == (2, 10)
    assert (served_by(10, [40, 5]).refunds, served_by(10, [40, 5]).free) == (0, 10)
    assert served_by(45, [40, 5]).free == 0


def test_what_was_free_on_each_day_follows_from_what_is_free_now(served):
    moved = [
        Flow(date(2026, 7, 8), "capital", 1000, 0),
        Flow(date(2026, 7, 9), "reserve", 0, 300),
        Flow(date(2026, 7, 10), "recovery", 50, 0),
    ]
    days = {one.day.day: one.free for one in days_of(moved, 750, date(2026, 7, 10)) if one.day.month == 7}
    assert [days[7], days[8], days[9], days[10]] == [0, 1000, 700, 750]
    (week,) = weeks_of(moved, days_of(moved, 750, date(2026, 7, 10)))
    assert (week.incoming, week.outgoing, week.free) == (1050, 300, 750)


def test_the_flows_of_the_fund_are_the_transfers_from_that_time_on(served):
    market, connection = served.market, served.market.database.connection
    market.go(T + 3 * DAY)
    market.top_up("70.00")
    since = desk_money.flows(connection, 0, "fund:available", "EUR", T + DAY)
    assert since == [Flow(date(2026, 7, 11), "capital", eur("70.00"), 0)]
    whole = desk_money.flows(connection, 0, "fund:available", "EUR", T - DAY)
    assert sum(one.incoming - one.outgoing for one in whole) == eur("1070.00")


@pytest.mark.parametrize(("most", "step"), [(0, 100), (400, 100), (501, 200), (1001, 500), (100_000, 20_000)])
def test_the_grid_has_at_most_five_lines_at_round_amounts(most, step):
    assert step_for(most, 100) == step


def test_every_movement_comes_page_after_page_and_the_sums_agree(served, shown, monkeypatch):
    monkeypatch.setattr("houbao.web.console.handlers.movements.PAGE", 3)
    rows, path = 0, "/fund/movements"
    while path:
        said = told(served, path)
        rows += said.count("<tr>") - 1
        more = said.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
        path = more if 'rel="next"' in said else ""
    (count,) = served.market.database.connection.execute(
        "SELECT count(*) FROM transfers WHERE source LIKE 'fund:%' OR target LIKE 'fund:%'"
    ).fetchone()
    assert rows == count > 3
    assert "Store elm, put aside for a refund" in told(served, "/fund/movements")
    assert "It adds up" in told(served, "/fund/sums")


# --- refunds -------------------------------------------------------------------------------------------------------


def test_refunds_without_an_answer_and_failed_ones_stand_apart(served, shown):
    unknown, failed = told(served, "/refunds").split('id="failed"')
    assert case(shown["unknown"]) in unknown
    assert case(shown["unknown"]) not in failed
    assert case(shown["stuck"]) in failed
    assert "<b>1 attempt</b> without an answer." in unknown
    assert "1 refund waits for money" in unknown


def test_after_an_outage_the_time_to_name_another_way_is_one_on_every_page(served, shown):
    market, number = served.market, shown["stuck"]
    before = market.dispute(number).refunds[0].shares[0].claim_by
    start = market.now + DAY
    market.accept(EnterOutage(start=start, end=start + timedelta(hours=150, minutes=7)), Actor("admin", "eve"))
    market.work()
    after = due_at(market.dispute(number))
    assert after > before
    minutes = [f"{one:%H:%M}" for one in (after, before)]
    page = told(served, case(number))
    row = page[page.index('id="refunds"') :]
    failed = told(served, "/refunds").split('id="failed"')[1]
    for said in (page[: page.index('id="refunds"')], row, failed):
        assert minutes[0] in said
    assert f"another way until {before:%a} {before.day} {before:%b}, {minutes[1]}" not in row
    assert f"{before.day} {before:%b}, {minutes[1]}" not in failed


def test_the_case_of_a_failed_refund_says_what_finance_may_do(served, shown):
    said = told(served, case(shown["stuck"]))
    assert "You need not wait: settle it by hand below, if it was paid another way or is given up." in said
    assert "Nothing for you to do." not in said
    assert "settle it by hand below" not in told(served, case(shown["stuck"]), "admin")


@pytest.mark.parametrize(
    ("known", "script", "answer", "phase"),
    [
        (True, [], "paid", "closed"),
        (True, ["look_down"], "unknown", "refunding"),
        (False, [], "not_found", "refunding"),
    ],
)
def test_a_look_up_books_what_is_certain_and_nothing_else(served, shown, known, script, answer, phase):
    number, provider = shown["unknown"], served.market.provider
    if not known:
        provider.paid.clear()
    provider.script = script
    attempt = served.market.dispute(number).refunds[0].shares[0].attempt
    calls = len(provider.calls)
    path = f"/refunds/dispute_0_{number}/attempt_0_{attempt}/look-up"
    done = post(served, path, {}, "finance").headers["location"]
    assert done == f"{case(number)}?done=look_up_{answer}"
    assert served.market.dispute(number).phase == phase
    assert provider.calls[calls:] == [("look_up", f"attempt_0_{attempt}")], "nothing is sent"
    assert "The provider" in told(served, done)


def test_what_was_answered_meanwhile_is_not_looked_up_again(served, shown):
    number = shown["unknown"]
    attempt = served.market.dispute(number).refunds[0].shares[0].attempt
    path = f"/refunds/dispute_0_{number}/attempt_0_{attempt}/look-up"
    post(served, path, {}, "finance")
    answer = post(served, path, {}, "finance")
    assert (answer.status_code, "no_refund" in answer.text) == (409, True)


def test_a_refund_that_nobody_pays_is_settled_by_a_person_who_saw_what_that_does(served, shown):
    number = shown["stuck"]
    assert "/resolve_refund/preview" in told(served, case(number))
    form = {"seen": seen(served, number), "how": "paid_elsewhere", "note": "Bank transfer of 10 July."}
    for path in ("resolve_refund/preview", "resolve_refund"):
        refused = post(served, f"{case(number)}/{path}", form | {"note": " "}, "finance")
        assert "Say where the proof is" in refused.text
    assert served.market.dispute(number).phase == "refunding"
    said = post(served, f"{case(number)}/resolve_refund/preview", form, "finance").text
    assert "€35.00, which was paid another way" in said
    assert "€35.00 is booked as paid from your bank to the buyer" in said
    given_up = post(served, f"{case(number)}/resolve_refund/preview", form | {"how": "abandon"}, "finance").text
    assert "€35.00 goes back to who pays: guarantee" in given_up
    assert "It is closed: refunded, decided under the guarantee." in said
    assert post(served, f"{case(number)}/resolve_refund", form, "finance").status_code == 303
    assert served.market.dispute(number).outcome == "refunded"
    assert "Bank transfer of 10 July." in told(served, case(number))


def test_what_may_still_have_been_paid_is_not_settled_by_hand(served, shown):
    number = shown["unknown"]
    form = {"seen": seen(served, number), "how": "abandon"}
    answer = post(served, f"{case(number)}/resolve_refund/preview", form, "finance")
    assert answer.status_code == 409
    assert "A refund is on its way: wait for the provider’s answer." in answer.text


def test_what_is_known_by_an_id_alone_is_found_by_it(served, shown):
    dispute = served.market.dispute(shown["stuck"])
    (refund,) = dispute.refunds
    sent = next(
        one
        for one in served.market.database.connection.execute(
            "SELECT position FROM events WHERE body->>'$.type'='refund_sent' AND body->>'$.dispute'=?", (dispute.id,)
        )
    )
    for text in (f"dispute_0_{dispute.id}", f"refund_0_{refund.id}", f"attempt_0_{sent[0]}"):
        found = get(served, f"/orders?reference={text}", "finance")
        assert found.headers["location"] == case(dispute.id), text
    assert get(served, f"/orders?reference=order_0_{dispute.order}", "finance").status_code == 303
    for text in ("refund_0_99999", "refund_9", "dispute_0_1", f"refund_1_{refund.id}"):
        assert "There is none with that number." in told(served, f"/orders?reference={text}"), text
    assert get(served, f"/orders?reference=dispute_0_{dispute.id}", "seller").status_code == 200, "of another store"


# --- debts ---------------------------------------------------------------------------------------------------------


def advanced(market) -> int:
    """A refund that store fir had nothing for: the platform advanced it."""
    market.accept(p.RegisterStore(store="fir", name="Fir"), PLATFORM)
    order = market.order(amount="40.00", commission="40.00", store="fir", delivered=False)
    number = market.open(order, "in_transit_overdue", "40.00")
    market.accept(d.Accept(dispute=number), Actor("seller", "fir"))
    market.work()
    return number


def test_a_debt_is_written_off_by_two_people_who_each_see_what_it_does(served):
    market = served.market
    number = advanced(market)
    path = f"{case(number)}/write_off"
    assert "€40.00" in told(served, "/debts")
    assert f'href="{case(number)}#refunds"' in told(served, "/debts/fir")
    assert "It is too early for that." in post(served, f"{path}/preview", {"seen": seen(served, number)}, "kim").text
    market.go(market.now + 91 * DAY)
    said = post(served, f"{path}/preview", {"seen": seen(served, number)}, "kim").text
    assert "Nothing moves until another person of finance signs it too." in said
    assert post(served, path, {"seen": seen(served, number)}, "kim").status_code == 303
    assert "Signed by kim, takes another" in told(served, "/debts/fir")
    again = post(served, path, {"seen": seen(served, number)}, "kim")
    assert "You signed or proposed it: it takes another person." in again.text
    assert post(served, path, {"seen": seen(served, number)}, "joy").status_code == 303
    assert "No store owes anything." in told(served, "/debts")


# --- policies ------------------------------------------------------------------------------------------------------


def test_a_policy_shows_its_promise_and_what_it_changed_in_the_one_before(served):
    changed = policy_text().replace('version = "2026.1"', 'version = "2026.2"', 1)
    assert changed != policy_text()
    served.site.publish("standard", changed, served.market.now + DAY, "finance:finance")
    listed = told(served, "/policies")
    assert listed.index("2026.1") < listed.index("2026.2")
    assert "Coming" in listed
    said = told(served, "/policies/2026.2")
    assert "<del>− version = &#34;2026.1&#34;</del><ins>+ version = &#34;2026.2&#34;</ins>" in said
    assert "You have 5 days to answer." in said
    assert get(served, "/policies/2030.1", "finance").status_code == 404


def test_a_comparison_keeps_three_lines_around_what_changed():
    old = "\n".join("abcdefgh")
    looks = [(one.look, one.text) for one in compared(old, old.replace("e", "E"))]
    assert looks == [
        ("hunk", "@@ -2,7 +2,7 @@"),
        *(("same", one) for one in "bcd"),
        ("del", "e"),
        ("ins", "E"),
        *(("same", one) for one in "fgh"),
    ]
    assert list(compared(old, old)) == []


# --- who may -------------------------------------------------------------------------------------------------------

PATHS = ("/fund", "/fund/movements", "/fund/movements.csv", "/fund/sums", "/refunds", "/debts", "/debts/oak")


@pytest.mark.parametrize("who", ["agent", "buyer", "seller", "nobody"])
def test_nobody_but_finance_and_admins_sees_the_fund(served, who):
    for path in PATHS:
        answer = get(served, path, who)
        assert answer.status_code == (303 if who == "nobody" else 403), path


def test_an_admin_sees_refunds_and_settles_none(served, shown):
    number = shown["unknown"]
    attempt = served.market.dispute(number).refunds[0].shares[0].attempt
    assert "/look-up" not in told(served, "/refunds", "admin")
    path = f"/refunds/dispute_0_{number}/attempt_0_{attempt}/look-up"
    assert post(served, path, {}, "admin").status_code == 403
    assert post(served, f"{case(shown['stuck'])}/resolve_refund", {}, "admin").status_code == 403
    assert post(served, f"{case(shown['stuck'])}/resolve_refund", {}, "agent").status_code == 404


def test_in_a_currency_without_cents_thousands_may_stand_apart():
    assert [minor_of({"amount": typed}, "JPY") for typed in ("12,345", "12.345", "12345")] == [12_345] * 3
    with pytest.raises(Refused, match="two amounts"):
        minor_of({"amount": "12,345"}, "EUR")
