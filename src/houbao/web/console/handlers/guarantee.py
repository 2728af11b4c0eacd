"""What the guarantee does for a store, from the policy in force; joining and leaving it."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.response import Redirect

from houbao.core.programme import Enrol, Leave
from houbao.core.promise import promise
from houbao.core.said import Said
from houbao.core.terms import Actor, Refused
from houbao.insight.advice import advise
from houbao.web.console import frame
from houbao.web.console.handlers.disputes import typed
from houbao.web.console.language import N_
from houbao.web.console.views.guarantee import guarantee, version_now
from houbao.web.guard import on
from houbao.web.site import PART

AnyRequest = Request[Any, Any, Any]
ADVISED = timedelta(days=90)
"""Of how many days it is said whether the guarantee would have paid."""

DONE = {
    "joined": N_("The store is in the guarantee. Orders that are paid from now on are covered."),
    "left": N_("The store has left the guarantee. Orders that were paid before stay covered."),
}


@get("/guarantee", opt=on("stores.score"), sync_to_thread=True)
def show_guarantee(request: AnyRequest) -> Response[str]:
    """Whether the store is in, what that brought it, and the whole promise."""
    return _shown(request, done=DONE.get(request.query_params.get("done", ""), ""))


def _shown(request: AnyRequest, *, done: str = "", refused: Refused | None = None, asked: str = "") -> Response[str]:
    voice, site, caller = frame.speak(request), frame.site_of(request), frame.caller_of(request)
    if not caller.store:
        raise Refused("not_permitted", Said("these are a store's own pages"))
    programme, now = site.scorebook.programme(), site.clock()
    with site.snapshot() as reading:
        rules = site.rules(reading, version_now(programme, now), programme.currency) if programme else None
        found = guarantee(reading, PART, caller.store, programme, rules, now)
    sections = (
        promise(found.policy, programme.currency, programme.mode, voice.say, voice.money)
        if programme and found.policy
        else ()
    )
    return frame.page(
        request,
        voice,
        "seller/guarantee.html",
        at="guarantee",
        done=voice.say(done) if done else "",
        refused=refused,
        view=found,
        sections=sections,
        asked=asked,
        advice=advise(site.past(caller.store, now - ADVISED), now, ADVISED.days) if asked and programme else None,
        key=uuid4().hex,
    )


@get("/guarantee/{wish:str}", opt=on("stores.score"), sync_to_thread=True)
def ask_first(request: AnyRequest) -> Response[str]:
    """What joining or leaving would do, with the button that does it; or whether it would have paid."""
    wish = str(request.path_params["wish"])
    if wish not in ("join", "leave", "advice"):
        raise Refused("not_found", Said("there is nothing at that path"))
    return _shown(request, asked=wish)


@post("/guarantee/{wish:str}/send", opt=on("stores.enrol"), status_code=303)
async def change(request: AnyRequest) -> Response[Any]:
    """Join or leave, from now on."""
    wish = str(request.path_params["wish"])
    if wish not in ("join", "leave"):
        raise Refused("not_found", Said("there is nothing at that path"))
    site, caller, form = frame.site_of(request), frame.caller_of(request), await typed(request)
    programme, now = site.scorebook.programme(), site.clock()
    join = wish == "join"
    command = (
        Enrol(store=caller.store, programme=programme.name if programme else "", at=now)
        if join
        else Leave(store=caller.store, at=now)
    )
    try:
        await site.execute(command, Actor("seller", caller.store), key=form.get("key", "")[:64])
    except Refused as refused:
        told = refused
        return await asyncio.to_thread(lambda: _shown(request, refused=told))
    return Redirect(f"/guarantee?done={'joined' if join else 'left'}", status_code=303)


HANDLERS = (show_guarantee, ask_first, change)
