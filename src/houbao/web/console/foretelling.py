"""What a ruling or another act of the platform's own people would do, line by line: the buyer's money, the fund, the
store's balance and score, the record, what comes next, and who is written to."""

import sqlite3
from collections.abc import Sequence

from markupsafe import Markup
from msgspec import Struct

from houbao.core.accounts import AVAILABLE
from houbao.core.acts import DisputeOpened, EvidenceRequested, FraudProposed
from houbao.core.disputes import Dispute
from houbao.core.refunds import RefundResolved
from houbao.core.returns import ReturnAuthorised
from houbao.core.shortfalls import WriteOffProposed
from houbao.engine.request import Preview
from houbao.store import desk
from houbao.web.console.choices import Fact, score_told, then_told
from houbao.web.console.language import N_, Voice
from houbao.web.console.states import PAYING, record_told
from houbao.web.console.views.asked import Asked
from houbao.web.console.views.consequences import Consequence
from houbao.web.console.words import low, word


class FundShift(Struct, frozen=True):
    """The fund's free money before and after, in its currency (minor units); `place` is where in line the refund would
    wait, 0 where it would not."""

    currency: str
    before: int
    after: int
    place: int = 0


def fund_shift(connection: sqlite3.Connection, part: int, preview: Preview, currency: str) -> FundShift:
    """What a preview does to the fund's free money."""
    moved = [one for one in preview.transfers if AVAILABLE in (one.source, one.target)]
    currency = moved[0].currency if moved else currency
    before = desk.balance(connection, part, AVAILABLE, currency)
    change = sum((one.target == AVAILABLE) * one.minor - (one.source == AVAILABLE) * one.minor for one in moved)
    waits = any(refund.waits == AVAILABLE for dispute in preview.disputes.values() for refund in dispute.refunds)
    place = desk.fund_line(connection, part, AVAILABLE, currency).waiting + 1 if waits else 0
    return FundShift(currency, before, before + change, place)


def foretold(voice: Voice, found: Consequence, after: Dispute, preview: Preview, fund: FundShift | None) -> list[Fact]:
    """What would happen, always in the same lines: remedy, funding, fault, each by itself, then what comes of it."""
    told = [
        Fact(voice.say(N_("The buyer gets")), _remedy(voice, found, preview)),
        Fact(voice.say(N_("Paid by")), _funding(voice, found, preview)),
        Fact(voice.say(N_("Record")), record_told(voice, after)),
    ]
    if fund:
        told.append(Fact(voice.say(N_("Fund, free")), _fund(voice, fund)))
    resolved = _resolved(preview)
    if resolved:
        told.append(Fact(voice.say(N_("Put aside for it")), _put_aside(voice, resolved)))
    if found.free:
        before, balance = found.free
        told.append(Fact(voice.say(N_("Store’s balance")), voice.change(before, balance, found.currency)))
    told.append(Fact(voice.say(N_("Store’s score")), score_told(voice, found)))
    told.append(Fact(voice.say(N_("Then")), _then(voice, found, after, preview) + _above(voice, preview)))
    told.append(Fact(voice.say(N_("Mails to")), _mails(voice, preview, after)))
    return told


def asked(voice: Voice, preview: Preview) -> list[Fact]:
    """What asking for evidence does: of whom, until when, and that no time stops for it."""
    event = next(event for event in preview.events if isinstance(event, EvidenceRequested))
    return [
        Fact(voice.say(N_("Asked of")), word(voice, "party", event.party)),
        Fact(voice.say(N_("Until")), voice.when(event.until)),
        Fact(voice.say(N_("Your time to decide")), voice.say(N_("goes on"))),
        Fact(voice.say(N_("Mails to")), word(voice, "party", event.party)),
    ]


BOUNCED = N_(
    "No mail server took the last one. If the store’s address is wrong or missing, the store or the marketplace gives "
    "another one first: to the same address it may fail again."
)


def served(voice: Voice, found: Consequence, after: Dispute, bounced: bool) -> list[Fact]:
    """What serving a notice again does: who is written to, when the seller's time begins, and what follows without."""
    told = [
        Fact(voice.say(N_("Mails to")), word(voice, "party", "seller")),
        Fact(voice.say(N_("The seller’s time")), voice.say(N_("begins when the mail server has accepted it"))),
        Fact(voice.say(N_("Then")), then_told(voice, "agent", found, after)),
    ]
    return [Fact(voice.say(N_("Before that")), voice.say(BOUNCED)), *told] if bounced else told


