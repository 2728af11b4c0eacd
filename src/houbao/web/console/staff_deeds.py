"""What the platform's own people do in a dispute, as forms; the ruling's own form is in `rulings.py`."""

from houbao.core import disputes as d
from houbao.core import refunds as r
from houbao.core.refunds import is_settled
from houbao.core.said import Said
from houbao.core.shortfalls import WriteOff
from houbao.core.terms import Refused
from houbao.web.console.deeds import DEEDS, Deed, Field, Form, option, words_of
from houbao.web.console.language import N_
from houbao.web.console.rulings import ruling

RULE = Deed(
    "rule",
    N_("Ruling"),
    N_("What would happen if you ruled so now. Nothing is sent yet."),
    N_("Rule"),
    ruling,
    tuple(
        Field(name, "line", "", required=False)
        for name in ("finding", "amount", "remedy", "payer", "fault", "fraud", "reason", "note")
    ),
)
SIGN = Deed(
    "sign",
    N_("Sign the ruling of fraud"),
    N_("With a second signature it holds, as it stands now."),
    N_("Sign: it holds now"),
    lambda x, form: d.Sign(dispute=x.id),
)
ASK = Deed(
    "request_evidence",
    N_("Ask for evidence"),
    N_("It closes by itself after the policy’s time. The time to decide goes on."),
    N_("Ask for evidence"),
    lambda x, form: d.RequestEvidence(
        dispute=x.id,
        party=option(form, "party", ("buyer", "seller")),
        note=words_of(form, "note", Said("say what you need to see")),
    ),
    (
        Field("party", "choice", N_("Whom"), table="party", options=("buyer", "seller")),
        Field(
            "note", "text", N_("What you need to see"), N_("They read it in the timeline; a mail tells them to look.")
        ),
    ),
)
AGENTS = (
    RULE,
    SIGN,
    ASK,
    Deed("claim", N_("Claim"), "", N_("Claim for 30 min"), lambda x, form: d.ClaimCase(dispute=x.id), plain=True),
    Deed("release", N_("Release"), "", N_("Release"), lambda x, form: d.ReleaseCase(dispute=x.id), plain=True),
    Deed(
        "serve_notice",
        N_("Serve the notice again"),
        N_("It goes out by mail at once. The seller’s time begins when the mail server has accepted it."),
        N_("Serve the notice again"),
        lambda x, form: d.ServeNotice(dispute=x.id),
    ),
    DEEDS["messages"],
)

RESOLVE = Deed(
    "resolve_refund",
    N_("Settle it by hand"),
    N_("For what no provider will pay: say what became of the money."),
    N_("Settle it"),
    lambda x, form: _resolve(x, form),
    (
        Field("how", "choice", N_("What became of it"), table="resolved", options=("paid_elsewhere", "abandon")),
        Field("refund", "line", "", required=False),
        Field(
            "note",
            "text",
            N_("Why, and where to find the proof"),
            N_("Needed where it was paid another way: the bank’s reference, for one."),
            required=False,
        ),
    ),
)
WRITE_OFF = Deed(
    "write_off",
    N_("Write off what was advanced"),
    N_("What the platform advanced for this refund will never be paid back. It takes two people of finance."),
    N_("Sign the write-off"),
    lambda x, form: WriteOff(dispute=x.id),
)
FINANCE = (RESOLVE, WRITE_OFF)

STAFF: dict[str, dict[str, Deed]] = {
    "agent": {deed.name: deed for deed in AGENTS},
    "finance": {deed.name: deed for deed in FINANCE},
}
"""Role → what it may do on the page of a case, by name."""


def _resolve(dispute: d.Dispute, form: Form) -> r.ResolveRefund:
    """What became of a refund; that money left by hand is not taken without a word on where the proof is."""
    how, note = option(form, "how", ("paid_elsewhere", "abandon")), form.get("note", "").strip()
    if how == "paid_elsewhere" and not note:
        raise Refused("no_text", Said("say where the proof is that the buyer was paid: the bank's reference, for one"))
    return r.ResolveRefund(dispute=dispute.id, how=how, refund=_refund(dispute, form), note=note)


def _refund(dispute: d.Dispute, form: Form) -> int:
    """The refund that was named; the first that is not settled where none was."""
    text = form.get("refund", "")
    if text.isdecimal() and len(text) < 19:
        return int(text)
    return next((refund.id for refund in dispute.refunds if not is_settled(refund)), 0)
