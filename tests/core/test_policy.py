"""The policy as data: every fault is named, the first match wins, and the reasons say exactly why no other rule did."""

import re
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from houbao.core.conditions import PRIVATE_FACTS, Condition, Facts
from houbao.core.money import parse
from houbao.core.orders import REASONS
from houbao.core.policy import Policy, PolicyError, Rule
from houbao.core.policy_file import parse_policy
from houbao.core.rulings import Compiled, Miss, assess, compile_policy, explain
from houbao.shipped import policy_text

SHIPPED = parse_policy(policy_text())

# --- writing a policy ----------------------------------------------------------------------------------------------

SMALL = """
version = "1"
title = "Small"
[window]
days = 15
[timers]
verification_alert = "7 d"
verification = "14 d"
notice_alert = "24 h"
notice = "7 d"
seller_answer = "5 d"
buyer_answer = "7 d"
escalation = "15 d"
evidence = "48 h"
return_shipping = "10 d"
return_scan = "30 d"
return_inspection = "10 d"
replacement_shipping = "5 d"
replacement_scan = "30 d"
replacement_trial = "15 d"
reminders = ["24 h"]
funds_alert = "3 d"
[refunds]
attempts = 3
retry = "1 h"
[[rules]]
name = "first"
when = [["paid", "is", false]]
refuse = "not_paid"
says = "Not paid."
[[rules]]
name = "last"
when = []
route = "seller"
payer = "seller"
fault = "OTHER"
says = "Anything else."
"""


def faults_of(text: str) -> list[str]:
    with pytest.raises(PolicyError) as error:
        parse_policy(text)
    assert str(error.value) == "; ".join(error.value.faults)
    return error.value.faults


def written(old: str, new: str) -> str:
    """The small policy with one thing written otherwise."""
    assert SMALL.count(old) == 1
    return SMALL.replace(old, new)


