"""The chart of accounts, and what each event does to the money. A transfer has a source, a target and one positive
amount: an unbalanced entry cannot be written.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from houbao.core.accounts import (
    AVAILABLE,
    BACKSTOP,
    BANK,
    COMMISSION,
    EXPENSE,
    RESERVED,
    WRITEOFF,
    fx_account,
    provider_account,
    store_account,
)
from houbao.core.appeals import FundingChanged
from houbao.core.chargebacks import ChargebackMoved
from houbao.core.fund import CapitalAdded, CashMoved, DebtRepaid, DepositPaid
from houbao.core.moves import DisputeEvent
from houbao.core.orders import OrderPaid, OrderPaidOut
from houbao.core.recoveries import MoneyRecovered
from houbao.core.refunds import (
    FundsAwaited,
    FundsReserved,
    RefundApproved,
    RefundPaid,
    RefundResolved,
    RefundReturned,
    RefundSettled,
    takes,
)
from houbao.core.returns import ReturnShipped
from houbao.core.shortfalls import DebtWrittenOff


class Transfer(Struct, frozen=True, gc=False):
    """`minor` units of `currency` from `source` to `target`; `kind` is the word on the statement."""

    kind: str
    source: str
    target: str
    minor: int
    currency: str
    store: str = ""
    order: int = 0
    dispute: int = 0


FUND_IN = ("capital", "premium", "backstop")
"""What makes the fund larger."""

FUND_OUT = ("guarantee", "exchange", "given_back", "chargeback", "freight")
"""What the fund pays, out of what it reserved."""

FUND_BACK = ("guarantee_returned", "exchange_returned", "recovery", "taken_back")
"""What comes back to it of what it paid."""

FUND_HOLDS = ("deposit_pays", "deposit_back")
"""What of a store's own deposit it holds for a refund."""

FUND_WITHIN = ("reserve", "release")
"""What only goes from one of its accounts to the other."""

FUND = (AVAILABLE, RESERVED)


def fund_cost(kind: str, source: str, target: str, minor: int) -> int:
    """What a transfer costs the fund (minor units): above zero what it pays, below zero what comes back to it."""
    if kind in FUND_OUT and source in FUND:
        return minor
    return -minor if kind in FUND_BACK and target in FUND else 0


def transfers(event: object) -> list[Transfer]:
    """What the event does to the money: the rows of the money table in docs/ledger.md."""
    moved = MOVES_MONEY.get(type(event))
    return moved(event) if moved else []


Leg = tuple[str, str, str, int]
Disputed = DisputeEvent | ChargebackMoved
"""The events that name a dispute where they have one."""


def _capital(event: CapitalAdded) -> list[Transfer]:
    return [Transfer("capital", BANK, AVAILABLE, event.minor, event.currency)]


def _deposit(event: DepositPaid) -> list[Transfer]:
    return [Transfer("deposit", BANK, store_account(event.store, "deposit"), event.minor, event.currency, event.store)]


def _cash(event: CashMoved) -> list[Transfer]:
    ends = (provider_account(event.provider), BANK)
    source, target = reversed(ends) if event.back else ends
    return [Transfer("cash_move", source, target, event.minor, event.currency)]


def _repaid(event: DebtRepaid) -> list[Transfer]:
    return [_repayment(event.store, event.minor, event.currency)]


def _paid_out(event: OrderPaidOut) -> list[Transfer]:
    payable, provider = store_account(event.store, "payable"), provider_account(event.provider)
    fee = ("payout_fee", EXPENSE, provider, event.fee)
    return _of_order(event, ("payout", payable, provider, event.minor), fee)


def _approved(event: RefundApproved) -> list[Transfer]:
    """What waits takes nothing yet; what the platform pays is taken when it goes out."""
    taken = not event.waits and event.payer in ("fund", "seller")
    return _taken(event, for_seller=event.payer == "seller") if taken else []


def _reserved(event: FundsReserved) -> list[Transfer]:
    return _taken(event, for_seller=event.account.endswith(":payable"))


def _awaited(event: FundsAwaited) -> list[Transfer]:
    return _legs(event, event.currency, ("backstop", BACKSTOP, AVAILABLE, event.minor))


def _written_off(event: DebtWrittenOff) -> list[Transfer]:
    owes = store_account(event.store, "receivable")
    return _legs(event, event.currency, ("write_off", WRITEOFF, owes, event.minor))


def _refunded(event: RefundPaid) -> list[Transfer]:
    return _money_out(event, provider_account(event.provider))


