"""Who asks: a program with an API key, a user who signed in, a buyer or seller who came by a link; and as whom they
act."""

from functools import cache

from msgspec import Struct

from houbao.core.disputes import Dispute
from houbao.core.orders import Order
from houbao.core.terms import Actor, Refused, Role, role_of
from houbao.engine.request import SENT_BY_KEY
from houbao.store.access import Key, Session

SCOPES = ("platform", "agent", "finance", "read")
"""What a key may be for; `store:<id>` makes it one store's."""


class Caller(Struct, frozen=True):
    """Who asks. `roles` are what a key is for, or the one of a person; `store` and `buyer` whose they are, if
    anybody's. `by_cookie`: the browser sent it along by itself, so what changes something must also carry the form's
    token."""

    kind: str
    id: str
    roles: tuple[str, ...] = ()
    store: str = ""
    buyer: str = ""
    by_cookie: bool = False

    @property
    def role(self) -> str:
        """The first of its roles: a person has no other."""
        return self.roles[0] if self.roles else ""

    @property
    def name(self) -> str:
        """Whose photographs and links these are: a buyer and a store may have the same id."""
        return f"{self.kind}:{'+'.join(self.roles)}:{self.id}"

    @property
    def doer(self) -> str:
        """Who did it, as deeds have it: a key's id, a person as events have them (admin:eve)."""
        return self.id if self.kind == "key" else f"{self.role}:{self.id}"

    @property
    def sender(self) -> str:
        """Whose idempotency keys these are: a key acts for many buyers and stores, and one key of its says one thing
        all the same. Empty for a person, who acts as themselves."""
        return f"{SENT_BY_KEY}{self.id}" if self.kind == "key" else ""

    @property
    def is_person(self) -> bool:
        """Whether somebody who signed in or came by a link asks, and no program with a key."""
        return self.kind != "key"

    @property
    def is_party(self) -> bool:
        """Whether a buyer or a seller asks: who of the platform's people did something is not theirs to know."""
        return self.role in PARTIES

    def actors(self, dispute: Dispute | Order) -> tuple[Actor, ...]:
        """As whom the caller may act on that: itself; a marketplace also as the buyer and the seller of it."""
        return tuple(Actor(role, _subject(self, role, dispute)) for role in _acting(self.roles))


ACTS_AS: tuple[Role, ...] = ("buyer", "seller", "agent", "finance", "admin", "platform")

PARTIES = ("buyer", "seller")


@cache
def _acting(roles: tuple[str, ...]) -> tuple[Role, ...]:
    """As what somebody with these roles acts: there are few such, and every request asks."""
    return tuple(role for role in ACTS_AS if role in roles or ("platform" in roles and role in PARTIES))


NOBODY = Caller("nobody", "")


def of_key(key: Key) -> Caller:
    """The caller with that key."""
    stores = [scope.removeprefix("store:") for scope in key.scopes if scope.startswith("store:")]
    roles = tuple(scope for scope in key.scopes if scope in SCOPES) + (("seller",) if stores else ())
    return Caller("key", key.id, roles, store=stores[0] if stores else "")


def of_session(session: Session, *, by_cookie: bool) -> Caller:
    """The caller with that session."""
    buyer = session.subject if session.role == "buyer" else ""
    return Caller(session.kind, session.subject, (session.role,), session.store, buyer, by_cookie)


def public_by(by: str, caller: Caller) -> str:
    """Who did something, for that caller: to a buyer or a seller, of the platform's people only that it was one."""
    role = role_of(by)
    return role if caller.is_party and role not in PARTIES else by


def actor_for(caller: Caller, may: tuple[str, ...], about: Dispute | Order, wish: str = "") -> Actor:
    """As whom the caller does something that the roles `may` do. A marketplace's key acts for the buyer or the seller
    where only one of them may, or `wish` (the header Houbao-Actor) says which.

    Raises Refused: actor_needed, not_permitted."""
    if wish not in ("", *ACTS_AS):
        known = " or ".join((", ".join(ACTS_AS[:-1]), ACTS_AS[-1]))
        raise Refused("actor_needed", f"Houbao-Actor is {wish[:80]!r}: it takes {known}, and no id")
    roles = [role for role in _acting(caller.roles) if role in may and wish in ("", role)]
    if len(roles) == 1:
        return Actor(roles[0], _subject(caller, roles[0], about))
    if not roles:
        said = f"acting as {wish} " if wish else ""
        raise Refused("not_permitted", f"{said}you may not do that; it takes {' or '.join(may)}")
    raise Refused("actor_needed", f"you may do that as {', '.join(roles)}: say as whom, by the header Houbao-Actor")


def own_actor(caller: Caller, may: tuple[Role, ...]) -> Actor:
    """As whom the caller does something that is about no order. Raises Refused: not_permitted."""
    for role in may:
        if role in caller.roles:
            return Actor(role, caller.store if role == "seller" else caller.id)
    raise Refused("not_permitted", f"that takes {' or '.join(may)}")


def _subject(caller: Caller, role: str, about: Dispute | Order) -> str:
    """The id of an actor: the store's for a seller, the buyer's for a buyer, the caller's own for the rest."""
    if role == "seller":
        return caller.store or about.store
    if role == "buyer":
        return caller.buyer or about.buyer
    return caller.id
