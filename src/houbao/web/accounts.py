"""Who is given a key or an account: what is checked before, whoever asks for it."""

import sqlite3
from collections.abc import Sequence

from houbao.core.scopes import EVERYTHING
from houbao.core.terms import Refused, check_reference, check_words
from houbao.store import lists
from houbao.web.callers import SCOPES
from houbao.web.site import PART

ROLES = ("seller", "agent", "finance", "admin")


def check_key(connection: sqlite3.Connection, name: str, scopes: Sequence[str]) -> None:
    """Whether such a key can be made. Raises Refused: bad_request, bad_words, bad_reference, unknown_store."""
    check_words("name", name)
    if not name.strip():
        raise Refused("bad_request", "say what the key is for")
    for scope in scopes:
        kind, _, store = scope.partition(":")
        if kind == "store" and store:
            _check_store(connection, store)
        elif scope not in SCOPES:
            raise Refused("bad_request", f"{scope!r} is no scope: use {', '.join(SCOPES)} or store:ID")
    if not scopes or sum(scope.startswith("store:") for scope in scopes) > 1:
        raise Refused("bad_request", "name one scope or more, and of store:ID at most one")


def check_user(connection: sqlite3.Connection, number: str, *, role: str, store: str, name: str) -> None:
    """Whether such a user can be added. Raises Refused: bad_reference, bad_request, bad_words, unknown_store."""
    check_reference("user", number)
    check_words("name", name)
    if role not in ROLES or (role == "seller") != bool(store):
        raise Refused("bad_request", f"a user is one of {', '.join(ROLES)}; a seller, and nobody else, is of a store")
    if store:
        _check_store(connection, store)


def _check_store(connection: sqlite3.Connection, store: str) -> None:
    check_reference("store", store)
    if lists.store(connection, PART, EVERYTHING, store) is None:
        raise Refused("unknown_store", f"no store {store}: register it first")
