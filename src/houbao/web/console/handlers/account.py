"""One's own account: what it is called, and another password."""

import asyncio
from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect

from houbao.core.said import Said
from houbao.core.terms import Refused
from houbao.store.access import user_of
from houbao.web import signin
from houbao.web.console import frame
from houbao.web.console.handlers.disputes import typed
from houbao.web.console.language import N_
from houbao.web.guard import on

AnyRequest = Request[Any, Any, Any]


@get("/account", opt=on("console.use"), sync_to_thread=True)
def show_account(request: AnyRequest) -> Response[str]:
    """Who one is here, with the form of another password."""
    return _shown(request, done=bool(request.query_params.get("done")))


def _shown(request: AnyRequest, *, done: bool = False, refused: Refused | None = None) -> Response[str]:
    voice, site, caller = frame.speak(request), frame.site_of(request), frame.caller_of(request)
    with site.snapshot() as reading:
        user = user_of(reading, caller.id) if caller.kind == "user" else None
    said = voice.say(N_("Your password is another now. You are signed out everywhere else.")) if done else ""
    return frame.page(
        request, voice, "account.html", user=user, least=signin.LEAST_PASSWORD, done=said, refused=refused
    )


@post("/account/password", opt=on("console.use"), status_code=303)
async def change_password(request: AnyRequest) -> Response[Any]:
    """Another password, for whoever knows the one before; every other session of theirs is over."""
    form, caller, site = await typed(request), frame.caller_of(request), frame.site_of(request)
    before, wanted, again = (form.get(name, "") for name in ("password", "new_password", "again"))
    try:
        if caller.kind != "user":
            raise Refused(
                "not_permitted", Said("you came by a link of the marketplace: there is no password to change")
            )
        if wanted != again:
            raise Refused("bad_request", Said("the two new passwords are not the same"))
        loop = asyncio.get_running_loop()
        cookie = await loop.run_in_executor(signin.THREADS, signin.change_password, site, caller, before, wanted)
    except Refused as refused:
        said = refused
        return await asyncio.to_thread(lambda: _shown(request, refused=said))
    answer = Redirect("/account?done=yes", status_code=303)
    answer.set_cookie(cookie)
    return answer


HANDLERS = (show_account, change_password)
