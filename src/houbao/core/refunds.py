"""A refund: approved → sent → paid | failed | unknown. Never above what was paid, never twice.

One approved refund has a share per payment of the order; a share is sent in attempts, the next only after a definite
no. The attempt's id, the position of its `refund_sent` event, is the provider's idempotency key.

    share:  due ── sent ──► sent ── paid ──► paid ── returned ──► due
                             │ ├─ refused ─► due (again later) | stuck (no attempts left, or a final no)
                             │ └─ unknown ─► unknown ── paid | refused | not found (the same attempt and key again)
                             └── key expired ─► lost: looked up, never sent again; a person may settle it
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from msgspec import structs

from houbao.core.accounts import AVAILABLE
from houbao.core.chargebacks import charged
from houbao.core.exchange import Rate
from houbao.core.moves import DisputeEvent, Move
from houbao.core.orders import Order
from houbao.core.recoveries import MoneyRecovered, Recovery
from houbao.core.terms import Record

Result = Literal["paid", "refused", "unknown", "returned", "key_expired"]

# --- commands ------------------------------------------------------------------------------------------------------


class SendRefund(Record, frozen=True, kw_only=True, tag="send_refund"):
    """The worker is about to call the provider for this payment: commit the attempt first. `refund`: the latest where
    none is named."""

    dispute: int
    payment: str
    refund: int = 0


class ReportRefund(Record, frozen=True, kw_only=True, tag="report_refund"):
    """What the provider said of an attempt. `unknown`: no answer in time; `key_expired`: not found there, and its key
    is too old to send again. `final`: this way of paying will never work."""

    dispute: int
    attempt: int
    result: Result
    final: bool = False
    code: str = ""


class ResolveRefund(Record, frozen=True, kw_only=True, tag="resolve_refund"):
    """Finance settles a refund that no provider will pay: it was paid elsewhere, or is abandoned. `refund`: the latest
    where none is named."""

    dispute: int
    how: Literal["paid_elsewhere", "abandon"]
    refund: int = 0
    note: str = ""


class SetPayoutWay(Record, frozen=True, kw_only=True, tag="set_payout_way"):
    """The buyer names another way to be paid, where one can never work: `way` is the provider's own token for it."""

    dispute: int
    payment: str
    way: str
    refund: int = 0


class SettleRefund(Record, frozen=True, kw_only=True, tag="settle_refund"):
    """What the provider took in the fund's currency (minor units) for a refund over that payment in another one.
    `refund`: the latest where none is named."""

    dispute: int
    payment: str
    taken: int
    refund: int = 0


class ServeWaiting(Record, frozen=True, kw_only=True, tag="serve_waiting"):
    """Money came to that account: it is taken for the refunds that wait for it, the first approved first."""

    currency: str
    account: str = AVAILABLE


# --- events --------------------------------------------------------------------------------------------------------


class InFund(Record, frozen=True, kw_only=True):
    """What a refund in another currency takes of the fund (minor units), by the last rate before its approval."""

    minor: int
    currency: str
    rate: Rate


class Share(Record, frozen=True, kw_only=True):
    """The part of a refund that goes back over one payment, or the other `way` that the buyer named. `fund_minor` is
    what it takes of a fund in another currency, `settled` whether the provider's own rate for it was booked; what is
    stuck may be claimed until `claim_by`."""

    payment: str
    provider: str
    minor: int
    state: Literal["due", "sent", "unknown", "lost", "paid", "stuck", "elsewhere"] = "due"
    attempt: int = 0
    tries: int = 0
    sent_at: datetime | None = None
    way: str = ""
    claim_by: datetime | None = None
    fund_minor: int = 0
    settled: bool = False


class RefundApproved(Move, frozen=True, kw_only=True, tag="refund_approved"):
    """A refund is owed. `legs` is where a store's money is taken from, (account kind, minor) in that order; without
    legs a refund of the fund's is reserved with this event. `waits`: the account that is short, of which nothing is
    taken yet; `advance` is what the platform may then advance. `held`: it goes out when the goods are back.
    `handed_over`: so much of the claim is the seller's to answer, in a dispute of its own."""

    resolved_by: str
    payer: str
    minor: int
    currency: str
    shares: tuple[Share, ...]
    lines: tuple[tuple[str, int], ...]
    legs: tuple[tuple[str, int], ...] = ()
    waits: str = ""
    advance: int = 0
    in_fund: InFund | None = None
    held: bool = False
    handed_over: int = 0


class FundsReserved(Move, frozen=True, kw_only=True, tag="funds_reserved"):
    """Money arrived for a refund that waited for `account`, or the platform advances it."""

    refund: int
    minor: int
    currency: str
    account: str = AVAILABLE
    legs: tuple[tuple[str, int], ...] = ()


class FundsAwaited(Move, frozen=True, kw_only=True, tag="funds_awaited"):
    """A refund waits too long for the fund: the treasury adds `minor` units, 0 where its cap is reached."""

    refund: int
    minor: int
    currency: str


