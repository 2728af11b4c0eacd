"""Where a dispute stands, as a chip: a word, and the colour and shape of who is waited for or what came of it."""

from markupsafe import Markup
from msgspec import Struct, structs

from houbao.core.awards import exempt_because
from houbao.core.disputes import Dispute, Fault
from houbao.core.phases import waits_for
from houbao.web.console.language import N_, Voice
from houbao.web.console.words import OUTCOME, low, word

ENDED = {
    "refunded": "good",
    "partially_refunded": "good",
    "replaced": "good",
    "charged_back": "bad",
}

WAITING = {
    "verifying": N_("Platform verifies"),
    "notifying": N_("Notice being served"),
    "awaiting_seller": N_("Waits for the seller"),
    "awaiting_buyer": N_("Waits for the buyer"),
    "adjudicating": N_("Platform decides"),
    "awaiting_return": N_("Waits for the return"),
    "return_in_transit": N_("Return on its way"),
    "awaiting_replacement": N_("Waits for the replacement"),
    "awaiting_funds": N_("Approved, waits for money"),
    "refunding": N_("Refund on its way"),
}


class Chip(Struct, frozen=True):
    """`look` is the class that gives colour and shape (see /styleguide), `says` the word."""

    look: str
    says: Markup


def state_chip(voice: Voice, dispute: Dispute, role: str, asked: bool = False) -> Chip:
    """Where it stands, for that reader; `asked`: who is asked for evidence."""
    if dispute.phase == "closed":
        look = ENDED.get(dispute.outcome, "none")
        return Chip(
            look, word(voice, "outcome", dispute.outcome) if dispute.outcome in OUTCOME else voice.say(N_("Closed"))
        )
    if dispute.frozen:
        return Chip("other", voice.say(N_("Stands still, a bank decides")))
    waiting = waits_for(dispute)
    if asked:
        return Chip("you", voice.say(N_("Waits for your evidence")))
    if waiting == role and role in ("buyer", "seller"):
        return Chip("you", voice.say(N_("Waits for you")))
    if waiting == "platform" and dispute.phase == "return_in_transit":
        return Chip("other", voice.say(N_("Platform inspects the return")))
    if waiting == "seller" and dispute.phase == "return_in_transit":
        return Chip("other", voice.say(N_("Seller inspects the return")))
    if waiting == "buyer" and dispute.phase == "refunding":
        return Chip("bad", voice.say(N_("Refund failed, buyer names another way")))
    return Chip("other", voice.say(WAITING[dispute.phase]))


PAYING = ("refunding", "awaiting_funds")
"""Phases that end by themselves when the money is there."""


def record_told(voice: Voice, dispute: Dispute) -> Markup:
    """Whether it counts against the store: now, and from when its refund is through."""
    now = _chip(fault_chip(voice, dispute))
    if dispute.phase not in PAYING:
        return now
    why = exempt_because(dispute, sum(refund.minor for refund in dispute.refunds))
    end = Fault(state="exempt" if why else "counted", kind=dispute.fault.kind, why=why)
    then = _chip(fault_chip(voice, structs.replace(dispute, fault=end)))
    if then == now:
        return now
    return voice.say(N_("%(now)s until the refund is through, then %(then)s"), now=now, then=then)


def _chip(chip: Chip) -> Markup:
    return Markup('<span class="chip {}">{}</span>').format(chip.look, chip.says)


def fault_chip(voice: Voice, dispute: Dispute) -> Chip:
    """Whether it counts against the store."""
    fault = dispute.fault
    kind = word(voice, "kind", fault.kind) if fault.kind else Markup("")
    match fault.state:
        case "counted":
            return Chip("counted", voice.say(N_("Counted as %(kind)s"), kind=kind))
        case "pending":
            return Chip("pending", voice.say(N_("Pending as %(kind)s"), kind=kind))
        case _:
            why = low(voice, "exempt", fault.why) if fault.why else Markup("")
            return Chip("exempt", voice.say(N_("Exempt: %(why)s"), why=why) if why else voice.say(N_("Exempt")))
