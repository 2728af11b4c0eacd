"""The rules of a policy as one Ibis expression over a table of facts: the same on DuckDB and on Spark."""

from collections import defaultdict
from collections.abc import Collection
from functools import reduce
from typing import Any

import ibis

from houbao.core.conditions import MONEY_FACTS, Condition
from houbao.core.money import DIGITS
from houbao.core.policy import Policy
from houbao.core.rulings import value_of
from houbao.insight.engines import Table

Expression = Any
"""An Ibis expression: what its operators give, no type checker follows."""


def rule_number(policy: Policy, facts: Table, currencies: Collection[str]) -> Expression:
    """The place of the first rule that holds, as `match` of the compiled policy has it; rules are counted from 0.

    It reads columns named as the facts, and `currency`: amounts are in minor units of it, one of `currencies`. NULL is
    not known, and then no condition holds.
    """
    branches: list[tuple[Expression, int]] = []
    for number, rule in enumerate(policy.rules):
        when = _all_of(rule.when, facts, currencies)
        if when is None:
            break
        branches.append((when, number))
    always = ibis.literal(len(branches), "int16")
    return ibis.cases(*branches, else_=always) if branches else always


def _all_of(when: tuple[Condition, ...], facts: Table, currencies: Collection[str]) -> Expression | None:
    """None where there is no condition: that holds for all."""
    holds: Expression = None
    for condition in when:
        test = _holds(condition, facts, currencies)
        holds = test if holds is None else holds & test
    return holds


def _holds(condition: Condition, facts: Table, currencies: Collection[str]) -> Expression:
    fact, comparison, value = facts[condition.fact], condition.comparison, condition.value
    if comparison == "any_of":
        return reduce(lambda one, text: one | fact.contains(text), value, ibis.literal(False))
    if comparison == "in":
        return fact.isin(value) if value else ibis.literal(False)
    if comparison == "not_in":
        return fact.notin(value) if value else fact.notnull()
    wanted = _amount(condition, facts, currencies) if condition.fact in MONEY_FACTS else value
    match comparison:
        case "is":
            return fact == wanted
        case "is_not":
            return fact != wanted
        case "at_most":
            return fact <= wanted
        case _:
            return fact >= wanted


def _amount(condition: Condition, facts: Table, currencies: Collection[str]) -> Expression:
    """The amount in minor units of each row's currency: one figure where they all have as many decimals."""
    alike: dict[int, list[str]] = defaultdict(list)
    for currency in sorted(currencies):
        alike[DIGITS[currency]].append(currency)
    figures = [(some, value_of(condition, some[0])) for some in alike.values()]
    if len(figures) < 2:
        return figures[0][1] if figures else value_of(condition, "EUR")
    return ibis.cases(*((facts.currency.isin(some), figure) for some, figure in figures))
