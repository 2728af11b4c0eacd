"""The money that comes in and goes round beside the disputes (R5): capital of the fund, deposits of the stores, cash
moved to a provider, and stores that pay back what was advanced for them."""

from datetime import datetime

from houbao.core import money
from houbao.core.terms import Actor, Record, Refused, check_aware, check_reference

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
        raise Refused("bad_currency", f"{command.currency!r} is not an ISO 4217 currency")

    def told(minor: int) -> str:
        return f"{money.decimal(minor, command.currency)} {command.currency}"

    if not 0 < command.minor <= money.LARGEST:
        raise Refused("bad_amount", f"the amount is {told(command.minor)}: it must be above zero")
    if isinstance(command, PayDeposit | Repay) and not store_known:
        raise Refused("unknown_store", f"no store {command.store}: register it first")
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
                raise Refused("nothing_owed", f"store {command.store} owes {told(owed)}, not {told(command.minor)}")
            if command.minor > payable:
                raise Refused(
                    "payable_short", f"store {command.store} is owed {told(payable)}, not {told(command.minor)}"
                )
            return [DebtRepaid(**said, store=command.store)]


def _went(command: MoveCash, now: datetime) -> datetime:
    """When the cash went. Raises Refused: naive_time, bad_time."""
    if command.at is None:
        return now
    check_aware("at", command.at)
    if command.at > now:
        raise Refused("bad_time", f"at is {command.at.isoformat()}, which is still to come: book it when it has gone")
    return command.at