def test_the_policy_that_these_faults_are_made_in_is_itself_valid():
    policy = parse_policy(SMALL)
    assert (policy.version, policy.window_days, policy.attempts, len(policy.rules)) == ("1", 15, 3, 2)
    assert policy.timers.notice_alert == policy.retry * 24


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('version = "1"', "", "version: a text of 1 to 80 characters is needed, found None"),
        ('version = "1"', "version = 1", "version: a text of 1 to 80 characters is needed, found 1"),
        ('version = "1"', 'version = ""', "version: a text of 1 to 80 characters is needed, found ''"),
        ('title = "Small"', f'title = "{"x" * 81}"', "title: a text of 1 to 80 characters is needed"),
        ('title = "Small"', 'title = "Small"\ntitel = "x"', "titel: no such field"),
        ("days = 15", "days = 0", "window.days: a whole number from 1 to 365 is needed, found 0"),
        ("days = 15", "days = 366", "window.days: a whole number from 1 to 365 is needed, found 366"),
        ("days = 15", "days = true", "window.days: a whole number from 1 to 365 is needed, found True"),
        ("days = 15", "days = 15.0", "window.days: a whole number from 1 to 365 is needed, found 15.0"),
        ("days = 15", "days = 15\nsnad_days = 30", "window.snad_days: no such field"),
        ("[window]\ndays = 15", "window = 15", "window.days: a whole number from 1 to 365 is needed, found None"),
        ("attempts = 3", "attempts = 21", "refunds.attempts: a whole number from 1 to 20 is needed, found 21"),
        ("attempts = 3", "attempts = 3\nkeys = 1", "refunds.keys: no such field"),
        ('retry = "1 h"', 'retry = "1h"', 'refunds.retry: a time such as "5 d" or "24 h" is needed, found \'1h\''),
        ('seller_answer = "5 d"', 'seller_answer = "0 d"', "timers.seller_answer: a time such as"),
        ('seller_answer = "5 d"', 'seller_answer = "-5 d"', "timers.seller_answer: a time such as"),
        ('seller_answer = "5 d"', 'seller_answer = "10000 d"', "timers.seller_answer: a time such as"),
        ('seller_answer = "5 d"', 'seller_answer = "٥ d"', "timers.seller_answer: a time such as"),
        ('seller_answer = "5 d"', "seller_answer = 5", "timers.seller_answer: a time such as"),
        ('seller_answer = "5 d"', "", "timers.seller_answer: a time such as"),
        ('seller_answer = "5 d"', 'seller_answer = "5 d"\nsnack = "5 d"', "timers.snack: no such timer"),
        ('name = "last"', 'name = "first"', "rules[2] 'first': the name is taken by an earlier rule"),
        ('name = "last"', "name = 5", "rules[2]: Expected `str`, got `int` - at `$.name`"),
        ('name = "last"', "", "rules[2]: Object missing required field `name`"),
        ('says = "Anything else."', "", "rules[2]: Object missing required field `says`"),
        ("when = []", 'when = "always"', "rules[2]: Expected `array`, got `str` - at `$.when`"),
        ("when = []", 'when = [["paid", "is"]]', "rules[2]: Expected `array` of at least length 3"),
        ('route = "seller"', 'rout = "seller"', "rules[2]: Object contains unknown field `rout`"),
        ("when = []", 'when = [["paid", "is", true]]', "rules[2] 'last': the last rule must have no conditions"),
        (
            'refuse = "not_paid"',
            'refuse = "no"',
            "rules[1] 'first'.refuse: 'no' is not one of not_paid, outside_window",
        ),
        (
            'refuse = "not_paid"',
            'refuse = "not_paid"\npayer = "fund"',
            "rules[1] 'first'.refuse: a rule that refuses has no route, payer or fault",
        ),
        ('route = "seller"', 'route = "buyer"', "rules[2] 'last'.route: 'buyer' is not one of verify, instant, seller"),
        ('route = "seller"', "", "rules[2] 'last'.route: '' is not one of verify, instant, seller"),
        ('payer = "seller"', 'payer = "bank"', "rules[2] 'last'.payer: 'bank' is not one of fund, seller, platform"),
        ('fault = "OTHER"', 'fault = "other"', "rules[2] 'last'.fault: 'other' is not one of INR, SNAD, OTHER, exempt"),
    ],
)
def test_a_fault_is_named_with_its_field(old, new, fault):
    (found,) = faults_of(written(old, new))
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        ('["payed", "is", true]', "no fact 'payed'; the facts are amount, buyer_standing, categories, covered"),
        ('["paid", "==", true]', "no comparison '=='; there are is, is_not, in, not_in, at_most, at_least, any_of"),
        ('["categories", "is", "x"]', "'categories' cannot be compared by 'is'"),
        ('["reason", "any_of", ["x"]]', "'reason' cannot be compared by 'any_of'"),
        ('["amount", "is", "15.00"]', "'amount' cannot be compared by 'is'"),
        ('["reason", "at_most", "15.00"]', "'reason' cannot be compared by 'at_most'"),
        ('["reason", "in", "x"]', "'reason' needs a list of texts, found 'x'"),
        ('["reason", "not_in", [1]]', "'reason' needs a list of texts, found [1]"),
        ('["categories", "any_of", "x"]', "'categories' needs a list of texts, found 'x'"),
        ('["paid", "in", ["x"]]', "'paid' needs a list of texts, found ['x']"),
        ('["amount", "at_most", 15]', "'amount' needs an amount such as \"15.00\", found 15"),
        ('["refundable", "at_least", "-1"]', "'refundable' needs an amount such as \"15.00\", found '-1'"),
        ('["instant_sum", "at_most", "1e3"]', "'instant_sum' needs an amount such as \"15.00\", found '1e3'"),
        ('["instant_sum", "at_most", "1.23456"]', "'instant_sum' needs an amount such as \"15.00\", found '1.23456'"),
        ('["covered", "is", "true"]', "'covered' needs true or false, found 'true'"),
        ('["covered", "is_not", 1]', "'covered' needs true or false, found 1"),
        ('["buyer_standing", "is", true]', "'buyer_standing' needs a text, found True"),
    ],
)
def test_a_fault_in_a_condition_is_named_with_its_place(condition, fault):
    (found,) = faults_of(written('[["paid", "is", false]]', f'[["paid", "is", false], {condition}]'))
    assert found.startswith(f"rules[1] 'first'.when[2]: {fault}")


@pytest.mark.parametrize("rules", ["", "rules = []", 'rules = "all"'])
def test_a_policy_without_rules_is_a_fault(rules):
    (found,) = faults_of(rules + SMALL.split("[[rules]]")[0])
    assert found == "rules: at least one [[rules]] is needed"


def test_what_is_not_toml_is_one_fault_with_its_line():
    (found,) = faults_of('version = "1"\ntitle = oops\n')
    assert re.match(r"not TOML: .*line 2", found)


@pytest.mark.parametrize("wrong", ['"24 h"', '["soon"]', "[1]", '["1 h", "2 h", "3 h", "4 h", "5 h", "6 h"]'])
def test_reminders_are_a_short_list_of_times(wrong: str) -> None:
    (fault,) = faults_of(SMALL.replace('["24 h"]', wrong))
    assert fault.startswith('timers.reminders: up to 5 times such as ["48 h", "2 h"] are needed')


