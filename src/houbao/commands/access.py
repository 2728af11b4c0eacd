"""`houbao keys …`, `houbao users …`: who may use the API and the console. A secret is printed once, a password asked
for; neither is ever on the command line."""

import getpass
import secrets
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime

import pyotp
from msgspec import Struct, structs

from houbao.commands.terminal import CommandFailed
from houbao.store.access import Access, Key, User, all_keys, all_users, user_of
from houbao.store.deeds import COMMAND_LINE, Deed
from houbao.web.accounts import check_key, check_user
from houbao.web.signin import hashed
from houbao.wiring import House


class NewKey(Struct):
    """A key that was made, with its secret, which nobody can show again."""

    id: str
    name: str
    scopes: tuple[str, ...]
    secret: str

    def told(self) -> list[str]:
        """It as lines of text."""
        return [f"{self.id} ({self.name}) for {', '.join(self.scopes)}; its secret, shown this once:", self.secret]


def add_key(house: House, name: str, scopes: Sequence[str]) -> NewKey:
    """Make a key. Raises Refused: bad_request, bad_words, unknown_store."""
    check_key(house.database.connection, name, scopes)
    with closing(Access(house.database.path)) as access:
        key, secret = access.add_key(name, tuple(scopes), datetime.now(UTC), COMMAND_LINE)
    return NewKey(key.id, key.name, key.scopes, secret)


def revoke_key(house: House, number: str) -> str:
    """Make a key open nothing any more; to a server that runs, within a second. Raises CommandFailed."""
    with closing(Access(house.database.path)) as access:
        if not access.revoke_key(number, datetime.now(UTC), COMMAND_LINE):
            raise CommandFailed(f"no key {number} is in use")
    return f"{number} opens nothing any more"


def keys(house: House) -> list[Key]:
    """Every key, without its secret."""
    return all_keys(house.database.connection)


def told_keys(found: list[Key]) -> list[str]:
    """They as lines of text."""
    lines = []
    for key in found:
        state = f"revoked {key.revoked_at:%Y-%m-%d %H:%M} UTC" if key.revoked_at else "in use"
        lines.append(f"{key.id}  {', '.join(key.scopes):<20} {state}  {key.name}")
    return lines or ["no keys"]


class NewUser(Struct):
    """A user who was added, or changed. `totp` is what an authenticator is set up with, shown this once."""

    id: str
    role: str
    store: str
    new: bool
    totp: str

    def told(self) -> list[str]:
        """It as lines of text."""
        done = "added" if self.new else "changed, and signed out everywhere"
        own = f" of store {self.store}" if self.store else ""
        lines = [f"{self.id} {done}: {self.role}{own}"]
        return [*lines, f"for the authenticator, shown this once: {self.totp}"] if self.totp else lines


def add_user(house: House, number: str, *, role: str, store: str, name: str, totp: bool | None) -> NewUser:
    """Add a user, or give one another password and role. `totp`: a new authenticator, none, or what they have (None).
    The password is asked for, or read from a pipe.

    Raises Refused: bad_reference, bad_request, bad_words, unknown_store."""
    number = number.lower()
    check_user(house.database.connection, number, role=role, store=store, name=name)
    before = user_of(house.database.connection, number)
    user = User(number, name or number, role, store, hashed(_password()), pyotp.random_base32() if totp else "")
    if totp is None and before is not None:
        user = structs.replace(user, totp=before.totp, totp_step=before.totp_step)
    with closing(Access(house.database.path)) as access:
        access.put_user(user, _deed("user_changed" if before else "user_added", user))
    shown = pyotp.TOTP(user.totp).provisioning_uri(name=number, issuer_name="Houbao") if totp else ""
    return NewUser(number, role, store, before is None, shown)


def close_user(house: House, number: str) -> str:
    """Let a user in no more; what they did stays. Raises CommandFailed."""
    found = user_of(house.database.connection, number.lower())
    if found is None:
        raise CommandFailed(f"no user {number}")
    with closing(Access(house.database.path)) as access:
        access.renew(found.id, hashed(secrets.token_urlsafe(32)), _deed("user_closed", found), active=False)
    return f"{found.id} is let in no more"


def _deed(what: str, user: User) -> Deed:
    return Deed(datetime.now(UTC), COMMAND_LINE, what, user.id, user.name)


def users(house: House) -> list[dict[str, object]]:
    """Every user, without what they sign in with."""
    return [
        {"id": one.id, "name": one.name, "role": one.role, "store": one.store, "active": one.active}
        for one in all_users(house.database.connection)
    ]


def told_users(found: list[dict[str, object]]) -> list[str]:
    """They as lines of text."""
    return [
        f"{one['id']:<24} {one['role']:<8} {one['store'] or '-':<16} {'in use' if one['active'] else 'closed'}"
        for one in found
    ] or ["no users"]


def _password() -> str:
    """The password: asked for twice at a terminal, one line of a pipe otherwise."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password (12 characters or more): ")
    if getpass.getpass("Once more: ") != first:
        raise CommandFailed("the two are not the same; nothing was changed")
    return first
