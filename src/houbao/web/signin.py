"""Signing in and out, and arriving by a link. The words of the pages are in templates; this is what they do.

`sign_in` is given a name, a password and a code, and begins a session; `arrive` uses a one-time link up. Both give the
cookie to set. A form for somebody who is not signed in yet takes `visiting`, which gives its browser a cookie that the
form's token belongs to.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from secrets import compare_digest, token_urlsafe
from threading import BoundedSemaphore
from typing import Any

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from houbao.core.said import Said
from houbao.core.terms import Refused
from houbao.store.access import LONGEST, user_of
from houbao.store.deeds import Deed
from houbao.web.callers import Caller
from houbao.web.guard import SESSION, VISIT, check_form, on
from houbao.web.permissions import PUBLIC
from houbao.web.site import Site

hasher = PasswordHasher()
NOBODYS = hasher.hash("nobody has this password")
"""What is checked where there is no such user, so that it takes as long."""

FAILED = Said("that name, password or code is not right")

MOST_HASHING = 4
"""Passwords hashed at once: each takes 64 MiB and a core."""

THREADS = ThreadPoolExecutor(MOST_HASHING, "sign-in")
"""Where people sign in, so that those who wait for it keep no thread from other requests."""

_hashing = BoundedSemaphore(MOST_HASHING)

STEP_SECONDS = 30
LEAST_PASSWORD, MOST_PASSWORD = 12, 256


def hashed(password: str) -> str:
    """A password as it is kept. Raises Refused: bad_request where it is too short or too long."""
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise Refused(
            "bad_request",
            Said(
                "a password has %(least)s to %(most)s characters",
                least=LEAST_PASSWORD,
                most=MOST_PASSWORD,
            ),
        )
    with _hashing:
        return hasher.hash(password)


def sign_in(site: Site, name: str, password: str, code: str) -> Cookie:
    """Begin a user's session. Takes long on purpose: not to be called on the event loop.

    Raises Refused: sign_in_failed, which does not say what was wrong, whether there is such a user, or whether the
    account rests."""
    now, number = site.wall(), name.strip().lower()[:64]
    counted = site.access.note_try(number, now)
    with site.snapshot() as reading:
        user = user_of(reading, number)
    right = _matches(user.password if user else NOBODYS, password[:MOST_PASSWORD])
    if user is None or not (right and counted and user.active):
        raise Refused("sign_in_failed", FAILED)
    step = step_of(user.totp, code, now) if user.totp else 0
    if step is None or not site.access.note_success(user.id, step):
        raise Refused("sign_in_failed", FAILED)
    return session_cookie(site, site.access.begin_session("user", user.role, user.id, user.store, now))


def change_password(site: Site, caller: Caller, before: str, wanted: str) -> Cookie:
    """Another password for a user who knows the one before: all their sessions end, and a new one begins. Guesses count
    as at signing in. Takes long on purpose, as `sign_in` does. Raises Refused: sign_in_failed, bad_request."""
    now, kept = site.wall(), hashed(wanted)
    counted = site.access.note_try(caller.id, now)
    with site.snapshot() as reading:
        user = user_of(reading, caller.id)
    right = _matches(user.password if user else NOBODYS, before[:MOST_PASSWORD])
    if user is None or not (right and counted):
        raise Refused("sign_in_failed", Said("that is not the password you have now"))
    deed = Deed(now, caller.doer, "password_changed", user.id, user.name)
    if not site.access.change_password(user.id, user.password, kept, deed):
        raise Refused("sign_in_failed", Said("that is not the password you have now"))
    return session_cookie(site, site.access.begin_session("user", user.role, user.id, user.store, now))


def _matches(kept: str, password: str) -> bool:
    try:
        with _hashing:
            return hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The number of a code of an authenticator that is right now, or was half a minute ago; None for any other."""
    totp = pyotp.TOTP(secret)
    step = int(now.timestamp()) // STEP_SECONDS
    for one in (step, step - 1, step + 1):
        if compare_digest(totp.generate_otp(one), code.strip().replace(" ", "").encode("ascii", "replace").decode()):
            return one
    return None


def arrive(site: Site, secret: str) -> tuple[Cookie, str]:
    """Begin the session of whom a one-time link is for; also says their role. Raises Refused: link_used."""
    now = site.wall()
    found = site.access.use_link(secret, now)
    if found is None:
        raise Refused("link_used", Said("this link was used before, or its 15 minutes are over"))
    role, subject = found
    store = subject if role == "seller" else ""
    return session_cookie(site, site.access.begin_session("portal", role, subject, store, now)), role


def session_cookie(site: Site, secret: str) -> Cookie:
    """The cookie of a session: not for scripts, not sent along from other sites' forms."""
    return Cookie(
        key=SESSION,
        value=secret,
        httponly=True,
        secure=site.secure,
        samesite="lax",
        path="/",
        max_age=int(LONGEST.total_seconds()),
    )


def visiting(request: Request[Any, Any, Any]) -> Cookie | None:
    """The cookie to set with a form for somebody who is not signed in; None where the browser has one."""
    site: Site = request.app.state.site
    if request.cookies.get(SESSION) or request.cookies.get(VISIT):
        return None
    secret = token_urlsafe(32)
    request.cookies[VISIT] = secret  # the form that is written now carries its token
    return Cookie(key=VISIT, value=secret, httponly=True, secure=site.secure, samesite="lax", path="/")


@get("/portal/{secret:str}", opt=on(PUBLIC), sync_to_thread=True)
def arrive_by_link(request: Request[Any, Any, Any]) -> Redirect:
    """A buyer or a seller comes from the marketplace: signed in, the link is used up."""
    cookie, _ = arrive(request.app.state.site, request.path_params["secret"])
    answer = Redirect("/", status_code=303)
    answer.set_cookie(cookie)
    return answer


@post("/sign-out", opt=on(PUBLIC), status_code=303)
async def sign_out(request: Request[Any, Any, Any]) -> Response[Any]:
    """The session is over."""
    site: Site = request.app.state.site
    if secret := request.cookies.get(SESSION, ""):
        await check_form(request)
        await asyncio.to_thread(site.access.end_session, secret)
    answer = Redirect("/sign-in", status_code=303)
    answer.delete_cookie(SESSION, path="/")
    return answer


HANDLERS = (arrive_by_link, sign_out)
