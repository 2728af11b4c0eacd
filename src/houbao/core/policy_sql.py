"""The policy as SQL: the same conditions over a table of facts, for history and for rules that are only considered."""

from collections.abc import Iterable

from houbao.core.conditions import Condition
from houbao.core.policy import Policy
from houbao.core.rulings import value_of


def case_sql(policy: Policy, currency: str) -> str:
    """One CASE expression (DuckDB's SQL) whose value is the name of the first rule that holds, as `match` of the
    compiled policy has it. It reads columns named as the facts: flags BOOLEAN, amounts BIGINT in minor units of the
    currency, counts BIGINT, `categories` VARCHAR[], the others VARCHAR. NULL: not known, and then no condition holds.
    """
    whens = (f"WHEN {_all_of(rule.when, currency)} THEN {_text(rule.name)}" for rule in policy.rules)
    return "\n".join(("CASE", *whens, "END"))


def _all_of(when: tuple[Condition, ...], currency: str) -> str:
    return " AND ".join(_condition(condition, currency) for condition in when) or "true"


_OPERATORS = {"is": "=", "is_not": "<>", "at_most": "<=", "at_least": ">=", "in": "IN", "not_in": "NOT IN"}


def _condition(condition: Condition, currency: str) -> str:
    """NULL, which is not true, where the fact is; only lists without texts need a word about that."""
    fact, comparison, value = condition.fact, condition.comparison, condition.value
    if value == []:
        return f"{fact} IS NOT NULL" if comparison == "not_in" else "false"
    if comparison == "any_of":
        return f"list_has_any({fact}, [{_texts(value)}])"
    if isinstance(value, list):
        return f"{fact} {_OPERATORS[comparison]} ({_texts(value)})"
    value = value_of(condition, currency)
    return f"{fact} {_OPERATORS[comparison]} {_text(value) if isinstance(value, str) else str(value).lower()}"


def _texts(values: Iterable[str]) -> str:
    return ", ".join(map(_text, values))


def _text(value: str) -> str:
    """A text as SQL writes it: only its quotes are doubled; a backslash is a backslash."""
    return "'" + value.replace("'", "''") + "'"
