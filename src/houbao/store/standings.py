"""What there is to be found of stores that might buy from themselves: whole-part questions, asked once a day.

The time of an event grows with its position, so that "since" is looked for among positions, and only what is newer is
read.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec import structs

from houbao.core.accounts import AVAILABLE, RESERVED
from houbao.core.disputes import GOODWILL
from houbao.core.watches import MOST_BUYERS, Standing
from houbao.store.loading import as_json
from houbao.store.positions import first_since

DONE = ("confirmed", "confirmation_timed_out")
TENTH = 100
"""Thousandths of a store's disputes from which a buyer is named."""

decode_standing = msgspec.json.Decoder(Standing).decode
decode_photos = msgspec.json.Decoder(tuple[str, ...]).decode


def found(connection: sqlite3.Connection, part: int, since: datetime, now: datetime) -> dict[str, Standing]:
    """Store → its standing at `now`, over what happened from `since` on; of every store with disputes since then or a
    standing that was kept. What the marketplace told of addresses and devices stays."""
    run, start = connection.execute, first_since(connection, part, since)
    buyers: dict[str, Counter[str]] = defaultdict(Counter)
    for store, buyer, count in run(
        "SELECT store_id, buyer_id, count(*) FROM disputes WHERE part=? AND id>=? AND body->>'route' <> ?"
        " GROUP BY 1, 2",
        (part, start, GOODWILL),
    ):
        buyers[store][buyer] = count
    kept = {
        store: decode_standing(body)
        for store, body in run(
            "SELECT id, body->'standing' FROM stores WHERE part=? AND body->>'standing' IS NOT NULL", (part,)
        )
    }
    spent, photos = _spent(connection, part, start), _shared_photos(connection, part, start)
    known_stores = buyers.keys() | kept.keys()
    completed = _completed(connection, part, known_stores)
    standings: dict[str, Standing] = {}
    for store in known_stores:
        known = kept.get(store, Standing(at=now))
        total = sum(buyers[store].values())
        shares = [(buyer, count * 1000 // total) for buyer, count in buyers[store].most_common(MOST_BUYERS)]
        currency, exposure = spent.get(store, ("", 0))
        told = [mark for mark in known.shared if mark != "photo"]
        standings[store] = structs.replace(
            known,
            at=now,
            disputes=total,
            buyers=tuple((buyer, share) for buyer, share in shares if share >= TENTH),
            exposure=exposure,
            currency=currency,
            completed=completed.get(store, 0),
            shared=tuple(sorted([*told, "photo"] if store in photos else told)),
        )
    return standings


def _spent(connection: sqlite3.Connection, part: int, start: int) -> dict[str, tuple[str, int]]:
    """Store → currency and minor units of what the fund paid for it; of the currency in which that is most. That is all
    that left or came into what is reserved, but for the fund's own money on its way there and back; what a store's
    deposit brought there is no risk of the fund's."""
    rows = connection.execute(
        "SELECT store_id, currency, sum(CASE source WHEN ?1 THEN minor ELSE -minor END) AS paid FROM transfers"
        " WHERE part=?2 AND position>=?3 AND ?1 IN (source, target) AND ?4 NOT IN (source, target)"
        " GROUP BY 1, 2 ORDER BY paid",
        (RESERVED, part, start, AVAILABLE),
    )
    return {store: (currency, max(0, paid)) for store, currency, paid in rows}


def _shared_photos(connection: sqlite3.Connection, part: int, start: int) -> set[str]:
    """Stores of which two buyers sent the same photo."""
    senders: dict[tuple[str, str], set[str]] = defaultdict(set)
    for store, buyer, photos in connection.execute(
        "SELECT body->>'store', body->>'buyer', body->'evidence' FROM events WHERE part=? AND position>=?"
        " AND body->>'type'='dispute_opened' AND body->>'evidence' IS NOT NULL",
        (part, start),
    ):
        for photo in decode_photos(photos):
            senders[store, photo].add(buyer)
    return {store for (store, _), buyers in senders.items() if len(buyers) > 1}


def _completed(connection: sqlite3.Connection, part: int, stores: Iterable[str]) -> dict[str, int]:
    """Store → how many orders of its were completed; those without any are left out."""
    found = connection.execute(
        "SELECT o.store_id, count(*) FROM json_each(?) AS asked CROSS JOIN orders AS o"
        " ON o.part=? AND o.store_id=asked.value WHERE o.status IN (?, ?) GROUP BY 1",
        (as_json([*stores]), part, *DONE),
    )
    return dict(found.fetchall())
