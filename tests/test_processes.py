"""A server of several processes: any of them answers, one writes, and they come and go together."""

import asyncio
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from pathlib import Path

import httpx
import msgspec
import pytest

from given import SECOND, Market, T, opening
from houbao.commands import processes, relay
from houbao.commands.listening import listen_together
from houbao.commands.processes import Processes
from houbao.commands.relay import Answered, Asked, FarWriter, Line, Standing
from houbao.commands.terminal import CommandFailed
from houbao.core.disputes import OpenDispute
from houbao.core.said import Code, Said
from houbao.core.terms import Actor, Refused
from houbao.engine.deciding import asked_of
from houbao.engine.request import Outcome, Request
from houbao.engine.writer import MOST_WAITING, Writer
from houbao.settings import Settings
from houbao.store.access import Access
from houbao.store.verify import verify
from houbao.web.site import Beat
from houbao.wiring import House, create_database

ROOT = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src")}
SECONDS = 60
PROCESSES = 3
RUN = 10
"""Of a request's id so many letters say which process answered."""


class Server:
    """`houbao serve --workers 3` on a market's database."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.log = market.database.path.with_suffix(".log")
        access = Access(market.database.path)
        _, self.key = access.add_key("test", ("platform",), market.now)
        access.close()
        self.run = subprocess.Popen(
            [sys.executable, "-m", "houbao", "serve", "--workers", str(PROCESSES), "--port", str(free_port())],
            env=ENVIRONMENT | {"HOUBAO_DATABASE_URL": f"sqlite:///{market.database.path}"},
            stderr=self.log.open("w"),
        )
        wait_until(lambda: self.log.read_text().endswith("\n"))
        serving = json.loads(self.log.read_text().splitlines()[0])
        assert (serving["message"], serving["processes"]) == ("serving", PROCESSES)
        self.address = f"http://127.0.0.1:{serving['port']}"

    def ask(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        """One request on a connection of its own, so that any process may answer."""
        method, given = ("GET", {}) if body is None else ("POST", {"json": body})
        named = {"Authorization": f"Bearer {self.key}"} | {name.replace("_", "-"): to for name, to in headers.items()}
        return httpx.request(method, self.address + path, headers=named, timeout=SECONDS, **given)

    def ask_all(self, path: str, body: object = None, **headers: str) -> list[httpx.Response]:
        """The same from many at once, until every process has answered."""
        answers: list[httpx.Response] = []
        with ThreadPoolExecutor(8) as many:
            while len({one.headers["x-request-id"][:RUN] for one in answers}) < PROCESSES:
                assert len(answers) < 2000, "a process never answers"
                answers += many.map(lambda _: self.ask(path, body, **headers), range(24))
        return answers

    def beside(self) -> list[int]:
        """The processes beside the first one."""
        lists = Path(f"/proc/{self.run.pid}/task").glob("*/children")
        found = sorted(int(number) for listed in lists for number in listed.read_text().split())
        return [one for one in found if b"spawn_main" in said_of(one)]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> str:
        """The process is told to stop; what it and the others said until it had ended."""
        self.run.send_signal(how)
        self.run.wait(SECONDS)
        return self.log.read_text()


def said_of(process: int) -> bytes:
    """With what a process was begun; nothing where it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def server(market):
    server = Server(market)
    yield server
    server.run.kill()
    server.run.wait()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def claim(order: int) -> dict[str, object]:
    return {
        "order_id": f"order_0_{order}",
        "lines": [{"line_id": "1", "quantity": 1}],
        "reason": "damaged",
        "amount": {"minor": 4000, "currency": "EUR"},
    }


def wait_until(come) -> None:
    until = time.monotonic() + SECONDS
    while not come():
        assert time.monotonic() < until
        time.sleep(0.1)


# --- as a whole ----------------------------------------------------------------------------------------------------


def test_whichever_process_is_asked_the_dispute_is_opened_once_and_its_answer_is_the_same(server):
    order = server.market.order()
    opened = server.ask_all("/v1/disputes", claim(order), Idempotency_Key="once")
    assert {one.status_code for one in opened} == {201}, {one.text for one in opened}
    assert len({one.json()["id"] for one in opened}) == 1
    (count,) = server.market.database.connection.execute("SELECT count(*) FROM disputes").fetchone()
    assert count == 1
    refused = server.ask_all("/v1/disputes", claim(order))
    assert {(one.status_code, one.json()["code"], one.json()["detail"]) for one in refused} == {
        (one.status_code, one.json()["code"], one.json()["detail"]) for one in refused[:1]
    }
    assert refused[0].json()["rule"]
    server.stop()
    assert verify(server.market.database.connection) == []


