"""What the fund will owe, whether it holds enough, what cover should cost, and hard times; with where each figure comes
from."""

import asyncio
from sqlite3 import Connection
from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.response import Redirect
from markupsafe import Markup
from msgspec import Struct

from houbao.core.accounts import AVAILABLE, RESERVED
from houbao.core.breaker import Breaker, SetBreaker, breaker_of, parse_ratio
from houbao.core.programme import policy_in_force
from houbao.core.terms import Refused
from houbao.insight.reserves import DEAR, FEW_CLAIMS, Reserves
from houbao.store import desk, desk_money
from houbao.store.policies import programmes_paying
from houbao.web.console import frame
from houbao.web.console.choices import Fact
from houbao.web.console.deeds import Form
from houbao.web.console.handlers.disputes import typed
from houbao.web.console.handlers.fund import currency_of
from houbao.web.console.handlers.trying import Back, Change, carry_out, shown_before, try_out
from houbao.web.console.language import N_, Voice
from houbao.web.console.views.fund import served_now
from houbao.web.guard import on
from houbao.web.site import PART, Site

AnyRequest = Request[Any, Any, Any]
WAIT = 5.0
"""How many seconds a page waits for a measuring that is not done yet."""


class Charged(Struct, frozen=True):
    """What a programme takes now of a covered order's price (per mille), who fills its fund, and what its policy says
    that it would take where premiums fill it."""

    programme: str
    mode: str
    now: int
    policy: int


class Since(Struct, frozen=True):
    """The fund now, where money of it was booked after a measuring (minor units); what has its money waits no more."""

    holds: int
    waiting: int


@get("/fund/reserves", opt=on("fund.read"))
async def show_reserves(request: AnyRequest) -> Response[str]:
    """The reserves of one fund as they were measured last; measured now where that was long ago."""
    # Not `sync_to_thread`: see `sign_in_form` in doors.py.
    said = {"drawn": N_("The line is drawn."), "away": N_("The line is taken away.")}
    done = said.get(request.query_params.get("done", ""), "")
    return await asyncio.to_thread(lambda: _shown(request, request.query_params.get("currency", ""), done=done))


def _shown(
    request: AnyRequest, asked: str, *, done: str = "", refused: Refused | None = None, form: Form | None = None
) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    measured = site.reserves.latest(WAIT)
    found = {one.currency: one for one in measured.found or ()}
    one = found.get(asked) or next(iter(found.values()), None)
    with site.snapshot() as reading:
        breaker = breaker_of(desk_money.breakers(reading, PART), one.currency) if one else None
        charged = _charged(reading, site, one.currency) if one else []
        since = _since(reading, one) if one else None
    return frame.page(
        request,
        voice,
        "finance/reserves.html",
        at="fund",
        one=one,
        known=measured.found is not None,
        running=measured.running,
        currencies=[*found],
        since=since,
        breaker=breaker,
        charged=charged,
        dear=DEAR,
        few_claims=FEW_CLAIMS,
        may=frame.caller_of(request).role in ("finance", "admin"),
        typed=form or {},
        done=voice.say(done) if done else Markup(""),
        refused=refused,
    )


def _since(reading: Connection, one: Reserves) -> Since | None:
    """How the fund stands now; None where what was measured still holds."""
    if not desk_money.fund_changed_since(reading, PART, one.currency, one.position):
        return None
    holds = sum(desk.balance(reading, PART, account, one.currency) for account in (AVAILABLE, RESERVED))
    line = desk.fund_line(reading, PART, AVAILABLE, one.currency)
    return Since(holds, line.minor - served_now(reading, PART, one.currency).minor)


def _charged(reading: Connection, site: Site, currency: str) -> list[Charged]:
    found: list[Charged] = []
    for programme in programmes_paying(reading, currency):
        rules = site.rules(reading, policy_in_force(programme, site.clock()), currency)
        said = rules.policy.premium if rules else 0
        found.append(Charged(programme.name, programme.mode, said if programme.mode == "premium" else 0, said))
    return found


@post("/fund/reserves", opt=on("fund.read"), status_code=303)
async def measure_again(request: AnyRequest) -> Response[Any]:
    """Measure the funds once more, now."""
    currency = (await typed(request)).get("currency", "")
    await asyncio.to_thread(lambda: frame.site_of(request).reserves.latest(WAIT, anew=True))
    return Redirect("/fund/reserves" + (f"?currency={quote(currency[:8])}" if currency else ""), status_code=303)


