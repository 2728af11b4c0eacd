"""The worked examples of the domain, over HTTP: what a marketplace, its agents and its sellers send, and no more."""

import pytest

from given import DAY, PLATFORM, SECOND, Market, T, eur, standard
from houbao.core.programme import Enrol
from houbao.store.rates import keep
from test_examples import SUNDAY, published
from web.served import Served, claim, money


@pytest.fixture
def short(tmp_path):
    """A market whose fund has 10.00."""
    served = Served(Market(tmp_path, fund="10.00"))
    yield served
    served.close()


@pytest.fixture
def abroad(tmp_path):
    """A market whose fund is in EUR and covers orders in BRL too, on a Sunday without a rate of its own."""
    launched = SUNDAY - 100 * DAY
    programme = standard(launched_at=launched, policies=((launched, "2026.1"),), also_covers=("BRL",))
    market = Market(tmp_path, programme=programme, enrolled=False)
    market.now = SUNDAY
    keep(market.database, published())
    market.accept(Enrol(store="oak", programme="standard", at=launched), PLATFORM)
    served = Served(market)
    yield served
    served.close()


def funds(served) -> tuple[str, str, str]:
    return served.market.funds()


def test_1_a_covered_dispute_is_paid_by_the_fund_with_no_act_of_the_seller(served):
    order = served.market.order(amount="40.00", commission="40.00")
    dispute = served.open(order, "damaged", "40.00")
    assert served.get(f"/v1/disputes/{dispute}")["phase"] == "verifying"
    ruled = served.post(f"/v1/disputes/{dispute}/rule", {"finding": "justified", "reason": "photos"}, role="agent")
    assert ruled["phase"] == "refunding"
    assert funds(served) == ("200.00", "960.00", "40.00")
    served.market.work()
    closed = served.get(f"/v1/disputes/{dispute}")
    assert (closed["outcome"], closed["resolved_by"]) == ("refunded", "guarantee")
    assert closed["funding"] == [{"payer": "fund", "amount": money("40.00")}]
    assert closed["fault"] == {"state": "counted", "class": "SNAD", "reason": ""}
    assert funds(served) == ("200.00", "960.00", "0.00")
    statement = served.get("/v1/stores/oak/statement?currency=EUR")
    assert [entry["amount"]["minor"] for entry in statement["data"][-2:]] == [4000, -4000]
    assert statement["closing"] == money("200.00")


def test_2_out_of_scope_the_seller_is_served_a_notice_and_silence_pays(served):
    order = served.market.order(amount="60.00", commission="60.00")
    dispute = served.open(order, "poor_quality", "60.00")
    ruled = served.post(
        f"/v1/disputes/{dispute}/rule", {"finding": "out_of_scope", "reason": "counterfeit"}, role="agent"
    )
    assert ruled["phase"] == "notifying"
    served.market.work()
    told = served.get(f"/v1/disputes/{dispute}", role="seller")
    assert (told["phase"], told["waiting_for"]) == ("awaiting_seller", "seller")
    assert told["due_at"] == (T + 5 * DAY).isoformat().replace("+00:00", "Z")
    assert told["default_outcome"] == "buyers_amount_by_seller"
    assert {"accept", "offer", "reject"} <= set(told["allowed_actions"])
    served.wait(5)
    closed = served.get(f"/v1/disputes/{dispute}")
    assert (closed["resolved_by"], closed["fault"]["state"]) == ("seller_timeout", "counted")
    assert funds(served) == ("140.00", "1000.00", "0.00")


def test_2b_in_scope_and_unjustified_it_is_rejected_and_may_be_appealed(served):
    order = served.market.order(amount="60.00", commission="60.00")
    dispute = served.open(order, "not_as_pictured", "60.00")
    served.post(f"/v1/disputes/{dispute}/rule", {"finding": "unjustified", "reason": "disclosed"}, role="agent")
    closed = served.get(f"/v1/disputes/{dispute}", role="buyer")
    assert (closed["outcome"], closed["fault"]["state"], closed["remedy"]) == ("rejected", "exempt", "none")
    assert closed["allowed_actions"] == ["appeal"]
    assert funds(served) == ("200.00", "1000.00", "0.00")


def test_3_not_received_goes_to_the_seller_though_covered_and_silence_pays_once(served):
    order = served.market.order(amount="30.00", commission="30.00", delivered=False)
    dispute = served.open(order, "in_transit_overdue", "25.00")
    served.market.go(T + 5 * DAY - SECOND)
    assert served.get(f"/v1/disputes/{dispute}")["phase"] == "awaiting_seller"
    served.wait(seconds=1)
    closed = served.get(f"/v1/disputes/{dispute}")
    assert (closed["outcome"], closed["resolved_by"]) == ("refunded", "seller_timeout")
    assert closed["fault"] == {"state": "counted", "class": "INR", "reason": ""}
    assert funds(served) == ("175.00", "1000.00", "0.00")
    refused = served.refuse(f"/v1/disputes/{dispute}/reject", {"reason": "delivered"}, role="seller")
    assert refused["code"] == "answer_after_due"


