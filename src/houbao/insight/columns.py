"""What of the past stands in the lake: its tables column by column, and how a record becomes a row.

Nothing here names a person or holds free text. Who acted is a role; a buyer is a digest under a key that is thrown away
with each export, so that one buyer's rows can be counted within a lake and nobody can be found in it.
"""

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec

from houbao.core.acts import DisputeOpened
from houbao.core.conditions import FACTS, Facts
from houbao.core.disputes import Dispute, funding_of
from houbao.core.orders import Order
from houbao.core.programme import Coverage
from houbao.core.refunds import paid_minor
from houbao.core.tallies import deal_of, tally_of
from houbao.core.terms import role_of
from houbao.engine.past import BookedEvent, BookedTransfer, DisputeStory

Row = tuple[Any, ...]
Kind = str
"""What a column holds: `int`, `text`, `flag`, `time` (UTC, microseconds) or `texts`; all but texts may be unknown."""

_FACT_KINDS: dict[Any, Kind] = {bool: "flag", int: "int", int | None: "int", tuple[str, ...]: "texts"}

EVENTS: dict[str, Kind] = {
    "part": "int",
    "position": "int",
    "booked_at": "time",
    "at": "time",
    "type": "text",
    "role": "text",
    "store_id": "text",
    "order_id": "int",
    "dispute_id": "int",
    "phase": "text",
    "payer": "text",
    "minor": "int",
    "currency": "text",
}
TRANSFERS: dict[str, Kind] = {
    "part": "int",
    "position": "int",
    "n": "int",
    "booked_at": "time",
    "kind": "text",
    "source": "text",
    "target": "text",
    "minor": "int",
    "currency": "text",
    "store_id": "text",
    "order_id": "int",
    "dispute_id": "int",
}
_COVERAGE: dict[str, Kind] = {
    "coverage_reason": "text",
    "programme": "text",
    "rules": "text",
    "mode": "text",
    "fund_currency": "text",
}
_DEAL: dict[str, Kind] = {
    "deal": "text",
    "ended_at": "time",
    "rated_at": "time",
    "description": "int",
    "service": "int",
    "logistics": "int",
}
ORDERS: dict[str, Kind] = {
    "part": "int",
    "order_id": "int",
    "store_id": "text",
    "buyer": "text",
    "currency": "text",
    "country": "text",
    "status": "text",
    "placed_at": "time",
    "paid_at": "time",
    "shipped_at": "time",
    "delivered_at": "time",
    "promised_by": "time",
    "cancelled_at": "time",
    "cancelled_by": "text",
    "item": "int",
    "shipping": "int",
    "tax": "int",
    "paid": "int",
    "commission": "int",
    "premium": "int",
    "paid_out": "int",
    "charged_back": "int",
    "categories": "texts",
    "covered": "flag",
    **_COVERAGE,
    **_DEAL,
}
_RECORD: dict[str, Kind] = {
    "fault_kind": "text",
    "fault_state": "text",
    "fault_why": "text",
    "lifted_at": "time",
    "adjudicated": "flag",
    "guaranteed": "flag",
    "asked": "int",
    "answered": "int",
}
PAYERS = ("fund", "seller", "platform")
DISPUTES: dict[str, Kind] = {
    "part": "int",
    "dispute_id": "int",
    "order_id": "int",
    "store_id": "text",
    "buyer": "text",
    "currency": "text",
    "opened_at": "time",
    "closed_at": "time",
    "policy": "text",
    **_COVERAGE,
    "remedy": "text",
    "route": "text",
    "rule": "text",
    "payer": "text",
    "fault": "text",
    "phase": "text",
    "outcome": "text",
    "resolved_by": "text",
    "claimed": "int",
    **{f"{payer}_pays": "int" for payer in PAYERS},
    "refunded": "int",
    "handed_over": "flag",
    "rulings": "int",
    "appeals": "int",
    "fraud": "text",
    **_RECORD,
    **{name: _FACT_KINDS.get(kind, "text") for name, kind in FACTS.items()},
}
"""A dispute as it stands, and last, under their own names, the facts that it was ruled on at its opening. `rules` is
the policy version that ruled, `policy` the one whose timers run. `claimed` is what is asked now, `…_pays` what was
approved at whose cost, `refunded` what has reached the buyer (minor units of `currency`)."""

TABLES: dict[str, dict[str, Kind]] = {
    "events": EVENTS,
    "disputes": DISPUTES,
    "transfers": TRANSFERS,
    "orders": ORDERS,
}


