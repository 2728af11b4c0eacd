"""What somebody may do in a dispute now: the API's `allowed_actions` and the console's buttons. Read from TURNS, less
what is refused whatever one would say: so a command that is not listed is refused, and one that is may still be refused
for what it says."""

from collections.abc import Sequence
from datetime import datetime

from houbao.core.decider import ROLES
from houbao.core.disputes import GOODWILL, Dispute
from houbao.core.frauds import may_be_fraud
from houbao.core.freezes import IN_FREEZE
from houbao.core.phases import TURNS, wants_label
from houbao.core.queues import CLAIMERS_ONLY, has_it, is_anothers
from houbao.core.refunds import is_stuck, recoverable
from houbao.core.returns import PROMISED
from houbao.core.terms import Actor

MACHINES = frozenset({"system", "provider", "mail"})
"""Whose words reach Houbao by other ways than a person's or a marketplace's request."""

BY_HAND: dict[str, tuple[str, ...]] = {
    name: tuple(sorted(roles - MACHINES)) for name, roles in sorted(ROLES.items()) if roles - MACHINES
}
"""Command → who may give it by a request: one path of the API each."""


TURNS_BY_HAND = {
    phase: [(name, turn.by) for name, turn in turns.items() if name in BY_HAND] for phase, turns in TURNS.items()
}
"""Phase → (command, the roles that may give it), of those that are given by a request."""


def allowed(dispute: Dispute, actors: Sequence[Actor], now: datetime) -> list[str]:
    """The commands that one of the actors may give now, in the order of TURNS. The actors are the dispute's own."""
    holder, names = has_it(dispute, now), []
    for name, roles in TURNS_BY_HAND[dispute.phase]:
        if dispute.frozen and name not in IN_FREEZE:
            continue
        for actor in actors:
            if actor.role in roles and _may(dispute, name, actor, holder):
                names.append(name)
                break
    return names


def _may(dispute: Dispute, name: str, by: Actor, holder: str) -> bool:
    """Whether what stands in the dispute leaves room for that command of that actor. `holder` is who has it in the
    queue."""
    if name in CLAIMERS_ONLY and holder and holder != str(by):
        return False
    match name:
        case "accept_offer":
            return dispute.offer is not None
        case "claim" | "rule" if is_anothers(dispute, by):
            return False
        case "rule" if dispute.phase == "closed":
            return may_be_fraud(dispute)
        case "recover":
            return any(recoverable(refund)[0] > 0 for refund in dispute.refunds)
        case "send_label":
            return wants_label(dispute)
        case "ship_return":
            return not wants_label(dispute)
        case "sign":
            return dispute.proposed is not None and dispute.proposed.by != str(by)
        case "release":
            return bool(holder)
        case "withdraw":
            return not any(not appeal.finding for appeal in dispute.appeals)
        case "reopen":
            return dispute.outcome == "withdrawn" and not dispute.reopened
        case "appeal":
            before = any(appeal.party == by.role for appeal in dispute.appeals)
            return not before and dispute.route != GOODWILL and dispute.outcome != "withdrawn"
        case "confirm_return" | "report_return":
            return by.role == ("platform" if dispute.payer == "fund" else "seller")
        case "ship_replacement":
            return dispute.parcel == PROMISED
        case "set_payout_way":
            return any(map(is_stuck, dispute.refunds))
        case "settle_refund":
            return any(refund.in_fund for refund in dispute.refunds)
        case "write_off":
            return dispute.write_off != str(by) and any(
                kind == "receivable" for refund in dispute.refunds for kind, _ in refund.legs
            )
        case "resolve_refund":
            return bool(dispute.refunds)
        case _:
            return True
