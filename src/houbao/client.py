"""A small typed client of the HTTP API, for a marketplace's own software. Standard library and msgspec only.

    from houbao.client import Client, Money
    houbao = Client("https://claims.example", key="hb_…")
    dispute = houbao.open_dispute("order_0_47", "damaged", Money(4000, "EUR"), lines=["1"])

Every POST carries an idempotency key: it is drawn here unless you name one, and a call that was not answered, or was
answered "busy", is sent again with the same key, so that nothing happens twice.
"""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode
from uuid import uuid4

import msgspec
from msgspec import Struct

T = TypeVar("T")
BUSY = (429, 502, 503, 504)
"""Statuses after which the same call may be sent again."""

UNANSWERED = OSError, http.client.HTTPException
"""Nobody there, or an answer that is cut short or none of HTTP: the call may have been done."""


class _Staying(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would take the key with it."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:
        """Nowhere."""


OPENER = urllib.request.build_opener(_Staying)


class Money(Struct, frozen=True):
    """An amount in minor units of its currency (ISO 4217)."""

    minor: int
    currency: str


class Claim(Struct, frozen=True):
    """What the buyer asks for."""

    remedy: str
    amount: Money


class Funding(Struct, frozen=True):
    """Who pays how much."""

    payer: str
    amount: Money


class Fault(Struct, frozen=True, rename={"kind": "class"}):
    """Whether it counts against the store: pending, counted or exempt; in which class, and why if not."""

    state: str
    kind: str = ""
    reason: str = ""


class Dispute(Struct, frozen=True):
    """A dispute as the key may see it. `due_at` is when `default_outcome` happens by itself."""

    id: str
    store_id: str
    order_id: str
    buyer_id: str
    phase: str
    waiting_for: str
    due_at: datetime | None
    default_outcome: str
    reason: str
    route: str
    claim: Claim
    funding: list[Funding]
    fault: Fault
    resolved_by: str
    outcome: str
    policy_version: str
    rule: str
    reasons: list[str]
    allowed_actions: list[str]
    reference: str = ""
    remedy: str | None = None


class Coverage(Struct, frozen=True):
    """Whether an order is covered, frozen at payment; `reason` says why not."""

    covered: bool
    reason: str = ""


class Order(Struct, frozen=True):
    """An order as Houbao knows it."""

    id: str
    store_id: str
    reference: str
    buyer_id: str
    status: str
    coverage: Coverage


class Event(Struct, frozen=True):
    """One event of the feed; `data` is all that it says."""

    id: str
    type: str
    data: dict[str, Any] = {}


class ApiError(Exception):
    """A refusal (RFC 9457). `code` is stable (docs/errors.md), `hint` says what to do, `status` is the HTTP status."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", "unknown"))
        self.detail = str(problem.get("detail", ""))
        self.hint = str(problem.get("hint", ""))
        self.reasons: list[str] = list(problem.get("reasons", ()))
        super().__init__(f"{self.code}: {self.detail} {self.hint}".strip())


class Unreachable(Exception):
    """Nobody answered, or only to say that they are busy, as often as the call was sent. It may have happened: send it
    again with the same key."""


class Client:
    """Speaks to one Houbao with one API key. `timeout` and the waits between tries are seconds."""

    def __init__(
        self, url: str, key: str, *, timeout: float = 10.0, tries: int = 4, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._timeout = timeout
        self._tries = tries
        self._sleep = sleep

    # --- stores and orders -----------------------------------------------------------------------------------------

    def register_store(self, store: str, *, name: str = "", email: str = "", key: str = "") -> None:
        """Make a store known. Raises ApiError: store_exists, bad_reference."""
        self._call("POST", "/v1/stores", {"id": store, "name": name, "email": email}, key=key)

    def enrol(self, store: str, *, enrolled: bool = True) -> None:
        """Let a store join the guarantee, or leave it; orders that are covered already stay covered."""
        self._call("PUT", f"/v1/stores/{quote(store, safe='')}/enrolment", {"enrolled": enrolled})

    def place_order(self, document: Mapping[str, Any], *, key: str = "") -> Order:
        """Place an order: a document of the order format (docs/order-format.md)."""
        return self._take(Order, "POST", "/v1/orders", document, key=key)

    def order(self, order: str) -> Order:
        """An order by its id. Raises ApiError: unknown_order."""
        return self._take(Order, "GET", f"/v1/orders/{quote(order, safe='')}")

    def report(self, order: str, event: str, *, key: str = "", **said: Any) -> None:
        """Something that happened to an order: paid, shipped, delivered, cancelled … (docs/order-format.md)."""
        self._call("POST", f"/v1/orders/{quote(order, safe='')}/events", {"type": event, **said}, key=key)

    # --- disputes --------------------------------------------------------------------------------------------------

    def explain(self, order: str, reason: str, amount: Money, *, lines: Sequence[str] = ()) -> dict[str, Any]:
        """What would become of a claim: covered, route, payer, rule, reasons … Nothing is saved."""
        return self._json("POST", "/v1/explain", _claim(order, reason, amount, lines))

    def open_dispute(
        self, order: str, reason: str, amount: Money, *, lines: Sequence[str], key: str = "", **more: Any
    ) -> Dispute:
        """Open a dispute on whole lines of an order. `more`: remedy, statement, evidence, reference."""
        return self._take(Dispute, "POST", "/v1/disputes", _claim(order, reason, amount, lines) | more, key=key)

    def dispute(self, dispute: str) -> Dispute:
        """A dispute by its id. Raises ApiError: unknown_dispute."""
        return self._take(Dispute, "GET", f"/v1/disputes/{quote(dispute, safe='')}")

    def disputes(self, **filters: str) -> Iterator[Dispute]:
        """All disputes that match (store_id, phase, waiting_for, due_before), page by page."""
        return self._pages(Dispute, "/v1/disputes", filters)

    def act(self, dispute: str, action: str, *, key: str = "", **said: Any) -> Dispute:
        """One of the dispute's `allowed_actions`."""
        return self._take(Dispute, "POST", f"/v1/disputes/{quote(dispute, safe='')}/{action}", said, key=key)

    def preview(self, dispute: str, action: str, **said: Any) -> dict[str, Any]:
        """What an action would do: money, score, next phase and due time. Nothing is saved."""
        return self._json("POST", f"/v1/disputes/{quote(dispute, safe='')}/{action}?dry_run=true", said)

    # --- people and events -----------------------------------------------------------------------------------------

    def portal_link(self, *, buyer: str = "", store: str = "") -> str:
        """A one-time link that signs a buyer or a store in. Make it when they click; give it to nobody else."""
        body = {"buyer_id": buyer} if buyer else {"store_id": store}
        return str(self._json("POST", "/v1/portal-sessions", body)["url"])

    def events(self, after: str = "") -> Iterator[tuple[Event, str]]:
        """Every event behind a place, in commit order, each with the place behind its page: keep that, and go on from
        there later. Ends where nothing more has happened."""
        while True:
            page = self._json("GET", f"/v1/events?{urlencode({'after': after} if after else {})}")
            if not page["data"]:
                return
            after = str(page["next"])
            for event in msgspec.convert(page["data"], list[Event]):
                yield event, after

    # --- the wire --------------------------------------------------------------------------------------------------

    def _pages(self, kind: type[T], path: str, filters: Mapping[str, str]) -> Iterator[T]:
        after: str | None = ""
        while after is not None:
            asked = {**filters, **({"after": after} if after else {})}
            page = self._json("GET", f"{path}?{urlencode(asked)}")
            for one in page["data"]:
                yield msgspec.convert(one, kind)
            after = page["next"]

    def _take(self, kind: type[T], method: str, path: str, body: object = None, *, key: str = "") -> T:
        return msgspec.json.decode(self._call(method, path, body, key=key), type=kind)

    def _json(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        return json.loads(self._call(method, path, body))

    def _call(self, method: str, path: str, body: object = None, *, key: str = "") -> bytes:
        """The body of the answer. Raises ApiError, Unreachable."""
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        if method == "POST":
            headers["Idempotency-Key"] = key or uuid4().hex
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = msgspec.json.encode(body)
        last = ""
        for n in range(self._tries):
            wait = 0.25 * 2**n
            request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
            try:
                with OPENER.open(request, timeout=self._timeout) as answer:
                    return answer.read()
            except urllib.error.HTTPError as error:
                problem = _problem(error)
                if error.code not in BUSY:
                    raise ApiError(error.code, problem) from None
                last, wait = str(problem.get("detail", error.code)), max(wait, _retry_after(error))
            except UNANSWERED as error:
                last = str(error) or type(error).__name__
            if n + 1 < self._tries:
                self._sleep(wait)
        raise Unreachable(f"{method} {self.url}{path}: {last}")


def _claim(order: str, reason: str, amount: Money, lines: Sequence[str]) -> dict[str, Any]:
    named = [{"line_id": line} for line in lines]
    return {"order_id": order, "reason": reason, "amount": msgspec.to_builtins(amount), "lines": named}


def _problem(error: urllib.error.HTTPError) -> dict[str, Any]:
    with error:
        try:
            told = json.loads(error.read())
        except (ValueError, *UNANSWERED):
            told = None
    return told if isinstance(told, dict) else {"code": "unknown", "detail": f"HTTP {error.code}"}


def _retry_after(error: urllib.error.HTTPError) -> float:
    try:
        return min(float(error.headers.get("Retry-After", 0)), 60.0)
    except ValueError:
        return 0.0
