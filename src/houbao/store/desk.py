"""What only the desks of the platform's own people ask for: the agents' queues, each by due time, and how long they
are."""

import sqlite3
from datetime import datetime

from msgspec import Struct

from houbao.core.calendars import Outage
from houbao.core.disputes import Dispute, due_at
from houbao.core.programme import Store
from houbao.core.queues import is_anothers
from houbao.core.terms import micros
from houbao.store import rows
from houbao.store.queries import Page

_HEARD = (
    "(json_extract(CAST(body AS TEXT), '$.appeals[#-1].party') IS NOT NULL"
    " AND json_extract(CAST(body AS TEXT), '$.appeals[#-1].finding') IS NULL)"
)
"""Whether an appeal is being heard: the last one, without a finding."""

QUEUES = {
    "verify": "waiting_for='agent' AND phase='verifying'",
    "judge": f"waiting_for='agent' AND phase='adjudicating' AND NOT {_HEARD}",
    "appeals": f"waiting_for='agent' AND phase='adjudicating' AND {_HEARD}",
    "notices": "waiting_for='mail' AND phase='notifying'",
}
"""Queue → which disputes stand in it: read from the index of what falls due, which holds open ones only."""

MOST_COUNTED = 1000
"""How far a queue is counted: beyond, it is `MOST_COUNTED` and more."""


def queue_page(
    connection: sqlite3.Connection,
    part: int,
    queue: str,
    *,
    after: tuple[int, int] = (-1, 0),
    limit: int,
) -> Page:
    """A page of one of QUEUES, the first due first. `after` is the `next` of the page before."""
    found = connection.execute(
        f"SELECT due_at, id, body FROM disputes WHERE part=? AND {QUEUES[queue]} AND due_at IS NOT NULL"
        " AND (due_at, id)>(?, ?) ORDER BY due_at, id LIMIT ?",
        (part, *after, limit + 1),
    ).fetchall()
    page = found[:limit]
    more = (page[-1][0], page[-1][1]) if len(found) > limit else None
    return Page([rows.decode_dispute(body) for _, _, body in page], more)


def queue_lengths(connection: sqlite3.Connection, part: int) -> dict[str, int]:
    """Queue → how many disputes stand in it, counted as far as MOST_COUNTED."""
    return {name: _length(connection, part, where) for name, where in QUEUES.items()}


def _length(connection: sqlite3.Connection, part: int, where: str) -> int:
    (count,) = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM disputes WHERE part=? AND {where} AND due_at IS NOT NULL LIMIT ?)",
        (part, MOST_COUNTED),
    ).fetchone()
    return count


def next_free(
    connection: sqlite3.Connection, part: int, queue: str, agent: str, now: datetime, *, without: int = 0
) -> Dispute | None:
    """The first due of a queue that nobody else has claimed and that `agent` may decide: an appeal is not for who has
    ruled before. Looks at MOST_COUNTED at most."""
    for dispute in queue_page(connection, part, queue, limit=MOST_COUNTED).disputes:
        until = dispute.claimed_until
        taken = until is not None and now < until and dispute.claimed_by != agent
        if not taken and dispute.id != without and not is_anothers(dispute, agent):
            return dispute
    return None


def most_urgent(
    connection: sqlite3.Connection, part: int, agent: str, now: datetime, *, without: int = 0
) -> tuple[str, Dispute] | None:
    """The first due of all queues that `agent` may take, with its queue."""
    found: list[tuple[datetime, int, str, Dispute]] = []
    for queue in QUEUES:
        first = next_free(connection, part, queue, agent, now, without=without)
        due = due_at(first) if first else None
        if first and due:
            found.append((due, first.id, queue, first))
    return min(found)[2:] if found else None


def first_due(connection: sqlite3.Connection, part: int) -> dict[str, datetime | None]:
    """Queue → when its first is due; None where it is empty."""
    firsts = {name: queue_page(connection, part, name, limit=1).disputes for name in QUEUES}
    return {name: due_at(found[0]) if found else None for name, found in firsts.items()}


class Line(Struct, frozen=True):
    """The line of refunds that wait for the fund in one currency: how many, and what they take (minor units)."""

    waiting: int
    minor: int


def fund_line(connection: sqlite3.Connection, part: int, account: str, currency: str) -> Line:
    """How long the line of refunds is that wait for that account."""
    found = connection.execute(
        "SELECT count(*), coalesce(sum(minor), 0) FROM waiting WHERE part=? AND account=? AND currency=?",
        (part, account, currency),
    ).fetchone()
    return Line(*found)


def balance(connection: sqlite3.Connection, part: int, account: str, currency: str) -> int:
    """What an account holds (minor units)."""
    found = connection.execute(
        "SELECT minor FROM balances WHERE part=? AND account=? AND currency=?", (part, account, currency)
    ).fetchone()
    return found[0] if found else 0


# --- what admins look at -------------------------------------------------------------------------------------------


def watched_stores(connection: sqlite3.Connection, part: int, after: str, limit: int) -> list[Store]:
    """Stores under watch by id, behind `after`."""
    found = connection.execute(
        "SELECT body FROM stores WHERE part=? AND id>? AND CAST(body AS TEXT)->>'$.watch' IS NOT NULL"
        " ORDER BY id LIMIT ?",
        (part, after, limit),
    )
    return [rows.decode_store(body) for (body,) in found]


def outages(connection: sqlite3.Connection, part: int) -> tuple[Outage, ...]:
    """The outages that were entered."""
    (kept,) = connection.execute("SELECT outages FROM parts WHERE part=?", (part,)).fetchone()
    return rows.decode_outages(kept) if kept else ()


def due_after(connection: sqlite3.Connection, part: int, at: datetime) -> int:
    """How many open disputes are due after that time."""
    (count,) = connection.execute(
        "SELECT count(*) FROM disputes WHERE part=? AND due_at>?", (part, micros(at))
    ).fetchone()
    return count
