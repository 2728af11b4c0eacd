"""Refusals over HTTP: every code that only the web says, produced; status and hint as docs/errors.md has them."""

import asyncio
import re

import pytest

from given import DAY
from houbao.core.terms import Refused
from houbao.web import signin
from houbao.web.problems import KNOWN, problem
from houbao.web.uploads import MOST_UPLOADS
from test_errors import codes_in_source, rows_of_page
from web.served import claim, money
from web.ways import hook


def test_status_and_hint_are_those_of_the_page():
    for code, (_, _, hint, status) in rows_of_page(4).items():
        assert KNOWN[code] == (int(status), re.sub(r"\[(.*?)\]\(.*?\)", r"\1", hint)), code
    assert set(KNOWN) == set(rows_of_page(4))


# --- every code that only the web says -----------------------------------------------------------------------------

PRODUCED = {}
ON_PAGES_ALONE = {"bad_file"}
"""What no operation of the API refuses; see test_reconcile_page.py."""

OF_THE_WRITER_TOO = {"too_large"}
"""What the writer says of a list that never fits, and the web of a body."""


def produces(scene):
    """A scene that ends in the answer whose code it is named after."""
    PRODUCED[scene.__name__] = scene
    return scene


def test_there_is_a_scene_for_every_code_of_the_web():
    of_the_web = codes_in_source(web=True) - (codes_in_source() - OF_THE_WRITER_TOO)
    assert set(PRODUCED) | ON_PAGES_ALONE == of_the_web


@produces
def bad_request(served):
    return served.call("GET", "/v1/disputes?limit=all")


@produces
def bad_cursor(served):
    return served.call("GET", "/v1/disputes?after=elsewhere")


@produces
def bad_list(served):
    return served.call("POST", "/v1/disputes", [])


@produces
def actor_needed(served):
    dispute = served.open(served.market.order(), "damaged", "40.00")
    return served.call("POST", f"/v1/disputes/{dispute}/messages", {"message": "hello"})


@produces
def unauthenticated(served):
    return served.client.get("/v1/disputes", headers={"Authorization": "Bearer hb_0_guess"})


@produces
def bad_form(served):
    headers = served.session("portal", "seller", "oak", "oak") | {"X-CSRF-Token": "guess"}
    return served.client.put("/v1/stores/oak/enrolment", json={"enrolled": False}, headers=headers)


@produces
def not_found(served):
    return served.call("GET", "/v1/elsewhere")


@produces
def method_not_allowed(served):
    return served.call("DELETE", "/v1/disputes")


@produces
def too_large(served):
    return served.call("POST", "/v1/stores", {"id": "elm", "name": "x" * (1 << 20)})


@produces
def unsupported_media(served):
    headers = served.headers("platform") | {"Content-Type": "text/plain"}
    return served.client.post("/v1/stores", content=b'{"id": "elm"}', headers=headers)


@produces
def unknown_policy(served):
    return served.call("GET", "/v1/policies/1066")


@produces
def bad_policy(served):
    return served.call("POST", "/v1/policies/2030.1/publish", {"text": "version = 7"}, role="finance")


@produces
def bad_url(served):
    return served.call("POST", "/v1/webhooks", {"url": "http://127.0.0.1/"})


@produces
def unknown_webhook(served):
    return served.call("GET", "/v1/webhooks/webhook_1")


@produces
def unknown_delivery(served):
    made = served.post("/v1/webhooks", {"url": "https://shop.example/hook"})
    return served.call("POST", f"/v1/webhooks/{made['id']}/redeliver", {"delivery_id": "msg_0_1"})


@produces
def webhook_ended(served):
    names = hook(served)
    served.post(f"/v1/webhooks/{names['webhook_id']}/end")
    (one, *_) = served.get(f"/v1/webhooks/{names['webhook_id']}/deliveries")["data"]
    return served.call("POST", f"/v1/webhooks/{names['webhook_id']}/redeliver", {"delivery_id": one["id"]})


@produces
def bad_signature(served):
    body = {"type": "refund", "key": "attempt_0_1", "result": "paid"}
    return served.call("POST", "/v1/providers/sandbox/webhook", body)


@produces
def link_used(served):
    url = served.post("/v1/portal-sessions", {"buyer_id": "ann"})["url"]
    path = url.removeprefix("https://claims.example")
    assert served.client.get(path, follow_redirects=False).status_code == 303
    served.client.cookies.clear()
    return served.client.get(path)


