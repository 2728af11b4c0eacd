"""The frame of a page: who reads it, where they are, what was just done or refused."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from markupsafe import Markup
from msgspec import Struct

from houbao.core.terms import Refused
from houbao.web.console.language import N_, Voice
from houbao.web.console.refusals import AMOUNTS, POSSIBLE, SAID, TITLES
from houbao.web.console.words import retell

NO_AMOUNTS: Mapping[str, str] = MappingProxyType({})


class Place(Struct, frozen=True):
    """One entry of the navigation. `icon` is one of `parts/blocks.html`; `says` a message."""

    name: str
    path: str
    icon: str
    says: str


class Spoken(Struct, frozen=True):
    """A place as its reader sees it, with how much waits there."""

    name: str
    path: str
    icon: str
    says: Markup
    count: int = 0


class Trouble(Struct, frozen=True):
    """A refusal as a reader sees it: what happened, what was found, what is possible now, and the stable code."""

    title: Markup
    detail: Markup
    possible: Markup
    code: str


class Shell(Struct, frozen=True, kw_only=True):
    """What `layout.html` needs. `at` is the place one is in; `csrf` the token of the session's forms."""

    path: str
    at: str = ""
    who: str = ""
    places: Sequence[Spoken] = ()
    csrf: str = ""
    theme: str = ""
    signed_in: bool = False
    account: bool = False
    sandbox: bool = False
    done: Markup = Markup("")
    refusal: Trouble | None = None


PLACES: dict[str, tuple[Place, ...]] = {
    "seller": (
        Place("inbox", "/inbox", "inbox", N_("Inbox")),
        Place("orders", "/orders", "orders", N_("Orders")),
        Place("records", "/records", "records", N_("Fund records")),
        Place("score", "/score", "score", N_("Score")),
        Place("guarantee", "/guarantee", "guarantee", N_("Guarantee")),
    ),
    "buyer": (
        Place("orders", "/orders", "orders", N_("My orders")),
        Place("disputes", "/disputes", "disputes", N_("My disputes")),
    ),
    "agent": (
        Place("verify", "/queue/verify", "verify", N_("Verify")),
        Place("judge", "/queue/judge", "judge", N_("Adjudicate")),
        Place("appeals", "/queue/appeals", "appeals", N_("Appeals")),
        Place("notices", "/queue/notices", "notices", N_("Notices")),
        Place("orders", "/orders", "orders", N_("Orders")),
    ),
    "finance": (
        Place("fund", "/fund", "fund", N_("Fund")),
        Place("refunds", "/refunds", "refunds", N_("Refunds")),
        Place("debts", "/debts", "debts", N_("Debts")),
        Place("policies", "/policies", "policies", N_("Policies")),
        Place("orders", "/orders", "orders", N_("Orders")),
    ),
    "admin": (
        Place("people", "/people", "people", N_("People")),
        Place("keys", "/keys", "keys", N_("API keys")),
        Place("webhooks", "/webhooks", "webhooks", N_("Webhooks")),
        Place("stores", "/stores", "guarantee", N_("Stores")),
        Place("outages", "/outages", "notices", N_("Outages")),
        Place("audit", "/audit", "search", N_("Audit")),
        Place("fund", "/fund", "fund", N_("Fund")),
        Place("policies", "/policies", "policies", N_("Policies")),
        Place("orders", "/orders", "orders", N_("Orders")),
    ),
}
"""Role → where it can go; the first is its home."""


def home_of(role: str) -> str:
    """Where somebody with that role begins."""
    return PLACES[role][0].path if role in PLACES else "/styleguide"


def places_of(voice: Voice, role: str, counts: dict[str, int]) -> list[Spoken]:
    """The navigation of a role; `counts` is place → how much waits there."""
    return [
        Spoken(place.name, place.path, place.icon, voice.say(place.says), counts.get(place.name, 0))
        for place in PLACES.get(role, ())
    ]


# --- refusals ------------------------------------------------------------------------------------------------------

LIMIT = N_("For one dispute the guarantee pays at most %(most)s here: let the platform bear it.")


def trouble(voice: Voice, refused: Refused, amounts: Mapping[str, str] = NO_AMOUNTS) -> Trouble:
    """A refusal in the reader's words. The detail is the domain's own sentence: in the reader's language where it can
    be said in it; else English, and shown where the reader reads English. `amounts` are those that the page knows, as
    money: they are told instead."""
    title = TITLES.get(refused.code, N_("That was refused."))
    possible = POSSIBLE.get(refused.code, N_("Nothing was sent, and nothing changed."))
    if refused.code == "failed":  # what it was is in the log alone
        return Trouble(voice.say(N_("A fault of ours.")), Markup(""), voice.say(possible), refused.code)
    if refused.code in AMOUNTS and amounts:
        return Trouble(voice.say(title), voice.say(AMOUNTS[refused.code], **amounts), voice.say(possible), refused.code)
    if refused.code == "bad_ruling" and "most" in refused.facts:
        most = voice.money(int(refused.facts["most"]), str(refused.facts["currency"]))
        return Trouble(voice.say(title), voice.say(LIMIT, most=most), voice.say(possible), refused.code)
    readable = voice.language == "en" or refused.code not in TITLES
    told = refused.said or (refused.detail if readable else "")
    detail = retell(voice, "" if refused.code in SAID else told)
    return Trouble(voice.say(title), _sentence(voice, detail), voice.say(possible), refused.code)


def _sentence(voice: Voice, text: Markup) -> Markup:
    begun = text[:1].upper() + text[1:] if voice.language != "zh-Hans" else text
    return voice.say(N_("%(sentence)s."), sentence=begun) if text and text[-1] not in ".!?。！？" else begun
