"""The stores' record as the scoring reads it, and the scores and grades that it keeps.

The record is read by a walk over its two tables: an index by store would cost every dispute that is opened more than
the walk costs once a day.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from houbao.core.policy import ScoreCurves
from houbao.core.programme import Programme
from houbao.core.score import POINT, Score, next_month
from houbao.core.tallies import Deal
from houbao.core.terms import micros
from houbao.engine.scorebook import Grade, Kept, Lines
from houbao.store import rows, schema
from houbao.store.changes import inserting
from houbao.store.differences import UNDECODABLE, Notes
from houbao.store.positions import last_position
from houbao.store.sqlite import SQLite, decode_programme
from houbao.store.stored import Reader

TALLIES, DEALS = (", ".join(f"x.{c.name}" for c in table.columns) for table in (schema.tallies, schema.deals))


class Scorebook:
    """The `Scorebook` port on one SQLite file. It reads beside whoever writes: nobody waits for its walks."""

    def __init__(self, database: SQLite) -> None:
        self.database = database

    def _all(self, statement: str, *given: object) -> list[Any]:
        """Every row found."""
        with self.database.reader.glance() as connection:
            return connection.execute(statement, given).fetchall()

    def programme(self) -> Programme | None:
        """See ports.Scorebook."""
        found = self._all("SELECT body FROM programmes ORDER BY name LIMIT 1")
        return decode_programme(found[0][0]) if found else None

    def curves(self, version: str, currency: str) -> ScoreCurves:
        """See ports.Scorebook."""
        compiled = self.database.compiled(version, currency)
        return compiled.policy.score if compiled else ScoreCurves()

    def position(self, part: int) -> int:
        """See ports.Scorebook."""
        with self.database.reader.glance() as connection:
            return last_position(connection, part)

    def kept(self, part: int) -> Kept:
        """See ports.Scorebook."""
        # Each by itself is found at an end of the key; both at once would be a walk over all days.
        ((first,),) = self._all("SELECT min(day) FROM scores WHERE part=?", part)
        ((last,),) = self._all("SELECT max(day) FROM scores WHERE part=?", part)
        ((known,),) = self._all("SELECT max(position) FROM scores WHERE part=? AND day=?", part, last)
        ((graded,),) = self._all("SELECT max(month) FROM grades WHERE part=?", part)
        day, month = date.fromisoformat, f"{graded}-01"
        return Kept(day(first), day(last), known, day(month) if graded else None) if last else Kept()

    def changed_since(self, part: int, position: int) -> set[str]:
        """See ports.Scorebook."""
        found = self._all("SELECT DISTINCT body->>'store' FROM events WHERE part=? AND position>?", part, position)
        return {store for (store,) in found if store}

    def lines(self, part: int, since: datetime | None, store: str = "") -> dict[str, Lines]:
        """See ports.Scorebook."""
        start = micros(since) if since else -(2**62)
        of, keys = ("part=? AND store_id=?", (part, store)) if store else ("part=?", (part,))
        with self.database.reader.snapshot() as connection:
            tallies = connection.execute(
                f"SELECT {TALLIES} FROM tallies AS x WHERE {of} AND opened_at>=?", (*keys, start)
            ).fetchall()
            # An order is dated by its completion where that was before its dispute: those are needed however old.
            deals = connection.execute(
                f"SELECT {DEALS} FROM deals AS x WHERE {of} AND (ended_at>=? OR rated_at>=?"
                f" OR order_id IN (SELECT order_id FROM tallies WHERE {of} AND opened_at>=?))",
                (*keys, start, start, *keys, start),
            ).fetchall()
        found: dict[str, Lines] = {}
        for line in (*map(rows.deal_in, deals), *map(rows.tally_in, tallies)):
            mine = found.setdefault(line.store, Lines())
            if isinstance(line, Deal):
                mine.deals.append(line)
            else:
                mine.tallies.append(line)
        return found

    def keep(
        self, part: int, anew: Collection[str], since: date, scores: Sequence[tuple[str, Score]], position: int
    ) -> None:
        """See ports.Scorebook."""
        with self.database.writing() as connection:
            connection.executemany(
                "DELETE FROM scores WHERE part=? AND day>=? AND store_id=?",
                [(part, since.isoformat(), store) for store in anew],
            )
            connection.executemany(
                f"{inserting(schema.scores)} ON CONFLICT DO NOTHING",
                [rows.score_row(part, store, score, position) for store, score in scores],
            )

    def grade(self, part: int, grades: Sequence[Grade]) -> None:
        """See ports.Scorebook."""
        with self.database.writing() as connection:
            connection.executemany(
                f"{inserting(schema.grades)} ON CONFLICT DO NOTHING",
                [(part, f"{g.month:%Y-%m}", g.store, g.score, g.days, g.grade) for g in grades],
            )

    def days_of(self, part: int, month: date) -> dict[str, list[int]]:
        """See ports.Scorebook."""
        found: dict[str, list[int]] = {}
        for name, score in self._all(
            "SELECT store_id, score FROM scores WHERE part=? AND day>=? AND day<? AND grade<>''",
            *(part, month.isoformat(), next_month(month).isoformat()),
        ):
            found.setdefault(name, []).append(score)
        return found

    def of_day(self, part: int, day: date) -> list[tuple[str, Score]]:
        """Every store's score of a day, as kept."""
        found = self._all(
            "SELECT store_id, body FROM scores WHERE part=? AND day=? ORDER BY store_id", part, day.isoformat()
        )
        return [(store, rows.decode_score(body)) for store, body in found]

    def last_day(self, part: int, day: date) -> date | None:
        """The last day up to that one of which scores are kept."""
        ((found,),) = self._all("SELECT max(day) FROM scores WHERE part=? AND day<=?", part, day.isoformat())
        return date.fromisoformat(found) if found else None

    def knows(self, part: int, store: str) -> bool:
        """Whether a store is registered."""
        return bool(self._all("SELECT 1 FROM stores WHERE part=? AND id=?", part, store))

    def grades_of(self, part: int, store: str) -> list[Grade]:
        """A store's grades, the oldest first."""
        found = self._all(
            "SELECT month, score, days, grade FROM grades WHERE part=? AND store_id=? ORDER BY month", part, store
        )
        return [Grade(date.fromisoformat(f"{month}-01"), store, *rest) for month, *rest in found]

    def last_grades(self, part: int) -> dict[str, str]:
        """Store → the grade of its last graded month."""
        found = self._all("SELECT store_id, grade, max(month) FROM grades WHERE part=? GROUP BY store_id", part)
        return {store: grade for store, grade, _ in found}


