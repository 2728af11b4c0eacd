"""The chart of the daily score as an SVG's coordinates: steps, since a score changes once a day."""

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from houbao.core.score import POINT
from houbao.store.pages import Day
from houbao.web.console.views.record import Mark

WIDTH, HEIGHT = 900, 240
LEFT, RIGHT, TOP, BOTTOM = 40, 70, 16, 44


class Tick(Struct, frozen=True):
    """A line of the grid with what it means."""

    at: float
    value: int


class Label(Struct, frozen=True):
    """A day under the chart."""

    at: float
    day: date


class Spot(Struct, frozen=True):
    """A dispute on its day."""

    x: float
    y: float
    state: str


class Chart(Struct, frozen=True, kw_only=True):
    """Everything that is drawn, in the units of the SVG."""

    line: str
    under: str
    ticks: list[Tick]
    labels: list[Label]
    spots: list[Spot]
    limits: list[Tick]
    x: float
    y: float
    lowest: int
    highest: int


def chart(days: Sequence[Day], marks: Sequence[Mark], limits: Sequence[int]) -> Chart:
    """The chart of some days' scores. `limits` are the grades' limits (points)."""
    first, last = days[0].day, days[-1].day
    length = max(1, (last - first).days)
    low = min(min(day.score for day in days) // POINT, min(limits)) // 10 * 10

    def x(day: date) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - first).days / length, 1)

    def y(score: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (100 - score) / (100 - low), 1)

    steps = [f"M{x(days[0].day)} {y(days[0].score / POINT)}"]
    steps += [f"H{x(day.day)}V{y(day.score / POINT)}" for day in days[1:]]
    line, floor = "".join(steps), y(low)
    gap = max(1, length // 6)
    shown = [day.day for n, day in enumerate(days) if n % gap == 0]
    stacked: dict[date, int] = {}
    spots: list[Spot] = []
    for mark in marks:
        stacked[mark.day] = stacked.get(mark.day, 0) + 1
        spots.append(Spot(x(mark.day), floor - 6 - 11 * (stacked[mark.day] - 1), mark.state))
    scores = [day.score for day in days]
    return Chart(
        line=line,
        under=f"{line}V{floor}H{x(first)}Z",
        ticks=[Tick(y(value), value) for value in range(low, 101, 10 if 100 - low <= 60 else 20)],
        labels=[Label(x(day), day) for day in shown],
        spots=spots,
        limits=[Tick(y(value), value) for value in limits],
        x=x(last),
        y=y(days[-1].score / POINT),
        lowest=min(scores),
        highest=max(scores),
    )
