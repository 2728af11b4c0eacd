"""Whether being in the guarantee would have paid a store: the advice of its page and of `houbao advise`."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from msgspec import Meta, Struct

from houbao.core.money import Money
from houbao.insight import advice as told
from houbao.insight.advice import advise
from houbao.web.api.stores import found_store
from houbao.web.operation import Ask, operation

MILLION = 1_000_000


class BalanceView(Struct, kw_only=True):
    """In one currency: the refunds that the store bears outside and inside, the premium inside, and what being inside
    saves (below zero: costs), in 9 of 10 cases from `low` to `high`."""

    outside: Money
    inside: Money
    premium: Money
    saves: Money
    low: Money
    high: Money


class StandingView(Struct, kw_only=True):
    """Today's service score of 100 as an exact decimal text, its grade, the ranker's multiplier; null without a
    record."""

    score: str | None
    grade: str | None
    weight: str | None


class AdviceView(Struct, kw_only=True):
    """What the days would have been outside and inside. `guaranteed` are the disputes that the guarantee would settle,
    of `disputes` that have ended; `open` ones are in no sum. `handed`: of 1,000 disputes that the platform verified
    lately, those that were handed to their seller. `verdict` is `pays`, `costs`, `open` (too close to tell) or
    `too_few` (disputes to tell by)."""

    store_id: str
    programme: str
    mode: str
    policy_version: str
    member: bool
    watched: bool
    since: datetime
    until: datetime
    orders: int
    disputes: int
    open: int
    guaranteed: int
    handed: int
    balances: list[BalanceView]
    outside: StandingView
    inside: StandingView
    verdict: told.Verdict
    method: str
    cannot_know: list[str]


class AdviceQuery(Struct, kw_only=True):
    """How many days to look back on."""

    days: Annotated[int, Meta(ge=1, le=3650)] = 90


@operation(
    "GET",
    "/v1/stores/{store_id:str}/advice",
    action="stores.score",
    query=AdviceQuery,
    reply=AdviceView,
    refuses=("unknown_store", "unknown_programme", "no_policy"),
)
def read_advice(ask: Ask[Any, AdviceQuery]) -> AdviceView:
    """Would it have paid the store to be in the guarantee? Its last days as they were, once inside and once outside."""
    site, store, days = ask.site, ask.text("store_id"), ask.query.days
    with site.snapshot() as reading:
        found_store(reading, ask.scope, store)
    now = site.clock()
    return _view(advise(site.past(store, now - timedelta(days=days)), now, days))


def _view(advice: told.Advice) -> AdviceView:
    return AdviceView(
        store_id=advice.store,
        programme=advice.programme,
        mode=advice.mode,
        policy_version=advice.policy,
        member=advice.member,
        watched=advice.watched,
        since=advice.since,
        until=advice.until,
        orders=advice.orders,
        disputes=advice.disputes,
        open=advice.open,
        guaranteed=advice.guaranteed,
        handed=advice.handed,
        balances=[_balance(one, currency) for currency, one in advice.balances.items()],
        outside=_standing(advice.outside),
        inside=_standing(advice.inside),
        verdict=advice.verdict,
        method=advice.method,
        cannot_know=[*advice.cannot_know],
    )


def _balance(one: told.Balance, currency: str) -> BalanceView:
    return BalanceView(**{name: Money(getattr(one, name), currency) for name in one.__struct_fields__})


def _standing(one: told.Standing) -> StandingView:
    return StandingView(
        score=None if one.score is None else f"{one.score // MILLION}.{one.score % MILLION:06}",
        grade=one.grade or None,
        weight=None if one.weight is None else f"{one.weight / 10_000:.4f}",
    )
