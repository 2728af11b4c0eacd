"""Who may come in: API keys, console users, sessions, one-time links. Plain rows, on a connection of their own.

A secret is random and long, so its SHA-256 is enough to know it again by; passwords come in hashed (argon2).
Times are aware UTC of the machine's clock: a sandbox's clock opens and ends no session.
"""

import json
import secrets
import sqlite3
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from msgspec import Struct

from houbao.core.terms import from_micros, micros
from houbao.store import schema
from houbao.store.aside import Aside
from houbao.store.changes import inserting
from houbao.store.deeds import Deed, note

KEY_PREFIX = "hb"
MOST_FAILURES = 5
"""Wrong passwords or codes in a row before an account is locked."""

LOCKED_FOR = timedelta(minutes=15)
IDLE = timedelta(hours=8)
"""A session ends when it was not used for so long."""

LONGEST = timedelta(hours=24)
"""However much it is used, a session ends then."""

LINK_LASTS = timedelta(minutes=15)
TOUCHED_EVERY = timedelta(minutes=1)
"""That a session was used is written down no more often."""

SHORT_WAIT = 0.1
"""Seconds that this may wait for others who write."""


class Key(Struct, frozen=True):
    """An API key, without its secret."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None


class User(Struct, frozen=True):
    """A person with an account. `store` is a seller's; `totp` the secret of their authenticator, empty without one."""

    id: str
    name: str
    role: str
    store: str
    password: str
    totp: str = ""
    totp_step: int = 0
    failures: int = 0
    locked_until: datetime | None = None
    active: bool = True


class Session(Struct, frozen=True):
    """Somebody who is signed in: a user, or a buyer or seller who came by a link (`kind` portal). `subject` is the
    user's id, else the buyer's or the store's."""

    kind: str
    role: str
    subject: str
    store: str
    expires_at: datetime


