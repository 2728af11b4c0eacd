"""The chain ladder: what claims that began already will still cost, from how earlier ones developed.

Mack, T. (1993), "Distribution-free calculation of the standard error of chain ladder reserve estimates", ASTIN Bulletin
23(2): volume-weighted factors over all years, no tail. Figures are estimates and never booked, hence floats.
"""

from collections.abc import Sequence
from itertools import accumulate
from operator import mul

from msgspec import Struct

Triangle = Sequence[Sequence[float]]
"""Row by origin, the oldest first; in a row what was paid up to each age, cumulated. Each row is one shorter than the
one before."""


class Ladder(Struct, frozen=True):
    """Age-to-age `factors`, and of each origin what it will have cost in the end, of which `latest` is paid."""

    factors: list[float]
    ultimates: list[float]
    latest: list[float]

    @property
    def outstanding(self) -> float:
        """What is still to come of all origins."""
        return sum(self.ultimates) - sum(self.latest)


def chain_ladder(triangle: Triangle) -> Ladder:
    """The ladder of a triangle. An age at which nothing was paid before has the factor 1: nothing can be said of it.

    ValueError where the rows do not form a triangle."""
    size = len(triangle)
    if [len(row) for row in triangle] != [size - n for n in range(size)]:
        raise ValueError(f"no triangle: the rows have {[len(row) for row in triangle]} figures")
    factors: list[float] = []
    for age in range(size - 1):
        before = sum(row[age] for row in triangle if len(row) > age + 1)
        after = sum(row[age + 1] for row in triangle if len(row) > age + 1)
        factors.append(after / before if before else 1.0)
    to_end = [*accumulate(reversed(factors), mul, initial=1.0)][:size]
    latest = [row[-1] for row in triangle]
    return Ladder(factors, [paid * factor for paid, factor in zip(latest, to_end, strict=True)], latest)
