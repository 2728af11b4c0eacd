"""The sandbox: a simulated bank that sends refunds back, on which every turn a real one can take is played on purpose.

No real money moves. What the bank did stands in its own append-only log, one JSON object per line, synced before it
answers. The log is the bank: processes that open the same one are one bank, and a restart remembers every key.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Literal

import msgspec
from msgspec import Struct

from houbao.engine.outside import Reply

if sys.platform != "win32":
    import fcntl

Behaviour = Literal[
    "ok", "refuse", "refuse_final", "timeout_paid", "timeout_unpaid", "webhook_first", "duplicate", "returned"
]
"""How the simulated bank treats one payout.

ok              paid, and it says so
refuse          a definite no; another attempt may work
refuse_final    a definite no; this payment can never be paid back
timeout_paid    paid, but the answer never arrives
timeout_unpaid  the request is lost: nothing is known of it, and the same key pays when it comes again
webhook_first   paid; the webhook is there before the answer
duplicate       paid; the webhook comes twice, after the answer
returned        paid; days later a webhook says that the money came back

A payment whose id is one of these names (`order-7:refuse_final`) always meets that behaviour, as with the test cards of
payment providers.
"""

PER_MILLE = 1000
KEY_LIFE = timedelta(hours=24)
AFTER_ANSWER = timedelta(seconds=1)
"""How long after its payout an ordinary webhook is due, so that it never outruns the answer."""

Did = Literal["paid", "refused", "lost", "repeat", "conflict"]

PAID = Reply("paid")
UNKNOWN = Reply("unknown")
NOT_FOUND = Reply("not_found")
# Final, so that nobody makes a new attempt by himself: what that key stands for may well have been paid.
CONFLICT = Reply("refused", final=True, code="key_conflict")
BAD_REQUEST = Reply("refused", final=True, code="bad_request")

OUTCOMES: dict[Behaviour, tuple[Did, Reply]] = {
    "ok": ("paid", PAID),
    "refuse": ("refused", Reply("refused", code="declined")),
    "refuse_final": ("refused", Reply("refused", final=True, code="payment_closed")),
    "timeout_paid": ("paid", UNKNOWN),
    "timeout_unpaid": ("lost", UNKNOWN),
    "webhook_first": ("paid", PAID),
    "duplicate": ("paid", PAID),
    "returned": ("paid", PAID),
}


class Script(Struct, frozen=True):
    """Which behaviour a payout meets: `steps`, one per new key in turn, then `ok`; or `weights`, behaviour → per mille
    of the keys, the rest `ok`. With weights the choice hangs on `seed` and key alone, whatever the order."""

    steps: tuple[Behaviour, ...] = ()
    weights: dict[Behaviour, int] = {}
    seed: int = 0
    returned_after: timedelta = timedelta(days=3)

    def __post_init__(self) -> None:
        for behaviour in (*self.steps, *self.weights):
            if behaviour not in OUTCOMES:
                raise ValueError(f"unknown behaviour {behaviour!r}: one of {', '.join(OUTCOMES)}")
        if self.steps and self.weights:
            raise ValueError("a script has steps or weights, not both")
        if sum(self.weights.values()) > PER_MILLE or min(self.weights.values(), default=0) < 0:
            raise ValueError("weights are per mille: none below 0, together at most 1000")

    def choose(self, n: int, key: str) -> Behaviour:
        """The behaviour for the new key that `n` others came before."""
        if not self.weights:
            return self.steps[n] if n < len(self.steps) else "ok"
        digest = hashlib.sha256(f"{self.seed}:{key}".encode()).digest()
        place = int.from_bytes(digest[:8], "big") % PER_MILLE
        for behaviour, weight in sorted(self.weights.items()):
            if place < weight:
                return behaviour
            place -= weight
        return "ok"


def parse_script(text: str, seed: int = 0) -> Script:
    """A script as written on a command line: `ok,timeout_paid` are steps, `timeout_paid=20,refuse=5` weights.
    ValueError where it is neither."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    pairs = [word.split("=", 1) for word in words if "=" in word]
    plain = [word for word in words if "=" not in word]
    try:
        return msgspec.convert(
            {"steps": plain, "weights": {name: int(weight) for name, weight in pairs}, "seed": seed}, Script
        )
    except msgspec.ValidationError as error:
        raise ValueError(f"script {text!r}: {error}; behaviours are {', '.join(OUTCOMES)}") from None


