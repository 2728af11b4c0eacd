"""What a command would do (`dry_run=true`): the next phase and deadline, the money, the score. Nothing is saved, and
what is said is what then happens."""

import asyncio
from datetime import datetime
from typing import Any

from msgspec import Struct

from houbao.core.disputes import Dispute
from houbao.core.scopes import Scope
from houbao.core.score import Score, of_hundred
from houbao.core.subjects import Command
from houbao.core.terms import Actor
from houbao.core.world import Event
from houbao.engine.foresight import shift
from houbao.engine.request import Accepted, Preview
from houbao.telling import tell
from houbao.web.api.dispute_shapes import DisputeView
from houbao.web.api.disputes import view_of
from houbao.web.api.shapes import Moved, moved
from houbao.web.callers import Caller
from houbao.web.operation import Answer, Ask
from houbao.web.site import PART, Site

MILLION = 1_000_000


class ScoreShift(Struct, kw_only=True):
    """The store's score of today, out of 100, as it stands and as it would be; null where there is none."""

    before: str | None = None
    after: str | None = None


class PreviewView(Struct, kw_only=True):
    """What would happen, in sentences and in money; the dispute as it would then stand, with its phase, its due time
    and what happens by itself then: null where none would change; who would be told."""

    told: list[str]
    money: list[Moved]
    dispute: DisputeView | None
    phase: str | None
    due_at: datetime | None
    default_outcome: str | None
    score: ScoreShift
    mails: list[str]


NOTHING = Preview(accepted=Accepted(), events=[], transfers=[], effects=[], orders={}, disputes={})
"""What a command would do that is not given, since everything stands as it says."""


async def previewed(ask: Ask[Any, Any], command: Command, by: Actor, *, seen: int = 0) -> Answer:
    """The answer to `dry_run=true`. Raises Refused as the command would be."""
    return await told(ask, await ask.site.preview(command, by, seen=seen))


async def told(ask: Ask[Any, Any], preview: Preview) -> Answer:
    """A preview as an answer. A large store's record takes a while to read: not on the event loop."""
    return Answer(await asyncio.to_thread(_view, ask.site, preview, ask.caller, ask.scope), status=200)


def _view(site: Site, preview: Preview, caller: Caller, scope: Scope) -> PreviewView:
    subject = _subject(preview)
    view = _dispute_view(site, preview, caller, subject) if subject else None
    return PreviewView(
        told=[tell(event, _currency(preview, event), private=caller.is_party) for event in preview.events],
        money=moved(scope, preview.transfers),
        dispute=view,
        phase=view.phase if view else None,
        due_at=view.due_at if view else None,
        default_outcome=view.default_outcome if view else None,
        score=_shift(site, preview),
        mails=[f"{effect.to}: {effect.what}" for effect in preview.effects if effect.kind == "mail"],
    )


def _subject(preview: Preview) -> Dispute | None:
    """The dispute that the command is about; else the one that it would change, where that is one alone."""
    if preview.accepted.dispute is not None:
        return preview.accepted.dispute
    changed = [*preview.disputes.values()]
    return changed[0] if len(changed) == 1 else None


def _dispute_view(site: Site, preview: Preview, caller: Caller, dispute: Dispute) -> DisputeView:
    """It is shown as it will be once it happened: by events that nobody can read yet."""
    known = dict(enumerate(preview.events, preview.accepted.first))
    with site.glance() as reading:
        return view_of(reading, site, caller, dispute, known=known)


def _currency(preview: Preview, event: Event) -> str:
    """Of an event's amounts: that of its dispute, if it is of one."""
    dispute = preview.disputes.get(getattr(event, "dispute", 0)) or preview.accepted.dispute
    return dispute.currency if dispute else str(getattr(event, "currency", ""))


def _shift(site: Site, preview: Preview) -> ScoreShift:
    """What becomes of the score of the store whose orders or disputes would change, where it is one store."""
    stores = {one.store for one in (*preview.orders.values(), *preview.disputes.values())}
    if len(stores) != 1:
        return ScoreShift()
    moved = shift(site.scorebook, PART, stores.pop(), preview, site.clock())
    return ScoreShift(before=_points(moved.before), after=_points(moved.after))


def _points(score: Score | None) -> str | None:
    if score is None:
        return None
    micro = of_hundred(score)
    return f"{micro // MILLION}.{micro % MILLION:06}"
