"""What the buyer gets and how it ends: money at once, money when the goods are back, or nothing."""

from msgspec import structs

from houbao.core.accounts import AVAILABLE
from houbao.core.acts import DisputeClosed, DisputeOpened
from houbao.core.appeals import in_hearing
from houbao.core.attempts import decide_abandon
from houbao.core.conditions import Facts
from houbao.core.disputes import EXCESS, Dispute, Event, with_refund
from houbao.core.money import split
from houbao.core.moves import Move
from houbao.core.phases import entering, head_of, timers_of
from houbao.core.refundable import refundable, share_lines, share_payments
from houbao.core.refunds import (
    Refund,
    RefundApproved,
    RefundReleased,
    RefundResolved,
    Share,
    is_settled,
    paid_minor,
    taken,
    takes,
)
from houbao.core.returns import ReturnAuthorised
from houbao.core.scene import Scene
from houbao.core.shortfalls import Legs, draw, drawn_on, fund_room, in_fund, spent, waiting_for
from houbao.core.terms import REASONS, Refused, rfc3339

# --- approving a refund --------------------------------------------------------------------------------------------


def approve(
    scene: Scene,
    dispute: int,
    pieces: tuple[tuple[str, int], ...],
    wanted: int,
    payer: str,
    resolved_by: str,
    *,
    held: bool = False,
) -> RefundApproved | None:
    """The approval of `wanted` (minor units), capped at what is refundable now; None where nothing is left.

    Money is taken at once only where it is there and nobody waits for it (R5); else the refund waits its turn. `held`:
    a seller's money is put aside until the goods are back; nobody waits for that, since a return takes longer than the
    platform waits before it advances what is short.
    """
    order, purse = scene.order, scene.purse
    wants = dict(pieces)
    minor = min(wanted, refundable(order, wants, scene.taken_lines, scene.taken_payments))
    if minor <= 0:
        return None
    providers = {payment.id: payment.provider for payment in order.payments}
    account, advance = drawn_on(order, payer), scene.caps.advance
    exchanged = None
    if account == AVAILABLE and order.coverage.currency:
        exchanged = in_fund(order, minor, scene.rates, scene.now)
        if exchanged is None:
            _check_somebody_waits_for_a_rate(scene)
            payer, account = "platform", ""
    legs: Legs | None = ()
    if account:
        behind = not held and waiting_for(purse, account) > 0
        legs = (
            None if behind else draw(account, purse, exchanged.minor if exchanged else minor, None if held else advance)
        )
    phase = "awaiting_return" if held else "awaiting_funds" if legs is None else "refunding"
    parts = share_payments(order, minor, scene.taken_payments)
    of_fund = split(exchanged.minor, [part for _, part in parts]) if exchanged else [0] * len(parts)
    return RefundApproved(
        at=scene.now,
        by=str(scene.by),
        store=order.store,
        order=order.id,
        dispute=dispute,
        phase=phase,
        timers=timers_of(phase, scene.now, scene.policy.timers, clock=scene.clock),
        resolved_by=resolved_by,
        payer=payer,
        minor=minor,
        currency=order.currency,
        shares=tuple(
            Share(payment=payment, provider=providers[payment], minor=part, fund_minor=fund_minor)
            for (payment, part), fund_minor in zip(parts, of_fund, strict=True)
        ),
        lines=share_lines(order, wants, minor, scene.taken_lines),
        legs=legs or (),
        waits=account if legs is None else "",
        advance=advance if legs is None and payer == "seller" else 0,
        in_fund=exchanged,
        held=held,
    )


def approve_within_limit(
    dispute: Dispute,
    scene: Scene,
    wanted: int,
    payer: str,
    resolved_by: str,
) -> list[RefundApproved | DisputeOpened]:
    """As `approve`; what is above the policy's limit for the fund is a refund of its own, by the platform, or, where
    the policy hands it over and the guarantee is asked, the seller's to answer. That stands first: the last event says
    where the dispute goes on. `scene.position` is that of the one event before these."""
    number, pieces = dispute.id, dispute.lines
    whole = approve(scene, number, pieces, wanted, payer, resolved_by)
    if whole is None:
        return []
    wants = takes(whole)[0]
    room = fund_room(scene.caps, dispute.refunds) if whole.payer == "fund" else None
    if room is None or wants <= room:
        return [whole]
    # In another currency, too, that share of it never takes more than there is room for.
    part = whole.minor * room // wants
    excess = whole.minor - part
    if part and scene.caps.hands_over and resolved_by == "guarantee":
        rest = approve(scene, number, pieces, part, payer, resolved_by)
        assert rest is not None
        return [_hand_over(dispute, scene, excess), structs.replace(rest, handed_over=excess)]
    above = approve(scene, number, pieces, excess, "platform", resolved_by)
    assert above is not None
    rest = approve(_with(scene, above), number, pieces, part, payer, resolved_by) if part else None
    return [above, rest] if rest else [above]


