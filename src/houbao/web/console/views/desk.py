"""A dispute as the platform's own people look at it: evidence beside the listing as it was, and both parties' words."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from houbao.core import disputes as d
from houbao.core import returns as g
from houbao.core.appeals import in_hearing
from houbao.core.disputes import Dispute, due_at
from houbao.core.phases import default_outcome
from houbao.core.queues import has_it, is_anothers
from houbao.core.terms import Actor, role_of
from houbao.store import desk
from houbao.store.pages import names_of
from houbao.web.console.views.asked import Asked
from houbao.web.console.views.cases import Case
from houbao.web.console.views.orders import titles_of

PAGE = 25


class Said(Struct, frozen=True):
    """Something that a party said or showed."""

    at: datetime
    event: object
    text: str
    evidence: tuple[str, ...]


class QueueRow(Struct, frozen=True):
    """A dispute in a queue. `holder` is the agent who has it now; `ruled` that the reader ruled on it before, so that
    the appeal is another's."""

    dispute: Dispute
    title: str
    store: str
    due: datetime | None
    default: str
    holder: str
    ruled: bool


class Queue(Struct, frozen=True, kw_only=True):
    """A page of a queue, the first due first. `firsts` is queue → when its first is due, None for an empty one; `next`
    is where the next page begins, None on the last one."""

    name: str
    rows: list[QueueRow]
    lengths: dict[str, int]
    firsts: dict[str, datetime | None]
    next: tuple[int, int] | None


def queue(
    connection: sqlite3.Connection, part: int, name: str, by: Actor, now: datetime, after: tuple[int, int]
) -> Queue:
    """A page of one of the agents' queues."""
    page = desk.queue_page(connection, part, name, after=after, limit=PAGE)
    return Queue(
        name=name,
        rows=_rows(connection, part, page.disputes, by, now),
        lengths=desk.queue_lengths(connection, part),
        firsts=desk.first_due(connection, part),
        next=page.next,
    )


def _rows(
    connection: sqlite3.Connection, part: int, disputes: Sequence[Dispute], by: Actor, now: datetime
) -> list[QueueRow]:
    titles = titles_of(connection, part, disputes)
    stores = names_of(connection, part, (dispute.store for dispute in disputes))
    return [
        QueueRow(
            dispute=dispute,
            title=titles[dispute.id],
            store=stores[dispute.store],
            due=due_at(dispute),
            default=default_outcome(dispute),
            holder=has_it(dispute, now),
            ruled=is_anothers(dispute, by),
        )
        for dispute in disputes
    ]


def queue_of(dispute: Dispute) -> str:
    """The queue that a dispute stands in; empty where it is in none."""
    if dispute.frozen:
        return ""
    match dispute.phase:
        case "verifying":
            return "verify"
        case "adjudicating":
            return "appeals" if in_hearing(dispute.appeals) else "judge"
        case "notifying":
            return "notices"
        case _:
            return ""


def still_asked(case: Case) -> list[Asked]:
    """The evidence that was asked for and may still come."""
    return [asked for asked in case.wanted.values() if asked.open]


STEPS = (
    d.DisputeOpened,
    d.ClaimChanged,
    d.SellerOffered,
    d.SellerRejected,
    d.OfferAccepted,
    d.Escalated,
    d.Reopened,
    d.Appealed,
    g.ReturnReported,
    g.ReplacementReported,
)
"""What a party says by doing it, with or without words."""


def said_by(case: Case, role: str) -> list[Said]:
    """What a party said, showed or answered in the dispute, in its order."""
    found = [
        Said(one.at, one.event, one.text, getattr(one.event, "evidence", ()))
        for one in case.happened
        if role_of(getattr(one.event, "by", "")) == role
    ]
    return [one for one in found if one.text or one.evidence or isinstance(one.event, STEPS)]
