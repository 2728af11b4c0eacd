"""The movements of the fund: all that fit are found, however far one look reaches, and no look walks a whole table."""

import re

import pytest

from houbao.core.ledger import FUND
from houbao.store import movements
from houbao.store.movements import Movement, Question, change, look, of_store
from store.history import T, build

WHOLE = 10**9


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    """A history with a bit of everything."""
    return build(tmp_path_factory.mktemp("moved") / "houbao.db").database.connection


def walked(reading, *, limit: int, **asked) -> list[Movement]:
    """All that fit, look by look."""
    found: list[Movement] = []
    place = movements.LATEST
    while place is not None:
        page = look(reading, 0, Question(**asked), before=place, limit=limit)
        found, place = [*found, *page.rows], page.next
    return found


def all_of(reading, **asked) -> list[Movement]:
    return walked(reading, limit=WHOLE, **asked)


def places(found) -> list[tuple[int, int]]:
    return [(one.position, one.n) for one in found]


def test_all_that_touched_the_fund_is_there_the_latest_first_and_makes_what_it_holds(reading):
    found = all_of(reading)
    kept = reading.execute("SELECT position, n FROM transfers WHERE source LIKE 'fund:%' OR target LIKE 'fund:%'")
    assert places(found) == sorted(kept.fetchall(), reverse=True)
    for code in {one.currency for one in found}:
        (held,) = reading.execute(
            "SELECT sum(minor) FROM balances WHERE currency=? AND account IN (?, ?)", (code, *FUND)
        ).fetchone()
        assert sum(change(one.source, one.target, one.minor) for one in found if one.currency == code) == held


@pytest.mark.parametrize("limit", [1, 3, 50])
@pytest.mark.parametrize("stretch", [1, 7, 100])
@pytest.mark.parametrize("asked", [{}, {"kind": "reserve"}, {"store": "elm"}, {"first": 40, "end": 130}])
def test_however_far_one_look_reaches_all_that_fits_comes_once(reading, monkeypatch, limit, stretch, asked):
    whole = all_of(reading, **asked)
    monkeypatch.setattr(movements, "MOST_LOOKED_AT", stretch)
    assert walked(reading, limit=limit, **asked) == whole
    assert whole


def test_a_look_that_ends_before_its_page_is_full_says_back_to_when_it_looked(reading, monkeypatch):
    monkeypatch.setattr(movements, "MOST_LOOKED_AT", 20)
    asked = Question(kind="capital")
    found = look(reading, 0, asked, limit=50)
    (last,) = reading.execute("SELECT position FROM parts").fetchone()
    assert (found.rows, found.next) == ([], (last - 19, 0))
    assert found.since is not None
    assert found.since > T
    first = look(reading, 0, asked, before=(4, 0), limit=50)
    assert (first.next, first.since) == (None, None)


def test_what_does_not_fit_is_left_out(reading):
    whole = all_of(reading)
    middle = whole[len(whole) // 2].position
    for asked, fits in (
        ({"kind": "guarantee"}, lambda one: one.kind == "guarantee"),
        ({"store": "elm"}, lambda one: one.store == "elm"),
        ({"dispute": whole[-9].dispute}, lambda one: one.dispute == whole[-9].dispute),
        ({"first": middle}, lambda one: one.position >= middle),
        ({"end": middle}, lambda one: one.position < middle),
    ):
        found = all_of(reading, **asked)
        assert found == [one for one in whole if fits(one)], asked
        assert 0 < len(found) < len(whole), asked


@pytest.mark.parametrize("store", ["oak", "elm", "fir", "bay", "nobody"])
def test_a_store_is_found_at_its_orders_as_by_walking(reading, store):
    walked = all_of(reading, store=store)
    assert all_of(reading, store=store, only=of_store(reading, 0, store)) == walked


def test_a_store_with_many_orders_is_walked(reading, monkeypatch):
    monkeypatch.setattr(movements, "MOST_ORDERS", 3)
    assert of_store(reading, 0, "oak") is None
    assert of_store(reading, 0, "bay") is not None


def test_a_movement_names_the_refund_that_it_was_for(reading):
    refunds = {one.refund for one in all_of(reading) if one.kind == "guarantee"}
    approved = reading.execute("SELECT position FROM events WHERE body->>'$.type'='refund_approved'").fetchall()
    assert refunds
    assert refunds <= {position for (position,) in approved}
    reserved = {one.refund for one in all_of(reading) if one.kind == "reserve" and one.dispute}
    assert refunds <= reserved
    assert {one.refund for one in all_of(reading, kind="capital")} == {0}


@pytest.mark.parametrize("asked", [{}, {"kind": "reserve", "first": 40}, {"store": "elm", "only": (40, 41)}])
def test_a_look_is_read_at_its_place_and_walks_no_table(reading, asked):
    said: list[str] = []
    reading.set_trace_callback(said.append)
    look(reading, 0, Question(**asked), before=(200, 1), limit=5)
    of_store(reading, 0, "elm")
    reading.set_trace_callback(None)
    steps = [step for statement in said for *_, step in reading.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert [step for step in steps if re.match(r"SCAN \w+", step) and "VIRTUAL TABLE" not in step] == []
    assert any(step.startswith("SEARCH t USING PRIMARY KEY (part=? AND position") for step in steps)
