"""The page of webhooks, for admins: made with a secret shown once, every delivery seen and made again, ended."""

import re
import typing
from datetime import timedelta

import pytest

from given import FINANCE
from houbao.core.fund import MoveCash
from houbao.core.world import Event
from houbao.engine.announcing import LEASE, Answered, Delivered
from houbao.serving import announcer_of
from houbao.store import hooks
from houbao.web.console.happenings import HAPPENING
from web.desk import get, post

URL = "https://shop.example/hook"


def told(served, path: str) -> str:
    answer = get(served, path, "admin")
    assert answer.status_code == 200, answer.text
    return answer.text


def made(served, **form: str) -> str:
    """A webhook made on the page; its path."""
    page = post(served, "/webhooks", {"url": URL} | form, "admin").text
    return re.search(r'href="(/webhooks/webhook_\w+)"', page)[1]


def announced(served, *answers: Answered) -> None:
    """What is due is told, and answered so; with 200 after that."""
    left = [*answers]
    announcer = announcer_of(served.site.hooks, served.site.wall)
    announcer.send = lambda *given: left.pop(0) if left else Answered(200)
    announcer.run()


def test_a_webhook_is_made_and_its_secret_shown_once(served):
    answer = post(served, "/webhooks", {"url": URL, "store": "oak", "kind-dispute_opened": "yes"}, "admin")
    (secret,) = re.findall(r'<code class="secret">(whsec_.*?)</code>', answer.text)
    (hook,) = served.hooks()
    assert (hook.url, hook.store, hook.types) == (URL, "oak", ("dispute_opened",))
    assert hook.secrets[0].secret == secret
    assert answer.headers["Cache-Control"] == "no-store"
    assert secret not in told(served, "/webhooks")
    assert secret not in told(served, f"/webhooks/{hook.id}")


def test_a_form_that_is_sent_twice_makes_one_webhook(served):
    page = told(served, "/webhooks")
    key = re.search(r'name="key" value="(\w+)"', page)[1]
    for _ in range(2):
        assert post(served, "/webhooks", {"url": URL, "key": key}, "admin").status_code == 200
    assert len(served.hooks()) == 1
    answer = post(served, "/webhooks", {"url": "https://other.example/", "key": key}, "admin")
    assert "That form was sent before, with something else in it." in answer.text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"url": "http://shop.example/"}, "That is no address that can be told."),
        ({"url": "https://me:secret@shop.example/"}, "That is no address that can be told."),
        ({"store": "no such"}, "That cannot be written so."),
    ],
)
def test_what_cannot_be_told_is_refused_with_everything_kept(served, changed, said):
    answer = post(served, "/webhooks", {"url": URL, "kind-refund_paid": "yes"} | changed, "admin")
    assert answer.status_code >= 400
    assert said in answer.text
    assert re.search(r'name="kind-refund_paid" value="yes" checked', answer.text)
    assert served.hooks() == []


def test_every_kind_of_event_can_be_chosen_by_its_words_and_no_other():
    assert set(HAPPENING) == {kind.__struct_config__.tag for kind in typing.get_args(Event)}


def test_cash_that_came_back_is_not_said_to_have_gone_to_a_provider(served):
    path = made(served)
    for back in (False, True):
        move = MoveCash(provider="sandbox", minor=100, currency="EUR", back=back)
        served.market.accept(move, FINANCE)
    announced(served)
    assert told(served, path).count("Cash moved between the bank and a provider") == 2


def test_each_delivery_is_seen_with_what_was_answered_and_made_again(served):
    path = made(served)
    order = served.market.order()
    announced(served, Answered(500, "no room"))
    page = told(served, path)
    assert "answered HTTP 500" in page
    assert "no room" in page
    assert "Order paid" in page
    (message,) = re.findall(rf'action="{path}/deliveries/(msg_0_{order})/again"', page)
    assert post(served, f"{path}/deliveries/{message}/again", {}, "admin").headers["location"] == f"{path}?done=again"
    announced(served)
    assert "answered HTTP 500" not in told(served, path)
    assert message in told(served, f"{path}?state=done")
    assert "No delivery stands so." in told(served, f"{path}?state=failed")


def test_deliveries_come_page_after_page_each_once(served, monkeypatch):
    monkeypatch.setattr("houbao.web.console.handlers.hooks.PAGE", 2)
    made_path = path = made(served)
    served.market.order()
    announced(served)
    found: list[str] = []
    while path:
        page = told(served, path)
        found += re.findall(r"<code>msg_0_(\d+)</code>", page)
        more = re.search(r'href="([^"]+)" rel="next"', page)
        path = more[1].replace("&amp;", "&") if more else ""
    rows = served.market.database.connection.execute("SELECT position FROM hook_deliveries ORDER BY position DESC")
    assert [int(one) for one in found] == [position for (position,) in rows]
    assert made_path.startswith("/webhooks/webhook_")


