"""What can be refunded on an order: by line and by payment, and how a refund is split over both."""

from collections.abc import Mapping

from houbao.core import money
from houbao.core.orders import Line, Order, Payment


def line_worth(line: Line, quantity: int) -> int:
    """What `quantity` pieces of a line are worth (minor units): their share of item, shipping and collected tax."""
    if quantity == line.quantity:
        return line.item + line.shipping + line.tax
    rest = line.quantity - quantity
    return sum(money.split(part, (quantity, rest))[0] for part in (line.item, line.shipping, line.tax))


def line_left(line: Line, quantity: int, taken: int) -> int:
    """What can still be refunded for `quantity` pieces of a line of which `taken` is approved already (minor units)."""
    left = line.item + line.shipping + line.tax - taken
    if quantity < line.quantity:
        left = min(left, line_worth(line, quantity))
    return left if left > 0 else 0


def payment_left(payment: Payment, taken_payments: Mapping[str, int]) -> int:
    """What of a payment can still go back (minor units). A bank may have taken more than that: nothing, then."""
    return max(0, payment.minor - taken_payments.get(payment.id, 0))


def refundable(
    order: Order, pieces: Mapping[str, int], taken_lines: Mapping[str, int], taken_payments: Mapping[str, int]
) -> int:
    """What can still be refunded (minor units) for those pieces, by line and by payment, whichever is less.

    `pieces` is line id → quantity; the `taken` maps are line and payment ids → minor units approved already.
    """
    by_line = by_payment = 0
    for line in order.lines:
        if line.id in pieces:
            by_line += line_left(line, pieces[line.id], taken_lines.get(line.id, 0))
    for payment in order.payments:
        by_payment += payment_left(payment, taken_payments)
    return min(by_line, by_payment)


def share_payments(order: Order, amount: int, taken_payments: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Split a refund over the payments: cash before vouchers, pro rata of what is left inside each (minor units)."""
    if len(order.payments) == 1:
        (only,) = order.payments
        part = min(amount, payment_left(only, taken_payments))
        return ((only.id, part),) if part else ()
    shares: list[tuple[str, int]] = []
    left = amount
    for cash in (True, False):
        group = [p for p in order.payments if p.cash is cash]
        rest = [payment_left(p, taken_payments) for p in group]
        part = min(left, sum(rest))
        if part:
            split = money.split(part, rest)
            shares += [(p.id, minor) for p, minor in zip(group, split, strict=True) if minor]
            left -= part
    return tuple(shares)


def share_lines(
    order: Order, pieces: Mapping[str, int], amount: int, taken_lines: Mapping[str, int]
) -> tuple[tuple[str, int], ...]:
    """Split a refund over the disputed lines in proportion to what is left of each (minor units)."""
    lines = [line for line in order.lines if line.id in pieces]
    if len(lines) == 1:
        return ((lines[0].id, amount),)
    rest = [line_left(line, pieces[line.id], taken_lines.get(line.id, 0)) for line in lines]
    return tuple((line.id, minor) for line, minor in zip(lines, money.split(amount, rest), strict=True) if minor)
