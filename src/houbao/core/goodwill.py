"""What buyer and seller settle between themselves: they write on the order, and the seller may send money back. No
dispute, no trace in any metric (R15)."""

from houbao.core.acts import GoodwillSent, SendGoodwill
from houbao.core.awards import approve
from houbao.core.claims import check_amount, check_text
from houbao.core.disputes import GOODWILL, Event
from houbao.core.fulfilment import payable_short
from houbao.core.messages import OrderMessageWritten, WriteOnOrder
from houbao.core.money import Money
from houbao.core.orders import Order
from houbao.core.refundable import refundable
from houbao.core.scene import Scene
from houbao.core.terms import Actor, Refused


def decide_goodwill(command: SendGoodwill, scene: Scene) -> list[Event]:
    """The seller's own money goes out as any refund does, once, capped at what is refundable. Nobody advances a gift.
    Raises Refused: not_permitted, not_yours, bad_amount, text_too_long, not_paid, amount_above_refundable,
    payable_short."""
    order, by = scene.order, scene.by
    if by.role != "seller":
        raise Refused("not_permitted", f"a {by.role} may not send goodwill; the seller does")
    _check_party(order, by)
    check_amount(command.amount)
    check_text(command.note)
    if order.paid_at is None:
        raise Refused("not_paid", f"order {order.reference} has not been paid")
    lines = tuple((line.id, line.quantity) for line in order.lines)
    left = refundable(order, dict(lines), scene.taken_lines, scene.taken_payments)

    def told(minor: int) -> str:
        return str(Money(minor, order.currency))

    if command.amount > left:
        raise Refused(
            "amount_above_refundable", f"{told(left)} can be refunded on the order, not {told(command.amount)}"
        )
    if scene.purse.payable_queue:
        raise Refused("payable_short", "refunds wait for what the store is owed: it is theirs first")
    if command.amount > scene.purse.payable:
        raise payable_short(order.store, scene.purse.payable, command.amount, order.currency)
    number = scene.position + 1
    approved = approve(scene, number, lines, command.amount, "seller", GOODWILL)
    assert approved is not None
    sent = GoodwillSent(
        at=scene.now,
        by=str(by),
        store=order.store,
        order=order.id,
        dispute=number,
        text=scene.text,
        phase=approved.phase,
        buyer=order.buyer,
        currency=order.currency,
        lines=lines,
        amount=command.amount,
        covered=order.coverage.covered,
        policy=scene.policy.version,
    )
    return [sent, approved]


def decide_order_message(command: WriteOnOrder, scene: Scene) -> list[OrderMessageWritten]:
    """A party or an agent writes on the order. Raises Refused: not_permitted, not_yours, no_text, text_too_long."""
    order, by = scene.order, scene.by
    if by.role not in ("buyer", "seller", "agent"):
        raise Refused("not_permitted", f"a {by.role} does not write on orders; buyer, seller and agents do")
    _check_party(order, by)
    check_text(command.message)
    if not command.message.strip():
        raise Refused("no_text", "the message is empty")
    return [
        OrderMessageWritten(at=scene.now, by=str(by), store=order.store, order=order.id, text=scene.text),
    ]


def _check_party(order: Order, by: Actor) -> None:
    if (by.role == "seller" and by.id != order.store) or (by.role == "buyer" and by.id != order.buyer):
        raise Refused("not_yours", f"order {order.reference} is between others, not {by}")
