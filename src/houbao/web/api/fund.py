"""The fund: how it stands, what comes in, what goes round."""

import asyncio
from typing import Any

from msgspec import Struct

from houbao.core.fund import MoveCash, TopUp, unknown_provider
from houbao.core.money import Money
from houbao.core.terms import Refused
from houbao.store import funds, queries
from houbao.web.api import bodies
from houbao.web.api.previews import PreviewView, previewed
from houbao.web.callers import own_actor
from houbao.web.operation import Answer, Ask, operation
from houbao.web.site import PART


class FundView(Struct, kw_only=True):
    """The fund in one currency: capital, premiums, backstop and deposits + back − out = available + reserved. `waiting`
    refunds wait for money, of `waiting_amount` in all; the first in line takes `waiting_first`."""

    currency: str
    available: Money
    reserved: Money
    capital: Money
    premiums: Money
    backstop: Money
    deposits: Money
    out: Money
    back: Money
    waiting: int
    waiting_amount: Money
    waiting_first: Money


class Funds(Struct):
    """The fund, in every currency that it holds."""

    data: list[FundView]


def _view(fund: funds.Fund) -> FundView:
    def money(minor: int) -> Money:
        return Money(minor, fund.currency)

    names = ("available", "reserved", "capital", "premiums", "backstop", "deposits", "out", "back")
    return FundView(
        currency=fund.currency,
        **{name: money(getattr(fund, name)) for name in names},
        waiting=fund.waiting,
        waiting_amount=money(fund.waiting_minor),
        waiting_first=money(fund.waiting_first),
    )


def _funds(ask: Ask[Any, Any]) -> Funds:
    """How the fund stands. It walks all of its history: not on the event loop."""
    with ask.site.snapshot() as reading:
        return Funds([_view(fund) for fund in funds.fund(reading, PART)])


@operation("GET", "/v1/fund", action="fund.read", reply=Funds)
def read_fund(ask: Ask[Any, Any]) -> Funds:
    """How the fund stands."""
    return _funds(ask)


@operation(
    "POST",
    "/v1/fund/top-ups",
    action="fund.move",
    body=bodies.AmountBody,
    reply=Funds,
    status=201,
    also={200: PreviewView},
    refuses=("bad_currency", "bad_amount", "key_reused"),
    example={"amount": {"minor": 100000, "currency": "EUR"}},
    previews=True,
)
async def top_up(ask: Ask[bodies.AmountBody, Any]) -> Answer:
    """Capital comes in from the bank; refunds that wait for it go out, the first approved first (R5)."""
    amount = ask.body.amount
    _check_currency(ask, amount.currency)
    command = TopUp(minor=amount.minor, currency=amount.currency)
    by = own_actor(ask.caller, ("finance", "admin"))
    if ask.dry_run:
        return await previewed(ask, command, by)
    accepted = await ask.execute(command, by)
    headers = {"Idempotency-Replayed": "true"} if accepted.replayed else {}
    return Answer(await asyncio.to_thread(_funds, ask), headers=headers)


@operation(
    "POST",
    "/v1/fund/cash-moves",
    action="fund.move",
    body=bodies.CashMoveBody,
    reply=Funds,
    status=201,
    also={200: PreviewView},
    refuses=("bad_currency", "bad_amount", "unknown_provider", "naive_time", "bad_time", "key_reused"),
    example={"provider": "sandbox", "amount": {"minor": 50000, "currency": "EUR"}},
    previews=True,
)
async def move_cash(ask: Ask[bodies.CashMoveBody, Any]) -> Answer:
    """Cash goes from the bank to a provider, so that refunds can be paid there, or `back` from there to the bank."""
    amount, provider = ask.body.amount, ask.body.provider
    _check_currency(ask, amount.currency)
    if provider not in ask.site.providers:
        raise unknown_provider(provider, ask.site.providers)
    command = MoveCash(
        provider=provider, minor=amount.minor, currency=amount.currency, back=ask.body.back, at=ask.body.at
    )
    by = own_actor(ask.caller, ("finance", "admin"))
    if ask.dry_run:
        return await previewed(ask, command, by)
    accepted = await ask.execute(command, by)
    headers = {"Idempotency-Replayed": "true"} if accepted.replayed else {}
    return Answer(await asyncio.to_thread(_funds, ask), headers=headers)


def _check_currency(ask: Ask[Any, Any], currency: str) -> None:
    """`bad_currency` where no programme pays in it."""
    with ask.site.snapshot() as reading:
        known = queries.programme_currencies(reading)
    if currency not in known:
        raise Refused("bad_currency", f"no programme pays in {currency[:8]!r}, only in {', '.join(known)}")
