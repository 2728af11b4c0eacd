"""What the guarantee does for a store, in words: a page made from the policy, so that it is never about another one.

It is for sellers: they may know what the fund pays at most, but not the limits below which a claim is paid unseen.
Sentences are messages with `%(name)s` to be filled in; whoever says them in another language gives another `say`.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

from msgspec import Struct

from houbao.core.calendars import Span, Wait
from houbao.core.conditions import MONEY_FACTS, PRIVATE_FACTS, Condition
from houbao.core.money import decimal, minor_of
from houbao.core.policy import Policy, Returns, Rule, ScoreCurves
from houbao.core.programme import Mode
from houbao.core.terms import spelled

Say = Callable[..., str]
"""Says a message with its values filled in: `say("%(n)s days", n="5")`."""

Money = Callable[[int, str], str]
"""Writes an amount (minor units, currency) as its reader is used to."""


class Section(Struct, frozen=True):
    """A part of the page: its heading and its sentences."""

    title: str
    lines: tuple[str, ...]


def message(text: str) -> str:
    """Marks a message that stands in a table and is said later."""
    return text


def english(text: str, **values: str) -> str:
    """A message as it is written here."""
    return text % values


def plain(minor: int, currency: str) -> str:
    """An amount as texts write it: 25.00 EUR."""
    return f"{decimal(minor, currency)} {currency}"


def promise(policy: Policy, currency: str, mode: Mode, say: Say = english, money: Money = plain) -> tuple[Section, ...]:
    """The page for the sellers of a programme in that currency, whose fund is filled in that way."""
    return (
        Section(say("Who fills the fund"), _filled(policy, mode, say)),
        Section(say("How far the money goes"), _money(policy, currency, say, money)),
        Section(say("What happens to a claim: the first that fits decides"), _rules(policy, currency, say, money)),
        Section(say("How long each of us has, and what silence means"), _times(policy, say)),
        Section(say("Returns"), _returns(policy.returns, say)),
        Section(say("What counts in your record"), _score(policy.score, say)),
    )


# --- money ---------------------------------------------------------------------------------------------------------

TAKEN_BACK = message(
    "What the fund has paid is never taken back from you, except where two people rule that there was fraud."
)


def _filled(policy: Policy, mode: Mode, say: Say) -> tuple[str, ...]:
    match mode:
        case "capital":
            return say("The platform fills it. The guarantee costs you nothing."), say(TAKEN_BACK)
        case "premium":
            share = say(POINT, whole=str(policy.premium // 10), part=str(policy.premium % 10))
            paid = say(
                "You do, by a premium of %(percent)s of the price of every covered order.",
                percent=say(PERCENT, share=share),
            )
            return paid, say(TAKEN_BACK)
        case "deposit":
            return (say("You do: what the fund pays for your orders comes out of your own deposit."),)


def _money(policy: Policy, currency: str, say: Say, money: Money) -> tuple[str, ...]:
    limits = policy.limits
    backstop, advance = (money(minor_of(text, currency), currency) for text in (limits.backstop, limits.advance))
    return (
        _per_dispute(policy, currency, say, money),
        say(
            "Where the fund is short, refunds wait in the order of their approval; by itself the platform then adds up"
            " to %(backstop)s.",
            backstop=backstop,
        ),
        say(
            "Where you owe a refund and have too little with us, the platform advances up to %(advance)s for your"
            " store.",
            advance=advance,
        ),
        say(
            "A refund that the payment provider refuses is tried up to %(attempts)s times for each payment, %(span)s"
            " apart.",
            attempts=str(policy.attempts),
            span=_span(policy.retry, say),
        ),
    )


def _per_dispute(policy: Policy, currency: str, say: Say, money: Money) -> str:
    limits = policy.limits
    if not limits.per_dispute:
        return say("For a dispute that it covers the fund pays all that is found justified.")
    most = money(minor_of(limits.per_dispute, currency), currency)
    if limits.over == "platform_pays":
        return say("The fund pays up to %(most)s for one dispute; the platform pays what is above.", most=most)
    return say(
        "The fund pays up to %(most)s for one dispute. What is found justified above that is yours: an official notice"
        " hands it over to you as a dispute of its own, and you answer it within %(span)s. Where the platform was late,"
        " or an appeal gives the buyer more, the platform pays it.",
        most=most,
        span=_span(policy.timers.seller_answer, say),
    )


# --- rules ---------------------------------------------------------------------------------------------------------

CLASSES = {
    "INR": message("not received"),
    "SNAD": message("not as described"),
    "REMORSE": message("a change of mind"),
    "OTHER": message("something else"),
}
FLAGS = {
    "paid": (message("the order is paid"), message("the order is not paid")),
    "in_window": (
        message("it comes inside the protection window"),
        message("it comes outside the protection window"),
    ),
    "open_on_lines": (
        message("a dispute on the same lines is open"),
        message("no dispute on the same lines is open"),
    ),
    "ruled_on_lines": (
        message("the same lines were ruled on before"),
        message("the same lines were never ruled on"),
    ),
    "covered": (message("the order is covered"), message("the order is not covered")),
}
NAMES = {
    "reason": message("the reason"),
    "reason_class": message("the kind of reason"),
    "amount": message("the amount asked"),
    "refundable": message("what can still be refunded"),
    "categories": message("the category of a line"),
}
COMPARED = {
    "is": message("%(fact)s is %(value)s"),
    "is_not": message("%(fact)s is not %(value)s"),
    "in": message("%(fact)s is one of %(value)s"),
    "not_in": message("%(fact)s is none of %(value)s"),
    "any_of": message("%(fact)s is one of %(value)s"),
    "at_most": message("%(fact)s is at most %(value)s"),
    "at_least": message("%(fact)s is at least %(value)s"),
}
UNTOLD = message("it passes checks that are kept from everybody who could play to them")


def _rules(policy: Policy, currency: str, say: Say, money: Money) -> tuple[str, ...]:
    return tuple(
        say(
            "%(number)s. %(says)s %(when)s: %(outcome)s.",
            number=str(number),
            says=says(rule, say),
            when=_when(rule.when, currency, say, money),
            outcome=_outcome(rule, policy, say),
        )
        for number, rule in enumerate(policy.rules, 1)
    )


def says(rule: Rule, say: Say) -> str:
    """What the policy itself says of a rule; those of the policy that ships are messages too."""
    return say(rule.says.replace("%", "%%"))


def _when(when: tuple[Condition, ...], currency: str, say: Say, money: Money) -> str:
    told = [condition_words(one, currency, say, money) for one in when if one.fact not in PRIVATE_FACTS]
    if len(told) < len(when):
        told.append(say(UNTOLD))
    if not told:
        return say("In every other case")
    return say("When %(conditions)s", conditions=_listed(told, BOTH, say))


def condition_words(condition: Condition, currency: str, say: Say = english, money: Money = plain) -> str:
    """A condition on a fact that is not private, as a part of a sentence."""
    fact, comparison, value = condition.fact, condition.comparison, condition.value
    if fact in FLAGS:
        return say(FLAGS[fact][value is (comparison == "is_not")])
    if fact in MONEY_FACTS:
        return say(COMPARED[comparison], fact=say(NAMES[fact]), value=money(minor_of(value, currency), currency))
    values = [_plain(fact, one, say) for one in value] if isinstance(value, list) else [_plain(fact, value, say)]
    told = _listed(values, OR, say) or say("nothing")
    return say(COMPARED[comparison], fact=say(NAMES[fact]), value=told)


def _plain(fact: str, value: str, say: Say) -> str:
    """A reason, or a policy's own word, such as a category; those of the policy that ships are messages too."""
    if fact == "reason_class" and value in CLASSES:
        return say(CLASSES[value])
    return say(spelled(value).replace("%", "%%"))


