"""States and events as rows: the one place where a record becomes columns. `verify` compares by the same functions."""

from collections.abc import Iterable
from typing import Any

import msgspec

from houbao.core import disputes as d
from houbao.core.breaker import Breaker
from houbao.core.calendars import Outage
from houbao.core.effects import Effect
from houbao.core.exchange import Rate
from houbao.core.ledger import Transfer
from houbao.core.orders import Order
from houbao.core.phases import waits_for
from houbao.core.programme import Store
from houbao.core.refunds import FundsReserved, RefundApproved, RefundResolved, takes
from houbao.core.score import Score, of_hundred
from houbao.core.tallies import Deal, Tally, deal_of, tally_of
from houbao.core.terms import from_micros, micros
from houbao.core.world import Event

Row = tuple[Any, ...]
"""The columns of a row in their order. Blobs are bytearrays: for each `bytes` that it is given, sqlite3 looks for an
adapter first, and that takes it longer than writing the row."""

END = 2**62
"""Behind every position, and every time in microseconds, of a row."""

encode = msgspec.json.Encoder().encode
decode_event = msgspec.json.Decoder(Event).decode
decode_dispute = msgspec.json.Decoder(d.Dispute).decode
decode_order = msgspec.json.Decoder(Order).decode
decode_store = msgspec.json.Decoder(Store).decode
decode_score = msgspec.json.Decoder(Score).decode
decode_effect = msgspec.json.Decoder(Effect).decode
decode_outages = msgspec.json.Decoder(tuple[Outage, ...]).decode
decode_breakers = msgspec.json.Decoder(tuple[Breaker, ...]).decode


def outages(known: tuple[Outage, ...]) -> bytes:
    """The outages in a row of `parts`; nothing where there are none."""
    return encode(known) if known else b""


def breakers(known: tuple[Breaker, ...]) -> bytes:
    """The breakers in a row of `parts`; nothing where there are none."""
    return encode(known) if known else b""


def rate_of(row: Row) -> Rate:
    """A rate from its row of `rates`."""
    base, quote, published_at, source, numerator, denominator = row
    return Rate(
        base=base,
        quote=quote,
        numerator=numerator,
        denominator=denominator,
        published_at=from_micros(published_at),
        source=source,
    )


def store_row(part: int, store: Store) -> Row:
    """A row of `stores`."""
    return (part, store.id, bytearray(encode(store)))


def order_row(part: int, order: Order) -> Row:
    """A row of `orders`."""
    covered = int(order.coverage.covered)
    body = bytearray(encode(order))
    return (part, order.id, order.store, order.buyer, order.reference, order.status, covered, body)


def dispute_row(part: int, dispute: d.Dispute) -> Row:
    """A row of `disputes`."""
    due = d.due_at(dispute) if dispute.timers else None
    return (
        part,
        dispute.id,
        dispute.order,
        dispute.store,
        dispute.buyer,
        dispute.phase,
        waits_for(dispute),
        micros(dispute.opened_at),
        micros(due) if due else None,
        dispute.reference or None,
        bytearray(encode(dispute)),
    )


def tally_rows(part: int, dispute: d.Dispute) -> list[Row]:
    """The dispute's row of `tallies`, if it leaves one."""
    tally = tally_of(dispute)
    return [] if tally is None else [_tally_row(part, tally)]


def _tally_row(part: int, tally: Tally) -> Row:
    return (
        part,
        tally.dispute,
        tally.store,
        tally.order,
        tally.kind,
        tally.state,
        tally.why,
        micros(tally.opened_at),
        micros(tally.lifted_at) if tally.lifted_at else None,
        int(tally.adjudicated),
        int(tally.guaranteed),
        tally.asked,
        tally.answered,
    )


def tally_in(row: Row) -> Tally:
    """The line in a row of `tallies`."""
    _, number, store, order, kind, state, why, opened, lifted, adjudicated, guaranteed, asked, answered = row
    return Tally(
        dispute=number,
        store=store,
        order=order,
        kind=kind,
        state=state,
        why=why,
        opened_at=from_micros(opened),
        lifted_at=None if lifted is None else from_micros(lifted),
        adjudicated=bool(adjudicated),
        guaranteed=bool(guaranteed),
        asked=asked,
        answered=answered,
    )


def deal_rows(part: int, order: Order) -> list[Row]:
    """The order's row of `deals`, if it leaves one."""
    deal = deal_of(order)
    if deal is None:
        return []
    ended, rated = (None if at is None else micros(at) for at in (deal.ended_at, deal.rated_at))
    ratings = (deal.description, deal.service, deal.logistics)
    return [(part, deal.order, deal.store, deal.state, ended, rated, *ratings)]


def deal_in(row: Row) -> Deal:
    """The line in a row of `deals`."""
    _, order, store, state, ended, rated, description, service, logistics = row
    return Deal(
        order=order,
        store=store,
        state=state,
        ended_at=None if ended is None else from_micros(ended),
        rated_at=None if rated is None else from_micros(rated),
        description=description,
        service=service,
        logistics=logistics,
    )


def score_row(part: int, store: str, score: Score, position: int) -> Row:
    """A row of `scores`."""
    body = bytearray(encode(score))
    return (part, score.day.isoformat(), store, position, of_hundred(score), score.weight, score.grade, body)


def timer_rows(part: int, dispute: d.Dispute) -> list[Row]:
    """The dispute's rows of `timers`."""
    return [(part, micros(timer.at), dispute.id, timer.kind) for timer in dispute.timers]


def transfer_rows(part: int, position: int, moved: Iterable[Transfer]) -> list[Row]:
    """The rows of `transfers` of one event."""
    return [
        (part, position, n, t.kind, t.source, t.target, t.minor, t.currency, t.store, t.order, t.dispute)
        for n, t in enumerate(moved)
    ]


def effect_rows(part: int, position: int, told: Iterable[Effect]) -> list[Row]:
    """The rows of `outbox` of one event, untried."""
    return [(part, micros(effect.at), position, n, 0, bytearray(encode(effect))) for n, effect in enumerate(told)]


def waiting_row(part: int, position: int, event: Event) -> Row | None:
    """The row of `waiting` that a refund leaves when it must wait for money."""
    if isinstance(event, RefundApproved) and event.waits:
        minor, currency = takes(event)
        return (part, event.waits, currency, position, event.dispute, minor)
    return None


def served_key(part: int, event: Event) -> Row | None:
    """The key of the row of `waiting` that this event ends."""
    if isinstance(event, FundsReserved):
        return (part, event.account, event.currency, event.refund)
    if isinstance(event, RefundResolved) and event.waited:
        return (part, event.waited, event.fund_currency or event.currency, event.refund)
    return None


def instant_row(part: int, position: int, event: Event) -> Row | None:
    """The row of `instants` that an instantly paid dispute leaves."""
    if isinstance(event, d.DisputeOpened) and event.route == "instant":
        return (part, event.buyer, position, micros(event.at), event.currency, event.amount)
    return None
