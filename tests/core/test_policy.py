"""The policy as data: the first match wins, and the reasons say exactly why no other rule did."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from core.policies import FACTS, LAST, LIKELY, SHIPPED, policies
from houbao.core.conditions import PRIVATE_FACTS, Condition, Facts
from houbao.core.money import parse
from houbao.core.policy import Limits, Policy, Rule
from houbao.core.rulings import Caps, Compiled, Miss, assess, compile_policy, explain

# --- assessing -----------------------------------------------------------------------------------------------------

COVERED = Facts(
    reason="damaged", reason_class="SNAD", paid=True, in_window=True, amount=2000, refundable=4000, covered=True
)


def ruled(**changed: Any) -> tuple[str, tuple[Miss, ...]]:
    ruling = assess(compile_policy(SHIPPED, "EUR"), structs.replace(COVERED, **changed))
    return ruling.rule.name, ruling.misses


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"paid": False, "in_window": False}, "not_paid"),
        ({"in_window": False, "open_on_lines": True}, "outside_window"),
        ({"open_on_lines": True, "ruled_on_lines": True}, "open_on_lines"),
        ({"ruled_on_lines": True, "refundable": 0}, "ruled_on_lines"),
        ({"refundable": 0, "reason_class": "REMORSE"}, "nothing_left"),
        ({"reason_class": "REMORSE"}, "no_reason"),
        ({"reason_class": "INR", "reason": "counterfeit"}, "not_received"),
        ({"reason": "counterfeit", "categories": ("perishables",)}, "counterfeit"),
        ({"categories": ("", "perishables")}, "excluded_category"),
        ({"evidence": True, "instant_sum": 1500, "buyer_standing": "good", "store_watch": "none"}, "instant"),
        ({"evidence": True, "instant_sum": 1501, "buyer_standing": "good", "store_watch": "none"}, "verify"),
        ({"covered": False, "evidence": True}, "not_covered"),
        ({"reason_class": "OTHER"}, "other"),
    ],
)
def test_the_first_rule_that_matches_wins(changed, rule):
    assert ruled(**changed)[0] == rule


def test_a_miss_names_the_rule_the_condition_and_what_was_found_for_each_rule_before():
    rule, misses = ruled(evidence=True, instant_sum=2000)
    assert rule == "verify"
    assert misses == (
        Miss("not_paid", 0, True),
        Miss("outside_window", 0, True),
        Miss("open_on_lines", 0, False),
        Miss("ruled_on_lines", 0, False),
        Miss("nothing_left", 0, 4000),
        Miss("no_reason", 0, "SNAD"),
        Miss("not_received", 0, "SNAD"),
        Miss("counterfeit", 0, "damaged"),
        Miss("excluded_category", 1, ()),
        Miss("instant", 3, 2000),
    )


def policy_of(*conditions: Condition, name: str = "first") -> Policy:
    """A policy of one rule with those conditions, and a last one."""
    rule = Rule(name=name, when=conditions, says="So.", route="verify", payer="fund", fault="SNAD")
    return structs.replace(SHIPPED, rules=(rule, LAST))


@pytest.mark.parametrize(
    "condition",
    [
        Condition("instant_sum", "at_most", "15.00"),
        Condition("instant_sum", "at_least", "0"),
        Condition("buyer_standing", "is", "good"),
        Condition("buyer_standing", "is_not", "good"),
        Condition("store_watch", "in", ["none"]),
        Condition("store_watch", "not_in", ["none"]),
        Condition("store_age_days", "at_most", 10),
        Condition("store_completed_orders", "at_least", 0),
        Condition("buyer_share", "at_most", 1000),
        Condition("exposure", "at_least", "0"),
    ],
)
def test_a_fact_that_is_not_known_satisfies_no_condition_not_even_a_negative_one(condition):
    ruling = assess(compile_policy(policy_of(condition), "EUR"), COVERED)
    assert (ruling.rule.name, ruling.misses) == ("last", (Miss("first", 0, None),))


@pytest.mark.parametrize(
    ("currency", "written", "limit"),
    [
        ("EUR", "15.00", 1500),
        ("EUR", "15.999", 1599),
        ("JPY", "1500", 1500),
        ("JPY", "1500.99", 1500),
        ("KWD", "15.00", 15000),
        ("KWD", "15.0019", 15001),
    ],
)
def test_amounts_are_compiled_for_the_currency(currency, written, limit):
    compiled = compile_policy(policy_of(Condition("amount", "at_most", written)), currency)
    at, above = (structs.replace(COVERED, amount=minor) for minor in (limit, limit + 1))
    assert [assess(compiled, facts).rule.name for facts in (at, above)] == ["first", "last"]


def test_counts_are_compared_as_they_are_written():
    compiled = compile_policy(policy_of(Condition("store_age_days", "at_least", 90)), "EUR")
    young, old = (structs.replace(COVERED, store_age_days=days) for days in (89, 90))
    assert [assess(compiled, facts).rule.name for facts in (young, old)] == ["last", "first"]


@pytest.mark.parametrize(
    ("limits", "currency", "caps"),
    [
        (Limits(), "EUR", Caps(per_dispute=None, backstop=0, advance=0)),
        (Limits(per_dispute="80.00", backstop="1000", advance="50.5"), "EUR", Caps(8000, 100_000, 5050)),
        (Limits(per_dispute="0", backstop="1000", advance="50.5"), "JPY", Caps(0, 1000, 50)),
    ],
)
def test_limits_are_compiled_for_the_currency_too(limits, currency, caps):
    assert compile_policy(structs.replace(SHIPPED, limits=limits), currency).caps == caps


# --- for all facts and all policies --------------------------------------------------------------------------------


def holds(condition: Condition, facts: Facts) -> bool:
    """What a condition means, said once more and plainly (EUR)."""
    found, wanted = getattr(facts, condition.fact), condition.value
    if found is None:
        return False
    match condition.comparison:
        case "is":
            return found == wanted
        case "is_not":
            return found != wanted
        case "in":
            return found in wanted
        case "not_in":
            return found not in wanted
        case "any_of":
            return any(one in wanted for one in found)
        case "at_most":
            return found <= (parse(wanted, "EUR") if isinstance(wanted, str) else wanted)
        case _:
            return found >= (parse(wanted, "EUR") if isinstance(wanted, str) else wanted)


def assert_right(compiled: Compiled, facts: Facts) -> None:
    """The rule that matched is the first that holds, and each miss is where the rule before it failed."""
    rules = compiled.policy.rules
    ruling = assess(compiled, facts)
    place = rules.index(ruling.rule)
    assert all(holds(condition, facts) for condition in ruling.rule.when)
    assert [miss.rule for miss in ruling.misses] == [rule.name for rule in rules[:place]]
    for miss, rule in zip(ruling.misses, rules, strict=False):
        failed = rule.when[miss.condition]
        assert not holds(failed, facts)
        assert miss.found == getattr(facts, failed.fact)
        assert all(holds(condition, facts) for condition in rule.when[: miss.condition])


@given(FACTS | LIKELY)
def test_for_all_facts_exactly_the_first_rule_that_holds_matches_and_the_misses_are_true(facts):
    assert_right(compile_policy(SHIPPED, "EUR"), facts)


@given(policies(), FACTS)
def test_so_it_is_for_every_policy(policy, facts):
    assert_right(compile_policy(policy, "EUR"), facts)


# --- explaining ----------------------------------------------------------------------------------------------------

EUR = compile_policy(SHIPPED, "EUR")


def sentences(facts: Facts, *, private: bool) -> list[str]:
    ruling = assess(EUR, facts)
    return explain(EUR, ruling.rule.name, ruling.misses, private=private)


def test_an_explanation_says_the_rule_and_why_no_earlier_one_matched():
    lines = sentences(structs.replace(COVERED, evidence=True, instant_sum=2000), private=False)
    assert lines[0] == "verify: The order is covered: the platform verifies and the fund pays."
    assert [line.split(":")[0] for line in lines[1:]] == [f"not {rule.name}" for rule in SHIPPED.rules[:10]]
    assert "20.00" in lines[-1]
    assert "15.00" in lines[-1]


def test_a_buyers_explanation_names_the_rule_but_not_the_limit():
    *_, last = sentences(structs.replace(COVERED, evidence=True, instant_sum=2000), private=True)
    assert last == "not instant: a condition of that rule is not met"


@given(FACTS | LIKELY, st.sampled_from([1501, 2317, 99999]))
def test_a_buyers_explanation_never_holds_a_private_figure(facts, instant_sum):
    hidden = {"instant_sum": instant_sum, "buyer_standing": "shaky", "store_watch": "eyed"}
    hidden |= dict.fromkeys(("store_age_days", "store_completed_orders", "buyer_share", "exposure"), instant_sum)
    ruling = assess(EUR, structs.replace(facts, amount=2000, refundable=4000, **hidden))
    told = "\n".join(explain(EUR, ruling.rule.name, ruling.misses, private=True))
    told = told.replace("with evidence", "")  # the rule's own words
    words = [fact.replace("_", " ") for fact in PRIVATE_FACTS]
    for secret in (*PRIVATE_FACTS, *words, "shaky", "eyed", "15.00", "15.01", "23.17", "999.99", str(instant_sum)):
        assert secret not in told
