"""The client against answers that no Houbao gives: cut short, none of HTTP, busy, or leading elsewhere."""

import socketserver
import threading
from contextlib import contextmanager

import pytest

from houbao.client import ApiError, Client, Unreachable


class Answering(socketserver.BaseRequestHandler):
    """Says what it was told to say, and keeps what it was asked."""

    def handle(self):
        self.server.asked.append(self.request.recv(65_536))
        self.request.sendall(self.server.says)


@contextmanager
def answering(says: bytes):
    """A server that answers everything with that."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answering) as server:
        server.says, server.asked, server.slept = says, [], []
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        server.client = Client(server.url, "hb_x", tries=3, sleep=server.slept.append)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    "says",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a"',
        b"hello\r\n\r\n",
        b"HTTP/1.1 503 x\r\nContent-Length: 100\r\n\r\n{",
    ],
    ids=["cut short", "none of HTTP", "busy and cut short"],
)
def test_what_is_no_whole_answer_is_asked_for_again_with_the_same_key_and_then_said(says):
    with answering(says) as server, pytest.raises(Unreachable):
        server.client.report("order_0_1", "paid")
    assert server.slept == [0.25, 0.5]
    assert len({line for one in server.asked for line in one.splitlines() if line.startswith(b"Idempotency-Key")}) == 1
    assert len(server.asked) == 3


def test_nobody_waits_after_the_last_try():
    busy = b"HTTP/1.1 503 x\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}"
    with answering(busy) as server, pytest.raises(Unreachable):
        server.client.order("order_0_1")
    assert server.slept == [7.0, 7.0]


def test_a_redirect_is_not_followed_for_the_key_would_go_along():
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as elsewhere:
        to = f"HTTP/1.1 302 x\r\nLocation: {elsewhere.url}/\r\nContent-Length: 0\r\n\r\n"
        with answering(to.encode()) as server, pytest.raises(ApiError) as refused:
            server.client.order("order_0_1")
    assert refused.value.status == 302
    assert elsewhere.asked == []
