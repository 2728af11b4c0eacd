"""The dispute's page: read, see what something would do, do it. A refusal stands on the page, with what is possible."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.response import Redirect
from markupsafe import Markup
from msgspec import Struct

from houbao.core import disputes as d
from houbao.core.said import Said
from houbao.core.scopes import Scope
from houbao.core.terms import Actor, Refused, public_id
from houbao.engine.foresight import Shift, shift
from houbao.engine.request import Preview
from houbao.store import lists
from houbao.store.lists import Filters
from houbao.web.console import choices as chosen
from houbao.web.console import frame, telling
from houbao.web.console.chronicle import STAFF
from houbao.web.console.deeds import DEEDS, Deed
from houbao.web.console.handlers import photos
from houbao.web.console.handlers.trying import Back, Change, shown_before, try_out
from houbao.web.console.language import N_, Voice
from houbao.web.console.previewed import check_mark
from houbao.web.console.reasons import reasons
from houbao.web.console.refusals import TITLES
from houbao.web.console.shell import trouble
from houbao.web.console.views.asked import asked_of
from houbao.web.console.views.cases import Case, case
from houbao.web.console.views.consequences import Consequence, consequence
from houbao.web.console.views.orders import titles_of
from houbao.web.guard import on, reach_of
from houbao.web.problems import status_of
from houbao.web.receiving import form_of
from houbao.web.site import PART, Site, number_of

AnyRequest = Request[Any, Any, Any]
MOST_LISTED = 50


class Tried(Struct, frozen=True):
    """What somebody tried to send and is shown again: the deed, what was typed, and what is wrong with which field."""

    deed: str = ""
    form: Mapping[str, str] = {}
    wrong: Mapping[str, Markup] = {}


NOTHING_TRIED = Tried()


# --- reading -------------------------------------------------------------------------------------------------------


@get("/disputes", opt=on("disputes.read"), sync_to_thread=True)
def my_disputes(request: AnyRequest) -> Response[str]:
    """A buyer's disputes, the newest first; sellers have them in their inbox."""
    reach = reach_of(request)
    voice, site = frame.speak(request), frame.site_of(request)
    with site.snapshot() as reading:
        found = lists.dispute_page(reading, PART, reach, Filters(), limit=MOST_LISTED)
        titles = titles_of(reading, PART, found)
        role = frame.caller_of(request).role
        asked = asked_of(reading, PART, found, role, site.clock())
    told = [(one, titles[one.id], telling.brief(voice, role, one)) for one in found]
    return frame.page(request, voice, "disputes.html", at="disputes", rows=told, role=role, asked=asked)


@get("/disputes/{dispute_id:str}", opt=on("disputes.read"), sync_to_thread=True)
def show_dispute(request: AnyRequest) -> Response[Any]:
    """A dispute, with what its reader may do now and what each of it would lead to. The platform's own people have a
    page of their own for it."""
    reach = reach_of(request)
    dispute_id = str(request.path_params["dispute_id"])
    if frame.caller_of(request).role in STAFF:
        return Redirect(f"/cases/{public_id('dispute', PART, number_of('dispute', dispute_id))}", status_code=303)
    done = DONE.get(request.query_params.get("done", ""), "")
    return shown(request, reach, number_of("dispute", dispute_id), done=done)


DONE = {
    "opened": N_("The dispute is open. You find it here, and we write to you when something happens."),
    **{name: N_("Done. What follows stands in the timeline.") for name in DEEDS},
    "messages": N_("Your message was sent."),
    "evidence": N_("Added to the dispute."),
}


