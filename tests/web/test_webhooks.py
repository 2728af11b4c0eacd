"""Webhooks: signed as the specification says, tried again over days, told once more on request, never sent inside; and
what a provider says by itself."""

import asyncio
import http.server
import json
import queue
import socketserver
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from houbao.core.terms import Refused
from houbao.engine import announcing
from houbao.engine.announcing import BACKOFF, LEASE, Answered, Delivered, Hook, Secret
from houbao.gateways import webhooks
from houbao.gateways.webhooks import Poster, check_url, public, signatures
from houbao.serving import announcer_of
from houbao.store.aside import Aside
from houbao.store.hooks import Hooks
from houbao.store.sqlite import connect, transaction
from houbao.web.site import PART
from web.served import SIGNING, money

URL = "https://shop.example/hook"


def hook(url: str = URL, **changed) -> Hook:
    """A webhook of everything."""
    secrets = (Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),)
    told = {"id": "webhook_1", "url": url, "types": (), "store": "", "secrets": secrets}
    return Hook(**told | {"created_at": datetime(2026, 1, 1, tzinfo=UTC)} | changed)


# --- signatures ----------------------------------------------------------------------------------------------------


def test_the_published_example_is_signed_as_published():
    at = datetime.fromtimestamp(1614265330, UTC)
    signed = signatures(hook(), "msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_after_a_rotation_both_secrets_sign_for_a_day(served):
    served.wall = datetime.now(UTC)
    made = served.post("/v1/webhooks", {"url": URL})
    turned = served.post(f"/v1/webhooks/{made['id']}/rotate-secret")
    assert turned["secret"] != made["secret"]
    (kept,) = [one for one in served.hooks() if one.id == made["id"]]
    now = datetime.now(UTC)
    both = signatures(kept, "msg_1", now, "{}")
    for secret in (made["secret"], turned["secret"]):
        headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": both}
        Webhook(secret).verify("{}", headers)
    later = signatures(kept, "msg_1", served.wall + timedelta(hours=24), "{}")
    assert len(later.split()) == 1


def test_the_same_key_turns_the_secret_once(served):
    made = served.post("/v1/webhooks", {"url": URL})
    path = f"/v1/webhooks/{made['id']}/rotate-secret"
    turned = served.post(path, Idempotency_Key="k1")
    again = served.call("POST", path, Idempotency_Key="k1")
    assert (again.json(), again.headers["idempotency-replayed"]) == (turned, "true")
    assert [one.secret for one in served.hooks()[0].secrets] == [turned["secret"], made["secret"]]
    assert served.post(path, Idempotency_Key="k2")["secret"] != turned["secret"]
    other = served.post("/v1/webhooks", {"url": URL})["id"]
    refused = served.refuse(f"/v1/webhooks/{other}/rotate-secret", Idempotency_Key="k1")
    assert refused["code"] == "key_reused"


def test_secrets_that_are_turned_quickly_each_sign_for_their_day(served):
    made = served.post("/v1/webhooks", {"url": URL})
    turned = [made["secret"]]
    for _ in range(3):
        served.wall += timedelta(hours=10)
        turned.insert(0, served.post(f"/v1/webhooks/{made['id']}/rotate-secret")["secret"])
    assert [one.secret for one in served.hooks()[0].secrets] == turned
    served.wall += timedelta(hours=10)
    turned.insert(0, served.post(f"/v1/webhooks/{made['id']}/rotate-secret")["secret"])
    assert [one.secret for one in served.hooks()[0].secrets] == turned[:4]


# --- telling -------------------------------------------------------------------------------------------------------


class Receiver:
    """A receiver that answers as told and keeps what it got."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[str, dict]] = []

    def send(self, hook: Hook, message: str, body: bytes, at: datetime) -> Answered:
        status = self.answers.pop(0) if self.answers else 200
        self.got.append((message, json.loads(body)))
        return Answered(status)


@pytest.fixture
def told(served):
    """The market with a receiver, and who tells it."""
    served.receiver = Receiver()
    served.announcer = announcer_of(served.site.hooks, lambda: served.wall)
    served.announcer.send = served.receiver.send
    return served


def test_every_event_from_now_on_is_told_once_in_order(told):
    told.post("/v1/webhooks", {"url": URL})
    order = told.market.order()
    dispute = told.open(order, "damaged", "40.00")
    told.announcer.run()
    told.announcer.run()
    types = [body["type"] for _, body in told.receiver.got]
    assert types == ["order_placed", "order_paid", "order_moved", "order_moved", "dispute_opened"]
    message, body = told.receiver.got[-1]
    assert message == f"msg_0_{dispute.rsplit('_', 1)[1]}"
    assert body["data"]["dispute_id"] == dispute
    assert body["timestamp"] == body["data"]["at"]
    assert "statement" not in json.dumps(body)


def test_a_webhook_is_told_of_its_own_types_and_store_alone(told):
    told.post("/v1/webhooks", {"url": URL, "types": ["dispute_opened"], "store_id": "elm"})
    told.open(told.market.order(), "damaged", "40.00")
    told.post("/v1/stores", {"id": "elm"})
    dispute = told.open(told.market.order(store="elm", buyer="bob"), "damaged", "40.00")
    told.announcer.run()
    assert [body["data"]["dispute_id"] for _, body in told.receiver.got] == [dispute]


def test_what_is_not_taken_is_tried_again_over_three_days_and_then_given_up(told):
    made = told.post("/v1/webhooks", {"url": URL, "types": ["dispute_opened"]})
    told.open(told.market.order(), "damaged", "40.00")
    told.receiver.answers = [500] * 100
    told.announcer.run()
    for wait in BACKOFF:
        (due,) = told.get(f"/v1/webhooks/{made['id']}/deliveries")["data"]
        assert (due["state"], due["status"]) == ("due", 500)
        tries = due["tries"]
        told.wall += wait - timedelta(seconds=1)
        assert told.announcer.run() == 0
        told.wall += timedelta(seconds=1)
        assert told.announcer.run() == 1
        assert told.get(f"/v1/webhooks/{made['id']}/deliveries")["data"][0]["tries"] == tries + 1
    assert timedelta(days=2) < sum(BACKOFF, timedelta()) < timedelta(days=4)
    (given_up,) = told.get(f"/v1/webhooks/{made['id']}/deliveries?state=failed")["data"]
    told.wall += timedelta(days=30)
    assert told.announcer.run() == 0
    told.receiver.answers = []
    told.post(f"/v1/webhooks/{made['id']}/redeliver", {"delivery_id": given_up["id"]})
    assert told.announcer.run() == 1
    (done,) = told.get(f"/v1/webhooks/{made['id']}/deliveries?state=done")["data"]
    assert (done["id"], done["status"]) == (given_up["id"], 200)


def test_who_tells_locks_nothing_while_nothing_is_to_be_told(told):
    """Given that all is told but what is due tomorrow, and that somebody else writes."""
    told.post("/v1/webhooks", {"url": URL, "types": ["order_paid", "dispute_opened"]})
    told.open(told.market.order(), "damaged", "40.00")
    told.receiver.answers = [200, 500]
    assert told.announcer.run() == 2
    with closing(connect(told.market.database.path)) as other, transaction(other):
        assert told.announcer.run() == 0
        told.wall += BACKOFF[0]
        assert len(told.site.hooks.waiting(PART, told.wall)) == 1
    assert told.announcer.run() == 1


def test_what_two_tellers_see_waiting_one_of_them_is_given(told):
    made = told.post("/v1/webhooks", {"url": URL, "types": ["dispute_opened"]})["id"]
    told.open(told.market.order(), "damaged", "40.00")
    one, other = told.site.hooks, Hooks(told.market.database.path)
    looked = [book.gather(PART, 100, told.wall) for book in (one, other)]
    assert (looked[0] > 0, looked[1]) == (True, 0)
    assert [book.waiting(PART, told.wall) for book in (one, other)] == [[made], [made]]
    calls = [book.claim(PART, made, told.wall, timedelta(minutes=1)) for book in (one, other)]
    assert [call is None for call in calls] == [False, True]
    assert other.waiting(PART, told.wall) == []
    other.close()


def test_who_comes_late_changes_nothing_of_a_delivery_that_is_anothers_by_now(told):
    """Given a teller whose lease ended while it was at it."""
    made = told.post("/v1/webhooks", {"url": URL, "types": ["dispute_opened"]})["id"]
    told.open(told.market.order(), "damaged", "40.00")
    book = told.site.hooks
    book.gather(PART, 100, told.wall)
    late = book.claim(PART, made, told.wall, LEASE)
    told.wall += LEASE
    quick = book.claim(PART, made, told.wall, LEASE)
    how = {"hook": made, "position": quick.event.position, "tried_at": told.wall}
    book.settle(PART, quick, Delivered(state="done", status=200, **how))
    book.settle(PART, late, Delivered(state="due", due_at=told.wall + BACKOFF[0], **how))
    (delivered,) = told.get(f"/v1/webhooks/{made}/deliveries")["data"]
    assert (delivered["state"], delivered["status"]) == ("done", 200)


def test_one_receiver_who_is_down_keeps_no_other_waiting(told):
    down = told.post("/v1/webhooks", {"url": "https://down.example/", "types": ["dispute_opened"]})
    told.post("/v1/webhooks", {"url": URL, "types": ["dispute_opened"]})
    sent = told.receiver.send
    told.announcer.send = lambda one, *rest: Answered(0, "down") if one.id == down["id"] else sent(one, *rest)
    told.open(told.market.order(), "damaged", "40.00")
    told.announcer.run()
    assert len(told.receiver.got) == 1


def test_webhooks_take_turns_and_one_that_fails_is_told_nothing_more_in_that_run(told):
    slow, down, other = (
        told.post("/v1/webhooks", {"url": f"https://{name}.example/", "types": ["dispute_opened"]})["id"]
        for name in ("slow", "down", "other")
    )
    calls = []

    def answer(one: Hook, *message) -> Answered:
        calls.append(one.id)
        return Answered(0 if one.id == down else 200)

    told.announcer.send = answer
    for _ in range(3):
        told.open(told.market.order(), "damaged", "40.00")
        told.wall += timedelta(seconds=1)
    assert told.announcer.run() == 7
    assert sorted(calls[:3]) == sorted([slow, down, other])
    assert (calls.count(slow), calls.count(down), calls.count(other)) == (3, 1, 3)
    assert set(calls[3:5]) == set(calls[5:]) == {slow, other}


def test_a_run_calls_a_webhook_so_often_at_most_and_stops_when_it_is_told_to(told, monkeypatch):
    monkeypatch.setattr(announcing, "MOST_CALLS", 2)
    told.post("/v1/webhooks", {"url": URL})
    told.open(told.market.order(), "damaged", "40.00")
    assert told.announcer.run(stopped=lambda: bool(told.receiver.got)) == 1
    assert (told.announcer.run(), told.announcer.run(), told.announcer.run()) == (2, 2, 0)


@pytest.mark.parametrize("how", ["ended", "gone"])
def test_a_webhook_that_ended_or_answers_gone_is_told_no_more(told, how):
    made = told.post("/v1/webhooks", {"url": URL, "types": ["dispute_opened"]})
    told.open(told.market.order(), "damaged", "40.00")
    if how == "ended":
        told.post(f"/v1/webhooks/{made['id']}/end")
    told.receiver.answers = [410]
    told.announcer.run()
    told.open(told.market.order(), "damaged", "40.00")
    told.announcer.run()
    assert len(told.receiver.got) == (0 if how == "ended" else 1)
    assert told.get(f"/v1/webhooks/{made['id']}")["ended_at"] is not None


def test_a_secret_that_is_turned_during_a_delivery_is_kept_though_that_was_answered_gone(told):
    made = told.post("/v1/webhooks", {"url": URL, "types": ["dispute_opened"]})
    told.open(told.market.order(), "damaged", "40.00")
    turned = []

    def gone(*message) -> Answered:
        turned.append(told.post(f"/v1/webhooks/{made['id']}/rotate-secret")["secret"])
        return Answered(410)

    told.announcer.send = gone
    told.announcer.run()
    (kept,) = told.hooks()
    assert [one.secret for one in kept.secrets] == [*turned, made["secret"]]
    assert kept.ended_at == told.wall


def test_a_webhook_that_ends_while_its_secret_is_turned_stays_ended(served):
    made = served.post("/v1/webhooks", {"url": URL})
    draw = served.site.new_secret

    def while_it_ends() -> str:
        served.site.hooks.end(0, made["id"], served.wall)
        return draw()

    served.site.new_secret = while_it_ends
    assert served.post(f"/v1/webhooks/{made['id']}/rotate-secret")["ended_at"] is not None
    (kept,) = served.hooks()
    assert (kept.ended_at, len(kept.secrets)) == (served.wall, 2)


def test_the_same_key_makes_one_webhook_and_another_content_is_refused(served):
    first = served.post("/v1/webhooks", {"url": URL}, Idempotency_Key="k1")
    again = served.call("POST", "/v1/webhooks", {"url": URL}, Idempotency_Key="k1")
    assert (again.json(), again.headers["idempotency-replayed"]) == (first, "true")
    assert served.refuse("/v1/webhooks", {"url": f"{URL}/2"}, Idempotency_Key="k1")["code"] == "key_reused"


def test_no_request_about_webhooks_or_links_waits_for_the_database_where_all_others_wait_too(served, monkeypatch):
    writing, wrote = Aside.writing, []

    def noted(rows):
        try:
            asyncio.get_running_loop()
            wrote.append("on the loop")
        except RuntimeError:
            wrote.append("in a thread")
        return writing(rows)

    headers = served.headers("platform")
    monkeypatch.setattr(Aside, "writing", noted)
    ask = partial(served.client.request, "POST", headers=headers)
    path = f"/v1/webhooks/{ask('/v1/webhooks', json={'url': URL}).json()['id']}"
    ask(f"{path}/rotate-secret")
    ask(f"{path}/redeliver", json={"delivery_id": "msg_0_1"})
    ask(f"{path}/end")
    ask("/v1/portal-sessions", json={"buyer_id": "ann"})
    assert wrote == ["in a thread"] * 5


# --- where it may go -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "ftp://shop.example/",
        "https://",
        "https:///path",
        "https://user:word@shop.example/",
        "https://shop.example:0/",
        "https://shop.example:99999/",
        "javascript:alert(1)",
        "https://shop.example/" + "x" * 2048,
        "https://[::1",
    ],
)
def test_an_address_that_is_no_full_https_one_is_refused(served, url):
    with pytest.raises(Refused) as refused:
        check_url(url)
    assert refused.value.code == "bad_url"
    assert served.refuse("/v1/webhooks", {"url": url})["code"] == "bad_url"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.7",
        "172.16.4.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::7",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "fec0::1",
        "2002:7f00:1::",
        "2002:5db8:d822::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "64:ff9b::169.254.169.254",
    ],
)
def test_no_address_inside_is_connected_to(address, monkeypatch):
    def connect(*to, **more):
        raise AssertionError(f"connected to {to}")

    monkeypatch.setattr(webhooks.socket, "create_connection", connect)
    assert not public(address)
    at = datetime.now(UTC)
    for addresses in ([address], ["203.0.113.9", address]):
        poster = Poster(resolve=lambda host, port, found=addresses: found)
        answered = poster.send(hook(), "msg_1", b"{}", at)
        assert (answered.status, answered.detail) == (0, "the address is not one of the open internet")


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::93.184.215.14"])
def test_an_address_of_the_open_internet_is(address):
    assert public(address)


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    asked: list[tuple[str, int]] = []

    def connect(to, timeout):
        asked.append(to)
        raise ConnectionRefusedError

    monkeypatch.setattr(webhooks.socket, "create_connection", connect)
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    Poster(resolve=lambda host, port: answers.pop(0)).send(hook(), "msg_1", b"{}", datetime.now(UTC))
    assert asked == [("93.184.215.14", 443)]
    assert answers == [["127.0.0.1"]]


class Dripping(socketserver.BaseRequestHandler):
    """Answers byte by byte, each of them there in time: for four seconds, if it is not cut off."""

    def handle(self):
        try:
            self.request.sendall(self.server.begins)
            for _ in range(80):
                self.request.sendall(b"x")
                time.sleep(0.05)
            self.request.sendall(b"\r\n\r\n")
            self.server.ended.put("by itself")
        except OSError:
            self.server.ended.put("cut off")


@pytest.mark.parametrize(
    ("scheme", "begins"),
    [
        ("http", b"HTTP/1.1 200 OK\r\nX: "),
        ("http", b"HTTP/1.1 200 OK\r\n\r\n"),
        ("https", b"\x16\x03\x03\x40\x00"),
    ],
    ids=["head", "body", "handshake"],
)
def test_a_receiver_who_answers_byte_by_byte_is_heard_for_so_long_and_no_longer(scheme, begins, monkeypatch):
    monkeypatch.setattr(webhooks, "SECONDS", 0.4)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dripping) as server:
        server.begins, server.ended = begins, queue.Queue()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            to = hook(f"{scheme}://127.0.0.1:{server.server_address[1]}/")
            answered = Poster(local=True).send(to, "msg_1", b"{}", datetime.now(UTC))
            assert server.ended.get(timeout=30) == "cut off"
        finally:
            server.shutdown()
    assert answered.status == 0
    assert answered.detail.startswith("no answer")


def test_a_name_that_is_not_found_in_time_is_no_answer(monkeypatch):
    monkeypatch.setattr(webhooks, "SECONDS", 0.1)
    never = threading.Event()
    poster = Poster(resolve=lambda host, port: [str(never.wait(30))])
    try:
        answered = poster.send(hook(), "msg_1", b"{}", datetime.now(UTC))
    finally:
        never.set()
    assert answered == Answered(0, "no answer: TimeoutError")


def test_a_real_receiver_gets_a_message_that_it_can_verify_and_a_redirect_is_not_followed():
    got: list[tuple[dict, bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(307 if self.path == "/away" else 204)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *said):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        at, poster = datetime.now(UTC), Poster(local=True)
        to = f"http://127.0.0.1:{server.server_port}"
        assert poster.send(hook(f"{to}/hook"), "msg_1", b'{"a":1}', at).status == 204
        assert poster.send(hook(f"{to}/away"), "msg_2", b"{}", at).status == 307
    finally:
        server.shutdown()
        server.server_close()
    (headers, body), _ = got
    headers = {name.lower(): value for name, value in headers.items()}
    assert Webhook(hook().secrets[0].secret).verify(body.decode(), headers) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(hook().secrets[0].secret).verify(body.decode() + " ", headers)


# --- what a provider says ------------------------------------------------------------------------------------------


def said(served, body: dict, *, secret: str = SIGNING, at: datetime | None = None, provider: str = "sandbox"):
    """A message of the provider, signed."""
    at, text = at or datetime.now(UTC), json.dumps(body)
    headers = {
        "webhook-id": "msg_9",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_9", at, text),
        "content-type": "application/json",
    }
    return served.client.post(f"/v1/providers/{provider}/webhook", content=text, headers=headers)


def unknown_refund(served) -> tuple[str, str]:
    """(dispute, key) of a refund for which nobody answered."""
    dispute = served.open(served.market.order(commission="40.00"), "damaged", "40.00")
    served.post(f"/v1/disputes/{dispute}/rule", {"finding": "justified", "reason": "photos"}, role="agent")
    served.market.provider.script = ["timeout_paid", "look_down"]
    served.market.work()
    (refund,) = served.get(f"/v1/disputes/{dispute}")["refunds"]
    assert refund["shares"][0]["state"] == "unknown"
    return dispute, refund["shares"][0]["attempt_id"]


def test_what_the_provider_says_of_a_refund_counts_once(served):
    dispute, key = unknown_refund(served)
    told = {"type": "refund", "key": key, "result": "paid"}
    assert said(served, told).json() == {"changed": True}
    assert said(served, told).json() == {"changed": False}
    assert served.get(f"/v1/disputes/{dispute}")["outcome"] == "refunded"
    assert served.market.funds() == ("200.00", "960.00", "0.00")


def test_a_chargeback_freezes_the_dispute(served):
    order = served.market.order()
    dispute = served.open(order, "damaged", "40.00")
    told = {
        "type": "chargeback",
        "order_id": f"order_0_{order}",
        "payment_id": "card",
        "reference": "cb-1",
        "amount": money("40.00"),
        "state": "opened",
    }
    assert said(served, told).json() == {"changed": True}
    assert served.get(f"/v1/disputes/{dispute}")["frozen"] is True


def test_what_a_provider_signs_is_read_strictly(served):
    word = {"type": "refund", "key": "attempt_0_1"}
    long = word | {"result": "refused", "code": "x" * 201}
    for told, field in ((word, "result"), ({"type": "rumour"}, "type"), (long, "code")):
        answer = said(served, told)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_field")
        assert answer.json()["detail"].startswith(f"{field}: ")


def test_what_is_not_signed_by_that_provider_of_late_is_not_heard(served):
    _, key = unknown_refund(served)
    told = {"type": "refund", "key": key, "result": "paid"}
    before = served.market.contents()
    other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    late = datetime.now(UTC) - timedelta(minutes=6)
    for answer in (
        said(served, told, secret=other),
        said(served, told, at=late),
        said(served, told, provider="elsewhere"),
        served.client.post("/v1/providers/sandbox/webhook", json=told),
        served.client.post("/v1/providers/sandbox/webhook", json={"type": "nothing known"}),
        served.client.post("/v1/providers/sandbox/webhook", content=b"no JSON"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    assert served.market.contents() == before
