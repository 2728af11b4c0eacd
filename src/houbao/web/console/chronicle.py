"""What happened in a dispute, event by event, in the reader's words: a title without a subject, who, and what follows
from it. What is only for the platform's own people is `None` for the others."""

from collections.abc import Callable
from typing import Any

from markupsafe import Markup
from msgspec import Struct

from houbao.core import disputes as d
from houbao.core import refunds as r
from houbao.core import returns as g
from houbao.core.accounts import AVAILABLE
from houbao.core.recoveries import MoneyRecovered
from houbao.core.shortfalls import DebtWrittenOff, WriteOffProposed
from houbao.core.terms import id_in, role_of
from houbao.telling import UNSIGNED
from houbao.web.console.language import N_, Voice
from houbao.web.console.words import low, offered, word


class Told(Struct, frozen=True):
    """One entry of a timeline. `look`: money, paper, or nothing; `who` is a role, empty where nobody acted."""

    title: Markup
    note: Markup = Markup("")
    look: str = ""
    who: str = ""


STAFF = ("agent", "finance", "admin", "platform")
HIDDEN_FROM_PARTIES = (
    *UNSIGNED,
    d.CaseClaimed,
    d.CaseReleased,
    r.RefundContradicted,
    r.RefundSettled,
)
HIDDEN_FROM_BUYERS = (d.FundingChanged, r.FundsReserved, r.FundsAwaited, DebtWrittenOff, d.NoticeServed, d.NoticeFailed)


def tell(voice: Voice, event: Any, role: str, currency: str) -> Told | None:
    """The event for that reader; None where it is not theirs to see."""
    if role not in STAFF and isinstance(event, HIDDEN_FROM_PARTIES):
        return None
    if role == "buyer" and isinstance(event, HIDDEN_FROM_BUYERS):
        return None
    told = TELLERS[type(event)](voice, event, role, currency)
    return told and Told(told.title, told.note, told.look, _actor(event))


def _actor(event: Any) -> str:
    who = role_of(event.by)
    return "" if who == "system" else who


Teller = Callable[[Voice, Any, str, str], Told | None]


# --- opening and ending --------------------------------------------------------------------------------------------

ROUTES = {
    "verify": N_("The order is covered: the platform verifies, and the guarantee pays what is justified."),
    "instant": N_("The order is covered: the guarantee pays at once."),
    "seller": N_("The seller answers this one personally."),
    "return": N_("Straight into the return: no reason is needed, and the guarantee has no part in it."),
}


def _opened(voice: Voice, event: d.DisputeOpened, role: str, currency: str) -> Told:
    said = voice.say(
        N_("Dispute opened: %(reason)s, %(amount)s asked"),
        reason=low(voice, "reason", event.reason),
        amount=voice.money(event.amount, currency),
    )
    return Told(said, voice.say(ROUTES[event.route]) if event.route in ROUTES else Markup(""))


def _goodwill(voice: Voice, event: d.GoodwillSent, role: str, currency: str) -> Told:
    note = voice.say(N_("No dispute: it counts nowhere."))
    return Told(voice.say(N_("Goodwill of %(amount)s"), amount=voice.money(event.amount, currency)), note, "money")


def _closed(voice: Voice, event: d.DisputeClosed, role: str, currency: str) -> Told:
    outcome, how = low(voice, "outcome", event.outcome), word(voice, "resolved_by", event.resolved_by)
    title = voice.say(N_("Closed: %(outcome)s, %(how)s"), outcome=outcome, how=how)
    if role == "buyer":
        return Told(title)
    if event.state == "counted":
        return Told(title, voice.say(N_("It counts in the store’s record.")))
    return Told(title, voice.say(N_("It does not count: %(why)s."), why=low(voice, "exempt", event.why)))


_OPENING: dict[type, Teller] = {
    d.DisputeOpened: _opened,
    d.GoodwillSent: _goodwill,
    d.DisputeClosed: _closed,
    d.Reopened: lambda v, e, role, c: Told(v.say(N_("Taken up again"))),
}


# --- what the two say to each other --------------------------------------------------------------------------------

