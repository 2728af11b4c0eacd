"""Photographs in forms: taken in with the form that brings them, shown through links that end."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from litestar import Request
from litestar.datastructures import UploadFile
from msgspec import Struct

from houbao.engine.evidence import MOST_PHOTO_BYTES
from houbao.web.console import frame
from houbao.web.evidence import link_to, take_in
from houbao.web.receiving import form_of

AnyRequest = Request[Any, Any, Any]

MOST_FORM = 4 * MOST_PHOTO_BYTES
"""The most bytes of a form with photographs; of one without, receiving.MOST_FORM."""


class Photo(Struct, frozen=True):
    """Links to a photograph for one reader: as it is, and small."""

    whole: str
    small: str


async def brought(request: AnyRequest, known: str = "") -> str:
    """The digests of the photographs that the form brings, behind those `known` from the step before, with spaces
    between. Raises Refused: bad_image, image_too_large, too_many_uploads, no_images, not_kept."""
    site, caller = frame.site_of(request), frame.caller_of(request)
    digests = known.split()
    for sent in (await form_of(request)).getall("photos", []):
        if isinstance(sent, UploadFile) and sent.filename:
            kept = await take_in(site, caller, partial(sent.read, MOST_PHOTO_BYTES + 1))
            digests.append(kept.digest)
    return " ".join(dict.fromkeys(digests))


def shown(request: AnyRequest, digests: Iterable[str]) -> dict[str, Photo]:
    """Digest → its links for whoever asks; what was erased has none. Ask for those of disputes that they see."""
    site, caller = frame.site_of(request), frame.caller_of(request)
    wanted = list(dict.fromkeys(digests))
    gone = set(site.evidence.unknown(wanted))
    return {
        digest: Photo(link_to(site, caller, digest), link_to(site, caller, digest, "small"))
        for digest in wanted
        if digest not in gone
    }
