"""The simulated bank as a process of its own, on loopback, so that time-outs, lost answers and restarts are real ones.

    POST /payouts {key, payment, minor, currency, at?}   → {result, final, code}
    GET  /payouts/<key>                                  → {result, final, code}
    GET  /hooks?now=                                     → [{id, key, result, at}]
    POST /hooks/ack {hooks: [id]}                        → {}

Every word of the bank comes with status 200, a `not_found` too: a 404 means a wrong path, which says nothing of money.
"""

import argparse
import signal
import sys
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
from msgspec import Meta, Struct

from houbao.gateways.refunds.sandbox import Bank, Script, parse_script

MOST_BYTES = 64 * 1024
"""The largest body that is read."""

HEAD_START = 0.2
"""Seconds that a webhook which comes before its answer is ahead of it."""

Word = Annotated[str, Meta(min_length=1, max_length=200)]
T = TypeVar("T")


class PayoutRequest(Struct, frozen=True):
    """The body of POST /payouts. `at` is for a caller with a simulated clock; without it the server's own counts."""

    key: Word
    payment: Word
    minor: Annotated[int, Meta(gt=0, le=2**63 - 1)]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    at: Annotated[datetime, Meta(tz=True)] | None = None


class AckRequest(Struct, frozen=True):
    """The body of POST /hooks/ack."""

    hooks: list[int]


class Problem(Struct, frozen=True):
    """Why a request was not understood."""

    code: str
    detail: str


class BankServer(ThreadingHTTPServer):
    """The simulated bank behind a loopback port. `hold`: seconds for which an answer that never comes is held."""

    request_queue_size = 128

    def __init__(self, port: int, bank: Bank, hold: float) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.bank = bank
        self.hold = hold


class Misunderstood(Exception):
    """A request that the server cannot read; nothing happened."""

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.status = status


class Handler(BaseHTTPRequestHandler):
    """One request."""

    timeout = 10

    @property
    def _bank(self) -> Bank:
        return self._server.bank

    @property
    def _server(self) -> BankServer:
        assert isinstance(self.server, BankServer)
        return self.server

    def do_POST(self) -> None:
        """Take a payout, or acknowledgements."""
        try:
            if self.path == "/payouts":
                self._pay(self._body(PayoutRequest))
            elif self.path == "/hooks/ack":
                self._bank.acknowledge(self._body(AckRequest).hooks)
                self._say(200, {})
            else:
                raise Misunderstood(f"no such path: {self.path}", 404)
        except Misunderstood as error:
            self._say(error.status, Problem("bad_request", str(error)))

    def do_GET(self) -> None:
        """Look a payout up, or list the webhooks that are due."""
        try:
            url = urlsplit(self.path)
            if url.path.startswith("/payouts/"):
                self._say(200, self._bank.look_up(unquote(url.path.removeprefix("/payouts/"))))
            elif url.path == "/hooks":
                self._say(200, self._bank.hooks(_time(parse_qs(url.query).get("now", [""])[-1])))
            else:
                raise Misunderstood(f"no such path: {url.path}", 404)
        except Misunderstood as error:
            self._say(error.status, Problem("bad_request", str(error)))

    def _pay(self, request: PayoutRequest) -> None:
        at = request.at or datetime.now(UTC)
        bank = self._bank
        reply = bank.pay(request.key, request.payment, request.minor, request.currency, at)
        if reply.result == "unknown":
            time.sleep(self._server.hold)
            return
        if any(hook.key == request.key for hook in bank.hooks(at)):
            time.sleep(HEAD_START)
        self._say(200, reply)

    def _body(self, shape: type[T]) -> T:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 19):
            raise Misunderstood("Content-Length is missing, or not a number", 411)
        if int(length) > MOST_BYTES:
            raise Misunderstood(f"the body is larger than {MOST_BYTES} bytes", 413)
        try:
            return msgspec.json.decode(self.rfile.read(int(length)), type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Misunderstood(str(error)) from None

    def _say(self, status: int, answer: object) -> None:
        body = msgspec.json.encode(answer)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the bank keeps its own log."""


def _time(text: str) -> datetime:
    if not text:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Misunderstood(f"now is not a time: {text!r}") from None
    if moment.tzinfo is None:
        raise Misunderstood(f"now has no time zone: {text!r}")
    return moment


def serve(port: int, log: Path, script: Script, hold: float = 30.0) -> None:
    """Serve the simulated bank on 127.0.0.1 until interrupted; port 0 takes a free one. The first line on stdout says
    where it listens. `hold` is in seconds and should be longer than any client waits."""
    with BankServer(port, Bank(log, script), hold) as server:
        print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


def main() -> None:
    """Run the simulated bank from the command line."""
    parser = argparse.ArgumentParser(prog="python -m houbao.gateways.refunds.server", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--log", type=Path, required=True, help="where the bank keeps what it did")
    parser.add_argument(
        "--script", default="", help="steps: ok,timeout_paid,…; or weights per mille: timeout_paid=20,…"
    )
    parser.add_argument("--seed", type=int, default=0, help="for weights")
    parser.add_argument("--hold", type=float, default=30.0, help="seconds for which a lost answer is held")
    options = parser.parse_args()
    try:
        script = parse_script(options.script, options.seed)
    except ValueError as error:
        parser.error(str(error))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve(options.port, options.log, script, options.hold)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
