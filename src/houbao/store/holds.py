"""What a store's money is put aside for: dispute by dispute, from the movements themselves."""

import sqlite3
from datetime import datetime

from msgspec import Struct

from houbao.core.accounts import store_account
from houbao.core.disputes import Dispute
from houbao.core.scopes import Scope, check_books
from houbao.core.terms import from_micros
from houbao.store import rows


class Hold(Struct, frozen=True):
    """What is put aside for the refund of one dispute (minor units), and when that was booked first."""

    dispute: Dispute
    minor: int
    since: datetime


def holds(connection: sqlite3.Connection, scope: Scope, part: int, store: str, currency: str) -> list[Hold]:
    """What is put aside of the store's money in one currency, the largest amount first; they sum to the balance of its
    held account. Raises Refused: not_yours."""
    check_books(scope, store)
    found = connection.execute(
        "SELECT body FROM disputes WHERE part=? AND store_id=? AND phase<>'closed'", (part, store)
    )
    disputes = [rows.decode_dispute(body) for (body,) in found.fetchall()]
    told = [hold for one in disputes if (hold := _hold(connection, part, one, currency))]
    return sorted(told, key=lambda hold: (-hold.minor, hold.dispute.id))


def _hold(connection: sqlite3.Connection, part: int, dispute: Dispute, currency: str) -> Hold | None:
    held = store_account(dispute.store, "held")
    minor, since = connection.execute(
        "SELECT coalesce(sum(CASE WHEN t.target=? THEN t.minor ELSE -t.minor END), 0), min(e.booked_at)"
        " FROM json_each(?) AS h CROSS JOIN transfers AS t ON t.part=? AND t.position=h.value"
        " CROSS JOIN events AS e ON e.part=t.part AND e.position=t.position"
        " WHERE t.currency=? AND (t.target=? OR t.source=?)",
        (held, rows.encode(dispute.history).decode(), part, currency, held, held),
    ).fetchone()
    return Hold(dispute, minor, from_micros(since)) if minor else None
