"""What the rules of refunds and disputes may read: balances, and one decision's surroundings."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import structs

from houbao.core.calendars import ALWAYS, Clock
from houbao.core.exchange import Rate
from houbao.core.orders import Order
from houbao.core.policy import Policy
from houbao.core.rulings import Caps
from houbao.core.terms import Actor, Record


class Purse(Record, frozen=True, kw_only=True):
    """The balances a rule may read, of the fund and of one store (minor units), and how many refunds wait for each.

    `receivable` is below zero where the store owes; `backstop` where the treasury has added to the fund."""

    available: int = 0
    payable: int = 0
    deposit: int = 0
    receivable: int = 0
    backstop: int = 0
    queue: int = 0
    deposit_queue: int = 0
    payable_queue: int = 0


class Scene(Record, frozen=True, kw_only=True):
    """What one decision may read: the order, what is approved on it already, the purse, the policy, who and when.

    `taken_lines` and `taken_payments` are line and payment ids → minor units approved, over all its disputes.
    `refunded` is what of the order its seller has refunded (minor units), None where the commission on it is kept.
    `caps` are the policy's limits; `rates` those of the order's currency, where the fund's is another; `position` is
    that of the last event; `text` the keyed digest of the command's text; `clock`
    how time runs for the order's store; `labels` whether what the fund pays for goes to the platform with its label.
    """

    order: Order
    taken_lines: Mapping[str, int]
    taken_payments: Mapping[str, int]
    purse: Purse
    policy: Policy
    caps: Caps
    by: Actor
    now: datetime
    position: int
    refunded: int | None = None
    rates: tuple[Rate, ...] = ()
    text: str = ""
    clock: Clock = ALWAYS
    labels: bool = False


def later(scene: Scene) -> Scene:
    """The scene one event later in the same decision."""
    return structs.replace(scene, position=scene.position + 1)
