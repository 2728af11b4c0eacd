"""Would it have paid for a store to be in the guarantee? Its last days as they were, once inside and once outside."""

from bisect import bisect
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from math import exp, factorial
from random import Random
from typing import Literal

from msgspec import Struct, structs

from houbao.core import money
from houbao.core.acts import DisputeOpened
from houbao.core.calendars import zone_of
from houbao.core.disputes import funding_of
from houbao.core.orders import Order
from houbao.core.policy import Policy, Rule
from houbao.core.programme import Programme
from houbao.core.rulings import caps_of, compile_policy
from houbao.core.score import Score, of_hundred, score_on, standing
from houbao.core.tallies import Tally
from houbao.engine.past import DisputeStory, StorePast

DRAWS, SEED = 2000, 7
WORK = 4_000_000
"""Draws × disputes at most."""

LEVEL = 0.9
FEWEST = 5
"""With fewer disputes there is nothing to tell by."""

METHOD = (
    "Poisson bootstrap over the disputes (2,000 draws, seed 7; fewer for very many disputes): 90 % percentile interval"
)
CANNOT_KNOW = (
    "Buyers and sellers did what they did: a store that need not answer settles less by itself.",
    "What a dispute ended with is taken as it was; the platform may find otherwise than the seller agreed.",
    "What a bank took back of a payment is borne either way, and in neither sum.",
    "The interval is about chance in the disputes, not about days that will be unlike these.",
)

Verdict = Literal["pays", "costs", "open", "too_few"]


class Balance(Struct, frozen=True):
    """In one currency (minor units): what the store bears of refunds outside and inside, the premium inside, and what
    being inside saves (below zero: costs), from `low` to `high`."""

    outside: int
    inside: int
    premium: int
    saves: int
    low: int
    high: int


class Standing(Struct, frozen=True):
    """Score of 100 (millionths of a point), grade and weight in the search (ten-thousandths); None without a record."""

    score: int | None
    grade: str
    weight: int | None


class Advice(Struct):
    """What joining would have meant. `guaranteed`: disputes that the guarantee would settle, of `disputes` that have
    ended; `open` ones are in no sum. `handed`: of 1,000 disputes that the platform verified lately, those that were
    handed to their seller; by that much a guaranteed refund is still taken to be borne."""

    store: str
    programme: str
    mode: str
    policy: str
    member: bool
    watched: bool
    since: datetime
    until: datetime
    orders: int
    disputes: int
    open: int
    guaranteed: int
    handed: int
    balances: dict[str, Balance]
    outside: Standing
    inside: Standing
    verdict: Verdict
    method: str = METHOD
    cannot_know: Sequence[str] = CANNOT_KNOW


class _Case(Struct):
    """One dispute: its currency, and what the store bears of it outside and inside."""

    dispute: int
    currency: str
    outside: int
    inside: int
    guaranteed: bool


def advise(past: StorePast, now: datetime, days: int) -> Advice:
    """What the last `days` would have been for the store. The policy is the one in force now."""
    policy, programme = past.policy, past.programme
    since = now - timedelta(days=days)
    ended = [story for story in past.disputes if story.dispute.phase == "closed"]
    handed = past.handed * 1000 // past.verified if past.verified else 0
    cases = [_case(story, policy, programme, handed) for story in ended if isinstance(story.began, DisputeOpened)]
    paid = [order for order in past.orders if order.paid_at and order.paid_at >= since]
    balances = _balances(cases, paid, policy, programme)
    outside, inside = _standings(past, cases, now)
    main = balances.get(programme.currency)
    return Advice(
        store=past.store.id,
        programme=programme.name,
        mode=programme.mode,
        policy=policy.version,
        member=bool(past.store.enrolments) and past.store.enrolments[-1].left is None,
        watched=past.store.watch is not None,
        since=since,
        until=now,
        orders=len(paid),
        disputes=len(cases),
        open=len(past.disputes) - len(ended),
        guaranteed=sum(case.guaranteed for case in cases),
        handed=handed,
        balances=balances,
        outside=outside,
        inside=inside,
        verdict=_verdict(main, len(cases)),
    )


def _verdict(main: Balance | None, disputes: int) -> Verdict:
    if disputes < FEWEST or main is None:
        return "too_few"
    return "pays" if main.low > 0 else "costs" if main.high < 0 else "open"