def test_whichever_process_is_asked_the_figures_are_those_of_all(server):
    answers = server.ask_all("/v1/fund")
    counted = 'houbao_http_requests_total{method="GET",route="/v1/fund",status="200"} '

    def figures() -> set[float]:
        texts = [one.text for one in server.ask_all("/metrics")]
        return {float(line.removeprefix(counted)) for text in texts for line in text.splitlines() if counted in line}

    wait_until(lambda: figures() == {len(answers)})  # a request is counted once its answer was sent


def test_whichever_process_is_asked_it_says_how_the_worker_is(server):
    def known() -> bool:
        said = {one.text for one in server.ask_all("/readyz")}
        return said == {'{"status":"ok","checks":{"database":"ok","writer":"ok","worker":"ok"}}'}

    wait_until(known)


def test_a_process_that_ends_is_begun_again(server):
    wait_until(lambda: len(server.beside()) == PROCESSES - 1)
    first, *others = server.beside()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(beside := server.beside()) == PROCESSES - 1 and first not in beside)
    assert set(others) < set(server.beside())
    server.ask_all("/healthz")
    assert "a process ended" in server.stop()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_they_stop_together(server, how):
    server.ask_all("/healthz")
    beside = server.beside()
    said = server.stop(how)
    assert (server.run.returncode, "a process ended" in said) == (0, False)
    assert not any(map(is_there, beside))


def test_whichever_process_refuses_it_answers(server):
    """Given a refusal that names a state, which each language has a word for."""
    order = server.market.order()
    refused = server.ask_all(f"/v1/orders/order_0_{order}/events", {"type": "paid", "at": "2026-07-01T12:00:00Z"})
    assert {one.status_code for one in refused} == {409}


def test_a_process_that_cannot_begin_is_given_up_and_nobody_comes_to_it(market, monkeypatch, caplog):
    monkeypatch.setattr(processes, "SAID_EVERY", 0.05)
    monkeypatch.setattr(processes, "MOST_QUICK", 2)
    writer, (ours, theirs) = Writer(market.engine), listen_together("127.0.0.1", 0, 2)
    beside = Processes([theirs], print, writer, Beat())
    wait_until(lambda: "the others go on without it" in caplog.text)
    assert caplog.text.count("a process ended") == 2
    assert theirs.fileno() == -1
    beside.join(SECONDS)
    writer.stop()
    ours.close()


def test_a_port_where_others_share_is_taken():
    ours = listen_together("127.0.0.1", 0, 2)
    with pytest.raises(CommandFailed, match="Address already in use"):
        listen_together(*ours[0].getsockname(), 2)
    for one in ours:
        one.close()


def test_whoever_does_not_want_to_wait_for_what_was_begun_says_so_again(server):
    """Given people in the middle of what they say, for whom all processes would wait."""
    server.ask_all("/healthz")
    beside = server.beside()
    head = f"POST /v1/disputes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\nContent-Length: 99\r\n"
    held = [socket.create_connection(("127.0.0.1", int(server.address.rpartition(":")[2]))) for _ in range(24)]
    for one in held:
        one.sendall(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
    while server.run.poll() is None:
        server.run.send_signal(signal.SIGINT)
        time.sleep(0.5)
    assert not any(map(is_there, beside))
    assert "timeout graceful shutdown exceeded" not in server.log.read_text()
    for one in held:
        one.close()


def test_without_the_process_that_writes_the_others_end(server):
    server.ask_all("/healthz")
    beside = server.beside()
    server.run.kill()
    wait_until(lambda: not any(map(is_there, beside)))


def is_there(process: int) -> bool:
    state = Path(f"/proc/{process}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


# --- the way to the writer -----------------------------------------------------------------------------------------


def far() -> tuple[FarWriter, Line, list[Beat], list[str]]:
    """A writer that is far away, the other end of its pipe, and what it heard."""
    ours, theirs = Pipe()
    beats: list[Beat] = []
    ends: list[str] = []
    return FarWriter(theirs, told=beats.append, lost=lambda: ends.append("lost")), Line(ours), beats, ends


def damaged(market: Market) -> Request:
    return Request(opening(market.order(), "damaged", "40.00"), Actor("buyer", "ann"), market.now)


def test_what_waits_there_is_known_here_as_it_was_said_last():
    writer, line, beats, _ = far()
    beat = Beat(troubles=["the mail server is away"])
    line.send(Standing(7, True, beat))
    wait_until(lambda: beats)
    assert (writer.waiting(), writer.alive(), beats) == (7, True, [beat])
    line.send(Standing(0, False, beat))
    wait_until(lambda: not writer.alive())


def test_a_writer_that_says_nothing_for_long_takes_nothing(monkeypatch):
    writer, _, _, _ = far()
    assert writer.alive()
    monkeypatch.setattr(relay, "SILENT_SECONDS", 0.0)
    assert not writer.alive()


def test_more_than_the_queue_holds_is_refused_here(market):
    writer, _, _, _ = far()
    outcomes = asyncio.run(writer.answer([damaged(market)] * (MOST_WAITING + 1)))
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Refused)} == {"too_large"}


