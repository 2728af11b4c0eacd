"""What a command would do, as pages show it before it is sent: the money of both sides, the score, and what is next."""

from datetime import datetime

from msgspec import Struct

from houbao.core.accounts import store_account
from houbao.core.disputes import Dispute, Fault, due_at, funding_of
from houbao.core.phases import default_outcome, waits_for
from houbao.core.score import of_hundred
from houbao.engine.foresight import Shift
from houbao.engine.request import Preview
from houbao.store.pages import Purse


class Consequence(Struct, frozen=True, kw_only=True):
    """What would be true after a command. Amounts are minor units of `currency`: the store's free balance before and
    after, and what is refunded to the buyer in all by then. Scores are of 100, in millionths of a point; None where
    there is none. `outcome` and `resolved_by` stand where the dispute would be closed."""

    currency: str
    free: tuple[int, int] | None
    refunded: int
    added: int
    funding: tuple[tuple[str, int], ...]
    phase: str
    waiting: str
    due: datetime | None
    default: str
    amount: int
    offer: tuple[int, str] | None
    outcome: str
    resolved_by: str
    fault: Fault
    score: tuple[int | None, int | None]


def consequence(preview: Preview, before: Dispute | None, purse: Purse | None, shift: Shift) -> Consequence:
    """What the preview says of the dispute `before`, or of the one that it opens."""
    after = preview.disputes.get(before.id) if before else preview.disputes[preview.accepted.id]
    if after is None:
        assert before is not None
        after = before  # nothing had to change
    had = sum(refund.minor for refund in before.refunds) if before else 0
    has = sum(refund.minor for refund in after.refunds)
    return Consequence(
        currency=after.currency,
        free=_free(preview, after, purse) if purse else None,
        refunded=has,
        added=has - had,
        funding=funding_of(after),
        phase=after.phase,
        waiting=waits_for(after),
        due=due_at(after),
        default=default_outcome(after),
        amount=after.amount,
        offer=(after.offer.amount, after.offer.remedy) if after.offer else None,
        outcome=after.outcome if after.phase == "closed" else "",
        resolved_by=after.resolved_by if after.phase == "closed" else "",
        fault=after.fault,
        score=(of_hundred(shift.before) if shift.before else None, of_hundred(shift.after) if shift.after else None),
    )


def _free(preview: Preview, dispute: Dispute, purse: Purse) -> tuple[int, int]:
    payable = store_account(dispute.store, "payable")
    moved = sum(
        (one.target == payable) * one.minor - (one.source == payable) * one.minor
        for one in preview.transfers
        if one.currency == purse.currency
    )
    return purse.free, purse.free + moved
