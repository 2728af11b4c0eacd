"""The console's pages over HTTP: what each says, who may see it, what is refused and how kindly."""

import re
from datetime import timedelta

import pytest

from given import AGENT, BUYER, DAY, PLATFORM, SELLER, T, eur, opening
from houbao.core import disputes as d
from houbao.core.chargebacks import Chargeback
from houbao.demo.signins import open_doors, told
from houbao.web.console.deeds import tracking_of
from houbao.web.console.frame import own_path
from houbao.web.console.previewed import mark
from houbao.web.console.views import books
from web.desk import get as desk_get
from web.shopfront import furnish

PAGE = {"Accept": "text/html"}


@pytest.fixture
def shown(served):
    """The market with something on every page."""
    return furnish(served.market)


def get(served, path: str, role: str = "seller", **headers: str):
    return served.client.get(path, headers=served.headers(role) | PAGE | headers, follow_redirects=False)


def post(served, path: str, form: dict[str, str], role: str = "seller", **headers: str):
    """A form as a browser sends it, with the token of its session and the mark of its preview."""
    who = served.headers(role)
    token = who.pop("X-CSRF-Token")
    return served.client.post(
        path,
        data={"csrf_token": token, "previewed": mark(path, form)} | form,
        headers=who | PAGE | headers,
        follow_redirects=False,
    )


def seen(served, number: int) -> str:
    """What a form says of how much its reader had read."""
    return str(served.market.dispute(number).history[-1])


def dispute(number: int) -> str:
    return f"/disputes/dispute_0_{number}"


# --- the first screen ----------------------------------------------------------------------------------------------


def test_a_sellers_home_says_what_needs_them_what_it_costs_and_by_when(served, shown):
    said = get(served, "/inbox").text
    assert "<b>3 disputes need you.</b>" in said
    assert "<b>€85.00</b> goes to buyers from your balance, the first of it Mon 13 Jul, 12:00" in said
    assert said.index("Not received, overdue") < said.index("Poor quality") < said.index("Changed mind")
    assert "€80.00, already put aside, is refunded" in said


def test_what_the_guarantee_handles_never_stands_among_what_needs_the_seller(served, shown):
    needs, handled = get(served, "/inbox").text.split("Handled for you</h2>")
    assert "Not as pictured" not in needs.split("Needs you</h2>")[1]
    assert "Not as pictured" in handled


def test_a_seller_whom_nothing_needs_is_told_so(served):
    said = get(served, "/inbox").text
    assert "<b>Nothing needs you.</b> No deadline of yours is running." in said


def test_everybody_begins_at_their_own_home(served):
    assert get(served, "/", "seller").headers["location"] == "/inbox"
    assert get(served, "/", "buyer").headers["location"] == "/orders"
    assert get(served, "/", "nobody").headers["location"].startswith("/sign-in")


# --- a dispute -----------------------------------------------------------------------------------------------------


def test_a_disputes_page_says_by_when_and_what_follows_with_its_amount(served, shown):
    said = get(served, dispute(shown["late"])).text
    assert "Not received, overdue: the buyer asks €25.00" in said
    assert "Answer by <b>Mon 13 Jul, 12:00</b>" in said
    assert "<b>€25.00 is refunded from your balance</b>" in said
    assert "€1,035.00 → €1,010.00" in said, "what accepting costs stands there before anything is sent"
    assert "It is at a hub, I expect it this week." in said


def test_one_timeline_holds_events_words_money_and_mails_the_latest_first(served, shown):
    story = get(served, dispute(shown["refunded"])).text.split('id="story"')[1]
    order = [
        "€40.00 paid to the buyer",
        "Refund of €40.00 approved",
        "Ruled: justified",
        "Mail: handled for you",
        "Dispute opened",
    ]
    assert sorted(order, key=story.index) == order
    assert "Two bowls cracked, box dented." in story


def test_a_buyer_reads_neither_who_pays_nor_whether_it_counts(served, shown):
    said = get(served, dispute(shown["refunded"]), "buyer").text
    assert "Refund of €40.00 approved" in said
    assert "Who pays" not in said
    assert "Counted" not in said


def test_every_deed_that_is_allowed_has_its_form_and_no_other(served, shown):
    for role in ("seller", "buyer"):
        for name in ("late", "offered", "verifying", "handed", "return", "refunded", "withdrawn"):
            number = shown[name]
            may = served.get(f"/v1/disputes/dispute_0_{number}", role=role)["allowed_actions"]
            page = get(served, dispute(number), role).text
            offered = set(re.findall(rf'action="{dispute(number)}/(\w+)', page))
            assert offered == {one.replace("-", "_") for one in may}, (role, name)


def test_a_refund_that_waits_for_the_fund_is_promised_for_no_day(served):
    market = served.market
    number = market.open(market.order(amount="9000.00"), "damaged", "9000.00")
    market.rule(number)
    assert market.dispute(number).phase == "awaiting_funds"
    buyer = get(served, dispute(number), "buyer").text
    assert "if that is not enough, you wait on" in buyer
    assert "we write to you each day" in buyer
    assert "on Sat 11 Jul, 12:00: money is added, up to a limit" in get(served, "/disputes", "buyer").text
    for role, path in (("buyer", dispute(number)), ("seller", dispute(number)), ("seller", "/inbox")):
        said = get(served, path, role).text
        assert "Money is there by" not in said
        assert "so that you can be paid" not in said
    assert "short of that, it waits on" in get(served, dispute(number)).text