class RefundReleased(Move, frozen=True, kw_only=True, tag="refund_released"):
    """The goods are back, or the platform decided: what was held for the buyer goes out."""

    refund: int
    resolved_by: str


class RefundSent(DisputeEvent, frozen=True, kw_only=True, tag="refund_sent"):
    """An attempt, committed before the provider is called; its id is this event's position."""

    refund: int
    payment: str


class RefundPaid(DisputeEvent, frozen=True, kw_only=True, tag="refund_paid"):
    """The provider paid an attempt; `fund_minor` is what a fund in another currency gives for it, `commission` what of
    the order's the seller has back for it."""

    refund: int
    attempt: int
    payment: str
    provider: str
    payer: str
    minor: int
    currency: str
    fund_minor: int = 0
    fund_currency: str = ""
    commission: int = 0


class RefundFailed(DisputeEvent, frozen=True, kw_only=True, tag="refund_failed"):
    """A definite no. `stuck`: nobody tries again by itself; the buyer may name another way until `claim_by`."""

    refund: int
    attempt: int
    payment: str
    code: str = ""
    stuck: bool = False
    retry_at: datetime | None = None
    claim_by: datetime | None = None


class PayoutWaySet(DisputeEvent, frozen=True, kw_only=True, tag="payout_way_set"):
    """The buyer named another way: what was stuck is due again."""

    refund: int
    payment: str
    way: str


class RefundUnknown(DisputeEvent, frozen=True, kw_only=True, tag="refund_unknown"):
    """No answer in time: neither paid nor failed, and the reservation stays. `expired`: look-ups only from here on."""

    refund: int
    attempt: int
    payment: str
    expired: bool = False


class RefundReturned(Move, frozen=True, kw_only=True, tag="refund_returned"):
    """The provider gave the money back later; `commission` is due again."""

    refund: int
    attempt: int
    payment: str
    provider: str
    payer: str
    minor: int
    currency: str
    fund_minor: int = 0
    fund_currency: str = ""
    commission: int = 0


class RefundContradicted(DisputeEvent, frozen=True, kw_only=True, tag="refund_contradicted"):
    """The provider now says of a settled attempt what cannot be: a person must look. `refund` is 0 where the attempt
    is no refund's latest."""

    refund: int
    attempt: int
    result: str


class RefundResolved(DisputeEvent, frozen=True, kw_only=True, tag="refund_resolved"):
    """Finance settled it: `minor` was paid elsewhere, and `commission` comes back for it, or goes back where it came
    from by `legs`. Where it was the last that waited for money, the dispute is refunding what else it has."""

    refund: int
    how: str
    payer: str
    minor: int
    currency: str
    legs: tuple[tuple[str, int], ...] = ()
    lines: tuple[tuple[str, int], ...] = ()
    waited: str = ""
    fund_minor: int = 0
    fund_currency: str = ""
    commission: int = 0


class RefundSettled(DisputeEvent, frozen=True, kw_only=True, tag="refund_settled"):
    """What a refund in another currency cost in the end: `taken` by the provider, or by the bank where there is none,
    where `booked` was reserved at its approval (minor units of the fund's currency)."""

    refund: int
    payment: str
    provider: str
    minor: int
    currency: str
    booked: int
    taken: int
    fund_currency: str


RefundEvent = (
    RefundApproved
    | FundsReserved
    | FundsAwaited
    | RefundReleased
    | RefundSent
    | RefundPaid
    | RefundFailed
    | PayoutWaySet
    | RefundUnknown
    | RefundReturned
    | RefundContradicted
    | RefundResolved
    | RefundSettled
    | MoneyRecovered
)

# --- state ---------------------------------------------------------------------------------------------------------


class Refund(Record, frozen=True, kw_only=True):
    """An approved refund as it stands. `minor` is what was approved, less what was abandoned; `told` how often it was
    said that it waits too long."""

    id: int
    payer: str
    minor: int
    currency: str
    state: Literal["held", "waiting", "sending", "paid", "abandoned"]
    shares: tuple[Share, ...]
    lines: tuple[tuple[str, int], ...]
    legs: tuple[tuple[str, int], ...] = ()
    waits: str = ""
    advance: int = 0
    in_fund: InFund | None = None
    told: int = 0
    recoveries: tuple[Recovery, ...] = ()


def takes(refund: Refund | RefundApproved) -> tuple[int, str]:
    """(minor units, currency) of what it takes from whoever pays."""
    return (refund.in_fund.minor, refund.in_fund.currency) if refund.in_fund else (refund.minor, refund.currency)


def taken(refunds: Iterable[Refund | RefundApproved]) -> tuple[dict[str, int], dict[str, int]]:
    """What is approved already: line id → minor, payment id → minor."""
    lines: dict[str, int] = {}
    payments: dict[str, int] = {}
    for refund in refunds:
        for line, minor in refund.lines:
            lines[line] = lines.get(line, 0) + minor
        for share in refund.shares:
            payments[share.payment] = payments.get(share.payment, 0) + share.minor
    return lines, payments


