"""Why a score is what it is: every lost point names its disputes, and what becomes of it if nothing new happens."""

from collections.abc import Sequence
from datetime import date

from msgspec import structs

from houbao.core.money import split
from houbao.core.policy import ScoreCurves
from houbao.core.score import DAY, RATED, Score, Span, Standing, counts, disputed, of_hundred, score_on, window_of
from houbao.core.terms import Record


class Blame(Record, frozen=True, kw_only=True):
    """What one order cost (millionths of a point), by its disputes or, where there are none, by itself: not completed,
    or rated so. From `gone_on` on it costs nothing."""

    order: int
    disputes: tuple[int, ...] = ()
    lost: int
    gone_on: date


def blames(record: Standing, score: Score, part: str) -> list[Blame]:
    """Whose fault the lost points of a part are, the most costly first; they sum to what was lost exactly."""
    span, lost = Span(score.first, score.day), score.lost.get(part, 0)
    if not lost:
        return []
    length = score.day - score.first + DAY
    found: list[tuple[int, tuple[int, ...], date, int]] = []
    if part in RATED:
        rated = [(day, deal, 5 - getattr(deal, part)) for day, deal in record.rated if span.holds(day)]
        found = [(deal.order, (), day, short) for day, deal, short in rated if short]
    elif part == "uncompleted":
        found = [(order, (), day, 1) for order, day in record.uncompleted.items() if span.holds(day)]
    else:
        orders = disputed(record, span, part).items()
        found = [(o, tuple(x.dispute for x in own), day, 1) for o, (day, own) in orders if span.holds(day)]
    shares = split(lost, [weight for *_, weight in found])
    told = [
        Blame(order=order, disputes=disputes, lost=share, gone_on=day + length)
        for (order, disputes, day, _), share in zip(found, shares, strict=True)
    ]
    return sorted(told, key=lambda blame: (-blame.lost, blame.order))


class Forecast(Record, frozen=True, kw_only=True):
    """What the score, out of 100, becomes (millionths of a point; None where nothing could be said any more): `settled`
    if every pending dispute ends without fault; `cleared` when the last dispute and uncompleted deal that weigh now
    have left the window, on `cleared_on` (None where there are none), all else equal."""

    settled: int | None
    cleared: int | None
    cleared_on: date | None


def forecast(record: Standing, day: date, curves: ScoreCurves) -> Forecast:
    """What becomes of the score of `day`."""
    span = window_of(record, day, curves)
    spared = [x for x in record.tallies if not counts(x[2], x[1], day)]
    ended = [x for x in record.tallies if x[2].state != "pending"]
    days = [at for at, _ in disputed(record, span, "dispute").values()] + [*record.uncompleted.values()]
    cleared_on = max((at + (span.last - span.first + DAY) for at in days if span.holds(at)), default=None)
    return Forecast(
        settled=_whole(structs.replace(record, tallies=ended), day, curves),
        cleared=_whole(structs.replace(record, tallies=spared, uncompleted={}), day, curves),
        cleared_on=cleared_on,
    )


def _whole(record: Standing, day: date, curves: ScoreCurves) -> int | None:
    score = score_on(record, day, curves)
    return of_hundred(score) if score else None


def average(scores: Sequence[int]) -> int | None:
    """The industry's average of scores out of 100, rounded down (millionths of a point); None where there are none."""
    return sum(scores) // len(scores) if scores else None
