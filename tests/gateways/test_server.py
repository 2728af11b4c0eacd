import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

from houbao.engine.outside import RefundProvider, Reply
from houbao.gateways.refunds.remote import RemoteSandbox
from houbao.gateways.refunds.sandbox import Hook

NOON = datetime(2018, 7, 8, 12, tzinfo=UTC)

Start = Callable[..., tuple[int, subprocess.Popen[str]]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def start(script: str = "", port: int = 0) -> tuple[int, subprocess.Popen[str]]:
        command = [sys.executable, "-m", "houbao.gateways.refunds.server", "--port", str(port)]
        command += ["--log", str(tmp_path / "bank.log"), "--script", script, "--hold", "5"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout
        words = process.stdout.readline().strip()
        assert words.startswith("listening on 127.0.0.1:")
        return int(words.rpartition(":")[2]), process

    yield start
    for process in running:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def remote(port: int) -> RemoteSandbox:
    return RemoteSandbox(port, timeout=0.3, clock=lambda: NOON)


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, object]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def payments(log: Path) -> int:
    return sum(json.loads(line).get("did") == "paid" for line in log.read_text().splitlines())


def test_a_payout_over_http_is_paid_once_and_can_be_looked_up(start: Start, tmp_path: Path) -> None:
    port, _ = start()
    provider: RefundProvider = remote(port)
    assert provider.look_up("a/5 é") == Reply("not_found")
    assert provider.pay("a/5 é", "card-1", 4000, "EUR") == Reply("paid")
    assert provider.pay("a/5 é", "card-1", 4000, "EUR") == Reply("paid")
    assert provider.look_up("a/5 é") == Reply("paid")
    assert provider.pay("a/5 é", "card-1", 1, "EUR") == Reply("refused", final=True, code="key_conflict")
    assert payments(tmp_path / "bank.log") == 1


def test_an_answer_that_does_not_come_is_unknown_and_looked_up_as_paid(start: Start, tmp_path: Path) -> None:
    port, _ = start("timeout_paid")
    began = monotonic()
    assert remote(port).pay("5", "card-1", 4000, "EUR") == Reply("unknown")
    assert 0.25 < monotonic() - began < 2
    assert remote(port).look_up("5") == Reply("paid")
    assert remote(port).pay("5", "card-1", 4000, "EUR") == Reply("paid")
    assert payments(tmp_path / "bank.log") == 1


def test_a_request_that_is_lost_is_not_found_and_then_paid_under_its_key(start: Start, tmp_path: Path) -> None:
    port, _ = start("timeout_unpaid")
    assert remote(port).pay("5", "card-1", 4000, "EUR") == Reply("unknown")
    assert remote(port).look_up("5") == Reply("not_found")
    assert remote(port).pay("5", "card-1", 4000, "EUR") == Reply("paid")
    assert payments(tmp_path / "bank.log") == 1


def test_a_bank_killed_in_the_middle_remembers_every_key(start: Start, tmp_path: Path) -> None:
    script = "timeout_paid,refuse,returned,refuse_final"
    port, process = start(script)
    assert remote(port).pay("1", "card-1", 100, "EUR") == Reply("unknown")
    assert remote(port).pay("2", "card-1", 100, "EUR") == Reply("refused", code="declined")
    assert remote(port).pay("3", "card-1", 100, "EUR") == Reply("paid")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert remote(port).look_up("1") == Reply("unknown")
    start(script, port)
    assert remote(port).pay("1", "card-1", 100, "EUR") == Reply("paid")
    assert remote(port).look_up("2") == Reply("refused", code="declined")
    assert remote(port).pay("4", "card-1", 100, "EUR") == Reply("refused", final=True, code="payment_closed")
    back = NOON + timedelta(days=3)
    assert remote(port).hooks(back) == [Hook(1, "3", "returned", back)]
    assert payments(tmp_path / "bank.log") == 2


def test_webhooks_are_handed_out_until_acknowledged(start: Start) -> None:
    port, _ = start("duplicate")
    bank = remote(port)
    bank.pay("5", "card-1", 4000, "EUR")
    soon = NOON + timedelta(seconds=1)
    assert bank.hooks(NOON) == []
    assert bank.hooks(soon) == bank.hooks(soon) == [Hook(1, "5", "paid", soon), Hook(2, "5", "paid", soon)]
    bank.acknowledge([1])
    assert [hook.id for hook in bank.hooks(soon)] == [2]


def test_a_webhook_that_comes_first_can_be_had_before_the_answer(start: Start) -> None:
    port, _ = start("webhook_first")
    patient = RemoteSandbox(port, timeout=5, clock=lambda: NOON)
    seen: list[object] = []
    payer = Thread(target=lambda: seen.append(patient.pay("5", "card-1", 4000, "EUR")))
    payer.start()
    while not seen:
        seen += patient.hooks(NOON)
        sleep(0.01)
    payer.join()
    assert seen[0] == Hook(1, "5", "paid", NOON) and seen[-1] == Reply("paid")


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"\xff\xfe",
        b"[]",
        b'{"key":"5","payment":"card-1","minor":0,"currency":"EUR"}',
        b'{"key":"5","payment":"card-1","minor":-5,"currency":"EUR"}',
        b'{"key":"5","payment":"card-1","minor":1.5,"currency":"EUR"}',
        b'{"key":"5","payment":"card-1","minor":1,"currency":"euro"}',
        b'{"key":"","payment":"card-1","minor":1,"currency":"EUR"}',
        b'{"key":"5","payment":"card-1","minor":1,"currency":"EUR","at":"2018-07-08T12:00:00"}',
    ],
)
def test_a_payout_that_makes_no_sense_is_answered_400_and_says_why(start: Start, tmp_path: Path, body: bytes) -> None:
    port, _ = start()
    status, answer = ask(port, "POST", "/payouts", body)
    assert status == 400
    assert isinstance(answer, dict) and answer["code"] == "bad_request" and answer["detail"]
    assert ask(port, "GET", "/payouts/5")[1] == {"result": "not_found", "final": False, "code": ""}
    assert payments(tmp_path / "bank.log") == 0


