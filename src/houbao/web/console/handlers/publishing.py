"""A new policy version: its text checked with every field at fault named, beside the one in force, then published."""

import asyncio
from datetime import datetime
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.response import Redirect
from markupsafe import Markup
from msgspec import Struct

from houbao.core.policy import Policy, PolicyError
from houbao.core.policy_file import parse_policy
from houbao.core.programme import Programme, policy_in_force
from houbao.core.promise import Section, promise
from houbao.core.said import Said
from houbao.core.terms import Refused
from houbao.store import lists
from houbao.store.policies import versions, with_policy
from houbao.web.api.policies import MOST_TEXT, check_length
from houbao.web.console import frame
from houbao.web.console.deeds import Form, time_of
from houbao.web.console.handlers.disputes import typed
from houbao.web.console.handlers.policies import Changed, compared
from houbao.web.console.language import Voice
from houbao.web.console.previewed import check_mark
from houbao.web.console.words import retell
from houbao.web.guard import on
from houbao.web.receiving import form_of
from houbao.web.site import Site

AnyRequest = Request[Any, Any, Any]


class Fault(Struct, frozen=True):
    """What is wrong in a text: where it stands, and what to write instead."""

    field: str
    says: Markup


class Draft(Struct, frozen=True):
    """A text that could be published: what it takes the place of, what it changes there, and what it promises. `before`
    is when the same text was published already."""

    policy: Policy
    programme: str
    start: datetime | None
    live: str
    changed: list[Changed]
    sections: tuple[Section, ...]
    before: datetime | None


# --- checking ------------------------------------------------------------------------------------------------------


@get("/publish", opt=on("policies.publish"))
async def show_draft(request: AnyRequest) -> Response[str]:
    """The form of a new version; it may begin with the text of another."""
    # Not `sync_to_thread`: see `sign_in_form` in doors.py.
    return await asyncio.to_thread(_begun, request)


def _begun(request: AnyRequest) -> Response[str]:
    site, begin = frame.site_of(request), request.query_params.get("with", "")
    with site.snapshot() as reading:
        text = lists.policy_text(reading, begin) if begin else None
    return _shown(request, {"text": text or ""})


def _shown(
    request: AnyRequest,
    form: Form,
    *,
    draft: Draft | None = None,
    faults: list[Fault] | None = None,
    refused: Refused | None = None,
) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    with site.snapshot() as reading:
        known = [one for one in versions(reading, site.clock()) if one.programme]
    return frame.page(
        request,
        voice,
        "finance/publish.html",
        at="policies",
        status=422 if faults else 200,
        typed=form,
        draft=draft,
        faults=faults or [],
        programmes=[*dict.fromkeys(one.programme for one in known)],
        in_force=next((one.version for one in known if one.state == "in_force"), ""),
        refused=refused,
    )


@post("/publish/check", opt=on("policies.publish"), status_code=200)
async def check_draft(request: AnyRequest) -> Response[str]:
    """What is wrong with a text; or what it changes in the version in force, with the button that publishes it."""
    form = await typed(request)
    try:
        form["text"] = await _text(request, form)
    except Refused as refused:
        said = refused
        return await asyncio.to_thread(lambda: _shown(request, form, refused=said))
    return await asyncio.to_thread(_check, request, form)


async def _text(request: AnyRequest, form: Form) -> str:
    """The text of the file that was chosen, else of the field. Raises Refused: bad_request, text_too_long."""
    sent = (await form_of(request)).get("file")
    text = form.get("text", "")
    if isinstance(sent, UploadFile) and sent.filename:
        try:
            content = await sent.read(MOST_TEXT + 1)
            check_length(content)
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Refused("bad_request", Said("%(file)s is no text in UTF-8", file=sent.filename[:64])) from None
    if not text.strip():
        raise Refused("bad_request", Said("choose a file, or paste the text of a policy"))
    text = lines_of(text)
    check_length(text)
    return text


def lines_of(text: str) -> str:
    """The text with the line ends of a file: browsers send others, and the digest is of every byte."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check(request: AnyRequest, form: Form) -> Response[str]:
    try:
        draft = _draft(frame.speak(request), frame.site_of(request), form)
    except PolicyError as error:
        return _shown(request, form, faults=[_fault(frame.speak(request), one) for one in error.said])
    except Refused as refused:
        return _shown(request, form, refused=refused)
    return _shown(request, form, draft=draft)


def _fault(voice: Voice, fault: str) -> Fault:
    """A fault as `said.fault_at` tells it, its field apart; else the whole sentence."""
    values = fault.values if isinstance(fault, Said) else {}
    if "field" not in values:
        return Fault("", retell(voice, fault))
    return Fault(str(values["field"]), retell(voice, values["wrong"]))


def _draft(voice: Voice, site: Site, form: Form) -> Draft:
    """Raises PolicyError; Refused: unknown_programme, version_taken, bad_time, backdated, out_of_order."""
    policy, now, start = parse_policy(form["text"]), site.clock(), _start(voice, form)
    with site.snapshot() as reading:
        programme, _ = with_policy(reading, form.get("programme", "standard"), policy, start, now)
        live = policy_in_force(programme, now) if programme.policies else ""
        old = lists.policy_text(reading, live) or ""
    return Draft(
        policy=policy,
        programme=programme.name,
        start=start,
        live=live,
        changed=list(compared(old, form["text"])),
        sections=promise(policy, programme.currency, programme.mode, voice.say, voice.money),
        before=_before(programme, policy.version),
    )


def _before(programme: Programme, version: str) -> datetime | None:
    return next((start for start, known in programme.policies if known == version), None)


def _start(voice: Voice, form: Form) -> datetime | None:
    """When it is to come into force, by the reader's clock; None for now. Raises Refused: bad_time."""
    return time_of(form, "start", voice.zone) if form.get("start", "").strip() else None


# --- publishing ----------------------------------------------------------------------------------------------------


@post("/publish", opt=on("policies.publish"), status_code=303)
async def publish_draft(request: AnyRequest) -> Response[Any]:
    """Keep the text for ever and let it come into force; refused, the page says why."""
    form = await typed(request)
    form["text"] = lines_of(form.get("text", ""))
    return await asyncio.to_thread(_publish, request, form)


def _publish(request: AnyRequest, form: Form) -> Response[Any]:
    site = frame.site_of(request)
    try:
        check_mark("/publish", form)
        check_length(form["text"])
        draft = _draft(frame.speak(request), site, form)
        site.publish(draft.programme, form["text"], draft.start, frame.caller_of(request).doer)
    except PolicyError as error:
        return _shown(request, form, faults=[_fault(frame.speak(request), one) for one in error.said])
    except Refused as refused:
        return _shown(request, form, refused=refused)
    return Redirect(f"/policies/{draft.policy.version}?done=published", status_code=303)


HANDLERS = (show_draft, check_draft, publish_draft)
