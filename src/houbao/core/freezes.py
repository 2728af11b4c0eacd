"""What a chargeback does to the disputes of its order: they stand still while the bank decides, with the time that was
left; won, they go on; lost, they end, since the buyer has the money."""

from collections import Counter
from datetime import datetime, timedelta

from msgspec import structs

from houbao.core.accounts import AVAILABLE
from houbao.core.acts import DisputeFrozen, DisputeThawed
from houbao.core.attempts import decide_abandon
from houbao.core.awards import close, guaranteed
from houbao.core.calendars import shifted
from houbao.core.chargebacks import Chargeback, ChargebackMoved, known_charge
from houbao.core.disputes import GOODWILL, Dispute, Event
from houbao.core.evolving import evolve_dispute
from houbao.core.money import Money
from houbao.core.moves import Timer
from houbao.core.orders import Order, Payment
from houbao.core.phases import head_of
from houbao.core.refunds import RefundResolved, RefundReturned, is_settled, open_shares
from houbao.core.said import Code, Said
from houbao.core.scene import Purse, Scene
from houbao.core.shortfalls import draw, drawn_on, fund_room
from houbao.core.terms import Refused, check_reference

IN_FREEZE = (
    "evidence",
    "messages",
    "withdraw",
    "claim",
    "release",
    "send_refund",
    "report_refund",
    "resolve_refund",
    "pass_time",
)
"""What may be done while a dispute is frozen: to write, to give up, and to book what is true already. `send_refund`
begins nothing then: it only finds what was sent before."""

# --- taking it in --------------------------------------------------------------------------------------------------


def decide_chargeback(
    command: Chargeback, scene: Scene, disputes: tuple[Dispute, ...]
) -> list[ChargebackMoved | Event]:
    """What the bank, or the marketplace for it, says of a payment. Said twice, it changes nothing. Raises Refused:
    not_permitted, not_yours, unknown_payment, not_paid, bad_amount, bad_reference, chargeback_turn."""
    order = scene.order
    payment = _payment(command, scene)
    known = known_charge(order, command.reference)
    if known is not None:
        if (known.payment, known.minor) != (command.payment, command.minor):
            said = Said(
                "chargeback %(reference)s is of %(amount)s on %(payment)s",
                reference=known.reference,
                amount=Money(known.minor, order.currency),
                payment=known.payment,
            )
            raise Refused("chargeback_turn", said)
        if known.state == command.state:
            return []
        if known.state != "opened":
            said = Said(
                "chargeback %(reference)s was %(state)s: that is the end of it",
                reference=known.reference,
                state=Code("chargeback_state", known.state),
            )
            raise Refused("chargeback_turn", said)
    elif command.state == "won":
        raise Refused("chargeback_turn", Said("chargeback %(reference)s was never opened", reference=command.reference))
    before = scene.taken_payments.get(payment.id, 0) - (command.minor if known else 0)
    moved = ChargebackMoved(
        at=scene.now,
        by=str(scene.by),
        store=order.store,
        order=order.id,
        payment=payment.id,
        provider=payment.provider,
        reference=command.reference,
        minor=command.minor,
        currency=order.currency,
        state=command.state,
        double=max(0, min(command.minor, before + command.minor - payment.minor)),
    )
    touched = [one for one in disputes if one.phase != "closed" and touches(one, payment.id)]
    match command.state:
        case "opened":
            about = _funding(touched, disputes)
            moved = structs.replace(moved, dispute=about.id if about else 0)
            return [moved, *(_freeze(one, scene, command.reference) for one in touched if one.frozen is None)]
        case "won":
            others = [one for one in order.chargebacks if one.state == "opened" and one.reference != command.reference]
            thawed = [
                one
                for one in touched
                if one.frozen and not _waits_for_a_word(one, order) and not any(touches(one, c.payment) for c in others)
            ]
            return [moved, *(_thaw(one, scene) for one in thawed)]
        case _:
            return _lost(moved, touched, disputes, scene)


