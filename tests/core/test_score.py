"""The service score, figure by figure (domain §6), and its laws for any record."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import structs

from houbao.core.attribution import average, blames, forecast
from houbao.core.policy import ScoreCurves
from houbao.core.policy_file import parse_policy
from houbao.core.score import (
    POINT,
    Rate,
    Score,
    grade_of,
    graded_from,
    month_of,
    next_month,
    of_hundred,
    points,
    score_on,
    standing,
    weight_of,
)
from houbao.core.tallies import Deal, Tally
from houbao.shipped import policy_text

TODAY = date(2026, 7, 31)
NOON = datetime(2026, 7, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CURVES = parse_policy(policy_text()).score


def completed(order: int, ago: int = 5, **more: Any) -> Deal:
    """An order completed that many days ago."""
    return Deal(order=order, store="oak", state="completed", ended_at=NOON - ago * DAY, **more)


def rated(order: int, description: int, service: int, logistics: int, ago: int = 5) -> Deal:
    stars = {"description": description, "service": service, "logistics": logistics}
    return completed(order, ago, rated_at=NOON - ago * DAY, **stars)


def uncompleted(order: int, ago: int = 5) -> Deal:
    return Deal(order=order, store="oak", state="uncompleted", ended_at=NOON - ago * DAY)


def disputed(order: int, kind: str = "SNAD", state: str = "counted", ago: int = 5, **more: Any) -> Tally:
    """A dispute opened that many days ago; its number is the order's and a thousand."""
    number = more.pop("dispute", 1000 + order)
    return Tally(dispute=number, store="oak", order=order, kind=kind, state=state, opened_at=NOON - ago * DAY, **more)


def many(count: int, ago: int = 5) -> list[Deal]:
    return [completed(order, ago) for order in range(1, count + 1)]


def scored(deals: list[Deal], *tallies: Tally, day: date = TODAY, zone: tzinfo = UTC) -> Score:
    score = score_on(standing(deals, tallies, zone), day, CURVES)
    assert score is not None
    return score


def rate(name: str, deals: list[Deal], *tallies: Tally) -> tuple[int, int]:
    found = scored(deals, *tallies).rates[name]
    return found.n, found.of


# --- rates ---------------------------------------------------------------------------------------------------------


def test_the_curves_are_those_of_the_shipped_policy() -> None:
    assert ScoreCurves() == CURVES


def test_the_dispute_rate_is_disputed_orders_of_those_completed_or_disputed() -> None:
    disputes = (disputed(1), disputed(2, "INR", "pending"), disputed(77, "OTHER"))
    assert rate("dispute", many(10), *disputes) == (3, 11)


def test_an_order_disputed_twice_is_one_order() -> None:
    assert rate("dispute", many(10), disputed(1), disputed(1, "INR", dispute=7)) == (1, 10)


@pytest.mark.parametrize(
    ("completed_ago", "disputed_ago", "found"),
    [(5, 3, (1, 11)), (29, 3, (1, 11)), (30, 3, (0, 10)), (5, 29, (1, 11)), (5, 30, (0, 10)), (3, 40, (0, 10))],
)
def test_an_order_counts_on_the_first_of_its_completion_and_its_dispute(
    completed_ago: int, disputed_ago: int, found: tuple[int, int]
) -> None:
    deals = [*many(10), completed(99, completed_ago)]
    assert rate("dispute", deals, disputed(99, ago=disputed_ago)) == found


@pytest.mark.parametrize(("kind", "inr", "snad"), [("INR", 1, 0), ("SNAD", 0, 1), ("OTHER", 0, 0), ("REMORSE", 0, 0)])
def test_a_dispute_is_in_the_rate_of_its_class(kind: str, inr: int, snad: int) -> None:
    assert (rate("inr", many(10), disputed(1, kind)), rate("snad", many(10), disputed(1, kind))) == (
        (inr, 10),
        (snad, 10),
    )