def _resolved(event: RefundResolved) -> list[Transfer]:
    return _money_out(event, BANK) if event.how == "paid_elsewhere" else _abandoned(event)


def _funded_anew(event: FundingChanged) -> list[Transfer]:
    """Taken back from the seller, or given back to it by whoever bears it now."""
    if event.payer == "seller":
        return _taken_back(event)
    payable = store_account(event.store, "payable")
    legs: list[Leg] = [("given_back", _PAID_FROM[event.payer], payable, event.minor)]
    if event.payer == "fund":
        legs.insert(0, ("reserve", AVAILABLE, RESERVED, event.minor))
    return _legs(event, event.currency, *legs, _commission_again(event))


def _charged_back(event: ChargebackMoved) -> list[Transfer]:
    """A bank took it: from the seller's own accounts, the platform's, or what the fund sets aside for it."""
    if event.state != "lost":
        return []
    provider = provider_account(event.provider)
    legs: list[Leg] = [("chargeback", store_account(event.store, kind), provider, minor) for kind, minor in event.legs]
    if event.payer != "seller":
        legs = [("chargeback", _PAID_FROM[event.payer], provider, event.minor)]
    if event.payer == "fund":
        legs.insert(0, ("reserve", AVAILABLE, RESERVED, event.minor))
    return _legs(event, event.currency, *legs)


def _legs(event: Disputed, currency: str, *legs: Leg) -> list[Transfer]:
    store, order, dispute = event.store, event.order, event.dispute
    return [Transfer(*leg, currency, store, order, dispute) for leg in legs if leg[3]]


def _of_order(event: OrderPaid | OrderPaidOut, *legs: Leg) -> list[Transfer]:
    currency, store, order = event.currency, event.store, event.order
    return [Transfer(*leg, currency, store, order) for leg in legs if leg[3]]


def _order_paid(event: OrderPaid) -> list[Transfer]:
    payable = store_account(event.store, "payable")
    paid = [("payment", provider_account(p.provider), payable, p.minor) for p in event.payments]
    return _of_order(
        event,
        *paid,
        ("commission", payable, COMMISSION, event.commission),
        ("premium", payable, AVAILABLE, event.premium),
        ("repayment", payable, store_account(event.store, "receivable"), event.repaid),
    )


def _repayment(store: str, minor: int, currency: str) -> Transfer:
    return Transfer(
        "repayment", store_account(store, "payable"), store_account(store, "receivable"), minor, currency, store
    )


def _taken(event: RefundApproved | FundsReserved, *, for_seller: bool) -> list[Transfer]:
    """The money of a refund is put aside: the fund's in reserved, as is what it takes of a store's own deposit; what a
    seller pays in the store's held."""
    if not event.legs:
        minor, currency = takes(event) if isinstance(event, RefundApproved) else (event.minor, event.currency)
        return _legs(event, currency, ("reserve", AVAILABLE, RESERVED, minor))
    kind, target = ("hold", store_account(event.store, "held")) if for_seller else ("deposit_pays", RESERVED)
    return _legs(event, event.currency, *((kind, _own(event.store, own), target, minor) for own, minor in event.legs))


def _own(store: str, kind: str) -> str:
    """The account of a leg; what was written off is the platform's."""
    return WRITEOFF if kind == "writeoff" else store_account(store, kind)


_PAID_FROM = {"fund": RESERVED, "platform": EXPENSE}


def _money_out(event: RefundPaid | RefundResolved, target: str) -> list[Transfer]:
    """Out to the buyer, always through the store's held: the seller's two lines where another pays."""
    held = store_account(event.store, "held")
    out: Leg = ("refund", held, target, event.minor)
    if event.payer == "seller":
        payable = store_account(event.store, "payable")
        return _legs(event, event.currency, out, ("commission_back", COMMISSION, payable, event.commission))
    source, turned = _PAID_FROM[event.payer], []
    if event.fund_currency:
        turned = _legs(
            event, event.fund_currency, ("exchange", source, fx_account(event.fund_currency), event.fund_minor)
        )
        source = fx_account(event.currency)
    return [*turned, *_legs(event, event.currency, ("guarantee", source, held, event.minor), out)]


def _money_back(event: RefundReturned) -> list[Transfer]:
    held = store_account(event.store, "held")
    back: Leg = ("refund_returned", provider_account(event.provider), held, event.minor)
    if event.payer == "seller":
        return _legs(event, event.currency, back, _commission_again(event))
    target, other = _PAID_FROM[event.payer], event.fund_currency
    to = fx_account(event.currency) if other else target
    moved = _legs(event, event.currency, back, ("guarantee_returned", held, to, event.minor))
    if other:
        moved += _legs(event, other, ("exchange_returned", fx_account(other), target, event.fund_minor))
    return moved


