"""The simulated people of the demonstration: what an agent, a seller, a buyer, finance would do, and when.

Every choice is drawn from the seed and the dispute's own order, so the same seed plays the same lives. Nothing here was
observed: the shares below are assumptions, and every output of the demonstration says that people are simulated.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from msgspec import Struct

from houbao.core import disputes as d
from houbao.core.appeals import in_hearing
from houbao.core.chargebacks import Chargeback
from houbao.core.orders import Order
from houbao.core.refunds import ResolveRefund
from houbao.core.subjects import Command
from houbao.core.terms import REASONS, Actor

ENROLLED_PERCENT = 60

AGENT = {"justified": 74, "partly": 6, "unjustified": 9, "out_of_scope": 10, "never": 1}
JUDGE = {"justified": 48, "partly": 14, "sent_back": 6, "unjustified": 30, "never": 2}
SELLER = {"accept": 34, "reject": 22, "offer": 10, "offer_return": 4, "offer_replacement": 5, "silent": 25}
BUYER_AFTER_OPENING = {"nothing": 88, "settled": 6, "asks_less": 6}
BUYER_AFTER_REJECTION = {"silent": 40, "withdraw": 20, "escalate": 30, "counter": 10}
BUYER_AFTER_OFFER = {"accept_offer": 55, "silent": 15, "counter": 20, "escalate": 10}
BUYER_AFTER_NOTHING = {"content": 86, "appeal": 8, "bank": 6}
SELLER_AFTER_RULING = {"content": 85, "appeal": 15}
HEARING = {"unjustified": 60, "justified": 38, "never": 2}
BANK = {"won": 55, "lost": 45}
BUYER_AFTER_WITHDRAWAL = {"content": 92, "reopen": 8}
RETURN = {"sent": 85, "kept": 15}
CARRIER = {"delivered": 96, "lost": 4}
RECEIVER = {"confirm": 70, "silent": 22, "report": 8}
REPLACER = {"sent": 88, "silent": 12}
REPLACED = {"content": 90, "report": 10}
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
    ref = f"{order.reference}:{len(dispute.history)}"
    match dispute.phase:
        case "verifying":
            return _agent(dice, dispute, ref, now) + _buyer(dice, dispute, ref, now)
        case "awaiting_seller":
            return _seller(dice, dispute, ref, now)
        case "awaiting_buyer":
            return _answer(dice, dispute, ref, now)
        case "adjudicating" if in_hearing(dispute.appeals):
            return _hearing(dice, dispute, ref, now)
        case "adjudicating":
            return _judge(dice, dispute, ref, now)
        case "awaiting_return" | "return_in_transit":
            return _return(dice, dispute, ref, now)
        case "awaiting_replacement":
            return _replacement(dice, dispute, ref, now)
        case "refunding" if is_stuck(dispute):
            at = now + dice.hours(20, 60, "finance", ref)
            return [Move(at, ResolveRefund(dispute=dispute.id, how="paid_elsewhere"), Actor("finance", "simulated"))]
        case "closed":
            return _afterwards(dice, dispute, order, now)
        case _:
            return []


def is_stuck(dispute: d.Dispute) -> bool:
    """Whether a person must settle a refund of it."""
    return any(share.state == "stuck" for refund in dispute.refunds for share in refund.shares)


def _afterwards(dice: Dice, dispute: d.Dispute, order: Order, now: datetime) -> list[Move]:
    """What somebody does who is not content with how it ended."""
    ref, number = order.reference, dispute.id
    if dispute.outcome == "withdrawn" and not dispute.reopened:
        if dice.pick(BUYER_AFTER_WITHDRAWAL, "withdrawn", ref) == "content":
            return []
        return [Move(now + dice.hours(5, 100, "reopen", ref), d.Reopen(dispute=number), _buyer_of(dispute))]
    if dispute.appeals or order.chargebacks:
        return []
    later = now + dice.hours(10, 300, "afterwards", ref)
    if dispute.outcome in ("rejected", "lapsed"):
        match dice.pick(BUYER_AFTER_NOTHING, "nothing", ref):
            case "appeal":
                return [Move(later, d.FileAppeal(dispute=number, about="remedy"), _buyer_of(dispute))]
            case "bank":
                return _bank(dice, dispute, order, later)
    if dispute.resolved_by == "adjudication" and dice.pick(SELLER_AFTER_RULING, "ruled", ref) == "appeal":
        appeal = d.FileAppeal(dispute=number, about=dice.pick({"remedy": 1, "fault": 1}, "about", ref))  # ty: ignore[invalid-argument-type]
        return [Move(later, appeal, Actor("seller", dispute.store))]
    return []


def _bank(dice: Dice, dispute: d.Dispute, order: Order, at: datetime) -> list[Move]:
    """The buyer's bank asks for the money back, and decides some weeks later."""
    payment, by = order.payments[0], Actor("platform", "bank")
    minor, reference = min(dispute.amount, payment.minor), f"bank-{dispute.id}"
    return [
        Move(
            at + wait,
            Chargeback(order=order.id, payment=payment.id, reference=reference, minor=minor, state=state),  # ty: ignore[invalid-argument-type]
            by,
        )
        for wait, state in (
            (timedelta(), "opened"),
            (dice.hours(300, 900, "bank", order.reference), dice.pick(BANK, "bank", order.reference)),
        )
    ]