# --- before and after sending --------------------------------------------------------------------------------------


def test_what_a_preview_says_is_what_then_happens(served, shown):
    number = shown["late"]
    form = {"seen": seen(served, number)}
    said = post(served, f"{dispute(number)}/accept/preview", form).text
    assert "€1,035.00 → €1,010.00" in said
    assert "Refund €25.00 from my balance" in said
    assert "until the refund is through, then" in said
    assert served.market.dispute(number).phase == "awaiting_seller"
    answer = post(served, f"{dispute(number)}/accept", form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{dispute(number)}?done=accept")
    assert served.market.dispute(number).phase == "refunding"
    assert "Done." in get(served, answer.headers["location"]).text
    assert "€1,010.00 free" in get(served, "/inbox").text


def test_an_answer_says_before_it_is_sent_what_it_may_cost_later(served, shown):
    number = shown["late"]
    form = {"seen": seen(served, number), "remedy": "refund", "amount": "15.00"}
    said = post(served, f"{dispute(number)}/offer/preview", form).text
    accepted = said.split("If the buyer accepts, or is silent</dt>")[1]
    assert accepted.startswith("<dd>€1,035.00 → €1,020.00, and it counts as not received</dd>")
    worst = said.split("If the platform decides for the buyer</dt>")[1]
    assert worst.startswith("<dd>up to €25.00: €1,035.00 → €1,010.00, and it counts as not received</dd>")
    form = {"seen": seen(served, number), "reason": "proof_of_delivery", "note": "Signed for on Monday."}
    said = post(served, f"{dispute(number)}/reject/preview", form).text
    assert "<dd>up to €25.00: €1,035.00 → €1,010.00" in said
    assert "If the buyer accepts" not in said


def test_nothing_is_rejected_without_a_reason_that_was_chosen_and_a_word(served, shown):
    number = shown["late"]
    form = re.findall(rf'action="{dispute(number)}/reject.*?</form>', get(served, dispute(number)).text, re.S)[0]
    assert "checked" not in form
    answer = post(served, f"{dispute(number)}/reject", {"seen": seen(served, number), "reason": "other", "note": " "})
    assert answer.status_code == 422
    assert "Say in a sentence why you reject it" in answer.text
    assert served.market.dispute(number).phase == "awaiting_seller"


@pytest.mark.parametrize("role", ["buyer", "seller"])
def test_words_alone_and_words_to_photos_are_told_apart(served, shown, role):
    page = get(served, dispute(shown["verifying"]), role).text
    said = page.split('<section aria-labelledby="say">')[1].split("</section>")[0]
    labels = re.findall(r'<label for="([\w-]+)">([^<\n]+)', said)
    assert dict(labels) == {
        "messages-message": "Message",
        "evidence-photos": "Photos",
        "evidence-note": "What the photos show",
    }
    assert "Words alone: the other side and the platform read them." in said


def test_a_withdrawn_dispute_still_shows_what_was_offered(served, shown):
    number = shown["offered"]
    served.market.accept(d.Counter(dispute=number, amount=eur("30.00")), BUYER)
    served.market.accept(d.Withdraw(dispute=number), BUYER)
    said = get(served, dispute(number), "buyer").text
    assert "You withdrew it." in said
    assert "No answer yet" not in said
    assert "€20.00</p><p>Not accepted." in said


def test_a_withdrawal_says_what_may_come_after_it_and_of_no_deal_that_nobody_made(served, shown):
    number = shown["verifying"]
    before = post(served, f"{dispute(number)}/withdraw/preview", {"seen": seen(served, number)}, "buyer").text
    assert "you can take this one up again, once, or open another one on the same items" in before
    assert "agreed" not in before
    served.market.accept(d.Withdraw(dispute=number), BUYER)
    assert "agreed" not in get(served, dispute(number), "buyer").text
    order = served.market.dispute(number).order
    ask = opening(order, "not_as_pictured", "60.00")
    assert served.market.explain(ask).rule.route == "verify", "another one may be opened"
    served.market.accept(d.Reopen(dispute=number), BUYER)
    again = post(served, f"{dispute(number)}/withdraw/preview", {"seen": seen(served, number)}, "buyer").text
    assert "This one cannot be taken up again a second time. You can open another one" in again


def test_a_counter_says_before_it_is_sent_that_the_offer_and_the_way_to_the_platform_go(served, shown):
    number = shown["offered"]
    form = {"seen": seen(served, number), "amount": "30.00"}
    said = post(served, f"{dispute(number)}/counter/preview", form, "buyer").text
    assert "<dt>You give up</dt><dd>the seller’s offer of €20.00: it stands no longer</dd>" in said
    assert "You can ask it to decide again when the seller has answered." in said
    assert "it decides by itself from" in said


def test_a_preview_for_htmx_is_a_piece_of_the_page(served, shown):
    number = shown["late"]
    form = {"seen": seen(served, number), "remedy": "refund", "amount": "15,00"}
    said = post(served, f"{dispute(number)}/offer/preview", form, **{"HX-Request": "true"}).text
    assert "<html" not in said
    assert "Offer €15.00" in said
    assert "your offer of €15.00 is carried out" in said


def test_a_form_that_is_sent_twice_happens_once(served, shown):
    number = shown["late"]
    before = len(served.market.dispute(number).history)
    for _ in range(2):
        answer = post(served, f"{dispute(number)}/messages", {"message": "Hello", "key": "once"})
        assert answer.status_code == 303
    assert len(served.market.dispute(number).history) == before + 1


def test_what_was_decided_on_an_old_page_is_refused_kindly(served, shown):
    number = shown["late"]
    old = seen(served, number)
    served.market.accept(d.ChangeClaim(dispute=number, amount=eur("28.00")), BUYER)
    answer = post(served, f"{dispute(number)}/accept", {"seen": old})
    assert answer.status_code == 412
    assert "Something happened here while you were reading." in answer.text
    assert "the buyer asks €28.00" in answer.text
    assert served.market.dispute(number).phase == "awaiting_seller"


def test_an_answer_that_came_too_late_is_told_what_happened_instead(served, shown):
    number = shown["late"]
    form = {"seen": seen(served, number), "reason": "proof_of_delivery", "note": "Signed for on Monday."}
    served.market.now += 6 * DAY
    answer = post(served, f"{dispute(number)}/reject", form)
    assert answer.status_code in (409, 412)
    assert "Your answer came too late." in answer.text or "Something happened here" in answer.text


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("99.00", "That is more than the buyer asks for."),
        ("25.00", "That is what the buyer asks for."),
        ("1,204", "That is not an amount."),
        ("much", "That is not an amount."),
    ],
)
def test_an_amount_that_cannot_be_is_shown_again_beside_its_field(served, shown, typed, title):
    number = shown["late"]
    form = {"seen": seen(served, number), "remedy": "refund", "amount": typed, "note": "Kept words"}
    answer = post(served, f"{dispute(number)}/offer/preview", form)
    assert answer.status_code >= 400
    assert answer.text.count(title) == 2, "at the top, and beside the field"
    assert 'aria-invalid="true"' in answer.text
    assert f'value="{typed}"' in answer.text
    assert "Kept words" in answer.text


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("99.00", "The buyer asks for €25.00, and you typed €99.00."),
        ("€ 99", "The buyer asks for €25.00, and you typed €99.00."),
        ("25 EUR", "The buyer asks for €25.00: accept it."),
        ("0", "0 is not above zero."),
        ("", "Write an amount, like 25.00."),
    ],
)
def test_a_refused_amount_is_told_as_money_never_as_cents(served, shown, typed, says):
    number = shown["late"]
    form = {"seen": seen(served, number), "remedy": "refund", "amount": typed}
    for headers in ({}, {"HX-Request": "true"}):
        said = post(served, f"{dispute(number)}/offer/preview", form, **headers).text
        assert says in said
        assert not re.search(r"\b(2500|9900)\b", said)