def _hand_over(dispute: Dispute, scene: Scene, excess: int) -> DisputeOpened:
    """What is above the fund's limit, as a dispute of its own: the official notice to the seller goes out (R10)."""
    order, pieces = scene.order, dict(dispute.lines)
    return DisputeOpened(
        at=scene.now,
        by=str(scene.by),
        store=dispute.store,
        order=dispute.order,
        dispute=scene.position + 1,
        phase="notifying",
        timers=timers_of("notifying", scene.now, scene.policy.timers, clock=scene.clock),
        buyer=dispute.buyer,
        currency=dispute.currency,
        lines=dispute.lines,
        reason=dispute.reason,
        amount=excess,
        remedy="refund",
        route=EXCESS,
        rule=dispute.rule,
        payer="seller",
        fault="exempt" if dispute.fault.state == "exempt" else dispute.fault.kind,
        covered=False,
        policy=scene.policy.version,
        rules="" if order.coverage.policy == scene.policy.version else order.coverage.policy,
        facts=Facts(
            reason=dispute.reason,
            reason_class=REASONS[dispute.reason],
            paid=True,
            in_window=True,
            open_on_lines=False,
            ruled_on_lines=False,
            amount=excess,
            refundable=refundable(order, pieces, scene.taken_lines, scene.taken_payments),
            covered=order.coverage.covered,
            categories=tuple([line.category for line in order.lines if line.id in pieces]),
            evidence=dispute.evidence,
        ),
        excess_of=dispute.id,
    )


def _check_somebody_waits_for_a_rate(scene: Scene) -> None:
    """A person can bring rates in and rule again; what happens by itself goes on, and the platform pays."""
    if scene.by.role == "agent":
        order = scene.order
        raise Refused(
            "no_rate", f"no rate of {order.currency} in {order.coverage.currency} is known for {rfc3339(scene.now)}"
        )


# --- awarding ------------------------------------------------------------------------------------------------------


def close(dispute: Dispute, scene: Scene, outcome: str, resolved_by: str, state: str, why: str = "") -> DisputeClosed:
    """The end of a dispute, with what it leaves on the store's record."""
    return DisputeClosed(
        **head_of(dispute, scene), phase="closed", outcome=outcome, resolved_by=resolved_by, state=state, why=why
    )


def pay(dispute: Dispute, scene: Scene, wanted: int, payer: str, resolved_by: str) -> list[Event]:
    """The refund goes out (minor units, capped at what is refundable); closed where nothing is left to refund."""
    approved = approve_within_limit(dispute, scene, wanted, payer, resolved_by)
    return [*approved] or [close(dispute, scene, "lapsed", resolved_by, "exempt", "nothing_left")]


def authorise(dispute: Dispute, scene: Scene, wanted: int, payer: str, resolved_by: str) -> list[Event]:
    """The refund goes out when the goods are back: a seller's money is put aside until then."""
    held = (
        approve(scene, dispute.id, dispute.lines, wanted, payer, resolved_by, held=True) if payer == "seller" else None
    )
    if payer == "seller" and held is None:
        return [close(dispute, scene, "lapsed", resolved_by, "exempt", "nothing_left")]
    minor, moved = held.minor if held else wanted, entering(dispute, scene, "awaiting_return")
    labelled = scene.labels and payer == "fund"
    if labelled:  # nobody is reminded: it is the platform's turn
        moved["timers"] = tuple(timer for timer in moved["timers"] if timer.kind == "turn")
    authorised = ReturnAuthorised(**moved, minor=minor, payer=payer, resolved_by=resolved_by, labelled=labelled)
    return [authorised, held] if held else [authorised]


def check_payer(dispute: Dispute, payer: str) -> None:
    """`Refused('bad_ruling')` where a ruling lets the fund pay for what it does not cover, or the seller for what the
    guarantee verified as its own: nothing of that is ever taken from the seller (R8)."""
    if payer == "fund" and not dispute.covered:
        raise Refused("bad_ruling", "the order is not covered: the fund cannot pay, let the seller or the platform")
    if payer == "seller" and guaranteed(dispute):
        raise Refused("bad_ruling", "it is in the guarantee's scope: the fund or the platform pays, not the seller")


