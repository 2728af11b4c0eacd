"""Photographs over HTTP: sent by those who may, named by disputes, seen through links that end, gone when erased."""

import re
from contextlib import ExitStack
from datetime import timedelta
from io import BytesIO

import pytest

pytest.importorskip("pillow_heif", reason="pillow-heif is not installed: it comes with the extra `images`")
from PIL import Image

from houbao.engine.evidence import MOST_PHOTO_BYTES
from houbao.web.uploads import MOST_AT_ONCE, MOST_UPLOADS, WITHIN
from web.served import claim

NEVER_SENT = "0" * 64


def photo(colour: str = "red") -> bytes:
    exif = Image.Exif()
    exif[0x013B] = "Ann Buyer"
    file = BytesIO()
    Image.new("RGB", (640, 480), colour).save(file, "JPEG", exif=exif)
    return file.getvalue()


def send(served, content=None, *, role="platform", headers=None, media="image/jpeg"):
    """Upload; the answer as it came."""
    sender = headers or served.headers(role)
    body = photo() if content is None else content
    return served.client.post("/v1/evidence", content=body, headers=sender | {"Content-Type": media})


def look(served, path, headers):
    return served.client.get(path, headers=headers)


def test_a_buyer_sends_a_photograph_and_opens_a_dispute_with_it_and_the_agent_sees_it(served):
    sent = send(served, role="buyer")
    assert sent.status_code == 201
    piece = sent.json()
    assert (piece["media"], piece["width"], piece["height"]) == ("image/jpeg", 640, 480)
    dispute = served.open(served.market.order(), "damaged", "40.00", role="buyer", evidence=[piece["digest"]])
    agent = served.headers("agent")
    (named,) = look(served, f"/v1/disputes/{dispute}/evidence", agent).json()["data"]
    assert (named["digest"], named["by"]) == (piece["digest"], "buyer")
    seen, small = look(served, named["url"], agent), look(served, named["thumbnail"], agent)
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    assert len(seen.content) == piece["bytes"] and b"Ann Buyer" not in seen.content
    assert Image.open(BytesIO(small.content)).size == (320, 240)
    assert seen.headers["x-content-type-options"] == "nosniff"
    assert seen.headers["cache-control"].startswith("private")


def test_a_link_is_of_use_to_nobody_else_and_not_for_long(served):
    ann = served.session("portal", "buyer", "ann")
    url = send(served, headers=ann).json()["url"]
    assert look(served, url, ann).status_code == 200
    assert look(served, url, served.session("portal", "buyer", "ann")).status_code == 200  # the same person again
    for other in (served.session("portal", "buyer", "bob"), served.session("portal", "seller", "ann", "ann")):
        assert look(served, url, other).json()["code"] == "bad_link"
    assert look(served, url, served.headers("agent")).json()["code"] == "bad_link"
    assert look(served, url, {}).status_code == 401
    for changed in (
        url.replace("until=2026", "until=2027"),
        re.sub("signature=.", "signature=x", url),
        re.sub(r"/v1/evidence/\w+", f"/v1/evidence/{NEVER_SENT}", url),
        url.replace("Z&", "&"),
    ):
        assert look(served, changed, ann).json()["code"] == "bad_link", changed
    served.wall += timedelta(minutes=31)
    ann = served.session("portal", "buyer", "ann")
    assert look(served, url, ann).json()["code"] == "bad_link"


def test_who_has_a_digest_alone_sees_nothing(served):
    piece = send(served).json()
    assert look(served, f"/v1/evidence/{piece['digest']}", served.headers("agent")).status_code == 400


def test_the_pieces_of_a_dispute_are_shown_to_those_who_see_the_dispute(served):
    digest = send(served).json()["digest"]
    dispute = served.open(served.market.order(), "damaged", "40.00", evidence=[digest])
    path = f"/v1/disputes/{dispute}/evidence"
    assert look(served, path, served.session("portal", "buyer", "bob")).status_code == 404
    assert look(served, path, served.session("portal", "seller", "elm", "elm")).status_code == 404
    seller = served.headers("seller")
    (named,) = look(served, path, seller).json()["data"]
    assert look(served, named["url"], seller).status_code == 200


def test_a_dispute_names_only_what_is_there(served):
    order = served.market.order()
    body = claim(order, "damaged", "40.00", evidence=[NEVER_SENT])
    assert served.refuse("/v1/disputes", body)["code"] == "unknown_evidence"
    assert served.refuse("/v1/disputes?dry_run=true", body)["code"] == "unknown_evidence"
    digest = send(served).json()["digest"]
    first, second = served.post("/v1/disputes", [body, claim(order, "damaged", "40.00", evidence=[digest])])["data"]
    assert (first["problem"]["code"], second["status"]) == ("unknown_evidence", 201)
    path = f"/v1/disputes/{second['id']}/evidence"
    assert served.refuse(path, {"evidence": [NEVER_SENT]}, role="seller")["code"] == "unknown_evidence"
    assert served.refuse(path, {"evidence": ["no digest"]}, role="seller")["code"] == "bad_evidence"
    assert served.post(path, {"evidence": [digest]}, role="seller")


def test_what_is_erased_is_shown_to_nobody_and_the_history_stays(served):
    digest = send(served).json()["digest"]
    dispute = served.open(served.market.order(), "damaged", "40.00", evidence=[digest])
    agent = served.headers("agent")
    (named,) = look(served, f"/v1/disputes/{dispute}/evidence", agent).json()["data"]
    served.site.evidence.erase(digest)
    assert look(served, named["url"], agent).json()["code"] == "unknown_evidence"
    (gone,) = look(served, f"/v1/disputes/{dispute}/evidence", agent).json()["data"]
    assert (gone["digest"], gone["url"], gone["thumbnail"]) == (digest, None, None)
    assert served.get(f"/v1/disputes/{dispute}/timeline")["data"][0]["evidence"] == [digest]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "bad_image"),
        (b"<!doctype html><script>alert(1)</script>", "bad_image"),
        (b"%PDF-1.7", "bad_image"),
        (b"", "bad_image"),
        (bytes(MOST_PHOTO_BYTES + 1), "image_too_large"),
        (bytes(MOST_PHOTO_BYTES + 2), "too_large"),
    ],
    ids=["svg", "html", "pdf", "nothing", "too large", "far too large"],
)
def test_what_is_no_photograph_is_refused_whatever_it_says_it_is(served, content, code):
    answer = send(served, content)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code


def test_a_person_sends_so_many_an_hour_and_a_marketplace_more(served):
    ann = served.session("portal", "buyer", "ann")
    for _ in range(MOST_UPLOADS):
        assert send(served, headers=ann).status_code == 201
    assert send(served, headers=ann).json()["code"] == "too_many_uploads"
    assert send(served, role="seller").status_code == 201
    assert send(served).status_code == 201
    served.wall += WITHIN
    assert send(served, headers=served.session("portal", "buyer", "ann")).status_code == 201


def test_a_photograph_that_a_cookie_brings_along_needs_the_forms_token_too(served):
    ann = served.session("portal", "buyer", "ann")
    ann.pop("X-CSRF-Token")
    assert send(served, headers=ann).json()["code"] == "bad_form"


def test_no_more_are_in_memory_at_once_than_there_is_room_for(served):
    with ExitStack() as coming:
        for _ in range(MOST_AT_ONCE):
            coming.enter_context(served.site.uploads.place())
        answer = send(served)
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert int(answer.headers["retry-after"]) > 0
        assert served.get("/v1/disputes") == {"data": [], "next": None}
    assert send(served).status_code == 201
