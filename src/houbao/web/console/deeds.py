"""What people do in a dispute, as forms: what each asks for, what it is called, and what follows. Which of them may be
done now, and by whom, is `core/allowed.py`'s to say."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, tzinfo
from typing import Any, Literal

from msgspec import Struct

from houbao.core import disputes as d
from houbao.core import money
from houbao.core import refunds as r
from houbao.core import returns as g
from houbao.core.refunds import is_stuck
from houbao.core.said import Said
from houbao.core.terms import Refused, check_aware
from houbao.engine.speech import symbols
from houbao.web.console.language import N_

Form = Mapping[str, str]
"""What was typed, by field."""


class Field(Struct, frozen=True):
    """One thing that a form asks for. `options` are codes of the table of words named `table`, `first` is the one
    that is chosen to begin with, where one goes without saying."""

    name: str
    kind: Literal["money", "text", "line", "choice", "photos"]
    label: str
    hint: str = ""
    required: bool = True
    table: str = ""
    options: tuple[str, ...] = ()
    first: str = ""


class Deed(Struct, frozen=True):
    """One thing to do. `label` names it in the list, `then` says what follows, `button` names the effect on the button
    that sends it; `money` and `score` stand in the list where no preview can be made before something is typed. One
    that is `plain` moves nothing and is sent at once."""

    name: str
    label: str
    then: str
    button: str
    make: Callable[[d.Dispute, Form], Any]
    fields: tuple[Field, ...] = ()
    money: str = ""
    score: str = ""
    plain: bool = False


# --- fields --------------------------------------------------------------------------------------------------------

NOTE = Field(
    "note",
    "text",
    N_("Message to the other side"),
    N_("Kept on the dispute; the platform reads it if it decides."),
    required=False,
)
ON_PHOTOS = Field("note", "text", N_("What the photos show"), N_("Stands beside them. Not needed."), required=False)
TO_PLATFORM = Field("note", "text", N_("What the platform should know"), required=False)
CARRIER = Field("carrier", "line", N_("Carrier"))
TRACKING = Field("tracking", "line", N_("Tracking number"), N_("Letters, digits and . _ : - only."))
PROBLEM = Field(
    "problem",
    "choice",
    N_("What is wrong"),
    table="problem",
    options=("damaged", "missing", "different", "empty", "not_received"),
)
REJECTING = Field(
    "reason",
    "choice",
    N_("Why"),
    table="reason",
    options=("proof_of_delivery", "as_described", "disclosed", "not_our_fault", "other"),
)
WHY_NOT = Field(
    "note",
    "text",
    N_("What the buyer should know"),
    N_("A sentence at least: the buyer reads it, and the platform if it decides. Photos and papers go in below."),
)


def amount_of(dispute: d.Dispute, form: Form) -> int:
    """The amount that was typed, in minor units of the dispute. Raises Refused: bad_amount."""
    return minor_of(form, dispute.currency)


def tracking_of(form: Form) -> str:
    """The tracking number, without the spaces with which it stands on the slip."""
    return "".join(form.get("tracking", "").split())


def minor_of(form: Form, currency: str) -> int:
    """The amount that was typed, in minor units: 25.00, or 25,00 as half the world writes it; 1,000.50 or 1.000,50 with
    thousands apart; with the currency beside it or not, by any language's symbol. What could be two amounts (1,204 or
    1.500) is refused, in a currency that has cents; in one of three decimals 1.500 has them all. Raises Refused:
    bad_amount."""
    text = "".join(form.get("amount", "").split())
    for name in (currency, *symbols(currency)):
        text = text.removeprefix(name).removesuffix(name)
    if not text:
        raise Refused("bad_amount", Said("write an amount, like 25.00"))
    digits = money.DIGITS[currency]
    if TWO_WAYS.fullmatch(text) and not ("." in text and digits == 3):
        if digits:
            raise Refused("bad_amount", Said("%(text)s could be two amounts: write it like 1500.00", text=text))
        text = text.replace(",", "").replace(".", "")
    if GROUPED.fullmatch(text):
        point = max(text.rfind(","), text.rfind("."))
        whole, cents = (text[:point], text[point + 1 :]) if "," in text and "." in text else (text, "")
        text = f"{whole.replace(',', '').replace('.', '')}.{cents}"
    elif text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        minor = money.parse(text, currency)
    except ValueError:
        example = "1000.50" if digits else "1000"
        raise Refused(
            "bad_amount",
            Said(
                "%(text)s is no amount of %(currency)s: write it like %(example)s",
                text=repr(text[:32]),
                currency=currency,
                example=example,
            ),
        ) from None
    if minor <= 0:
        raise Refused("bad_amount", Said("%(text)s is not above zero", text=text[:32]))
    return minor


def time_of(form: Form, name: str, zone: tzinfo) -> datetime:
    """The time that was typed, by the reader's clock where it names no zone of its own. Raises Refused: bad_time."""
    try:
        at = datetime.fromisoformat(form.get(name, "").strip())
    except ValueError:
        raise Refused("bad_time", Said("write the time like 2026-07-14 18:00")) from None
    return at.replace(tzinfo=zone) if at.tzinfo is None else at


