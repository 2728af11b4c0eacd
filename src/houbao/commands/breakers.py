"""`houbao fund breaker` and `fund reserves --apply`: the line below which the fund covers no new order."""

from collections.abc import Iterable

from houbao.commands.reserving import ratio_of
from houbao.core.breaker import Breaker, CoverageStopped, SetBreaker, TellSolvency, breaker_of, parse_ratio
from houbao.core.terms import SYSTEM, Refused
from houbao.engine.request import Request
from houbao.finance.checking import FINANCE
from houbao.finance.reserving import all_reserves
from houbao.insight.reserves import Reserves
from houbao.wiring import House


def shown(house: House, currency: str) -> Breaker:
    """The breaker of that currency's fund as it stands."""
    return breaker_of(house.database.head(0).breakers, currency)


def set_line(house: House, currency: str, below: str) -> Breaker:
    """Draw the line, as a decimal text. Raises Refused: bad_line, bad_currency."""
    command = SetBreaker(currency=currency, below=parse_ratio(below))
    (outcome,) = house.engine.execute([Request(command, FINANCE, house.clock())])
    if isinstance(outcome, Refused):
        raise outcome
    return shown(house, currency)


def tell(house: House, found: Iterable[Reserves]) -> list[str]:
    """Tell the breakers what the funds hold and will owe; what came of it, as lines of text."""
    lines: list[str] = []
    for one in found:
        command = TellSolvency(currency=one.currency, holds=max(0, one.holds), owes=max(0, one.owes))
        (outcome,) = house.execute([Request(command, SYSTEM, house.clock())])
        if isinstance(outcome, Refused):
            raise outcome
        event = house.database.event(0, outcome.first) if outcome.first else None
        if event is None:
            lines.append(
                f"New coverage by the fund in {one.currency} stays as it was: {told(shown(house, one.currency))[0]}"
            )
        else:
            stopped = isinstance(event, CoverageStopped)
            lines.append(f"New coverage by the fund in {one.currency} is {'stopped' if stopped else 'resumed'}.")
    return lines


def keep_watch(house: House) -> None:
    """What the worker does once a day: where a line is drawn, the fund is measured against it."""
    if any(breaker.below for breaker in house.database.head(0).breakers):
        tell(house, all_reserves(house, lambda what, done, of: None))


def told(breaker: Breaker) -> list[str]:
    """It as lines of text."""
    if not breaker.below:
        return [f"no line is drawn for the fund in {breaker.currency}"]
    state = "new orders are covered"
    if breaker.stopped:
        state = f"new orders are not covered since {breaker.stops[-1][0]:%Y-%m-%d %H:%M} UTC"
    return [f"below a coverage ratio of {ratio_of(breaker.below)} no new order is covered; {state}"]
