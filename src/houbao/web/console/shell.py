"""The frame of a page: who reads it, where they are, what was just done or refused."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from markupsafe import Markup
from msgspec import Struct

from houbao.core.terms import Refused
from houbao.web.console.language import N_, Voice

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
    detail: str
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

TITLES = {
    "answer_after_due": N_("Your answer came too late."),
    "not_now": N_("That is not possible any more."),
    "stale": N_("Something happened here while you were reading."),
    "frozen": N_("The dispute stands still."),
    "claimed": N_("Somebody else is on it."),
    "bad_amount": N_("That is not an amount."),
    "amount_above_claim": N_("That is more than the buyer asks for."),
    "amount_above_refundable": N_("That is more than can be refunded."),
    "offer_is_claim": N_("That is what the buyer asks for."),
    "claim_unchanged": N_("That is what you ask for already."),
    "no_text": N_("There are no words yet."),
    "text_too_long": N_("That is too long."),
    "payable_short": N_("Your balance is too small for that."),
    "outside_window": N_("The time to open a dispute is not now."),
    "dispute_open": N_("A dispute is open on this already."),
    "already_ruled": N_("This was decided before."),
    "nothing_left": N_("Nothing is left to refund."),
    "not_paid": N_("The order is not paid."),
    "appeal_too_late": N_("The time to appeal is over."),
    "appealed_before": N_("You appealed once already."),
    "final_ruling": N_("That ruling is final."),
    "nothing_to_appeal": N_("There is nothing to appeal in that."),
    "not_permitted": N_("You may not do that."),
    "not_yours": N_("That belongs to somebody else."),
    "unknown_dispute": N_("There is no such dispute here."),
    "unknown_order": N_("There is no such order here."),
    "unknown_store": N_("There is no such store here."),
    "unknown_entry": N_("There is no such entry here."),
    "not_found": N_("There is no such page here."),
    "bad_id": N_("There is no such page here."),
    "bad_form": N_("This form is too old."),
    "bad_request": N_("Something is not chosen yet."),
    "bad_reference": N_("That cannot be written so."),
    "bad_words": N_("That cannot be written so."),
    "bad_image": N_("That is not a photograph we can read."),
    "image_too_large": N_("That photograph is too large."),
    "bad_evidence": N_("No photograph was chosen, or too many."),
    "too_many_uploads": N_("That were many photographs in a short time."),
    "too_large": N_("That is too much at once."),
    "overloaded": N_("Too many people at once."),
    "already_enrolled": N_("The store is in the guarantee already."),
    "not_enrolled": N_("The store is not in the guarantee."),
    "same_agent": N_("You ruled on it before: another agent decides the appeal."),
    "same_person": N_("You signed or proposed it: it takes another person."),
    "bad_ruling": N_("That cannot be ruled so."),
    "refund_in_flight": N_("A refund is on its way: wait for the provider’s answer."),
    "not_claimed": N_("Nobody has it."),
    "not_proposed": N_("Nobody proposed a ruling of fraud."),
    "nothing_owed": N_("Nothing is owed here."),
    "not_yet": N_("It is too early for that."),
    "refund_waits": N_("The refund waits for money in the fund."),
    "no_refund": N_("Nothing of that refund is left to settle."),
    "unknown_provider": N_("There is no such provider."),
    "sign_in_failed": N_("That did not match."),
    "webhook_ended": N_("That webhook is told no more."),
    "not_watched": N_("That store is not under watch."),
    "bad_outage": N_("That is no outage."),
    "bad_line": N_("That is no line."),
    "no_record": N_("There is nothing to score yet."),
    "version_taken": N_("That version has another text already."),
    "backdated": N_("That time is over."),
    "out_of_order": N_("The last version starts later than that."),
    "bad_time": N_("That is not a time."),
    "unknown_programme": N_("There is no such programme."),
    "bad_file": N_("That file cannot be compared."),
    "bad_url": N_("That is no address that can be told."),
    "unknown_webhook": N_("There is no such webhook here."),
    "unknown_delivery": N_("There is no such delivery here."),
    "key_reused": N_("That form was sent before, with something else in it."),
}

POSSIBLE = {
    "answer_after_due": N_("What follows stands below, with what you may still do."),
    "not_now": N_("What you may do now stands below."),
    "stale": N_("Nothing was sent. Read what is new below, then decide again."),
    "bad_form": N_("Nothing was sent. Load the page again and send it once more."),
    "not_found": N_("Check the address."),
    "bad_id": N_("Check the address."),
    "unknown_dispute": N_("Check its id."),
    "unknown_order": N_("Check its id."),
    "unknown_store": N_("Check its id."),
    "overloaded": N_("Nothing was sent. Try again in a second."),
    "sign_in_failed": N_("Try again; after five times the account rests for 15 minutes."),
    "outside_window": N_("Write to the seller instead."),
    "version_taken": N_("Nothing was kept. Give the text another version, and check it again."),
    "backdated": N_("Nothing was kept. Give a time that is still to come, or none for now."),
    "out_of_order": N_("Nothing was kept. Give a time after the start of the last version, and check it again."),
    "bad_file": N_("Give the file as it was downloaded, and choose whose it is. Nothing was booked."),
    "bad_url": N_("Write a full address that begins with https://, without a name or password in it."),
    "key_reused": N_("What was made then stands in the list. Load the page again to make another."),
}


SAID = ("dispute_open", "outside_window")
"""Codes whose title says all: the detail would say it twice."""

AMOUNTS = {
    "amount_above_claim": N_("The buyer asks for %(asked)s, and you typed %(typed)s."),
    "amount_above_refundable": N_("%(left)s can still be refunded, and you typed %(typed)s."),
    "payable_short": N_("Your free balance is %(free)s, and you typed %(typed)s. Refunds that wait for it come first."),
    "claim_unchanged": N_("You ask for %(asked)s."),
    "offer_is_claim": N_("The buyer asks for %(asked)s: accept it."),
}
"""Code → what is said of the amounts, where the page knows them."""


def trouble(voice: Voice, refused: Refused, amounts: Mapping[str, str] = NO_AMOUNTS) -> Trouble:
    """A refusal in the reader's words. The detail is the domain's own sentence; it is English, and shown where the
    reader reads English. `amounts` are those that the page knows, as money: they are told instead."""
    title = TITLES.get(refused.code, N_("That was refused."))
    possible = POSSIBLE.get(refused.code, N_("Nothing was sent, and nothing changed."))
    if refused.code == "failed":  # what it was is in the log alone
        return Trouble(voice.say(N_("A fault of ours.")), "", voice.say(possible), refused.code)
    if refused.code in AMOUNTS and amounts:
        return Trouble(voice.say(title), voice.say(AMOUNTS[refused.code], **amounts), voice.say(possible), refused.code)
    told = (voice.language == "en" and refused.code not in SAID) or refused.code not in TITLES
    detail = refused.detail if told else ""
    return Trouble(voice.say(title), _sentence(detail), voice.say(possible), refused.code)


def _sentence(text: str) -> str:
    ends = "" if not text or text[-1] in ".!?" else "."
    return text[:1].upper() + text[1:] + ends
