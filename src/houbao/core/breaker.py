"""The breaker of the fund: where it holds too little for what it will owe, no new order is covered for a while.

Orders that are covered stay covered, whatever the fund holds (R4). What the fund will owe is an estimate that is made
outside (`houbao fund reserves`) and told here; from the telling on the breaker decides alone.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from msgspec import structs

from houbao.core import money
from houbao.core.terms import Actor, Record, Refused

HIGHEST = 10_000
"""The highest line (per mille): ten times what the fund will owe."""

# --- commands and events -------------------------------------------------------------------------------------------


class SetBreaker(Record, frozen=True, kw_only=True, tag="set_breaker"):
    """New coverage stops where the fund of that currency holds less than `below` per mille of what it will owe; 0 is no
    line, and then nothing is stopped."""

    currency: str
    below: int


class TellSolvency(Record, frozen=True, kw_only=True, tag="tell_solvency"):
    """What the fund holds, and what it will owe for orders that are covered (minor units)."""

    currency: str
    holds: int
    owes: int


BreakerCommand = SetBreaker | TellSolvency


class BreakerEvent(Record, frozen=True, kw_only=True):
    """What every event of the breaker carries; `below` is the line (per mille)."""

    at: datetime
    by: str
    currency: str
    below: int


class BreakerSet(BreakerEvent, frozen=True, kw_only=True, tag="breaker_set"):
    """The line is another."""


class CoverageStopped(BreakerEvent, frozen=True, kw_only=True, tag="coverage_stopped"):
    """The fund holds too little: orders paid from now on are not covered (minor units)."""

    holds: int
    owes: int


class CoverageResumed(BreakerEvent, frozen=True, kw_only=True, tag="coverage_resumed"):
    """Orders paid from now on are covered again: the fund holds enough, or the line was taken away."""


BreakerEvents = BreakerSet | CoverageStopped | CoverageResumed

# --- state ---------------------------------------------------------------------------------------------------------


class Breaker(Record, frozen=True, kw_only=True):
    """The breaker of one currency's fund: its line (per mille), and the stretches [from, until) in which no new order
    was covered; the last one may still run."""

    currency: str
    below: int = 0
    stops: tuple[tuple[datetime, datetime | None], ...] = ()

    @property
    def stopped(self) -> bool:
        """Whether new coverage is stopped now."""
        return bool(self.stops) and self.stops[-1][1] is None


def parse_ratio(text: str) -> int:
    """A coverage ratio as it is written, per mille: `parse_ratio("1.2") == 1200`. Raises Refused: bad_line."""
    match = re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{0,3})0*)?", text.strip(), re.ASCII)
    if not match:
        raise Refused("bad_line", f"the line is {text[:64]!r}: give a ratio such as 1.20, with up to three decimals")
    return int(match[1] + (match[2] or "").ljust(3, "0"))


def breaker_of(breakers: Iterable[Breaker], currency: str) -> Breaker:
    """The breaker of that currency's fund; one without a line where none was set."""
    return next((one for one in breakers if one.currency == currency), Breaker(currency=currency))


def stopped_at(breakers: Iterable[Breaker], currency: str, at: datetime) -> bool:
    """Whether an order paid at that instant falls into a stretch without new coverage."""
    stops = breaker_of(breakers, currency).stops
    return any(start <= at and (end is None or at < end) for start, end in stops)


# --- decide and evolve ---------------------------------------------------------------------------------------------


def decide_breaker(
    breakers: tuple[Breaker, ...], command: BreakerCommand, by: Actor, now: datetime
) -> list[BreakerEvents]:
    """What becomes of new coverage; nothing where it stays as it is. Raises Refused: not_permitted, bad_currency,
    bad_line, bad_amount."""
    permitted = ("finance", "admin") if isinstance(command, SetBreaker) else ("finance", "admin", "system")
    if by.role not in permitted:
        raise Refused("not_permitted", f"a {by.role} may not do this; it takes {' or '.join(permitted)}")
    if command.currency not in money.DIGITS:
        raise Refused("bad_currency", f"{command.currency!r} is not an ISO 4217 currency")
    known = breaker_of(breakers, command.currency)
    said = {"at": now, "by": str(by), "currency": command.currency}
    if isinstance(command, SetBreaker):
        if not 0 <= command.below <= HIGHEST:
            raise Refused("bad_line", f"the line is {command.below} per mille: give 0 to {HIGHEST}")
        if command.below == known.below:
            return []
        line = BreakerSet(**said, below=command.below)
        resumed = known.stopped and not command.below
        return [line, CoverageResumed(**said, below=0)] if resumed else [line]
    if not (0 <= command.holds <= money.LARGEST and 0 <= command.owes <= money.LARGEST):
        holds, owes = (money.Money(minor, command.currency) for minor in (command.holds, command.owes))
        raise Refused("bad_amount", f"the fund holds {holds} and will owe {owes}: give amounts from 0")
    enough = 1000 * command.holds >= known.below * command.owes
    if known.below and not enough and not known.stopped:
        return [CoverageStopped(**said, below=known.below, holds=command.holds, owes=command.owes)]
    return [CoverageResumed(**said, below=known.below)] if known.stopped and enough else []


def evolve_breakers(breakers: tuple[Breaker, ...], event: BreakerEvents) -> tuple[Breaker, ...]:
    """All breakers after the event."""
    known = breaker_of(breakers, event.currency)
    match event:
        case BreakerSet():
            after = structs.replace(known, below=event.below)
        case CoverageStopped():
            after = structs.replace(known, stops=(*known.stops, (event.at, None)))
        case CoverageResumed():
            after = structs.replace(known, stops=(*known.stops[:-1], (known.stops[-1][0], event.at)))
    return (*(one for one in breakers if one.currency != event.currency), after)
