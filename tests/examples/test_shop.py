"""The example shop and the client, against a real server: `houbao serve` in its own process on a fresh database."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from litestar.testing import TestClient
from standardwebhooks import Webhook

from houbao.client import ApiError, Client, Money, Unreachable

ROOT = Path(__file__).parents[2]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "houbao", *arguments], capture_output=True, text=True, env=environment(), check=True
    )
    return done.stdout


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT / "src")}


@pytest.fixture(scope="module", params=["1", "3"], ids=["one process", "three"])
def houbao(request, tmp_path_factory):
    """The address and a platform key of a Houbao that is being served, by one process or several."""
    url = f"sqlite:///{tmp_path_factory.mktemp('shop') / 'shop.db'}"
    run("db", "upgrade", "--database", url)
    run("fund", "top-up", "1000", "EUR", "--database", url)
    key = re.search(r"hb_\S+", run("keys", "add", "the shop", "--scope", "platform", "--database", url))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "houbao", "serve", "--workers", request.param, "--port", str(port), "--database", url],
        env=environment(),
        stderr=(log := tmp_path_factory.mktemp("log") / "log").open("w"),
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/healthz", server, log)
        yield address, key[0]
    finally:
        server.terminate()
        server.wait(60)


def wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    """Until the server answers; a server that ended has failed."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def client(houbao):
    return Client(*houbao)


@pytest.fixture
def shop(client, monkeypatch):
    """The example shop, joined to that Houbao, as its buyers see it."""
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "shop"))
    import shop as example

    made = example.Shop(client, SECRET)
    with TestClient(example.create(made)) as pages:
        yield made, pages


def test_a_buyer_of_the_shop_buys_is_covered_and_gets_help(shop):
    made, pages = shop
    pages.post("/buy/lamp", follow_redirects=False)
    assert "covered by the guarantee" in pages.get("/").text
    pages.post("/orders/1/delivered", follow_redirects=False)
    assert made.houbao.order(made.sales[1].houbao_id).status == "delivered"

    to_help = pages.post("/orders/1/help", follow_redirects=False)
    assert to_help.status_code == 303
    assert "/portal/" in to_help.headers["location"]


def test_the_shop_believes_a_webhook_that_is_signed_and_no_other(shop):
    made, pages = shop
    made.buy("kettle")
    body = json.dumps({"type": "dispute_opened", "data": {"order_id": made.sales[1].houbao_id}})
    at = datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", at, body),
    }
    assert pages.post("/hooks/houbao", content=body, headers=headers).status_code == 204
    assert made.sales[1].trouble == "dispute opened"

    forged = body.replace("opened", "closed")
    assert pages.post("/hooks/houbao", content=forged, headers=headers).status_code == 401
    assert made.sales[1].trouble == "dispute opened"


def document(number: int, now: datetime) -> dict:
    price = {"minor": 4000, "currency": "EUR"}
    return {
        "store_id": "ash",
        "reference": f"C-{number}",
        "buyer_id": "ann",
        "currency": "EUR",
        "lines": [{"id": "1", "item": price}],
        "payments": [{"id": f"P-{number}", "provider": "sandbox", "amount": price}],
        "placed_at": now.isoformat(),
        "paid_at": now.isoformat(),
        "shipped_at": now.isoformat(),
        "delivered_at": now.isoformat(),
        "ship_by": (now + timedelta(days=2)).isoformat(),
        "promised_by": (now + timedelta(days=7)).isoformat(),
    }


def test_the_client_opens_follows_and_withdraws_a_dispute(client):
    client.register_store("ash")
    client.enrol("ash")
    order = client.place_order(document(1, datetime.now(UTC)))
    assert order.coverage.covered

    said = client.explain(order.id, "damaged", Money(4000, "EUR"), lines=["1"])
    assert said["covered"]
    dispute = client.open_dispute(order.id, "damaged", Money(4000, "EUR"), lines=["1"], key="c-1")
    again = client.open_dispute(order.id, "damaged", Money(4000, "EUR"), lines=["1"], key="c-1")
    assert again.id == dispute.id
    assert [one.id for one in client.disputes(store_id="ash")] == [dispute.id]
    assert "withdraw" in dispute.allowed_actions

    foreseen = client.preview(dispute.id, "withdraw")
    ended = client.act(dispute.id, "withdraw")
    assert (foreseen["phase"], ended.phase, ended.outcome) == ("closed", "closed", "withdrawn")

    events, places = zip(*client.events(), strict=True)
    assert events[-1].type == "dispute_closed"
    assert list(client.events(after=places[-1])) == []


def test_a_refusal_is_an_error_with_its_code_and_what_to_do(client):
    with pytest.raises(ApiError) as refused:
        client.order("order_0_999999")
    assert refused.value.status == 404
    assert refused.value.code == "unknown_order"
    assert refused.value.hint


def test_where_nobody_answers_the_call_is_sent_again_and_then_given_up():
    waits = []
    alone = Client("http://127.0.0.1:9", "hb_none", tries=3, sleep=waits.append)
    with pytest.raises(Unreachable):
        alone.order("order_0_1")
    assert waits == [0.25, 0.5]
