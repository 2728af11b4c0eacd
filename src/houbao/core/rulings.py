"""What a policy says of some facts: first match wins, with the reasons why no earlier rule did."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from houbao.core import money
from houbao.core.conditions import COMPARISONS, MONEY_FACTS, PRIVATE_FACTS, Condition, Facts
from houbao.core.money import minor_of
from houbao.core.policy import Limits, Policy, Rule


class Miss(Struct, frozen=True, array_like=True, gc=False):
    """Why an earlier rule did not match: the place of its first condition that failed, and what was found instead."""

    rule: str
    condition: int
    found: Any


class Ruling(Struct, frozen=True, gc=False):
    """What the policy says of some facts: the rule that matched, and a Miss for each rule before it."""

    rule: Rule
    misses: tuple[Miss, ...]


class Caps(Struct, frozen=True):
    """The policy's limits in minor units. `per_dispute` None: the fund pays all of it; `hands_over`: what is above it
    is the seller's to answer."""

    per_dispute: int | None
    backstop: int
    advance: int
    hands_over: bool = False


class Compiled(Struct, frozen=True):
    """A policy made ready for one currency: `match(facts)` is the first rule whose conditions all hold."""

    policy: Policy
    currency: str
    match: Callable[[Facts], Rule]
    values: tuple[tuple[Any, ...], ...]
    caps: Caps


def compile_policy(policy: Policy, currency: str) -> Compiled:
    """The policy as one Python function, its amounts in minor units of the programme's currency (cut to its decimals).

    First match wins; a fact that is None satisfies no condition. The function is written out rule by rule because it
    runs for every dispute; only checked names of facts get into its text, every value is passed in by name.
    """
    names: dict[str, Any] = {}
    values = tuple(tuple(value_of(condition, currency) for condition in rule.when) for rule in policy.rules)
    lines = ["def match(facts):"]
    for number, rule in enumerate(policy.rules):
        names[f"rule{number}"] = rule
        tests = []
        for place, condition in enumerate(rule.when):
            value, compare = f"value{number}_{place}", f"compare{number}_{place}"
            names[value], names[compare] = values[number][place], COMPARISONS[condition.comparison]
            fact = f"facts.{condition.fact}"
            holds = _OPERATORS.get(condition.comparison, f"{compare}({{}}, {{}})").format(fact, value)
            tests.append(f"{fact} is not None and {holds}")
        lines.append(f"    if {' and '.join(tests) or 'True'}: return rule{number}")
    exec("\n".join(lines), names)  # only names of known facts are written into it
    return Compiled(policy, currency, names["match"], values, caps_of(policy.limits, currency))


_OPERATORS = {"is": "{} == {}", "is_not": "{} != {}", "at_most": "{} <= {}", "at_least": "{} >= {}"}


def value_of(condition: Condition, currency: str) -> Any:
    """What the fact is compared with: an amount in minor units of the currency, a frozenset of a list's texts."""
    if condition.fact in MONEY_FACTS:
        return minor_of(condition.value, currency)
    return frozenset(condition.value) if isinstance(condition.value, list) else condition.value


def caps_of(limits: Limits, currency: str) -> Caps:
    """The limits in minor units of a currency."""
    return Caps(
        per_dispute=minor_of(limits.per_dispute, currency) if limits.per_dispute else None,
        backstop=minor_of(limits.backstop, currency),
        advance=minor_of(limits.advance, currency),
        hands_over=limits.over == "hand_over",
    )


def assess(compiled: Compiled, facts: Facts) -> Ruling:
    """What the policy says of the facts, with its reasons: the first rule that matches, a Miss for each before it."""
    rule = compiled.match(facts)
    misses: list[Miss] = []
    for earlier, values in zip(compiled.policy.rules, compiled.values, strict=True):
        if earlier is rule:
            break
        for place, (condition, value) in enumerate(zip(earlier.when, values, strict=True)):
            found = getattr(facts, condition.fact)
            if found is None or not COMPARISONS[condition.comparison](found, value):
                misses.append(Miss(earlier.name, place, found))
                break
    return Ruling(rule, tuple(misses))


def explain(compiled: Compiled, rule: str, misses: tuple[Miss, ...], *, private: bool) -> list[str]:
    """The reasons in sentences: the rule that matched, then why each rule before it did not.

    With `private` (for buyers) conditions on facts that could be gamed are named without their figures.
    """
    by_name = {r.name: r for r in compiled.policy.rules}
    lines = [f"{rule}: {by_name[rule].says}"]
    for miss in misses:
        condition = by_name[miss.rule].when[miss.condition]
        if private and condition.fact in PRIVATE_FACTS:
            lines.append(f"not {miss.rule}: a condition of that rule is not met")
            continue
        found = miss.found
        if condition.fact in MONEY_FACTS and found is not None:
            found = money.decimal(found, compiled.currency)
        fact, comparison = condition.fact.replace("_", " "), condition.comparison.replace("_", " ")
        lines.append(f"not {miss.rule}: {fact} is {_shown(found)}; it needs: {comparison} {_shown(condition.value)}")
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value if item) or "none"
    return "not known" if value is None else str(value)
