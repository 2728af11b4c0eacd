"""A file read while the database commits: then nobody else needs the interpreter."""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

from houbao.engine.engine import Engine

P = TypeVar("P")


class Ahead(Generic[P]):
    """Pieces, in order; the next one is read in a thread from when somebody says so, at the latest when it is asked
    for. What reading raises is raised where the piece is asked for."""

    def __init__(self, pieces: Iterable[P], thread: ThreadPoolExecutor) -> None:
        self._pieces = iter(pieces)
        self._thread = thread
        self._next: Future[P | None] | None = None

    def read(self) -> None:
        """Begin to read the next piece, unless that has begun."""
        if self._next is None:
            self._next = self._thread.submit(lambda: next(self._pieces, None))

    def __iter__(self) -> Iterator[P]:
        """Every piece."""
        while True:
            self.read()
            assert self._next is not None
            piece, self._next = self._next.result(), None
            if piece is None:
                return
            yield piece


@contextmanager
def read_ahead(pieces: Iterable[P], engine: Engine) -> Generator[Iterable[P]]:
    """The pieces, each begun to be read when the engine has saved something and commits it."""
    before = engine.probe
    with ThreadPoolExecutor(1, thread_name_prefix="reading") as thread:
        ahead = Ahead(pieces, thread)

        def point(name: str) -> None:
            before(name)
            if name == "batch.saved":
                ahead.read()

        engine.probe = point
        try:
            yield ahead
        finally:
            engine.probe = before
