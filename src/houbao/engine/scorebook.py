"""The stores' record and the scores that are kept of it, as the engine needs them."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct

from houbao.core.policy import ScoreCurves
from houbao.core.programme import Programme
from houbao.core.score import Score
from houbao.core.tallies import Deal, Tally


class Lines(Struct):
    """The lines of one store's record."""

    deals: list[Deal] = []
    tallies: list[Tally] = []


class Kept(Struct, frozen=True):
    """How far the scores are kept: first and last day, the last event that the last day knew of, and the first day of
    the last month that is graded."""

    first: date | None = None
    last: date | None = None
    position: int = 0
    graded: date | None = None


class Grade(Struct, frozen=True):
    """A store's grade of a month (its first day): the mean of its graded `days`, of 100, in millionths of a point."""

    month: date
    store: str
    score: int
    days: int
    grade: str


class Scorebook(Protocol):
    """The stores' record and what is kept of it."""

    def programme(self) -> Programme | None:
        """The programme whose days, months and curves are meant: the first by name."""
        ...

    def curves(self, version: str, currency: str) -> ScoreCurves:
        """The curves of a policy version."""
        ...

    def position(self, part: int) -> int:
        """The position of the part's last event."""
        ...

    def kept(self, part: int) -> Kept:
        """How far the scores are kept."""
        ...

    def changed_since(self, part: int, position: int) -> set[str]:
        """The stores that an event after `position` is about."""
        ...

    def lines(self, part: int, since: datetime | None, store: str = "") -> dict[str, Lines]:
        """Store → its lines since then, with the deals of the disputes among them; of one store, or of all."""
        ...

    def keep(
        self, part: int, anew: Collection[str], since: date, scores: Sequence[tuple[str, Score]], position: int
    ) -> None:
        """Keep scores, known up to `position`; of the stores `anew` in the place of all theirs from `since` on."""
        ...

    def grade(self, part: int, grades: Sequence[Grade]) -> None:
        """Keep grades; one that is given stays."""
        ...

    def days_of(self, part: int, month: date) -> dict[str, list[int]]:
        """Store → the scores of its graded days in a month, given by its first day."""
        ...
