"""The doors: signing in, one's home, language and appearance, the styleguide, what cannot be found."""

import asyncio
from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect

from houbao.core.terms import Refused
from houbao.store import desk
from houbao.web import signin
from houbao.web.console import frame
from houbao.web.console.language import LANGUAGES, Voice
from houbao.web.console.shell import home_of
from houbao.web.console.styleguide import sample
from houbao.web.guard import check_form, on
from houbao.web.permissions import PUBLIC
from houbao.web.receiving import form_of
from houbao.web.site import PART

AnyRequest = Request[Any, Any, Any]


@get("/", opt=on("console.use"), sync_to_thread=True)
def home(request: AnyRequest) -> Redirect:
    """Everybody's first page; an agent's is the queue whose first is due first."""
    caller, site = frame.caller_of(request), frame.site_of(request)
    urgent = None
    if caller.role == "agent":
        with site.snapshot() as reading:
            urgent = desk.most_urgent(reading, PART, str(frame.actor_of(caller)), site.clock())
    return Redirect(f"/queue/{urgent[0]}" if urgent else home_of(caller.role), status_code=303)


@get("/sign-in", opt=on(PUBLIC))
async def sign_in_form(request: AnyRequest) -> Response[Any]:
    """The form to sign in with."""
    # Not `sync_to_thread`: with a POST at the same path Litestar calls the wrapped handler without awaiting it.
    given: dict[str, Any] = {"cookie": signin.visiting(request), "next": frame.back_to(request, "next"), "name": ""}
    return await asyncio.to_thread(lambda: frame.page(request, frame.speak(request), "sign_in.html", **given))


@post("/sign-in", opt=on(PUBLIC), status_code=303)
async def sign_in(request: AnyRequest) -> Response[Any]:
    """Somebody signs in: to the page they wanted, or back to the form with what was wrong."""
    form = await form_of(request)
    name, password, code, then = (str(form.get(field, "")) for field in ("name", "password", "code", "next"))
    try:
        await check_form(request)
        loop, site = asyncio.get_running_loop(), frame.site_of(request)
        cookie = await loop.run_in_executor(signin.THREADS, signin.sign_in, site, name, password, code)
    except Refused as refused:
        given: dict[str, Any] = {"refused": refused, "next": then, "name": name, "cookie": signin.visiting(request)}
        return await asyncio.to_thread(lambda: frame.page(request, frame.speak(request), "sign_in.html", **given))
    answer = Redirect(frame.own_path(then), status_code=303)
    answer.set_cookie(cookie)
    return answer


@get("/language/{code:str}", opt=on(PUBLIC), sync_to_thread=False)
def choose_language(request: AnyRequest) -> Redirect:
    """Another language from now on."""
    code = str(request.path_params["code"])
    answer = Redirect(frame.back_to(request), status_code=303)
    if code in LANGUAGES:
        answer.set_cookie(frame.chosen(frame.LANGUAGE, code, secure=frame.site_of(request).secure))
    return answer


@get("/appearance/{theme:str}", opt=on(PUBLIC), sync_to_thread=False)
def choose_appearance(request: AnyRequest) -> Redirect:
    """Light, dark, or as the system."""
    theme = str(request.path_params["theme"])
    answer = Redirect(frame.back_to(request), status_code=303)
    if theme in frame.THEMES:
        answer.set_cookie(frame.chosen(frame.THEME, theme, secure=frame.site_of(request).secure))
    else:
        answer.delete_cookie(frame.THEME, path="/")
    return answer


@get("/styleguide", opt=on(PUBLIC), sync_to_thread=True)
def styleguide(request: AnyRequest) -> Response[str]:
    """Every part of the console."""
    voice: Voice = frame.speak(request)
    return frame.page(request, voice, "styleguide.html", **sample(voice))


def problem_page(request: AnyRequest, refused: Refused, request_id: str) -> Response[str]:
    """What could not be served, as a page with what is possible instead."""
    given: dict[str, Any] = {"refused": refused, "request_id": request_id}
    return frame.page(
        request, frame.speak(request), "problem.html", draft=request.scope.get("state", {}).get("draft", ()), **given
    )


HANDLERS = (home, sign_in_form, sign_in, choose_language, choose_appearance, styleguide)
