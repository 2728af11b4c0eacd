"""A dispute as the API shows it."""

from datetime import datetime

from msgspec import Struct

from houbao.core import disputes as d
from houbao.core.allowed import allowed
from houbao.core.disputes import Dispute, due_at, funding_of
from houbao.core.money import Money
from houbao.core.phases import default_outcome, waits_for
from houbao.core.refunds import Refund, paid_minor
from houbao.core.rulings import Compiled, assess, explain
from houbao.core.terms import REASONS, public_id
from houbao.core.world import Event
from houbao.web.api.shapes import dispute_id, order_id, refund_id
from houbao.web.callers import Caller
from houbao.web.site import PART


class ClaimView(Struct, kw_only=True):
    """What the buyer asks for."""

    remedy: str
    amount: Money


class FundingView(Struct, kw_only=True):
    """Who pays how much of what was approved."""

    payer: str
    amount: Money


class FaultView(Struct, kw_only=True, rename={"kind": "class"}):
    """Whether it counts against the store: pending, counted or exempt; in which class, and why if not."""

    state: str
    kind: str
    reason: str


class OfferView(Struct, kw_only=True):
    """The seller's offer that stands."""

    remedy: str
    amount: Money


class ParcelView(Struct, kw_only=True):
    """Goods on their way back, or once more to the buyer."""

    kind: str
    state: str
    carrier: str
    tracking: str
    delivered_at: datetime | None
    problem: str


class ShareView(Struct, kw_only=True):
    """What of a refund goes back over one payment."""

    payment_id: str
    provider: str
    amount: Money
    state: str
    attempt_id: str


class RefundView(Struct, kw_only=True):
    """A refund: `state` is waiting, held, sending, paid or ended; `paid` what the buyer has of it."""

    id: str
    payer: str
    amount: Money
    paid: Money
    state: str
    shares: list[ShareView]


class TimerView(Struct, kw_only=True):
    """What happens by itself at a time."""

    kind: str
    at: datetime


class LineView(Struct, kw_only=True):
    """Pieces of an order's line."""

    line_id: str
    quantity: int


class AppealView(Struct, kw_only=True):
    """A party's appeal; `finding` is empty while it is heard."""

    party: str
    about: str
    finding: str


class ProposalView(Struct, kw_only=True):
    """A ruling of fraud that `by` proposed: it holds when another person signs. What it leaves open is null."""

    by: str
    fraud: str
    finding: str
    reason: str
    amount: Money | None
    remedy: str | None
    payer: str | None
    fault: str | None


class DisputeView(Struct, kw_only=True, rename={"return_": "return"}):
    """A dispute. `waiting_for` is whose turn it is, `due_at` when `default_outcome` happens by itself; remedy, funding
    and fault are three decisions kept apart. `proposed` waits for a second person's signature, and is shown to the
    platform's people and software alone. `allowed_actions` are the paths that whoever asks may post to now."""

    id: str
    reference: str
    store_id: str
    order_id: str
    buyer_id: str
    phase: str
    waiting_for: str
    due_at: datetime | None
    default_outcome: str
    timers: list[TimerView]
    opened_at: datetime
    closed_at: datetime | None
    reason: str
    reason_class: str
    route: str
    covered: bool
    lines: list[LineView]
    claim: ClaimView
    remedy: str | None
    funding: list[FundingView]
    fault: FaultView
    offers: list[OfferView]
    return_: ParcelView | None
    refunds: list[RefundView]
    appeals: list[AppealView]
    frozen: bool
    claimed_by: str
    claimed_until: datetime | None
    proposed: ProposalView | None
    resolved_by: str
    outcome: str
    policy_version: str
    rule: str
    reasons: list[str]
    allowed_actions: list[str]


class Seen(Struct, frozen=True):
    """What a dispute is shown with: to whom, when, and the policy's reasons."""

    caller: Caller
    now: datetime
    reasons: list[str] = []