def taken_of(order: Order, refunds: Iterable[Refund]) -> tuple[dict[str, int], dict[str, int]]:
    """What is approved already or asked back by a bank: line id → minor, payment id → minor."""
    lines, payments = taken(refunds)
    for payment, minor in charged(order).items():
        payments[payment] = payments.get(payment, 0) + minor
    return lines, payments


SETTLED = ("paid", "elsewhere")
"""A share that is paid, by the provider or by finance elsewhere."""


def paid_minor(refund: Refund) -> int:
    """What of it has been paid (minor units)."""
    return sum(share.minor for share in refund.shares if share.state in SETTLED)


def recovered(refund: Refund) -> int:
    """What of it came back from outside after it was paid (minor units)."""
    return sum(recovery.minor for recovery in refund.recoveries)


def recoverable(refund: Refund) -> tuple[int, str]:
    """(minor units, currency) of what may still come back for it, to whoever bears it."""
    if refund.payer == "fund" and refund.in_fund:
        paid = sum(share.fund_minor for share in refund.shares if share.state in SETTLED)
        return paid - sum(recovery.fund_minor for recovery in refund.recoveries), refund.in_fund.currency
    return paid_minor(refund) - recovered(refund), refund.currency


def is_settled(refund: Refund) -> bool:
    """Whether nothing of it is still to come: it was paid, or given up."""
    return refund.state in ("paid", "abandoned")


def open_shares(refund: Refund) -> list[Share]:
    """What of it has not been paid."""
    return [share for share in refund.shares if share.state not in SETTLED]


def find_share(refund: Refund | None, *, payment: str = "", attempt: int = 0) -> Share | None:
    """The share of a payment, or the one whose latest attempt that is."""
    for share in refund.shares if refund else ():
        if (payment and share.payment == payment) or (attempt and share.attempt == attempt):
            return share
    return None


def is_stuck(refund: Refund) -> bool:
    """Whether some of it needs another way, or a person."""
    return any(share.state == "stuck" for share in refund.shares)


# --- evolve --------------------------------------------------------------------------------------------------------


def evolve_refund(refund: Refund | None, event: RefundEvent, position: int) -> Refund:
    """The refund after the event at `position`."""
    if isinstance(event, RefundApproved):
        return Refund(
            id=position,
            payer=event.payer,
            minor=event.minor,
            currency=event.currency,
            state="waiting" if event.waits else "held" if event.held else "sending",
            shares=event.shares,
            lines=event.lines,
            legs=event.legs,
            waits=event.waits,
            advance=event.advance,
            in_fund=event.in_fund,
        )
    assert refund is not None
    match event:
        case FundsReserved():
            return structs.replace(refund, state="sending", legs=event.legs, waits="", advance=0)
        case FundsAwaited():
            return structs.replace(refund, told=refund.told + 1)
        case RefundSettled():
            return _share(refund, event.payment, settled=True)
        case MoneyRecovered():
            came = Recovery(
                reference=event.reference,
                source=event.source,
                minor=event.minor,
                fund_minor=event.fund_minor,
                written_off=event.written_off,
            )
            return structs.replace(refund, recoveries=(*refund.recoveries, came))
        case RefundReleased():
            return structs.replace(refund, state="sending")
        case RefundSent():
            share = find_share(refund, payment=event.payment)
            tries = share.tries + 1 if share else 1
            return _share(refund, event.payment, state="sent", attempt=position, sent_at=event.at, tries=tries)
        case RefundPaid():
            refund = _share(refund, event.payment, state="paid")
            done = all(share.state in SETTLED for share in refund.shares)
            return structs.replace(refund, state="paid" if done else "sending")
        case RefundFailed():
            return _share(refund, event.payment, state="stuck" if event.stuck else "due", claim_by=event.claim_by)
        case PayoutWaySet():
            return _share(refund, event.payment, state="due", tries=0, way=event.way)
        case RefundUnknown():
            return _share(refund, event.payment, state="lost" if event.expired else "unknown")
        case RefundReturned():
            return structs.replace(_share(refund, event.payment, state="due", tries=0), state="sending")
        case RefundContradicted():
            return refund
        case RefundResolved(how="paid_elsewhere"):
            for share in refund.shares:
                if share.state != "paid":
                    refund = _share(refund, share.payment, state="elsewhere")
            return structs.replace(refund, state="paid")
        case RefundResolved():
            paid = tuple(share for share in refund.shares if share.state in SETTLED)
            minor, back = refund.minor - event.minor, dict(event.legs)
            legs = tuple((kind, leg - back.get(kind, 0)) for kind, leg in refund.legs if leg > back.get(kind, 0))
            return structs.replace(
                refund, state="abandoned", shares=paid, lines=event.lines, legs=legs, minor=minor, waits="", advance=0
            )


def _share(refund: Refund, payment: str, **changes: Any) -> Refund:
    shares = tuple(structs.replace(share, **changes) if share.payment == payment else share for share in refund.shares)
    return structs.replace(refund, shares=shares)
