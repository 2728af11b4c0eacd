"""The policy as SQL rules as the policy in Python does, whatever is known and however odd the texts are."""

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from core.policies import LAST, MANY, SHIPPED, policies, texts_and_rules
from houbao.core.conditions import FACTS as NAMES
from houbao.core.conditions import Condition, Facts
from houbao.core.policy import Policy
from houbao.core.policy_sql import case_sql
from houbao.core.rulings import compile_policy

if os.environ.get("CI"):
    import duckdb
else:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed: it comes with the extra `analytics`")

CONNECTION = duckdb.connect()
UNHURRIED = settings(deadline=None)

# --- asking both ---------------------------------------------------------------------------------------------------

TYPES = {bool: "BOOLEAN", str: "VARCHAR", int: "BIGINT", tuple[str, ...]: "VARCHAR[]"}
TYPES |= {str | None: "VARCHAR", int | None: "BIGINT"}
ROW = "(" + ", ".join(f"?::{TYPES[kind]}" for kind in NAMES.values()) + ")"


def by_sql(policy: Policy, currency: str, asked: list[Facts]) -> list[str]:
    """The rule for each of the facts, by DuckDB."""
    values: list[Any] = []
    for facts in asked:
        found = [getattr(facts, name) for name in NAMES]
        values += [list(value) if isinstance(value, tuple) else value for value in found]
    table = f"(VALUES {', '.join([ROW] * len(asked))}) AS facts ({', '.join(NAMES)})"
    found = CONNECTION.execute(f"SELECT {case_sql(policy, currency)} FROM {table}", values)
    return [rule for (rule,) in found.fetchall()]


def by_python(policy: Policy, currency: str, asked: list[Facts]) -> list[str]:
    compiled = compile_policy(policy, currency)
    return [compiled.match(facts).name for facts in asked]


def assert_same(policy: Policy, asked: list[Facts], currency: str = "EUR") -> None:
    assert by_sql(policy, currency, asked) == by_python(policy, currency, asked)


# --- for all facts and all policies --------------------------------------------------------------------------------


@UNHURRIED
@given(MANY)
def test_the_shipped_policy_says_the_same_in_both(asked):
    assert_same(SHIPPED, asked)


@UNHURRIED
@given(policies(), MANY, st.sampled_from(["EUR", "JPY", "KWD"]))
def test_so_does_every_policy_in_every_currency(policy, asked, currency):
    assert_same(policy, asked, currency)


@UNHURRIED
@given(texts_and_rules())
def test_texts_are_compared_to_the_letter_whatever_letters_they_are(both):
    assert_same(*both)


@pytest.mark.parametrize(("comparison", "rule"), [("in", "last"), ("not_in", "first")])
def test_a_list_without_texts_holds_nothing(comparison, rule):
    policy = structs.replace(
        SHIPPED, rules=(structs.replace(LAST, name="first", when=(Condition("reason", comparison, []),)), LAST)
    )
    facts = Facts(reason="damaged", reason_class="SNAD", paid=True, in_window=True)
    assert by_sql(policy, "EUR", [facts, structs.replace(facts, reason=None)]) == [rule, "last"]


def test_a_rule_is_one_line_that_can_be_read():
    lines = case_sql(SHIPPED, "EUR").splitlines()
    assert (lines[0], lines[-1]) == ("CASE", "END")
    assert lines[1] == "WHEN paid = false THEN 'not_paid'"
    assert "list_has_any(categories, ['gift_cards', 'live_animals', 'perishables'])" in lines[9]
    assert "instant_sum <= 1500" in lines[10]
    assert lines[13] == "WHEN true THEN 'other'"
