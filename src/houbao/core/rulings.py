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


class Failing(Struct, frozen=True, gc=False):
    """The sentence that a condition failed: what stands before and after what was found. `amount`: that is money;
    `private`: buyers are not told it."""

    before: str
    after: str
    amount: bool
    private: bool


class Compiled(Struct, frozen=True):
    """A policy made ready for one currency: `match(facts)` is the first rule whose conditions all hold, `misses(facts)`
    are those before it; `says` has each rule's own sentence, `failing` those of its conditions, by its name."""

    policy: Policy
    currency: str
    match: Callable[[Facts], Rule]
    misses: Callable[[Facts], list[Miss]]
    caps: Caps
    says: dict[str, str]
    failing: dict[str, tuple[Failing, ...]]


def compile_policy(policy: Policy, currency: str) -> Compiled:
    """The policy as Python functions, its amounts in minor units of the programme's currency (cut to its decimals).

    First match wins; a fact that is None satisfies no condition. The functions are written out rule by rule because
    they run for every dispute; only checked names of facts get into their text, every value is passed in by name.
    """
    names: dict[str, Any] = {"Miss": Miss}
    match, misses = ["def match(facts):"], ["def misses(facts):", "    missed = []"]
    for number, rule in enumerate(policy.rules):
        names[f"rule{number}"] = rule
        tests = [_test(condition, f"{number}_{place}", currency, names) for place, condition in enumerate(rule.when)]
        match.append(f"    if {' and '.join(tests) or 'True'}: return rule{number}")
        for place, (condition, test) in enumerate(zip(rule.when, tests, strict=True)):
            miss = f"missed.append(Miss(rule{number}.name, {place}, facts.{condition.fact}))"
            misses.append(f"    {'elif' if place else 'if'} not ({test}): {miss}")
        misses.append("    else: return missed" if tests else "    return missed")
    exec("\n".join(match + misses), names)  # only names of known facts are written into it
    return Compiled(
        policy,
        currency,
        names["match"],
        names["misses"],
        caps_of(policy.limits, currency),
        {rule.name: f"{rule.name}: {rule.says}" for rule in policy.rules},
        {rule.name: tuple(_failing(rule.name, condition) for condition in rule.when) for rule in policy.rules},
    )


def _test(condition: Condition, place: str, currency: str, names: dict[str, Any]) -> str:
    """Whether a condition holds, as text; what that names is put into `names`."""
    names[f"value{place}"] = value_of(condition, currency)
    names[f"compare{place}"] = COMPARISONS[condition.comparison]
    fact, value = f"facts.{condition.fact}", f"value{place}"
    holds = _OPERATORS.get(condition.comparison, f"compare{place}({{}}, {{}})").format(fact, value)
    return f"{fact} is not None and {holds}"


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
    return Ruling(compiled.match(facts), tuple(compiled.misses(facts)))


def explain(compiled: Compiled, rule: str, misses: tuple[Miss, ...], *, private: bool) -> list[str]:
    """The reasons in sentences: the rule that matched, then why each rule before it did not.

    With `private` (for buyers) conditions on facts that could be gamed are named without their figures.
    """
    lines = [compiled.says[rule]]
    for miss in misses:
        failing = compiled.failing[miss.rule][miss.condition]
        if private and failing.private:
            lines.append(f"not {miss.rule}: a condition of that rule is not met")
            continue
        found = miss.found
        if failing.amount and found is not None:
            found = money.decimal(found, compiled.currency)
        lines.append(f"{failing.before}{_shown(found)}{failing.after}")
    return lines


def _failing(rule: str, condition: Condition) -> Failing:
    fact, comparison = condition.fact.replace("_", " "), condition.comparison.replace("_", " ")
    return Failing(
        before=f"not {rule}: {fact} is ",
        after=f"; it needs: {comparison} {_shown(condition.value)}",
        amount=condition.fact in MONEY_FACTS,
        private=condition.fact in PRIVATE_FACTS,
    )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value if item) or "none"
    return "not known" if value is None else str(value)
