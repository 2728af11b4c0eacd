"""What each command is about. By that it is known what it may see, and whose number its answer names."""

from typing import Literal, get_args

from houbao.core import chargebacks as c
from houbao.core import disputes as d
from houbao.core import messages as m
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.acts import SendGoodwill
from houbao.core.breaker import SetBreaker, TellSolvency
from houbao.core.fund import FundCommand, MoveCash, PayDeposit, Repay, TopUp
from houbao.core.outages import EnterOutage

Command = (
    p.StoreCommand
    | o.PlaceOrder
    | o.Fact
    | c.Chargeback
    | m.WriteOnOrder
    | SendGoodwill
    | d.OpenDispute
    | d.DisputeCommand
    | FundCommand
    | r.ServeWaiting
    | EnterOutage
    | SetBreaker
    | TellSolvency
)

FACTS = get_args(o.Fact)
"""What may happen to an order."""

Subject = Literal["store", "new order", "order", "claim", "dispute", "money", "queue", "part"]

SUBJECTS: dict[type, Subject] = {
    **dict.fromkeys(get_args(p.StoreCommand), "store"),
    o.PlaceOrder: "new order",
    **dict.fromkeys((*FACTS, c.Chargeback, m.WriteOnOrder, SendGoodwill), "order"),
    d.OpenDispute: "claim",
    **dict.fromkeys(get_args(d.DisputeCommand), "dispute"),
    **dict.fromkeys((PayDeposit, Repay), "money"),
    r.ServeWaiting: "queue",
    **dict.fromkeys((TopUp, MoveCash, EnterOutage, SetBreaker, TellSolvency), "part"),
}
"""Each command's subject: a store, an order that is not there yet, one that is, a claim on one, a dispute, a store's
money, the refunds that wait for an account, or the part as a whole."""

MOVES_PAYABLE = frozenset((o.Paid, o.PaidOut, c.Chargeback, SendGoodwill))
"""What may move a store's money though no dispute was there before."""
