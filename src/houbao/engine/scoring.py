"""The daily scores: kept by the worker once a day is over, in the programme's time zone (domain §6).

Each run brings the scores up to yesterday. In a month that is not graded yet, every store that something happened to
since the last run has its days computed anew; a month that is graded stays as it was known then.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from msgspec import Struct

from houbao.core.calendars import zone_of
from houbao.core.policy import ScoreCurves
from houbao.core.programme import Programme, policy_in_force
from houbao.core.score import DAY, Score, graded_from, month_of, next_month, previous_month, score_on, standing
from houbao.engine.scorebook import Grade, Kept, Scorebook


class Scored(Struct):
    """What one run kept: days computed (stores × days), and grades given."""

    days: int = 0
    grades: int = 0


class Scoring:
    """Keeps the scores of one part. The zone and the curves are those of the first programme."""

    def __init__(self, book: Scorebook, clock: Callable[[], datetime], *, part: int = 0) -> None:
        self.book = book
        self.clock = clock
        self.part = part
        self._through: date | None = None

    def keep(self) -> Scored:
        """Bring scores and grades up to yesterday. A database without any begins with the month before this one."""
        book, part = self.book, self.part
        programme = book.programme()
        if programme is None:
            return Scored()
        zone = zone_in(programme)
        today = self.clock().astimezone(zone).date()
        yesterday = today - DAY
        if self._through == yesterday:
            return Scored()
        kept = book.kept(part)
        begin = kept.last + DAY if kept.last else previous_month(yesterday)
        if begin > yesterday:
            return Scored()
        ungraded = self._ungraded(programme, kept, begin, zone)
        position = book.position(part)
        changed = book.changed_since(part, kept.position) if kept.last else set()
        days = [ungraded + n * DAY for n in range((yesterday - ungraded).days + 1)]
        curves = {day: curves_of(book, programme, day, zone) for day in days}
        longest = max(one.long_window for one in curves.values())
        scores: list[tuple[str, Score]] = []
        for store, lines in book.lines(part, start_of(ungraded - longest * DAY, zone)).items():
            record = standing(lines.deals, lines.tallies, zone)
            wanted = [day for day in days if day >= begin or store in changed]
            scores += [(store, score) for day in wanted if (score := score_on(record, day, curves[day]))]
        book.keep(part, changed, ungraded, scores, position)
        # The month before too: a run may have ended between keeping its days and grading them.
        start = max(previous_month(ungraded), next_month(kept.graded) if kept.graded else date.min)
        graded = self._grade(programme, start, today, zone)
        self._through = yesterday
        return Scored(len(scores), graded)

    def _ungraded(self, programme: Programme, kept: Kept, begin: date, zone: tzinfo) -> date:
        """The first month that was not graded when the last run was, on the day `begin`."""
        month, before = begin.replace(day=1), previous_month(begin)
        end = curves_of(self.book, programme, month - DAY, zone)
        return before if kept.last and begin < graded_from(before, end) else month

    def _grade(self, programme: Programme, month: date, today: date, zone: tzinfo) -> int:
        """Grade every month whose day has come, from `month` on."""
        given = 0
        while month < today:
            curves = curves_of(self.book, programme, next_month(month) - DAY, zone)
            if today < graded_from(month, curves):
                break
            found = self.book.days_of(self.part, month)
            grades = [
                Grade(month, store, mean, len(days), grade)
                for store, days in found.items()
                for mean, grade in [month_of(days, curves)]
            ]
            self.book.grade(self.part, grades)
            given += len(grades)
            month = next_month(month)
        return given


def zone_in(programme: Programme) -> tzinfo:
    """The time zone of the programme's days; UTC where its name is none."""
    return zone_of(programme.zone) or UTC


def start_of(day: date, zone: tzinfo) -> datetime:
    """The first instant of a day."""
    return datetime.combine(day, time(), zone)


def curves_of(book: Scorebook, programme: Programme, day: date, zone: tzinfo) -> ScoreCurves:
    """The policy's curves of a day: those in force when it ends."""
    end = start_of(day + DAY, zone) - timedelta(microseconds=1)
    return book.curves(policy_in_force(programme, end), programme.currency)