@pytest.mark.parametrize("typed", ["20.00", "10"])
def test_a_counter_for_no_more_than_is_offered_is_led_to_the_offer(served, shown, typed):
    number = shown["offered"]
    form = {"seen": seen(served, number), "amount": typed, "note": "Kept words"}
    says = f"The seller offers €20.00, and you typed €{float(typed):.2f}: accept the offer, or ask for more."
    for headers in ({}, {"HX-Request": "true"}):
        answer = post(served, f"{dispute(number)}/counter/preview", form, "buyer", **headers)
        assert answer.status_code == 422
        assert "That is no more than the seller offers." in answer.text
        assert says in answer.text
    whole = post(served, f"{dispute(number)}/counter/preview", form, "buyer").text
    assert 'aria-invalid="true"' in whole
    assert "Kept words" in whole
    assert "Accept the offer" in whole


def test_goodwill_above_what_is_left_or_there_is_refused_in_money(served, shown):
    path = f"/orders/order_0_{shown['fine order']}/goodwill"
    said = post(served, f"{path}/preview", {"amount": "61.00"}).text
    assert "€60.00 can still be refunded, and you typed €61.00." in said
    assert "6100" not in post(served, path, {"amount": "61.00"}).text


# --- opening -------------------------------------------------------------------------------------------------------


def test_a_buyer_is_told_what_will_happen_and_never_a_limit_that_could_be_gamed(served, shown):
    path = f"/orders/order_0_{shown['fine order']}/dispute"
    said = post(served, f"{path}/preview", {"reason": "damaged", "amount": "12.00", "remedy": "refund"}, "buyer").text
    assert "This order is covered: the platform checks it and the guarantee pays." in said
    assert "You get €12.00, at once" in said
    assert "15.00" not in said


