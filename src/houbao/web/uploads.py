"""Photographs and other files coming in: how many at once, of one sender and of all, and how many photographs a person
sends in an hour."""

from collections import Counter, deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta

from houbao.core.said import Said
from houbao.core.terms import Refused

MOST_UPLOADS, WITHIN = 60, timedelta(hours=1)
"""How many photographs one person may send in an hour; a marketplace's key sends those of many people."""
MOST_PEOPLE = 10_000
"""Of how many people uploads are counted."""
MOST_AT_ONCE = 8
"""How many are in memory at once, at up to 20 MiB each."""
MOST_OF_PERSON, MOST_OF_KEY = 2, 4
"""How many requests with files one sender makes at once; a key sends for many people."""


class Uploads:
    """Who sent how many lately, in this process; and the one thread that unpacks them, so that no reader waits."""

    def __init__(self) -> None:
        self._sent: dict[str, deque[datetime]] = {}
        self._sending: Counter[str] = Counter()
        self._coming = 0
        self.thread = ThreadPoolExecutor(1, "photographs")

    @contextmanager
    def turn(self, sender: str, most: int) -> Generator[None]:
        """A request with files, from its first byte to its answer. Raises Refused: overloaded."""
        if self._sending[sender] >= most:
            raise Refused(
                "overloaded", Said("%(most)s requests of yours with files are coming in: send this one then", most=most)
            )
        self._sending[sender] += 1
        try:
            yield
        finally:
            self._sending[sender] -= 1
            if not self._sending[sender]:
                del self._sending[sender]

    @contextmanager
    def place(self) -> Generator[None]:
        """Room for one more in memory. Raises Refused: overloaded."""
        if self._coming >= MOST_AT_ONCE:
            raise Refused("overloaded", Said("%(most)s photographs are coming in: try again", most=MOST_AT_ONCE))
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1

    def count(self, sender: str, now: datetime) -> None:
        """One more of somebody's. Raises Refused: too_many_uploads."""
        if sender not in self._sent and len(self._sent) >= MOST_PEOPLE:
            self._sent = {who: sent for who, sent in self._sent.items() if sent[-1] > now - WITHIN}
        sent = self._sent.setdefault(sender, deque(maxlen=MOST_UPLOADS))
        if len(sent) == MOST_UPLOADS and sent[0] > now - WITHIN:
            raise Refused("too_many_uploads", Said("%(most)s photographs came within an hour", most=MOST_UPLOADS))
        sent.append(now)

    def close(self) -> None:
        """Take no more."""
        self.thread.shutdown(wait=False, cancel_futures=True)
