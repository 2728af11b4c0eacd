"""What the fund will owe, whether it holds enough, what cover should cost, and hard times; with where each figure comes
from."""

import asyncio
from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect

from houbao.core.breaker import breaker_of
from houbao.store.desk_money import breakers
from houbao.web.console import frame
from houbao.web.guard import on
from houbao.web.site import PART

AnyRequest = Request[Any, Any, Any]
WAIT = 5.0
"""How many seconds a page waits for a measuring that is not done yet."""


@get("/fund/reserves", opt=on("fund.read"))
async def show_reserves(request: AnyRequest) -> Response[str]:
    """The reserves of one fund as they were measured last; measured now where that was long ago."""
    # Not `sync_to_thread`: see `sign_in_form` in doors.py.
    return await asyncio.to_thread(_shown, request)


def _shown(request: AnyRequest) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    measured = site.reserves.latest(WAIT)
    found = {one.currency: one for one in measured.found or ()}
    asked = request.query_params.get("currency", "")
    one = found.get(asked) or next(iter(found.values()), None)
    with site.snapshot() as reading:
        breaker = breaker_of(breakers(reading, PART), one.currency) if one else None
    return frame.page(
        request,
        voice,
        "finance/reserves.html",
        at="fund",
        one=one,
        known=measured.found is not None,
        running=measured.running,
        currencies=[*found],
        breaker=breaker,
    )


@post("/fund/reserves", opt=on("fund.read"), status_code=303)
async def measure_again(request: AnyRequest) -> Response[Any]:
    """Measure the funds once more, now."""
    await asyncio.to_thread(lambda: frame.site_of(request).reserves.latest(WAIT, anew=True))
    return Redirect("/fund/reserves", status_code=303)


HANDLERS = (show_reserves, measure_again)
