"""Policy versions: their texts, which is in force when, publishing another."""

import asyncio
from datetime import datetime
from typing import Any

from msgspec import Struct

from houbao.core.policy import PolicyError
from houbao.core.policy_file import parse_policy
from houbao.core.terms import Refused, micros
from houbao.store import lists
from houbao.store.policies import Version, versions
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
    """A policy's text (TOML); it is only checked here, and kept when it is published."""

    text: str


class PublishBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """A policy's text, in force in the programme from `start` on; now where no time is given."""

    text: str
    programme: str = "standard"
    start: datetime | None = None


class Checked(Struct, kw_only=True):
    """What a policy's text says; `faults` name every field that is wrong."""

    version: str
    digest: str
    rules: int
    faults: list[str]


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
    """A policy version's text, which never changes."""
    version = ask.text("version")
    with ask.site.snapshot() as reading:
        text = lists.policy_text(reading, version)
    if text is None:
        raise Refused("unknown_policy", f"no policy version {version[:64]!r} in this database")
    policy = parse_policy(text)
    return PolicyText(version=policy.version, digest=policy.digest, title=policy.title, text=text)


@operation(
    "POST",
    "/v1/policies",
    action="policies.publish",
    body=PolicyBody,
    reply=Checked,
    refuses=("text_too_long",),
    example={"text": "# the whole text of a policy"},
)
def check_policy(ask: Ask[PolicyBody, Any]) -> Checked:
    """Check a policy's text: every fault is named with its field. Nothing is kept until it is published."""
    check_length(ask.body.text)
    try:
        policy = parse_policy(ask.body.text)
    except PolicyError as error:
        return Checked(version="", digest="", rules=0, faults=list(error.faults))
    return Checked(version=policy.version, digest=policy.digest, rules=len(policy.rules), faults=[])


@operation(
    "POST",
    "/v1/policies/{version:str}/publish",
    action="policies.publish",
    body=PublishBody,
    reply=PolicyView,
    refuses=(
        "text_too_long",
        "bad_policy",
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
    """Keep a policy under its version for ever, and let it come into force. The same text again changes nothing."""
    body, version = ask.body, ask.text("version")
    check_length(body.text)
    try:
        policy = parse_policy(body.text)
    except PolicyError as error:
        raise Refused("bad_policy", "; ".join(error.faults)) from None
    if policy.version != version:
        raise Refused("bad_policy", f"the text is of version {policy.version}, the path says {version[:64]}")
    publish = ask.site.publish
    published = await asyncio.to_thread(publish, body.programme, body.text, body.start, ask.caller.doer)
    return Answer(_view(published))


def check_length(text: str | bytes) -> None:
    """`Refused('text_too_long')` where a policy's text is too long to be read: it is never cut."""
    if len(text if isinstance(text, bytes) else text.encode()) > MOST_TEXT:
        raise Refused("text_too_long", f"a policy has at most {MOST_TEXT >> 10} KiB of text")
