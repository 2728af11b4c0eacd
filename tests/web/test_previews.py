"""What would happen is told on request, by whatever does anything; nothing is saved, and it is what then happens."""

import pytest

from web.documented import SCHEMA, validated
from web.served import claim, money
from web.test_openapi import OPERATIONS
from web.ways import ROLES, WAYS, Way

CHANGING = [name for name, (_, method, _) in OPERATIONS.items() if method in ("post", "put")]
READING = [name for name in OPERATIONS if name not in CHANGING]


def send(served, name: str, way: Way, **query: str):
    """Send it; the answer is one that the document says."""
    path, method, _ = OPERATIONS[name]
    headers = {"Authorization": f"Bearer {served.key(*ROLES)}"} | way.headers
    body = {"content": way.content} if way.content else {} if way.body is None else {"json": way.body}
    url = path.format(**way.names)
    answer = served.client.request(method.upper(), url, params=way.query | query, headers=headers, **body)
    validated(SCHEMA[path][method].Case(path_parameters=way.names), answer)
    return answer


def previewed(name: str) -> bool:
    """Whether the document says that the operation has a preview."""
    return "dry_run" in [one["name"] for one in OPERATIONS[name][2]["parameters"]]


@pytest.mark.parametrize("name", CHANGING)
def test_what_is_only_asked_about_is_not_done_and_is_what_then_happens(world, name):
    made = WAYS[name](world)
    way = made[0] if isinstance(made, list) else made
    world.key(*ROLES)
    before = world.market.contents()
    foreseen = send(world, name, way, dry_run="true")
    assert world.market.contents() == before
    if not previewed(name):
        assert (foreseen.status_code, foreseen.json()["code"]) == (400, "bad_request")
        return
    assert foreseen.status_code == 200, foreseen.text
    then = send(world, name, way).json()
    if "phase" in then:
        assert foreseen.json()["dispute"] == then
        assert [foreseen.json()[part] for part in ("phase", "due_at", "default_outcome")] == [
            then[part] for part in ("phase", "due_at", "default_outcome")
        ]


COMMANDS = {
    "POST /v1/stores",
    "PUT /v1/stores/{store_id}/enrolment",
    "PUT /v1/stores/{store_id}/contact",
    "POST /v1/stores/{store_id}/repayments",
    "POST /v1/stores/{store_id}/write-offs",
    "POST /v1/orders",
    "POST /v1/orders/{order_id}/events",
    "POST /v1/orders/{order_id}/messages",
    "POST /v1/orders/{order_id}/goodwill",
    "POST /v1/disputes",
    "POST /v1/fund/top-ups",
    "POST /v1/fund/cash-moves",
}


def test_everything_that_gives_a_command_has_a_preview():
    found = {f"{method.upper()} {path}" for name, (path, method, _) in OPERATIONS.items() if previewed(name)}
    assert {one for one in found if "/{dispute_id}/" not in one} == COMMANDS
    assert [name for name in CHANGING if "/{dispute_id}/" in OPERATIONS[name][0] and not previewed(name)] == []


@pytest.mark.parametrize("name", READING)
def test_what_changes_nothing_has_no_preview(name):
    assert not previewed(name)


def test_a_preview_of_a_dispute_has_the_reasons_of_the_policy(served):
    body = claim(served.market.order(), "damaged", "40.00")
    foreseen = served.post("/v1/disputes?dry_run=true", body)
    assert foreseen["dispute"]["reasons"] == served.post("/v1/disputes", body)["reasons"] != []


def test_a_preview_of_many_is_refused_and_does_nothing(served):
    body = [claim(served.market.order(), "damaged", "40.00")]
    assert served.refuse("/v1/disputes?dry_run=true", body)["code"] == "bad_request"
    assert served.refuse("/v1/orders?dry_run=true", [])["code"] == "bad_list"


def test_a_preview_of_what_is_about_no_dispute_leaves_that_out(served):
    foreseen = served.post("/v1/fund/top-ups?dry_run=true", {"amount": money("12.00")}, role="finance")
    assert [foreseen[part] for part in ("dispute", "phase", "due_at", "default_outcome")] == [None] * 4
    assert foreseen["score"] == {"before": None, "after": None}
    assert [(one["target"], one["amount"]) for one in foreseen["money"]] == [("fund:available", money("12.00"))]
    assert foreseen["told"] == ["capital added"]


def test_a_preview_of_what_stands_already_says_that_nothing_happens(served):
    enrolled = {"enrolled": True}
    answer = served.call("PUT", "/v1/stores/oak/enrolment?dry_run=true", enrolled)
    assert (answer.status_code, answer.json()["told"], answer.json()["money"]) == (200, [], [])


def test_a_preview_of_a_rating_says_what_becomes_of_the_score(served):
    served.market.sell(30)
    order = served.market.order()
    rated = {"type": "rated", "at": served.market.now.isoformat(), "description": 1, "service": 1, "logistics": 1}
    done = {"type": "confirmed", "at": served.market.now.isoformat()}
    served.post(f"/v1/orders/order_0_{order}/events", done)
    foreseen = served.post(f"/v1/orders/order_0_{order}/events?dry_run=true", rated)
    assert foreseen["score"]["before"] == served.get("/v1/stores/oak/score")["score"]
    served.post(f"/v1/orders/order_0_{order}/events", rated)
    assert foreseen["score"]["after"] == served.get("/v1/stores/oak/score")["score"] != foreseen["score"]["before"]
