"""Disputes as they stand somewhere on their way: each scene makes one, and returns its number."""

from typing import Any

from core.policies import next_policy
from given import AGENT, BUYER, DAY, PLATFORM, PROVIDER, SECOND, SELLER, Market, T, eur, opening, standard
from houbao.core import disputes as d
from houbao.core import orders as o
from houbao.core import programme as p
from houbao.core import refunds as r
from houbao.core.exchange import parse_rate
from houbao.core.terms import SYSTEM, Actor
from houbao.store import rows
from houbao.store.policies import publish_text
from houbao.store.rates import keep as keep_rates

SUE = Actor("agent", "sue")


def verifying(market: Market) -> int:
    return market.open(market.order(), "damaged", "40.00")


def notifying(market: Market) -> int:
    dispute = verifying(market)
    market.rule(dispute, "out_of_scope", "counterfeit")
    return dispute


def awaiting_seller(market: Market) -> int:
    return market.open(market.order(delivered=False), "in_transit_overdue", "25.00")


def rejected(market: Market) -> int:
    dispute = awaiting_seller(market)
    market.accept(d.Reject(dispute=dispute, reason="no"), SELLER)
    return dispute


def offered(market: Market, remedy: Any = "refund") -> int:
    dispute = awaiting_seller(market)
    market.accept(d.MakeOffer(dispute=dispute, amount=0 if remedy == "replacement" else 1, remedy=remedy), SELLER)
    return dispute


def replacing(market: Market) -> int:
    dispute = offered(market, "replacement")
    market.accept(d.AcceptOffer(dispute=dispute), BUYER)
    return dispute


def coming(market: Market) -> int:
    dispute = replacing(market)
    market.accept(d.ShipReplacement(dispute=dispute, carrier="Post", tracking="RP1"), SELLER)
    return dispute


def returning(market: Market) -> int:
    return market.open(market.order(), "changed_mind", "40.00")


def sent_back(market: Market) -> int:
    dispute = returning(market)
    market.accept(d.ShipReturn(dispute=dispute, carrier="Post", tracking="RR1"), BUYER)
    return dispute


def withdrawn(market: Market) -> int:
    dispute = verifying(market)
    market.accept(d.Withdraw(dispute=dispute), BUYER)
    return dispute


def refunding(market: Market) -> int:
    dispute = verifying(market)
    market.rule(dispute)
    return dispute


def sent(market: Market) -> tuple[int, int]:
    """A dispute whose refund is on its way, and the attempt's number."""
    dispute = refunding(market)
    market.accept(r.SendRefund(dispute=dispute, payment="card"), SYSTEM)
    return dispute, market.dispute(dispute).refunds[-1].shares[0].attempt


def unpayable(market: Market) -> int:
    """A refund to which the provider said a final no."""
    dispute, attempt = sent(market)
    market.accept(r.ReportRefund(dispute=dispute, attempt=attempt, result="refused", final=True), PROVIDER)
    return dispute


def indebted(market: Market) -> None:
    """A store `ivy` that is owed 40.00 and owes 30.00: it was paid out, then had to refund, then a return lapsed."""
    market.accept(p.RegisterStore(store="ivy"), PLATFORM)
    back, lost = market.order(store="ivy"), market.order(amount="30.00", store="ivy", delivered=False)
    returned = market.open(back, "changed_mind", "40.00")
    market.accept(o.PaidOut(order=lost, at=T, minor=eur("30.00")), PLATFORM)
    market.accept(d.Accept(dispute=market.open(lost, "in_transit_overdue", "30.00")), Actor("seller", "ivy"))
    market.accept(d.Withdraw(dispute=returned), BUYER)


def owed_for_long(market: Market, store: str = "box") -> int:
    """What was advanced for a refund 100 days ago was never paid back."""
    market.accept(p.RegisterStore(store=store), PLATFORM)
    then = T - 100 * DAY
    fields = {"store": store, "delivered": False, "promised": then - DAY, "paid": then - 10 * DAY}
    order = market.order(amount="30.00", commission="30.00", **fields)
    by = Actor("seller", store)
    dispute = market.accept(opening(order, "in_transit_overdue", "30.00"), BUYER, at=then).id
    market.accept(d.Accept(dispute=dispute), by, at=then)
    sent_at = market.accept(r.SendRefund(dispute=dispute, payment="card"), SYSTEM, at=then)
    market.accept(r.ReportRefund(dispute=dispute, attempt=sent_at.last, result="paid"), PROVIDER, at=then)
    return dispute


def covered_in_brl(market: Market) -> int:
    """A dispute on an order of 100.00 BRL that the fund in EUR covers, by a programme that says so."""
    body = rows.encode(standard(also_covers=("BRL",)))
    market.database.connection.execute("UPDATE programmes SET body=?", (body,))
    return market.open(market.order(amount="100.00", currency="BRL"), "damaged", "100.00")


def exchanged(market: Market) -> int:
    dispute = covered_in_brl(market)
    keep_rates(market.database, [parse_rate("EUR", "BRL", "4.6279", published_at=T - DAY, source="ECB")])
    market.rule(dispute)
    attempt = market.accept(r.SendRefund(dispute=dispute, payment="card"), SYSTEM).last
    market.accept(r.ReportRefund(dispute=dispute, attempt=attempt, result="paid"), PROVIDER)
    return dispute


def label_wanted(market: Market) -> int:
    """What was justified is sent back with the platform's label, by a policy for what is paid from now on."""
    publish_text(market.database, "standard", next_policy("2026.7", covered='"platform_label"'), T)
    order, then = market.order(delivered=False, paid=T + SECOND), T + 5 * DAY
    market.accept(o.Delivered(order=order, at=then), PLATFORM, at=then)
    dispute = market.accept(opening(order, "damaged", "40.00"), BUYER, at=then).id
    market.accept(d.Rule(dispute=dispute, finding="justified", reason="photos"), AGENT, at=then)
    return dispute


def turned_down(market: Market) -> int:
    """The guarantee found it unjustified: closed, and nothing was paid."""
    dispute = verifying(market)
    market.rule(dispute, "unjustified")
    return dispute


def taken_up(market: Market) -> int:
    dispute = verifying(market)
    market.accept(d.ClaimCase(dispute=dispute), AGENT)
    return dispute


def suspected(market: Market) -> int:
    dispute = verifying(market)
    market.accept(d.Rule(dispute=dispute, finding="unjustified", reason="staged", fraud="buyer"), SUE)
    return dispute
