"""A store that might buy from itself: what is found of it, when it is watched, and what that changes."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from core.pure import ACTORS, Desk
from given import DAY, PLATFORM, SECOND, SELLER, T, eur
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core.claims import given_of
from houbao.core.policy_file import PolicyError, parse_policy
from houbao.core.terms import SYSTEM, Actor
from houbao.core.watches import RESTS, Standing, WatchLimits, breach
from houbao.shipped import policy_text

ADMIN = ACTORS["admin"]
LIMITS = WatchLimits(
    exposure="2000.00", young_days=30, young_exposure="300.00", buyer_share=500, least_disputes=10, shared=2
)


def standing(**found: Any) -> Standing:
    return Standing(**{"at": T, "currency": "EUR"} | found)


@pytest.mark.parametrize(
    ("found", "age", "why"),
    [
        ({}, 0, ""),
        ({"exposure": eur("2000.00")}, 90, ""),
        ({"exposure": eur("2000.01")}, 90, "exposure"),
        ({"exposure": eur("300.00")}, 29, ""),
        ({"exposure": eur("300.01")}, 29, "young_exposure"),
        ({"exposure": eur("300.01")}, 30, ""),
        ({"exposure": eur("300.01")}, None, ""),
        ({"disputes": 10, "buyers": (("ann", 500), ("bob", 300))}, 90, ""),
        ({"disputes": 10, "buyers": (("ann", 501),)}, 90, "buyer_share"),
        ({"disputes": 9, "buyers": (("ann", 1000),)}, 90, ""),
        ({"shared": ("address",)}, 90, ""),
        ({"shared": ("address", "device")}, 90, "shared"),
    ],
)
def test_a_limit_is_passed_when_more_was_found_than_it_lets_pass(
    found: dict[str, Any], age: int | None, why: str
) -> None:
    assert breach(standing(**found), age, LIMITS) == why
    assert breach(standing(**found), age, WatchLimits()) == ""


def assess(desk: Desk, by: Actor = SYSTEM, **found: Any) -> list[Any]:
    return desk.do(p.AssessStore(store="oak", standing=standing(**found)), by).events


def paid_again(desk: Desk, at: Any) -> p.Coverage:
    """The coverage of another order of the store, paid at that time."""
    other = structs.replace(desk.order(), id=99, status="placed", coverage=p.Coverage(), paid_at=None)
    desk.world = structs.replace(desk.world, order=other, disputes={})
    desk.do(o.Paid(order=99, at=at), PLATFORM)
    return desk.order().coverage


def test_a_store_that_passes_a_limit_is_watched_and_its_new_orders_are_not_covered() -> None:
    desk = Desk()
    assessed, set_ = assess(desk, shared=("address", "photo"))
    assert (assessed.standing.shared, set_.why, set_.by, set_.at) == (("address", "photo"), "shared", "system", T)
    store = desk.world.store
    assert store is not None
    assert store.watch == p.Watch(since=T, by="system", why="shared")
    assert desk.order().coverage.covered  # what was paid before stays covered (R4)
    assert paid_again(desk, T - SECOND).covered
    later = paid_again(desk, T)
    assert (later.covered, later.reason) == (False, "watch")
    assert desk.refuse(p.LiftWatch(store="oak"), SELLER).code == "not_permitted"
    desk.do(p.LiftWatch(store="oak"), ADMIN)
    assert paid_again(desk, T + DAY).covered


def test_the_store_is_told_when_a_watch_is_set_and_when_it_is_lifted() -> None:
    desk = Desk()
    assess(desk, shared=("address", "photo"))
    at = desk.world.position
    desk.do(p.LiftWatch(store="oak"), ADMIN)
    assert [(e.kind, e.about) for e in desk.effects if e.kind == "watch"] == [("watch", at), ("watch", at + 1)]


def test_the_same_found_again_changes_nothing() -> None:
    desk = Desk()
    assert len(assess(desk, disputes=3)) == 1
    assert assess(desk, at=T + DAY, disputes=3) == []
    assert len(assess(desk, disputes=4)) == 1
    assert len(assess(desk, shared=("address", "photo"))) == 2
    assert [type(e) for e in assess(desk, shared=("address", "device", "photo"))] == [p.StoreAssessed]


def test_a_watch_that_was_lifted_rests_but_an_admin_may_set_one_at_any_time() -> None:
    desk = Desk()
    passing = {"shared": ("address", "photo")}
    assess(desk, **passing)
    desk.do(p.LiftWatch(store="oak"), ADMIN)
    for late, sets in ((RESTS - SECOND, 0), (RESTS, 1)):
        assert (
            len(desk.do(p.AssessStore(store="oak", standing=standing(**passing)), SYSTEM, at=T + late).events) == sets
        )
    desk.do(p.LiftWatch(store="oak"), ADMIN)
    (by_hand,) = desk.do(p.SetWatch(store="oak", why="letters"), ADMIN).events
    assert (by_hand.why, by_hand.by) == ("letters", "admin:eve")
    assert desk.do(p.SetWatch(store="oak", why="letters"), ADMIN).events == []


@pytest.mark.parametrize("role", sorted(set(ACTORS) - {"admin"}))
def test_only_an_admin_sets_and_lifts_a_watch(role: str) -> None:
    for command in (p.SetWatch(store="oak", why="letters"), p.LiftWatch(store="oak")):
        assert Desk().refuse(command, ACTORS[role]).code == "not_permitted"
    assert Desk().refuse(p.LiftWatch(store="oak"), ADMIN).code == "not_watched"
    assert Desk().refuse(p.SetWatch(store="oak", why="no code"), ADMIN).code == "bad_reference"


@pytest.mark.parametrize(
    "wrong", [{"currency": "EURO"}, {"shared": ("shoes",)}, {"disputes": -1}, {"exposure": 10**19}]
)
def test_what_cannot_have_been_found_is_refused(wrong: dict[str, Any]) -> None:
    assert Desk().refuse(p.AssessStore(store="oak", standing=standing(**wrong)), SYSTEM).code == "bad_standing"
    many = tuple((f"b{n}", 1) for n in range(11))
    assert Desk().refuse(p.AssessStore(store="oak", standing=standing(buyers=many)), SYSTEM).code == "bad_standing"
    assert Desk().refuse(p.AssessStore(store="oak", standing=standing()), SELLER).code == "not_permitted"


def test_a_watched_store_is_paid_for_after_a_look_and_never_at_once() -> None:
    photo = {"evidence": ("a" * 64,)}
    quick, watched = Desk("10.00"), Desk("10.00")
    quick.open("damaged", "10.00", **photo)
    assert quick.state().route == "instant"
    assess(watched, shared=("address", "photo"))
    store = watched.world.store
    watched.world = structs.replace(watched.world, given=given_of(store, "ann", "EUR", 0, T))
    watched.open("damaged", "10.00", **photo)
    assert (watched.state().route, watched.state().covered) == ("verify", True)


def test_what_was_found_is_given_to_the_policy_with_the_buyers_own_share() -> None:
    store = p.Store(
        id="oak",
        registered_at=T - timedelta(days=3, hours=23),
        standing=standing(disputes=4, buyers=(("ann", 750),), exposure=9, completed=2, shared=("photo",)),
    )
    given = given_of(store, "ann", "EUR", 5, T)
    assert (given.instant_sum, given.store_watch, given.store_age_days, given.buyer_share) == (5, "none", 3, 750)
    assert (given.exposure, given.store_completed_orders, given.shared) == (9, 2, 1)
    assert given_of(store, "bob", "BRL", 0, T).buyer_share == 0
    assert given_of(store, "bob", "BRL", 0, T).exposure is None  # of another currency: not known
    assert given_of(p.Store(id="oak"), "bob", "EUR", 0, T).buyer_share is None


def test_the_policy_that_ships_has_limits_and_a_wrong_one_is_named() -> None:
    assert parse_policy(policy_text()).watch == LIMITS
    with pytest.raises(PolicyError) as error:
        parse_policy(policy_text().replace("buyer_share = 500", "buyer_share = 1001"))
    assert error.value.faults[0].startswith("watch.buyer_share: a whole number from 0 to 1000")
