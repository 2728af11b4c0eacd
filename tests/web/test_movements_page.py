"""The fund's movements as finance looks through them: by kind, days, store, order or dispute; and as a file."""

import csv
import io

import pytest

from given import DAY, T
from houbao.store import movements
from houbao.store.movements import LATEST, Movement, Question, look
from houbao.web.console import sheets
from houbao.web.console.handlers import movements as pages
from houbao.web.console.language import Voice
from houbao.web.console.words import account
from web.desk import get
from web.deskfront import furnish_desks

PAGE, FILE = "/fund/movements", "/fund/movements.csv"
BERLIN = "houbao_zone=Europe/Berlin"
CHINESE = "houbao_language=zh-Hans; houbao_zone=Asia/Shanghai"


@pytest.fixture
def shown(served):
    return furnish_desks(served.market)


def told(served, path: str, **headers: str) -> str:
    answer = get(served, path, "finance", **headers)
    assert answer.status_code == 200, answer.text
    return answer.text


def rows_of(served, asked: str = "", cookie: str = BERLIN) -> list[dict[str, str]]:
    """The file's rows: heading → cell."""
    session = get_cookie(served)
    answer = served.client.get(f"{FILE}?{asked}", headers={"Cookie": f"{session}; {cookie}", "Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    text = answer.content.decode("utf-8")
    assert text[0] == "\ufeff"
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), strict=True))


def get_cookie(served) -> str:
    served.add_user("kim", "finance")
    return served.session("user", "finance", "kim")["Cookie"]


def listed(served, path: str) -> list[str]:
    """The rows of all pages from that one on, as their HTML; every page keeps what was asked for."""
    found: list[str] = []
    asked = path.partition("?")[2]
    while path:
        said = told(served, path)
        found += said.partition("<tbody>")[2].partition("</tbody>")[0].split("<tr>")[1:]
        link = said.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
        path = link if 'rel="next"' in said else ""
        assert not path or path.startswith(f"{PAGE}?{asked}")
    return found


def kept(served, **asked) -> int:
    """How many movements fit, by the store's own reading."""
    with served.site.snapshot() as reading:
        found, place = 0, LATEST
        while place is not None:
            page = look(reading, 0, Question(**asked), before=place, limit=1000)
            found, place = found + len(page.rows), page.next
        return found


# --- the filter ----------------------------------------------------------------------------------------------------


def test_each_filter_keeps_what_fits_on_every_page(served, shown, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 2)
    dispute = shown["appealed"]
    order = served.market.dispute(dispute).order
    for asked, fits in (
        ("", {}),
        ("kind=reserve", {"kind": "reserve"}),
        ("store=elm", {"store": "elm"}),
        (f"about=dispute_0_{dispute}", {"dispute": dispute}),
        (f"about=order_0_{order}", {"dispute": dispute}),
        (f"kind=guarantee&store=elm&about=order_0_{order}", {"kind": "guarantee", "dispute": dispute}),
    ):
        found = listed(served, f"{PAGE}?{asked}" if asked else PAGE)
        assert len(found) == kept(served, **fits) > 0, asked
        assert len(rows_of(served, asked)) == len(found), asked
    assert len(listed(served, f"{PAGE}?kind=reserve")) > 2, "more than a page"


def test_an_order_is_found_by_the_shops_own_word_and_a_dispute_by_its_refund(served, shown):
    dispute = served.market.dispute(shown["appealed"])
    (reference,) = served.market.database.connection.execute(
        "SELECT reference FROM orders WHERE id=?", (dispute.order,)
    ).fetchone()
    expected = listed(served, f"{PAGE}?about=dispute_0_{dispute.id}")
    for about in (reference, f"refund_0_{dispute.refunds[0].id}"):
        assert listed(served, f"{PAGE}?about={about}") == expected, about


def test_days_are_the_readers_own_and_both_are_included(served):
    market = served.market
    market.go(T + 3 * DAY + 11 * DAY / 24)  # 11 July, 23:00 in UTC, which is 12 July in Berlin
    market.top_up("70.00")
    for cookie, day, next_day in (
        (BERLIN, "2026-07-12", "2026-07-13"),
        ("houbao_zone=UTC", "2026-07-11", "2026-07-12"),
    ):
        (row,) = rows_of(served, f"from={day}&to={day}", cookie)
        assert row["Amount"] == "70.00"
        assert rows_of(served, f"from={next_day}&to={next_day}", cookie) == []
        assert rows_of(served, f"from={next_day}&to={day}", cookie) == [row], "days the wrong way round"
        assert len(rows_of(served, f"to={day}", cookie)) == 2
    said = told(served, f"{PAGE}?from=2026-07-11&to=2026-07-11")
    assert 'value="2026-07-11"' in said
    assert "€70.00" in said


def test_where_nothing_fits_the_page_says_what_to_change(served):
    said = told(served, f"{PAGE}?kind=chargeback")
    assert "Nothing fits what you asked for." in said
    assert "Choose other days or another kind, or leave a field empty." in said
    assert '<option value="chargeback" selected>' in said
    assert FILE not in said, "no file of nothing"


def test_a_look_goes_so_far_back_says_how_far_and_goes_on(served, shown, monkeypatch):
    monkeypatch.setattr(movements, "MOST_LOOKED_AT", 4)
    said = told(served, f"{PAGE}?kind=capital")
    assert "Nothing fits back to Wed 8 Jul, " in said
    assert "Look further back →" in said
    assert len(listed(served, f"{PAGE}?kind=capital")) == 1
    assert len(rows_of(served, "kind=capital")) == 1, "the file looks back to the beginning"


