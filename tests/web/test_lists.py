"""Many things sent at once: each has its own outcome, and none stands in the way of the others."""

import json

from houbao.web.api.orders import ORDER_EXAMPLE
from houbao.web.operation import MOST_AT_ONCE
from web.served import claim


def outcomes(served, path: str, items: list) -> list[tuple[int, str, str]]:
    """(status, code, detail up to its colon) of each item."""
    answer = served.call("POST", path, items)
    assert answer.status_code == 207, answer.text
    told = [(one["status"], one.get("problem", {})) for one in answer.json()["data"]]
    return [(status, said.get("code", ""), said.get("detail", "").partition(":")[0]) for status, said in told]


def sold(reference: str, **more) -> dict:
    return ORDER_EXAMPLE | {"reference": reference} | more


def test_an_order_that_cannot_be_read_leaves_the_others_of_its_list(served):
    bad_time = sold("L-2", ship_by="tomorrow")
    nested = sold("L-3", lines=[{"id": "1", "item": {"minor": "4000", "currency": "EUR"}}])
    items = [
        sold("L-1"),
        sold("L-4", currency="XXX"),
        {},
        5,
        None,
        bad_time,
        nested,
        sold("L-5", colour="red"),
        sold("L-6"),
    ]
    assert outcomes(served, "/v1/orders", items) == [
        (201, "", ""),
        (400, "bad_currency", "item is in EUR, the order in XXX"),
        (400, "bad_field", "[2].store_id"),
        (400, "bad_field", "[3]"),
        (400, "bad_field", "[4]"),
        (400, "bad_field", "[5].ship_by"),
        (400, "bad_field", "[6].lines[0].item.minor"),
        (400, "bad_field", "[7].colour"),
        (201, "", ""),
    ]
    stored = {order["reference"] for order in served.get("/v1/orders")["data"]}
    assert stored & {item["reference"] for item in items if isinstance(item, dict) and "reference" in item} == {
        "L-1",
        "L-6",
    }


def test_a_claim_that_cannot_be_read_leaves_the_others_of_its_list(served):
    one, two = (claim(served.market.order(), "damaged", "40.00") for _ in range(2))
    nonsense = claim(served.market.order(), "nonsense", "40.00")
    assert [told[:2] for told in outcomes(served, "/v1/disputes", [one, nonsense, 5, {"order_id": 7}, two])] == [
        (201, ""),
        (400, "unknown_reason"),
        (400, "bad_field"),
        (400, "bad_field"),
        (201, ""),
    ]


def test_each_item_keeps_its_own_key_whatever_stands_beside_it(served):
    key = {"Idempotency-Key": "many"}
    first = served.call("POST", "/v1/orders", [sold("K-0"), {}, sold("K-2")], **key).json()["data"]
    again = served.call("POST", "/v1/orders", [sold("K-0"), sold("K-1"), sold("K-2")], **key).json()["data"]
    assert [one["status"] for one in first] == [201, 400, 201]
    assert [one["status"] for one in again] == [200, 201, 200]
    assert [first[0]["id"], first[2]["id"]] == [again[0]["id"], again[2]["id"]]


def test_a_list_that_is_no_json_or_too_long_is_refused_as_a_whole(served):
    assert served.refuse("/v1/orders", [5] * (MOST_AT_ONCE + 1))["code"] == "bad_list"
    assert served.refuse("/v1/orders", [])["code"] == "bad_list"
    assert outcomes(served, "/v1/orders", [5] * MOST_AT_ONCE)[-1] == (400, "bad_field", f"[{MOST_AT_ONCE - 1}]")
    headers = served.headers("platform") | {"Content-Type": "application/json"}
    for text in (json.dumps([sold("J-1")])[:-1], "[{}, ", "5", '"['):
        answer = served.client.post("/v1/orders", content=text, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_field"), text
    assert outcomes(served, "/v1/orders", [sold("J-2")]) == [(201, "", "")]