WHY_ESCALATED = {
    "buyer": N_("Asked the platform to decide"),
    "too_long": N_("Goes to the platform: the two did not agree in time"),
    "never_scanned": N_("Goes to the platform: the parcel was not seen again"),
}


def _offer(voice: Voice, event: d.SellerOffered, role: str, currency: str) -> Told:
    what = offered(voice, voice.money(event.amount, currency), event.remedy)
    return Told(voice.say(N_("Offered: %(what)s"), what=what))


def _taken(voice: Voice, event: d.OfferAccepted, role: str, currency: str) -> Told:
    what = offered(voice, voice.money(event.amount, currency), event.remedy)
    if event.by != "system":
        return Told(voice.say(N_("Offer accepted: %(what)s"), what=what))
    return Told(
        voice.say(N_("The offer holds: %(what)s"), what=what), voice.say(N_("The buyer did not answer in time."))
    )


def _asked(voice: Voice, event: d.EvidenceRequested, role: str, currency: str) -> Told:
    title = voice.say(N_("Evidence asked of the %(party)s"), party=low(voice, "party", event.party))
    return Told(title, voice.say(N_("Until %(when)s."), when=voice.when(event.until)))


_TALKING: dict[type, Teller] = {
    d.ClaimChanged: lambda v, e, role, c: Told(v.say(N_("Now asks %(amount)s"), amount=v.money(e.amount, c))),
    d.SellerRejected: lambda v, e, role, c: Told(
        v.say(N_("Claim rejected: %(reason)s"), reason=low(v, "reason", e.reason))
    ),
    d.SellerOffered: _offer,
    d.OfferAccepted: _taken,
    d.Escalated: lambda v, e, role, c: Told(v.say(WHY_ESCALATED[e.why])),
    d.MessageWritten: lambda v, e, role, c: Told(v.say(N_("Message"))),
    d.EvidenceAdded: lambda v, e, role, c: Told(
        v.say_n("Evidence sent: %(n)s piece", "Evidence sent: %(n)s pieces", len(e.evidence)), look="paper"
    ),
    d.EvidenceRequested: _asked,
    d.EvidenceClosed: lambda v, e, role, c: Told(v.say(N_("The time for evidence is over"))),
}


# --- what the platform decides -------------------------------------------------------------------------------------

FINDINGS = {
    "justified": N_("Ruled: justified (%(reason)s)"),
    "unjustified": N_("Ruled: not justified (%(reason)s)"),
    "out_of_scope": N_("Ruled: outside the guarantee (%(reason)s)"),
}
FRAUDS = {
    "seller": N_("Ruled by two people: fraud of the seller (%(reason)s)"),
    "buyer": N_("Ruled by two people: fraud of the buyer (%(reason)s)"),
}
APPEALS = {
    "justified": N_("Appeal granted (%(reason)s)"),
    "unjustified": N_("Appeal dismissed (%(reason)s)"),
    "stands": N_("Appeal not decided in time: it stays as it was before"),
}


def _ruled(voice: Voice, event: d.DisputeRuled, role: str, currency: str) -> Told:
    reason = low(voice, "reason", event.reason)
    if event.fraud:
        return Told(voice.say(FRAUDS[event.fraud], reason=reason))
    handed = event.finding == "out_of_scope"
    note = voice.say(N_("The seller answers it personally, after an official notice.")) if handed else Markup("")
    return Told(voice.say(FINDINGS[event.finding], reason=reason), note)


def _stood(voice: Voice, event: d.NoticeStood, role: str, currency: str) -> Told:
    until = next((timer.at for timer in event.timers if timer.kind == "turn"), None)
    note = voice.say(N_("The time to answer began: until %(when)s."), when=voice.when(until)) if until else Markup("")
    return Told(voice.say(N_("Official notice accepted by the mail server")), note, "paper")


def _funding(voice: Voice, event: d.FundingChanged, role: str, currency: str) -> Told:
    said = N_("%(amount)s is now borne by: %(payer)s; before: %(was)s")
    payer, was = (low(voice, "payer", code) for code in (event.payer, event.was))
    return Told(voice.say(said, amount=voice.money(event.minor, currency), payer=payer, was=was), look="money")


