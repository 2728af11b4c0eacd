"""The API's own document: complete, and true: whatever is sent, the answers are those that it says."""

import json
import re

import pytest
from hypothesis import settings
from msgspec import structs

from given import Market
from houbao.core.allowed import BY_HAND
from houbao.core.phases import TURNS
from houbao.web.problems import KNOWN
from web.documented import DOCUMENT, FEW, SCHEMA, sent, validated
from web.served import Served
from web.ways import ROLES, WAYS, Way


def operations():
    """(path, method, operation) of the document."""
    return [(path, method, said) for path, item in DOCUMENT["paths"].items() for method, said in item.items()]


# --- complete ------------------------------------------------------------------------------------------------------


def test_every_command_of_the_turns_has_one_path_and_every_path_is_a_command():
    paths = {
        path.rsplit("/", 1)[1].replace("-", "_")
        for path, method, _ in operations()
        if method == "post" and path.startswith("/v1/disputes/{dispute_id}/")
    }
    machines = {"send_refund", "report_refund", "notice_accepted", "notice_bounced"}
    in_turns = {name for turns in TURNS.values() for name in turns}
    assert paths == in_turns - machines
    assert set(BY_HAND) == paths
    assert all(roles <= {"system", "provider", "mail"} for roles in map(_roles, machines))


def _roles(name: str) -> set[str]:
    return {role for turns in TURNS.values() if name in turns for role in turns[name].by}


PROMISED = """
    GET /healthz /readyz /metrics /openapi.json /docs
    POST /v1/stores
    GET /v1/stores/oak /v1/stores/oak/score /v1/stores/oak/fund-records /v1/stores/oak/statement /v1/stores/oak/advice
    PUT /v1/stores/oak/enrolment
    POST /v1/stores/oak/repayments /v1/stores/oak/write-offs
    POST /v1/orders /v1/orders/import
    GET /v1/orders/order_0_3
    POST /v1/orders/order_0_3/events /v1/orders/order_0_3/messages /v1/orders/order_0_3/goodwill
    POST /v1/explain
    POST /v1/disputes
    GET /v1/disputes /v1/disputes/dispute_0_3 /v1/disputes/dispute_0_3/timeline
    POST /v1/disputes/dispute_0_3/accept /v1/disputes/dispute_0_3/offer /v1/disputes/dispute_0_3/reject
    POST /v1/disputes/dispute_0_3/accept-offer /v1/disputes/dispute_0_3/counter /v1/disputes/dispute_0_3/change-claim
    POST /v1/disputes/dispute_0_3/escalate /v1/disputes/dispute_0_3/withdraw /v1/disputes/dispute_0_3/reopen
    POST /v1/disputes/dispute_0_3/evidence /v1/disputes/dispute_0_3/messages /v1/disputes/dispute_0_3/request-evidence
    POST /v1/disputes/dispute_0_3/rule /v1/disputes/dispute_0_3/appeal /v1/disputes/dispute_0_3/sign
    POST /v1/disputes/dispute_0_3/ship-return /v1/disputes/dispute_0_3/confirm-return
    POST /v1/disputes/dispute_0_3/report-return /v1/disputes/dispute_0_3/ship-replacement
    POST /v1/disputes/dispute_0_3/report-replacement /v1/disputes/dispute_0_3/serve-notice
    POST /v1/disputes/dispute_0_3/set-payout-way /v1/disputes/dispute_0_3/resolve-refund
    POST /v1/disputes/dispute_0_3/claim /v1/disputes/dispute_0_3/release
    GET /v1/fund /v1/fund/records
    POST /v1/fund/top-ups /v1/fund/cash-moves
    GET /v1/policies
    POST /v1/policies /v1/policies/2026.1/publish
    GET /v1/events
    POST /v1/webhooks /v1/webhooks/webhook_1/redeliver
    GET /v1/webhooks/webhook_1/deliveries
    POST /v1/providers/sandbox/webhook
    POST /v1/portal-sessions
"""
"""What others build on, written out by hand: a method and its paths."""


def promised() -> list[tuple[str, str]]:
    """(method, path) of all that was promised."""
    lines = [line.split() for line in PROMISED.strip().splitlines()]
    return [(method, path) for method, *paths in lines for path in paths]


def test_every_path_that_others_build_on_is_served(served):
    answers = {(method, path): served.call(method, path, role="nobody") for method, path in promised()}
    assert {asked: one.status_code for asked, one in answers.items() if one.status_code in (404, 405)} == {}
    assert served.call("GET", "/v1/stores/oak/advise", role="nobody").status_code == 404
    assert served.call("PUT", "/v1/fund", role="nobody").status_code == 405


