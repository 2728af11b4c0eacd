"""Prints the table of the shipped rules in docs/policy.md, from the policy file itself. Run it from the project's root:

PYTHONPATH=src .venv/bin/python docs/make_policy_table.py
"""

from typing import Any

from houbao.core.conditions import Condition
from houbao.core.policy import Rule
from houbao.core.policy_file import parse_policy
from houbao.shipped import policy_text


def main() -> None:
    """Print the table."""
    print("\n".join(table()))


def table() -> list[str]:
    """One row per rule, in their order."""
    lines = ["| # | rule | when | then |", "|---|---|---|---|"]
    for number, rule in enumerate(parse_policy(policy_text()).rules, start=1):
        lines.append(f"| {number} | `{rule.name}` | {conditions(rule.when)} | {outcome(rule)} |")
    return lines


def conditions(when: tuple[Condition, ...]) -> str:
    """The conditions in words."""
    return " and ".join(f"{c.fact} {c.comparison.replace('_', ' ')} {shown(c.value)}" for c in when) or "always"


def shown(value: Any) -> str:
    """A value as the file writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, list) else str(value)


def outcome(rule: Rule) -> str:
    """What the rule says."""
    if rule.refuse:
        return f"refused: `{rule.refuse}`"
    counts = "exempt" if rule.fault == "exempt" else f"counts as {rule.fault}"
    return f"route {rule.route}, paid by the {rule.payer}, {counts}"


if __name__ == "__main__":
    main()
