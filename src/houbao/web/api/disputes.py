"""Disputes: read, listed. What is asked before: explaining.py; opening them: opening.py; what is done in them:
commands.py."""

from collections.abc import Mapping
from datetime import datetime
from sqlite3 import Connection
from types import MappingProxyType
from typing import Annotated, Any

from msgspec import Meta, Struct

from houbao.core import disputes as d
from houbao.core.disputes import Dispute
from houbao.core.orders import Order
from houbao.core.scopes import Scope
from houbao.core.terms import Refused, micros
from houbao.core.world import Event
from houbao.engine.request import Accepted
from houbao.store import lists, queries
from houbao.store.lists import Filters
from houbao.telling import UNSIGNED, tell
from houbao.web.api.dispute_shapes import DisputeView, Seen, dispute_view, reasons_of
from houbao.web.api.paging import Limit, Moment, PageQuery, cursor_of, moment, page_of, part_of, seek
from houbao.web.api.shapes import Moved, Page, dispute_id, event_id, moved
from houbao.web.callers import Caller, public_by
from houbao.web.operation import Answer, Ask, operation
from houbao.web.site import PART, Site, number_of

NO_EVENTS: Mapping[int, Event] = MappingProxyType({})

# --- looking -------------------------------------------------------------------------------------------------------


def found_order(reading: Connection, scope: Scope, text: str) -> Order:
    """An order that may be seen, by its id. Raises Refused: bad_id, unknown_order."""
    order = lists.order(reading, PART, scope, number_of("order", text))
    if order is None:
        raise Refused("unknown_order", f"no order {text}")
    return order


def found_dispute(reading: Connection, scope: Scope, text: str) -> Dispute:
    """A dispute that may be seen, by its id. Raises Refused: bad_id, unknown_dispute."""
    dispute = lists.dispute(reading, PART, scope, number_of("dispute", text))
    if dispute is None:
        raise Refused("unknown_dispute", f"no dispute {text}")
    return dispute


def view_of(
    reading: Connection,
    site: Site,
    caller: Caller,
    dispute: Dispute,
    now: datetime | None = None,
    known: Mapping[int, Event] = NO_EVENTS,
) -> DisputeView:
    """A dispute as the caller sees it, with the policy's reasons. `known` are events, by position, that need not be
    read."""
    event = known.get(dispute.assessed) or lists.event(reading, PART, dispute.assessed)
    opened = event
    if not isinstance(opened, d.DisputeOpened):
        opened = known.get(dispute.history[0]) or lists.event(reading, PART, dispute.history[0])
    at_payment = (opened.rules or opened.policy) if isinstance(opened, d.DisputeOpened) else dispute.policy
    rules = site.rules(reading, at_payment, dispute.currency)
    reasons = reasons_of(rules, event, private=caller.role == "buyer")
    return dispute_view(dispute, Seen(caller, now or site.clock(), reasons))


def shown(
    reading: Connection, site: Site, caller: Caller, scope: Scope, number: int, now: datetime | None = None
) -> Answer:
    """A dispute as an answer, with its ETag."""
    dispute = lists.dispute(reading, PART, scope, number)
    if dispute is None:
        raise Refused("unknown_dispute", f"no dispute {dispute_id(number)}")
    return Answer(view_of(reading, site, caller, dispute, now), headers={"ETag": etag(dispute)})


def left_by(
    accepted: Accepted, reading: Connection, ask: Ask[Any, Any], number: int, now: datetime | None = None
) -> Answer:
    """The dispute as the command left it; as it stands now, where the command's key had been answered before."""
    site, dispute = ask.site, accepted.dispute
    if dispute is None:
        return replayed(shown(reading, site, ask.caller, ask.scope, number, now), accepted)
    known = dict(enumerate(accepted.events, accepted.first))
    return Answer(view_of(reading, site, ask.caller, dispute, now, known), headers={"ETag": etag(dispute)})


def etag(dispute: Dispute) -> str:
    """What changes with everything that happens in a dispute."""
    return f'"{dispute.history[-1]}"'


def replayed(answer: Answer, accepted: Accepted) -> Answer:
    """The answer, which says where its key had been answered before."""
    if accepted.replayed:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer


