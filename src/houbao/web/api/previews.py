"""What a command would do (`dry_run=true`): the next phase and deadline, the money, the score. Nothing is saved, and
what is said is what then happens."""

import asyncio
from datetime import datetime

from msgspec import Struct

from houbao.core.scopes import Scope
from houbao.core.score import of_hundred
from houbao.engine.foresight import shift
from houbao.engine.ports import Preview
from houbao.telling import tell
from houbao.web.api.shapes import DisputeView, Moved, Seen, dispute_view, moved
from houbao.web.callers import Caller
from houbao.web.site import PART, Site

MILLION = 1_000_000


class ScoreShift(Struct, kw_only=True):
    """The store's score of today, out of 100, as it stands and as it would be; null where there is none."""

    before: str | None
    after: str | None


class PreviewView(Struct, kw_only=True):
    """What would happen, in sentences and in money; the dispute as it would then stand; who would be told."""

    told: list[str]
    money: list[Moved]
    dispute: DisputeView | None
    phase: str
    due_at: datetime | None
    default_outcome: str
    score: ScoreShift
    mails: list[str]


async def preview_of(site: Site, preview: Preview, caller: Caller, scope: Scope) -> PreviewView:
    """A preview as the caller sees it. A large store's record takes a while to read: not on the event loop."""
    disputes = [*preview.disputes.values()]
    subject = preview.disputes.get(preview.accepted.id) or (disputes[0] if disputes else None)
    view = dispute_view(subject, Seen(caller, site.clock())) if subject else None
    score = ScoreShift(before=None, after=None)
    if subject is not None:
        shifted = await asyncio.to_thread(shift, site.scorebook, PART, subject.store, preview, site.clock())
        score = ScoreShift(before=_points(shifted.before), after=_points(shifted.after))
    currency = subject.currency if subject else "EUR"
    return PreviewView(
        told=[tell(event, currency, private=caller.is_party) for event in preview.events],
        money=moved(scope, preview.transfers),
        dispute=view,
        phase=view.phase if view else "",
        due_at=view.due_at if view else None,
        default_outcome=view.default_outcome if view else "",
        score=score,
        mails=[f"{effect.to}: {effect.what}" for effect in preview.effects if effect.kind == "mail"],
    )


def _points(score: object) -> str | None:
    if score is None:
        return None
    micro = of_hundred(score)  # ty: ignore[invalid-argument-type]
    return f"{micro // MILLION}.{micro % MILLION:06}"
