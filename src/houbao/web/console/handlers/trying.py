"""A change is seen before it is made: what it would do, the button that does just that, and what the button does."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from litestar import Request as HttpRequest
from litestar import Response
from markupsafe import Markup
from msgspec import Struct

from houbao.core.subjects import Command
from houbao.core.terms import Actor
from houbao.engine.request import Accepted, Preview, Request
from houbao.web.console import frame
from houbao.web.console.choices import Fact
from houbao.web.console.previewed import check_mark
from houbao.web.site import Site

AnyRequest = HttpRequest[Any, Any, Any]


class Back(Struct, frozen=True):
    """Where a page of its own leads back to."""

    path: str
    says: Markup


class Change(Struct, frozen=True, kw_only=True):
    """What would be changed: `facts` are what follows, `form` what its button sends to `target`. `at` is its place
    among the pages; without a heading it is called as its button; `seen` is what its reader knew of."""

    at: str
    target: str
    button: Markup
    facts: Sequence[Fact]
    form: Mapping[str, str]
    back: Back
    lede: Markup
    seen: int = 0
    heading: Markup = Markup("")


def try_out(site: Site, command: Command, by: Actor, *, seen: int = 0) -> Preview:
    """What the command would do now; nothing is saved. Raises Refused as the command would be."""
    return site.ahead.preview(Request(command, by, site.clock(), seen=seen))


def shown_before(request: AnyRequest, change: Change) -> Response[str]:
    """The change before it is made, with its button: a piece of the page for htmx, else a page of its own."""
    voice = frame.speak(request)
    given: dict[str, Any] = {
        "facts": change.facts,
        "target": change.target,
        "form": dict(change.form),
        "seen": change.seen,
        "key": uuid4().hex,
        "button": change.button,
        "trouble": None,
    }
    if frame.is_part(request):
        return frame.part(request, voice, "parts/outcome.html", **given)
    heading = change.heading or change.button
    return frame.page(
        request, voice, "preview.html", at=change.at, heading=heading, lede=change.lede, back=change.back, **given
    )


async def carry_out(request: AnyRequest, command: Command, form: Mapping[str, str]) -> Accepted:
    """Do what was shown before, once. Raises Refused: bad_form where it is not what was shown; as the command is."""
    check_mark(request.url.path, form)
    by = frame.actor_of(frame.caller_of(request))
    return await frame.site_of(request).execute(command, by, key=form.get("key", "")[:64])