def test_every_operation_has_words_an_example_and_its_refusals():
    for path, method, said in operations():
        where = f"{method} {path}"
        assert said["summary"], where
        if content := said.get("requestBody", {}).get("content", {}).get("application/json"):
            schema = content["schema"]
            bare = schema.get("$ref", "").rsplit("/", 1)[-1]
            required = not bare or DOCUMENT["components"]["schemas"][bare].get("required")
            assert "example" in content or not required, where
        codes = {code for answer in said["responses"].values() for code in _codes(answer)}
        assert codes <= set(KNOWN), where
        if said.get("security") != []:
            assert {"unauthenticated", "not_permitted"} <= codes, where


def _codes(answer) -> list[str]:
    return [*answer["content"].get("application/problem+json", {}).get("examples", {})]


def test_every_reference_leads_somewhere():
    text = json.dumps(DOCUMENT)
    for kind, name in set(re.findall(r'"#/components/(\w+)/([^"]+)"', text)):
        assert name in DOCUMENT["components"][kind], name


def test_the_document_and_its_page_are_served_to_everybody(served):
    answer = served.client.get("/openapi.json")
    assert answer.json() == json.loads(json.dumps(DOCUMENT))
    page = served.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src" not in page.headers["content-security-policy"]
    assert re.findall(r'(?:src|href)="(.*?)"', page.text) == [
        "/static/vendor/rapidoc-9.3.8/rapidoc-min.js",
        "/openapi.json",
    ]


def test_every_link_leads_to_an_operation_that_asks_for_what_it_gives():
    known = {said["operationId"]: said for _, _, said in operations()}
    for _, _, said in operations():
        for answer in said["responses"].values():
            for name, link in answer.get("links", {}).items():
                to = known[link["operationId"]]
                assert (name, to["operationId"] != said["operationId"]) == (link["operationId"], True)
                asked = {one["name"] for one in to["parameters"] if one["in"] == "path"}
                assert set(link.get("parameters", {})) == asked, f"{said['operationId']} → {name}"
    opened = known["open_dispute"]["responses"]["201"]["links"]
    assert set(BY_HAND) | {"read_dispute", "read_timeline", "list_evidence"} == set(opened)


# --- true ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A market that nonsense is sent to."""
    market = Market(tmp_path_factory.mktemp("nonsense"))
    served = Served(market)
    for _ in range(3):
        served.open(market.order(), "damaged", "40.00")
    yield served
    served.close()
    market.database.close()


# --- every operation, to its end -----------------------------------------------------------------------------------

OPERATIONS = {said["operationId"]: (path, method, said) for path, method, said in operations()}


def test_there_is_a_way_to_succeed_for_every_operation_and_for_no_other():
    assert set(WAYS) == set(OPERATIONS)


def succeeds(served, name: str, way: Way, **more: str):
    """Send it; the answer must be a success, and one that the document says."""
    path, method, _ = OPERATIONS[name]
    headers = {"Authorization": f"Bearer {served.key(*ROLES)}"} | way.headers | more
    body = {"content": way.content} if way.content else {} if way.body is None else {"json": way.body}
    url = path.format(**way.names)
    answer = served.client.request(method.upper(), url, params=way.query, headers=headers, **body)
    assert 200 <= answer.status_code < 300, answer.text
    validated(SCHEMA[path][method].Case(path_parameters=way.names), answer)
    return answer


@pytest.mark.parametrize("name", WAYS)
def test_every_operation_succeeds_with_every_success_that_the_document_says(world, name):
    _, method, said = OPERATIONS[name]
    made, statuses = WAYS[name](world), set()
    ways = made if isinstance(made, list) else [made]
    if "dry_run" in [one["name"] for one in said["parameters"]]:
        asked = structs.replace(ways[0], query=ways[0].query | {"dry_run": "true"})
        statuses.add(str(succeeds(world, name, asked).status_code))
    for n, way in enumerate(ways):
        key = {"Idempotency-Key": f"{name}-{n}"} if method == "post" else {}
        first = succeeds(world, name, way, **key)
        statuses.add(str(first.status_code))
        if key:
            knows_its_key(said, first, succeeds(world, name, way, **key))
    assert statuses == {status for status in said["responses"] if status[0] == "2"}


def knows_its_key(said, first, again) -> None:
    """What was sent again with its key was done once where the document speaks of keys, and nowhere else."""
    told = "Idempotency-Key" in [one["name"] for one in said["parameters"]]
    if first.status_code == 207:
        assert [(one["id"], one["status"]) for one in again.json()["data"]] == [
            (one["id"], 200) for one in first.json()["data"]
        ]
        return
    assert (again.headers.get("idempotency-replayed") == "true") == told
    assert not told or again.json() == first.json()


@SCHEMA.parametrize()
@FEW
def test_whatever_is_sent_the_answer_is_one_that_the_document_says(place, case):
    validated(case, sent(place, case))


@pytest.mark.long
@SCHEMA.parametrize()
@settings(FEW, max_examples=200, derandomize=False)
def test_so_is_the_answer_to_much_more(place, case):
    validated(case, sent(place, case))
