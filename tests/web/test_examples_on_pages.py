"""The worked examples of the domain through the pages, without script: each role signs in, reads, and presses what is
there; the figures of the example are read where they stand."""

import pytest

from given import DAY, SECOND, T
from web.reading import Reader


class Cast:
    """The people of an example, each with a browser of their own, and the marketplace behind them."""

    def __init__(self, served) -> None:
        self.market = served.market
        for name, role in (("lee", "agent"), ("mia", "agent"), ("kim", "finance")):
            served.add_user(name, role)
        self.ann, self.oak, self.kim, self.lee, self.mia = (Reader(served) for _ in range(5))
        self.ann.arrive(buyer_id="ann")
        self.oak.arrive(store_id="oak")

    def buyer_opens(self, order: int, reason: str, amount: str) -> str:
        """Ann opens a dispute in its three steps; returns its address."""
        self.ann.open(f"/orders/order_0_{order}")
        self.ann.follow("Something is wrong")
        self.ann.press("Next", reason=reason)
        self.ann.press("Next", amount=amount)
        self.ann.press(f"Open the dispute for €{amount}")
        assert "The dispute is open." in self.ann.text()
        return self.ann.path

    def agent_rules(self, agent: Reader, name: str, queue: str, **ruling: str) -> None:
        """An agent signs in, takes the next case of a queue and rules; what it would do was shown before."""
        agent.sign_in(name)
        agent.open(f"/queue/{queue}")
        agent.press("Claim the next one")
        agent.press("See what happens", at="/rule/preview", **ruling)

    def funds(self) -> tuple[str, str, str]:
        """P, F and R: what the store is owed by its statement, what is free and reserved by the fund's page."""
        self.oak.open("/records/EUR")
        owed = self.oak.rows()[1][-1]
        if not self.kim.path:
            self.kim.sign_in("kim")
        self.kim.open("/fund")
        told = self.kim.told()
        return owed, told["Free"].lstrip("€"), told["Reserved"].lstrip("€")


@pytest.fixture
def cast(served):
    return Cast(served)


def test_1_a_covered_dispute_is_paid_by_the_fund_with_no_act_of_the_seller(cast):
    order = cast.market.order(amount="40.00", commission="40.00")
    dispute = cast.buyer_opens(order, "damaged", "40.00")
    assert "the platform checks" not in cast.ann.text()
    assert "Platform verifies" in cast.ann.text()
    cast.agent_rules(cast.lee, "lee", "verify", finding="justified", reason="evidence")
    assert cast.lee.told()["Fund, free"] == "€1,000.00 → €960.00"
    cast.lee.press("Refund €40.00 to the buyer")
    assert cast.funds() == ("200.00", "960.00", "40.00")
    cast.market.work()
    assert cast.funds() == ("200.00", "960.00", "0.00")
    cast.oak.open(dispute)
    told = cast.oak.told()
    assert (told["What the buyer gets"], told["Who pays"]) == ("Refunded", "guarantee")
    assert told["Does it count"] == "Counted as not as described"
    assert "decided under the guarantee" in cast.oak.text()
    cast.oak.open("/records/EUR")
    assert [(row[1], row[3] or row[4]) for row in cast.oak.rows()[2:4]] == [
        ("Refund to the buyer", "−40.00"),
        ("Guarantee", "+40.00"),
    ]
    cast.oak.open("/score")
    assert cast.oak.rows()[-1][:2] == ["Total", "1"]
    cast.ann.open(dispute)
    assert "€40.00 was refunded on this order." in cast.ann.text()


def test_2_out_of_scope_the_seller_is_served_a_notice_and_silence_pays(cast):
    order = cast.market.order(amount="60.00", commission="60.00")
    dispute = cast.buyer_opens(order, "poor_quality", "60.00")
    cast.agent_rules(cast.lee, "lee", "verify", finding="out_of_scope", reason="counterfeit")
    cast.lee.press(cast.lee.buttons()[0])
    cast.market.work()
    cast.oak.open("/inbox")
    cast.oak.open(dispute)
    said = cast.oak.text()
    assert "Answer by Mon 13 Jul, 12:00 · 5 d" in said
    assert "€60.00 is refunded from your balance" in said
    for choice in ("Accept €60.00", "Offer something else", "Reject"):
        assert choice in said
    cast.market.go(T + 5 * DAY)
    cast.oak.open(dispute)
    assert "the seller did not answer in time" in cast.oak.text()
    told = cast.oak.told()
    assert (told["Who pays"], told["Does it count"]) == ("you", "Counted as not as described")
    assert cast.funds() == ("140.00", "1,000.00", "0.00")


