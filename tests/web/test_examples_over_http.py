"""The worked examples of the domain, over HTTP: what a marketplace, its agents and its sellers send, and no more."""

from given import DAY, SECOND, T, eur
from web.served import money


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
