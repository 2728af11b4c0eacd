"""Money that comes back for a refund after it was paid, from outside: the buyer's, whose parcel came after all, or a
carrier's, that lost or broke it. It goes to whoever bore the refund."""

from typing import Literal

from houbao.core.moves import DisputeEvent
from houbao.core.terms import Record

Source = Literal["buyer", "carrier"]


class Recover(Record, frozen=True, kw_only=True, tag="recover"):
    """`minor` units of `currency` came back for a refund, to the provider, or to the bank where none is named: in the
    order's currency, or the fund's where it paid out of another. `reference` is the sender's own: said twice, it is
    booked once. `refund`: the latest where none is named."""

    dispute: int
    source: Source
    minor: int
    currency: str
    reference: str
    provider: str = ""
    refund: int = 0


class MoneyRecovered(DisputeEvent, frozen=True, kw_only=True, tag="money_recovered"):
    """It came to `account`, whose the refund was. `minor` is how much of the refund it makes good, in the order's
    currency; `fund_minor` what came to a fund in another. Of it `written_off` goes to the platform, which had given the
    debt up; `repaid` goes off what the store owes, and `commission` is due again."""

    refund: int
    source: str
    reference: str
    provider: str
    account: str
    payer: str
    minor: int
    currency: str
    fund_minor: int = 0
    fund_currency: str = ""
    written_off: int = 0
    repaid: int = 0
    commission: int = 0


class Recovery(Record, frozen=True, kw_only=True):
    """What came back for a refund, once: as its event says."""

    reference: str
    source: str
    minor: int
    fund_minor: int = 0
    written_off: int = 0
