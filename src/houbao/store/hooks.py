"""Who outside is told of events: the webhooks, how far each has been told, and every delivery with how it went."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from houbao.core.terms import Refused, from_micros, micros
from houbao.engine.announcing import ENDED, Call, Delivered, Happening, Hook, Secret, rotated
from houbao.store import schema
from houbao.store.aside import Aside
from houbao.store.changes import inserting
from houbao.store.deeds import Deed, note
from houbao.store.positions import last_position

COLUMNS = "webhook_id, position, state, due_at, tries, tried_at, status, detail"

LOOKED_AT = 25
"""Among how many of the latest deliveries of a webhook the one that was tried last is looked for."""


class Hooks(Aside):
    """The rows of webhooks of one database, on a connection of their own."""

    # --- webhooks --------------------------------------------------------------------------------------------------

    def add(self, hook: Hook, part: int, by: str = "") -> Hook:
        """Keep a webhook, to be told of what happens from now on; one of that id that is there already stays as it
        is, and is returned."""
        with self.writing() as connection:
            if known := hook_of(connection, hook.id):
                return known
            connection.execute(inserting(schema.webhooks), _row(hook))
            connection.execute(inserting(schema.hook_cursors), (part, hook.id, last_position(connection, part)))
            note(connection, Deed(hook.created_at, by, "webhook_made", hook.id, hook.url))
        return hook

    def end(self, part: int, hook: str, now: datetime, by: str = "") -> None:
        """A webhook is told no more, and what is due to it is given up untried; one that ended already ended then."""
        with self.writing() as connection:
            connection.execute(
                "UPDATE hook_deliveries SET state='failed', due_at=NULL, detail=?"
                " WHERE part=? AND webhook_id=? AND due_at IS NOT NULL",
                (ENDED, part, hook),
            )
            ended = connection.execute(
                "UPDATE webhooks SET ended_at=? WHERE id=? AND ended_at IS NULL RETURNING url", (micros(now), hook)
            ).fetchone()
            if ended:
                note(connection, Deed(now, by, "webhook_ended", hook, ended[0]))

    def rotate(self, hook: str, secret: Secret, now: datetime, by: str = "") -> Hook | None:
        """Sign with another secret from now on; returns the webhook, None where there is no such one.
        Raises Refused: key_reused where another webhook's was turned by that wish."""
        with self.writing() as connection:
            known = hook_of(connection, hook)
            if known is None:
                return None
            for other in all_hooks(connection):
                if other.id != hook and secret.wish in {one.wish for one in other.secrets if one.wish}:
                    raise Refused("key_reused", "the key was used for the secret of another webhook")
            turned = rotated(known, secret, now)
            connection.execute("UPDATE webhooks SET secrets=? WHERE id=?", (_secrets(turned), hook))
            if turned != known:
                note(connection, Deed(now, by, "webhook_turned", hook, known.url))
        return turned

    # --- telling ---------------------------------------------------------------------------------------------------

    def gather(self, part: int, most: int, now: datetime) -> int:
        """Make deliveries of the next events, at most `most` for each webhook; returns how many were looked at. Where
        no webhook is behind, nothing is locked."""
        looked = 0
        if not self._behind(part):
            return looked
        with self.writing() as connection:
            for hook in all_hooks(connection):
                if hook.ended_at is not None:
                    continue
                (after,) = connection.execute(
                    "SELECT position FROM hook_cursors WHERE part=? AND webhook_id=?", (part, hook.id)
                ).fetchone()
                found = connection.execute(
                    "SELECT position, body->>'$.type', coalesce(body->>'$.store', '') FROM events"
                    " WHERE part=? AND position>? ORDER BY position LIMIT ?",
                    (part, after, most),
                ).fetchall()
                if not found:
                    continue
                looked += len(found)
                connection.executemany(
                    f"{inserting(schema.hook_deliveries)} ON CONFLICT DO NOTHING",
                    [
                        (part, hook.id, position, "due", micros(now), 0, None, 0, "")
                        for position, kind, store in found
                        if hook.wants(kind, store)
                    ],
                )
                connection.execute(
                    "UPDATE hook_cursors SET position=? WHERE part=? AND webhook_id=?", (found[-1][0], part, hook.id)
                )
        return looked

    def _behind(self, part: int) -> bool:
        """Whether there are events that some webhook was not looked at for."""
        with self.looking() as connection:
            found = connection.execute(
                "SELECT 1 FROM webhooks AS w JOIN hook_cursors AS c ON c.part=? AND c.webhook_id=w.id"
                " JOIN parts AS p ON p.part=c.part WHERE w.ended_at IS NULL AND c.position<p.position LIMIT 1",
                (part,),
            ).fetchone()
        return found is not None

    def waiting(self, part: int, now: datetime) -> list[str]:
        """The webhooks that something is due to. Nothing is locked: who claims a delivery looks again."""
        with self.looking() as connection:
            found = connection.execute(
                "SELECT id FROM webhooks WHERE EXISTS (SELECT 1 FROM hook_deliveries"
                " WHERE part=? AND webhook_id=webhooks.id AND due_at<=?) ORDER BY created_at, id",
                (part, micros(now)),
            ).fetchall()
        return [hook for (hook,) in found]

    def claim(self, part: int, hook: str, now: datetime, lease: timedelta) -> Call | None:
        """The delivery to a webhook that is due longest, nobody else's until the lease ends; None where none is."""
        with self.writing() as connection:
            known = hook_of(connection, hook)
            found = connection.execute(
                "SELECT d.position, d.tries, e.booked_at, e.body FROM hook_deliveries AS d"
                " JOIN events AS e ON e.part=d.part AND e.position=d.position"
                " WHERE d.part=? AND d.webhook_id=? AND d.due_at<=? ORDER BY d.due_at, d.position LIMIT 1",
                (part, hook, micros(now)),
            ).fetchone()
            if known is None or found is None:
                return None
            position, tries, at, body = found
            until = now + lease
            connection.execute(
                "UPDATE hook_deliveries SET due_at=?, tries=tries+1 WHERE part=? AND webhook_id=? AND position=?",
                (micros(until), part, hook, position),
            )
        return Call(known, Happening(position, from_micros(at), body), tries + 1, until)

    def settle(self, part: int, call: Call, told: Delivered) -> None:
        """How a delivery went; one that is due again says when. Nothing where it is not that call's any more: its lease
        ended and another took it, it was asked for again, or its webhook ended."""
        due, tried = (micros(at) if at else None for at in (told.due_at, told.tried_at))
        with self.writing() as connection:
            connection.execute(
                "UPDATE hook_deliveries SET state=?, due_at=?, tried_at=?, status=?, detail=?"
                " WHERE part=? AND webhook_id=? AND position=? AND due_at=?",
                (
                    *(told.state, due, tried, told.status, told.detail),
                    *(part, told.hook, told.position, micros(call.claimed_until)),
                ),
            )

    def again(self, part: int, hook: str, position: int, now: datetime) -> bool:
        """Deliver once more, from the first try on; false where there was no such delivery, or its webhook ended."""
        with self.writing() as connection:
            done = connection.execute(
                "UPDATE hook_deliveries SET state='due', due_at=?, tries=0"
                " WHERE part=? AND webhook_id=? AND position=?"
                " AND EXISTS (SELECT 1 FROM webhooks WHERE id=webhook_id AND ended_at IS NULL)",
                (micros(now), part, hook, position),
            )
        return done.rowcount > 0