def test_a_dispute_is_below_the_line_of_its_own_rate_alone() -> None:
    assert rate("snad", many(10), disputed(77)) == (1, 11)
    assert rate("inr", many(10), disputed(77)) == (0, 10)


def test_adjudicated_orders_and_those_of_them_where_the_seller_was_liable() -> None:
    lost, won = disputed(1, adjudicated=True), disputed(2, state="exempt", why="rejected", adjudicated=True)
    taken_back = disputed(3, state="exempt", why="withdrawn", adjudicated=True)
    assert rate("adjudication", many(10), lost, won, taken_back) == (2, 10)
    assert rate("liability", many(10), lost, won, taken_back) == (1, 10)


def test_the_answer_rate_is_turns_answered_in_time_of_all_that_ended() -> None:
    tallies = (disputed(1, asked=3, answered=2), disputed(2, state="exempt", why="rejected", asked=1))
    gone = disputed(3, state="exempt", why="withdrawn", asked=5)
    assert rate("answers", many(10), *tallies, gone) == (2, 4)


def test_a_deal_that_the_seller_cancelled_did_not_come_about() -> None:
    assert rate("uncompleted", [*many(10), uncompleted(11), uncompleted(12, ago=30)]) == (1, 11)


# --- points --------------------------------------------------------------------------------------------------------


def test_a_store_without_a_fault_has_all_hundred_points() -> None:
    score = scored([rated(order, 5, 5, 5) for order in range(10)])
    assert {name: got // POINT for name, got in score.parts.items()} == {
        "uncompleted": 10,
        "inr": 15,
        "snad": 15,
        "description": 30,
        "service": 15,
        "logistics": 15,
    }
    assert (points(score), score.scale, score.grade, score.weight) == (100 * POINT, 100, "excellent", 10_000)


@pytest.mark.parametrize(("n", "left"), [(0, 15_000000), (1, 11_250000), (2, 7_500000), (3, 3_750000), (4, 0), (9, 0)])
@pytest.mark.parametrize("kind", ["INR", "SNAD"])
def test_the_points_of_a_rate_fall_in_a_straight_line_to_nothing_at_five_percent(kind: str, n: int, left: int) -> None:
    score = scored(many(80), *(disputed(order, kind) for order in range(1, n + 1)))
    assert score.parts[kind.lower()] == left


@pytest.mark.parametrize(("n", "left"), [(1, 8_000000), (2, 6_000000), (5, 0), (6, 0)])
def test_so_do_those_of_uncompleted_deals(n: int, left: int) -> None:
    deals = [*many(100 - n), *(uncompleted(1000 + order) for order in range(n))]
    assert scored(deals).parts["uncompleted"] == left


@pytest.mark.parametrize(("stars", "left"), [(5, 1), (4, 0.5), (3, 0), (1, 0)])
def test_the_points_of_a_rating_fall_in_a_straight_line_from_five_to_nothing_at_three(stars: int, left: float) -> None:
    score = scored([*many(10), *(rated(20 + order, stars, stars, stars) for order in range(3))])
    found = [score.parts[name] for name in ("description", "service", "logistics")]
    assert found == [int(30 * left * POINT), int(15 * left * POINT), int(15 * left * POINT)]


def test_a_rating_is_the_mean_of_all_buyers_to_the_last_digit() -> None:
    score = scored([rated(1, 5, 4, 5), rated(2, 5, 4, 4), rated(3, 4, 4, 4)])
    assert score.ratings == (3, 14, 12, 13)
    assert score.parts["description"] == 25_000000  # 4.666… is five sixths of the way from 3 to 5
    assert score.parts["logistics"] == 10_000000  # 4.333… two thirds


def test_without_ratings_their_points_are_left_out_and_the_scale_says_so() -> None:
    score = scored(many(100), disputed(1))
    assert (score.scale, points(score), "description" in score.parts) == (40, 37_000000, False)
    assert of_hundred(score) == 92_500000


