"""Where photographs are kept: the interface of it, and what passes through it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

MOST_PHOTO_BYTES = 20 * 1024 * 1024
"""The largest file of a photograph that is taken."""


class Piece(Struct, frozen=True):
    """A piece of evidence as it is kept, not as it was sent. `digest` is the SHA-256 of its content."""

    digest: str
    media: str
    width: int
    height: int
    bytes: int


class Shown(Struct, frozen=True):
    """What there is to see of a piece."""

    content: bytes
    media: str


class Link(Struct, frozen=True):
    """What lets one caller see one piece until then."""

    until: datetime
    signature: str


class Evidence(Protocol):
    """Where photographs are kept."""

    def keep(self, content: bytes) -> Piece:
        """Take a photograph in. Raises Refused: bad_image, image_too_large, no_images, not_kept."""
        ...

    def unknown(self, digests: Iterable[str]) -> list[str]:
        """Those of which there is nothing: never sent, or erased."""
        ...

    def show(self, digest: str, size: Literal["whole", "small"] = "whole") -> Shown:
        """A piece, or the small picture of it. Raises Refused: unknown_evidence."""
        ...

    def link(self, digest: str, caller: str, now: datetime) -> Link:
        """A link by which `caller` alone sees that piece for a while. Raises Refused: not_kept."""
        ...

    def check_link(self, digest: str, caller: str, until: datetime, signature: str, now: datetime) -> None:
        """Raises Refused: bad_link where it was altered, made for somebody else, or has ended; not_kept."""
        ...
