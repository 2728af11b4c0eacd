"""Every kind of transfer that touches the fund is what comes in, goes out, comes back, is held, or stays within."""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import product
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from given import T
from houbao.core.accounts import AVAILABLE, EXPENSE
from houbao.core.ledger import (
    FUND,
    FUND_BACK,
    FUND_HOLDS,
    FUND_IN,
    FUND_OUT,
    FUND_WITHIN,
    MOVES_MONEY,
    fund_cost,
    transfers,
)

SAID = {
    "payer": ["fund", "seller", "platform"],
    "was": ["fund", "seller", "platform"],
    "account": [AVAILABLE, EXPENSE, "store:oak:payable"],
    "state": ["lost", "won"],
    "fund_currency": ["", "EUR"],
}
"""What the fields say that decide where money goes; other texts are empty."""

PLAIN: dict[Any, list[Any]] = {str: [""], int: [700], bool: [True, False], datetime: [T], date: [T.date()]}

CLASSES = (FUND_IN, FUND_OUT, FUND_BACK, FUND_HOLDS, FUND_WITHIN)
"""All the kinds that touch the fund's accounts."""


def choices(hint: Any, name: str = "") -> list[Any]:
    """What a field of that type and name may be; a record, and a list of them, is there once or not at all."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is tuple and inner[-1] is Ellipsis:
        return [(), (choices(inner[0])[0],)]
    if origin is tuple:
        return [tuple(choices(one)[0] for one in inner)]
    if origin in (Union, UnionType):
        return [value for one in inner for value in choices(one, name)[:1]]
    if origin is Literal:
        return [*inner]
    if hint is NoneType:
        return [None]
    if issubclass(hint, Struct):
        return [next(every(hint))]
    return SAID.get(name, PLAIN.get(hint, []))


def every(record: type[Any]) -> Iterator[Any]:
    """The record in each of the ways that make a difference."""
    hints = get_type_hints(record)
    for values in product(*(choices(hint, name) for name, hint in hints.items())):
        yield record(**dict(zip(hints, values, strict=True)))


def test_every_transfer_of_the_fund_is_of_one_class_and_goes_its_way():
    told = (one for kind in MOVES_MONEY for event in every(kind) for one in transfers(event))
    moved = {one for one in told if one.source in FUND or one.target in FUND}
    assert sorted({one.kind for one in moved}) == sorted(kind for kinds in CLASSES for kind in kinds)
    for one in moved:
        out, back = one.kind in FUND_OUT, one.kind in FUND_BACK
        assert (one.source in FUND and one.target in FUND) == (one.kind in FUND_WITHIN), one
        assert one.source in FUND if out else one.target in FUND or one.kind == "deposit_back", one
        assert fund_cost(one.kind, one.source, one.target, one.minor) == (one.minor if out else -one.minor * back)