def test_ratings_older_than_the_window_are_left_out_too() -> None:
    assert scored([*many(10), rated(11, 1, 1, 1, ago=30)]).scale == 40


# --- sample and grade ----------------------------------------------------------------------------------------------


def test_with_fewer_than_ten_orders_in_thirty_days_it_looks_back_ninety() -> None:
    assert scored([*many(10), completed(11, 60)]).first == TODAY - 29 * DAY
    assert scored([*many(9), completed(10, 60)]).first == TODAY - 89 * DAY


def test_with_still_fewer_there_is_a_score_but_no_grade() -> None:
    assert (scored([*many(9), completed(10, 89)]).grade, scored([*many(9), completed(10, 90)]).grade) == (
        "excellent",
        "",
    )


def test_a_disputed_order_is_one_of_the_ten() -> None:
    assert scored(many(9), disputed(77)).orders == 10
    assert scored(many(9), disputed(77)).grade


def test_no_dispute_brings_the_shorter_window() -> None:
    assert scored(many(9), disputed(77)).first == TODAY - 89 * DAY


def test_a_store_without_any_orders_has_no_score() -> None:
    assert score_on(standing([], [], UTC), TODAY, CURVES) is None
    assert score_on(standing(many(20, ago=90), [], UTC), TODAY, CURVES) is None


@pytest.mark.parametrize(
    ("score", "grade"),
    [
        (100, "excellent"),
        (90, "excellent"),
        (89.999999, "good"),
        (80, "good"),
        (79.999999, "pass"),
        (60, "pass"),
        (59.999999, "fail"),
        (0, "fail"),
    ],
)
def test_from_ninety_on_excellent_from_eighty_good_from_sixty_a_pass(score: float, grade: str) -> None:
    assert grade_of(round(score * POINT), CURVES) == grade


def test_a_month_is_the_mean_of_its_days_and_graded_on_the_third() -> None:
    assert month_of([91 * POINT, 90 * POINT, 88 * POINT], CURVES) == (89_666666, "good")
    assert graded_from(date(2026, 12, 1), CURVES) == date(2027, 1, 3)
    assert next_month(date(2026, 1, 31)) == date(2026, 2, 1)


def test_a_day_is_a_day_of_the_programmes_zone() -> None:
    late = Deal(order=1, store="oak", state="completed", ended_at=datetime(2026, 7, 31, 23, 30, tzinfo=UTC))
    shanghai = ZoneInfo("Asia/Shanghai")
    assert score_on(standing([late], [], UTC), TODAY, CURVES) is not None
    assert score_on(standing([late], [], shanghai), TODAY, CURVES) is None
    assert score_on(standing([late], [], shanghai), TODAY + DAY, CURVES) is not None


# --- faults --------------------------------------------------------------------------------------------------------


def test_counted_pending_and_exempt_stand_side_by_side_and_the_exempt_ones_cost_nothing() -> None:
    score = scored(many(100), disputed(1), disputed(2, state="pending"), disputed(3, state="exempt"))
    assert (score.counted, score.pending, score.exempt) == (1, 1, 1)
    assert score.rates["snad"] == Rate(2, 100)


def test_what_was_lifted_counts_up_to_that_day_and_is_exempt_from_the_next_on() -> None:
    lifted = disputed(1, state="exempt", why="appeal", lifted_at=NOON - DAY)
    assert scored(many(100), lifted, day=TODAY - DAY).rates["snad"].n == 1
    assert scored(many(100), lifted).rates["snad"].n == 0


# --- weight --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("score", "weight"), [(100, 10_000), (90, 9_500), (0, 5_000)])
def test_the_weight_is_a_half_and_a_two_hundredth_for_each_point(score: int, weight: int) -> None:
    assert weight_of(score * POINT, Rate(0, 100), CURVES) == weight


