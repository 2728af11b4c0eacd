"""The guarantee as a programme, the stores that join and leave it, and whether an order is covered.

Coverage is decided once, when the order is paid, and frozen on the order (R2, R4): joining and leaving touch later
orders only.
"""

from datetime import UTC, datetime
from typing import Literal

from msgspec import structs

from houbao.core import money
from houbao.core.terms import Actor, Record, Refused, check_aware, check_language, check_reference, check_words, rfc3339
from houbao.core.watches import (
    MARKS,
    MOST_BUYERS,
    RESTS,
    AssessStore,
    LiftWatch,
    SetWatch,
    Standing,
    StoreAssessed,
    StoreEvent,
    Watch,
    WatchCommand,
    WatchEvent,
    WatchLifted,
    WatchLimits,
    WatchSet,
    age_days,
    breach,
)

Uncovered = Literal["not_enrolled", "no_programme", "before_launch", "after_end", "currency", "watch", "breaker"]
Mode = Literal["capital", "premium", "deposit"]
"""What fills the fund: the platform's capital, a premium per covered order, or each store's own deposit."""


class Programme(Record, frozen=True, kw_only=True):
    """One programme and the policy versions it went through. `policies` is (in force from, version), oldest first;
    `zone` is the time zone of its days and months; `also_covers` the other currencies of orders that it covers."""

    name: str
    currency: str
    launched_at: datetime
    ended_at: datetime | None = None
    policies: tuple[tuple[datetime, str], ...] = ()
    mode: Mode = "capital"
    zone: str = "UTC"
    also_covers: tuple[str, ...] = ()


class Coverage(Record, frozen=True, kw_only=True):
    """What was decided at payment: covered or why not, by which programme, under which policy version, and whose money
    pays. `currency` is the fund's, where the order was paid in another."""

    covered: bool = False
    reason: str = ""
    programme: str = ""
    policy: str = ""
    mode: Mode = "capital"
    currency: str = ""


# --- commands ------------------------------------------------------------------------------------------------------


class RegisterStore(Record, frozen=True, kw_only=True, tag="register_store"):
    """Make a store known; with a `programme` it joins that in the same moment. `email` is where its official notices
    go, in `language` (BCP 47; else English); name, e-mail and language are kept erasable."""

    store: str
    country: str = ""
    zone: str = "UTC"
    name: str = ""
    email: str = ""
    language: str = ""
    programme: str = ""


class ChangeContact(Record, frozen=True, kw_only=True, tag="change_contact"):
    """Official notices go to another address, or in another language, from now on; what was known is forgotten."""

    store: str
    email: str
    name: str = ""
    language: str = ""


class Enrol(Record, frozen=True, kw_only=True, tag="enrol"):
    """The store joins the programme, from `at` on."""

    store: str
    programme: str
    at: datetime


class Leave(Record, frozen=True, kw_only=True, tag="leave"):
    """The store leaves its programme, from `at` on; orders already paid stay covered."""

    store: str
    at: datetime


Membership = RegisterStore | ChangeContact | Enrol | Leave
StoreCommand = Membership | WatchCommand

# --- events --------------------------------------------------------------------------------------------------------


class StoreRegistered(StoreEvent, frozen=True, kw_only=True, tag="store_registered"):
    """A store is known."""

    country: str = ""
    zone: str = "UTC"


class ContactChanged(StoreEvent, frozen=True, kw_only=True, tag="contact_changed"):
    """A store is reached elsewhere; where, stands in the erasable contacts alone."""


class StoreEnrolled(StoreEvent, frozen=True, kw_only=True, tag="store_enrolled"):
    """A store joined."""

    programme: str


class StoreLeft(StoreEvent, frozen=True, kw_only=True, tag="store_left"):
    """A store left."""

    programme: str


StoreEvents = StoreRegistered | ContactChanged | StoreEnrolled | StoreLeft | WatchEvent

# --- state ---------------------------------------------------------------------------------------------------------


class Enrolment(Record, frozen=True, kw_only=True):
    """A stretch of membership: [joined, left)."""

    programme: str
    joined: datetime
    left: datetime | None = None


class Store(Record, frozen=True, kw_only=True):
    """A store, its stretches of membership, what is known of it that may speak against it, and the positions of its own
    events."""

    id: str
    country: str = ""
    zone: str = "UTC"
    enrolments: tuple[Enrolment, ...] = ()
    registered_at: datetime | None = None
    standing: Standing | None = None
    watch: Watch | None = None
    lifted_at: datetime | None = None


