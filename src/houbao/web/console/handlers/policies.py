"""Policy versions: which is in force when, their texts, what one changed in another, and what they promise."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from litestar import Request, Response, get
from msgspec import Struct

from houbao.core.policy_file import parse_policy
from houbao.core.promise import Section, promise
from houbao.core.said import Said
from houbao.core.terms import Refused
from houbao.store import deeds, lists
from houbao.store.policies import Version, programme_of, versions
from houbao.web.api.policies import changes
from houbao.web.console import frame
from houbao.web.console.language import N_
from houbao.web.guard import on
from houbao.web.permissions import scope_of

AnyRequest = Request[Any, Any, Any]
PUBLISHED = N_("Published. Orders paid from its start on keep this version.")


class Changed(Struct, frozen=True):
    """A line of a comparison. `look` is ins, del, same or hunk."""

    look: str
    text: str


@get("/policies", opt=on("policies.read"), sync_to_thread=True)
def show_policies(request: AnyRequest) -> Response[str]:
    """Every policy version, with the time from which it is in force."""
    voice, site = frame.speak(request), frame.site_of(request)
    with site.snapshot() as reading:
        found = versions(reading, site.clock())
    may = scope_of(frame.caller_of(request), "policies.publish") is not None
    return frame.page(
        request, voice, "finance/policies.html", at="policies", rows=found, before=before_each(found), may=may
    )


def before_each(found: list[Version]) -> dict[str, str]:
    """Version → the one that it takes the place of in its programme."""
    before: dict[str, str] = {}
    for old, new in pairwise(found):
        if old.programme and old.programme == new.programme:
            before[new.version] = old.version
    return before


@get("/policies/{version:str}", opt=on("policies.read"), sync_to_thread=True)
def show_policy(request: AnyRequest) -> Response[str]:
    """A version: what it promises, what it changed in another, and its text. Raises Refused: unknown_policy."""
    voice, site = frame.speak(request), frame.site_of(request)
    version = str(request.path_params["version"])
    with site.snapshot() as reading:
        text, found = _text(reading, version), versions(reading, site.clock())
        own = next((one for one in found if one.version == version), None)
        programme = programme_of(reading, own.programme) if own and own.programme else None
        against = request.query_params.get("against", before_each(found).get(version, ""))
        other = _text(reading, against) if against else ""
        published = deeds.latest(reading, "policy_published", version)
    policy = parse_policy(text)
    sections: tuple[Section, ...] = (
        promise(policy, programme.currency, programme.mode, voice.say, voice.money) if programme else ()
    )
    return frame.page(
        request,
        voice,
        "finance/policy.html",
        at="policies",
        policy=policy,
        own=own,
        published=published,
        text=text,
        sections=sections,
        against=against,
        others=[one.version for one in found if one.version != version],
        changed=list(compared(other, text)) if against else [],
        done=voice.say(PUBLISHED) if request.query_params.get("done") == "published" else "",
    )


def _text(reading: Any, version: str) -> str:
    text = lists.policy_text(reading, version) if version else None
    if text is None:
        raise Refused(
            "unknown_policy", Said("no policy version %(version)s in this database", version=repr(version[:64]))
        )
    return text


def compared(old: str, new: str) -> Iterator[Changed]:
    """What was taken out and put in, with three lines around it."""
    for line in changes(old, new):
        match line[:1]:
            case "+":
                yield Changed("ins", line[1:])
            case "-":
                yield Changed("del", line[1:])
            case "@":
                yield Changed("hunk", line)
            case _:
                yield Changed("same", line[1:])


HANDLERS = (show_policies, show_policy)