PAYERS = {"fund": message("the fund"), "seller": message("the seller"), "platform": message("the platform")}


def _outcome(rule: Rule, policy: Policy, say: Say) -> str:
    if rule.refuse:
        return say("no dispute is opened")
    payer = say(PAYERS.get(rule.payer, rule.payer))
    answer = _span(policy.timers.seller_answer, say)
    routes = {
        "verify": say("the platform looks into it, and %(payer)s pays what is justified", payer=payer),
        "instant": say("%(payer)s pays at once", payer=payer),
        "seller": say("you answer it within %(span)s, and pay what you owe the buyer", span=answer),
        "return": say("the goods come back to you, and you refund the buyer"),
    }
    if rule.fault == "exempt":
        return say("%(route)s; it never counts against you", route=routes[rule.route])
    return say("%(route)s; it counts as %(kind)s", route=routes[rule.route], kind=say(CLASSES[rule.fault]))


# --- times ---------------------------------------------------------------------------------------------------------

TIMES = {
    "seller_answer": message("You have %(span)s to answer. Silent? The buyer's amount is refunded, and you pay it."),
    "buyer_answer": message(
        "The buyer has %(span)s to take up your answer. Silent? Your offer is carried out; a rejection stands."
    ),
    "reminders": message("Whoever has time to answer is reminded %(span)s before it ends."),
    "escalation": message("What is not settled %(span)s after your time first began is decided by the platform."),
    "verification": message(
        "The platform has %(span)s to decide what is before it. Silent? The buyer's amount is refunded, you"
        " pay none of it, and it does not count."
    ),
    "verification_alert": message("After %(span)s of them a senior agent is told."),
    "notice": message(
        "The official notice that hands a claim over to you must reach you within %(span)s; your time begins"
        " when it has. Otherwise the platform pays."
    ),
    "notice_alert": message("After %(span)s of them an agent is told."),
    "evidence": message("Evidence that the platform asks for is waited for %(span)s."),
    "return_shipping": message(
        "The buyer has %(span)s to send goods back. Silent? The return has lapsed and you keep the money."
    ),
    "return_scan": message("Where a carrier has not scanned a return for %(span)s, the platform decides."),
    "return_inspection": message(
        "You have %(span)s to say what is wrong with a return that arrived. Silent? The refund goes out."
    ),
    "replacement_shipping": message(
        "You have %(span)s to send a replacement. Silent? The buyer's amount is refunded; you pay it."
    ),
    "replacement_scan": message(
        "Where a replacement has not arrived %(span)s after you sent it, the platform decides."
    ),
    "replacement_trial": message(
        "The buyer has %(span)s to say what is wrong with a replacement. Silent? The dispute is closed."
    ),
    "appeal": message(
        "You and the buyer have %(span)s after the end to appeal, once each; somebody else decides then."
    ),
    "unclaimed": message(
        "A buyer whom no way can pay has %(span)s to name another. Silent? What you paid comes back to you."
    ),
    "funds": message(
        "When a refund has waited %(span)s for money, the platform adds to the fund or advances what you lack."
    ),
    "write_off": message(
        "What the platform advanced for you and you never paid back it may give up %(span)s after the dispute."
    ),
}
"""Timer → its sentence, in the order of the page."""


