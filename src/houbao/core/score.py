"""The daily service score: what a store's record comes to on a day, by the policy's curves (domain §6).

Points are in millionths of a point and never rounded twice: the parts sum to the whole exactly. Each rate has its own
orders below the line, those that were completed and those with such a dispute, so that a dispute never improves a rate
it has no part in.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo

from msgspec import Struct

from houbao.core.policy import ScoreCurves
from houbao.core.tallies import Deal, Tally
from houbao.core.terms import Record

POINT = 1_000_000
"""Millionths in a point."""

DAY = timedelta(days=1)
RATED = ("description", "service", "logistics")

# --- the record in days --------------------------------------------------------------------------------------------


class Standing(Struct, frozen=True, gc=False):
    """A store's record, dated in its programme's time zone: disputes by the day they were opened and lifted, orders by
    the day they were completed, not completed, and rated."""

    tallies: Sequence[tuple[date, date | None, Tally]]
    completed: dict[int, date]
    uncompleted: dict[int, date]
    rated: Sequence[tuple[date, Deal]]
    completed_days: Sequence[date]


def standing(deals: Iterable[Deal], tallies: Iterable[Tally], zone: tzinfo) -> Standing:
    """The record, dated."""

    def day_of(at: datetime | None) -> date:
        assert at is not None
        return at.astimezone(zone).date()

    deals = list(deals)
    ended = {state: {x.order: day_of(x.ended_at) for x in deals if x.state == state} for state in ENDED}
    return Standing(
        [(day_of(x.opened_at), day_of(x.lifted_at) if x.lifted_at else None, x) for x in tallies],
        *(ended[state] for state in ENDED),
        [(day_of(x.rated_at), x) for x in deals if x.rated_at],
        sorted(ended["completed"].values()),
    )


ENDED = ("completed", "uncompleted")


def counts(tally: Tally, lifted: date | None, day: date) -> bool:
    """Whether the dispute weighs on that day: while it is open, when it counts, and until the day it was lifted."""
    return tally.state != "exempt" or (lifted is not None and day <= lifted)


# --- rates ---------------------------------------------------------------------------------------------------------


class Span(Struct, frozen=True, gc=False):
    """The days that are looked at, both ends included."""

    first: date
    last: date

    def holds(self, day: date | None) -> bool:
        """Whether that day is one of them."""
        return day is not None and self.first <= day <= self.last


class Rate(Record, frozen=True):
    """`n` of `of`."""

    n: int
    of: int


def completed(record: Standing, span: Span) -> int:
    """How many orders were completed in those days."""
    days = record.completed_days
    return bisect_right(days, span.last) - bisect_left(days, span.first)


Choice = Callable[[Tally, bool], bool]
"""Whether a rate is about a dispute, given whether it weighs."""

RATES: dict[str, Choice] = {
    "dispute": lambda tally, weighs: weighs,
    "inr": lambda tally, weighs: weighs and tally.kind == "INR",
    "snad": lambda tally, weighs: weighs and tally.kind == "SNAD",
    "adjudication": lambda tally, weighs: tally.adjudicated and tally.why != "withdrawn",
    "liability": lambda tally, weighs: tally.adjudicated and weighs and tally.state != "pending",
    "guarantee": lambda tally, weighs: weighs and tally.guaranteed,
}
"""Rate → the disputes that it is about."""


def disputed(record: Standing, span: Span, rate: str) -> dict[int, tuple[date, list[Tally]]]:
    """The orders of a rate: order → its day, which is the first of completion and dispute, and its disputes."""
    found: dict[int, tuple[date, list[Tally]]] = {}
    for opened, lifted, tally in record.tallies:
        if opened > span.last or not RATES[rate](tally, counts(tally, lifted, span.last)):
            continue
        before = found.get(tally.order, (record.completed.get(tally.order, opened), []))
        found[tally.order] = (min(before[0], opened), [*before[1], tally])
    return found


def rate_of(record: Standing, span: Span, rate: str) -> Rate:
    """The orders with such a dispute, of those completed or with such a dispute; each dated by the first of these."""
    n, of = 0, completed(record, span)
    for order, (day, _) in disputed(record, span, rate).items():
        n += span.holds(day)
        of += span.holds(day) - span.holds(record.completed.get(order))
    return Rate(n, of)


def uncompleted_rate(record: Standing, span: Span) -> Rate:
    """The deals that did not come about by the seller's fault, of those and the completed ones."""
    n = sum(map(span.holds, record.uncompleted.values()))
    return Rate(n, n + completed(record, span))


def answer_rate(record: Standing, span: Span) -> Rate:
    """The seller's turns that ended in time, of all that ended, in the disputes opened in those days."""
    asked = [x for opened, _, x in record.tallies if span.holds(opened) and x.why != "withdrawn"]
    return Rate(sum(x.answered for x in asked), sum(x.asked for x in asked))


# --- the score -----------------------------------------------------------------------------------------------------


class Score(Record, frozen=True, kw_only=True):
    """A store's score of one day. `parts` are what it got of each part, `lost` what it did not (millionths of a point);
    parts that nothing can be said of are in neither, and `scale` is what the others can come to (points). `ratings`:
    how many buyers rated, and the sums of what they gave. `weight` is in ten-thousandths; `grade` is empty where the
    orders are too few. Disputes opened in those days, but for withdrawn ones: `counted`, `pending`, `exempt`."""

    day: date
    first: date
    orders: int
    scale: int
    parts: dict[str, int]
    lost: dict[str, int]
    grade: str
    weight: int
    rates: dict[str, Rate]
    ratings: tuple[int, int, int, int]
    counted: int
    pending: int
    exempt: int


