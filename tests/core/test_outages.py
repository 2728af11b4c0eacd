"""Outages: what runs over one is due later by its length, to the microsecond, whoever looks first and however late."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from core.pure import ACTORS, Desk
from core.test_cells import DUE, PHASES, notifying, run_out, verifying
from given import AGENT, BUYER, DAY, MAIL, PROVIDER, SECOND, SELLER, T, eur
from houbao.core import disputes as d
from houbao.core import phases
from houbao.core.calendars import Outage, shifted
from houbao.core.chargebacks import Chargeback
from houbao.core.evolving import evolve_dispute
from houbao.core.moves import Timer
from houbao.core.outages import LONGEST, EnterOutage, OutageEntered, evolve_outages, moved
from houbao.core.terms import SYSTEM

ADMIN = ACTORS["admin"]
HOUR = timedelta(hours=1)


def enter(desk: Desk, start: datetime, end: datetime) -> list[Any]:
    """An admin enters an outage, now."""
    return desk.do(EnterOutage(start=start, end=end), ADMIN).events


def at(desk: Desk, kind: str) -> datetime:
    return next(timer.at for timer in desk.state().timers if timer.kind == kind)


@pytest.mark.parametrize("where", DUE)
def test_what_runs_over_an_outage_is_due_later_by_its_length(where: str) -> None:
    desk = DUE[where][0]()
    due, then = desk.due(), DUE[where][3]
    desk.now = T + 2 * DAY
    enter(desk, T + DAY, T + DAY + 5 * HOUR)
    assert run_out(desk.sweep(due + 5 * HOUR - SECOND)) == []
    assert desk.due() == due + 5 * HOUR
    assert run_out(desk.sweep(due + 5 * HOUR)) == [DUE[where][2]]
    assert desk.state().phase == then


@pytest.mark.parametrize("where", DUE)
def test_who_was_not_swept_meanwhile_keeps_the_time_that_the_outage_took(where: str) -> None:
    desk = DUE[where][0]()
    due = desk.due()
    desk.now = due + 3 * HOUR  # nobody could act from an hour before it was due until now, nor could a worker
    enter(desk, due - HOUR, due + 3 * HOUR)
    assert run_out(desk.sweep(due + 3 * HOUR)) == []
    assert desk.due() == due + 4 * HOUR


@pytest.mark.parametrize("where", DUE)
def test_what_had_fallen_due_before_an_outage_began_is_not_moved_by_it_however_late_the_sweep(where: str) -> None:
    punctual, late = DUE[where][0](), DUE[where][0]()
    due = punctual.due()
    punctual.sweep(due)
    for desk in (punctual, late):
        desk.now = due + DAY
        enter(desk, due, due + HOUR)
        desk.sweep(due + 2 * DAY)
    assert [e for e in late.events if isinstance(e, d.TimedOut)] == [
        e for e in punctual.events if isinstance(e, d.TimedOut)
    ]
    assert late.state().timers == punctual.state().timers
    assert late.transfers == punctual.transfers


def test_an_answer_in_the_time_that_was_won_is_in_time_and_one_after_it_is_not() -> None:
    for late, code in ((-SECOND, ""), (0 * SECOND, "answer_after_due")):
        desk = PHASES["awaiting_seller"]()
        desk.now = T + 6 * DAY
        enter(desk, T + DAY, T + DAY + HOUR)
        answer = d.Accept(dispute=desk.dispute)
        received = T + 5 * DAY + HOUR + late
        if code:
            assert desk.refuse(answer, SELLER, at=received).code == code
        else:
            desk.do(answer, SELLER, at=received)
            assert desk.state().phase == "refunding"


def test_reminders_keep_their_distance_and_the_end_of_the_negotiation_moves_too() -> None:
    desk = PHASES["awaiting_buyer"]()
    before = desk.state().timers
    enter(desk, T + HOUR, T + 4 * HOUR)
    desk.sweep(T + 4 * HOUR)
    assert desk.state().timers == tuple(Timer(kind=x.kind, at=x.at + 3 * HOUR) for x in before)
    assert desk.state().escalates_at == at(desk, "escalate") == T + 15 * DAY + 3 * HOUR
    desk.do(d.Counter(dispute=desk.dispute, amount=eur("30.00")), BUYER)
    assert at(desk, "escalate") == T + 15 * DAY + 3 * HOUR


def test_the_end_of_the_negotiation_moves_while_a_notice_is_served_again() -> None:
    desk = notifying()
    desk.now = T + HOUR
    desk.do(d.NoticeAccepted(dispute=desk.dispute, notice=desk.state().notice), MAIL)
    desk.do(d.NoticeBounced(dispute=desk.dispute, notice=desk.state().notice), MAIL)
    desk.now = T + 8 * HOUR
    enter(desk, T, T + 3 * HOUR)  # the negotiation began in its second hour
    desk.do(d.ServeNotice(dispute=desk.dispute), AGENT)
    desk.do(d.NoticeAccepted(dispute=desk.dispute, notice=desk.state().notice), MAIL)
    assert at(desk, "escalate") == T + HOUR + 15 * DAY + 2 * HOUR
    assert at(desk, "turn") == T + 8 * HOUR + 5 * DAY


def test_a_request_for_evidence_runs_by_its_own_time() -> None:
    desk = verifying()
    desk.now = T + DAY
    desk.do(d.RequestEvidence(dispute=desk.dispute, party="buyer"), AGENT)
    desk.now = T + DAY + 9 * HOUR
    enter(desk, T + DAY - 2 * HOUR, T + DAY + 3 * HOUR)
    desk.sweep(desk.now)
    assert (at(desk, "evidence"), at(desk, "turn")) == (T + 3 * DAY + 3 * HOUR, T + 14 * DAY + 5 * HOUR)


def test_a_turn_that_begins_in_an_outage_or_before_one_that_is_known_ends_so_much_later() -> None:
    desk = Desk()
    enter(desk, T - HOUR, T + 2 * HOUR)
    enter(desk, T + DAY, T + DAY + 5 * HOUR)  # planned
    enter(desk, T - 9 * DAY, T - 8 * DAY)
    desk.open("in_transit_overdue", "40.00")
    assert desk.due() == T + 5 * DAY + 7 * HOUR
    assert desk.sweep(T + HOUR) == []


def test_entering_an_outage_twice_or_a_part_of_one_changes_nothing_and_a_longer_one_adds_the_rest() -> None:
    desk = verifying()
    assert len(enter(desk, T + HOUR, T + 3 * HOUR)) == 1
    assert enter(desk, T + HOUR, T + 3 * HOUR) == enter(desk, T + 2 * HOUR, T + 3 * HOUR) == []
    (longer,) = enter(desk, T, T + 4 * HOUR)
    assert longer.adds == ((T, T + HOUR), (T + 3 * HOUR, T + 4 * HOUR))
    desk.sweep(T + 4 * HOUR)
    assert desk.due() == T + 14 * DAY + 4 * HOUR
    before = desk.contents()
    assert desk.sweep(T + 5 * HOUR) == []
    assert desk.contents() == before


@pytest.mark.parametrize("role", sorted(set(ACTORS) - {"admin"}))
def test_only_an_admin_enters_an_outage(role: str) -> None:
    assert Desk().refuse(EnterOutage(start=T, end=T + HOUR), ACTORS[role]).code == "not_permitted"


def test_an_outage_ends_after_it_began_and_not_a_year_later() -> None:
    for end in (T, T - SECOND, T + LONGEST + SECOND):
        assert Desk().refuse(EnterOutage(start=T, end=end), ADMIN).code == "bad_outage"
    assert Desk().refuse(EnterOutage(start=T.replace(tzinfo=None), end=T), ADMIN).code == "naive_time"


def test_whose_turn_it_is_is_told_of_the_time_that_was_won() -> None:
    for phase in phases.TURNS:
        desk = PHASES[phase]()
        enter(desk, T + SECOND, T + HOUR)
        desk.sweep(T + HOUR)
        told = [e.to for e in desk.effects if e.what == "more_time"]
        assert told == [who for who in [phases.waits_for(desk.state())] if who in ("buyer", "seller")]


def test_a_closed_dispute_is_left_alone() -> None:
    desk = PHASES["closed"]()
    enter(desk, T + SECOND, T + HOUR)
    assert desk.sweep(T + HOUR) == []


# --- exact, in whatever order outages are entered ------------------------------------------------------------------

MINUTES = st.integers(-100, 400)
STRETCHES = st.lists(st.tuples(MINUTES, st.integers(1, 120)), min_size=1, max_size=6)


@given(stretches=STRETCHES, wait=st.integers(1, 200), late=st.integers(0, 3))
def test_due_times_moved_one_outage_after_another_are_those_of_all_outages_at_once(
    stretches: list[tuple[int, int]], wait: int, late: int
) -> None:
    due = T + timedelta(minutes=wait)
    desk = verifying()
    dispute = evolve_dispute(
        desk.state(), d.TimersMoved(**head(desk), phase="verifying", timers=(Timer(kind="turn", at=due),)), 10
    )
    known: tuple[Outage, ...] = ()
    for number, (start, length) in enumerate(stretches):
        begin = T + timedelta(minutes=start)
        world = Desk()
        world.world = type(world.world)(position=0, outages=known)
        for event in enter(world, begin, begin + timedelta(minutes=length)):
            assert isinstance(event, OutageEntered)
            known = evolve_outages(known, event, 100 + 10 * number)
        if number % 4 >= late and (event := moved(dispute, known, head(desk))):
            dispute = evolve_dispute(dispute, event, 101 + 10 * number)
    if event := moved(dispute, known, head(desk)):
        dispute = evolve_dispute(dispute, event, 1000)
    assert dispute.timers[0].at == shifted(due, T, known)


def head(desk: Desk) -> dict[str, Any]:
    state = desk.state()
    return {"at": T, "by": str(SYSTEM), "store": "oak", "order": state.order, "dispute": state.id}


def test_an_outage_that_was_known_counts_once_when_a_dispute_goes_on_before_it_or_in_it() -> None:
    for start, end in ((6, 8), (2, 4), (9, 12)):
        desk = awaiting_seller_after(start, end)
        left = desk.due() - T - DAY - (2 * DAY if start == 2 else timedelta())
        chargeback = Chargeback(order=desk.order().id, payment="card", reference="cb", minor=100, state="opened")
        desk.do(chargeback, PROVIDER, at=T + DAY)
        desk.do(structs.replace(chargeback, state="won"), PROVIDER, at=T + 5 * DAY)
        over = {6: 2 * DAY, 2: timedelta(), 9: timedelta()}[start]
        assert desk.due() == T + 5 * DAY + left + over
        assert desk.state().escalates_at == at(desk, "escalate")


def awaiting_seller_after(start: int, end: int) -> Desk:
    """A seller has five days; from when to when nobody will be able to act (days after T) was known before."""
    desk = Desk()
    enter(desk, T + start * DAY, T + end * DAY)
    desk.open("in_transit_overdue", "40.00")
    return desk
