"""Whose rows a reader may see: an argument of every query of a store's or a buyer's data."""

from msgspec import Struct

from houbao.core.accounts import store_of
from houbao.core.terms import Actor, Refused


class Scope(Struct, frozen=True):
    """What may be seen: the rows of `stores` (None: of every store), and where `buyer` is named, only that buyer's."""

    stores: tuple[str, ...] | None = None
    buyer: str = ""


EVERYTHING = Scope()
"""What the platform's own people and programs see."""

NOTHING = Scope(stores=())


def scope_of(actor: Actor) -> Scope:
    """What that actor may see."""
    match actor.role:
        case "seller":
            return Scope(stores=(actor.id,))
        case "buyer":
            return Scope(buyer=actor.id)
        case "provider" | "mail":
            return Scope(stores=())
        case _:
            return EVERYTHING


def sees(scope: Scope, store: str, buyer: str) -> bool:
    """Whether what is between that store and that buyer may be seen."""
    return (scope.stores is None or store in scope.stores) and scope.buyer in ("", buyer)


def check_books(scope: Scope, store: str) -> None:
    """`Refused('not_yours')` unless the store's money may be seen: it never is by a buyer."""
    if scope.buyer or (scope.stores is not None and store not in scope.stores):
        raise Refused("not_yours", f"the books of store {store} are another's")


BUYERS = ("refund", "refund_returned", "chargeback")
"""What reaches a buyer's payment, or leaves it again."""

OUTSIDE = ("provider:", "external:")


def ends_seen(scope: Scope, kind: str, source: str, target: str) -> tuple[str, str] | None:
    """The accounts of a transfer as they may be seen; None where it is not the reader's to know. A store sees what its
    own statement has. A buyer sees what moves on their payment, and of whose books it comes nothing: that end is empty.
    """
    if scope.buyer:
        told = [account if account.startswith(OUTSIDE) else "" for account in (source, target)]
        return (told[0], told[1]) if kind in BUYERS and any(told) else None
    if scope.stores is None or {store_of(source), store_of(target)} & {*scope.stores} - {""}:
        return source, target
    return None
