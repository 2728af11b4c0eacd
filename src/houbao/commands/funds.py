"""`houbao fund …`: what the fund holds, and filling it."""

from collections.abc import Sequence

from msgspec import Struct

from houbao.commands.terminal import CommandFailed
from houbao.core.fund import TopUp
from houbao.core.money import decimal, parse
from houbao.core.terms import Actor, Refused
from houbao.engine.ports import Request
from houbao.store import queries
from houbao.wiring import House


def told(funds: Sequence[queries.Fund]) -> list[str]:
    """The fund of each currency as lines of text."""
    if not funds:
        return ["The fund is empty: `houbao fund top-up AMOUNT CURRENCY` fills it."]
    lines: list[str] = []
    for f in funds:
        available, reserved, capital, out, back, waiting = (
            decimal(minor, f.currency) for minor in (f.available, f.reserved, f.capital, f.out, f.back, f.waiting_minor)
        )
        lines += [
            f"{f.currency}: free {available}, reserved {reserved}",
            f"  capital {capital}, paid out {out}, come back {back}",
            f"  waiting for money: {f.waiting} refunds, {waiting}",
        ]
    return lines


class Added(Struct):
    """What came of a top-up."""

    position: int
    replayed: bool
    fund: Sequence[queries.Fund]


def top_up(house: House, amount: str, currency: str, key: str) -> Added:
    """Add capital, and serve the refunds that wait for it. Raises Refused, and CommandFailed for another currency."""
    try:
        minor = parse(amount, currency)
    except ValueError as error:
        raise CommandFailed(str(error)) from None
    known = queries.programme_currencies(house.database.connection)
    if currency not in known:
        raise CommandFailed(f"no programme pays in {currency}, only in {', '.join(known)}: nothing was booked")
    request = Request(TopUp(minor=minor, currency=currency), Actor("finance", "command-line"), house.clock(), key)
    (outcome,) = house.engine.execute([request])
    if isinstance(outcome, Refused):
        raise outcome
    house.worker.run()
    return Added(outcome.first, outcome.replayed, queries.fund(house.database.connection, 0))
