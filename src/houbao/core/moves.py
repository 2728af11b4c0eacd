"""What every event of a dispute carries, and the timers that run after it."""

from datetime import datetime
from typing import Any, Literal

from houbao.core.terms import Record

Head = dict[str, Any]
"""The fields every event of one decision shares: at, by, store, order, dispute, text."""


class DisputeEvent(Record, frozen=True, kw_only=True):
    """What every event of a dispute carries. `text` points at erasable free text by its keyed digest."""

    at: datetime
    by: str
    store: str
    order: int
    dispute: int
    text: str = ""


class Timer(Record, frozen=True, kw_only=True):
    """Something that happens at `at` by itself: `turn` and `escalate` change phase or money, `evidence` closes a
    request, `alert` and `remind` only tell."""

    kind: Literal["turn", "escalate", "evidence", "alert", "remind"]
    at: datetime


class Move(DisputeEvent, frozen=True, kw_only=True):
    """An event after which the dispute is in `phase`, with these timers running."""

    phase: str
    timers: tuple[Timer, ...] = ()
