"""Stores: known, enrolled, their money, their score."""

from datetime import date
from sqlite3 import Connection
from typing import Any

from msgspec import Struct

from houbao.core.attribution import blames
from houbao.core.fund import Repay
from houbao.core.programme import ChangeContact, RegisterStore, Store
from houbao.core.scopes import Scope
from houbao.core.score import Score, of_hundred, points, score_on, standing
from houbao.core.shortfalls import WriteOff
from houbao.core.terms import Refused
from houbao.engine.scorebook import Lines
from houbao.engine.scoring import curves_of, zone_in
from houbao.store import lists
from houbao.web.api import bodies
from houbao.web.api.dispute_shapes import DisputeView
from houbao.web.api.disputes import found_dispute, left_by, replayed
from houbao.web.api.order_shapes import StoreView, store_view
from houbao.web.api.paging import PageQuery
from houbao.web.api.previews import NOTHING, PreviewView, previewed, told
from houbao.web.api.shapes import Page, dispute_id, order_id
from houbao.web.callers import own_actor
from houbao.web.operation import Answer, Ask, operation
from houbao.web.site import PART, Site

MILLION = 1_000_000


def found_store(reading: Connection, scope: Scope, number: str) -> Store:
    """A store that may be seen. Raises Refused: unknown_store."""
    store = lists.store(reading, PART, scope, number)
    if store is None:
        raise Refused("unknown_store", f"no store {number[:64]!r}: register it first")
    return store


@operation(
    "POST",
    "/v1/stores",
    action="stores.register",
    body=bodies.StoreBody,
    reply=StoreView,
    status=201,
    also={200: PreviewView},
    refuses=("store_exists", "bad_reference", "bad_words", "key_reused"),
    example={"id": "oak", "country": "DE", "zone": "Europe/Berlin", "name": "Oak", "email": "oak@shops.example"},
    previews=True,
)
async def register_store(ask: Ask[bodies.StoreBody, Any]) -> Answer:
    """Make a store known."""
    body = ask.body
    command = RegisterStore(
        store=body.id,
        country=body.country,
        zone=body.zone,
        name=body.name,
        email=body.email,
        language=body.language,
    )
    by = own_actor(ask.caller, ("platform", "admin"))
    if ask.dry_run:
        return await previewed(ask, command, by)
    accepted = await ask.execute(command, by)
    return replayed(_shown(ask, body.id), accepted)


def _shown(ask: Ask[Any, Any], number: str) -> Answer:
    with ask.site.snapshot() as reading:
        store = found_store(reading, ask.scope, number)
    return Answer(store_view(store, ask.site.clock()))


@operation("GET", "/v1/stores", action="stores.list", query=PageQuery, reply=Page[StoreView])
def list_stores(ask: Ask[Any, PageQuery]) -> Page[StoreView]:
    """Stores by id, page by page."""
    wanted = ask.query
    with ask.site.snapshot() as reading:
        found = lists.store_page(reading, PART, wanted.after, wanted.limit + 1)
    data, now = found[: wanted.limit], ask.site.clock()
    return Page(
        data=[store_view(store, now) for store in data], next=data[-1].id if len(found) > wanted.limit else None
    )


@operation("GET", "/v1/stores/{store_id:str}", action="stores.read", reply=StoreView, refuses=("unknown_store",))
def read_store(ask: Ask[Any, Any]) -> Answer:
    """A store with its stretches of membership."""
    return _shown(ask, ask.text("store_id"))


class ContactBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """Where official notices go from now on, and in which language."""

    email: str
    name: str = ""
    language: str = ""


@operation(
    "PUT",
    "/v1/stores/{store_id:str}/contact",
    action="stores.enrol",
    body=ContactBody,
    reply=(StoreView, PreviewView),
    refuses=("unknown_store", "bad_words"),
    example={"email": "claims@oak.example", "name": "Oak"},
    previews=True,
)
async def change_contact(ask: Ask[ContactBody, Any]) -> Answer:
    """Official notices go to another address; the old one is forgotten."""
    store = ask.text("store_id")
    with ask.site.snapshot() as reading:
        found_store(reading, ask.scope, store)
    command = ChangeContact(store=store, email=ask.body.email, name=ask.body.name, language=ask.body.language)
    by = own_actor(ask.caller, ("platform", "admin", "seller"))
    if ask.dry_run:
        return await previewed(ask, command, by)
    await ask.site.execute(command, by)
    return _shown(ask, store)


@operation(
    "PUT",
    "/v1/stores/{store_id:str}/enrolment",
    action="stores.enrol",
    body=bodies.EnrolmentBody,
    reply=(StoreView, PreviewView),
    refuses=("unknown_store", "unknown_programme", "already_enrolled", "not_enrolled", "bad_time", "naive_time"),
    example={"programme": "standard", "enrolled": True},
    previews=True,
)
async def enrol_store(ask: Ask[bodies.EnrolmentBody, Any]) -> Answer:
    """The store joins the guarantee, or leaves it: for orders paid from then on (R4). Twice is as once."""
    store, body, site = ask.text("store_id"), ask.body, ask.site
    with site.snapshot() as reading:
        known = found_store(reading, ask.scope, store)
    now = site.clock()
    last = known.enrolments[-1] if known.enrolments and known.enrolments[-1].left is None else None
    stands = (last is not None and last.programme == body.programme) if body.enrolled else last is None
    if stands and body.at is None and (body.enrolled or known.enrolments):
        return await told(ask, NOTHING) if ask.dry_run else _shown(ask, store)
    command, by = bodies.enrolling(body, store, now), own_actor(ask.caller, ("platform", "admin", "seller"))
    if ask.dry_run:
        return await previewed(ask, command, by)
    await site.execute(command, by)
    return _shown(ask, store)