def test_other_requests_that_make_no_sense_are_answered_too(start: Start) -> None:
    port, _ = start()
    assert ask(port, "GET", "/hooks?now=tomorrow")[0] == 400
    assert ask(port, "GET", "/hooks?now=2018-07-08T12:00:00")[0] == 400
    assert ask(port, "POST", "/hooks/ack", b'{"hooks":"all"}')[0] == 400
    assert ask(port, "POST", "/payouts", Content_Length="65537")[0] == 413
    assert ask(port, "POST", "/payouts", Content_Length="-1")[0] == 411
    assert ask(port, "GET", "/")[0] == ask(port, "POST", "/", b"{}")[0] == 404
    assert ask(port, "GET", "/hooks") == (200, [])
    assert remote(port).pay("5", "card-1", 0, "EUR") == Reply("refused", final=True, code="bad_request")


def test_nobody_listening_is_unknown() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        bank = remote(taken.getsockname()[1])
        assert bank.pay("5", "card-1", 4000, "EUR") == bank.look_up("5") == Reply("unknown")
        assert bank.hooks(NOON) == []
        bank.acknowledge([1])


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.0 500 Oops\r\n\r\n",
        b"HTTP/1.0 503 Busy\r\n\r\n" + b'{"result":"refused"}',
        b"HTTP/1.0 404 Not Found\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nnot json",
        b'HTTP/1.0 200 OK\r\n\r\n{"result":"perhaps"}',
        b'HTTP/1.0 200 OK\r\nContent-Length: 500\r\n\r\n{"result":"paid"',
    ],
)
def test_an_answer_that_makes_no_sense_is_unknown(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_twice() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(answer)

        thread = Thread(target=answer_twice)
        thread.start()
        bank = remote(server.getsockname()[1])
        assert bank.pay("5", "card-1", 4000, "EUR") == Reply("unknown")
        assert bank.look_up("5") == Reply("unknown")
        thread.join()


def test_a_script_that_makes_no_sense_does_not_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "houbao.gateways.refunds.server", "--log", str(tmp_path / "log"), "--script", "x"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    assert ended.returncode == 2 and "behaviours are ok, refuse" in ended.stderr


def test_a_bank_asked_to_stop_stops(start: Start) -> None:
    _, process = start()
    process.terminate()
    assert process.wait(5) == 0
