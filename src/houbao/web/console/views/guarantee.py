"""A store and the guarantee: whether it is in, what that brought it, and what the programme promises."""

import sqlite3
from datetime import datetime, timedelta

from msgspec import Struct

from houbao.core import scopes
from houbao.core.policy import Policy
from houbao.core.programme import Enrolment, Programme, Store, enrolment_at, policy_in_force
from houbao.core.rulings import Compiled
from houbao.core.scopes import Scope
from houbao.store import lists
from houbao.web.console.views.inbox import Covered, covered_since

QUARTER = timedelta(days=90)


class Guarantee(Struct, frozen=True, kw_only=True):
    """A store's place in the programme. `covered` is what the guarantee paid for it in 90 days; `policy` the one in
    force, of that `version`."""

    programme: Programme | None
    enrolment: Enrolment | None
    covered: list[Covered]
    version: str
    policy: Policy | None
    premium: int


def version_now(programme: Programme, now: datetime) -> str:
    """The policy version in force; empty for the database's default."""
    return policy_in_force(programme, now) or ""


def guarantee(
    connection: sqlite3.Connection,
    part: int,
    store: str,
    programme: Programme | None,
    rules: Compiled | None,
    now: datetime,
) -> Guarantee:
    """The store's place in the guarantee. `rules` are the policy in force."""
    books = scopes.Scope(stores=(store,))
    found: Store | None = lists.store(connection, part, Scope(stores=(store,)), store)
    return Guarantee(
        programme=programme,
        enrolment=enrolment_at(found, now) if found else None,
        covered=covered_since(connection, books, part, store, now - QUARTER),
        version=rules.policy.version if rules else "",
        policy=rules.policy if rules else None,
        premium=rules.policy.premium if rules else 0,
    )