def test_several_faults_are_all_named_at_once():
    text = SMALL
    for old, new in (
        ("days = 15", "days = 0"),
        ('notice = "7 d"', 'notice = "soon"'),
        ('payer = "seller"', 'payer = "bank"'),
        ('fault = "OTHER"', 'fault = "x"'),
        ('"paid", "is", false', '"paid", "is", "no"'),
    ):
        text = text.replace(old, new)
    assert [fault.split(": ")[0] for fault in faults_of(text)] == [
        "window.days",
        "timers.notice",
        "rules[1] 'first'.when[1]",
        "rules[2] 'last'.payer",
        "rules[2] 'last'.fault",
    ]


def test_the_policy_that_ships_is_valid_and_its_digest_is_that_of_its_text():
    assert SHIPPED.digest == sha256(policy_text().encode()).hexdigest()
    assert parse_policy(policy_text() + "# one more word\n").digest != SHIPPED.digest


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


LAST = Rule(name="last", when=(), says="Else.", route="seller", payer="seller", fault="OTHER")


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


# --- for all facts and all policies --------------------------------------------------------------------------------

CATEGORIES = ("", "books", "perishables", "gift_cards")
AMOUNTS = st.sampled_from([0, 1, 1499, 1500, 1501, 4000])
FACTS = st.builds(
    Facts,
    reason=st.sampled_from([*REASONS]),
    reason_class=st.sampled_from(["INR", "SNAD", "REMORSE", "OTHER"]),
    paid=st.booleans(),
    in_window=st.booleans(),
    open_on_lines=st.booleans(),
    ruled_on_lines=st.booleans(),
    amount=AMOUNTS,
    refundable=AMOUNTS,
    covered=st.booleans(),
    categories=st.lists(st.sampled_from(CATEGORIES), max_size=3).map(tuple),
    evidence=st.booleans(),
    instant_sum=st.none() | AMOUNTS,
    buyer_standing=st.none() | st.sampled_from(["good", "bad"]),
    store_watch=st.none() | st.sampled_from(["none", "watched"]),
)
LIKELY = FACTS.map(
    lambda facts: structs.replace(facts, paid=True, in_window=True, open_on_lines=False, ruled_on_lines=False)
)
TEXTS = st.sampled_from(["good", "none", "damaged", "SNAD", "INR"])
CONDITIONS = st.one_of(
    st.builds(
        Condition,
        st.sampled_from(["paid", "in_window", "covered", "evidence"]),
        st.sampled_from(["is", "is_not"]),
        st.booleans(),
    ),
    st.builds(
        Condition,
        st.sampled_from(["reason", "reason_class", "buyer_standing", "store_watch"]),
        st.sampled_from(["is", "is_not"]),
        TEXTS,
    ),
    st.builds(
        Condition,
        st.sampled_from(["reason", "reason_class", "buyer_standing", "store_watch"]),
        st.sampled_from(["in", "not_in"]),
        st.lists(TEXTS, max_size=3),
    ),
    st.builds(
        Condition,
        st.sampled_from(["amount", "refundable", "instant_sum"]),
        st.sampled_from(["at_most", "at_least"]),
        st.sampled_from(["0", "14.99", "15.00", "40"]),
    ),
    st.builds(
        Condition, st.just("categories"), st.just("any_of"), st.lists(st.sampled_from(CATEGORIES[1:]), max_size=2)
    ),
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """A valid policy of up to eight rules, whatever their names look like."""
    wheres = draw(st.lists(st.lists(CONDITIONS, max_size=4).map(tuple), max_size=7))
    names = draw(st.lists(st.text(min_size=1), min_size=len(wheres), max_size=len(wheres), unique=True))
    rules = [structs.replace(LAST, name=f"rule {name}", when=when) for name, when in zip(names, wheres, strict=True)]
    return structs.replace(SHIPPED, rules=(*rules, LAST))


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
            return found <= parse(wanted, "EUR")
        case _:
            return found >= parse(wanted, "EUR")


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
    ruling = assess(EUR, structs.replace(facts, amount=2000, refundable=4000, **hidden))
    told = "\n".join(explain(EUR, ruling.rule.name, ruling.misses, private=True))
    told = told.replace("with evidence", "")  # the rule's own words
    words = [fact.replace("_", " ") for fact in PRIVATE_FACTS]
    for secret in (*PRIVATE_FACTS, *words, "shaky", "eyed", "15.00", "15.01", "23.17", "999.99", str(instant_sum)):
        assert secret not in told