def test_5_settled_privately_and_withdrawn_it_leaves_no_trace(served):
    before = served.market.score()
    order = served.market.order(amount="20.00", commission="20.00")
    dispute = served.open(order, "wrong_variant", "20.00")
    served.post(f"/v1/orders/order_0_{order}/messages", {"message": "A new one is coming."}, role="seller")
    served.wait(1)
    withdrawn = served.post(f"/v1/disputes/{dispute}/withdraw", role="buyer")
    assert (withdrawn["outcome"], withdrawn["fault"]["state"]) == ("withdrawn", "exempt")
    assert served.market.moved(int(dispute.rsplit("_", 1)[1])) == []
    assert served.market.score() == before


def test_6_an_offer_a_counter_and_an_agreement(served):

    order = served.market.order(amount="50.00", commission="50.00", paid=T - 95 * DAY, promised=T - 2 * DAY)
    dispute = served.open(order, "defective", "50.00")
    served.post(f"/v1/disputes/{dispute}/offer", {"amount": money("20.00")}, role="seller")
    served.post(f"/v1/disputes/{dispute}/counter", {"amount": money("35.00")}, role="buyer")
    served.post(f"/v1/disputes/{dispute}/accept", role="seller")
    served.market.work()
    closed = served.get(f"/v1/disputes/{dispute}")
    assert (closed["outcome"], closed["resolved_by"]) == ("partially_refunded", "agreement")
    assert closed["refunds"][0]["paid"]["minor"] == eur("35.00")


def test_2b_the_buyer_appeals_and_another_agent_decides(served):
    order = served.market.order(amount="60.00", commission="60.00")
    dispute = served.open(order, "not_as_pictured", "60.00")
    served.post(f"/v1/disputes/{dispute}/rule", {"finding": "unjustified", "reason": "disclosed"}, role="agent")
    appealed = served.post(
        f"/v1/disputes/{dispute}/appeal", {"about": "remedy", "note": "Look at the photo again."}, role="buyer"
    )
    assert appealed["phase"] == "adjudicating"
    again = {"finding": "justified", "reason": "photo_differs"}
    assert served.refuse(f"/v1/disputes/{dispute}/rule", again, role="agent")["code"] == "same_agent"
    another = {"Authorization": f"Bearer {served.new_key('agent')}"}
    served.post(f"/v1/disputes/{dispute}/rule", again, role="nobody", **another)
    served.market.work()
    closed = served.get(f"/v1/disputes/{dispute}")
    assert (closed["outcome"], closed["resolved_by"]) == ("refunded", "appeal")
    assert funds(served) == ("200.00", "940.00", "0.00")


def test_4_a_change_of_mind_goes_straight_into_the_return_flow(served):
    order = served.market.order(amount="80.00", commission="80.00")
    dispute = served.open(order, "changed_mind", "80.00")
    assert served.get(f"/v1/disputes/{dispute}")["phase"] == "awaiting_return"
    assert funds(served) == ("120.00", "1000.00", "0.00")
    served.wait(3)
    served.post(f"/v1/disputes/{dispute}/ship-return", {"carrier": "Post", "tracking": "RR1"}, role="buyer")
    served.wait(2)
    served.post(f"/v1/disputes/{dispute}/scan-return")
    served.post(f"/v1/disputes/{dispute}/confirm-return", role="seller")
    served.market.work()
    closed = served.get(f"/v1/disputes/{dispute}")
    assert (closed["outcome"], closed["resolved_by"]) == ("refunded", "return")
    assert closed["fault"]["state"] == "exempt"
    assert funds(served) == ("120.00", "1000.00", "0.00")


def test_7_a_time_out_is_neither_yes_nor_no_until_the_look_up(served):
    order = served.market.order(amount="40.00", commission="40.00")
    dispute = served.open(order, "damaged", "40.00")
    served.market.provider.script = ["timeout_paid", "look_down"]
    served.post(f"/v1/disputes/{dispute}/rule", {"finding": "justified", "reason": "photos"}, role="agent")
    served.market.work()
    assert served.get(f"/v1/disputes/{dispute}")["phase"] == "refunding"
    assert funds(served) == ("200.00", "960.00", "40.00")
    served.wait(hours=1)
    assert served.get(f"/v1/disputes/{dispute}")["outcome"] == "refunded"
    assert funds(served) == ("200.00", "960.00", "0.00")
    assert [what for what, _ in served.market.provider.calls].count("pay") == 1


