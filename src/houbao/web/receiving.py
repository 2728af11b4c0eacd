"""How a request's body comes in: its sender may be slow, but not silent, nor slow for ever; a form without files is
small."""

import asyncio
from typing import Any

from litestar import Request
from litestar.datastructures import FormMultiDict
from litestar.types import Receive, Scope

from houbao.core.said import Said
from houbao.core.terms import Refused

SILENT_SECONDS = 30.0
"""How long a sender may be silent in the middle of a body, and how long all waiting for it may take …"""

LEAST_BYTES_A_SECOND = 16 << 10
"""… beside a second for each of these that came: a body of 1 MiB comes within 94 seconds, or not at all."""

MOST_FORM = 1 << 20
"""The most bytes of a form that brings no files (urlencoded), on whatever route."""

FORM = b"application/x-www-form-urlencoded"

WHOLE = "houbao.whole"
"""The server's extension of a request whose body is here to its end: nobody need watch the clock for it."""


class Receiving:
    """Receive, for one request. Raises Refused: too_slow, too_large. Only waiting for the sender counts: what is done
    with a part that came takes as long as it takes."""

    def __init__(self, receive: Receive, scope: Scope) -> None:
        self._receive = receive
        self._scope = scope
        media = header(scope, b"content-type")
        self._most = MOST_FORM if media.strip().lower().startswith(FORM) else None
        self._came = 0
        self._waited = 0.0
        self._whole = False

    async def __call__(self) -> Any:
        """The next message; after the whole body, waits for as long as it takes."""
        if self._whole:
            return await self._receive()
        here = WHOLE in (self._scope.get("extensions") or ())
        message = await (self._receive() if here else self._awaited())
        self._whole = message["type"] != "http.request" or not message.get("more_body", False)
        self._came += len(message.get("body", b""))
        if self._most is not None and self._came > self._most:
            raise Refused("too_large", Said("a form without files has at most %(most)s bytes", most=self._most))
        return message

    async def _awaited(self) -> Any:
        left = SILENT_SECONDS + self._came / LEAST_BYTES_A_SECOND - self._waited
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(SILENT_SECONDS, left)):
                return await self._receive()
        except TimeoutError:
            raise Refused("too_slow", Said("the rest of the body did not come in time")) from None
        finally:
            self._waited += asyncio.get_running_loop().time() - started


def header(scope: Scope, name: bytes) -> bytes:
    """The request's header of that name, in small letters; empty where there is none."""
    for known, value in scope["headers"]:
        if known == name:
            return value
    return b""


def media_of(scope: Scope) -> str:
    """Of what type the body says that it is, without more that it says of it; empty where it says nothing."""
    return header(scope, b"content-type").partition(b";")[0].strip().lower().decode("latin-1")


async def body_of(request: Request[Any, Any, Any], most: int) -> bytes:
    """The body of a request that nobody has read yet, of at most so many bytes. Mostly it comes in one piece, and what
    the framework does for a stream of them is more work than all the rest of reading it. Raises as its own does."""
    announced = header(request.scope, b"content-length")
    if not announced.isdigit() or int(announced) > most:
        return await request.body()
    receive = request.receive
    first: Any = await receive()
    if first["type"] == "http.request" and not first.get("more_body") and len(first["body"]) <= most:
        return first["body"]

    async def again() -> Any:
        request.receive = receive
        return first

    request.receive = again
    return await request.body()


async def form_of(request: Request[Any, Any, Any]) -> FormMultiDict:
    """The form that a request brings; empty where it brings none. Raises Refused: bad_text."""
    try:
        return await request.form()
    except (UnicodeDecodeError, LookupError):  # a part names an encoding of its own, which there may not be
        raise Refused("bad_text", Said("a field of the form cannot be read: send UTF-8")) from None
