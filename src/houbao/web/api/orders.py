"""Orders: placed, what happens to them, what is written on them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct, structs

from houbao.core.acts import SendGoodwill
from houbao.core.disputes import GOODWILL, Dispute
from houbao.core.messages import WriteOnOrder
from houbao.core.orders import Order, PlaceOrder
from houbao.core.terms import Actor, Refused
from houbao.engine.request import Outcome, Request
from houbao.feeds.order_format import OrderDocument, OrderEventDocument, event_of, is_undated, order_of
from houbao.store import lists, queries
from houbao.web.api import bodies
from houbao.web.api.dispute_shapes import DisputeView
from houbao.web.api.disputes import found_order, left_by, replayed
from houbao.web.api.opening import keys_of, outcomes_of
from houbao.web.api.order_shapes import OrderView, order_view
from houbao.web.api.paging import Limit, PageQuery, cursor_of, page_of, part_of, seek
from houbao.web.api.previews import PreviewView, previewed
from houbao.web.api.shapes import EventView, Outcomes, Page, event_view, order_id
from houbao.web.callers import Caller, actor_for, own_actor, public_by
from houbao.web.operation import MOST_LIST_BODY, Answer, Ask, check_count, operation
from houbao.web.site import PART

PLACE_REFUSES = (
    "bad_field",
    "unknown_store",
    "order_exists",
    "bad_reference",
    "bad_currency",
    "bad_amount",
    "bad_lines",
    "bad_payments",
    "bad_words",
    "text_too_long",
    "naive_time",
    "bad_time",
    "key_reused",
    "bad_list",
)

ORDER_EXAMPLE = {
    "store_id": "oak",
    "reference": "A-1001",
    "buyer_id": "ann",
    "currency": "EUR",
    "lines": [{"id": "1", "quantity": 1, "item": {"minor": 4000, "currency": "EUR"}}],
    "payments": [{"id": "card", "provider": "sandbox", "amount": {"minor": 4000, "currency": "EUR"}}],
    "ship_by": "2026-07-11T12:00:00Z",
    "promised_by": "2026-07-20T12:00:00Z",
    "placed_at": "2026-07-08T11:00:00Z",
}


@operation(
    "POST",
    "/v1/orders",
    action="orders.place",
    body=OrderDocument | list[OrderDocument],
    reply=OrderView,
    status=201,
    also={200: PreviewView, 207: Outcomes},
    refuses=PLACE_REFUSES,
    example=ORDER_EXAMPLE,
    most=MOST_LIST_BODY,
    previews=True,
)
async def place_order(ask: Ask[Any, Any]) -> Answer:
    """Place an order with what has happened to it so far, or up to 1,000 at once, each with its own outcome (207). The
    document is that of docs/order-format.md."""
    by = own_actor(ask.caller, ("platform", "admin"))
    if isinstance(ask.body, list):
        check_count(len(ask.body))
        if ask.dry_run:
            raise Refused("bad_request", "a preview is of one thing: send it alone")
        return outcomes_of(await _place_all(ask, by, ask.body, keys_of(ask.key, len(ask.body))), order_id)
    if ask.dry_run:
        return await previewed(ask, placing(ask.body), by)
    (outcome,) = await _place_all(ask, by, [ask.body], [ask.key])
    if isinstance(outcome, Refused):
        raise outcome
    with ask.site.snapshot() as reading:
        order = found_order(reading, ask.scope, order_id(outcome.id))
        answer = Answer(order_view(order, _disputes(reading, order)))
    answer.headers["Location"] = f"/v1/orders/{order_id(outcome.id)}"
    return replayed(answer, outcome)


async def _place_all(
    ask: Ask[Any, Any], by: Actor, documents: Sequence[OrderDocument | Refused], keys: Sequence[str]
) -> list[Outcome]:
    """Place each order together with what happened to it so far: all of it is taken in, or nothing. One
    outcome each; a document that could not be read stays refused."""
    now, sender = ask.site.clock(), ask.caller.sender
    placed = [_placed(document) for document in documents]
    requests = [
        Request(one, by, now, key, sender=sender)
        for one, key in zip(placed, keys, strict=True)
        if isinstance(one, PlaceOrder)
    ]
    decided = iter(await ask.site.execute_all(requests))
    return [next(decided) if isinstance(one, PlaceOrder) else one for one in placed]


def placing(document: OrderDocument) -> PlaceOrder:
    """The command that a document is. Raises Refused: bad_currency."""
    sold = order_of(document)
    return structs.replace(sold.place, facts=sold.facts)


def _placed(document: OrderDocument | Refused) -> PlaceOrder | Refused:
    if isinstance(document, Refused):
        return document
    try:
        return placing(document)
    except Refused as refused:
        return refused


class OrderQuery(Struct, kw_only=True):
    """Which orders: of one store, or with one reference of the marketplace's."""

    store_id: str = ""
    reference: str = ""
    limit: Limit = 50
    after: str = ""


