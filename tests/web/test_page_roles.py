"""Every page and form of the console × everybody who may sign in: who is let in, who is refused."""

import re

import lxml.html
import pytest

from given import Market
from houbao.web.console import HANDLERS
from web.desk import PAGE, signed_in
from web.served import Served

LETTERS = {"b": "buyer", "S": "seller", "a": "agent", "f": "finance", "A": "admin", "-": "nobody"}

MAY = {
    "GET /": "bSafA",
    "GET /sign-in": "-bSafA",
    "POST /sign-in": "-bSafA",
    "GET /language/{code}": "-bSafA",
    "GET /appearance/{theme}": "-bSafA",
    "GET /styleguide": "-bSafA",
    "GET /account": "bSafA",
    "POST /account/password": "bSafA",
    "GET /disputes": "bSafA",
    "GET /disputes/{dispute_id}": "bSafA",
    "POST /disputes/{dispute_id}/{deed}/preview": "bSafA",
    "POST /disputes/{dispute_id}/{deed}": "bSafA",
    "POST /disputes/{dispute_id}/evidence": "bSafA",
    "GET /orders": "bSafA",
    "GET /orders/{order_id}": "bSafA",
    "POST /orders/{order_id}/messages": "bSa",
    "POST /orders/{order_id}/goodwill/preview": "S",
    "POST /orders/{order_id}/goodwill": "S",
    "GET /orders/{order_id}/dispute": "b",
    "POST /orders/{order_id}/dispute/details": "b",
    "POST /orders/{order_id}/dispute/preview": "b",
    "POST /orders/{order_id}/dispute/send": "b",
    "GET /inbox": "bSafA",
    "GET /records": "SafA",
    "GET /records/{currency}": "SafA",
    "GET /records/{currency}/held": "SafA",
    "GET /records/{currency}/{place}": "SafA",
    "GET /score": "SafA",
    "GET /guarantee": "SafA",
    "GET /guarantee/{wish}": "SafA",
    "POST /guarantee/{wish}/send": "SA",
    "GET /live/disputes/{dispute_id}": "bSafA",
    "GET /live/inbox": "bSafA",
    "GET /queue/{name}": "a",
    "POST /queue/{name}/next": "a",
    "GET /cases/{dispute_id}": "afA",
    "POST /cases/{dispute_id}/{deed}/preview": "af",
    "POST /cases/{dispute_id}/{deed}": "af",
    "GET /fund": "fA",
    "POST /fund/{booking}/preview": "fA",
    "POST /fund/{booking}": "fA",
    "GET /fund/movements": "fA",
    "GET /fund/movements.csv": "fA",
    "GET /fund/sums": "fA",
    "GET /fund/reserves": "fA",
    "POST /fund/reserves": "fA",
    "POST /fund/reserves/line/preview": "fA",
    "POST /fund/reserves/line": "fA",
    "GET /fund/reconcile": "fA",
    "POST /fund/reconcile": "fA",
    "GET /refunds": "fA",
    "POST /refunds/{dispute_id}/{attempt}/look-up": "f",
    "GET /debts": "fA",
    "GET /debts/{store}": "fA",
    "GET /policies": "afA",
    "GET /policies/{version}": "afA",
    "GET /publish": "fA",
    "POST /publish/check": "fA",
    "POST /publish": "fA",
    "GET /people": "A",
    "POST /people": "A",
    "POST /people/{user}/password": "A",
    "POST /people/{user}/close": "A",
    "GET /keys": "A",
    "POST /keys": "A",
    "POST /keys/{key}/revoke": "A",
    "GET /webhooks": "A",
    "POST /webhooks": "A",
    "GET /webhooks/{webhook}": "A",
    "POST /webhooks/{webhook}/secret": "A",
    "POST /webhooks/{webhook}/end": "A",
    "POST /webhooks/{webhook}/deliveries/{delivery}/again": "A",
    "GET /stores": "A",
    "GET /stores/{store}": "A",
    "POST /stores/{store}/{act}/preview": "A",
    "POST /stores/{store}/{act}": "A",
    "GET /outages": "A",
    "POST /outages/preview": "A",
    "POST /outages": "A",
    "GET /audit": "A",
}
"""Page or form → who gets as far as asking, written out by hand: it is not made from the table that it checks."""

REFUSED = re.compile(r"may not do this \(")


def test_every_page_and_form_is_in_the_table_and_no_other():
    routes = {
        f"{min(handler.http_methods)} {path.replace(':str', '')}" for handler in HANDLERS for path in handler.paths
    }
    assert routes == set(MAY)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    market = Market(tmp_path_factory.mktemp("pages"))
    served = Served(market)
    yield served
    served.close()
    market.database.close()


@pytest.mark.parametrize("letter", LETTERS)
def test_a_page_lets_in_those_who_may_and_nobody_else(place, letter):
    headers, before = signed_in(place, LETTERS[letter]), place.market.contents()["events"]
    for route, may in MAY.items():
        method, path = route.split()
        if letter in may and path.startswith("/live/"):
            continue  # goes on until its reader leaves
        # What no path names is there: who may gets as far as being told so, and nothing is done.
        path = re.sub(r"\{\w+\}", "no-such-one", path)
        answer = place.client.request(method, path, headers=headers | PAGE, follow_redirects=False)
        told = (route, answer.status_code)
        assert answer.status_code != 500, told
        if letter in may:
            assert not REFUSED.search(answer.text), told
            assert not answer.headers.get("location", "").startswith("/sign-in"), told
        elif letter == "-":
            assert answer.status_code == 303, told
            assert answer.headers["location"].startswith("/sign-in"), told
        else:
            assert answer.status_code == 403, told
            assert REFUSED.search(answer.text), told
    assert place.market.contents()["events"] == before


ENGLISH = re.compile(r"[a-z]{2,},? [a-z]{2,}")


@pytest.mark.parametrize("letter", LETTERS)
def test_no_page_and_no_refusal_of_one_says_an_english_sentence_to_who_reads_chinese(place, letter):
    headers, chinese = signed_in(place, LETTERS[letter]), PAGE | {"Accept-Language": "zh-CN"}
    for route in MAY:
        method, path = route.split()
        if path.startswith("/live/") or path in ("/styleguide", "/publish", "/fund/movements.csv"):
            continue  # goes on until its reader leaves; invented content; the text of the policy itself; no page
        path = re.sub(r"\{\w+\}", "no-such-one", path)
        answer = place.client.request(method, path, headers=headers | chinese)
        page = lxml.html.fromstring(answer.text)
        for code in page.xpath("//code | //pre | //textarea"):
            code.drop_tree()
        said = ENGLISH.findall(page.get_element_by_id("main").text_content())
        assert said == [], route
