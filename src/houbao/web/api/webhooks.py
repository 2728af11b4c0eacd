"""Webhooks: who is told of events, how each delivery went, telling once more."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from houbao.engine.announcing import Delivered, Hook
from houbao.store import hooks
from houbao.store.rows import END
from houbao.web import webhooks
from houbao.web.api.paging import Limit, PageQuery, cursor_of, page_of, part_of, seek
from houbao.web.api.shapes import Page, event_id
from houbao.web.operation import Answer, Ask, operation
from houbao.web.site import PART

MOST_TYPES = 50


class HookBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """Where to tell (https), which types of events (none named: all), of which store (none named: all)."""

    url: str
    types: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=MOST_TYPES)] = []
    store_id: str = ""


class HookView(Struct, kw_only=True):
    """A webhook; `ended_at` since when it is told no more."""

    id: str
    url: str
    types: list[str]
    store_id: str
    created_at: datetime
    ended_at: datetime | None


class NewHook(HookView, kw_only=True):
    """A webhook with the secret that its messages are signed with: keep it, it is shown here alone."""

    secret: str


class DeliveryView(Struct, kw_only=True):
    """How a delivery stands: due (again at `due_at`), done, or failed; `status` is what the receiver answered last."""

    id: str
    event_id: str
    state: str
    tries: int
    due_at: datetime | None
    tried_at: datetime | None
    status: int
    detail: str


class RedeliverBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which delivery is to be made again."""

    delivery_id: str


def _view(hook: Hook) -> HookView:
    return HookView(
        id=hook.id,
        url=hook.url,
        types=list(hook.types),
        store_id=hook.store,
        created_at=hook.created_at,
        ended_at=hook.ended_at,
    )


def _made(hook: Hook, *, replayed: bool) -> Answer:
    new = NewHook(**structs.asdict(_view(hook)), secret=hook.secrets[0].secret)
    return Answer(new, headers={"Idempotency-Replayed": "true"} if replayed else {})


def _found(ask: Ask[Any, Any]) -> Hook:
    number = ask.text("webhook_id")
    with ask.site.snapshot() as reading:
        return webhooks.known(hooks.hook_of(reading, number), number)


@operation(
    "POST",
    "/v1/webhooks",
    action="webhooks.manage",
    body=HookBody,
    reply=NewHook,
    status=201,
    refuses=("bad_url", "bad_reference", "key_reused"),
    example={"url": "https://shop.example/houbao", "types": ["dispute_opened", "dispute_closed"]},
)
def add_webhook(ask: Ask[HookBody, Any]) -> Answer:
    """Be told of events from now on, by signed POSTs (Standard Webhooks), tried again over three days."""
    body = ask.body
    hook, before = webhooks.add(ask.site, ask.caller, ask.key, url=body.url, types=body.types, store=body.store_id)
    return _made(hook, replayed=before)


@operation(
    "GET",
    "/v1/webhooks",
    action="webhooks.manage",
    query=PageQuery,
    reply=Page[HookView],
    refuses=("bad_cursor",),
)
def list_webhooks(ask: Ask[Any, PageQuery]) -> Page[HookView]:
    """Every webhook."""
    with ask.site.snapshot() as reading:
        known = [_view(hook) for hook in hooks.all_hooks(reading)]
    return part_of(known, ask.query)


@operation(
    "GET",
    "/v1/webhooks/{webhook_id:str}",
    action="webhooks.manage",
    reply=HookView,
    refuses=("unknown_webhook",),
)
def read_webhook(ask: Ask[Any, Any]) -> HookView:
    """A webhook."""
    return _view(_found(ask))


@operation(
    "POST",
    "/v1/webhooks/{webhook_id:str}/end",
    action="webhooks.manage",
    reply=HookView,
    refuses=("unknown_webhook",),
)
def end_webhook(ask: Ask[Any, Any]) -> HookView:
    """It is told no more; its deliveries stay to be looked at."""
    ask.site.hooks.end(PART, _found(ask).id, ask.site.wall(), ask.caller.doer)
    return _view(_found(ask))


@operation(
    "POST",
    "/v1/webhooks/{webhook_id:str}/rotate-secret",
    action="webhooks.manage",
    reply=NewHook,
    refuses=("unknown_webhook", "key_reused"),
)
def rotate_secret(ask: Ask[Any, Any]) -> Answer:
    """A new secret; for a day messages carry the signatures of both. The same key again is answered with the secret
    in use."""
    hook, before = webhooks.turn(ask.site, ask.caller, ask.key, ask.text("webhook_id"))
    return _made(hook, replayed=before)


class DeliveryQuery(Struct, kw_only=True):
    """Which deliveries: of one state, and which page."""

    state: Annotated[str, Meta(pattern="^(due|done|failed)?$")] = ""
    limit: Limit = 50
    after: str = ""


@operation(
    "GET",
    "/v1/webhooks/{webhook_id:str}/deliveries",
    action="webhooks.manage",
    query=DeliveryQuery,
    reply=Page[DeliveryView],
    refuses=("unknown_webhook", "bad_cursor"),
)
def list_deliveries(ask: Ask[Any, DeliveryQuery]) -> Page[DeliveryView]:
    """The deliveries of a webhook, the newest event first."""
    hook, wanted = _found(ask), ask.query
    place = seek(wanted.after, 1)
    with ask.site.snapshot() as reading:
        found = hooks.deliveries(
            reading,
            PART,
            hook.id,
            state=wanted.state,
            before=place[0] if place else END,
            limit=wanted.limit + 1,
        )
    page = page_of(found, wanted.limit, lambda one: cursor_of(one.position))
    return Page(data=[_delivery(one) for one in page.data], next=page.next)


def _delivery(one: Delivered) -> DeliveryView:
    return DeliveryView(
        id=f"msg_{PART}_{one.position}",
        event_id=event_id(one.position),
        state=one.state,
        tries=one.tries,
        due_at=one.due_at,
        tried_at=one.tried_at,
        status=one.status,
        detail=one.detail,
    )


@operation(
    "POST",
    "/v1/webhooks/{webhook_id:str}/redeliver",
    action="webhooks.manage",
    body=RedeliverBody,
    reply=DeliveryView,
    status=202,
    refuses=("unknown_webhook", "unknown_delivery", "webhook_ended", "bad_id"),
    example={"delivery_id": "msg_0_47"},
)
def redeliver(ask: Ask[RedeliverBody, Any]) -> DeliveryView:
    """Deliver an event once more, with the id that it had."""
    number = ask.text("webhook_id")
    position = webhooks.again(ask.site, number, ask.body.delivery_id)
    with ask.site.snapshot() as reading:
        (found,) = hooks.deliveries(reading, PART, number, before=position + 1, limit=1)
    return _delivery(found)