def midnight_of(text: str, zone: tzinfo) -> datetime:
    """When the day that was typed begins by the reader's clock. Raises Refused: bad_request, bad_time."""
    try:
        midnight = datetime.combine(date.fromisoformat(text), time.min, zone)
    except ValueError:
        raise Refused("bad_request", Said("write the day like 2026-07-14")) from None
    check_aware("the day", midnight)
    return midnight


TWO_WAYS = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}", re.ASCII)
"""Three digits behind one sign: thousands to half the world, a fraction to the other. Where a currency has three
decimals, the point is its own."""

GROUPED = re.compile(
    r"[0-9]{1,3}(?:(?:,[0-9]{3})+\.[0-9]+|(?:\.[0-9]{3})+,[0-9]+|(?:,[0-9]{3}){2,}|(?:\.[0-9]{3}){2,})", re.ASCII
)
"""An amount whose thousands stand apart beyond doubt: both signs, or one of them twice."""


def _stuck_payment(dispute: d.Dispute) -> tuple[int, str]:
    """(refund, payment) of what could not be paid."""
    for refund in dispute.refunds:
        if is_stuck(refund):
            return refund.id, next(share.payment for share in refund.shares if share.state == "stuck")
    return 0, ""


def _payout_way(dispute: d.Dispute, form: Form) -> r.SetPayoutWay:
    refund, payment = _stuck_payment(dispute)
    return r.SetPayoutWay(dispute=dispute.id, refund=refund, payment=payment, way=form.get("way", "").strip())


# --- the buyer's ---------------------------------------------------------------------------------------------------