def _times(policy: Policy, say: Say) -> tuple[str, ...]:
    window = say(
        "The buyer has %(days)s days to open a dispute: after the delivery, or after the promised delivery where"
        " nothing came.",
        days=str(policy.window_days),
    )
    spans = {timer: _spans(getattr(policy.timers, timer), say) for timer in TIMES}
    return (window, *(say(TIMES[timer], span=span) for timer, span in spans.items() if span))


def _spans(waits: Span | tuple[timedelta, ...], say: Say) -> str:
    return _listed([_span(wait, say) for wait in waits], AND, say) if isinstance(waits, tuple) else _span(waits, say)


SPANS = {
    "business": (message("%(n)s business day"), message("%(n)s business days")),
    "day": (message("%(n)s day"), message("%(n)s days")),
    "hour": (message("%(n)s hour"), message("%(n)s hours")),
}


def _span(wait: Span, say: Say) -> str:
    if isinstance(wait, Wait):
        count, unit = wait.count, "business"
    else:
        hours = wait // timedelta(hours=1)
        count, unit = (hours // 24, "day") if hours % 24 == 0 and hours > 24 else (hours, "hour")
    return say(SPANS[unit][count != 1], n=str(count))


# --- returns and the record ----------------------------------------------------------------------------------------


def _returns(returns: Returns, say: Say) -> tuple[str, ...]:
    commission = {
        "kept": say("The platform keeps its commission on what you refund."),
        "pro_rata": say("You get the commission back on what you refund, in proportion."),
    }
    goods = {
        "returnless": say("Where the fund pays, the buyer keeps the goods."),
        "platform_label": say(
            "Where the fund pays, the buyer sends the goods to the platform, with a label of the platform's and at the"
            " fund's cost, unless the buyer may keep them; what is paid at once is kept."
        ),
    }
    return goods[returns.covered], commission[returns.commission]


def _score(curves: ScoreCurves, say: Say) -> tuple[str, ...]:
    figures = {name: str(getattr(curves, name)) for name in curves.__struct_fields__}
    shares = ("worst_rate", "weight_base", "weight_of_point", "weight_of_guarantee", "weight_floor")
    figures |= {name: say(PERCENT, share=_hundredths(getattr(curves, name), say)) for name in shares}
    figures["worst_rating"] = _hundredths(curves.worst_rating, say)
    told = (
        message(
            "A dispute that the buyer withdraws leaves no trace in your record; one that is rejected costs no points;"
            " one that you settle by an offer counts."
        ),
        message(
            "Your service score has 100 points: %(uncompleted)s for deals that come about, %(inr)s for goods that"
            " arrive, %(snad)s for goods as described, and from the buyers' ratings %(description)s for the"
            " description, %(service)s for the service, %(logistics)s for the delivery."
        ),
        message(
            "The points of a rate are gone at %(worst_rate)s, those of a rating at %(worst_rating)s of 5; in between"
            " they go in a straight line."
        ),
        message(
            "It looks back %(window)s days, with fewer than %(least_orders)s orders in them %(long_window)s days; with"
            " fewer still there is no grade."
        ),
        message(
            "From %(excellent)s points on it is excellent, from %(good)s good, from %(passing)s a pass. A month is"
            " graded on day %(graded_on)s of the next."
        ),
        message(
            "Your weight in the search is %(weight_base)s, and %(weight_of_point)s more for each point;"
            " %(weight_of_guarantee)s less for each dispute per 100 orders that the guarantee had to settle, but never"
            " under %(weight_floor)s."
        ),
    )
    return tuple(say(one, **figures) for one in told)


def _hundredths(count: int, say: Say) -> str:
    return say(POINT, whole=str(count // 100), part=str(count % 100).zfill(2))


PERCENT, POINT = message("%(share)s %%"), message("%(whole)s.%(part)s")
AND, OR = message("%(most)s and %(end)s"), message("%(most)s or %(end)s")
BOTH = message("%(most)s, and %(end)s")
"""Joins whole conditions."""


def _listed(words: Sequence[str], last: str, say: Say) -> str:
    *most, end = words or ("",)
    return say(last, most=say(", ").join(most), end=end) if most else end
