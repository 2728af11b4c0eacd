"""Photographs: sent before the dispute that names them, seen through links that end."""

from datetime import datetime
from typing import Any

from litestar import Response
from msgspec import Struct

from houbao.core.terms import role_of
from houbao.engine.evidence import MOST_PHOTO_BYTES
from houbao.store import queries
from houbao.web.api.disputes import found_dispute
from houbao.web.api.paging import PageQuery, part_of
from houbao.web.api.shapes import Page, event_id
from houbao.web.evidence import Size, link_to, show, take_in
from houbao.web.operation import Ask, operation
from houbao.web.site import PART


class PieceView(Struct, kw_only=True):
    """A photograph as it is kept: made anew from the pixels of what was sent. `digest` is how disputes name it; the
    links work for the caller alone, for 15 to 30 minutes."""

    digest: str
    media: str
    width: int
    height: int
    bytes: int
    url: str
    thumbnail: str


class Named(Struct, kw_only=True):
    """A piece that a dispute names, with links to it; both are null where it was erased."""

    digest: str
    event_id: str
    at: datetime
    by: str
    url: str | None
    thumbnail: str | None


class LinkQuery(Struct):
    """What a link holds. `size` is `whole` or `small`."""

    until: datetime
    signature: str
    size: Size = "whole"


@operation(
    "POST",
    "/v1/evidence",
    action="evidence.add",
    body=bytes,
    reply=PieceView,
    status=201,
    refuses=("bad_image", "image_too_large", "too_many_uploads", "no_images", "not_kept"),
    takes="image/*",
    most=MOST_PHOTO_BYTES + 1,
)
async def add_evidence(ask: Ask[Any, Any]) -> PieceView:
    """Send a photograph (JPEG, PNG, WebP, HEIC or AVIF, up to 20 MiB), then name its digest in a dispute. It is made
    anew from its pixels: where and by whom it was taken is not kept. The same one sent again is the same piece."""
    kept = await take_in(ask.site, ask.caller, ask.request.body)
    return PieceView(
        digest=kept.digest,
        media=kept.media,
        width=kept.width,
        height=kept.height,
        bytes=kept.bytes,
        url=link_to(ask.site, ask.caller, kept.digest),
        thumbnail=link_to(ask.site, ask.caller, kept.digest, "small"),
    )


@operation(
    "GET",
    "/v1/evidence/{digest:str}",
    action="evidence.read",
    query=LinkQuery,
    reply=bytes,
    refuses=("bad_link", "unknown_evidence"),
    media="image/*",
)
def read_evidence(ask: Ask[Any, LinkQuery]) -> Response[bytes]:
    """What a link shows: JPEG or PNG, to the one for whom it was made, until it ends."""
    link = ask.query
    shown = show(ask.site, ask.caller, ask.text("digest"), link.until, link.signature, link.size)
    headers = {"Cache-Control": "private, max-age=900", "Content-Disposition": "inline"}
    return Response(shown.content, media_type=shown.media, headers=headers)


@operation(
    "GET",
    "/v1/disputes/{dispute_id:str}/evidence",
    action="disputes.read",
    query=PageQuery,
    reply=Page[Named],
    refuses=("bad_id", "unknown_dispute", "bad_cursor"),
)
def list_evidence(ask: Ask[Any, PageQuery]) -> Page[Named]:
    """The photographs that a dispute names, in the order in which they were sent, with links for the caller."""
    site, caller = ask.site, ask.caller
    with site.snapshot() as reading:
        dispute = found_dispute(reading, ask.scope, ask.text("dispute_id"))
        happened = queries.timeline(reading, PART, dispute)
    named = [(position, event, digest) for position, event in happened for digest in getattr(event, "evidence", ())]
    gone = set(site.evidence.unknown(digest for _, _, digest in named))
    whole = [
        Named(
            digest=digest,
            event_id=event_id(position),
            at=event.at,
            by=role_of(event.by),
            url=None if digest in gone else link_to(site, caller, digest),
            thumbnail=None if digest in gone else link_to(site, caller, digest, "small"),
        )
        for position, event, digest in named
    ]
    return part_of(whole, ask.query)
