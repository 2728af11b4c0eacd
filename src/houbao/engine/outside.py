"""The outside, as the engine needs it: who pays refunds, and who sends mail."""

from datetime import timedelta
from typing import Literal, Protocol

from msgspec import Struct


class Reply(Struct, frozen=True):
    """What a provider said. `unknown`: no answer in time. `not_found`: a look-up found no such key."""

    result: Literal["paid", "refused", "unknown", "not_found", "pending"]
    final: bool = False
    code: str = ""


class RefundProvider(Protocol):
    """Sends money back over a payment. Both calls are safe to repeat; only `pay` with a new key moves money."""

    name: str
    key_life: timedelta

    def pay(self, key: str, payment: str, minor: int, currency: str) -> Reply:
        """Pay out under an idempotency key."""
        ...

    def look_up(self, key: str) -> Reply:
        """What became of that key."""
        ...


class Letter(Struct, frozen=True):
    """A mail to be sent, in `language` (BCP 47): `body` as plain text, `html` the same where there is such. `reference`
    is stable over repeats, so that a reader's program can tell them."""

    to: str
    subject: str
    body: str
    reference: str
    html: str = ""
    language: str = "en"


class Posted(Struct, frozen=True):
    """What the mail server said: accepted, bounced for good, or not reached (try again)."""

    result: Literal["accepted", "bounced", "later"]
    detail: str = ""


class Notifier(Protocol):
    """Sends mail."""

    def post(self, letter: Letter) -> Posted:
        """Hand one letter to the mail server."""
        ...
