"""Words that all rooms share: roles, actors, ids, refusals, time.

An id of Houbao's is the position, in its part, of the event that made the thing. Inside it is an int; outside it
names its kind and part too: `dispute_0_4711`. A caller's own id is a `reference`.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, Literal, TypeVar, get_args

from msgspec import Struct, structs

from houbao.core.said import Said

Role = Literal["buyer", "seller", "agent", "finance", "admin", "platform", "provider", "mail", "system"]
"""Who may act. `platform` is the marketplace's own software (orders, scans); `system` is the passing of time."""

Payer = Literal["fund", "seller", "platform"]

REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:\-]{0,63}", re.ASCII)
"""What a store's id, an order's reference or an idempotency key may look like: at most 64 plain characters."""

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", re.ASCII)
WORDS = 200
"""The most characters of a name, an address or a category."""

DETAIL = 1000
"""The most characters of a refusal's detail, which may quote what was sent."""

FIRST_YEAR, LAST_YEAR = 1970, 2999

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A plain frozen record; fields at their default are left out of the stored JSON."""


def tag_of(record: Struct) -> str:
    """The tag by which a command or event goes by in JSON."""
    tag = record.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


class Actor(Struct, frozen=True, gc=False):
    """Who acts. `id` is the store's id for a seller, the marketplace's buyer id for a buyer, a user's for the rest."""

    role: Role
    id: str = ""

    def __str__(self) -> str:
        return f"{self.role}:{self.id}" if self.id else self.role


SYSTEM = Actor("system")


def role_of(by: str) -> str:
    """In which role somebody did what an event says: `seller` of `seller:oak`."""
    return by.partition(":")[0]


def id_in(by: str) -> str:
    """Who it was, by their id in that role: `oak` of `seller:oak`; empty where the role says all."""
    return by.partition(":")[2]


class Refused(Exception):
    """A command that may not happen. Nothing was written.

    `code` is stable (docs/errors.md lists every one), `detail` says what was found, `rule` the policy rule where one
    refused, `facts` the few values a caller may want to show. `said` is the detail where it can be said in another
    language too.
    """

    def __init__(
        self, code: str, detail: str, *, rule: str = "", reasons: Sequence[Any] = (), **facts: str | int
    ) -> None:
        self.code = code
        self.detail = str(detail) if len(detail) <= DETAIL else f"{detail[: DETAIL - 1]}…"
        self.said = detail if isinstance(detail, Said) else None
        super().__init__(f"{code}: {self.detail}")
        self.rule = rule
        self.reasons = tuple(reasons)
        self.facts = facts

    def __reduce__(self) -> tuple[Any, ...]:
        """By what it is made again in another process."""
        made = partial(type(self), rule=self.rule, reasons=self.reasons, **self.facts)
        return made, (self.code, self.said or self.detail)


def micros(at: datetime) -> int:
    """Microseconds since 1970 UTC, exact: how times stand in the tables."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(value: int) -> datetime:
    """The aware UTC time of `micros`."""
    return EPOCH + timedelta(microseconds=value)


def rfc3339(at: datetime) -> str:
    """An aware time as it is written to others: in UTC, such as 2026-07-12T12:20:00Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


C = TypeVar("C", bound=Struct)


def in_utc(record: C) -> C:
    """The record with its times told in UTC, however they were given: it is kept as it will be shown. Those that name
    no zone, or lie beyond all years, stay as they are, to be refused."""
    changes = {}
    for name in _times(type(record)):
        at = getattr(record, name)
        if at is not None and at.tzinfo not in (None, UTC):
            with suppress(OverflowError):
                changes[name] = at.astimezone(UTC)
    return structs.replace(record, **changes) if changes else record


@cache
def _times(kind: type[Struct]) -> tuple[str, ...]:
    """The fields of a record that are times."""
    return tuple(one.name for one in structs.fields(kind) if datetime in (one.type, *get_args(one.type)))


def public_id(kind: str, part: int, number: int) -> str:
    """The id as others see it, e.g. `dispute_0_4711`."""
    return f"{kind}_{part}_{number}"


def parse_id(kind: str, text: str) -> tuple[int, int]:
    """(part, number) of a public id; `Refused('bad_id')` if it is not one of that kind."""
    match = re.fullmatch(rf"{kind}_([0-9]{{1,4}})_([0-9]{{1,18}})", text, re.ASCII)
    if not match:
        article = "an" if kind[0] in "aeiou" else "a"
        raise Refused("bad_id", f"{text!r} is not the id of {article} {kind}; one looks like {kind}_0_47")
    return int(match[1]), int(match[2])


def check_reference(name: str, text: str) -> None:
    """`Refused('bad_reference')` unless `text` is a plain id of 1 to 64 characters."""
    if not REFERENCE.fullmatch(text):
        raise Refused("bad_reference", f"{name} is {text!r}: use 1 to 64 letters, digits, _ . : -")


def check_words(name: str, text: str) -> None:
    """`Refused('bad_words')` where a name, an address or a category is too long or has control characters."""
    if len(text) > WORDS or CONTROL.search(text):
        raise Refused("bad_words", f"{name} is {text!r}: use at most {WORDS} characters, none of them a control one")


def check_language(name: str, tag: str) -> None:
    """`Refused('bad_words')` unless it is empty or has the form of a language tag of BCP 47."""
    if tag and (len(tag) > 35 or not LANGUAGE.fullmatch(tag)):
        raise Refused("bad_words", f"{name} is {tag!r}: send a language tag, such as en or zh-Hans")


def check_aware(name: str, at: datetime) -> None:
    """`Refused('naive_time')` unless `at` names its zone, `Refused('bad_time')` in a year that no order has."""
    if at.tzinfo is None:
        raise Refused(
            "naive_time", f"{name} is {at.isoformat()}: give the time with its zone, e.g. 2026-07-12T12:20:00Z"
        )
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise Refused("bad_time", f"{name} is {at.isoformat()}: give a year from {FIRST_YEAR} to {LAST_YEAR}")


ReasonClass = Literal["INR", "SNAD", "REMORSE", "OTHER"]


REASONS: dict[str, ReasonClass] = {
    **dict.fromkeys(
        (
            "never_shipped",
            "in_transit_overdue",
            "tracking_invalid",
            "delivered_not_received",
            "held_by_customs",
            "returned_to_sender",
            "wrong_address",
        ),
        "INR",
    ),
    **dict.fromkeys(
        (
            "different_item",
            "wrong_variant",
            "not_as_pictured",
            "poor_quality",
            "defective",
            "damaged",
            "missing_parts",
            "short_quantity",
            "counterfeit",
        ),
        "SNAD",
    ),
    **dict.fromkeys(("changed_mind", "ordered_by_mistake", "no_longer_needed", "does_not_fit"), "REMORSE"),
    **dict.fromkeys(("overcharged", "customs_charge", "other"), "OTHER"),
}
"""Reason → class: INR not received, SNAD not as described, REMORSE no reason, OTHER."""


def spelled(code: str) -> str:
    """A code such as a reason in plain words: of one of REASONS, the message that the catalogues translate."""
    return code.replace("_", " ")
