"""The console speaks to each reader: language, money, time, and nothing left without a translation."""

import ast
import re
from datetime import UTC, datetime, timedelta

import pytest

from houbao.core.said import Code, Said
from houbao.core.score import Rate
from houbao.web.console import catalogues
from houbao.web.console.language import LANGUAGES, Voice, negotiate
from houbao.web.console.refusals import AMOUNTS, POSSIBLE, TITLES
from houbao.web.console.words import TABLES, retell
from houbao.web.problems import KNOWN

NOW = datetime(2026, 7, 12, 12, 20, tzinfo=UTC)
ENGLISH, CHINESE = Voice("en", "Europe/Berlin", NOW), Voice("zh-Hans", "Asia/Shanghai", NOW)
OTHERS = [language for language in LANGUAGES if language != "en"]


# --- catalogues ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated_and_no_translation_is_of_nothing(language):
    wanted = {message.id for message in catalogues.gathered() if message.id}
    known = {message.id: message for message in catalogues.read(language) if message.id}
    untranslated = [one for one in wanted if one not in known or not known[one].string or known[one].string == ("",)]
    assert untranslated == [], "run `python -m houbao.web.console.catalogues`, then translate what is empty"
    assert [one for one in known if one not in wanted] == []
    assert [one.id for one in known.values() if one.fuzzy] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_fills_in_what_its_message_does_and_has_its_tags(language):
    for message in catalogues.read(language):
        if not message.id:
            continue
        said = message.id[1] if isinstance(message.id, tuple) else message.id
        for string in message.string if isinstance(message.string, tuple) else (message.string,):
            for pattern in (r"%\((\w+)\)s", r"<(/?\w+)"):
                assert sorted(re.findall(pattern, string)) == sorted(re.findall(pattern, said)), said


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_and_translation_can_be_filled_in(language):
    for message in filter(lambda one: one.id, catalogues.read(language)):
        for text in (message.id, message.string):
            for one in text if isinstance(text, tuple | list) else (text,):
                filled = one % dict.fromkeys(re.findall(r"%\((\w+)\)s", one), "7")
                assert "%(" not in filled


def made(name):
    """Every call in the source that makes a `Said` or a `Code`, with its first argument."""
    for path in sorted(catalogues.ROOMS.rglob("*.py")):
        if not catalogues.makes_sentences(path):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield f"{path.name}:{node.lineno}", node.args[0]


def test_every_sentence_that_is_made_to_be_said_again_stands_in_the_catalogues():
    wanted = {message.id for message in catalogues.gathered()}
    sentences = dict(made("Said"))
    assert len(sentences) > 100
    assert [at for at, one in sentences.items() if not isinstance(one, ast.Constant) or one.value not in wanted] == []


def test_every_code_inside_a_sentence_is_of_a_table_that_there_is():
    assert {one.value for _, one in made("Code") if isinstance(one, ast.Constant)} <= set(TABLES)


def test_a_sentence_of_the_domain_is_said_in_the_readers_language_with_all_that_stands_in_it():
    inside = Said(
        "order %(order)s is %(status)s: %(kind)s cannot happen now",
        order="<7>",
        status=Code("status", "shipped"),
        kind=Code("fact", "paid_out"),
    )
    left = (Said("the id of the payment"), "TIME")
    said = Said("%(reason)s; put in what only you know: %(left)s", reason=inside, left=left)
    assert retell(ENGLISH, said) == (
        "order &lt;7&gt; is shipped: paid_out cannot happen now; put in what only you know: the id of the payment, TIME"
    )
    assert retell(CHINESE, said) == (
        "订单 &lt;7&gt; 的状态是“运输途中”：现在不能“支付货款”；请填入只有您知道的内容：付款的编号、TIME"
    )
    assert retell(CHINESE, "nobody knows <this>") == "nobody knows &lt;this&gt;"


def test_every_refusal_has_words_of_what_happened():
    assert set(KNOWN) - set(TITLES) == {"failed"}  # which has words of its own
    assert set(TITLES) - set(KNOWN) == set()
    assert (set(POSSIBLE) | set(AMOUNTS)) - set(TITLES) == set()


def test_a_message_that_nobody_translated_would_be_found():
    assert len([message for message in catalogues.gathered() if message.id]) > 700


# --- money and figures ---------------------------------------------------------------------------------------------


def test_money_is_written_with_its_symbol_its_own_decimals_and_a_true_minus():
    assert ENGLISH.money(2500, "EUR") == "€25.00"
    assert ENGLISH.money(120_400, "BRL") == "R$1,204.00"
    assert ENGLISH.money(1200, "JPY") == "¥1,200"
    assert ENGLISH.money(-2500, "EUR") == "−€25.00"
    assert ENGLISH.amount(4000, "EUR", signed=True) == "+40.00"
    assert ENGLISH.change(20_000, 17_500, "EUR") == "€200.00 → €175.00"
    assert CHINESE.money(2500, "CNY") == "¥25.00"


def test_rates_and_points_are_cut_never_rounded_up():
    assert ENGLISH.percent(Rate(2, 300)) == "0.66 %"
    assert ENGLISH.percent(Rate(0, 0)) == "–"
    assert ENGLISH.points(86_259_999) == "86.25"


# --- time ----------------------------------------------------------------------------------------------------------


def test_a_time_is_on_the_readers_clock_and_cut_to_the_minute():
    at = datetime(2026, 7, 14, 16, 20, 59, tzinfo=UTC)
    assert ENGLISH.when(at) == "Tue 14 Jul, 18:20"
    assert CHINESE.when(at) == "7月15日 周三 00:20"
    assert ENGLISH.when(at.replace(year=2027)) == "Wed 14 Jul 2027, 18:20"


def test_what_is_left_has_two_units():
    assert ENGLISH.left(NOW + timedelta(days=2, hours=4, minutes=59)) == "2 d 4 h left"
    assert ENGLISH.left(NOW + timedelta(hours=3, minutes=20)) == "3 h 20 min left"
    assert ENGLISH.left(NOW) == "due now"
    assert CHINESE.left(NOW + timedelta(days=2, hours=4)) == "还剩 2 天 4 小时"


def test_a_zone_has_the_name_of_its_city_and_an_unknown_one_is_utc():
    assert (ENGLISH.place(), CHINESE.place()) == ("Berlin", "上海")
    assert Voice("en", "Mars/Olympus", NOW).place() == "UTC"


# --- whose language ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("zh-Hans", "en", "zh-Hans"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("", "fr;q=0.9, en;q=0.5, zh;q=0.7", "zh-Hans"),
        ("", "zh-Hant-TW, en;q=0.5", "en"),
        ("klingon", "x;q=nonsense", "en"),
    ],
)
def test_the_language_is_the_chosen_one_else_the_first_accepted_that_there_is(chosen, accepted, language):
    assert negotiate(chosen, accepted) == language


def test_what_is_filled_in_is_escaped_and_what_is_said_may_hold_tags():
    said = ENGLISH.say("<b>%(amount)s</b> was refunded on this order.", amount="<script>")
    assert said == "<b>&lt;script&gt;</b> was refunded on this order."
