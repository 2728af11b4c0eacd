"""The page of a case for the platform's own people: everything at one look, and what they may do, previewed."""

import asyncio
from typing import Any
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.response import Redirect
from markupsafe import Markup

from houbao.core.appeals import in_hearing
from houbao.core.disputes import Dispute
from houbao.core.queues import is_anothers
from houbao.core.said import Said
from houbao.core.scopes import Scope
from houbao.core.terms import Actor, Refused, public_id
from houbao.engine.foresight import Shift, shift
from houbao.engine.request import Preview
from houbao.store import desk, lists
from houbao.store.pages import name_of
from houbao.web.console import choices as chosen
from houbao.web.console import desking, frame, rulings, telling
from houbao.web.console import foretelling as told
from houbao.web.console.choices import Fact
from houbao.web.console.deeds import Deed, Form
from houbao.web.console.handlers import photos
from houbao.web.console.handlers.disputes import NOTHING_TRIED, Tried, seen_in, typed, why_of, wrong
from houbao.web.console.handlers.trying import Back, Change, shown_before, try_out
from houbao.web.console.language import N_, Voice
from houbao.web.console.previewed import check_mark
from houbao.web.console.shell import Trouble, trouble
from houbao.web.console.staff_deeds import STAFF
from houbao.web.console.views.cases import Case, case
from houbao.web.console.views.consequences import consequence
from houbao.web.console.views.desk import queue_of, said_by, still_asked
from houbao.web.guard import on, reach_of
from houbao.web.problems import status_of
from houbao.web.site import PART, Site, number_of

AnyRequest = Request[Any, Any, Any]

DONE = {
    "rule": N_("Ruled. What follows stands in the timeline."),
    "sign": N_("Signed: the ruling holds."),
    "claim": N_("Yours for 30 minutes: no other agent may decide it meanwhile."),
    "release": N_("Back in the queue, for anybody."),
    "request_evidence": N_("Asked. The time to decide goes on."),
    "serve_notice": N_("The notice goes out again."),
    "messages": N_("Your message was sent."),
    "resolve_refund": N_("Settled. What follows stands in the timeline."),
    "write_off": N_("Signed. What follows stands in the timeline."),
    "look_up_paid": N_("The provider says that it was paid. It is booked so."),
    "look_up_refused": N_("The provider says that it was refused. It is booked so."),
    "look_up_key_expired": N_(
        "The provider does not know it, and its key is too old to be sent again. Settle it by hand."
    ),
    "look_up_not_found": N_("The provider does not know it. The worker sends the same attempt again, by the same key."),
    "look_up_unknown": N_("The provider gives no answer yet. Nothing changed, and nothing was sent."),
}


# --- reading -------------------------------------------------------------------------------------------------------


@get("/cases/{dispute_id:str}", opt=on("cases.read"), sync_to_thread=True)
def show_case(request: AnyRequest) -> Response[str]:
    """A case with its evidence, its listing, both parties' words, and what its reader may do."""
    reach = reach_of(request)
    dispute_id = str(request.path_params["dispute_id"])
    done = DONE.get(request.query_params.get("done", ""), "")
    return shown(request, reach, number_of("dispute", dispute_id), done=done)