class Access(Aside):
    """The rows of keys, users, sessions and links of one database. `revocations`: how many keys were revoked through
    this."""

    revocations = 0

    # --- keys ------------------------------------------------------------------------------------------------------

    def add_key(self, name: str, scopes: tuple[str, ...], now: datetime, by: str = "") -> tuple[Key, str]:
        """A new key and its secret, which is known to nobody afterwards. `by`: who makes it, as deeds have it."""
        number = secrets.token_hex(6)
        secret = f"{KEY_PREFIX}_{number}_{secrets.token_urlsafe(32)}"
        key = Key(f"key_{number}", name, scopes, now)
        with self.writing() as connection:
            row = (key.id, digest_of(secret), name, json.dumps(scopes), micros(now), None)
            connection.execute(inserting(schema.keys), row)
            note(connection, Deed(now, by, "key_made", key.id, name))
        return key, secret

    def revoke_key(self, number: str, now: datetime, by: str = "") -> bool:
        """The key opens nothing any more; false where there is no such key in use."""
        with self.writing() as connection:
            done = connection.execute(
                "UPDATE keys SET revoked_at=? WHERE id=? AND revoked_at IS NULL RETURNING name", (micros(now), number)
            ).fetchone()
            if done:
                note(connection, Deed(now, by, "key_revoked", number, done[0]))
        self.revocations += done is not None
        return done is not None

    # --- users -----------------------------------------------------------------------------------------------------

    def put_user(self, user: User, deed: Deed | None = None) -> None:
        """Keep a user, in the place of one with the same id, who is signed out everywhere; `deed` is noted with it."""
        row = (
            user.id,
            user.name,
            user.role,
            user.store,
            user.password,
            user.totp,
            user.totp_step,
            user.failures,
            micros(user.locked_until) if user.locked_until else 0,
            int(user.active),
        )
        with self.writing() as connection:
            connection.execute("DELETE FROM users WHERE id=?", (user.id,))
            connection.execute(inserting(schema.users), row)
            _sign_out(connection, user.id)
            if deed is not None:
                note(connection, deed)

    def renew(self, user: str, password: str, deed: Deed, *, totp: str = "", active: bool = True) -> User | None:
        """Another password (as it is kept) in the place of any, another authenticator (`totp`) where they have one, and
        let in or no more; the user is signed out everywhere. What else is true of them stays as it is by now. Returns
        them as they are then; None where there is no such user."""
        with self.writing() as connection:
            done = connection.execute(
                "UPDATE users SET password=?, active=?, failures=0, locked_until=0,"
                " totp=CASE WHEN totp='' OR ?='' THEN totp ELSE ? END WHERE id=? RETURNING *",
                (password, int(active), totp, totp, user),
            ).fetchone()
            if done:
                _sign_out(connection, user)
                note(connection, deed)
        return _user(done) if done else None

    def note_try(self, user: str, now: datetime) -> bool:
        """A sign-in is tried; it counts as failed until it succeeds, so guesses sent at once are no more than those
        sent in a row. After too many the account rests for a while: false, and also where there is no such user."""
        with self.writing() as connection:
            counted = connection.execute(
                "UPDATE users SET failures=(failures+1) % ?, locked_until=CASE WHEN failures+1>=? THEN ? ELSE"
                " locked_until END WHERE id=? AND locked_until<=? RETURNING id",
                (MOST_FAILURES, MOST_FAILURES, micros(now + LOCKED_FOR), user, micros(now)),
            ).fetchone()
        return counted is not None

    def note_success(self, user: str, totp_step: int) -> bool:
        """A sign-in succeeded; false where its code was used before (`totp_step` is the code's number, 0 for none)."""
        with self.writing() as connection:
            done = connection.execute(
                "UPDATE users SET failures=0, locked_until=0, totp_step=max(totp_step, ?)"
                " WHERE id=? AND (?=0 OR totp_step<?)",
                (totp_step, user, totp_step, totp_step),
            )
        return done.rowcount > 0

    def change_password(self, user: str, before: str, after: str, deed: Deed) -> bool:
        """Another password (both as they are kept) in the place of the one before, and the user is signed out
        everywhere; false, and nothing changed, where the account was closed meanwhile or has another password."""
        with self.writing() as connection:
            done = connection.execute(
                "UPDATE users SET password=?, failures=0, locked_until=0 WHERE id=? AND active=1 AND password=?",
                (after, user, before),
            )
            if done.rowcount:
                _sign_out(connection, user)
                note(connection, deed)
        return done.rowcount > 0

    # --- sessions and links ----------------------------------------------------------------------------------------

    def begin_session(self, kind: str, role: str, subject: str, store: str, now: datetime) -> str:
        """Somebody signed in: the secret for their cookie. Sessions that are over are swept out."""
        secret = secrets.token_urlsafe(32)
        row = (digest_of(secret), kind, role, subject, store, micros(now), micros(now), micros(now + LONGEST))
        with self.writing() as connection:
            connection.execute(
                "DELETE FROM sessions WHERE expires_at<? OR seen_at<?", (micros(now), micros(now - IDLE))
            )
            connection.execute(inserting(schema.sessions), row)
        return secret

    def end_session(self, secret: str) -> None:
        """Somebody signed out."""
        with self.writing() as connection:
            connection.execute("DELETE FROM sessions WHERE digest=?", (digest_of(secret),))

    def touch(self, secret: str, now: datetime) -> None:
        """A session is being used; where others are writing just now, the next request says so."""
        with suppress(sqlite3.OperationalError), self.writing(wait=SHORT_WAIT) as connection:
            connection.execute("UPDATE sessions SET seen_at=? WHERE digest=?", (micros(now), digest_of(secret)))

    def add_link(self, role: str, subject: str, now: datetime) -> tuple[str, datetime]:
        """A one-time link for a buyer or a store: its secret, and until when it works."""
        secret, until = secrets.token_urlsafe(32), now + LINK_LASTS
        with self.writing() as connection:
            connection.execute("DELETE FROM links WHERE expires_at<?", (micros(now - LONGEST),))
            connection.execute(inserting(schema.links), (digest_of(secret), role, subject, micros(until), None))
        return secret, until

    def use_link(self, secret: str, now: datetime) -> tuple[str, str] | None:
        """(role, subject) of a link that was not used yet and still works; nobody uses it again."""
        with self.writing() as connection:
            found = connection.execute(
                "UPDATE links SET used_at=? WHERE digest=? AND used_at IS NULL AND expires_at>?"
                " RETURNING role, subject",
                (micros(now), digest_of(secret), micros(now)),
            ).fetchone()
        return (found[0], found[1]) if found else None


