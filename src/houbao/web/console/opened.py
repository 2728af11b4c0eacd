"""What will happen to a claim, in steps, before its buyer sends it."""

from datetime import datetime

from markupsafe import Markup
from msgspec import Struct

from houbao.core.disputes import Dispute, due_at
from houbao.web.console.language import N_, Voice


class Step(Struct, frozen=True):
    """One thing that will or may happen: at a time, or under a condition that stands in its place."""

    at: datetime | None
    when: Markup
    title: Markup
    note: Markup
    sure: bool = False


def steps_of(voice: Voice, opened: Dispute) -> list[Step]:
    """What follows for a claim as it would be opened."""
    amount = voice.money(opened.amount, opened.currency)
    return STEPS[opened.route](voice, amount, due_at(opened)) if opened.route in STEPS else []


def _verify(voice: Voice, amount: str, due: datetime | None) -> list[Step]:
    return [
        _now(
            voice,
            N_("The platform looks into it"),
            N_("The seller does not have to agree. You have nothing to do; we write to you if something is missing."),
        ),
        _if(
            voice,
            N_("If it is confirmed"),
            N_("You get %(amount)s, at once"),
            N_("It goes back the way you paid. Your bank may take some days to show it."),
            amount,
        ),
        _if(
            voice, N_("If it is not"), N_("No refund, with the reason"), N_("You can ask another person to look again.")
        ),
        _at(voice, due, N_("No decision by then: you get %(amount)s"), N_("You need not do anything for it."), amount),
    ]


def _instant(voice: Voice, amount: str, due: datetime | None) -> list[Step]:
    note = N_("It goes back the way you paid. Your bank may take some days to show it.")
    return [_now(voice, N_("You get %(amount)s, at once"), note, amount)]


def _seller(voice: Voice, amount: str, due: datetime | None) -> list[Step]:
    return [
        _now(
            voice, N_("The seller is asked"), N_("They may refund it, offer something else, or say no with a reason.")
        ),
        _if(
            voice,
            N_("If they offer less"),
            N_("You choose"),
            N_("Accept, ask for another amount, withdraw, or let the platform decide."),
        ),
        _at(voice, due, N_("No answer by then: you get %(amount)s"), N_("You need not do anything for it."), amount),
    ]


def _return(voice: Voice, amount: str, due: datetime | None) -> list[Step]:
    return [
        _now(
            voice,
            N_("You send the goods back"),
            N_("You pay for sending them. Tell us carrier and tracking number when they are on their way."),
        ),
        _if(
            voice,
            N_("When they are back, intact"),
            N_("You get %(amount)s"),
            N_("It goes back the way you paid."),
            amount,
        ),
        _at(voice, due, N_("Not sent by then: it ends and you get nothing"), N_("You keep the goods.")),
    ]


STEPS = {"verify": _verify, "instant": _instant, "seller": _seller, "return": _return}


def _now(voice: Voice, title: str, note: str, amount: str = "") -> Step:
    return Step(None, voice.say(N_("Today")), voice.say(title, amount=amount), voice.say(note), sure=True)


def _if(voice: Voice, when: str, title: str, note: str, amount: str = "") -> Step:
    return Step(None, voice.say(when), voice.say(title, amount=amount), voice.say(note))


def _at(voice: Voice, due: datetime | None, title: str, note: str, amount: str = "") -> Step:
    return Step(due, Markup(""), voice.say(title, amount=amount), voice.say(note))
