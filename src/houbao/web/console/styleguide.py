"""The styleguide: every part of the console with invented content, to look at and to test."""

from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup
from msgspec import Struct

from houbao.web.console.deeds import Field
from houbao.web.console.language import N_, Voice
from houbao.web.console.shell import Trouble
from houbao.web.console.states import Chip


class Row(Struct, frozen=True):
    """One choice of a list."""

    label: Markup
    money: str
    score: str
    then: Markup
    money_head: Markup


CHIPS = (
    ("you", N_("Waits for you"), N_("The reader must act")),
    ("other", N_("Platform verifies"), N_("Somebody else must act")),
    ("good", N_("Refunded"), N_("It happened and it is good")),
    ("bad", N_("Failed"), N_("It happened and it is bad")),
    ("unknown", N_("Unknown"), N_("Neither paid nor failed until it is looked up")),
    ("none", N_("Withdrawn"), N_("Ended with nothing moved")),
    ("counted", N_("Counted as not received"), N_("Lowers the score")),
    ("pending", N_("Pending as not received"), N_("Lowers it while it is open")),
    ("exempt", N_("Exempt"), N_("Never touches the score")),
)
TOKENS = ("ink", "ink-2", "ink-3", "accent", "you", "other", "good", "bad", "unknown")
SIZES = ("text-1", "text-2", "text-3", "text-4", "text-5", "text-6")


def sample(voice: Voice) -> dict[str, Any]:
    """What the page `styleguide.html` shows."""
    now: datetime = voice.now
    balance = voice.say(N_("Your balance"))
    accept = Row(
        voice.say(N_("Accept %(amount)s"), amount=voice.money(2500, "EUR")),
        voice.change(20000, 17500, "EUR"),
        voice.say(N_("stays")),
        voice.say(N_("It is refunded from your balance, and the dispute is closed by agreement.")),
        balance,
    )
    idle = Row(
        voice.say(N_("Do nothing")),
        voice.change(20000, 17500, "EUR"),
        voice.say(N_("stays")),
        voice.say(N_("%(when)s: %(what)s"), when=voice.when(now + timedelta(hours=52)), what=voice.money(2500, "EUR")),
        balance,
    )
    return {
        "chips": [(Chip(look, voice.say(says)), voice.say(means)) for look, says, means in CHIPS],
        "tokens": TOKENS,
        "sizes": SIZES,
        "start": now - timedelta(hours=68),
        "due": now + timedelta(hours=52),
        "days": [now - timedelta(days=n) for n in range(4)],
        "accept": accept,
        "idle": idle,
        "amount": Field("amount", "money", N_("Amount you offer"), N_("Leave it out for a replacement.")),
        "note": Field("note", "text", N_("Message to the other side"), required=False),
        "remedy": Field(
            "remedy", "choice", N_("What you offer"), table="remedy", options=("refund", "replacement"), first="refund"
        ),
        "sample": Trouble(
            voice.say(N_("Your answer came too late.")),
            Markup(""),
            voice.say(N_("What follows stands below, with what you may still do.")),
            "answer_after_due",
        ),
    }
