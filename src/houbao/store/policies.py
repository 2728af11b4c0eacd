"""The policy versions that a database keeps: a programme says from when each is in force, and its text never changes
then. One that no programme has is a draft, and another text may take its place."""

import sqlite3
from datetime import datetime

from msgspec import Struct

from houbao.core.policy import Policy
from houbao.core.policy_file import parse_policy
from houbao.core.programme import Programme, policy_in_force, publish
from houbao.core.terms import Refused
from houbao.store import rows, schema
from houbao.store.changes import inserting
from houbao.store.deeds import Deed, note
from houbao.store.sqlite import SQLite, decode_programme


class Version(Struct, frozen=True):
    """A policy version in a programme, in force from `start` until another one is. `state` is as of the time asked
    for: `past`, `in_force` or `coming`. A version that no programme has is `unused`, without a start."""

    version: str
    digest: str
    programme: str = ""
    start: datetime | None = None
    state: str = "unused"


def programme_of(connection: sqlite3.Connection, name: str) -> Programme:
    """The programme of that name. Raises Refused: unknown_programme."""
    found = connection.execute("SELECT body FROM programmes WHERE name=?", (name,)).fetchone()
    if not found:
        raise Refused("unknown_programme", f"no programme {name!r}")
    return decode_programme(found[0])


def programmes_paying(connection: sqlite3.Connection, currency: str) -> list[Programme]:
    """The programmes that pay in that currency, by name."""
    found = connection.execute("SELECT body FROM programmes WHERE body->>'currency'=? ORDER BY name", (currency,))
    return [decode_programme(body) for (body,) in found]


def versions(connection: sqlite3.Connection, now: datetime) -> list[Version]:
    """Every version with its digest: by programme, in the order in which they come into force; unused ones last."""
    digests = dict(connection.execute("SELECT version, digest FROM policies ORDER BY version").fetchall())
    listed: list[Version] = []
    for (body,) in connection.execute("SELECT body FROM programmes ORDER BY name"):
        programme = decode_programme(body)
        current = policy_in_force(programme, now) if programme.policies else ""
        for start, version in programme.policies:
            state = "in_force" if version == current else "coming" if start > now else "past"
            listed.append(Version(version, digests.get(version, ""), programme.name, start, state))
    used = {one.version for one in listed}
    return listed + [Version(version, digest) for version, digest in digests.items() if version not in used]


def with_policy(
    connection: sqlite3.Connection, programme: str, policy: Policy, start: datetime | None, now: datetime
) -> tuple[Programme, Programme]:
    """The programme as it is, and as it would be with the policy in force from `start` (None: now) on.

    Raises Refused: unknown_programme, version_taken, naive_time, bad_time, backdated, out_of_order."""
    known = programme_of(connection, programme)
    _check_free(connection, policy)
    return known, publish(known, policy.version, start or now, now)


def _check_free(connection: sqlite3.Connection, policy: Policy) -> None:
    """`Refused('version_taken')` where that version was published with another text, or is the database's own."""
    kept = connection.execute("SELECT digest FROM policies WHERE version=?", (policy.version,)).fetchone()
    if not kept or kept[0] == policy.digest:
        return
    (own,) = connection.execute("SELECT value FROM meta WHERE key='policy'").fetchone()
    programmes = [decode_programme(body) for (body,) in connection.execute("SELECT body FROM programmes")]
    if policy.version in {own, *(version for one in programmes for _, version in one.policies)}:
        raise Refused("version_taken", f"version {policy.version} has another text, SHA-256 {kept[0]}")


def _keep(connection: sqlite3.Connection, policy: Policy, text: str) -> None:
    """Keep a text that is free to be kept, in the place of a draft's."""
    connection.execute(
        f"{inserting(schema.policies)} ON CONFLICT (version) DO UPDATE SET digest=excluded.digest, text=excluded.text"
        " WHERE digest<>excluded.digest",
        (policy.version, policy.digest, text),
    )


def keep_draft(database: SQLite, text: str) -> Policy:
    """Keep a policy's text under its version until it is published, or another takes its place. Nothing goes by it.

    Raises PolicyError; Refused: version_taken."""
    policy = parse_policy(text)
    database.lock_part(0)
    try:
        _check_free(database.connection, policy)
        _keep(database.connection, policy, text)
    except BaseException:
        database.rollback()
        raise
    database.commit()
    return policy


def publish_text(
    database: SQLite,
    programme: str,
    text: str,
    now: datetime,
    start: datetime | None = None,
    *,
    by: str = "",
    wall: datetime | None = None,
) -> tuple[Version, bool]:
    """Keep the policy `text` for ever and let it come into force in the programme at `start` (default: now). Also says
    whether that was new: the same text again changes nothing, whatever the time. `by` and `wall`, the machine's time
    (None: `now`), are noted as a deed.

    Raises PolicyError; Refused: unknown_programme, version_taken, naive_time, bad_time, backdated, out_of_order."""
    policy = parse_policy(text)
    head = database.lock_part(0)
    try:
        connection, now = database.connection, max(now, head.booked_at)
        known, changed = with_policy(connection, programme, policy, start, now)
        _keep(connection, policy, text)
        connection.execute("UPDATE programmes SET body=? WHERE name=?", (rows.encode(changed), programme))
        if changed != known:
            note(connection, Deed(wall or now, by, "policy_published", policy.version, programme))
        listed = versions(connection, now)
    except BaseException:
        database.rollback()
        raise
    database.commit()
    (published,) = [one for one in listed if (one.programme, one.version) == (programme, policy.version)]
    return published, changed != known