class Hook(Struct, frozen=True):
    """A simulated webhook: what became of `key`, due at `at`. It is handed out until its `id` is acknowledged."""

    id: int
    key: str
    result: Literal["paid", "returned"]
    at: datetime


class Opened(Struct, frozen=True, tag_field="entry", tag="bank"):
    """The first line of every log."""

    simulated: bool = True
    note: str = "Houbao sandbox: no real money moves"


class Payout(Struct, frozen=True, tag_field="entry", tag="payout", omit_defaults=True):
    """One request and what the simulated bank did: only `paid` moved money. `reply` is what the caller was told,
    `hooks` the webhooks that follow."""

    at: datetime
    key: str
    payment: str
    minor: int
    currency: str
    did: Did
    reply: Reply
    behaviour: Behaviour | None = None
    hooks: tuple[Hook, ...] = ()


class Acknowledged(Struct, frozen=True, tag_field="entry", tag="acknowledged"):
    """Webhooks that arrived, by id."""

    hooks: tuple[int, ...]


Entry = Opened | Payout | Acknowledged

ENTRY = msgspec.json.Decoder(Entry)
HEADER = msgspec.json.encode(Opened())
ALL_OK = Script()


class Bank:
    """The simulated bank. Without a `log` it lives as long as the process, which suits tests and simulations."""

    def __init__(self, log: Path | None = None, script: Script = ALL_OK) -> None:
        self.script = script
        self._lock = Lock()
        self._keys: dict[str, Payout] = {}
        self._hooks: dict[int, Hook] = {}
        self._hooks_made = 0
        self._read = 0
        self._file = log.open("a+b", buffering=0) if log else None
        try:
            with self._turn():
                pass
        except Exception:
            self.close()
            raise

    def pay(self, key: str, payment: str, minor: int, currency: str, at: datetime) -> Reply:
        """Pay `minor` units back over a payment, at most once per key.

        The same key and content is told how the first request ended; with other content it is refused, `key_conflict`.
        Raises OSError where the log cannot be written: then the caller knows nothing.
        """
        if minor <= 0 or not key:
            return BAD_REQUEST
        with self._turn():
            known = self._keys.get(key)
            behaviour: Behaviour | None = None
            if known and (known.payment, known.minor, known.currency) != (payment, minor, currency):
                did, reply = "conflict", CONFLICT
            elif known and known.did != "lost":
                did, reply = "repeat", _settled(known)
            else:
                behaviour = "ok" if known else _named(payment) or self.script.choose(len(self._keys), key)
                did, reply = OUTCOMES[behaviour]
            hooks = tuple(
                Hook(self._hooks_made + n, key, result, at + wait)
                for n, (result, wait) in enumerate(self._webhooks(behaviour), 1)
            )
            self._write(Payout(at, key, payment, minor, currency, did, reply, behaviour, hooks))
            return reply

    def look_up(self, key: str) -> Reply:
        """How the payout under that key ended; `not_found` where none arrived."""
        with self._turn():
            known = self._keys.get(key)
            return _settled(known) if known and known.did != "lost" else NOT_FOUND

    def hooks(self, now: datetime, most: int = 1000) -> list[Hook]:
        """The webhooks due by `now` and not acknowledged, the earliest first, at most `most`."""
        with self._turn():
            due = [hook for hook in self._hooks.values() if hook.at <= now]
        return sorted(due, key=lambda hook: (hook.at, hook.id))[:most]

    def next_hook(self) -> datetime | None:
        """When the earliest webhook that has not been acknowledged is due."""
        with self._turn():
            return min((hook.at for hook in self._hooks.values()), default=None)

    def acknowledge(self, hooks: Iterable[int]) -> None:
        """These webhooks (ids) arrived; they are not handed out again. Unknown ones change nothing."""
        with self._turn():
            arrived = tuple(sorted(self._hooks.keys() & set(hooks)))
            if arrived:
                self._write(Acknowledged(arrived))

    def payments(self) -> list[Payout]:
        """Every payout that moved (simulated) money, in order."""
        with self._turn():
            return [entry for entry in self._keys.values() if entry.did == "paid"]

    def close(self) -> None:
        """Close the log."""
        if self._file:
            self._file.close()

    def _webhooks(self, behaviour: Behaviour | None) -> list[tuple[Literal["paid", "returned"], timedelta]]:
        match behaviour:
            case "webhook_first":
                return [("paid", timedelta())]
            case "duplicate":
                return [("paid", AFTER_ANSWER), ("paid", AFTER_ANSWER)]
            case "returned":
                return [("returned", self.script.returned_after)]
            case _:
                return []

    @contextmanager
    def _turn(self) -> Generator[None]:
        """One request at a time, over all threads, and over all processes that opened this log (not on Windows)."""
        with self._lock:
            if self._file is None:
                yield
                return
            if sys.platform != "win32":
                fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                self._catch_up()
                yield
            finally:
                if sys.platform != "win32":
                    fcntl.flock(self._file, fcntl.LOCK_UN)

    def _catch_up(self) -> None:
        assert self._file is not None
        self._file.seek(self._read)
        *lines, torn = self._file.read().split(b"\n")
        for line in lines:
            try:
                self._apply(ENTRY.decode(line))
            except msgspec.DecodeError as error:
                raise ValueError(f"{self._file.name}: not a sandbox's log at byte {self._read}: {error}") from None
            self._read += len(line) + 1
        if torn:
            if not self._read and not HEADER.startswith(torn):
                raise ValueError(f"{self._file.name}: not a sandbox's log")
            # Whoever wrote half a line died before it answered: it did not happen.
            self._file.truncate(self._read)
        if not self._read:
            self._write(Opened())

    def _write(self, entry: Entry) -> None:
        if self._file:
            line = msgspec.json.encode(entry) + b"\n"
            if self._file.write(line) != len(line):
                raise OSError(f"{self._file.name}: half a line written")
            os.fsync(self._file.fileno())
            self._read += len(line)
        self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        match entry:
            case Payout(did="paid" | "refused" | "lost"):
                self._keys[entry.key] = entry
                self._hooks.update({hook.id: hook for hook in entry.hooks})
                self._hooks_made += len(entry.hooks)
            case Acknowledged():
                for number in entry.hooks:
                    self._hooks.pop(number, None)


