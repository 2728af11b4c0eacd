"""What the provider, the buyer and finance do to an approved refund: sent, reported, settled by a person, given up."""

from houbao.core import money
from houbao.core.calendars import ALWAYS, Clock, ends
from houbao.core.moves import Head
from houbao.core.policy import Policy
from houbao.core.refunds import (
    SETTLED,
    PayoutWaySet,
    Refund,
    RefundContradicted,
    RefundEvent,
    RefundFailed,
    RefundPaid,
    RefundResolved,
    RefundReturned,
    RefundSent,
    RefundSettled,
    RefundUnknown,
    ReportRefund,
    ResolveRefund,
    SendRefund,
    SetPayoutWay,
    SettleRefund,
    Share,
    find_share,
    paid_minor,
)
from houbao.core.said import Said
from houbao.core.terms import Refused, check_reference

MOST_CODE = 64
"""How much of a provider's own code is kept: its report is booked whatever it says beside it."""


def decide_send(refund: Refund, command: SendRefund, head: Head) -> list[RefundEvent]:
    """Commit an attempt. No event where one is on its way, settled or given up: the caller then looks at that one."""
    share = find_share(refund, payment=command.payment)
    if share is None or share.state != "due" or refund.state != "sending":
        return []
    return [RefundSent(**head, refund=refund.id, payment=share.payment)]


def decide_report(
    refund: Refund | None, command: ReportRefund, policy: Policy, head: Head, back: Head, clock: Clock = ALWAYS
) -> list[RefundEvent]:
    """Book what the provider said of an attempt of that refund (None: of none's latest). Said twice, it changes
    nothing; said against what is settled, a person is told. `back`: the phase and timers after money came back."""
    head = {**head, "refund": refund.id if refund else 0, "attempt": command.attempt}
    share = find_share(refund, attempt=command.attempt)
    result = command.result
    if refund is None or share is None:
        return _contradiction(command, head) if result == "paid" else []
    if share.state == "paid":
        if result == "returned":
            return [_returned(refund, share, head, back)]
        return _contradiction(command, head) if result == "refused" else []
    if share.state not in ("sent", "unknown", "lost"):
        return _contradiction(command, head) if result in ("paid", "returned") else []
    match result:
        case "paid":
            return [_paid(refund, share, head)]
        case "returned":
            # What came back was paid before, whoever was not there to hear of it.
            return [_paid(refund, share, head), _returned(refund, share, head, back)]
        case "refused":
            stuck = command.final or share.tries >= policy.attempts
            retry_at = None if stuck else head["at"] + policy.retry
            claim_by = ends(clock, head["at"], policy.timers.unclaimed) if stuck else None
            said = {"payment": share.payment, "code": command.code[:MOST_CODE]}
            return [RefundFailed(**head, **said, stuck=stuck, retry_at=retry_at, claim_by=claim_by)]
        case "unknown":
            return [RefundUnknown(**head, payment=share.payment)] if share.state == "sent" else []
        case "key_expired":
            return [RefundUnknown(**head, payment=share.payment, expired=True)] if share.state != "lost" else []


def _paid(refund: Refund, share: Share, head: Head) -> RefundPaid:
    return RefundPaid(**head, **_money(refund, share))


def _returned(refund: Refund, share: Share, head: Head, back: Head) -> RefundReturned:
    return RefundReturned(**{**head, **back}, **_money(refund, share))


def _money(refund: Refund, share: Share) -> Head:
    return {
        "payment": share.payment,
        "provider": share.provider,
        "payer": refund.payer,
        "minor": share.minor,
        "currency": refund.currency,
        "fund_minor": share.fund_minor,
        "fund_currency": refund.in_fund.currency if refund.in_fund else "",
    }


def _fund_rest(refund: Refund) -> Head:
    """What of a fund in another currency was kept for the shares that are not paid."""
    rest = sum(share.fund_minor for share in refund.shares if share.state not in SETTLED)
    return {"fund_minor": rest, "fund_currency": refund.in_fund.currency if refund.in_fund else ""}


