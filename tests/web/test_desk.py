"""The pages of agents: their queues, a case with everything at one look, a ruling that is seen before it is sent."""

import re

import pytest
from msgspec import structs

from given import BUYER, DAY, SELLER, SENIOR
from houbao.core import disputes as d
from web.desk import case, get, post, seen
from web.deskfront import BOB, furnish_desks


@pytest.fixture
def shown(served):
    return furnish_desks(served.market)


def ruling(served, number: int, finding: str = "justified", **more: str) -> dict[str, str]:
    """What an agent fills in."""
    reasons = {"justified": "photos", "unjustified": "disclosed", "out_of_scope": "counterfeit"}
    return {"seen": seen(served, number), "finding": finding, "reason": reasons[finding]} | more


# --- queues --------------------------------------------------------------------------------------------------------


def test_each_queue_holds_its_own_the_first_due_first(served, shown):
    at = {name: get(served, f"/queue/{name}").text for name in ("verify", "judge", "appeals", "notices")}
    stands = {name: [one for one in shown if f'href="{case(shown[one])}"' in at[name]] for name in at}
    assert stands == {
        "verify": ["checked", "fraud"],
        "judge": ["judged"],
        "appeals": ["appealed"],
        "notices": ["noticed"],
    }
    assert at["verify"].index(case(shown["checked"])) < at["verify"].index(case(shown["fraud"]))
    assert "€60.00 is refunded by the guarantee" in at["verify"]
    assert "it stays as it was before the appeal" in at["appeals"]


def test_an_agent_begins_where_something_is_due_first_and_goes_on_with_the_next(served):
    market = served.market
    first = market.open(market.order(delivered=False), "in_transit_overdue", "40.00")
    market.accept(d.Reject(dispute=first, reason="not_our_fault"), SELLER)
    market.accept(d.Escalate(dispute=first), BUYER)
    market.now += DAY
    later = market.open(market.order(), "damaged", "40.00")
    assert get(served, "/").headers["location"] == "/queue/judge"
    tabs = get(served, "/queue/appeals").text.split('class="tabs"')[1].split("</nav>")[0]
    assert tabs.count(" · ") == 2
    post(served, f"{case(first)}/rule", ruling(served, first, "unjustified"))
    assert get(served, "/").headers["location"] == "/queue/verify"
    assert f'href="{case(later)}" data-key="j">Next case' in get(served, case(first)).text


def test_a_long_queue_comes_page_after_page_with_nothing_twice(served, monkeypatch):
    monkeypatch.setattr("houbao.web.console.views.desk.PAGE", 2)
    market = served.market
    cases = {market.open(market.order(amount="60.00"), "damaged", "60.00") for _ in range(5)}
    found: list[int] = []
    path = "/queue/verify"
    while path:
        said = get(served, path).text
        found += [int(number) for number in re.findall(r'href="/cases/dispute_0_(\d+)"', said)]
        more = re.search(r'href="([^"]+)" rel="next"', said)
        path = more[1] if more else ""
    assert sorted(found) == sorted(cases)


def test_the_next_case_is_claimed_and_another_agent_gets_the_one_behind(served, shown):
    first = post(served, "/queue/verify/next", {}).headers["location"]
    second = post(served, "/queue/verify/next", {}, "mia").headers["location"]
    third = post(served, "/queue/verify/next", {}, "joe").headers["location"]
    assert first == f"{case(shown['checked'])}?done=claim"
    assert second == f"{case(shown['fraud'])}?done=claim"
    assert third == "/queue/verify?done=nobody"
    assert "Claimed by you" in get(served, first).text
    assert "Claimed by lee" in get(served, "/queue/verify", "mia").text
    assert "Nothing is free here" in get(served, third, "joe").text


def test_an_appeal_is_never_handed_to_who_ruled_before(served, shown):
    assert post(served, "/queue/appeals/next", {}, "lee").headers["location"] == "/queue/appeals?done=nobody"
    assert "You ruled on it: another decides." in get(served, "/queue/appeals", "lee").text
    page = get(served, case(shown["appealed"])).text
    assert "You ruled on it: another decides." in page
    assert f"{case(shown['appealed'])}/claim" not in page
    assert f"{case(shown['appealed'])}/rule" not in page
    assert "You ruled on it before" in post(served, f"{case(shown['appealed'])}/claim", {}).text
    assert post(served, "/queue/appeals/next", {}, "mia").headers["location"].startswith(case(shown["appealed"]))


