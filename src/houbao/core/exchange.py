"""Exchange rates: exact ratios with their time and source, and amounts of one currency in another.

A rate is a fact from outside: whoever needs one copies it into the command, and what was booked by it stays booked.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from math import gcd
from zoneinfo import ZoneInfo

from houbao.core.money import DIGITS
from houbao.core.terms import Record

PIVOT = "EUR"
"""The currency that all rates of the European Central Bank are quoted against."""

OLDEST = timedelta(days=7)
"""How old a rate may be when it is used. The ECB never left a currency out for more than 5 days in the years 1999 to
2026, unless it gave it up (RUB on 2022-03-01) or stopped for years (ISK from 2008 to 2018)."""

_ECB_CLOCK, _ECB_ZONE = time(16), "Europe/Berlin"

_RATE = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?", re.ASCII)


class Rate(Record, frozen=True, kw_only=True):
    """From `published_at` on one unit of `base` is worth `numerator`/`denominator` (in lowest terms) of `quote`."""

    base: str
    quote: str
    numerator: int
    denominator: int
    published_at: datetime
    source: str


class Settlement(Record, frozen=True, kw_only=True):
    """A refund of `minor` units of `currency` out of a fund in another one: what was booked when it was approved and
    what the provider took for it, both in minor units of `fund_currency`."""

    minor: int
    currency: str
    fund_currency: str
    booked: int
    taken: int

    @property
    def difference(self) -> int:
        """What `platform:expense` adds, in minor units; below zero, what it gets."""
        return self.taken - self.booked


def ratio(base: str, quote: str, numerator: int, denominator: int, *, published_at: datetime, source: str) -> Rate:
    """The rate in lowest terms. ValueError where it is not above zero, or a currency is not one of ISO 4217."""
    for currency in (base, quote):
        if currency not in DIGITS:
            raise ValueError(f"{currency!r} is not an ISO 4217 currency")
    if base == quote or numerator <= 0 or denominator <= 0:
        raise ValueError(f"{numerator}/{denominator} is no rate of {base} in {quote}")
    common = gcd(numerator, denominator)
    return Rate(
        base=base,
        quote=quote,
        numerator=numerator // common,
        denominator=denominator // common,
        published_at=published_at,
        source=source,
    )


def parse_rate(base: str, quote: str, text: str, *, published_at: datetime, source: str) -> Rate:
    """The rate written as a decimal, exactly: one EUR in BRL, "4.6279". ValueError says what is wrong."""
    match = _RATE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a rate: write it like 4.6279, with at most 9 digits on either side")
    whole, rest = match[1], match[2] or ""
    return ratio(base, quote, int(whole + rest), 10 ** len(rest), published_at=published_at, source=source)


def ecb_counts_from(day: date) -> datetime:
    """From when on (UTC) the European Central Bank's rate of a day counts: 16:00 in Frankfurt, when it is published."""
    return datetime.combine(day, _ECB_CLOCK, ZoneInfo(_ECB_ZONE)).astimezone(UTC)


def inverse(rate: Rate) -> Rate:
    """The same rate the other way round."""
    return ratio(
        rate.quote,
        rate.base,
        rate.denominator,
        rate.numerator,
        published_at=rate.published_at,
        source=rate.source,
    )


def cross(one: Rate, other: Rate) -> Rate:
    """From two rates of the same base, the first's quote in the second's: EUR in BRL and EUR in USD give BRL in USD.

    It counts from when both did. ValueError where the bases differ.
    """
    if one.base != other.base:
        raise ValueError(f"rates of {one.base} and of {other.base} do not cross")
    return ratio(
        one.quote,
        other.quote,
        other.numerator * one.denominator,
        other.denominator * one.numerator,
        published_at=max(one.published_at, other.published_at),
        source=one.source if one.source == other.source else f"{one.source}, {other.source}",
    )


def rate_at(rates: Iterable[Rate], base: str, quote: str, at: datetime, *, oldest: timedelta = OLDEST) -> Rate | None:
    """The last rate of `base` in `quote` published by `at`, turned round or by way of EUR where it must be.

    None where there is none, or only such as are older than `oldest`. The two currencies are different ones.
    """
    known = [rate for rate in rates if at - oldest <= rate.published_at <= at]
    direct = _last(known, base, quote)
    if direct:
        return direct
    one, other = _last(known, PIVOT, base), _last(known, PIVOT, quote)
    return cross(one, other) if one and other and base != quote else None


def _last(rates: list[Rate], base: str, quote: str) -> Rate | None:
    fitting = [rate for rate in rates if {rate.base, rate.quote} == {base, quote}]
    if not fitting:
        return None
    last = max(fitting, key=lambda rate: (rate.published_at, rate.source))
    return last if last.base == base else inverse(last)


def convert(minor: int, currency: str, to: str, rate: Rate) -> int:
    """`minor` units (≥ 0) of `currency` in minor units of `to`, rounded half up; the rate may be either way round.

    It can be 0, where `to` has no unit as small. ValueError where the rate is one of other currencies.
    """
    if minor < 0:
        raise ValueError(f"{minor} is below zero")
    if (rate.base, rate.quote) == (currency, to):
        numerator, denominator = rate.numerator, rate.denominator
    elif (rate.quote, rate.base) == (currency, to):
        numerator, denominator = rate.denominator, rate.numerator
    else:
        raise ValueError(f"a rate of {rate.base} in {rate.quote} turns no {currency} into {to}")
    above = minor * numerator * 10 ** DIGITS[to]
    below = denominator * 10 ** DIGITS[currency]
    return (2 * above + below) // (2 * below)


def settle(minor: int, currency: str, fund_currency: str, *, approved: Rate, settled: Rate) -> Settlement:
    """A refund booked by the rate of its approval and settled by the provider's, beside each other."""
    return Settlement(
        minor=minor,
        currency=currency,
        fund_currency=fund_currency,
        booked=convert(minor, currency, fund_currency, approved),
        taken=convert(minor, currency, fund_currency, settled),
    )