def _contradiction(command: ReportRefund, head: Head) -> list[RefundEvent]:
    return [RefundContradicted(**head, result=command.result)]


def decide_payout_way(refund: Refund, command: SetPayoutWay, head: Head) -> list[RefundEvent]:
    """What was stuck is due again, over the new way. Raises Refused: bad_reference, no_refund."""
    check_reference("way", command.way)
    share = find_share(refund, payment=command.payment)
    if share is None or share.state != "stuck":
        raise Refused("no_refund", f"nothing over {command.payment!r} waits for another way to be paid")
    return [PayoutWaySet(**head, refund=refund.id, payment=share.payment, way=command.way)]


def decide_resolve(refund: Refund, command: ResolveRefund, owed: int, head: Head) -> list[RefundEvent]:
    """Finance's word on what no provider will pay. Raises Refused: refund_in_flight while one may still land."""
    if any(share.state in ("sent", "unknown") for share in refund.shares):
        raise Refused(
            "refund_in_flight", "an attempt may have been paid: wait for the provider's answer or the look-up"
        )
    if command.how == "abandon":
        return [decide_abandon(refund, owed, head)]
    rest = refund.minor - paid_minor(refund)
    return [
        RefundResolved(
            **head,
            refund=refund.id,
            how=command.how,
            payer=refund.payer,
            minor=rest,
            currency=refund.currency,
            waited=refund.waits,
            **_fund_rest(refund),
        )
    ]


def decide_abandon(refund: Refund, owed: int, head: Head) -> RefundResolved:
    """What has not been paid goes back where it came from; `owed` is what the store owes (minor units)."""
    paid = paid_minor(refund)
    rest = refund.minor - paid
    lines = zip(refund.lines, money.split(paid, [minor for _, minor in refund.lines]), strict=True)
    return RefundResolved(
        **head,
        refund=refund.id,
        how="abandon",
        payer=refund.payer,
        minor=rest,
        currency=refund.currency,
        legs=unwind(refund.legs, rest, owed),
        lines=tuple((line, minor) for (line, _), minor in lines if minor),
        waited=refund.waits,
        **_fund_rest(refund),
    )


def decide_settle(refund: Refund, command: SettleRefund, head: Head) -> list[RefundEvent]:
    """Book what the provider took for a refund in another currency. Raises Refused: bad_amount, nothing_to_settle."""
    if not 0 < command.taken <= money.LARGEST:
        raise Refused(
            "bad_amount", Said("what was taken is %(taken)s: give minor units above zero", taken=command.taken)
        )
    share = find_share(refund, payment=command.payment)
    if share is None or refund.in_fund is None or share.settled or share.state not in SETTLED:
        said = Said("over that payment nothing was paid in another currency that is not settled")
        raise Refused("nothing_to_settle", said)
    return [
        RefundSettled(
            **head,
            refund=refund.id,
            payment=share.payment,
            provider=share.provider if share.state == "paid" else "",
            minor=share.minor,
            currency=refund.currency,
            booked=share.fund_minor,
            taken=command.taken,
            fund_currency=refund.in_fund.currency,
        )
    ]


def unwind(legs: tuple[tuple[str, int], ...], minor: int, owed: int) -> tuple[tuple[str, int], ...]:
    """Which legs get `minor` back: the last taken first, so that an advance is undone before a seller's own money. What
    of an advance the store has paid back meanwhile (it owes only `owed`) is the store's own again."""
    back: dict[str, int] = {}
    for kind, leg in reversed(legs):
        part = min(leg, minor)
        minor -= part
        undone = min(part, owed) if kind == "receivable" else part
        for to, share in ((kind, undone), ("payable", part - undone)):
            if share:
                back[to] = back.get(to, 0) + share
    return tuple(back.items())
