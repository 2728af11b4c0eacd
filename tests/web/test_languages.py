"""The pages in every language but English: nothing is left in English, one word for one thing, amounts and times as
its readers write them."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from given import Market, T
from houbao.books.extract import LANGUAGES as OF_STATEMENTS
from houbao.books.words import word as in_statements
from houbao.core.terms import REASONS
from houbao.engine.speech import LANGUAGES, Speech
from houbao.engine.speech import catalogue as letters
from houbao.web.console import catalogues
from houbao.web.console.deeds import minor_of
from houbao.web.console.language import Voice
from houbao.web.console.words import word
from web.desk import PAGE, signed_in
from web.deskfront import furnish_desks
from web.served import Served
from web.shopfront import furnish
from web.test_browser import ADMINS, AGENTS, BUYERS, FINANCES, SELLERS

ROOT = Path(__file__).parents[2]
OTHERS = [language for language in LANGUAGES if language != "en"]
EUROPEAN = [language for language in OTHERS if language != "zh-Hans"]
FILLED_IN = re.compile(r"%\(\w+\)s|<[^>]*>|%%")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A market with something on every page."""
    market = Market(tmp_path_factory.mktemp("languages"))
    shown = furnish(market) | furnish_desks(market)
    served = Served(market)
    served.shown = shown  # ty: ignore[unresolved-attribute]
    yield served
    served.close()
    market.database.close()


def said_on(shop, path: str, who: str, language: str) -> str:
    """What is to be read on a page, but for code and the text of a policy; runs of spaces count as one."""
    ids = {name: f"{'order' if 'order' in name else 'dispute'}_0_{number}" for name, number in shop.shown.items()}
    headers = signed_in(shop, who) | PAGE
    headers["Cookie"] += f"; houbao_language={language}; houbao_zone=Europe/Berlin"
    answer = shop.client.get(path.format_map(ids), headers=headers)
    assert answer.status_code == 200, answer.text
    own_words = r"<(script|style|pre|code|textarea)\b.*?</\1>|<div class=\"diff\".*?</div>"
    body = re.sub(own_words, "", answer.text.split("<body")[1], flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def english_of(language: str) -> set[str]:
    """Whatever is English alone in the messages of a language, in pieces that are long enough to know again."""
    pieces = set()
    for message in catalogues.read(language):
        if all("styleguide" in name for name, _ in message.locations):
            continue  # what people say there, they say in other places, too
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        for one in message.id if isinstance(message.id, tuple) else (message.id,):
            for piece in map(str.strip, FILLED_IN.split(one)):
                if len(piece) > 12 and " " in piece and not any(piece in other for other in said):
                    pieces.add(re.sub(r"\s+", " ", piece))
    return pieces


SHOWN = [(who, path) for who, paths in (
    ("seller", SELLERS),
    ("buyer", BUYERS),
    ("agent", AGENTS),
    ("finance", FINANCES),
    ("admin", ADMINS),
) for path in paths if "{webhook}" not in path]  # fmt: skip


@pytest.mark.parametrize("language", EUROPEAN)
def test_no_page_says_an_english_sentence_to_who_reads_another_language(shop, language):
    english = english_of(language)
    assert len(english) > 1000
    for who, path in SHOWN:
        said = said_on(shop, path, who, language)
        assert [piece for piece in english if piece in said] == [], (who, path)


def test_a_sentence_that_is_left_in_english_would_be_found(shop):
    said = said_on(shop, "/inbox", "seller", "en")
    assert len([piece for piece in english_of("es") if piece in said]) > 3


# --- one word for one thing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_has_the_same_word_in_mails_on_pages_and_in_statements(reason, language):
    with letters(language).open("rb") as file:
        mails = read_po(file, locale=language.replace("-", "_"))
    page = str(word(Voice(language, "UTC", T), "reason", reason)).lower()
    assert reason == "other" or mails.get(reason.replace("_", " ")).string == page
    statement = next(one for one in OF_STATEMENTS if one == language[:2])
    assert reason == "other" or in_statements("reason", reason, statement) == page


GLOSSARY = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/glossary.md").read_text("utf-8").splitlines()
    if line.startswith("| ")
]


@pytest.mark.parametrize("language", OTHERS)
def test_the_words_of_the_glossary_are_those_of_the_pages(language):
    names, *lines = GLOSSARY
    place = names.index(LANGUAGES[language])
    said = " ".join(
        one
        for message in catalogues.read(language)
        for one in (message.string if isinstance(message.string, tuple) else (message.string,))
    ).lower()
    words = [word for line in lines for word in line[place].lower().split(", ")]
    assert len(words) > 40
    assert [word for word in words if word not in said] == []


# --- as its readers write them -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "euros", "reais"),
    [
        ("es", "−1.234,50 €", "1.204,00 BRL"),
        ("pt-BR", "−€ 1.234,50", "R$ 1.204,00"),
        ("ru", "−1 234,50 €", "1 204,00 R$"),
    ],
)
def test_amounts_have_their_symbol_where_the_language_has_it(language, euros, reais):
    voice = Voice(language, "UTC", T)
    told = [voice.money(-123_450, "EUR"), voice.money(120_400, "BRL"), Speech(language).money(120_400, "BRL")]
    assert [one.replace("\N{NO-BREAK SPACE}", " ") for one in told] == [euros, reais, reais]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("currency", ["EUR", "USD", "BRL", "CNY", "RUB", "JPY", "CHF"])
def test_an_amount_can_be_typed_as_it_is_written(language, currency):
    minor = 1_160 if currency == "JPY" else 116_050
    assert minor_of({"amount": Voice(language, "UTC", T).money(minor, currency)}, currency) == minor


@pytest.mark.parametrize(
    ("language", "moment"),
    [("es", "mar 14 jul, 18:20"), ("pt-BR", "ter, 14 de jul, 18:20"), ("ru", "вт, 14 июля, 18:20")],
)
def test_a_time_is_told_in_the_order_of_the_language(language, moment):
    at = datetime(2026, 7, 14, 16, 20, tzinfo=UTC)
    assert Voice(language, "Europe/Berlin", datetime(2026, 7, 1, tzinfo=UTC)).when(at) == moment


@pytest.mark.parametrize(("n", "form"), [(1, 0), (2, 1), (5, 2), (11, 2), (21, 0), (22, 1), (25, 2)])
def test_russian_counts_by_its_three_forms(n, form):
    counted = next(one for one in catalogues.read("ru") if isinstance(one.id, tuple) and "%(n)s" in one.id[1])
    one, many = counted.id
    voice = Voice("ru", "UTC", T)
    values = dict.fromkeys(re.findall(r"%\((\w+)\)s", many), "…") | {"n": str(n)}
    values.pop("n")
    assert str(voice.say_n(one, many, n, **values)) == counted.string[form] % (values | {"n": str(n)})
