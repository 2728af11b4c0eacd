"""Outages: an admin says that from when to when nobody could act, and no due time that runs over it comes too early.

An outage is a rule, not a job: whoever next looks at a dispute sees its due times moved, however late the worker gets
there. See calendars.shifted for what is moved by how much.
"""

from datetime import datetime, timedelta

from msgspec import structs

from houbao.core.calendars import Outage, shifted
from houbao.core.disputes import Dispute, TimersMoved, in_order
from houbao.core.moves import Head
from houbao.core.terms import Actor, Record, Refused, check_aware, rfc3339

LONGEST = timedelta(days=31)
"""The longest outage that may be entered: a slip of the pen in its year must not stop every clock."""

MOST_OUTAGES = 1000
"""How many stretches of time may be entered: each decision looks at all of them."""

# --- command and event ---------------------------------------------------------------------------------------------


class EnterOutage(Record, frozen=True, kw_only=True, tag="enter_outage"):
    """From `start` until before `end` nobody could act, or will be able to."""

    start: datetime
    end: datetime


class OutageEntered(Record, frozen=True, kw_only=True, tag="outage_entered"):
    """An outage is known. `adds` are the stretches of it, [start, end), that no earlier one held: time counts once."""

    at: datetime
    by: str
    start: datetime
    end: datetime
    adds: tuple[tuple[datetime, datetime], ...]


# --- decide and evolve ---------------------------------------------------------------------------------------------


def decide_outage(outages: tuple[Outage, ...], command: EnterOutage, by: Actor, now: datetime) -> list[OutageEntered]:
    """What was entered before changes nothing. Raises Refused: not_permitted, naive_time, bad_time, bad_outage."""
    if by.role != "admin":
        raise Refused("not_permitted", f"a {by.role} may not enter an outage; it takes an admin")
    for name in ("start", "end"):
        check_aware(name, getattr(command, name))
    start, end = command.start, command.end
    if end <= start:
        raise Refused("bad_outage", f"it ends at {rfc3339(end)}, before it starts at {rfc3339(start)}")
    if end - start > LONGEST:
        span = f"from {rfc3339(start)} to {rfc3339(end)}"
        raise Refused("bad_outage", f"{span}: an outage has at most {LONGEST.days} days")
    adds = _adds(start, end, outages)
    if len(outages) + len(adds) > MOST_OUTAGES:
        raise Refused("bad_outage", f"{len(outages)} outages are known already, more than {MOST_OUTAGES} are not kept")
    return [OutageEntered(at=now, by=str(by), start=start, end=end, adds=adds)] if adds else []


def _adds(start: datetime, end: datetime, outages: tuple[Outage, ...]) -> tuple[tuple[datetime, datetime], ...]:
    """The stretches of [start, end) that are in none of the outages."""
    adds: list[tuple[datetime, datetime]] = []
    for known in sorted(outages, key=lambda one: one.start):
        if known.start >= end or known.end <= start:
            continue
        if known.start > start:
            adds.append((start, known.start))
        start = known.end
    return (*adds, (start, end)) if start < end else tuple(adds)


def evolve_outages(outages: tuple[Outage, ...], event: OutageEntered, position: int) -> tuple[Outage, ...]:
    """All outages after the event at `position`, no two of which overlap."""
    return (*outages, *(Outage(start=start, end=end, position=position) for start, end in event.adds))


# --- the disputes that run over one --------------------------------------------------------------------------------


def moved(dispute: Dispute, outages: tuple[Outage, ...], head: Head) -> TimersMoved | None:
    """The dispute's timers, moved by the outages that were entered since its last event; None where all stay."""
    seen = dispute.history[-1]
    unseen = [outage for outage in outages if outage.position > seen]
    if not unseen or dispute.phase == "closed":
        return None
    frozen = dispute.frozen
    if frozen:  # while it stands still no time runs that an outage could take
        ran = [(outage, min(outage.end, frozen.since)) for outage in unseen if outage.start < frozen.since]
        unseen = [structs.replace(outage, end=end) for outage, end in ran]
    running = frozen.timers if frozen else dispute.timers

    def move(at: datetime, since: datetime) -> datetime:
        # What was seen and begins before `at` is in it already; a later one may become part of it by a new one.
        later = (outage for outage in outages if outage.position <= seen and outage.start >= at)
        return shifted(at, since, [*unseen, *later])

    timers = in_order(structs.replace(timer, at=move(timer.at, since(dispute, timer.kind))) for timer in running)
    ends = dispute.escalates_at and move(dispute.escalates_at, since(dispute, "escalate"))
    if timers == running and ends == dispute.escalates_at:
        return None
    return TimersMoved(**head, phase=dispute.phase, timers=timers, escalates_at=ends)


def since(dispute: Dispute, kind: str) -> datetime:
    """From when its timer of that kind runs."""
    began = {"escalate": dispute.negotiating_since, "evidence": dispute.evidence_since}.get(kind, dispute.running_since)
    return began or dispute.opened_at
