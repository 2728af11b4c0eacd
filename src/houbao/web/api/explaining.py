"""A claim before it is opened: covered or not, who would decide, who would pay, by when, and why (R3)."""

from datetime import datetime
from typing import Any

from msgspec import Struct, structs

from houbao.core import disputes as d
from houbao.core.money import Money
from houbao.core.rulings import explain
from houbao.core.terms import Actor, Refused
from houbao.web.api import bodies
from houbao.web.api.dispute_shapes import Seen, TimerView, dispute_view, reasons_of
from houbao.web.api.disputes import found_order
from houbao.web.api.shapes import order_id
from houbao.web.operation import Ask, operation
from houbao.web.problems import status_of


class Explanation(Struct, kw_only=True):
    """What the policy says of a claim: who would decide, who would pay, and why. `limit` is what the fund pays at most
    where the policy sets that; `deadlines` what would happen by itself, and when; `refused` is a code where no dispute
    could be opened."""

    order_id: str
    covered: bool
    coverage_reason: str
    policy_version: str
    rule: str
    route: str = ""
    payer: str = ""
    fault: str = ""
    limit: Money | None = None
    deadlines: list[TimerView] = []
    due_at: datetime | None = None
    default_outcome: str = ""
    refused: str = ""
    detail: str = ""
    reasons: list[str]


@operation(
    "POST",
    "/v1/explain",
    action="disputes.explain",
    body=bodies.ExplainBody,
    reply=Explanation,
    refuses=("unknown_order", "bad_currency", "bad_amount", "bad_lines", "unknown_line", "unknown_reason"),
    example={"order_id": "order_0_3", "reason": "damaged", "amount": {"minor": 4000, "currency": "EUR"}},
    tag="disputes",
)
async def explain_claim(ask: Ask[bodies.ExplainBody, Any]) -> Explanation:
    """Covered? Who decides, who pays, and why? Asked before a dispute is opened; nothing is saved."""
    body, site = ask.body, ask.site
    with site.snapshot() as reading:
        order = found_order(reading, ask.scope, body.order_id)
        rules = site.rules(reading, order.coverage.policy, order.currency)
    lines = body.lines or [bodies.LineBody(line_id=line.id, quantity=line.quantity) for line in order.lines]
    claim = bodies.OpenBody(
        order_id=body.order_id,
        lines=lines,
        reason=body.reason,
        amount=body.amount,
        remedy=body.remedy,
        evidence=body.evidence,
    )
    said = Explanation(
        order_id=order_id(order.id),
        covered=order.coverage.covered,
        coverage_reason=order.coverage.reason or ("not_paid" if order.paid_at is None else ""),
        policy_version=order.coverage.policy,
        rule="",
        reasons=[],
    )
    private = ask.caller.role == "buyer"
    command, by = bodies.opening(claim, order), Actor("buyer", order.buyer)
    try:
        preview = await site.preview(command, by)
    except Refused as refused:
        if status_of(refused.code) == 400:
            raise
        told = _told(rules, refused, private=private)
        return structs.replace(said, rule=refused.rule, refused=refused.code, detail=refused.detail, reasons=told)
    opened = next(event for event in preview.events if isinstance(event, d.DisputeOpened))
    dispute = preview.disputes[opened.dispute]
    seen = dispute_view(dispute, Seen(ask.caller, site.clock()))
    cap = rules.caps.per_dispute if rules and not private else None
    return structs.replace(
        said,
        rule=opened.rule,
        route=opened.route,
        payer=opened.payer,
        fault=opened.fault,
        limit=Money(cap, order.currency) if cap is not None else None,
        deadlines=seen.timers,
        due_at=seen.due_at,
        default_outcome=seen.default_outcome,
        reasons=reasons_of(rules, opened, private=private),
    )


def _told(rules: Any, refused: Refused, *, private: bool) -> list[str]:
    return explain(rules, refused.rule, refused.reasons, private=private) if rules and refused.rule else []
