"""The simulated people of the demonstration: what an agent, a seller, a buyer, finance would do, and when.

Every choice is drawn from the seed and the dispute's own order, so the same seed plays the same lives. Nothing here was
observed: the shares below are assumptions, and every output of the demonstration says that people are simulated.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from msgspec import Struct

from houbao.core import disputes as d
from houbao.core.decider import Command
from houbao.core.orders import Order
from houbao.core.refunds import ResolveRefund
from houbao.core.terms import Actor

ENROLLED_PERCENT = 60

AGENT = {"justified": 74, "partly": 6, "unjustified": 9, "out_of_scope": 10, "never": 1}
SELLER = {"accept": 40, "reject": 27, "silent": 33}
BUYER_AFTER_OPENING = {"nothing": 88, "settled": 6, "asks_less": 6}
BUYER_AFTER_REJECTION = {"silent": 70, "withdraw": 30}
PROVIDER_PER_MILLE = {
    "timeout_paid": 15,
    "timeout_unpaid": 10,
    "refuse": 15,
    "refuse_final": 2,
    "webhook_first": 40,
    "duplicate": 20,
    "returned": 4,
}
"""How often the sandbox provider misbehaves, in a thousand attempts; it pays the rest at once."""


class Move(Struct, frozen=True):
    """What somebody will try at `at`."""

    at: datetime
    command: Command
    by: Actor


class Dice:
    """Draws that depend on nothing but the seed and the names given."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def number(self, *names: object) -> int:
        """A whole number of 64 bits."""
        text = ":".join(str(name) for name in (self.seed, *names))
        return int.from_bytes(sha256(text.encode()).digest()[:8])

    def pick(self, shares: Mapping[str, int], *names: object) -> str:
        """One of the names, as often as its share says."""
        left = self.number(*names) % sum(shares.values())
        for name, share in shares.items():
            if left < share:
                return name
            left -= share
        raise AssertionError("the draw is below the sum of the shares")

    def hours(self, low: float, high: float, *names: object) -> timedelta:
        """A delay between two numbers of hours, to the second."""
        seconds = int(low * 3600) + self.number(*names, "hours") % int((high - low) * 3600)
        return timedelta(seconds=seconds)


def enrolled(dice: Dice, store: str) -> bool:
    """Whether the store joins the guarantee: about 60 % do, by a stable hash of its id."""
    return dice.number("enrolled", store) % 100 < ENROLLED_PERCENT


def has_photo(dice: Dice, order: Order) -> bool:
    """Whether the buyer adds a (simulated) photo: about half do."""
    return dice.number("photo", order.reference) % 2 == 0


def photo(dice: Dice, order: Order) -> str:
    """The digest of that photo."""
    return sha256(f"{dice.seed}:{order.reference}".encode()).hexdigest()


def react(dice: Dice, dispute: d.Dispute, order: Order, now: datetime) -> list[Move]:
    """What people will do about a dispute that has just come into its phase."""
    ref, number = order.reference, dispute.id
    match dispute.phase:
        case "verifying":
            return _agent(dice, dispute, ref, now) + _buyer(dice, dispute, ref, now)
        case "awaiting_seller":
            seller = Actor("seller", dispute.store)
            at = now + dice.hours(2, 110, "seller", ref)
            match dice.pick(SELLER, "seller", ref):
                case "accept":
                    return [Move(at, d.Accept(dispute=number), seller)]
                case "reject":
                    reason = dice.pick({"proof_of_delivery": 1, "as_described": 1}, "reject", ref)
                    return [Move(at, d.Reject(dispute=number, reason=reason), seller)]
                case _:
                    return []
        case "awaiting_buyer":
            if dice.pick(BUYER_AFTER_REJECTION, "rejected", ref) == "silent":
                return []
            at = now + dice.hours(5, 120, "withdraw", ref)
            return [Move(at, d.Withdraw(dispute=number), Actor("buyer", dispute.buyer))]
        case "refunding" if dispute.refund and any(share.state == "stuck" for share in dispute.refund.shares):
            at = now + dice.hours(20, 60, "finance", ref)
            return [Move(at, ResolveRefund(dispute=number, how="paid_elsewhere"), Actor("finance", "simulated"))]
        case _:
            return []


def _agent(dice: Dice, dispute: d.Dispute, ref: str, now: datetime) -> list[Move]:
    finding = dice.pick(AGENT, "agent", ref)
    if finding == "never":
        return []
    at = now + dice.hours(0.2, 60, "agent", ref)
    number, by = dispute.id, Actor("agent", "simulated")
    match finding:
        case "partly":
            half = max(1, dispute.amount // 2)
            return [Move(at, d.Rule(dispute=number, finding="justified", reason="part_of_it", amount=half), by)]
        case "justified":
            return [Move(at, d.Rule(dispute=number, finding="justified", reason="evidence"), by)]
        case "unjustified":
            return [Move(at, d.Rule(dispute=number, finding="unjustified", reason="disclosed"), by)]
        case _:
            return [Move(at, d.Rule(dispute=number, finding="out_of_scope", reason="counterfeit"), by)]


def _buyer(dice: Dice, dispute: d.Dispute, ref: str, now: datetime) -> list[Move]:
    by = Actor("buyer", dispute.buyer)
    at = now + dice.hours(0.1, 30, "buyer", ref)
    match dice.pick(BUYER_AFTER_OPENING, "buyer", ref):
        case "settled":
            return [Move(at, d.Withdraw(dispute=dispute.id), by)]
        case "asks_less":
            return [Move(at, d.ChangeClaim(dispute=dispute.id, amount=max(1, dispute.amount * 3 // 4)), by)]
        case _:
            return []
