"""What a mail says: what happened, what it costs, until when, and what happens if nothing is done."""

from datetime import UTC, datetime

from houbao.core.calendars import zone_of
from houbao.core.disputes import GOODWILL, Dispute
from houbao.core.effects import Effect
from houbao.core.money import decimal
from houbao.core.orders import Order
from houbao.core.phases import default_outcome
from houbao.core.programme import WatchLifted, WatchSet
from houbao.core.refunds import Refund, recovered
from houbao.core.terms import public_id
from houbao.engine.ports import Letter

_DAY_AND_TIME = "%a %d %b %Y, %H:%M"


def write(
    effect: Effect,
    dispute: Dispute,
    order: Order,
    to: str,
    part: int,
    reference: str,
    due: datetime | None,
    reason: str = "",
    zone: str = "UTC",
) -> Letter:
    """The letter for a `mail`, `notice` or `alert` effect. `due` is when the turn that it speaks of ends, told in its
    reader's time `zone`; `reason` is why a ruling found the dispute out of scope."""
    amount = f"{decimal(dispute.amount, dispute.currency)} {dispute.currency}"
    subject, body = _words(effect, dispute, amount, when(due, zone), reason)
    asked = "" if dispute.route == GOODWILL else " asked"
    about = f"Order {order.reference} · {_plain(dispute.reason)} · {amount}{asked}"
    number = public_id("dispute", part, dispute.id)
    return Letter(to, f"{subject} ({order.reference})", f"{body}\n\n{about} · {number}\n", reference)


WATCHED_FOR = {
    "fraud": "two people of the platform ruled that there was fraud",
    "exposure": "the fund has lately paid much for it",
    "young_exposure": "it is new, and the fund has already paid much for it",
    "buyer_share": "one buyer opened many of the disputes with it",
    "shared": "it and its buyers, or its buyers among themselves, have things in common that strangers seldom have",
}
"""Why a store is watched → in words, without the figures that could be played to."""


def of_watch(event: WatchSet | WatchLifted, to: str, reference: str, zone: str) -> Letter:
    """The letter that tells a store, in its time `zone`, that it is watched from now on and why, or no more."""
    since = when(event.at, zone)
    if isinstance(event, WatchLifted):
        body = f"Since {since} your store is not under watch any more: orders paid from then on are covered again."
        return Letter(to, "Your new orders are covered again", f"{body}\n", reference)
    why = WATCHED_FOR.get(event.why, _plain(event.why))
    body = (
        f"Since {since} your store is under watch, because {why}.\nOrders paid from then on are not covered by the"
        " guarantee, and disputes about them are yours to answer; orders paid before stay covered. A person of the"
        " platform looks into it and ends it: write to the platform if you can explain what was found."
    )
    return Letter(to, "Your new orders are not covered for now", f"{body}\n", reference)


def when(at: datetime | None, zone: str = "UTC") -> str:
    """A time as its reader's clocks show it, with UTC beside it: no clock change leaves a doubt. An unknown zone is
    told in UTC alone. Seconds are cut, so that nobody is told to have longer than they have."""
    if at is None:
        return "the time in our latest mail"
    known = zone_of(zone)
    utc = at.astimezone(UTC)
    if known is None or zone == "UTC":
        return f"{utc:{_DAY_AND_TIME}} UTC"
    local = at.astimezone(known)
    beside = f"{utc:%H:%M}" if utc.date() == local.date() else f"{utc:{_DAY_AND_TIME}}"
    return f"{local:{_DAY_AND_TIME}} {zone} time ({beside} UTC)"


NOTICE_STANDS = (
    "Your time began when your mail server accepted this notice; when it ends to the minute stands in the mail that"
    " follows."
)


