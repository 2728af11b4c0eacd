"""Looking through everything that happened, for admins: by who did it, by order, by dispute, by day."""

from datetime import datetime, timedelta
from typing import Any

from litestar import Request, Response, get
from markupsafe import Markup
from msgspec import Struct

from houbao.core.disputes import Dispute
from houbao.core.fund import FundEvent
from houbao.core.orders import OrderPlaced
from houbao.core.said import Said
from houbao.core.scopes import EVERYTHING
from houbao.core.terms import Refused
from houbao.store import deeds, lists
from houbao.store.audit import Found, Question, Row, look, of_days, of_order
from houbao.store.deeds import Deed, Deeds
from houbao.store.desk_money import disputes_by_number
from houbao.store.rows import END
from houbao.web.console import frame
from houbao.web.console.auditing import told
from houbao.web.console.chronicle import TELLERS, tell
from houbao.web.console.deeds import midnight_of
from houbao.web.console.language import N_, Voice
from houbao.web.guard import on
from houbao.web.site import PART, number_of

AnyRequest = Request[Any, Any, Any]
PAGE = 50
FIELDS = ("actor", "order", "dispute", "day")


class Line(Struct, frozen=True):
    """An event as it is shown, and what it is about: a dispute, an order, a store, or the fund."""

    row: Row
    by: str
    says: Markup
    dispute: int
    order: int
    store: str
    fund: bool


Days = tuple[datetime, datetime]
"""A span of time: from, up to and without."""

DEEDS = {
    "user_added": N_("Account added"),
    "user_changed": N_("Account changed: a new password"),
    "user_closed": N_("Account closed"),
    "password_changed": N_("Own password changed"),
    "key_made": N_("Key made"),
    "key_revoked": N_("Key revoked"),
    "webhook_made": N_("Webhook made"),
    "webhook_turned": N_("Webhook’s secret changed"),
    "webhook_ended": N_("Webhook ended"),
    "policy_published": N_("Policy published"),
}
"""Deed → what it is called (a test holds them together)."""


@get("/audit", opt=on("events.read"), sync_to_thread=True)
def show_audit(request: AnyRequest) -> Response[str]:
    """The events that fit what is asked for, the latest first."""
    voice, site = frame.speak(request), frame.site_of(request)
    asked = {name: request.query_params.get(name, "").strip()[:64] for name in FIELDS}
    before = request.query_params.get("before", "")
    found, refused = Found([], 0), None
    kept = Deeds([], more=False)
    disputes: dict[int, Dispute] = {}
    with site.snapshot() as reading:
        try:
            days = _day(asked["day"], voice)
            question = _question(reading, asked, days)
            start = int(before) if before.isdecimal() and len(before) < 19 else END
            found = look(reading, PART, question, before=start, limit=PAGE)
            about = [getattr(row.event, "dispute", 0) for row in found.rows]
            disputes = disputes_by_number(reading, PART, [number for number in about if number])
            if not before and not asked["order"] and not asked["dispute"]:
                kept = deeds.look(reading, *(days or (None, None)), by=asked["actor"], limit=PAGE)
        except Refused as said:
            refused = said
    return frame.page(
        request,
        voice,
        "admin/audit.html",
        at="audit",
        rows=[_line(voice, row, disputes) for row in found.rows],
        kept=kept,
        words=DEEDS,
        page_of=_page_of,
        next=found.next,
        first=not before,
        asked=asked,
        refused=refused,
    )


def _page_of(deed: Deed) -> str:
    """Where what was done to is looked at."""
    kind = deed.what.partition("_")[0]
    pages = {"webhook": f"/webhooks/{deed.subject}", "policy": f"/policies/{deed.subject}", "key": "/keys"}
    return pages.get(kind, "/people")


def _day(text: str, voice: Voice) -> Days | None:
    """The day that was asked for, by the reader's clock; None for all. Raises Refused: bad_request, bad_time."""
    if not text:
        return None
    midnight = midnight_of(text, voice.zone)
    return midnight, midnight + timedelta(days=1)


def _question(reading: Any, asked: dict[str, str], days: Days | None) -> Question:
    """What was asked for. Raises Refused: unknown_order, unknown_dispute, bad_id."""
    first, end = of_days(reading, PART, *days) if days else (1, END)
    only = None
    if asked["dispute"]:
        dispute = lists.dispute(reading, PART, EVERYTHING, number_of("dispute", asked["dispute"]))
        if dispute is None:
            raise Refused("unknown_dispute", Said("no dispute %(asked)s", asked=asked["dispute"]))
        only = dispute.history
    if asked["order"]:
        orders = _orders(reading, asked["order"])
        if not orders:
            raise Refused(
                "unknown_order", Said("no order %(asked)s, by its number or the shop's own", asked=asked["order"])
            )
        own = {one for order in orders for one in of_order(reading, PART, order)}
        only = tuple(sorted(own if only is None else own & set(only)))
    return Question(actor=asked["actor"], first=first, end=end, only=only)


def _orders(reading: Any, text: str) -> list[Any]:
    """The order of that id, else those that the shops call so."""
    if text.startswith("order_"):
        found = lists.order(reading, PART, EVERYTHING, number_of("order", text))
        return [found] if found else []
    return lists.order_page(reading, PART, EVERYTHING, reference=text, limit=PAGE)


def _line(voice: Voice, row: Row, disputes: dict[int, Dispute]) -> Line:
    event = row.event
    dispute = disputes.get(getattr(event, "dispute", 0))
    title = tell(voice, event, "admin", dispute.currency) if dispute and type(event) in TELLERS else None
    return Line(
        row,
        str(getattr(event, "by", "") or "–"),
        title.title if title else told(voice, event),
        int(getattr(event, "dispute", 0) or 0),
        row.position if isinstance(event, OrderPlaced) else int(getattr(event, "order", 0) or 0),
        str(getattr(event, "store", "") or ""),
        isinstance(event, FundEvent),
    )


HANDLERS = (show_audit,)
