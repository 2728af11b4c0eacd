"""Orders as a stream of lines: each is taken in or refused by itself, twice changes nothing, of any length."""

import asyncio
import json

from given import T
from houbao.web.api import importing
from web.served import money
from web.statements import statements

ORDER = {
    "store_id": "oak",
    "buyer_id": "ann",
    "currency": "EUR",
    "lines": [{"id": "1", "item": money("40.00")}],
    "payments": [{"id": "card", "provider": "sandbox", "amount": money("40.00")}],
    "ship_by": "2026-07-01T00:00:00Z",
    "promised_by": "2026-07-05T00:00:00Z",
    "placed_at": "2026-06-20T00:00:00Z",
}


def order(reference: str, **more) -> bytes:
    """A line with an order."""
    return json.dumps(ORDER | {"reference": reference} | more).encode()


def event(reference: str, kind: str, **more) -> bytes:
    """A line with what happened to it."""
    told = {"type": kind, "store_id": "oak", "order": reference, "at": "2026-06-28T00:00:00Z"}
    return json.dumps(told | more).encode()


def send(served, lines, role: str = "platform") -> tuple[dict[str, int], list[tuple[int, str]]]:
    """Send lines as a stream; the counts, and (line, code) of those refused."""
    headers = served.headers(role) | {"Content-Type": "application/x-ndjson"}
    answer = served.client.post("/v1/orders/import", content=b"\n".join(lines), headers=headers)
    assert answer.status_code == 200, answer.text
    counts = answer.json()
    return counts, [(one["line"], one["problem"]["code"]) for one in counts.pop("refusals")]


def test_orders_and_their_events_come_in_and_twice_changes_nothing(served):
    lines = [
        order("A-1", paid_at="2026-06-20T01:00:00Z"),
        order("A-2", paid_at="2026-06-20T01:00:00Z", shipped_at="2026-06-21T00:00:00Z"),
        event("A-2", "delivered"),
    ]
    assert send(served, lines) == ({"lines": 3, "new": 3, "known": 0, "refused": 0}, [])
    found = served.get("/v1/orders?store_id=oak&reference=A-2")["data"]
    assert [one["status"] for one in found] == ["delivered"]
    before = served.market.contents()
    assert send(served, lines) == ({"lines": 3, "new": 0, "known": 3, "refused": 0}, [])
    assert served.market.contents() == before


def test_a_line_that_cannot_be_used_is_named_and_stops_nothing(served):
    lines = [order("B-1"), b"not json", b"", order("B-2", currency="EURO"), event("B-9", "paid"), order("B-3")]
    counts, refused = send(served, lines)
    assert refused == [(2, "bad_field"), (4, "bad_currency"), (5, "unknown_order")]
    assert counts == {"lines": 5, "new": 2, "known": 0, "refused": 3}


def test_long_lines_are_taken_in_a_few_at_a_time():
    long = b"x" * importing.MOST_LINE
    told = [None, b"x", *[long] * 40, None]

    async def lines():
        for one in enumerate(told, 1):
            yield one

    async def taken():
        return [batch async for batch in importing.batches(lines())]

    found = asyncio.run(taken())
    assert [number for batch in found for number, _ in batch] == [*range(1, len(told) + 1)]
    assert max(sum(len(line or b"") for _, line in batch) for batch in found) < importing.MOST_BATCH + len(long)
    assert len(found) == 3


def test_more_lines_than_a_batch_and_more_bytes_than_a_body_may_have(served):
    lines = [order(f"C-{n}") for n in range(600)] + [b"x" * (1 << 21)] + [order("C-last")]
    counts, refused = send(served, lines)
    assert refused == [(601, "too_large")]
    assert counts == {"lines": 602, "new": 601, "known": 0, "refused": 1}


def test_a_list_of_orders_has_one_outcome_each(served):
    bodies = [json.loads(order(name)) for name in ("D-1", "D-2", "D-1")]
    answer = served.call("POST", "/v1/orders", bodies)
    assert answer.status_code == 207
    assert [one["status"] for one in answer.json()["data"]] == [201, 201, 409]
    assert answer.json()["data"][2]["problem"]["code"] == "order_exists"


def test_an_order_that_is_paid_already_is_placed_with_its_events(served):
    body = json.loads(order("E-1", paid_at="2026-06-20T01:00:00Z", shipped_at="2026-06-21T00:00:00Z"))
    first = served.call("POST", "/v1/orders", body, Idempotency_Key="E-1")
    assert (first.status_code, first.json()["status"]) == (201, "shipped")
    assert first.json()["coverage"]["covered"] is True
    again = served.call("POST", "/v1/orders", body, Idempotency_Key="E-1")
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")


