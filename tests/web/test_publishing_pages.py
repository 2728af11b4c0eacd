"""A new policy version through the pages: checked with each field at fault named, beside the live one, published."""

import html
import re
from hashlib import sha256

import pytest

from core.policies import next_policy
from given import DAY, T, standard
from houbao.shipped import policy_text
from houbao.store import lists, rows, schema
from houbao.store.changes import inserting
from houbao.store.policies import publish_text
from houbao.web.api.policies import MOST_TEXT
from web.desk import PAGE, get, post, signed_in

TEXT = (
    policy_text()
    .replace('version = "2026.1"', 'version = "2026.2"', 1)
    .replace('seller_answer = "5 d"', 'seller_answer = "6 d"')
)


def check(served, text: str, who: str = "finance", **form: str):
    """The form sent as a browser sends it: line by line as the network's rules have it."""
    return post(served, "/publish/check", {"text": text.replace("\n", "\r\n"), "programme": "standard"} | form, who)


def fields_of(page: str) -> dict[str, str]:
    """What the form that publishes brings along."""
    form = page.split('action="/publish">', 1)[1].split("</form>", 1)[0]
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    return {name: html.unescape(value) for name, value in hidden if name != "csrf_token"}


def kept(served, version: str) -> str | None:
    with served.site.snapshot() as reading:
        return lists.policy_text(reading, version)


def test_a_text_is_checked_beside_the_version_in_force_and_then_published(served):
    page = check(served, TEXT).text
    assert "Publish 2026.2, in force from now on" in page
    assert "<del>− seller_answer = &#34;5 d&#34;" in page
    assert "<ins>+ seller_answer = &#34;6 d&#34;" in page
    assert "You have 6 days to answer." in page
    assert sha256(TEXT.encode()).hexdigest() in page
    assert kept(served, "2026.2") is None, "a check keeps nothing"
    form = {name: value.replace("\n", "\r\n") for name, value in fields_of(page).items()}
    answer = post(served, "/publish", form, "finance")
    assert answer.headers["location"] == "/policies/2026.2?done=published"
    assert kept(served, "2026.2") == TEXT, "every byte as it was checked"
    assert "Published." in get(served, answer.headers["location"], "finance").text
    assert "the same text was published before, and nothing changes" in check(served, TEXT).text


def test_a_time_is_the_readers_own_and_orders_keep_their_version_until_then(served):
    page = check(served, TEXT, start="2026-07-20T18:00").text
    assert "Publish 2026.2, in force from Mon 20 Jul, 18:00" in page
    assert post(served, "/publish", fields_of(page), "finance").status_code == 303
    listed = get(served, "/policies", "finance").text
    assert "Coming" in listed
    assert "Mon 20 Jul, 18:00" in listed
    refused = check(served, TEXT.replace("2026.2", "2026.3"), start="2026-07-20T17:00")
    assert "The last version starts later than that." in refused.text


def test_every_field_at_fault_is_named_and_the_text_stays(served):
    wrong = TEXT.replace('seller_answer = "6 d"', 'seller_answer = "soon"').replace("days = 15 #", "days = 0 #")
    answer = check(served, wrong)
    assert answer.status_code == 422
    assert "The text cannot be used: 2 things are wrong." in answer.text
    for field in ("timers.seller_answer", "window.days"):
        assert f"<code>{field}</code>" in answer.text
    assert "seller_answer = &#34;soon&#34;" in answer.text
    assert "Publish 2026.2" not in answer.text


def test_what_is_wrong_with_a_text_is_said_in_the_readers_language(served):
    wrong = TEXT.replace('seller_answer = "6 d"', 'seller_answer = "soon"') + '[calendars.BR]\nzone = "Mars"\n'
    wrong = wrong.replace('["reason_class", "is", "SNAD"]', '["reason_class", "is", true]', 1)
    form = {"text": wrong, "programme": "standard"}
    page = html.unescape(post(served, "/publish/check", form, "finance", **{"Accept-Language": "zh-CN"}).text)
    for said in (
        """<code>timers.seller_answer</code>: 需要一个时长，例如 "5 d"、"24 h" 或 "3 bd"（工作日），现为 'soon'""",
        "<code>calendars.BR</code>: zone：需要一个时区",
        "'reason_class' 需要文本，现为 True",
    ):
        assert said in page
    broken = post(served, "/publish/check", form | {"text": "="}, "finance", **{"Accept-Language": "zh-CN"})
    assert "<li>不是 TOML：" in broken.text


@pytest.mark.parametrize(
    ("text", "form", "said"),
    [
        (TEXT.replace("2026.2", "2026.1"), {}, "That version has another text already."),
        (TEXT, {"start": "2026-07-01T00:00"}, "That time is over."),
        (TEXT, {"start": "tomorrow"}, "That is not a time."),
        (TEXT, {"start": "9999-12-31T23:59"}, "That is not a time."),
        (TEXT, {"start": "0001-01-01T00:00+14:00"}, "That is not a time."),
        pytest.param(TEXT + "#" * MOST_TEXT, {}, "That is too long.", id="too long"),
        pytest.param(f"{TEXT}# {'é' * (MOST_TEXT // 2)}", {}, "That is too long.", id="too many bytes"),
        (TEXT, {"programme": "gold"}, "There is no such programme."),
        ("[x", {}, "not TOML"),
    ],
)
def test_what_cannot_be_published_is_refused_with_the_text_kept(served, text, form, said):
    for answer in (check(served, text, **form), post(served, "/publish", {"text": text} | form, "finance")):
        assert answer.status_code >= 400
        assert said in answer.text
        assert text[:40] in html.unescape(answer.text)
    assert kept(served, "2026.2") is None


