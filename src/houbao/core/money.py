"""Money: integer minor units with an ISO 4217 currency. Never float, never a tolerance."""

import re
from collections.abc import Sequence

from msgspec import Struct

# ISO 4217, list one of 2026-01-01: the active currencies by their number of minor digits.
_BY_DIGITS = {
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY"
    " COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS"
    " INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR"
    " MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP"
    " STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
DIGITS = {code: digits for digits, codes in _BY_DIGITS.items() for code in codes.split()}
"""Currency → number of minor digits (ISO 4217)."""

LARGEST = 10**15
"""The largest amount accepted anywhere, in minor units; sums of it stay far inside 64 bits."""


class Money(Struct, frozen=True, order=False, gc=False):
    """An amount in minor units of one currency: `Money(4000, "EUR")` is forty euros."""

    minor: int
    currency: str

    def __str__(self) -> str:
        return f"{decimal(self.minor, self.currency)} {self.currency}"


def decimal(minor: int, currency: str) -> str:
    """The amount in the currency's own decimals: `decimal(4000, "EUR") == "40.00"`."""
    digits = DIGITS[currency]
    sign, whole = ("-", -minor) if minor < 0 else ("", minor)
    if digits == 0:
        return f"{sign}{whole}"
    major, rest = divmod(whole, 10**digits)
    return f"{sign}{major}.{rest:0{digits}d}"


def minor_of(amount: str, currency: str) -> int:
    """Minor units of an amount of a policy, cut to the currency's decimals."""
    major, _, rest = amount.partition(".")
    return parse(f"{major}.{rest[: DIGITS[currency]]}", currency)


def parse(text: str, currency: str) -> int:
    """Minor units of a decimal text: `parse("40.5", "EUR") == 4050`. Exact: ValueError when a digit would be lost."""
    if currency not in DIGITS:
        raise ValueError(f"{currency!r} is not an ISO 4217 currency")
    match = re.fullmatch(r"(-?)([0-9]{1,16})(?:\.([0-9]*))?", text.strip(), re.ASCII)
    if not match:
        raise ValueError(f"{text!r} is not an amount: write it like 10.00, with a point and no signs but a minus")
    sign, major, rest = match[1], match[2], (match[3] or "").rstrip("0")
    digits = DIGITS[currency]
    if len(rest) > digits:
        raise ValueError(f"{text!r} has more than the {digits} decimals of {currency}")
    minor = int(major + rest.ljust(digits, "0"))
    return -minor if sign else minor


def part(total: int, numerator: int, denominator: int) -> int:
    """`numerator`/`denominator` of `total` (all ≥ 0, minor units), rounded half up: `part(1000, 5, 1000) == 5`."""
    return (2 * total * numerator + denominator) // (2 * denominator)


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` (≥ 0, minor units) by `weights` (≥ 0) so that the parts sum to it exactly.

    Largest remainder (Hamilton's method): each part gets its floor, the units left go to the largest remainders,
    the earlier first among equals. All-zero weights count as equal ones. ValueError on a negative figure or no weights.
    """
    if total < 0 or not weights or min(weights) < 0:
        raise ValueError("split needs a total ≥ 0 and at least one weight, none negative")
    whole = sum(weights)
    if whole == 0:
        weights, whole = [1] * len(weights), len(weights)
    shares = [total * weight // whole for weight in weights]
    left = total - sum(shares)
    if left:
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
        for i in by_remainder[:left]:
            shares[i] += 1
    return shares
