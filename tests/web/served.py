"""A market that is served: Litestar's test client over the real application, engine and SQLite file."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from litestar.testing import TestClient

from given import Market, eur
from houbao.commands import relay
from houbao.core.terms import Refused
from houbao.engine.announcing import Hook
from houbao.engine.deciding import asked_of
from houbao.engine.request import Outcome, Request
from houbao.engine.writer import Writer
from houbao.serving import site_for
from houbao.store.access import User
from houbao.store.hooks import all_hooks
from houbao.store.scores import Scorebook
from houbao.store.sqlite import SQLite
from houbao.web.guard import SESSION, token_for
from houbao.web.metrics import Metrics
from houbao.web.server import create_app
from houbao.web.signin import hashed

WALL = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SIGNING = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
PASSWORD = "correct horse battery"

hashed_once = cache(hashed)
"""Hashing is slow on purpose; one hash of the tests' password serves everybody."""


class Served:
    """The market behind the API. `wall` is the machine's clock, moved on purpose."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.wall = WALL
        self.metrics = Metrics()
        self.writer = Writer(market.engine, self.metrics.note_batch)
        self.scores = SQLite(market.database.path)
        self.site = site_for(
            market.database.path,
            self.writer,
            {"sandbox": market.provider},
            Scorebook(self.scores),
            self.metrics,
            clock=lambda: market.now,
            wall=lambda: self.wall,
            public_url="https://claims.example",
            signing={"sandbox": SIGNING},
        )
        self.site.note = self._note
        self.client = TestClient(create_app(self.site, self.metrics), base_url="https://claims.example")
        self._keys: dict[tuple[str, ...], str] = {}

    def close(self) -> None:
        self.writer.stop()
        self.site.close()
        self.scores.close()

    def _note(self, requests: Sequence[Request], outcomes: Sequence[Outcome]) -> None:
        """Every command and its outcome would have been the same, had another process answered."""
        self.metrics.note_commands(requests, outcomes)
        for request, outcome in zip(requests, outcomes, strict=True):
            again = passed_on(request)
            assert (again, asked_of(again).content) == (request, asked_of(request).content)
            assert told(passed_back(outcome)) == told(outcome)

    # --- who asks --------------------------------------------------------------------------------------------------

    def key(self, *scopes: str) -> str:
        """The secret of a key with these scopes; the same for the same ones."""
        if scopes not in self._keys:
            self._keys[scopes] = self.site.access.add_key("test", scopes, self.wall)[1]
        return self._keys[scopes]

    def new_key(self, *scopes: str) -> str:
        """The secret of another key with these scopes: another person."""
        return self.site.access.add_key("another", scopes, self.wall)[1]

    def add_user(self, name: str, role: str, *, store: str = "", totp: str = "") -> None:
        self.site.access.put_user(User(name, name.title(), role, store, hashed_once(PASSWORD), totp))

    def session(self, kind: str, role: str, subject: str, store: str = "") -> dict[str, str]:
        """The headers of somebody who is signed in, with the form's token."""
        secret = self.site.access.begin_session(kind, role, subject, store, self.wall)
        return {"Cookie": f"{SESSION}={secret}", "X-CSRF-Token": token_for(secret)}

    def bearing(self, for_whom: dict[str, str]) -> dict[str, str]:
        """The headers of whoever bears the token of a one-time link."""
        return {"Authorization": f"Bearer {self.post('/v1/portal-sessions', for_whom)['token']}"}

    def headers(self, role: str) -> dict[str, str]:
        """The headers of a role: a key's for a program, a session's for a person."""
        match role:
            case "nobody":
                return {}
            case "buyer":
                return self.session("portal", "buyer", "ann")
            case "seller":
                return self.session("portal", "seller", "oak", "oak")
            case "buyer's token":
                return self.bearing({"buyer_id": "ann"})
            case "seller's token":
                return self.bearing({"store_id": "oak"})
            case "admin":
                self.add_user("eve", "admin")
                return self.session("user", "admin", "eve")
            case _:
                return {"Authorization": f"Bearer {self.key(role)}"}

    # --- asking ----------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: Any = None, *, role: str = "platform", **headers: str) -> Any:
        """One request; the answer as it came."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with_body = {} if body is None else {"json": body}
        return self.client.request(method, path, headers=self.headers(role) | named, **with_body)

    def get(self, path: str, *, role: str = "platform") -> Any:
        """What is there; it must be."""
        answer = self.call("GET", path, role=role)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, *, role: str = "platform", **headers: str) -> Any:
        """Something that must be accepted."""
        answer = self.call("POST", path, body, role=role, **headers)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def refuse(self, path: str, body: Any = None, *, role: str = "platform", **headers: str) -> Any:
        """Something that must be refused, as a problem, and leave no trace of the market's."""
        before = self.market.contents()
        answer = self.call("POST", path, body, role=role, **headers)
        assert answer.status_code >= 400, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        after = self.market.contents()
        assert {name: rows for name, rows in after.items() if name not in ACCESS} == {
            name: rows for name, rows in before.items() if name not in ACCESS
        }
        return answer.json()

    def open(self, order: int, reason: str, amount: str, *, role: str = "platform", **more: Any) -> str:
        """The buyer opens a dispute over HTTP; returns its id."""
        return self.post("/v1/disputes", claim(order, reason, amount, **more), role=role)["id"]

    def hooks(self) -> list[Hook]:
        """The webhooks as they are kept."""
        with self.site.snapshot() as reading:
            return all_hooks(reading)

    def wait(self, days: float = 0, **more: float) -> None:
        """Time passes; the worker does what falls due."""
        self.market.go(self.market.now + timedelta(days=days, **more))


def passed_on(request: Request) -> Request:
    """The request as it comes to the process that writes from another one."""
    return relay.decode_request(relay.encode(request))


def passed_back(outcome: Outcome) -> Outcome:
    """The outcome as it comes back."""
    message = relay.decode(relay.encode(relay.Answered(1, relay.packed([outcome]))))
    assert isinstance(message, relay.Answered)
    (again,) = relay.unpacked(message.outcomes)
    return again


def told(outcome: Outcome) -> object:
    return vars(outcome) if isinstance(outcome, Refused) else outcome


ACCESS = ("deeds", "keys", "users", "sessions", "links", "webhooks", "hook_cursors", "hook_deliveries")
"""The tables of who may come in."""


def money(amount: str, currency: str = "EUR") -> dict[str, Any]:
    """An amount as the API takes it."""
    return {"minor": eur(amount), "currency": currency}


def claim(order: int, reason: str, amount: str, **more: Any) -> dict[str, Any]:
    """A claim on line 1 of an order."""
    return {
        "order_id": f"order_0_{order}",
        "lines": [{"line_id": "1", "quantity": 1}],
        "reason": reason,
        "amount": money(amount),
    } | more
