"""What people did that is no event: to accounts, keys, webhooks and policies. Noted with the deed itself, in the same
transaction, and never changed."""

import sqlite3
from datetime import datetime

from msgspec import Struct

from houbao.core.terms import from_micros, micros
from houbao.store.rows import END

KINDS = (
    "user_added",
    "user_changed",
    "user_closed",
    "password_changed",
    "key_made",
    "key_revoked",
    "webhook_made",
    "webhook_turned",
    "webhook_ended",
    "policy_published",
)

COMMAND_LINE = "command-line"
"""Who did what was done by a command of the machine's."""


class Deed(Struct, frozen=True):
    """What was done (`what`, of KINDS) to which account, key, webhook or version (`subject`), and what that is called.
    `by` is who: a person as events have it (admin:eve), a key's id, COMMAND_LINE, or the receiver of a webhook that
    says it is gone; empty where nobody said so. `at` is the machine's time."""

    at: datetime
    by: str
    what: str
    subject: str
    name: str


class Deeds(Struct, frozen=True):
    """The latest that fit; `more` where there are others before these."""

    deeds: list[Deed]
    more: bool


def note(connection: sqlite3.Connection, deed: Deed) -> None:
    """Note it, in the transaction that is open."""
    connection.execute(
        "INSERT INTO deeds (n, at, by, what, subject, name) SELECT coalesce(max(n), 0)+1, ?, ?, ?, ?, ? FROM deeds",
        (micros(deed.at), deed.by, deed.what, deed.subject, deed.name),
    )


def look(
    connection: sqlite3.Connection,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    by: str = "",
    limit: int,
) -> Deeds:
    """The deeds from `start` on and before `end`, of somebody (admin:eve, or only the name), the latest first."""
    found = connection.execute(
        "SELECT at, by, what, subject, name FROM deeds WHERE at>=? AND at<?"
        " AND (?='' OR by=? OR substr(by, instr(by, ':')+1)=?) ORDER BY n DESC LIMIT ?",
        (micros(start) if start else 0, micros(end) if end else END, by, by, by, limit + 1),
    ).fetchall()
    return Deeds([Deed(from_micros(at), *rest) for at, *rest in found[:limit]], len(found) > limit)


def latest(connection: sqlite3.Connection, what: str, subject: str) -> Deed | None:
    """The last deed of that kind to it."""
    found = connection.execute(
        "SELECT at, by, what, subject, name FROM deeds WHERE what=? AND subject=? ORDER BY n DESC LIMIT 1",
        (what, subject),
    ).fetchone()
    return Deed(from_micros(found[0]), *found[1:]) if found else None
