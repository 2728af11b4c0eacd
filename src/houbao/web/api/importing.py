"""Orders and events of orders as a stream of lines (NDJSON): taken in as they come, however many. Sent twice it changes
nothing."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from litestar import Request as HttpRequest
from msgspec import Struct, structs

from houbao.core.orders import Order
from houbao.core.scopes import EVERYTHING
from houbao.core.terms import Actor, Refused, tag_of
from houbao.engine.request import Accepted, Outcome, Request
from houbao.feeds.order_format import (
    OrderDocument,
    OrderEventDocument,
    decode_event,
    decode_order,
    event_of,
    order_of,
)
from houbao.feeds.sold import SoldOrder
from houbao.store import lists, queries
from houbao.web.api.opening import order_number
from houbao.web.api.shapes import order_id
from houbao.web.callers import own_actor
from houbao.web.operation import Ask, operation
from houbao.web.problems import Problem, problem
from houbao.web.site import PART, Site, encode

MOST_LINE = 1 << 20
"""The most bytes of a line."""

BATCH = 500
MOST_BATCH = 16 << 20
"""How many lines are taken in together, and from how many bytes on no more are waited for: so much of a stream is kept
at any time, however long its lines."""

MOST_TOLD = 1000
NDJSON = "application/x-ndjson"


class LineRefused(Struct, kw_only=True):
    """A line that was not taken in, or not all of it, and why."""

    line: int
    problem: Problem


class Imported(Struct, kw_only=True):
    """What became of the lines. `refusals` are the first 1,000 that were refused; `refused` counts all."""

    lines: int = 0
    new: int = 0
    known: int = 0
    refused: int = 0
    refusals: list[LineRefused] = []


@operation(
    "POST",
    "/v1/orders/import",
    action="orders.place",
    body=bytes,
    reply=Imported,
    takes=NDJSON,
    most=None,
    refuses=("unsupported_media",),
)
async def import_orders(ask: Ask[Any, Any]) -> Imported:
    """Orders and events of orders, one document a line (docs/order-format.md), however many: taken in as they come,
    answered at the end. A line that cannot be used stops nothing; the same lines again change nothing."""
    if ask.request.content_type[0] != NDJSON:
        raise Refused("unsupported_media", f"the body is {ask.request.content_type[0] or 'of no type'}: send {NDJSON}")
    by = own_actor(ask.caller, ("platform", "admin"))
    done = Imported()
    async for lines in batches(_lines(ask.request)):
        done.lines += len(lines)
        await _take(ask.site, by, [(number, _read(line)) for number, line in lines], done)
    return done


async def batches(lines: AsyncIterable[tuple[int, bytes | None]]) -> AsyncIterator[list[tuple[int, bytes | None]]]:
    """The lines as they are taken in together: up to BATCH, and only one that goes beyond MOST_BATCH bytes."""
    batch: list[tuple[int, bytes | None]] = []
    size = 0
    async for number, line in lines:
        batch.append((number, line))
        size += len(line or b"")
        if len(batch) == BATCH or size >= MOST_BATCH:
            yield batch
            batch = []
            size = 0
    if batch:
        yield batch


async def _lines(request: HttpRequest[Any, Any, Any]) -> AsyncIterator[tuple[int, bytes | None]]:
    """(number, line) of every line that is not empty, from 1; None for one that is too long to be kept."""
    rest, number, skipping = b"", 0, False
    async for chunk in request.stream():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            if skipping or line.strip():
                yield number, None if skipping or len(line) > MOST_LINE else line
            skipping = False
        if len(rest) > MOST_LINE:
            rest, skipping = b"", True
    if skipping or rest.strip():
        yield number + 1, None if skipping else rest


def _read(line: bytes | None) -> OrderDocument | OrderEventDocument | Refused:
    if line is None:
        return Refused("too_large", f"the line has more than {MOST_LINE} bytes")
    try:
        return decode_event(line) if b'"type"' in line and _is_event(line) else decode_order(line)
    except Refused as refused:
        return refused


class _Kind(Struct):
    type: str = ""


def _is_event(line: bytes) -> bool:
    try:
        return bool(msgspec.json.decode(line, type=_Kind).type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


async def _take(
    site: Site, by: Actor, batch: list[tuple[int, OrderDocument | OrderEventDocument | Refused]], done: Imported
) -> None:
    """Take in a batch: its orders, then its events; what becomes of each line is noted in `done`."""
    orders = [(n, one) for n, one in batch if isinstance(one, OrderDocument | Refused)]
    outcomes: dict[int, Outcome] = {}
    keys = [_key("place", one.store_id, one.reference) if isinstance(one, OrderDocument) else "" for _, one in orders]
    placed = await _place(site, by, [one for _, one in orders], keys)
    outcomes |= {n: outcome for (n, _), outcome in zip(orders, placed, strict=True)}
    outcomes |= await _report(site, by, [(n, one) for n, one in batch if isinstance(one, OrderEventDocument)])
    for n, _ in batch:
        outcome = outcomes[n]
        if isinstance(outcome, Refused):
            done.refused += 1
            if len(done.refusals) < MOST_TOLD:
                done.refusals.append(LineRefused(line=n, problem=problem(outcome)))
        elif outcome.replayed or not outcome.first:
            done.known += 1
        else:
            done.new += 1


async def _place(
    site: Site, by: Actor, documents: Sequence[OrderDocument | Refused], keys: Sequence[str]
) -> list[Outcome]:
    """Place each order, then report what happened to it: one outcome each, that of the placing, or the first refusal.
    Apart, so that the same order with more of its life, sent again, brings in what is new. A document that could not be
    read stays refused."""
    now = site.clock()
    sold = [_sold(document) for document in documents]
    places = [
        Request(one.place, by, now, key) for one, key in zip(sold, keys, strict=True) if isinstance(one, SoldOrder)
    ]
    placed = iter(await site.execute_all(places, bulk=True))
    outcomes: list[Outcome] = [next(placed) if isinstance(one, SoldOrder) else one for one in sold]
    facts: list[Request] = []
    whose: list[int] = []
    for n, (one, outcome, key) in enumerate(zip(sold, outcomes, keys, strict=True)):
        if isinstance(one, SoldOrder) and isinstance(outcome, Accepted):
            for fact in one.facts:
                facts.append(Request(structs.replace(fact, order=outcome.id), by, now, f"{key}:{tag_of(fact)}"))
                whose.append(n)
    for n, outcome in zip(whose, await site.execute_all(facts, bulk=True), strict=True):
        if isinstance(outcome, Refused) and isinstance(outcomes[n], Accepted):
            outcomes[n] = outcome
    return outcomes


def _sold(document: OrderDocument | Refused) -> SoldOrder | Refused:
    if isinstance(document, Refused):
        return document
    try:
        return order_of(document)
    except Refused as refused:
        return refused


async def _report(site: Site, by: Actor, events: list[tuple[int, OrderEventDocument]]) -> dict[int, Outcome]:
    """Report events of orders that are there."""
    outcomes: dict[int, Outcome] = {}
    asked: list[tuple[int, Request]] = []
    now = site.clock()
    orders = await asyncio.to_thread(_orders_of, site, [event for _, event in events])
    for (n, event), order in zip(events, orders, strict=True):
        if isinstance(order, Refused):
            outcomes[n] = order
            continue
        try:
            command = event_of(event, order.id, order.currency)
        except Refused as refused:
            outcomes[n] = refused
            continue
        said = encode((order_id(order.id), event)).decode()
        asked.append((n, Request(command, by, now, _key("event", said))))
    done: list[Outcome] = await site.execute_all([request for _, request in asked], bulk=True)
    return outcomes | {n: outcome for (n, _), outcome in zip(asked, done, strict=True)}


def _orders_of(site: Site, events: Sequence[OrderEventDocument]) -> list[Order | Refused]:
    """The order that each event is of, all looked up together; or why there is none: unknown_order, bad_id."""
    named = [(event.store_id, event.order) if event.store_id else order_number(event.order) for event in events]
    with site.snapshot() as reading:
        by_name = queries.orders_by_references(reading, PART, {one for one in named if isinstance(one, tuple)})
        numbers = [one for one in named if isinstance(one, int)]
        by_number = lists.orders_by_number(reading, PART, EVERYTHING, numbers)
    found: list[Order | Refused] = []
    for event, name in zip(events, named, strict=True):
        if isinstance(name, Refused):
            found.append(name)
            continue
        order = by_name.get(name) if isinstance(name, tuple) else by_number.get(name)
        found.append(order or Refused("unknown_order", f"no order {event.order[:64]!r}: send it first"))
    return found


def _key(*words: str) -> str:
    """The idempotency key of what a line says: the same line again is known."""
    return f"line:{blake2b(chr(0).join(words).encode(), digest_size=16).hexdigest()}"