class _Said(msgspec.Struct):
    """What the lake keeps of an event; the rest of it is read over."""

    type: str
    at: datetime
    by: str = ""
    store: str = ""
    order: int = 0
    dispute: int = 0
    phase: str = ""
    payer: str = ""
    minor: int | None = None
    currency: str = ""


_decode_said = msgspec.json.Decoder(_Said).decode


def event_row(part: int, booked: BookedEvent) -> tuple[datetime, Row]:
    """When it happened, and the row of `events`. Orders and disputes are known by the event that made them."""
    said = _decode_said(booked.body)
    order = booked.position if said.type == "order_placed" else said.order
    about = (said.store, order or None, said.dispute or None, said.phase, said.payer, said.minor, said.currency)
    role = role_of(said.by)
    return said.at, (part, booked.position, booked.booked_at, said.at, said.type, role, *about)


def transfer_row(part: int, t: BookedTransfer) -> tuple[datetime, Row]:
    """When it was booked, and the row of `transfers`."""
    about = (t.store, t.order or None, t.dispute or None)
    return t.booked_at, (part, t.position, t.n, t.booked_at, t.kind, t.source, t.target, t.minor, t.currency, *about)


def order_row(part: int, order: Order, digest: Callable[[str], str]) -> tuple[datetime, Row]:
    """When it was placed, and the row of `orders`."""
    deal, coverage = deal_of(order), order.coverage
    row = (
        part,
        order.id,
        order.store,
        digest(order.buyer),
        order.currency,
        order.country,
        order.status,
        order.placed_at,
        order.paid_at,
        order.shipped_at,
        order.delivered_at,
        order.promised_by,
        order.cancelled_at,
        order.cancelled_by,
        sum(line.item for line in order.lines),
        sum(line.shipping for line in order.lines),
        sum(line.tax for line in order.lines),
        sum(payment.minor for payment in order.payments),
        order.commission,
        order.premium,
        order.paid_out,
        sum(charge.minor for charge in order.chargebacks if charge.state == "lost"),
        [line.category for line in order.lines],
        coverage.covered,
        *_covered(coverage),
        *((deal.state, deal.ended_at, deal.rated_at) if deal else ("", None, None)),
        *((deal.description, deal.service, deal.logistics) if deal else (0, 0, 0)),
    )
    return order.placed_at, row


def dispute_row(part: int, story: DisputeStory, digest: Callable[[str], str]) -> tuple[datetime, Row] | None:
    """When it was opened, and the row of `disputes`; None of goodwill, which is no dispute."""
    dispute, opened = story.dispute, story.began
    if not isinstance(opened, DisputeOpened):
        return None
    pays = dict(funding_of(dispute))
    row = (
        part,
        dispute.id,
        dispute.order,
        dispute.store,
        digest(dispute.buyer),
        dispute.currency,
        dispute.opened_at,
        dispute.closed_at,
        dispute.policy,
        *_covered(story.coverage, opened.rules or opened.policy),
        dispute.remedy,
        opened.route,
        opened.rule,
        opened.payer,
        opened.fault,
        dispute.phase,
        dispute.outcome,
        dispute.resolved_by,
        dispute.amount,
        *(pays.get(payer, 0) for payer in PAYERS),
        sum(paid_minor(refund) for refund in dispute.refunds),
        dispute.notice > 0,
        len(dispute.judges),
        len(dispute.appeals),
        dispute.fraud,
        *_record(dispute),
        *_facts(opened.facts),
    )
    return dispute.opened_at, row


def _covered(coverage: Coverage, rules: str = "") -> Row:
    return coverage.reason, coverage.programme, rules or coverage.policy, coverage.mode, coverage.currency


def _record(dispute: Dispute) -> Row:
    tally = tally_of(dispute)
    assert tally is not None
    fault = (tally.kind, tally.state, tally.why, tally.lifted_at)
    return (*fault, tally.adjudicated, tally.guaranteed, tally.asked, tally.answered)


def _facts(facts: Facts) -> Row:
    found = (getattr(facts, name) for name in FACTS)
    return tuple([*value] if isinstance(value, tuple) else value for value in found)


def digest_under(key: bytes) -> Callable[[str], str]:
    """What a buyer's id becomes: 16 hex digits, the same for the same id under the same key."""
    return lambda buyer: blake2b(buyer.encode(), key=key, digest_size=8).hexdigest()
