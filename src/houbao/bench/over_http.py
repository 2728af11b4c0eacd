"""`houbao bench open-dispute-http`: disputes opened over HTTP, beside an empty endpoint in the same run.

Two servers of the same make, each in a process of its own: one is the API as it is served, with keys, permissions,
strict reading, the engine and the answer; the other has one endpoint without any of that, which gives the very rows
that the engine wrote for that order to the same writer (group commit, the same pragmas) and answers nothing. The same
client sends both the same bytes, in turn, over as many connections.
"""

import asyncio
import json
import multiprocessing
import shutil
import socket
import statistics
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import msgspec
from msgspec import Struct, structs

from houbao.bench.copies import BASE, fill
from houbao.bench.figures import Figure, Say, machine
from houbao.bench.market import OpenDisputes
from houbao.bench.openings import Statement, position_of, statements_of
from houbao.core.acts import OpenDispute
from houbao.core.terms import public_id
from houbao.engine.request import Accepted, Outcome, Request
from houbao.store.access import Access
from houbao.store.sqlite import connect

SHAPES = ((1, 1), (32, 1), (128, 1), (32, 100))
"""(connections, disputes in each request)."""

START_SECONDS = 60


def measure(disputes: int, rounds: int, among: int, say: Say) -> list[Figure]:
    """Measure every shape, the two servers in turn; medians over the rounds. `among` open disputes are there before."""
    where = f"among {among:,}" if among else "in an empty database"
    say(f"open-dispute-http: {rounds} rounds of {disputes:,} disputes {where}, the API and an empty endpoint in turn\n")
    say(f"{'connections':>11} {'list':>5} {'API/s':>9} {'empty/s':>9} {'ratio':>6} {'p50 ms':>7} {'p99 ms':>7}")
    figures = []
    for connections, size in SHAPES:
        with tempfile.TemporaryDirectory(prefix="houbao-bench-") as folder:
            figure = _measure(Path(folder), connections, size, disputes, rounds, among)
        figures.append(figure)
        say(
            f"{connections:>11} {size:>5} {figure.value:>9,.0f} {figure.limit:>9,.0f} {figure.ratio:>6.2f}"
            f" {figure.milliseconds['p50']:>7.1f} {figure.milliseconds['p99']:>7.1f}"
        )
    return figures


def _measure(folder: Path, connections: int, size: int, disputes: int, rounds: int, among: int) -> Figure:
    count = max(size, disputes - disputes % size)
    now = datetime.now(UTC) - timedelta(minutes=1)  # what is measured has the machine's clock, as a marketplace's has
    market = OpenDisputes(folder / "recorded.db", min(BASE, among) + count * rounds, live_at=now)
    first = fill(market, among) if among else 0
    market.checkpoint()
    live, bare = (folder / f"{name}.db" for name in ("live", "bare"))
    shutil.copyfile(market.path, live)
    shutil.copyfile(market.path, bare)
    access = Access(live)
    _, secret = access.add_key("bench", ("platform",), datetime.now(UTC))
    access.close()
    claims = _claims(market, first, count * rounds)
    rows = _recorded(market, claims)
    bodies = [_body(request.command) for request in claims]
    market.close()
    timed: list[tuple[float, float, list[float]]] = []
    with _served(_serve_live, live) as api, _served(_serve_bare, bare, rows) as empty:
        for turn in range(rounds):
            some = bodies[turn * count : (turn + 1) * count]
            sent = [
                b"[" + b",".join(some[at : at + size]) + b"]" if size > 1 else some[at] for at in range(0, count, size)
            ]
            keyed = [(f"{turn}-{number}", body) for number, body in enumerate(sent)]
            seconds, waits = asyncio.run(_send(api, "/v1/disputes", secret, keyed, connections))
            bare_seconds, _ = asyncio.run(_send(empty, "/bare", secret, keyed, connections))
            timed.append((seconds, bare_seconds, waits))
    return _figure(connections, size, count, rounds, among, timed)