@operation(
    "POST",
    "/v1/stores/{store_id:str}/repayments",
    action="stores.repay",
    body=bodies.AmountBody,
    reply=(StoreView, PreviewView),
    refuses=("unknown_store", "bad_currency", "bad_amount", "nothing_owed", "payable_short", "key_reused"),
    example={"amount": {"minor": 4000, "currency": "EUR"}},
    previews=True,
)
async def repay(ask: Ask[bodies.AmountBody, Any]) -> Answer:
    """A store pays back what was advanced for it, out of what it is owed."""
    store, amount = ask.text("store_id"), ask.body.amount
    with ask.site.snapshot() as reading:
        found_store(reading, ask.scope, store)
    command = Repay(store=store, minor=amount.minor, currency=amount.currency)
    by = own_actor(ask.caller, ("finance", "admin", "seller"))
    if ask.dry_run:
        return await previewed(ask, command, by)
    accepted = await ask.execute(command, by)
    return replayed(_shown(ask, store), accepted)


@operation(
    "POST",
    "/v1/stores/{store_id:str}/write-offs",
    action="stores.write_off",
    name="write_off_of_store",
    body=bodies.DebtBody,
    reply=(DisputeView, PreviewView),
    refuses=(
        "unknown_store",
        "unknown_dispute",
        "bad_id",
        "nothing_owed",
        "not_yet",
        "same_person",
        "not_now",
        "key_reused",
    ),
    example={"dispute_id": "dispute_0_47"},
    previews=True,
)
async def write_off(ask: Ask[bodies.DebtBody, Any]) -> Answer:
    """What was advanced will never be paid back: one of finance proposes it, another signs with the same request."""
    with ask.site.snapshot() as reading:
        store = found_store(reading, ask.scope, ask.text("store_id"))
        dispute = found_dispute(reading, ask.scope, ask.body.dispute_id)
    if dispute.store != store.id:
        raise Refused("unknown_dispute", f"no dispute {ask.body.dispute_id} of store {store.id}")
    command, by = WriteOff(dispute=dispute.id), own_actor(ask.caller, ("finance",))
    if ask.dry_run:
        return await previewed(ask, command, by)
    accepted = await ask.execute(command, by)
    with ask.site.glance() as reading:
        return left_by(accepted, reading, ask, dispute.id)


# --- score ---------------------------------------------------------------------------------------------------------


class LostView(Struct, kw_only=True):
    """Points that one order cost, the disputes for which, and on which day they are regained."""

    order_id: str
    disputes: list[str]
    points: str
    gone_on: date


class PartView(Struct, kw_only=True):
    """A part of the score: the points that there are and that there were, and what cost the rest of them."""

    name: str
    of: str
    got: str
    lost: list[LostView]


class ScoreView(Struct, kw_only=True):
    """A store's service score of a day. Points are exact decimal texts; `weight` is the ranker's multiplier; `grade` is
    null where there were too few orders."""

    store_id: str
    day: date
    since: date
    score: str
    points: str
    scale: int
    grade: str | None
    weight: str
    orders: int
    counted: int
    pending: int
    exempt: int
    parts: list[PartView]


class ScoreQuery(Struct, kw_only=True):
    """The day; today, as far as it has come, where none is given."""

    on: date | None = None


@operation(
    "GET",
    "/v1/stores/{store_id:str}/score",
    action="stores.score",
    query=ScoreQuery,
    reply=ScoreView,
    refuses=("unknown_store", "unknown_programme", "no_record", "bad_time"),
)
def read_score(ask: Ask[Any, ScoreQuery]) -> ScoreView:
    """The service score of a day; every lost point names its orders and disputes (R14)."""
    store = ask.text("store_id")
    with ask.site.snapshot() as reading:
        found_store(reading, ask.scope, store)
    return _score_view(ask.site, store, ask.query.on)


def _score_view(site: Site, store: str, on: date | None) -> ScoreView:
    book = site.scorebook
    programme = book.programme()
    if programme is None:
        raise Refused("unknown_programme", "this database has no programme: nothing is scored")
    zone = zone_in(programme)
    today = site.clock().astimezone(zone).date()
    day = on or today
    if day > today or day.year < 1971:
        raise Refused("bad_time", f"{day} is no day that is scored: it is {today}")
    lines = book.lines(PART, None, store).get(store, Lines())
    record = standing(lines.deals, lines.tallies, zone)
    score = score_on(record, day, curves_of(book, programme, day, zone))
    if score is None:
        raise Refused("no_record", f"no order of store {store} ended, was rated or disputed in the days up to {day}")
    return ScoreView(
        store_id=store,
        day=score.day,
        since=score.first,
        score=_exact(of_hundred(score)),
        points=_exact(points(score)),
        scale=score.scale,
        grade=score.grade or None,
        weight=f"{score.weight / 10_000:.4f}",
        orders=score.orders,
        counted=score.counted,
        pending=score.pending,
        exempt=score.exempt,
        parts=[_part(score, name, blames(record, score, name)) for name in score.parts],
    )


def _part(score: Score, name: str, blamed: Any) -> PartView:
    return PartView(
        name=name,
        of=_exact(score.parts[name] + score.lost[name]),
        got=_exact(score.parts[name]),
        lost=[
            LostView(
                order_id=order_id(blame.order),
                disputes=[dispute_id(number) for number in blame.disputes],
                points=_exact(blame.lost),
                gone_on=blame.gone_on,
            )
            for blame in blamed
        ],
    )


def _exact(micros: int) -> str:
    return f"{micros // MILLION}.{micros % MILLION:06}"