def enrolment_at(store: Store, at: datetime) -> Enrolment | None:
    """The store's membership at that instant, if it had one. Raises Refused: naive_time, bad_time."""
    check_aware("at", at)
    for enrolment in store.enrolments:
        if enrolment.joined <= at and (enrolment.left is None or at < enrolment.left):
            return enrolment
    return None


def policy_in_force(programme: Programme, at: datetime) -> str:
    """The policy version that applies at that instant; the first one before any came into force."""
    version = programme.policies[0][1]
    for start, candidate in programme.policies:
        if start <= at:
            version = candidate
    return version


def publish(programme: Programme, version: str, start: datetime, now: datetime) -> Programme:
    """The programme with the policy `version` in force from `start` on; unchanged where it has that version already.

    Raises Refused: naive_time, bad_time, backdated, out_of_order."""
    check_aware("from", start)
    start = start.astimezone(UTC)
    if any(known == version for _, known in programme.policies):
        return programme
    if start < now:
        raise Refused("backdated", f"from {rfc3339(start)}: it is {rfc3339(now)} already")
    last, name = programme.policies[-1] if programme.policies else (programme.launched_at, "")
    if name and start <= last:
        raise Refused("out_of_order", f"version {name} is in force from {rfc3339(last)}: give a later time")
    return structs.replace(programme, policies=(*programme.policies, (start, version)))


def coverage(
    store: Store, programme: Programme | None, currency: str, paid_at: datetime, *, stopped: bool = False
) -> Coverage:
    """Whether an order paid at `paid_at` in `currency` is covered, and if not, why (R2, R4). `stopped`: the fund holds
    too little then for new coverage; a store's own deposit is no fund."""
    if programme is None:
        return Coverage(reason="no_programme")
    policy = policy_in_force(programme, paid_at)
    enrolment = enrolment_at(store, paid_at)
    reason: Uncovered | None = None
    if enrolment is None or enrolment.programme != programme.name:
        reason = "not_enrolled"
    elif paid_at < programme.launched_at:
        reason = "before_launch"
    elif programme.ended_at is not None and paid_at >= programme.ended_at:
        reason = "after_end"
    elif currency != programme.currency and (currency not in programme.also_covers or programme.mode == "deposit"):
        reason = "currency"
    elif store.watch is not None and paid_at >= store.watch.since:
        reason = "watch"
    elif stopped and programme.mode != "deposit":
        reason = "breaker"
    if reason:
        return Coverage(reason=reason, programme=programme.name, policy=policy)
    fund_currency = "" if currency == programme.currency else programme.currency
    return Coverage(covered=True, programme=programme.name, policy=policy, mode=programme.mode, currency=fund_currency)


# --- decide --------------------------------------------------------------------------------------------------------


def decide_store(
    store: Store | None, programme: Programme | None, command: Membership, by: Actor, now: datetime
) -> list[StoreEvents]:
    """What happens to a store. Raises Refused: bad_reference, store_exists, unknown_store, unknown_programme,
    already_enrolled, not_enrolled, not_permitted, bad_words, naive_time, bad_time."""
    if by.role not in ("platform", "admin") and not (by.role == "seller" and by.id == command.store):
        raise Refused("not_permitted", f"a {by.role} may not do this to store {command.store}")
    who = str(by)
    if isinstance(command, RegisterStore):
        check_reference("store", command.store)
        for name in ("country", "zone", "name", "email"):
            check_words(name, getattr(command, name))
        check_language("language", command.language)
        if store is not None:
            raise Refused("store_exists", f"store {command.store} is registered already")
        new = StoreRegistered(at=now, by=who, store=command.store, country=command.country, zone=command.zone)
        return [new, *_joined(command, programme, who, now)] if command.programme else [new]
    if store is None:
        raise Refused("unknown_store", f"no store {command.store}: register it first")
    if isinstance(command, ChangeContact):
        for name in ("name", "email"):
            check_words(name, getattr(command, name))
        check_language("language", command.language)
        return [ContactChanged(at=now, by=who, store=store.id)]
    check_aware("at", command.at)
    current = store.enrolments[-1] if store.enrolments and store.enrolments[-1].left is None else None
    if by.role == "seller" and command.at < now:
        raise Refused("bad_time", "a store joins and leaves from now on, not for orders that were paid already")
    last = store.enrolments[-1] if store.enrolments else None
    if last and command.at < (last.left or last.joined):
        raise Refused("bad_time", f"store {store.id} joined or left later than {rfc3339(command.at)}")
    if isinstance(command, Enrol):
        joined = _joined(command, programme, who, command.at)
        if current is not None:
            raise Refused("already_enrolled", f"store {store.id} is in programme {current.programme} already")
        return joined
    if current is None:
        raise Refused("not_enrolled", f"store {store.id} is in no programme")
    return [StoreLeft(at=command.at, by=who, store=store.id, programme=current.programme)]


