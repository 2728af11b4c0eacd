"""What a batch must read before it can be decided."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core.accounts import store_of
from houbao.core.subjects import MOVES_PAYABLE, SUBJECTS, Command
from houbao.core.terms import EPOCH, REASONS
from houbao.engine.ports import Needs
from houbao.engine.request import Request

INSTANT_DAYS = timedelta(days=30)
"""Over how many days it is summed up what a buyer was paid at once."""


def needs_of(requests: Sequence[Request]) -> Needs:
    """Which orders, disputes, stores, references and balances the commands may look at."""
    needs = Needs()
    for request in requests:
        _add(needs, request.command, request.by.id)
    if needs.opening:
        times = (request.received_at for request in requests if request.received_at.tzinfo is not None)
        needs.instants_since = min((at for at in times if at > EPOCH), default=EPOCH) - INSTANT_DAYS
    return needs


def _add(needs: Needs, command: Any, by: str) -> None:
    match SUBJECTS[type(command)]:
        case "claim":
            if command.order in needs.orders:
                needs.again.add(command.order)
            needs.orders.add(command.order)
            if command.reference:
                needs.claims.add((command.order, command.reference))
            needs.opening[command.order] = by
            if may_owe(command):
                needs.payouts.add(command.order)
        case "dispute":
            needs.disputes.add(command.dispute)
            if isinstance(command, d.Sign):
                needs.signed.add(command.dispute)
        case "new order":
            needs.stores.add(command.store)
            needs.references.add((command.store, command.reference))
            if command.facts:
                needs.owed.add(command.store)
        case "order":
            needs.orders.add(command.order)
            if isinstance(command, o.Paid):
                needs.paying.add(command.order)
            if may_owe(command):
                needs.payouts.add(command.order)
        case "store":
            needs.stores.add(command.store)
        case "money":
            needs.stores.add(command.store)
            needs.owed.add(command.store)
        case "queue":
            needs.waiting = (command.account, command.currency)
            if store := store_of(command.account):
                needs.owed.add(store)
        case "part":
            pass


def may_owe(command: Command) -> bool:
    """Whether it may move a store's money though no dispute was there before: a payment, a payout, a return without a
    reason."""
    if isinstance(command, d.OpenDispute):
        return REASONS.get(command.reason) == "REMORSE"
    return type(command) in MOVES_PAYABLE
