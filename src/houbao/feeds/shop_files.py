"""Files of JSON objects as shops export them: one object, a list of them, or one on each line; a file, or a folder of
such files."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from houbao.core.terms import Refused
from houbao.feeds.files import Feed, Ignored, Mark, Row, digest_of, opened
from houbao.feeds.mapping import FeedError
from houbao.feeds.order_format import bad_field

SUFFIXES = (".json", ".ndjson", ".jsonl")
LONGEST = 16 << 20
"""The most bytes of one line; a document over several lines is read whole."""

Said = Any
Read = Callable[[Any], Iterator[Said]]
"""What a shop's object says, row by row; refusals are raised or given."""

_plain_of = msgspec.json.Decoder(float_hook=str).decode


class ShopFeed(Feed):
    """The objects of a file or a folder, each made into rows by `read`. A mark's offset is a number of rows."""

    def __init__(self, path: Path, read: Read) -> None:
        self.paths = sorted(one for one in path.iterdir() if one.suffix in SUFFIXES) if path.is_dir() else [path]
        if not self.paths:
            raise FeedError(f"{path} has no file that ends in {', '.join(SUFFIXES)}")
        self.read = read
        self.several = path.is_dir()
        self._digest = ""

    def witness(self, mark: Mark) -> str:
        """See Feed: of all files, whole."""
        self._digest = self._digest or digest_of(self.paths)
        return self._digest

    def rows(self, after: Mark) -> Iterator[Row]:
        """See Feed. The rows before the mark are read again and passed over."""
        number = 0
        for path in self.paths:
            for line, said in _objects(path):
                for one in [said] if isinstance(said, Refused | Ignored) else self._said(said):
                    number += 1
                    if number > after.offset:
                        yield Row(line, one, Mark(number, number), file=path.name if self.several else "")

    def _said(self, plain: Any) -> Iterator[Said]:
        try:
            yield from self.read(plain)
        except Refused as refused:
            yield refused


def _objects(path: Path) -> Iterator[tuple[int, Any]]:
    """Each object of the file with the line where it begins; a refusal where a line holds none."""
    with opened(path) as file:
        first = file.readline(LONGEST)
        if isinstance(_decoded(first), Refused):  # one document over several lines, if it is one
            document = _decoded(first + file.read())
            if not isinstance(document, Refused):
                yield from ((1, one) for one in (document if isinstance(document, list) else [document]))
                return
        file.seek(0)
        line = 0
        while body := file.readline(LONGEST):
            line += 1
            one = Ignored("blank_line") if body.isspace() else _decoded(body)
            yield from ((line, each) for each in (one if isinstance(one, list) else [one]))


def _decoded(body: bytes) -> Any:
    try:
        return _plain_of(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return bad_field(error)
