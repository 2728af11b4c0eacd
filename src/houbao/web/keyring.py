"""Who asks with an API key. A marketplace's server asks many times a second with the same one: who that is need not be
looked up each time."""

from collections.abc import Callable
from time import monotonic

from houbao.store.access import Access, digest_of, key_of
from houbao.store.reading import Reader
from houbao.web.callers import NOBODY, Caller, of_key

KNOWN_SECONDS = 1.0
"""How long a key that was looked up is not looked up again. One that is revoked in this process opens nothing at once,
one that is revoked by another (`houbao keys revoke`) after this long."""

MOST_KNOWN = 1000
"""Keys that are known at once; then all are looked up anew."""


class Keyring:
    """The callers of the keys that were used lately. What opens nothing is never known: it is looked up each time."""

    def __init__(self, reader: Reader, access: Access, seconds: Callable[[], float] = monotonic) -> None:
        self._reader = reader
        self._access = access
        self._seconds = seconds
        self._known: dict[bytes, tuple[Caller, float, int]] = {}

    def caller(self, secret: str) -> Caller:
        """Who has that key; NOBODY where it opens nothing."""
        digest, now, revoked = digest_of(secret), self._seconds(), self._access.revocations
        caller, since, then = self._known.get(digest, (NOBODY, 0.0, -1))
        if then == revoked and now - since < KNOWN_SECONDS:
            return caller
        with self._reader.glance() as reading:
            key = key_of(reading, secret)
        if key is None:
            return NOBODY
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        caller = of_key(key)
        self._known[digest] = (caller, now, revoked)
        return caller
