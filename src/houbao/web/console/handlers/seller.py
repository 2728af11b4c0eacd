"""A seller's home."""

from typing import Any

from litestar import Request, Response, get
from litestar.response import Redirect

from houbao.web.console import frame, selling
from houbao.web.console.shell import home_of
from houbao.web.console.views.asked import needing
from houbao.web.console.views.inbox import inbox
from houbao.web.guard import on
from houbao.web.site import PART

AnyRequest = Request[Any, Any, Any]


@get("/inbox", opt=on("disputes.read"), sync_to_thread=True)
def show_inbox(request: AnyRequest) -> Response[Any]:
    """What needs the seller, the first due first; what is handled for them; what else is under way."""
    caller = frame.caller_of(request)
    if caller.role != "seller":
        return Redirect(home_of(caller.role), status_code=303)
    voice, site = frame.speak(request), frame.site_of(request)
    with site.snapshot() as reading:
        found = inbox(reading, PART, caller.store, site.clock())
        waiting = needing(reading, PART, caller.store, site.clock())
    score = selling.score_today(site, caller.store)
    return frame.page(
        request,
        voice,
        "seller/inbox.html",
        at="inbox",
        view=found,
        lede=selling.lede(voice, found),
        score=score,
        waiting=waiting,
        then={row.dispute.id: selling.then(voice, row) for row in (*found.needs, *found.handled, *found.others)},
    )


HANDLERS = (show_inbox,)
