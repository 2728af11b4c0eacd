"""Money is whole minor units: split without loss, written and read back exactly, with the digits that ISO 4217 says."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from houbao.core.money import DIGITS, LARGEST, Money, decimal, parse, split

ISO = Path(__file__).parents[2].parent / "shared" / "data" / "rates" / "iso4217_table.xml"

amounts = st.integers(min_value=0, max_value=LARGEST)
weights = st.lists(st.integers(min_value=0, max_value=LARGEST), min_size=1, max_size=30)


@given(amounts, weights)
def test_the_parts_of_a_split_sum_to_the_whole(total: int, by: list[int]) -> None:
    parts = split(total, by)
    assert sum(parts) == total
    assert len(parts) == len(by)
    assert min(parts) >= 0


@given(amounts, weights)
def test_no_part_is_a_whole_unit_away_from_its_exact_share(total: int, by: list[int]) -> None:
    whole = sum(by) or len(by)
    exact = by if sum(by) else [1] * len(by)
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(split(total, by), exact, strict=True))


@given(weights)
def test_what_does_not_exceed_the_weights_never_exceeds_one_of_them(by: list[int]) -> None:
    total = sum(by) * 2 // 3
    assert all(part <= weight for part, weight in zip(split(total, by), by, strict=True))


def test_the_units_left_over_go_to_the_largest_remainders_the_earlier_first() -> None:
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(10, [5, 3, 1]) == [6, 3, 1]
    assert split(5, [0, 0]) == [3, 2]
    assert split(0, [7]) == [0]


@pytest.mark.parametrize(("total", "by"), [(-1, [1]), (1, []), (1, [2, -1])])
def test_what_cannot_be_split_is_said(total: int, by: list[int]) -> None:
    with pytest.raises(ValueError, match="split needs"):
        split(total, by)


@given(st.integers(min_value=-LARGEST, max_value=LARGEST), st.sampled_from(sorted(DIGITS)))
def test_an_amount_written_out_is_read_back_exactly(minor: int, currency: str) -> None:
    text = decimal(minor, currency)
    assert parse(text, currency) == minor
    assert len(text.partition(".")[2]) == DIGITS[currency]


def test_amounts_are_read_as_people_write_them() -> None:
    assert [parse(text, "EUR") for text in ("40", "40.5", "40.", " 40.50 ", "0.05", "-0.05", "1.500")] == [
        4000,
        4050,
        4000,
        4050,
        5,
        -5,
        150,
    ]
    assert (parse("1000", "JPY"), parse("1.234", "KWD"), decimal(-5, "EUR")) == (1000, 1234, "-0.05")
    assert str(Money(4000, "EUR")) == "40.00 EUR"


@pytest.mark.parametrize(
    ("text", "currency"),
    [("0.005", "EUR"), ("1.5", "JPY"), ("", "EUR"), ("4,00", "EUR"), ("1e3", "EUR"), ("٤٠", "EUR"), ("1", "XXX")],
)
def test_what_is_no_exact_amount_is_refused(text: str, currency: str) -> None:
    with pytest.raises(ValueError):
        parse(text, currency)


@pytest.mark.skipif(not ISO.exists(), reason="the published ISO 4217 table is not here")
def test_every_active_currency_has_the_digits_that_iso_4217_publishes() -> None:
    published = {}
    for entry in ElementTree.parse(ISO).iter("CcyNtry"):
        code, digits = entry.findtext("Ccy"), entry.findtext("CcyMnrUnts")
        if code and digits and digits.isdecimal():
            published[code] = int(digits)
    assert published == DIGITS