def _case(story: DisputeStory, policy: Policy, programme: Programme, handed: int) -> _Case:
    dispute, opened = story.dispute, story.began
    assert isinstance(opened, DisputeOpened)
    compiled = compile_policy(policy, dispute.currency)
    facts = structs.replace(opened.facts, store_watch="none")
    inside = compiled.match(structs.replace(facts, covered=True))
    outside = compiled.match(structs.replace(facts, covered=False))
    pays = dict(funding_of(dispute))
    whole, own = sum(pays.values()), pays.get("seller", 0)
    covers = inside.payer == "fund" and _is_covered_currency(dispute.currency, programme)
    if story.coverage.covered:
        borne_outside = whole if outside.payer == "seller" else own
        borne_inside = own
    else:
        borne_outside = own
        borne_inside = whole * handed // 1000 if covers else own
    if covers and programme.mode == "deposit":
        borne_inside = whole  # the deposit is the store's own money
    elif covers and policy.limits.over == "hand_over" and not story.coverage.covered:
        limit = caps_of(policy.limits, dispute.currency).per_dispute
        borne_inside += max(0, whole - limit) if limit is not None else 0
    return _Case(dispute.id, dispute.currency, borne_outside, borne_inside, covers and _settles(inside))


def _is_covered_currency(currency: str, programme: Programme) -> bool:
    return currency == programme.currency or currency in programme.also_covers


def _settles(rule: Rule) -> bool:
    return rule.route in ("verify", "instant")


# --- money -----------------------------------------------------------------------------------------------------------


def _balances(
    cases: Sequence[_Case], orders: Iterable[Order], policy: Policy, programme: Programme
) -> dict[str, Balance]:
    premiums: dict[str, int] = {}
    for order in orders:
        own = _premium(order, policy, programme)
        premiums[order.currency] = premiums.get(order.currency, 0) + own
    balances: dict[str, Balance] = {}
    for currency in sorted({*premiums, *(case.currency for case in cases)}):
        mine = [case for case in cases if case.currency == currency]
        premium = premiums.get(currency, 0)
        outside, inside = sum(case.outside for case in mine), sum(case.inside for case in mine)
        low, high = _interval([case.outside - case.inside for case in mine])
        saves = outside - inside - premium
        balances[currency] = Balance(outside, inside, premium, saves, low - premium, high - premium)
    return balances


def _premium(order: Order, policy: Policy, programme: Programme) -> int:
    """The premium of an order inside; what it was where it paid one."""
    if programme.mode != "premium" or not _is_covered_currency(order.currency, programme):
        return 0
    paid = sum(payment.minor for payment in order.payments)
    return order.premium or min(money.part(paid, policy.premium, 1000), paid - order.commission)


_CHANCES = [*accumulate(exp(-1) / factorial(n) for n in range(12))]
"""The chance that a dispute is drawn so many times, or fewer (Poisson with mean 1)."""


def _interval(savings: Sequence[int]) -> tuple[int, int]:
    """Between which figures the sum may lie by chance: each dispute is drawn 0, 1, 2 … times."""
    moving = [saving for saving in savings if saving]
    if not moving:
        return 0, 0
    dice, draws = Random(SEED), min(DRAWS, max(200, WORK // len(moving)))
    sums = sorted(sum(saving * bisect(_CHANCES, dice.random()) for saving in moving) for _ in range(draws))
    tail = (1 - LEVEL) / 2
    return sums[int(tail * draws)], sums[min(draws - 1, int((1 - tail) * draws))]


# --- the record ------------------------------------------------------------------------------------------------------


def _standings(past: StorePast, cases: Iterable[_Case], now: datetime) -> tuple[Standing, Standing]:
    """Today's score outside and inside. Inside, what the guarantee settles weighs on the weight in the search."""
    zone = zone_of(past.programme.zone) or UTC
    guaranteed = {case.dispute for case in cases if case.guaranteed}
    found: list[Standing] = []
    for within in (False, True):
        tallies = [_as_if(tally, within and tally.dispute in guaranteed) for tally in past.lines.tallies]
        record = standing(past.lines.deals, tallies, zone)
        found.append(_stands(score_on(record, now.astimezone(zone).date(), past.policy.score)))
    return found[0], found[1]


def _as_if(tally: Tally, guaranteed: bool) -> Tally:
    return structs.replace(tally, guaranteed=guaranteed and tally.state == "counted")


def _stands(score: Score | None) -> Standing:
    return Standing(of_hundred(score), score.grade, score.weight) if score else Standing(None, "", None)
