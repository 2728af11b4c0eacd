"""The programme: an order is covered or not once and for all when it is paid (R2, R4)."""

from datetime import datetime
from typing import Any

import pytest
from msgspec import structs

from core.pure import Desk
from given import AGENT, BUYER, DAY, PLATFORM, SECOND, SELLER, T
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core.programme import Coverage, Enrolment, Programme, Store, coverage, policy_in_force, publish
from houbao.core.terms import Actor, Refused

LAUNCH = T - 50 * DAY
PROGRAMME = Programme(
    name="standard",
    currency="EUR",
    launched_at=LAUNCH,
    ended_at=T + 50 * DAY,
    policies=((LAUNCH, "1"), (T, "2")),
)
JOINED, LEFT = T - 20 * DAY, T + 20 * DAY
OAK = Store(id="oak", enrolments=(Enrolment(programme="standard", joined=JOINED, left=LEFT),))
EARLY = Store(id="elm", enrolments=(Enrolment(programme="standard", joined=LAUNCH - 9 * DAY),))


@pytest.mark.parametrize(
    ("store", "paid_at", "currency", "reason"),
    [
        (OAK, JOINED - SECOND, "EUR", "not_enrolled"),
        (OAK, JOINED, "EUR", ""),
        (OAK, LEFT - SECOND, "EUR", ""),
        (OAK, LEFT, "EUR", "not_enrolled"),
        (OAK, T, "BRL", "currency"),
        (EARLY, LAUNCH - SECOND, "EUR", "before_launch"),
        (EARLY, LAUNCH, "EUR", ""),
        (EARLY, T + 50 * DAY - SECOND, "EUR", ""),
        (EARLY, T + 50 * DAY, "EUR", "after_end"),
        (Store(id="ash"), T, "EUR", "not_enrolled"),
        (Store(id="fir", enrolments=(Enrolment(programme="other", joined=LAUNCH),)), T, "EUR", "not_enrolled"),
    ],
)
def test_whether_an_order_is_covered_and_if_not_why(store: Store, paid_at: datetime, currency: str, reason: str):
    found = coverage(store, PROGRAMME, currency, paid_at)
    assert (found.covered, found.reason) == (not reason, reason)


def test_without_a_programme_nothing_is_covered() -> None:
    assert coverage(OAK, None, "EUR", T) == Coverage(reason="no_programme")


@pytest.mark.parametrize(("at", "version"), [(LAUNCH - DAY, "1"), (LAUNCH, "1"), (T - SECOND, "1"), (T, "2")])
def test_the_policy_is_the_one_in_force_at_payment(at: datetime, version: str) -> None:
    assert policy_in_force(PROGRAMME, at) == version
    assert coverage(EARLY, PROGRAMME, "EUR", at).policy == version


def test_publishing_adds_a_version_and_a_second_time_nothing() -> None:
    later = publish(PROGRAMME, "3", T + DAY, T)
    assert later.policies == (*PROGRAMME.policies, (T + DAY, "3"))
    assert publish(later, "3", T, T + 9 * DAY) == later
    assert [policy_in_force(later, at) for at in (T + DAY - SECOND, T + DAY)] == ["2", "3"]


@pytest.mark.parametrize(("start", "now", "code"), [(T, T + SECOND, "backdated"), (T, T, "out_of_order")])
def test_a_version_comes_into_force_neither_in_the_past_nor_before_another(start, now, code) -> None:
    with pytest.raises(Refused) as refused:
        publish(PROGRAMME, "3", start, now)
    assert refused.value.code == code


def test_a_programme_is_paid_by_capital_in_utc_unless_told_otherwise() -> None:
    assert (PROGRAMME.mode, PROGRAMME.zone) == ("capital", "UTC")


def paid_again(desk: Desk, at: datetime) -> Coverage:
    """The coverage of another order of the same store, paid at `at`."""
    place = o.PlaceOrder(
        store="oak",
        reference="order-2",
        buyer="ann",
        currency="EUR",
        lines=(o.NewLine(id="1", item=4000),),
        payments=(o.Payment(id="card", provider="sandbox", minor=4000),),
        ship_by=at,
        promised_by=at,
        at=at,
    )
    desk.do(place, PLATFORM)
    desk.do(o.Paid(order=desk.world.position, at=at), PLATFORM)
    return desk.order().coverage


def test_a_store_that_leaves_keeps_the_cover_of_orders_already_paid() -> None:
    desk = Desk()
    desk.do(p.Leave(store="oak", at=T), SELLER)
    assert desk.order().coverage.covered
    assert desk.state(desk.open("damaged", "40.00")).phase == "verifying"
    assert paid_again(desk, T - SECOND).covered
    assert paid_again(desk, T).reason == "not_enrolled"


def test_a_store_that_joins_later_is_not_covered_for_orders_already_paid() -> None:
    desk = Desk(covered=False)
    desk.do(p.Enrol(store="oak", programme="standard", at=T - 11 * DAY), PLATFORM)
    assert not desk.order().coverage.covered
    dispute = desk.state(desk.open("damaged", "40.00"))
    assert (dispute.phase, dispute.covered) == ("awaiting_seller", False)
    assert paid_again(desk, T).covered


def test_a_store_may_join_again() -> None:
    desk = Desk()
    desk.do(p.Leave(store="oak", at=T), SELLER)
    desk.do(p.Enrol(store="oak", programme="standard", at=T + DAY), SELLER)
    assert [paid_again(desk, at).covered for at in (T - SECOND, T, T + DAY - SECOND, T + DAY)] == [
        True,
        False,
        False,
        True,
    ]


def without_its_store() -> Desk:
    desk = Desk()
    desk.world = structs.replace(desk.world, store=None)
    return desk


def test_a_store_may_join_in_the_moment_in_which_it_is_registered() -> None:
    desk = without_its_store()
    desk.do(p.RegisterStore(store="elm", programme="standard"), PLATFORM)
    assert desk.world.store.enrolments == (p.Enrolment(programme="standard", joined=T),)


def test_a_store_that_cannot_join_is_not_registered_either() -> None:
    desk = without_its_store()
    assert desk.refuse(p.RegisterStore(store="elm", programme="golden"), PLATFORM).code == "unknown_programme"


JOIN, LEAVE = p.Enrol(store="oak", programme="standard", at=T), p.Leave(store="oak", at=T)


@pytest.mark.parametrize("by", [BUYER, AGENT, Actor("seller", "elm")])
@pytest.mark.parametrize("command", [JOIN, LEAVE, p.RegisterStore(store="oak")])
def test_only_the_seller_or_the_marketplace_speaks_for_a_store(command: Any, by: Actor) -> None:
    assert Desk().refuse(command, by).code == "not_permitted"


@pytest.mark.parametrize(
    ("covered", "command", "code"),
    [
        (True, JOIN, "already_enrolled"),
        (False, LEAVE, "not_enrolled"),
        (False, structs.replace(JOIN, programme="golden"), "unknown_programme"),
        (False, structs.replace(JOIN, at=T.replace(tzinfo=None)), "naive_time"),
        (False, p.RegisterStore(store="oak"), "store_exists"),
    ],
)
def test_what_a_store_cannot_do_now_is_refused_with_its_code(covered: bool, command: Any, code: str) -> None:
    assert Desk(covered=covered).refuse(command, SELLER).code == code
