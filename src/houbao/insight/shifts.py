"""What a candidate policy does to the stores' scores, by the functions that score them every day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from msgspec import Struct, structs

from houbao.core.calendars import zone_of
from houbao.core.policy import Policy, Rule
from houbao.core.policy_file import parse_policy
from houbao.core.programme import policy_in_force
from houbao.core.score import DAY, of_hundred, score_on, standing
from houbao.core.tallies import Deal, Tally
from houbao.insight.cube import rule_now, ruled
from houbao.insight.engines import Engine
from houbao.insight.lake import Lake, Progress

MOST_STORES = 1000
"""Of how many stores the scores are computed: those for which most changes."""

PAID_BY_GUARANTEE = ("verify", "instant")


class Shift(Struct):
    """A store's score of a day, of 100 (millionths of a point), its grade and its weight in the search
    (ten-thousandths), as they were and as they would have been; None where its record says nothing."""

    was: int | None
    now: int | None
    grade_was: str
    grade_now: str
    weight_was: int | None
    weight_now: int | None


def shifts(
    engine: Engine, lake: Lake, candidate: Policy, day: date, stores: Sequence[str], progress: Progress
) -> dict[str, Shift]:
    """The scores of the stores on that day, in the zone of the lake's first programme."""
    programme = lake.manifest.programmes[0]
    zone = zone_of(programme.zone) or UTC
    end = datetime.combine(day + DAY, time(), zone) - timedelta(microseconds=1)
    curves = parse_policy(lake.policies[policy_in_force(programme, end)]).score
    wanted = [*stores][:MOST_STORES]
    if not wanted:
        return {}
    since = end - max(curves.long_window, candidate.score.long_window) * DAY
    tallies = _tallies(engine, lake, candidate, since, wanted)
    deals = _deals(engine, lake, since, wanted)
    found: dict[str, Shift] = {}
    for done, store in enumerate(wanted, 1):
        own, mine = tallies.get(store, []), deals.get(store, [])
        was = score_on(standing(mine, [one for one, _ in own], zone), day, curves)
        now = score_on(standing(mine, [one for _, one in own if one], zone), day, candidate.score)
        found[store] = Shift(
            was=of_hundred(was) if was else None,
            now=of_hundred(now) if now else None,
            grade_was=was.grade if was else "",
            grade_now=now.grade if now else "",
            weight_was=was.weight if was else None,
            weight_now=now.weight if now else None,
        )
        progress("scores", done, len(wanted))
    return found


def _months(lake: Lake, table: str, since: datetime) -> list[str]:
    """The months of a table from `since` on; at least one, so that there is something to ask."""
    months = [*lake.manifest.tables[table].months]
    return [month for month in months if month >= f"{since.astimezone(UTC):%Y-%m}"] or months[-1:]


def _tallies(
    engine: Engine, lake: Lake, candidate: Policy, since: datetime, stores: Sequence[str]
) -> dict[str, list[tuple[Tally, Tally | None]]]:
    """Store → its disputes' lines on the record, as they are and as they would be."""
    table = engine.table(lake.files("disputes", _months(lake, "disputes", since)))
    t = ruled(table, candidate, lake.manifest.currencies)
    t = t.filter(t.store_id.isin([*stores])).mutate(
        opened=t.opened_at.epoch_seconds(),
        lifted=t.lifted_at.epoch_seconds(),
        pays=t.fund_pays + t.seller_pays + t.platform_pays,
    )
    found: dict[str, list[tuple[Tally, Tally | None]]] = {}
    names = ("dispute_id", "store_id", "order_id", "fault_kind", "fault_state", "fault_why", "opened", "lifted")
    ruling = ("rule", "route", "payer", "fault", "number")
    more = ("adjudicated", "guaranteed", "asked", "answered", "pays", "amount", *ruling)
    for row in engine.rows(t.select(*names, *more).order_by("dispute_id")):
        tally = _tally(row)
        was = {"name": row["rule"], "route": row["route"], "payer": row["payer"], "fault": row["fault"]}
        rule = rule_now(candidate, row["number"], **was)
        found.setdefault(tally.store, []).append((tally, would_be(tally, row, rule)))
    return found


def _tally(row: dict[str, Any]) -> Tally:
    return Tally(
        dispute=row["dispute_id"],
        store=row["store_id"],
        order=row["order_id"],
        kind=row["fault_kind"],
        state=row["fault_state"],
        why=row["fault_why"],
        opened_at=_time(row["opened"]),
        lifted_at=None if row["lifted"] is None else _time(row["lifted"]),
        adjudicated=row["adjudicated"],
        guaranteed=row["guaranteed"],
        asked=row["asked"],
        answered=row["answered"],
    )


def would_be(tally: Tally, row: dict[str, Any], rule: Rule) -> Tally | None:
    """The line as it would be under another rule; None where the dispute would have been refused. A ruling that stays
    leaves it as it is; `row` says what the rule then was, and what was paid."""
    if rule.refuse:
        return None
    if (rule.route, rule.payer, rule.fault) == (row["route"], row["payer"], row["fault"]):
        return tally
    if rule.fault == "exempt":
        return structs.replace(tally, state="exempt", why="policy", lifted_at=None, guaranteed=False)
    state = tally.state
    if row["fault"] == "exempt":
        pays = row["amount"] if rule.route == "instant" else row["pays"]
        state = "counted" if pays else "exempt"
    kind = tally.kind if rule.fault == row["fault"] else rule.fault
    by_guarantee = state == "counted" and rule.route in PAID_BY_GUARANTEE and rule.payer == "fund"
    return structs.replace(tally, kind=kind, state=state, guaranteed=by_guarantee)


def _deals(engine: Engine, lake: Lake, since: datetime, stores: Sequence[str]) -> dict[str, list[Deal]]:
    """Store → its orders' lines on the record: of those that ended or were rated since then, and of those disputed
    since then, which are dated by their end where that came first."""
    disputes = engine.table(lake.files("disputes", _months(lake, "disputes", since)))
    t = engine.table(lake.files("orders"))
    t = t.mutate(ended=t.ended_at.epoch_seconds(), rated=t.rated_at.epoch_seconds())
    start = int(since.timestamp())
    recent = (t.ended >= start) | (t.rated >= start) | t.order_id.isin(disputes.order_id)
    t = t.filter(t.store_id.isin([*stores]) & ((t.deal != "") | t.rated.notnull()) & recent)
    found: dict[str, list[Deal]] = {}
    names = ("order_id", "store_id", "deal", "ended", "rated", "description", "service", "logistics")
    for row in engine.rows(t.select(*names)):
        deal = Deal(
            order=row["order_id"],
            store=row["store_id"],
            state=row["deal"],
            ended_at=None if row["ended"] is None else _time(row["ended"]),
            rated_at=None if row["rated"] is None else _time(row["rated"]),
            description=row["description"],
            service=row["service"],
            logistics=row["logistics"],
        )
        found.setdefault(deal.store, []).append(deal)
    return found


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