def shown(
    request: AnyRequest,
    scope: Scope,
    number: int,
    *,
    done: str = "",
    refused: Refused | None = None,
    tried: Tried = NOTHING_TRIED,
) -> Response[str]:
    """The page of a case; takes previews, so not to be called on the event loop. Raises Refused: unknown_dispute."""
    voice, site = frame.speak(request), frame.site_of(request)
    actor = frame.actor_of(frame.caller_of(request))
    with site.snapshot() as reading:
        found = _found(reading, scope, number, actor, site)
        why = why_of(voice, site, reading, found)
        queue = queue_of(found.dispute)
        agent = actor.role == "agent"
        store = name_of(reading, PART, found.dispute.store)
        after = _after(reading, site, queue, str(actor), number) if agent else None
    columns = _columns(site, voice, found, actor) if "rule" in found.allowed else {}
    known = STAFF.get(actor.role, {})
    return frame.page(
        request,
        voice,
        "desk/case.html",
        at=queue if agent else "refunds",
        done=voice.say(done) if done else "",
        refused=refused,
        amounts=_amounts(voice, found, tried.form),
        case=found,
        title=telling.title(voice, found),
        next=desking.next_for(voice, found),
        outcome=telling.outcome_of(voice, found.dispute),
        holder=desking.chip_of(voice, found, str(actor)),
        queue=queue,
        queue_title=voice.say(desking.TITLES[queue]) if queue else "",
        following=after and after[1],
        elsewhere=after is not None and after[0] != queue,
        said={role: desking.words_of(voice, found, said_by(found, role)) for role in ("buyer", "seller")},
        asked=still_asked(found),
        heard=in_hearing(found.dispute.appeals),
        ruled=agent and is_anothers(found.dispute, actor),
        sheet=rulings.sheet_of(found.dispute),
        columns=columns,
        may={name: known[name] for name in found.allowed if name in known},
        me=str(actor),
        store=store or found.dispute.store,
        timeline=telling.timeline(voice, found),
        why=why,
        tried=tried,
        photos=photos.shown(request, _pictures(found)),
        keys=lambda: uuid4().hex,
    )


def _after(reading: Any, site: Site, queue: str, agent: str, number: int) -> tuple[str, Dispute] | None:
    """The next case for the agent: of the same queue, else the first due of all."""
    found = desk.next_free(reading, PART, queue, agent, site.clock(), without=number) if queue else None
    return (queue, found) if found else desk.most_urgent(reading, PART, agent, site.clock(), without=number)


def _found(reading: Any, scope: Scope, number: int, actor: Actor, site: Site) -> Case:
    found = case(reading, PART, scope, number, [actor], site.clock())
    if found is None:
        raise frame.unknown_dispute(number)
    return found


def _pictures(found: Case) -> list[str]:
    """The photographs that the dispute and the listings of its order name."""
    sent = [digest for one in found.happened for digest in getattr(one.event, "evidence", ())]
    return sent + [digest for item in found.order.items if item.listing for digest in item.listing.photos]


def _columns(site: Site, voice: Voice, found: Case, actor: Actor) -> dict[str, list[Fact] | Trouble]:
    """Finding → what it would do as it is; or why it would be refused."""
    columns: dict[str, list[Fact] | Trouble] = {}
    for finding in rulings.sheet_of(found.dispute).findings:
        try:
            preview = try_out(site, rulings.plain_ruling(found.dispute, finding), actor)
        except Refused as refused:
            columns[finding] = trouble(voice, refused)
        else:
            columns[finding] = _foretold(site, voice, found, preview)
    return columns


def _foretold(site: Site, voice: Voice, found: Case, preview: Preview) -> list[Fact]:
    """What a preview says of that case, line by line."""
    after = preview.disputes.get(found.dispute.id, found.dispute)
    moved = shift(site.scorebook, PART, found.dispute.store, preview, site.clock())
    coverage = found.order.order.coverage
    with site.snapshot() as reading:
        fund = told.fund_shift(reading, PART, preview, coverage.currency or found.dispute.currency)
    foreseen = consequence(preview, found.dispute, found.purse, moved)
    return told.foretold(voice, foreseen, after, preview, fund) + told.not_waited_for(voice, still_asked(found))


# --- before sending ------------------------------------------------------------------------------------------------


@post("/cases/{dispute_id:str}/{deed:str}/preview", opt=on("cases.act"), status_code=200)
async def preview_case(request: AnyRequest) -> Response[str]:
    """What it would do, with the button that does it: a piece of the page for htmx, else a page of its own."""
    reach = reach_of(request)
    dispute_id = str(request.path_params["dispute_id"])
    deed = str(request.path_params["deed"])
    form = await typed(request)
    return await asyncio.to_thread(_preview, request, reach, number_of("dispute", dispute_id), deed, form)