def _row(hook: Hook) -> tuple[object, ...]:
    ended = micros(hook.ended_at) if hook.ended_at else None
    return (hook.id, hook.url, json.dumps(hook.types), hook.store, _secrets(hook), micros(hook.created_at), ended)


def _secrets(hook: Hook) -> str:
    return json.dumps([[one.secret, micros(one.until) if one.until else None, one.wish] for one in hook.secrets])


# --- looking -------------------------------------------------------------------------------------------------------


def hook_of(connection: sqlite3.Connection, number: str) -> Hook | None:
    """The webhook of that id."""
    found = connection.execute("SELECT * FROM webhooks WHERE id=?", (number,)).fetchone()
    return _hook(*found) if found else None


def all_hooks(connection: sqlite3.Connection) -> list[Hook]:
    """Every webhook, in the order in which they were made."""
    return [_hook(*row) for row in connection.execute("SELECT * FROM webhooks ORDER BY created_at, id")]


def _hook(number: str, url: str, types: str, store: str, secrets: str, created_at: int, ended_at: int | None) -> Hook:
    return Hook(
        id=number,
        url=url,
        types=tuple(json.loads(types)),
        store=store,
        secrets=tuple(
            Secret(text, from_micros(until) if until else None, *wish) for text, until, *wish in json.loads(secrets)
        ),
        created_at=from_micros(created_at),
        ended_at=from_micros(ended_at) if ended_at is not None else None,
    )


def deliveries(
    connection: sqlite3.Connection, part: int, hook: str, *, state: str = "", before: int, limit: int
) -> list[Delivered]:
    """The deliveries of a webhook, the newest event first, of events before that position."""
    of_state = " AND state=?" if state else ""
    found = connection.execute(
        f"SELECT {COLUMNS} FROM hook_deliveries WHERE part=? AND webhook_id=? AND position<?{of_state}"
        " ORDER BY position DESC LIMIT ?",
        (part, hook, before, *([state] if state else []), limit),
    )
    return [_delivered(*row) for row in found]


def _delivered(
    hook: str, position: int, state: str, due: int | None, tries: int, tried: int | None, status: int, detail: str
) -> Delivered:
    return Delivered(
        hook=hook,
        position=position,
        state=state,
        due_at=from_micros(due) if due is not None else None,
        tries=tries,
        tried_at=from_micros(tried) if tried is not None else None,
        status=status,
        detail=detail,
    )


def last_tried(connection: sqlite3.Connection, part: int) -> dict[str, Delivered]:
    """Webhook → of its latest deliveries the one that was tried last; where none was, the latest. None that has no
    delivery yet."""
    found = connection.execute(
        f"SELECT {COLUMNS} FROM hook_deliveries WHERE part=? AND (webhook_id, position) IN ("
        "SELECT id, (SELECT position FROM (SELECT position, tried_at FROM hook_deliveries"
        " WHERE part=? AND webhook_id=webhooks.id ORDER BY position DESC LIMIT ?)"
        " ORDER BY tried_at DESC, position DESC LIMIT 1) FROM webhooks)",
        (part, part, LOOKED_AT),
    )
    return {row[0]: _delivered(*row) for row in found}


def kinds(connection: sqlite3.Connection, part: int, positions: Sequence[int]) -> dict[int, str]:
    """Position → the kind of event that stands there."""
    marks = ",".join("?" * len(positions))
    found = connection.execute(
        f"SELECT position, body->>'$.type' FROM events WHERE part=? AND position IN ({marks})", (part, *positions)
    )
    return dict(found.fetchall())
