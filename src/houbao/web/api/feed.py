"""The feed of events, in the order in which they were committed."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from houbao.store import lists
from houbao.web.api.paging import cursor_of, seek
from houbao.web.api.shapes import EventView, event_view
from houbao.web.operation import Ask, operation
from houbao.web.site import PART


class FeedQuery(Struct, kw_only=True):
    """Where to go on, and how many at most."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 200
    after: str = ""


class Feed(Struct, kw_only=True):
    """Events behind `after`. Where nothing has happened since, there are none and `next` is null: keep the cursor that
    you have, and ask again with it later."""

    data: list[EventView]
    next: str | None


@operation("GET", "/v1/events", action="events.read", query=FeedQuery, reply=Feed, refuses=("bad_cursor",))
def read_events(ask: Ask[Any, FeedQuery]) -> Feed:
    """All events: nothing skipped, nothing twice. A cursor goes on for ever."""
    after = seek(ask.query.after, 1)
    start = after[0] if after else 0
    with ask.site.snapshot() as reading:
        found = lists.feed(reading, PART, start, ask.query.limit)
    data = [event_view(row.position, row.booked_at, msgspec.json.decode(row.body)) for row in found]
    return Feed(data=data, next=cursor_of(found[-1].position) if found else None)