_RULING: dict[type, Teller] = {
    d.DisputeRuled: _ruled,
    d.FraudProposed: lambda v, e, role, c: Told(
        v.say(N_("A ruling of fraud was proposed")), v.say(N_("It holds when a second person signs."))
    ),
    d.CaseClaimed: lambda v, e, role, c: Told(
        v.say(N_("Taken up by %(who)s"), who=id_in(e.by)), v.say(N_("Until %(when)s."), when=v.when(e.until))
    ),
    d.CaseReleased: lambda v, e, role, c: Told(v.say(N_("Put back into the queue"))),
    d.Appealed: lambda v, e, role, c: Told(v.say(N_("Appeal: %(about)s"), about=low(v, "about", e.about))),
    d.AppealRuled: lambda v, e, role, c: Told(v.say(APPEALS[e.finding], reason=low(v, "reason", e.reason))),
    d.FundingChanged: _funding,
    d.NoticeServed: lambda v, e, role, c: Told(v.say(N_("Official notice sent again")), look="paper"),
    d.NoticeStood: _stood,
    d.NoticeFailed: lambda v, e, role, c: Told(
        v.say(N_("Official notice bounced")), v.say(N_("No time runs until it is accepted.")), "paper"
    ),
}


# --- parcels -------------------------------------------------------------------------------------------------------


def _sent(message: str) -> Teller:
    return lambda v, e, role, c: Told(v.say(message), Markup.escape(f"{e.carrier} {e.tracking}"))


def _wrong(message: str) -> Teller:
    return lambda v, e, role, c: Told(v.say(message, problem=low(v, "problem", e.problem)))


_PARCELS: dict[type, Teller] = {
    g.ReturnAuthorised: lambda v, e, role, c: Told(
        v.say(N_("Return authorised: %(amount)s when the goods are back"), amount=v.money(e.minor, c))
    ),
    g.LabelSent: _sent(N_("Label for the way back given")),
    g.ReturnShipped: _sent(N_("Goods sent back")),
    g.ReturnDelivered: lambda v, e, role, c: Told(v.say(N_("The return arrived"))),
    g.ReturnConfirmed: lambda v, e, role, c: Told(v.say(N_("The return is intact"))),
    g.ReturnReported: _wrong(N_("Something is wrong with the return: %(problem)s")),
    g.ReplacementShipped: _sent(N_("Replacement sent")),
    g.ReplacementDelivered: lambda v, e, role, c: Told(v.say(N_("The replacement arrived"))),
    g.ReplacementReported: _wrong(N_("Something is wrong with the replacement: %(problem)s")),
    d.DeliveredAfterRefund: lambda v, e, role, c: Told(v.say(N_("Delivered after all, after the refund"))),
}


# --- money ---------------------------------------------------------------------------------------------------------


def _approved(voice: Voice, event: r.RefundApproved, role: str, currency: str) -> Told:
    amount = voice.money(event.minor, event.currency)
    if event.held:
        return Told(voice.say(N_("%(amount)s put aside until the goods are back"), amount=amount), look="money")
    note = voice.say(N_("It waits until there is money for it.")) if event.waits else Markup("")
    if role == "buyer":
        return Told(voice.say(N_("Refund of %(amount)s approved"), amount=amount), note, "money")
    payer = low(voice, "payer", event.payer)
    title = voice.say(N_("Refund of %(amount)s approved, paid by: %(payer)s"), amount=amount, payer=payer)
    return Told(title, note, "money")


def _failed(voice: Voice, event: r.RefundFailed, role: str, currency: str) -> Told:
    again = N_("A person must settle it, or the buyer names another way.") if event.stuck else N_("It is tried again.")
    return Told(voice.say(N_("The payment provider refused")), voice.say(again), "money")


def _resolved(voice: Voice, event: r.RefundResolved, role: str, currency: str) -> Told:
    amount = voice.money(event.minor, event.currency)
    if event.how == "paid_elsewhere":
        return Told(voice.say(N_("%(amount)s paid another way"), amount=amount), look="money")
    return Told(voice.say(N_("%(amount)s put aside goes back"), amount=amount), look="money")