def test_an_order_of_which_something_cannot_be_is_refused_whole(served):
    body = json.loads(order("F-1", paid_at="2026-06-20T01:00:00Z", delivered_at="2026-06-21T00:00:00Z"))
    body |= {"cancelled_at": "2026-06-22T00:00:00Z"}
    served.refuse("/v1/orders", body)
    served.refuse("/v1/orders", body, Idempotency_Key="k" * 64)
    assert served.get("/v1/orders?store_id=oak&reference=F-1")["data"] == []


def test_the_same_order_with_more_of_its_life_brings_in_what_is_new(served):
    send(served, [order("G-1", paid_at="2026-06-20T01:00:00Z")])
    more = order("G-1", paid_at="2026-06-20T01:00:00Z", shipped_at="2026-06-21T00:00:00Z")
    send(served, [more])
    assert [one["status"] for one in served.get("/v1/orders?store_id=oak&reference=G-1")["data"]] == ["shipped"]


def test_the_orders_of_many_events_are_looked_up_together_and_not_on_the_event_loop(served):
    """By the store's reference and by our own id."""

    def read_for(first: int, count: int) -> int:
        numbers = [served.market.order(f"M-{n}", delivered=False) for n in range(first, first + count)]
        named = [event(f"M-{n}", "delivered") for n in range(first, first + count)]
        known = [event(f"order_0_{number}", "confirmed", store_id="", at=T.isoformat()) for number in numbers]
        lines = [*named, *known, event("order_0_x", "paid", store_id=""), event("order_0_999999", "paid", store_id="")]
        with statements(served) as read:
            counts, refused = send(served, lines)
        assert counts == {"lines": len(lines), "new": 2 * count, "known": 0, "refused": 2}
        assert [code for _, code in refused] == ["bad_id", "unknown_order"]
        assert not [one for one in read.on_loop if one in read.of("orders")]
        return len(read.of("orders"))

    assert read_for(0, 2) == read_for(2, 12)


# --- an event of an order, alone -----------------------------------------------------------------------------------


def test_an_event_that_does_not_say_when_is_now_and_its_key_holds_later_on(served):
    number = served.market.order(delivered=False)
    path, now = f"/v1/orders/order_0_{number}/events", served.market.now
    first = served.post(path, {"type": "delivered"}, Idempotency_Key="d-1")
    assert (first["status"], first["delivered_at"]) == ("delivered", f"{now:%Y-%m-%dT%H:%M:%SZ}")
    served.wait(days=1)
    again = served.call("POST", path, {"type": "delivered"}, Idempotency_Key="d-1")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    dated = served.refuse(path, {"type": "delivered", "at": f"{now:%Y-%m-%dT%H:%M:%SZ}"}, Idempotency_Key="d-1")
    assert dated["code"] == "key_reused"


def test_every_event_may_leave_its_time_out_over_http_and_none_in_a_file(served):
    for kind, more in (
        ("shipped", {}),
        ("tracking", {"state": "in_transit"}),
        ("delivered", {}),
        ("confirmed", {}),
        ("rated", {"description": 5, "service": 5, "logistics": 5}),
    ):
        number = served.market.order(f"at-{kind}", shipped=kind != "shipped", delivered=kind in ("confirmed", "rated"))
        served.post(f"/v1/orders/order_0_{number}/events", {"type": kind, **more})
        line = json.dumps({"type": kind, "store_id": "oak", "order": f"at-{kind}", **more}).encode()
        assert send(served, [line])[1] == [(1, "bad_field")], kind


def test_an_order_is_cancelled_for_a_reason_in_words(served):
    number = served.market.order(shipped=False, delivered=False)
    path, told = f"/v1/orders/order_0_{number}/events", {"type": "cancelled", "by": "seller", "reason": "x" * 201}
    assert served.refuse(path, told)["code"] == "bad_words"
    assert served.refuse(path, told | {"reason": "two\nlines"})["code"] == "bad_words"
    assert served.post(path, told | {"reason": "out of stock"})["status"] == "cancelled"
    cancelled = [one for one in served.get("/v1/events?limit=1000")["data"] if one["data"].get("to") == "cancelled"]
    assert [one["data"]["reason"] for one in cancelled] == ["out of stock"]


def test_a_chargeback_names_its_payment_as_the_providers_webhook_does(served):
    number = served.market.order("C-9")
    said = {"type": "chargeback", "reference": "cb-9", "amount": {"minor": 4000, "currency": "EUR"}, "state": "opened"}
    path = f"/v1/orders/order_0_{number}/events"
    (payment,) = served.get(f"/v1/orders/order_0_{number}")["payments"]
    assert served.refuse(path, said)["code"] == "bad_field"
    served.post(path, said | {"payment_id": payment["id"]})
