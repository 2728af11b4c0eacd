"""Users and API keys, for admins: added, closed, revoked. A secret is shown once, on the answer that made it."""

import asyncio
import secrets
from datetime import datetime
from typing import Any

import pyotp
from litestar import Request, Response, get, post
from litestar.response import Redirect
from markupsafe import Markup
from msgspec import Struct

from houbao.core.said import Said
from houbao.core.terms import Refused
from houbao.store.access import User, all_keys, all_users, user_of
from houbao.store.deeds import Deed
from houbao.web.accounts import ROLES, check_key, check_user
from houbao.web.callers import SCOPES
from houbao.web.console import frame
from houbao.web.console.deeds import Form
from houbao.web.console.handlers.disputes import typed
from houbao.web.console.language import N_
from houbao.web.guard import on
from houbao.web.signin import hashed
from houbao.web.site import Site

AnyRequest = Request[Any, Any, Any]


class Secret(Struct, frozen=True):
    """Something that is shown this once: what it is, and the secret."""

    says: str
    value: str


DONE = {
    "closed": N_("That person is let in no more, and is signed out everywhere."),
    "revoked": N_("That key opens nothing any more."),
}


# --- people --------------------------------------------------------------------------------------------------------


@get("/people", opt=on("people.manage"))
async def show_people(request: AnyRequest) -> Response[str]:
    """Everybody who may sign in."""
    done = DONE.get(request.query_params.get("done", ""), "")
    return await asyncio.to_thread(lambda: _people(request, done=done))


def _people(
    request: AnyRequest,
    *,
    done: str = "",
    shown: tuple[Secret, ...] = (),
    refused: Refused | None = None,
    form: Form | None = None,
) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    with site.snapshot() as reading:
        users = all_users(reading)
    answer = frame.page(
        request,
        voice,
        "admin/people.html",
        at="people",
        users=users,
        roles=ROLES,
        me=frame.caller_of(request).id,
        wall=site.wall(),
        shown=[Secret(voice.say(one.says), one.value) for one in shown],
        typed=form or {},
        done=voice.say(done) if done else Markup(""),
        refused=refused,
    )
    return once(answer) if shown else answer


