"""The movements of the fund's money: looked through by what is asked for, and as a file for spreadsheets."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.response import Stream
from markupsafe import Markup

from houbao.core.disputes import Dispute
from houbao.core.ledger import FUND_BACK, FUND_HOLDS, FUND_IN, FUND_OUT, FUND_WITHIN
from houbao.core.money import decimal
from houbao.core.orders import Order
from houbao.core.said import Said
from houbao.core.scopes import EVERYTHING
from houbao.core.terms import Refused, public_id
from houbao.store import lists
from houbao.store.audit import of_order
from houbao.store.movements import LATEST, Found, Movement, Place, Question, change, look, of_store
from houbao.store.positions import first_since
from houbao.store.rows import END
from houbao.web.console import frame, sheets
from houbao.web.console.deeds import midnight_of
from houbao.web.console.handlers.queues import place
from houbao.web.console.language import N_, Voice
from houbao.web.console.words import account, word
from houbao.web.guard import on
from houbao.web.site import PART, Site, number_of

AnyRequest = Request[Any, Any, Any]
PAGE = 50
PIECE = 500
"""How many movements of a file are in memory at once."""

FIELDS = ("from", "to", "kind", "store", "about")
KINDS = (
    (N_("Comes in"), FUND_IN),
    (N_("Promised"), (*FUND_WITHIN, *FUND_HOLDS)),
    (N_("Goes out"), FUND_OUT),
    (N_("Comes back"), FUND_BACK),
)
"""All kinds that touch the fund."""


# --- what is asked for ---------------------------------------------------------------------------------------------


def _asked(request: AnyRequest) -> dict[str, str]:
    """The filter as the address has it: days in their order, and no kind that there is not."""
    asked = {name: request.query_params.get(name, "").strip()[:64] for name in FIELDS}
    if not any(asked["kind"] in kinds for _, kinds in KINDS):
        asked["kind"] = ""
    if asked["from"] and asked["to"]:
        asked["from"], asked["to"] = sorted((asked["from"], asked["to"]))
    return asked


def _question(reading: Any, asked: dict[str, str], voice: Voice) -> Question:
    """What was asked for. Raises Refused: bad_request, bad_time, unknown_store, unknown_order, unknown_dispute."""
    first = first_since(reading, PART, midnight_of(asked["from"], voice.zone)) if asked["from"] else 1
    end = first_since(reading, PART, midnight_of(asked["to"], voice.zone) + timedelta(days=1)) if asked["to"] else END
    store, dispute, only = asked["store"], 0, None
    if store:
        if lists.store(reading, PART, EVERYTHING, store) is None:
            raise Refused("unknown_store", Said("no store is called %(store)s", store=store))
        only = of_store(reading, PART, store)
    if asked["about"]:
        orders, dispute = _named(reading, asked["about"])
        only = tuple(sorted({one for order in orders for one in of_order(reading, PART, order)}))
    return Question(kind=asked["kind"], store=store, dispute=dispute, first=first, end=end, only=only)


def _named(reading: Any, text: str) -> tuple[list[Order], int]:
    """The orders that an id, or a shop's own word for its order, is about; with the dispute where the id is of one, or
    of a refund or an attempt of one. Raises Refused: unknown_order, unknown_dispute."""
    kind, _, _ = text.partition("_")
    try:
        number = number_of(kind, text) if kind in ("order", "dispute", "refund", "attempt") else 0
    except Refused:
        number = 0
    if number and kind != "order":
        dispute = _dispute(reading, kind, number)
        return [_order(reading, dispute.order)], dispute.id
    if number:
        return [_order(reading, number)], 0
    found = lists.order_page(reading, PART, EVERYTHING, reference=text, limit=PAGE)
    if not found:
        said = Said("no order %(order)s, by its id or the shop's own; an id looks like order_0_47", order=text)
        raise Refused("unknown_order", said)
    return found, 0


def _dispute(reading: Any, kind: str, number: int) -> Dispute:
    about = number
    if kind != "dispute":  # ids of the events that approved and sent it
        about = getattr(lists.event(reading, PART, number), "dispute", 0)
    found = lists.dispute(reading, PART, EVERYTHING, about)
    if found is None:
        said = Said("nothing is called %(id)s; look for its id in the case", id=public_id(kind, PART, number))
        raise Refused("unknown_dispute", said)
    return found


def _order(reading: Any, number: int) -> Order:
    found = lists.order(reading, PART, EVERYTHING, number)
    if found is None:
        raise Refused("unknown_order", Said("no order %(order)s", order=public_id("order", PART, number)))
    return found


# --- the page ------------------------------------------------------------------------------------------------------


@get("/fund/movements", opt=on("fund.read"), sync_to_thread=True)
def show_movements(request: AnyRequest) -> Response[str]:
    """The movements to, from and inside the fund that fit what is asked for, the latest first, page after page."""
    voice, site, asked = frame.speak(request), frame.site_of(request), _asked(request)
    before = place(request.query_params.get("before", ""), LATEST)
    found, refused = Found([], None, None), None
    with site.snapshot() as reading:
        try:
            found = look(reading, PART, _question(reading, asked, voice), before=before, limit=PAGE)
        except Refused as said:
            refused = said
    return frame.page(
        request,
        voice,
        "finance/movements.html",
        at="fund",
        found=found,
        first=before == LATEST,
        asked=asked,
        query=urlencode({name: value for name, value in asked.items() if value}),
        kinds=KINDS,
        may=frame.caller_of(request).role in ("finance", "admin"),
        change=change,
        refused=refused,
    )


# --- the file ------------------------------------------------------------------------------------------------------

COLUMNS = (
    N_("Booked"),
    N_("Kind"),
    N_("Kind, as its code"),
    N_("Amount"),
    N_("Currency"),
    N_("Change of the fund"),
    N_("From account"),
    N_("To account"),
    N_("Store"),
    N_("Event"),
    N_("Order"),
    N_("Dispute"),
    N_("Refund"),
)


@get("/fund/movements.csv", opt=on("fund.download"), sync_to_thread=True)
def download_movements(request: AnyRequest) -> Stream:
    """All movements that fit, as a file. Raises Refused as the page shows it."""
    voice, site, asked = frame.speak(request), frame.site_of(request), _asked(request)
    with site.snapshot() as reading:
        question = _question(reading, asked, voice)
    last = asked["to"] or voice.now.astimezone(voice.zone).date().isoformat()
    name = f"fund-movements-{asked['from']}-to-{last}.csv" if asked["from"] else f"fund-movements-until-{last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Stream(_file(site, voice, question), media_type="text/csv", headers=headers)


def _file(site: Site, voice: Voice, question: Question) -> Iterator[str]:
    """The file piece by piece. Nothing is kept open between them: movements are only ever added, and those come later
    than where it began."""
    yield sheets.BOM + sheets.lines([[_text(voice.say(head)) for head in COLUMNS]])
    before: Place | None = LATEST
    while before is not None:
        with site.snapshot() as reading:
            found = look(reading, PART, question, before=before, limit=PIECE)
        yield sheets.lines(_row(voice, one) for one in found.rows)  # none, too: whoever left is noticed between pieces
        before = found.next


def _row(voice: Voice, one: Movement) -> tuple[str, ...]:
    """A movement as COLUMNS have it."""
    ids = (("event", one.position), ("order", one.order), ("dispute", one.dispute), ("refund", one.refund))
    return (
        one.at.astimezone(voice.zone).isoformat(timespec="seconds"),
        _text(word(voice, "movement", one.kind)),
        sheets.as_text(one.kind),
        decimal(one.minor, one.currency),
        one.currency,
        decimal(change(one.source, one.target, one.minor), one.currency),
        _text(account(voice, one.source)),
        _text(account(voice, one.target)),
        _text(one.store),
        *(public_id(kind, PART, number) if number else "" for kind, number in ids),
    )


def _text(said: Markup | str) -> str:
    """Words for a cell: not for a page, so nothing in them is escaped for one."""
    return sheets.as_text(said.unescape() if isinstance(said, Markup) else said)


HANDLERS = (show_movements, download_movements)
