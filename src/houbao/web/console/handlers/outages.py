"""Outages, for admins: those that are known, and a new one, seen before it is entered."""

import asyncio
from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect
from markupsafe import Markup

from houbao.core.outages import EnterOutage, OutageEntered
from houbao.core.terms import Refused
from houbao.store import desk
from houbao.web.console import frame
from houbao.web.console.choices import Fact
from houbao.web.console.deeds import Form, time_of
from houbao.web.console.handlers.disputes import typed
from houbao.web.console.handlers.trying import Back, Change, carry_out, shown_before, try_out
from houbao.web.console.language import N_, Voice
from houbao.web.guard import on
from houbao.web.site import PART, Site

AnyRequest = Request[Any, Any, Any]


@get("/outages", opt=on("outages.enter"))
async def show_outages(request: AnyRequest) -> Response[str]:
    """The outages that are known, the latest first, and the form of a new one."""
    done = request.query_params.get("done", "")
    said = {
        "entered": N_("The outage is entered: what runs over it is due later."),
        "known": N_("It was known already: nothing changed."),
    }
    # Not `sync_to_thread`: see `sign_in_form` in doors.py.
    return await asyncio.to_thread(lambda: _shown(request, done=said.get(done, "")))


def _shown(
    request: AnyRequest, *, done: str = "", refused: Refused | None = None, form: Form | None = None
) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    with site.snapshot() as reading:
        known = desk.outages(reading, PART)
    return frame.page(
        request,
        voice,
        "admin/outages.html",
        at="outages",
        rows=sorted(known, key=lambda one: one.start, reverse=True),
        typed=form or {},
        done=voice.say(done) if done else Markup(""),
        refused=refused,
    )


def _command(voice: Voice, form: Form) -> EnterOutage:
    return EnterOutage(start=time_of(form, "start", voice.zone), end=time_of(form, "end", voice.zone))


def _facts(voice: Voice, site: Site, command: EnterOutage, new: list[OutageEntered]) -> list[Fact]:
    with site.snapshot() as reading:
        touched = desk.due_after(reading, PART, command.start)
    facts = [
        Fact(voice.say(N_("Nobody could act")), f"{voice.moment(command.start)} – {voice.moment(command.end)}"),
        Fact(voice.say(N_("That is")), voice.span(command.end - command.start)),
    ]
    if not new:
        return [*facts, Fact(voice.say(N_("Due times")), voice.say(N_("all of it is known already: nothing changes")))]
    later = voice.say_n(
        "%(n)s open dispute is due after its start, and later by what runs over it",
        "%(n)s open disputes are due after its start, and later by what runs over it",
        touched,
    )
    return [
        *facts,
        Fact(voice.say(N_("Due times")), later),
        Fact(voice.say(N_("Undone")), voice.say(N_("by nothing: an outage that was entered stays"))),
    ]


@post("/outages/preview", opt=on("outages.enter"), status_code=200)
async def preview_outage(request: AnyRequest) -> Response[str]:
    """What it would move, with the button that enters it."""
    form = await typed(request)
    return await asyncio.to_thread(_preview, request, form)


def _preview(request: AnyRequest, form: Form) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    try:
        command = _command(voice, form)
        found = try_out(site, command, frame.actor_of(frame.caller_of(request)))
    except Refused as refused:
        return _shown(request, refused=refused, form=form)
    new = [event for event in found.events if isinstance(event, OutageEntered)]
    return shown_before(
        request,
        Change(
            at="outages",
            target="/outages",
            button=voice.say(N_("Enter the outage")),
            facts=_facts(voice, site, command, new),
            form={"start": command.start.isoformat(), "end": command.end.isoformat()},
            back=Back("/outages", voice.say(N_("Outages"))),
            lede=voice.say(N_("Nothing is changed yet.")),
        ),
    )


@post("/outages", opt=on("outages.enter"), status_code=303)
async def enter_outage(request: AnyRequest) -> Response[Any]:
    """Enter it; refused, the page says why."""
    form = await typed(request)
    try:
        command = await asyncio.to_thread(lambda: _command(frame.speak(request), form))
        kept = await carry_out(request, command, form)
    except Refused as refused:
        said = refused
        return await asyncio.to_thread(lambda: _shown(request, refused=said, form=form))
    return Redirect(f"/outages?done={'entered' if kept.first else 'known'}", status_code=303)


HANDLERS = (show_outages, preview_outage, enter_outage)