def refused_by(call) -> "Answered":
    """What the web would answer to a refusal that a page meets."""
    with pytest.raises(Refused) as caught:
        call()
    return Answered(caught.value)


class Answered:
    """A refusal as an answer."""

    def __init__(self, refused: Refused) -> None:
        self.told = problem(refused, "1")
        self.status_code = self.told.status
        self.headers = {"content-type": "application/problem+json", "x-request-id": "1"}

    def json(self):
        import msgspec

        return msgspec.to_builtins(self.told)


@produces
def too_many_uploads(served):
    for _ in range(MOST_UPLOADS):
        served.site.uploads.count("ann", served.wall)
    return refused_by(lambda: served.site.uploads.count("ann", served.wall))


@produces
def sign_in_failed(served):
    served.add_user("lee", "agent")
    return refused_by(lambda: signin.sign_in(served.site, "lee", "guess", ""))


@produces
def too_slow(served):
    """The sender goes silent in the middle of a body."""
    sent = []

    async def ask() -> None:
        from houbao.web import receiving

        parts = [{"type": "http.request", "body": b'{"id":', "more_body": True}]

        async def receive():
            if not parts:
                await asyncio.sleep(60)
            return parts.pop()

        async def send(message):
            sent.append(message)

        headers = [(b"content-type", b"application/json")]
        headers += [(name.lower().encode(), value.encode()) for name, value in served.headers("platform").items()]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/stores",
            "raw_path": b"/v1/stores",
            "query_string": b"",
            "headers": headers,
            "client": ("203.0.113.1", 1),
            "server": ("claims.example", 443),
            "scheme": "https",
            "http_version": "1.1",
            "root_path": "",
        }
        kept, receiving.SILENT_SECONDS = receiving.SILENT_SECONDS, 0.01
        try:
            await served.client.app(scope, receive, send)
        finally:
            receiving.SILENT_SECONDS = kept

    asyncio.run(ask())
    import json

    start, body = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}

    class Sent:
        status_code = start["status"]

        def json(self):
            return json.loads(body["body"])

    Sent.headers = headers
    return Sent()


@pytest.mark.parametrize("code", sorted(PRODUCED))
def test_every_code_of_the_web_can_be_produced(served, code):
    answer = PRODUCED[code](served)
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (told["code"], told["status"]) == (code, KNOWN[code][0])
    assert answer.status_code == KNOWN[code][0]
    assert told["hint"] == KNOWN[code][1]
    assert told["request_id"] == answer.headers["x-request-id"]
    assert 0 < len(told["detail"]) <= 1000


# --- what a problem tells ------------------------------------------------------------------------------------------


def test_a_refusal_of_the_policy_tells_its_rule(served):
    order = served.market.order(paid=served.market.now - 60 * DAY, promised=served.market.now - 50 * DAY)
    served.market.now += 40 * DAY
    told = served.refuse("/v1/disputes", claim(order, "damaged", "40.00"))
    assert (told["status"], told["code"]) == (422, "outside_window")
    assert told["rule"]


def test_a_mistyped_field_is_named_and_nothing_is_guessed(served):
    order = served.market.order()
    for body, field in (
        (claim(order, "damaged", "40.00") | {"amont": 1}, "amont"),
        (claim(order, "damaged", "40.00") | {"amount": {"minor": "4000", "currency": "EUR"}}, "amount.minor"),
        ({}, "order_id"),
    ):
        told = served.refuse("/v1/disputes", body)
        assert told["code"] == "bad_field"
        assert field in told["detail"]


def test_an_amount_in_another_currency_is_refused(served):
    order = served.market.order()
    body = claim(order, "damaged", "40.00") | {"amount": money("40.00", "USD")}
    assert served.refuse("/v1/disputes", body)["code"] == "bad_currency"


def test_a_fault_of_ours_says_nothing_of_what_it_was(served, monkeypatch):
    def broken() -> None:
        raise ZeroDivisionError("ann's secret")

    monkeypatch.setattr(served.site, "clock", broken)
    answer = served.call("GET", "/v1/stores")
    assert answer.status_code == 500
    assert answer.json()["code"] == "failed"
    assert "secret" not in answer.text