@pytest.mark.parametrize(("n", "of", "weight"), [(1, 100, 9_800), (2, 100, 9_600), (1, 50, 9_600), (1, 300, 9_933)])
def test_each_counted_guarantee_dispute_per_hundred_orders_takes_two_hundredths(n: int, of: int, weight: int) -> None:
    assert weight_of(100 * POINT, Rate(n, of), CURVES) == weight


def test_the_weight_has_a_floor_of_three_tenths() -> None:
    assert weight_of(0, Rate(50, 50), CURVES) == 3_000


def test_only_what_the_guarantee_had_to_settle_weighs_beside_the_score() -> None:
    by_agreement, by_guarantee = scored(many(100), disputed(1)), scored(many(100), disputed(1, guaranteed=True))
    assert of_hundred(by_agreement) == of_hundred(by_guarantee) == 92_500000
    assert (by_agreement.weight, by_guarantee.weight) == (9_625, 9_425)


# --- why -----------------------------------------------------------------------------------------------------------


def told(part: str, deals: list[Deal], *tallies: Tally) -> list[tuple[int, tuple[int, ...], int]]:
    record = standing(deals, tallies, UTC)
    score = score_on(record, TODAY, CURVES)
    assert score is not None
    return [(blame.order, blame.disputes, blame.lost) for blame in blames(record, score, part)]


def test_every_order_that_is_disputed_costs_the_same_and_names_its_disputes() -> None:
    tallies = (disputed(1), disputed(1, dispute=9), disputed(2, state="pending"), disputed(3, "INR"))
    assert told("snad", many(80), *tallies) == [(1, (1001, 9), 3_750000), (2, (1002,), 3_750000)]


def test_a_rating_costs_as_much_as_it_is_short_of_five() -> None:
    deals = [*many(10), rated(21, 5, 5, 5), rated(22, 4, 5, 5), rated(23, 3, 5, 5)]
    assert told("description", deals) == [(23, (), 10_000000), (22, (), 5_000000)]
    assert told("service", deals) == []


def test_a_cancelled_order_names_itself() -> None:
    assert told("uncompleted", [*many(99), uncompleted(200)]) == [(200, (), 2_000000)]


def test_what_a_dispute_costs_is_gone_when_its_order_has_left_the_window() -> None:
    record = standing(many(80), [disputed(1, ago=7)], UTC)
    score = score_on(record, TODAY, CURVES)
    assert score
    (blame,) = blames(record, score, "snad")
    assert blame.gone_on == TODAY - 7 * DAY + 30 * DAY
    for day, n in ((blame.gone_on - DAY, 1), (blame.gone_on, 0)):
        later = score_on(standing(many(80, ago=-20), [disputed(1, ago=7)], UTC), day, CURVES)
        assert later
        assert later.rates["snad"].n == n


def test_the_forecast_says_what_becomes_of_it() -> None:
    record = standing(many(80), [disputed(1, ago=3), disputed(2, state="pending", ago=9)], UTC)
    ahead = forecast(record, TODAY, CURVES)
    assert (ahead.settled, ahead.cleared) == (90_625000, 100 * POINT)
    assert ahead.cleared_on == TODAY - 5 * DAY + 30 * DAY  # the first order counts from its completion


def test_where_nothing_weighs_nothing_has_to_leave() -> None:
    ahead = forecast(standing(many(80), [disputed(1, state="exempt")], UTC), TODAY, CURVES)
    assert (ahead.settled, ahead.cleared, ahead.cleared_on) == (100 * POINT, 100 * POINT, None)


def test_the_average_is_rounded_down_and_of_nobody_there_is_none() -> None:
    assert (average([90 * POINT, 91 * POINT, 91 * POINT]), average([])) == (90_666666, None)


# --- laws ----------------------------------------------------------------------------------------------------------

ORDERS = st.integers(1, 30)
AGES = st.integers(0, 100)
STATES = st.sampled_from(["pending", "counted", "exempt"])
KINDS = st.sampled_from(["INR", "SNAD", "OTHER", "REMORSE"])


