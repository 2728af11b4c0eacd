"""A provider's file beside the ledger, on a page: every difference with its reason and what would even it; nothing is
booked."""

import json
import re
from functools import partial
from tempfile import SpooledTemporaryFile

import pytest

from books.test_bank import message, whole
from books.test_reconcile import txn
from given import DAY, T, eur
from houbao.core import orders as o
from houbao.web.console.handlers.reconciling import MOST_FILE
from houbao.web.uploads import MOST_OF_PERSON
from web.desk import PAGE, get, signed_in
from web.reading import Reader


@pytest.fixture
def kim(served):
    """Finance at the form, in a market with two payments at the provider: 200.00, and 40.00 by name."""
    payment = o.Payment(id="ch_10001", provider="sandbox", minor=eur("40.00"))
    served.market.order(amount="40.00", payments=(payment,))
    served.add_user("kim", "finance")
    kim = Reader(served)
    kim.sign_in("kim")
    kim.open("/fund")
    kim.follow("Compare a file")
    return kim


AGREE = [
    txn(1, 20_000, "charge", "ch_other", at=T - 10 * DAY),  # by its amount: the ledger knows no such id
    txn(2, 4_000, "charge", "ch_10001", at=T - 10 * DAY, fee=35),
]

BY_ID = [txn(2, 4_000, "charge", "ch_10001", at=T - 7 * DAY)]


def upload(kim: Reader, content: object, name: str = "payouts.json", **form: str) -> str:
    """Send a file by the form that is before her; what the page says then."""
    told = content if isinstance(content, bytes) else json.dumps(content).encode()
    kim.press("Compare it with the ledger", file=(name, told), **form)
    return kim.text()


def test_a_file_that_agrees_is_said_to_agree_line_by_line(served, kim):
    said = upload(kim, AGREE)
    assert "1 line agrees by amount alone: look at it. 1 line agrees. Nothing was booked." in said
    told = kim.told()
    assert (told["Sum there"], told["Sum here"], told["Fees kept there"]) == ("€240.00", "€240.00", "€0.35")
    assert "payouts.json" in said


def test_both_sides_agree_where_every_line_is_known_by_an_id(served, kim):
    said = upload(kim, BY_ID)
    assert "Both sides agree. 1 line agrees. Nothing was booked." in said
    assert "By its id" in said
    assert "By amount alone" not in said


def test_a_line_that_agrees_by_amount_alone_is_said_to_and_the_sum_here_is_of_what_it_was_compared_with(served, kim):
    said = upload(kim, [txn(1, 20_000, "charge", "re_1", at=T - 7 * DAY)])
    assert "Both sides agree" not in said
    assert "1 line agrees by amount alone: look at it. Nothing was booked." in said
    assert "Same amount, 3 days apart, no id in common." in said
    assert (kim.told()["Sum there"], kim.told()["Sum here"]) == ("€200.00", "€200.00")


def test_each_difference_stands_with_its_reason_and_what_would_even_it(served, kim):
    before = served.market.contents()
    said = upload(kim, [txn(2, 3_900, "charge", "ch_10001", at=T - 10 * DAY), txn(3, 10_000, "topup", "tu_1")])
    assert "3 lines do not agree. 0 lines agree. Nothing was booked." in said
    for words in (
        "Only there · 1",
        "money came there from the bank and is not booked",
        "houbao fund cash-move sandbox 100.00 EUR --key reconcile-txn_3 --at 2026-07-08T12:00:00Z",
        "Only here · 1",
        "never arrived, or stands in another file",
        "Told differently · 1",
        "Another amount",
        "€1.00 less there than here",
    ):
        assert words in said, words
    after = served.market.contents()
    assert {name: after[name] for name in ("events", "transfers")} == {
        name: before[name] for name in ("events", "transfers")
    }


