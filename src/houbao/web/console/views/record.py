"""A store's record as its page shows it: the score of today, its parts, whose fault each lost point is, what comes."""

import sqlite3
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct, structs

from houbao.core.attribution import Blame, Forecast, blames, forecast
from houbao.core.disputes import Dispute
from houbao.core.policy import ScoreCurves
from houbao.core.refunds import paid_minor
from houbao.core.score import Score, Standing, of_hundred, score_on, standing
from houbao.core.tallies import Tally
from houbao.engine.scorebook import Lines, Scorebook
from houbao.engine.scoring import curves_of, zone_in
from houbao.store.desk_money import disputes_by_number
from houbao.store.pages import Day, Month, months, score_days
from houbao.web.console.views.orders import orders_of, taken_back

DAYS = 90
MOST_BLAMED = 30


class Part(Struct, frozen=True):
    """One part of the score on the scale of 100 (millionths of a point): what it got, of how much. `room` is how many
    orders may be at fault before nothing is left of it; None where it comes from ratings or from no order."""

    name: str
    got: int
    of: int
    room: int | None = None


class Weighs(Struct, frozen=True):
    """A dispute that takes points from today's score, on the scale of 100 (millionths of a point), of the order with
    that `reference`; the day from which it takes none; what it cost the seller, and what of that a bank took (minor
    units)."""

    dispute: Dispute
    reference: str
    lost: int
    gone_on: date
    cost: int
    bank: int


class Tale(Struct, frozen=True):
    """How many disputes of a kind count, are pending, or are exempt in the days that the score looks at."""

    kind: str
    counted: int
    pending: int
    exempt: int


class Mark(Struct, frozen=True):
    """A dispute on the chart: the day it was opened, and whether it counts or is pending."""

    day: date
    state: str


class Record(Struct, frozen=True, kw_only=True):
    """A store's record today. `next` is the score after one more counted dispute; None where nothing is scored."""

    score: Score
    curves: ScoreCurves
    parts: list[Part]
    weighs: list[Weighs]
    others: list[tuple[str, Blame]]
    tales: list[Tale]
    forecast: Forecast
    next: Score | None
    days: list[Day]
    marks: list[Mark]
    months: list[Month]


def record(connection: sqlite3.Connection, book: Scorebook, part: int, store: str, now: datetime) -> Record | None:
    """The store's record of today; None where there is no programme, or nothing to say yet."""
    programme = book.programme()
    if programme is None:
        return None
    zone = zone_in(programme)
    today = now.astimezone(zone).date()
    curves = curves_of(book, programme, today, zone)
    lines = book.lines(part, None, store).get(store, Lines())
    known = standing(lines.deals, lines.tallies, zone)
    score = score_on(known, today, curves)
    if score is None:
        return None
    blamed = [(name, one) for name in score.parts for one in blames(known, score, name)]
    kept = score_days(connection, part, store, today - timedelta(days=1), DAYS - 1)
    first = kept[0].day if kept else today
    return Record(
        score=score,
        curves=curves,
        parts=[_part(score, name, curves) for name in score.parts],
        weighs=_weighs(connection, part, blamed, score.scale),
        others=[(name, one) for name, one in blamed if not one.disputes][:MOST_BLAMED],
        tales=_tales(known, score),
        forecast=forecast(known, today, curves),
        next=score_on(_one_more(known, today), today, curves),
        days=[*kept, Day(today, of_hundred(score))],
        marks=[Mark(day, one.state) for day, _, one in known.tallies if day >= first and one.state != "exempt"],
        months=months(connection, part, store),
    )


def _part(score: Score, name: str, curves: ScoreCurves) -> Part:
    got, of = (minor * 100 // score.scale for minor in (score.parts[name], score.parts[name] + score.lost[name]))
    rate = score.rates.get(name)
    # Points are left while n / of is below the worst rate (ten-thousandths).
    room = (curves.worst_rate * rate.of - 1) // 10_000 if rate and rate.of else None
    return Part(name, got, of, room)


def _weighs(connection: sqlite3.Connection, part: int, blamed: Sequence[tuple[str, Blame]], scale: int) -> list[Weighs]:
    """The disputes that cost points, the most costly first; an order's points are told of its first dispute."""
    costs: dict[int, tuple[int, date]] = {}
    for _, one in blamed:
        if one.disputes:
            lost, gone_on = costs.get(one.disputes[0], (0, one.gone_on))
            costs[one.disputes[0]] = (lost + one.lost, max(gone_on, one.gone_on))
    worst = sorted(costs.items(), key=lambda item: (-item[1][0], -item[0]))[:MOST_BLAMED]
    disputes = disputes_by_number(connection, part, [number for number, _ in worst])
    orders = orders_of(connection, part, disputes.values())
    banks = taken_back(connection, part, orders.values(), disputes.values())
    found: list[Weighs] = []
    for number, (lost, gone_on) in worst:
        dispute, bank = disputes[number], banks[number]
        cost = sum(paid_minor(refund) for refund in dispute.refunds if refund.payer == "seller")
        reference = orders[dispute.order].reference
        found.append(Weighs(dispute, reference, lost * 100 // scale, gone_on, cost + bank, bank))
    return found


def _tales(known: Standing, score: Score) -> list[Tale]:
    told = [one for day, _, one in known.tallies if score.first <= day <= score.day and one.why != "withdrawn"]
    kinds = [kind for kind in ("INR", "SNAD", "REMORSE", "OTHER") if any(one.kind == kind for one in told)]
    return [
        Tale(kind, *(sum(one.kind == kind and one.state == state for one in told) for state in STATES))
        for kind in kinds
    ]


STATES = ("counted", "pending", "exempt")


def _one_more(known: Standing, today: date) -> Standing:
    """The record with one more counted dispute about goods not as described, on an order that was completed before."""
    spent = {one.order for _, _, one in known.tallies}
    order = next((number for number in reversed(known.completed) if number not in spent), -1)
    at = datetime.combine(today, datetime.min.time()).astimezone()
    more = Tally(dispute=-1, store="", order=order, kind="SNAD", state="counted", opened_at=at)
    return structs.replace(known, tallies=[*known.tallies, (today, None, more)])
