"""The fund: how it stands and stood, what comes in, what goes round; each seen before it is booked."""

import asyncio
from collections.abc import Callable
from sqlite3 import Connection
from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect
from markupsafe import Markup
from msgspec import Struct

from houbao.core.accounts import AVAILABLE, BANK, provider_account
from houbao.core.fund import CapitalAdded, FundCommand, MoveCash, TopUp, unknown_provider
from houbao.core.money import DIGITS
from houbao.core.said import Said
from houbao.core.terms import Refused
from houbao.store import desk, desk_money, funds, lists, queries
from houbao.web.console import frame
from houbao.web.console.choices import Fact
from houbao.web.console.deeds import Form, minor_of
from houbao.web.console.fund_chart import chart
from houbao.web.console.handlers.disputes import typed
from houbao.web.console.handlers.trying import Back, Change, carry_out, shown_before, try_out
from houbao.web.console.language import N_, Voice
from houbao.web.console.refusals import TITLES
from houbao.web.console.shell import trouble
from houbao.web.console.views import fund as views
from houbao.web.guard import on
from houbao.web.problems import status_of
from houbao.web.site import PART, Site

AnyRequest = Request[Any, Any, Any]


class Booking(Struct, frozen=True):
    """Something that finance books: how it is made of a form, what it is called, what its button says, and that it is
    done."""

    name: str
    label: str
    then: str
    button: str
    done: str
    make: Callable[[Site, Form], FundCommand]
    facts: Callable[[Voice, Site, Any], list[Fact]]


# --- what is booked ------------------------------------------------------------------------------------------------


def currency_of(site: Site, form: Form) -> str:
    """The currency of the form. Raises Refused: bad_currency."""
    currency = form.get("currency", "")
    with site.snapshot() as reading:
        known = queries.programme_currencies(reading)
    if currency not in known:
        raise Refused(
            "bad_currency",
            Said(
                "no programme pays in %(currency)s, only in %(known)s", currency=repr(currency[:8]), known=tuple(known)
            ),
        )
    return currency


def _top_up(site: Site, form: Form) -> TopUp:
    currency = currency_of(site, form)
    return TopUp(minor=minor_of(form, currency), currency=currency)


def _cash_move(site: Site, form: Form) -> MoveCash:
    currency, provider = currency_of(site, form), form.get("provider", "")
    if provider not in site.providers:
        raise unknown_provider(provider, site.providers)
    return MoveCash(provider=provider, minor=minor_of(form, currency), currency=currency)


def _what_a_top_up_does(voice: Voice, site: Site, command: TopUp) -> list[Fact]:
    with site.snapshot() as reading:
        free = desk.balance(reading, PART, AVAILABLE, command.currency)
        line = desk_money.amounts_in_line(reading, PART, command.currency, views.MOST_SERVED)
    served = views.served_by(free + command.minor, line)
    after = voice.money(served.free, command.currency)
    goes = voice.say_n("%(n)s refund that waits goes out", "%(n)s refunds that wait go out", served.refunds)
    left = len(line) - served.refunds
    told = [
        Fact(voice.say(N_("From the bank")), voice.money(command.minor, command.currency)),
        Fact(voice.say(N_("At once")), goes if line else voice.say(N_("nothing waits"))),
        Fact(voice.say(N_("Free then")), f"{voice.money(free, command.currency)} → {after}"),
    ]
    if left:
        told.append(Fact(voice.say(N_("Still waiting")), voice.say_n("%(n)s refund", "%(n)s refunds", left)))
    return told


def _what_a_cash_move_does(voice: Voice, site: Site, command: MoveCash) -> list[Fact]:
    minor, currency = command.minor, command.currency
    with site.snapshot() as reading:
        cash = desk_money.cash(reading, PART, currency)
    bank, there = cash.get(BANK, 0), cash.get(provider_account(command.provider), 0)
    told = [
        Fact(voice.say(N_("At the bank")), voice.change(bank, bank - minor, currency)),
        Fact(voice.say(N_("At %(provider)s"), provider=command.provider), voice.change(there, there + minor, currency)),
        Fact(voice.say(N_("The fund")), voice.say(N_("stays as it is: only the place of the cash changes"))),
    ]
    unknown = minor - max(0, bank)
    if unknown > 0:
        says = voice.say(
            N_(
                "%(amount)s of it the ledger does not know to be at the bank. Book it only if it has gone out there; "
                "what came to the bank before is missing in the books."
            ),
            amount=voice.money(unknown, currency),
        )
        told.append(Fact(voice.say(N_("Careful")), says, careful=True))
    return told


BOOKINGS: dict[str, Booking] = {
    "top-ups": Booking(
        "top-ups",
        N_("Top up"),
        N_("Capital comes in from the bank. Refunds that wait go out at once, the first approved first."),
        N_("Book the top-up of %(amount)s"),
        N_("Booked: the top-up is in the fund."),
        _top_up,
        _what_a_top_up_does,
    ),
    "cash-moves": Booking(
        "cash-moves",
        N_("Move cash to a provider"),
        N_("So that refunds can be paid there. Book what you moved at the bank."),
        N_("Book the move of %(amount)s"),
        N_("Booked: the cash is at the provider."),
        _cash_move,
        _what_a_cash_move_does,
    ),
}


def _booking(request: AnyRequest) -> Booking:
    name = str(request.path_params["booking"])
    if name not in BOOKINGS:
        raise Refused("not_found", Said("nothing called %(name)s is booked here", name=name[:64]))
    return BOOKINGS[name]


