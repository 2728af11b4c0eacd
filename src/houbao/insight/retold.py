"""Some changed rulings told in full: what was ruled and why, and what would be."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from houbao.core.conditions import FACTS, Facts
from houbao.core.policy import Policy
from houbao.core.policy_file import parse_policy
from houbao.core.rulings import assess, compile_policy, explain
from houbao.core.terms import public_id
from houbao.insight.columns import PAYERS
from houbao.insight.cube import ruled
from houbao.insight.engines import Engine
from houbao.insight.lake import Lake

TOLD = 3
"""How many are told."""

PAYS = tuple(f"{payer}_pays" for payer in PAYERS)
TOLD_OF = ("part", "dispute_id", "store_id", "opened", "currency", "rules", "phase", "outcome", *PAYS)


class Retold(Struct):
    """What one policy says of a dispute: the rule, to what effect, and why no rule before it."""

    policy: str
    rule: str
    refuse: str
    route: str
    payer: str
    fault: str
    reasons: list[str]


class Story(Struct):
    """A dispute whose ruling changes. Amounts are minor units; `refunded` is what was approved, at whose cost `paid`
    says."""

    dispute: str
    store: str
    opened: datetime
    reason: str
    currency: str
    amount: int
    outcome: str
    paid: dict[str, int]
    was: Retold
    now: Retold


def stories(engine: Engine, lake: Lake, candidate: Policy, moved: Sequence[tuple[str, str]]) -> list[Story]:
    """The dispute with the largest claim of each change of rule, given as (was, now), the first TOLD of them; where
    there are fewer changes, the next largest of the first."""
    if not moved:
        return []
    names = [rule.name for rule in candidate.rules]
    disputes = ruled(engine.table(lake.files("disputes")), candidate, lake.manifest.currencies)
    found: list[dict[str, Any]] = []
    for at, (was, now) in enumerate(moved[:TOLD]):
        wanted = disputes.filter((disputes.rule == was) & (disputes.number == names.index(now)))
        wanted = wanted.mutate(opened=wanted.opened_at.epoch_seconds()).select(*TOLD_OF, *FACTS)
        most = TOLD - len(moved) + 1 if at == 0 and len(moved) < TOLD else 1
        found += engine.rows(wanted.order_by([wanted.amount.desc(), wanted.dispute_id]).limit(most))
    return [_story(row, lake, candidate) for row in found]


def facts_of(row: dict[str, Any]) -> Facts:
    """The facts in a row of the lake."""
    return msgspec.convert([row[name] for name in FACTS], Facts)


def _story(row: dict[str, Any], lake: Lake, candidate: Policy) -> Story:
    facts, currency = facts_of(row), row["currency"]
    then = parse_policy(lake.policies[row["rules"]])
    paid = {payer: row[f"{payer}_pays"] for payer in PAYERS if row[f"{payer}_pays"]}
    return Story(
        dispute=public_id("dispute", row["part"], row["dispute_id"]),
        store=row["store_id"],
        opened=datetime.fromtimestamp(row["opened"], UTC),
        reason=facts.reason,
        currency=currency,
        amount=facts.amount,
        outcome=row["outcome"] or f"open: {row['phase']}",
        paid=paid,
        was=_retold(then, currency, facts),
        now=_retold(candidate, currency, facts),
    )


def _retold(policy: Policy, currency: str, facts: Facts) -> Retold:
    compiled = compile_policy(policy, currency)
    ruling = assess(compiled, facts)
    rule = ruling.rule
    reasons = explain(compiled, rule.name, ruling.misses, private=False)
    return Retold(policy.version, rule.name, rule.refuse, rule.route, rule.payer, rule.fault, reasons)
