"""The policy as data: rules of (fact, comparison, value), first match wins, with the reasons why the others did not.

A policy is written in TOML, checked with every fault named, hashed, and never changed once in force. `compile_policy`
turns it into a tuple of tests; `assess` walks them.
"""

import operator
import re
import tomllib
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Struct

from houbao.core import money
from houbao.core.orders import REASONS
from houbao.core.terms import Payer, Record

Route = Literal["verify", "instant", "seller", "return"]
FaultClass = Literal["INR", "SNAD", "OTHER", "exempt"]


class Facts(Struct, frozen=True, kw_only=True, array_like=True, omit_defaults=True, gc=False):
    """What the rules may look at; kept with the dispute, so that its reasons can be told again at any time. New facts
    are added at the end. Amounts are minor units; `instant_sum` is what this buyer got by the instant route
    from all stores in the last 30 days, this claim included. None: not known, and then no condition on it holds."""

    reason: str
    reason_class: str
    paid: bool
    in_window: bool
    open_on_lines: bool = False
    ruled_on_lines: bool = False
    amount: int = 0
    refundable: int = 0
    covered: bool = False
    categories: tuple[str, ...] = ()
    evidence: bool = False
    instant_sum: int | None = None
    buyer_standing: str | None = None
    store_watch: str | None = None


FACTS: dict[str, Any] = get_type_hints(Facts)
MONEY_FACTS = ("amount", "refundable", "instant_sum")
PRIVATE_FACTS = ("instant_sum", "buyer_standing", "store_watch", "evidence")
"""Facts whose limits could be gamed: a buyer's explanation names the rule, never these figures."""

KNOWN_VALUES = {"reason": tuple(REASONS), "reason_class": ("INR", "SNAD", "REMORSE", "OTHER")}
"""Facts of which every value is known: another one in a policy is a slip of the pen."""

REFUSALS = ("not_paid", "outside_window", "dispute_open", "already_ruled", "nothing_left")

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "is": operator.eq,
    "is_not": operator.ne,
    "in": lambda found, value: found in value,
    "not_in": lambda found, value: found not in value,
    "at_most": operator.le,
    "at_least": operator.ge,
    "any_of": lambda found, value: not value.isdisjoint(found),
}


class Condition(Struct, frozen=True, array_like=True):
    """One condition as written: [fact, comparison, value]."""

    fact: str
    comparison: str
    value: Any