def _sign_out(connection: sqlite3.Connection, user: str) -> None:
    """In the same transaction as what changes how they sign in: nobody stays signed in by the password before."""
    connection.execute("DELETE FROM sessions WHERE kind='user' AND subject=?", (user,))


# --- looking, on any connection ------------------------------------------------------------------------------------


def key_of(connection: sqlite3.Connection, secret: str) -> Key | None:
    """The key with that secret, if it is in use."""
    if not secret.startswith(f"{KEY_PREFIX}_"):
        return None
    number = secret.split("_", 2)[1]
    found = connection.execute("SELECT * FROM keys WHERE id=? AND revoked_at IS NULL", (f"key_{number}",)).fetchone()
    if not found or not secrets.compare_digest(found[1], digest_of(secret)):
        return None
    return _key(found)


def all_keys(connection: sqlite3.Connection) -> list[Key]:
    """Every key, in the order in which they were made."""
    return [_key(row) for row in connection.execute("SELECT * FROM keys ORDER BY created_at, id")]


def _key(row: tuple[Any, ...]) -> Key:
    number, _, name, scopes, created_at, revoked_at = row
    return Key(
        number,
        name,
        tuple(json.loads(scopes)),
        from_micros(created_at),
        None if revoked_at is None else from_micros(revoked_at),
    )


def user_of(connection: sqlite3.Connection, number: str) -> User | None:
    """The user of that id."""
    found = connection.execute("SELECT * FROM users WHERE id=?", (number,)).fetchone()
    return _user(found) if found else None


def all_users(connection: sqlite3.Connection) -> list[User]:
    """Every user by id."""
    return [_user(row) for row in connection.execute("SELECT * FROM users ORDER BY id")]


def _user(row: tuple[Any, ...]) -> User:
    locked = from_micros(row[8]) if row[8] else None
    return User(*row[:8], locked_until=locked, active=bool(row[9]))


def session_of(connection: sqlite3.Connection, secret: str, now: datetime) -> tuple[Session, bool] | None:
    """The session with that secret, if it is not over, and whether it is time to note that it is used. A user's ends
    with the account, and follows its role."""
    found = connection.execute(
        "SELECT s.kind, coalesce(u.role, s.role), s.subject, coalesce(u.store_id, s.store_id), s.expires_at, s.seen_at"
        " FROM sessions AS s LEFT JOIN users AS u ON s.kind='user' AND u.id=s.subject"
        " WHERE s.digest=? AND s.expires_at>? AND s.seen_at>? AND (s.kind<>'user' OR u.active=1)",
        (digest_of(secret), micros(now), micros(now - IDLE)),
    ).fetchone()
    if not found:
        return None
    kind, role, subject, store, expires_at, seen_at = found
    stale = seen_at < micros(now - TOUCHED_EVERY)
    return Session(kind, role, subject, store, from_micros(expires_at)), stale


def link_of(connection: sqlite3.Connection, secret: str, now: datetime) -> Session | None:
    """The session that a one-time link would begin, if it still works; it stays unused."""
    found = connection.execute(
        "SELECT role, subject, expires_at FROM links WHERE digest=? AND used_at IS NULL AND expires_at>?",
        (digest_of(secret), micros(now)),
    ).fetchone()
    if not found:
        return None
    role, subject, expires_at = found
    return Session("portal", role, subject, subject if role == "seller" else "", from_micros(expires_at))


def digest_of(secret: str) -> bytes:
    """By what a long random secret is known again."""
    return sha256(secret.encode()).digest()