def test_another_secret_signs_beside_the_one_before_and_is_shown_once(served):
    path = made(served)
    answer = post(served, f"{path}/secret", {"key": "turn-1"}, "admin")
    again = post(served, f"{path}/secret", {"key": "turn-1"}, "admin")
    (secret,) = re.findall(r'<code class="secret">(whsec_.*?)</code>', answer.text)
    assert secret in again.text
    (hook,) = served.hooks()
    assert hook.secrets[0].secret == secret
    assert len(hook.secrets) == 2
    page = told(served, path)
    assert secret not in page
    assert "signed with the secret before as well" in page


def test_one_that_is_ended_is_told_no_more_and_offers_nothing(served):
    path = made(served)
    served.market.order()
    announced(served)
    assert post(served, f"{path}/end", {}, "admin").headers["location"] == f"{path}?done=ended"
    page = told(served, path)
    assert "<b>Told no more</b>" in page
    assert "It heard of everything." in page
    assert "/again" not in page
    assert f"{path}/end" not in page
    assert "Ended" in told(served, "/webhooks")


def test_what_was_not_told_yet_is_given_up_the_moment_it_is_ended(served):
    path = made(served)
    served.market.order()
    announced(served, Answered(500, "no room"))
    waited = served.market.database.connection.execute("SELECT position, tries FROM hook_deliveries").fetchall()
    post(served, f"{path}/secret", {}, "admin")
    post(served, f"{path}/end", {}, "admin")
    page = told(served, path)
    assert page.count("No longer tried") == len(waited) + 1, "and the tab of that name"
    assert page.count("the webhook was ended") == len(waited) > 1
    assert "signed with the secret before" not in page
    assert "No delivery stands so." in told(served, f"{path}?state=due")
    after = served.market.database.connection.execute("SELECT position, tries FROM hook_deliveries").fetchall()
    assert after == waited, "nothing was tried for it"


def test_however_many_webhooks_there_are_their_last_deliveries_are_one_question(served):
    def asked() -> int:
        said: list[str] = []
        with served.site.snapshot() as reading:
            reading.set_trace_callback(said.append)
        told(served, "/webhooks")
        with served.site.snapshot() as reading:
            reading.set_trace_callback(None)
        return sum("FROM hook_deliveries WHERE" in one for one in said)

    made(served)
    assert asked() == 1
    made(served, url=f"{URL}/2")
    made(served, url=f"{URL}/3")
    assert asked() == 1


def test_the_last_delivery_is_the_one_that_was_tried_last_and_where_none_was_the_latest(served, monkeypatch):
    monkeypatch.setattr(hooks, "LOOKED_AT", 3)
    hook = made(served).rsplit("/", 1)[1]
    served.market.order()
    while served.site.hooks.gather(0, 500, served.wall):
        pass
    made(served, url=f"{URL}/2")

    def last() -> dict[str, int]:
        with served.site.snapshot() as reading:
            return {number: one.position for number, one in hooks.last_tried(reading, 0).items()}

    with served.site.snapshot() as reading:
        latest = [one.position for one in hooks.deliveries(reading, 0, hook, before=2**62, limit=4)]
    assert last() == {hook: latest[0]}
    for minutes, position, found in ((1, latest[2], 2), (1, latest[1], 1), (2, latest[2], 2), (3, latest[3], 2)):
        at = served.wall + timedelta(minutes=minutes)
        served.site.hooks.again(0, hook, position, served.wall - timedelta(days=1))
        call = served.site.hooks.claim(0, hook, at, LEASE)
        served.site.hooks.settle(0, call, Delivered(hook=hook, position=position, state="done", tried_at=at))
        assert last() == {hook: latest[found]}, minutes


def test_nothing_is_delivered_again_to_one_that_was_ended_meanwhile(served):
    path = made(served)
    order = served.market.order()
    announced(served)
    post(served, f"{path}/end", {}, "admin")
    answer = post(served, f"{path}/deliveries/msg_0_{order}/again", {}, "admin")
    assert answer.status_code == 409
    assert "That webhook is told no more." in answer.text
    assert served.site.hooks.waiting(0, served.site.wall()) == []


def test_what_is_not_there_is_not_there(served):
    path = made(served)
    assert get(served, "/webhooks/webhook_none", "admin").status_code == 404
    for form in ("/webhooks/webhook_none/secret", "/webhooks/webhook_none/end", f"{path}/deliveries/msg_0_999/again"):
        assert post(served, form, {}, "admin").status_code == 404, form


@pytest.mark.parametrize("who", ["agent", "finance", "buyer", "seller", "nobody"])
def test_nobody_but_admins_gets_there(served, who):
    for path in ("/webhooks", "/webhooks/webhook_1"):
        assert get(served, path, who).status_code == (303 if who == "nobody" else 403), path
    if who != "nobody":
        for path in ("", "/webhook_1/secret", "/webhook_1/end", "/webhook_1/deliveries/msg_0_1/again"):
            assert post(served, f"/webhooks{path}", {"url": URL}, who).status_code == 403, path
