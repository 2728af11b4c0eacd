"""What a sender may say beside a body, and how long until it is known what they want, is bounded."""

import asyncio
import socket
import threading
from time import sleep

import pytest
import uvicorn

from houbao.commands import connections
from houbao.commands.connections import Connection
from houbao.commands.listening import listen
from houbao.web.receiving import WHOLE

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MOST_SENT = 32 << 20
TOO_SLOW, TOO_MUCH = (
    b"HTTP/1.1 " + why + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    for why in (connections.TOO_SLOW, connections.TOO_MUCH)
)


async def length(scope, receive, send):
    """Answers how long the body was."""
    came, more = 0, True
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    here = WHOLE in scope.get("extensions", {})
    while more:
        message = await receive()
        came += len(message.get("body", b""))
        more = message.get("more_body", False)
    assert message["type"] != "http.request" or WHOLE in scope["extensions"]
    body = str(came if scope["path"] != "/here" else here).encode()
    head = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def port():
    at = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(length, http=Connection, ws="none", lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, args=([at],))
    thread.start()
    yield at.getsockname()[1]
    server.should_exit = True
    thread.join()


def answer(line):
    """One answer, whole; less where they hang up before."""
    said = b""
    while not whole(said) and (part := line.recv(65536)):
        said += part
    return said


def whole(said):
    head, ended, body = said.partition(b"\r\n\r\n")
    return ended and len(body) >= int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])


def sent(port, parts):
    """What is answered to that, sent part by part; nothing where they hang up in the middle."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        try:
            for part in parts:
                line.sendall(part)
            return answer(line)
        except (BrokenPipeError, ConnectionResetError):
            return b""


@pytest.mark.parametrize(
    ("start", "part"),
    [
        (HEAD, b"A: " + b"b" * 1000 + b"\r\n"),
        (HEAD + b"A: ", b"b" * 65536),
        (b"GET /", b"b" * 65536),
        (CHUNKED + b"0\r\n", b"A: " + b"b" * 1000 + b"\r\n"),
        (CHUNKED + b"0\r\nA: ", b"b" * 65536),
        (CHUNKED + b"1;a=", b"b" * 65536),
    ],
    ids=["many headers", "a long header", "a long path", "many trailers", "a long trailer", "a long extension"],
)
def test_who_goes_on_and_on_beside_the_body_is_hung_up_on(port, start, part):
    taken = 0

    def parts():
        nonlocal taken
        yield start
        while taken < MOST_SENT:
            taken += len(part)
            yield part

    assert sent(port, parts()) in (b"", TOO_MUCH)
    assert taken < MOST_SENT


@pytest.mark.parametrize("beginning", [b"GET / HT", HEAD + b"A: b\r\n"], ids=["a word", "a header"])
def test_who_does_not_say_what_they_want_is_hung_up_on(port, beginning, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    assert sent(port, [beginning]) == TOO_SLOW


def test_who_connects_in_advance_and_says_nothing_is_hung_up_on_without_a_word(port, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    assert sent(port, []) == b""


def test_who_was_answered_and_then_stops_in_the_middle_of_the_next_head_is_hung_up_on(port, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(HEAD + b"Content-Length: 0\r\n\r\n")
        assert answer(line).startswith(b"HTTP/1.1 200")
        line.sendall(HEAD)
        assert answer(line) == TOO_SLOW


def test_an_answer_under_way_is_not_cut_by_the_next_head_that_does_not_come(port, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        sleep(0.1)
        line.sendall(b"GET /next HT")
        assert answer(line).endswith(b"\r\n\r\n0")
        assert line.recv(1) == b"", "then they hang up"


def test_whether_a_body_is_here_to_its_end_is_known_before_it_is_read(port):
    def pieces():
        yield b"POST /here HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na"
        sleep(0.2)
        yield b"b"

    whole_at_once = [b"POST /here HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"]
    assert sent(port, whole_at_once).endswith(b"\r\n\r\nTrue")
    assert sent(port, pieces()).endswith(b"\r\n\r\nFalse")


def test_a_body_takes_as_long_as_it_takes(port, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)

    def parts():
        yield HEAD + b"Content-Length: 2\r\n\r\na"
        sleep(0.6)
        yield b"b"

    assert sent(port, parts()).endswith(b"\r\n\r\n2")


def test_a_body_may_come_in_very_small_pieces(port):
    count = 20_000
    assert sent(port, [CHUNKED, *[b"1\r\na\r\n"] * count, b"0\r\n\r\n"]).endswith(f"\r\n\r\n{count}".encode())


def test_what_comes_in_one_piece_is_answered_one_after_the_other(port):
    count = 3000
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        threading.Thread(target=line.sendall, args=((HEAD + b"Content-Length: 1\r\n\r\na") * count,)).start()
        said = b""
        while said.count(b"HTTP/1.1 200") < count or not said.endswith(b"\r\n\r\n1"):
            part = line.recv(65536)
            assert part, "they hung up"
            said += part


def test_what_is_no_request_is_said_so(port):
    assert sent(port, [b"hello\r\n\r\n"]).startswith(b"HTTP/1.1 400")
    assert sent(port, [b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n"]).startswith(b"HTTP/1.1 400")