def points(score: Score) -> int:
    """What it got in all, of `scale` (millionths of a point)."""
    return sum(score.parts.values())


def of_hundred(score: Score) -> int:
    """The same on the scale of 100 on which grades are given, rounded down (millionths of a point)."""
    return points(score) * 100 // score.scale


def score_on(record: Standing, day: date, curves: ScoreCurves) -> Score | None:
    """The score of a day; None where the record has nothing to say of its window."""
    span = window_of(record, day, curves)
    rates = {name: rate_of(record, span, name) for name in RATES}
    rates |= {"uncompleted": uncompleted_rate(record, span), "answers": answer_rate(record, span)}
    ratings = _ratings(record, span)
    if not rates["dispute"].of and not rates["uncompleted"].of and not ratings[0]:
        return None
    parts = {name: after_rate(getattr(curves, name), rates[name], curves) for name in ("uncompleted", "inr", "snad")}
    if ratings[0]:
        parts |= {
            name: after_ratings(getattr(curves, name), Rate(total, ratings[0]), curves)
            for name, total in zip(RATED, ratings[1:], strict=True)
        }
    scale = sum(getattr(curves, name) for name in parts)
    if not scale:
        return None
    whole = sum(parts.values()) * 100 // scale
    told = [one for one in record.tallies if span.holds(one[0]) and one[2].why != "withdrawn"]
    states = [_state(tally, lifted, day) for _, lifted, tally in told]
    return Score(
        day=day,
        first=span.first,
        orders=rates["dispute"].of,
        scale=scale,
        parts=parts,
        lost={name: getattr(curves, name) * POINT - got for name, got in parts.items()},
        grade=grade_of(whole, curves) if rates["dispute"].of >= curves.least_orders else "",
        weight=weight_of(whole, rates["guarantee"], curves),
        rates=rates,
        ratings=ratings,
        counted=states.count("counted"),
        pending=states.count("pending"),
        exempt=states.count("exempt"),
    )


def window_of(record: Standing, day: date, curves: ScoreCurves) -> Span:
    """The days that the score of `day` looks at: the short window where enough orders were completed in it, else the
    long one. Disputes have no say in that, or a further one could bring the better window."""
    short = Span(day - (curves.window - 1) * DAY, day)
    if completed(record, short) >= curves.least_orders:
        return short
    return Span(day - (curves.long_window - 1) * DAY, day)


def _state(tally: Tally, lifted: date | None, day: date) -> str:
    return "counted" if tally.state == "exempt" and counts(tally, lifted, day) else tally.state


def _ratings(record: Standing, span: Span) -> tuple[int, int, int, int]:
    rated = [deal for day, deal in record.rated if span.holds(day)]
    return (
        len(rated),
        sum(deal.description for deal in rated),
        sum(deal.service for deal in rated),
        sum(deal.logistics for deal in rated),
    )


# --- the curves ----------------------------------------------------------------------------------------------------


def after_rate(most: int, rate: Rate, curves: ScoreCurves) -> int:
    """What is left of `most` points: all at 0 %, none from the worst rate on, between them in a straight line; rounded
    down (millionths of a point)."""
    whole = most * POINT
    if not rate.n:
        return whole
    worst = curves.worst_rate * rate.of
    return max(0, whole * (worst - 10_000 * rate.n) // worst)


def after_ratings(most: int, total: Rate, curves: ScoreCurves) -> int:
    """What is left of `most` points: all at 5.00, none from the worst rating on, between them in a straight line;
    rounded down (millionths of a point). `total` is the sum of the ratings and how many there are."""
    above = 100 * total.n - curves.worst_rating * total.of
    return max(0, most * POINT * above // ((500 - curves.worst_rating) * total.of))


def grade_of(score: int, curves: ScoreCurves) -> str:
    """The grade of a score out of 100 (millionths of a point)."""
    for name in ("excellent", "good", "passing"):
        if score >= getattr(curves, name) * POINT:
            return "pass" if name == "passing" else name
    return "fail"


def weight_of(score: int, guarantee: Rate, curves: ScoreCurves) -> int:
    """The store's weight in the search (ten-thousandths, rounded down, at most 10,000): so much for the score (out of
    100, millionths of a point), less for what the guarantee had to settle per 100 orders."""
    of = guarantee.of or 1
    exact = curves.weight_base * POINT * of + curves.weight_of_point * score * of
    exact -= curves.weight_of_guarantee * guarantee.n * 100 * POINT
    return min(10_000, max(curves.weight_floor, exact // (POINT * of)))


# --- the month -----------------------------------------------------------------------------------------------------


def graded_from(month: date, curves: ScoreCurves) -> date:
    """The day on which a month, given by its first day, is graded."""
    return next_month(month) + (curves.graded_on - 1) * DAY


def next_month(day: date) -> date:
    """The first day of the month after that of `day`."""
    return (day.replace(day=1) + 31 * DAY).replace(day=1)


def previous_month(day: date) -> date:
    """The first day of the month before that of `day`."""
    return (day.replace(day=1) - DAY).replace(day=1)


def month_of(scores: Sequence[int], curves: ScoreCurves) -> tuple[int, str]:
    """(mean of the days' scores out of 100, rounded down, in millionths of a point; grade). At least one day."""
    mean = sum(scores) // len(scores)
    return mean, grade_of(mean, curves)
