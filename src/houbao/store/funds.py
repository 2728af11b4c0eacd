"""The fund, currency by currency: what it holds and what waits for it, which is known at once; and all that ever came
in and went out, for which its history is walked."""

import sqlite3
from collections import Counter

from msgspec import Struct, structs

from houbao.core.accounts import AVAILABLE, RESERVED
from houbao.core.ledger import FUND, FUND_BACK, FUND_IN, FUND_OUT
from houbao.store.loading import as_json

DEPOSITS = {"deposit_pays": 1, "deposit_back": -1}


class Held(Struct, frozen=True):
    """What the fund holds in one currency (minor units), and the refunds that wait for it; `waiting_first` is what the
    first in line takes."""

    currency: str
    available: int
    reserved: int
    waiting: int
    waiting_minor: int
    waiting_first: int


class Fund(Struct, frozen=True):
    """The fund in one currency (minor units): what came in (capital, premiums, the treasury's backstop, what deposits
    gave) + back − out = available + reserved."""

    currency: str
    available: int
    reserved: int
    capital: int
    premiums: int
    backstop: int
    deposits: int
    out: int
    back: int
    waiting: int
    waiting_minor: int
    waiting_first: int


def held(connection: sqlite3.Connection, part: int) -> list[Held]:
    """What the fund holds, in every currency that it has."""
    found = connection.execute(
        "SELECT currency, account, minor FROM balances WHERE part=? AND account IN (?, ?)", (part, AVAILABLE, RESERVED)
    )
    balances = {(currency, account): minor for currency, account, minor in found}
    line = "FROM waiting WHERE part=?1 AND account=?2 AND currency=?3"
    return [
        Held(
            currency,
            balances[currency, AVAILABLE],
            balances.get((currency, RESERVED), 0),
            *connection.execute(
                "SELECT count(*), coalesce(sum(minor), 0),"
                f" coalesce((SELECT minor {line} ORDER BY position LIMIT 1), 0) {line}",
                (part, AVAILABLE, currency),
            ).fetchone(),
        )
        for currency in sorted(currency for currency, account in balances if account == AVAILABLE)
    ]


def fund(connection: sqlite3.Connection, part: int) -> list[Fund]:
    """The fund in every currency that it has, with all that came in and went out: one walk over every transfer."""
    found = connection.execute(
        "SELECT currency, kind, source IN (?2, ?3), target IN (?2, ?3), sum(minor) FROM transfers"
        " WHERE part=?1 AND kind IN (SELECT value FROM json_each(?4)) GROUP BY 1, 2, 3, 4",
        (part, *FUND, as_json([*FUND_IN, *DEPOSITS, *FUND_OUT, *FUND_BACK])),
    )
    sums: Counter[tuple[str, str]] = Counter()
    for currency, kind, leaves, reaches, minor in found:
        if kind in FUND_IN:
            sums[currency, kind] += minor
        elif kind in DEPOSITS:
            sums[currency, "deposits"] += DEPOSITS[kind] * minor
        elif kind in FUND_OUT and leaves:
            sums[currency, "out"] += minor
        elif kind in FUND_BACK and reaches:
            sums[currency, "back"] += minor
    return [
        Fund(
            **structs.asdict(one),
            capital=sums[one.currency, "capital"],
            premiums=sums[one.currency, "premium"],
            backstop=sums[one.currency, "backstop"],
            deposits=sums[one.currency, "deposits"],
            out=sums[one.currency, "out"],
            back=sums[one.currency, "back"],
        )
        for one in held(connection, part)
    ]