# --- the case ------------------------------------------------------------------------------------------------------


def test_a_case_shows_both_parties_words_beside_the_listing_as_it_was_at_order_time(served, shown):
    said = get(served, case(shown["checked"])).text
    beside = said.split('id="beside"')[1].split("</section>")[0]
    for words in (
        "The picture shows a pale green vase. Mine is grey-blue.",
        "abababababab",
        "Reactive glaze: the listing says so.",
        "cdcdcdcdcdcd",
        "Reactive glaze: from pale grey to green",
        "Hand-thrown, each one a little different.",
    ):
        assert words in beside


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (d.Reject(dispute=0, reason="proof_of_delivery"), "Claim rejected: proof of delivery"),
        (d.MakeOffer(dispute=0, amount=1000), "Offered: €10.00"),
    ],
)
def test_an_answer_without_a_word_is_no_silence(served, answer, told):
    market = served.market
    number = market.open(market.order(delivered=False), "in_transit_overdue", "40.00")
    market.accept(structs.replace(answer, dispute=number), SELLER)
    market.accept(d.Escalate(dispute=number), BUYER)
    beside = get(served, case(number)).text.split('id="beside"')[1].split("</section>")[0]
    assert told in beside
    assert "Asked the platform to decide" in beside
    assert "Has said nothing yet." not in beside
    assert beside.count("No words, no photos.") == 3


def test_the_findings_stand_side_by_side_with_everything_each_would_do(served, shown):
    rows = compared(get(served, case(shown["checked"])).text)
    assert rows["The buyer gets"] == ["€60.00", "nothing", "nothing yet"]
    assert rows["Paid by"] == ["guarantee", "nobody", "nobody"]
    assert rows["Record"] == [
        "Pending as not as described until the refund is through, then Counted as not as described",
        "Exempt: rejected",
        "Pending as not as described",
    ]
    assert rows["Mails to"] == ["buyer and seller, when the refund is through", "buyer and seller", "seller"]
    assert rows["Fund, free"] == ["€880.00; it waits as number 2 in line", "€880.00", "€880.00"]
    assert rows["Then"][1] == "It is closed: rejected, decided under the guarantee."
    assert rows["Then"][2].startswith("The official notice is accepted by Wed 15 Jul, 13:00; if not,")


