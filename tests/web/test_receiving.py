"""How a body comes in: as slowly as a telephone sends it, and no slower; as large as its route takes, and no larger."""

import asyncio
from contextlib import ExitStack

import pytest

from houbao.core.terms import Refused
from houbao.web import receiving
from houbao.web.receiving import LEAST_BYTES_A_SECOND, MOST_FORM, Receiving
from houbao.web.uploads import MOST_OF_KEY, MOST_OF_PERSON
from web.test_console import PAGE, dispute

PHOTO = ("1.jpg", b"\xff" * (2 * MOST_FORM), "image/jpeg")
"""More than a form without files may have; no photograph."""

FORM = "application/x-www-form-urlencoded"


def body(part: bytes, count: int, pause: float, work: float = 0.0) -> int:
    """How many parts of a body came, each sent after a pause and worked on for a while."""

    async def send():
        await asyncio.sleep(pause)
        sent.append(part)
        return {"type": "http.request", "body": part, "more_body": len(sent) < count}

    async def take() -> int:
        receive = Receiving(send, {"type": "http", "headers": [(b"content-type", b"image/jpeg")]})
        while (await receive())["more_body"]:
            await asyncio.sleep(work)
        return len(sent)

    sent: list[bytes] = []
    return asyncio.run(take())


@pytest.fixture
def short(monkeypatch):
    """A sender may be silent for a fifth of a second."""
    monkeypatch.setattr(receiving, "SILENT_SECONDS", 0.2)


def test_who_sends_a_byte_now_and_then_is_not_waited_for(short):
    with pytest.raises(Refused) as refused:
        body(b".", 100, pause=0.02)
    assert refused.value.code == "too_slow"


def test_who_sends_steadily_may_take_longer(short):
    assert body(bytes(LEAST_BYTES_A_SECOND), 20, pause=0.02) == 20


def test_what_the_server_does_with_a_part_is_not_the_senders_time(short):
    assert body(b".", 10, pause=0.0, work=0.04) == 10


def test_for_a_body_that_is_here_to_its_end_nobody_watches_the_clock(monkeypatch):
    async def send():
        return {"type": "http.request", "body": b"{}", "more_body": False}

    monkeypatch.setattr(asyncio, "timeout", None)
    here = {"type": "http", "headers": [], "extensions": {receiving.WHOLE: {}}}
    assert asyncio.run(Receiving(send, here)())["body"] == b"{}"
    with pytest.raises(TypeError):
        asyncio.run(Receiving(send, here | {"extensions": {}})())


# --- large forms ---------------------------------------------------------------------------------------------------


@pytest.fixture
def page(served):
    """The path of a dispute that the seller may answer."""
    return dispute(served.market.open(served.market.order(delivered=False), "in_transit_overdue", "40.00"))


def test_a_form_is_large_only_where_photographs_come_and_only_as_files(served, page):
    who = served.headers("seller") | PAGE

    def code(path: str, **sent) -> str:
        answer = served.client.post(path, **{"headers": who, "follow_redirects": False} | sent)
        return "too_large" if answer.status_code == 413 else str(answer.status_code)

    typed = b"note=" + b"x" * MOST_FORM
    assert code(f"{page}/evidence", content=typed, headers=who | {"Content-Type": FORM}) == "too_large"
    assert code(f"{page}/evidence", content=iter([typed]), headers=who | {"Content-Type": FORM}) == "too_large"
    assert code(f"{page}/messages", files={"photos": PHOTO}) == "too_large"
    assert code(f"{page}/evidence", files={"photos": PHOTO}) == "400"  # it came in, and is no photograph


@pytest.mark.parametrize("field", [b"\r\n\r\n\xff", b"\r\nContent-Type: text/plain; charset=none\r\n\r\na"])
def test_a_field_that_cannot_be_read_is_no_fault_of_ours(served, field):
    form = b'--b\r\nContent-Disposition: form-data; name="name"' + field + b"\r\n--b--\r\n"
    told = served.client.post("/sign-in", content=form, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert (told.status_code, told.json()["code"]) == (400, "bad_text")


def test_a_person_sends_two_requests_with_photographs_at_a_time_and_a_key_some_more(served, page):
    uploads, seller = served.site.uploads, served.headers("seller")

    def answers(headers) -> int:
        return served.client.post("/v1/evidence", content=b"", headers=headers).status_code

    with uploads.turn("portal:seller:oak", MOST_OF_PERSON):
        assert answers(seller) == 400
        with uploads.turn("portal:seller:oak", MOST_OF_PERSON):
            assert answers(seller) == 503
            told = served.client.post(f"{page}/evidence", files={"photos": PHOTO}, headers=seller | PAGE)
            assert told.status_code == 503
            assert answers(served.headers("buyer")) == 400
    assert answers(seller) == 400
    key = served.headers("platform")
    name = f"key:platform:key_{key['Authorization'].split('_')[1]}"
    with ExitStack() as coming:
        for _ in range(MOST_OF_KEY):
            assert answers(key) == 400
            coming.enter_context(uploads.turn(name, MOST_OF_KEY))
        assert answers(key) == 503


def test_a_turn_is_taken_before_the_first_byte_and_lasts_until_the_answer(served, page):
    who = served.headers("seller") | PAGE | {"Content-Type": "multipart/form-data; boundary=b"}
    who.pop("X-CSRF-Token")  # so that the form is read to look for it
    seen: list[bool] = []

    def is_free() -> bool:
        try:
            with served.site.uploads.turn("portal:seller:oak", 1):
                return True
        except Refused:
            return False

    async def receive():
        seen.append(is_free())
        return {"type": "http.request", "body": b"--b--\r\n", "more_body": False}

    async def send(message):
        if message["type"] == "http.response.start":
            seen.append(message["status"])

    headers = [(name.lower().encode(), value.encode()) for name, value in who.items()]
    scope = {"type": "http", "method": "POST", "path": f"{page}/evidence", "headers": headers, "query_string": b""}
    scope |= {
        "raw_path": b"",
        "root_path": "",
        "client": None,
        "server": None,
        "scheme": "https",
        "http_version": "1.1",
    }
    asyncio.run(served.client.app(scope, receive, send))
    assert seen == [False, 403]
    assert is_free()
