"""Exchange rates as they were published: a rate once kept is never changed, for amounts were booked by it."""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from houbao.core.exchange import OLDEST, Rate, rate_at
from houbao.core.terms import Refused, micros
from houbao.store import schema
from houbao.store.changes import inserting
from houbao.store.loading import as_json
from houbao.store.rows import rate_of
from houbao.store.sqlite import SQLite, rates_between


class Kept(Struct, frozen=True):
    """How many rates were new, and how many were kept before."""

    new: int
    known: int


def keep(database: SQLite, rates: Iterable[Rate]) -> Kept:
    """Keep rates, all or none; those that are kept already change nothing.

    Raises Refused: rate_changed where one is kept for the same time with another value.
    """
    rates = list(rates)
    database.lock_part(0)
    try:
        kept = _kept(database.connection, rates)
        new: dict[Key, tuple[int, int]] = {}
        known = 0
        for rate in rates:
            key = _key(rate)
            value = (rate.numerator, rate.denominator)
            before = new.get(key) or kept.get(key)
            if before is None:
                new[key] = value
            elif before == value:
                known += 1
            else:
                raise Refused("rate_changed", _changed(rate, before))
        rows = [(*key, *value) for key, value in new.items()]
        database.connection.executemany(inserting(schema.rates), rows)
    except BaseException:
        database.rollback()
        raise
    database.commit()
    return Kept(len(new), known)


def rate(connection: sqlite3.Connection, base: str, quote: str, at: datetime) -> Rate | None:
    """The last rate of `base` in `quote` published by `at`, by way of EUR where it must be; None where there is none
    young enough (`exchange.OLDEST`)."""
    return rate_at(rates_between(connection, base, quote, at - OLDEST, at), base, quote, at)


def latest(connection: sqlite3.Connection) -> list[Rate]:
    """The last rate of each pair and source, by name."""
    found = connection.execute(
        "SELECT base, quote, max(published_at), source, numerator, denominator FROM rates"
        " GROUP BY base, quote, source ORDER BY base, quote, source"
    )
    return [rate_of(row) for row in found]


Key = tuple[str, str, int, str]
"""What a rate is kept by: base, quote, when it was published, source."""

AT_ONCE = 5_000
"""How many rates one statement looks for."""


def _key(rate: Rate) -> Key:
    return rate.base, rate.quote, micros(rate.published_at), rate.source


def _kept(connection: sqlite3.Connection, rates: Sequence[Rate]) -> dict[Key, tuple[int, int]]:
    """Those of the rates that are kept for the same time, with their values."""
    kept: dict[Key, tuple[int, int]] = {}
    for start in range(0, len(rates), AT_ONCE):
        found = connection.execute(
            "SELECT base, quote, published_at, source, numerator, denominator FROM json_each(?) AS asked"
            " CROSS JOIN rates ON base=asked.value->>0 AND quote=asked.value->>1"
            " AND published_at=asked.value->>2 AND source=asked.value->>3",
            (as_json(map(_key, rates[start : start + AT_ONCE])),),
        )
        kept |= {(*key,): (numerator, denominator) for *key, numerator, denominator in found}
    return kept


def _changed(rate: Rate, before: tuple[int, int]) -> str:
    return (
        f"{rate.base} in {rate.quote} from {rate.published_at:%Y-%m-%d %H:%M} UTC ({rate.source}) is kept as"
        f" {before[0]}/{before[1]}, not {rate.numerator}/{rate.denominator}: nothing was saved"
    )
