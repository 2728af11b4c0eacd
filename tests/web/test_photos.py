"""Photographs in forms: taken in with the step that brings them, carried on, shown to those who may see the dispute."""

import io
import re

import pytest

from houbao.core import disputes as d
from web.test_console import PAGE, dispute

pillow = pytest.importorskip("PIL.Image", reason="the extra `images` is not installed")


def photograph(colour: str = "red") -> bytes:
    """A small JPEG."""
    sent = io.BytesIO()
    pillow.new("RGB", (40, 30), colour).save(sent, "JPEG")
    return sent.getvalue()


def send(served, path: str, form: dict[str, str], *photos: bytes, role: str = "buyer"):
    """A form with photographs as a browser sends it."""
    who = served.headers(role)
    token = who.pop("X-CSRF-Token")
    files = [("photos", (f"{n}.jpg", photo, "image/jpeg")) for n, photo in enumerate(photos)]
    return served.client.post(
        path, data={"csrf_token": token} | form, files=files, headers=who | PAGE, follow_redirects=False
    )


def test_a_buyer_opens_a_dispute_with_a_photograph_and_both_sides_see_it(served):
    path = f"/orders/order_0_{served.market.order()}/dispute"
    form = {"reason": "damaged", "amount": "40.00", "remedy": "refund"}
    step = send(served, f"{path}/preview", form, photograph()).text
    assert "1 photo" in step
    (digest,) = re.findall(r'name="evidence" value="([0-9a-f]{64})"', step)[:1]
    shown_before = re.search(r'name="previewed" value="([0-9a-f]+)"', step)
    assert shown_before
    sent = form | {"evidence": digest, "previewed": shown_before[1]}
    assert send(served, f"{path}/send", sent | {"amount": "39.00"}, role="buyer").status_code == 403
    answer = send(served, f"{path}/send", sent, role="buyer")
    assert answer.status_code == 303
    number = int(answer.headers["location"].split("?")[0].rpartition("_")[2])
    assert served.market.events(number)[0].evidence == (digest,)
    for role in ("buyer", "seller"):
        who = served.headers(role) | PAGE
        page = served.client.get(dispute(number), headers=who).text
        small = re.search(r'<img src="([^"]+)"', page)
        assert small
        shown = served.client.get(small[1].replace("&amp;", "&"), headers=who)
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")


def test_a_seller_adds_a_photograph(served):
    number = served.market.open(served.market.order(delivered=False), "in_transit_overdue", "40.00")
    answer = send(
        served, f"{dispute(number)}/evidence", {"note": "Handed over here."}, photograph("blue"), role="seller"
    )
    assert answer.status_code == 303
    assert isinstance(served.market.events(number)[-1], d.EvidenceAdded)


def test_what_is_no_photograph_goes_back_to_its_step_with_everything_kept(served):
    path = f"/orders/order_0_{served.market.order()}/dispute"
    form = {"reason": "damaged", "amount": "39.00", "remedy": "refund", "statement": "All cracked."}
    answer = send(served, f"{path}/preview", form, b"GIF89a no picture at all")
    assert answer.status_code >= 400
    assert "That is not a photograph we can read." in answer.text
    assert "All cracked." in answer.text


def test_nothing_chosen_is_said_so(served):
    number = served.market.open(served.market.order(), "damaged", "40.00")
    answer = send(served, f"{dispute(number)}/evidence", {})
    assert answer.status_code == 400
    assert "No photograph was chosen, or too many." in answer.text
