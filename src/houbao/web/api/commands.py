"""One path for every command of TURNS that a person or a marketplace gives."""

from collections.abc import Sequence
from typing import Any

from litestar.handlers import HTTPRouteHandler

from houbao.core.allowed import BY_HAND
from houbao.core.disputes import Dispute
from houbao.core.terms import Refused
from houbao.web.api import bodies
from houbao.web.api.dispute_shapes import DisputeView
from houbao.web.api.disputes import found_dispute, left_by
from houbao.web.api.previews import PreviewView, previewed
from houbao.web.callers import Caller, actor_for
from houbao.web.operation import Answer, Ask, operation

REFUSES = ("bad_id", "unknown_dispute", "not_now", "not_yours", "answer_after_due", "stale", "key_reused", "frozen")
"""What every command on a dispute may be refused with."""

OWN_REFUSES: dict[str, tuple[str, ...]] = {
    "accept_offer": ("no_offer",),
    "appeal": ("appealed_before", "final_ruling", "appeal_too_late", "nothing_to_appeal", "text_too_long"),
    "change_claim": ("bad_amount", "bad_currency", "claim_unchanged", "amount_above_refundable", "text_too_long"),
    "claim": ("claimed", "same_agent"),
    "counter": ("bad_amount", "bad_currency", "claim_is_offer", "amount_above_refundable", "text_too_long"),
    "escalate": ("text_too_long",),
    "evidence": ("bad_evidence", "unknown_evidence", "text_too_long"),
    "messages": ("no_text", "text_too_long"),
    "offer": ("bad_amount", "bad_currency", "amount_above_claim", "offer_is_claim", "text_too_long"),
    "recover": ("no_refund", "nothing_to_recover", "recovery_booked", "bad_amount", "bad_currency", "bad_reference"),
    "reject": ("bad_reference", "text_too_long"),
    "release": ("claimed", "not_claimed"),
    "reopen": ("not_withdrawn", "reopened_before", "outside_window", "text_too_long"),
    "request_evidence": ("claimed", "text_too_long"),
    "resolve_refund": ("no_refund", "refund_waits", "refund_in_flight", "text_too_long"),
    "rule": ("claimed", "bad_ruling", "bad_amount", "bad_currency", "amount_above_claim", "same_agent", "no_rate"),
    "send_label": ("no_label_wanted", "bad_amount", "bad_currency", "bad_words", "bad_reference"),
    "serve_notice": ("claimed",),
    "set_payout_way": ("no_refund", "bad_reference"),
    "settle_refund": ("no_refund", "nothing_to_settle", "bad_amount", "bad_currency"),
    "ship_replacement": ("shipped_before", "bad_words", "bad_reference"),
    "ship_return": ("no_label", "bad_words", "bad_reference"),
    "sign": ("not_proposed", "same_person"),
    "withdraw": ("in_appeal",),
    "write_off": ("nothing_owed", "not_yet", "same_person"),
}
"""Command → what else it may be refused with."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "rule": {"finding": "justified", "reason": "photos_show_damage"},
    "offer": {"amount": {"minor": 2000, "currency": "EUR"}, "remedy": "refund", "note": "Keep it, at half the price."},
    "counter": {"amount": {"minor": 3500, "currency": "EUR"}},
    "change_claim": {"amount": {"minor": 3000, "currency": "EUR"}},
    "reject": {"reason": "delivered_and_signed", "note": "The carrier has the signature."},
    "escalate": {"note": "We do not agree."},
    "evidence": {"evidence": ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]},
    "messages": {"message": "A new one is on its way."},
    "request_evidence": {"party": "buyer", "note": "A photo of the label, please."},
    "appeal": {"about": "fault", "note": "The carrier broke it."},
    "send_label": {"carrier": "post", "tracking": "RR123456785DE", "amount": {"minor": 450, "currency": "EUR"}},
    "ship_return": {"carrier": "post", "tracking": "RR123456785DE"},
    "report_return": {"problem": "damaged"},
    "ship_replacement": {"carrier": "post", "tracking": "RR123456785DE"},
    "report_replacement": {"problem": "different"},
    "set_payout_way": {"payment": "card", "way": "iban_1"},
    "resolve_refund": {"how": "paid_elsewhere", "note": "By bank transfer."},
    "recover": {"source": "carrier", "amount": {"minor": 4000, "currency": "EUR"}, "reference": "claim-77"},
    "settle_refund": {"payment": "card", "taken": {"minor": 2195, "currency": "EUR"}},
}


def _made(name: str, by: tuple[str, ...]) -> HTTPRouteHandler:
    command = bodies.DISPUTE_COMMANDS[name]
    body = bodies.body_of(command)

    async def give(ask: Ask[Any, Any]) -> Answer:
        site = ask.site
        with site.snapshot() as reading:
            dispute = found_dispute(reading, ask.scope, ask.text("dispute_id"))
        may = _receiver(dispute, ask.caller, by) if name in ("confirm_return", "report_return") else by
        actor = actor_for(ask.caller, may, dispute, ask.acting_as)
        said: Any = bodies.command_from(command, ask.body, _currency(name, dispute), dispute=dispute.id)
        if ask.dry_run:
            return await previewed(ask, said, actor, seen=if_match(ask))
        accepted = await ask.execute(said, actor, seen=if_match(ask))
        with site.glance() as reading:
            return left_by(accepted, reading, ask, dispute.id)

    return operation(
        "POST",
        f"/v1/disputes/{{dispute_id:str}}/{name.replace('_', '-')}",
        action=f"disputes.{name}",
        summary=(command.__doc__ or "").replace("\n    ", " "),
        body=body,
        reply=(DisputeView, PreviewView),
        refuses=(*REFUSES, *OWN_REFUSES.get(name, ())),
        example=EXAMPLES.get(name),
        name=name,
        tag="dispute commands",
        previews=True,
    )(give)


def if_match(ask: Ask[Any, Any]) -> int:
    """The position of the dispute's last event that the caller knows of; 0 where the header is missing.
    Raises Refused: stale for an ETag that is none of ours."""
    given = ask.request.headers.get("if-match", "").strip()
    if given in ("", "*"):
        return 0
    bare = given.removeprefix('"').removesuffix('"')
    if not (bare.isascii() and bare.isdecimal() and len(bare) < 19):
        raise Refused("stale", "If-Match is no ETag of a dispute: read it again, then decide")
    return int(bare)


def _currency(name: str, dispute: Dispute) -> str:
    """The currency of a command's amounts: the dispute's, but of what a provider took the fund's."""
    if name == "settle_refund":
        return next((one.in_fund.currency for one in dispute.refunds if one.in_fund), dispute.currency)
    return dispute.currency


def _receiver(dispute: Dispute, caller: Caller, by: tuple[str, ...]) -> tuple[str, ...]:
    """Who looks at goods that came back: a marketplace's key acts as whoever receives them."""
    if "platform" not in caller.roles:
        return by
    return ("platform",) if dispute.payer == "fund" else ("seller",)


HANDLERS: Sequence[HTTPRouteHandler] = [_made(name, by) for name, by in BY_HAND.items()]
