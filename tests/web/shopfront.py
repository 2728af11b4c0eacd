"""A market whose pages have something on them: each kind of dispute once, as the worked examples leave it."""

from datetime import timedelta

from given import AGENT, BUYER, DAY, PLATFORM, SELLER, Market, T, eur
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import returns as g
from houbao.core.acts import SendGoodwill

VASE = o.Listing(
    title="Celadon vase, 24 cm",
    description="Hand-thrown, each one a little different.",
    category="home",
    disclosures={"colour": "Reactive glaze: from pale grey to green", "size": "± 1 cm"},
)
BOWLS = o.Listing(title="Stoneware bowl, set of 4", category="home")
THROW = o.Listing(title="Wool throw, 130 × 180", category="home")
LAMP = o.Listing(title="Desk lamp, brass", category="home")
SET = o.Listing(title="Pour-over set, walnut", category="home")


def furnish(market: Market) -> dict[str, int]:
    """Disputes of ann's at the store oak: name → number."""
    shown: dict[str, int] = {}
    market.sell(12)

    def order(listing: o.Listing, amount: str, **more: object) -> int:
        return market.order(amount=amount, listing=listing, **more)  # ty: ignore[invalid-argument-type]

    paid = market.open(order(BOWLS, "40.00"), "damaged", "40.00", statement="Two bowls cracked, box dented.")
    market.rule(paid)
    market.work()
    shown["refunded"] = paid
    shown["return"] = market.open(order(THROW, "80.00"), "changed_mind", "80.00")
    market.accept(g.ShipReturn(dispute=shown["return"], carrier="DHL", tracking="RR4410"), BUYER)
    market.accept(g.ScanReturn(dispute=shown["return"]), PLATFORM)
    shown["withdrawn"] = market.open(order(LAMP, "20.00"), "wrong_variant", "20.00")
    market.accept(d.Withdraw(dispute=shown["withdrawn"]), BUYER)
    shown["late"] = market.open(
        order(SET, "30.00", delivered=False), "in_transit_overdue", "30.00", statement="Nothing came."
    )
    market.accept(
        d.MakeOffer(dispute=shown["late"], amount=eur("10.00"), note="It is at a hub, I expect it this week."), SELLER
    )
    market.accept(
        d.Counter(dispute=shown["late"], amount=eur("25.00"), note="Nothing for two weeks. I would take 25."), BUYER
    )
    market.go(T + timedelta(hours=30))
    shown["verifying"] = market.open(order(VASE, "60.00"), "not_as_pictured", "60.00", statement="Mine is blue-grey.")
    shown["handed"] = market.open(order(LAMP, "60.00"), "poor_quality", "60.00")
    market.rule(shown["handed"], "out_of_scope", "counterfeit")
    market.work()
    shown["offered"] = market.open(order(SET, "50.00", delivered=False), "in_transit_overdue", "50.00")
    market.accept(d.MakeOffer(dispute=shown["offered"], amount=eur("20.00"), note="For the delay."), SELLER)
    goodwill = order(BOWLS, "40.00")
    market.accept(SendGoodwill(order=goodwill, amount=eur("5.00"), note="Sorry for the late parcel."), SELLER)
    shown["goodwill order"] = goodwill
    shown["fine order"] = order(VASE, "60.00")
    market.work()
    market.go(market.now + DAY / 4)
    return shown


__all__ = ["AGENT", "furnish"]