class DisputeQuery(Struct, kw_only=True):
    """Which disputes; what is left out does not matter. `order`: `newest`, or `due` for those that fall due, the
    earliest first. `due_before` is a time (RFC 3339), or a day: before it begins."""

    store_id: str = ""
    order_id: str = ""
    phase: str = ""
    waiting_for: str = ""
    due_before: Moment = ""
    order: Annotated[str, Meta(pattern="^(newest|due)$")] = "newest"
    limit: Limit = 50
    after: str = ""


@operation(
    "GET",
    "/v1/disputes",
    action="disputes.read",
    query=DisputeQuery,
    reply=Page[DisputeView],
    refuses=("bad_cursor", "bad_id", "naive_time", "bad_time"),
)
def list_disputes(ask: Ask[Any, DisputeQuery]) -> Page[DisputeView]:
    """Disputes, page by page: the newest first, or by due time."""
    wanted, site = ask.query, ask.site
    filters = Filters(
        store=wanted.store_id,
        order=number_of("order", wanted.order_id) if wanted.order_id else 0,
        phase=wanted.phase,
        waiting_for=wanted.waiting_for,
        due_before=moment("due_before", wanted.due_before),
    )
    by_due = wanted.order == "due"
    after = seek(wanted.after, 2)
    with site.snapshot() as reading:
        found = lists.dispute_page(
            reading,
            PART,
            ask.scope,
            filters,
            by_due=by_due,
            after=(after[0], after[1]) if after else None,
            limit=wanted.limit + 1,
        )
        page = page_of(found, wanted.limit, lambda one: cursor_of(_due(one), one.id))
        known = lists.events_at(reading, PART, (at for one in page.data for at in (one.assessed, one.history[0])))
        data = [view_of(reading, site, ask.caller, one, known=known) for one in page.data]
    return Page(data=data, next=page.next)


def _due(dispute: Dispute) -> int:
    due = d.due_at(dispute)
    return micros(due) if due else 0


@operation(
    "GET",
    "/v1/disputes/{dispute_id:str}",
    action="disputes.read",
    reply=DisputeView,
    refuses=("bad_id", "unknown_dispute"),
)
def read_dispute(ask: Ask[Any, Any]) -> Answer:
    """A dispute as it stands, with what you may do in it now. Its ETag goes into `If-Match` of a command."""
    with ask.site.snapshot() as reading:
        dispute = found_dispute(reading, ask.scope, ask.text("dispute_id"))
        return Answer(view_of(reading, ask.site, ask.caller, dispute), headers={"ETag": etag(dispute)})


class Happened(Struct, kw_only=True):
    """One entry of the timeline: what happened in a sentence, the words that somebody wrote, the money that moved."""

    id: str
    type: str
    at: datetime
    by: str
    told: str
    text: str
    evidence: list[str]
    money: list[Moved]


@operation(
    "GET",
    "/v1/disputes/{dispute_id:str}/timeline",
    action="disputes.read",
    query=PageQuery,
    reply=Page[Happened],
    refuses=("bad_id", "unknown_dispute", "bad_cursor"),
)
def read_timeline(ask: Ask[Any, PageQuery]) -> Page[Happened]:
    """Everything that happened in a dispute, in the order in which it was booked."""
    with ask.site.snapshot() as reading:
        dispute = found_dispute(reading, ask.scope, ask.text("dispute_id"))
        happened = queries.timeline(reading, PART, dispute)
        words = lists.texts(reading, PART, dispute.history)
        money = lists.transfers_of(reading, PART, dispute.id)
    private = ask.caller.is_party
    entries = [
        Happened(
            id=event_id(position),
            type=str(event.__struct_config__.tag),
            at=event.at,
            by=public_by(event.by, ask.caller),
            told=tell(event, dispute.currency, private=private),
            text=words.get(position, ""),
            evidence=list(getattr(event, "evidence", ())),
            money=moved(ask.scope, money.get(position, ())),
        )
        for position, event in happened
        if not (private and isinstance(event, UNSIGNED))
    ]
    return part_of(entries, ask.query)