def guaranteed(dispute: Dispute) -> bool:
    """Whether it is in the guarantee's scope: verified or paid at once, not handed to the seller, not its fraud."""
    mine = dispute.covered and dispute.route in ("verify", "instant")
    return mine and not dispute.notice and dispute.fraud != "seller"


def leads_to(events: list[Event]) -> str:
    """The phase after those events, the last of which is a move."""
    last = events[-1]
    assert isinstance(last, Move)
    return last.phase


def award(dispute: Dispute, scene: Scene, wanted: int, payer: str, resolved_by: str, remedy: str) -> list[Event]:
    """The refund, or the return that brings it."""
    if remedy == "return_refund":
        return authorise(dispute, scene, wanted, payer, resolved_by)
    return pay(dispute, scene, wanted, payer, resolved_by)


# --- what was put aside for a return -------------------------------------------------------------------------------


def pay_out(dispute: Dispute, scene: Scene, wanted: int, payer: str, resolved_by: str) -> list[Event]:
    """As `pay`, from what was put aside where it is the same; else that goes back first."""
    held = held_of(dispute)
    if held is None:
        return pay(dispute, scene, wanted, payer, resolved_by)
    if held.minor == wanted and held.payer == payer:
        return [RefundReleased(**entering(dispute, scene, "refunding"), refund=held.id, resolved_by=resolved_by)]
    back = decide_abandon(held, -scene.purse.receivable, head_of(dispute, scene))
    return [back, *pay(dispute, _without(scene, held, back), wanted, payer, resolved_by)]


def held_of(dispute: Dispute) -> Refund | None:
    """The seller's money that is put aside until the goods are back."""
    return next((refund for refund in dispute.refunds if refund.state == "held"), None)


def put_back(dispute: Dispute, scene: Scene) -> list[Event]:
    """What was put aside for a return goes back where it came from."""
    held = held_of(dispute)
    return [decide_abandon(held, -scene.purse.receivable, head_of(dispute, scene))] if held else []


def _with(scene: Scene, approved: RefundApproved) -> Scene:
    """The scene when that refund was approved, by the platform: nothing of the purse is taken for it."""
    lines, payments = taken([approved])
    return structs.replace(
        scene,
        taken_lines={**scene.taken_lines, **{n: scene.taken_lines.get(n, 0) + minor for n, minor in lines.items()}},
        taken_payments={
            **scene.taken_payments,
            **{n: scene.taken_payments.get(n, 0) + minor for n, minor in payments.items()},
        },
    )


def _without(scene: Scene, held: Refund, back: RefundResolved) -> Scene:
    """The scene when that refund was given up, by `back`."""
    lines, payments = taken([held])
    return structs.replace(
        scene,
        taken_lines={line: minor - lines.get(line, 0) for line, minor in scene.taken_lines.items()},
        taken_payments={name: minor - payments.get(name, 0) for name, minor in scene.taken_payments.items()},
        purse=spent(scene.purse, 0, tuple((kind, -minor) for kind, minor in back.legs)),
    )


def settled(dispute: Dispute, scene: Scene, changed: Refund) -> list[Event]:
    """Closed, once nothing of any refund is still to come, `changed` the last of them: refunded, partially_refunded
    (less than first claimed), or unclaimed where none went out. Until then, and while an appeal is heard, nothing."""
    refunds = with_refund(dispute, changed)
    if not all(map(is_settled, refunds)) or in_hearing(dispute.appeals):
        return []
    paid = sum(map(paid_minor, refunds))
    outcome = "unclaimed" if paid == 0 else "refunded" if paid >= dispute.first_amount else "partially_refunded"
    why = exempt_because(dispute, paid)
    return [close(dispute, scene, outcome, dispute.resolved_by, "exempt" if why else "counted", why)]


def exempt_because(dispute: Dispute, paid: int) -> str:
    """Why a dispute that ended with a refund does not count; empty where it does. Where both apply, exempt wins."""
    if dispute.resolved_by == "platform_timeout":
        return "platform_timeout"
    if dispute.fault.state == "exempt":
        return dispute.fault.why or "policy"
    if dispute.ruled == "exempt":
        return "ruled"
    if paid == 0 and dispute.resolved_by == "guarantee":
        return "unclaimed"  # the guarantee counts when it paid
    return ""
