"""Progress of long work on standard error: a bar at a terminal, else a line now and then."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic

EVERY = 5.0
"""Seconds between two lines where there is no terminal."""


@contextmanager
def shown() -> Generator[Callable[[str, int, int], None]]:
    """What long work tells: what it does, how many rows are done, of how many."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)
        yield lambda what, done, of: bars.update(task, description=what, completed=done, total=of)


def _lines() -> Callable[[str, int, int], None]:
    last = monotonic()

    def tell(what: str, done: int, of: int) -> None:
        nonlocal last
        if monotonic() - last >= EVERY:
            last = monotonic()
            print(f"{what}: {done:,} of {of:,}", file=sys.stderr)

    return tell
