"""Evidence that the platform asks a party for: of whom, in which words, until when, and whether it came."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from houbao.core.disputes import Dispute, EvidenceAdded, EvidenceRequested
from houbao.core.terms import role_of
from houbao.core.world import Event
from houbao.store import lists
from houbao.store.pages import being_asked, waiting_for_seller


class Asked(Struct, frozen=True):
    """What a party is asked for. `open` while it may come and none has; `came` is when it sent some."""

    party: str
    until: datetime
    text: str
    open: bool
    came: datetime | None


def asked_in(
    dispute: Dispute, events: Sequence[tuple[int, Event]], texts: dict[int, str], party: str, now: datetime
) -> Asked | None:
    """What the platform asked that party for last, in the phase that the dispute is in. A later request to the other
    party leaves the first one's time as it was."""
    asked: tuple[int, EvidenceRequested] | None = None
    last, came = 0, None
    for position, event in events:
        if isinstance(event, EvidenceRequested):
            last = position
            if event.party == party:
                asked, came = (position, event), None
        elif getattr(event, "phase", dispute.phase) != dispute.phase:
            asked, came = None, None
        elif asked and isinstance(event, EvidenceAdded) and role_of(event.by) == party:
            came = came or event.at
    if asked is None:
        return None
    position, request = asked
    # An outage moves the timer, which is that of the last request.
    timer = next((timer.at for timer in dispute.timers if timer.kind == "evidence"), None)
    until = timer if position == last and timer else request.until
    return Asked(party, until, texts.get(position, ""), came is None and timer is not None and now < until, came)


def asked_of(
    connection: sqlite3.Connection, part: int, disputes: Sequence[Dispute], party: str, now: datetime
) -> dict[int, Asked]:
    """Dispute → what that party is asked for and has not sent; the others are left out."""
    timed = [one for one in disputes if any(timer.kind == "evidence" for timer in one.timers)]
    history = tuple(position for one in timed for position in one.history)
    events, texts = lists.events_at(connection, part, history), lists.texts(connection, part, history)
    found: dict[int, Asked] = {}
    for dispute in timed:
        one = asked_in(dispute, [(at, events[at]) for at in dispute.history], texts, party, now)
        if one and one.open:
            found[dispute.id] = one
    return found


def asked_of_store(connection: sqlite3.Connection, part: int, store: str, now: datetime) -> list[tuple[Dispute, Asked]]:
    """The store's disputes in which it is asked for evidence, the first due first."""
    disputes = being_asked(connection, part, store)
    asked = asked_of(connection, part, disputes, "seller", now)
    return sorted(
        ((one, asked[one.id]) for one in disputes if one.id in asked), key=lambda found: (found[1].until, found[0].id)
    )


def needing(connection: sqlite3.Connection, part: int, store: str, now: datetime) -> int:
    """How many disputes need that store: those that wait for it, and those in which it is asked for evidence."""
    return waiting_for_seller(connection, part, store) + len(asked_of_store(connection, part, store, now))
