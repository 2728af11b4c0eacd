"""Orders: the list and one order, for buyers and sellers; words and goodwill on it."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.response import Redirect

from houbao.core.acts import SendGoodwill
from houbao.core.messages import WriteOnOrder
from houbao.core.orders import Order
from houbao.core.refunds import paid_minor
from houbao.core.scopes import Scope
from houbao.core.terms import Refused, parse_id, public_id
from houbao.engine.foresight import Shift
from houbao.store import lists
from houbao.store.pages import order_messages
from houbao.web.console import frame
from houbao.web.console.deeds import minor_of
from houbao.web.console.handlers.disputes import typed
from houbao.web.console.handlers.trying import Back, Change, carry_out, shown_before, try_out
from houbao.web.console.language import N_
from houbao.web.console.selling import GIFT, amounts, gift
from houbao.web.console.shell import trouble
from houbao.web.console.views.asked import asked_of
from houbao.web.console.views.consequences import consequence
from houbao.web.console.views.orders import in_dispute, order_list, order_page, purse_in
from houbao.web.guard import on, reach_of
from houbao.web.problems import status_of
from houbao.web.site import PART, number_of

AnyRequest = Request[Any, Any, Any]
NOTHING_TYPED: Mapping[str, str] = MappingProxyType({})


@get("/orders", opt=on("orders.read"), sync_to_thread=True)
def show_orders(request: AnyRequest) -> Response[Any]:
    """The orders that the reader may see, the newest first; of one reference where that is asked for."""
    reach = reach_of(request)
    voice, site, role = frame.speak(request), frame.site_of(request), frame.caller_of(request).role
    reference = request.query_params.get("reference", "").strip()[:64]
    before = _before(request.query_params.get("before", ""))
    with site.snapshot() as reading:
        if path := _named(reading, reach, reference, role):
            return Redirect(path, status_code=303)
        found = order_list(reading, PART, reach, role, site.clock(), reference=reference, before=before)
    return frame.page(request, voice, "orders.html", at="orders", view=found, role=role, before=before)


def _named(reading: Any, reach: Scope, text: str, role: str) -> str:
    """The page of what an id names: an order, a dispute, or a refund or an attempt by its dispute; empty where it names
    nothing that the reader may see."""
    kind, _, _ = text.partition("_")
    try:
        number = number_of(kind, text) if kind in ("order", "dispute", "refund", "attempt") else 0
    except Refused:
        return ""
    if kind == "order":
        return f"/orders/{text}" if number and lists.order(reading, PART, reach, number) else ""
    if kind in ("refund", "attempt") and number:  # ids of the events that approved and sent it
        number = getattr(lists.event(reading, PART, number), "dispute", 0)
    if not number or lists.dispute(reading, PART, reach, number) is None:
        return ""
    return f"/{'cases' if role in STAFF else 'disputes'}/{public_id('dispute', PART, number)}"


STAFF = ("agent", "finance", "admin")


def _before(text: str) -> int:
    try:
        return parse_id("order", text)[1] if text else 0
    except Refused:
        return 0


@get("/orders/{order_id:str}", opt=on("orders.read"), sync_to_thread=True)
def show_order(request: AnyRequest) -> Response[str]:
    """An order with its coverage, its lines as they were shown, its disputes, and what was written on it."""
    reach = reach_of(request)
    order_id = str(request.path_params["order_id"])
    role = frame.caller_of(request).role
    done = {"message": SENT.get(role, N_("Your message was sent.")), "goodwill": N_("It is on its way to the buyer.")}
    return shown(request, reach, number_of("order", order_id), done=done.get(request.query_params.get("done", ""), ""))


SENT = {
    "buyer": N_("Your message was sent. The seller finds it in their inbox."),
    "seller": N_("Your message was sent. The buyer finds it at their order."),
}
"""Role → where what it wrote on an order is found by the other side."""


def shown(
    request: AnyRequest,
    reach: Scope,
    number: int,
    *,
    done: str = "",
    refused: Refused | None = None,
    tried: Mapping[str, str] = NOTHING_TYPED,
) -> Response[str]:
    """The page of an order; `tried` is what was typed and is shown again. Raises Refused: unknown_order."""
    voice, site = frame.speak(request), frame.site_of(request)
    caller = frame.caller_of(request)
    with site.snapshot() as reading:
        found = order_page(reading, PART, reach, number)
        if found is None:
            raise frame.unknown_order(number)
        written = order_messages(reading, PART, found.order)
        purse = purse_in(reading, PART, found.order)
        asked = asked_of(reading, PART, found.disputes, caller.role, site.clock())
    going = in_dispute(found)
    return frame.page(
        request,
        voice,
        "order.html",
        at="orders",
        view=found,
        role=caller.role,
        written=written,
        asked=asked,
        sent=sum(paid_minor(refund) for one in found.goodwill for refund in one.refunds),
        may_open=caller.role == "buyer" and found.order.paid_at is not None and found.left > 0 and not going,
        going=going if caller.role == "buyer" else None,
        tried=tried,
        amounts=amounts(voice, found, purse, tried),
        keys=lambda: uuid4().hex,
        done=voice.say(done) if done else "",
        refused=refused,
    )


@post("/orders/{order_id:str}/messages", opt=on("orders.write"), status_code=303)
async def write(request: AnyRequest) -> Response[Any]:
    """Buyer or seller writes on the order."""
    reach = reach_of(request)
    order_id = str(request.path_params["order_id"])
    number, form = number_of("order", order_id), await typed(request)
    command = WriteOnOrder(order=number, message=form.get("message", ""))
    actor = frame.actor_of(frame.caller_of(request))
    try:
        await frame.site_of(request).execute(command, actor, key=form.get("key", "")[:64])
    except Refused as refused:
        told = refused
        return await asyncio.to_thread(lambda: shown(request, reach, number, refused=told, tried=form))
    return Redirect(f"/orders/{public_id('order', PART, number)}?done=message", status_code=303)


@post("/orders/{order_id:str}/goodwill/preview", opt=on("orders.goodwill"), status_code=200)
async def preview_gift(request: AnyRequest) -> Response[Any]:
    """What goodwill would do, with the button that sends it: a piece of the page for htmx, else a page of its own."""
    reach = reach_of(request)
    number, form = number_of("order", str(request.path_params["order_id"])), await typed(request)
    return await asyncio.to_thread(_preview, request, reach, number, form)


def _preview(request: AnyRequest, reach: Scope, number: int, form: dict[str, str]) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    with site.snapshot() as reading:
        found = order_page(reading, PART, reach, number)
        if found is None:
            raise frame.unknown_order(number)
        purse = purse_in(reading, PART, found.order)
    try:
        command = _goodwill(found.order, form)
        preview = try_out(site, command, frame.actor_of(frame.caller_of(request)))
    except Refused as refused:
        if frame.is_part(request):
            told = trouble(voice, refused, amounts(voice, found, purse, form))
            return frame.part(request, voice, "parts/outcome.html", status=status_of(refused.code), trouble=told)
        return shown(request, reach, number, refused=refused, tried=form)
    path = f"/orders/{public_id('order', PART, number)}"
    return shown_before(
        request,
        Change(
            at="orders",
            target=f"{path}/goodwill",
            button=voice.say(GIFT, amount=voice.money(command.amount, found.order.currency)),
            facts=gift(voice, consequence(preview, None, purse, Shift(None, None)), found.disputes),
            form={"amount": form.get("amount", "")},
            back=Back(path, voice.say(N_("Order %(reference)s"), reference=found.order.reference)),
            lede=voice.say(N_("Of your own accord, from your balance.")),
            heading=voice.say(N_("Goodwill")),
        ),
    )


@post("/orders/{order_id:str}/goodwill", opt=on("orders.goodwill"), status_code=303)
async def give(request: AnyRequest) -> Response[Any]:
    """The seller sends money of their own accord: counted nowhere."""
    reach = reach_of(request)
    order_id = str(request.path_params["order_id"])
    number, form = number_of("order", order_id), await typed(request)
    with frame.site_of(request).snapshot() as reading:
        order = lists.order(reading, PART, reach, number)
    if order is None:
        raise frame.unknown_order(number)
    try:
        await carry_out(request, _goodwill(order, form), form)
    except Refused as refused:
        told = refused
        return await asyncio.to_thread(lambda: shown(request, reach, number, refused=told, tried=form))
    return Redirect(f"/orders/{order_id}?done=goodwill", status_code=303)


def _goodwill(order: Order, form: Mapping[str, str]) -> SendGoodwill:
    """The command of that form. Raises Refused: bad_amount."""
    return SendGoodwill(order=order.id, amount=minor_of(form, order.currency))


HANDLERS = (show_orders, show_order, write, preview_gift, give)
