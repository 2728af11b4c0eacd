"""The stores, for admins: what is known of each, and the watch on it, set and lifted after its consequence was seen."""

import asyncio
from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect
from markupsafe import Markup

from houbao.core.programme import LiftWatch, SetWatch
from houbao.core.said import Said
from houbao.core.scopes import Scope
from houbao.core.terms import Refused
from houbao.core.watches import RESTS
from houbao.store import desk, lists
from houbao.store.pages import name_of, names_of
from houbao.web.console import frame
from houbao.web.console.choices import Fact
from houbao.web.console.deeds import Form
from houbao.web.console.handlers.disputes import typed
from houbao.web.console.handlers.trying import Back, Change, carry_out, shown_before, try_out
from houbao.web.console.language import N_, Voice
from houbao.web.console.views.inbox import MONTH, covered_since
from houbao.web.console.words import word
from houbao.web.guard import on, reach_of
from houbao.web.site import PART

AnyRequest = Request[Any, Any, Any]
PAGE = 50
DONE = {
    "watch": N_("The store is under watch now."),
    "lift": N_("The store is watched no more."),
}


@get("/stores", opt=on("stores.watch"), sync_to_thread=True)
def show_stores(request: AnyRequest) -> Response[Any]:
    """The stores by id, page after page; those under watch alone, or the one that is looked for."""
    voice, site = frame.speak(request), frame.site_of(request)
    asked = {name: request.query_params.get(name, "").strip()[:64] for name in ("store", "after", "watched")}
    with site.snapshot() as reading:
        if asked["store"] and lists.store(reading, PART, reach_of(request), asked["store"]):
            return Redirect(f"/stores/{asked['store']}", status_code=303)
        listed = desk.watched_stores if asked["watched"] else lists.store_page
        found = [] if asked["store"] else listed(reading, PART, asked["after"], PAGE + 1)
        names = names_of(reading, PART, (one.id for one in found))
    page = found[:PAGE]
    return frame.page(
        request,
        voice,
        "admin/stores.html",
        at="stores",
        rows=page,
        names=names,
        asked=asked,
        next=page[-1].id if len(found) > PAGE else "",
    )


@get("/stores/{store:str}", opt=on("stores.watch"), sync_to_thread=True)
def show_store(request: AnyRequest) -> Response[str]:
    """What is known of a store, and its watch. Raises Refused: unknown_store."""
    return _shown(request, done=DONE.get(request.query_params.get("done", ""), ""))


def _shown(
    request: AnyRequest, *, done: str = "", refused: Refused | None = None, form: Form | None = None
) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    number = str(request.path_params["store"])
    with site.snapshot() as reading:
        found = lists.store(reading, PART, reach_of(request), number)
        name = name_of(reading, PART, number)
        covered = covered_since(reading, Scope(stores=(number,)), PART, number, site.clock() - MONTH)
    if found is None:
        raise Refused("unknown_store", Said("no store %(store)s", store=number[:64]))
    return frame.page(
        request,
        voice,
        "admin/store.html",
        at="stores",
        store=found,
        covered=covered,
        name=name,
        typed=form or {},
        done=voice.say(done) if done else Markup(""),
        refused=refused,
    )


# --- the watch -----------------------------------------------------------------------------------------------------


def _command(request: AnyRequest, form: Form) -> SetWatch | LiftWatch:
    """What is asked for. Raises Refused: not_found."""
    store = str(request.path_params["store"])
    match str(request.path_params["act"]):
        case "watch":
            return SetWatch(store=store, why="_".join(form.get("why", "").split()))
        case "lift":
            return LiftWatch(store=store)
        case other:
            raise Refused("not_found", Said("nothing called %(name)s is done to a store", name=other[:64]))


def _facts(voice: Voice, command: SetWatch | LiftWatch) -> list[Fact]:
    if isinstance(command, LiftWatch):
        return [
            Fact(voice.say(N_("New orders")), voice.say(N_("are covered again, from the next payment on"))),
            Fact(voice.say(N_("The policy’s limits")), voice.say(N_("set no new watch for %(n)s days"), n=RESTS.days)),
        ]
    return [
        Fact(voice.say(N_("Why")), word(voice, "watch", command.why)),
        Fact(voice.say(N_("New orders")), voice.say(N_("are not covered while it is watched"))),
        Fact(voice.say(N_("Covered before")), voice.say(N_("stays covered, and is verified rather than paid at once"))),
        Fact(voice.say(N_("Ends")), voice.say(N_("when an admin lifts it"))),
    ]


BUTTONS = {"watch": N_("Put %(store)s under watch"), "lift": N_("Lift the watch on %(store)s")}


@post("/stores/{store:str}/{act:str}/preview", opt=on("stores.watch"), status_code=200)
async def preview_watch(request: AnyRequest) -> Response[str]:
    """What it would do, with the button that does it."""
    form = await typed(request)
    return await asyncio.to_thread(_preview, request, form)


def _preview(request: AnyRequest, form: Form) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    command = _command(request, form)
    try:
        try_out(site, command, frame.actor_of(frame.caller_of(request)))
    except Refused as refused:
        return _shown(request, refused=refused, form=form)
    act = str(request.path_params["act"])
    button = voice.say(BUTTONS[act], store=command.store)
    return shown_before(
        request,
        Change(
            at="stores",
            target=f"/stores/{command.store}/{act}",
            button=button,
            facts=_facts(voice, command),
            form={"why": form["why"]} if "why" in form else {},
            back=Back(f"/stores/{command.store}", Markup.escape(command.store)),
            lede=voice.say(N_("Nothing is changed yet.")),
        ),
    )


@post("/stores/{store:str}/{act:str}", opt=on("stores.watch"), status_code=303)
async def change_watch(request: AnyRequest) -> Response[Any]:
    """Set or lift the watch; refused, the page says why."""
    form = await typed(request)
    command = _command(request, form)
    try:
        await carry_out(request, command, form)
    except Refused as refused:
        said = refused
        return await asyncio.to_thread(lambda: _shown(request, refused=said, form=form))
    return Redirect(f"/stores/{command.store}?done={request.path_params['act']}", status_code=303)


HANDLERS = (show_stores, show_store, preview_watch, change_watch)
