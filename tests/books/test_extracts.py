"""A statement in four forms: each tells the ledger's own sums, and nothing of it is read as anything but words."""

import csv
import io
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, get_args

import openpyxl
import pypdf
import pytest
from lxml import etree

from given import BUYER, PLATFORM, Market
from houbao.books import as_pdf
from houbao.books.as_camt import NAMESPACE
from houbao.books.extract import LANGUAGES, BookError, Form
from houbao.books.words import HEADINGS, word
from houbao.commands.exporting import Asked, export_statement, extract_of
from houbao.commands.terminal import CommandFailed
from houbao.core import programme as p
from houbao.core.money import DIGITS, decimal
from houbao.core.terms import REASONS, Payer, Refused
from houbao.settings import Settings
from houbao.store import statements
from houbao.wiring import House
from store.history import build

ROOT = Path(__file__).parents[2]
XSD = ROOT.parent / "shared" / "data" / "bank" / "xsd" / "camt.053.001.08.xsd"
schema = pytest.mark.skipif(not XSD.is_file(), reason="ISO's schemas are not at ../shared/data/bank/xsd")
han = pytest.mark.skipif(
    bool(as_pdf.missing("售")) and "CI" not in os.environ, reason="no font with Chinese characters is installed"
)
NAMES = {"han": "售后宝旗舰店", "rus": "Дом книги", "odd": "#panic() $x$ <b>&amp;</b> =1+1 \\ [*]"}


class Told(NamedTuple):
    """What a form tells of one currency: where it begins, every amount, and where it ends."""

    opening: Decimal
    amounts: list[Decimal]
    closing: Decimal


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Three stores with names, each with a payment, a commission and a refund that the fund paid."""
    market = Market(tmp_path_factory.mktemp("extracts"))
    for store, name in NAMES.items():
        market.accept(p.RegisterStore(store=store, name=name, email=f"{store}@shops.example"), PLATFORM)
        market.accept(p.Enrol(store=store, programme="standard", at=market.now), PLATFORM)
        market.rule(market.open(market.order(store=store, paid=market.now, delivered=True), "damaged", "12.34"))
    market.work()
    market.database.close()
    house = House(Settings(database_url=f"sqlite:///{market.database.path}"))
    yield house
    house.close()


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A history of two stores and two currencies, with every event that there is."""
    path = tmp_path_factory.mktemp("long") / "houbao.db"
    build(path).database.close()
    house = House(Settings(database_url=f"sqlite:///{path}"))
    yield house
    house.close()


def quiet(what, done, of):
    assert done <= of, what


def made(house, tmp_path, form, store="oak", **asked) -> bytes:
    path = tmp_path / f"{store}.{form}"
    export_statement(house, Asked(store=store, form=form, **asked), path, quiet)
    return path.read_bytes()


def told_by_csv(data: bytes) -> dict[str, Told]:
    found: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(io.StringIO(data.decode(), newline="")):
        found.setdefault(row["currency"], []).append(row)
    return {
        code: Told(
            Decimal(rows[0]["balance"]), [Decimal(x["amount"]) for x in rows[1:-1]], Decimal(rows[-1]["balance"])
        )
        for code, rows in found.items()
    }


def told_by_xlsx(data: bytes) -> dict[str, Told]:
    book = openpyxl.load_workbook(io.BytesIO(data))

    def exact(code, cell):
        assert isinstance(cell, int | float)
        return Decimal(str(cell)).quantize(Decimal(1).scaleb(-DIGITS[code]))

    found = {}
    for page in book:
        first, *rows, last = page.iter_rows(min_row=5, values_only=True)
        amounts = [exact(page.title, row[2]) for row in rows]
        found[page.title] = Told(exact(page.title, first[3]), amounts, exact(page.title, last[3]))
    return found


