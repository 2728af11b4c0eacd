"""What the outside must do or be told after an event. The worker acts on these; the answer comes back as a command."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

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
from houbao.core.moves import DisputeEvent
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
    kind = type(event)
    if told := OF_DISPUTE.get(kind):
        assert dispute is not None
        return told(event, dispute, position)
    return OF_OTHERS[kind](event, position) if kind in OF_OTHERS else []


Telling = Callable[[Any, Dispute, int], list[Effect]]
"""What is to be done after an event of a dispute: the event, the dispute after it, the event's position."""

BOTH = ("buyer", "seller")

# --- one thing, whatever the event says ----------------------------------------------------------------------------


def _mails(what: str, *readers: str) -> Telling:
    def telling(event: DisputeEvent, dispute: Dispute, position: int) -> list[Effect]:
        return [Effect("mail", event.at, dispute.id, to=to, what=what) for to in readers]

    return telling


def _alert(what: str) -> Telling:
    def telling(event: DisputeEvent, dispute: Dispute, position: int) -> list[Effect]:
        return [Effect("alert", event.at, dispute.id, what=what)]

    return telling


def _notice(event: DisputeEvent, dispute: Dispute, position: int) -> list[Effect]:
    return [Effect("notice", event.at, dispute.id, about=position)]


# --- the dispute ---------------------------------------------------------------------------------------------------


def _opened(event: DisputeOpened, dispute: Dispute, position: int) -> list[Effect]:
    if event.excess_of:
        return [*_notice(event, dispute, position), *_mails("handed_over", "buyer")(event, dispute, position)]
    to_seller = "answer_needed" if event.phase == "awaiting_seller" else "handled_for_you"
    return [
        Effect("mail", event.at, dispute.id, to="buyer", what="opened"),
        Effect("mail", event.at, dispute.id, to="seller", what=to_seller),
    ]


def _claim_changed(event: ClaimChanged, dispute: Dispute, position: int) -> list[Effect]:
    if event.phase == "notifying":
        return _notice(event, dispute, position)
    return ANSWER_NEEDED(event, dispute, position) if event.phase == "awaiting_seller" else []


ANSWER_NEEDED = _mails("answer_needed", "seller")


def _ruled(event: DisputeRuled, dispute: Dispute, position: int) -> list[Effect]:
    return _notice(event, dispute, position) if event.finding == "out_of_scope" else []


def _thawed(event: DisputeThawed, dispute: Dispute, position: int) -> list[Effect]:
    """What stood still goes on: the notice, or the refunds."""
    told = _mails("thawed", *BOTH)(event, dispute, position)
    if dispute.phase == "notifying":
        return [*told, Effect("notice", event.at, dispute.id, about=dispute.notice)]
    sending = [refund.id for refund in dispute.refunds if refund.state == "sending"]
    return [*told, *(effect for refund in sending for effect in _send_due(dispute, refund, event.at))]


def _evidence_requested(event: EvidenceRequested, dispute: Dispute, position: int) -> list[Effect]:
    return [Effect("mail", event.at, dispute.id, to=event.party, what="evidence_wanted")]


def _return_authorised(event: ReturnAuthorised, dispute: Dispute, position: int) -> list[Effect]:
    if not event.labelled:
        return SEND_BACK(event, dispute, position)
    told = Effect("mail", event.at, dispute.id, to="buyer", what="label_coming")
    return [Effect("alert", event.at, dispute.id, what="label_wanted"), told]


SEND_BACK = _mails("send_back", "buyer")


def _on_its_way_back(event: ReturnShipped | ReturnDelivered, dispute: Dispute, position: int) -> list[Effect]:
    return _mails("inspect", "seller")(event, dispute, position) if waits_for(dispute) == "seller" else []


def _offer_accepted(event: OfferAccepted, dispute: Dispute, position: int) -> list[Effect]:
    wanted = event.phase == "awaiting_replacement"
    return _mails("send_replacement", "seller")(event, dispute, position) if wanted else []


def _reopened(event: Reopened, dispute: Dispute, position: int) -> list[Effect]:
    notice = _notice(event, dispute, position) if event.phase == "notifying" else []
    return [*notice, Effect("mail", event.at, dispute.id, to="seller", what="reopened")]


