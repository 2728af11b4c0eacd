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
    held = store_account(store, "held")
    found = connection.execute(
        "SELECT d.body, sum(CASE WHEN t.target=? THEN t.minor ELSE -t.minor END), min(e.booked_at)"
        " FROM disputes AS d CROSS JOIN json_each(CAST(d.body AS TEXT), '$.history') AS h"
        " CROSS JOIN transfers AS t ON t.part=d.part AND t.position=h.value"
        " CROSS JOIN events AS e ON e.part=t.part AND e.position=t.position"
        " WHERE d.part=? AND d.store_id=? AND d.phase<>'closed' AND t.currency=? AND (t.target=? OR t.source=?)"
        " GROUP BY d.id",
        (held, part, store, currency, held, held),
    )
    told = [Hold(rows.decode_dispute(body), minor, from_micros(since)) for body, minor, since in found if minor]
    return sorted(told, key=lambda hold: (-hold.minor, hold.dispute.id))
