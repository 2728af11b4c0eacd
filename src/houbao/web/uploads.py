"""How many photographs people send: a limit for each, and for how many are counted."""

from collections import deque
from datetime import datetime, timedelta

from houbao.core.terms import Refused

MOST_UPLOADS, WITHIN = 60, timedelta(hours=1)
"""How many photographs one person may send in an hour; a marketplace's key sends those of many people."""
MOST_PEOPLE = 10_000
"""Of how many people uploads are counted."""


class Uploads:
    """Who sent how many lately, in this process."""

    def __init__(self) -> None:
        self._sent: dict[str, deque[datetime]] = {}

    def count(self, reader: str, now: datetime) -> None:
        """One more. Raises Refused: too_many_uploads."""
        if reader not in self._sent and len(self._sent) >= MOST_PEOPLE:
            self._sent = {who: sent for who, sent in self._sent.items() if sent[-1] > now - WITHIN}
        sent = self._sent.setdefault(reader, deque(maxlen=MOST_UPLOADS))
        if len(sent) == MOST_UPLOADS and sent[0] > now - WITHIN:
            raise Refused("too_many_uploads", f"{MOST_UPLOADS} photographs came within an hour")
        sent.append(now)
