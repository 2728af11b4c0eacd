"""Orders made from a seed: repeatable, accepted by the core, of the stated shape."""

from collections import Counter

import pytest
from msgspec import structs

from houbao.core.fulfilment import Till, decide_fact
from houbao.core.orders import Order, evolve_order
from houbao.core.placing import decide_place
from houbao.core.programme import Coverage, Store
from houbao.core.protection import protection_window
from houbao.core.terms import REASONS, Actor
from houbao.feeds.complaints import classify
from houbao.feeds.generated import REASONS_DRAWN, TEXTS, generate
from houbao.feeds.sold import SoldOrder

PLATFORM = Actor("platform")


def lived(sold: SoldOrder) -> Order:
    """The order as it stood when its complaint came, or at its end."""
    state = evolve_order(None, decide_place(False, Store(id=sold.place.store), sold.place, PLATFORM), 1)
    for position, fact in enumerate(sold.facts, start=2):
        if sold.complaint and fact.at > sold.complaint.at:
            break
        told = structs.replace(fact, order=state.id)
        state = evolve_order(state, decide_fact(state, told, Coverage(), Till(), PLATFORM, told.at), position)
    return state


def test_the_same_seed_gives_the_same_orders_and_another_seed_others() -> None:
    assert generate(200, 7) == generate(200, 7)
    assert generate(200, 7) != generate(200, 8)


@pytest.mark.parametrize("orders", [0, 1, 3])
def test_a_few_orders_are_as_many_as_asked(orders: int) -> None:
    assert len(generate(orders, 1)) == orders


def test_the_core_accepts_every_order_fact_and_complaint() -> None:
    for sold in generate(2_000, 3):
        times = [sold.place.at, *(fact.at for fact in sold.facts)]
        assert times == sorted(times)
        order = lived(sold)
        if sold.complaint:
            kind = REASONS[sold.complaint.reason]
            assert protection_window(order, kind, 15, sold.complaint.at).holds(sold.complaint.at)
            assert set(sold.complaint.lines) <= {line.id for line in sold.place.lines}
            assert 0 < sold.complaint.amount <= sum(payment.minor for payment in sold.place.payments)


def test_the_shape_is_the_stated_one() -> None:
    sold = generate(8_000, 5)
    stores = Counter(order.place.store for order in sold)
    never = sum("delivered" not in {structs_tag(fact) for fact in order.facts} for order in sold)
    complaints = [order.complaint for order in sold if order.complaint]
    assert [order.place.at for order in sold] == sorted(order.place.at for order in sold)
    assert len({order.place.reference for order in sold}) == 8_000
    assert 600 < len(stores) <= 1_000
    assert stores["store-1"] > 10 * stores["store-100"]
    assert 0.02 < never / 8_000 < 0.04
    assert 0.12 < len(complaints) / 8_000 < 0.16
    assert {complaint.reason for complaint in complaints} == set(REASONS_DRAWN) | {
        "never_shipped",
        "in_transit_overdue",
    }


def structs_tag(fact: object) -> str:
    return str(type(fact).__struct_config__.tag)


def test_the_shares_of_the_reasons_sum_to_a_hundred() -> None:
    assert sum(REASONS_DRAWN.values()) == 100


@pytest.mark.parametrize(("reason", "text"), [(reason, text) for reason, own in TEXTS.items() for text in own])
def test_each_sentence_says_its_reason_to_the_keyword_rules_too(reason: str, text: str) -> None:
    came = reason not in ("never_shipped", "in_transit_overdue")
    found, _ = classify(text, delivered=came, shipped=reason != "never_shipped", overdue=not came)
    assert found == reason
