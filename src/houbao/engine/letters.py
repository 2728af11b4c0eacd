"""What a mail says: what happened, what it costs, until when, and what happens if nothing is done."""

from datetime import datetime

from msgspec import Struct, structs

from houbao.core.disputes import GOODWILL, Dispute
from houbao.core.effects import Effect
from houbao.core.orders import Order
from houbao.core.phases import default_outcome
from houbao.core.programme import WatchLifted, WatchSet
from houbao.core.refunds import Refund, recovered
from houbao.core.terms import REASONS, public_id, spelled
from houbao.engine.outside import Letter
from houbao.engine.paper import Words, as_html, as_text
from houbao.engine.sayings import (
    ABOUT,
    APPEALED,
    ASKED,
    FRAUD,
    HEARD,
    OFFERED,
    OUTCOME,
    PAID_BY,
    PARTY,
    RECORD,
    SAYINGS,
    SILENCE,
    SILENT,
    WATCHED_FOR,
    WHY_NOTHING,
)
from houbao.engine.speech import N_, Speech


class Reader(Struct, frozen=True):
    """Who reads a letter: address, language (BCP 47) and time zone. `console` is where the console is (its public URL);
    without it a letter has no button."""

    address: str
    language: str = ""
    zone: str = "UTC"
    console: str = ""


def write(
    effect: Effect,
    dispute: Dispute,
    order: Order,
    to: Reader,
    part: int,
    reference: str,
    due: datetime | None,
    reason: str = "",
) -> Letter:
    """The letter for a `mail`, `notice` or `alert` effect. `due` is when the turn that it speaks of ends; `reason` is
    why a ruling found the dispute out of scope."""
    speech = Speech(to.language, to.zone)
    words = _words(effect, dispute, speech, due, reason)
    number = public_id("dispute", part, dispute.id)
    asked = ABOUT if dispute.route == GOODWILL else ASKED
    values = {
        "order": order.reference,
        "reason": _reason(speech, dispute.reason),
        "amount": speech.money(dispute.amount, dispute.currency),
        "dispute": number,
    }
    words = structs.replace(words, about=speech.say(asked, **values))
    letter = _letter(to, words, speech, f"/disputes/{number}", reference)
    return structs.replace(letter, subject=f"{words.subject} ({order.reference})")


def of_watch(event: WatchSet | WatchLifted, to: Reader, reference: str) -> Letter:
    """The letter that tells a store that it is watched from now on and why, or no more."""
    speech = Speech(to.language, to.zone)
    saying = SAYINGS["watch_lifted" if isinstance(event, WatchLifted) else "watched"]
    why = "" if isinstance(event, WatchLifted) else _plain(speech, WATCHED_FOR, event.why)
    words = _said(speech, saying, {"since": speech.when(event.at), "why": why})
    return _letter(to, words, speech, "/guarantee", reference)


def _letter(to: Reader, words: Words, speech: Speech, path: str, reference: str) -> Letter:
    link = f"{to.console.rstrip('/')}{path}" if to.console else ""
    return Letter(
        to=to.address,
        subject=words.subject,
        body=as_text(words, link),
        reference=reference,
        html=as_html(words, link, speech.language),
        language=speech.language,
    )


def _said(speech: Speech, saying: Words, values: dict[str, str]) -> Words:
    """A saying of the table, said."""
    return Words(**{field: speech.say(getattr(saying, field), **values) for field in Words.__struct_fields__})


def _plain(speech: Speech, table: dict[str, str], code: str) -> str:
    """A code in words; a policy's own stays as it is, without underscores."""
    return speech.say(table[code]) if code in table else spelled(code)


def _reason(speech: Speech, reason: str) -> str:
    """Why a buyer complained, or somebody ruled so, in words; a policy's own as in `_plain`."""
    return speech.say(spelled(reason)) if reason in REASONS else spelled(reason)


