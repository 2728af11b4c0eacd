"""Policy versions: kept for ever under their hash, in force from a time on, each for what happens from then on."""

from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from core.policies import next_policy
from given import DAY, PLATFORM, SECOND, Market, T
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core.policy import PolicyError
from houbao.core.terms import Refused
from houbao.shipped import policy_text
from houbao.store import sqlite
from houbao.store.creating import create
from houbao.store.policies import Version, keep_draft, publish_text, versions

LAUNCH = T - 100 * DAY
HOUR = timedelta(hours=1)


def published(market: Market, text: str, **given: object) -> tuple[Version, bool]:
    return publish_text(market.database, "standard", text, market.now, **given)


def listed(market: Market) -> list[tuple[str, str]]:
    return [(one.version, one.state) for one in versions(market.database.connection, market.now)]


def delivered(market: Market, *, paid: datetime) -> int:
    """An order that was paid then, and delivered an hour later."""
    order = market.order(paid=paid, shipped=False, promised=paid + 9 * DAY)
    for fact in (o.Shipped(order=order, at=paid), o.Delivered(order=order, at=paid + HOUR)):
        market.accept(fact, PLATFORM)
    return order


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def test_a_policy_is_in_force_from_the_moment_of_its_publication_unless_told_otherwise(market):
    text = next_policy()
    assert published(market, text) == (Version("2026.2", hash_of(text), "standard", T, "in_force"), True)
    assert market.database.policy_text("2026.2") == text


def test_versions_are_listed_with_their_hashes_and_times(market):
    later, last = next_policy("2026.2"), next_policy("2026.3")
    published(market, later)
    published(market, last, start=T + DAY)
    assert versions(market.database.connection, T) == [
        Version("2026.1", hash_of(policy_text()), "standard", LAUNCH, "past"),
        Version("2026.2", hash_of(later), "standard", T, "in_force"),
        Version("2026.3", hash_of(last), "standard", T + DAY, "coming"),
    ]
    market.now = T + DAY
    assert listed(market) == [("2026.1", "past"), ("2026.2", "past"), ("2026.3", "in_force")]


def test_the_same_text_again_changes_nothing_whatever_the_time(market):
    first, _ = published(market, next_policy())
    before = market.contents()
    assert published(market, next_policy()) == (first, False)
    assert published(market, next_policy(), start=T + DAY) == (first, False)
    assert market.contents() == before


def test_the_same_version_with_another_text_is_refused(market):
    before = market.contents()
    with pytest.raises(Refused) as refused:
        published(market, policy_text() + "\n")
    assert refused.value.code == "version_taken"
    assert hash_of(policy_text()) in refused.value.detail
    assert market.contents() == before


def test_a_policy_with_faults_is_not_kept(market):
    before = market.contents()
    with pytest.raises(PolicyError):
        published(market, next_policy(seller_answer='"5 days"'))
    assert market.contents() == before


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (T - SECOND, "backdated"),
        (T + DAY - SECOND, "out_of_order"),
        (T + DAY, "out_of_order"),
        (T.replace(tzinfo=None), "naive_time"),
        (T.replace(year=3000), "bad_time"),
    ],
)
def test_a_policy_never_comes_into_force_in_the_past_nor_before_one_that_was_published_earlier(market, start, code):
    published(market, next_policy(), start=T + DAY)
    before = market.contents()
    with pytest.raises(Refused) as refused:
        published(market, next_policy("2026.3"), start=start)
    assert refused.value.code == code
    assert market.contents() == before


def test_the_past_ends_where_the_last_event_was_booked_also_for_a_clock_that_went_back(market):
    market.now = T + DAY
    market.order(paid=T + DAY)
    market.now = T
    with pytest.raises(Refused) as refused:
        published(market, next_policy(), start=T + SECOND)
    assert refused.value.code == "backdated"


def test_a_version_that_no_programme_has_is_listed_as_unused(tmp_path):
    create(tmp_path / "bare.db", policy=policy_text(), programme=None, sandbox_clock=T)
    database = sqlite.SQLite(tmp_path / "bare.db")
    assert versions(database.connection, T) == [Version("2026.1", hash_of(policy_text()))]
    database.close()


# --- which version applies to what ---------------------------------------------------------------------------------


def test_coverage_and_rules_follow_the_version_in_force_at_payment_times_the_one_at_opening(market):
    start = T + DAY
    text = next_policy(verification='"2 d"').replace('["instant_sum", "at_most", "15.00"]', '["paid", "is", true]')
    published(market, text, start=start)
    market.now = start + 2 * HOUR
    before, after = delivered(market, paid=start - SECOND), delivered(market, paid=start)
    market.now = start - SECOND
    early = market.open(market.order(paid=T - 9 * DAY), "damaged", "20.00")
    market.now = start + 2 * HOUR
    old, new = (market.open(order, "damaged", "20.00", evidence=("ab" * 32,)) for order in (before, after))

    orders = [market.database.order(0, order) for order in (before, after)]
    assert [order.coverage.policy for order in orders] == ["2026.1", "2026.2"]
    assert [market.dispute(dispute).route for dispute in (old, new)] == ["verify", "instant"]
    assert d.due_at(market.dispute(early)) == start - SECOND + 14 * DAY
    assert d.due_at(market.dispute(old)) == market.now + 2 * DAY
    stored = [market.events(dispute)[0] for dispute in (early, old, new)]
    assert [(event.policy, event.rules) for event in stored] == [("2026.1", ""), ("2026.2", "2026.1"), ("2026.2", "")]


def test_a_dispute_that_was_opened_before_keeps_its_times(market):
    dispute = market.open(market.order(), "damaged", "40.00")
    published(market, next_policy(seller_answer='"1 d"'), start=T + DAY)
    market.go(T + 2 * DAY)
    market.rule(dispute, "out_of_scope", "counterfeit")
    market.work()
    assert d.due_at(market.dispute(dispute)) == T + 7 * DAY


# --- drafts --------------------------------------------------------------------------------------------------------


def test_nothing_goes_by_a_draft_until_it_is_published(market):
    text = next_policy("2026.2")
    keep_draft(market.database, text)
    assert listed(market) == [("2026.1", "in_force"), ("2026.2", "unused")]
    assert market.dispute(market.open(market.order(), "damaged", "40.00")).policy == "2026.1"
    assert published(market, text)[1] is True
    assert listed(market) == [("2026.1", "past"), ("2026.2", "in_force")]
    market.check()


@pytest.mark.parametrize("keep", [keep_draft, lambda database, text: publish_text(database, "standard", text, T)])
def test_another_text_takes_the_place_of_a_draft(market, keep):
    first = next_policy("2026.2")
    second = f"{first}# mended\n"
    keep_draft(market.database, first)
    keep(market.database, second)
    assert market.database.policy_text("2026.2") == second
    market.check()


@pytest.mark.parametrize("start", [None, T + DAY])
def test_a_draft_takes_the_place_of_nothing_that_was_published(market, start):
    text = next_policy("2026.2")
    published(market, text, start=start)
    before = market.contents()
    for taken in (f"{text}# another\n", f"{policy_text()}# another\n"):
        with pytest.raises(Refused) as refused:
            keep_draft(market.database, taken)
        assert refused.value.code == "version_taken"
    keep_draft(market.database, text)  # the same text again
    assert market.contents() == before
