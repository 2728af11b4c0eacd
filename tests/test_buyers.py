"""The demonstration's buyers confirm and rate after delivery, and a real review is the rating of the description."""

from datetime import timedelta

import pytest

from feeds.test_olist import review, write
from houbao.core.orders import Cancelled, ConfirmationTimedOut, Confirmed, Delivered, Rated
from houbao.demo.buyers import TIME_TO_CONFIRM, lived
from houbao.demo.play import height
from houbao.demo.players import Dice
from houbao.feeds.generated import generate
from houbao.feeds.olist import read


@pytest.mark.parametrize("stars", [1, 4])
def test_a_real_review_is_the_rating_of_the_description(tmp_path, stars):
    (sold,) = read(
        write(tmp_path, reviews=[review(review_score="2"), review(review_id="r2", review_score=f"{stars}")])
    )[0]
    assert sold.stars == stars
    (rated,) = [fact for fact in lived(Dice(7), sold).facts if isinstance(fact, Rated)]
    assert rated.description == stars


def test_every_delivered_order_ends_and_its_facts_stand_in_time_order():
    for sold in (lived(Dice(7), one) for one in generate(300, 7)):
        kinds = [type(fact) for fact in sold.facts]
        assert [fact.at for fact in sold.facts] == sorted(fact.at for fact in sold.facts)
        assert (Delivered in kinds) == any(kind in kinds for kind in (Confirmed, ConfirmationTimedOut))
        assert Rated not in kinds or (Delivered in kinds and Cancelled not in kinds)
        if sold.complaint and Delivered in kinds:
            assert kinds.index(ConfirmationTimedOut) == kinds.index(Delivered) + 1
            assert sold.facts[kinds.index(ConfirmationTimedOut)].at - TIME_TO_CONFIRM in [x.at for x in sold.facts]


def test_scores_are_taken_thirty_days_after_the_busiest_thirty():
    orders = generate(300, 7)
    end = height(orders) - timedelta(days=30)
    placed = [order.place.at for order in orders]

    def within(last):
        return sum(last - timedelta(days=30) <= at <= last for at in placed)

    assert within(end) == max(map(within, placed))
