"""Pages of lists: how long they may be, from when to when, and the opaque cursor of the next one."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from houbao.core.terms import Refused, check_aware
from houbao.web.api.shapes import Page

T = TypeVar("T")
Limit = Annotated[int, Meta(ge=1, le=200)]
"""How many there are on a page."""

Moment = Annotated[
    str, Meta(extra_json_schema={"anyOf": [{"format": "date-time"}, {"format": "date"}, {"maxLength": 0}]})
]
"""A time with its zone, or a day of UTC; empty for none."""

LARGEST = 1 << 62


class PageQuery(Struct, kw_only=True):
    """Which page."""

    limit: Limit = 50
    after: str = ""


def moment(name: str, text: str, *, whole: bool = False) -> datetime | None:
    """The time that a field of a query names; a day is where it begins or, as the `whole` last one, where it has ended.
    Raises Refused: bad_time, naive_time."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text) if len(text) <= len("2026-07-12") else None
        at = datetime.combine(day, time(), UTC) if day else datetime.fromisoformat(text)
    except ValueError:
        says = "give a time such as 2026-07-12T12:20:00Z, or a day such as 2026-07-12"
        raise Refused("bad_time", f"{name} is {text[:80]!r}: {says}") from None
    check_aware(name, at)
    return at + timedelta(days=1) if day and whole else at


def span(start: str, end: str) -> tuple[datetime | None, datetime | None]:
    """The times of `from` and `to`; a day as `to` is the last one, whole. Raises Refused: bad_time, naive_time."""
    return moment("from", start), moment("to", end, whole=True)


def page_of(found: Sequence[T], limit: int, cursor: Callable[[T], str]) -> Page[Any]:
    """A page of what was found, of which one more than `limit` was asked for."""
    data = [*found[:limit]]
    return Page(data=data, next=cursor(data[-1]) if len(found) > limit else None)


def part_of(whole: Sequence[T], wanted: PageQuery) -> Page[T]:
    """A page of a short list that was read whole and grows at its end alone. Raises Refused: bad_cursor."""
    start = sum(seek(wanted.after, 1))
    end = start + wanted.limit
    return Page(data=[*whole[start:end]], next=cursor_of(end) if end < len(whole) else None)


Place = tuple[str, int, str]
"""Where something stands in a list that is in that order, whatever comes before or after it."""


def sorted_part_of(whole: Sequence[T], wanted: PageQuery, place: Callable[[T], Place]) -> Page[T]:
    """A page of a short list that was read whole and grows anywhere, by each one's `place`: what is added between two
    pages makes none come twice or never; what gets another place, as a version does that is put into force, may come
    at both. Raises Refused: bad_cursor."""
    after = _place(wanted.after)
    found = [one for one in sorted(whole, key=place) if after is None or place(one) > after]
    return page_of(found, wanted.limit, lambda one: _opaque(msgspec.json.encode(place(one))))


def _place(text: str) -> Place | None:
    if not text:
        return None
    try:
        return msgspec.json.decode(_transparent(text), type=Place)
    except (Error, ValueError):  # msgspec's own are ValueErrors
        raise _nowhere(text) from None


def cursor_of(*numbers: int) -> str:
    """A place in a list, opaque to whoever gets it."""
    return _opaque(".".join(map(str, numbers)).encode())


def seek(text: str, count: int) -> tuple[int, ...]:
    """The place that a cursor names; none for an empty one. Raises Refused: bad_cursor."""
    if not text:
        return ()
    try:
        numbers = tuple(int(part) for part in _transparent(text).decode("ascii").split("."))
    except (Error, ValueError):
        numbers = ()
    if len(numbers) != count or not all(0 <= number < LARGEST for number in numbers):
        raise _nowhere(text)
    return numbers


def _opaque(place: bytes) -> str:
    return urlsafe_b64encode(place).decode().rstrip("=")


def _transparent(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _nowhere(text: str) -> Refused:
    return Refused("bad_cursor", f"{text[:80]!r} is no place in this list: send `next` of the page before")
