"""Stores under watch: what is known of a store that might buy from itself, and what a watch does.

The worker computes a store's standing and has it assessed; where it passes one of the policy's limits, the store is
watched: it is paid at once no more, and its new orders are not covered, until an admin lifts that.
"""

from datetime import datetime, timedelta

from houbao.core.money import minor_of
from houbao.core.terms import Record

RESTS = timedelta(days=30)
"""After an admin lifted a watch, the limits alone set no new one for so long: what they look at is that old (A)."""


MARKS = ("address", "device", "photo")
"""What a store and its buyers may share. Photos are seen here; addresses and devices are the marketplace's to tell."""

MOST_BUYERS = 10
"""How many buyers a standing names: no more can have a tenth of the disputes each."""


class Standing(Record, frozen=True, kw_only=True):
    """What was found of a store at `at`, mostly over the 30 days before: `disputes` opened, `buyers` the share of each
    buyer in them (thousandths) from a tenth on, `exposure` what the fund paid (minor units of `currency`), `completed`
    orders of all time, `shared` which of address, device and photo it or its buyers share among themselves."""

    at: datetime
    disputes: int = 0
    buyers: tuple[tuple[str, int], ...] = ()
    exposure: int = 0
    currency: str = ""
    completed: int = 0
    shared: tuple[str, ...] = ()


class Watch(Record, frozen=True, kw_only=True):
    """Since when a store is watched, by whom and why."""

    since: datetime
    by: str
    why: str


class WatchLimits(Record, frozen=True, kw_only=True):
    """What the policy lets pass before a store is watched; an empty text or 0 is no limit. Amounts are decimal texts.
    A store is young for `young_days`; `buyer_share` is in thousandths and holds from `least_disputes` on; `shared` is
    a number of kinds."""

    exposure: str = ""
    young_days: int = 0
    young_exposure: str = ""
    buyer_share: int = 0
    least_disputes: int = 10
    shared: int = 0


# --- commands and events -------------------------------------------------------------------------------------------


class AssessStore(Record, frozen=True, kw_only=True, tag="assess_store"):
    """What was found of a store: kept, and measured against the policy's limits."""

    store: str
    standing: Standing


class SetWatch(Record, frozen=True, kw_only=True, tag="set_watch"):
    """An admin has a store watched; `why` is a short code."""

    store: str
    why: str


class LiftWatch(Record, frozen=True, kw_only=True, tag="lift_watch"):
    """An admin has a store watched no more."""

    store: str


WatchCommand = AssessStore | SetWatch | LiftWatch


class StoreEvent(Record, frozen=True, kw_only=True):
    """What every event of a store carries: when it happened, whose act it was."""

    at: datetime
    by: str
    store: str


class StoreAssessed(StoreEvent, frozen=True, kw_only=True, tag="store_assessed"):
    """A store's standing is another than before."""

    standing: Standing


class WatchSet(StoreEvent, frozen=True, kw_only=True, tag="watch_set"):
    """A store is watched from now on."""

    why: str


class WatchLifted(StoreEvent, frozen=True, kw_only=True, tag="watch_lifted"):
    """A store is watched no more."""


WatchEvent = StoreAssessed | WatchSet | WatchLifted

# --- what is too much -----------------------------------------------------------------------------------------------


def age_days(registered_at: datetime | None, now: datetime) -> int | None:
    """For how many whole days a store has been known."""
    return None if registered_at is None else max(0, (now - registered_at).days)


def breach(standing: Standing, age: int | None, limits: WatchLimits) -> str:
    """The first of the policy's limits that a standing passes; empty where it passes none."""

    def above(limit: str) -> bool:
        return bool(limit) and standing.exposure > minor_of(limit, standing.currency)

    if standing.currency and above(limits.exposure):
        return "exposure"
    young = age is not None and age < limits.young_days
    if standing.currency and young and above(limits.young_exposure):
        return "young_exposure"
    share = max((share for _, share in standing.buyers), default=0)
    if limits.buyer_share and standing.disputes >= limits.least_disputes and share > limits.buyer_share:
        return "buyer_share"
    return "shared" if limits.shared and len(standing.shared) >= limits.shared else ""
