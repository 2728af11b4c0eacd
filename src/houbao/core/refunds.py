"""A refund: approved → sent → paid | failed | unknown. Never above what was paid, never twice.

One approved refund has a share per payment of the order; a share is sent in attempts, the next only after a definite
no. The attempt's id, the position of its `refund_sent` event, is the provider's idempotency key.

    share:  due ── sent ──► sent ── paid ──► paid ── returned ──► due
                             │ ├─ refused ─► due (again later) | stuck (no attempts left, or a final no)
                             │ └─ unknown ─► unknown ── paid | refused | not found (the same attempt and key again)
                             └── key expired ─► lost: looked up, never sent again; a person may settle it
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import structs

from houbao.core import money
from houbao.core.calendars import ALWAYS, Clock, ends
from houbao.core.moves import DisputeEvent, Head, Move
from houbao.core.orders import Order
from houbao.core.policy import Policy
from houbao.core.terms import Actor, Record, Refused, check_reference

Result = Literal["paid", "refused", "unknown", "returned", "key_expired"]
MOST_CODE = 64
"""How much of a provider's own code is kept: its report is booked whatever it says beside it."""

# --- what the rules of refunds and disputes may read ---------------------------------------------------------------


class Purse(Record, frozen=True, kw_only=True):
    """The balances a rule may read, of one store and one currency (minor units). `queue`: refunds that wait."""

    available: int = 0
    payable: int = 0
    deposit: int = 0
    queue: int = 0


class Scene(Record, frozen=True, kw_only=True):
    """What one decision may read: the order, what is approved on it already, the purse, the policy, who and when.

    `taken_lines` and `taken_payments` are line and payment ids → minor units approved, over all its disputes.
    `position` is that of the last event; `text` the keyed digest of the command's free text; `clock` how time runs for
    the order's store.
    """

    order: Order
    taken_lines: Mapping[str, int]
    taken_payments: Mapping[str, int]
    purse: Purse
    policy: Policy
    by: Actor
    now: datetime
    position: int
    text: str = ""
    clock: Clock = ALWAYS


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


class ServeWaiting(Record, frozen=True, kw_only=True, tag="serve_waiting"):
    """Money came into the fund: reserve it for the refunds that wait, the first approved first."""

    currency: str


# --- events --------------------------------------------------------------------------------------------------------


class Share(Record, frozen=True, kw_only=True):
    """The part of a refund that goes back over one payment, or the other `way` that the buyer named."""

    payment: str
    provider: str
    minor: int
    state: Literal["due", "sent", "unknown", "lost", "paid", "stuck", "elsewhere"] = "due"
    attempt: int = 0
    tries: int = 0
    sent_at: datetime | None = None
    way: str = ""


class RefundApproved(Move, frozen=True, kw_only=True, tag="refund_approved"):
    """A refund is owed. `legs` is where a seller's money is taken from, (account kind, minor) in that order; a refund
    of the fund's is reserved with this event unless it `waits` for money. `held`: it goes out when the goods
    are back."""

    resolved_by: str
    payer: str
    minor: int
    currency: str
    shares: tuple[Share, ...]
    lines: tuple[tuple[str, int], ...]
    legs: tuple[tuple[str, int], ...] = ()
    waits: bool = False
    held: bool = False


class FundsReserved(Move, frozen=True, kw_only=True, tag="funds_reserved"):
    """Money arrived for a refund that waited."""

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
    """The provider paid an attempt."""

    refund: int
    attempt: int
    payment: str
    provider: str
    payer: str
    minor: int
    currency: str


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
    """The provider gave the money back later."""

    refund: int
    attempt: int
    payment: str
    provider: str
    payer: str
    minor: int
    currency: str


class RefundContradicted(DisputeEvent, frozen=True, kw_only=True, tag="refund_contradicted"):
    """The provider now says of a settled attempt what cannot be: a person must look. `refund` is 0 where the attempt
    is no refund's latest."""

    refund: int
    attempt: int
    result: str


