"""The fund as finance looks at it: now, day by day, and who waits for it."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct

from houbao.core.accounts import AVAILABLE, BACKSTOP, RESERVED
from houbao.core.disputes import due_at
from houbao.core.ledger import FUND_IN
from houbao.core.rulings import Compiled
from houbao.core.scopes import EVERYTHING
from houbao.core.shortfalls import added
from houbao.store import desk, desk_money, lists, queries
from houbao.store.desk import Line
from houbao.store.desk_money import Flow, Waiting

DAYS = 60
MOST_SHOWN = 25
MOST_SERVED = 10_000
"""How far into the line of waiting refunds is looked before a top-up."""


class Day(Struct, frozen=True):
    """What was free at the end of a day (UTC; minor units)."""

    day: date
    free: int


class Week(Struct, frozen=True):
    """Seven days: what became free, what was promised or went out, and what was free at their end (minor units)."""

    first: date
    last: date
    incoming: int
    outgoing: int
    free: int


class Added(Struct, frozen=True):
    """Money that came into the fund from outside on a day (minor units)."""

    day: date
    kind: str
    minor: int


class Treasury(Struct, frozen=True):
    """What happens by itself for the first that waits: when, what the treasury then adds, and what that one still lacks
    after it (minor units)."""

    at: datetime
    adds: int
    lacks: int


class Served(Struct, frozen=True):
    """What the money there is does for the line: how many refunds of it go out, what they take and what is free then
    (minor units)."""

    refunds: int
    minor: int
    free: int


class FundPage(Struct, frozen=True, kw_only=True):
    """The fund in one currency (minor units). Refunds of the line that are `going` have their money and go out with the
    worker's next round: every other figure is as if they had gone. `first` of the line holds them too, and in `line`
    stand those alone that go on waiting. `pace` is what it gave a day and did not get back, on the mean of the
    last 14 days; `treasury` what follows where nobody tops it up; `seconds` how long a refund took, at the middle and
    at the 95th of a hundred, where there were any."""

    currency: str
    currencies: list[str]
    free: int
    reserved: int
    going: Served
    line: Line
    first: list[Waiting]
    treasury: Treasury | None
    days: list[Day]
    weeks: list[Week]
    added: list[Added]
    pace: int
    seconds: tuple[float, float] | None

    @property
    def short(self) -> int:
        """What is missing so that all who wait can be paid."""
        return max(0, self.line.minor - self.free)


Rules = Callable[[str, str], Compiled | None]
"""Version of a policy and currency → it, ready for use."""


def fund_page(connection: sqlite3.Connection, part: int, currency: str, now: datetime, rules: Rules) -> FundPage | None:
    """The fund in that currency; in the first one where there is none of it. None where there is no programme."""
    currencies = queries.programme_currencies(connection)
    if not currencies:
        return None
    currency = currency if currency in currencies else currencies[0]
    going = served_now(connection, part, currency)
    today = now.date()
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
    moved = desk_money.flows(connection, part, AVAILABLE, currency, since)
    if going.refunds:
        moved.append(Flow(today, "reserve", 0, going.minor))
    days = days_of(moved, going.free, today)
    first = desk_money.line_for_fund(connection, part, currency, max(MOST_SHOWN, going.refunds + 1))
    whole = desk.fund_line(connection, part, AVAILABLE, currency)
    line = Line(whole.waiting - going.refunds, whole.minor - going.minor)
    stays = first[going.refunds] if going.refunds < len(first) else None
    seconds = lists.refund_seconds(connection, part)
    return FundPage(
        currency=currency,
        currencies=currencies,
        free=going.free,
        reserved=desk.balance(connection, part, RESERVED, currency) + going.minor,
        going=going,
        line=line,
        first=first[:MOST_SHOWN],
        treasury=_treasury(connection, part, currency, stays, going.free, line, rules) if stays else None,
        days=days,
        weeks=weeks_of(moved, days),
        added=[Added(one.day, one.kind, one.incoming) for one in moved if one.kind in ("capital", "backstop")],
        pace=pace_of(moved, today),
        seconds=(seconds[len(seconds) // 2], seconds[len(seconds) * 95 // 100]) if seconds else None,
    )


def _treasury(
    connection: sqlite3.Connection, part: int, currency: str, first: Waiting, free: int, line: Line, rules: Rules
) -> Treasury | None:
    """What the treasury does for the first that waits."""
    at, order = due_at(first.dispute), lists.order(connection, part, EVERYTHING, first.dispute.order)
    policy = rules(order.coverage.policy, currency) if order else None
    if at is None or policy is None:
        return None
    left = policy.caps.backstop + desk.balance(connection, part, BACKSTOP, currency)
    adds = added(first.minor, free, line.waiting, left)
    return Treasury(at, adds, max(0, first.minor - free - adds))


def pace_of(moved: Sequence[Flow], today: date) -> int:
    """What was given a day over the last 14 days, less what came back of it (minor units); money from outside and
    premiums are nothing that came back."""
    own = [one for one in moved if one.day > today - timedelta(days=14)]
    back = sum(one.incoming for one in own if one.kind not in FUND_IN)
    return max(0, sum(one.outgoing for one in own) - back) // 14


def days_of(moved: Sequence[Flow], free: int, today: date) -> list[Day]:
    """What was free at the end of each of the last DAYS days, from what is free now and what moved since."""
    change: dict[date, int] = {}
    for one in moved:
        change[one.day] = change.get(one.day, 0) + one.incoming - one.outgoing
    days: list[Day] = []
    for back in range(DAYS):
        day = today - timedelta(days=back)
        days.append(Day(day, free))
        free -= change.get(day, 0)
    return days[::-1]


def weeks_of(moved: Sequence[Flow], days: Sequence[Day]) -> list[Week]:
    """The same by stretches of seven days, the latest first."""
    weeks: list[Week] = []
    for end in range(len(days), 0, -7):
        span = days[max(0, end - 7) : end]
        own = [one for one in moved if span[0].day <= one.day <= span[-1].day]
        incoming, outgoing = sum(one.incoming for one in own), sum(one.outgoing for one in own)
        if incoming or outgoing or not weeks:
            weeks.append(Week(span[0].day, span[-1].day, incoming, outgoing, span[-1].free))
    return weeks


def served_now(connection: sqlite3.Connection, part: int, currency: str) -> Served:
    """What goes out of the line with what is free now."""
    free = desk.balance(connection, part, AVAILABLE, currency)
    return served_by(free, desk_money.amounts_in_line(connection, part, currency, MOST_SERVED))


def served_by(free: int, line: Sequence[int]) -> Served:
    """How many refunds in their order go out of what is free (minor units): as far as it goes, nobody is passed over
    (R5)."""
    left, refunds = free, 0
    for minor in line:
        if minor > left:
            break
        left -= minor
        refunds += 1
    return Served(refunds, free - left, left)
