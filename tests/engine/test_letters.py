"""What mails say: in the reader's language, due times by the reader's own clocks with UTC beside, one button."""

import ast
import inspect
import re
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from core.pure import Desk
from given import DAY, T
from houbao import engine
from houbao.core.effects import Effect
from houbao.core.phases import default_outcome
from houbao.core.terms import REASONS, spelled
from houbao.engine.letters import Reader, write
from houbao.engine.outside import Letter
from houbao.engine.paper import Words, as_html
from houbao.engine.sayings import OUTCOME, SAYINGS, SILENCE, WHY_NOTHING
from houbao.engine.speech import LANGUAGES, Speech, catalogue, language_of

ZONES = ("Asia/Shanghai", "America/Sao_Paulo", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def letter(desk: Desk, what: str, zone: str, to: str = "seller", language: str = "", console: str = "") -> Letter:
    effect = Effect("notice" if what == "notice" else "mail", T, desk.dispute, to=to, what=what)
    reader = Reader("oak@shops.example", language, zone, console)
    return write(effect, desk.state(), desk.order(), reader, 0, "1", desk.due())


def when(at: datetime | None, zone: str, language: str = "en") -> str:
    return Speech(language, zone).when(at)


@pytest.mark.parametrize(
    ("moment", "zone", "told"),
    [
        ("2017-03-14 02:08", "Asia/Shanghai", "Tue 14 Mar 2017, 10:08 Shanghai time (02:08 UTC)"),
        ("2017-03-14 20:08", "Asia/Shanghai", "Wed 15 Mar 2017, 04:08 Shanghai time (Tue 14 Mar 2017, 20:08 UTC)"),
        ("2017-03-14 02:08", "UTC", "Tue 14 Mar 2017, 02:08 UTC"),
        # Summer time ended at 01:00 UTC: the same clock time twice, told apart by UTC.
        ("2026-10-25 00:30", "Europe/Berlin", "Sun 25 Oct 2026, 02:30 Berlin time (00:30 UTC)"),
        ("2026-10-25 01:30", "Europe/Berlin", "Sun 25 Oct 2026, 02:30 Berlin time (01:30 UTC)"),
        # Seconds are cut.
        ("2026-03-29 00:59:59", "Europe/Berlin", "Sun 29 Mar 2026, 01:59 Berlin time (00:59 UTC)"),
        ("2026-03-29 01:00", "Europe/Berlin", "Sun 29 Mar 2026, 03:00 Berlin time (01:00 UTC)"),
        ("2017-03-14 02:08", "Mars/Olympus", "Tue 14 Mar 2017, 02:08 UTC"),
        ("2017-03-14 02:08", "", "Tue 14 Mar 2017, 02:08 UTC"),
    ],
)
def test_a_time_is_told_as_the_readers_clocks_show_it_with_utc_beside(moment: str, zone: str, told: str):
    assert when(at(moment), zone) == told


def test_a_time_that_is_not_known_yet_is_not_made_up():
    assert when(None, "Asia/Shanghai") == "the time in our latest mail"


@given(
    st.timedeltas(timedelta(0), timedelta(days=3650)).map(lambda gone: datetime(2017, 1, 1, tzinfo=UTC) + gone),
    st.sampled_from(ZONES),
)
def test_what_is_told_gives_the_moment_back_to_the_minute(moment: datetime, zone: str):
    told = when(moment, zone)
    day_and_time = "%a %d %b %Y, %H:%M"
    minute = moment.replace(second=0, microsecond=0)
    local = minute.astimezone(ZoneInfo(zone))
    utc = told.removesuffix(")").rpartition("(")[2].removesuffix(" UTC")
    if len(utc) == len("02:08"):
        utc = f"{minute.astimezone(ZoneInfo(zone)):%a %d %b %Y}, {utc}"
    assert datetime.strptime(f"{utc} +0000", f"{day_and_time} %z") == minute
    assert told.startswith(f"{local:{day_and_time}}")


@pytest.mark.parametrize("what", ["notice", "answer_needed"])
def test_a_seller_reads_the_due_time_of_their_own_zone(what: str):
    desk = Desk(covered=False)
    desk.open("defective")
    assert desk.due() == T + 5 * DAY
    body = letter(desk, what, "Asia/Shanghai").body
    assert "Answer by Mon 13 Jul 2026, 20:00 Shanghai time (12:00 UTC)." in body


def test_a_buyer_whose_zone_is_not_known_reads_utc():
    desk = Desk(covered=False)
    desk.open("defective")
    assert "The seller answers by Mon 13 Jul 2026, 12:00 UTC." in letter(desk, "opened", "UTC", "buyer").body


# --- languages -----------------------------------------------------------------------------------------------------

ENGINE = Path(engine.__file__).parent
OTHERS = [language for language in LANGUAGES if language != "en"]


def said() -> set[str]:
    """Every message of the engine's, as its source marks it, and the reasons."""
    found = extract_from_dir(ENGINE, method_map=[("**.py", "python")], keywords={"N_": None})
    return {message for _, _, message, _, _ in found} | set(map(spelled, REASONS))


def translated(language: str) -> dict[str, str]:
    with catalogue(language).open("rb") as file:
        return {message.id: message.string for message in read_po(file) if message.id}


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_every_message_and_no_other(language: str):
    messages = translated(language)
    assert sorted(said() - messages.keys()) == [], "write these translations"
    assert sorted(messages.keys() - said()) == [], "nobody says these any more"
    assert [message for message, words in messages.items() if not words] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_fills_in_what_the_message_does(language: str):
    named = re.compile(r"%\(\w+\)s")
    for message, words in translated(language).items():
        assert sorted(set(named.findall(words))) == sorted(set(named.findall(message))), message
        assert "%(" not in words % {name[2:-2]: "7" for name in named.findall(words)}


def test_every_outcome_and_default_has_its_words():
    assert set(OUTCOME) == {*WHY_NOTHING, "refunded", "partially_refunded"}
    tree = ast.parse(textwrap.dedent(inspect.getsource(default_outcome)))
    told = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return | ast.Assign) and node.value]
    codes = {node.value for value in told for node in ast.walk(value) if isinstance(node, ast.Constant)}
    assert set(SILENCE) == codes - {"", None, "delivered"}  # the state of a parcel, no outcome


