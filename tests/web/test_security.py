"""The ten risks of OWASP's list for APIs (2023), tried one by one."""

import asyncio
import json
import logging
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from time import sleep

import pyotp
import pytest
from msgspec import structs

from houbao.core.terms import Refused
from houbao.shipped import policy_text
from houbao.store.access import IDLE, LINK_LASTS, LOCKED_FOR, MOST_FAILURES, User, user_of
from houbao.web import signin
from houbao.web.api.policies import MOST_TEXT
from houbao.web.callers import Caller
from houbao.web.console.refusals import POSSIBLE
from houbao.web.guard import SESSION
from houbao.web.refusals import KNOWN
from houbao.web.signin import hasher, sign_in
from houbao.web.watch import JsonLines, Watch
from web.served import PASSWORD, WALL, claim, money

LEE = Caller("user", "lee", ("agent",))

# --- 1 broken object level authorisation: test_roles.py tries every route with what belongs to others ---------------


def test_an_id_that_was_guessed_and_one_that_is_somebody_elses_are_answered_alike(served):
    served.post("/v1/stores", {"id": "elm"})
    others = served.open(served.market.order(store="elm", buyer="bob"), "damaged", "40.00")
    guessed = "dispute_0_999999"
    told = [served.call("GET", f"/v1/disputes/{one}", role="seller").json() for one in (others, guessed)]
    for one, number in zip(told, (others, guessed), strict=True):
        one.pop("request_id")
        one["detail"] = one["detail"].replace(number, "#")
    assert told[0] == told[1]


