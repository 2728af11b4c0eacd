"""Policy versions: their texts, which is in force when, publishing another."""

import asyncio
from datetime import datetime
from difflib import unified_diff
from typing import Any

from msgspec import Struct

from houbao.core.policy import Policy, PolicyError
from houbao.core.policy_file import parse_policy
from houbao.core.programme import policy_in_force
from houbao.core.terms import Refused, micros
from houbao.store import lists
from houbao.store.policies import Version, programme_of, versions
from houbao.web.api.paging import PageQuery, Place, sorted_part_of
from houbao.web.api.shapes import Page
from houbao.web.operation import Answer, Ask, operation

MOST_TEXT = 256 * 1024
"""The most bytes of a policy's text, in UTF-8."""


class PolicyView(Struct, kw_only=True):
    """A policy version in a programme, in force from `start` until another one is; `state` is past, in_force, coming or
    unused."""

    version: str
    digest: str
    programme: str
    start: datetime | None
    state: str


class PolicyText(Struct, kw_only=True):
    """A policy version with its text (TOML)."""

    version: str
    digest: str
    title: str
    text: str


class PolicyBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """A policy's text (TOML), and the programme whose version in force it is compared with."""

    text: str
    programme: str = "standard"


class PublishBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """A policy version, in force in the programme from `start` on; now where no time is given. Without a `text` it is
    the one that is kept under the version."""

    text: str = ""
    programme: str = "standard"
    start: datetime | None = None


class DraftView(Struct, kw_only=True):
    """A policy version that is kept as a draft: nothing goes by it until it is published. `changes` are the lines that
    it takes out of and puts into version `live`, which is in force now, as a unified diff."""

    version: str
    digest: str
    rules: int
    live: str
    changes: list[str]


def _view(version: Version) -> PolicyView:
    return PolicyView(
        version=version.version,
        digest=version.digest,
        programme=version.programme,
        start=version.start,
        state=version.state,
    )


@operation(
    "GET",
    "/v1/policies",
    action="policies.read",
    query=PageQuery,
    reply=Page[PolicyView],
    refuses=("bad_cursor",),
)
def list_policies(ask: Ask[Any, PageQuery]) -> Page[PolicyView]:
    """Every policy version with the time from which it is in force: unused ones first, then by programme and time."""
    with ask.site.snapshot() as reading:
        known = [_view(one) for one in versions(reading, ask.site.clock())]
    return sorted_part_of(known, ask.query, _place)


def _place(one: PolicyView) -> Place:
    return one.programme, micros(one.start) if one.start else 0, one.version


@operation(
    "GET",
    "/v1/policies/{version:str}",
    action="policies.read",
    reply=PolicyText,
    refuses=("unknown_policy",),
)
def read_policy(ask: Ask[Any, Any]) -> PolicyText:
    """A policy version's text, which never changes once it was published."""
    text = _kept(ask, ask.text("version"))
    policy = parse_policy(text)
    return PolicyText(version=policy.version, digest=policy.digest, title=policy.title, text=text)


def _kept(ask: Ask[Any, Any], version: str) -> str:
    """The text that is kept under a version. Raises Refused: unknown_policy."""
    with ask.site.snapshot() as reading:
        text = lists.policy_text(reading, version)
    if text is None:
        raise Refused("unknown_policy", f"no policy version {version[:64]!r} in this database")
    return text


@operation(
    "POST",
    "/v1/policies",
    action="policies.publish",
    body=PolicyBody,
    reply=DraftView,
    status=201,
    refuses=("text_too_long", "bad_policy", "unknown_programme", "version_taken"),
    example={"text": "# the whole text of a policy"},
)
def draft_policy(ask: Ask[PolicyBody, Any]) -> DraftView:
    """Keep a policy's text under its version as a draft, in the place of an earlier draft of it; every fault is named
    with its field. What was published never changes."""
    check_length(ask.body.text)
    with ask.site.snapshot() as reading:
        programme = programme_of(reading, ask.body.programme)
        live = policy_in_force(programme, ask.site.clock()) if programme.policies else ""
        before = lists.policy_text(reading, live) if live else ""
    _read(ask.body.text)
    policy = ask.site.keep(ask.body.text)
    return DraftView(
        version=policy.version,
        digest=policy.digest,
        rules=len(policy.rules),
        live=live,
        changes=changes(before or "", ask.body.text),
    )


def _read(text: str) -> Policy:
    """A policy from its text. Raises Refused: bad_policy, whose reasons are its faults."""
    try:
        return parse_policy(text)
    except PolicyError as error:
        raise Refused("bad_policy", "; ".join(error.faults), reasons=error.faults) from None


def changes(old: str, new: str) -> list[str]:
    """What was taken out and put in, with three lines around it."""
    return list(unified_diff(old.splitlines(), new.splitlines(), lineterm=""))[2:]


@operation(
    "POST",
    "/v1/policies/{version:str}/publish",
    action="policies.publish",
    body=PublishBody,
    reply=PolicyView,
    refuses=(
        "text_too_long",
        "bad_policy",
        "unknown_policy",
        "unknown_programme",
        "version_taken",
        "naive_time",
        "bad_time",
        "backdated",
        "out_of_order",
    ),
    example={"text": "# the whole text of a policy", "programme": "standard"},
)
async def publish_policy(ask: Ask[PublishBody, Any]) -> Answer:
    """Keep a policy under its version for ever, and let it come into force: the text that is sent, else the draft. The
    same text again changes nothing."""
    body, version = ask.body, ask.text("version")
    check_length(body.text)
    text = body.text or _kept(ask, version)
    policy = _read(text)
    if policy.version != version:
        raise Refused("bad_policy", f"the text is of version {policy.version}, the path says {version[:64]}")
    publish = ask.site.publish
    published = await asyncio.to_thread(publish, body.programme, text, body.start, ask.caller.doer)
    return Answer(_view(published))


def check_length(text: str | bytes) -> None:
    """`Refused('text_too_long')` where a policy's text is too long to be read: it is never cut."""
    if len(text if isinstance(text, bytes) else text.encode()) > MOST_TEXT:
        raise Refused("text_too_long", f"a policy has at most {MOST_TEXT >> 10} KiB of text")
