"""Orders: the list and one order, for buyers and sellers; words and goodwill on it."""

import asyncio
from typing import Any
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.response import Redirect

from houbao.core.acts import SendGoodwill
from houbao.core.messages import WriteOnOrder
from houbao.core.refunds import paid_minor
from houbao.core.scopes import Scope
from houbao.core.terms import Refused, parse_id, public_id
from houbao.store import lists
from houbao.store.pages import order_messages
from houbao.web.console import frame
from houbao.web.console.deeds import minor_of
from houbao.web.console.handlers.disputes import typed
from houbao.web.console.language import N_
from houbao.web.console.views.orders import order_list, order_page
from houbao.web.guard import on
from houbao.web.site import PART, number_of

AnyRequest = Request[Any, Any, Any]


@get("/orders", opt=on("orders.read"), sync_to_thread=True)
def show_orders(request: AnyRequest) -> Response[str]:
    """The orders that the reader may see, the newest first; of one reference where that is asked for."""
    reach = frame.reach_of(request)
    voice, site, role = frame.speak(request), frame.site_of(request), frame.caller_of(request).role
    reference = request.query_params.get("reference", "").strip()[:64]
    before = _before(request.query_params.get("before", ""))
    with site.snapshot() as reading:
        found = order_list(reading, PART, reach, reference=reference, before=before)
    return frame.page(request, voice, "orders.html", at="orders", view=found, role=role, before=before)


def _before(text: str) -> int:
    try:
        return parse_id("order", text)[1] if text else 0
    except Refused:
        return 0


@get("/orders/{order_id:str}", opt=on("orders.read"), sync_to_thread=True)
def show_order(request: AnyRequest) -> Response[str]:
    """An order with its coverage, its lines as they were shown, its disputes, and what was written on it."""
    reach = frame.reach_of(request)
    order_id = str(request.path_params["order_id"])
    done = {"message": N_("Your message was sent."), "goodwill": N_("It is on its way to the buyer.")}
    return shown(request, reach, number_of("order", order_id), done=done.get(request.query_params.get("done", ""), ""))


def shown(
    request: AnyRequest, reach: Scope, number: int, *, done: str = "", refused: Refused | None = None
) -> Response[str]:
    """The page of an order. Raises Refused: unknown_order."""
    voice, site = frame.speak(request), frame.site_of(request)
    caller = frame.caller_of(request)
    with site.snapshot() as reading:
        found = order_page(reading, PART, reach, number)
        if found is None:
            raise Refused("unknown_order", f"no order {public_id('order', PART, number)} that you may see")
        written = order_messages(reading, PART, found.order)
    return frame.page(
        request,
        voice,
        "order.html",
        at="orders",
        view=found,
        role=caller.role,
        written=written,
        sent=sum(paid_minor(refund) for one in found.goodwill for refund in one.refunds),
        may_open=caller.role == "buyer" and found.order.paid_at is not None and found.left > 0,
        keys=lambda: uuid4().hex,
        done=voice.say(done) if done else "",
        refused=refused,
    )


@post("/orders/{order_id:str}/messages", opt=on("orders.write"), status_code=303)
async def write(request: AnyRequest) -> Response[Any]:
    """Buyer or seller writes on the order."""
    reach = frame.reach_of(request)
    order_id = str(request.path_params["order_id"])
    number, form = number_of("order", order_id), await typed(request)
    command = WriteOnOrder(order=number, message=form.get("message", ""))
    return await _sent(request, reach, number, command, form, "message")


@post("/orders/{order_id:str}/goodwill", opt=on("orders.goodwill"), status_code=303)
async def give(request: AnyRequest) -> Response[Any]:
    """The seller sends money of their own accord: counted nowhere."""
    reach = frame.reach_of(request)
    order_id = str(request.path_params["order_id"])
    number, form = number_of("order", order_id), await typed(request)
    with frame.site_of(request).snapshot() as reading:
        order = lists.order(reading, PART, reach, number)
    if order is None:
        raise Refused("unknown_order", f"no order {order_id} that you may see")
    try:
        command = SendGoodwill(order=number, amount=minor_of(form, order.currency), note=form.get("note", ""))
    except Refused as refused:
        told = refused
        return await asyncio.to_thread(lambda: shown(request, reach, number, refused=told))
    return await _sent(request, reach, number, command, form, "goodwill")


async def _sent(
    request: AnyRequest, reach: Scope, number: int, command: Any, form: dict[str, str], done: str
) -> Response[Any]:
    actor = frame.actor_of(frame.caller_of(request))
    try:
        await frame.site_of(request).execute(command, actor, key=form.get("key", "")[:64])
    except Refused as refused:
        told = refused
        return await asyncio.to_thread(lambda: shown(request, reach, number, refused=told))
    return Redirect(f"/orders/{public_id('order', PART, number)}?done={done}", status_code=303)


HANDLERS = (show_orders, show_order, write, give)
