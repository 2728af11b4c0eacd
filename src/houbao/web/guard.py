"""The one guard of the application: who asks, and may they? Whatever has no action is served to nobody."""

import asyncio
import hmac
from hashlib import sha256
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from houbao.core.said import Said
from houbao.core.scopes import NOTHING, Scope
from houbao.core.terms import Refused
from houbao.store.access import link_of, session_of
from houbao.web.callers import NOBODY, Caller, of_session
from houbao.web.permissions import GRANTS, PUBLIC, scope_of
from houbao.web.receiving import form_of, header
from houbao.web.site import Site
from houbao.web.uploads import MOST_OF_KEY, MOST_OF_PERSON

SESSION = "houbao_session"
VISIT = "houbao_visit"
"""Cookies: who is signed in; and, before that, who was given the form to sign in with."""

UNWRITTEN = ("csrf_token", "password", "new_password", "again")
"""Fields that are no words of their writer's."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def on(action: str, *, files: bool = False) -> dict[str, Any]:
    """What a handler is for, as its `opt`, and whether it takes photographs or another large file."""
    assert action == PUBLIC or action in GRANTS, action
    return {"action": action, "files": files}


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Find the caller, and refuse whoever may not. Raises Refused: unauthenticated, not_permitted, bad_form,
    overloaded."""
    state = connection.scope["state"]
    action = handler.opt.get("action", "")
    if is_options(handler):
        state["caller"] = NOBODY
        return
    caller = await _recognised(connection)
    state["caller"] = caller
    if action == PUBLIC:
        return
    if caller is NOBODY:
        raise Refused("unauthenticated", "this takes an API key that is in use, or a session")
    scope = scope_of(caller, action)
    if scope is None:
        await _keep_draft(connection, caller)
        raise Refused("not_permitted", f"{' and '.join(caller.roles) or 'you'} may not do this ({action})")
    state["reach"] = scope
    if handler.opt.get("files"):
        most = MOST_OF_PERSON if caller.is_person else MOST_OF_KEY
        state["leaving"].enter_context(connection.app.state.site.uploads.turn(caller.name, most))
    if caller.by_cookie and connection.scope.get("method") not in SAFE:
        assert isinstance(connection, Request)
        await _keep_draft(connection, caller)
        await check_form(connection)


def reach_of(request: Request[Any, Any, Any]) -> Scope:
    """Whose rows the action may reach, as the guard found it; nobody's where it did not."""
    return request.scope["state"].get("reach") or NOTHING


def is_options(handler: Any) -> bool:
    """Whether it is the framework's own answer to OPTIONS, which says the methods and nothing else: to everybody."""
    return set(getattr(handler, "http_methods", ())) == {"OPTIONS"}


async def _keep_draft(connection: ASGIConnection[Any, Any, Any, Any], caller: Caller) -> None:
    """Note what a person wrote, for the page that refuses it: it is theirs, and lost nowhere. The cookie comes along
    with the site's own forms alone, so nobody else's words are shown."""
    sent = caller.by_cookie and connection.scope.get("method") not in SAFE and isinstance(connection, Request)
    if sent and connection.content_type[0] == "application/x-www-form-urlencoded":
        written = (await form_of(connection)).items()
        texts = [text for name, text in written if name not in UNWRITTEN and isinstance(text, str)]
        connection.scope["state"]["draft"] = [text for text in texts if " " in text.strip()]


async def _recognised(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    """Who asks; that a session is used is noted, off the event loop, since it may wait for the database."""
    caller, stale = _look(connection)
    if stale:
        site: Site = connection.app.state.site
        await asyncio.to_thread(site.access.touch, stale, site.wall())
    return caller


def _look(connection: ASGIConnection[Any, Any, Any, Any]) -> tuple[Caller, str]:
    """Who asks: by what the header bears, else by the session's cookie. What opens nothing there makes nobody, whatever
    cookie comes along. Also the session's secret, where it is time to note that it is used."""
    site: Site = connection.app.state.site
    if given := header(connection.scope, b"authorization").decode("latin-1"):
        scheme, _, secret = given.partition(" ")
        return _bearing(site, secret.strip()) if scheme.lower() == "bearer" else (NOBODY, "")
    secret = connection.cookies.get(SESSION, "")
    return _signed_in(site, secret, by_cookie=True) if secret else (NOBODY, "")


def _bearing(site: Site, secret: str) -> tuple[Caller, str]:
    """Who bears a secret in the header: a key, a session, or a link that nobody has opened yet (it stays unused)."""
    if (caller := site.keyring.caller(secret)) is not NOBODY:
        return caller, ""
    caller, stale = _signed_in(site, secret, by_cookie=False)
    if caller is not NOBODY:
        return caller, stale
    with site.glance() as reading:
        arriving = link_of(reading, secret, site.wall())
    return (of_session(arriving, by_cookie=False) if arriving else NOBODY), ""


def _signed_in(site: Site, secret: str, *, by_cookie: bool) -> tuple[Caller, str]:
    with site.glance() as reading:
        found = session_of(reading, secret, site.wall())
    if found is None:
        return NOBODY, ""
    session, stale = found
    return of_session(session, by_cookie=by_cookie), secret if stale else ""


# --- forms ---------------------------------------------------------------------------------------------------------


def csrf_token(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The token that every form of this browser's session carries: nobody else can know it, since it is made from the
    cookie that only the browser and the server have."""
    secret = connection.cookies.get(SESSION) or connection.cookies.get(VISIT) or ""
    return token_for(secret)


def token_for(secret: str) -> str:
    """The form token of a cookie; empty without one."""
    return hmac.new(secret.encode(), b"houbao form", sha256).hexdigest() if secret else ""


async def check_form(request: Request[Any, Any, Any]) -> None:
    """`Refused('bad_form')` unless header or hidden field carries the session's token."""
    given = request.headers.get("x-csrf-token", "")
    if not given and request.content_type[0] in ("application/x-www-form-urlencoded", "multipart/form-data"):
        field = (await form_of(request)).get("csrf_token", "")
        given = field if isinstance(field, str) else ""
    wanted = csrf_token(request)
    if not wanted or not hmac.compare_digest(given.encode(), wanted.encode()):
        raise Refused("bad_form", Said("the form was not made for this session: load the page again"))
