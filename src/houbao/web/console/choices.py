"""What a reader may do in a dispute, each with its consequence in money, score and what follows; and doing nothing."""

from collections.abc import Mapping
from datetime import datetime

from markupsafe import Markup
from msgspec import Struct

from houbao.core.appeals import in_hearing
from houbao.core.disputes import Dispute, EvidenceAdded, SellerOffered
from houbao.core.hearings import at_stake
from houbao.core.terms import Refused, role_of
from houbao.web.console.deeds import DEEDS, Deed, Form, amount_of
from houbao.web.console.language import N_, Voice
from houbao.web.console.states import record_told
from houbao.web.console.views.cases import Case
from houbao.web.console.views.consequences import Consequence
from houbao.web.console.words import carried_out, low, offered, word


class Choice(Struct, frozen=True, kw_only=True):
    """A row of the list of choices; `deed` is None for doing nothing."""

    deed: Deed | None
    label: Markup
    money: Markup | str
    money_head: Markup
    score: Markup | str
    then: Markup
    button: Markup = Markup("")


class Fact(Struct, frozen=True):
    """One line of what would happen; `careful` where its reader should think twice."""

    name: Markup
    says: Markup | str
    careful: bool = False


def choices(voice: Voice, case: Case, foreseen: Mapping[str, Consequence]) -> list[Choice]:
    """What may be done, in the order of the deeds; those that are plain stand elsewhere. `foreseen` holds a consequence
    for each deed that asks for nothing."""
    names = [name for name in DEEDS if name in case.allowed and not DEEDS[name].plain]
    return [_choice(voice, case, DEEDS[name], foreseen.get(name)) for name in names]


def _choice(voice: Voice, case: Case, deed: Deed, found: Consequence | None) -> Choice:
    return Choice(
        deed=deed,
        label=voice.say(deed.label, **named(voice, case.dispute, {})),
        money=money_told(voice, case.role, found) if found else voice.say(deed.money),
        money_head=money_head(voice, case.role),
        score=score_told(voice, found) if found and case.role == "seller" else _score_said(voice, case, deed),
        then=voice.say(deed.then),
        button=voice.say(deed.button, **named(voice, case.dispute, {})),
    )


def _score_said(voice: Voice, case: Case, deed: Deed) -> Markup:
    return voice.say(deed.score) if case.role == "seller" and deed.score else Markup("")


def nothing(voice: Voice, case: Case) -> Choice | None:
    """Doing nothing, where something follows from it."""
    if not case.default or case.due is None:
        return None
    said = N_("%(when)s: %(then)s.")
    counts = case.role == "seller" and case.default in ("buyers_amount_by_seller", "buyers_refund_by_seller")
    return Choice(
        deed=None,
        label=voice.say(N_("Do nothing")),
        money=_idle_money(voice, case),
        money_head=money_head(voice, case.role),
        score=voice.say(N_("counts, and as not answered")) if counts else "",
        then=voice.say(said, when=voice.when(case.due), then=follows(voice, case)),
    )


def _idle_money(voice: Voice, case: Case) -> Markup | str:
    dispute = case.dispute
    if case.role == "seller" and case.purse and case.default in ("buyers_amount_by_seller", "buyers_refund_by_seller"):
        return voice.change(case.purse.free, case.purse.free - dispute.amount, dispute.currency)
    return ""


def follows(voice: Voice, case: Case) -> Markup:
    """What happens when nobody acts, said to the reader."""
    return default_told(voice, case.role, case.dispute, case.default)


def default_told(voice: Voice, role: str, dispute: Dispute, default: str) -> Markup:
    """What a default outcome of a dispute means to that reader."""
    offer = dispute.offer
    what = offered(voice, voice.money(offer.amount, dispute.currency), offer.remedy) if offer else ""
    return carried_out(voice, role, default, amount=voice.money(dispute.amount, dispute.currency), offer=what)


def money_head(voice: Voice, role: str) -> Markup:
    """What the column of money is about."""
    return {
        "seller": voice.say(N_("Your balance")),
        "buyer": voice.say(N_("You get")),
    }.get(role, voice.say(N_("The buyer gets")))


def named(voice: Voice, dispute: Dispute, form: Form) -> dict[str, object]:
    """The amounts that labels and buttons name: what is asked, what is offered, what was typed."""
    offer = dispute.offer
    what = offered(voice, voice.money(offer.amount, dispute.currency), offer.remedy) if offer else ""
    return {
        "amount": voice.money(dispute.amount, dispute.currency),
        "offer": what,
        "typed": _typed(voice, dispute, form),
    }


def amounts(voice: Voice, case: Case, form: Form) -> dict[str, str]:
    """The amounts that a refusal in that dispute may be about, as money."""
    dispute = case.dispute
    lines = dict(dispute.lines)
    left = min(sum(item.left for item in case.order.items if item.line.id in lines), case.order.left)
    free = case.purse.free if case.purse else 0
    offer = dispute.offer.amount if dispute.offer else 0
    told = {"asked": dispute.amount, "left": left, "free": free, "offer": offer}
    return {name: voice.money(minor, dispute.currency) for name, minor in told.items()} | {
        "typed": str(_typed(voice, dispute, form)) or form.get("amount", "")
    }


