"""Idempotency keys: one key of a sender's says one thing, whomever it acts for and wherever it is sent."""

import json

from houbao.store.verify import verify
from web.served import claim, money
from web.test_import import order as order_document


def test_a_key_used_for_one_buyer_is_refused_for_another(served):
    ann, ben = served.market.order(buyer="ann"), served.market.order(buyer="ben")
    served.post("/v1/disputes", claim(ann, "damaged", "40.00"), Idempotency_Key="once")
    assert served.refuse("/v1/disputes", claim(ben, "damaged", "40.00"), Idempotency_Key="once")["code"] == "key_reused"


def test_a_key_used_at_one_path_is_refused_at_another(served):
    order = served.market.order()
    served.post("/v1/disputes", claim(order, "damaged", "40.00"), Idempotency_Key="once")
    for path, body in (
        ("/v1/stores", {"id": "elm"}),
        (f"/v1/orders/order_0_{order}/events", {"type": "confirmed", "at": "2026-07-08T12:00:00Z"}),
        (f"/v1/orders/order_0_{order}/goodwill", {"amount": money("1.00")}),
    ):
        assert served.refuse(path, body, Idempotency_Key="once")["code"] == "key_reused", path
    words, as_seller = f"/v1/orders/order_0_{order}/messages", {"Houbao_Actor": "seller"}
    assert served.refuse(words, {"message": "hello"}, Idempotency_Key="once", **as_seller)["code"] == "key_reused"


def test_the_items_of_a_list_share_the_key_of_their_list_whomever_they_are_for(served):
    orders = [served.market.order(buyer=buyer) for buyer in ("ann", "ben")]
    first, second = ([claim(order, "damaged", "40.00")] for order in orders)
    assert served.call("POST", "/v1/disputes", first, Idempotency_Key="list").json()["data"][0]["status"] == 201
    (item,) = served.call("POST", "/v1/disputes", second, Idempotency_Key="list").json()["data"]
    assert item["problem"]["code"] == "key_reused"


def test_a_list_that_was_answered_before_says_so(served):
    orders = [served.market.order(buyer=buyer) for buyer in ("ann", "ben")]
    claims = [claim(order, "damaged", "40.00") for order in orders]
    documents = [json.loads(order_document(name)) for name in ("D-1", "D-2")]
    for path, body in (("/v1/disputes", claims), ("/v1/orders", documents)):
        first = served.call("POST", path, body, Idempotency_Key=path[4:])
        again = served.call("POST", path, body, Idempotency_Key=path[4:])
        assert [one["status"] for one in again.json()["data"]] == [200, 200], path
        assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
        longer = served.call("POST", path, [*body, body[0]], Idempotency_Key=path[4:])
        assert "idempotency-replayed" not in longer.headers


def test_two_senders_may_use_the_same_key(served):
    ann, ben = served.market.order(buyer="ann"), served.market.order(buyer="ben")
    served.post("/v1/disputes", claim(ann, "damaged", "40.00"), Idempotency_Key="once")
    other = {"Authorization": f"Bearer {served.new_key('platform')}", "Idempotency-Key": "once"}
    assert served.client.post("/v1/disputes", json=claim(ben, "damaged", "40.00"), headers=other).status_code == 201
    served.post("/v1/disputes", claim(served.market.order(), "damaged", "9.00"), role="buyer", Idempotency_Key="once")


def test_what_a_key_sent_for_its_buyers_and_stores_is_verified(served):
    order = served.market.order()
    dispute = served.post("/v1/disputes", claim(order, "defective", "40.00"), Idempotency_Key="k1")["id"]
    served.post(f"/v1/disputes/{dispute}/withdraw", Idempotency_Key="k2")
    database = served.market.database
    found = database.connection.execute("SELECT DISTINCT caller FROM receipts WHERE key IN ('k1', 'k2')").fetchall()
    assert [caller.partition(":")[0] for (caller,) in found] == ["key"]
    assert verify(database.path) == []
