"""The pages of admins: people and keys, whose secrets are shown once; looking through everything that happened."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from core.policies import next_policy
from given import DAY, SELLER, T
from houbao.core import disputes as d
from houbao.core.terms import Refused, from_micros
from houbao.engine.announcing import Hook
from houbao.store import access, audit, deeds
from houbao.store.audit import Question, look
from houbao.web import signin
from houbao.web.console.handlers import people
from houbao.web.console.handlers.audit import DEEDS
from web.desk import PAGE, get, post
from web.deskfront import furnish_desks
from web.served import PASSWORD


def told(served, path: str, who: str = "admin") -> str:
    answer = get(served, path, who)
    assert answer.status_code == 200, answer.text
    return answer.text


def secrets_in(page: str) -> list[str]:
    """What is shown this once."""
    return re.findall(r'<code class="secret">(.*?)</code>', page)


# --- people --------------------------------------------------------------------------------------------------------


def test_somebody_who_is_added_signs_in_with_the_password_that_was_shown_once(served):
    form = {"user": "Noor", "name": "Noor K.", "role": "agent"}
    answer = post(served, "/people", form, "admin")
    assert answer.headers["Cache-Control"] == "no-store"
    name, password = secrets_in(answer.text)
    assert name == "noor"
    assert password not in told(served, "/people")
    signed = served.client.get("/sign-in", headers={"Accept": "text/html"})
    token = re.search(r'name="csrf_token" value="(\w+)"', signed.text)[1]
    form = {"name": "noor", "password": password, "csrf_token": token}
    assert served.client.post("/sign-in", data=form, follow_redirects=False).status_code == 303


def test_an_authenticator_is_set_up_by_what_is_shown_once(served):
    answer = post(served, "/people", {"user": "noor", "role": "finance", "totp": "yes"}, "admin")
    assert secrets_in(answer.text)[2].startswith("otpauth://totp/")
    with served.site.snapshot() as reading:
        assert access.user_of(reading, "noor").totp


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"user": "no or"}, "That cannot be written so."),
        ({"role": "seller"}, "bad_request"),
        ({"role": "agent", "store": "oak"}, "bad_request"),
        ({"role": "seller", "store": "nowhere"}, "unknown_store"),
        ({"role": "buyer"}, "bad_request"),
        ({"user": "eve"}, "There is a user eve already"),
    ],
)
def test_who_cannot_be_added_is_refused_with_everything_kept(served, changed, said):
    form = {"user": "noor", "name": "Noor Kept", "role": "agent"} | changed
    answer = post(served, "/people", form, "admin")
    assert answer.status_code >= 400
    assert said in answer.text
    assert "Noor Kept" in answer.text
    assert secrets_in(answer.text) == []


def test_a_closed_account_is_signed_out_at_once_and_nobody_closes_their_own(served):
    served.add_user("lee", "agent")
    session = served.session("user", "agent", "lee")
    assert served.client.get("/queue/verify", headers=session).status_code == 200
    assert post(served, "/people/lee/close", {}, "admin").headers["location"] == "/people?done=closed"
    assert served.client.get("/queue/verify", headers=session, follow_redirects=False).status_code in (303, 401)
    assert "Open the account of lee again, with a new password" in told(served, "/people")
    answer = post(served, "/people/eve/close", {}, "admin")
    assert (answer.status_code, "Your own account is closed by another admin" in answer.text) == (403, True)


def test_a_new_password_replaces_the_old_one_everywhere(served):
    served.add_user("lee", "agent")
    session = served.session("user", "agent", "lee")
    with served.site.snapshot() as reading:
        before = access.user_of(reading, "lee").password
    assert secrets_in(post(served, "/people/lee/password", {}, "admin").text)[0] == "lee"
    with served.site.snapshot() as reading:
        assert access.user_of(reading, "lee").password != before
    assert served.client.get("/queue/verify", headers=session, follow_redirects=False).status_code in (303, 401)


@pytest.mark.parametrize("what", ["password", "close"])
def test_what_another_changes_of_an_account_meanwhile_is_kept(served, monkeypatch, what):
    served.add_user("lee", "agent")

    def while_they_are_moved(password: str) -> str:
        served.site.access.put_user(access.User("lee", "Lee", "seller", "oak", "moved", totp="SECRET"))
        return signin.hashed(password)

    monkeypatch.setattr(people, "hashed", while_they_are_moved)
    post(served, f"/people/lee/{what}", {}, "admin")
    with served.site.snapshot() as reading:
        kept = access.user_of(reading, "lee")
    assert (kept.role, kept.store, kept.active) == ("seller", "oak", what == "password")
    assert kept.totp != "" and kept.password != "moved"
    assert (kept.totp == "SECRET") == (what == "close")


def test_a_person_changes_their_own_password_and_is_signed_out_elsewhere(served):
    served.add_user("lee", "agent")
    elsewhere = served.session("user", "agent", "lee")
    form = {"password": PASSWORD, "new_password": "a longer one than before", "again": "a longer one than before"}
    for wrong, said in (
        ({"password": "guessed wrongly"}, "That is not the password you have now"),
        ({"again": "another"}, "The two new passwords are not the same"),
        ({"new_password": "short", "again": "short"}, "A password has 12 to 256 characters"),
    ):
        answer = post(served, "/account/password", form | wrong, "lee")
        assert answer.status_code >= 400
        assert said in answer.text
    assert 'href="/account"' in told(served, "/queue/verify", "lee")
    session = served.session("user", "agent", "lee")
    token = session.pop("X-CSRF-Token")
    answer = served.client.post(
        "/account/password", data=form | {"csrf_token": token}, headers=session | PAGE, follow_redirects=False
    )
    assert answer.headers["location"] == "/account?done=yes"
    for over in (elsewhere, session):
        assert served.client.get("/queue/verify", headers=over | PAGE, follow_redirects=False).status_code == 303
    cookie = answer.headers["set-cookie"].partition(";")[0]
    assert served.client.get("/queue/verify", headers={"Cookie": cookie} | PAGE).status_code == 200
    assert signin.sign_in(served.site, "lee", form["new_password"], "")
    with pytest.raises(Refused):
        signin.sign_in(served.site, "lee", PASSWORD, "")


def test_who_came_by_a_link_has_no_password_to_change(served):
    assert "You have no account here." in told(served, "/account", "seller")
    form = {"password": "x", "new_password": "a longer one than before", "again": "a longer one than before"}
    assert post(served, "/account/password", form, "seller").status_code == 403


# --- keys ----------------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_opens_what_it_is_for_and_nothing_when_it_is_revoked(served):
    answer = post(served, "/keys", {"name": "The shop", "platform": "yes", "read": "yes"}, "admin")
    assert answer.headers["Cache-Control"] == "no-store"
    number, secret = secrets_in(answer.text)
    assert secret not in told(served, "/keys")
    bearer = {"Authorization": f"Bearer {secret}"}
    assert served.client.get("/v1/stores", headers=bearer).status_code == 200
    assert served.client.post("/v1/fund/top-ups", json={}, headers=bearer).status_code == 403
    assert post(served, f"/keys/{number}/revoke", {}, "admin").status_code == 303
    assert served.client.get("/v1/stores", headers=bearer).status_code == 401
    assert "Revoked" in told(served, "/keys")
    assert post(served, f"/keys/{number}/revoke", {}, "admin").status_code == 404


@pytest.mark.parametrize("form", [{"name": "None"}, {"name": "Lost", "store": "nowhere"}, {"name": "", "read": "yes"}])
def test_a_key_for_nothing_or_for_nobody_is_not_made(served, form):
    answer = post(served, "/keys", form, "admin")
    assert answer.status_code >= 400
    assert secrets_in(answer.text) == []
    with served.site.snapshot() as reading:
        assert access.all_keys(reading) == []


# --- audit ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def shown(served):
    return furnish_desks(served.market)


def positions(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'data-l="Position">(\d+)<', page)]


def test_a_dispute_an_order_and_a_person_are_found_each_and_together(served, shown):
    dispute = served.market.dispute(shown["fraud"])
    own = positions(told(served, f"/audit?dispute=dispute_0_{dispute.id}"))
    assert own == sorted(dispute.history, reverse=True)
    whole = positions(told(served, f"/audit?order=order_0_{dispute.order}"))
    assert set(own) < set(whole)
    reference = served.market.database.order(0, dispute.order).reference
    assert positions(told(served, f"/audit?order={reference}")) == whole
    page = told(served, f"/audit?dispute=dispute_0_{dispute.id}&actor=lee")
    assert len(positions(page)) == 1
    assert "A ruling of fraud was proposed" in page
    assert positions(told(served, f"/audit?dispute=dispute_0_{dispute.id}&actor=agent:lee")) == positions(page)


def test_a_days_events_are_all_found_and_no_others_by_the_readers_clock(served):
    market = served.market
    market.go(T + 2 * DAY)
    number = market.open(market.order(amount="40.00", delivered=False), "in_transit_overdue", "40.00")
    market.accept(d.Accept(dispute=number), SELLER)
    found = positions(told(served, "/audit?day=2026-07-10"))
    rows = market.database.connection.execute("SELECT position, booked_at FROM events ORDER BY position DESC")
    start = datetime(2026, 7, 10, tzinfo=UTC)
    wanted = [at for at, booked in rows if start <= from_micros(booked) < start + timedelta(days=1)]
    assert found == wanted[:50]
    assert positions(told(served, "/audit?day=2026-07-03")) == []


def test_everything_comes_page_after_page_nothing_skipped_and_nothing_twice(served, shown, monkeypatch):
    monkeypatch.setattr("houbao.web.console.handlers.audit.PAGE", 30)
    found: list[int] = []
    path = "/audit"
    while path:
        page = told(served, path)
        found += positions(page)
        more = re.search(r'href="([^"]+)" rel="next"', page)
        path = more[1].replace("&amp;", "&") if more else ""
    (last,) = served.market.database.connection.execute("SELECT max(position) FROM events").fetchone()
    assert found == [*range(last, 0, -1)]


def test_a_page_looks_so_far_and_says_where_to_go_on(served, shown, monkeypatch):
    monkeypatch.setattr(audit, "MOST_LOOKED_AT", 10)
    connection = served.market.database.connection
    (last,) = connection.execute("SELECT max(position) FROM events").fetchone()
    found = look(connection, 0, Question(actor="agent:nobody"), limit=5)
    assert (found.rows, found.next) == ([], last + 1 - 10)
    assert "Further back there may be more" in told(served, "/audit?actor=agent:nobody")
    steps, before = 0, found.next
    while before:
        before, steps = look(connection, 0, Question(actor="agent:nobody"), before=before, limit=5).next, steps + 1
    assert steps == -(-(last - 10) // 10)


def hook_of(number: str, made: datetime) -> Hook:
    return Hook(id=number, url="https://shop.example/hook", types=(), store="", secrets=(), created_at=made)


def test_what_was_done_to_keys_and_webhooks_stands_the_latest_first_with_who_did_it(served):
    """Given a key and a webhook of today, of which the key was revoked and the webhook ended in the next two days."""
    keys, hooks, today = served.site.access, served.site.hooks, served.wall
    key, _ = keys.add_key("till", ("read",), today, "admin:eve")
    hook = hook_of("webhook_1", today + timedelta(hours=1))
    hooks.add(hook, 0, key.id)
    hooks.add(hook, 0, "admin:eve")
    keys.revoke_key(key.id, today + DAY, "command-line")
    keys.revoke_key(key.id, today + DAY, "admin:eve")
    hooks.end(0, hook.id, today + 2 * DAY, "admin:eve")
    hooks.end(0, hook.id, today + 3 * DAY, "admin:eve")
    with served.site.snapshot() as reading:
        whole = deeds.look(reading, limit=4)
        part = deeds.look(reading, limit=3)
        then = deeds.look(reading, today, today + DAY, limit=4)
        hers = [deeds.look(reading, by=who, limit=4) for who in ("admin:eve", "eve")]
    assert [(one.by, one.what, one.subject, one.name) for one in whole.deeds] == [
        ("admin:eve", "webhook_ended", hook.id, hook.url),
        ("command-line", "key_revoked", key.id, "till"),
        (key.id, "webhook_made", hook.id, hook.url),
        ("admin:eve", "key_made", key.id, "till"),
    ]
    assert [one.at for one in whole.deeds] == [today + 2 * DAY, today + DAY, hook.created_at, today]
    assert part.more
    assert part.deeds == whole.deeds[:3]
    assert then.deeds == whole.deeds[2:], "from the first moment on, before the last"
    assert [found.deeds for found in hers] == [[whole.deeds[0], whole.deeds[3]]] * 2


def test_every_deed_of_the_pages_stands_in_the_audit_with_who_did_it(served):
    """When an admin adds, renews and closes an account, and makes and revokes a key, a webhook and a policy."""
    post(served, "/people", {"user": "mia", "name": "Mia", "role": "agent"}, "admin")
    post(served, "/people/mia/password", {}, "admin")
    post(served, "/people/mia/close", {}, "admin")
    post(served, "/keys", {"name": "till", "read": "1"}, "admin")
    with served.site.snapshot() as reading:
        (key,) = [one.id for one in access.all_keys(reading) if one.name == "till"]
    post(served, f"/keys/{key}/revoke", {}, "admin")
    served.site.publish("standard", next_policy(), served.market.now + DAY, "admin:eve")
    with served.site.snapshot() as reading:
        found = deeds.look(reading, by="admin:eve", limit=50).deeds
    wanted = ["policy_published", "key_revoked", "key_made", "user_closed", "user_changed", "user_added"]
    assert [one.what for one in found] == wanted
    assert [one.subject for one in found[3:]] == ["mia"] * 3
    page = told(served, "/audit?actor=eve").partition('id="kept"')[2]
    places = [page.index(str(DEEDS[what])) for what in wanted]
    assert places == sorted(places)
    assert "mia" in page
    assert "Published by admin:eve." in told(served, f"/policies/{found[0].subject}")
    assert 'id="kept"' not in told(served, f"/audit?order=order_0_{served.market.order()}")


def test_every_deed_has_words():
    assert set(DEEDS) == set(deeds.KINDS)


def test_the_page_says_where_more_was_done_than_it_shows(served, monkeypatch):
    monkeypatch.setattr("houbao.web.console.handlers.audit.PAGE", 2)
    more = "These are the latest; there are more before them."
    key, _ = served.site.access.add_key("till", ("read",), served.wall)
    served.site.access.add_key("desk", ("read",), served.wall)
    served.site.access.revoke_key(key.id, served.wall + timedelta(hours=1))
    page = told(served, "/audit").partition('id="kept"')[2]
    assert more in page
    assert [page.count(said) for said in ("Key made", "Key revoked", "/keys")] == [1, 1, 2]
    assert key.id in page


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("dispute=7", "bad_id"),
        ("dispute=dispute_0_999999", "unknown_dispute"),
        ("order=nothing-of-the-kind", "unknown_order"),
        ("day=yesterday", "bad_request"),
    ],
)
def test_what_cannot_be_looked_for_is_said_so_with_the_form_kept(served, query, code):
    answer = get(served, f"/audit?{query}", "admin")
    assert answer.status_code >= 400
    assert code in answer.text
    assert f'value="{query.partition("=")[2]}"' in answer.text


# --- what is not theirs to write -----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["admin", "finance"])
def test_an_order_is_theirs_to_read_and_what_they_try_to_write_is_kept(served, who):
    order = served.market.order()
    path = f"/orders/order_0_{order}"
    page = told(served, path, who)
    assert "/messages" not in page
    assert "no points are lost" not in page
    assert "<dt>Store</dt><dd><code>oak</code>" in page
    answer = post(served, f"{path}/messages", {"message": "Two hours of <work>"}, who)
    assert answer.status_code == 403
    assert "Two hours of &lt;work&gt;</textarea>" in answer.text
    assert "csrf" not in answer.text.partition("What you wrote")[2].partition("</section>")[0]


def test_a_form_that_is_too_old_gives_its_words_back(served):
    form = {"csrf_token": "old", "user": "noor", "name": "Noor of the desk"}
    answer = post(served, "/people", form, "admin")
    assert answer.status_code == 403
    assert "Noor of the desk</textarea>" in answer.text


# --- who may -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["agent", "finance", "buyer", "seller", "nobody"])
def test_nobody_but_admins_gets_there(served, who):
    for path in ("/people", "/keys", "/audit"):
        assert get(served, path, who).status_code == (303 if who == "nobody" else 403), path
    if who != "nobody":
        for path in ("/people", "/people/eve/password", "/people/eve/close", "/keys", "/keys/key_1/revoke"):
            assert post(served, path, {"user": "x", "role": "admin"}, who).status_code == 403, path
