"""The chart of accounts, and what each event does to the money. A transfer has a source, a target and one positive
amount: an unbalanced entry cannot be written.

    external:bank, provider:<name>              the boundary: minus the balance is the cash there
    fund:available, fund:reserved               what can still be promised; what is promised
    store:<id>:payable, :held, :deposit         owed to the store; on its way to a buyer; its own cover
    store:<id>:receivable                       below zero: what the store owes
    platform:commission, platform:expense       the platform's own
"""

from msgspec import Struct

from houbao.core.appeals import FundingChanged
from houbao.core.chargebacks import ChargebackMoved
from houbao.core.fund import CapitalAdded
from houbao.core.moves import DisputeEvent
from houbao.core.orders import OrderPaid, OrderPaidOut
from houbao.core.refunds import FundsReserved, RefundApproved, RefundPaid, RefundResolved, RefundReturned

BANK = "external:bank"
AVAILABLE = "fund:available"
RESERVED = "fund:reserved"
COMMISSION = "platform:commission"
EXPENSE = "platform:expense"


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


def provider_account(name: str) -> str:
    """The account of a payment provider."""
    return f"provider:{name}"


def store_account(store: str, kind: str) -> str:
    """An account of a store's: payable, held, deposit or receivable."""
    return f"store:{store}:{kind}"


def keeps_balance(account: str) -> bool:
    """Whether the account has a balance row; the others are sums over their transfers."""
    return account.startswith(("fund:", "store:"))


MOVES_MONEY = frozenset(
    (
        CapitalAdded,
        OrderPaid,
        OrderPaidOut,
        RefundApproved,
        FundsReserved,
        RefundPaid,
        RefundReturned,
        RefundResolved,
        FundingChanged,
        ChargebackMoved,
    )
)
"""The events that move money; all others are passed over at once."""


def transfers(event: object) -> list[Transfer]:
    """What the event does to the money: one branch per row of the money table in docs/ledger.md."""
    if type(event) not in MOVES_MONEY:
        return []
    match event:
        case CapitalAdded():
            return [Transfer("capital", BANK, AVAILABLE, event.minor, event.currency)]
        case OrderPaid():
            return _order_paid(event)
        case OrderPaidOut():
            payable = store_account(event.store, "payable")
            return _legs(event, event.currency, ("payout", payable, provider_account(event.provider), event.minor))
        case RefundApproved(payer="fund", waits=False) | FundsReserved():
            return _legs(event, event.currency, ("reserve", AVAILABLE, RESERVED, event.minor))
        case RefundApproved(payer="seller"):
            held = store_account(event.store, "held")
            legs = [("hold", store_account(event.store, kind), held, minor) for kind, minor in event.legs]
            return _legs(event, event.currency, *legs)
        case RefundPaid():
            return _money_out(event, provider_account(event.provider))
        case RefundReturned():
            return _money_back(event)
        case RefundResolved(how="paid_elsewhere"):
            return _money_out(event, BANK)
        case RefundResolved():
            return _abandoned(event)
        case ChargebackMoved(state="lost"):
            return _charged_back(event)
        case FundingChanged():
            payable = store_account(event.store, "payable")
            legs: list[Leg] = [("given_back", _PAID_FROM[event.payer], payable, event.minor)]
            if event.payer == "fund":
                legs.insert(0, ("reserve", AVAILABLE, RESERVED, event.minor))
            return _legs(event, event.currency, *legs)
        case _:
            return []


Leg = tuple[str, str, str, int]
Disputed = DisputeEvent | ChargebackMoved
"""The events that name a dispute where they have one."""


def _charged_back(event: ChargebackMoved) -> list[Transfer]:
    """The bank took it: from the seller's own accounts, the platform's, or what the fund sets aside for it."""
    provider = provider_account(event.provider)
    legs: list[Leg] = [("chargeback", store_account(event.store, kind), provider, minor) for kind, minor in event.legs]
    if event.payer != "seller":
        legs = [("chargeback", _PAID_FROM[event.payer], provider, event.minor)]
    if event.payer == "fund":
        legs.insert(0, ("reserve", AVAILABLE, RESERVED, event.minor))
    return _legs(event, event.currency, *legs)


def _legs(event: OrderPaid | OrderPaidOut | Disputed, currency: str, *legs: Leg) -> list[Transfer]:
    dispute = event.dispute if isinstance(event, Disputed) else 0
    return [
        Transfer(kind, source, target, minor, currency, event.store, event.order, dispute)
        for kind, source, target, minor in legs
        if minor
    ]


def _order_paid(event: OrderPaid) -> list[Transfer]:
    payable = store_account(event.store, "payable")
    paid = [("payment", provider_account(p.provider), payable, p.minor) for p in event.payments]
    return _legs(event, event.currency, *paid, ("commission", payable, COMMISSION, event.commission))


_PAID_FROM = {"fund": RESERVED, "platform": EXPENSE}


def _money_out(event: RefundPaid | RefundResolved, target: str) -> list[Transfer]:
    """Out to the buyer, always through the store's held: the seller's two lines where another pays."""
    held = store_account(event.store, "held")
    legs: list[Leg] = [("refund", held, target, event.minor)]
    if event.payer != "seller":
        legs.insert(0, ("guarantee", _PAID_FROM[event.payer], held, event.minor))
    return _legs(event, event.currency, *legs)


def _money_back(event: RefundReturned) -> list[Transfer]:
    held = store_account(event.store, "held")
    legs: list[Leg] = [("refund_returned", provider_account(event.provider), held, event.minor)]
    if event.payer != "seller":
        legs.append(("guarantee_returned", held, _PAID_FROM[event.payer], event.minor))
    return _legs(event, event.currency, *legs)


def _abandoned(event: RefundResolved) -> list[Transfer]:
    if event.payer == "fund":
        minor = 0 if event.waited else event.minor
        return _legs(event, event.currency, ("release", RESERVED, AVAILABLE, minor))
    held = store_account(event.store, "held")
    legs = [("release", held, store_account(event.store, kind), minor) for kind, minor in event.legs]
    return _legs(event, event.currency, *legs)