def _payment(command: Chargeback, scene: Scene) -> Payment:
    by, order = scene.by, scene.order
    if by.role not in ("provider", "platform", "admin"):
        raise Refused("not_permitted", f"a {by.role} may not report a chargeback; the provider or the marketplace does")
    check_reference("reference", command.reference)
    payment = next((payment for payment in order.payments if payment.id == command.payment), None)
    if payment is None:
        said = Said("order %(order)s has no payment %(payment)s", order=order.reference, payment=repr(command.payment))
        raise Refused("unknown_payment", said)
    if by.role == "provider" and by.id != payment.provider:
        raise Refused("not_yours", f"that payment went by {payment.provider}, not by {by.id}")
    if order.paid_at is None:
        raise Refused("not_paid", Said("order %(order)s has not been paid", order=order.reference))
    if not 0 < command.minor <= payment.minor:
        taken, paid = Money(command.minor, order.currency), Money(payment.minor, order.currency)
        said = Said("the chargeback is %(amount)s, the payment %(payment)s", amount=taken, payment=paid)
        raise Refused("bad_amount", said)
    return payment


def touches(dispute: Dispute, payment: str) -> bool:
    """Whether its money may still go out over that payment: as long as no refund was approved, over any."""
    shares = [share for refund in dispute.refunds for share in open_shares(refund)]
    return not shares or any(share.payment == payment for share in shares)


# --- standing still and going on -----------------------------------------------------------------------------------


def _freeze(dispute: Dispute, scene: Scene, reference: str) -> DisputeFrozen:
    return DisputeFrozen(**head_of(dispute, scene), chargeback=reference)


def _thaw(dispute: Dispute, scene: Scene) -> DisputeThawed:
    """The timers run on from where they stood; those of a phase that ended meanwhile do not."""
    frozen = dispute.frozen
    assert frozen is not None
    since = frozen.since
    known = [outage for outage in scene.clock.outages if outage.position < frozen.position]

    def later(at: datetime) -> datetime:
        """With the time that was left outside outages, and again outside them."""
        stood = [min(one.end, at) - max(one.start, since) for one in known]
        left = at - since - sum((span for span in stood if span > timedelta()), timedelta())
        return shifted(scene.now + left, scene.now, scene.clock.outages)

    kept = frozen.timers if frozen.phase == dispute.phase else ()
    timers = tuple(Timer(kind=timer.kind, at=later(timer.at)) for timer in kept)
    return DisputeThawed(**head_of(dispute, scene), phase=dispute.phase, timers=timers)


# --- lost ----------------------------------------------------------------------------------------------------------


def _lost(
    moved: ChargebackMoved, touched: list[Dispute], disputes: tuple[Dispute, ...], scene: Scene
) -> list[ChargebackMoved | Event]:
    """Open disputes end first, so that what was put aside for them is there; then the bank's debit is booked in full,
    even above what was paid back already. What is on its way to the buyer is waited for."""
    ended: list[Event] = []
    for dispute in touched:
        if not on_its_way(dispute):
            ended += charged_back(dispute, structs.replace(scene, purse=_with_what_came_back(scene.purse, ended)))
        elif dispute.frozen is None:
            ended.append(_freeze(dispute, scene, moved.reference))
    purse = _with_what_came_back(scene.purse, ended)
    about = _funding(touched, disputes)
    payer = _payer(about, scene, purse, moved.minor)
    account = drawn_on(scene.order, payer)
    # In deposit mode what the fund would bear is the store's own, and so is what the deposit lacks.
    legs = (draw(account, purse, moved.minor, None) or ()) if account != AVAILABLE and account else ()
    payer = "seller" if legs else payer
    borne = structs.replace(moved, dispute=about.id if about else 0, payer=payer, legs=legs)
    return [*ended, borne]


def _waits_for_a_word(dispute: Dispute, order: Order) -> bool:
    """Whether a bank took, since it is frozen, what an attempt of it may have paid: it ends when that is known."""
    frozen = dispute.frozen
    assert frozen is not None
    taken = [charge.payment for charge in order.chargebacks if charge.state == "lost" and charge.at >= frozen.since]
    return on_its_way(dispute) and any(touches(dispute, payment) for payment in taken)


def on_its_way(dispute: Dispute) -> bool:
    """Whether an attempt may have been paid: nobody knows yet."""
    states = [share.state for refund in dispute.refunds for share in open_shares(refund)]
    return any(state in ("sent", "unknown", "lost") for state in states)


