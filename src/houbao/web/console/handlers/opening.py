"""Opening a dispute in three steps: what is wrong, what you ask, what will happen. Nothing is kept between them but
what the forms carry, so that going back loses nothing and leaving leaves nothing."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.response import Redirect
from markupsafe import Markup

from houbao.core import disputes as d
from houbao.core.protection import protection_window
from houbao.core.said import Said
from houbao.core.scopes import Scope
from houbao.core.terms import REASONS, ReasonClass, Refused, public_id
from houbao.engine.request import Preview
from houbao.web.console import frame
from houbao.web.console.deeds import minor_of
from houbao.web.console.handlers import photos
from houbao.web.console.handlers.disputes import typed
from houbao.web.console.handlers.trying import carry_out, try_out
from houbao.web.console.language import N_, Voice
from houbao.web.console.opened import steps_of
from houbao.web.console.reasons import reasons
from houbao.web.console.views.orders import Item, OrderPage, order_page
from houbao.web.guard import on, reach_of
from houbao.web.receiving import form_of
from houbao.web.site import PART, Site, number_of

AnyRequest = Request[Any, Any, Any]

GROUPS: tuple[tuple[ReasonClass, str], ...] = (
    ("SNAD", N_("It is not as described")),
    ("INR", N_("It did not arrive")),
    ("REMORSE", N_("I changed my mind")),
    ("OTHER", N_("Something about the price or else")),
)
"""The reasons as a buyer looks for them."""

NOT_DELIVERED = N_(
    "The carrier has not reported the delivery yet, so none of these can be chosen. Has the parcel come? Tell your "
    "marketplace: it records the delivery, and then you can say here what is wrong. You can "
    '<a href="/orders/%(order)s#words">write to the seller</a> now.'
)

PATH = "/orders/{order_id:str}/dispute"


@get(PATH, opt=on("disputes.open"), sync_to_thread=True)
def what_is_wrong(request: AnyRequest) -> Response[str]:
    """Step 1."""
    reach = reach_of(request)
    order_id = str(request.path_params["order_id"])
    return _first(request, _order(request, reach, order_id), {}, None)


@post(f"{PATH}/details", opt=on("disputes.open"), status_code=200)
async def what_you_ask(request: AnyRequest) -> Response[str]:
    """Step 2."""
    reach = reach_of(request)
    order_id = str(request.path_params["order_id"])
    form = await _typed(request)
    return await asyncio.to_thread(lambda: _second(request, _order(request, reach, order_id), form, None))


@post(f"{PATH}/preview", opt=on("disputes.open", files=True), status_code=200, request_max_body_size=photos.MOST_FORM)
async def what_will_happen(request: AnyRequest) -> Response[str]:
    """Step 3: the ruling explained, before anything is sent."""
    reach = reach_of(request)
    order_id = str(request.path_params["order_id"])
    form = await _typed(request)
    try:
        form |= {"evidence": await photos.brought(request, form.get("evidence", ""))}
    except Refused as refused:
        told = refused
        return await asyncio.to_thread(lambda: _second(request, _order(request, reach, order_id), form, told))
    return await asyncio.to_thread(lambda: _third(request, _order(request, reach, order_id), form))


@post(f"{PATH}/send", opt=on("disputes.open"), status_code=303)
async def open_it(request: AnyRequest) -> Response[Any]:
    """Send it."""
    reach = reach_of(request)
    order_id = str(request.path_params["order_id"])
    form = await _typed(request)
    found = await asyncio.to_thread(_order, request, reach, order_id)
    try:
        made = await carry_out(request, claim_of(found, form), form)
    except Refused as refused:
        told = refused
        return await asyncio.to_thread(lambda: _second(request, found, form, told))
    return Redirect(f"/disputes/{public_id('dispute', PART, made.id)}?done=opened", status_code=303)


# --- steps ---------------------------------------------------------------------------------------------------------


def _first(request: AnyRequest, found: OrderPage, form: dict[str, str], refused: Refused | None) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    groups = [
        (
            voice.say(says),
            [code for code, kind in REASONS.items() if kind == group],
            _not_now(voice, site, found, group),
        )
        for group, says in GROUPS
    ]
    return frame.page(
        request, voice, "buyer/open_1.html", at="orders", view=found, groups=groups, form=form, refused=refused
    )


def _not_now(voice: Voice, site: Site, found: OrderPage, kind: ReasonClass) -> Markup:
    """Why a dispute of that class cannot be opened now; empty where it can, or where the policy sets no such time."""
    order = found.order
    with site.snapshot() as reading:
        rules = site.rules(reading, order.coverage.policy, order.currency)
    if rules is None or not any(rule.refuse == "outside_window" for rule in rules.policy.rules):
        return Markup("")
    window = protection_window(order, kind, rules.policy.window_days, voice.now)
    if window.holds(voice.now):
        return Markup("")
    if window.opens is None:
        return voice.say(NOT_DELIVERED, order=public_id("order", PART, order.id))
    if window.opens > voice.now:
        said = N_("The delivery is promised by %(when)s. If nothing has come by then, you can choose one of these.")
        return voice.say(said, when=voice.when(window.opens))
    ended = window.closes or window.opens
    return voice.say(N_("The time for this ended %(when)s. Write to the seller instead."), when=voice.when(ended))


def _second(request: AnyRequest, found: OrderPage, form: dict[str, str], refused: Refused | None) -> Response[str]:
    voice = frame.speak(request)
    items = chosen(found, form)
    if not items or form.get("reason") not in REASONS:
        return _first(request, found, form, Refused("bad_request", Said("choose what is wrong, and at least one item")))
    most = min(sum(item.left for item in items), found.left)
    return frame.page(
        request,
        voice,
        "buyer/open_2.html",
        at="orders",
        view=found,
        items=items,
        form=form,
        most=most,
        kind=REASONS[form["reason"]],
        refused=refused,
        amounts=_amounts(voice, found, most, form),
    )


def _amounts(voice: Voice, found: OrderPage, most: int, form: dict[str, str]) -> dict[str, str]:
    """The amounts that a refusal may be about, as money."""
    currency = found.order.currency
    try:
        typed = voice.money(minor_of(form, currency), currency)
    except Refused:
        typed = form.get("amount", "")
    return {"left": voice.money(most, currency), "typed": typed, "asked": typed, "free": ""}


def _third(request: AnyRequest, found: OrderPage, form: dict[str, str]) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    actor = frame.actor_of(frame.caller_of(request))
    try:
        preview = try_out(site, claim_of(found, form), actor)
    except Refused as refused:
        return _second(request, found, form, refused)
    opened = [preview.disputes[event.dispute] for event in preview.events if isinstance(event, d.DisputeOpened)]
    return frame.page(
        request,
        voice,
        "buyer/open_3.html",
        at="orders",
        view=found,
        items=chosen(found, form),
        form=form,
        claims=[(one, steps_of(voice, one)) for one in opened],
        amount=sum(one.amount for one in opened),
        why=_why(voice, site, found, preview),
        key=uuid4().hex,
        photos=photos.shown(request, form.get("evidence", "").split()),
    )


def _why(voice: Voice, site: Site, found: OrderPage, preview: Preview) -> list[Markup]:
    """The policy's reasons for what would be opened first."""
    opened = next(event for event in preview.events if isinstance(event, d.DisputeOpened))
    with site.snapshot() as reading:
        rules = site.rules(reading, found.order.coverage.policy, found.order.currency)
    return reasons(voice, rules, opened.facts) if rules else []


