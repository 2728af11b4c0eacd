"""What the guarantee does for a store, in words: a page made from the policy, so that it is never about another one.

It is for sellers: they may know what the fund pays at most, but not the limits below which a claim is paid unseen.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from msgspec import Struct

from houbao.core.calendars import Span, Wait
from houbao.core.conditions import MONEY_FACTS, PRIVATE_FACTS, Condition
from houbao.core.money import decimal, minor_of
from houbao.core.policy import Policy, Returns, Rule, ScoreCurves
from houbao.core.programme import Mode


class Section(Struct, frozen=True):
    """A part of the page: its heading and its sentences."""

    title: str
    lines: tuple[str, ...]


def promise(policy: Policy, currency: str, mode: Mode) -> tuple[Section, ...]:
    """The page for the sellers of a programme in that currency, whose fund is filled in that way."""
    return (
        Section("Who fills the fund", _filled(policy, mode)),
        Section("How far the money goes", _money(policy, currency)),
        Section("What happens to a claim: the first that fits decides", _rules(policy, currency)),
        Section("How long each of us has, and what silence means", _times(policy)),
        Section("Returns", _returns(policy.returns)),
        Section("What counts in your record", _score(policy.score)),
    )


# --- money ---------------------------------------------------------------------------------------------------------

TAKEN_BACK = "What the fund has paid is never taken back from you, except where two people rule that there was fraud."


def _filled(policy: Policy, mode: Mode) -> tuple[str, ...]:
    match mode:
        case "capital":
            return "The platform fills it. The guarantee costs you nothing.", TAKEN_BACK
        case "premium":
            percent = f"{policy.premium // 10}.{policy.premium % 10}"
            return f"You do, by a premium of {percent} % of the price of every covered order.", TAKEN_BACK
        case "deposit":
            return ("You do: what the fund pays for your orders comes out of your own deposit.",)


def _money(policy: Policy, currency: str) -> tuple[str, ...]:
    limits = policy.limits
    backstop, advance = (_amount(text, currency) for text in (limits.backstop, limits.advance))
    return (
        _per_dispute(policy, currency),
        "Where the fund is short, refunds wait in the order of their approval; by itself the platform then adds up to"
        f" {backstop}.",
        f"Where you owe a refund and have too little with us, the platform advances up to {advance} for your store.",
        f"A refund that the payment provider refuses is tried up to {policy.attempts} times for each payment,"
        f" {_span(policy.retry)} apart.",
    )


def _per_dispute(policy: Policy, currency: str) -> str:
    limits = policy.limits
    if not limits.per_dispute:
        return "For a dispute that it covers the fund pays all that is found justified."
    most = f"The fund pays up to {_amount(limits.per_dispute, currency)} for one dispute"
    if limits.over == "platform_pays":
        return f"{most}; the platform pays what is above."
    return (
        f"{most}. What is found justified above that is yours: an official notice hands it over to you as a dispute of"
        f" its own, and you answer it within {_span(policy.timers.seller_answer)}. Where the platform was late, or an"
        " appeal gives the buyer more, the platform pays it."
    )


def _amount(text: str, currency: str) -> str:
    return f"{decimal(minor_of(text, currency), currency)} {currency}"


# --- rules ---------------------------------------------------------------------------------------------------------

CLASSES = {"INR": "not received", "SNAD": "not as described", "REMORSE": "a change of mind", "OTHER": "something else"}
FLAGS = {
    "paid": ("the order is paid", "the order is not paid"),
    "in_window": ("it comes inside the protection window", "it comes outside the protection window"),
    "open_on_lines": ("a dispute on the same lines is open", "no dispute on the same lines is open"),
    "ruled_on_lines": ("the same lines were ruled on before", "the same lines were never ruled on"),
    "covered": ("the order is covered", "the order is not covered"),
}
NAMES = {
    "reason": "the reason",
    "reason_class": "the kind of reason",
    "amount": "the amount asked",
    "refundable": "what can still be refunded",
    "categories": "the category of a line",
}
COMPARED = {
    "is": "is",
    "is_not": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "any_of": "is one of",
    "at_most": "is at most",
    "at_least": "is at least",
}
UNTOLD = "it passes checks that are kept from everybody who could play to them"


def _rules(policy: Policy, currency: str) -> tuple[str, ...]:
    return tuple(
        f"{number}. {rule.says} {_when(rule.when, currency)}: {_outcome(rule, policy)}."
        for number, rule in enumerate(policy.rules, 1)
    )


def _when(when: tuple[Condition, ...], currency: str) -> str:
    told = [condition_words(condition, currency) for condition in when if condition.fact not in PRIVATE_FACTS]
    if len(told) < len(when):
        told.append(UNTOLD)
    return f"When {_listed(told, 'and')}" if told else "In every other case"


def condition_words(condition: Condition, currency: str) -> str:
    """A condition on a fact that is not private, as a part of a sentence."""
    fact, comparison, value = condition.fact, condition.comparison, condition.value
    if fact in FLAGS:
        return FLAGS[fact][value is (comparison == "is_not")]
    if fact in MONEY_FACTS:
        return f"{NAMES[fact]} {COMPARED[comparison]} {_amount(value, currency)}"
    values = [_plain(fact, one) for one in value] if isinstance(value, list) else [_plain(fact, value)]
    return f"{NAMES[fact]} {COMPARED[comparison]} {_listed(values, 'or') or 'nothing'}"


def _plain(fact: str, value: str) -> str:
    return CLASSES.get(value, value) if fact == "reason_class" else value.replace("_", " ")


def _outcome(rule: Rule, policy: Policy) -> str:
    if rule.refuse:
        return "no dispute is opened"
    routes = {
        "verify": f"the platform looks into it, and the {rule.payer} pays what is justified",
        "instant": f"the {rule.payer} pays at once",
        "seller": f"you answer it within {_span(policy.timers.seller_answer)}, and pay what you owe the buyer",
        "return": "the goods come back to you, and you refund the buyer",
    }
    counts = "it never counts against you" if rule.fault == "exempt" else f"it counts as {CLASSES[rule.fault]}"
    return f"{routes[rule.route]}; {counts}"


# --- times ---------------------------------------------------------------------------------------------------------

TIMES = {
    "seller_answer": "You have {} to answer. Silent? The buyer's amount is refunded, and you pay it.",
    "buyer_answer": "The buyer has {} to take up your answer. Silent? Your offer is carried out; a rejection stands.",
    "reminders": "Whoever has time to answer is reminded {} before it ends.",
    "escalation": "What is not settled {} after your time first began is decided by the platform.",
    "verification": "The platform has {} to decide what is before it. Silent? The buyer's amount is refunded, you pay"
    " none of it, and it does not count.",
    "verification_alert": "After {} of them a senior agent is told.",
    "notice": "The official notice that hands a claim over to you must reach you within {}; your time begins when it"
    " has. Otherwise the platform pays.",
    "notice_alert": "After {} of them an agent is told.",
    "evidence": "Evidence that the platform asks for is waited for {}.",
    "return_shipping": "The buyer has {} to send goods back. Silent? The return has lapsed and you keep the money.",
    "return_scan": "Where a carrier has not scanned a return for {}, the platform decides.",
    "return_inspection": "You have {} to say what is wrong with a return that arrived. Silent? The refund goes out.",
    "replacement_shipping": "You have {} to send a replacement. Silent? The buyer's amount is refunded; you pay it.",
    "replacement_scan": "Where a replacement has not arrived {} after you sent it, the platform decides.",
    "replacement_trial": "The buyer has {} to say what is wrong with a replacement. Silent? The dispute is closed.",
    "appeal": "You and the buyer have {} after the end to appeal, once each; somebody else decides then.",
    "unclaimed": "A buyer whom no way can pay has {} to name another. Silent? What you paid comes back to you.",
    "funds": "When a refund has waited {} for money, the platform adds to the fund or advances what you lack.",
    "write_off": "What the platform advanced for you and you never paid back it may give up {} after the dispute.",
}
"""Timer → its sentence, in the order of the page."""


def _times(policy: Policy) -> tuple[str, ...]:
    window = (
        f"The buyer has {policy.window_days} days to open a dispute: after the delivery, or after the promised delivery"
        " where nothing came."
    )
    spans = {timer: _spans(getattr(policy.timers, timer)) for timer in TIMES}
    return (window, *(TIMES[timer].format(span) for timer, span in spans.items() if span))


def _spans(waits: Span | tuple[timedelta, ...]) -> str:
    return _listed([_span(wait) for wait in waits], "and") if isinstance(waits, tuple) else _span(waits)


def _span(wait: Span) -> str:
    if isinstance(wait, Wait):
        return f"{wait.count} business day{'s' * (wait.count != 1)}"
    hours = wait // timedelta(hours=1)
    count, unit = (hours // 24, "day") if hours % 24 == 0 and hours > 24 else (hours, "hour")
    return f"{count} {unit}{'s' * (count != 1)}"


# --- returns and the record ----------------------------------------------------------------------------------------


def _returns(returns: Returns) -> tuple[str, ...]:
    commission = {
        "kept": "The platform keeps its commission on what you refund.",
        "pro_rata": "You get the commission back on what you refund, in proportion.",
    }
    return "Where the fund pays, the buyer keeps the goods.", commission[returns.commission]


def _score(curves: ScoreCurves) -> tuple[str, ...]:
    c = curves
    return (
        "A dispute that the buyer withdraws leaves no trace in your record; one that is rejected costs no points; one"
        " that you settle by an offer counts.",
        f"Your service score has 100 points: {c.uncompleted} for deals that come about, {c.inr} for goods that arrive,"
        f" {c.snad} for goods as described, and from the buyers' ratings {c.description} for the description,"
        f" {c.service} for the service, {c.logistics} for the delivery.",
        f"The points of a rate are gone at {_percent(c.worst_rate)}, those of a rating at {_hundredths(c.worst_rating)}"
        " of 5; in between they go in a straight line.",
        f"It looks back {c.window} days, with fewer than {c.least_orders} orders in them {c.long_window} days; with"
        " fewer still there is no grade.",
        f"From {c.excellent} points on it is excellent, from {c.good} good, from {c.passing} a pass. A month is graded"
        f" on day {c.graded_on} of the next.",
        f"Your weight in the search is {_percent(c.weight_base)}, and {_percent(c.weight_of_point)} more for each"
        f" point; {_percent(c.weight_of_guarantee)} less for each dispute per 100 orders that the guarantee had to"
        f" settle, but never under {_percent(c.weight_floor)}.",
    )


def _percent(ten_thousandths: int) -> str:
    return f"{_hundredths(ten_thousandths)} %"


def _hundredths(count: int) -> str:
    return f"{count // 100}.{count % 100:02d}"


def _listed(words: Sequence[Any], last: str) -> str:
    *most, end = words or ("",)
    return f"{', '.join(most)} {last} {end}" if most else end
