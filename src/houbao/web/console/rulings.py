"""An agent's ruling as a form: what may be said of which dispute, the command that it makes, and the button's words."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from msgspec import Struct

from houbao.core.acts import Rule
from houbao.core.appeals import Appeal, in_hearing
from houbao.core.awards import guaranteed
from houbao.core.disputes import Dispute
from houbao.core.hearings import at_stake
from houbao.core.terms import Refused
from houbao.web.console.choices import Fact
from houbao.web.console.deeds import Form, amount_of, note_of
from houbao.web.console.language import N_, Voice
from houbao.web.console.words import low, word

FINDINGS = ("justified", "unjustified")
REASONS: Mapping[str, tuple[str, ...]] = {
    "justified": ("photos", "evidence", "part_of_it", "no_proof_of_delivery", "other"),
    "unjustified": ("as_described", "disclosed", "within_tolerance", "proof_of_delivery", "nothing_shows_it", "other"),
    "out_of_scope": ("counterfeit", "excluded", "wrong_address", "other"),
}
"""Finding → the reasons that are offered: a short code each, with a word in `words.REASON`."""

AFTERWARDS = {"seller": "justified", "buyer": "unjustified"}
"""Whose fraud may be ruled when a dispute is over → the finding that says so."""

OF_FRAUD = ("evidence", "photos", "counterfeit", "other")


class Sheet(Struct, frozen=True, kw_only=True):
    """What a ruling on a dispute may say. `payers` and `faults` hold "" for what stands by itself; `most` is the amount
    that is asked or still open (minor units), 0 where the ruling names none."""

    findings: tuple[str, ...]
    most: int = 0
    remedies: tuple[str, ...] = ()
    payers: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    frauds: tuple[str, ...] = ()

    @property
    def reasons(self) -> dict[str, tuple[str, ...]]:
        """Finding → reasons, of the findings that there are."""
        return {finding: REASONS[finding] for finding in self.findings}


def sheet_of(dispute: Dispute) -> Sheet:
    """The form for that dispute: in verification the policy says who pays and what counts; an appeal is ruled on in the
    one thing that it names."""
    appeal = in_hearing(dispute.appeals)
    if appeal:
        match appeal.party, appeal.about:
            case "buyer", "remedy":
                most = at_stake(dispute, appeal.party, appeal.about)
                return Sheet(findings=FINDINGS, most=most, payers=("", "platform"))
            case "seller", "funding":
                return Sheet(findings=FINDINGS, payers=("platform", *(("fund",) if dispute.covered else ())))
            case _:
                return Sheet(findings=FINDINGS)
    remedies = () if dispute.parcel is not None else ("refund", "return_refund")
    if dispute.phase == "closed":
        return Sheet(findings=(), frauds=tuple(AFTERWARDS))
    both: dict[str, Any] = {"most": dispute.amount, "remedies": remedies, "frauds": ("", "seller", "buyer")}
    if dispute.phase == "verifying":
        return Sheet(findings=(*FINDINGS, "out_of_scope"), **both)
    seller = () if guaranteed(dispute) else ("seller",)
    payers = ("", *(("fund",) if dispute.covered else ()), *seller, "platform")
    return Sheet(findings=FINDINGS, payers=payers, faults=("", "counted", "exempt"), **both)


def ruling(dispute: Dispute, form: Form) -> Rule:
    """The ruling that was filled in; what does not go with its finding is left out. Raises Refused: bad_request,
    bad_amount."""
    sheet = sheet_of(dispute)
    if not sheet.findings:
        return _fraud_afterwards(dispute, form)
    finding = _one_of(form, "finding", sheet.findings)
    reason = _one_of(form, "reason", REASONS[finding])
    said: dict[str, Any] = {"dispute": dispute.id, "finding": finding, "reason": reason}
    said["note"] = note_of(form, reason)
    if fraud := _optional(form, "fraud", sheet.frauds):
        said["fraud"] = fraud
    if finding != "justified":
        return Rule(**said)
    if sheet.most and form.get("amount", "").strip():
        amount = amount_of(dispute, form)
        said["amount"] = None if amount == sheet.most else amount
    remedy = _optional(form, "remedy", sheet.remedies)
    if remedy != dispute.remedy:
        said["remedy"] = remedy
    if not fraud:
        said["payer"] = _optional(form, "payer", sheet.payers)
        said["fault"] = _optional(form, "fault", sheet.faults)
    return Rule(**said)


def _fraud_afterwards(dispute: Dispute, form: Form) -> Rule:
    fraud = _one_of(form, "fraud", tuple(AFTERWARDS))
    said: dict[str, Any] = {"finding": AFTERWARDS[fraud], "reason": _one_of(form, "reason", OF_FRAUD)}
    return Rule(dispute=dispute.id, fraud=fraud, note=note_of(form, said["reason"]), **said)  # ty: ignore[invalid-argument-type]


def plain_ruling(dispute: Dispute, finding: str) -> Rule:
    """The ruling as it is before anything else is filled in: for the table that sets the findings side by side."""
    payers = sheet_of(dispute).payers
    payer = payers[0] if payers and finding == "justified" else ""
    return Rule(dispute=dispute.id, finding=finding, reason=REASONS[finding][0], payer=payer)  # ty: ignore[invalid-argument-type]


def _one_of(form: Form, name: str, options: tuple[str, ...]) -> str:
    chosen = form.get(name, "")
    if chosen not in options:
        raise Refused("bad_request", f"choose one {name} of: {', '.join(one.replace('_', ' ') for one in options)}")
    return chosen


def _optional(form: Form, name: str, options: tuple[str, ...]) -> str:
    return _one_of(form, name, options) if options and form.get(name, "") else ""


# --- what the button says ------------------------------------------------------------------------------------------

FRAUDS = {
    "seller": N_("Propose: fraud of the seller"),
    "buyer": N_("Propose: fraud of the buyer"),
}


def found(voice: Voice, dispute: Dispute, rule: Rule) -> Fact:
    """What is found, and why, as the first line of what the ruling would do."""
    finding = word(voice, "heard" if in_hearing(dispute.appeals) else "finding", rule.finding)
    reason = low(voice, "reason", rule.reason)
    return Fact(voice.say(N_("Finding")), voice.say(N_("%(finding)s: %(reason)s"), finding=finding, reason=reason))


def button(voice: Voice, dispute: Dispute, rule: Rule, phase: str) -> Markup:
    """The ruling's effect in a few words; `phase` is where it would lead."""
    if appeal := in_hearing(dispute.appeals):
        return _granted(voice, dispute, appeal, rule)
    if rule.fraud:
        return voice.say(FRAUDS[rule.fraud])
    if rule.finding == "out_of_scope":
        return voice.say(N_("Hand it to the seller, by official notice"))
    if rule.finding == "unjustified":
        return voice.say(N_("Not justified: no refund"))
    amount = voice.money(dispute.amount if rule.amount is None else rule.amount, dispute.currency)
    if (rule.remedy or dispute.remedy) == "return_refund":
        return voice.say(N_("Refund %(amount)s when the goods are back"), amount=amount)
    if phase == "awaiting_funds":
        return voice.say(N_("Approve %(amount)s: paid as soon as there is money for it"), amount=amount)
    return voice.say(N_("Refund %(amount)s to the buyer"), amount=amount)


def _granted(voice: Voice, dispute: Dispute, appeal: Appeal, rule: Rule) -> Markup:
    """How an appeal ends, with the money that goes with it."""
    asks = at_stake(dispute, appeal.party, appeal.about)
    if rule.finding != "justified" or not asks:
        return word(voice, "heard", rule.finding)
    if appeal.party == "buyer":
        amount = voice.money(asks if rule.amount is None else rule.amount, dispute.currency)
        return voice.say(N_("Grant the appeal: %(amount)s more to the buyer"), amount=amount)
    return voice.say(N_("Grant the appeal: %(amount)s back to the seller"), amount=voice.money(asks, dispute.currency))
