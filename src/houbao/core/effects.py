"""What the outside must do or be told after an event. The worker acts on these; the answer comes back as a command."""

from datetime import datetime

from msgspec import Struct

from houbao.core.accounts import AVAILABLE, EXPENSE, store_account, store_of
from houbao.core.appeals import FundingChanged
from houbao.core.chargebacks import ChargebackMoved
from houbao.core.disputes import (
    GOODWILL,
    Alerted,
    Appealed,
    ClaimChanged,
    DeliveredAfterRefund,
    Dispute,
    DisputeClosed,
    DisputeFrozen,
    DisputeOpened,
    DisputeRuled,
    DisputeThawed,
    Escalated,
    EvidenceRequested,
    FraudProposed,
    NoticeFailed,
    NoticeServed,
    NoticeStood,
    OfferAccepted,
    Reopened,
    SellerOffered,
    SellerRejected,
    TimersMoved,
    refund_of,
)
from houbao.core.fund import CapitalAdded, DebtRepaid, DepositPaid
from houbao.core.orders import OrderPaid
from houbao.core.outages import OutageEntered
from houbao.core.phases import waits_for
from houbao.core.programme import WatchLifted, WatchSet
from houbao.core.recoveries import MoneyRecovered
from houbao.core.refunds import (
    FundsAwaited,
    FundsReserved,
    PayoutWaySet,
    RefundApproved,
    RefundContradicted,
    RefundFailed,
    RefundReleased,
    RefundResolved,
    RefundReturned,
    RefundUnknown,
)
from houbao.core.returns import (
    LabelSent,
    ReplacementReported,
    ReplacementShipped,
    ReturnAuthorised,
    ReturnDelivered,
    ReturnReported,
    ReturnShipped,
)


class Effect(Struct, frozen=True, omit_defaults=True, gc=False):
    """One thing to do outside, not before `at`.

    refund: send what of the refund `about` goes over `payment` · lookup: ask the provider about the attempt `about` ·
    notice: serve the official notice `about` · mail: tell `to` with template `what` · alert: tell the platform's people
    `what` · serve: take money of the currency `what` from the account `to` for the refunds that wait for it ·
    outage: move due times by the outages that were entered by `about` · watch: tell the store that a watch on it was
    set or lifted by `about`.
    """

    kind: str
    at: datetime
    dispute: int = 0
    about: int = 0
    payment: str = ""
    to: str = ""
    what: str = ""