def test_in_another_language_the_whole_page_is_in_it(served, kim):
    kim.open("/language/zh-Hans?to=/fund/reconcile")
    told = [
        txn(2, 3_900, "charge", "ch_10001", at=T - 10 * DAY),
        txn(3, 10_000, "topup", "tu_1"),
        txn(4, -2_000, "payout", "po_1"),
        txn(5, 2_000, "charge", "ch_5", description="order_0_999999"),
        txn(6, -2_000, "adjustment", "dp_1"),
        txn(7, 2_000, "topup", "tu_2", currency="usd"),
    ]
    kim.press("与账本对照", file=("payouts.json", json.dumps(told).encode()))
    for code in kim.page.xpath("//main//code"):
        code.drop_tree()
    names = {"payouts", "json", "stripe", "csv", "xml", "camt", "mib", "houbao", "import", "paid_out", "chargeback"}
    names |= {"oak", "sandbox", "card", "ch_", "order_", "eur", "usd", "charge", "topup", "payout", "adjustment"}
    assert set(re.findall(r"[a-z_]{3,}", kim.text().lower())) <= names


def test_a_banks_file_is_told_in_another_language_too(kim):
    kim.open("/language/zh-Hans?to=/fund/reconcile")
    for version in ("08", "09"):
        kim.press("与账本对照", file=("bank.xml", message(whole("08"), version)))
        assert "camt.053.001" in kim.text()


def test_a_file_that_cannot_be_compared_is_said_in_the_readers_language(kim):
    kim.open("/language/zh-Hans?to=/fund/reconcile")
    kim.press("与账本对照", file=("statement.txt", b""))
    assert "statement.txt：文件是空的。" in kim.text()


def test_days_and_account_are_those_of_the_form(served, kim):
    late = [AGREE[0], AGREE[1] | {"created": AGREE[1]["created"] + 9 * 86_400}]
    assert "Another day" in upload(kim, late)
    assert "do not agree" not in upload(kim, late, days="9")
    assert "2 lines do not agree." in upload(kim, AGREE, account="external:bank")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b,c\n1,2,3\n", "neither Stripe's balance transactions"),
        (b"", "the file is empty"),
        (b"<Document/>", "bad_file"),
    ],
)
def test_what_cannot_be_compared_is_said_with_the_name_of_the_file(served, kim, content, said):
    assert said in upload(kim, content, "statement.txt", days="7")
    assert kim.status == 422
    assert "statement.txt" in kim.text()
    assert "/tmp" not in kim.text()
    assert kim.page.get_element_by_id("days").value == "7"


def test_one_file_is_compared_at_a_time_and_none_is_read_before_its_turn(served, kim, monkeypatch):
    read, reads = SpooledTemporaryFile.read, []
    monkeypatch.setattr(SpooledTemporaryFile, "read", lambda file, *most: reads.append(most) or read(file, *most))
    with served.site.comparing:
        assert "Too many people at once." in upload(kim, AGREE)
    assert reads == []
    assert "Both sides agree." in upload(kim, BY_ID)
    assert reads == [(MOST_FILE + 1,)]


def test_of_a_file_that_is_too_large_no_more_is_read_than_tells_so(kim, monkeypatch):
    monkeypatch.setattr("houbao.web.console.handlers.reconciling.MOST_FILE", 100)
    assert "That is too much at once." in upload(kim, AGREE)
    assert kim.status == 413


def test_a_person_sends_two_files_at_a_time(served, kim):
    turn = partial(served.site.uploads.turn, "user:finance:kim", MOST_OF_PERSON)
    with turn(), turn():
        kim.press("Compare it with the ledger", file=("payouts.json", json.dumps(AGREE).encode()))
        assert kim.status == 503


@pytest.mark.parametrize("who", ["agent", "buyer", "seller", "nobody", "platform", "read"])
def test_only_finance_and_admins_compare(served, who):
    assert get(served, "/fund/reconcile", who).status_code == (303 if who == "nobody" else 403)
    assert get(served, "/fund/reconcile", "admin").status_code == 200
    headers = signed_in(served, who)
    token = headers.pop("X-CSRF-Token", "")
    answer = served.client.post(
        "/fund/reconcile",
        data={"csrf_token": token},
        files={"file": ("x.json", b"[]")},
        headers=headers | PAGE,
        follow_redirects=False,
    )
    assert answer.status_code == (303 if who == "nobody" else 403)