@st.composite
def deals_of(draw: st.DrawFn) -> list[Deal]:
    found: dict[int, Deal] = {}
    for order in range(1, draw(st.integers(0, 24)) + 1):
        ago, stars = draw(AGES), draw(st.integers(0, 5))
        kind = draw(st.sampled_from([completed, completed, completed, uncompleted]))
        found[order] = rated(order, stars, 6 - stars, 3, ago) if stars and kind is completed else kind(order, ago)
    return list(found.values())


@st.composite
def tally(draw: st.DrawFn, number: int, states: st.SearchStrategy[str] = STATES) -> Tally:
    state = draw(states)
    more = {"adjudicated": draw(st.booleans()), "guaranteed": state == "counted" and draw(st.booleans())}
    why = draw(st.sampled_from(["rejected", "lapsed"])) if state == "exempt" else ""
    return disputed(draw(ORDERS), draw(KINDS), state, draw(AGES), dispute=number, why=why, **more)


@st.composite
def records(draw: st.DrawFn) -> tuple[list[Deal], list[Tally]]:
    return draw(deals_of()), [draw(tally(1000 + number)) for number in range(draw(st.integers(0, 8)))]


@given(records())
def test_the_parts_sum_to_the_whole_and_every_lost_point_names_whose_it_is(
    record: tuple[list[Deal], list[Tally]],
) -> None:
    facts = standing(*record, UTC)
    score = score_on(facts, TODAY, CURVES)
    assume(score)
    assert score
    assert points(score) + sum(score.lost.values()) == score.scale * POINT
    for part, lost in score.lost.items():
        blamed = blames(facts, score, part)
        assert sum(blame.lost for blame in blamed) == lost
        if part in ("inr", "snad") and lost:
            assert blamed and all(blame.disputes for blame in blamed)
    assert 3_000 <= score.weight <= 10_000
    assert 0 <= of_hundred(score) <= 100 * POINT


@given(records(), tally(5000, st.just("exempt")))
def test_a_dispute_that_was_withdrawn_leaves_no_trace_in_any_metric(
    record: tuple[list[Deal], list[Tally]], withdrawn: Tally
) -> None:
    deals, tallies = record
    withdrawn = structs.replace(withdrawn, why="withdrawn", asked=2, answered=1)
    never = score_on(standing(deals, tallies, UTC), TODAY, CURVES)
    after = score_on(standing(deals, [*tallies, withdrawn], UTC), TODAY, CURVES)
    assert (after and structs.replace(after, exempt=0)) == (never and structs.replace(never, exempt=0))


@given(records(), tally(5000, st.sampled_from(["pending", "counted"])))
def test_a_dispute_never_improves_score_weight_or_dispute_rate(
    record: tuple[list[Deal], list[Tally]], further: Tally
) -> None:
    deals, tallies = record
    assume(all(other.opened_at <= further.opened_at for other in tallies if other.order == further.order))
    before = score_on(standing(deals, tallies, UTC), TODAY, CURVES)
    after = score_on(standing(deals, [*tallies, further], UTC), TODAY, CURVES)
    assume(before and after)
    assert before
    assert after
    assert of_hundred(after) <= of_hundred(before)
    assert after.weight <= before.weight
    old, new = before.rates["dispute"], after.rates["dispute"]
    assert new.n * max(old.of, 1) >= old.n * max(new.of, 1)


@given(deals_of(), st.lists(tally(0), max_size=8))
def test_once_every_counted_dispute_has_left_the_window_its_effect_is_gone(
    deals: list[Deal], tallies: list[Tally]
) -> None:
    old = [structs.replace(one, dispute=n, opened_at=NOON - (90 + n) * DAY) for n, one in enumerate(tallies)]
    deals = [deal for deal in deals if deal.order not in {one.order for one in old}]
    assert score_on(standing(deals, old, UTC), TODAY, CURVES) == score_on(standing(deals, [], UTC), TODAY, CURVES)
