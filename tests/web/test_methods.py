"""HEAD and OPTIONS: what is there, and what may be done with it, without more."""

import pytest

from web.served import Served
from web.test_openapi import DOCUMENT, OPERATIONS

PLAIN = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/v1/stores/oak", "/v1/disputes", "/v1/fund"]


@pytest.mark.parametrize("path", PLAIN)
def test_head_is_answered_as_get_without_the_body(served, path):
    got, head = (served.call(method, path) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    assert int(head.headers["content-length"]) > 0


def test_a_refused_head_says_so_without_a_body(served):
    answer = served.call("HEAD", "/v1/orders/order_0_999")
    assert (answer.status_code, answer.content) == (404, b"")
    assert served.call("HEAD", "/v1/stores", role="nobody").status_code == 401
    assert served.call("HEAD", "/v1/stores/oak/repayments").status_code == 405


def test_every_get_has_its_head_and_the_document_tells_it_once(served: Served):
    reading = [path for path, method, _ in OPERATIONS.values() if method == "get"]
    for path in reading:
        asked = path.replace("{", "").replace("}", "")
        assert served.call("HEAD", asked).status_code != 405, path
    assert all("head" not in item for item in DOCUMENT["paths"].values())


@pytest.mark.parametrize("role", ["nobody", "platform", "read", "seller"])
def test_options_says_the_methods_to_everybody(served, role):
    answer = served.call("OPTIONS", "/v1/stores/oak", role=role)
    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, "GET, HEAD, OPTIONS", b"")


def test_the_figures_name_their_charset_once(served):
    assert served.call("GET", "/metrics").headers["content-type"].count("charset") == 1