def compared(page: str) -> dict[str, list[str]]:
    """Row → its cells, of the table of findings."""
    body = page.split('class="compare"')[1].split("</table>")[0]
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', body, re.DOTALL)
    return {
        name: [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", cells, re.DOTALL)]
        for name, cells in rows
    }


@pytest.mark.parametrize("name", ["checked", "judged", "appealed", "fraud", "noticed", "unknown", "waiting"])
def test_every_deed_of_an_agent_that_is_allowed_has_its_form_and_no_other(served, shown, name):
    number = shown[name]
    allowed = served.get(f"/v1/disputes/dispute_0_{number}", role="agent")["allowed_actions"]
    page = get(served, case(number), "mia").text
    offered = set(re.findall(rf'action="{case(number)}/(\w+)', page))
    assert offered == {one.replace("-", "_") for one in allowed} - {"evidence"}


def test_the_platforms_people_are_led_to_the_case_and_nobody_else_gets_there(served, shown):
    number = shown["checked"]
    assert get(served, f"/disputes/dispute_0_{number}", "agent").headers["location"] == case(number)
    for role in ("buyer", "seller"):
        for path in (case(number), "/queue/verify"):
            assert get(served, path, role).status_code == 403
    assert get(served, case(number), "admin").status_code == 200
    assert 'action="/cases' not in get(served, case(number), "admin").text


# --- ruling --------------------------------------------------------------------------------------------------------


def test_a_ruling_is_seen_before_it_is_sent_and_does_what_it_said(served, shown):
    number = shown["checked"]
    form = ruling(served, number, "unjustified", note="The listing says it.")
    said = post(served, f"{case(number)}/rule/preview", form).text
    assert "It is closed: rejected, decided under the guarantee." in said
    assert "Not justified: said in the listing" in said
    assert "Not justified: no refund" in said
    assert served.market.dispute(number).phase == "verifying"
    answer = post(served, f"{case(number)}/rule", form)
    assert answer.headers["location"] == f"{case(number)}?done=rule"
    assert served.market.dispute(number).outcome == "rejected"
    assert "The listing says it." in get(served, answer.headers["location"]).text


def test_three_decisions_each_by_itself_amount_payer_and_fault(served, shown):
    number = shown["judged"]
    form = ruling(served, number, amount="20,00", payer="platform", fault="exempt")
    said = post(served, f"{case(number)}/rule/preview", form, **{"HX-Request": "true"}).text
    assert "<html" not in said
    assert "Refund €20.00 to the buyer" in said
    assert "platform" in said
    post(served, f"{case(number)}/rule", form)
    served.market.work()
    ruled = served.market.dispute(number)
    assert (ruled.refunds[0].minor, ruled.refunds[0].payer, ruled.fault.state) == (2000, "platform", "exempt")


def test_a_fraud_holds_when_a_second_agent_signs_and_both_see_what_that_does(served, shown):
    number = shown["checked"]
    form = ruling(served, number, "unjustified", fraud="buyer")
    said = post(served, f"{case(number)}/rule/preview", form).text
    assert "Nothing moves until another agent signs it." in said
    assert "Propose: fraud of the buyer" in said
    post(served, f"{case(number)}/rule", form)
    assert served.market.dispute(number).phase == "verifying"
    assert "Another agent must sign it." in get(served, case(number)).text
    assert post(served, f"{case(number)}/sign", {"seen": seen(served, number)}).status_code == 409
    assert "waits for your signature" in get(served, case(number), "mia").text
    form = {"seen": seen(served, number)}
    assert "It is closed: rejected" in post(served, f"{case(number)}/sign/preview", form, "mia").text
    assert post(served, f"{case(number)}/sign", form, "mia").status_code == 303
    assert served.market.dispute(number).fraud == "buyer"


def test_an_appeal_is_ruled_on_in_the_one_thing_that_it_names(served, shown):
    number = shown["appealed"]
    page = get(served, case(number), "mia").text
    assert "The seller appeals about one thing: <b>whether it counts</b>." in page
    assert 'name="amount"' not in page
    assert compared(page)["Record"] == ["Exempt: appeal", "Counted as not as described"]
    form = ruling(served, number)
    assert "Grant the appeal" in post(served, f"{case(number)}/rule/preview", form, "mia").text
    post(served, f"{case(number)}/rule", form, "mia")
    assert served.market.dispute(number).fault.state == "exempt"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"amount": "61.00"}, "That is more than the buyer asks for."),
        ({"amount": "6o"}, "That is not an amount."),
        ({"reason": "disclosed"}, "Choose a reason that goes with the finding."),
        ({"reason": ""}, "Choose a reason that goes with the finding."),
        ({"reason": "other", "note": " "}, "There are no words yet."),
    ],
)
def test_what_cannot_be_ruled_is_shown_again_with_everything_kept(served, shown, changed, said):
    number = shown["checked"]
    form = ruling(served, number, note="Kept words") | changed
    answer = post(served, f"{case(number)}/rule/preview", form)
    assert answer.status_code >= 400
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert changed.get("note") or "Kept words" in answer.text


@pytest.mark.parametrize(
    ("which", "typed", "says"),
    [
        ("checked", "500", "The buyer asks for €60.00, and you typed €500.00."),
        ("judged", "1,000.50", "The buyer asks for €50.00, and you typed €1,000.50."),
        ("heard", "40", "The buyer asks for €30.00, and you typed €40.00."),
    ],
)
def test_a_ruling_that_gives_too_much_is_told_of_in_money_never_in_cents(served, shown, which, typed, says):
    number = half_granted(served) if which == "heard" else shown[which]
    form = ruling(served, number, reason="evidence", amount=typed)
    for headers in ({}, {"HX-Request": "true"}):
        said = post(served, f"{case(number)}/rule/preview", form, "mia", **headers).text
        assert says in said
        assert not re.search(r"\b(6000|3000|50000|100050|4000)\b", said)
    assert says in post(served, f"{case(number)}/rule", form, "mia").text