def test_a_claim_of_too_much_goes_back_to_its_step_with_everything_kept(served, shown):
    path = f"/orders/order_0_{shown['fine order']}/dispute"
    form = {"reason": "damaged", "amount": "61.00", "remedy": "refund", "statement": "All cracked."}
    answer = post(served, f"{path}/preview", form, "buyer")
    assert answer.status_code == 422
    assert "That is more than can be refunded." in answer.text
    assert 'value="61.00"' in answer.text
    assert "All cracked." in answer.text


def test_what_is_in_dispute_already_leads_to_its_dispute_and_not_into_a_refusal(served, shown):
    number = served.market.dispute(shown["offered"]).order
    said = get(served, f"/orders/order_0_{number}", "buyer").text
    assert "Go to the open dispute" in said
    assert "Something is wrong" not in said
    assert "Something is wrong" in get(served, f"/orders/order_0_{shown['fine order']}", "buyer").text


def test_a_reason_whose_time_is_not_now_cannot_be_chosen_and_says_when_it_can(served, shown):
    number = served.market.order(amount="40.00", delivered=False)
    first = get(served, f"/orders/order_0_{number}/dispute", "buyer").text
    snad = first.split("<fieldset")[1]
    assert snad.startswith(" disabled>")
    assert "The carrier has not reported the delivery yet" in snad
    assert "Tell your marketplace: it records the delivery" in snad
    assert f'href="/orders/order_0_{number}#words">write to the seller</a>' in snad
    assert 'id="words"' in get(served, f"/orders/order_0_{number}", "buyer").text
    fine = get(served, f"/orders/order_0_{shown['fine order']}/dispute", "buyer").text
    assert "The carrier has not reported" not in fine


def test_what_is_not_late_yet_says_when_it_would_be(served):
    number = served.market.order(amount="40.00", delivered=False, promised=T + 3 * DAY)
    inr = get(served, f"/orders/order_0_{number}/dispute", "buyer").text.split("<fieldset")[2]
    assert inr.startswith(" disabled>")
    assert "The delivery is promised by Sat 11 Jul, 12:00." in inr


def test_lines_that_go_different_ways_are_told_as_several_disputes(served):
    from houbao.core import orders as o

    lines = (
        o.NewLine(id="1", item=eur("20.00"), category="home"),
        o.NewLine(id="2", item=eur("20.00"), category="gift_cards"),
    )
    number = served.market.order(amount="40.00", lines=lines)
    path = f"/orders/order_0_{number}/dispute"
    form = {"reason": "defective", "amount": "40.00", "remedy": "refund", "lines": "1 2"}
    said = post(served, f"{path}/preview", form, "buyer").text
    assert "so this becomes 2 disputes." in said


# --- money and record ----------------------------------------------------------------------------------------------


def test_a_statement_shows_both_lines_of_what_the_guarantee_paid_and_sums_up(served, shown):
    said = get(served, "/records/EUR").text
    assert said.count('class="pair"') == 2
    assert "Opening 0.00 + in 1,160.00 − out 45.00 = 1,115.00." in said
    entry = re.findall(r'href="(/records/EUR/\d+-\d+)">Refund to the buyer', said)[-1]
    told = get(served, entry).text
    assert "−€40.00" in told
    assert "together they leave your balance as it was" in told
    partner = re.findall(r'href="(/records/EUR/\d+-\d+)">Show it', told)[0]
    assert "<h1>Guarantee</h1>" in get(served, partner).text
    day, line = re.findall(r'href="(/records/EUR\?[^"#]+)#(e\d+-\d+)"', told)[0]
    assert f'id="{line}"' in get(served, day.replace("&amp;", "&")).text


def test_what_is_put_aside_leads_to_the_disputes_that_it_is_for_and_sums_up(served, shown):
    inbox = get(served, "/inbox").text
    assert "€80.00 put aside" in inbox
    for page in (inbox, get(served, "/records").text, get(served, "/records/EUR").text):
        assert 'href="/records/EUR/held"' in page
    said = get(served, "/records/EUR/held").text
    main = said.split("<main")[1].split("</main>")[0]
    assert re.findall(r'href="(/disputes/\w+)"', main) == [dispute(shown["return"])]
    assert main.count("€80.00") >= 3, "at the top, in its line, and as the sum"
    assert f'href="/orders/order_0_{served.market.dispute(shown["return"]).order}"' in main


def test_a_long_statement_begins_with_the_latest_entries_and_goes_back_page_by_page(served, monkeypatch):
    monkeypatch.setattr(books, "PAGE", 5)
    served.market.sell(12)
    served.market.database.file(0, 1, 10_000)
    page, entries = get(served, "/records/EUR").text, []
    for place in (">Closing<", ">After this page<", ">After this page<"):
        assert place in page
        entries += re.findall(r'href="/records/EUR/(\d+-\d+)"', page)
        older = re.search(r'href="(/records/EUR\?[^"]+)" rel="next"', page)
        page = get(served, older[1].replace("&amp;", "&")).text if older else ""
    assert page == ""
    assert len(entries) == len(set(entries)) == 13
    assert entries == sorted(entries, key=lambda entry: int(entry.partition("-")[0]), reverse=True)


