"""A page that is read hears that something happened, and nothing of what is others'."""

from given import BUYER
from houbao.core import disputes as d


def test_a_stream_says_news_once_more_happened_than_was_seen(served):
    order = served.market.order(amount="20.00", delivered=False)
    number = served.market.open(order, "in_transit_overdue", "20.00")
    seen = served.market.dispute(number).history[-1]
    served.market.accept(d.WriteMessage(dispute=number, message="Hello"), BUYER)
    answer = served.client.get(f"/live/disputes/dispute_0_{number}?seen={seen}", headers=served.headers("seller"))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: news" in answer.text


def test_nobody_hears_of_another_stores_dispute(served):
    order = served.market.order(amount="20.00", delivered=False)
    number = served.market.open(order, "in_transit_overdue", "20.00")
    stranger = served.session("portal", "seller", "elm", "elm")
    assert served.client.get(f"/live/disputes/dispute_0_{number}?seen=0", headers=stranger).status_code == 404


def test_a_stream_that_is_asked_for_nonsense_is_none(served):
    assert served.client.get("/live/inbox?seen=x", headers=served.headers("seller")).status_code == 204
