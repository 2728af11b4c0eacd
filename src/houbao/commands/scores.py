"""`houbao score`: a store's service score of a day, why it is what it is, and what becomes of it."""

from collections.abc import Iterable, Sequence
from datetime import date

from msgspec import Struct

from houbao.commands.times import day_of
from houbao.core.attribution import Blame, Forecast, average, blames, forecast
from houbao.core.money import split
from houbao.core.score import POINT, RATED, Rate, Score, of_hundred, points, score_on, standing
from houbao.core.terms import Refused, public_id
from houbao.engine.scorebook import Grade, Lines
from houbao.engine.scoring import curves_of, zone_in
from houbao.store.scores import Scorebook
from houbao.wiring import House

NAMES = {
    "uncompleted": "deals that came about",
    "inr": "goods arrived",
    "snad": "goods as described",
    "description": "rated: description",
    "service": "rated: service",
    "logistics": "rated: logistics",
}
MOST_TOLD = 10
"""How many orders are told of each part; the rest is summed up. `--json` has them all."""


class Why(Struct):
    """One dispute, as far as it matters here."""

    reason: str
    state: str


class Card(Struct):
    """A store's score of a day with everything that explains it. `kept` is the score that the day was given when it was
    over, out of 100, where it was kept; `industry` the average of all graded stores on `industry_day`."""

    store: str
    score: Score
    blames: dict[str, list[Blame]]
    disputes: dict[int, Why]
    forecast: Forecast
    grades: list[Grade]
    kept: int | None
    industry: int | None
    industry_day: date | None

    def document(self) -> dict[str, object]:
        """It as one JSON document; points as decimal texts, exact."""
        score, ahead = self.score, self.forecast
        return {
            "store": self.store,
            "day": score.day,
            "from": score.first,
            "score": exact(of_hundred(score)),
            "points": exact(points(score)),
            "scale": score.scale,
            "grade": score.grade or None,
            "weight": f"{score.weight / 10_000:.4f}",
            "orders": score.orders,
            "disputes": {"counted": score.counted, "pending": score.pending, "exempt": score.exempt},
            "parts": {
                name: {
                    "of": exact(score.parts[name] + score.lost[name]),
                    "got": exact(score.parts[name]),
                    "lost": exact(score.lost[name]),
                    "because": [self._because(blame) for blame in self.blames[name]],
                }
                for name in score.parts
            },
            "rates": score.rates,
            "ratings": {"buyers": score.ratings[0], **dict(zip(RATED, score.ratings[1:], strict=True))},
            "forecast": {
                "settled": _maybe(ahead.settled),
                "cleared": _maybe(ahead.cleared),
                "cleared_on": ahead.cleared_on,
            },
            "industry": {"average": _maybe(self.industry), "day": self.industry_day},
            "kept": _maybe(self.kept),
            "grades": [
                {"month": f"{g.month:%Y-%m}", "score": exact(g.score), "days": g.days, "grade": g.grade}
                for g in self.grades
            ],
        }

    def _because(self, blame: Blame) -> dict[str, object]:
        return {
            "order": public_id("order", 0, blame.order),
            "disputes": [public_id("dispute", 0, number) for number in blame.disputes],
            "lost": exact(blame.lost),
            "gone_on": blame.gone_on,
        }

    def told(self) -> list[str]:
        """It as lines of text."""
        score = self.score
        lines = [
            f"Store {self.store} · {score.day} · service score {_two(of_hundred(score))} of 100 · {_grade(score.grade)}"
        ]
        industry = ""
        if self.industry is not None:
            industry = f" · graded stores averaged {_two(self.industry)} on {self.industry_day}"
        lines += [
            f"  looks back to {score.first}: {score.orders} orders{industry}",
            f"  weight in the search {score.weight / 10_000:.4f}, where 1 is full",
            f"  disputes opened since then: {score.counted} counted, {score.pending} pending (they weigh while they are"
            f" open), {score.exempt} exempt (they cost nothing)",
        ]
        if score.scale < 100:
            left = 100 - score.scale
            lines += [f"  Nobody rated the store: the {left} points for ratings are left out, {score.scale} remain."]
        if self.kept is not None and self.kept != of_hundred(score):
            lines.append(f"  Kept for that day: {_two(self.kept)}, as it was known when its month was graded.")
        return [*lines, "", *self._parts(), *self._reasons(), *self._others(), *self._ahead()]

    def _parts(self) -> list[str]:
        score, lines = self.score, ["Where the points are           of     got    lost"]
        got = split(points(score) // 10_000, [*score.parts.values()])
        for (name, part), shown in zip(score.parts.items(), got, strict=True):
            of = (part + score.lost[name]) // POINT
            figures = f"{of:>6} {hundredths(shown):>7} {hundredths(of * 100 - shown):>7}"
            lines.append(f"  {NAMES[name]:<24} {figures}   {self._figure(name)}")
        of, whole = score.scale, points(score) // 10_000
        return [*lines, f"  {'together':<24} {of:>6} {hundredths(whole):>7} {hundredths(of * 100 - whole):>7}", ""]

    def _figure(self, part: str) -> str:
        score = self.score
        if part in RATED:
            rate = Rate(score.ratings[1 + RATED.index(part)], score.ratings[0])
            return f"{hundredths(rate.n * 100 // rate.of)} of 5 by {rate.of} buyers"
        what = "orders not completed" if part == "uncompleted" else "orders disputed so"
        return f"{_share(score.rates[part])} {what}"

    def _reasons(self) -> list[str]:
        lines: list[str] = []
        for part, blamed in self.blames.items():
            if not blamed:
                continue
            told = blamed[:MOST_TOLD]
            lines.append(f"Why points are lost: {NAMES[part]}")
            lines += [
                f"  -{_two(blame.lost):>5}  {self._named(blame, part)}; gone on {blame.gone_on}" for blame in told
            ]
            if rest := blamed[MOST_TOLD:]:
                lines.append(f"  -{_two(sum(blame.lost for blame in rest)):>5}  {len(rest)} more orders")
            lines.append("")
        return lines

    def _named(self, blame: Blame, part: str) -> str:
        order = public_id("order", 0, blame.order)
        if not blame.disputes:
            return f"{order} {'was cancelled by you' if part == 'uncompleted' else 'was rated below 5'}"
        known = ((public_id("dispute", 0, number), self.disputes[number]) for number in blame.disputes)
        return ", ".join(f"{name} ({why.reason}, {why.state})" for name, why in known) + f" on {order}"

    def _others(self) -> list[str]:
        rates = self.score.rates
        told = {
            "dispute rate": rates["dispute"],
            "adjudicated by the platform": rates["adjudication"],
            "… and you were liable": rates["liability"],
            "settled by the guarantee": rates["guarantee"],
            "your answers in time": rates["answers"],
        }
        lines = ["Rates", *(f"  {name:<28} {_share(rate)}" for name, rate in told.items()), ""]
        if self.grades:
            lines += [
                "Months",
                *(f"  {g.month:%Y-%m} {_two(g.score):>6} {g.grade}, mean of {g.days} days" for g in self.grades[-6:]),
                "",
            ]
        return lines

    def _ahead(self) -> list[str]:
        ahead, lines = self.forecast, ["What comes next, all else equal"]
        if self.score.pending and ahead.settled is not None:
            what = "the pending dispute ends" if self.score.pending == 1 else "the pending disputes end"
            lines.append(f"  If {what} without fault, or the buyer withdraws: {_two(ahead.settled)}")
            if ahead.settled == of_hundred(self.score):
                lines.append("    (no change: those that count cost all the points already)")
        if ahead.cleared_on is None:
            return [*lines, "  No dispute and no cancelled order weighs on the score."]
        then = "nothing to score" if ahead.cleared is None else _two(ahead.cleared)
        left = f"  When the disputes and cancelled orders of now have left the window, on {ahead.cleared_on}: {then}"
        return [*lines, left]


def score_card(house: House, store: str, on: str = "") -> Card:
    """The card of a day; today, as far as it has come, where none is given. Raises Refused: bad_time, unknown_store,
    unknown_programme, no_record."""
    book = Scorebook(house.database)
    programme = book.programme()
    if programme is None:
        raise Refused("unknown_programme", "this database has no programme: nothing is scored")
    zone = zone_in(programme)
    today = house.clock().astimezone(zone).date()
    day = day_of("--on", on) if on else today
    if day > today:
        raise Refused("bad_time", f"{day} is still to come: it is {today}")
    if not book.knows(0, store):
        raise Refused("unknown_store", f"no store {store}: register it first")
    curves = curves_of(book, programme, day, zone)
    lines = book.lines(0, None, store).get(store, Lines())
    record = standing(lines.deals, lines.tallies, zone)
    score = score_on(record, day, curves)
    if score is None:
        span = f"the {curves.long_window} days up to {day}"
        said = f"no order of store {store} ended, was rated or disputed in {span}: ask for another day with --on"
        raise Refused("no_record", said)
    blamed = {part: blames(record, score, part) for part in score.parts}
    industry = book.last_day(0, day)
    others = book.of_day(0, industry) if industry else []
    return Card(
        store=store,
        score=score,
        blames=blamed,
        disputes=_disputes(house, blamed.values()),
        forecast=forecast(record, day, curves),
        grades=book.grades_of(0, store),
        kept=next((of_hundred(one) for name, one in others if name == store and industry == day), None),
        industry=average([of_hundred(one) for _, one in others if one.grade]),
        industry_day=industry,
    )


def _disputes(house: House, blamed: Iterable[Sequence[Blame]]) -> dict[int, Why]:
    found: dict[int, Why] = {}
    for number in {number for part in blamed for blame in part for number in blame.disputes}:
        dispute = house.database.dispute(0, number)
        assert dispute is not None
        found[number] = Why(dispute.reason.replace("_", " "), dispute.fault.state)
    return found


def exact(micros: int) -> str:
    """Points as a decimal text, all six places."""
    return f"{micros // POINT}.{micros % POINT:06}"


def _maybe(micros: int | None) -> str | None:
    return None if micros is None else exact(micros)


def _two(micros: int) -> str:
    return hundredths(micros // 10_000)


def hundredths(count: int) -> str:
    """So many hundredths, as they are written: `hundredths(405) == "4.05"`."""
    return f"{count // 100}.{count % 100:02}"


def _share(rate: Rate) -> str:
    percent = f" ({hundredths(rate.n * 10_000 // rate.of)} %)" if rate.of else ""
    return f"{rate.n} of {rate.of}{percent}"


def _grade(grade: str) -> str:
    return grade or "too few orders for a grade"