def _awaited(voice: Voice, event: r.FundsAwaited, role: str, currency: str) -> Told:
    if not event.minor:
        return Told(voice.say(N_("Still waits for the fund: the treasury’s limit is reached")), look="money")
    amount = voice.money(event.minor, event.currency)
    return Told(voice.say(N_("The treasury added %(amount)s to the fund"), amount=amount), look="money")


def _reserved(voice: Voice, event: r.FundsReserved, role: str, currency: str) -> Told:
    amount = voice.money(event.minor, event.currency)
    own = event.account != AVAILABLE
    said = N_("%(amount)s put aside of the store’s money") if own else N_("%(amount)s reserved in the fund")
    return Told(voice.say(said, amount=amount), look="money")


def _settled(voice: Voice, event: r.RefundSettled, role: str, currency: str) -> Told:
    taken, booked = (voice.money(minor, event.fund_currency) for minor in (event.taken, event.booked))
    said = N_("Settled with the provider: %(taken)s; reserved were %(booked)s")
    return Told(voice.say(said, taken=taken, booked=booked), look="money")


def _amount(message: str) -> Teller:
    return lambda v, e, role, c: Told(v.say(message, amount=v.money(e.minor, e.currency)), look="money")


_MONEY: dict[type, Teller] = {
    r.RefundApproved: _approved,
    r.FundsReserved: _reserved,
    r.FundsAwaited: _awaited,
    r.RefundReleased: lambda v, e, role, c: Told(v.say(N_("What was put aside goes out")), look="money"),
    r.RefundSent: lambda v, e, role, c: Told(v.say(N_("Sent to the payment provider")), look="money"),
    r.RefundPaid: _amount(N_("%(amount)s paid to the buyer")),
    r.RefundFailed: _failed,
    r.RefundUnknown: lambda v, e, role, c: Told(
        v.say(N_("No answer from the payment provider")),
        v.say(N_("Neither paid nor failed: it is looked up, and nothing is sent twice.")),
        "money",
    ),
    r.RefundReturned: _amount(N_("%(amount)s came back from the provider and is sent again")),
    r.RefundContradicted: lambda v, e, role, c: Told(
        v.say(N_("The provider contradicts what was settled: a person must look")), look="money"
    ),
    r.RefundResolved: _resolved,
    r.RefundSettled: _settled,
    MoneyRecovered: lambda v, e, role, c: Told(
        v.say(
            N_("The %(source)s paid %(amount)s of it back"),
            source=low(v, "party", e.source),
            amount=v.money(e.minor, e.currency),
        ),
        look="money",
    ),
    r.PayoutWaySet: lambda v, e, role, c: Told(v.say(N_("Another way to be paid named")), look="money"),
    WriteOffProposed: lambda v, e, role, c: Told(v.say(N_("A write-off was signed by one person")), look="money"),
    DebtWrittenOff: _amount(N_("%(amount)s that the store owed was written off")),
}


# --- time ----------------------------------------------------------------------------------------------------------


def _alerted(voice: Voice, event: d.Alerted, role: str, currency: str) -> Told | None:
    if event.kind == "reminder":
        return Told(voice.say(N_("Reminder sent")), look="paper")
    return Told(voice.say(N_("Alert: it waits too long"))) if role in STAFF else None


_RUNNING: dict[type, Teller] = {
    d.TimedOut: lambda v, e, role, c: Told(
        v.say(N_("No answer in time: %(who)s"), who=low(v, "party", e.turn)),
        v.say(N_("The time ended %(when)s."), when=v.when(e.due_at)),
    ),
    d.TimersMoved: lambda v, e, role, c: Told(v.say(N_("Due times are later: nobody could act in an outage"))),
    d.Alerted: _alerted,
    d.DisputeFrozen: lambda v, e, role, c: Told(
        v.say(N_("Stands still: the buyer’s bank asks for the payment back")), v.say(N_("Nobody’s time runs."))
    ),
    d.DisputeThawed: lambda v, e, role, c: Told(v.say(N_("Goes on: the payment stays, with the time that was left"))),
}


TELLERS: dict[type, Teller] = _OPENING | _TALKING | _RULING | _PARCELS | _MONEY | _RUNNING
"""Event → how it is told: every event of a dispute (a test holds them together)."""