def test_a_score_names_the_disputes_that_cost_points_and_when_they_are_gone(served, shown):
    said = get(served, "/score").text
    assert "Disputes in today’s score" in said
    assert "or when it ends without fault" in said
    assert "One more dispute" in said


def test_every_figure_of_the_score_is_of_a_hundred_and_says_what_was_lost_of_what(served, shown):
    said = get(served, "/score").text
    parts, disputes = (said.split(f'id="{name}"')[1].split("</table>")[0] for name in ("parts", "why"))
    assert "orders disputed as not received" in parts
    points = [float(one) for one in re.findall(r"<b>([\d.]+)</b> / [\d.]+", parts)]
    wholes = [float(one) for one in re.findall(r"<b>[\d.]+</b> / ([\d.]+)", parts)]
    whole = float(re.findall(r'<p class="lede"><b>([\d.]+),', said)[0])
    assert sum(wholes) == pytest.approx(100, abs=0.05)
    assert sum(points) == pytest.approx(whole, abs=0.05)
    lost = [float(one) for one in re.findall(r"of 100\">−([\d.]+)<", disputes)]
    assert sum(lost) == pytest.approx(100 - whole, abs=0.05)


def test_a_store_leaves_and_joins_after_reading_what_that_does(served):
    assert "stay covered, with everything the guarantee does for them" in get(served, "/guarantee/leave").text
    assert post(served, "/guarantee/leave/send", {}).headers["location"] == "/guarantee?done=left"
    assert "You are not in" in get(served, "/guarantee").text
    served.market.now += timedelta(hours=1)
    assert post(served, "/guarantee/join/send", {}).headers["location"] == "/guarantee?done=joined"
    assert "You are in" in get(served, "/guarantee").text


def test_the_promise_is_the_policy_in_force(served):
    said = get(served, "/guarantee").text
    assert "You have 5 days to answer." in said
    assert "policy 2026.1" in said


def test_the_promise_is_told_in_chinese_to_the_last_sentence(served):
    cookies = f"{served.headers('seller')['Cookie']}; houbao_language=zh-Hans"
    said = served.client.get("/guarantee", headers={"Cookie": cookies} | PAGE).text
    assert "您须在 5 天内答复。" in said
    main = re.sub(r"<[^>]+>", " ", said.split("<main")[1].split("</main>")[0])
    assert re.findall(r"[A-Za-z]{4,} [a-z]{2,} [a-z]{2,}", main) == []


def test_a_seller_is_told_whether_the_guarantee_would_have_paid(served, shown):
    said = get(served, "/guarantee/advice").text
    assert "Would it have paid?" in said
    assert re.search(r"to tell: \d have ended in the last 90 days\.", said), "a handful of disputes says nothing"
    assert "Being inside saves" in said


def test_who_joins_or_leaves_sees_the_advice_beside_the_button(served):
    for wish, other in (("leave", "join"), ("join", "leave")):
        said = get(served, f"/guarantee/{wish}").text
        assert f'action="/guarantee/{wish}/send"' in said
        assert "Being inside saves" in said
        assert f'href="/guarantee/{wish}"' in get(served, f"/guarantee/{other}").text, (
            "what it cannot do, it offers not"
        )
        post(served, f"/guarantee/{wish}/send", {})
        served.market.now += timedelta(hours=1)


def test_the_api_advises_as_the_page_does(served, shown):
    told = served.get("/v1/stores/oak/advice", role="seller")
    page = get(served, "/guarantee/advice").text
    assert (told["verdict"], told["member"]) == ("too_few", True)
    assert f"to tell: {told['disputes']} have ended in the last 90 days." in page
    (balance,) = told["balances"]
    for name in ("outside", "inside", "premium"):
        assert f"€{balance[name]['minor'] // 100}.{balance[name]['minor'] % 100:02}" in page
    assert told["inside"]["weight"] <= told["outside"]["weight"]
    assert served.get("/v1/stores/oak/advice?days=1")["orders"] < told["orders"]


def test_goodwill_leaves_the_balance_and_counts_nowhere(served, shown):
    number = shown["fine order"]
    answer = post(served, f"/orders/order_0_{number}/goodwill", {"amount": "5.00"})
    assert answer.status_code == 303
    said = get(served, answer.headers["location"]).text
    assert "It is on its way to the buyer." in said


def test_goodwill_is_seen_before_it_is_sent_with_an_offer_that_would_be_paid_beside_it(served, shown):
    order = served.market.dispute(shown["offered"]).order
    said = post(served, f"/orders/order_0_{order}/goodwill/preview", {"amount": "5.00"}).text
    assert "<dd>€1,035.00 → €1,030.00</dd>" in said
    assert "Your offer of €20.00: it stands. If the buyer accepts, both are paid, €25.00 in all." in said
    assert "Send €5.00 to the buyer from my balance" in said
    page = get(served, f"/orders/order_0_{order}").text
    assert f'action="/orders/order_0_{order}/goodwill"' not in page, "nothing is sent from the page itself"
    assert "5.00 was sent" not in page
    answer = post(served, f"/orders/order_0_{order}/goodwill/preview", {"amount": "99.00"})
    assert answer.status_code == 422
    assert 'value="99.00"' in answer.text