def _figure(
    connections: int, size: int, count: int, rounds: int, among: int, timed: Sequence[tuple[float, float, list[float]]]
) -> Figure:
    waits = sorted(wait for *_, some in timed for wait in some)
    return Figure(
        scenario="open-dispute-http",
        of=f"{connections} connections, lists of {size}" + (f", among {among:,}" if among else ""),
        value=round(count / statistics.median(api for api, _, _ in timed), 1),
        unit="disputes/s",
        limit=round(count / statistics.median(bare for _, bare, _ in timed), 1),
        ratio=round(statistics.median(bare / api for api, bare, _ in timed), 3),
        command=f"houbao bench open-dispute-http --disputes {count} --rounds {rounds} --among {among}",
        machine=machine(),
        milliseconds={
            "p50": round(1000 * waits[len(waits) // 2], 2),
            "p99": round(1000 * waits[min(len(waits) - 1, len(waits) * 99 // 100)], 2),
        },
    )


# --- what is sent, and what is written -----------------------------------------------------------------------------


def _claims(market: OpenDisputes, first: int, count: int) -> list[Request]:
    """The claims, without photographs: those would have to be sent before."""
    found = market.requests(first, count)
    return [structs.replace(one, command=structs.replace(one.command, evidence=())) for one in found]


def _body(command: Any) -> bytes:
    """A claim as the API takes it."""
    assert isinstance(command, OpenDispute)
    return json.dumps(
        {
            "order_id": public_id("order", 0, command.order),
            "lines": [{"line_id": line, "quantity": quantity} for line, quantity in command.lines],
            "reason": command.reason,
            "amount": {"minor": command.amount, "currency": "EUR"},
            "statement": command.statement,
        }
    ).encode()


def _recorded(market: OpenDisputes, claims: Sequence[Request]) -> dict[int, list[Statement]]:
    """Order → the rows that the engine writes when its dispute is opened alone."""
    rows: dict[int, list[Statement]] = {}
    for request in claims:
        before = position_of(market.database)
        market.execute([request])
        assert isinstance(request.command, OpenDispute)
        rows[request.command.order] = statements_of(market.database, before, position_of(market.database))
    return rows


# --- the two servers -----------------------------------------------------------------------------------------------


@contextmanager
def _served(target: Callable[..., None], path: Path, *more: Any) -> Generator[int]:
    """The port of a server in a process of its own."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    process = multiprocessing.get_context("fork").Process(target=target, args=(path, port, *more), daemon=True)
    process.start()
    try:
        for _ in range(START_SECONDS * 20):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            sleep(0.05)
        else:
            raise TimeoutError("the server did not start")
        yield int(port)
    finally:
        process.terminate()
        process.join(10)


def _serve_live(path: Path, port: int) -> None:
    """The API as it is served, without the worker; neither server writes its log."""
    from houbao.commands.listening import listen
    from houbao.commands.serving import run as run_server
    from houbao.serving import site_of
    from houbao.settings import Settings
    from houbao.web.metrics import Metrics
    from houbao.web.server import create_app
    from houbao.wiring import House

    metrics = Metrics()
    settings = Settings(database_url=f"sqlite:///{path}")
    house = House(settings, observe=metrics.note_batch)
    run_server(create_app(site_of(house, settings, metrics), metrics), listen("127.0.0.1", port))


class Claimed(Struct):
    """What the empty endpoint reads of a claim: which order's rows to write."""

    order_id: str


class Replay:
    """In the engine's place: writes the rows that were recorded for each request's order, all in one transaction."""

    seconds_deciding = 0.0

    def __init__(self, path: Path, rows: dict[int, list[Statement]]) -> None:
        self.connection = connect(path)
        self.rows = rows

    def execute(self, requests: Sequence[Request]) -> list[Outcome]:
        """Write them; every one is accepted."""
        self.connection.execute("BEGIN IMMEDIATE")
        merged: dict[str, list[tuple[object, ...]]] = {}
        for request in requests:
            assert isinstance(request.command, OpenDispute)
            for sql, values in self.rows[request.command.order]:
                merged.setdefault(sql, []).extend(values)
        for sql, values in merged.items():
            self.connection.executemany(sql, values)
        self.connection.execute("COMMIT")
        return [Accepted(id=1) for _ in requests]


def _serve_bare(path: Path, port: int, rows: dict[int, list[Statement]]) -> None:
    """One endpoint that only writes."""
    from litestar import Litestar, Response, post
    from litestar import Request as HttpRequest

    from houbao.commands.listening import listen
    from houbao.commands.serving import run as run_server
    from houbao.core.terms import Actor
    from houbao.engine.writer import Writer

    writer = Writer(Replay(path, rows))  # ty: ignore[invalid-argument-type]
    decode = msgspec.json.Decoder(Claimed | list[Claimed]).decode
    by, now = Actor("buyer", "bench"), datetime.now(UTC)

    @post("/bare")
    async def bare(request: HttpRequest[Any, Any, Any]) -> Response[bytes]:
        claims = decode(await request.body())
        some = claims if isinstance(claims, list) else [claims]
        numbers = [int(claim.order_id.rsplit("_", 1)[1]) for claim in some]
        commands = [OpenDispute(order=number, lines=(), reason="", amount=0) for number in numbers]
        await writer.answer([Request(command, by, now) for command in commands])
        return Response(b"{}", media_type="application/json", status_code=201)

    run_server(Litestar([bare], openapi_config=None, logging_config=None), listen("127.0.0.1", port))


# --- the client ----------------------------------------------------------------------------------------------------


async def _send(
    port: int, path: str, secret: str, bodies: list[tuple[str, bytes]], connections: int
) -> tuple[float, list[float]]:
    """Send every body with its idempotency key over that many connections, each the next when it was answered: (seconds
    in all, of each)."""
    left = iter(bodies)
    waits: list[float] = []
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\n"
    head += "Content-Type: application/json\r\n"

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for key, body in left:
            began = perf_counter()
            writer.write(f"{head}Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            status, answer = await _answer(reader)
            waits.append(perf_counter() - began)
            if status not in (b"201", b"207") or b'"problem"' in answer:
                raise AssertionError(f"{status!r}: {answer[:300]!r}")
        writer.close()

    await _warmed(port)
    began = perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    return perf_counter() - began, waits


async def _warmed(port: int) -> None:
    """One request before the clock runs."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await _answer(reader)
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """(status, body) of one answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = head.split(b" ", 2)[1]
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return status, await reader.readexactly(length)