def not_waited_for(voice: Voice, asked: Sequence[Asked]) -> list[Fact]:
    """That evidence may still come which a ruling does not wait for."""
    said = N_("evidence asked of the %(party)s, which may come until %(when)s")
    told = [voice.say(said, party=low(voice, "party", one.party), when=voice.when(one.until)) for one in asked]
    return [Fact(voice.say(N_("Not waited for")), one) for one in told]


def _remedy(voice: Voice, found: Consequence, preview: Preview) -> Markup | str:
    back = next((event for event in preview.events if isinstance(event, ReturnAuthorised)), None)
    if back:
        return voice.say(N_("%(amount)s when the goods are back"), amount=voice.money(back.minor, found.currency))
    if found.added > 0:
        return voice.money(found.added, found.currency)
    resolved = _resolved(preview)
    if resolved and resolved.how == "paid_elsewhere":
        return voice.say(
            N_("%(amount)s, which was paid another way"), amount=voice.money(resolved.minor, resolved.currency)
        )
    if found.outcome:
        return voice.say(N_("nothing more")) if found.refunded else voice.say(N_("nothing"))
    return voice.say(N_("nothing yet"))


def _funding(voice: Voice, found: Consequence, preview: Preview) -> Markup | str:
    resolved = _resolved(preview)
    if resolved and resolved.how == "paid_elsewhere":
        return word(voice, "payer", resolved.payer)
    if found.added <= 0:
        return voice.say(N_("nobody"))
    return voice.listed([str(word(voice, "payer", payer)) for payer, _ in found.funding])


def _resolved(preview: Preview) -> RefundResolved | None:
    return next((event for event in preview.events if isinstance(event, RefundResolved)), None)


def _put_aside(voice: Voice, resolved: RefundResolved) -> Markup:
    """Where what was put aside for a refund goes when a person settles it."""
    amount = voice.money(resolved.minor, resolved.currency)
    if resolved.how == "paid_elsewhere":
        return voice.say(N_("%(amount)s is booked as paid from your bank to the buyer"), amount=amount)
    if resolved.waited:
        return voice.say(N_("nothing: the refund leaves the line"))
    return voice.say(
        N_("%(amount)s goes back to who pays: %(payer)s"), amount=amount, payer=word(voice, "payer", resolved.payer)
    )


def _fund(voice: Voice, fund: FundShift) -> Markup | str:
    told = voice.change(fund.before, fund.after, fund.currency)
    if not fund.place:
        return told
    return voice.say(N_("%(free)s; it waits as number %(n)s in line"), free=told, n=voice.count(fund.place))


def _then(voice: Voice, found: Consequence, after: Dispute, preview: Preview) -> Markup:
    if any(isinstance(event, FraudProposed) for event in preview.events):
        return voice.say(N_("Nothing moves until another agent signs it. The time to decide goes on."))
    if any(isinstance(event, WriteOffProposed) for event in preview.events):
        return voice.say(N_("Nothing moves until another person of finance signs it too."))
    return then_told(voice, "agent", found, after)


def _above(voice: Voice, preview: Preview) -> Markup:
    """What is handed over to the seller, as a dispute of its own, since it is above the fund's limit."""
    for event in preview.events:
        if isinstance(event, DisputeOpened) and event.excess_of:
            amount = voice.money(event.amount, event.currency)
            said = N_("%(amount)s is above the guarantee’s limit: the seller answers that, after an official notice.")
            return Markup(" ") + voice.say(said, amount=amount)
    return Markup("")


def _mails(voice: Voice, preview: Preview, after: Dispute) -> Markup:
    """Who is written to now, and, where money is on its way, when it is through."""
    to: Sequence[str] = [one.to or "seller" for one in preview.effects if one.kind in ("mail", "notice")]
    now = voice.listed([str(word(voice, "party", party)) for party in dict.fromkeys(to)])
    if after.phase in PAYING:
        later = voice.say(N_("buyer and seller, when the refund is through"))
        return voice.say(N_("%(now)s; then %(later)s"), now=now, later=later) if to else later
    return now if to else voice.say(N_("nobody"))
