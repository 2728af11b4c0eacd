"""The fund: filled beforehand by capital (R5). Premiums, deposits and the backstop will live here."""

from datetime import datetime

from houbao.core import money
from houbao.core.terms import Actor, Record, Refused


class TopUp(Record, frozen=True, kw_only=True, tag="top_up"):
    """Capital comes in from the bank (minor units)."""

    minor: int
    currency: str


class CapitalAdded(Record, frozen=True, kw_only=True, tag="capital_added"):
    """The fund has more capital."""

    at: datetime
    by: str
    minor: int
    currency: str


def decide_top_up(command: TopUp, by: Actor, now: datetime) -> list[CapitalAdded]:
    """Raises Refused: not_permitted, bad_currency, bad_amount."""
    if by.role not in ("finance", "admin"):
        raise Refused("not_permitted", f"a {by.role} may not fill the fund; finance does")
    if command.currency not in money.DIGITS:
        raise Refused("bad_currency", f"{command.currency!r} is not an ISO 4217 currency")
    if not 0 < command.minor <= money.LARGEST:
        raise Refused("bad_amount", f"the top-up is {command.minor}: give minor units above zero")
    return [CapitalAdded(at=now, by=str(by), minor=command.minor, currency=command.currency)]
