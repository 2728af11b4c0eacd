"""What a seller reads about the guarantee is what the policy says (R18): another policy, another page."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from core.policies import LAST, SHIPPED
from houbao.core.conditions import COMPARISONS, COUNT_FACTS, FACTS, MONEY_FACTS, PRIVATE_FACTS, Condition
from houbao.core.policy import Limits, Policy, Returns, Rule, ScoreCurves, Timers
from houbao.core.promise import TIMES, UNTOLD, condition_words, promise


def page(policy: Policy = SHIPPED, **given: Any) -> str:
    sections = promise(policy, **{"currency": "EUR", "mode": "capital"} | given)
    return "\n".join(line for section in sections for line in (section.title, *section.lines))


def changed(**fields: Any) -> str:
    return page(structs.replace(SHIPPED, **fields))


# --- another policy, another page ----------------------------------------------------------------------------------


@pytest.mark.parametrize("timer", Timers.__struct_fields__)
def test_another_time_is_another_page(timer):
    wait = timedelta(hours=1234)
    waits = structs.replace(SHIPPED.timers, **{timer: (wait,) if timer == "reminders" else wait})
    assert "1234 hours" in changed(timers=waits)


def test_reminders_are_told_one_and_all():
    assert "is reminded" not in changed(timers=structs.replace(SHIPPED.timers, reminders=()))
    assert "is reminded 2 days, 24 hours and 2 hours before it ends." in page()


def test_every_timer_has_its_sentence():
    assert set(TIMES) == set(Timers.__struct_fields__)


@pytest.mark.parametrize("figure", ScoreCurves.__struct_fields__)
def test_another_figure_of_the_score_is_another_page(figure):
    assert changed(score=structs.replace(SHIPPED.score, **{figure: 77})) != page()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"window_days": 33}, "The buyer has 33 days to open a dispute"),
        ({"attempts": 7}, "up to 7 times"),
        ({"retry": timedelta(days=2)}, "2 days apart"),
        ({"limits": Limits()}, "the fund pays all that is found justified"),
        ({"limits": Limits(per_dispute="80")}, "up to 80.00 EUR for one dispute; the platform pays what is above"),
        ({"limits": Limits(backstop="777")}, "adds up to 777.00 EUR"),
        ({"limits": Limits(advance="66.5")}, "advances up to 66.50 EUR"),
        ({"returns": Returns()}, "the buyer keeps the goods"),
        ({"returns": Returns(commission="pro_rata")}, "You get the commission back"),
    ],
)
def test_the_page_says_what_the_policy_says(fields, said):
    assert said in changed(**fields)


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("capital", "The guarantee costs you nothing."),
        ("premium", "a premium of 1.2 % of the price"),
        ("deposit", "your own deposit"),
    ],
)
def test_it_says_who_fills_the_fund(mode, said):
    assert said in page(structs.replace(SHIPPED, premium=12), mode=mode)


def test_amounts_are_those_of_the_programmes_currency():
    assert "up to 80 JPY for one dispute" in page(
        structs.replace(SHIPPED, limits=Limits(per_dispute="80")), currency="JPY"
    )


# --- every rule has its words --------------------------------------------------------------------------------------

RULE = Rule(name="first", when=(), says="So.", route="verify", payer="fund", fault="SNAD")


def line_of(rule: Rule) -> str:
    """The line of a rule that is tried before the last one."""
    _, _, rules, *_ = promise(structs.replace(SHIPPED, rules=(rule, LAST)), "EUR", "capital")
    return rules.lines[0]


def test_every_rule_of_the_policy_has_its_line_in_its_order():
    _, _, rules, *_ = promise(SHIPPED, "EUR", "capital")
    starts = [f"{number}. {rule.says} " for number, rule in enumerate(SHIPPED.rules, 1)]
    assert [line[: len(start)] for line, start in zip(rules.lines, starts, strict=True)] == starts


def test_a_rule_says_when_it_fits_who_pays_and_what_counts():
    rule = structs.replace(RULE, when=(Condition("covered", "is", True), Condition("amount", "at_most", "99")))
    assert line_of(rule) == (
        "1. So. When the order is covered, and the amount asked is at most 99.00 EUR: the platform looks into it, and"
        " the fund pays what is justified; it counts as not as described."
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"route": "instant", "payer": "platform"}, "the platform pays at once; it counts as not as described."),
        ({"route": "seller", "payer": "seller", "fault": "INR"}, "you answer it within 5 days, and pay what you owe"),
        ({"route": "return", "payer": "seller", "fault": "exempt"}, "refund the buyer; it never counts against you."),
        (
            {"refuse": "not_paid", "route": "", "payer": "", "fault": ""},
            "So. In every other case: no dispute is opened.",
        ),
    ],
)
def test_every_outcome_has_its_words(fields, said):
    assert said in line_of(structs.replace(RULE, **fields))


TOLD = [fact for fact in FACTS if fact not in PRIVATE_FACTS]


def conditions_on(fact: str) -> list[Condition]:
    """A condition on the fact for each comparison that it can have, and each of two values."""
    if fact == "categories":
        pairs: list[tuple[str, Any]] = [("any_of", ["toys"]), ("any_of", ["toys", "gift_cards"])]
    elif fact in MONEY_FACTS:
        pairs = [(c, value) for c in ("at_most", "at_least") for value in ("1", "2")]
    elif FACTS[fact] is bool:
        pairs = [("is", True), ("is", False)]
    else:
        pairs = [(c, value) for c in ("is", "is_not") for value in ("INR", "SNAD")]
        pairs += [(c, value) for c in ("in", "not_in") for value in (["INR"], ["INR", "SNAD"])]
    return [Condition(fact, comparison, value) for comparison, value in pairs]


def test_every_condition_that_may_be_told_has_words_of_its_own():
    conditions = [condition for fact in TOLD for condition in conditions_on(fact)]
    words = [condition_words(condition, "EUR") for condition in conditions]
    assert len({*words}) == len([*words])
    assert {condition.comparison for condition in conditions} == COMPARISONS.keys()
    assert not any("_" in one for one in words)


def test_a_flag_that_is_not_true_is_false():
    for fact in (fact for fact in TOLD if FACTS[fact] is bool):
        for value in (True, False):
            turned, plain = Condition(fact, "is_not", value), Condition(fact, "is", not value)
            assert condition_words(turned, "EUR") == condition_words(plain, "EUR")


# --- what is not told ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fact", PRIVATE_FACTS)
def test_a_limit_that_could_be_gamed_is_never_told(fact):
    if fact in MONEY_FACTS:
        conditions = [Condition(fact, "at_most", value) for value in ("15.00", "16.00")]
    elif fact in COUNT_FACTS:
        conditions = [Condition(fact, "at_least", value) for value in (15, 16)]
    elif FACTS[fact] is bool:
        conditions = [Condition(fact, "is", value) for value in (True, False)]
    else:
        conditions = [Condition(fact, comparison, "good") for comparison in ("is", "is_not")]
    lines = {line_of(structs.replace(RULE, when=(Condition("paid", "is", True), one))) for one in conditions}
    (line,) = lines
    assert line.startswith(f"1. So. When the order is paid, and {UNTOLD}: ")
    assert fact.replace("_", " ") not in line


def test_the_shipped_page_does_not_name_the_sum_below_which_is_paid_at_once():
    assert "15.00" not in page()