@operation(
    "GET",
    "/v1/orders",
    action="orders.read",
    query=OrderQuery,
    reply=Page[OrderView],
    refuses=("bad_cursor",),
)
def list_orders(ask: Ask[Any, OrderQuery]) -> Page[OrderView]:
    """Orders, the newest first."""
    wanted = ask.query
    before = seek(wanted.after, 1)
    with ask.site.snapshot() as reading:
        found = lists.order_page(
            reading,
            PART,
            ask.scope,
            store=wanted.store_id,
            reference=wanted.reference,
            before=before[0] if before else None,
            limit=wanted.limit + 1,
        )
        page = page_of(found, wanted.limit, lambda order: cursor_of(order.id))
        disputes = queries.disputes_of_orders(reading, PART, [order.id for order in page.data])
        data = [order_view(order, _numbers(disputes[order.id])) for order in page.data]
    return Page(data=data, next=page.next)


@operation(
    "GET",
    "/v1/orders/{order_id:str}",
    action="orders.read",
    reply=OrderView,
    refuses=("bad_id", "unknown_order"),
)
def read_order(ask: Ask[Any, Any]) -> OrderView:
    """An order with its coverage and its disputes."""
    with ask.site.snapshot() as reading:
        order = found_order(reading, ask.scope, ask.text("order_id"))
        return order_view(order, _disputes(reading, order))


def _disputes(reading: Any, order: Order) -> list[int]:
    return _numbers(queries.disputes_of(reading, PART, order.id))


def _numbers(disputes: Sequence[Dispute]) -> list[int]:
    return [dispute.id for dispute in disputes if dispute.route != GOODWILL]


@operation(
    "POST",
    "/v1/orders/{order_id:str}/events",
    action="orders.report",
    body=OrderEventDocument,
    reply=(OrderView, PreviewView),
    refuses=(
        "bad_id",
        "unknown_order",
        "bad_field",
        "order_turn",
        "bad_amount",
        "bad_currency",
        "bad_payments",
        "bad_rating",
        "bad_words",
        "payable_short",
        "payout_above_order",
        "not_mature",
        "chargeback_turn",
        "unknown_payment",
        "naive_time",
        "bad_time",
        "key_reused",
    ),
    example={"type": "delivered", "at": "2026-07-18T09:30:00Z"},
    previews=True,
)
async def report_event(ask: Ask[Any, Any]) -> Answer:
    """What happened to an order: paid, shipped, tracking, delivered, confirmed, confirmation_timed_out, cancelled,
    rated, paid_out, chargeback. Where it does not say when (`at`), it is now."""
    with ask.site.snapshot() as reading:
        order = found_order(reading, ask.scope, ask.text("order_id"))
    by, now = own_actor(ask.caller, ("platform", "admin")), ask.site.clock()
    _check_named(ask.body, order)
    command = event_of(ask.body, order.id, order.currency, now)
    if ask.dry_run:
        return await previewed(ask, command, by)
    accepted = await ask.execute(command, by, now=now, undated=is_undated(ask.body))
    with ask.site.snapshot() as reading:
        now = found_order(reading, ask.scope, ask.text("order_id"))
        return replayed(Answer(order_view(now, _disputes(reading, now))), accepted)