def shown(
    request: AnyRequest,
    scope: Scope,
    number: int,
    *,
    done: str = "",
    refused: Refused | None = None,
    tried: Tried = NOTHING_TRIED,
) -> Response[str]:
    """The page of a dispute; takes previews, so not to be called on the event loop. Raises Refused: unknown_dispute."""
    voice, site = frame.speak(request), frame.site_of(request)
    actor = frame.actor_of(frame.caller_of(request))
    with site.snapshot() as reading:
        found = case(reading, PART, scope, number, [actor], site.clock())
        if found is None:
            raise frame.unknown_dispute(number)
        why = why_of(voice, site, reading, found)
    foreseen = _foreseen(site, found, actor)
    return frame.page(
        request,
        voice,
        "dispute.html",
        at="inbox" if found.role == "seller" else "disputes",
        done=voice.say(done) if done else "",
        refused=refused,
        amounts=chosen.amounts(voice, found, tried.form),
        case=found,
        title=telling.title(voice, found),
        next=telling.next_of(voice, found),
        outcome=telling.outcome_of(voice, found.dispute, found.role),
        ruling=telling.ruling_of(voice, found),
        back=back_of(voice, found.role),
        taken=found.last(d.OfferAccepted) is not None,
        choices=chosen.choices(voice, found, foreseen),
        idle=chosen.nothing(voice, found),
        plain=[deed for deed in DEEDS.values() if deed.plain and deed.name in found.allowed],
        timeline=telling.timeline(voice, found),
        why=why,
        tried=tried,
        photos=photos.shown(request, _named(found)),
        keys=lambda: uuid4().hex,
    )


def _named(found: Case) -> list[str]:
    """The photographs that the dispute names."""
    return [digest for one in found.happened for digest in getattr(one.event, "evidence", ())]


def back_of(voice: Voice, role: str) -> Back:
    """Where the page of a dispute leads back to."""
    if role == "seller":
        return Back("/inbox", voice.say(N_("Inbox")))
    return Back("/disputes", voice.say(N_("My disputes")))


def why_of(voice: Voice, site: Site, reading: Any, found: Case) -> list[Markup]:
    """The policy's reasons for the claim as it stands."""
    asked = found.asked.event
    if not isinstance(asked, d.DisputeOpened | d.ClaimChanged):
        return []
    rules = site.rules(reading, found.order.order.coverage.policy, found.dispute.currency)
    return reasons(voice, rules, asked.facts) if rules else []


def _foreseen(site: Site, found: Case, actor: Actor) -> dict[str, Consequence]:
    """What each deed would do that asks for nothing; one that would be refused is left out."""
    told: dict[str, Consequence] = {}
    for name in found.allowed:
        deed = DEEDS.get(name)
        if deed is None or deed.plain or deed.fields:
            continue
        try:
            preview = try_out(site, deed.make(found.dispute, {}), actor)
        except Refused:
            continue
        told[name] = foresee(site, preview, found)
    return told


def foresee(site: Site, preview: Preview, found: Case) -> Consequence:
    """The consequence of a preview for that case."""
    moved = Shift(None, None)
    if found.role != "buyer":
        moved = shift(site.scorebook, PART, found.dispute.store, preview, site.clock())
    return consequence(preview, found.dispute, found.purse, moved)


# --- before sending ------------------------------------------------------------------------------------------------


@post("/disputes/{dispute_id:str}/{deed:str}/preview", opt=on("disputes.read"), status_code=200)
async def preview_deed(request: AnyRequest) -> Response[str]:
    """What it would do, with the button that does it: a piece of the page for htmx, else a page of its own."""
    reach = reach_of(request)
    dispute_id = str(request.path_params["dispute_id"])
    deed = str(request.path_params["deed"])
    form = await typed(request)
    return await asyncio.to_thread(_preview, request, reach, number_of("dispute", dispute_id), _deed(deed), form)


def _preview(request: AnyRequest, scope: Scope, number: int, deed: Deed, form: dict[str, str]) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    actor = frame.actor_of(frame.caller_of(request))
    with site.snapshot() as reading:
        found = case(reading, PART, scope, number, [actor], site.clock())
    if found is None:
        raise frame.unknown_dispute(number)
    seen = seen_in(form)
    try:
        preview = try_out(site, deed.make(found.dispute, form), actor, seen=seen)
    except Refused as refused:
        return _refused(request, voice, scope, found, deed, form, refused)
    after = preview.disputes.get(number, found.dispute)
    told = foresee(site, preview, found)
    names = chosen.named(voice, found.dispute, form)
    path = f"/disputes/{public_id('dispute', PART, number)}"
    facts = chosen.facts(voice, found.role, told, after, found.dispute)
    if deed.name == "reject":
        facts += chosen.before_rejecting(voice, found, form)
    if deed.name == "appeal":
        facts += chosen.before_appealing(voice, found, after)
    return shown_before(
        request,
        Change(
            at="inbox" if found.role == "seller" else "disputes",
            target=f"{path}/{deed.name}",
            button=voice.say(deed.button, **names),
            facts=facts,
            form={field.name: form.get(field.name, "") for field in deed.fields},
            back=Back(path, telling.title(voice, found)),
            lede=voice.say(deed.then),
            heading=voice.say(deed.label, **names),
            seen=seen,
        ),
    )