def _typed(voice: Voice, dispute: Dispute, form: Form) -> Markup | str:
    remedy = form.get("remedy", "refund")
    if remedy == "replacement":
        return offered(voice, "", remedy)
    try:
        return offered(voice, voice.money(amount_of(dispute, form), dispute.currency), remedy)
    except Refused:
        return ""


# --- what would happen ---------------------------------------------------------------------------------------------


def money_told(voice: Voice, role: str, found: Consequence) -> Markup | str:
    """The reader's money before and after."""
    if role == "seller" and found.free:
        before, after = found.free
        return voice.change(before, after, found.currency) if before != after else voice.say(N_("no change"))
    if found.added > 0:
        return voice.money(found.added, found.currency)
    return voice.say(N_("nothing")) if found.outcome else voice.say(N_("nothing yet"))


def score_told(voice: Voice, found: Consequence) -> Markup | str:
    """The score of today before and after."""
    before, after = found.score
    if before is None or after is None:
        return "–"
    if before // 10_000 == after // 10_000:
        return voice.say(N_("stays %(score)s"), score=voice.points(before))
    return f"{voice.points(before)} → {voice.points(after)}"


def facts(voice: Voice, role: str, found: Consequence, after: Dispute, before: Dispute | None = None) -> list[Fact]:
    """What would happen, line by line: money, who pays, the score, what is next; and what may come of it later, where
    it is an answer in the dispute `before`."""
    told: list[Fact] = []
    if role != "buyer" and found.free:
        told.append(Fact(voice.say(N_("Your balance")), money_told(voice, "seller", found)))
    if before and role == "seller":
        told += _may_cost(voice, found, after)
    if before and role == "buyer":
        told += _given_up(voice, before, after)
    if before and not in_hearing(before.appeals):
        told += _appealed(voice, after)
    if found.added > 0:
        who = N_("You get") if role == "buyer" else N_("The buyer gets")
        told.append(Fact(voice.say(who), voice.money(found.added, found.currency)))
    if role != "buyer" and found.added > 0:
        payers = voice.listed([str(word(voice, "payer", payer)) for payer, _ in found.funding])
        told.append(Fact(voice.say(N_("Paid by")), payers))
    if role != "buyer":
        told.append(
            Fact(voice.say(N_("Your score") if role == "seller" else N_("The store’s score")), score_told(voice, found))
        )
        told.append(Fact(voice.say(N_("Record")), record_told(voice, after)))
    told.append(Fact(voice.say(N_("Then")), then_told(voice, role, found, after)))
    return told


def before_rejecting(voice: Voice, case: Case, form: Form) -> list[Fact]:
    """What a seller should know before they reject: that no offer of theirs is left, and that a proof they name is not
    there yet."""
    told: list[Fact] = []
    last = case.answered
    if last and isinstance(last.event, SellerOffered):
        dispute = case.dispute
        offer = offered(voice, voice.money(last.event.amount, dispute.currency), last.event.remedy)
        said = N_("%(offer)s: it stands no longer since the buyer went on, and with a rejection none is made")
        told.append(Fact(voice.say(N_("Your offer")), voice.say(said, offer=offer)))
    if form.get("reason") == "proof_of_delivery" and not _has_shown(case):
        said = N_(
            "no proof of delivery is attached yet: add a photo of it in the dispute, before or after you send this"
        )
        told.append(Fact(voice.say(N_("Note")), voice.say(said)))
    return told


def before_appealing(voice: Voice, case: Case, after: Dispute) -> list[Fact]:
    """What a buyer should know before they appeal: that less is left on these items than they ask for."""
    appeal = in_hearing(after.appeals)
    lines = {line for line, _ in case.dispute.lines}
    left = min(case.order.left, sum(item.left for item in case.order.items if item.line.id in lines))
    if appeal is None or appeal.party != "buyer" or at_stake(after, appeal.party, appeal.about) <= left:
        return []
    said = N_("%(left)s: the rest of these items is refunded or put aside already, and no ruling can give more")
    told = voice.say(said, left=voice.money(left, case.dispute.currency))
    return [Fact(voice.say(N_("Still refundable")), told)]


def _has_shown(case: Case) -> bool:
    """Whether the seller has sent any photo or paper."""
    sent = [one.event for one in case.happened if isinstance(one.event, EvidenceAdded)]
    return any(role_of(event.by) == "seller" for event in sent)


