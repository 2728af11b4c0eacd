"""What would happen is told at once, whatever is being written meanwhile."""

from threading import Event

from given import BUYER, opening
from houbao.engine.request import Accepted, Request
from web.served import claim


def test_who_asks_what_would_happen_does_not_wait_for_what_is_being_written(served):
    order, another = served.market.order(), served.market.order()
    served.key("platform")  # to make it is to write, too
    written, asked = Event(), Event()

    def hold(point: str) -> None:
        if point == "batch.saved":
            written.set()
            assert asked.wait(20), "the preview waited for the batch"

    served.market.engine.probe = hold
    opened = served.writer.submit([Request(opening(order, "damaged", "40.00"), BUYER, served.market.now)])
    assert written.wait(20)
    preview = served.post("/v1/disputes?dry_run=true", claim(another, "damaged", "40.00"))
    explained = served.post("/v1/explain", claim(another, "damaged", "40.00"))
    still = not opened.done()
    asked.set()
    assert (preview["dispute"]["phase"], explained["route"], still) == ("verifying", "verify", True)
    (outcome,) = opened.result(20)
    assert isinstance(outcome, Accepted)


def test_what_was_written_is_seen_by_who_asks_next(served):
    order = served.market.order()
    served.post("/v1/disputes", claim(order, "damaged", "40.00"))
    assert served.refuse("/v1/disputes?dry_run=true", claim(order, "damaged", "40.00"))["code"] == "dispute_open"
