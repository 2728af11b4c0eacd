"""What the buyers of the demonstration do after delivery: they confirm, and they rate.

Simulated, but for one thing: where the orders are Olist's and a buyer reviewed the order, the rating of the description
is the real score of that review, though given when the simulated buyer would have given it.
"""

from datetime import timedelta

from msgspec import structs

from houbao.core.orders import ConfirmationTimedOut, Confirmed, Delivered, Fact, Rated
from houbao.demo.players import Dice
from houbao.feeds.sold import SoldOrder

CONFIRMS = {"confirms": 60, "silent": 40}
RATES = {"rates": 45, "silent": 55}
PLEASED = {"5": 66, "4": 27, "3": 5, "2": 1, "1": 1}
LATE = {"5": 20, "4": 22, "3": 26, "2": 18, "1": 14}
CROSS = {"4": 6, "3": 20, "2": 34, "1": 40}
TIME_TO_CONFIRM = timedelta(days=15)
"""After that the marketplace takes a delivery for confirmed, as AliExpress does; nobody confirms what is disputed."""


def lived(dice: Dice, sold: SoldOrder) -> SoldOrder:
    """The order with what its buyer did after delivery."""
    delivered = next((fact.at for fact in sold.facts if isinstance(fact, Delivered)), None)
    if delivered is None:
        return sold
    ref = f"{sold.place.store}:{sold.place.reference}"
    ended: Fact = ConfirmationTimedOut(order=0, at=delivered + TIME_TO_CONFIRM)
    if not sold.complaint and dice.pick(CONFIRMS, "confirms", ref) == "confirms":
        ended = Confirmed(order=0, at=delivered + dice.hours(2, 240, "confirms", ref))
    facts = [*sold.facts, ended]
    if sold.stars or dice.pick(RATES, "rates", ref) == "rates":
        facts.append(_rated(dice, sold, ref, delivered > sold.place.promised_by, facts[-1]))
    return structs.replace(sold, facts=tuple(facts))


def _rated(dice: Dice, sold: SoldOrder, ref: str, late: bool, ended: Fact) -> Rated:
    mood = CROSS if sold.complaint else PLEASED

    def stars(what: str, shares: dict[str, int]) -> int:
        return int(dice.pick(shares, what, ref))

    return Rated(
        order=0,
        at=ended.at + dice.hours(0.1, 72, "rates", ref),
        description=sold.stars or stars("description", mood),
        service=stars("service", mood),
        logistics=stars("logistics", LATE if late else mood),
    )
