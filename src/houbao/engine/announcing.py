"""Telling those outside what happened: every event to every webhook that wants it, at least once, again over days.

A delivery is a row of its own, and the webhooks take turns: one receiver who is slow or down keeps nobody else waiting
for longer than a call. Its id is the event's, so that a receiver who is told twice can tell.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct, structs

BACKOFF = tuple(timedelta(seconds=s) for s in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""The waits between tries, about three days in all; then it is given up, and can be asked for again."""

LEASE = timedelta(minutes=5)
GATHERED = 500
MOST_CALLS = 50
"""The most calls to one webhook in a run: then what happened meanwhile is gathered for the others, too."""

ENDED = "the webhook was ended"
"""Why a delivery was given up that was due when its webhook ended."""

GONE = 410
"""A receiver who answers this wants to hear no more."""

RECEIVER = "receiver"
"""Who ended a webhook by answering so."""


class Secret(Struct, frozen=True):
    """What deliveries are signed with; after a rotation the old one too, `until` a time. By its `wish` a rotation
    that is asked for twice is known."""

    secret: str
    until: datetime | None = None
    wish: str = ""


class Hook(Struct, frozen=True, kw_only=True):
    """A webhook: where it is, which types of events it wants (none named: all), of which store (none named: all)."""

    id: str
    url: str
    types: tuple[str, ...]
    store: str
    secrets: tuple[Secret, ...]
    created_at: datetime
    ended_at: datetime | None = None

    def wants(self, kind: str, store: str) -> bool:
        """Whether it is told of that event."""
        return (not self.types or kind in self.types) and self.store in ("", store)


class Happening(Struct, frozen=True):
    """An event as it is stored."""

    position: int
    booked_at: datetime
    body: bytes


class Call(Struct, frozen=True):
    """One delivery to be made, the how manieth try it is, and until when it is nobody else's."""

    hook: Hook
    event: Happening
    tries: int
    claimed_until: datetime


class Answered(Struct, frozen=True):
    """What the receiver said: an HTTP status, 0 where there was none and `detail` says why."""

    status: int
    detail: str = ""


class Delivered(Struct, frozen=True, kw_only=True):
    """How a delivery stands: `due` (again at `due_at`), `done`, or `failed` for good."""

    hook: str
    position: int
    state: str
    due_at: datetime | None = None
    tries: int = 0
    tried_at: datetime | None = None
    status: int = 0
    detail: str = ""


class HookBook(Protocol):
    """Where webhooks and deliveries are kept."""

    def gather(self, part: int, most: int, now: datetime) -> int:
        """Make deliveries of the next events; returns how many events were looked at."""
        ...

    def waiting(self, part: int, now: datetime) -> list[str]:
        """The webhooks that something is due to."""
        ...

    def claim(self, part: int, hook: str, now: datetime, lease: timedelta) -> Call | None:
        """The delivery to a webhook that is due longest, nobody else's until the lease ends; None where none is."""
        ...

    def settle(self, part: int, call: Call, told: Delivered) -> None:
        """How it went; nothing where the delivery is not this call's any more."""
        ...

    def end(self, part: int, hook: str, now: datetime, by: str = "") -> None:
        """A webhook is told no more; what is due to it is given up."""
        ...


class Announcer:
    """Tells the webhooks of one part. `send` posts one signed message; `message` is what an event is outside."""

    def __init__(
        self,
        book: HookBook,
        send: Callable[[Hook, str, bytes, datetime], Answered],
        message: Callable[[Happening], bytes],
        clock: Callable[[], datetime],
        *,
        part: int = 0,
    ) -> None:
        self.book = book
        self.send = send
        self.message = message
        self.clock = clock
        self.part = part

    def run(self, stopped: Callable[[], bool] = lambda: False) -> int:
        """Tell what is due now, one delivery to each webhook in turn, until `stopped`; one that fails is told nothing
        more in this run. Returns how many deliveries were tried."""
        while self.book.gather(self.part, GATHERED, self.clock()) >= GATHERED:
            pass
        tried, left = 0, dict.fromkeys(self.book.waiting(self.part, self.clock()), MOST_CALLS)
        while left:
            for hook in [*left]:
                if stopped():
                    return tried
                told = self._tell(hook)
                tried, left[hook] = tried + (told is not None), left[hook] - 1
                if told is None or told.state != "done" or not left[hook]:
                    del left[hook]
        return tried

    def _tell(self, hook: str) -> Delivered | None:
        """The delivery that waits longest for a webhook, made; None where none waits."""
        call = self.book.claim(self.part, hook, self.clock(), LEASE)
        if call is None:
            return None
        told = self._deliver(call)
        self.book.settle(self.part, call, told)
        if told.status == GONE:
            self.book.end(self.part, hook, self.clock(), RECEIVER)
        return told

    def _deliver(self, call: Call) -> Delivered:
        hook, event, now = call.hook, call.event, self.clock()
        if hook.ended_at is not None:
            return self._how(call, now, "failed", Answered(0, ENDED))
        answered = self.send(hook, f"msg_{self.part}_{event.position}", self.message(event), now)
        if 200 <= answered.status < 300:
            return self._how(call, now, "done", answered)
        if answered.status == GONE or call.tries > len(BACKOFF):
            return self._how(call, now, "failed", answered)
        return self._how(call, now, "due", answered, now + BACKOFF[call.tries - 1])

    def _how(self, call: Call, now: datetime, state: str, said: Answered, due: datetime | None = None) -> Delivered:
        return Delivered(
            hook=call.hook.id,
            position=call.event.position,
            state=state,
            due_at=due,
            tried_at=now,
            status=said.status,
            detail=said.detail[:200],
        )


OLD_SECRET_LASTS = timedelta(hours=24)


def rotated(hook: Hook, secret: Secret, now: datetime) -> Hook:
    """The webhook with a new secret; the one before signs along for a day, so that nothing is lost meanwhile, and those
    before that for what is left of theirs. A wish that is known changes nothing."""
    if secret.wish and secret.wish in [one.wish for one in hook.secrets]:
        return hook
    before = structs.replace(hook.secrets[0], until=now + OLD_SECRET_LASTS)
    older = [one for one in hook.secrets[1:] if one.until and one.until > now]
    return structs.replace(hook, secrets=(secret, before, *older))