def _timers_moved(event: TimersMoved, dispute: Dispute, position: int) -> list[Effect]:
    to = waits_for(dispute)
    return [] if dispute.frozen or to not in BOTH else _mails("more_time", to)(event, dispute, position)


def _alerted(event: Alerted, dispute: Dispute, position: int) -> list[Effect]:
    if event.kind == "reminder":
        return [Effect("mail", event.at, dispute.id, to=waits_for(dispute), what="reminder")]
    return [Effect("alert", event.at, dispute.id, what=f"{event.phase}_overdue")]


def _closed(event: DisputeClosed, dispute: Dispute, position: int) -> list[Effect]:
    what = "goodwill" if dispute.route == GOODWILL else "closed"
    return [Effect("mail", event.at, dispute.id, to=to, what=what) for to in BOTH]


# --- its refunds ---------------------------------------------------------------------------------------------------


def _refund_approved(event: RefundApproved, dispute: Dispute, position: int) -> list[Effect]:
    if event.waits:
        what = "fund_short" if event.waits == AVAILABLE else "store_short"
        return [Effect("alert", event.at, dispute.id, what=what)]
    return [] if event.held else _send_due(dispute, position, event.at)


def _funds_awaited(event: FundsAwaited, dispute: Dispute, position: int) -> list[Effect]:
    waits = [
        Effect("alert", event.at, dispute.id, what="awaiting_funds_overdue"),
        Effect("mail", event.at, dispute.id, to="buyer", what="still_waiting"),
    ]
    return [*_serve(event.at, event.currency, AVAILABLE), *waits] if event.minor else waits


def _money_there(event: FundsReserved | RefundReleased, dispute: Dispute, position: int) -> list[Effect]:
    return _send_due(dispute, event.refund, event.at)


def _refund_failed(event: RefundFailed, dispute: Dispute, position: int) -> list[Effect]:
    if event.stuck:
        told = Effect("alert", event.at, dispute.id, what="refund_failed")
        return [told, Effect("mail", event.at, dispute.id, to="buyer", what="payout_way")]
    return [Effect("refund", event.retry_at or event.at, dispute.id, about=event.refund, payment=event.payment)]


def _sent_again(event: PayoutWaySet | RefundReturned, dispute: Dispute, position: int) -> list[Effect]:
    return [Effect("refund", event.at, dispute.id, about=event.refund, payment=event.payment)]


def _refund_returned(event: RefundReturned, dispute: Dispute, position: int) -> list[Effect]:
    told = Effect("alert", event.at, dispute.id, what="refund_returned")
    return [told, *_sent_again(event, dispute, position)]


def _refund_unknown(event: RefundUnknown, dispute: Dispute, position: int) -> list[Effect]:
    if event.expired:
        return [Effect("alert", event.at, dispute.id, what="refund_unknown")]
    return [Effect("lookup", event.at, dispute.id, about=event.attempt, payment=event.payment)]


def _refund_resolved(event: RefundResolved, dispute: Dispute, position: int) -> list[Effect]:
    """A refund that was given up leaves its money, or its place, to those who wait."""
    in_fund = event.fund_currency or event.currency
    if event.waited:
        return _serve(event.at, in_fund, event.waited)
    if event.how != "abandon":
        return []
    if event.payer == "seller":
        own = [store_account(event.store, kind) for kind in ("payable", "deposit")]
        return _serve(event.at, event.currency, *own)
    if event.payer == "fund":
        return _serve(event.at, in_fund, store_account(event.store, "deposit") if event.legs else AVAILABLE)
    return []


def _funding_changed(event: FundingChanged, dispute: Dispute, position: int) -> list[Effect]:
    if event.was == "fund":
        return _serve(event.at, event.fund_currency or event.currency, AVAILABLE)
    return _serve(event.at, event.currency, store_account(event.store, "payable")) if event.was == "seller" else []


def _delivered_after_refund(event: DeliveredAfterRefund, dispute: Dispute, position: int) -> list[Effect]:
    what = "delivered_after_refund"
    mails = _mails(what, *BOTH)(event, dispute, position)
    return [Effect("alert", event.at, dispute.id, what=what), *mails]