def _taken_back(event: FundingChanged) -> list[Transfer]:
    """From a seller whose fraud it was, to whoever bore it; a fund in another currency has it from the platform, which
    keeps the seller's money."""
    to = AVAILABLE if event.was == "fund" and not event.fund_currency else EXPENSE
    taken = [("taken_back", store_account(event.store, kind), to, minor) for kind, minor in event.legs]
    back: Leg = ("commission_back", COMMISSION, store_account(event.store, "payable"), event.commission)
    in_fund: Leg = ("taken_back", EXPENSE, AVAILABLE, event.fund_minor)
    return [*_legs(event, event.currency, *taken, back), *_legs(event, event.fund_currency, in_fund)]


def _freight(event: ReturnShipped) -> list[Transfer]:
    """Of the platform's label, to the carrier, through the store's held as all that another pays for it."""
    held = store_account(event.store, "held")
    legs = [("deposit_pays", store_account(event.store, kind), RESERVED, minor) for kind, minor in event.legs]
    if event.payer == "fund" and not legs:
        legs = [("reserve", AVAILABLE, RESERVED, event.freight)]
    source = _PAID_FROM.get(event.payer, EXPENSE)
    out = (("freight", source, held, event.freight), ("freight", held, BANK, event.freight))
    return _legs(event, event.currency, *legs, *out)


def _recovered(event: MoneyRecovered) -> list[Transfer]:
    """To whoever bore the refund; of a seller's first to the platform, for what it had given up."""
    cash = provider_account(event.provider) if event.provider else BANK
    if event.fund_currency:
        return _legs(event, event.fund_currency, ("recovery", cash, event.account, event.fund_minor))
    payable = store_account(event.store, "payable")
    return _legs(
        event,
        event.currency,
        ("recovery", cash, WRITEOFF, event.written_off),
        ("recovery", cash, event.account, event.minor - event.written_off),
        ("repayment", payable, store_account(event.store, "receivable"), event.repaid),
        _commission_again(event),
    )


def _commission_again(event: RefundReturned | FundingChanged | MoneyRecovered) -> Leg:
    return ("commission_again", store_account(event.store, "payable"), COMMISSION, event.commission)


def _settled(event: RefundSettled) -> list[Transfer]:
    """The provider is paid in the fund's currency, and both currencies are even; what its rate made more or less of it
    than was reserved is the platform's."""
    fund, other = fx_account(event.fund_currency), fx_account(event.currency)
    source = provider_account(event.provider) if event.provider else BANK
    more = event.taken - event.booked
    difference: Leg = ("difference", EXPENSE, fund, more) if more > 0 else ("difference", fund, EXPENSE, -more)
    return [
        *_legs(event, event.fund_currency, ("settlement", fund, BANK, event.taken)),
        *_legs(event, event.currency, ("settlement", source, other, event.minor)),
        *_legs(event, event.fund_currency, difference),
    ]


def _abandoned(event: RefundResolved) -> list[Transfer]:
    if event.payer == "fund" and not event.legs:
        minor = event.fund_minor if event.fund_currency else event.minor
        leg = ("release", RESERVED, AVAILABLE, 0 if event.waited else minor)
        return _legs(event, event.fund_currency or event.currency, leg)
    source = store_account(event.store, "held")
    kind = "release"
    if event.payer == "fund":
        kind, source = "deposit_back", RESERVED
    return _legs(event, event.currency, *((kind, source, _own(event.store, own), minor) for own, minor in event.legs))


MOVES_MONEY: dict[type, Callable[[Any], list[Transfer]]] = {
    CapitalAdded: _capital,
    DepositPaid: _deposit,
    CashMoved: _cash,
    DebtRepaid: _repaid,
    OrderPaid: _order_paid,
    OrderPaidOut: _paid_out,
    RefundApproved: _approved,
    FundsReserved: _reserved,
    FundsAwaited: _awaited,
    FundingChanged: _funded_anew,
    ChargebackMoved: _charged_back,
    RefundPaid: _refunded,
    RefundReturned: _money_back,
    RefundResolved: _resolved,
    RefundSettled: _settled,
    ReturnShipped: _freight,
    MoneyRecovered: _recovered,
    DebtWrittenOff: _written_off,
}
"""The events that move money; no other does."""