def _words(effect: Effect, dispute: Dispute, amount: str, due: str, reason: str) -> tuple[str, str]:
    what = effect.what or effect.kind
    by = f"Answer by {due}."
    match what:
        case "notice" if dispute.excess_of:
            return (
                "Official notice: please answer what is above the guarantee's limit",
                "The platform looked into a dispute and found it justified. The guarantee pays up to its limit; what is"
                f" above, {amount}, is yours to answer, as a dispute of its own.\n{by} {NOTICE_STANDS}\nIf you do not"
                f" answer in time, {amount} is refunded to the buyer from your balance.",
            )
        case "notice":
            return (
                "Official notice: please answer this dispute yourself",
                "The platform looked into this dispute and found that the guarantee does not cover it"
                f" (reason: {_plain(reason) or 'not stated'}), so it is yours to answer."
                f"\n{by} {NOTICE_STANDS}\nIf you do not answer in time, {amount} is refunded to the buyer from your"
                " balance.",
            )
        case "answer_needed":
            return (
                "A dispute needs your answer",
                f"A buyer asks for {amount}. {by}\nIf you do not answer in time, it is refunded from your balance.",
            )
        case "handled_for_you":
            return (
                "A dispute is handled for you",
                f"A buyer asks for {amount}. The guarantee covers the order: the platform looks into it and the fund"
                " pays what is justified. You need not do anything; you may write if you wish.",
            )
        case "handed_over":
            return (
                "The seller answers the rest",
                f"What you asked was found justified. The guarantee pays a part of it; {amount} more is for the seller"
                " to answer, within the time of an official notice. If the seller does not, you get it back.",
            )
        case "opened":
            return ("We have your dispute", f"You asked for {amount}. {_next_for_buyer(dispute, due)}")
        case "your_turn" if dispute.offer:
            return ("The seller makes you an offer", f"{_offer(dispute)} {by}\n{YOU_MAY} {_silence(dispute)}")
        case "your_turn":
            return ("The seller rejected your claim", f"{by}\n{YOU_MAY} {_silence(dispute)}")
        case "more_time":
            return (
                "You have more time",
                f"Our service could not be reached for a while: your time is longer by that. {by}\n{_silence(dispute)}",
            )
        case "reminder":
            return ("Your time is nearly over", f"{by}\n{_silence(dispute)}")
        case "platform_decides":
            return (
                "The platform decides",
                f"You need not do anything; evidence helps.\nIf nobody has decided by {due}, the buyer gets"
                f" {amount} back, and it does not count against the store.",
            )
        case "evidence_wanted":
            return (
                "Please send evidence",
                "The platform looks into this dispute and asks you for photos or papers within two days. What is sent"
                " later may come too late to be seen.",
            )
        case "send_back":
            return (
                "Please send the goods back",
                f"Send them by {due}, and you get {amount} back when they are there.\n{_silence(dispute)}",
            )
        case "inspect":
            return (
                "A return is on its way to you",
                f"Look at the goods when they come, and confirm or report them by {due}.\n{_silence(dispute)}",
            )
        case "send_replacement":
            return ("Please send the replacement", f"Send it by {due}.\n{_silence(dispute)}")
        case "replacement_sent":
            return ("A replacement is on its way", "If it is not right when it comes, or does not come, tell us.")
        case "reopened":
            return (
                "A withdrawn dispute was taken up again",
                f"The buyer says that the private agreement was not kept and asks for {amount}. {_whose(dispute)}",
            )
        case "frozen":
            return (
                "The dispute stands still",
                "The buyer's bank asks for the payment back. Nobody's time runs until that is decided; then the dispute"
                " goes on, or ends.",
            )
        case "thawed":
            return ("The dispute goes on", f"The payment stays where it is. {_next(dispute, due)}")
        case "appealed":
            appeal = dispute.appeals[-1]
            return (
                "An appeal is heard",
                f"The {appeal.party} asks the platform to look again at {APPEALED[appeal.about]}. Somebody who has not"
                f" ruled on it before decides by {due}.\n{_silence(dispute)}",
            )
        case "payout_way":
            return (
                "We could not pay you",
                f"Your refund was approved, but the way it should go does not work. Name another by {due}."
                f"\n{_silence(dispute)}",
            )
        case "delivered_after_refund" if effect.to == "buyer":
            return (
                "Your order was delivered after all",
                "You were refunded because it had not come, and now it has. You may pay the money back; write to the"
                " store.",
            )
        case "delivered_after_refund" if effect.to == "seller":
            return (
                "An order that was refunded as not received was delivered",
                "The carrier's scan says so. You may appeal with it: granted, the platform gives back what you bore,"
                " and it does not count.",
            )
        case "recovered":
            return _recovered(dispute, effect.to)
        case "goodwill":
            sent = sum(refund.minor for refund in dispute.refunds)
            paid = f"{decimal(sent, dispute.currency)} {dispute.currency}"
            if effect.to == "buyer":
                return ("The store sent you money", f"{paid} was sent to you by the store, of its own accord.")
            return ("Your goodwill was sent", f"{paid} was sent to the buyer. It counts nowhere.")
        case "still_waiting":
            return (
                "Your refund still waits for money",
                f"{amount} was approved; the fund is short, and refunds are paid in the order of their approval. You"
                " need not do anything: you hear from us each day until it is paid.",
            )
        case "closed":
            return (
                f"The dispute is closed: {dispute.outcome.replace('_', ' ')}",
                f"{_fraud(dispute, effect.to)}{_heard(dispute)}{_ended(dispute, effect.to)}",
            )
        case _:
            return (f"Alert: {what.replace('_', ' ')}", f"This needs a person: {what.replace('_', ' ')}.")


def _recovered(dispute: Dispute, to: str) -> tuple[str, str]:
    """All that came back for a dispute until now."""
    came = sum(recovered(refund) for refund in dispute.refunds)
    paid = f"{decimal(came, dispute.currency)} {dispute.currency}"
    if to == "buyer":
        return ("We have the money that you paid back", f"{paid} of what you were refunded has come back. Thank you.")
    return (
        "Money came back for a refund",
        f"{paid} of what was refunded has come back, and is yours. Whether the dispute counts does not change by that.",
    )