def test_what_a_buyer_writes_on_an_order_reaches_the_sellers_eye_until_it_is_answered(served, shown):
    number = served.market.dispute(shown["late"]).order
    answer = post(served, f"/orders/order_0_{number}/messages", {"message": "Where is my parcel?"}, "buyer")
    assert "The seller finds it in their inbox." in get(served, answer.headers["location"], "buyer").text
    inbox = get(served, "/inbox").text
    assert "1 message on an order" in inbox
    assert "Where is my parcel?" in inbox
    assert "New message: buyer" in get(served, "/orders").text
    assert "New message" not in get(served, "/orders", "buyer").text
    for role, path in (("seller", dispute(shown["late"])), ("agent", f"/cases/dispute_0_{shown['late']}")):
        story = get(served, path, role).text.split('id="story"')[1]
        assert "Where is my parcel?" in story, role
    post(served, f"/orders/order_0_{number}/messages", {"message": "At a hub."})
    assert "message on an order" not in get(served, "/inbox").text
    assert "New message: seller" in get(served, "/orders", "buyer").text


# --- other people's things -----------------------------------------------------------------------------------------


def test_nobody_reads_another_stores_or_buyers_pages(served, shown):
    stranger = served.session("portal", "seller", "elm", "elm") | PAGE
    other = served.session("portal", "buyer", "bob") | PAGE
    for path in (dispute(shown["late"]), f"/orders/order_0_{shown['fine order']}"):
        for who in (stranger, other):
            answer = served.client.get(path, headers=who)
            assert answer.status_code == 404
            assert "There is no such" in answer.text
    entry = re.findall(r'href="(/records/EUR/\d+-\d+)"', get(served, "/records/EUR").text)[0]
    assert served.client.get(entry, headers=stranger).status_code in (403, 404)
    for path in ("/records", "/score", "/guarantee", "/inbox"):
        assert get(served, path, "buyer").status_code in (303, 403)


def test_a_form_without_its_token_is_refused_as_a_page(served, shown):
    who = served.headers("seller")
    who.pop("X-CSRF-Token")
    answer = served.client.post(f"{dispute(shown['late'])}/accept", data={}, headers=who | PAGE)
    assert answer.status_code == 403
    assert "This form is too old." in answer.text
    assert served.market.dispute(shown["late"]).phase == "awaiting_seller"


def test_what_somebody_wrote_is_never_markup(served, shown):
    served.market.accept(d.WriteMessage(dispute=shown["late"], message="<script>alert(1)</script>"), SELLER)
    said = get(served, dispute(shown["late"])).text
    assert "<script>alert" not in said
    assert "&lt;script&gt;alert" in said


# --- doors ---------------------------------------------------------------------------------------------------------


def test_somebody_signs_in_and_comes_to_the_page_they_wanted(served):
    served.add_user("mei", "seller", store="oak")
    form = served.client.get("/sign-in?next=/score", headers=PAGE)
    token = re.search(r'name="csrf_token" value="(\w+)"', form.text)
    assert token
    fields = {"csrf_token": token[1], "name": "mei", "password": "wrong password!", "code": "", "next": "/score"}
    wrong = served.client.post("/sign-in", data=fields, headers=PAGE, follow_redirects=False)
    assert wrong.status_code == 401
    assert 'value="mei"' in wrong.text
    right = served.client.post(
        "/sign-in", data=fields | {"password": "correct horse battery"}, headers=PAGE, follow_redirects=False
    )
    assert (right.status_code, right.headers["location"]) == (303, "/score")


def test_a_tracking_number_may_be_typed_as_it_stands_on_the_slip():
    assert tracking_of({"tracking": " RR 123 456 BR "}) == "RR123456BR"


def test_an_appeal_that_asks_for_more_than_is_left_says_so_before_it_is_sent(served):
    market = served.market
    order = market.order(amount="60.00")
    rejected = market.open(order, "damaged", "40.00")
    market.rule(rejected, "unjustified", "disclosed")
    form = {"about": "remedy", "note": "Look again.", "seen": seen(served, rejected)}
    path = f"{dispute(rejected)}/appeal/preview"
    alone = post(served, path, form, "buyer").text
    assert "€40.00 more" in alone
    assert "no ruling can give more" not in alone

    market.open(order, "changed_mind", "50.00")
    beside = post(served, path, form, "buyer").text
    assert "€40.00 more" in beside
    assert "€10.00: the rest of these items is refunded or put aside already" in beside


