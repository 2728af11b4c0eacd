"""Rates are exact ratios: found by their time, crossed by way of EUR, and rounded once, half up, in minor units."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from houbao.core.exchange import (
    Rate,
    convert,
    cross,
    ecb_counts_from,
    inverse,
    parse_rate,
    rate_at,
    ratio,
    settle,
)
from houbao.core.money import DIGITS, LARGEST

FRIDAY, MONDAY = date(2018, 7, 6), date(2018, 7, 9)
SUNDAY_NOON = datetime(2018, 7, 8, 12, tzinfo=UTC)


def ecb(quote: str, text: str, day: date = FRIDAY, base: str = "EUR") -> Rate:
    return parse_rate(base, quote, text, published_at=ecb_counts_from(day), source="ECB")


def worth(rate: Rate) -> Fraction:
    return Fraction(rate.numerator, rate.denominator)


PUBLISHED = [ecb("BRL", "4.5564", MONDAY), ecb("BRL", "4.6279"), ecb("USD", "1.1724"), ecb("JPY", "129.65")]

amounts = st.integers(0, LARGEST)
currencies = st.sampled_from(sorted(set(DIGITS) - {"EUR"}))
parts = st.integers(1, 10**9)


def in_euros(quote: str, numerator: int, denominator: int) -> Rate:
    return ratio("EUR", quote, numerator, denominator, published_at=SUNDAY_NOON, source="ECB")


rates = st.builds(in_euros, currencies, parts, parts)


# --- reading -------------------------------------------------------------------------------------------------------


def test_a_rate_is_read_exactly_and_kept_in_lowest_terms():
    assert worth(ecb("BRL", "4.6279")) == Fraction(46279, 10000)
    assert ecb("BRL", "4.50") == ecb("BRL", "4.5")
    assert (ecb("BRL", "4.50").numerator, ecb("BRL", "4.50").denominator) == (9, 2)


@pytest.mark.parametrize("text", ["", "N/A", "0", "0.000", "-1", "1,5", "1e3", "1.", ".5", "1.0000000001", "٤", " 1.5"])
def test_what_is_no_rate_is_said(text: str):
    with pytest.raises(ValueError, match="rate"):
        ecb("BRL", text)


@pytest.mark.parametrize("quote", ["XXX", "eur", "", "EUR"])
def test_a_rate_needs_two_currencies(quote: str):
    with pytest.raises(ValueError):
        ecb(quote, "1.5")


# --- finding -------------------------------------------------------------------------------------------------------


def test_a_days_rate_counts_from_16_00_in_frankfurt_summer_and_winter():
    assert ecb_counts_from(FRIDAY) == datetime(2018, 7, 6, 14, tzinfo=UTC)
    assert ecb_counts_from(date(2018, 12, 6)) == datetime(2018, 12, 6, 15, tzinfo=UTC)


def test_on_a_sunday_the_rate_of_friday_counts_until_mondays_is_published():
    monday = ecb_counts_from(MONDAY)
    assert rate_at(PUBLISHED, "EUR", "BRL", SUNDAY_NOON) == ecb("BRL", "4.6279")
    assert rate_at(PUBLISHED, "EUR", "BRL", monday - timedelta(microseconds=1)) == ecb("BRL", "4.6279")
    assert rate_at(PUBLISHED, "EUR", "BRL", monday) == ecb("BRL", "4.5564", MONDAY)
    assert rate_at(PUBLISHED, "BRL", "EUR", monday) == inverse(ecb("BRL", "4.5564", MONDAY))


def test_before_the_first_rate_there_is_none():
    assert rate_at(PUBLISHED, "EUR", "BRL", ecb_counts_from(FRIDAY) - timedelta(seconds=1)) is None
    assert rate_at(PUBLISHED, "EUR", "CHF", SUNDAY_NOON) is None
    assert rate_at([], "EUR", "BRL", SUNDAY_NOON) is None


def test_a_rate_that_was_given_up_is_not_used_for_ever():
    last = ecb("RUB", "117.201", date(2022, 3, 1))
    assert rate_at([last], "EUR", "RUB", last.published_at + timedelta(days=7)) == last
    assert rate_at([last], "EUR", "RUB", last.published_at + timedelta(days=7, seconds=1)) is None
    assert rate_at([last], "EUR", "RUB", last.published_at + timedelta(days=30), oldest=timedelta(days=30)) == last


def test_other_pairs_cross_by_way_of_the_euro():
    rate = rate_at(PUBLISHED, "BRL", "JPY", ecb_counts_from(MONDAY))
    assert rate is not None
    assert worth(rate) == Fraction("129.65") / Fraction("4.5564")
    assert (rate.base, rate.quote, rate.source) == ("BRL", "JPY", "ECB")
    # A cross rate counts from when both of its rates did.
    assert rate.published_at == ecb_counts_from(MONDAY)
    assert rate_at(PUBLISHED, "BRL", "CHF", SUNDAY_NOON) is None
    assert rate_at(PUBLISHED, "BRL", "BRL", SUNDAY_NOON) is None


@given(rates, rates)
def test_a_cross_rate_is_the_exact_quotient(one: Rate, other: Rate):
    if one.quote != other.quote:
        assert worth(cross(one, other)) == worth(other) / worth(one)
        assert cross(other, one) == inverse(cross(one, other))


def test_rates_of_different_bases_do_not_cross():
    with pytest.raises(ValueError, match="do not cross"):
        cross(ecb("BRL", "4.6279"), ecb("CHF", "0.9923", base="USD"))


# --- converting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minor", "currency", "to", "rate", "gives"),
    [
        (10000, "BRL", "EUR", "4.6279", 2161),
        (2161, "EUR", "BRL", "4.6279", 10001),
        # 1 JPY has no smaller unit, 1 KWD has a thousand.
        (100, "EUR", "JPY", "129.65", 130),
        (130, "JPY", "EUR", "129.65", 100),
        (100, "EUR", "KWD", "0.3549", 355),
        (1, "KWD", "EUR", "0.3549", 0),
        (2, "KWD", "EUR", "0.3549", 1),
        # Half a unit is rounded up, less is not.
        (100, "EUR", "JPY", "0.5", 1),
        (100, "EUR", "JPY", "0.4999", 0),
        (300, "EUR", "JPY", "0.5", 2),
        (0, "EUR", "BRL", "4.6279", 0),
    ],
)
def test_amounts_are_rounded_half_up_in_each_currencys_own_digits(minor, currency, to, rate, gives):
    other = to if currency == "EUR" else currency
    assert convert(minor, currency, to, ecb(other, rate)) == gives


@given(amounts, rates)
def test_a_converted_amount_is_half_a_unit_away_from_the_exact_one_at_most(minor: int, rate: Rate):
    exact = minor * worth(rate) * Fraction(10 ** DIGITS[rate.quote], 10 ** DIGITS["EUR"])
    assert -Fraction(1, 2) < convert(minor, "EUR", rate.quote, rate) - exact <= Fraction(1, 2)
    assert convert(minor, "EUR", rate.quote, rate) == convert(minor, "EUR", rate.quote, inverse(rate))


@given(amounts, amounts, rates)
def test_more_is_never_worth_less(one: int, other: int, rate: Rate):
    less, more = sorted((one, other))
    assert convert(less, rate.quote, "EUR", rate) <= convert(more, rate.quote, "EUR", rate)


def test_what_cannot_be_converted_is_said():
    with pytest.raises(ValueError, match="below zero"):
        convert(-1, "BRL", "EUR", ecb("BRL", "4.6279"))
    with pytest.raises(ValueError, match="turns no USD into EUR"):
        convert(1, "USD", "EUR", ecb("BRL", "4.6279"))


# --- settling ------------------------------------------------------------------------------------------------------


def test_what_the_provider_took_beyond_what_was_booked_is_the_platforms_expense():
    settled = settle(10000, "BRL", "EUR", approved=ecb("BRL", "4.6279"), settled=ecb("BRL", "4.5564", MONDAY))
    assert (settled.booked, settled.taken, settled.difference) == (2161, 2195, 34)


def test_what_it_took_less_comes_back():
    settled = settle(10000, "BRL", "EUR", approved=ecb("BRL", "4.5564"), settled=ecb("BRL", "4.6279", MONDAY))
    assert settled.difference == -34


@given(amounts, rates, parts, parts)
def test_booked_and_difference_sum_to_what_was_taken(minor: int, approved: Rate, above: int, below: int):
    settled = in_euros(approved.quote, above, below)
    done = settle(minor, approved.quote, "EUR", approved=approved, settled=settled)
    assert done.booked + done.difference == done.taken == convert(minor, approved.quote, "EUR", settled)
