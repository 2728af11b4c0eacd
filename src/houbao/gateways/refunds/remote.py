"""The simulated bank in another process, as a refund provider. What goes wrong on the way is `unknown`, never no."""

import http.client
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import msgspec

from houbao.engine.outside import Reply
from houbao.gateways.refunds.sandbox import BAD_REQUEST, KEY_LIFE, UNKNOWN, Hook

MOST_BYTES = 1024 * 1024
"""The largest answer that is read."""

Answer = tuple[int, bytes]
REPLY = msgspec.json.Decoder(Reply)
HOOKS = msgspec.json.Decoder(list[Hook])


def _machine_clock() -> datetime:
    return datetime.now(UTC)


class RemoteSandbox:
    """A sandbox server as a refund provider. `timeout`: seconds it waits for an answer."""

    name: str = "sandbox"
    key_life: timedelta = KEY_LIFE

    def __init__(
        self,
        port: int,
        host: str = "127.0.0.1",
        *,
        timeout: float = 10.0,
        clock: Callable[[], datetime] = _machine_clock,
    ) -> None:
        self._host, self._port, self._timeout, self._clock = host, port, timeout, clock

    def pay(self, key: str, payment: str, minor: int, currency: str) -> Reply:
        """Pay `minor` units back over a payment, at most once per key (simulated)."""
        body = {"key": key, "payment": payment, "minor": minor, "currency": currency, "at": self._clock()}
        match self._ask("POST", "/payouts", body):
            case (200, text):
                return _reply(text)
            case (400, _):
                return BAD_REQUEST
            case _:
                return UNKNOWN

    def look_up(self, key: str) -> Reply:
        """What became of that key."""
        match self._ask("GET", f"/payouts/{quote(key, safe='')}"):
            case (200, text):
                return _reply(text)
            case _:
                return UNKNOWN

    def hooks(self, now: datetime) -> list[Hook]:
        """The webhooks due by `now` and not acknowledged, the earliest first; none where the bank is not reached."""
        match self._ask("GET", f"/hooks?now={quote(now.isoformat(), safe='')}"):
            case (200, text):
                try:
                    return HOOKS.decode(text)
                except msgspec.DecodeError:
                    return []
            case _:
                return []

    def acknowledge(self, hooks: Iterable[int]) -> None:
        """These webhooks (ids) were taken in. Where this is lost on the way, they are handed out again."""
        self._ask("POST", "/hooks/ack", {"hooks": list(hooks)})

    def _ask(self, method: str, path: str, body: object = None) -> Answer | None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            content = None if body is None else msgspec.json.encode(body)
            connection.request(method, path, content, {"Content-Type": "application/json"} if content else {})
            response = connection.getresponse()
            return response.status, response.read(MOST_BYTES)
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


def _reply(text: bytes) -> Reply:
    try:
        return REPLY.decode(text)
    except msgspec.DecodeError:
        return UNKNOWN
