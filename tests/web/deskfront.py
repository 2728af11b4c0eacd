"""What stands on the desks: each kind of case once, at another store, elm, and its buyer bob."""

from collections.abc import Callable
from datetime import timedelta

from given import DAY, PLATFORM, Market, T, eur
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core.terms import Actor
from web.shopfront import BOWLS, LAMP, SET, THROW, VASE

ELM = Actor("seller", "elm")
BOB = Actor("buyer", "bob")
PHOTO, OTHER_PHOTO = "ab" * 32, "cd" * 32
SIGNED_VASE = o.Listing(**{name: getattr(VASE, name) for name in VASE.__struct_fields__} | {"photos": (OTHER_PHOTO,)})


def furnish_desks(market: Market) -> dict[str, int]:
    """Cases between elm and bob: name → number."""
    market.accept(p.RegisterStore(store="elm", email="elm@shops.example", name="Elm & Co"), PLATFORM)
    market.accept(p.Enrol(store="elm", programme="standard", at=T - 90 * DAY), PLATFORM)

    def order(listing: o.Listing, amount: str, **more: object) -> int:
        return market.order(amount=amount, listing=listing, store="elm", buyer="bob", **more)  # ty: ignore[invalid-argument-type]

    def opened(listing: o.Listing, amount: str, reason: str, **more: object) -> int:
        said = {name: more.pop(name) for name in ("statement", "evidence") if name in more}
        return market.open(order(listing, amount, **more), reason, amount, BOB, **said)

    order(BOWLS, "300.00", delivered=False)  # what elm is owed
    shown: dict[str, int] = {}
    shown["checked"] = opened(
        SIGNED_VASE,
        "60.00",
        "not_as_pictured",
        statement="The picture shows a pale green vase. Mine is grey-blue.",
        evidence=(PHOTO,),
    )
    market.accept(d.WriteMessage(dispute=shown["checked"], message="Reactive glaze: the listing says so."), ELM)
    shown["judged"] = opened(SET, "50.00", "in_transit_overdue", delivered=False, statement="Nothing came.")
    market.accept(d.MakeOffer(dispute=shown["judged"], amount=eur("10.00"), note="It is at a hub."), ELM)
    market.accept(d.Escalate(dispute=shown["judged"], note="It has been three weeks."), BOB)
    shown["appealed"] = opened(LAMP, "45.00", "damaged", statement="The shade is dented.")
    market.rule(shown["appealed"])
    market.work()
    market.accept(d.FileAppeal(dispute=shown["appealed"], about="fault", note="The carrier dropped it."), ELM)
    shown["fraud"] = opened(THROW, "80.00", "damaged", statement="Torn.", evidence=(PHOTO,))
    market.rule(shown["fraud"], "unjustified", "nothing_shows_it", fraud="buyer")
    shown["noticed"] = opened(LAMP, "60.00", "poor_quality")
    market.work()
    market.mailbox.script = ["bounced"]
    market.rule(shown["noticed"], "out_of_scope", "counterfeit")
    market.work()
    market.mailbox.script = []
    shown |= _refunds(market, opened)
    market.go(market.now + timedelta(hours=1))
    market.provider.script = []
    return shown


def _refunds(market: Market, opened: Callable[..., int]) -> dict[str, int]:
    """One that a provider refused for ever, one that waits for the fund, one that was paid but nobody answered for."""
    shown = {"stuck": opened(BOWLS, "35.00", "damaged")}
    market.rule(shown["stuck"])
    market.provider.script = ["refuse_final"]
    market.work()
    shown["unknown"] = opened(BOWLS, "40.00", "damaged")
    market.rule(shown["unknown"])
    market.provider.script = ["timeout_paid", *["look_down"] * 100]
    market.work()
    shown["waiting"] = opened(VASE, "2000.00", "damaged")
    market.rule(shown["waiting"])
    return shown