def test_an_appeal_says_what_money_it_asks_for_and_granting_it_what_it_gives(served, shown):
    number = agreed(served)
    form = {"about": "remedy", "seen": seen(served, number)}
    preview = post(served, f"/disputes/dispute_0_{number}/appeal/preview", form, "buyer").text
    assert "<dt>The appeal asks for</dt><dd>€20.00 more</dd>" in preview
    assert "it stays as it was before the appeal" in preview
    form["about"] = "funding"
    seller = post(served, f"/disputes/dispute_0_{number}/appeal/preview", form, "seller").text
    assert "<dt>The appeal asks for</dt><dd>€30.00 back, which you bore</dd>" in seller
    served.market.accept(d.FileAppeal(dispute=number, about="remedy"), BUYER)
    assert "ruling stands" not in get(served, case(number)).text, "nobody ruled: the two agreed"
    for typed, gives in (("", "€20.00"), ("5.00", "€5.00")):
        granted = post(served, f"{case(number)}/rule/preview", ruling(served, number, amount=typed)).text
        assert f"Grant the appeal: {gives} more to the buyer" in granted


def agreed(served) -> int:
    """Of 50.00 that were asked for, the two agreed on 30.00, which the seller paid."""
    order = served.market.order(amount="50.00", delivered=False)
    number = served.market.open(order, "in_transit_overdue", "50.00")
    served.market.accept(d.MakeOffer(dispute=number, amount=3000), SELLER)
    served.market.accept(d.AcceptOffer(dispute=number), BUYER)
    served.market.work()
    return number


def half_granted(served) -> int:
    """Of 60.00 the buyer got 30.00, and appeals for the rest."""
    served.market.top_up("3000.00")
    number = served.market.open(served.market.order(amount="60.00"), "damaged", "60.00")
    served.market.rule(number, amount=3000)
    served.market.work()
    served.market.accept(d.FileAppeal(dispute=number, about="remedy"), BUYER)
    return number


def test_a_ruling_on_what_was_read_too_long_ago_is_refused_kindly(served, shown):
    number = shown["checked"]
    form = ruling(served, number)
    served.market.accept(d.WriteMessage(dispute=number, message="One more thing."), BOB)
    answer = post(served, f"{case(number)}/rule", form)
    assert answer.status_code == 412
    assert "Something happened here while you were reading." in answer.text
    assert "Nothing was sent." in answer.text
    assert "One more thing." in answer.text
    assert served.market.dispute(number).phase == "verifying"


def test_what_another_agent_has_claimed_is_not_ruled_on(served, shown):
    number = shown["checked"]
    served.market.accept(d.ClaimCase(dispute=number), SENIOR)
    page = get(served, case(number)).text
    assert "Claimed by mia" in page
    assert 'id="rule"' not in page
    answer = post(served, f"{case(number)}/rule", ruling(served, number))
    assert (answer.status_code, "Somebody else is on it." in answer.text) == (409, True)
    post(served, f"{case(number)}/release", {}, "mia")
    assert post(served, f"{case(number)}/rule", ruling(served, number)).status_code == 303