class RefundResolved(DisputeEvent, frozen=True, kw_only=True, tag="refund_resolved"):
    """Finance settled it: `minor` was paid elsewhere, or goes back where it came from by `legs`."""

    refund: int
    how: str
    payer: str
    minor: int
    currency: str
    legs: tuple[tuple[str, int], ...] = ()
    lines: tuple[tuple[str, int], ...] = ()
    waited: bool = False


RefundEvent = (
    RefundApproved
    | FundsReserved
    | RefundReleased
    | RefundSent
    | RefundPaid
    | RefundFailed
    | PayoutWaySet
    | RefundUnknown
    | RefundReturned
    | RefundContradicted
    | RefundResolved
)

# --- state ---------------------------------------------------------------------------------------------------------


class Refund(Record, frozen=True, kw_only=True):
    """An approved refund as it stands. `minor` is what was approved, less what was abandoned."""

    id: int
    payer: str
    minor: int
    currency: str
    state: Literal["held", "waiting", "sending", "paid", "abandoned"]
    shares: tuple[Share, ...]
    lines: tuple[tuple[str, int], ...]
    legs: tuple[tuple[str, int], ...] = ()


def taken(refunds: Iterable[Refund]) -> tuple[dict[str, int], dict[str, int]]:
    """What is approved already: line id → minor, payment id → minor."""
    lines: dict[str, int] = {}
    payments: dict[str, int] = {}
    for refund in refunds:
        for line, minor in refund.lines:
            lines[line] = lines.get(line, 0) + minor
        for share in refund.shares:
            payments[share.payment] = payments.get(share.payment, 0) + share.minor
    return lines, payments


SETTLED = ("paid", "elsewhere")
"""A share that is paid, by the provider or by finance elsewhere."""


def paid_minor(refund: Refund) -> int:
    """What of it has been paid (minor units)."""
    return sum(share.minor for share in refund.shares if share.state in SETTLED)


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


# --- decide --------------------------------------------------------------------------------------------------------


def decide_send(refund: Refund, command: SendRefund, head: Head) -> list[RefundEvent]:
    """Commit an attempt. No event where one is on its way, settled or given up: the caller then looks at that one."""
    share = find_share(refund, payment=command.payment)
    if share is None or share.state != "due" or refund.state != "sending":
        return []
    return [RefundSent(**head, refund=refund.id, payment=share.payment)]


def decide_report(
    refund: Refund | None, command: ReportRefund, policy: Policy, head: Head, back: Head, clock: Clock = ALWAYS
) -> list[RefundEvent]:
    """Book what the provider said of an attempt of that refund (None: of none's latest). Said twice, it changes
    nothing; said against what is settled, a person is told. `back`: the phase and timers after money came back."""
    head = {**head, "refund": refund.id if refund else 0, "attempt": command.attempt}
    share = find_share(refund, attempt=command.attempt)
    result = command.result
    if refund is None or share is None:
        return _contradiction(command, head) if result == "paid" else []
    if share.state == "paid":
        if result == "returned":
            return [_returned(refund, share, head, back)]
        return _contradiction(command, head) if result == "refused" else []
    if share.state not in ("sent", "unknown", "lost"):
        return _contradiction(command, head) if result in ("paid", "returned") else []
    match result:
        case "paid":
            return [_paid(refund, share, head)]
        case "returned":
            # What came back was paid before, whoever was not there to hear of it.
            return [_paid(refund, share, head), _returned(refund, share, head, back)]
        case "refused":
            stuck = command.final or share.tries >= policy.attempts
            retry_at = None if stuck else head["at"] + policy.retry
            claim_by = ends(clock, head["at"], policy.timers.unclaimed) if stuck else None
            said = {"payment": share.payment, "code": command.code[:MOST_CODE]}
            return [RefundFailed(**head, **said, stuck=stuck, retry_at=retry_at, claim_by=claim_by)]
        case "unknown":
            return [RefundUnknown(**head, payment=share.payment)] if share.state == "sent" else []
        case "key_expired":
            return [RefundUnknown(**head, payment=share.payment, expired=True)] if share.state != "lost" else []


