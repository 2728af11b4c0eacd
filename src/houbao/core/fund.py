"""The money that comes in and goes round beside the disputes (R5): capital of the fund, deposits of the stores, cash
moved to a provider, and stores that pay back what was advanced for them."""

from collections.abc import Iterable
from datetime import datetime

from houbao.core import money
from houbao.core.fulfilment import payable_short
from houbao.core.said import Said
from houbao.core.terms import Actor, Record, Refused, check_aware, check_reference, rfc3339

# --- commands ------------------------------------------------------------------------------------------------------


class TopUp(Record, frozen=True, kw_only=True, tag="top_up"):
    """Capital comes in from the bank (minor units)."""

    minor: int
    currency: str


class PayDeposit(Record, frozen=True, kw_only=True, tag="pay_deposit"):
    """A store pays into its own deposit, from the bank (minor units)."""

    store: str
    minor: int
    currency: str


class MoveCash(Record, frozen=True, kw_only=True, tag="move_cash"):
    """Cash goes from the bank to a provider, so that refunds can be paid there, or `back` from there to the bank (minor
    units). `at` is when it went, which may be long before it is booked; None for now."""

    provider: str
    minor: int
    currency: str
    back: bool = False
    at: datetime | None = None


class Repay(Record, frozen=True, kw_only=True, tag="repay"):
    """A store pays back what was advanced for it, out of what it is owed (minor units)."""

    store: str
    minor: int
    currency: str


FundCommand = TopUp | PayDeposit | MoveCash | Repay

# --- events --------------------------------------------------------------------------------------------------------


class FundEvent(Record, frozen=True, kw_only=True):
    """What every event of the fund carries (minor units); `at` is when it happened."""

    at: datetime
    by: str
    minor: int
    currency: str


class CapitalAdded(FundEvent, frozen=True, kw_only=True, tag="capital_added"):
    """The fund has more capital."""


class DepositPaid(FundEvent, frozen=True, kw_only=True, tag="deposit_paid"):
    """The store's deposit is larger."""

    store: str


class CashMoved(FundEvent, frozen=True, kw_only=True, tag="cash_moved"):
    """There is more cash at the provider, and less at the bank; the other way round where it came `back`."""

    provider: str
    back: bool = False


class DebtRepaid(FundEvent, frozen=True, kw_only=True, tag="debt_repaid"):
    """The store owes less, and is owed less."""

    store: str


FundEvents = CapitalAdded | DepositPaid | CashMoved | DebtRepaid

# --- decide --------------------------------------------------------------------------------------------------------


def decide_fund(
    command: FundCommand, store_known: bool, payable: int, owed: int, by: Actor, now: datetime
) -> list[FundEvents]:
    """What comes in or goes round; `payable` and `owed` are what the store is owed and owes (minor units).

    Raises Refused: not_permitted, bad_currency, bad_amount, bad_reference, unknown_store, nothing_owed,
    payable_short, naive_time, bad_time."""
    own = isinstance(command, Repay) and by.role == "seller" and by.id == command.store
    if by.role not in ("finance", "admin") and not own:
        raise Refused("not_permitted", f"a {by.role} may not move this money; finance does")
    if command.currency not in money.DIGITS:
        raise Refused("bad_currency", Said("%(currency)s is not an ISO 4217 currency", currency=repr(command.currency)))

    def told(minor: int) -> money.Money:
        return money.Money(minor, command.currency)

    if not 0 < command.minor <= money.LARGEST:
        raise Refused("bad_amount", Said("the amount is %(amount)s: it must be above zero", amount=told(command.minor)))
    if isinstance(command, PayDeposit | Repay) and not store_known:
        raise Refused("unknown_store", Said("no store %(store)s: register it first", store=command.store))
    said = {"at": now, "by": str(by), "minor": command.minor, "currency": command.currency}
    match command:
        case TopUp():
            return [CapitalAdded(**said)]
        case PayDeposit():
            return [DepositPaid(**said, store=command.store)]
        case MoveCash():
            check_reference("provider", command.provider)
            said["at"] = _went(command, now)
            return [CashMoved(**said, provider=command.provider, back=command.back)]
        case Repay():
            if command.minor > owed:
                raise Refused(
                    "nothing_owed",
                    Said(
                        "store %(store)s owes %(owed)s, not %(amount)s",
                        store=command.store,
                        owed=told(owed),
                        amount=told(command.minor),
                    ),
                )
            if command.minor > payable:
                raise payable_short(command.store, payable, command.minor, command.currency)
            return [DebtRepaid(**said, store=command.store)]


def unknown_provider(name: str, known: Iterable[str]) -> Refused:
    """There is no such provider here; it says which there are."""
    said = Said("no provider %(provider)s, only %(known)s", provider=repr(name[:64]), known=tuple(sorted(known)))
    return Refused("unknown_provider", said)


def _went(command: MoveCash, now: datetime) -> datetime:
    """When the cash went. Raises Refused: naive_time, bad_time."""
    if command.at is None:
        return now
    check_aware("at", command.at)
    if command.at > now:
        said = Said("at is %(time)s, which is still to come: book it when it has gone", time=rfc3339(command.at))
        raise Refused("bad_time", said)
    return command.at