class Rule(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule as written. Either it refuses with a code, or it names route, payer and fault class."""

    name: str
    when: tuple[Condition, ...]
    says: str
    refuse: str = ""
    route: str = ""
    payer: str = ""
    fault: str = ""


class Timers(Record, frozen=True, kw_only=True):
    """How long each wait lasts."""

    verification_alert: timedelta
    verification: timedelta
    notice_alert: timedelta
    notice: timedelta
    seller_answer: timedelta
    buyer_answer: timedelta
    buyer_reminder: timedelta
    funds_alert: timedelta


class Policy(Record, frozen=True, kw_only=True):
    """A checked policy. `digest` is the SHA-256 of its text, hex."""

    version: str
    title: str
    digest: str
    window_days: int
    timers: Timers
    attempts: int
    retry: timedelta
    rules: tuple[Rule, ...]


class PolicyError(ValueError):
    """A policy that cannot be used. `faults` lists each: the field, what is wrong, what to write instead."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Miss(Struct, frozen=True, array_like=True, gc=False):
    """Why an earlier rule did not match: the place of its first condition that failed, and what was found instead."""

    rule: str
    condition: int
    found: Any


class Ruling(Struct, frozen=True, gc=False):
    """What the policy says of some facts: the rule that matched, and a Miss for each rule before it."""

    rule: Rule
    misses: tuple[Miss, ...]


# --- reading and checking ------------------------------------------------------------------------------------------


def parse_policy(text: str) -> Policy:
    """The policy written in `text` (TOML). Raises PolicyError naming every field at fault."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError([f"not TOML: {error}"]) from None
    known = {"version", "title", "window", "timers", "refunds", "rules"}
    faults = [f"{key}: no such field" for key in raw.keys() - known]
    version, title = (_text(raw, key, faults) for key in ("version", "title"))
    days = _integer(raw, "window", "days", 1, 365, faults)
    attempts = _integer(raw, "refunds", "attempts", 1, 20, faults)
    retry = _duration(raw, "refunds", "retry", faults)
    timers = {name: _duration(raw, "timers", name, faults) for name in Timers.__struct_fields__}
    faults += [f"timers.{name}: no such timer" for name in _table(raw, "timers").keys() - timers.keys()]
    faults += [f"window.{name}: no such field" for name in _table(raw, "window").keys() - {"days"}]
    faults += [f"refunds.{name}: no such field" for name in _table(raw, "refunds").keys() - {"attempts", "retry"}]
    rules = _rules(raw.get("rules"), faults)
    if faults:
        raise PolicyError(faults)
    return Policy(
        version=version,
        title=title,
        digest=sha256(text.encode()).hexdigest(),
        window_days=days,
        timers=Timers(**timers),
        attempts=attempts,
        retry=retry,
        rules=rules,
    )


def _table(raw: dict[str, Any], name: str) -> dict[str, Any]:
    table = raw.get(name)
    return table if isinstance(table, dict) else {}


def _text(raw: dict[str, Any], name: str, faults: list[str]) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 80:
        faults.append(f"{name}: a text of 1 to 80 characters is needed, found {value!r}")
        return ""
    return value


def _integer(raw: dict[str, Any], table: str, name: str, low: int, high: int, faults: list[str]) -> int:
    value = _table(raw, table).get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        faults.append(f"{table}.{name}: a whole number from {low} to {high} is needed, found {value!r}")
        return low
    return value


def _duration(raw: dict[str, Any], table: str, name: str, faults: list[str]) -> timedelta:
    value = _table(raw, table).get(name)
    match = re.fullmatch(r"([1-9][0-9]{0,3}) (d|h)", value, re.ASCII) if isinstance(value, str) else None
    if not match:
        faults.append(f'{table}.{name}: a time such as "5 d" or "24 h" is needed, found {value!r}')
        return timedelta()
    return timedelta(hours=int(match[1]) * (24 if match[2] == "d" else 1))


def _rules(raw: Any, faults: list[str]) -> tuple[Rule, ...]:
    if not isinstance(raw, list) or not raw:
        faults.append("rules: at least one [[rules]] is needed")
        return ()
    rules: list[Rule] = []
    for place, item in enumerate(raw, 1):
        try:
            rule = msgspec.convert(item, Rule)
        except msgspec.ValidationError as error:
            faults.append(f"rules[{place}]: {error}")
            continue
        where = f"rules[{place}] {rule.name!r}"
        if rule.name in {earlier.name for earlier in rules}:
            faults.append(f"{where}: the name is taken by an earlier rule")
        faults += [f"{where}.{fault}" for fault in _rule_faults(rule)]
        rules.append(rule)
    faults += [
        f"rules[{place}] {rule.name!r}: it has no conditions, so no rule after it can ever match"
        for place, rule in enumerate(rules[:-1], 1)
        if not rule.when
    ]
    if rules and not faults and rules[-1].when:
        faults.append(
            f"rules[{len(rules)}] {rules[-1].name!r}: the last rule must have no conditions, so that one always matches"
        )
    return tuple(rules)


def _rule_faults(rule: Rule) -> list[str]:
    faults = [fault for place, c in enumerate(rule.when, 1) for fault in _condition_faults(f"when[{place}]", c)]
    if rule.refuse:
        if rule.refuse not in REFUSALS:
            faults.append(f"refuse: {rule.refuse!r} is not one of {', '.join(REFUSALS)}")
        if rule.route or rule.payer or rule.fault:
            faults.append("refuse: a rule that refuses has no route, payer or fault")
        return faults
    for name, value, known in (
        ("route", rule.route, get_args(Route)),
        ("payer", rule.payer, get_args(Payer)),
        ("fault", rule.fault, get_args(FaultClass)),
    ):
        if value not in known:
            faults.append(f"{name}: {value!r} is not one of {', '.join(known)}")
    return faults or _payer_faults(rule)


def _payer_faults(rule: Rule) -> list[str]:
    """A seller is never debited without an answer period, the fund never pays for what it does not cover."""
    if rule.route in ("seller", "return") and rule.payer != "seller":
        return [f"payer: on the route {rule.route} the seller pays, found {rule.payer!r}"]
    if rule.route in ("verify", "instant"):
        if rule.payer not in ("fund", "platform"):
            return [f"payer: on the route {rule.route} the fund or the platform pays, found {rule.payer!r}"]
        covered = any((c.fact, c.comparison, c.value) == ("covered", "is", True) for c in rule.when)
        if rule.payer == "fund" and not covered:
            return ['when: where the fund pays, ["covered", "is", true] is needed']
    return []


def _condition_faults(where: str, condition: Condition) -> list[str]:
    fact, comparison, value = condition.fact, condition.comparison, condition.value
    if fact not in FACTS:
        return [f"{where}: no fact {fact!r}; the facts are {', '.join(sorted(FACTS))}"]
    if comparison not in COMPARISONS:
        return [f"{where}: no comparison {comparison!r}; there are {', '.join(COMPARISONS)}"]
    is_list, is_money, is_flag = fact == "categories", fact in MONEY_FACTS, FACTS[fact] is bool
    if is_list != (comparison == "any_of"):
        return [f"{where}: {fact!r} cannot be compared by {comparison!r}"]
    if is_money != (comparison in ("at_most", "at_least")):
        return [f"{where}: {fact!r} cannot be compared by {comparison!r}"]
    if comparison in ("in", "not_in", "any_of"):
        good = isinstance(value, list) and all(isinstance(v, str) for v in value) and not is_flag
        needed = "a list of texts"
    elif is_money:
        good = isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,4})?", value, re.ASCII) is not None
        needed = 'an amount such as "15.00"'
    elif is_flag:
        good, needed = isinstance(value, bool), "true or false"
    else:
        good, needed = isinstance(value, str), "a text"
    known = KNOWN_VALUES.get(fact)
    if good and known:
        odd = [v for v in (value if isinstance(value, list) else [value]) if v not in known]
        good, needed = not odd, f"one of {', '.join(known)}"
    return [] if good else [f"{where}: {fact!r} needs {needed}, found {value!r}"]


# --- assessing -----------------------------------------------------------------------------------------------------


class Compiled(Struct, frozen=True):
    """A policy made ready for one currency: `match(facts)` is the first rule whose conditions all hold."""

    policy: Policy
    currency: str
    match: Callable[[Facts], Rule]
    values: tuple[tuple[Any, ...], ...]


def compile_policy(policy: Policy, currency: str) -> Compiled:
    """The policy as one Python function, its amounts in minor units of the programme's currency (cut to its decimals).

    First match wins; a fact that is None satisfies no condition. The function is written out rule by rule because it
    runs for every dispute; only checked names of facts get into its text, every value is passed in by name.
    """
    names: dict[str, Any] = {}
    values = tuple(tuple(_value(condition, currency) for condition in rule.when) for rule in policy.rules)
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
    return Compiled(policy, currency, names["match"], values)


_OPERATORS = {"is": "{} == {}", "is_not": "{} != {}", "at_most": "{} <= {}", "at_least": "{} >= {}"}


def _value(condition: Condition, currency: str) -> Any:
    if condition.fact in MONEY_FACTS:
        major, _, rest = condition.value.partition(".")
        return money.parse(f"{major}.{rest[: money.DIGITS[currency]]}", currency)
    return frozenset(condition.value) if isinstance(condition.value, list) else condition.value


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