def _hearing(dice: Dice, dispute: d.Dispute, ref: str, now: datetime) -> list[Move]:
    """Another agent hears the appeal."""
    finding = dice.pick(HEARING, "hearing", ref)
    if finding == "never":
        return []
    ruling = d.Rule(dispute=dispute.id, finding=finding, reason="heard")  # ty: ignore[invalid-argument-type]
    return [Move(now + dice.hours(20, 160, "hearing", ref), ruling, Actor("agent", "simulated-senior"))]


def _buyer_of(dispute: d.Dispute) -> Actor:
    return Actor("buyer", dispute.buyer)


def _seller(dice: Dice, dispute: d.Dispute, ref: str, now: datetime) -> list[Move]:
    number, half = dispute.id, max(1, dispute.amount // 2)
    answer: Command
    match dice.pick(SELLER, "seller", ref):
        case "accept":
            answer = d.Accept(dispute=number)
        case "reject":
            reason = dice.pick({"proof_of_delivery": 1, "as_described": 1}, "reject", ref)
            answer = d.Reject(dispute=number, reason=reason)
        case "offer":
            answer = d.MakeOffer(dispute=number, amount=half)
        case "offer_return":
            answer = d.MakeOffer(dispute=number, amount=dispute.amount, remedy="return_refund")
        case "offer_replacement":
            answer = d.MakeOffer(dispute=number, remedy="replacement")
        case _:
            return []
    return [Move(now + dice.hours(2, 110, "seller", ref), answer, Actor("seller", dispute.store))]


def _answer(dice: Dice, dispute: d.Dispute, ref: str, now: datetime) -> list[Move]:
    answers: dict[str, Command] = {
        "withdraw": d.Withdraw(dispute=dispute.id),
        "escalate": d.Escalate(dispute=dispute.id),
        "accept_offer": d.AcceptOffer(dispute=dispute.id),
        "counter": d.Counter(dispute=dispute.id, amount=max(1, dispute.amount * 4 // 5)),
    }
    answer = answers.get(dice.pick(BUYER_AFTER_OFFER if dispute.offer else BUYER_AFTER_REJECTION, "answered", ref))
    return [Move(now + dice.hours(5, 120, "answer", ref), answer, _buyer_of(dispute))] if answer else []


def _judge(dice: Dice, dispute: d.Dispute, ref: str, now: datetime) -> list[Move]:
    number, by = dispute.id, Actor("agent", "simulated")
    half = max(1, dispute.amount // 2)
    rulings = {
        "justified": d.Rule(dispute=number, finding="justified", reason="evidence"),
        "partly": d.Rule(dispute=number, finding="justified", reason="part_of_it", amount=half),
        "sent_back": d.Rule(dispute=number, finding="justified", reason="goods_back", remedy="return_refund"),
        "unjustified": d.Rule(dispute=number, finding="unjustified", reason="proof_of_delivery"),
    }
    finding = dice.pick(JUDGE, "judge", ref)
    if finding == "sent_back" and (dispute.parcel is not None or REASONS[dispute.reason] == "INR"):
        finding = "justified"  # nothing that never came, or is back already, can be sent back
    ruling = rulings.get(finding)
    ask = Move(now + dice.hours(1, 20, "ask", ref), d.RequestEvidence(dispute=number, party="seller"), by)
    return [ask, Move(now + dice.hours(50, 160, "judge", ref), ruling, by)] if ruling else [ask]


def _return(dice: Dice, dispute: d.Dispute, ref: str, now: datetime) -> list[Move]:
    number, parcel = dispute.id, dispute.parcel
    if dispute.phase == "awaiting_return":
        ship = d.ShipReturn(dispute=number, carrier="Post", tracking=f"RR{number}")
        sent = dice.pick(RETURN, "return", ref) == "sent"
        return [Move(now + dice.hours(10, 150, "return", ref), ship, _buyer_of(dispute))] if sent else []
    if parcel is None or parcel.state != "delivered":
        arrived = dice.pick(CARRIER, "carrier", ref) == "delivered"
        scan = Move(
            now + dice.hours(40, 200, "carrier", ref), d.ScanReturn(dispute=number), Actor("platform", "carrier")
        )
        return [scan] if arrived else []
    receiver = Actor("platform", "demo") if dispute.payer == "fund" else Actor("seller", dispute.store)
    at = now + dice.hours(5, 120, "receiver", ref)
    match dice.pick(RECEIVER, "receiver", ref):
        case "confirm":
            return [Move(at, d.ConfirmReturn(dispute=number), receiver)]
        case "report":
            return [Move(at, d.ReportReturn(dispute=number, problem="damaged"), receiver)]
        case _:
            return []


def _replacement(dice: Dice, dispute: d.Dispute, ref: str, now: datetime) -> list[Move]:
    number, parcel = dispute.id, dispute.parcel
    state = parcel.state if parcel else ""
    if state == "promised":
        ship = d.ShipReplacement(dispute=number, carrier="Post", tracking=f"RP{number}")
        sent = dice.pick(REPLACER, "replacer", ref) == "sent"
        return [Move(now + dice.hours(10, 100, "replacer", ref), ship, Actor("seller", dispute.store))] if sent else []
    if state == "shipped":
        arrived = dice.pick(CARRIER, "carrier", ref) == "delivered"
        scan = d.ScanReplacement(dispute=number)
        return [Move(now + dice.hours(40, 200, "carrier", ref), scan, Actor("platform", "carrier"))] if arrived else []
    if dice.pick(REPLACED, "replaced", ref) == "content":
        return []
    report = d.ReportReplacement(dispute=number, problem="different")
    return [Move(now + dice.hours(5, 120, "replaced", ref), report, _buyer_of(dispute))]


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