def test_no_text_at_all_is_asked_for(served):
    answer = check(served, "")
    assert answer.status_code == 400
    assert "hoose a file, or paste the text" in answer.text


def test_a_file_goes_before_what_stands_in_the_field(served):
    headers = signed_in(served, "finance")
    token = headers.pop("X-CSRF-Token")

    def upload(content: bytes):
        return served.client.post(
            "/publish/check",
            data={"csrf_token": token, "text": "nothing of it", "programme": "standard"},
            files={"file": ("policy.toml", content, "text/plain")},
            headers=headers | PAGE,
        )

    assert "Publish 2026.2" in upload(TEXT.replace("\n", "\r\n").encode()).text
    assert fields_of(upload(TEXT.encode()).text)["text"] == TEXT
    assert "is no text in UTF-8" in upload(b"\xff\xfe\x00").text
    assert "That is too long." in upload("争".encode() * (MOST_TEXT // 2)).text


def test_a_text_may_begin_with_that_of_another_version(served):
    page = get(served, "/publish?with=2026.1", "finance").text
    area = page.split('name="text"', 1)[1].split(">\n", 1)[1].split("</textarea>")[0]
    assert html.unescape(area) == policy_text()


def test_a_version_of_the_api_and_one_of_the_pages_are_the_same(served):
    post(served, "/publish", fields_of(check(served, TEXT).text), "finance")
    served.market.go(served.market.now + DAY)
    found = served.get("/v1/policies/2026.2")
    assert (found["text"], found["digest"]) == (TEXT, sha256(TEXT.encode()).hexdigest())


@pytest.mark.parametrize("limit", [1, 2])
@pytest.mark.parametrize("version", ["2026.2", "2020.1"])
def test_what_is_published_between_two_pages_makes_no_version_come_twice_or_never(served, limit, version):
    """Given two programmes and a version that none has; published is a new one, or that."""
    unused, database = next_policy("2020.1"), served.market.database
    weekly = standard(name="weekly", policies=((T - 9 * DAY, "2026.1"),))
    kept = ("2020.1", sha256(unused.encode()).hexdigest(), unused)
    database.connection.execute(inserting(schema.policies), kept)
    database.connection.execute(inserting(schema.programmes), ("weekly", rows.encode(weekly)))
    before = all_of(served, served.get("/v1/policies"))
    first = served.get(f"/v1/policies?limit={limit}")
    publish_text(database, "standard", next_policy(version), T)
    seen = all_of(served, first, limit)
    assert len(seen) == len(set(seen))
    assert {one for one in before if one[0]} <= set(seen)
    assert {one for _, one in before} <= {one for _, one in seen}


def all_of(served, page: dict, limit: int = 50) -> list[tuple[str, str]]:
    """(programme, version) of a page of policies and all that follow it."""
    seen = [(one["programme"], one["version"]) for one in page["data"]]
    return (
        seen + all_of(served, served.get(f"/v1/policies?limit={limit}&after={page['next']}"), limit)
        if page["next"]
        else seen
    )


@pytest.mark.parametrize("after", ["elsewhere", "Mg", "WyJzdGFuZGFyZCJd", "é", "_w"])
def test_what_is_no_place_among_the_policies_is_refused(served, after):
    assert served.call("GET", f"/v1/policies?after={after}").json()["code"] == "bad_cursor"


@pytest.mark.parametrize("who", ["agent", "buyer", "seller", "nobody"])
def test_only_finance_and_admins_publish(served, who):
    assert get(served, "/publish", who).status_code == (303 if who == "nobody" else 403)
    assert get(served, "/publish", "admin").status_code == 200
    if who != "nobody":
        for path in ("/publish/check", "/publish"):
            assert post(served, path, {"text": TEXT}, who).status_code == 403
    if who == "agent":
        assert "A new version" not in get(served, "/policies", "agent").text


# --- over HTTP -----------------------------------------------------------------------------------------------------


def test_a_draft_is_kept_over_http_with_what_it_changes_and_published_without_its_text(served):
    draft = served.call("POST", "/v1/policies", {"text": TEXT}, role="finance")
    assert draft.status_code == 201, draft.text
    told = draft.json()
    assert (told["version"], told["live"]) == ("2026.2", "2026.1")
    assert '-version = "2026.1"' in told["changes"]
    assert '+version = "2026.2"' in told["changes"]
    assert served.get("/v1/policies/2026.2")["text"] == TEXT
    published = served.post("/v1/policies/2026.2/publish", role="finance")
    assert (published["state"], published["digest"]) == ("in_force", sha256(TEXT.encode()).hexdigest())
    assert served.post("/v1/policies/2026.2/publish", {}, role="finance") == published


def test_a_text_with_faults_is_no_draft_and_each_fault_is_named(served):
    faulty = TEXT.replace('version = "2026.2"', "version = 7").replace("title = ", "titel = ")
    told = served.refuse("/v1/policies", {"text": faulty}, role="finance")
    assert (told["code"], told["status"]) == ("bad_policy", 422)
    assert len(told["reasons"]) > 1
    assert served.refuse("/v1/policies", {"text": "= no TOML"}, role="finance")["code"] == "bad_policy"


def test_what_is_not_there_is_not_published_and_what_was_is_no_draft(served):
    assert served.refuse("/v1/policies/2026.2/publish", role="finance")["code"] == "unknown_policy"
    served.post("/v1/policies/2026.2/publish", {"text": TEXT}, role="finance")
    assert served.refuse("/v1/policies", {"text": f"{TEXT}# mended"}, role="finance")["code"] == "version_taken"
    elsewhere = {"text": TEXT, "programme": "no"}
    assert served.refuse("/v1/policies", elsewhere, role="finance")["code"] == "unknown_programme"