def _preview(request: AnyRequest, scope: Scope, number: int, name: str, form: dict[str, str]) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    actor = frame.actor_of(frame.caller_of(request))
    deed = deed_of(actor, name)
    with site.snapshot() as reading:
        found = _found(reading, scope, number, actor, site)
    seen = seen_in(form)
    try:
        command = deed.make(found.dispute, form)
        preview = try_out(site, command, actor, seen=seen)
    except Refused as refused:
        if frame.is_part(request):
            said = trouble(voice, refused, _amounts(voice, found, form))
            return frame.part(request, voice, "parts/outcome.html", status=status_of(refused.code), trouble=said)
        return shown(request, scope, number, refused=refused, tried=Tried(name, form, _wrong(voice, refused)))
    path = f"/cases/{public_id('dispute', PART, number)}"
    match name:
        case "request_evidence":
            facts = told.asked(voice, preview)
        case "serve_notice":
            facts = _served(voice, found, preview)
        case _:
            facts = _foretold(site, voice, found, preview)
    if name == "rule":
        facts.insert(0, rulings.found(voice, found.dispute, command))
    phase = preview.disputes.get(number, found.dispute).phase
    button = rulings.button(voice, found.dispute, command, phase) if name == "rule" else voice.say(deed.button)
    return shown_before(
        request,
        Change(
            at=queue_of(found.dispute) if actor.role == "agent" else "refunds",
            target=f"{path}/{name}",
            button=button,
            facts=facts,
            form={field.name: form[field.name] for field in deed.fields if form.get(field.name)},
            back=Back(path, telling.title(voice, found)),
            lede=voice.say(deed.then),
            seen=seen,
        ),
    )


def _served(voice: Voice, found: Case, preview: Preview) -> list[Fact]:
    """What serving the notice again does, with what to see to first where the last one came back."""
    after = preview.disputes.get(found.dispute.id, found.dispute)
    foreseen = consequence(preview, found.dispute, found.purse, Shift(None, None))
    return told.served(voice, foreseen, after, desking.came_back(found))


def _amounts(voice: Voice, found: Case, form: Form) -> dict[str, str]:
    """The amounts that a refused ruling may be about, as money; in an appeal what is asked is what is still open."""
    asked = rulings.sheet_of(found.dispute).most or found.dispute.amount
    return chosen.amounts(voice, found, form) | {"asked": voice.money(asked, found.dispute.currency)}


def _wrong(voice: Voice, refused: Refused) -> dict[str, Markup]:
    """What a refusal says is wrong with which field of the ruling."""
    if refused.code == "bad_request" and "reason" in refused.detail:
        return {"reason": voice.say(N_("Choose a reason that goes with the finding."))}
    return wrong(voice, refused)


def deed_of(actor: Actor, name: str) -> Deed:
    """What that role may do under that name. Raises Refused: not_found."""
    deed = STAFF.get(actor.role, {}).get(name)
    if deed is None:
        raise Refused(
            "not_found", Said("there is nothing for %(role)s to do called %(name)s", role=actor.role, name=name[:64])
        )
    return deed


# --- sending -------------------------------------------------------------------------------------------------------


@post("/cases/{dispute_id:str}/{deed:str}", opt=on("cases.act"), status_code=303)
async def act_on_case(request: AnyRequest) -> Response[Any]:
    """Do it: then the page says so. Refused, the page says why, and what is possible now."""
    reach = reach_of(request)
    dispute_id = str(request.path_params["dispute_id"])
    deed = str(request.path_params["deed"])
    site, number = frame.site_of(request), number_of("dispute", dispute_id)
    form = await typed(request)
    actor = frame.actor_of(frame.caller_of(request))
    what = deed_of(actor, deed)
    with site.snapshot() as reading:
        dispute: Dispute | None = lists.dispute(reading, PART, reach, number)
    if dispute is None:
        raise frame.unknown_dispute(number)
    try:
        seen = 0 if what.plain else seen_in(form)
        if not what.plain:
            check_mark(request.url.path, form)
        await site.execute(what.make(dispute, form), actor, key=form.get("key", "")[:64], seen=seen)
    except Refused as refused:
        said, tried = refused, Tried(deed, form, _wrong(frame.speak(request), refused))
        return await asyncio.to_thread(lambda: shown(request, reach, number, refused=said, tried=tried))
    return Redirect(f"/cases/{dispute_id}?done={deed}", status_code=303)


HANDLERS = (show_case, preview_case, act_on_case)
