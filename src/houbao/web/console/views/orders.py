"""Orders as pages show them: titles from the listing as it was shown, coverage, what can still be refunded."""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from houbao.core.chargebacks import ChargebackMoved
from houbao.core.disputes import GOODWILL, Dispute
from houbao.core.orders import Line, Listing, Order
from houbao.core.refundable import refundable
from houbao.core.refunds import taken, taken_of
from houbao.core.scopes import EVERYTHING, Scope
from houbao.store import lists, queries
from houbao.store.pages import Purse, purses, unanswered
from houbao.web.console.views.asked import Asked, asked_of

PAGE = 25
MONTH = timedelta(days=30)


class Item(Struct, frozen=True):
    """One line of an order with what its buyer was shown; `left` is what can still be refunded on it (minor units)."""

    line: Line
    listing: Listing | None
    left: int

    @property
    def title(self) -> str:
        """What it is called: the listing's title, else the line's own id."""
        return self.listing.title if self.listing else self.line.id


class OrderPage(Struct, frozen=True):
    """An order with its lines and disputes; amounts are minor units. `left` is what can still be refunded; a bank took
    `charged` back and asks for `asked_back`."""

    order: Order
    items: list[Item]
    disputes: list[Dispute]
    goodwill: list[Dispute]
    paid: int
    left: int
    refunded: int
    charged: int
    asked_back: int


class OrderRow(Struct, frozen=True):
    """An order in a list. `wrote` is the role that wrote on it last, in the last thirty days, where it is not the
    reader's own; `asked` the disputes in which the reader is asked for evidence."""

    order: Order
    title: str
    paid: int
    disputes: list[Dispute]
    wrote: str
    asked: dict[int, Asked]


class OrderList(Struct, frozen=True):
    """A page of orders, the newest first. `next` is the number after which the next page begins; 0 on the last."""

    rows: list[OrderRow]
    next: int
    reference: str = ""


def order_page(connection: sqlite3.Connection, part: int, scope: Scope, number: int) -> OrderPage | None:
    """An order, if it may be seen."""
    order = lists.order(connection, part, scope, number)
    return whole(connection, part, order) if order else None


def whole(connection: sqlite3.Connection, part: int, order: Order) -> OrderPage:
    """An order with everything that hangs on it."""
    disputes = queries.disputes_of(connection, part, order.id)
    refunds = [refund for dispute in disputes for refund in dispute.refunds]
    lines, payments = taken_of(order, refunds)
    pieces = {line.id: line.quantity for line in order.lines}
    shown = lists.listings(connection, part, (line.listing for line in order.lines))
    items = [
        Item(line, shown.get(line.listing), refundable(order, {line.id: line.quantity}, lines, payments))
        for line in order.lines
    ]
    paid = sum(payment.minor for payment in order.payments)
    return OrderPage(
        order=order,
        items=items,
        disputes=[dispute for dispute in disputes if dispute.route != GOODWILL],
        goodwill=[dispute for dispute in disputes if dispute.route == GOODWILL],
        paid=paid,
        left=refundable(order, pieces, lines, payments),
        refunded=sum(taken(refunds)[1].values()),
        charged=_charges(order, "lost"),
        asked_back=_charges(order, "opened"),
    )


def _charges(order: Order, state: str) -> int:
    return sum(charge.minor for charge in order.chargebacks if charge.state == state)


def taken_back(
    connection: sqlite3.Connection, part: int, orders: Iterable[Order], disputes: Iterable[Dispute]
) -> dict[int, int]:
    """Dispute → what a bank took from the seller over it (minor units)."""
    sums = {one.id: 0 for one in disputes}
    history = (position for order in orders if order.chargebacks for position in order.history)
    for event in lists.events_at(connection, part, history).values():
        lost = isinstance(event, ChargebackMoved) and event.state == "lost" and event.payer == "seller"
        if lost and event.dispute in sums:
            sums[event.dispute] += event.minor
    return sums


def in_dispute(found: OrderPage) -> Dispute | None:
    """The open dispute that leaves nothing of the order to dispute; None where something is left."""
    going = [one for one in found.disputes if one.phase != "closed"]
    taken = {line for one in going for line, _ in one.lines}
    return going[0] if going and taken.issuperset(item.line.id for item in found.items) else None


def order_list(
    connection: sqlite3.Connection,
    part: int,
    scope: Scope,
    reader: str,
    now: datetime,
    *,
    reference: str = "",
    before: int = 0,
) -> OrderList:
    """A page of the orders that may be seen by somebody of that role; of those with a reference, where one is given."""
    found = lists.order_page(connection, part, scope, reference=reference, before=before or None, limit=PAGE + 1)
    page = found[:PAGE]
    written = unanswered(connection, part, page, reader, now - MONTH) if reader in ("buyer", "seller") else {}
    found_there = queries.disputes_of_orders(connection, part, [order.id for order in page])
    disputes = {number: [one for one in there if one.route != GOODWILL] for number, there in found_there.items()}
    asked = asked_of(connection, part, [one for there in disputes.values() for one in there], reader, now)
    rows = [
        OrderRow(
            order,
            title,
            sum(payment.minor for payment in order.payments),
            disputes[order.id],
            written[order.id].by if order.id in written else "",
            {one.id: asked[one.id] for one in disputes[order.id] if one.id in asked},
        )
        for order, title in zip(page, titles(connection, part, [(order, ()) for order in page]), strict=True)
    ]
    return OrderList(rows, page[-1].id if len(found) > PAGE else 0, reference)


def purse_in(connection: sqlite3.Connection, part: int, order: Order) -> Purse | None:
    """What the order's store has in the order's currency."""
    mine = purses(connection, EVERYTHING, part, order.store)
    return next((purse for purse in mine if purse.currency == order.currency), None)


Lines = tuple[tuple[str, int], ...]
"""Lines of an order by their ids, with how many pieces of each; none: all of them."""


def titles(connection: sqlite3.Connection, part: int, named: Sequence[tuple[Order, Lines]]) -> list[str]:
    """What each of those is called: the first of its lines, or of the order's, with how many more there are."""
    wanted = [[line for line in order.lines if not lines or line.id in dict(lines)] for order, lines in named]
    firsts = [found[0] if found else order.lines[0] for (order, _), found in zip(named, wanted, strict=True)]
    shown = lists.listings(connection, part, (line.listing for line in firsts))
    told: list[str] = []
    for (order, _), first, found in zip(named, firsts, wanted, strict=True):
        listing = shown.get(first.listing)
        title = listing.title if listing else first.category.replace("_", " ") or order.reference
        told.append(f"{title} + {len(found) - 1}" if len(found) > 1 else title)
    return told


def title_of(connection: sqlite3.Connection, part: int, order: Order, lines: Lines = ()) -> str:
    """What the lines of an order are called."""
    return titles(connection, part, [(order, lines)])[0]


def orders_of(connection: sqlite3.Connection, part: int, disputes: Iterable[Dispute]) -> dict[int, Order]:
    """The orders of disputes that may be seen, by number: who may see the one may see the other."""
    return lists.orders_by_number(connection, part, EVERYTHING, [one.order for one in disputes])


def titles_of(connection: sqlite3.Connection, part: int, disputes: Sequence[Dispute]) -> dict[int, str]:
    """Dispute → what the lines that it is about are called."""
    orders = orders_of(connection, part, disputes)
    told = titles(connection, part, [(orders[one.order], one.lines) for one in disputes])
    return {one.id: title for one, title in zip(disputes, told, strict=True)}
