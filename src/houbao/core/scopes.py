"""Whose rows a reader may see: an argument of every query of a store's or a buyer's data."""

from msgspec import Struct

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
