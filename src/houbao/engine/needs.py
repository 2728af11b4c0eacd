"""What a batch must read before it can be decided."""

from collections.abc import Sequence
from typing import get_args

from houbao.core import chargebacks as c
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.accounts import store_of
from houbao.core.acts import SendGoodwill
from houbao.core.breaker import SetBreaker, TellSolvency
from houbao.core.decider import ON_ORDERS, Command
from houbao.core.fund import MoveCash, PayDeposit, Repay, TopUp
from houbao.core.outages import EnterOutage
from houbao.core.terms import REASONS
from houbao.engine.ports import (
    Needs,
    Request,
)

STORE_COMMANDS = get_args(p.StoreCommand)

MOVES_PAYABLE = (o.Paid, o.PaidOut, c.Chargeback, SendGoodwill)
"""What may move a store's money though no dispute was there before."""


def needs_of(requests: Sequence[Request]) -> Needs:
    """Which orders, disputes, stores, references and balances the commands may look at."""
    needs = Needs()
    for request in requests:
        match request.command:
            case d.OpenDispute() as command:
                if command.order in needs.orders:
                    needs.again.add(command.order)
                needs.orders.add(command.order)
                if command.reference:
                    needs.claims.add((command.order, command.reference))
                needs.opening[command.order] = request.by.id
                if REASONS.get(command.reason) == "REMORSE":
                    needs.payouts.add(command.order)
            case o.PlaceOrder() as command:
                needs.stores.add(command.store)
                needs.references.add((command.store, command.reference))
                if command.facts:
                    needs.owed.add(command.store)
            case command if isinstance(command, STORE_COMMANDS):
                needs.stores.add(command.store)
            case TopUp() | MoveCash() | EnterOutage() | SetBreaker() | TellSolvency():
                pass
            case PayDeposit() | Repay() as command:
                needs.stores.add(command.store)
                needs.owed.add(command.store)
            case r.ServeWaiting() as command:
                needs.waiting = (command.account, command.currency)
                if store := store_of(command.account):
                    needs.owed.add(store)
            case command if isinstance(command, ON_ORDERS):
                needs.orders.add(command.order)
                if isinstance(command, o.Paid):
                    needs.paying.add(command.order)
                if isinstance(command, MOVES_PAYABLE):
                    needs.payouts.add(command.order)
            case d.Sign() as command:
                needs.disputes.add(command.dispute)
                needs.signed.add(command.dispute)
            case command:
                needs.disputes.add(command.dispute)  # ty: ignore[missing-union-attribute]
    return needs


def may_owe(command: Command) -> bool:
    """Whether it may move a store's money though no dispute was there before: a payment, a payout, a return without a
    reason."""
    if isinstance(command, d.OpenDispute):
        return REASONS.get(command.reason) == "REMORSE"
    return isinstance(command, MOVES_PAYABLE)