def dispute_view(dispute: Dispute, seen: Seen) -> DisputeView:
    """A dispute as the caller sees it."""
    currency = dispute.currency
    offer = dispute.offer
    who = seen.caller.actors(dispute)
    return DisputeView(
        id=dispute_id(dispute.id),
        reference=dispute.reference,
        store_id=dispute.store,
        order_id=order_id(dispute.order),
        buyer_id=dispute.buyer,
        phase=dispute.phase,
        waiting_for=waits_for(dispute),
        due_at=due_at(dispute),
        default_outcome=default_outcome(dispute),
        timers=[TimerView(kind=timer.kind, at=timer.at) for timer in dispute.timers],
        opened_at=dispute.opened_at,
        closed_at=dispute.closed_at,
        reason=dispute.reason,
        reason_class=REASONS.get(dispute.reason, ""),
        route=dispute.route,
        covered=dispute.covered,
        lines=[LineView(line_id=line, quantity=quantity) for line, quantity in dispute.lines],
        claim=ClaimView(remedy=dispute.remedy, amount=Money(dispute.amount, currency)),
        remedy=remedy_of(dispute),
        funding=[FundingView(payer=payer, amount=Money(minor, currency)) for payer, minor in funding_of(dispute)],
        fault=FaultView(state=dispute.fault.state, kind=dispute.fault.kind, reason=dispute.fault.why),
        offers=[OfferView(remedy=offer.remedy, amount=Money(offer.amount, currency))] if offer else [],
        return_=_parcel(dispute),
        refunds=[_refund(refund) for refund in dispute.refunds],
        appeals=[AppealView(party=one.party, about=one.about, finding=one.finding) for one in dispute.appeals],
        frozen=dispute.frozen is not None,
        claimed_by="" if seen.caller.is_party else dispute.claimed_by,
        claimed_until=dispute.claimed_until,
        proposed=None if seen.caller.is_party else _proposal(dispute),
        resolved_by=dispute.resolved_by,
        outcome=dispute.outcome,
        policy_version=dispute.policy,
        rule=dispute.rule,
        reasons=seen.reasons,
        allowed_actions=[name.replace("_", "-") for name in allowed(dispute, who, seen.now)],
    )


def remedy_of(dispute: Dispute) -> str | None:
    """What the buyer gets, once that is decided; `none` where it ended with nothing."""
    parcel = dispute.parcel
    if parcel is not None and parcel.kind == "replacement" and (not dispute.closed_at or dispute.outcome == "replaced"):
        return "replacement"
    if any(refund.minor for refund in dispute.refunds) or parcel is not None:
        return "return_refund" if parcel is not None and parcel.kind == "return" else "refund"
    return "none" if dispute.closed_at else None


def reasons_of(compiled: Compiled | None, event: Event | None, *, private: bool) -> list[str]:
    """Why the policy said what it said of a dispute, from the event that it was assessed at."""
    if compiled is None or not isinstance(event, d.DisputeOpened | d.ClaimChanged):
        return []
    ruling = assess(compiled, event.facts)
    return explain(compiled, ruling.rule.name, ruling.misses, private=private)


def _proposal(dispute: Dispute) -> ProposalView | None:
    if dispute.proposed is None:
        return None
    ruling = dispute.proposed.ruling
    return ProposalView(
        by=dispute.proposed.by,
        fraud=ruling.fraud,
        finding=ruling.finding,
        reason=ruling.reason,
        amount=None if ruling.amount is None else Money(ruling.amount, dispute.currency),
        remedy=ruling.remedy or None,
        payer=ruling.payer or None,
        fault=ruling.fault or None,
    )


def _parcel(dispute: Dispute) -> ParcelView | None:
    parcel = dispute.parcel
    if parcel is None:
        return None
    return ParcelView(
        kind=parcel.kind,
        state=parcel.state,
        carrier=parcel.carrier,
        tracking=parcel.tracking,
        delivered_at=parcel.delivered_at,
        problem=parcel.problem,
    )


def _refund(refund: Refund) -> RefundView:
    return RefundView(
        id=refund_id(refund.id),
        payer=refund.payer,
        amount=Money(refund.minor, refund.currency),
        paid=Money(paid_minor(refund), refund.currency),
        state=refund.state,
        shares=[
            ShareView(
                payment_id=share.payment,
                provider=share.provider,
                amount=Money(share.minor, refund.currency),
                state=share.state,
                attempt_id=public_id("attempt", PART, share.attempt) if share.attempt else "",
            )
            for share in refund.shares
        ],
    )
