"""Refunds that need finance: without an answer, failed, waiting; stores that owe what was advanced for them."""

import asyncio
from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect

from houbao.core.disputes import Dispute, due_at
from houbao.core.refunds import ReportRefund, Share, find_share
from houbao.core.said import Said
from houbao.core.shortfalls import advanced
from houbao.core.terms import Actor, Refused, public_id
from houbao.store import desk_money, lists, queries
from houbao.store.pages import name_of, names_of
from houbao.store.rows import END
from houbao.web.console import frame
from houbao.web.console.handlers.queues import START, place
from houbao.web.guard import on, reach_of
from houbao.web.site import PART, Site, number_of

AnyRequest = Request[Any, Any, Any]
MOST_UNKNOWN = 100
PAGE = 25


@get("/refunds", opt=on("fund.read"), sync_to_thread=True)
def show_refunds(request: AnyRequest) -> Response[str]:
    """Refunds that wait for an answer, or for a person."""
    voice, site = frame.speak(request), frame.site_of(request)
    after = place(request.query_params.get("after", ""))
    with site.snapshot() as reading:
        unknown = desk_money.unknown_refunds(reading, PART, MOST_UNKNOWN)
        failed = desk_money.failed_refunds(reading, PART, after=after, limit=PAGE)
        waiting = desk_money.waiting_for_fund(reading, PART)
        numbers = [one.dispute.store for one in unknown] + [one.store for one in failed.disputes]
        names = names_of(reading, PART, numbers)
    return frame.page(
        request,
        voice,
        "finance/refunds.html",
        at="refunds",
        unknown=unknown,
        waiting=waiting,
        failed=failed,
        stuck={
            one.id: [share for refund in one.refunds for share in refund.shares if share.state == "stuck"]
            for one in failed.disputes
        },
        until={one.id: due_at(one) for one in failed.disputes},
        names=names,
        first=after == START,
        may=frame.caller_of(request).role == "finance",
    )


@post("/refunds/{dispute_id:str}/{attempt:str}/look-up", opt=on("disputes.resolve_refund"), status_code=303)
async def look_up(request: AnyRequest) -> Response[Any]:
    """Ask the provider now what became of an attempt; what it says for certain is booked. Raises Refused:
    unknown_dispute, no_refund, unknown_provider."""
    site = frame.site_of(request)
    number = number_of("dispute", str(request.path_params["dispute_id"]))
    attempt = number_of("attempt", str(request.path_params["attempt"]))
    with site.snapshot() as reading:
        dispute = lists.dispute(reading, PART, reach_of(request), number)
    if dispute is None:
        raise frame.unknown_dispute(number)
    share = _share(dispute, attempt)
    said = await asyncio.to_thread(_ask, site, share)
    if said in ("paid", "refused", "key_expired"):
        report = ReportRefund(dispute=number, attempt=attempt, result=said)
        await site.execute(report, Actor("provider", share.provider))
    return Redirect(f"/cases/{public_id('dispute', PART, number)}?done=look_up_{said}", status_code=303)


def _share(dispute: Dispute, attempt: int) -> Share:
    found = (find_share(refund, attempt=attempt) for refund in dispute.refunds)
    share = next((one for one in found if one is not None), None)
    if share is None or share.state not in ("unknown", "lost"):
        raise Refused("no_refund", Said("that attempt is none without an answer: it was settled meanwhile"))
    return share


def _ask(site: Site, share: Share) -> str:
    """What the provider says: paid, refused, unknown, or not_found; key_expired where it is not found and its key is
    too old to be sent again."""
    provider = site.providers.get(share.provider)
    if provider is None:
        raise Refused("unknown_provider", Said("no provider %(provider)s is set up here", provider=share.provider))
    result = provider.look_up(public_id("attempt", PART, share.attempt)).result
    old = share.sent_at is not None and site.clock() - share.sent_at >= provider.key_life
    if result == "not_found" and old and share.state == "unknown":
        return "key_expired"
    return "unknown" if result == "pending" else result


# --- debts ---------------------------------------------------------------------------------------------------------


@get("/debts", opt=on("fund.read"), sync_to_thread=True)
def show_debts(request: AnyRequest) -> Response[str]:
    """The stores that owe what was advanced for them."""
    voice, site = frame.speak(request), frame.site_of(request)
    store, _, currency = request.query_params.get("after", "").rpartition("!")
    with site.snapshot() as reading:
        found = desk_money.debts(reading, PART, after=(store, currency), limit=PAGE + 1)
        names = names_of(reading, PART, (one.store for one in found))
    page = found[:PAGE]
    return frame.page(
        request,
        voice,
        "finance/debts.html",
        at="debts",
        rows=page,
        names=names,
        next=f"{page[-1].store}!{page[-1].currency}" if len(found) > PAGE else "",
        first=not store,
    )


@get("/debts/{store:str}", opt=on("fund.read"), sync_to_thread=True)
def show_debts_of_store(request: AnyRequest) -> Response[str]:
    """What was advanced for one store, dispute by dispute, the latest first. Raises Refused: unknown_store."""
    voice, site, reach = frame.speak(request), frame.site_of(request), reach_of(request)
    number = str(request.path_params["store"])
    asked = request.query_params.get("before", "")
    before = int(asked) if asked.isdecimal() and len(asked) < 19 else END
    with site.snapshot() as reading:
        if lists.store(reading, PART, reach, number) is None:
            raise Refused("unknown_store", Said("no store %(store)s", store=number[:64]))
        found = queries.disputes_of_store(reading, PART, reach, number, before=before, limit=100)
        name = name_of(reading, PART, number)
    rows = [(one, sum(map(advanced, one.refunds))) for one in found.disputes if any(map(advanced, one.refunds))]
    return frame.page(
        request,
        voice,
        "finance/debt.html",
        at="debts",
        store=name,
        number=number,
        rows=rows,
        next=found.next[0] if found.next else 0,
        first=before == END,
    )


HANDLERS = (show_refunds, look_up, show_debts, show_debts_of_store)
