"""What the policy's rules may look at, and how: facts, and conditions (fact, comparison, value) on them."""

import operator
import re
from collections.abc import Callable
from typing import Any, get_type_hints

from msgspec import Struct

from houbao.core.said import Said
from houbao.core.terms import REASONS


class Facts(Struct, frozen=True, kw_only=True, array_like=True, omit_defaults=True, gc=False):
    """What the rules may look at; kept with the dispute, so that its reasons can be told again at any time. New facts
    are added at the end. Amounts are minor units; `instant_sum` is what this buyer got by the instant route
    from all stores in the last 30 days, this claim included; `buyer_share` is this buyer's part of the store's
    disputes, in thousandths; `exposure` is what the fund paid for the store in the last 30 days; `shared` counts what
    of address, device and photo the store and its buyers share. None: not known, and then no condition on it holds."""

    reason: str
    reason_class: str
    paid: bool
    in_window: bool
    open_on_lines: bool = False
    ruled_on_lines: bool = False
    amount: int = 0
    refundable: int = 0
    covered: bool = False
    categories: tuple[str, ...] = ()
    evidence: bool = False
    instant_sum: int | None = None
    buyer_standing: str | None = None
    store_watch: str | None = None
    store_age_days: int | None = None
    store_completed_orders: int | None = None
    buyer_share: int | None = None
    exposure: int | None = None
    shared: int | None = None


FACTS: dict[str, Any] = get_type_hints(Facts)
MONEY_FACTS = ("amount", "refundable", "instant_sum", "exposure")
COUNT_FACTS = ("store_age_days", "store_completed_orders", "buyer_share", "shared")
PRIVATE_FACTS = ("instant_sum", "buyer_standing", "store_watch", "evidence", *COUNT_FACTS, "exposure")
"""Facts whose limits could be gamed: a buyer's explanation names the rule, never these figures."""

KNOWN_VALUES = {"reason": tuple(REASONS), "reason_class": ("INR", "SNAD", "REMORSE", "OTHER")}
"""Facts of which every value is known: another one in a policy is a slip of the pen."""

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "is": operator.eq,
    "is_not": operator.ne,
    "in": lambda found, value: found in value,
    "not_in": lambda found, value: found not in value,
    "at_most": operator.le,
    "at_least": operator.ge,
    "any_of": lambda found, value: not value.isdisjoint(found),
}


class Condition(Struct, frozen=True, array_like=True):
    """One condition as written: [fact, comparison, value]."""

    fact: str
    comparison: str
    value: Any


def condition_fault(condition: Condition) -> Said | None:
    """What is wrong with a condition; None where it can be used."""
    fact, comparison, value = condition.fact, condition.comparison, condition.value
    if fact not in FACTS:
        return Said("no fact %(fact)s; the facts are %(known)s", fact=repr(fact), known=tuple(sorted(FACTS)))
    if comparison not in COMPARISONS:
        known = tuple(COMPARISONS)
        return Said("no comparison %(comparison)s; there are %(known)s", comparison=repr(comparison), known=known)
    is_list, is_figure = fact == "categories", fact in MONEY_FACTS or fact in COUNT_FACTS
    if is_list != (comparison == "any_of") or is_figure != (comparison in ("at_most", "at_least")):
        return Said("%(fact)s cannot be compared by %(comparison)s", fact=repr(fact), comparison=repr(comparison))
    needed = _needed(fact, comparison, value)
    if needed is None:
        return None
    return Said("%(fact)s needs %(needed)s, found %(found)s", fact=repr(fact), needed=needed, found=repr(value))


def _needed(fact: str, comparison: str, value: Any) -> Said | None:
    """What the condition's value should have been; None where it is that."""
    is_flag = FACTS[fact] is bool
    if comparison in ("in", "not_in", "any_of"):
        good, needed = _is_texts(value) and not is_flag, Said("a list of texts")
    elif fact in MONEY_FACTS:
        good, needed = is_amount(value), Said('an amount such as "15.00"')
    elif fact in COUNT_FACTS:
        good, needed = is_count(value), Said("a whole number from 0")
    elif is_flag:
        good, needed = isinstance(value, bool), Said("true or false")
    else:
        good, needed = isinstance(value, str), Said("a text")
    known = KNOWN_VALUES.get(fact)
    if good and known:
        wanted = value if isinstance(value, list) else [value]
        good, needed = all(one in known for one in wanted), Said("one of %(known)s", known=tuple(known))
    return None if good else needed


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def is_amount(value: Any) -> bool:
    """Whether it is an amount as a policy writes it: a decimal text, not negative."""
    return isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,4})?", value, re.ASCII) is not None


def is_count(value: Any) -> bool:
    """Whether it is a whole number from 0 to 10^9."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9