def test_8_short_of_money_the_refund_waits_for_the_top_up(short):
    order = short.market.order(amount="40.00", commission="40.00")
    dispute = short.open(order, "damaged", "40.00")
    ruled = short.post(f"/v1/disputes/{dispute}/rule", {"finding": "justified", "reason": "photos"}, role="agent")
    assert (ruled["phase"], ruled["waiting_for"]) == ("awaiting_funds", "finance")
    assert funds(short) == ("200.00", "10.00", "0.00")
    short.post("/v1/fund/top-ups", {"amount": money("100.00")}, role="finance", Idempotency_Key="transfer-1")
    assert funds(short)[1] == "110.00"
    short.market.work()
    assert short.get(f"/v1/disputes/{dispute}")["outcome"] == "refunded"
    assert funds(short) == ("200.00", "70.00", "0.00")


def test_9_a_rejection_one_second_before_due_wins(served):
    order = served.market.order(amount="30.00", delivered=False, commission="30.00")
    dispute = served.open(order, "in_transit_overdue", "25.00")
    served.market.go(T + 5 * DAY - SECOND)
    rejected = served.post(f"/v1/disputes/{dispute}/reject", {"reason": "proof_of_delivery"}, role="seller")
    assert rejected["phase"] == "awaiting_buyer"
    served.wait(1)
    assert served.post(f"/v1/disputes/{dispute}/escalate", role="buyer")["phase"] == "adjudicating"
    assert funds(served) == ("200.00", "1000.00", "0.00")


def test_10_a_refund_in_another_currency_and_its_settlement(abroad):
    order = abroad.market.order(amount="100.00", currency="BRL", paid=SUNDAY - 10 * DAY, delivered=False)
    at = (SUNDAY - DAY).isoformat()
    abroad.post(f"/v1/orders/order_0_{order}/events", {"type": "delivered", "at": at})
    body = claim(order, "damaged", "100.00") | {"amount": money("100.00", "BRL")}
    dispute = abroad.post("/v1/disputes", body)["id"]
    abroad.post(f"/v1/disputes/{dispute}/rule", {"finding": "justified", "reason": "photos"}, role="agent")
    assert funds(abroad) == ("200.00", "978.39", "21.61")
    abroad.market.work()
    assert abroad.get(f"/v1/disputes/{dispute}")["outcome"] == "refunded"
    abroad.wait(1)
    settled = {"payment": "card", "taken": money("21.95")}
    abroad.post(f"/v1/disputes/{dispute}/settle-refund", settled, role="finance")
    assert [abroad.market.sum_of(f"fx:{currency}", currency) for currency in ("EUR", "BRL")] == ["0.00", "0.00"]
    timeline = abroad.get(f"/v1/disputes/{dispute}/timeline")["data"]
    difference = [one for entry in timeline for one in entry["money"] if one["kind"] == "difference"]
    assert [(one["source"], one["amount"]) for one in difference] == [("platform:expense", money("0.34"))]


def test_a_claim_is_told_what_would_happen_by_itself_before_it_is_opened(served):
    order = served.market.order(amount="40.00")
    body = {"order_id": f"order_0_{order}", "reason": "damaged", "amount": money("40.00")}
    said = served.post("/v1/explain", body)
    opened = served.get(f"/v1/disputes/{served.open(order, 'damaged', '40.00')}")
    assert said["deadlines"] == opened["timers"]
    assert [timer["kind"] for timer in said["deadlines"]] == ["alert", "turn"]


def test_a_timeline_is_read_page_by_page(served):
    order = served.market.order(amount="40.00")
    dispute = served.open(order, "damaged", "40.00")
    served.post(f"/v1/disputes/{dispute}/rule", {"finding": "justified", "reason": "photos"}, role="agent")
    served.market.work()
    path, pages, after = f"/v1/disputes/{dispute}/timeline", [], ""
    while after is not None:
        page = served.get(f"{path}?limit=2&after={after}")
        pages.append([entry["id"] for entry in page["data"]])
        after = page["next"]
    assert [len(page) for page in pages[:-1]] == [2] * (len(pages) - 1)
    assert len(pages) > 1
    whole = served.get(path)
    assert [entry for page in pages for entry in page] == [entry["id"] for entry in whole["data"]]
    assert served.call("GET", f"{path}?after=nonsense").json()["code"] == "bad_cursor"


def test_the_feed_is_read_to_its_end_and_later_on_from_there(served):
    def read(after: str) -> tuple[list[str], str]:
        """From there until `next` is null: the events, and the cursor to keep."""
        found: list[str] = []
        for _ in range(100):
            page = served.get(f"/v1/events?limit=3&after={after}")
            if page["next"] is None:
                assert page["data"] == []
                return found, after
            found += [event["id"] for event in page["data"]]
            after = page["next"]
        raise AssertionError("the feed has no end")

    first, kept = read("")
    assert len(first) > 3
    assert read(kept) == ([], kept)
    served.open(served.market.order(), "damaged", "40.00")
    more, _ = read(kept)
    whole, _ = read("")
    assert whole == first + more
    assert more
