"""The pages in Chinese: nothing of the domain left in English, one word for one thing, Chinese punctuation."""

import re

import pytest
from babel.messages.pofile import read_po

from given import AGENT, BUYER, SELLER, T
from houbao.core import disputes as d
from houbao.core.terms import REASONS
from houbao.engine.speech import catalogue as letters
from houbao.web.console import catalogues
from houbao.web.console.language import Voice
from houbao.web.console.words import word
from web.desk import PAGE, post, signed_in


def told(served, path: str, who: str, language: str = "zh-Hans") -> str:
    """What stands on a page, line by line."""
    headers = signed_in(served, who) | PAGE
    headers["Cookie"] += f"; houbao_language={language}; houbao_zone=Asia/Shanghai"
    answer = served.client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    body = answer.text.split("<body")[1]
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"<[^>]+>", "", re.sub(r"</(p|dt|dd|td|th|h\d|li|div)>", "\n", body)))


PAGES = [
    ("seller", "/inbox"),
    ("seller", "/orders"),
    ("seller", "/score"),
    ("seller", "/guarantee"),
    ("seller", "/disputes/{late}"),
    ("seller", "/disputes/{refunded}"),
    ("buyer", "/disputes"),
    ("buyer", "/disputes/{offered}"),
    ("agent", "/queue/verify"),
    ("agent", "/cases/{checked}"),
    ("agent", "/cases/{appealed}"),
    ("finance", "/fund"),
    ("finance", "/refunds"),
    ("finance", "/policies"),
    ("finance", "/policies/2026.1"),
    ("admin", "/people"),
    ("admin", "/stores"),
    ("admin", "/stores/elm"),
    ("admin", "/audit"),
]


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_a_sentence_ends_and_pauses_as_chinese_ones_do(shop, who, path):
    names = {name: f"dispute_0_{number}" for name, number in shop.shown.items()}
    said = told(shop, path.format(**names), who)
    assert re.findall(r".{0,20}[\u4e00-\u9fff）][.,;:](?:\s|$).{0,9}", said) == []
    assert re.findall(r".{0,9}\d (?:天|小时|分钟) [\u4e00-\u9fff].{0,9}", said) == []


def test_the_promise_has_no_english_word(shop):
    said = told(shop, "/guarantee", "seller")
    assert "若原因为“假冒”" in said
    assert "商品类别为礼品卡、活体动物或易腐商品之一" in said
    assert re.findall(r"[a-z]{4,}", said.split("由谁充实基金")[1].split("本页根据")[0]) == []


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize(("who", "path"), [("seller", "/guarantee"), ("finance", "/policies/2026.1")])
def test_the_promise_writes_amounts_as_every_other_page(shop, who, path, language):
    said = told(shop, path, who, language).split("version =")[0]
    assert "€10,000.00" in said
    assert "10000.00 EUR" not in said


def test_how_a_dispute_ended_does_not_say_that_the_guarantee_paid(shop):
    market = shop.market
    number = market.open(market.order(amount="21.00"), "damaged", "21.00")
    market.accept(d.Rule(dispute=number, finding="unjustified", reason="disclosed"), AGENT)
    path = f"/disputes/dispute_0_{number}"
    assert "已驳回，经保障流程了结。" in told(shop, path, "seller")
    assert "Rejected, decided under the guarantee." in told(shop, path, "seller", "en")
    assert "依规则“平台核实”受理" in told(shop, path, "seller")


def test_who_is_told_by_a_word_and_a_person_rules_where_a_rule_is_the_ground(shop):
    assert "裁定方" in told(shop, f"/cases/dispute_0_{shop.shown['appealed']}", "agent")
    said = told(shop, f"/cases/dispute_0_{shop.shown['checked']}", "agent")
    assert "裁定方" not in said
    assert "依据\n规则“平台核实”" in said
    assert "专员" in told(shop, "/audit?actor=agent:lee", "admin")


def test_the_listing_is_the_buyers_own_and_its_labels_have_words(shop):
    number = shop.market.dispute(shop.shown["verifying"]).order
    assert "这是您下单时看到的商品页" in told(shop, f"/orders/order_0_{number}", "buyer")
    said = told(shop, f"/orders/order_0_{number}", "seller")
    assert "这是买家下单时看到的商品页" in said
    assert "颜色\nReactive glaze" in said


def test_a_store_that_joined_is_not_called_income(shop):
    said = told(shop, "/stores", "admin")
    assert "已加入" in said
    assert "收入" not in said


def test_the_newest_rows_of_an_inbox_pause_as_chinese_ones_do(shop):
    market = shop.market
    asked = market.open(market.order(amount="22.00"), "damaged", "22.00")
    market.accept(d.RequestEvidence(dispute=asked, party="seller", note="A photo of the label."), AGENT)
    decided = market.open(market.order(amount="23.00", delivered=False), "in_transit_overdue", "23.00")
    market.accept(d.Reject(dispute=decided, reason="other", note="It is on its way."), SELLER)
    market.accept(d.Escalate(dispute=decided), BUYER)
    market.rule(decided)
    market.work()
    said = told(shop, "/inbox", "seller")
    assert "平台请您补充证据：“A photo of the label.”" in said
    assert "已退款，由平台裁定" in said
    said = told(shop, "/inbox", "seller", "en")
    assert "The platform asks you for evidence: “A photo of the label.”" in said
    assert "Refunded, the platform decided" in said


def test_roles_and_scopes_have_words_where_they_are_listed(shop):
    shop.add_user("ann", "buyer")
    shop.key("read")
    assert "买家：自己的订单和纠纷" in told(shop, "/people", "admin")
    assert "只读 read" in told(shop, "/keys", "admin")


def test_who_writes_chinese_chooses_why_a_store_is_watched(shop):
    assert "选择所列的原因" in told(shop, "/stores/elm", "admin")
    assert "基金为其支付较多" in told(shop, "/stores/elm", "admin")
    shown = post(shop, "/stores/elm/watch/preview", {"why": "exposure"}, "admin").text
    assert "the fund paid much for it" in shown.lower()


OLD = {
    "争议": "纠纷",
    "监察": "监控",
    "观察": "监控",
    "国库": "平台储备金",
    "金库": "平台储备金",
    "密文": "密钥",
    "界线": "熔断线",
    "保费": "保障费",
    "及格": "合格",
    "无人领取": "待领取, or 款项未领取",
    "付出": "发出, or 支付",
    "市场": "商城",
}
"""A second word for a thing → the one that it has."""


def test_one_thing_has_one_word():
    for message in catalogues.read("zh-Hans"):
        for string in message.string if isinstance(message.string, tuple) else (message.string,):
            assert [word for word in OLD if message.id and word in string] == [], message.id


def test_mails_use_the_words_of_the_pages():
    with letters("zh-Hans").open("rb") as file:
        for message in read_po(file, locale="zh_Hans"):
            assert [word for word in OLD if message.id and word in message.string] == [], message.id


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_has_the_same_word_in_mails_and_on_pages(reason):
    with letters("zh-Hans").open("rb") as file:
        mails = read_po(file, locale="zh_Hans")
    page = str(word(Voice("zh-Hans", "UTC", T), "reason", reason))
    assert reason == "other" or mails.get(reason.replace("_", " ")).string == page
