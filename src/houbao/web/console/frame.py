"""From a request to a page: in whose language and zone, with what around it."""

import re
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from litestar import MediaType, Request, Response
from litestar.datastructures import Cookie
from markupsafe import Markup

from houbao.core.programme import Programme
from houbao.core.said import Said
from houbao.core.scopes import Scope
from houbao.core.terms import Actor, Refused, public_id
from houbao.store import lists
from houbao.store.desk import queue_lengths
from houbao.store.pages import name_of
from houbao.web.callers import Caller
from houbao.web.console.language import Voice, negotiate
from houbao.web.console.rendering import environment, render
from houbao.web.console.shell import NO_AMOUNTS, Shell, Trouble, places_of, trouble
from houbao.web.console.views.asked import needing
from houbao.web.guard import csrf_token
from houbao.web.problems import status_of
from houbao.web.site import PART, Site

LANGUAGE, THEME, ZONE = "houbao_language", "houbao_theme", "houbao_zone"
"""Cookies of taste: none says who somebody is."""

THEMES = ("light", "dark")
TEMPLATES = environment()

AnyRequest = Request[Any, Any, Any]


def site_of(request: AnyRequest) -> Site:
    """The site that is served."""
    return request.app.state.site


def caller_of(request: AnyRequest) -> Caller:
    """Who asks; nobody before the guard has looked."""
    return request.scope["state"].get("caller") or Caller("nobody", "")


def unknown_dispute(number: int) -> Refused:
    """There is no such dispute, or it is not for who asks: the answer is the same."""
    said = Said("no dispute %(dispute)s that you may see", dispute=public_id("dispute", PART, number))
    return Refused("unknown_dispute", said)


def unknown_order(number: int) -> Refused:
    """There is no such order, or it is not for who asks: the answer is the same."""
    return Refused("unknown_order", Said("no order %(order)s that you may see", order=public_id("order", PART, number)))


def actor_of(caller: Caller) -> Actor:
    """As whom a person of the console acts: their store's seller, the buyer, or themselves."""
    match caller.role:
        case "seller":
            return Actor("seller", caller.store)
        case "buyer":
            return Actor("buyer", caller.buyer)
        case role:
            return Actor(role or "system", caller.id)  # ty: ignore[invalid-argument-type]


def speak(request: AnyRequest) -> Voice:
    """The voice for a request: the language chosen or accepted; a seller's own zone, else the browser's, else the
    programme's."""
    site, caller = site_of(request), caller_of(request)
    language = negotiate(request.cookies.get(LANGUAGE, ""), request.headers.get("accept-language", ""))
    zone = ""
    if caller.role == "seller":
        with site.snapshot() as reading:
            store = lists.store(reading, PART, Scope(stores=(caller.store,)), caller.store)
        zone = store.zone if store else ""
    if zone in ("", "UTC"):
        zone = request.cookies.get(ZONE, "") or _programme_zone(site) or "UTC"
    return Voice(language, zone, site.clock())


def _programme_zone(site: Site) -> str:
    programme: Programme | None = site.scorebook.programme()
    return programme.zone if programme else ""


def page(
    request: AnyRequest,
    voice: Voice,
    template: str,
    *,
    at: str = "",
    status: int = 200,
    done: Markup | str = "",
    refused: Refused | None = None,
    amounts: Mapping[str, str] = NO_AMOUNTS,
    cookie: Cookie | None = None,
    **given: Any,
) -> Response[str]:
    """A whole page. `refused` is shown on it, with the amounts that it is about, and gives its status."""
    told: Trouble | None = trouble(voice, refused, amounts) if refused else None
    frame = shell(request, voice, at, Markup(done), told)
    body = render(TEMPLATES, template, voice, page=frame, **given)
    cookies = [cookie] if cookie else None
    code = status_of(refused.code) if refused else status
    return Response(str(body), status_code=code, media_type=MediaType.HTML, cookies=cookies)


def part(request: AnyRequest, voice: Voice, template: str, *, status: int = 200, **given: Any) -> Response[str]:
    """A piece of a page, for htmx to put in its place."""
    frame = shell(request, voice, "", Markup(""), None)
    body = render(TEMPLATES, template, voice, page=frame, **given)
    return Response(str(body), status_code=status, media_type=MediaType.HTML)


def is_part(request: AnyRequest) -> bool:
    """Whether htmx asks for a piece, not for a whole page."""
    return request.headers.get("hx-request") == "true"


def shell(request: AnyRequest, voice: Voice, at: str, done: Markup, refusal: Trouble | None) -> Shell:
    """The frame around a page for whoever asked."""
    site, caller = site_of(request), caller_of(request)
    with site.snapshot() as reading:
        who, counts = _who(reading, caller, site.clock())
        sandbox = lists.clock(reading, PART) is not None
    theme = request.cookies.get(THEME, "")
    return Shell(
        path=request.url.path if request.method == "GET" else "/",
        at=at,
        who=who,
        places=places_of(voice, caller.role, counts),
        csrf=csrf_token(request),
        theme=theme if theme in THEMES else "",
        signed_in=caller.by_cookie,
        account=caller.kind == "user",
        sandbox=sandbox,
        done=done,
        refusal=refusal,
    )


def _who(reading: sqlite3.Connection, caller: Caller, now: datetime) -> tuple[str, dict[str, int]]:
    """What the reader is called, and what waits for them."""
    if caller.role == "seller":
        return name_of(reading, PART, caller.store), {"inbox": needing(reading, PART, caller.store, now)}
    if caller.role == "agent":
        return caller.id, queue_lengths(reading, PART)
    return caller.buyer or caller.id, {}


def chosen(name: str, value: str, *, secure: bool) -> Cookie:
    """The cookie of a taste, for a year."""
    return Cookie(key=name, value=value, max_age=31_536_000, samesite="lax", secure=secure, path="/")


OWN_PATH = re.compile(r"/(?![/\\])[^\x00-\x1f\x7f]*")


def own_path(text: str) -> str:
    """That path of this site, to lead to; the first page for whatever else it is. Browsers take `//` and `/\\` for
    another site, and look for them past tabs and line breaks."""
    return text if OWN_PATH.fullmatch(text) else "/"


def back_to(request: AnyRequest, name: str = "to") -> str:
    """Where the query says that a small choice, or signing in, leads back to: a path of this site."""
    return own_path(request.query_params.get(name, "/"))
