"""The worker keeps the scores: each day when it is over, months on the third, anew what a fault changed meanwhile."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from given import AGENT, BUYER, DAY, PLATFORM, SELLER, SENIOR, Market, standard
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core.score import POINT, Score, of_hundred
from houbao.engine.scoring import Scored, Scoring
from houbao.store.scores import Scorebook

JULY_8 = date(2026, 7, 8)


class Scoreboard:
    """A market with an eye on the scores of its store `oak`."""

    def __init__(self, folder: Any, **given: Any) -> None:
        self.market = Market(folder, owed="0", **given)
        self.book = Scorebook(self.market.database)
        self.scoring = Scoring(self.book, lambda: self.market.now)

    def sell(self, count: int, *, ended: timedelta = timedelta(0)) -> list[int]:
        """Orders that the buyer confirms at that distance from now; they are dated then."""
        orders = [self.market.order() for _ in range(count)]
        for order in orders:
            self.market.accept(o.Confirmed(order=order, at=self.market.now + ended), PLATFORM)
        return orders

    def keep(self, *, at: datetime) -> Scored:
        """Move the clock, and let a worker that has just been started keep the scores."""
        self.market.now = at
        self.scoring = Scoring(self.book, lambda: self.market.now)
        return self.scoring.keep()

    def score(self, day: date) -> Score | None:
        return dict(self.book.of_day(0, day)).get("oak")

    def points(self, day: date) -> int | None:
        score = self.score(day)
        return of_hundred(score) // 10_000 if score else None


@pytest.fixture
def board(tmp_path):
    board = Scoreboard(tmp_path)
    yield board
    board.market.check()
    board.market.database.close()


def noon(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


def test_a_day_is_kept_when_it_is_over_and_once(board):
    board.sell(10)
    assert board.keep(at=noon(7, 8)) == Scored()
    assert board.keep(at=noon(7, 9)) == Scored(days=1)
    assert board.points(JULY_8) == 100_00
    assert board.keep(at=noon(7, 9)) == Scored()
    assert board.keep(at=noon(7, 12)) == Scored(days=3)


def test_a_worker_that_goes_on_looks_once_a_day_though_there_is_nothing_to_keep(board):
    board.market.now = noon(7, 9)
    assert (board.scoring.keep(), board.scoring.keep()) == (Scored(), Scored())
    board.sell(1, ended=-DAY)
    assert board.scoring.keep() == Scored()


def test_an_open_dispute_weighs_from_the_day_it_is_opened(board):
    orders = board.sell(10)
    board.market.now += DAY
    board.market.open(orders[0], "damaged", "40.00")
    board.keep(at=noon(7, 11))
    score = board.score(date(2026, 7, 10))
    assert score
    assert (score.pending, score.parts["snad"]) == (1, 0)
    assert [board.points(date(2026, 7, day)) for day in (8, 9)] == [100_00, 62_50]


def test_when_the_buyer_withdraws_the_days_of_a_month_not_yet_graded_are_as_if_nothing_had_been(board):
    orders = board.sell(10)
    dispute = board.market.open(orders[0], "damaged", "40.00")
    board.keep(at=noon(7, 12))
    assert board.points(JULY_8) == 62_50
    board.market.accept(d.Withdraw(dispute=dispute), BUYER)
    board.keep(at=noon(7, 13))
    assert [board.points(date(2026, 7, day)) for day in (8, 9, 12)] == [100_00, 100_00, 100_00]


def test_what_an_appeal_lifts_stays_in_the_days_before_and_is_gone_from_the_next_day_on(board):
    orders = board.sell(10)
    dispute = board.market.open(orders[0], "delivered_not_received", "40.00")
    board.market.accept(d.Accept(dispute=dispute), SELLER)
    board.market.work()
    board.market.now = noon(7, 10)
    board.market.accept(d.FileAppeal(dispute=dispute, about="fault"), SELLER)
    board.market.accept(d.Rule(dispute=dispute, finding="justified", reason="carrier"), SENIOR)
    board.keep(at=noon(7, 13))
    assert [board.points(date(2026, 7, day)) for day in (8, 10, 11, 12)] == [62_50, 62_50, 100_00, 100_00]


def test_a_day_on_which_nothing_is_left_to_score_is_taken_away(board):
    dispute = board.market.open(board.market.order(), "damaged", "40.00")
    board.keep(at=noon(7, 10))
    assert board.score(JULY_8)
    board.market.accept(d.Withdraw(dispute=dispute), BUYER)
    board.sell(1)
    board.keep(at=noon(7, 12))
    assert (board.score(JULY_8), board.points(date(2026, 7, 10))) == (None, 100_00)


def test_a_store_that_nothing_happened_to_keeps_the_days_it_has(board):
    board.sell(10)
    board.keep(at=noon(7, 10))
    board.market.database.connection.execute("UPDATE scores SET weight=weight")
    before = board.market.database.connection.execute("SELECT day, position FROM scores ORDER BY day").fetchall()
    board.market.top_up("1.00")
    board.keep(at=noon(7, 11))
    after = board.market.database.connection.execute("SELECT day, position FROM scores ORDER BY day").fetchall()
    assert after[:-1] == before
    assert after[-1][1] > before[-1][1]


def test_a_month_is_graded_on_the_third_with_the_mean_of_its_days(board):
    board.sell(10)
    board.keep(at=noon(8, 2))
    assert board.book.grades_of(0, "oak") == []
    assert board.keep(at=noon(8, 3)).grades == 1
    (grade,) = board.book.grades_of(0, "oak")
    assert (grade.month, grade.days, grade.score, grade.grade) == (date(2026, 7, 1), 24, 100 * POINT, "excellent")


def test_the_mean_is_over_the_days_that_were_graded(board):
    orders = board.sell(10)
    board.market.now = noon(7, 20)
    board.market.open(orders[0], "delivered_not_received", "40.00")
    board.keep(at=noon(8, 3))
    (grade,) = board.book.grades_of(0, "oak")
    assert [board.points(date(2026, 7, day)) for day in (19, 20)] == [100_00, 62_50]
    assert (grade.days, grade.score) == (24, (12 * 100 * POINT + 12 * 62_500000) // 24)
    assert grade.grade == "good"


def test_a_graded_month_stays_as_it_was_known_then(board):
    orders = board.sell(10)
    dispute = board.market.open(orders[0], "poor_quality", "40.00")
    board.keep(at=noon(8, 3))
    before = (board.points(JULY_8), board.book.grades_of(0, "oak"))
    board.market.accept(d.Rule(dispute=dispute, finding="unjustified", reason="disclosed"), AGENT, at=noon(7, 12))
    board.keep(at=noon(8, 4))
    assert (board.points(JULY_8), board.book.grades_of(0, "oak")) == before
    assert board.points(date(2026, 8, 1)) == 100_00


def test_a_run_that_ended_before_it_graded_is_made_up_for(board):
    board.sell(10)
    board.keep(at=noon(8, 3))
    board.market.database.connection.execute("DELETE FROM grades")
    assert board.keep(at=noon(8, 4)).grades == 1


def test_a_month_in_which_nobody_had_orders_enough_for_a_grade_is_closed_all_the_same(board):
    dispute = board.market.open(board.market.order(), "damaged", "40.00")
    board.keep(at=noon(8, 3))
    ruled = d.Rule(dispute=dispute, finding="unjustified", reason="disclosed")
    board.market.accept(ruled, AGENT, at=noon(7, 12))
    board.sell(1)
    board.keep(at=noon(8, 4))
    assert board.score(JULY_8).pending == 1
    assert board.score(date(2026, 8, 1)) is None


def test_days_and_months_are_those_of_the_programmes_zone(tmp_path):
    board = Scoreboard(tmp_path, programme=standard(zone="Asia/Shanghai"))
    board.sell(10, ended=timedelta(hours=5))  # 17:00 UTC on the 8th is 01:00 on the 9th there
    board.keep(at=noon(7, 8) + timedelta(hours=28))
    assert (board.score(JULY_8), board.points(date(2026, 7, 9))) == (None, 100_00)
    assert board.keep(at=datetime(2026, 8, 2, 15, 59, tzinfo=UTC)).grades == 0
    assert board.keep(at=datetime(2026, 8, 2, 16, 1, tzinfo=UTC)).grades == 1
    board.market.database.close()


def test_a_worker_that_was_away_for_months_makes_up_for_all_of_them(board):
    board.sell(10)
    board.keep(at=noon(7, 10))
    assert board.keep(at=noon(9, 20)).grades == 2
    assert [grade.month.month for grade in board.book.grades_of(0, "oak")] == [7, 8]
    assert board.points(date(2026, 8, 7)) == 100_00


def test_the_first_run_on_an_older_database_begins_with_the_month_before(board):
    board.sell(10, ended=-20 * DAY)
    board.keep(at=noon(7, 9))
    assert board.book.kept(0).first == date(2026, 6, 18)
    assert [grade.month.month for grade in board.book.grades_of(0, "oak")] == [6]


def test_the_sellers_turns_and_the_platforms_ruling_stand_on_the_record(board):
    orders = board.sell(10)
    dispute = board.market.open(orders[0], "delivered_not_received", "40.00")
    board.market.accept(d.Reject(dispute=dispute, reason="proof"), SELLER)
    board.market.accept(d.Escalate(dispute=dispute), BUYER)
    board.market.accept(d.Rule(dispute=dispute, finding="justified", reason="no_proof"), AGENT)
    board.market.work()
    board.keep(at=noon(7, 9))
    score = board.score(JULY_8)
    assert score
    rates = {name: (rate.n, rate.of) for name, rate in score.rates.items()}
    assert rates == {
        "dispute": (1, 10),
        "inr": (1, 10),
        "snad": (0, 10),
        "adjudication": (1, 10),
        "liability": (1, 10),
        "guarantee": (0, 10),
        "uncompleted": (0, 10),
        "answers": (1, 1),
    }


def test_a_deal_that_the_seller_called_off_and_what_buyers_rate_stand_there_too(board):
    orders = board.sell(10)
    for order, stars in zip(orders[:2], (5, 4), strict=True):
        fact = o.Rated(order=order, at=board.market.now, description=stars, service=5, logistics=5)
        board.market.accept(fact, PLATFORM)
    by = {"seller": 1, "buyer": 0, "platform": 0}
    for party in by:
        cancelled = o.Cancelled(order=board.market.order(delivered=False), at=board.market.now, party=party)
        board.market.accept(cancelled, PLATFORM)
    board.keep(at=noon(7, 9))
    score = board.score(JULY_8)
    assert score
    assert (score.rates["uncompleted"].n, score.ratings) == (1, (2, 9, 10, 10))


def test_opening_a_dispute_writes_one_line_and_what_does_not_change_it_writes_none(board):
    order = board.market.order()
    connection = board.market.database.connection

    def writes(command: Any, by: Any) -> int:
        log: list[str] = []
        connection.set_trace_callback(log.append)
        board.market.accept(command, by)
        connection.set_trace_callback(None)
        return sum("tallies" in line and "INSERT" in line for line in log)

    claim = d.OpenDispute(order=order, lines=(("1", 1),), reason="damaged", amount=4000)
    assert writes(claim, BUYER) == 1
    (dispute,) = [number for (number,) in connection.execute("SELECT dispute_id FROM tallies")]
    assert writes(d.WriteMessage(dispute=dispute, message="hello"), BUYER) == 0
    assert writes(d.Withdraw(dispute=dispute), BUYER) == 1