def test_a_demonstration_has_a_sign_in_for_each_role(served):
    signins, password = open_doors(served.market.database.path)
    assert [one.role for one in signins].count("agent") == 2, "an appeal is decided by another agent"
    assert {one.role for one in signins} == {"seller", "buyer", "agent", "finance", "admin"}
    for one in signins:
        served.client.cookies.clear()
        form = served.client.get("/sign-in", headers=PAGE)
        token = re.search(r'name="csrf_token" value="(\w+)"', form.text)
        assert token
        fields = {"csrf_token": token[1], "name": one.name, "password": password, "code": "", "next": "/"}
        answer = served.client.post("/sign-in", data=fields, headers=PAGE)
        assert answer.status_code == 200
        assert "Sign out" in answer.text, one.role
    assert password in "\n".join(told(signins, password, "http://127.0.0.1:8000"))


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_no_door_leads_out_of_the_house(served, to):
    assert get(served, f"/language/en?to={to}").headers["location"] == "/"
    assert 'name="next" value="/"' in get(served, f"/sign-in?next={to}", "nobody").text


@pytest.mark.parametrize("to", ["/", "/orders?a=b&c=//d", "/stores/a b", "/争议/x"])
def test_a_path_of_this_site_is_gone_back_to(to):
    assert own_path(to) == to


@pytest.mark.parametrize(
    "to", ["", "orders", "//evil.example", "\\/evil.example", "/\t/evil.example", "/\n/evil.example"]
)
def test_what_a_browser_may_take_for_another_site_is_not(to):
    assert own_path(to) == "/"


def test_a_language_and_an_appearance_that_were_chosen_stay(served):
    assert "houbao_language=zh-Hans" in get(served, "/language/zh-Hans?to=/inbox").headers["set-cookie"]
    who = served.headers("seller")
    cookies = f"{who['Cookie']}; houbao_language=zh-Hans; houbao_theme=dark"
    said = served.client.get("/inbox", headers={"Cookie": cookies} | PAGE).text
    assert '<html lang="zh-Hans" data-zone="UTC" data-theme="dark">' in said
    assert "没有需要您处理的事" in said


def test_a_page_that_is_not_there_says_what_is_possible(served):
    answer = get(served, "/nowhere")
    assert answer.status_code == 404
    assert "To my first page" in answer.text


# --- evidence that the platform asks for ---------------------------------------------------------------------------


def ask(served, number: int, party: str, note: str = "A photo of the parcel, please.") -> None:
    served.market.accept(d.RequestEvidence(dispute=number, party=party, note=note), AGENT)


def needed(served) -> str:
    return get(served, "/inbox").text.split('id="needs"')[1].split("</section>")[0]


def test_a_seller_who_is_asked_for_evidence_finds_it_among_what_needs_them(served):
    number = served.market.open(served.market.order(), "damaged", "40.00")
    assert "Nothing needs you." in get(served, "/inbox").text
    ask(served, number, "seller")
    assert "<b>1 dispute needs you.</b>" in get(served, "/inbox").text
    row = needed(served)
    assert "A photo of the parcel, please." in row
    assert "Fri 10 Jul" in row
    assert "nothing by itself: the platform decides on what it has" in row
    assert "Send evidence" in row
    page = get(served, dispute(number)).text
    assert "The platform asks you for evidence by <b>Fri 10 Jul" in page
    assert "Nothing for you to do" not in page
    top = page.split('id="wanted"')[1].split("</section>")[0]
    assert "A photo of the parcel, please." in top
    assert f'action="{dispute(number)}/evidence"' in top
    assert page.count(f'action="{dispute(number)}/evidence"') == 1


def test_once_evidence_was_sent_nobody_is_asked_for_it_any_more(served):
    market = served.market
    number = market.open(market.order(), "damaged", "40.00")
    ask(served, number, "seller")
    market.accept(d.AddEvidence(dispute=number, evidence=("a" * 64,)), SELLER)
    assert "Nothing needs you." in needed(served)
    page = get(served, dispute(number)).text
    assert "You sent evidence" in page
    assert "the platform looks at it" in page
    assert 'id="wanted"' not in page
    desk = desk_get(served, f"/cases/dispute_0_{number}").text
    assert "The evidence asked of the seller came" in desk
    assert "it may come until" not in desk


def test_what_one_side_sends_leaves_the_other_side_asked(served):
    market = served.market
    number = market.open(market.order(), "damaged", "40.00")
    ask(served, number, "seller")
    ask(served, number, "buyer", "Where is the crack?")
    market.accept(d.AddEvidence(dispute=number, evidence=("a" * 64,)), SELLER)
    assert "Nothing needs you." in needed(served)
    for path in ("/orders", "/disputes", dispute(number), f"/orders/order_0_{market.dispute(number).order}"):
        assert "Waits for your evidence" in get(served, path, "buyer").text, path
    top = get(served, dispute(number), "buyer").text.split('id="wanted"')[1].split("</section>")[0]
    assert "Where is the crack?" in top
    desk = desk_get(served, f"/cases/dispute_0_{number}").text
    assert "Evidence was asked of the buyer: it may come until Fri 10 Jul" in desk
    assert "The evidence asked of the seller came" in desk


def test_when_the_time_for_evidence_is_over_nothing_needs_the_seller(served):
    market = served.market
    number = market.open(market.order(), "damaged", "40.00")
    ask(served, number, "seller")
    market.go(market.now + 3 * DAY)
    assert "Nothing needs you." in needed(served)
    assert 'id="wanted"' not in get(served, dispute(number)).text