def _paid(refund: Refund, share: Share, head: Head) -> RefundPaid:
    return RefundPaid(**head, **_money(refund, share))


def _returned(refund: Refund, share: Share, head: Head, back: Head) -> RefundReturned:
    return RefundReturned(**{**head, **back}, **_money(refund, share))


def _money(refund: Refund, share: Share) -> Head:
    return {
        "payment": share.payment,
        "provider": share.provider,
        "payer": refund.payer,
        "minor": share.minor,
        "currency": refund.currency,
    }


def _contradiction(command: ReportRefund, head: Head) -> list[RefundEvent]:
    return [RefundContradicted(**head, result=command.result)]


def decide_payout_way(refund: Refund, command: SetPayoutWay, head: Head) -> list[RefundEvent]:
    """What was stuck is due again, over the new way. Raises Refused: bad_reference, no_refund."""
    check_reference("way", command.way)
    share = find_share(refund, payment=command.payment)
    if share is None or share.state != "stuck":
        raise Refused("no_refund", f"nothing over {command.payment!r} waits for another way to be paid")
    return [PayoutWaySet(**head, refund=refund.id, payment=share.payment, way=command.way)]


def is_stuck(refund: Refund) -> bool:
    """Whether some of it needs another way, or a person."""
    return any(share.state == "stuck" for share in refund.shares)


def decide_resolve(refund: Refund, command: ResolveRefund, head: Head) -> list[RefundEvent]:
    """Finance's word on what no provider will pay. Raises Refused: refund_in_flight while one may still land."""
    if any(share.state in ("sent", "unknown") for share in refund.shares):
        raise Refused(
            "refund_in_flight", "an attempt may have been paid: wait for the provider's answer or the look-up"
        )
    if command.how == "abandon":
        return [decide_abandon(refund, head)]
    rest = refund.minor - paid_minor(refund)
    return [
        RefundResolved(
            **head,
            refund=refund.id,
            how=command.how,
            payer=refund.payer,
            minor=rest,
            currency=refund.currency,
            waited=refund.state == "waiting",
        )
    ]


def decide_abandon(refund: Refund, head: Head) -> RefundResolved:
    """What has not been paid goes back where it came from."""
    paid = paid_minor(refund)
    rest = refund.minor - paid
    lines = zip(refund.lines, money.split(paid, [minor for _, minor in refund.lines]), strict=True)
    return RefundResolved(
        **head,
        refund=refund.id,
        how="abandon",
        payer=refund.payer,
        minor=rest,
        currency=refund.currency,
        legs=unwind(refund.legs, rest),
        lines=tuple((line, minor) for (line, _), minor in lines if minor),
        waited=refund.state == "waiting",
    )


def unwind(legs: tuple[tuple[str, int], ...], minor: int) -> tuple[tuple[str, int], ...]:
    """Which legs get `minor` back: the last taken first, so that an advance is undone before a seller's own money."""
    back: list[tuple[str, int]] = []
    for kind, leg in reversed(legs):
        part = min(leg, minor)
        if part:
            back.append((kind, part))
            minor -= part
    return tuple(back)


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
        )
    assert refund is not None
    match event:
        case FundsReserved() | RefundReleased():
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
            return _share(refund, event.payment, state="stuck" if event.stuck else "due")
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
            return structs.replace(refund, state="abandoned", shares=paid, lines=event.lines, legs=legs, minor=minor)


def _share(refund: Refund, payment: str, **changes: Any) -> Refund:
    shares = tuple(structs.replace(share, **changes) if share.payment == payment else share for share in refund.shares)
    return structs.replace(refund, shares=shares)
