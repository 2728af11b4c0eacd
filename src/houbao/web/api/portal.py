"""One-time links by which buyers and sellers arrive from the marketplace, without an account here."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from houbao.core.terms import Refused, check_reference
from houbao.store import lists
from houbao.web.operation import Answer, Ask, operation
from houbao.web.site import PART


class PortalBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """For whom the link is: a buyer or a store, one of the two."""

    buyer_id: str = ""
    store_id: str = ""


class PortalView(Struct, kw_only=True):
    """A link that works once, until `expires_at`. Until it was opened, `token`, its last part, may also be sent as
    `Authorization: Bearer`, as often as wanted."""

    url: str
    token: str
    expires_at: datetime


@operation(
    "POST",
    "/v1/portal-sessions",
    action="portal.open",
    body=PortalBody,
    reply=PortalView,
    status=201,
    refuses=("bad_reference", "unknown_store", "bad_request"),
    example={"buyer_id": "ann"},
)
def open_portal(ask: Ask[PortalBody, Any]) -> Answer:
    """A one-time link: who opens it is signed in as that buyer or store. Give it to nobody else."""
    body, site = ask.body, ask.site
    if bool(body.buyer_id) == bool(body.store_id):
        raise Refused("bad_request", "name a buyer_id or a store_id, one of the two")
    role, subject = ("buyer", body.buyer_id) if body.buyer_id else ("seller", body.store_id)
    check_reference(f"{'buyer' if body.buyer_id else 'store'}_id", subject)
    if role == "seller":
        with site.snapshot() as reading:
            if lists.store(reading, PART, ask.scope, subject) is None:
                raise Refused("unknown_store", f"no store {subject}: register it first")
    secret, until = site.access.add_link(role, subject, site.wall())
    base = site.public_url or str(ask.request.base_url).rstrip("/")
    return Answer(PortalView(url=f"{base}/portal/{secret}", token=secret, expires_at=until))