def _joined(command: RegisterStore | Enrol, programme: Programme | None, who: str, at: datetime) -> list[StoreEvents]:
    """The store joins the programme that the command names. Raises Refused: unknown_programme."""
    if programme is None or programme.name != command.programme:
        raise Refused("unknown_programme", f"no programme {command.programme!r}")
    return [StoreEnrolled(at=at, by=who, store=command.store, programme=command.programme)]


def decide_watch(
    store: Store | None, limits: WatchLimits, command: WatchCommand, by: Actor, now: datetime
) -> list[StoreEvents]:
    """What happens to the watch on a store. Raises Refused: not_permitted, unknown_store, bad_reference, naive_time,
    bad_time, not_watched."""
    permitted = ("system", "platform") if isinstance(command, AssessStore) else ("admin",)
    if by.role not in permitted:
        raise Refused("not_permitted", f"a {by.role} may not do this; it takes {' or '.join(permitted)}")
    if store is None:
        raise Refused("unknown_store", f"no store {command.store}: register it first")
    who = str(by)
    match command:
        case SetWatch():
            check_reference("why", command.why)
            return [] if store.watch else [WatchSet(at=now, by=who, store=store.id, why=command.why)]
        case LiftWatch():
            if store.watch is None:
                raise Refused("not_watched", f"store {store.id} is not watched")
            return [WatchLifted(at=now, by=who, store=store.id)]
        case AssessStore():
            return _assess(store, limits, command.standing, who, now)


def _assess(store: Store, limits: WatchLimits, found: Standing, who: str, now: datetime) -> list[StoreEvents]:
    """What was found is kept where it is new; where it passes a limit, the store is watched."""
    check_aware("at", found.at)
    counts = (found.disputes, found.exposure, found.completed, *(share for _, share in found.buyers))
    known_currency = not found.currency or found.currency in money.DIGITS
    if not known_currency or len(found.buyers) > MOST_BUYERS or not set(found.shared) <= set(MARKS):
        raise Refused("bad_standing", f"give a currency, up to {MOST_BUYERS} buyers, and which of {', '.join(MARKS)}")
    if not all(0 <= count <= money.LARGEST for count in counts):
        raise Refused("bad_standing", "a count or an amount is below zero, or beyond all measure")
    known = store.standing
    same = known is not None and structs.replace(found, at=known.at) == known
    events: list[StoreEvents] = [] if same else [StoreAssessed(at=now, by=who, store=store.id, standing=found)]
    rests = store.lifted_at is not None and now < store.lifted_at + RESTS
    why = "" if store.watch or rests else breach(found, age_days(store.registered_at, now), limits)
    return [*events, WatchSet(at=now, by=who, store=store.id, why=why)] if why else events


def evolve_store(store: Store | None, event: StoreEvents) -> Store:
    """The store after the event."""
    match event:
        case StoreRegistered():
            return Store(id=event.store, country=event.country, zone=event.zone, registered_at=event.at)
    assert store is not None
    match event:
        case ContactChanged():
            return store
        case StoreEnrolled():
            joined = Enrolment(programme=event.programme, joined=event.at)
            return structs.replace(store, enrolments=(*store.enrolments, joined))
        case StoreLeft():
            ended = structs.replace(store.enrolments[-1], left=event.at)
            return structs.replace(store, enrolments=(*store.enrolments[:-1], ended))
        case StoreAssessed():
            return structs.replace(store, standing=event.standing)
        case WatchSet():
            return structs.replace(store, watch=Watch(since=event.at, by=event.by, why=event.why))
        case WatchLifted():
            return structs.replace(store, watch=None, lifted_at=event.at)
