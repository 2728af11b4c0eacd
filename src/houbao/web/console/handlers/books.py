"""Fund records → statement → entry, for a store's own people."""

from typing import Any

from litestar import Request, Response, get
from litestar.response import Redirect

from houbao.core import scopes
from houbao.core.money import DIGITS
from houbao.core.said import Said
from houbao.core.terms import Refused
from houbao.store.statements import START
from houbao.web.console import frame, telling
from houbao.web.console.language import Voice
from houbao.web.console.views import books
from houbao.web.console.words import ENTRY
from houbao.web.guard import on
from houbao.web.site import PART

AnyRequest = Request[Any, Any, Any]
KINDS = ("guarantee", "refund", "payment", "commission", "payout", "chargeback")
"""The kinds of line that are asked for. What is put aside is the store's still: no line, but a page of its own."""


def _mine(request: AnyRequest) -> tuple[str, scopes.Scope]:
    """The reader's store. Raises Refused: not_permitted."""
    caller = frame.caller_of(request)
    if not caller.store:
        raise Refused("not_permitted", Said("these are a store's own pages"))
    return caller.store, scopes.Scope(stores=(caller.store,))


def _span(request: AnyRequest, voice: Voice) -> books.Span:
    asked = request.query_params
    return books.span_of(asked.get("from", ""), asked.get("to", ""), voice.now, voice.zone)


@get("/records", opt=on("stores.money"), sync_to_thread=True)
def show_records(request: AnyRequest) -> Response[Any]:
    """What happened to the store's money, the latest first."""
    voice, site = frame.speak(request), frame.site_of(request)
    store, scope = _mine(request)
    kind = request.query_params.get("kind", "")
    before = request.query_params.get("before", "")
    number = int(before) if before.isdecimal() and len(before) < 19 else 0
    with site.snapshot() as reading:
        found = books.records(
            reading, scope, PART, store, _span(request, voice), kind=kind if kind in ENTRY else "", before=number
        )
    return frame.page(request, voice, "seller/records.html", at="records", view=found, kinds=KINDS)


@get("/records/{currency:str}", opt=on("stores.money"), sync_to_thread=True)
def show_statement(request: AnyRequest) -> Response[Any]:
    """The store's statement in one currency."""
    currency = str(request.path_params["currency"])
    voice, site = frame.speak(request), frame.site_of(request)
    store, scope = _mine(request)
    if currency not in DIGITS:
        return Redirect("/records", status_code=303)
    with site.snapshot() as reading:
        found = books.book(
            reading,
            scope,
            PART,
            store,
            currency,
            _span(request, voice),
            before=_place(request.query_params.get("before", "")),
        )
    return frame.page(request, voice, "seller/statement.html", at="records", view=found)


@get("/records/{currency:str}/held", opt=on("stores.money"), sync_to_thread=True)
def show_held(request: AnyRequest) -> Response[Any]:
    """What is put aside of the store's money, dispute by dispute."""
    currency = str(request.path_params["currency"])
    voice, site = frame.speak(request), frame.site_of(request)
    store, scope = _mine(request)
    if currency not in DIGITS:
        return Redirect("/records", status_code=303)
    with site.snapshot() as reading:
        found = books.put_aside(reading, scope, PART, store, currency)
    then = {one.dispute.id: telling.brief(voice, "seller", one.dispute) for one in found.rows}
    return frame.page(request, voice, "seller/held.html", at="records", view=found, then=then)


@get("/records/{currency:str}/{place:str}", opt=on("stores.money"), sync_to_thread=True)
def show_entry(request: AnyRequest) -> Response[Any]:
    """One entry: what it was for, and what became of it."""
    place = str(request.path_params["place"])
    voice, site = frame.speak(request), frame.site_of(request)
    store, scope = _mine(request)
    with site.snapshot() as reading:
        found = books.entry(reading, scope, PART, store, _place(place) or START)
    return frame.page(request, voice, "seller/entry.html", at="records", view=found)


def _place(text: str) -> tuple[int, int] | None:
    """A line's place as addresses have it: 4711-2; None of what is none."""
    position, _, n = text.partition("-")
    if position.isdecimal() and n.isdecimal() and len(position) < 19 and len(n) < 4:
        return int(position), int(n)
    return None


HANDLERS = (show_records, show_statement, show_held, show_entry)
