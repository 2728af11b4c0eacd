"""Reading a policy: from TOML to records, with every field at fault named."""

import re
import tomllib
from datetime import timedelta
from hashlib import sha256
from typing import Any, get_args

import msgspec

from houbao.core.conditions import condition_faults
from houbao.core.policy import MOST_REMINDERS, REFUSALS, FaultClass, Policy, PolicyError, Route, Rule, Timers
from houbao.core.terms import Payer


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
    single = [name for name in Timers.__struct_fields__ if name != "reminders"]
    timers = {name: _duration(raw, "timers", name, faults) for name in single}
    reminders = _reminders(raw, faults)
    unknown = _table(raw, "timers").keys() - set(Timers.__struct_fields__)
    faults += [f"timers.{name}: no such timer" for name in unknown]
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
        timers=Timers(**timers, reminders=reminders),
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
    wait = _wait(value)
    if wait is None:
        faults.append(f'{table}.{name}: a time such as "5 d" or "24 h" is needed, found {value!r}')
    return wait or timedelta()


def _wait(value: Any) -> timedelta | None:
    match = re.fullmatch(r"([1-9][0-9]{0,3}) (d|h)", value, re.ASCII) if isinstance(value, str) else None
    return timedelta(hours=int(match[1]) * (24 if match[2] == "d" else 1)) if match else None


def _reminders(raw: dict[str, Any], faults: list[str]) -> tuple[timedelta, ...]:
    value = _table(raw, "timers").get("reminders")
    waits = [_wait(item) for item in value] if isinstance(value, list) and len(value) <= MOST_REMINDERS else [None]
    if None in waits:
        faults.append(
            f'timers.reminders: up to {MOST_REMINDERS} times such as ["48 h", "2 h"] are needed, found {value!r}'
        )
        return ()
    return tuple(wait for wait in waits if wait)


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
    faults = [fault for place, c in enumerate(rule.when, 1) for fault in condition_faults(f"when[{place}]", c)]
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


def _needs(rule: Rule, fact: str, value: object) -> bool:
    return any((c.fact, c.comparison, c.value) == (fact, "is", value) for c in rule.when)


def _payer_faults(rule: Rule) -> list[str]:
    """A seller is never debited without an answer period, the fund never pays for what it does not cover."""
    if rule.route in ("seller", "return") and rule.payer != "seller":
        return [f"payer: on the route {rule.route} the seller pays, found {rule.payer!r}"]
    if rule.route == "return" and not _needs(rule, "reason_class", "REMORSE"):
        return ['when: the return route is for claims without a reason: ["reason_class", "is", "REMORSE"] is needed']
    if rule.route in ("verify", "instant"):
        if rule.payer not in ("fund", "platform"):
            return [f"payer: on the route {rule.route} the fund or the platform pays, found {rule.payer!r}"]
        if rule.payer == "fund" and not _needs(rule, "covered", True):
            return ['when: where the fund pays, ["covered", "is", true] is needed']
    return []
