"""Webhooks, for admins: who outside is told of what, how each delivery went, and telling once more."""

import asyncio
from typing import Any
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.response import Redirect
from markupsafe import Markup

from houbao.core.terms import Refused
from houbao.engine.announcing import Hook
from houbao.store import hooks
from houbao.store.rows import END
from houbao.web import webhooks
from houbao.web.console import frame
from houbao.web.console.deeds import Form
from houbao.web.console.handlers.disputes import typed
from houbao.web.console.handlers.people import Secret, once
from houbao.web.console.happenings import KINDS
from houbao.web.console.language import N_
from houbao.web.console.words import low
from houbao.web.guard import on
from houbao.web.site import PART, Site

AnyRequest = Request[Any, Any, Any]
PAGE = 25
STATES = ("", "due", "done", "failed")

DONE = {
    "ended": N_("That webhook is told no more; what it was not told yet is given up."),
    "again": N_("It is delivered in a moment, with the id that it had."),
}


# --- all of them ---------------------------------------------------------------------------------------------------


@get("/webhooks", opt=on("webhooks.manage"))
async def show_webhooks(request: AnyRequest) -> Response[str]:
    """Every webhook, the latest first, with how the last delivery went; and the form of a new one."""
    return await asyncio.to_thread(lambda: _webhooks(request))


def _webhooks(
    request: AnyRequest,
    *,
    shown: Hook | None = None,
    refused: Refused | None = None,
    form: Form | None = None,
) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    with site.snapshot() as reading:
        found = hooks.all_hooks(reading)[::-1]
        last = hooks.last_tried(reading, PART)
    answer = frame.page(
        request,
        voice,
        "admin/webhooks.html",
        at="webhooks",
        hooks=found,
        last=last,
        kinds=KINDS,
        shown=[Secret(voice.say(N_("Secret")), shown.secrets[0].secret)] if shown else [],
        made=shown,
        typed=form or {},
        key=uuid4().hex,
        refused=refused,
    )
    return once(answer) if shown else answer


@post("/webhooks", opt=on("webhooks.manage"), status_code=200)
async def make_webhook(request: AnyRequest) -> Response[str]:
    """Tell somebody from now on: the secret is shown this once."""
    form = await typed(request)
    return await asyncio.to_thread(_make, request, form)


def _make(request: AnyRequest, form: Form) -> Response[str]:
    types = [kind for kinds in KINDS.values() for kind in kinds if form.get(f"kind-{kind}")]
    url, store, key = (form.get(name, "").strip() for name in ("url", "store", "key"))
    try:
        hook, _ = webhooks.add(
            frame.site_of(request), frame.caller_of(request), key[:64], url=url, types=types, store=store
        )
    except Refused as refused:
        return _webhooks(request, refused=refused, form=form)
    return _webhooks(request, shown=hook)


# --- one of them ---------------------------------------------------------------------------------------------------


@get("/webhooks/{webhook:str}", opt=on("webhooks.manage"), sync_to_thread=True)
def show_webhook(request: AnyRequest) -> Response[str]:
    """A webhook and its deliveries, the newest event first. Raises Refused: unknown_webhook."""
    return _webhook(request, done=DONE.get(request.query_params.get("done", ""), ""))


def _webhook(request: AnyRequest, *, done: str = "", shown: bool = False) -> Response[str]:
    voice, site, number = frame.speak(request), frame.site_of(request), _number(request)
    asked = request.query_params.get("before", "")
    before = int(asked) if asked.isdecimal() and len(asked) < 19 else END
    state = request.query_params.get("state", "")
    state = state if state in STATES else ""
    with site.snapshot() as reading:
        hook = webhooks.known(hooks.hook_of(reading, number), number)
        found = hooks.deliveries(reading, PART, number, state=state, before=before, limit=PAGE + 1)
        of_kind = hooks.kinds(reading, PART, [one.position for one in found])
    page, wall = found[:PAGE], site.wall()
    answer = frame.page(
        request,
        voice,
        "admin/webhook.html",
        at="webhooks",
        hook=hook,
        told_of=[low(voice, "happening", kind) for kind in hook.types],
        old=[] if hook.ended_at else [one.until for one in hook.secrets[1:] if one.until and one.until > wall],
        rows=page,
        of_kind=of_kind,
        states=STATES,
        state=state,
        next=page[-1].position if len(found) > PAGE else 0,
        first=before == END,
        key=uuid4().hex,
        shown=[Secret(voice.say(N_("Secret")), hook.secrets[0].secret)] if shown else [],
        done=voice.say(done) if done else Markup(""),
    )
    return once(answer) if shown else answer


def _number(request: AnyRequest) -> str:
    return str(request.path_params["webhook"])


@post("/webhooks/{webhook:str}/secret", opt=on("webhooks.manage"), status_code=200)
async def turn_secret(request: AnyRequest) -> Response[str]:
    """Another secret, shown this once; for a day messages carry the signatures of both. Raises Refused:
    unknown_webhook."""
    key = (await typed(request)).get("key", "")[:64]

    def turn() -> Response[str]:
        webhooks.turn(frame.site_of(request), frame.caller_of(request), key, _number(request))
        return _webhook(request, shown=True)

    return await asyncio.to_thread(turn)


@post("/webhooks/{webhook:str}/end", opt=on("webhooks.manage"), status_code=303)
async def end_webhook(request: AnyRequest) -> Response[Any]:
    """It is told no more; its deliveries stay to be looked at. Raises Refused: unknown_webhook."""
    site, number = frame.site_of(request), _number(request)
    await asyncio.to_thread(_end, site, number, frame.caller_of(request).doer)
    return Redirect(f"/webhooks/{number}?done=ended", status_code=303)


def _end(site: Site, number: str, by: str) -> None:
    with site.snapshot() as reading:
        webhooks.known(hooks.hook_of(reading, number), number)
    site.hooks.end(PART, number, site.wall(), by)


@post("/webhooks/{webhook:str}/deliveries/{delivery:str}/again", opt=on("webhooks.manage"), status_code=303)
async def deliver_again(request: AnyRequest) -> Response[Any]:
    """Deliver an event once more, with the id that it had. Raises Refused: bad_id, unknown_webhook, webhook_ended,
    unknown_delivery."""
    number = _number(request)
    await asyncio.to_thread(webhooks.again, frame.site_of(request), number, str(request.path_params["delivery"]))
    return Redirect(f"/webhooks/{number}?done=again", status_code=303)


HANDLERS = (show_webhooks, make_webhook, show_webhook, turn_secret, end_webhook, deliver_again)