# --- what a bank took back -----------------------------------------------------------------------------------------


def test_what_a_bank_took_back_is_refunded_by_no_page(served):
    market = served.market
    market.sell(4)
    order = market.order(amount="120.00", delivered=False)
    number = market.open(order, "in_transit_overdue", "120.00")
    bank = Chargeback(order=order, payment="card", reference="cb-1", minor=eur("100.00"), state="lost")
    market.accept(bank, PLATFORM)
    page = get(served, dispute(number)).text
    assert re.search(r"Still refundable</dt><dd>€20.00", page)
    assert re.search(r"Taken back by the bank</dt><dd>€100.00", page)
    assert re.search(r"Refunded or approved</dt><dd>€0.00", page)
    path = f"/orders/order_0_{order}"
    said = get(served, path).text
    assert "Up to €20.00" in said
    assert "The buyer’s bank took <b>€100.00</b> back." in said
    assert re.search(r"Still refundable</dt><dd>€20.00", said)
    refused = post(served, f"{path}/goodwill/preview", {"amount": "20.01"}).text
    assert "€20.00 can still be refunded, and you typed €20.01" in refused
    assert "That is more than can be refunded" not in post(served, f"{path}/goodwill/preview", {"amount": "20.00"}).text
    desk = desk_get(served, f"/cases/dispute_0_{number}").text
    assert re.search(r"Still refundable</dt><dd>€20.00", desk)


def test_what_a_bank_asks_back_is_not_refunded_while_it_decides(served):
    market = served.market
    order = market.order(amount="120.00")
    market.accept(
        Chargeback(order=order, payment="card", reference="cb-1", minor=eur("120.00"), state="opened"), PLATFORM
    )
    assert "asks for <b>€120.00</b> back" in get(served, f"/orders/order_0_{order}").text
    assert 'id="goodwill"' not in get(served, f"/orders/order_0_{order}").text
    market.accept(Chargeback(order=order, payment="card", reference="cb-1", minor=eur("120.00"), state="won"), PLATFORM)
    assert "Up to €120.00" in get(served, f"/orders/order_0_{order}").text


def test_the_score_says_what_a_bank_took_over_a_dispute_and_of_which_order(served):
    market = served.market
    market.sell(4)
    order = market.order(amount="120.00", delivered=False, reference="shop-77")
    market.open(order, "in_transit_overdue", "120.00")
    bank = Chargeback(order=order, payment="card", reference="cb-1", minor=eur("120.00"), state="lost")
    market.accept(bank, PLATFORM)
    why = get(served, "/score").text.split('id="why"')[1].split("</section>")[0]
    assert "€120.00<small>taken back by the bank</small>" in why
    assert f'<a href="/orders/order_0_{order}">Order shop-77</a>' in why


# --- what was decided ----------------------------------------------------------------------------------------------


def test_what_was_decided_against_a_seller_stands_in_their_inbox_for_some_days(served):
    market = served.market
    market.sell(4)
    number = market.open(market.order(delivered=False), "in_transit_overdue", "40.00")
    market.accept(d.Reject(dispute=number, reason="other", note="It is on its way."), SELLER)
    market.accept(d.Escalate(dispute=number), BUYER)
    assert "Decided lately" not in get(served, "/inbox").text
    market.rule(number, amount=eur("30.00"))
    market.work()
    assert market.dispute(number).phase == "closed"
    part = get(served, "/inbox").text.split('id="decided"')[1].split("</section>")[0]
    assert f'href="{dispute(number)}"' in part
    assert "the platform decided" in part
    assert "€30.00" in part
    assert "Counted as not received" in part
    market.go(market.now + 15 * DAY)
    assert "Decided lately" not in get(served, "/inbox").text


def test_what_was_agreed_or_decided_for_the_seller_does_not(served):
    market = served.market
    market.sell(4)
    agreed, won = (market.open(market.order(delivered=False), "in_transit_overdue", "40.00") for _ in range(2))
    market.accept(d.Accept(dispute=agreed), SELLER)
    market.accept(d.Reject(dispute=won, reason="other", note="It is on its way."), SELLER)
    market.accept(d.Escalate(dispute=won), BUYER)
    market.rule(won, "unjustified")
    market.work()
    assert {market.dispute(number).phase for number in (agreed, won)} == {"closed"}
    assert "Decided lately" not in get(served, "/inbox").text


def test_before_rejecting_a_seller_reads_that_their_offer_is_gone_and_that_a_proof_is_missing(served, shown):
    number = shown["late"]
    path = f"{dispute(number)}/reject/preview"
    form = {"seen": seen(served, number), "reason": "proof_of_delivery", "note": "It was handed over."}
    said = post(served, path, form).text
    assert "€10.00: it stands no longer since the buyer went on" in said
    assert "no proof of delivery is attached yet" in said
    assert "Reject the claim</button>" in said
    assert "is attached yet" not in post(served, path, form | {"reason": "other"}).text
    served.market.accept(d.AddEvidence(dispute=number, evidence=("a" * 64,)), SELLER)
    assert "is attached yet" not in post(served, path, form | {"seen": seen(served, number)}).text
