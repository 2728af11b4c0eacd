"""Events in sentences, for people: what happened, by which rule, who paid."""

from houbao.core import disputes as d
from houbao.core import refunds as r
from houbao.core.accounts import AVAILABLE
from houbao.core.money import decimal
from houbao.core.recoveries import MoneyRecovered
from houbao.core.returns import (
    LabelSent,
    ReplacementDelivered,
    ReplacementReported,
    ReplacementShipped,
    ReturnAuthorised,
    ReturnConfirmed,
    ReturnDelivered,
    ReturnReported,
    ReturnShipped,
)
from houbao.core.rulings import Compiled, assess, explain
from houbao.core.shortfalls import DebtWrittenOff, WriteOffProposed
from houbao.core.terms import public_id, tag_of
from houbao.core.world import Event

PAYER = {"fund": "the guarantee's fund", "seller": "the seller", "platform": "the platform"}

ESCALATED = {
    "buyer": "the buyer asked for it",
    "too_long": "the two did not agree in time",
    "never_scanned": "the parcel was never seen again",
}


UNSIGNED = (d.FraudProposed, WriteOffProposed)
"""What one person proposed and another must sign: nothing holds yet, so it is not for the parties."""


def tell(event: Event, currency: str, part: int = 0, *, private: bool = False) -> str:
    """One line for one event of a dispute. `private`: for a buyer or a seller, who learn no name of the platform's
    people."""

    def money(minor: int) -> str:
        return f"{decimal(minor, currency)} {currency}"

    match event:
        case d.DisputeOpened() if event.excess_of:
            return f"opened for {money(event.amount)} above the fund's limit, by official notice to the seller"
        case d.DisputeOpened():
            cover = "covered" if event.covered else "not covered"
            return f"opened: {_plain(event.reason)}, asks {money(event.amount)}; {cover}, route {event.route}"
        case d.DisputeRuled(finding="out_of_scope"):
            return f"ruled out of scope ({_plain(event.reason)}): the seller answers, by official notice"
        case d.FraudProposed():
            what = f"fraud of the {event.ruling.fraud}'s"
            return f"{_named(event.by, private)} would rule {what}: a second person signs, or nothing holds"
        case d.DisputeRuled(fraud="seller" | "buyer"):
            return f"ruled fraud of the {event.fraud}'s ({_plain(event.reason)}), {_signed(event, private)}"
        case d.DisputeRuled():
            return f"ruled {event.finding} ({_plain(event.reason)})"
        case d.CaseClaimed():
            return f"{_named(event.by, private)} takes it up until {event.until:%a %d %b %Y %H:%M} UTC"
        case d.CaseReleased():
            return f"{_named(event.by, private)} puts it back into the queue"
        case d.ClaimChanged():
            return f"the buyer now asks {money(event.amount)}"
        case d.SellerRejected():
            return f"the seller rejected it ({_plain(event.reason)}): the buyer is asked"
        case d.SellerOffered():
            return f"the seller offers {_offer(event.remedy, money(event.amount))}: the buyer is asked"
        case d.OfferAccepted():
            who = "the buyer took the offer" if event.by != "system" else "the offer holds, the buyer did not answer"
            return f"{who}: {_offer(event.remedy, money(event.amount))}"
        case d.Escalated():
            return f"the platform decides: {ESCALATED[event.why]}"
        case d.EvidenceRequested():
            return f"the {event.party} is asked for evidence until {event.until:%a %d %b %Y %H:%M} UTC"
        case d.EvidenceClosed():
            return "the time to send evidence is over"
        case d.EvidenceAdded():
            return f"{_who(event.by)} sent evidence ({len(event.evidence)})"
        case d.MessageWritten():
            return f"{_who(event.by)} wrote"
        case d.Reopened():
            return "the buyer takes the dispute up again"
        case d.DeliveredAfterRefund():
            return "what was refunded as not received was delivered after all"
        case r.PayoutWaySet():
            return f"the buyer names another way to be paid what went over {event.payment}"
        case d.GoodwillSent():
            return f"the seller sends {money(event.amount)} of its own accord"
        case d.DisputeFrozen():
            return "the buyer's bank asks for the payment back: the dispute stands still"
        case d.DisputeThawed():
            return "the payment stays: the dispute goes on with the time that was left"
        case d.Appealed():
            return f"the {event.party} appeals about the {event.about}: somebody else decides"
        case d.AppealRuled(finding="stands"):
            return "nobody decided the appeal: the earlier ruling stands"
        case d.AppealRuled():
            return (
                f"the appeal is {'granted' if event.finding == 'justified' else 'dismissed'} ({_plain(event.reason)})"
            )
        case d.FundingChanged(payer="seller"):
            return f"{money(event.minor)} are taken back from the seller, for {PAYER[event.was]}"
        case d.FundingChanged():
            return f"{PAYER[event.payer]} bears {money(event.minor)} that {PAYER[event.was]} bore"
        case ReturnAuthorised():
            return f"the buyer sends the goods back; then {PAYER[event.payer]} refunds {money(event.minor)}"
        case LabelSent():
            return f"the platform gave the buyer a label for the way back ({event.carrier} {event.tracking})"
        case ReturnShipped():
            return f"the goods are on their way back ({event.carrier} {event.tracking})"
        case ReturnDelivered():
            return "the goods are back and are looked at"
        case ReturnConfirmed():
            return "the goods are back, intact"
        case ReturnReported():
            return f"something is wrong with the return ({_plain(event.problem)}): the platform decides"
        case ReplacementShipped():
            return f"the seller sent a replacement ({event.carrier} {event.tracking})"
        case ReplacementDelivered():
            return "the replacement arrived"
        case ReplacementReported():
            return f"something is wrong with the replacement ({_plain(event.problem)}): the platform decides"
        case d.NoticeServed():
            return "the notice is sent again"
        case d.NoticeStood():
            until = next(timer.at for timer in event.timers if timer.kind == "turn")
            return f"the mail server accepted the notice; the seller has until {until:%a %d %b %Y %H:%M} UTC"
        case d.NoticeFailed():
            return f"the notice bounced ({event.why}): the clock does not run"
        case d.TimersMoved():
            return "nobody could act in an outage: what is to come is due so much later"
        case d.TimedOut():
            return f"the {event.turn}'s time ended unanswered"
        case d.Alerted():
            return "a reminder goes out" if event.kind == "reminder" else f"alert: {_plain(event.phase)} too long"
        case d.DisputeClosed():
            fault = "counts against the store" if event.state == "counted" else f"does not count ({_plain(event.why)})"
            return f"closed: {_plain(event.outcome)} by {_plain(event.resolved_by)}; it {fault}"
        case r.RefundApproved(held=True):
            return f"{money(event.minor)} of the seller's put aside until the goods are back"
        case r.RefundReleased():
            return "what was put aside goes out to the buyer"
        case r.RefundApproved():
            whose = "the fund" if event.waits == AVAILABLE else "the store"
            wait = f"; it waits for money of {whose}" if event.waits else ""
            rest = (
                f"; {money(event.handed_over)} above its limit is the seller's to answer" if event.handed_over else ""
            )
            return f"refund of {money(event.minor)} approved, paid by {PAYER[event.payer]}{wait}{rest}"
        case r.FundsReserved(account=account) if account != AVAILABLE:
            return f"{money(event.minor)} put aside, of the store's own money or advanced for it"
        case r.FundsReserved():
            return f"{money(event.minor)} reserved: the fund has money again"
        case r.FundsAwaited():
            added = f"the treasury adds {money(event.minor)}" if event.minor else "the treasury adds no more"
            return f"the refund still waits for the fund: {added}"
        case r.RefundSettled():
            taken, booked = (decimal(minor, event.fund_currency) for minor in (event.taken, event.booked))
            return f"settled: {taken} {event.fund_currency} were taken for it, {booked} had been reserved"
        case MoneyRecovered():
            return f"the {event.source} paid {money(event.minor)} of it back, to {PAYER[event.payer]}"
        case WriteOffProposed():
            return "one of finance signs to write off what was advanced"
        case DebtWrittenOff():
            return f"{money(event.minor)} that the store owes written off"
        case r.RefundSent():
            return f"sent to the provider over payment {event.payment}"
        case r.RefundPaid():
            return f"the provider paid {money(event.minor)} ({public_id('attempt', part, event.attempt)})"
        case r.RefundFailed():
            again = "a person must settle it" if event.stuck else "a new attempt follows"
            return f"the provider refused ({event.code or 'no reason given'}): {again}"
        case r.RefundUnknown():
            return "no answer from the provider: neither paid nor failed, it is looked up"
        case r.RefundReturned():
            return f"the provider returned {money(event.minor)}: it is sent again"
        case r.RefundContradicted():
            return f"the provider now says {event.result} of a settled attempt: a person must look"
        case r.RefundResolved():
            if not event.by.startswith("finance"):
                return f"{money(event.minor)} put aside go back to {PAYER[event.payer]}"
            return f"finance settled {money(event.minor)}: {_plain(event.how)}"
        case _:
            return _plain(tag_of(event))


def why(event: d.DisputeOpened | d.ClaimChanged, compiled: Compiled) -> list[str]:
    """The policy's reasons at that event, in sentences, for those who may see every figure."""
    return explain(compiled, event.rule, assess(compiled, event.facts).misses, private=False)


def _offer(remedy: str, amount: str) -> str:
    return {"replacement": "a replacement", "return_refund": f"{amount} when the goods are back"}.get(remedy, amount)


def _who(by: str) -> str:
    return f"the {by.partition(':')[0]}"


def _named(by: str, private: bool) -> str:
    return _who(by) if private else by


def _signed(event: d.DisputeRuled, private: bool) -> str:
    return "by two people" if private else f"by {event.proposed_by} and {event.by}"


def _plain(code: str) -> str:
    return code.replace("_", " ")
