"""Who may do what, to whose things: one table (role × action × scope). What is not in it is denied.

A role's own dealings on an order or a dispute are in `core` (TURNS, and the refusals of each command): this table says
who gets as far as asking, and whose rows they may then see. "own" is the store's, or the buyer's, own.
"""

from houbao.core.allowed import BY_HAND
from houbao.core.scopes import EVERYTHING, NOTHING, Scope
from houbao.web.callers import PARTIES, Caller

ALL, OWN = "all", "own"
PUBLIC = "public"
"""The action of what everybody may see: whether the server is well, and what the API is like."""

_STAFF = ("agent", "finance", "admin")
_READ = dict.fromkeys(("platform", *_STAFF, "read"), ALL)
_ORDERS = dict.fromkeys(("platform", "admin"), ALL)


def _turn(by: tuple[str, ...]) -> dict[str, str]:
    """Who may give a command of TURNS: those it is for, and the marketplace's software for its buyers and sellers."""
    may = {role: OWN if role in PARTIES else ALL for role in by}
    return may | ({"platform": ALL} if set(by) & set(PARTIES) else {})


GRANTS: dict[str, dict[str, str]] = {
    "stores.register": _ORDERS,
    "stores.list": _READ,
    "stores.read": {**_READ, "seller": OWN},
    "stores.enrol": {**_ORDERS, "seller": OWN},
    "stores.money": {**_READ, "seller": OWN},
    "stores.score": {**_READ, "seller": OWN},
    "stores.repay": {"finance": ALL, "admin": ALL, "seller": OWN},
    "stores.write_off": {"finance": ALL},
    "stores.watch": {"admin": ALL},
    "outages.enter": {"admin": ALL},
    "orders.place": _ORDERS,
    "orders.report": _ORDERS,
    "orders.read": {**_READ, "seller": OWN, "buyer": OWN},
    "orders.write": {"platform": ALL, "agent": ALL, "seller": OWN, "buyer": OWN},
    "orders.goodwill": {"platform": ALL, "seller": OWN},
    "disputes.explain": {**_READ, "seller": OWN, "buyer": OWN},
    "disputes.open": {"platform": ALL, "buyer": OWN},
    "disputes.read": {**_READ, "seller": OWN, "buyer": OWN},
    **{f"disputes.{name}": _turn(by) for name, by in BY_HAND.items()},
    "evidence.add": {"platform": ALL, "agent": ALL, "seller": OWN, "buyer": OWN},
    "evidence.read": {**_READ, "seller": OWN, "buyer": OWN},
    "cases.read": dict.fromkeys(_STAFF, ALL),
    "cases.act": dict.fromkeys(("agent", "finance"), ALL),
    "fund.read": dict.fromkeys(("platform", "finance", "admin", "read"), ALL),
    "fund.download": dict.fromkeys(("finance", "admin"), ALL),
    "fund.reconcile": dict.fromkeys(("finance", "admin"), ALL),
    "fund.move": dict.fromkeys(("finance", "admin"), ALL),
    "policies.read": _READ,
    "policies.publish": dict.fromkeys(("finance", "admin"), ALL),
    "events.read": dict.fromkeys(("platform", "admin", "read"), ALL),
    "webhooks.manage": dict.fromkeys(("platform", "admin"), ALL),
    "portal.open": {"platform": ALL},
    "people.manage": {"admin": ALL},
    "metrics.read": _READ,
    "console.use": dict.fromkeys((*_STAFF, *PARTIES), OWN),
}
"""Action → role → whose things."""


def scope_of(caller: Caller, action: str) -> Scope | None:
    """Whose things the caller may reach by that action: the widest that one of its roles gives; None for nobody's."""
    granted = GRANTS.get(action, {})
    reaches = {granted[role] for role in caller.roles if role in granted}
    if ALL in reaches:
        return EVERYTHING
    if OWN not in reaches:
        return None
    if caller.store and granted.get("seller") == OWN:
        return Scope(stores=(caller.store,))
    if caller.buyer and granted.get("buyer") == OWN:
        return Scope(buyer=caller.buyer)
    return NOTHING
