"""What every file of orders yields: rows, each with what it says, and marks from which reading can go on."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from houbao.core.terms import Refused
from houbao.feeds.mapping import FeedError
from houbao.feeds.order_format import OrderEventDocument
from houbao.feeds.sold import SoldOrder

PIECE = 1 << 20


class Mark(Struct, frozen=True, gc=False):
    """A place in a file: lines before it, and bytes before it (in files that are not read line by line: rows)."""

    line: int = 0
    offset: int = 0


START = Mark()


class Ignored(Struct, frozen=True):
    """A row that says nothing that Houbao keeps, by the name of the rule."""

    rule: str


class Row(Struct, frozen=True):
    """What stands from `line` on in `count` rows of the file, and where reading goes on after it. `file` names the one
    of several; `size` is how many bytes it took there, 0 where that is not known."""

    line: int
    said: SoldOrder | tuple[OrderEventDocument, ...] | Refused | Ignored
    after: Mark
    count: int = 1
    file: str = ""
    size: int = 0


class Feed(ABC):
    """A file that is being read. `whole` is its length in the unit of `Mark.offset`."""

    whole: int = 0

    @abstractmethod
    def rows(self, after: Mark) -> Iterator[Row]:
        """The rows from that mark on."""

    @abstractmethod
    def witness(self, mark: Mark) -> str:
        """A digest of what was read up to the mark: the same as long as nobody changed it."""


class ByteFeed(Feed):
    """A file that is read line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = opened(path)
        self.whole = path.stat().st_size
        self._read = 0
        self._digest = blake2b(digest_size=16)
        self._again = opened(path)

    def witness(self, mark: Mark) -> str:
        """See Feed: of the bytes before the mark; what is appended later does not matter. Marks only go on."""
        while self._read < mark.offset:
            piece = self._again.read(min(PIECE, mark.offset - self._read))
            if not piece:
                return ""
            self._digest.update(piece)
            self._read += len(piece)
        return self._digest.hexdigest() if self._read == mark.offset else ""


def opened(path: Path) -> BinaryIO:
    """The file, to be read. Raises FeedError where it cannot be."""
    try:
        return path.open("rb")
    except OSError as error:
        raise FeedError(f"{path} cannot be read: {error.strerror}") from None


def digest_of(paths: list[Path]) -> str:
    """A digest of whole files."""
    digest = blake2b(digest_size=16)
    for path in paths:
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with opened(path) as file:
            while piece := file.read(PIECE):
                digest.update(piece)
    return digest.hexdigest()