def _words(effect: Effect, dispute: Dispute, speech: Speech, due: datetime | None, reason: str) -> Words:
    """A saying of the table with what it needs; its last sentence is the default outcome where it leaves that open."""
    name, to = _name(effect, dispute), effect.to
    values = {
        "amount": speech.money(dispute.amount, dispute.currency),
        "due": speech.when(due),
        "what": (effect.what or effect.kind).replace("_", " "),
        "reason": _reason(speech, reason) if reason else speech.say(N_("not stated")),
        "outcome": _plain(speech, OUTCOME, dispute.outcome),
    }
    match name:
        case "offered":
            values["offer"] = _offer(dispute, speech)
        case "appealed":
            appeal = dispute.appeals[-1]
            values |= {"party": speech.say(PARTY[appeal.party]), "about": speech.say(APPEALED[appeal.about])}
        case "goodwill_buyer" | "goodwill_seller":
            values["paid"] = speech.money(sum(refund.minor for refund in dispute.refunds), dispute.currency)
        case "send_back_labelled":
            assert dispute.parcel is not None
            values |= {"carrier": dispute.parcel.carrier, "tracking": dispute.parcel.tracking}
        case "recovered_buyer" | "recovered_seller":
            values["paid"] = speech.money(sum(map(recovered, dispute.refunds)), dispute.currency)
        case "closed":
            values["ended"] = "\n".join(
                filter(None, (_fraud(dispute, to, speech), _heard(dispute, speech), _ended(dispute, to, speech)))
            )
    words = _said(speech, SAYINGS[name], values)
    return structs.replace(words, then=_silence(dispute, speech)) if words.then == SILENT else words


def _name(effect: Effect, dispute: Dispute) -> str:
    """Which saying it is."""
    what = effect.what or effect.kind
    match what:
        case "notice" if dispute.excess_of:
            return "notice_of_excess"
        case "send_back" if dispute.parcel is not None and dispute.parcel.label == "sent":
            return "send_back_labelled"
        case "opened":
            return f"opened_{dispute.phase}" if f"opened_{dispute.phase}" in SAYINGS else "opened"
        case "your_turn":
            return "offered" if dispute.offer else "rejected"
        case "reopened":
            return "reopened" if dispute.phase == "awaiting_seller" else "reopened_elsewhere"
        case "thawed":
            return "thawed" if default_outcome(dispute) else "thawed_untimed"
    names = (what, f"{what}_{effect.to}", "alert")
    return next(name for name in names if name in SAYINGS)


def _silence(dispute: Dispute, speech: Speech) -> str:
    """What happens if nobody does anything."""
    return speech.say(SILENCE.get(default_outcome(dispute), N_("If nothing is done, nothing changes.")))


def _offer(dispute: Dispute, speech: Speech) -> str:
    offer = dispute.offer
    assert offer is not None
    return speech.say(OFFERED[offer.remedy], amount=speech.money(offer.amount, dispute.currency))


def _fraud(dispute: Dispute, to: str, speech: Speech) -> str:
    """Whose fraud it was ruled to be, for the seller, and for the buyer its own."""
    if not dispute.fraud or (to == "buyer" and dispute.fraud == "seller"):
        return ""
    return speech.say(FRAUD[dispute.fraud])


def _heard(dispute: Dispute, speech: Speech) -> str:
    """How the appeal ended, where there was one."""
    return speech.say(HEARD[dispute.appeals[-1].finding]) if dispute.appeals else ""


def _ended(dispute: Dispute, to: str, speech: Speech) -> str:
    """What became of the money, and for the seller whether it counts."""
    refunds = [refund for refund in dispute.refunds if refund.minor]
    told: list[str] = []
    if dispute.outcome not in ("refunded", "partially_refunded") or not refunds:
        told += [speech.say(WHY_NOTHING.get(dispute.outcome, ""))]
        told += [speech.say(N_("No money was moved."))] if dispute.outcome != "charged_back" else []
    else:
        paid = speech.money(sum(refund.minor for refund in refunds), dispute.currency)
        if to == "buyer":
            return speech.say(N_("%(paid)s was sent back to you."), paid=paid)
        told += [speech.say(N_("%(paid)s was refunded."), paid=paid)]
        told += dict.fromkeys(_paid_by(refund, speech) for refund in refunds)
    if to != "buyer":
        told.append(speech.say(RECORD[dispute.fault.state == "counted"]))
    return speech.join(told)


def _paid_by(refund: Refund, speech: Speech) -> str:
    if refund.payer in PAID_BY:
        return speech.say(PAID_BY[refund.payer])
    advanced = sum(minor for kind, minor in refund.legs if kind == "receivable")
    if not advanced:
        return speech.say(N_("It was taken from your balance."))
    message = N_("It was taken from your balance; the platform advanced %(owed)s of it, which you owe.")
    return speech.say(message, owed=speech.money(advanced, refund.currency))