# --- 2 broken authentication ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer hb_", "Bearer hb__", "Basic aGI6aGI=", "Bearer null", "Bearer hb_0_'OR'1'='1"],
)
def test_what_is_no_key_opens_nothing(served, header):
    answer = served.client.get("/v1/disputes", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_key_that_is_right_but_for_one_letter_opens_nothing_whatever_cookie_comes_along(served):
    secret = served.key("platform")
    wrong = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    headers = served.session("portal", "seller", "oak", "oak") | {"Authorization": f"Bearer {wrong}"}
    assert served.client.get("/v1/disputes", headers=headers).status_code == 401


def test_a_links_token_opens_what_its_buyer_may_until_the_link_is_opened(served):
    order = served.market.order(buyer="ann")
    given = served.post("/v1/portal-sessions", {"buyer_id": "ann"})
    assert given["url"].endswith(f"/portal/{given['token']}")
    bearing = {"Authorization": f"Bearer {given['token']}"}
    opened = served.client.post("/v1/disputes", json=claim(order, "damaged", "40.00"), headers=bearing)
    assert (opened.status_code, opened.json()["buyer_id"]) == (201, "ann")
    path = f"/portal/{given['token']}"
    assert served.client.get(path, follow_redirects=False).status_code == 303  # it was not used up
    served.client.cookies.clear()
    assert served.client.get("/v1/disputes", headers=bearing).status_code == 401


def test_a_links_token_ends_with_its_link(served):
    bearing = served.bearing({"store_id": "oak"})
    served.wall += LINK_LASTS - timedelta(seconds=1)
    assert served.client.get("/v1/disputes", headers=bearing).status_code == 200
    served.wall += timedelta(seconds=1)
    assert served.client.get("/v1/disputes", headers=bearing).status_code == 401


def test_a_sessions_value_opens_the_same_as_its_cookie_and_is_kept_alive_by_use(served):
    secret = served.session("portal", "buyer", "ann")["Cookie"].removeprefix(f"{SESSION}=")
    bearing = {"Authorization": f"Bearer {secret}"}
    for _ in range(2):
        served.wall += IDLE - timedelta(minutes=1)
        assert served.client.get("/v1/disputes", headers=bearing).status_code == 200
    served.site.access.end_session(secret)
    assert served.client.get("/v1/disputes", headers=bearing).status_code == 401


def test_no_secret_is_kept_as_it_is(served):
    secret = served.key("platform")
    session = served.session("portal", "buyer", "ann")["Cookie"].removeprefix(f"{SESSION}=")
    link = served.post("/v1/portal-sessions", {"buyer_id": "ann"})["url"].rsplit("/", 1)[1]
    served.add_user("lee", "agent")
    stored = repr(served.market.contents())
    for one in (secret, secret.split("_", 2)[2], session, link, PASSWORD):
        assert one not in stored


def test_a_code_of_an_authenticator_works_once(served):
    secret = pyotp.random_base32()
    served.add_user("lee", "agent", totp=secret)
    code = pyotp.TOTP(secret).at(WALL)
    assert sign_in(served.site, "lee", PASSWORD, code).value
    for used in (code, "", "000000", "１２３４５６"):
        with pytest.raises(Refused) as refused:
            sign_in(served.site, "lee", PASSWORD, used)
        assert refused.value.code == "sign_in_failed"


def test_nobody_learns_whether_a_name_exists(served):
    served.add_user("lee", "agent")
    told = []
    for name in ("lee", "nobody"):
        with pytest.raises(Refused) as refused:
            sign_in(served.site, name, "guess guess guess", "")
        told.append((refused.value.code, refused.value.detail))
    assert told[0] == told[1]


def test_an_account_that_rests_answers_as_one_that_there_is_not(served):
    served.add_user("lee", "agent")
    told = []
    for name, password in [*[("lee", "guess guess guess")] * 5, ("lee", PASSWORD), ("nobody", PASSWORD)]:
        with pytest.raises(Refused) as refused:
            sign_in(served.site, name, password, "")
        told.append((refused.value.code, refused.value.detail))
    assert len(set(told)) == 1
    served.wall += timedelta(minutes=15)
    assert sign_in(served.site, "lee", PASSWORD, "").value


def test_guesses_sent_at_once_are_no_more_than_those_sent_in_a_row(served):
    served.add_user("lee", "agent")
    with ThreadPoolExecutor(12) as senders:
        counted = list(senders.map(lambda _: served.site.access.note_try("lee", WALL), range(12)))
    assert counted.count(True) == 5
    with pytest.raises(Refused):
        sign_in(served.site, "lee", PASSWORD, "")


def test_what_a_refused_sign_in_is_told_is_how_many_tries_there_are_and_how_long_an_account_rests():
    tries, minutes = {5: "five"}[MOST_FAILURES], LOCKED_FOR // timedelta(minutes=1)
    told = f"Try again; after {tries} times the account rests for {minutes} minutes."
    assert KNOWN["sign_in_failed"] == (401, told)
    assert POSSIBLE["sign_in_failed"] == told


def test_the_right_password_at_the_last_try_lets_in_and_the_count_begins_anew(served):
    served.add_user("lee", "agent")
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(Refused):
                sign_in(served.site, "lee", "guess guess guess", "")
        assert sign_in(served.site, "lee", PASSWORD, "").value


@pytest.mark.parametrize("meanwhile", [{"active": False}, {"password": "another"}])
def test_an_account_that_is_closed_or_given_another_password_meanwhile_stays_so(served, monkeypatch, meanwhile):
    served.add_user("lee", "agent")
    compare = signin._matches

    def while_it_is_closed(kept: str, password: str) -> bool:
        served.site.access.put_user(structs.replace(user(served, "lee"), **meanwhile))
        return compare(kept, password)

    monkeypatch.setattr(signin, "_matches", while_it_is_closed)
    with pytest.raises(Refused) as refused:
        signin.change_password(served.site, LEE, PASSWORD, "a longer one than before")
    assert refused.value.code == "sign_in_failed"
    assert {name: getattr(user(served, "lee"), name) for name in meanwhile} == meanwhile


def test_what_an_admin_changes_while_a_password_is_changed_is_kept(served, monkeypatch):
    served.add_user("lee", "agent")
    compare = signin._matches

    def while_it_is_moved(kept: str, password: str) -> bool:
        served.site.access.put_user(structs.replace(user(served, "lee"), role="seller", store="oak", totp="SECRET"))
        return compare(kept, password)

    monkeypatch.setattr(signin, "_matches", while_it_is_moved)
    elsewhere = served.session("user", "agent", "lee")
    assert signin.change_password(served.site, LEE, PASSWORD, "a longer one than before").value
    kept = user(served, "lee")
    assert (kept.role, kept.store, kept.totp, kept.failures) == ("seller", "oak", "SECRET", 0)
    assert hasher.verify(kept.password, "a longer one than before")
    assert served.client.get("/v1/disputes", headers=elsewhere).status_code == 401


def user(served, number: str) -> User:
    """A user as they are kept."""
    with served.site.snapshot() as reading:
        found = user_of(reading, number)
    assert found is not None
    return found


def test_a_session_ends_when_it_is_idle_when_it_is_old_and_with_the_account(served):
    served.add_user("lee", "agent")
    headers = served.session("user", "agent", "lee")

    def alive() -> bool:
        return served.client.get("/v1/disputes", headers=headers).status_code == 200

    for _ in range(3):
        served.wall += timedelta(hours=7)
        assert alive()
    served.wall += timedelta(hours=4)
    assert not alive()
    served.wall = WALL
    headers = served.session("user", "agent", "lee")
    served.wall += timedelta(hours=9)
    assert not alive()
    headers = served.session("user", "agent", "lee")
    assert alive()
    served.site.access.put_user(user(served, "lee"))
    assert not alive()


def test_the_cookie_of_a_session_is_for_browsers_alone(served):
    url = served.post("/v1/portal-sessions", {"store_id": "oak"})["url"].removeprefix("https://claims.example")
    (cookie,) = served.client.get(url, follow_redirects=False).headers.get_list("set-cookie")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


# --- 3 broken object property level authorisation ------------------------------------------------------------------


def test_a_field_that_is_not_the_callers_to_set_is_refused_and_not_passed_over(served):
    order = served.market.order()
    for more in ({"payer": "fund"}, {"route": "instant"}, {"covered": True}, {"by": "agent:lee"}, {"phase": "closed"}):
        told = served.refuse("/v1/disputes", claim(order, "damaged", "40.00") | more, role="buyer")
        assert told["code"] == "bad_field"


def test_a_buyer_learns_no_figure_that_could_be_gamed(served):
    order = served.market.order()
    dispute = served.open(order, "damaged", "40.00")
    reasons = served.get(f"/v1/disputes/{dispute}", role="buyer")["reasons"]
    assert "a condition of that rule is not met" in " ".join(reasons)
    assert not re.search(r"15\.00|instant sum", " ".join(reasons))


def fraud_proposed(served) -> tuple[int, str]:
    """An order and its dispute, which an agent claimed and would rule a fraud of the seller's."""
    order = served.market.order()
    dispute = served.open(order, "damaged", "40.00")
    served.post(f"/v1/disputes/{dispute}/claim", role="agent")
    fraud = {"finding": "justified", "reason": "same_photo", "fraud": "seller"}
    served.post(f"/v1/disputes/{dispute}/rule", fraud, role="agent")
    served.post(f"/v1/orders/order_0_{order}/messages", {"message": "We look into it."}, role="agent")
    return order, dispute


def read_by(served, role: str, order: int, dispute: str) -> str:
    """All that a party reads of a dispute and its order."""
    paths = [f"/v1/disputes/{dispute}", f"/v1/disputes/{dispute}/timeline", f"/v1/orders/order_0_{order}/messages"]
    told = [served.get(path, role=role) for path in paths]
    return json.dumps(told) + served.client.get(f"/disputes/{dispute}", headers=served.headers(role)).text


@pytest.mark.parametrize("role", ["buyer", "seller", "store:oak"])
def test_the_parties_learn_no_agents_name_and_of_no_ruling_that_one_alone_proposed(served, role):
    order, dispute = fraud_proposed(served)
    assert "agent:key_" in json.dumps(served.get(f"/v1/disputes/{dispute}/timeline"))
    assert served.get(f"/v1/disputes/{dispute}")["claimed_by"].startswith("agent:key_")
    told = read_by(served, role, order, dispute)
    assert "We look into it." in told
    assert "the agent takes it up" in told
    assert not re.search("agent:|key_|fraud", told)


def test_a_fraud_that_two_signed_is_told_to_the_parties_without_their_names(served):
    order, dispute = fraud_proposed(served)
    second = {"Authorization": f"Bearer {served.new_key('agent')}"}
    assert served.client.post(f"/v1/disputes/{dispute}/sign", headers=second).status_code == 200
    for role in ("buyer", "seller"):
        told = read_by(served, role, order, dispute)
        assert "by two people" in told
        assert not re.search("agent:|key_", told)


def test_an_entry_tells_its_seller_the_part_of_whom_booked_it_and_no_name(served):
    served.market.order()
    (entry, *_) = [one["id"] for one in served.get("/v1/stores/oak/statement?currency=EUR")["data"]]
    assert served.get(f"/v1/stores/oak/entries/{entry}")["by"] == "platform:shop"
    assert served.get(f"/v1/stores/oak/entries/{entry}", role="seller")["by"] == "platform"


def test_the_feed_and_the_messages_of_webhooks_hold_no_words_of_people(served):
    order = served.market.order()
    served.open(order, "damaged", "40.00", statement="my secret words")
    text = json.dumps(served.get("/v1/events?limit=1000"))
    assert "secret words" not in text
    assert "@mail.example" not in text


# --- 4 unrestricted resource consumption ---------------------------------------------------------------------------


def test_more_requests_than_are_served_at_once_are_sent_away_with_a_time_to_come_back(served):
    served.client.app.asgi_handler.most = 0
    answer = served.call("GET", "/v1/disputes")
    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
    assert int(answer.headers["retry-after"]) >= 1
    assert isinstance(served.client.app.asgi_handler, Watch)


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=201", "limit=1e9", "limit=99999999999999999999"])
def test_a_page_has_an_end(served, query):
    assert served.call("GET", f"/v1/disputes?{query}").json()["code"] == "bad_request"


def test_a_list_and_a_depth_have_an_end(served):
    order = claim(served.market.order(), "damaged", "40.00")
    assert served.refuse("/v1/disputes", [order] * 1001)["code"] == "bad_list"
    headers = served.headers("platform") | {"Content-Type": "application/json"}
    deep = served.client.post("/v1/disputes", content=b"[" * 100_000, headers=headers)
    assert (deep.status_code, deep.json()["code"]) == (400, "bad_field")


NONSENSE = (
    ("seller", f"/live/inbox?seen={'9' * 5000}", 204),
    ("admin", "/audit?day=9999-12-31", 400),
    ("admin", "/audit?day=0001-01-01", 400),
    ("seller", "/records?to=9999-12-31", 200),
    ("seller", "/records?from=0001-01-01", 200),
    ("seller", "/records?to=0001-01-01", 200),
    ("seller", f"/v1/evidence/{'0' * 64}?until=9999-12-31T23:59:59-14:00&signature=x", 403),
    ("seller", f"/v1/evidence/{'0' * 64}?until=0001-01-01T00:00:00%2B14:00&signature=x", 403),
)
"""Numbers and days beyond what there is: who asks for them, and the status of the answer."""


def test_numbers_and_days_that_there_are_not_are_no_fault_of_ours(served):
    who = {role: served.headers(role) | {"Accept": "text/html"} for role in ("seller", "admin")}
    told = [(role, path, served.client.get(path, headers=who[role]).status_code) for role, path, _ in NONSENSE]
    assert told == list(NONSENSE)


@pytest.mark.parametrize("more", ["#" * MOST_TEXT, "争" * (MOST_TEXT // 2)])
def test_a_policy_that_is_too_long_is_refused_and_never_cut(served, more):
    policy = {"text": f"{policy_text()}# {more}"}
    for path in ("/v1/policies", "/v1/policies/2026.1/publish"):
        told = served.refuse(path, policy, role="finance")
        assert (told["code"], "256 KiB" in told["detail"]) == ("text_too_long", True)


def test_no_more_passwords_are_hashed_at_once_than_there_is_memory_for(monkeypatch):
    class Counting:
        now = most = 0
        lock = Lock()

        def hash(self, password: str) -> str:
            with self.lock:
                self.now += 1
                self.most = max(self.most, self.now)
            sleep(0.01)
            with self.lock:
                self.now -= 1
            return password

    hasher = Counting()
    monkeypatch.setattr(signin, "hasher", hasher)
    with ThreadPoolExecutor(12) as people:
        assert len(set(people.map(lambda n: signin.hashed(f"{PASSWORD} {n}"), range(12)))) == 12
    assert hasher.most <= signin.MOST_HASHING


def test_methods_that_senders_make_up_are_counted_as_one(served):
    for method in ("BREW", "WHEN", "GET"):
        served.client.request(method, "/healthz")
    counted = set(re.findall(r'houbao_http_requests_total{method="(\w+)"', served.metrics.serve(served.site).decode()))
    assert counted == {"GET", "other"}


def writings(served, monkeypatch) -> list[str]:
    """Where each writing of who may come in happens, from now on."""
    write, seen = served.site.access.writing, []

    @contextmanager
    def noted(*given, **more):
        try:
            asyncio.get_running_loop()
            seen.append("on the loop")
        except RuntimeError:
            seen.append("in a thread")
        with write(*given, **more) as connection:
            yield connection

    monkeypatch.setattr(served.site.access, "writing", noted)
    return seen


def test_nobody_waits_while_it_is_written_who_may_come_in(served, monkeypatch):
    served.add_user("lee", "agent")
    key = served.site.access.add_key("test", ("read",), WALL)[0].id
    admin, seller = served.headers("admin"), served.session("portal", "seller", "oak", "oak")
    seen = writings(served, monkeypatch)
    for path in (f"/keys/{key}/revoke", "/people/lee/close", "/sign-out"):
        assert served.client.post(path, headers=admin, follow_redirects=False).status_code == 303
    served.wall += timedelta(minutes=2)
    assert served.client.get("/v1/disputes", headers=seller).status_code == 200
    assert seen == ["in a thread"] * 4


def test_a_session_is_served_though_somebody_else_is_writing(served):
    seller = served.session("portal", "seller", "oak", "oak")
    served.wall += timedelta(minutes=2)
    other = sqlite3.connect(served.market.database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert served.client.get("/v1/disputes", headers=seller).status_code == 200
    other.close()


# --- 5 broken function level authorisation: test_roles.py, every route × every role --------------------------------


def test_a_key_of_one_store_is_no_key_of_the_platform_whatever_it_says(served):
    order = served.market.order()
    told = served.refuse(
        f"/v1/orders/order_0_{order}/goodwill",
        {"amount": money("1.00")},
        role="store:elm",
        Houbao_Actor="platform",
    )
    assert told["code"] == "unknown_order"
    dispute = served.open(order, "damaged", "40.00")
    told = served.refuse(f"/v1/disputes/{dispute}/messages", {"message": "x"}, role="store:oak", Houbao_Actor="agent")
    assert told["code"] == "not_permitted"


def test_two_signatures_take_two_keys(served):
    dispute = served.open(served.market.order(), "damaged", "40.00")
    fraud = {"finding": "justified", "reason": "same_photo", "fraud": "seller"}
    served.post(f"/v1/disputes/{dispute}/rule", fraud, role="agent")
    assert served.refuse(f"/v1/disputes/{dispute}/sign", role="agent")["code"] == "same_person"
    second = {"Authorization": f"Bearer {served.new_key('agent')}"}
    assert served.client.post(f"/v1/disputes/{dispute}/sign", headers=second).status_code == 200


# --- 6 unrestricted access to sensitive business flows -------------------------------------------------------------


def test_the_same_claim_is_not_paid_twice_however_often_it_is_sent(served):
    order = served.market.order(amount="10.00")
    body = claim(order, "damaged", "10.00")
    first = served.call("POST", "/v1/disputes", body, Idempotency_Key="once")
    again = served.call("POST", "/v1/disputes", body, Idempotency_Key="once")
    assert again.json()["id"] == first.json()["id"]
    other = served.refuse("/v1/disputes", claim(order, "damaged", "9.00"), Idempotency_Key="once")
    assert other["code"] == "key_reused"
    assert served.refuse("/v1/disputes", body)["code"] in ("dispute_open", "already_ruled", "nothing_left")


# --- 7 server side request forgery: test_webhooks.py -------------------------------------------------------------


# --- 8 security misconfiguration -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/disputes", "/v1/nothing", "/healthz", "/sign-in"])
def test_every_answer_has_its_headers(served, path):
    headers = served.client.get(path, follow_redirects=False).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "max-age" in headers["strict-transport-security"]
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


def test_the_figures_are_not_for_strangers(served):
    stranger = served.client.get("/metrics")
    assert stranger.status_code == 401
    assert served.call("GET", "/metrics", role="read").status_code == 200
    assert served.call("GET", "/metrics", role="buyer").status_code == 403


def test_a_log_line_holds_no_secret_and_nothing_of_people(served, caplog):
    caplog.set_level("INFO", logger="houbao.http")
    url = served.post("/v1/portal-sessions", {"buyer_id": "ann"})["url"]
    served.client.get(url.removeprefix("https://claims.example"))
    served.open(served.market.order(), "damaged", "40.00", statement="my secret words")
    lines = json.dumps([record.said for record in caplog.records if hasattr(record, "said")])
    assert lines.count("request_id") >= 3
    for secret in (url.rsplit("/", 1)[1], served.key("platform"), "secret words", "ann", "order_0_"):
        assert secret not in lines


@pytest.mark.parametrize("said", ["新", "\udcff"], ids=["of any language", "no valid Unicode"])
def test_whatever_is_logged_is_one_line_of_json(said):
    record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, "found %s\nhere", (said,), None)
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == f"found {said}\nhere"


# --- 9 improper inventory management -------------------------------------------------------------------------------


def test_every_route_of_the_api_is_in_its_document(served):
    known = {re.sub(r"{\w+}", "{}", path) for path in served.client.get("/openapi.json").json()["paths"]}
    routes = {re.sub(r"{[^}]+}", "{}", route.path) for route in served.client.app.routes}
    assert {path for path in routes if path.startswith("/v1/")} <= known


# --- 10 unsafe consumption of other APIs: what a provider says is signed, and booked once (test_webhooks.py) --------
