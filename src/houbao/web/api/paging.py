"""Pages of lists: how long they may be, and the opaque cursor of the next one."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct

from houbao.core.terms import Refused
from houbao.web.api.shapes import Page

T = TypeVar("T")
Limit = Annotated[int, Meta(ge=1, le=200)]
"""How many there are on a page."""

LARGEST = 1 << 62


class PageQuery(Struct, kw_only=True):
    """Which page."""

    limit: Limit = 50
    after: str = ""


def page_of(found: Sequence[T], limit: int, cursor: Callable[[T], str]) -> Page[Any]:
    """A page of what was found, of which one more than `limit` was asked for."""
    data = [*found[:limit]]
    return Page(data=data, next=cursor(data[-1]) if len(found) > limit else None)


def part_of(whole: Sequence[T], wanted: PageQuery) -> Page[T]:
    """A page of a short list that was read whole and grows at its end alone. Raises Refused: bad_cursor."""
    start = sum(seek(wanted.after, 1))
    end = start + wanted.limit
    return Page(data=[*whole[start:end]], next=cursor_of(end) if end < len(whole) else None)


def cursor_of(*numbers: int) -> str:
    """A place in a list, opaque to whoever gets it."""
    return urlsafe_b64encode(".".join(map(str, numbers)).encode()).decode().rstrip("=")


def seek(text: str, count: int) -> tuple[int, ...]:
    """The place that a cursor names; none for an empty one. Raises Refused: bad_cursor."""
    if not text:
        return ()
    try:
        numbers = tuple(
            int(part) for part in urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").split(".")
        )
    except (Error, ValueError):
        numbers = ()
    if len(numbers) != count or not all(0 <= number < LARGEST for number in numbers):
        raise Refused("bad_cursor", f"{text[:80]!r} is no place in this list: send `next` of the page before")
    return numbers