def _next_for_buyer(dispute: Dispute, due: str) -> str:
    match dispute.phase:
        case "verifying":
            return f"The platform looks into it.\nIf nobody has decided by {due}, you get this amount back."
        case "awaiting_seller":
            return f"The seller answers by {due}.\nIf the seller does not, you get this amount back."
        case "awaiting_return":
            return f"Send the goods back by {due}; then you get this amount back."
        case "awaiting_funds":
            return "It was approved; it is paid as soon as there is money for it, in the order of approval."
        case "refunding":
            return "It was approved; the money is on its way to you."
        case _:
            return "It is being looked into."


def _next(dispute: Dispute, due: str) -> str:
    """Until when somebody's time runs, and what follows; nothing where no time does."""
    return f"Time runs until {due}.\n{_silence(dispute)}" if default_outcome(dispute) else ""


YOU_MAY = "Until then you may accept an offer, answer with another amount, ask the platform to decide, or withdraw."

SILENCE = {
    "buyers_amount_by_seller": "the buyer's proposal is carried out from the seller's balance.",
    "buyers_refund_by_seller": "the buyer's amount is refunded from the seller's balance.",
    "buyers_amount_by_fund": "the buyer's amount is refunded by the guarantee's fund.",
    "buyers_amount_by_platform": "the buyer's amount is refunded by the platform.",
    "sellers_offer": "the seller's offer is carried out.",
    "lapses": "the dispute ends and nothing is refunded.",
    "refund": "the goods count as intact and the refund goes out.",
    "platform_decides": "the platform decides.",
    "treasury_adds": "the platform adds money to the fund, up to its limit.",
    "platform_advances": "the platform advances the money.",
    "replaced": "the dispute is closed as settled by the replacement.",
    "unclaimed": "the money goes back to whoever paid it, and the dispute is closed.",
    "ruling_stands": "the earlier ruling stands.",
}
"""Default outcome → what follows "If nothing is done,"."""


def _silence(dispute: Dispute) -> str:
    return f"If nothing is done, {SILENCE.get(default_outcome(dispute), 'nothing changes.')}"


def _offer(dispute: Dispute) -> str:
    offer = dispute.offer
    assert offer is not None
    amount = f"{decimal(offer.amount, dispute.currency)} {dispute.currency}"
    kinds = {
        "replacement": "A replacement is offered.",
        "return_refund": f"{amount} is offered, once the goods are back.",
    }
    return kinds.get(offer.remedy, f"{amount} is offered.")


def _whose(dispute: Dispute) -> str:
    return "Please answer it." if dispute.phase == "awaiting_seller" else "You need not do anything now."


WHY_NOTHING = {
    "rejected": "The platform looked into it and did not find it justified.",
    "lapsed": "The time to answer ended.",
    "withdrawn": "It was withdrawn by the buyer.",
    "replaced": "The seller sent a replacement.",
    "unclaimed": "The refund was approved, but no way was found to pay it.",
    "charged_back": "The buyer's bank took the payment back.",
}


APPEALED = {
    "remedy": "what the buyer gets",
    "funding": "who pays it",
    "fault": "whether it counts against the store",
}

HEARD = {
    "justified": "The appeal was granted.",
    "unjustified": "The appeal was not granted: what was ruled before stands.",
    "stands": "Nobody decided the appeal in time: what was ruled before stands.",
}


def _fraud(dispute: Dispute, to: str) -> str:
    """Whose fraud it was ruled to be, for the seller, and for the buyer its own."""
    if not dispute.fraud or (to == "buyer" and dispute.fraud == "seller"):
        return ""
    return f"Two people of the platform ruled that there was fraud of the {dispute.fraud}'s.\n"


def _heard(dispute: Dispute) -> str:
    """How the appeal ended, where there was one."""
    return f"{HEARD[dispute.appeals[-1].finding]}\n" if dispute.appeals and dispute.phase == "closed" else ""


def _ended(dispute: Dispute, to: str) -> str:
    refunds = [refund for refund in dispute.refunds if refund.minor]
    record = "It counts" if dispute.fault.state == "counted" else "It does not count"
    if dispute.outcome not in ("refunded", "partially_refunded") or not refunds:
        moved = "" if dispute.outcome == "charged_back" else " No money was moved."
        why = f"{WHY_NOTHING.get(dispute.outcome, '')}{moved}".strip()
        return why if to == "buyer" else f"{why} {record} in your dispute rate."
    paid = f"{decimal(sum(refund.minor for refund in refunds), dispute.currency)} {dispute.currency}"
    if to == "buyer":
        return f"{paid} was sent back to you."
    return f"{paid} was refunded. {' '.join(dict.fromkeys(map(_paid_by, refunds)))} {record} in your dispute rate."


def _paid_by(refund: Refund) -> str:
    if refund.payer == "fund":
        return "The guarantee paid it; your balance is unchanged."
    if refund.payer == "platform":
        return "The platform paid it; your balance is unchanged."
    advanced = sum(minor for kind, minor in refund.legs if kind == "receivable")
    if not advanced:
        return "It was taken from your balance."
    owed = f"{decimal(advanced, refund.currency)} {refund.currency}"
    return f"It was taken from your balance; the platform advanced {owed} of it, which you owe."


def _plain(code: str) -> str:
    return code.replace("_", " ")