def _recovered(event: MoneyRecovered, dispute: Dispute, position: int) -> list[Effect]:
    """Whose money it is hears of it, the buyer that it came; and what waits for that money is served."""
    readers = [*["seller"] * bool(store_of(event.account)), *["buyer"] * (event.source == "buyer")]
    mails = [Effect("mail", event.at, event.dispute, to=to, what="recovered") for to in readers]
    accounts = [] if event.account == EXPENSE else [event.account]
    return [*_serve(event.at, event.fund_currency or event.currency, *accounts), *mails]


def _charged_back(event: ChargebackMoved, position: int) -> list[Effect]:
    contest = event.double and event.dispute and event.state != "won"
    return [Effect("alert", event.at, event.dispute, what="representment")] if contest else []


def _outage(event: OutageEntered, position: int) -> list[Effect]:
    return [Effect("outage", event.at, about=position)]


def _watch(event: WatchSet | WatchLifted, position: int) -> list[Effect]:
    return [Effect("watch", event.at, about=position)]


# --- money that came: whoever waits for it is served ---------------------------------------------------------------


def _capital(event: CapitalAdded, position: int) -> list[Effect]:
    return _serve(event.at, event.currency, AVAILABLE)


def _order_paid(event: OrderPaid, position: int) -> list[Effect]:
    own = store_account(event.store, "payable")
    return _serve(event.at, event.currency, AVAILABLE, own) if event.awaited else []


def _deposit(event: DepositPaid, position: int) -> list[Effect]:
    own = [store_account(event.store, kind) for kind in ("deposit", "payable")]
    return _serve(event.at, event.currency, *own)


def _repaid(event: DebtRepaid, position: int) -> list[Effect]:
    return _serve(event.at, event.currency, store_account(event.store, "payable"))


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


# --- the tables ----------------------------------------------------------------------------------------------------

OF_DISPUTE: dict[type, Telling] = {
    DisputeOpened: _opened,
    ClaimChanged: _claim_changed,
    NoticeServed: _notice,
    NoticeStood: ANSWER_NEEDED,
    NoticeFailed: _alert("notice_bounced"),
    DisputeRuled: _ruled,
    FraudProposed: _alert("signature_wanted"),
    SellerRejected: _mails("your_turn", "buyer"),
    SellerOffered: _mails("your_turn", "buyer"),
    OfferAccepted: _offer_accepted,
    Escalated: _mails("platform_decides", *BOTH),
    EvidenceRequested: _evidence_requested,
    Appealed: _mails("appealed", *BOTH),
    DisputeFrozen: _mails("frozen", *BOTH),
    DisputeThawed: _thawed,
    TimersMoved: _timers_moved,
    Alerted: _alerted,
    Reopened: _reopened,
    DisputeClosed: _closed,
    ReturnAuthorised: _return_authorised,
    LabelSent: SEND_BACK,
    ReturnShipped: _on_its_way_back,
    ReturnDelivered: _on_its_way_back,
    ReturnReported: _mails("platform_decides", *BOTH),
    ReplacementShipped: _mails("replacement_sent", "buyer"),
    ReplacementReported: _mails("platform_decides", *BOTH),
    RefundApproved: _refund_approved,
    RefundReleased: _money_there,
    FundsReserved: _money_there,
    FundsAwaited: _funds_awaited,
    RefundFailed: _refund_failed,
    RefundReturned: _refund_returned,
    RefundUnknown: _refund_unknown,
    RefundResolved: _refund_resolved,
    RefundContradicted: _alert("provider_contradiction"),
    PayoutWaySet: _sent_again,
    MoneyRecovered: _recovered,
    FundingChanged: _funding_changed,
    DeliveredAfterRefund: _delivered_after_refund,
}
"""What follows from each event of a dispute that causes something."""

OF_OTHERS: dict[type, Callable[[Any, int], list[Effect]]] = {
    ChargebackMoved: _charged_back,
    OutageEntered: _outage,
    WatchSet: _watch,
    WatchLifted: _watch,
    CapitalAdded: _capital,
    OrderPaid: _order_paid,
    DepositPaid: _deposit,
    DebtRepaid: _repaid,
}
"""What follows from events of an order, a store, the fund or the whole part."""