# --- the line ------------------------------------------------------------------------------------------------------


def _line(site: Site, form: Form) -> SetBreaker:
    """The line that was typed; none where the field was left empty. Raises Refused: bad_line, bad_currency."""
    text = form.get("below", "").strip().replace(",", ".")
    return SetBreaker(currency=currency_of(site, form), below=parse_ratio(text or "0"))


def _facts(
    voice: Voice, command: SetBreaker, before: Breaker, measured: Reserves | None, since: Since | None
) -> list[Fact]:
    was = voice.thousandths(before.below) if before.below else voice.say(N_("none"))
    line = voice.thousandths(command.below) if command.below else voice.say(N_("none"))
    facts = [Fact(voice.say(N_("The line")), f"{was} → {line}")]
    if measured and measured.ratio is not None:
        name = N_("The ratio when it was measured") if since else N_("The ratio now")
        facts.append(Fact(voice.say(name), voice.thousandths(measured.ratio)))
    if since:
        old = N_("older than the last booking of the fund: measure it again before you draw the line")
        facts.append(Fact(voice.say(N_("Careful")), voice.say(old), careful=True))
    low = measured is not None and measured.ratio is not None and measured.ratio < command.below
    if not command.below:
        says = N_("are covered whatever the fund holds, at once")
    elif low:
        says = N_("are not covered from the next daily measuring on, until the ratio is back on the line")
    else:
        says = N_("stay covered while the ratio is on the line or above it, measured once a day")
    return [
        *facts,
        Fact(voice.say(N_("New orders")), voice.say(says)),
        Fact(voice.say(N_("Covered before")), voice.say(N_("stays covered"))),
    ]


@post("/fund/reserves/line/preview", opt=on("fund.move"), status_code=200)
async def preview_line(request: AnyRequest) -> Response[str]:
    """What the line would do, with the button that draws it."""
    form = await typed(request)
    return await asyncio.to_thread(_preview, request, form)


def _preview(request: AnyRequest, form: Form) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    try:
        command = _line(site, form)
        try_out(site, command, frame.actor_of(frame.caller_of(request)))
    except Refused as refused:
        return _shown(request, form.get("currency", ""), refused=refused, form=form)
    before, measured, since = _standing(site, command.currency)
    if since:  # what a line is drawn by is of now, as far as it can be waited for
        site.reserves.latest(WAIT, anew=True)
        before, measured, since = _standing(site, command.currency)
    button = voice.say(N_("Draw the line")) if command.below else voice.say(N_("Take the line away"))
    return shown_before(
        request,
        Change(
            at="fund",
            target="/fund/reserves/line",
            button=button,
            facts=_facts(voice, command, before, measured, since),
            form={"currency": command.currency, "below": form.get("below", "")},
            back=Back(f"/fund/reserves?currency={command.currency}", voice.say(N_("Reserves"))),
            lede=voice.say(N_("Nothing is changed yet.")),
        ),
    )


def _standing(site: Site, currency: str) -> tuple[Breaker, Reserves | None, Since | None]:
    """The line that is drawn, what was measured last, and the fund now where it is not as it was measured."""
    measured = next((one for one in site.reserves.latest(WAIT).found or () if one.currency == currency), None)
    with site.snapshot() as reading:
        before = breaker_of(desk_money.breakers(reading, PART), currency)
        return before, measured, _since(reading, measured) if measured else None


@post("/fund/reserves/line", opt=on("fund.move"), status_code=303)
async def draw_line(request: AnyRequest) -> Response[Any]:
    """Draw the line; refused, the page says why."""
    form = await typed(request)
    try:
        command = await asyncio.to_thread(_line, frame.site_of(request), form)
        await carry_out(request, command, form)
    except Refused as refused:
        said = refused
        return await asyncio.to_thread(lambda: _shown(request, form.get("currency", ""), refused=said, form=form))
    return Redirect(
        f"/fund/reserves?currency={command.currency}&done={'drawn' if command.below else 'away'}", status_code=303
    )


HANDLERS = (show_reserves, measure_again, preview_line, draw_line)
