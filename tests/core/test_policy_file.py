"""A policy is read with every field at fault named, and with the place where it stands."""

import re
import tomllib
from datetime import date
from hashlib import sha256

import pytest

from core.policies import SHIPPED, SMALL
from houbao.core.calendars import Wait
from houbao.core.policy import Limits, PolicyError, Returns, ScoreCurves
from houbao.core.policy_file import parse_policy
from houbao.shipped import policy_text


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
        ('["payed", "is", true]', "no fact 'payed'; the facts are amount, buyer_share, buyer_standing"),
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
        ('["exposure", "at_most", 15]', "'exposure' needs an amount such as \"15.00\", found 15"),
        ('["buyer_share", "is", 200]', "'buyer_share' cannot be compared by 'is'"),
        ('["buyer_share", "at_most", "200"]', "'buyer_share' needs a whole number from 0, found '200'"),
        ('["store_age_days", "at_least", -1]', "'store_age_days' needs a whole number from 0, found -1"),
        ('["store_completed_orders", "at_least", true]', "'store_completed_orders' needs a whole number from 0"),
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


def test_a_table_that_is_none_is_named_before_what_it_lacks():
    faults = faults_of(written("[window]\ndays = 15", "window = 15"))
    assert faults == [
        "window: a table [window] is needed, found 15",
        "window.days: a whole number from 1 to 365 is needed, found None",
    ]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("[limits]\nper_dispute = 80", 'limits.per_dispute: an amount such as "15.00", or an empty text is needed'),
        ('[limits]\nper_dispute = "-1"', "limits.per_dispute: an amount such as"),
        ('[limits]\nover = "seller_pays"', "limits.over: 'seller_pays' is not one of platform_pays"),
        ("[limits]\nover = []", "limits.over: [] is not one of platform_pays"),
        ('[limits]\nbackstop = ""', "limits.backstop: an amount such as \"15.00\" is needed, found ''"),
        ('[limits]\nadvance = "1e3"', "limits.advance: an amount such as \"15.00\" is needed, found '1e3'"),
        ('[limits]\nper_order = "1"', "limits.per_order: no such field"),
        ('[returns]\ncovered = "never"', "returns.covered: 'never' is not one of returnless"),
        (
            '[limits]\nover = "hand_over"',
            "limits.per_dispute: to hand over what is above it, it must be above 0, found ''",
        ),
        (
            '[limits]\nover = "hand_over"\nper_dispute = "0.00"',
            "limits.per_dispute: to hand over what is above it, it must be above 0, found '0.00'",
        ),
        ('[limits]\nover = "seller_pays"', "limits.over: 'seller_pays' is not one of platform_pays, hand_over"),
        ('[returns]\ncovered = "label"', "returns.covered: 'label' is not one of returnless, platform_label"),
        ('[returns]\ncommission = "half"', "returns.commission: 'half' is not one of kept, pro_rata"),
        ("[premium]\nper_mille = -1", "premium.per_mille: a whole number from 0 to 1000 is needed, found -1"),
        ("[premium]\nper_mille = 0.5", "premium.per_mille: a whole number from 0 to 1000 is needed, found 0.5"),
        ("[score]\ninr = 101", "score.inr: a whole number from 0 to 100 is needed, found 101"),
        ("[score]\ninr = 16", "score: the points of uncompleted, inr, snad, description, service, logistics must be"),
        ("[score]\nworst_rating = 500", "score.worst_rating: a whole number from 100 to 499 is needed, found 500"),
        ("[score]\ngood = 90", "score: excellent must be above good, and good above passing"),
        ("[score]\nlong_window = 29", "score.long_window: at least the window of 30 days is needed"),
        ("[score]\ngraded_on = 29", "score.graded_on: a whole number from 1 to 28 is needed, found 29"),
        ("[score]\ncurve = 2", "score.curve: no such field"),
    ],
)
def test_a_fault_in_a_table_with_defaults_is_named_too(table, fault):
    (found,) = faults_of(written('[[rules]]\nname = "first"', f'{table}\n[[rules]]\nname = "first"'))
    assert found.startswith(fault)


@pytest.mark.parametrize("name", ["limits", "returns", "premium", "score"])
def test_a_table_with_defaults_that_is_none_is_a_fault(name):
    assert faults_of(f"{name} = 5\n{SMALL}") == [f"{name}: a table [{name}] is needed, found 5"]


def test_what_a_policy_does_not_say_has_its_default():
    policy = parse_policy(SMALL)
    assert (policy.limits, policy.returns, policy.premium, policy.score) == (Limits(), Returns(), 0, ScoreCurves())


def test_what_a_policy_says_is_what_stands_in_it():
    said = """
[limits]
per_dispute = "80.00"
over = "platform_pays"
backstop = "1000"
advance = "50.5"
[returns]
covered = "returnless"
commission = "pro_rata"
[premium]
per_mille = 12
[score]
inr = 10
snad = 20
least_orders = 5
[[rules]]
name = "first"
"""
    policy = parse_policy(written('[[rules]]\nname = "first"\n', said.lstrip()))
    assert policy.limits == Limits(per_dispute="80.00", backstop="1000", advance="50.5")
    assert policy.returns == Returns(commission="pro_rata")
    assert policy.premium == 12
    assert policy.score == ScoreCurves(inr=10, snad=20, least_orders=5)


def test_the_policy_that_ships_says_every_figure_of_the_score_as_the_record_has_it():
    assert SHIPPED.score == ScoreCurves()
    assert tomllib.loads(policy_text())["score"].keys() == set(ScoreCurves.__struct_fields__)


def test_what_is_not_toml_is_one_fault_with_its_line():
    (found,) = faults_of('version = "1"\ntitle = oops\n')
    assert re.match(r"not TOML: .*line 2", found)


def test_waits_may_be_given_in_business_days_and_countries_have_calendars() -> None:
    text = SMALL.replace('seller_answer = "5 d"', 'seller_answer = "3 bd"').replace(
        "[refunds]", '[calendars.BR]\nzone = "America/Sao_Paulo"\nholidays = [2026-09-07]\n[refunds]'
    )
    policy = parse_policy(text)
    assert policy.timers.seller_answer == Wait(count=3, unit="bd")
    assert policy.calendars["BR"].holidays == {date(2026, 9, 7)}


@pytest.mark.parametrize(
    ("calendars", "said"),
    [
        ("calendars = 5", "calendars: a table for each country"),
        ("[calendars]\nBR = 5", "calendars.BR: a table is needed"),
        ("[calendars.BR]\nzone = 'Mars'", "calendars.BR: zone: a time zone"),
        ("[calendars.brazil]\nzone = 'UTC'", "calendars.brazil: the country is two capital letters"),
        ("[calendars.BR]\nzone = 'UTC'\nsnack = 1", "calendars.BR: snack: no such field"),
    ],
)
def test_every_fault_of_a_calendar_is_named_with_its_country(calendars: str, said: str) -> None:
    text = f"{calendars}\n{SMALL}" if calendars.startswith("calendars") else f"{SMALL}\n{calendars}"
    with pytest.raises(PolicyError) as error:
        parse_policy(text)
    assert any(fault.startswith(said) for fault in error.value.faults)


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