def charged_back(dispute: Dispute, scene: Scene) -> list[Event]:
    """The end: what was not paid goes back where it came from, and it counts, unless it was exempt."""
    left = [refund for refund in dispute.refunds if not is_settled(refund)]
    exempt = dispute.fault.state == "exempt" or dispute.ruled == "exempt"
    state, why = ("exempt", dispute.fault.why or "ruled") if exempt else ("counted", "")
    ended = close(dispute, scene, "charged_back", "chargeback", state, why)
    owed, back = -scene.purse.receivable, []
    for refund in left:
        back.append(decide_abandon(refund, owed, head_of(dispute, scene)))
        owed -= dict(back[-1].legs).get("receivable", 0)
    return [*back, ended]


def _funding(touched: list[Dispute], disputes: tuple[Dispute, ...]) -> Dispute | None:
    """The dispute whose funding a chargeback follows: one that it meets open, else the last that was ruled on;
    where there is none, the record of what the seller sent of its own accord."""
    ruled = [dispute for dispute in disputes if dispute.outcome != "withdrawn"]
    known = (*touched, *reversed(ruled))
    return next((one for one in known if one.route != GOODWILL), next(iter(known), None))


def _payer(dispute: Dispute | None, scene: Scene, purse: Purse, minor: int) -> str:
    """As the dispute's funding says, the seller where there was none. In the guarantee's scope nothing is taken from
    the seller (R8); where the fund is short, at its limit or has another currency, the platform bears it: the bank does
    not wait."""
    order = scene.order
    payer = dispute.payer if dispute else "seller"
    if dispute and guaranteed(dispute) and payer == "seller":
        payer = "fund"
    if dispute and payer == "fund":
        room = fund_room(scene.caps, filter(is_settled, dispute.refunds))
        if room is not None and room < minor:
            return "platform"
    if payer == "fund" and order.coverage.mode == "deposit":
        return payer
    if payer == "fund" and (purse.queue or purse.available < minor or order.coverage.currency):
        return "platform"
    return payer


def _with_what_came_back(purse: Purse, events: list[Event]) -> Purse:
    """The purse after what those events give back."""
    back: Counter[str] = Counter()
    for event in events:
        if isinstance(event, RefundResolved):
            back.update(dict(event.legs))
            back["fund"] += event.minor if event.payer == "fund" and not (event.waited or event.legs) else 0
    return structs.replace(
        purse,
        available=purse.available + back["fund"],
        payable=purse.payable + back["payable"],
        deposit=purse.deposit + back["deposit"],
        receivable=purse.receivable + back["receivable"],
    )


def at_once(dispute: Dispute, scene: Scene) -> list[Event]:
    """A dispute that begins, or begins again, while a bank decides about its payment stands still from the start."""
    if dispute.phase == "closed" or dispute.frozen is not None:
        return []
    asked = [charge for charge in scene.order.chargebacks if charge.state == "opened"]
    touched = next((charge for charge in asked if touches(dispute, charge.payment)), None)
    return [_freeze(dispute, scene, touched.reference)] if touched else []


# --- what the refund's provider says meanwhile ---------------------------------------------------------------------


def after_report(dispute: Dispute, events: list[Event], scene: Scene) -> list[Event]:
    """What follows from a provider's word where a chargeback is on that payment: what it gave back is not sent again
    while a bank asks for the same money, and a dispute that only waited for the word ends."""
    after = dispute
    for n, event in enumerate(events, start=1):
        after = evolve_dispute(after, event, scene.position + n)
    last = events[-1] if events else None
    if isinstance(last, RefundReturned) and after.frozen is None:
        if _state_of_charges(scene.order, "opened", last.payment):
            return [_freeze(after, scene, "")]
        taken = scene.taken_payments.get(last.payment, 0)
        paid = next(payment.minor for payment in scene.order.payments if payment.id == last.payment)
        return charged_back(after, scene) if taken > paid else []
    waited = after.frozen is not None and after.phase != "closed" and not on_its_way(after)
    decided = not any(touches(after, charge.payment) for charge in scene.order.chargebacks if charge.state == "opened")
    return charged_back(after, scene) if waited and decided else []


def _state_of_charges(order: Order, state: str, payment: str) -> bool:
    return any(charge.state == state and charge.payment == payment for charge in order.chargebacks)