BUYERS = (
    Deed(
        "accept_offer",
        N_("Accept the offer"),
        N_("The seller’s offer is carried out, and the dispute is settled."),
        N_("Accept %(offer)s"),
        lambda x, form: d.AcceptOffer(dispute=x.id),
    ),
    Deed(
        "counter",
        N_("Ask for another amount"),
        N_("The seller’s time to answer starts again. If they do not answer, they pay what you ask."),
        N_("Ask for %(typed)s"),
        lambda x, form: d.Counter(dispute=x.id, amount=amount_of(x, form), note=form.get("note", "")),
        (Field("amount", "money", N_("Amount you ask for")), NOTE),
        money=N_("your amount, if the seller agrees or is silent"),
    ),
    Deed(
        "escalate",
        N_("Let the platform decide"),
        N_("A person at the platform reads both sides and decides. You need not do anything more."),
        N_("Ask the platform to decide"),
        lambda x, form: d.Escalate(dispute=x.id, note=form.get("note", "")),
        (TO_PLATFORM,),
        money=N_("what the platform decides"),
    ),
    Deed(
        "change_claim",
        N_("Change the amount"),
        N_("If it is the seller’s turn, they get the whole time to answer again."),
        N_("Ask for %(typed)s"),
        lambda x, form: d.ChangeClaim(dispute=x.id, amount=amount_of(x, form), note=form.get("note", "")),
        (Field("amount", "money", N_("Amount you ask for")), NOTE),
        money=N_("your new amount"),
    ),
    Deed(
        "ship_return",
        N_("I sent the goods back"),
        N_("When they have arrived and are intact, you get your money."),
        N_("The goods are on their way"),
        lambda x, form: g.ShipReturn(dispute=x.id, carrier=form.get("carrier", "").strip(), tracking=tracking_of(form)),
        (CARRIER, TRACKING),
        money=N_("yours when the goods are back"),
    ),
    Deed(
        "report_replacement",
        N_("The replacement is not right"),
        N_("The platform looks into it and decides."),
        N_("Report the replacement"),
        lambda x, form: g.ReportReplacement(
            dispute=x.id, problem=option(form, "problem", PROBLEM.options), note=form.get("note", "")
        ),
        (PROBLEM, TO_PLATFORM),
        money=N_("what the platform decides"),
    ),
    Deed(
        "set_payout_way",
        N_("Name another way to be paid"),
        N_("Your refund was approved, but could not be paid. It is sent again the way you name."),
        N_("Pay me this way"),
        _payout_way,
        (Field("way", "line", N_("Way to be paid"), N_("As your marketplace names it, e.g. card-2 or bank-1.")),),
        money=N_("yours as soon as it goes through"),
    ),
    Deed(
        "withdraw",
        N_("Withdraw"),
        N_("The dispute ends, you get nothing by it, and it leaves no mark on the seller’s record."),
        N_("Withdraw the dispute"),
        lambda x, form: d.Withdraw(dispute=x.id),
    ),
    Deed(
        "reopen",
        N_("Take it up again"),
        N_("It goes on where it began, with what you asked. Once, while the time to open disputes runs."),
        N_("Take it up again"),
        lambda x, form: d.Reopen(dispute=x.id, note=form.get("note", "")),
        (NOTE,),
        money=N_("what you asked before"),
    ),
)

# --- the seller's --------------------------------------------------------------------------------------------------

SELLERS = (
    Deed(
        "accept",
        N_("Accept %(amount)s"),
        N_("It is refunded from your balance, and the dispute is closed by agreement."),
        N_("Refund %(amount)s from my balance"),
        lambda x, form: d.Accept(dispute=x.id),
    ),
    Deed(
        "offer",
        N_("Offer something else"),
        N_(
            "The buyer may accept, ask for another amount or let the platform decide. If they do not answer, your "
            "offer is paid."
        ),
        N_("Offer %(typed)s"),
        lambda x, form: _offer(x, form),
        (
            Field(
                "remedy",
                "choice",
                N_("What you offer"),
                table="remedy",
                options=("refund", "return_refund", "replacement"),
                first="refund",
            ),
            Field("amount", "money", N_("Amount you offer"), N_("Leave it out for a replacement."), required=False),
            NOTE,
        ),
        money=N_("your amount, if the buyer accepts or is silent"),
        score=N_("counts if something is paid"),
    ),
    Deed(
        "reject",
        N_("Reject, with a reason"),
        N_("The buyer may answer or let the platform decide. If they do not, it ends with nothing paid."),
        N_("Reject the claim"),
        lambda x, form: _reject(x, form),
        (REJECTING, WHY_NOT),
        money=N_("no change now"),
        score=N_("removed from your record if nothing is paid"),
    ),
    Deed(
        "confirm_return",
        N_("The goods are back, intact"),
        N_("The refund that was put aside goes to the buyer."),
        N_("Confirm: refund %(amount)s"),
        lambda x, form: g.ConfirmReturn(dispute=x.id),
    ),
    Deed(
        "report_return",
        N_("Something is wrong with the return"),
        N_("The platform decides. What was put aside stays put aside."),
        N_("Report the return"),
        lambda x, form: g.ReportReturn(
            dispute=x.id, problem=option(form, "problem", PROBLEM.options), note=form.get("note", "")
        ),
        (PROBLEM, TO_PLATFORM),
        money=N_("no change now"),
    ),
    Deed(
        "ship_replacement",
        N_("I sent the replacement"),
        N_("When it has arrived and the buyer says nothing more, the dispute is closed."),
        N_("The replacement is on its way"),
        lambda x, form: g.ShipReplacement(
            dispute=x.id, carrier=form.get("carrier", "").strip(), tracking=tracking_of(form)
        ),
        (CARRIER, TRACKING),
        money=N_("no change"),
    ),
)

