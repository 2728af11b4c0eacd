"""The rules of a policy's file: each checked by itself, and with those before it."""

from typing import Any, get_args

import msgspec

from houbao.core.conditions import condition_fault
from houbao.core.policy import REFUSALS, FaultClass, Route, Rule
from houbao.core.said import Said, fault_at
from houbao.core.terms import Payer


def parse_rules(raw: Any, faults: list[Said]) -> tuple[Rule, ...]:
    """The rules as a policy's file has them; what is wrong with them is added to `faults`."""
    if not isinstance(raw, list) or not raw:
        faults.append(fault_at("rules", Said("at least one [[rules]] is needed")))
        return ()
    rules: list[Rule] = []
    for place, item in enumerate(raw, 1):
        try:
            rule = msgspec.convert(item, Rule)
        except msgspec.ValidationError as error:
            faults.append(fault_at(f"rules[{place}]", str(error)))
            continue
        where = f"rules[{place}] {rule.name!r}"
        if rule.name in {earlier.name for earlier in rules}:
            faults.append(fault_at(where, Said("the name is taken by an earlier rule")))
        faults += [fault_at(f"{where}.{field}", wrong) for field, wrong in _rule_faults(rule)]
        rules.append(rule)
    faults += [
        fault_at(f"rules[{place}] {rule.name!r}", Said("it has no conditions, so no rule after it can ever match"))
        for place, rule in enumerate(rules[:-1], 1)
        if not rule.when
    ]
    if rules and not faults and rules[-1].when:
        faults.append(
            fault_at(
                f"rules[{len(rules)}] {rules[-1].name!r}",
                Said("the last rule must have no conditions, so that one always matches"),
            )
        )
    return tuple(rules)


def _rule_faults(rule: Rule) -> list[tuple[str, Said]]:
    """Each field of the rule at fault, and what is wrong with it."""
    conditions = ((f"when[{place}]", condition_fault(condition)) for place, condition in enumerate(rule.when, 1))
    faults = [(where, wrong) for where, wrong in conditions if wrong]
    if rule.refuse:
        if rule.refuse not in REFUSALS:
            faults.append(
                ("refuse", Said("%(found)s is not one of %(known)s", found=repr(rule.refuse), known=tuple(REFUSALS)))
            )
        if rule.route or rule.payer or rule.fault:
            faults.append(("refuse", Said("a rule that refuses has no route, payer or fault")))
        return faults
    for name, value, known in (
        ("route", rule.route, get_args(Route)),
        ("payer", rule.payer, get_args(Payer)),
        ("fault", rule.fault, get_args(FaultClass)),
    ):
        if value not in known:
            faults.append((name, Said("%(found)s is not one of %(known)s", found=repr(value), known=tuple(known))))
    return faults or _payer_faults(rule)


def _needs(rule: Rule, fact: str, value: object) -> bool:
    return any((c.fact, c.comparison, c.value) == (fact, "is", value) for c in rule.when)


def _payer_faults(rule: Rule) -> list[tuple[str, Said]]:
    """A seller is never debited without an answer period, the fund never pays for what it does not cover."""
    if rule.route in ("seller", "return") and rule.payer != "seller":
        return [
            (
                "payer",
                Said(
                    "on the route %(route)s the seller pays, found %(found)s", route=rule.route, found=repr(rule.payer)
                ),
            )
        ]
    if rule.route == "return" and not _needs(rule, "reason_class", "REMORSE"):
        return [
            (
                "when",
                Said('the return route is for claims without a reason: ["reason_class", "is", "REMORSE"] is needed'),
            )
        ]
    if rule.route in ("verify", "instant"):
        if rule.payer not in ("fund", "platform"):
            return [
                (
                    "payer",
                    Said(
                        "on the route %(route)s the fund or the platform pays, found %(found)s",
                        route=rule.route,
                        found=repr(rule.payer),
                    ),
                )
            ]
        if rule.payer == "fund" and not _needs(rule, "covered", True):
            return [("when", Said('where the fund pays, ["covered", "is", true] is needed'))]
    return []
