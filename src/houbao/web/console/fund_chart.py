"""The chart of the free fund as an SVG's coordinates: steps, since it changes at moments."""

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from houbao.web.console.views.fund import Added, Day

WIDTH, HEIGHT = 900, 220
LEFT, RIGHT, TOP, BOTTOM = 70, 80, 20, 30
STEPS = (1, 2, 5)


class Tick(Struct, frozen=True):
    """A line of the grid: where, and the amount it stands for (minor units)."""

    at: float
    minor: int


class Label(Struct, frozen=True):
    """A day under the chart."""

    at: float
    day: date


class Mark(Struct, frozen=True):
    """Money that came in from outside."""

    at: float
    added: Added


class Chart(Struct, frozen=True, kw_only=True):
    """Everything that is drawn, in the units of the SVG."""

    line: str
    under: str
    ticks: list[Tick]
    labels: list[Label]
    marks: list[Mark]
    x: float
    y: float
    floor: float


def chart(days: Sequence[Day], added: Sequence[Added], unit: int) -> Chart:
    """The chart of some days. `unit` is one whole of the currency in minor units."""
    first, length = days[0].day, max(1, len(days) - 1)
    step = step_for(max(day.free for day in days), unit)
    top = step * max(1, -(-max(day.free for day in days) // step))

    def x(day: date) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - first).days / length, 1)

    def y(minor: int) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (top - minor) / top, 1)

    steps = [f"M{x(first)} {y(days[0].free)}", *(f"H{x(day.day)}V{y(day.free)}" for day in days[1:])]
    line, floor, last = "".join(steps), y(0), days[-1]
    shown = days[:: max(1, length // 5)]
    return Chart(
        line=line,
        under=f"{line}V{floor}H{x(first)}Z",
        ticks=[Tick(y(minor), minor) for minor in range(0, top + 1, step)],
        labels=[Label(x(day.day), day.day) for day in shown],
        marks=[Mark(x(one.day), one) for one in added if one.day >= first],
        x=x(last.day),
        y=y(last.free),
        floor=floor,
    )


def step_for(most: int, unit: int) -> int:
    """The distance of the grid's lines: 1, 2 or 5 times a power of ten, so that at most five lie below `most`."""
    power = unit
    while True:
        for factor in STEPS:
            if most <= 5 * factor * power:
                return factor * power
        power *= 10
