"""What a candidate policy does to the stores' scores, by the functions that score them every day."""

from collections import Counter
from collections.abc import Iterator, Sequence
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
from houbao.insight.engines import Engine, Table
from houbao.insight.lake import Lake, Progress

MOST_STORES = 1000
"""Of how many stores the scores are computed: those for which most changes."""

TOGETHER = 200_000
"""How many disputes and orders are held at a time, of whole stores; of one store alone, where it has more."""

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
    disputes = engine.table(lake.files("disputes", _months(lake, "disputes", since)))
    disputes = ruled(disputes, candidate, lake.manifest.currencies)
    orders = engine.table(lake.files("orders"))
    found: dict[str, Shift] = {}
    for group in _groups(engine, disputes, orders, since, wanted):
        tallies = _tallies(engine, disputes, candidate, group)
        deals = _deals(engine, _recent(orders, disputes, since, group))
        for store in group:
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
            progress("scores", len(found), len(wanted))
    return found


def _groups(
    engine: Engine, disputes: Table, orders: Table, since: datetime, stores: Sequence[str]
) -> Iterator[list[str]]:
    """The stores, as many at a time as have TOGETHER disputes and orders."""
    rows: Counter[str] = Counter()
    for t in (disputes.filter(disputes.store_id.isin([*stores])), _recent(orders, disputes, since, stores)):
        for row in engine.rows(t.group_by("store_id").agg(rows=t.count())):
            rows[row["store_id"]] += row["rows"]
    group: list[str] = []
    for store in stores:
        if group and sum(rows[one] for one in group) + rows[store] > TOGETHER:
            yield group
            group = []
        group.append(store)
    yield group


def _months(lake: Lake, table: str, since: datetime) -> list[str]:
    """The months of a table from `since` on; at least one, so that there is something to ask."""
    months = [*lake.manifest.tables[table].months]
    return [month for month in months if month >= f"{since.astimezone(UTC):%Y-%m}"] or months[-1:]


def _tallies(
    engine: Engine, disputes: Table, candidate: Policy, stores: Sequence[str]
) -> dict[str, list[tuple[Tally, Tally | None]]]:
    """Store → its disputes' lines on the record, as they are and as they would be."""
    t = disputes.filter(disputes.store_id.isin([*stores])).mutate(
        opened=disputes.opened_at.epoch_seconds(),
        lifted=disputes.lifted_at.epoch_seconds(),
        pays=disputes.fund_pays + disputes.seller_pays + disputes.platform_pays,
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


def _recent(orders: Table, disputes: Table, since: datetime, stores: Sequence[str]) -> Table:
    """The stores' orders that ended or were rated since then, and those disputed since then, which are dated by their
    end where that came first."""
    disputed = disputes.filter(disputes.store_id.isin([*stores]))
    t = orders.filter(orders.store_id.isin([*stores]))
    t = t.mutate(ended=t.ended_at.epoch_seconds(), rated=t.rated_at.epoch_seconds())
    start = int(since.timestamp())
    recent = (t.ended >= start) | (t.rated >= start) | t.order_id.isin(disputed.order_id)
    return t.filter(((t.deal != "") | t.rated.notnull()) & recent)


def _deals(engine: Engine, orders: Table) -> dict[str, list[Deal]]:
    """Store → its orders' lines on the record."""
    found: dict[str, list[Deal]] = {}
    names = ("order_id", "store_id", "deal", "ended", "rated", "description", "service", "logistics")
    for row in engine.rows(orders.select(*names)):
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