def _refused(
    request: AnyRequest, voice: Voice, scope: Scope, found: Case, deed: Deed, form: dict[str, str], refused: Refused
) -> Response[str]:
    """The refusal of a preview: beside the form, or on the whole page."""
    if frame.is_part(request):
        told = trouble(voice, refused, chosen.amounts(voice, found, form))
        return frame.part(request, voice, "parts/outcome.html", status=status_of(refused.code), trouble=told)
    return shown(request, scope, found.dispute.id, refused=refused, tried=Tried(deed.name, form, wrong(voice, refused)))


AMOUNTS = (
    "bad_amount",
    "amount_above_claim",
    "amount_above_refundable",
    "offer_is_claim",
    "claim_is_offer",
    "claim_unchanged",
)


def wrong(voice: Voice, refused: Refused) -> dict[str, Markup]:
    """What a refusal says is wrong with which field."""
    if refused.code == "no_text":
        return {name: voice.say(TITLES["no_text"]) for name in ("note", "message")}
    field = "amount" if refused.code in AMOUNTS else "tracking" if refused.code == "bad_reference" else ""
    return {field: voice.say(TITLES[refused.code])} if field else {}


# --- sending -------------------------------------------------------------------------------------------------------


@post("/disputes/{dispute_id:str}/{deed:str}", opt=on("disputes.read"), status_code=303)
async def do_deed(request: AnyRequest) -> Response[Any]:
    """Do it: then the page says so. Refused, the page says why, and what is possible now."""
    return await _done(request, _deed(str(request.path_params["deed"])))


@post(
    "/disputes/{dispute_id:str}/evidence",
    opt=on("disputes.read", files=True),
    status_code=303,
    request_max_body_size=photos.MOST_FORM,
)
async def add_evidence(request: AnyRequest) -> Response[Any]:
    """Add photographs to it."""
    return await _done(request, DEEDS["evidence"])


async def _done(request: AnyRequest, what: Deed) -> Response[Any]:
    reach = reach_of(request)
    dispute_id = str(request.path_params["dispute_id"])
    site, number = frame.site_of(request), number_of("dispute", dispute_id)
    form = await typed(request)
    actor = frame.actor_of(frame.caller_of(request))
    with site.snapshot() as reading:
        dispute = lists.dispute(reading, PART, reach, number)
    if dispute is None:
        raise frame.unknown_dispute(number)
    try:
        if what.name == "evidence":
            form |= {"evidence": await photos.brought(request)}
        seen = 0 if what.plain else seen_in(form)
        if not what.plain:
            check_mark(request.url.path, form)
        await site.execute(what.make(dispute, form), actor, key=form.get("key", "")[:64], seen=seen)
    except Refused as refused:
        told, tried = refused, Tried(what.name, form, wrong(frame.speak(request), refused))
        return await asyncio.to_thread(lambda: shown(request, reach, number, refused=told, tried=tried))
    return Redirect(f"/disputes/{dispute_id}?done={what.name}", status_code=303)


async def typed(request: AnyRequest) -> dict[str, str]:
    """What was typed into a form, field by field; files apart."""
    form = await form_of(request)
    return {name: value for name, value in form.items() if isinstance(value, str) and not isinstance(value, UploadFile)}


def seen_in(form: Mapping[str, str]) -> int:
    """The position of the last event that the form's page knew of; 0 where it says none."""
    text = form.get("seen", "")
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _deed(name: str) -> Deed:
    deed = DEEDS.get(name)
    if deed is None:
        raise Refused("not_found", Said("there is nothing to do called %(name)s", name=name))
    return deed


HANDLERS = (my_disputes, show_dispute, preview_deed, do_deed, add_evidence)
