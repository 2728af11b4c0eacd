"""What buyer, seller and platform write to each other on an order, before and beside any dispute (R15, R17)."""

from msgspec import structs

from houbao.core.orders import Order, OrderEvent
from houbao.core.terms import Record


class WriteOnOrder(Record, frozen=True, kw_only=True, tag="order_message"):
    """The buyer, the seller or an agent writes on an order (kept erasable)."""

    order: int
    message: str


class OrderMessageWritten(OrderEvent, frozen=True, kw_only=True, tag="order_message_written"):
    """Somebody wrote. `text` points at the words by their keyed digest."""

    order: int
    text: str


def evolve_message(order: Order, position: int) -> Order:
    """The order after a message at `position`."""
    return structs.replace(order, history=(*order.history, position))
