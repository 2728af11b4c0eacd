"""What happened to an order, as the marketplace reports it: may it happen now, and what is the store owed then?"""

from datetime import datetime

from msgspec import Struct, structs

from houbao.core import money
from houbao.core.orders import (
    BEST_RATING,
    LEAST_RATING,
    LIFE,
    RATINGS,
    Cancelled,
    ConfirmationTimedOut,
    Confirmed,
    Delivered,
    Fact,
    Order,
    OrderEvents,
    OrderMoved,
    OrderPaid,
    OrderPaidOut,
    OrderRated,
    Paid,
    PaidOut,
    Rated,
    Shipped,
    Tracked,
)
from houbao.core.programme import Coverage
from houbao.core.protection import matures_at
from houbao.core.said import Code, Said
from houbao.core.terms import Actor, Refused, check_aware, check_words, rfc3339, tag_of


class Till(Struct, frozen=True, gc=False):
    """What deciding on an order's money may read: what its store is owed and owes (minor units), how much of a covered
    order is the premium (per mille), how many days it is protected, whether refunds wait for the money it brings."""

    payable: int = 0
    owed: int = 0
    premium: int = 0
    days: int = 0
    fund_awaits: bool = False
    store_awaits: bool = False


def decide_fact(order: Order, command: Fact, coverage: Coverage, till: Till, by: Actor, now: datetime) -> OrderEvents:
    """What happened to an order, as it is said at `now`. `coverage` is used at payment.

    Raises Refused: not_permitted, order_turn, bad_amount, bad_payments, payable_short, payout_above_order, not_mature,
    bad_rating, bad_words, naive_time, bad_time."""
    if by.role not in ("platform", "admin"):
        raise Refused("not_permitted", f"a {by.role} may not report on orders; the marketplace does")
    check_aware("at", command.at)
    kind = tag_of(command)
    if kind not in LIFE[order.status]:
        raise Refused(
            "order_turn",
            Said(
                "order %(order)s is %(status)s: %(kind)s cannot happen now",
                order=order.reference,
                status=Code("status", order.status),
                kind=Code("fact", kind),
            ),
        )
    who = str(by)
    if isinstance(command, Paid):
        return _paid(order, command, coverage, till, who)
    if isinstance(command, PaidOut):
        return _paid_out(order, command, till, who, now)
    if isinstance(command, Rated):
        return _rated(order, command, who)
    moved = OrderMoved(at=command.at, by=who, store=order.store, order=order.id, to=kind)
    if isinstance(command, Tracked):
        return structs.replace(moved, tracking=command.state)
    if isinstance(command, Cancelled):
        check_words("reason", command.reason)
        return structs.replace(moved, party=command.party, reason=command.reason)
    return moved


def happened(order: Order, fact: Fact) -> bool:
    """Whether the order says just this already, of what happens once."""
    match fact:
        case Paid():
            return order.paid_at == fact.at and order.commission == fact.commission
        case Shipped():
            return order.shipped_at == fact.at
        case Delivered():
            return order.delivered_at == fact.at
        case Confirmed() | ConfirmationTimedOut():
            return order.closed_at == fact.at and order.status == tag_of(fact)
        case Cancelled():
            return order.cancelled_at == fact.at and order.cancelled_by == fact.party
        case _:
            return False


def _rated(order: Order, command: Rated, who: str) -> OrderRated:
    figures = {name: getattr(command, name) for name in RATINGS}
    for name, figure in figures.items():
        if not LEAST_RATING <= figure <= BEST_RATING:
            raise Refused("bad_rating", f"{name} is {figure}: give {LEAST_RATING} to {BEST_RATING}")
    return OrderRated(at=command.at, by=who, store=order.store, order=order.id, **figures)


def _paid(order: Order, command: Paid, coverage: Coverage, till: Till, by: str) -> OrderPaid:
    paid = sum(payment.minor for payment in order.payments)
    if not paid:
        raise Refused(
            "bad_payments",
            Said("order %(order)s was placed without payments: nothing was paid", order=order.reference),
        )
    if not 0 <= command.commission <= paid:
        taken, whole = money.Money(command.commission, order.currency), money.Money(paid, order.currency)
        raise Refused("bad_amount", f"the commission is {taken}, the order was paid {whole}")
    premium = 0
    if coverage.covered and coverage.mode == "premium":
        premium = min(money.part(paid, till.premium, 1000), paid - command.commission)
    left = paid - command.commission - premium
    return OrderPaid(
        at=command.at,
        by=by,
        store=order.store,
        order=order.id,
        currency=order.currency,
        payments=order.payments,
        commission=command.commission,
        premium=premium,
        repaid=max(0, min(till.owed, till.payable + left)),
        awaited=till.store_awaits or (premium > 0 and till.fund_awaits),
        coverage=coverage,
    )


def payable_short(store: str, payable: int, minor: int, currency: str) -> Refused:
    """What is said where a store is owed less than is to be taken of it (minor units)."""
    owed, wanted = money.Money(payable, currency), money.Money(minor, currency)
    said = Said("store %(store)s is owed %(payable)s, not %(amount)s", store=store, payable=owed, amount=wanted)
    return Refused("payable_short", said)


def _paid_out(order: Order, command: PaidOut, till: Till, by: str, now: datetime) -> OrderPaidOut:
    if order.paid_at is None:
        said = Said("order %(order)s was never paid: nothing can be paid out for it", order=order.reference)
        raise Refused("order_turn", said)

    def told(minor: int) -> money.Money:
        return money.Money(minor, order.currency)

    if not 0 < command.minor <= money.LARGEST or not 0 <= command.fee <= money.LARGEST:
        said = Said("the payout is %(payout)s, its fee %(fee)s", payout=told(command.minor), fee=told(command.fee))
        raise Refused("bad_amount", said)
    if command.minor > till.payable:
        raise payable_short(order.store, till.payable, command.minor, order.currency)
    brought = sum(payment.minor for payment in order.payments) - order.commission - order.premium
    if command.minor > brought - order.paid_out:
        raise Refused(
            "payout_above_order",
            Said(
                "order %(order)s brought the store %(brought)s, of which %(out)s were paid out before",
                order=order.reference,
                brought=told(brought),
                out=told(order.paid_out),
            ),
        )
    # What is dated ahead leaves all the same when it is said: the money is not mature by a date that the caller writes.
    if order.coverage.covered and min(command.at, now) < (mature := matures_at(order, till.days)):
        raise Refused(
            "not_mature",
            Said(
                "what the covered order %(order)s brought is paid out from %(time)s on",
                order=order.reference,
                time=rfc3339(mature),
            ),
            matures_at=rfc3339(mature),
        )
    return OrderPaidOut(
        at=command.at,
        by=by,
        store=order.store,
        order=order.id,
        currency=order.currency,
        provider=order.payments[0].provider,
        minor=command.minor,
        fee=command.fee,
    )
