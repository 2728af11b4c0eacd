"""Policies and facts to try: a small policy as text, and Hypothesis strategies for all facts and all policies."""

import re

from hypothesis import strategies as st
from msgspec import structs

from houbao.core.conditions import COUNT_FACTS, MONEY_FACTS, Condition, Facts
from houbao.core.conditions import FACTS as NAMES
from houbao.core.policy import Policy, Rule
from houbao.core.policy_file import parse_policy
from houbao.core.terms import REASONS
from houbao.shipped import policy_text

SHIPPED = parse_policy(policy_text())
LAST = Rule(name="last", when=(), says="Else.", route="seller", payer="seller", fault="OTHER")

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
appeal = "30 d"
unclaimed = "90 d"
funds = "3 d"
write_off = "90 d"
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


CATEGORIES = ("", "books", "perishables", "gift_cards")


def next_policy(version: str = "2026.2", **changed: str) -> str:
    """The shipped policy's text under another version, with the lines of those fields written otherwise."""
    text = policy_text().replace('version = "2026.1"', f'version = "{version}"')
    for name, value in changed.items():
        text, found = re.subn(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
        assert found == 1, name
    return text


COUNTS = st.sampled_from([0, 1, 199, 200, 1000])
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
    store_age_days=st.none() | COUNTS,
    store_completed_orders=st.none() | COUNTS,
    buyer_share=st.none() | COUNTS,
    exposure=st.none() | AMOUNTS,
    shared=st.none() | COUNTS,
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
        st.sampled_from(MONEY_FACTS),
        st.sampled_from(["at_most", "at_least"]),
        st.sampled_from(["0", "14.99", "15.00", "40"]),
    ),
    st.builds(Condition, st.sampled_from(COUNT_FACTS), st.sampled_from(["at_most", "at_least"]), COUNTS),
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


# --- facts that may be missing, and odd texts ------------------------------------------------------------------------


@st.composite
def forgetful(draw: st.DrawFn) -> Facts:
    """Facts of which any may be missing, also those that are always known today."""
    facts = draw(FACTS | LIKELY)
    missing = draw(st.sets(st.sampled_from([*NAMES]), max_size=3))
    return structs.replace(facts, **dict.fromkeys(missing))


MANY = st.lists(FACTS | LIKELY | forgetful(), min_size=1, max_size=12)

ODD = ["", " ", "'", "''", "it's", '"', "\\", "\\'", "%", "?", "$1", "--", "/*", "NULL", "\0", "\n", "ß", "SS"]
ODD += ["é", "e\u0301", "😀", "\u2028", "\ufeff", "\u202e", "'); DROP TABLE facts; --"]
ODD_TEXTS = st.sampled_from(ODD) | st.text(max_size=3)
TEXT_FACTS = ["reason", "reason_class", "buyer_standing", "store_watch"]
ABOUT_TEXTS = st.one_of(
    st.builds(Condition, st.sampled_from(TEXT_FACTS), st.sampled_from(["is", "is_not"]), ODD_TEXTS),
    st.builds(
        Condition, st.sampled_from(TEXT_FACTS), st.sampled_from(["in", "not_in"]), st.lists(ODD_TEXTS, max_size=3)
    ),
    st.builds(Condition, st.just("categories"), st.just("any_of"), st.lists(ODD_TEXTS, max_size=3)),
)


@st.composite
def texts_and_rules(draw: st.DrawFn) -> tuple[Policy, list[Facts]]:
    """Rules on odd texts, under odd names, and facts that are made of the same texts."""
    wheres = draw(st.lists(st.lists(ABOUT_TEXTS, min_size=1, max_size=2).map(tuple), min_size=1, max_size=5))
    names = draw(st.lists(ODD_TEXTS, min_size=len(wheres), max_size=len(wheres), unique=True))
    rules = [structs.replace(LAST, name=name, when=when) for name, when in zip(names, wheres, strict=True)]
    written = [text for when in wheres for c in when for text in (c.value if isinstance(c.value, list) else [c.value])]
    texts = st.none() | st.sampled_from([*written, *ODD])
    plain = Facts(reason="", reason_class="", paid=True, in_window=True)
    lists = st.none() | st.lists(texts.filter(lambda text: text is not None), max_size=3).map(tuple)
    facts = st.fixed_dictionaries({**dict.fromkeys(TEXT_FACTS, texts), "categories": lists})
    asked = draw(st.lists(facts.map(lambda changed: structs.replace(plain, **changed)), min_size=1, max_size=8))
    return structs.replace(SHIPPED, rules=(*rules, LAST)), asked