# --- what was typed ------------------------------------------------------------------------------------------------


async def _typed(request: AnyRequest) -> dict[str, str]:
    """What was typed; the lines that were ticked as `lines`, with spaces between."""
    form = await typed(request)
    ticked = [str(value) for value in (await form_of(request)).getall("line", [])]
    return form | ({"lines": " ".join(ticked)} if ticked else {})


def chosen(found: OrderPage, form: dict[str, str]) -> Sequence[Item]:
    """The lines that were ticked; the only one of an order that has no other."""
    wanted = form.get("lines", "").split()
    return [item for item in found.items if item.line.id in wanted or len(found.items) == 1]


def claim_of(found: OrderPage, form: dict[str, str]) -> d.OpenDispute:
    """The claim as it would be sent. Raises Refused: bad_amount, bad_request."""
    items = chosen(found, form)
    if not items:
        raise Refused("bad_request", Said("choose at least one item"))
    reason = form.get("reason", "")
    remedy = form.get("remedy", "refund") if REASONS.get(reason) != "REMORSE" else "refund"
    return d.OpenDispute(
        order=found.order.id,
        lines=tuple((item.line.id, item.line.quantity) for item in items),
        reason=reason,
        amount=minor_of(form, found.order.currency),
        remedy=remedy,
        statement=form.get("statement", ""),
        evidence=tuple(form.get("evidence", "").split()),
    )


def _order(request: AnyRequest, reach: Scope, order_id: str) -> OrderPage:
    """The order. Raises Refused: unknown_order."""
    number = number_of("order", order_id)
    with frame.site_of(request).snapshot() as reading:
        found = order_page(reading, PART, reach, number)
    if found is None:
        raise frame.unknown_order(number)
    return found


HANDLERS = (what_is_wrong, what_you_ask, what_will_happen, open_it)