# --- everybody's ---------------------------------------------------------------------------------------------------

COMMON = (
    Deed(
        "appeal",
        N_("Appeal"),
        N_("Somebody who has not ruled on it decides once more. Each side may do this once."),
        N_("Appeal: another person decides"),
        lambda x, form: d.FileAppeal(
            dispute=x.id, about=option(form, "about", ("remedy", "funding", "fault")), note=form.get("note", "")
        ),
        (
            Field(
                "about",
                "choice",
                N_("What should be looked at again"),
                table="about",
                options=("remedy", "funding", "fault"),
            ),
            TO_PLATFORM,
        ),
        money=N_("what the appeal decides"),
        score=N_("what the appeal decides"),
    ),
    Deed(
        "messages",
        N_("Write a message"),
        N_("The other side and the platform read it. No time stops or starts."),
        N_("Send the message"),
        lambda x, form: d.WriteMessage(dispute=x.id, message=form.get("message", "")),
        (Field("message", "text", N_("Message"), N_("Words alone: the other side and the platform read them.")),),
        plain=True,
    ),
    Deed(
        "evidence",
        N_("Add photos"),
        N_("They stand in the timeline for both sides and the platform."),
        N_("Add to the dispute"),
        lambda x, form: d.AddEvidence(
            dispute=x.id, evidence=tuple(form.get("evidence", "").split()), note=form.get("note", "")
        ),
        (Field("photos", "photos", N_("Photos"), N_("JPEG, PNG, WebP or HEIC."), required=True), ON_PHOTOS),
        plain=True,
    ),
)

DEEDS: dict[str, Deed] = {deed.name: deed for deed in (*SELLERS, *BUYERS, *COMMON)}
"""Every deed of buyers and sellers; what agents and finance do has pages of its own."""


def _reject(dispute: d.Dispute, form: Form) -> d.Reject:
    reason = option(form, "reason", REJECTING.options)
    if not form.get("note", "").strip():
        raise Refused("no_text", Said("say in a sentence why you reject it: the buyer reads it, and the platform"))
    return d.Reject(dispute=dispute.id, reason=reason, note=form["note"])


def _offer(dispute: d.Dispute, form: Form) -> d.MakeOffer:
    remedy = option(form, "remedy", ("refund", "return_refund", "replacement"))
    if remedy == "replacement":
        return d.MakeOffer(dispute=dispute.id, remedy="replacement", note=form.get("note", ""))
    return d.MakeOffer(dispute=dispute.id, amount=amount_of(dispute, form), remedy=remedy, note=form.get("note", ""))


def words_of(form: Form, name: str, wanted: Said) -> str:
    """The words that were typed. `Refused('no_text')` where there are none; `wanted` says what is missing."""
    text = form.get(name, "").strip()
    if not text:
        raise Refused("no_text", wanted)
    return text


def note_of(form: Form, reason: str) -> str:
    """The words that go with a reason. `Refused('no_text')` where it is another than those listed, and not told."""
    if reason == "other":
        return words_of(form, "note", Said("for another reason say in words what it is"))
    return form.get("note", "").strip()


def option(form: Form, name: str, options: tuple[str, ...]) -> Any:
    """The chosen code, as it stands among the options: a record leaves out what *is* its default, and a text that only
    equals it would make another command of it. Raises Refused: bad_request."""
    chosen = form.get(name, "")
    if chosen not in options:
        raise Refused("bad_request", f"choose one of: {', '.join(option.replace('_', ' ') for option in options)}")
    return options[options.index(chosen)]
