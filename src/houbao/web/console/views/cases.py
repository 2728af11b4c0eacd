"""A dispute as its page shows it: facts, both sides' proposals, one timeline, and what its reader may do now."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from houbao.core import disputes as d
from houbao.core.acts import DisputeRuled
from houbao.core.allowed import allowed
from houbao.core.disputes import Dispute, due_at
from houbao.core.orders import Order
from houbao.core.phases import default_outcome, waits_for
from houbao.core.scopes import EVERYTHING, Scope
from houbao.core.terms import Actor
from houbao.core.world import Event
from houbao.store import lists, queries
from houbao.store.pages import Mail, Purse, Written, mails, order_messages
from houbao.web.console.views.asked import Asked, asked_in
from houbao.web.console.views.orders import OrderPage, purse_in, title_of, whole


class Happened(Struct, frozen=True):
    """An event with its free text, where it has one that was not erased."""

    position: int
    at: datetime
    event: Event
    text: str = ""


class Case(Struct, frozen=True, kw_only=True):
    """A dispute's page. `role` is its reader's; `allowed` the commands that reader may give now; `began` when the turn
    that runs began; `purse` the store's in the dispute's currency, for those who may see it; `letters` what the two
    wrote on the order itself; `wanted` what the platform asks each party for, by role."""

    role: str
    dispute: Dispute
    order: OrderPage
    title: str
    happened: list[Happened]
    mails: list[Mail]
    letters: list[Written]
    allowed: tuple[str, ...]
    waiting: str
    due: datetime | None
    began: datetime | None
    default: str
    purse: Purse | None
    wanted: dict[str, Asked]

    @property
    def seen(self) -> int:
        """The position of the last event that this page knows of."""
        return self.dispute.history[-1]

    def last(self, *kinds: type) -> Any:
        """The latest event of one of those kinds, with its text; None without one."""
        return next((one for one in reversed(self.happened) if isinstance(one.event, kinds)), None)

    @property
    def asked(self) -> Happened:
        """When the buyer last said what they ask."""
        return self.last(d.DisputeOpened, d.ClaimChanged, d.GoodwillSent)

    @property
    def mine(self) -> Asked | None:
        """The evidence that the platform asks the reader for, or asked and has; None where it asks for none."""
        return self.wanted.get(self.role)

    @property
    def answered(self) -> Happened | None:
        """The seller's last answer."""
        return self.last(d.SellerOffered, d.SellerRejected)

    @property
    def ruled(self) -> Happened | None:
        """The platform's last ruling."""
        return self.last(DisputeRuled, d.AppealRuled)


def case(
    connection: sqlite3.Connection, part: int, scope: Scope, number: int, actors: Sequence[Actor], now: datetime
) -> Case | None:
    """A dispute for whoever acts as one of `actors`, if it may be seen."""
    dispute = lists.dispute(connection, part, scope, number)
    return case_of(connection, part, dispute, actors, now) if dispute else None


def case_of(
    connection: sqlite3.Connection, part: int, dispute: Dispute, actors: Sequence[Actor], now: datetime
) -> Case:
    """A dispute that may be seen, with all that its page needs."""
    order = _order(connection, part, dispute)
    role = actors[0].role if actors else ""
    events = queries.timeline(connection, part, dispute)
    texts = lists.texts(connection, part, dispute.history)
    happened = [Happened(position, event.at, event, texts.get(position, "")) for position, event in events]
    asked = {party: asked_in(dispute, events, texts, party, now) for party in ("buyer", "seller")}
    due = due_at(dispute)
    return Case(
        role=role,
        dispute=dispute,
        order=whole(connection, part, order),
        title=title_of(connection, part, order, dispute.lines),
        happened=happened,
        mails=[mail for mail in mails(connection, part, dispute.history) if _may_read(mail, role)],
        letters=order_messages(connection, part, order),
        allowed=tuple(allowed(dispute, actors, now)),
        waiting=waits_for(dispute),
        due=due,
        began=_began(happened, due),
        default=default_outcome(dispute),
        purse=purse_in(connection, part, order) if role != "buyer" else None,
        wanted={party: one for party, one in asked.items() if one},
    )


def _order(connection: sqlite3.Connection, part: int, dispute: Dispute) -> Order:
    """The dispute's own order: who may see the one may see the other."""
    order = lists.order(connection, part, EVERYTHING, dispute.order)
    assert order is not None
    return order


def _may_read(mail: Mail, role: str) -> bool:
    """Parties see the mails to themselves."""
    return role not in ("buyer", "seller") or mail.to == role


def _began(happened: Sequence[Happened], due: datetime | None) -> datetime | None:
    """When the turn that ends at `due` began: the first event that set that time."""
    for one in happened:
        if due is not None and any(timer.at == due for timer in getattr(one.event, "timers", ())):
            return one.at
    return None