def once(answer: Response[str]) -> Response[str]:
    """An answer that nobody keeps."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


@post("/people", opt=on("people.manage"), status_code=200)
async def add_person(request: AnyRequest) -> Response[str]:
    """Add somebody, or give them another password: both are shown this once."""
    form = await typed(request)
    return await asyncio.to_thread(_add_person, request, form)


def _add_person(request: AnyRequest, form: Form) -> Response[str]:
    site = frame.site_of(request)
    number, role, store = (form.get(field, "").strip() for field in ("user", "role", "store"))
    number, name = number.lower(), form.get("name", "").strip()
    try:
        with site.snapshot() as reading:
            check_user(reading, number, role=role, store=store, name=name)
            before = user_of(reading, number)
        if before is not None:
            raise Refused(
                "bad_request",
                Said("there is a user %(user)s already: choose another name, or a new password", user=number),
            )
    except Refused as refused:
        return _people(request, refused=refused, form=form)
    password, totp = secrets.token_urlsafe(15), pyotp.random_base32() if form.get("totp") else ""
    user = User(number, name or number, role, store, hashed(password), totp)
    site.access.put_user(user, _deed(request, "user_added", user))
    return _show_secrets(request, user, password)


def _show_secrets(request: AnyRequest, user: User, password: str) -> Response[str]:
    """What the user signs in with, this once."""
    shown = [Secret(N_("Name"), user.id), Secret(N_("Password"), password)]
    if user.totp:
        shown.append(
            Secret(
                N_("For the authenticator"), pyotp.TOTP(user.totp).provisioning_uri(name=user.id, issuer_name="Houbao")
            )
        )
    return _people(request, shown=tuple(shown))


@post("/people/{user:str}/password", opt=on("people.manage"), status_code=200)
async def new_password(request: AnyRequest) -> Response[str]:
    """Another password and authenticator for somebody, who is signed out everywhere. Raises Refused: unknown_user."""
    return await asyncio.to_thread(_renew, request, _user(request))


def _renew(request: AnyRequest, user: User) -> Response[str]:
    password, access = secrets.token_urlsafe(15), frame.site_of(request).access
    deed = _deed(request, "user_changed", user)
    renewed = access.renew(user.id, hashed(password), deed, totp=pyotp.random_base32())
    if renewed is None:
        raise _unknown(user.id)
    return _show_secrets(request, renewed, password)


@post("/people/{user:str}/close", opt=on("people.manage"), status_code=303)
async def close_person(request: AnyRequest) -> Response[Any]:
    """Let somebody in no more; what they did stays. Raises Refused: unknown_user."""
    user, site = _user(request), frame.site_of(request)
    if user.id == frame.caller_of(request).id:
        own = Refused("not_permitted", Said("your own account is closed by another admin"))
        return await asyncio.to_thread(lambda: _people(request, refused=own))
    await asyncio.to_thread(_close, site, user, _deed(request, "user_closed", user))
    return Redirect("/people?done=closed", status_code=303)


def _close(site: Site, user: User, deed: Deed) -> None:
    site.access.renew(user.id, hashed(secrets.token_urlsafe(32)), deed, active=False)


def _deed(request: AnyRequest, what: str, user: User) -> Deed:
    return Deed(_now(request), frame.caller_of(request).doer, what, user.id, user.name)


def _user(request: AnyRequest) -> User:
    number = str(request.path_params["user"])
    with frame.site_of(request).snapshot() as reading:
        found = user_of(reading, number)
    if found is None:
        raise _unknown(number)
    return found


def _unknown(number: str) -> Refused:
    return Refused("not_found", Said("no user %(user)s", user=number[:64]))


# --- keys ----------------------------------------------------------------------------------------------------------


@get("/keys", opt=on("people.manage"))
async def show_keys(request: AnyRequest) -> Response[str]:
    """Every key of the API, without its secret."""
    done = DONE.get(request.query_params.get("done", ""), "")
    return await asyncio.to_thread(lambda: _keys(request, done=done))


def _keys(
    request: AnyRequest,
    *,
    done: str = "",
    shown: tuple[Secret, ...] = (),
    refused: Refused | None = None,
    form: Form | None = None,
) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    with site.snapshot() as reading:
        keys = all_keys(reading)
    answer = frame.page(
        request,
        voice,
        "admin/keys.html",
        at="keys",
        keys=keys[::-1],
        scopes=SCOPES,
        shown=[Secret(voice.say(one.says), one.value) for one in shown],
        typed=form or {},
        done=voice.say(done) if done else Markup(""),
        refused=refused,
    )
    return once(answer) if shown else answer


@post("/keys", opt=on("people.manage"), status_code=200)
async def add_key(request: AnyRequest) -> Response[str]:
    """Make a key: its secret is shown this once."""
    form = await typed(request)
    return await asyncio.to_thread(_add_key, request, form)


def _add_key(request: AnyRequest, form: Form) -> Response[str]:
    site = frame.site_of(request)
    store, name = form.get("store", "").strip(), form.get("name", "").strip()
    chosen = tuple(scope for scope in SCOPES if form.get(scope)) + ((f"store:{store}",) if store else ())
    try:
        with site.snapshot() as reading:
            check_key(reading, name, chosen)
    except Refused as refused:
        return _keys(request, refused=refused, form=form)
    key, secret = site.access.add_key(name, chosen, _now(request), frame.caller_of(request).doer)
    return _keys(request, shown=(Secret(N_("Key id"), key.id), Secret(N_("Secret"), secret)))


@post("/keys/{key:str}/revoke", opt=on("people.manage"), status_code=303)
async def revoke_key(request: AnyRequest) -> Response[Any]:
    """Make a key open nothing any more, at once. Raises Refused: not_found."""
    number, by = str(request.path_params["key"]), frame.caller_of(request).doer
    if not await asyncio.to_thread(frame.site_of(request).access.revoke_key, number, _now(request), by):
        raise Refused("not_found", Said("no key %(key)s is in use", key=number[:64]))
    return Redirect("/keys?done=revoked", status_code=303)


def _now(request: AnyRequest) -> datetime:
    return frame.site_of(request).wall()


HANDLERS = (show_people, add_person, new_password, close_person, show_keys, add_key, revoke_key)