def _check_named(document: OrderEventDocument, order: Order) -> None:
    """`Refused('bad_field')` where the event names another order than the path."""
    if document.store_id not in ("", order.store) or document.order not in ("", order.reference, order_id(order.id)):
        raise Refused("bad_field", "order: the event names another order than the path; leave it out")


class WordsView(Struct, kw_only=True):
    """Words on an order, unless they were erased."""

    event: EventView
    text: str


@operation(
    "POST",
    "/v1/orders/{order_id:str}/messages",
    action="orders.write",
    body=bodies.MessageBody,
    reply=WordsView,
    status=201,
    also={200: PreviewView},
    refuses=("bad_id", "unknown_order", "no_text", "text_too_long", "actor_needed", "key_reused"),
    example={"message": "Could you ship it by Friday?"},
    previews=True,
)
async def write_on_order(ask: Ask[bodies.MessageBody, Any]) -> Answer:
    """Buyer, seller or an agent writes on the order: no dispute, no trace in any rate (R15)."""
    with ask.site.snapshot() as reading:
        order = found_order(reading, ask.scope, ask.text("order_id"))
    by = actor_for(ask.caller, ("buyer", "seller", "agent"), order, ask.acting_as)
    command = WriteOnOrder(order=order.id, message=ask.body.message)
    if ask.dry_run:
        return await previewed(ask, command, by)
    accepted = await ask.execute(command, by)
    with ask.site.snapshot() as reading:
        (written,) = _words(reading, (accepted.last,), ask.caller)
    return replayed(Answer(written), accepted)


@operation(
    "GET",
    "/v1/orders/{order_id:str}/messages",
    action="orders.read",
    query=PageQuery,
    reply=Page[WordsView],
    refuses=("bad_id", "unknown_order", "bad_cursor"),
)
def read_messages(ask: Ask[Any, PageQuery]) -> Page[WordsView]:
    """What was written on the order, the oldest first."""
    with ask.site.snapshot() as reading:
        order = found_order(reading, ask.scope, ask.text("order_id"))
        return part_of(_words(reading, order.history, ask.caller), ask.query)


def _words(reading: Any, positions: tuple[int, ...], caller: Caller) -> list[WordsView]:
    texts = lists.texts(reading, PART, positions)
    told: list[WordsView] = []
    for row in lists.events(reading, PART, tuple(texts)):
        said = msgspec.json.decode(row.body)
        event = event_view(row.position, row.booked_at, said | {"by": public_by(said.get("by", ""), caller)})
        told.append(WordsView(event=event, text=texts[row.position]))
    return told


@operation(
    "POST",
    "/v1/orders/{order_id:str}/goodwill",
    action="orders.goodwill",
    body=bodies.GoodwillBody,
    reply=DisputeView,
    status=201,
    also={200: PreviewView},
    refuses=(
        "bad_id",
        "unknown_order",
        "bad_amount",
        "bad_currency",
        "text_too_long",
        "not_paid",
        "amount_above_refundable",
        "payable_short",
        "key_reused",
    ),
    example={"amount": {"minor": 500, "currency": "EUR"}, "note": "Sorry for the scratch."},
    previews=True,
)
async def send_goodwill(ask: Ask[bodies.GoodwillBody, Any]) -> Answer:
    """The seller sends money back of its own accord: capped at what is refundable, counted nowhere (R15)."""
    with ask.site.snapshot() as reading:
        order = found_order(reading, ask.scope, ask.text("order_id"))
    by = actor_for(ask.caller, ("seller",), order, ask.acting_as)
    command: SendGoodwill = bodies.goodwill(ask.body, order)
    if ask.dry_run:
        return await previewed(ask, command, by)
    accepted = await ask.execute(command, by)
    with ask.site.glance() as reading:
        return left_by(accepted, reading, ask, accepted.id)