def test_over_the_api_a_page_of_a_rare_kind_may_be_empty_and_says_where_to_go_on(served, shown, monkeypatch):
    monkeypatch.setattr(movements, "MOST_LOOKED_AT", 4)
    page = served.get("/v1/fund/records?kind=capital", role="finance")
    assert page["data"] == []
    pages = 1
    while page["next"] and not page["data"]:
        page, pages = served.get(f"/v1/fund/records?kind=capital&after={page['next']}", role="finance"), pages + 1
    assert [one["kind"] for one in page["data"]] == ["capital"]
    assert pages > 2


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        ("store=nobody", 404, "There is no such store here."),
        ("about=order_0_99999", 404, "There is no such order here."),
        ("about=dispute_0_1", 404, "There is no such dispute here."),
        ("about=refund_0_99999", 404, "There is no such dispute here."),
        ("about=what", 404, "There is no such order here."),
        ("from=tomorrow", 400, "Write the day like 2026-07-14."),
        ("to=9999-12-31", 400, "That is not a time."),
    ],
)
def test_what_is_not_there_is_told_with_what_was_typed(served, asked, status, says):
    page, file = (get(served, f"{path}?{asked}", "finance") for path in (PAGE, FILE))
    assert (page.status_code, file.status_code) == (status, status)
    assert says in page.text
    assert says in file.text
    assert f'value="{asked.partition("=")[2]}"' in page.text
    assert "Nothing fits" not in page.text


def test_what_comes_in_and_goes_out_has_its_sign_and_what_stays_inside_has_none(served, shown):
    signs = {
        kind: {row.rpartition("</td>")[0].rpartition(">")[2][0] for row in listed(served, f"{PAGE}?kind={kind}")}
        for kind in ("capital", "guarantee", "reserve")
    }
    assert signs == {"capital": {"+"}, "guarantee": {"\u2212"}, "reserve": {"€"}}


# --- the file ------------------------------------------------------------------------------------------------------


def test_the_file_has_every_movement_of_all_pages_with_its_ids(served, shown, monkeypatch):
    monkeypatch.setattr(pages, "PIECE", 3)
    rows = rows_of(served)
    assert len(rows) == kept(served) > pages.PIECE
    dispute = served.market.dispute(shown["appealed"])
    (paid,) = [row for row in rows_of(served, f"kind=guarantee&about=dispute_0_{dispute.id}") if row in rows]
    event = paid.pop("Event")
    assert event.startswith("event_0_")
    assert paid == {
        "Booked": "2026-07-08T14:00:00+02:00",
        "Kind": "Refund paid",
        "Kind, as its code": "guarantee",
        "Amount": "45.00",
        "Currency": "EUR",
        "Change of the fund": "-45.00",
        "From account": "Fund, reserved",
        "To account": "Store elm, put aside for a refund",
        "Store": "elm",
        "Order": f"order_0_{dispute.order}",
        "Dispute": f"dispute_0_{dispute.id}",
        "Refund": f"refund_0_{dispute.refunds[0].id}",
    }
    assert {row["Change of the fund"] for row in rows if row["Kind, as its code"] == "reserve"} == {"0.00"}


def test_the_file_is_kept_nowhere_and_named_by_its_days(served):
    def headers(asked: str):
        return get(served, f"{FILE}{asked}", "finance").headers

    plain = headers("")
    assert plain["content-type"] == "text/csv; charset=utf-8"
    assert plain["cache-control"] == "no-store"
    assert plain["content-disposition"] == 'attachment; filename="fund-movements-until-2026-07-08.csv"'
    days = headers("?from=2026-07-01&to=2026-07-31")["content-disposition"]
    assert days == 'attachment; filename="fund-movements-2026-07-01-to-2026-07-31.csv"'


def test_the_file_speaks_chinese_to_who_reads_it(served):
    (row,) = rows_of(served, "kind=capital", CHINESE)
    assert row["类别"] == "资本金"
    assert row["类别代码"] == "capital"
    assert row["已入账"] == "2026-07-08T20:00:00+08:00"
    assert row["币种"] == "EUR"


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_no_cell_of_words_is_a_formula_and_amounts_stay_numbers(language):
    voice = Voice(language, "UTC", T)
    one = Movement(7, 0, T, "=odd_kind", "fund:reserved", "provider:@there", 900, "EUR", "=cmd", 3, 0, 0)
    cells = pages._row(voice, one)
    assert [cell for cell in cells if cell[:1] in ("=", "+", "-", "@")] == ["-9.00"]
    assert {"'=cmd", "'@there", "'=odd_kind"} <= set(cells)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", "\n=1", "＝1", "－1"])
def test_a_cell_that_begins_as_a_formula_is_text(text):
    assert sheets.as_text(text) == f"'{text}"
    assert [sheets.as_text(one) for one in ("", "a=1", "'-1", "–")] == ["", "a=1", "'-1", "–"]


def test_what_is_in_an_account_s_name_is_escaped_for_no_page():
    voice = Voice("en", "UTC", T)
    assert pages._text(account(voice, "store:a&b:payable")) == "Store a&b, its balance"
    assert pages._text(account(voice, "provider:-x&y")) == "'-x&y"


def test_a_file_is_offered_on_the_page_to_who_may_have_it(served, shown):
    assert f'href="{FILE}"' in told(served, PAGE)
    asked = "from=2026-07-01&kind=reserve&store=elm"
    assert f'href="{FILE}?{asked.replace("&", "&amp;")}"' in told(served, f"{PAGE}?{asked}")
    for role in ("platform", "read"):
        answer = served.call("GET", FILE, role=role)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
