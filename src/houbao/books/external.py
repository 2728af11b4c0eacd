"""What a provider's or a bank's file says, line by line, whatever its format was."""

import re
from datetime import date, datetime
from hashlib import blake2b

from msgspec import Struct

from houbao.books.extract import BookError
from houbao.core.money import LARGEST
from houbao.core.said import Said
from houbao.core.terms import REFERENCE

BOOKED = "reconcile-"
AT_BANK = "reconcile-bank-"
"""How the keys begin under which lines of files are booked; those of a bank's lines."""

MOST_BYTES = 256 * 1024 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:\-]*", re.ASCII)


class External(Struct, frozen=True):
    """One movement of cash as the other side tells it: `minor` above zero came in there, below zero went out; `fee` is
    what it kept of it. `tokens` are all words by which it may name what is ours; `place` is where it stands in the
    file; `at` is when it was, where the file says more than the day; `bank`
    tells cash at the bank from cash at a provider."""

    place: str
    id: str
    day: date
    minor: int
    currency: str
    kind: str
    tokens: frozenset[str]
    fee: int = 0
    at: datetime | None = None
    bank: bool = False


class File(Struct, frozen=True):
    """A file: its format, whose cash it tells of (`provider` or `bank`), its lines, the days from first to last, and
    how many lines say nothing of cash that has moved."""

    format: str
    holder: str
    first: date
    last: date
    lines: list[External]
    skipped: int = 0


def key_of(line: External) -> str:
    """Their number of a line as an idempotency key: the command that books it can be run twice and books once, and the
    line is known by it ever after."""
    begins = AT_BANK if line.bank else BOOKED
    key = f"{begins}{line.id}"
    return key if REFERENCE.fullmatch(key) else f"{begins}{blake2b(line.id.encode(), digest_size=12).hexdigest()}"


def tokens_of(*texts: str) -> frozenset[str]:
    """Every word of texts that might be somebody's reference."""
    found: set[str] = set()
    for text in texts:
        for token in _TOKEN.findall(text):
            found.add(token)
            found.add(token.rstrip("_.:-"))
    return frozenset(found)


def checked(place: str, minor: int) -> int:
    """The amount, as long as it is one that can be. Raises BookError."""
    if abs(minor) > LARGEST:
        raise BookError(
            Said("%(place)s: %(minor)s minor units are more than any amount may be", place=place, minor=minor)
        )
    return minor


def file_of(form: str, holder: str, lines: list[External], skipped: int = 0) -> File:
    """The file of those lines. Raises BookError where it has none."""
    if not lines:
        raise BookError(Said("the file is %(format)s, but no line of it tells of cash that has moved", format=form))
    days = [line.day for line in lines]
    return File(form, holder, min(days), max(days), lines, skipped)


def check_once(lines: list[External]) -> None:
    """Raises BookError where two lines have one id."""
    seen: dict[str, str] = {}
    for line in lines:
        if line.id in seen:
            said = Said(
                "%(place)s: %(id)s stands in %(before)s already", place=line.place, id=line.id, before=seen[line.id]
            )
            raise BookError(said)
        seen[line.id] = line.place
