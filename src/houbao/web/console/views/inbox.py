"""A seller's home: what needs them, by due time; what is handled for them; what else is under way."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from houbao.core import scopes
from houbao.core.disputes import GOODWILL, Dispute, due_at
from houbao.core.hearings import borne
from houbao.core.orders import Order
from houbao.core.phases import default_outcome
from houbao.store import lists, queries
from houbao.store.pages import Purse, Written, purses, unanswered
from houbao.store.statements import currencies, statement
from houbao.web.console.views.asked import Asked, asked_of_store
from houbao.web.console.views.orders import orders_of, taken_back, titles, titles_of

MOST_SHOWN = 50
LOOKED_AT = 100
"""How many of the latest disputes are looked through for what is handled, and what is under way; and how many of the
latest orders for words that were not answered."""

MONTH = timedelta(days=30)
LATELY = timedelta(days=14)
MOST_DECIDED = 20
AGAINST = ("adjudication", "appeal", "seller_timeout", "buyer_timeout", "chargeback")
"""How a dispute ends that the seller did not end: by a decision, or by time."""

LANE = ("verify", "instant")
"""The routes on which the seller has no task (R7)."""

COSTS = ("buyers_amount_by_seller", "buyers_refund_by_seller")
"""Default outcomes by which the amount goes out of the seller's balance."""


class Row(Struct, frozen=True):
    """A dispute in a list: `risk` is what leaves the seller's balance when nobody acts (minor units);
    `asked` what the platform asks the seller for, and then `due` is until when."""

    dispute: Dispute
    title: str
    due: datetime | None
    default: str
    risk: int
    asked: Asked | None = None


class Decided(Struct, frozen=True):
    """A dispute that ended lately and cost the seller: what of it, in money (minor units)."""

    row: Row
    cost: int


class Covered(Struct, frozen=True):
    """What the guarantee paid in one currency (minor units), in how many disputes."""

    currency: str
    minor: int
    disputes: int


class Letter(Struct, frozen=True):
    """An order on which somebody else wrote last."""

    order: Order
    title: str
    written: Written


class Inbox(Struct, frozen=True, kw_only=True):
    """A seller's home. `more` says that more needs them than is shown; `letters` are words on orders that the seller
    has not answered, `decided` what ended against them lately; of both the latest first."""

    needs: list[Row]
    handled: list[Row]
    others: list[Row]
    decided: list[Decided]
    letters: list[Letter]
    purses: list[Purse]
    covered: list[Covered]
    more: bool

    @property
    def at_risk(self) -> dict[str, int]:
        """Currency → what leaves the balance if nothing is answered (minor units)."""
        sums: dict[str, int] = {}
        for row in self.needs:
            if row.risk:
                sums[row.dispute.currency] = sums.get(row.dispute.currency, 0) + row.risk
        return sums


def inbox(connection: sqlite3.Connection, part: int, store: str, now: datetime) -> Inbox:
    """The home of the people of that store."""
    books = scopes.Scope(stores=(store,))
    queue = queries.queue(connection, part, books, waiting_for="seller", limit=MOST_SHOWN)
    latest = queries.disputes_of_store(connection, part, books, store, limit=LOOKED_AT).disputes
    latest = [dispute for dispute in latest if dispute.route != GOODWILL]
    asked = asked_of_store(connection, part, store, now)
    known = {dispute.id for dispute in (*queue.disputes, *(dispute for dispute, _ in asked))}
    lane = [x for x in latest if x.id not in known and (x.route in LANE and x.payer == "fund")]
    others = [x for x in latest if x.id not in known and x not in lane and x.phase != "closed"]
    handled = [x for x in lane if x.phase != "closed" or _recent(x, now)][:MOST_SHOWN]
    others = others[:MOST_SHOWN]
    against = decided(connection, part, [x for x in latest if x.id not in known and x not in lane], now)
    shown = [*queue.disputes, *(dispute for dispute, _ in asked), *handled, *others, *(x for x, _ in against)]
    titles = titles_of(connection, part, shown)
    needs = [_row(dispute, titles) for dispute in queue.disputes]
    needs += [_row(dispute, titles, one) for dispute, one in asked]
    return Inbox(
        needs=sorted(needs, key=lambda row: (row.due or now, row.dispute.id)),
        handled=[_row(dispute, titles) for dispute in handled],
        others=[_row(dispute, titles) for dispute in others],
        decided=[Decided(_row(dispute, titles), cost) for dispute, cost in against],
        letters=letters(connection, part, books, now),
        purses=purses(connection, books, part, store),
        covered=covered_since(connection, books, part, store, now - MONTH),
        more=queue.next is not None,
    )


def decided(
    connection: sqlite3.Connection, part: int, disputes: Sequence[Dispute], now: datetime
) -> list[tuple[Dispute, int]]:
    """Those of the disputes that ended in the last days without the seller's agreement, and took money from them or
    count against them; with what they cost (minor units)."""
    ended = [
        dispute
        for dispute in disputes
        if dispute.closed_at and dispute.closed_at > now - LATELY and dispute.resolved_by in AGAINST
    ]
    banks = taken_back(connection, part, orders_of(connection, part, ended).values(), ended)
    costs = [(dispute, borne(dispute) + banks[dispute.id]) for dispute in ended]
    found = [(dispute, cost) for dispute, cost in costs if cost or dispute.fault.state == "counted"]
    return sorted(found, key=lambda one: one[0].closed_at or now, reverse=True)[:MOST_DECIDED]


def letters(connection: sqlite3.Connection, part: int, scope: scopes.Scope, now: datetime) -> list[Letter]:
    """What others wrote on the latest orders in the last thirty days and the seller has not answered."""
    latest = lists.order_page(connection, part, scope, limit=LOOKED_AT)
    waiting = unanswered(connection, part, latest, "seller", now - MONTH)
    orders = [one for one in latest if one.id in waiting]
    told = titles(connection, part, [(one, ()) for one in orders])
    found = [Letter(one, title, waiting[one.id]) for one, title in zip(orders, told, strict=True)]
    return sorted(found, key=lambda one: one.written.position, reverse=True)


def covered_since(
    connection: sqlite3.Connection, books: scopes.Scope, part: int, store: str, since: datetime
) -> list[Covered]:
    """What the guarantee paid for the store since then, from its own statement."""
    found: list[Covered] = []
    for currency in currencies(connection, part, store):
        lines = statement(connection, books, part, store, currency, start=since).entries
        paid = [entry for entry in lines if entry.kind == "guarantee"]
        if paid:
            disputes = {entry.dispute for entry in paid}
            found.append(Covered(currency, sum(entry.minor for entry in paid), len(disputes)))
    return found


def _row(dispute: Dispute, titles: Mapping[int, str], asked: Asked | None = None) -> Row:
    default = default_outcome(dispute)
    risk = dispute.amount if default in COSTS else 0
    due = asked.until if asked else due_at(dispute)
    return Row(dispute, titles[dispute.id], due, default, risk, asked)


def _recent(dispute: Dispute, now: datetime) -> bool:
    return dispute.closed_at is not None and dispute.closed_at > now - MONTH
