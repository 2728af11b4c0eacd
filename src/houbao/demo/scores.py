"""The stores' scores in the demonstration's report: how they stand, the best and the worst, and why."""

from collections import Counter
from datetime import date

from msgspec import Struct

from houbao.commands.scores import hundredths
from houbao.core.attribution import average
from houbao.core.policy import ScoreCurves
from houbao.core.score import RATED, Score, of_hundred
from houbao.store.scores import Scorebook

MOST_SHOWN = 3


class Place(Struct, frozen=True):
    """A store's score, out of 100 in hundredths of a point; `why` names the parts that it lost most in."""

    store: str
    score: int
    orders: int
    weight: int
    why: list[str]


class Scores(Struct, frozen=True):
    """All stores' scores of the busiest time. Of those graded: how many per grade, their average, the ends."""

    day: date | None = None
    stores: int = 0
    grades: dict[str, int] = {}
    average: int = 0
    best: list[Place] = []
    worst: list[Place] = []


def scored(book: Scorebook) -> Scores:
    """The scores of the last day of which they are kept."""
    day = book.kept(0).last
    if day is None:
        return Scores()
    all_of_them = book.of_day(0, day)
    graded = sorted(
        ((store, score) for store, score in all_of_them if score.grade),
        key=lambda one: (-of_hundred(one[1]), -one[1].orders, one[0]),
    )
    found = Counter(score.grade for _, score in graded)
    places = [_place(store, score) for store, score in graded]
    half = len(places) // 2
    return Scores(
        day=day,
        stores=len(all_of_them),
        grades={name: found[name] for name in ("excellent", "good", "pass", "fail")},
        average=(average([of_hundred(score) for _, score in graded]) or 0) // 10_000,
        best=places[: len(places) - half][:MOST_SHOWN],
        worst=places[::-1][:half][:MOST_SHOWN],
    )


def _place(store: str, score: Score) -> Place:
    lost = sorted(score.lost.items(), key=lambda part: -part[1])
    why = [f"{hundredths(minor // 10_000)} for {_reason(score, part)}" for part, minor in lost[:2] if minor >= 10_000]
    return Place(store, of_hundred(score) // 10_000, score.orders, score.weight, why)


def _reason(score: Score, part: str) -> str:
    if part in RATED:
        buyers = score.ratings[0]
        return f"{part}, rated {hundredths(score.ratings[1 + RATED.index(part)] * 100 // buyers)} by {buyers}"
    rate = score.rates[part]
    what = {"uncompleted": "orders cancelled", "inr": "not received", "snad": "not as described"}[part]
    return f"{rate.n} of {rate.of} {what}"


def told(scores: Scores) -> list[str]:
    """The scores as lines of text."""
    if scores.day is None:
        return []
    curves = ScoreCurves()
    grades = ", ".join(f"{name} {n:,}" for name, n in scores.grades.items())
    lines = [
        f"Service scores on {scores.day}, the end of the busiest time: {scores.stores:,} stores",
        f"  graded, with {curves.least_orders} orders or more: {grades}; average {hundredths(scores.average)}",
    ]
    for name, places in (("best", scores.best), ("worst", scores.worst)):
        lines += [
            f"  {name:<5} {place.store[:12]:<12} {hundredths(place.score):>6}  {place.orders} orders, weight"
            f" {place.weight / 10_000:.4f}; {'lost ' + ', '.join(place.why) if place.why else 'nothing lost'}"
            for place in places
        ]
    return [*lines, ""]