def text_of(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def told_by_pdf(data: bytes) -> dict[str, Told]:
    found: dict[str, Told] = {}
    for line in text_of(data).splitlines():
        plain = line.replace(",", "")
        if totals := re.fullmatch(r"(\S+) ([A-Z]{3}) (\S+) \2 (\S+) \2 (\S+) \2", plain):
            opening, code, _, _, closing = totals.groups()
            found[code] = Told(Decimal(opening), [], Decimal(closing))
        elif moved := re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d .* (\S+) (\S+)", plain):
            [*found.values()][-1].amounts.append(Decimal(moved[1]))
    return found


def told_by_camt(data: bytes) -> dict[str, Told]:
    names = {"c": NAMESPACE}
    found = {}
    for statement in etree.fromstring(data).iterfind(".//c:Stmt", names):

        def signed(node):
            amount = Decimal(node.findtext("c:Amt", namespaces=names))
            return -amount if node.findtext("c:CdtDbtInd", namespaces=names) == "DBIT" else amount

        first, last = map(signed, statement.iterfind("c:Bal", names))
        entries = [signed(entry) for entry in statement.iterfind("c:Ntry", names)]
        found[statement.findtext("c:Acct/c:Ccy", namespaces=names)] = Told(first, entries, last)
    return found


TOLD = {"csv": told_by_csv, "xlsx": told_by_xlsx, "pdf": told_by_pdf, "camt053": told_by_camt}


def ledger(house, store, code):
    """The store's lines and the sum of its own accounts, from the tables."""
    connection = house.database.connection
    found = connection.execute(
        "SELECT CASE WHEN target LIKE 'store:%' THEN minor ELSE -minor END FROM transfers"
        " WHERE store_id=? AND currency=? AND (source LIKE 'store:%') <> (target LIKE 'store:%') ORDER BY position, n",
        (store, code),
    )
    (held,) = connection.execute(
        "SELECT sum(minor) FROM balances WHERE account LIKE 'store:'||?||':%' AND currency=?", (store, code)
    ).fetchone()
    return [Decimal(decimal(minor, code)) for (minor,) in found], Decimal(decimal(held, code))


@pytest.mark.parametrize("form", get_args(Form))
@pytest.mark.parametrize("store", ["oak", "elm"])
def test_every_form_tells_the_sums_of_the_ledger(long, tmp_path, form, store):
    codes = statements.currencies(long.database.connection, 0, store)
    found = TOLD[form](made(long, tmp_path, form, store))
    assert sorted(found) == codes
    for code in codes:
        amounts, held = ledger(long, store, code)
        assert found[code] == Told(Decimal(0), amounts, held)
        assert amounts


@pytest.mark.parametrize("form", get_args(Form))
def test_a_span_of_days_opens_with_what_was_there_and_ends_with_what_is_then(long, tmp_path, form):
    data = made(long, tmp_path, "csv", currency="EUR")
    whole, days = told_by_csv(data)["EUR"], sorted(set(re.findall(r"\d{4}-\d\d-\d\d(?=T.*payment)", data.decode())))
    found = TOLD[form](made(long, tmp_path, form, currency="EUR", start=days[1], end=days[2]))
    assert [*found] == ["EUR"]
    told = found["EUR"]
    assert 0 < len(told.amounts) < len(whole.amounts)
    assert told.opening + sum(told.amounts) == told.closing
    assert told.opening != 0


@schema
@pytest.mark.parametrize("store", ["oak", "elm", *NAMES])
def test_the_message_is_valid_by_isos_own_schema(long, house, tmp_path, store):
    valid = etree.XMLSchema(file=str(XSD))
    document = etree.fromstring(made(house if store in NAMES else long, tmp_path, "camt053", store))
    assert valid.validate(document), valid.error_log
    tampered = etree.tostring(document).replace(b"CRDT", b"DEBT", 1)
    assert not valid.validate(etree.fromstring(tampered))


@schema
def test_long_ids_fit_and_stay_apart(tmp_path):
    market = Market(tmp_path)
    stores = ["s" * 63 + end for end in "ab"]
    found = set()
    for store in stores:
        market.accept(p.RegisterStore(store=store, name="n" * 200), PLATFORM)
        market.order(store=store, reference="r" * 64)
    house = House(Settings(database_url=f"sqlite:///{market.database.path}"))
    for store in stores:
        document = etree.fromstring(made(house, tmp_path, "camt053", store))
        assert etree.XMLSchema(file=str(XSD)).validate(document)
        found |= {node.text for node in document.iter(f"{{{NAMESPACE}}}Id") if len(node) == 0}
    assert len(found) == 4
    house.close()


@pytest.mark.parametrize(
    ("store", "language"),
    [
        pytest.param("han", "zh", marks=han),
        ("rus", "ru"),
        pytest.param("han", "ru", marks=han),
        ("odd", "en"),
    ],
)
def test_the_page_reads_as_it_was_written(house, tmp_path, store, language):
    text = text_of(made(house, tmp_path, "pdf", store, language=language))
    assert NAMES[store] in text
    for heading in ("statement", "opening", "closing", "what", "balance"):
        assert word("heading", heading, language) in text
    for kind in ("payment", "guarantee", "refund"):
        assert word("kind", kind, language) in text
    assert "12,34" in text if language == "ru" else "12.34" in text
    assert word("reason", "damaged", language) in text


def test_what_looks_like_a_formula_or_markup_stays_words(house, tmp_path):
    page = openpyxl.load_workbook(io.BytesIO(made(house, tmp_path, "xlsx", "odd"))).active
    assert NAMES["odd"] in page["A1"].value
    assert all(cell.data_type != "f" for row in page.iter_rows() for cell in row)
    document = etree.fromstring(made(house, tmp_path, "camt053", "odd"))
    assert document.findtext(f".//{{{NAMESPACE}}}Ownr/{{{NAMESPACE}}}Nm") == NAMES["odd"]


@pytest.mark.parametrize("form", get_args(Form))
def test_the_same_statement_gives_the_same_bytes(house, tmp_path, form):
    assert made(house, tmp_path, form, "rus", language="ru") == made(house, tmp_path, form, "rus", language="ru")


def extract(house, store, **asked):
    return extract_of(house, Asked(store=store, form="pdf", **asked), quiet)


def test_a_character_that_no_font_has_is_said_and_never_a_box(house, tmp_path):
    with pytest.raises(BookError, match=r"no font has 后 \(U\+540E\).*fonts-noto-cjk.*--fonts"):
        as_pdf.pdf(extract(house, "han"), system_fonts=False)
    assert NAMES["rus"] in text_of(as_pdf.pdf(extract(house, "rus", language="ru"), system_fonts=False))


def test_more_lines_than_paper_holds_are_said(house, monkeypatch):
    monkeypatch.setattr(as_pdf, "MOST_LINES", 2)
    with pytest.raises(BookError, match="more than 2 lines in EUR: take a shorter span"):
        as_pdf.pdf(extract(house, "rus"))


@pytest.mark.parametrize(("form", "module"), [("xlsx", "xlsxwriter"), ("pdf", "typst")])
def test_a_part_that_is_not_installed_is_named(house, tmp_path, monkeypatch, form, module):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(BookError, match=rf"needs {module}: pip install 'houbao\[books\]'"):
        made(house, tmp_path, form)
    assert list(tmp_path.iterdir()) == []


def test_a_statement_that_is_not_there_is_said(house, tmp_path):
    with pytest.raises(Refused) as refused:
        made(house, tmp_path, "csv", "nobody")
    assert refused.value.code == "unknown_store"
    with pytest.raises(CommandFailed, match="no entries in USD"):
        made(house, tmp_path, "csv", currency="USD")
    with pytest.raises(CommandFailed, match="is before"):
        made(house, tmp_path, "csv", start="2026-07-02", end="2026-07-01")


def test_every_word_of_a_statement_is_there_in_every_language():
    source = (ROOT / "src/houbao/core/ledger.py").read_text(encoding="utf-8")
    inside = {"reserve", "backstop", "capital", "cash_move", "payout_fee", "exchange", "exchange_returned"}
    kinds = set(re.findall(r'\("(\w+)", (?!")', source)) - inside - {"settlement", "difference"}
    families = {"heading": set(HEADINGS), "kind": kinds, "payer": set(get_args(Payer)), "reason": set(REASONS)}
    for family, names in families.items():
        for name in names:
            words = [word(family, name, language) for language in LANGUAGES]
            assert all(words), name
            assert re.search(r"[\u4e00-\u9fff]", words[1]), name
            assert re.search(r"[а-я]", words[4].lower()), name


def test_what_a_line_was_for_stands_beside_it(house, tmp_path):
    rows = [*csv.DictReader(io.StringIO(made(house, tmp_path, "csv", "han").decode()))]
    refund = next(row for row in rows if row["kind"] == "refund")
    assert (refund["reason"], refund["payer"], refund["rule"]) == ("damaged", "fund", "verify")
    assert refund["order_reference"].startswith("order-")
    text = made(house, tmp_path, "camt053", "han").decode()
    assert f"<Ustrd>dispute: {refund['dispute_id']}</Ustrd>" in text
    assert BUYER.id not in re.findall(r"\w+", text)