def test_2b_in_scope_and_unjustified_it_is_rejected_and_another_agent_hears_the_appeal(cast):
    order = cast.market.order(amount="60.00", commission="60.00")
    dispute = cast.buyer_opens(order, "not_as_pictured", "60.00")
    cast.agent_rules(cast.lee, "lee", "verify", finding="unjustified", reason="disclosed")
    cast.lee.press("Not justified: no refund")
    assert cast.funds() == ("200.00", "1,000.00", "0.00")
    cast.oak.open(dispute)
    assert cast.oak.told()["Does it count"].startswith("Exempt")
    cast.ann.open(dispute)
    assert "Rejected" in cast.ann.text()
    cast.ann.press("See what happens", at="/appeal/preview", about="remedy", note="The listing showed another colour.")
    cast.ann.press(cast.ann.buttons()[0])
    cast.lee.open("/queue/appeals")
    cast.lee.press("Claim the next one")
    assert "Nothing is free here" in cast.lee.text(), "who ruled hears no appeal of it"
    cast.agent_rules(cast.mia, "mia", "appeals", finding="justified", reason="evidence")
    cast.mia.press(cast.mia.buttons()[0])
    cast.market.work()
    cast.ann.open(dispute)
    assert "€60.00 was refunded on this order." in cast.ann.text()
    assert cast.funds() == ("200.00", "940.00", "0.00")


def test_3_not_received_goes_to_the_seller_though_covered_and_silence_pays_once(cast):
    order = cast.market.order(amount="30.00", commission="30.00", delivered=False)
    dispute = cast.buyer_opens(order, "in_transit_overdue", "25.00")
    cast.market.go(T + 5 * DAY - SECOND)
    cast.oak.open(dispute)
    assert "Answer by Mon 13 Jul, 12:00" in cast.oak.text()
    assert cast.oak.told()["Guarantee"] == "Covered but this kind of dispute is yours to answer and to pay"
    cast.oak.press(
        "See what happens", at="/reject/preview", reason="not_our_fault", note="Signed for on Monday, at the door."
    )
    cast.market.now = T + 5 * DAY
    cast.oak.press(cast.oak.buttons()[0])
    assert "Your answer came too late." in cast.oak.text()
    assert "answer_after_due" in cast.oak.text()
    cast.market.work()
    cast.oak.open(dispute)
    told = cast.oak.told()
    assert (told["What the buyer gets"], told["Does it count"]) == ("Refunded", "Counted as not received")
    assert cast.funds() == ("175.00", "1,000.00", "0.00")


def test_5_settled_privately_and_withdrawn_it_leaves_no_trace(cast):
    cast.oak.open("/score")
    before = cast.oak.text()
    order = cast.market.order(amount="20.00", commission="20.00")
    dispute = cast.buyer_opens(order, "wrong_variant", "20.00")
    cast.oak.open(f"/orders/order_0_{order}")
    cast.oak.press("Send the message", message="A new one is coming.")
    cast.market.go(T + DAY)
    cast.ann.open(dispute)
    cast.ann.press("See what happens", at="/withdraw/preview")
    cast.ann.press(cast.ann.buttons()[0])
    assert "Withdrawn" in cast.ann.text()
    cast.oak.open("/records/EUR")
    assert [row[1] for row in cast.oak.rows()[2:-1]] == ["Commission", "Order paid", "Order paid"]
    assert cast.funds() == ("200.00", "1,000.00", "0.00")
    cast.oak.open("/score")
    assert cast.oak.text() == before


def test_6_an_offer_a_counter_and_an_agreement(cast):
    order = cast.market.order(amount="50.00", commission="50.00", paid=T - 95 * DAY, promised=T - 2 * DAY)
    dispute = cast.buyer_opens(order, "defective", "50.00")
    cast.oak.open(dispute)
    assert cast.oak.told()["Guarantee"].startswith("Not covered")
    cast.oak.press("See what happens", at="/offer/preview", amount="20.00")
    cast.oak.press("Offer €20.00")
    cast.ann.open(dispute)
    cast.ann.press("See what happens", at="/counter/preview", amount="35.00")
    cast.ann.press(cast.ann.buttons()[0])
    cast.oak.open(dispute)
    assert "the buyer asks €35.00" in cast.oak.text()
    cast.oak.press("See what happens", at="/accept/preview")
    cast.oak.press("Refund €35.00 from my balance")
    cast.market.work()
    cast.oak.open(dispute)
    told = cast.oak.told()
    assert (told["What the buyer gets"], told["Does it count"]) == ("Partly refunded", "Counted as not as described")
    assert "by agreement" in cast.oak.text()
    assert cast.funds() == ("165.00", "1,000.00", "0.00")
    cast.ann.open(dispute)
    assert "€35.00 was refunded on this order." in cast.ann.text()