def _may_cost(voice: Voice, found: Consequence, after: Dispute) -> list[Fact]:
    """What the seller's answer may come to, where the buyer is asked now."""
    if found.phase != "awaiting_buyer" or not found.free or after.payer != "seller":
        return []
    worst = Fact(
        voice.say(N_("If the platform decides for the buyer")),
        voice.say(N_("up to %(amount)s: %(cost)s"), amount=_said(voice, after), cost=_cost(voice, found, after.amount)),
    )
    if not after.offer:
        return [worst]
    name = voice.say(N_("If the buyer accepts, or is silent"))
    if after.offer.remedy == "replacement":
        said = N_("you send a replacement; not sent in time, the buyer gets %(amount)s from your balance")
        return [Fact(name, voice.say(said, amount=_said(voice, after))), worst]
    return [Fact(name, _cost(voice, found, after.offer.amount)), worst]


def _said(voice: Voice, dispute: Dispute) -> str:
    return voice.money(dispute.amount, dispute.currency)


def _cost(voice: Voice, found: Consequence, minor: int) -> Markup:
    """The seller's balance without `minor`, and whether it counts then."""
    assert found.free
    balance = voice.change(found.free[1], found.free[1] - minor, found.currency)
    if found.fault.state == "exempt":
        return voice.say(N_("%(balance)s; it does not count"), balance=balance)
    kind = word(voice, "kind", found.fault.kind)
    return voice.say(N_("%(balance)s, and it counts as %(kind)s"), balance=balance, kind=kind)


AGAIN = N_(
    "While the time to open disputes runs, you can take this one up again, once, or open another one on the same items."
)
ANOTHER = N_(
    "This one cannot be taken up again a second time. You can open another one on the same items while the time to "
    "open disputes runs."
)


def _given_up(voice: Voice, before: Dispute, after: Dispute) -> list[Fact]:
    """What a buyer has now and would not have then: the offer, and the way to the platform."""
    if after.outcome == "withdrawn" and after.phase == "closed":
        return [Fact(voice.say(N_("Later")), voice.say(ANOTHER if before.reopened else AGAIN))]
    if before.phase != "awaiting_buyer" or after.phase != "awaiting_seller":
        return []
    told: list[Fact] = []
    if before.offer:
        offer = offered(voice, voice.money(before.offer.amount, before.currency), before.offer.remedy)
        says = voice.say(N_("the seller’s offer of %(offer)s: it stands no longer"), offer=offer)
        told.append(Fact(voice.say(N_("You give up")), says))
    waits = N_("You can ask it to decide again when the seller has answered.")
    if after.escalates_at:
        waits = N_(
            "You can ask it to decide again when the seller has answered. If you two still disagree, it decides by "
            "itself from %(when)s."
        )
    told.append(Fact(voice.say(N_("The platform")), voice.say(waits, when=_when(voice, after.escalates_at))))
    return told


def _appealed(voice: Voice, after: Dispute) -> list[Fact]:
    """What an appeal asks for, in money."""
    appeal = in_hearing(after.appeals)
    asks = at_stake(after, appeal.party, appeal.about) if appeal else 0
    if not asks:
        return []
    amount = voice.money(asks, after.currency)
    said = N_("%(amount)s more") if appeal and appeal.party == "buyer" else N_("%(amount)s back, which you bore")
    return [Fact(voice.say(N_("The appeal asks for")), voice.say(said, amount=amount))]


def _when(voice: Voice, at: datetime | None) -> str:
    return voice.when(at) if at else ""


WAITS = {
    "agent": N_("The platform decides by %(when)s; if not, %(then)s."),
    "mail": N_("The official notice is accepted by %(when)s; if not, %(then)s."),
    "seller": N_("The seller answers by %(when)s; if not, %(then)s."),
    "buyer": N_("The buyer answers by %(when)s; if not, %(then)s."),
    "carrier": N_("The parcel arrives by %(when)s; if not, %(then)s."),
    "platform": N_("The platform inspects the goods by %(when)s; if not, %(then)s."),
    "finance": N_("It waits for money; if there is not enough by %(when)s, %(then)s."),
    "provider": N_("The payment goes through by %(when)s; if not, %(then)s."),
}
YOURS = N_("You answer by %(when)s; if not, %(then)s.")


def then_told(voice: Voice, role: str, found: Consequence, after: Dispute) -> Markup:
    """What comes next: an end, money on its way, or somebody's time and what follows it."""
    if found.outcome:
        outcome, how = low(voice, "outcome", found.outcome), word(voice, "resolved_by", found.resolved_by)
        return voice.say(N_("It is closed: %(outcome)s, %(how)s."), outcome=outcome, how=how)
    if found.phase == "refunding" and role == "buyer":
        return voice.say(N_("The refund goes out at once, back the way you paid; then it is closed."))
    if found.phase == "refunding":
        return voice.say(N_("The refund goes out at once; then it is closed."))
    if found.phase == "awaiting_funds":
        return voice.say(N_("It is approved, and paid as soon as there is money for it, in the order of approval."))
    if found.due is None:
        return voice.say(N_("It goes on."))
    message = YOURS if found.waiting == role and role in ("buyer", "seller") else WAITS[found.waiting]
    return voice.say(message, when=voice.when(found.due), then=default_told(voice, role, after, found.default))