def effects(event: object, dispute: Dispute | None, position: int) -> list[Effect]:
    """The effects of the event at `position`, given the dispute as it stands after it."""
    if isinstance(event, ChargebackMoved):
        contest = event.double and event.dispute and event.state != "won"
        return [Effect("alert", event.at, event.dispute, what="representment")] if contest else []
    if isinstance(event, OutageEntered):
        return [Effect("outage", event.at, about=position)]
    if isinstance(event, WatchSet | WatchLifted):
        return [Effect("watch", event.at, about=position)]
    if dispute is None:
        return _money_came(event)
    number = dispute.id
    match event:
        case DisputeOpened() if event.excess_of:
            told = Effect("mail", event.at, number, to="buyer", what="handed_over")
            return [Effect("notice", event.at, number, about=position), told]
        case DisputeOpened():
            to_seller = "answer_needed" if event.phase == "awaiting_seller" else "handled_for_you"
            return [
                Effect("mail", event.at, number, to="buyer", what="opened"),
                Effect("mail", event.at, number, to="seller", what=to_seller),
            ]
        case NoticeStood() | ClaimChanged(phase="awaiting_seller"):
            return [Effect("mail", event.at, number, to="seller", what="answer_needed")]
        case DisputeRuled(finding="out_of_scope") | NoticeServed() | ClaimChanged(phase="notifying"):
            return [Effect("notice", event.at, number, about=position)]
        case FraudProposed():
            return [Effect("alert", event.at, number, what="signature_wanted")]
        case NoticeFailed():
            return [Effect("alert", event.at, number, what="notice_bounced")]
        case SellerRejected() | SellerOffered():
            return [Effect("mail", event.at, number, to="buyer", what="your_turn")]
        case DisputeFrozen():
            return [Effect("mail", event.at, number, to=to, what="frozen") for to in ("buyer", "seller")]
        case DisputeThawed():
            told = [Effect("mail", event.at, number, to=to, what="thawed") for to in ("buyer", "seller")]
            if dispute.phase == "notifying":
                return [*told, Effect("notice", event.at, number, about=dispute.notice)]
            sending = [refund.id for refund in dispute.refunds if refund.state == "sending"]
            return [*told, *(effect for refund in sending for effect in _send_due(dispute, refund, event.at))]
        case Appealed():
            return [Effect("mail", event.at, number, to=to, what="appealed") for to in ("buyer", "seller")]
        case Escalated() | ReturnReported() | ReplacementReported():
            return [Effect("mail", event.at, number, to=to, what="platform_decides") for to in ("buyer", "seller")]
        case EvidenceRequested():
            return [Effect("mail", event.at, number, to=event.party, what="evidence_wanted")]
        case ReturnAuthorised(labelled=True):
            told = Effect("mail", event.at, number, to="buyer", what="label_coming")
            return [Effect("alert", event.at, number, what="label_wanted"), told]
        case ReturnAuthorised() | LabelSent():
            return [Effect("mail", event.at, number, to="buyer", what="send_back")]
        case ReturnShipped() | ReturnDelivered() if waits_for(dispute) == "seller":
            return [Effect("mail", event.at, number, to="seller", what="inspect")]
        case OfferAccepted(phase="awaiting_replacement"):
            return [Effect("mail", event.at, number, to="seller", what="send_replacement")]
        case ReplacementShipped():
            return [Effect("mail", event.at, number, to="buyer", what="replacement_sent")]
        case Reopened():
            told = [Effect("mail", event.at, number, to="seller", what="reopened")]
            return [Effect("notice", event.at, number, about=position), *told] if event.phase == "notifying" else told
        case TimersMoved() if not dispute.frozen and (to := waits_for(dispute)) in ("buyer", "seller"):
            return [Effect("mail", event.at, number, to=to, what="more_time")]
        case Alerted(kind="reminder"):
            return [Effect("mail", event.at, number, to=waits_for(dispute), what="reminder")]
        case Alerted():
            return [Effect("alert", event.at, number, what=f"{event.phase}_overdue")]
        case RefundApproved(waits=account) if account:
            what = "fund_short" if account == AVAILABLE else "store_short"
            return [Effect("alert", event.at, number, what=what)]
        case FundsAwaited():
            waits = [
                Effect("alert", event.at, number, what="awaiting_funds_overdue"),
                Effect("mail", event.at, number, to="buyer", what="still_waiting"),
            ]
            return [*_serve(event.at, event.currency, AVAILABLE), *waits] if event.minor else waits
        case RefundApproved(held=True):
            return []
        case RefundApproved():
            return _send_due(dispute, position, event.at)
        case FundsReserved() | RefundReleased():
            return _send_due(dispute, event.refund, event.at)
        case RefundFailed(stuck=True):
            told = Effect("alert", event.at, number, what="refund_failed")
            return [told, Effect("mail", event.at, number, to="buyer", what="payout_way")]
        case PayoutWaySet():
            return [Effect("refund", event.at, number, about=event.refund, payment=event.payment)]
        case DeliveredAfterRefund():
            what = "delivered_after_refund"
            mails = [Effect("mail", event.at, number, to=to, what=what) for to in ("buyer", "seller")]
            return [Effect("alert", event.at, number, what=what), *mails]
        case RefundFailed():
            return [Effect("refund", event.retry_at or event.at, number, about=event.refund, payment=event.payment)]
        case RefundUnknown(expired=True):
            return [Effect("alert", event.at, number, what="refund_unknown")]
        case RefundUnknown():
            return [Effect("lookup", event.at, number, about=event.attempt, payment=event.payment)]
        case RefundReturned():
            told = Effect("alert", event.at, number, what="refund_returned")
            return [told, Effect("refund", event.at, number, about=event.refund, payment=event.payment)]
        case MoneyRecovered():
            return _recovered(event)
        case FundingChanged(was="fund"):
            return _serve(event.at, event.fund_currency or event.currency, AVAILABLE)
        case FundingChanged(was="seller"):
            return _serve(event.at, event.currency, store_account(event.store, "payable"))
        case RefundResolved(how="abandon", payer="seller", waited=""):
            own = [store_account(event.store, kind) for kind in ("payable", "deposit")]
            return _serve(event.at, event.currency, *own)
        case RefundContradicted():
            return [Effect("alert", event.at, number, what="provider_contradiction")]
        case RefundResolved(waited=account) if account:
            return _serve(event.at, event.fund_currency or event.currency, account)
        case RefundResolved(how="abandon", payer="fund"):
            account = store_account(event.store, "deposit") if event.legs else AVAILABLE
            return _serve(event.at, event.fund_currency or event.currency, account)
        case DisputeClosed() if dispute.route == GOODWILL:
            return [Effect("mail", event.at, number, to=to, what="goodwill") for to in ("buyer", "seller")]
        case DisputeClosed():
            return [Effect("mail", event.at, number, to=to, what="closed") for to in ("buyer", "seller")]
        case _:
            return []


def _recovered(event: MoneyRecovered) -> list[Effect]:
    """Whose money it is hears of it, the buyer that it came; and what waits for that money is served."""
    readers = [*["seller"] * bool(store_of(event.account)), *["buyer"] * (event.source == "buyer")]
    mails = [Effect("mail", event.at, event.dispute, to=to, what="recovered") for to in readers]
    accounts = [] if event.account == EXPENSE else [event.account]
    return [*_serve(event.at, event.fund_currency or event.currency, *accounts), *mails]


def _money_came(event: object) -> list[Effect]:
    """Whoever waits for money of this kind is served."""
    match event:
        case CapitalAdded():
            return _serve(event.at, event.currency, AVAILABLE)
        case OrderPaid(awaited=True):
            return _serve(event.at, event.currency, AVAILABLE, store_account(event.store, "payable"))
        case DepositPaid():
            own = [store_account(event.store, kind) for kind in ("deposit", "payable")]
            return _serve(event.at, event.currency, *own)
        case DebtRepaid():
            return _serve(event.at, event.currency, store_account(event.store, "payable"))
        case _:
            return []


def _serve(at: datetime, currency: str, *accounts: str) -> list[Effect]:
    return [Effect("serve", at, to=account, what=currency) for account in accounts]


def _send_due(dispute: Dispute, number: int, at: datetime) -> list[Effect]:
    refund = refund_of(dispute, number)
    assert refund is not None
    return [
        Effect("refund", at, dispute.id, about=number, payment=share.payment)
        for share in refund.shares
        if share.state == "due"
    ]
