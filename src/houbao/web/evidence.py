"""Evidence at the edge, for the API and the console alike: taken in, and shown through links that end."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode

from houbao.core.terms import FIRST_YEAR, LAST_YEAR, Refused
from houbao.engine.evidence import Piece, Shown
from houbao.web.callers import Caller
from houbao.web.site import Site

Size = Literal["whole", "small"]


async def take_in(site: Site, caller: Caller, read: Callable[[], Awaitable[bytes]]) -> Piece:
    """Keep a photograph that somebody sends; disputes name it by its digest. It is read when there is room for it.

    Raises Refused: overloaded, too_many_uploads, bad_image, image_too_large, no_images, not_kept."""
    with site.uploads.place():
        if caller.is_person:
            site.uploads.count(caller.name, site.wall())
        content = await read()
        return await asyncio.get_running_loop().run_in_executor(site.uploads.thread, site.evidence.keep, content)


def link_to(site: Site, caller: Caller, digest: str, size: Size = "whole") -> str:
    """The path by which this caller alone sees a piece, for 15 to 30 minutes. It says nothing of whether they may: ask
    for the pieces of disputes that they see. Raises Refused: not_kept."""
    link = site.evidence.link(digest, caller.name, site.wall())
    values = {"until": f"{link.until:%Y-%m-%dT%H:%M:%SZ}", "signature": link.signature}
    return f"/v1/evidence/{digest}?{urlencode(values | ({'size': size} if size == 'small' else {}), safe=':')}"


def show(site: Site, caller: Caller, digest: str, until: datetime, signature: str, size: Size) -> Shown:
    """What a link shows. Raises Refused: bad_link, unknown_evidence, not_kept."""
    if until.tzinfo is None or not FIRST_YEAR <= until.year <= LAST_YEAR:
        raise Refused("bad_link", "the link to this evidence was altered: its time names no zone, or no year of ours")
    site.evidence.check_link(digest, caller.name, until, signature, site.wall())
    return site.evidence.show(digest, size)