def check_scores(read: Reader, notes: Notes, last: int) -> None:
    """A day's columns are those of its score, whose parts are whole; a grade is the mean of its month's days. What a
    score should have been hangs on when it was known, and on the policy of the day: that is not looked for."""
    months: dict[tuple[str, str], list[int]] = {}
    for row in read.rows("scores", "ORDER BY day, store_id"):
        part, day, store, position, score, _, grade, body = row
        try:
            found = rows.decode_score(body)
        except UNDECODABLE as error:
            notes.add("scores", row[:3], "body", f"a score ({error})", body)
            continue
        if sum(found.parts.values()) + sum(found.lost.values()) != found.scale * POINT:
            notes.add("scores", row[:3], "body", "parts that sum to the scale", found.parts, "parts")
        if not 0 < position <= last:
            notes.add("scores", row[:3], "position", f"from 1 to {last}", position)
        notes.compare("scores", [rows.score_row(part, store, found, position)], [row])
        if grade:
            months.setdefault((day[:7], store), []).append(score)
    for row in read.rows("grades"):
        days = months.get((row[1], row[2]), [])
        expected = (sum(days) // len(days), len(days)) if days else (None, 0)
        for column, want, have in zip(("score", "days"), expected, row[3:5], strict=True):
            if want != have:
                notes.add("grades", row[:3], column, want, have)
