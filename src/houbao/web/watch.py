"""What happens around every request: its id, how many there are at once, its time, its line in the log, its headers.

A log line names the route and who asked by key or role: no path, no query, no body, no address, so no personal data and
no secret.
"""

import json
import logging
import re
import sys
import traceback
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from secrets import token_hex
from time import perf_counter
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from houbao.core.terms import Refused
from houbao.web.callers import Caller
from houbao.web.metrics import Metrics
from houbao.web.problems import PROBLEM_JSON, WAIT_SECONDS, problem
from houbao.web.receiving import Receiving, header
from houbao.web.site import encode

log = logging.getLogger("houbao.http")

MOST_AT_ONCE = 512
"""Requests being served at once; more are sent away before they cost memory."""

REQUEST_ID = re.compile(r"[A-Za-z0-9_.\-]{1,64}", re.ASCII)
ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
}
"""Headers of every answer that does not say otherwise."""

HSTS = "max-age=31536000; includeSubDomains"


class Watch:
    """Wraps the application. `secure`: it is reached by https alone, and browsers are told so."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, secure: bool, most: int = MOST_AT_ONCE) -> None:
        self.app = app
        self.metrics = metrics
        self.most = most
        self.at_once = 0
        self._run, self._numbers = token_hex(5), count(1)
        always = ALWAYS | ({"strict-transport-security": HSTS} if secure else {})
        self._always = [(name.encode(), value.encode()) for name, value in always.items()]
        self._named = {name for name, _ in self._always}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        given = header(scope, b"x-request-id").decode("latin-1")
        request_id = given if given and REQUEST_ID.fullmatch(given) else f"{self._run}{next(self._numbers):06x}"
        state["request_id"] = request_id
        started, status = perf_counter(), 0

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._headers(message.get("headers", []), request_id)
            elif message["type"] == "http.response.body" and scope["method"] == "HEAD":
                message["body"] = b""
            await send(message)

        self.at_once += 1
        try:
            if self.at_once > self.most:
                await _send_away(told, Refused("overloaded", "too many requests at once: try again"), request_id)
            else:
                with ExitStack() as leaving:
                    state["leaving"] = leaving
                    await self.app(scope, Receiving(receive, scope), told)
        finally:
            self.at_once -= 1
            seconds = perf_counter() - started
            route = scope.get("path_template") or "none"
            self.metrics.note_request(str(scope["method"]), route, status, seconds)
            _log(scope, state, route, status, seconds)

    def _headers(self, given: Any, request_id: str) -> list[tuple[bytes, bytes]]:
        headers = [(name.lower(), value) for name, value in given]
        more, names = self._always, {name for name, _ in headers}
        if not self._named.isdisjoint(names):
            more = [pair for pair in more if pair[0] not in names]
        return [*headers, *more, (b"x-request-id", request_id.encode())]


async def _send_away(send: Any, refused: Refused, request_id: str) -> None:
    told = problem(refused, request_id)
    headers = [(b"content-type", PROBLEM_JSON.encode())]
    if wait := WAIT_SECONDS.get(refused.code):
        headers.append((b"retry-after", str(wait).encode()))
    await send({"type": "http.response.start", "status": told.status, "headers": headers})
    await send({"type": "http.response.body", "body": encode(told), "more_body": False})


def _log(scope: Any, state: dict[str, Any], route: str, status: int, seconds: float) -> None:
    level = logging.ERROR if status >= 500 else logging.INFO
    if not log.isEnabledFor(level):
        return
    caller = state.get("caller")
    who = ""
    if isinstance(caller, Caller) and caller.kind != "nobody":
        who = caller.id if caller.kind == "key" else f"{caller.kind}:{caller.role}"
    fault = state.get("fault")
    said = {
        "request_id": state["request_id"],
        "method": scope["method"],
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 1),
        "caller": who,
    }
    if fault is not None:
        # Where it broke, never with what: a value may be somebody's.
        frames = traceback.extract_tb(fault.__traceback__)
        said["fault"] = type(fault).__name__
        said["at"] = [f"{frame.name}:{frame.lineno}" for frame in frames[-5:]]
    log.log(level, "request", extra={"said": said})


class JsonLines(logging.Formatter):
    """One JSON document a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "said", {})
        try:
            return encode(line).decode()
        except UnicodeEncodeError:  # a library quotes what somebody sent
            return json.dumps(line)


def log_to_stderr() -> None:
    """Everything that is logged, as JSON lines on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