def test_what_was_asked_when_the_writer_ended_is_told_so(market):
    writer, line, _, ends = far()

    async def ask() -> None:
        waiting = asyncio.ensure_future(writer.answer([damaged(market)]))
        assert isinstance(await asyncio.to_thread(line.receive), Asked)
        line._pipe.close()
        await waiting

    with pytest.raises(ConnectionError, match="the process that writes ended"):
        asyncio.run(ask())
    wait_until(lambda: ends == ["lost"])
    assert not writer.alive()


def test_what_is_asked_after_that_is_told_so_at_once(market):
    writer, line, _, ends = far()
    line._pipe.close()
    wait_until(lambda: ends == ["lost"])
    with pytest.raises(ConnectionError, match="the process that writes ended"):
        asyncio.run(writer.answer([damaged(market)]))


def test_a_fault_of_the_writer_is_told_in_words(market):
    writer, line, _, _ = far()

    async def ask() -> None:
        waiting = asyncio.ensure_future(writer.answer([damaged(market)]))
        asked = await asyncio.to_thread(line.receive)
        line.send(Answered(asked.number, [], "OSError('disk full')"))
        await waiting

    with pytest.raises(ConnectionError, match="disk full"):
        asyncio.run(ask())


def test_where_the_clock_stands_still_no_sweep_waits(tmp_path):
    url = f"sqlite:///{tmp_path / 'sandbox.db'}"
    create_database(url, currency="EUR", launched_at=T, sandbox_clock=T)
    house = House(Settings(database_url=url), observe=lambda size, seconds: None, on_the_way=2 * SECOND)
    assert house.worker.horizon(T) == T
    house.close()


def test_a_sweep_waits_for_what_may_be_on_its_way(market):
    writer = Writer(market.engine, on_the_way=2 * SECOND)
    assert writer.horizon(market.now) == market.now - 2 * SECOND
    writer.stop()


@pytest.mark.parametrize(
    "refused",
    [
        Refused("bad_text", "a text is no valid Unicode"),
        Refused("not_refundable", Said("%(left)s is left", left="EUR 4.00"), rule="1", reasons=("a", "b"), left=400),
        Refused("bad_text", "x" * 5000),
        Refused("bad_turn", Said("it is %(state)s", state=Code("order", "paid", "paid for")), order=7),
    ],
    ids=["plain", "said", "long", "code"],
)
def test_a_refusal_is_the_same_in_another_process(refused):
    again = pickle.loads(pickle.dumps(refused))
    assert vars(again) == vars(refused)
    assert (str(again), again.args, type(again.said)) == (str(refused), refused.args, type(refused.said))


@pytest.mark.parametrize("sent", [{}, {"remedy": "refund"}], ids=["left out", "said"])
def test_a_command_is_the_same_in_another_process(market, sent):
    """Its receipt pins what was said: left out is another content than said, here as there."""
    body = {"type": "open", "order": market.order(), "lines": [["1", 1]], "reason": "damaged", "amount": 4000} | sent
    command = msgspec.json.decode(msgspec.json.encode(body), type=OpenDispute)
    request = Request(command, Actor("buyer", "ann"), market.now, "once")
    again = relay.decode_request(relay.encode(request))
    assert (again, asked_of(again).content) == (request, asked_of(request).content)


def test_what_is_asked_from_afar_has_the_outcomes_it_has_here(market):
    """Given a list of which some may happen, one says what is no Unicode, and one is refused by the rules."""
    claims = [(market.order(), "Broken."), (market.order(), "\ud800"), (10**9, "Broken."), (market.order(), "Broken.")]
    asked = [
        Request(opening(order, "damaged", "40.00", statement=text), Actor("buyer", "ann"), market.now, f"key-{order}")
        for order, text in claims
    ]
    writer, line, _, _ = far()
    there = Writer(market.engine)
    threading.Thread(target=relay.relay, args=(line, there), daemon=True).start()
    outcomes = asyncio.run(writer.answer(asked))
    again = there.execute(asked)
    there.stop()
    codes = [one.code if isinstance(one, Refused) else "" for one in outcomes]
    assert codes == ["", "bad_text", "unknown_order", ""]
    assert [told(one) for one in outcomes] == [told(one) for one in again]


def told(outcome: Outcome) -> object:
    return vars(outcome) if isinstance(outcome, Refused) else (outcome.id, outcome.first, outcome.last)