def _named(payment: str) -> Behaviour | None:
    name = payment.rpartition(":")[2]
    return next((behaviour for behaviour in OUTCOMES if behaviour == name), None)


def _settled(payout: Payout) -> Reply:
    return PAID if payout.did == "paid" else payout.reply


class Sandbox:
    """The simulated bank as a refund provider inside this process, at the time its `clock` says (aware UTC).

    `deliver` gets each webhook that is to come before its answer; without it they wait in `hooks` with the others.
    """

    name: str = "sandbox"
    key_life: timedelta = KEY_LIFE

    def __init__(
        self, bank: Bank, clock: Callable[[], datetime], deliver: Callable[[Hook], None] | None = None
    ) -> None:
        self.bank = bank
        self._clock = clock
        self._deliver = deliver

    def pay(self, key: str, payment: str, minor: int, currency: str) -> Reply:
        """Pay `minor` units back over a payment, at most once per key (simulated)."""
        now = self._clock()
        try:
            reply = self.bank.pay(key, payment, minor, currency, now)
        except OSError:
            return UNKNOWN
        if self._deliver:
            for hook in self.bank.hooks(now):
                if hook.key == key:
                    self._deliver(hook)
                    self.bank.acknowledge([hook.id])
        return reply

    def look_up(self, key: str) -> Reply:
        """What became of that key."""
        try:
            return self.bank.look_up(key)
        except OSError:
            return UNKNOWN

    def hooks(self, now: datetime) -> list[Hook]:
        """The webhooks due by `now` and not acknowledged, the earliest first."""
        return self.bank.hooks(now)

    def acknowledge(self, hooks: Iterable[int]) -> None:
        """These webhooks (ids) were taken in; they are not handed out again."""
        self.bank.acknowledge(hooks)
