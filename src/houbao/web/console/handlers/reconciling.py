"""A provider's or a bank's file beside the ledger: what agrees, what does not and why. Books nothing."""

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from msgspec import Struct

from houbao.books.extract import BookError
from houbao.books.findings import Finding, Reconciled
from houbao.core.accounts import BANK
from houbao.core.said import Said
from houbao.core.terms import Refused
from houbao.store import bookings
from houbao.web.console import frame
from houbao.web.console.deeds import Form
from houbao.web.console.handlers.disputes import typed
from houbao.web.console.language import N_
from houbao.web.guard import on
from houbao.web.receiving import form_of
from houbao.web.site import PART, Site

AnyRequest = Request[Any, Any, Any]
MOST_FILE = 32 << 20
"""The most bytes of a file that is compared here; larger ones take the command line."""

MOST_SHOWN = 200
"""How many differences of a kind a page shows."""

DAYS, MOST_DAYS = 5, 60
"""How many days apart the same movement may be told, where nobody says, and at most."""


class Group(Struct, frozen=True):
    """The differences of one kind: what they are called, and those that are shown of `count`."""

    name: str
    says: str
    note: str
    shown: list[Finding]
    count: int


@get("/fund/reconcile", opt=on("fund.reconcile"))
async def show_form(request: AnyRequest) -> Response[str]:
    """The form of a file."""
    # Not `sync_to_thread`: see `sign_in_form` in doors.py.
    return await asyncio.to_thread(lambda: _shown(request, {}))


def _shown(
    request: AnyRequest, form: Mapping[str, str], *, found: Reconciled | None = None, refused: Refused | None = None
) -> Response[str]:
    voice, site = frame.speak(request), frame.site_of(request)
    with site.snapshot() as reading:
        accounts = [BANK, *bookings.provider_accounts(reading, PART)]
    return frame.page(
        request,
        voice,
        "finance/reconcile.html",
        at="fund",
        accounts=accounts,
        typed=form,
        days=DAYS,
        most_days=MOST_DAYS,
        most_mib=MOST_FILE >> 20,
        found=found,
        groups=_groups(found) if found else [],
        agreed=sorted(found.matches, key=lambda one: one.by != "amount")[:MOST_SHOWN] if found else [],
        day_of=date.fromisoformat,
        refused=refused,
    )


def _groups(found: Reconciled) -> list[Group]:
    said = (
        ("extra", N_("Only there"), N_("It stands in the file, and not in the ledger."), found.extra),
        ("missing", N_("Only here"), N_("It stands in the ledger, and not in the file."), found.missing),
        ("different", N_("Told differently"), N_("The same movement, told another way."), found.different),
    )
    return [Group(name, says, note, all_[:MOST_SHOWN], len(all_)) for name, says, note, all_ in said if all_]


@post(
    "/fund/reconcile",
    opt=on("fund.reconcile", files=True),
    status_code=200,
    request_max_body_size=MOST_FILE + (1 << 16),
)
async def compare_file(request: AnyRequest) -> Response[str]:
    """The file beside the ledger; what cannot be compared is said on the page."""
    form = await typed(request)
    try:
        sent = await _brought(request)
        days = _days(form)
    except Refused as refused:
        said = refused
        return await asyncio.to_thread(lambda: _shown(request, form, refused=said))
    return await asyncio.to_thread(_compare, request, form, sent, days)


async def _brought(request: AnyRequest) -> UploadFile:
    sent = (await form_of(request)).get("file")
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise Refused("bad_request", Said("choose the file that the provider or the bank gives"))
    return sent


def _days(form: Form) -> int:
    text = form.get("days", str(DAYS))
    if not text.isdecimal() or len(text) > 2 or int(text) > MOST_DAYS:
        raise Refused("bad_request", Said("the days between are a number from 0 to %(most)s", most=MOST_DAYS))
    return int(text)


def _compare(request: AnyRequest, form: Form, sent: UploadFile, days: int) -> Response[str]:
    try:
        found = _compared(frame.site_of(request), sent, form.get("account", ""), days)
    except Refused as refused:
        return _shown(request, form, refused=refused)
    return _shown(request, form, found=found)


def _compared(site: Site, sent: UploadFile, account: str, days: int) -> Reconciled:
    """Raises Refused: too_large, bad_file, overloaded."""
    if not site.comparing.acquire(blocking=False):
        raise Refused("overloaded", Said("another file is being compared: try again in a minute"))
    try:
        content = sent.file.read(MOST_FILE + 1)  # not before its turn: it may be large
        if len(content) > MOST_FILE:
            said = Said("a file of more than %(most)s MiB is compared on the command line", most=MOST_FILE >> 20)
            raise Refused("too_large", said)
        return site.reconcile(sent.filename[:120], content, account, days)
    except BookError as error:
        raise Refused("bad_file", Said("in %(error)s", error=error.args[0])) from None
    finally:
        site.comparing.release()


HANDLERS = (show_form, compare_file)