def test_evidence_is_asked_for_in_words_seen_first_and_may_be_asked_for_again(served, shown):
    number = shown["checked"]
    path = f"{case(number)}/request_evidence"
    asked = {"seen": seen(served, number), "party": "buyer", "note": "A photo beside a ruler."}
    for lacking in ("party", "note"):
        answer = post(served, f"{path}/preview", asked | {lacking: ""})
        assert answer.status_code >= 400, lacking
        assert post(served, path, asked | {lacking: ""}).status_code >= 400, lacking
    assert 'value="buyer" required checked' not in get(served, case(number)).text
    told = post(served, f"{path}/preview", asked).text
    assert "Fri 10 Jul, 13:00" in told
    assert "goes on" in told
    assert not has_timer(served, number)
    assert post(served, path, asked).status_code == 303
    page = get(served, case(number)).text
    assert "Evidence was asked of the buyer: it may come until Fri 10 Jul, 13:00." in page
    assert "A photo beside a ruler." in page
    assert "evidence asked of the buyer, which may come until Fri 10 Jul, 13:00" in page
    again = {"seen": seen(served, number), "party": "seller", "note": "The packing slip, please."}
    assert post(served, path, again).status_code == 303
    assert "The packing slip, please." in get(served, case(number)).text


def has_timer(served, number: int) -> bool:
    return any(timer.kind == "evidence" for timer in served.market.dispute(number).timers)


def test_a_ruling_and_what_was_approved_stand_beside_the_case(served, shown):
    number = shown["checked"]
    post(served, f"{case(number)}/rule", ruling(served, number, amount="20.00"))
    aside = get(served, case(number)).text.split("<aside")[1]
    gets, decided = (re.split(rf"<dt>{name}</dt>", aside)[1].split("</dd>")[0] for name in FACTS)
    assert "€20.00" in gets
    assert "platform, Wed 8 Jul, 13:00" in decided
    assert "lee" in decided
    assert "rule " not in decided


FACTS = ("What the buyer gets", "Ruled by")


def test_a_notice_that_bounced_is_served_again(served, shown):
    number = shown["noticed"]
    form = {"seen": seen(served, number)}
    before = post(served, f"{case(number)}/serve_notice/preview", form).text
    assert "No mail server took the last one. If the store’s address is wrong or missing" in before
    assert "begins when the mail server has accepted it" in before
    assert "€60.00 is refunded by the platform" in before
    assert served.market.dispute(number).phase == "notifying"
    unseen = post(served, f"{case(number)}/serve_notice", form | {"previewed": ""})
    assert (unseen.status_code, served.market.dispute(number).history[-1]) == (403, int(form["seen"]))
    assert "No mail server took the last one." in get(served, case(number)).text
    assert post(served, f"{case(number)}/serve_notice", form).status_code == 303
    assert "No mail server took the last one." not in get(served, case(number)).text, "another is on its way"
    served.market.work()
    assert served.market.dispute(number).phase == "awaiting_seller"


def test_what_waits_for_the_fund_is_approved_and_not_called_refunded(served, shown):
    number = shown["checked"]
    waits = post(served, f"{case(number)}/rule/preview", ruling(served, number)).text
    assert "it waits as number 2 in line" in waits
    assert "Approve €60.00: paid as soon as there is money for it</button>" in waits
    served.market.top_up("5000.00")
    served.market.work()
    paid = post(served, f"{case(number)}/rule/preview", ruling(served, number)).text
    assert "Refund €60.00 to the buyer</button>" in paid


@pytest.mark.parametrize("changed", [{"finding": "justified", "reason": "photos"}, {"note": "Other words."}])
def test_what_was_changed_since_it_was_shown_rules_nothing(served, shown, changed):
    number = shown["checked"]
    form = ruling(served, number, "unjustified")
    told = post(served, f"{case(number)}/rule/preview", form).text
    mark = re.search(r'name="previewed" value="(\w+)"', told)
    assert mark is not None
    answer = post(served, f"{case(number)}/rule", form | {"previewed": mark[1]} | changed)
    assert (answer.status_code, served.market.dispute(number).phase) == (403, "verifying")
    assert post(served, f"{case(number)}/rule", form | {"previewed": ""}).status_code == 403
    assert post(served, f"{case(number)}/rule", form | {"previewed": mark[1]}).status_code == 303


def test_a_form_without_its_token_rules_nothing(served, shown):
    number = shown["checked"]
    answer = post(served, f"{case(number)}/rule", ruling(served, number) | {"csrf_token": "0" * 64})
    assert answer.status_code == 403
    assert "This form is too old." in answer.text
    assert served.market.dispute(number).phase == "verifying"
