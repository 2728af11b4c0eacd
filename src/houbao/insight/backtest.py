"""A policy that is only considered, over all that happened: routes, payers, workload, scores, and each store's gain."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from msgspec import Struct

from houbao.core.calendars import zone_of
from houbao.core.conditions import FACTS
from houbao.core.policy import Policy, Rule
from houbao.core.policy_file import parse_policy
from houbao.core.rulings import compile_policy
from houbao.insight.columns import PAYERS
from houbao.insight.cube import AS_IT_WAS, Line, ask, rule_now, ruled
from houbao.insight.engines import Engine
from houbao.insight.lake import Lake, Progress
from houbao.insight.retold import Story, facts_of, stories
from houbao.insight.shifts import Shift, shifts

CHECKED = 1000
"""Disputes on which each run compares the engine with `assess`, one by one."""

AGENTS = ("verify",)
"""The routes on which an agent decides every dispute."""

Money = dict[str, dict[str, int]]
"""Currency → payer → minor units."""

CANNOT_KNOW = (
    "People did what they did under the old policy: under another one they would claim, answer and settle otherwise.",
    "Only disputes that were opened are here: what was refused left no trace, so nothing is said of claims that the"
    " candidate would let in.",
    "Facts are those of the opening: instant sums, watches and exposures are not run anew under the candidate.",
    "Where the payer or the route changes, what the buyer got is taken as it was found, by the new payer; least and"
    " most say how far that may be off. Whether a dispute counts is taken likewise.",
    "What was handed over above the fund's limit is no ruling of its own: it is counted as it was, whatever becomes of"
    " the dispute that it came of.",
    "Of disputes that would go another way, as many are taken to end before an agent as did of those that went there.",
)
"""What a backtest is not able to say; printed with every one."""


class Side(Struct):
    """What happened, or what would have. `agents`: disputes that an agent must decide, by why; an estimate for those
    that would change their route. `weighing`: disputes that count against their store, or may still."""

    by_route: dict[str, int]
    by_rule: dict[str, int]
    pays: Money
    agents: dict[str, int]
    weighing: int


class Moved(Struct):
    """Disputes that one rule ruled and another would, to another effect."""

    was: str
    now: str
    disputes: int
    claimed: dict[str, int]


class StoreEffect(Struct):
    """What it means for one store: `costs` are its own payments less before than after, so that a gain is above zero
    (currency → minor units)."""

    store: str
    disputes: int
    changed: int
    was: Money
    now: Money
    gains: dict[str, int]
    weighed: int
    weighs: int
    score: Shift | None = None


class Backtest(Struct):
    """What a candidate policy makes of a lake. `range` is how far the changed ones may be off: currency → payer →
    (least, most). `not_assessed` are tables of the policy that differ from the one in force and on which a backtest has
    nothing to say. `checked` disputes were ruled by `assess` too, all alike. `day` is that of the scores."""

    policy: str
    digest: str
    engine: str
    simulated: bool
    until: datetime
    disputes: int
    changed: int
    refused: int
    was: Side
    now: Side
    range: dict[str, dict[str, tuple[int, int]]]
    moved: list[Moved]
    stores: list[StoreEffect]
    stories: list[Story]
    checked: int
    day: date | None
    not_assessed: list[str]
    cannot_know: Sequence[str] = CANNOT_KNOW


def backtest(engine: Engine, lake: Lake, candidate: Policy, progress: Progress, *, on: date | None = None) -> Backtest:
    """The candidate over the lake; scores are those of the day `on`, else of the day of the last dispute. Raises
    LakeError, and AssertionError where the engine rules otherwise than `assess` does."""
    lines = ask(engine, lake, candidate, progress)
    checked = _check(engine, lake, candidate)
    moved = _moved(lines, candidate)
    told = stories(engine, lake, candidate, [(one.was, one.now) for one in moved])
    stores = _stores(lines, candidate)
    day: date | None = None
    if lines and lake.manifest.programmes:
        zone = zone_of(lake.manifest.programmes[0].zone) or UTC
        day = on or datetime.fromtimestamp(max(line.last for line in lines), zone).date()
        found = shifts(engine, lake, candidate, day, [one.store for one in stores if one.changed], progress)
        for store in stores:
            store.score = found.get(store.store)
    return Backtest(
        policy=candidate.version,
        digest=candidate.digest,
        engine=engine.name,
        simulated=lake.manifest.sandbox,
        until=lake.manifest.until,
        disputes=sum(line.disputes for line in lines),
        changed=sum(one.disputes for one in moved),
        refused=sum(line.disputes for line in lines if _rule(line, candidate).refuse),
        was=_was(lines),
        now=_now(lines, candidate),
        range=_range(lines, candidate),
        moved=moved,
        stores=stores,
        stories=told,
        checked=checked,
        day=day,
        not_assessed=_not_assessed(lake, candidate),
    )


def _check(engine: Engine, lake: Lake, candidate: Policy) -> int:
    """Rule some disputes by `assess` too; returns how many."""
    months = [*lake.manifest.tables["disputes"].months][-1:]
    if not months:
        return 0
    disputes = ruled(engine.table(lake.files("disputes", months)), candidate, lake.manifest.currencies)
    disputes = disputes.filter(disputes.number != AS_IT_WAS)
    facts = disputes.select("dispute_id", "currency", "number", *FACTS)
    rows = [*engine.rows(facts.order_by("dispute_id").limit(CHECKED))]
    compiled = {currency: compile_policy(candidate, currency) for currency in lake.manifest.currencies}
    for row in rows:
        rule = compiled[row["currency"]].match(facts_of(row))
        said = candidate.rules[row["number"]]
        assert rule is said, f"dispute {row['dispute_id']}: {engine.name} says {said.name}, assess {rule.name}"
    return len(rows)


# --- what happened, and what would have ------------------------------------------------------------------------------


def _rule(line: Line, candidate: Policy) -> Rule:
    return rule_now(candidate, line.number, name=line.rule, route=line.route, payer=line.payer, fault=line.fault)


def _changes(line: Line, candidate: Policy) -> bool:
    """Whether the ruling would be another: to other effect, whatever the rule is called."""
    rule = _rule(line, candidate)
    return bool(rule.refuse) or (rule.route, rule.payer, rule.fault) != (line.route, line.payer, line.fault)


def _was(lines: Iterable[Line]) -> Side:
    routes: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    agents: Counter[str] = Counter()
    weighing = 0
    for line in lines:
        routes[line.route] += line.disputes
        rules[line.rule] += line.disputes
        agents["verified"] += line.disputes if line.route in AGENTS else 0
        agents["adjudicated"] += line.adjudicated
        weighing += line.weighed
    return Side(_ordered(routes), _ordered(rules), _pays(lines, "was"), dict(agents), weighing)


def _now(lines: Sequence[Line], candidate: Policy) -> Side:
    routes: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    agents: Counter[str] = Counter()
    before = Counter[str]()
    adjudicated = Counter[str]()
    for line in lines:
        before[line.route] += line.disputes
        adjudicated[line.route] += line.adjudicated
    arriving: Counter[str] = Counter()
    for line in lines:
        rule = _rule(line, candidate)
        rules[rule.name] += line.disputes
        routes[rule.route or "refused"] += line.disputes
        agents["verified"] += line.disputes if rule.route in AGENTS else 0
        if rule.route == line.route:
            agents["adjudicated"] += line.adjudicated
        else:
            arriving[rule.route] += line.disputes
    for route, count in arriving.items():
        if before[route]:
            agents["adjudicated"] += (2 * count * adjudicated[route] + before[route]) // (2 * before[route])
    weighing = sum(line.weighs for line in lines)
    return Side(_ordered(routes), _ordered(rules), _pays(lines, "now"), dict(agents), weighing)


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _pays(lines: Iterable[Line], when: str) -> Money:
    sums: Money = {}
    for line in lines:
        own = sums.setdefault(line.currency, dict.fromkeys(PAYERS, 0))
        for payer in PAYERS:
            own[payer] += getattr(line, f"{when}_{payer}")
    return dict(sorted(sums.items()))


def _range(lines: Iterable[Line], candidate: Policy) -> dict[str, dict[str, tuple[int, int]]]:
    """Least and most by payer: what is certain, and of the others nothing or the whole claim."""
    sums: dict[str, dict[str, tuple[int, int]]] = {}
    for line in lines:
        own = sums.setdefault(line.currency, dict.fromkeys(PAYERS, (0, 0)))
        pays = {payer: getattr(line, f"now_{payer}") for payer in PAYERS}
        more, less = line.most - sum(pays.values()), sum(pays.values()) - line.least
        mine = _rule(line, candidate).payer
        for payer, minor in pays.items():
            least, most = own[payer]
            off = (min(less, minor), more) if payer == mine else (0, 0)
            own[payer] = (least + minor - off[0], most + minor + off[1])
    return dict(sorted(sums.items()))


def _moved(lines: Iterable[Line], candidate: Policy) -> list[Moved]:
    """The changes of rule, the most frequent first."""
    found: dict[tuple[str, str], Moved] = {}
    for line in lines:
        if _changes(line, candidate):
            key = (line.rule, _rule(line, candidate).name)
            one = found.setdefault(key, Moved(*key, 0, {}))
            one.disputes += line.disputes
            one.claimed[line.currency] = one.claimed.get(line.currency, 0) + line.claimed
    return sorted(found.values(), key=lambda one: (-one.disputes, one.was, one.now))


def _stores(lines: Iterable[Line], candidate: Policy) -> list[StoreEffect]:
    """Every store with disputes; those for which most changes first."""
    mine: dict[str, list[Line]] = {}
    for line in lines:
        mine.setdefault(line.store_id, []).append(line)
    effects = []
    for store, own in mine.items():
        was, now = _pays(own, "was"), _pays(own, "now")
        effects.append(
            StoreEffect(
                store=store,
                disputes=sum(line.disputes for line in own),
                changed=sum(line.disputes for line in own if _changes(line, candidate)),
                was=was,
                now=now,
                gains={currency: was[currency]["seller"] - now[currency]["seller"] for currency in was},
                weighed=sum(line.weighed for line in own),
                weighs=sum(line.weighs for line in own),
            )
        )
    return sorted(effects, key=lambda one: (-max(map(abs, one.gains.values())), -one.changed, one.store))


# --- what it cannot say ----------------------------------------------------------------------------------------------

_NOT_RUN: dict[str, Callable[[Policy], Any]] = {
    "window": lambda policy: policy.window_days,
    "timers": lambda policy: policy.timers,
    "refunds": lambda policy: (policy.attempts, policy.retry),
    "limits.backstop": lambda policy: policy.limits.backstop,
    "limits.advance": lambda policy: policy.limits.advance,
    "returns": lambda policy: policy.returns,
    "premium": lambda policy: policy.premium,
    "watch": lambda policy: policy.watch,
    "calendars": lambda policy: msgspec.to_builtins(policy.calendars),
}


def _not_assessed(lake: Lake, candidate: Policy) -> list[str]:
    """The tables in which the candidate differs from the policy in force, and which a backtest does not run."""
    in_force = [programme.policies[-1][1] for programme in lake.manifest.programmes if programme.policies]
    if not in_force:
        return []
    policy = parse_policy(lake.policies[in_force[0]])
    return [name for name, part in _NOT_RUN.items() if part(policy) != part(candidate)]
