"""The agents' queues, and taking the next case out of one."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect

from houbao.core.acts import ClaimCase
from houbao.core.said import Said
from houbao.core.terms import Refused, public_id
from houbao.store import desk
from houbao.web.console import desking, frame
from houbao.web.console.language import N_
from houbao.web.console.views.desk import queue
from houbao.web.guard import on
from houbao.web.site import PART

AnyRequest = Request[Any, Any, Any]
START = (-1, 0)
TRIES = 3
"""How often the next case is looked for again where another agent was quicker."""


@get("/queue/{name:str}", opt=on("disputes.rule"), sync_to_thread=True)
def show_queue(request: AnyRequest) -> Response[str]:
    """One of the agents' queues, the first due first. Raises Refused: not_found."""
    name = str(request.path_params["name"])
    _check(name)
    voice, site = frame.speak(request), frame.site_of(request)
    actor = frame.actor_of(frame.caller_of(request))
    after = place(request.query_params.get("after", ""))
    with site.snapshot() as reading:
        found = queue(reading, PART, name, actor, site.clock(), after)
    free = request.query_params.get("done", "") == "nobody"
    return frame.page(
        request,
        voice,
        "desk/queue.html",
        at=name,
        view=found,
        title=voice.say(desking.TITLES[name]),
        lede=desking.lede(voice, found),
        empty=voice.say(desking.EMPTY[name]),
        then={row.dispute.id: desking.then(voice, row) for row in found.rows},
        chips={
            row.dispute.id: desking.holder_chip(voice, row.holder, str(actor), row.dispute.proposed is not None)
            for row in found.rows
        },
        counted=lambda name: desking.counted(voice, found.lengths[name]),
        titles={name: voice.say(title) for name, title in desking.TITLES.items()},
        first=after == START,
        done=voice.say(N_("Nothing is free here: others have what waits, or you ruled on it before.")) if free else "",
    )


@post("/queue/{name:str}/next", opt=on("disputes.claim"), status_code=303)
async def take_next(request: AnyRequest) -> Response[Any]:
    """Claim the first due that is free, and open it. Raises Refused: not_found."""
    name = str(request.path_params["name"])
    _check(name)
    site = frame.site_of(request)
    actor = frame.actor_of(frame.caller_of(request))
    for _ in range(TRIES):
        with site.snapshot() as reading:
            found = desk.next_free(reading, PART, name, str(actor), site.clock())
        if found is None:
            return Redirect(f"/queue/{name}?done=nobody", status_code=303)
        try:
            await site.execute(ClaimCase(dispute=found.id), actor)
        except Refused:
            continue  # somebody was quicker
        return Redirect(f"/cases/{public_id('dispute', PART, found.id)}?done=claim", status_code=303)
    return Redirect(f"/queue/{name}?done=nobody", status_code=303)


def _check(name: str) -> None:
    if name not in desk.QUEUES:
        raise Refused("not_found", Said("there is no queue called %(name)s", name=name[:64]))


def place(text: str, start: tuple[int, int] = START) -> tuple[int, int]:
    """Where a page begins, as addresses have it: two numbers, 4711-2; `start` where they say none."""
    due, _, number = text.partition("-")
    if due.isdecimal() and number.isdecimal() and len(due) < 19 and len(number) < 19:
        return int(due), int(number)
    return start


HANDLERS = (show_queue, take_next)
