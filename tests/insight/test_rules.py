"""The rules as an Ibis expression rule as the policy in Python does, row by row, whatever is known."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.policies import MANY, SHIPPED, policies, texts_and_rules
from houbao.core.conditions import FACTS, Facts
from houbao.core.policy import Policy
from houbao.core.rulings import compile_policy
from houbao.insight.columns import DISPUTES
from houbao.insight.lake import schema_of

if os.environ.get("CI"):
    import ibis
    import pyarrow as pa
else:
    ibis = pytest.importorskip("ibis", reason="ibis is not installed: it comes with the extra `analytics`")
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: it comes with the extra `analytics`")

from houbao.insight.rules import rule_number

CONNECTION = ibis.duckdb.connect()
UNHURRIED = settings(deadline=None, max_examples=60)
SCHEMA = schema_of({"n": "int", "currency": "text", **{name: DISPUTES[name] for name in FACTS}})
CURRENCIES = ("EUR", "JPY", "KWD")
Asked = list[tuple[str, Facts]]
"""Currency, and the facts of a claim in it."""


def table(asked: Asked) -> "pa.Table":
    """The facts as the lake has them."""
    rows = [
        {"n": n, "currency": currency, **{name: getattr(facts, name) for name in FACTS}}
        for n, (currency, facts) in enumerate(asked)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def by_ibis(policy: Policy, asked: Asked) -> list[int]:
    """The place of the rule for each of the facts."""
    facts = ibis.memtable(table(asked))
    currencies = {currency for currency, _ in asked}
    found = facts.select("n", rule=rule_number(policy, facts, currencies)).order_by("n")
    return CONNECTION.to_pyarrow(found).column("rule").to_pylist()


def by_assess(policy: Policy, asked: Asked) -> list[int]:
    compiled = {currency: compile_policy(policy, currency) for currency, _ in asked}
    return [policy.rules.index(compiled[currency].match(facts)) for currency, facts in asked]


def mixed(asked: list[Facts], currencies: list[str]) -> Asked:
    return [(currencies[n % len(currencies)], facts) for n, facts in enumerate(asked)]


SEVERAL = st.lists(st.sampled_from(CURRENCIES), min_size=1, max_size=3)


@UNHURRIED
@given(MANY, SEVERAL)
def test_the_shipped_policy_says_the_same_in_both(asked, currencies):
    assert by_ibis(SHIPPED, mixed(asked, currencies)) == by_assess(SHIPPED, mixed(asked, currencies))


@UNHURRIED
@given(policies(), MANY, SEVERAL)
def test_so_does_every_policy_over_claims_in_several_currencies(policy, asked, currencies):
    assert by_ibis(policy, mixed(asked, currencies)) == by_assess(policy, mixed(asked, currencies))


@UNHURRIED
@given(texts_and_rules())
def test_texts_are_compared_to_the_letter_whatever_letters_they_are(both):
    policy, asked = both
    assert by_ibis(policy, mixed(asked, ["EUR"])) == by_assess(policy, mixed(asked, ["EUR"]))