@pytest.mark.parametrize(
    ("tag", "language"),
    [("zh-CN", "zh-Hans"), ("zh", "zh-Hans"), ("EN-gb", "en"), ("", "en"), ("fr", "en"), ("en", "en")],
)
def test_a_reader_whose_language_is_not_there_reads_english(tag: str, language: str):
    assert language_of(tag) == language


@pytest.mark.parametrize("name", SAYINGS)
def test_a_letter_in_chinese_says_nothing_in_english(name: str):
    speech = Speech("zh-CN", "Asia/Shanghai")
    values = dict.fromkeys(("amount", "due", "what", "reason", "outcome", "offer", "party", "about", "paid"), "…")
    values |= dict.fromkeys(("ended", "since", "why", "order", "dispute", "carrier", "tracking"), "…")
    for field in ("subject", "says", "until", "may", "then", "button"):
        assert not re.search("[A-Za-z]", speech.say(getattr(SAYINGS[name], field), **values)), field


def test_amounts_are_written_as_the_reader_writes_them_with_the_currencys_own_decimals():
    english, chinese = Speech("en"), Speech("zh-Hans")
    assert [english.money(minor, code) for minor, code in ((123_450, "EUR"), (4000, "BRL"), (500, "JPY"))] == [
        "€1,234.50",
        "R$40.00",
        "¥500",
    ]
    assert (english.money(5, "KWD"), chinese.money(4000, "USD"), chinese.money(4000, "CNY")) == (
        "KWD\xa00.005",
        "US$40.00",
        "¥40.00",
    )


def test_a_chinese_due_time_is_written_the_chinese_way():
    assert when(at("2026-07-13 12:00"), "Asia/Shanghai", "zh") == "上海时间 2026年7月13日 周一 20:00（UTC 12:00）"
    assert when(at("2026-07-13 12:00"), "UTC", "zh") == "2026年7月13日 周一 12:00（UTC）"


# --- one button ----------------------------------------------------------------------------------------------------


def test_text_and_html_say_the_same_until_when_and_what_then():
    desk = Desk(covered=False)
    desk.open("defective")
    mail = letter(desk, "answer_needed", "Asia/Shanghai", console="https://claims.example/")
    for line in (
        "A buyer asks for €40.00.",
        "Answer by Mon 13 Jul 2026, 20:00 Shanghai time (12:00 UTC).",
        "If you do not answer in time, €40.00 is refunded to the buyer from your balance.",
        f"Order order-1 · defective · €40.00 asked · dispute_0_{desk.dispute}",
    ):
        assert line in mail.body.split("\n") and line in mail.html
    assert mail.html.count("href=") == 1 and f"https://claims.example/disputes/dispute_0_{desk.dispute}" in mail.html
    assert "Answer:\nhttps://claims.example/disputes/" in mail.body


def test_without_a_console_that_can_be_reached_there_is_no_button():
    desk = Desk()
    desk.open("damaged")
    mail = letter(desk, "handled_for_you", "UTC")
    assert "href" not in mail.html and "http" not in mail.body and "Open the dispute" not in mail.body


def test_nothing_of_a_letter_is_fetched_or_run():
    desk = Desk()
    desk.open("damaged")
    html = letter(desk, "opened", "UTC", "buyer", console="https://claims.example").html
    assert not re.search(r"<(script|img|link|iframe|object|form|style)|url\(|@import|\son\w+=", html)


def test_what_looks_like_markup_is_shown_as_it_is():
    words = Words("<b>", "a & b <script>", "by <i>", "", "then", "Go", "<u>")
    html = as_html(words, 'https://x.example/"><script>', "en")
    assert "<script>" not in html and "&lt;script&gt;" in html and "<b>" not in html and "<u>" not in html
