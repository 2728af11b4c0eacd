"""Live updates by server-sent events: a page that is being read hears that something happened, and its reader chooses
when to see it. Nothing moves under their hands, and without script or stream the page is what it was."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from litestar import Request, Response, get
from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage

from houbao.core.scopes import Scope
from houbao.store import lists
from houbao.web.console import frame
from houbao.web.console.views.asked import needing
from houbao.web.guard import on, reach_of
from houbao.web.site import PART, Site, number_of

AnyRequest = Request[Any, Any, Any]

LOOKS_EVERY = 2.0
"""Seconds between two looks."""

LOOKS = 25
"""After so many a stream ends; the browser comes back by itself."""

MOST_STREAMS = 128
"""Streams at once; who comes later is told not to come back, and reads without."""

_open = 0


@get("/live/disputes/{dispute_id:str}", opt=on("disputes.read"))
async def dispute_news(request: AnyRequest) -> Response[Any]:
    """Says `news` once more has happened in the dispute than `seen`. Raises Refused: unknown_dispute."""
    site, reach = frame.site_of(request), reach_of(request)
    number = number_of("dispute", str(request.path_params["dispute_id"]))
    if await asyncio.to_thread(_last_of, site, reach, number) == 0:
        raise frame.unknown_dispute(number)
    return _stream(request, lambda: _last_of(site, reach, number))


@get("/live/inbox", opt=on("disputes.read"))
async def inbox_news(request: AnyRequest) -> Response[Any]:
    """Says `news` once another number of disputes waits for the seller than `seen`."""
    site, store = frame.site_of(request), frame.caller_of(request).store
    return _stream(request, lambda: _waiting(site, store))


def _last_of(site: Site, reach: Scope, number: int) -> int:
    """The position of the dispute's last event; 0 where it may not be seen."""
    with site.snapshot() as reading:
        found = lists.dispute(reading, PART, reach, number)
    return found.history[-1] if found else 0


def _waiting(site: Site, store: str) -> int:
    with site.snapshot() as reading:
        return needing(reading, PART, store, site.clock())


def _stream(request: AnyRequest, look: Any) -> Response[Any]:
    seen = request.query_params.get("seen", "0")
    if _open >= MOST_STREAMS or not seen.isdecimal() or len(seen) > 18:
        return Response(b"", status_code=204)  # an EventSource does not come back after that
    return ServerSentEvent(_looking(look, int(seen)))


async def _looking(look: Any, seen: int) -> AsyncGenerator[ServerSentEventMessage]:
    global _open
    _open += 1
    try:
        for _ in range(LOOKS):
            if await asyncio.to_thread(look) != seen:
                yield ServerSentEventMessage(data="news", event="news")
                return
            yield ServerSentEventMessage(comment="nothing new")
            await asyncio.sleep(LOOKS_EVERY)
    finally:
        _open -= 1


HANDLERS = (dispute_news, inbox_news)