# --- the page ------------------------------------------------------------------------------------------------------


@get("/fund", opt=on("fund.read"), sync_to_thread=True)
def show_fund(request: AnyRequest) -> Response[str]:
    """The fund: what is free and promised, who waits, and how it went."""
    booked = BOOKINGS.get(request.query_params.get("done", ""))
    return _shown(request, request.query_params.get("currency", ""), booked=booked)


def _what_came_of_it(voice: Voice, reading: Connection, at: str) -> Markup:
    """What a top-up did, told of its event: what is in the fund, and whether anybody is paid by it."""
    event = lists.event(reading, PART, int(at)) if at.isdecimal() and len(at) < 19 else None
    if not isinstance(event, CapitalAdded):
        return Markup("")
    out, minor = desk_money.served_after(reading, PART, event.currency, int(at))
    going = views.served_now(reading, PART, event.currency)
    stay = desk_money.amounts_in_line(reading, PART, event.currency, going.refunds + 1)[going.refunds :]
    out, minor = out + going.refunds, minor + going.minor
    told = voice.say(
        N_("Booked as event %(at)s: %(amount)s is in the fund."),
        at=at,
        amount=voice.money(event.minor, event.currency),
    )
    if out:
        went = voice.say_n(
            "%(n)s refund that waited goes out (%(amount)s).",
            "%(n)s refunds that waited go out (%(amount)s).",
            out,
            amount=voice.money(minor, event.currency),
        )
        return told + " " + went
    if stay:
        lacks = voice.money(stay[0] - going.free, event.currency)
        return (
            told + " " + voice.say(N_("No refund goes out: the first that waits still lacks %(lacks)s."), lacks=lacks)
        )
    return told


def _shown(
    request: AnyRequest,
    currency: str,
    *,
    booked: Booking | None = None,
    refused: Refused | None = None,
    tried: str = "",
    form: Form | None = None,
) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    done = voice.say(booked.done) if booked else Markup("")
    with site.snapshot() as reading:  # one for all that the page says: it is of one moment
        if booked and booked.name == "top-ups":
            done = _what_came_of_it(voice, reading, request.query_params.get("at", "")) or done
        found = views.fund_page(
            reading, PART, currency, site.clock(), lambda version, of: site.rules(reading, version, of)
        )
    wrong = voice.say(TITLES[refused.code]) if refused and refused.code == "bad_amount" else ""
    return frame.page(
        request,
        voice,
        "finance/fund.html",
        at="fund",
        view=found,
        chart=chart(found.days, found.added, 10 ** DIGITS[found.currency]) if found else None,
        may=frame.caller_of(request).role in ("finance", "admin"),
        providers=sorted(site.providers),
        bookings=BOOKINGS,
        tried=tried,
        typed=form or {},
        wrong=wrong,
        done=done,
        refused=refused,
    )


# --- booking -------------------------------------------------------------------------------------------------------


@post("/fund/{booking:str}/preview", opt=on("fund.move"), status_code=200)
async def preview_booking(request: AnyRequest) -> Response[str]:
    """What it would do, with the button that books it."""
    form = await typed(request)
    return await asyncio.to_thread(_preview, request, _booking(request), form)


def _preview(request: AnyRequest, booking: Booking, form: dict[str, str]) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    try:
        command = booking.make(site, form)
        try_out(site, command, frame.actor_of(frame.caller_of(request)))
    except Refused as refused:
        if frame.is_part(request):
            said = trouble(voice, refused)
            return frame.part(request, voice, "parts/outcome.html", status=status_of(refused.code), trouble=said)
        return _shown(request, form.get("currency", ""), refused=refused, tried=booking.name, form=form)
    button = voice.say(booking.button, amount=voice.money(command.minor, command.currency))
    return shown_before(
        request,
        Change(
            at="fund",
            target=f"/fund/{booking.name}",
            button=button,
            facts=booking.facts(voice, site, command),
            form={name: form[name] for name in ("currency", "amount", "provider") if name in form},
            back=Back(f"/fund?currency={command.currency}", voice.say(N_("Fund"))),
            lede=voice.say(booking.then),
        ),
    )


@post("/fund/{booking:str}", opt=on("fund.move"), status_code=303)
async def book(request: AnyRequest) -> Response[Any]:
    """Book it; refused, the page says why."""
    site, booking, form = frame.site_of(request), _booking(request), await typed(request)
    try:
        command = booking.make(site, form)
        kept = await carry_out(request, command, form)
    except Refused as refused:
        said, currency = refused, form.get("currency", "")
        return await asyncio.to_thread(lambda: _shown(request, currency, refused=said, tried=booking.name, form=form))
    return Redirect(f"/fund?currency={command.currency}&done={booking.name}&at={kept.first}", status_code=303)


# --- its books -----------------------------------------------------------------------------------------------------


@get("/fund/sums", opt=on("fund.read"), sync_to_thread=True)
def show_sums(request: AnyRequest) -> Response[str]:
    """Whether it adds up: all that ever came in and went out, beside what is there."""
    voice, site = frame.speak(request), frame.site_of(request)
    with site.snapshot() as reading:
        found = funds.fund(reading, PART)
        cash = {one.currency: desk_money.cash(reading, PART, one.currency) for one in found}
    return frame.page(request, voice, "finance/sums.html", at="fund", funds=found, cash=cash, bank=BANK)


HANDLERS = (show_fund, preview_booking, book, show_sums)
