"""A bank's statement is read in every version, and nothing in it can name a file or grow."""

from pathlib import Path

import pytest
from lxml import etree

from books.test_reconcile import compared, counts, txn
from given import DAY, FINANCE, Market, T, eur
from houbao.books.extract import BookError
from houbao.books.files import read_file
from houbao.commands.exporting import Asked, export_statement
from houbao.core.fund import MoveCash, PayDeposit
from houbao.core.terms import Actor
from houbao.settings import Settings
from houbao.wiring import House

XSD = Path(__file__).parents[3] / "shared" / "data" / "bank" / "xsd"
schema = pytest.mark.skipif(not XSD.is_dir(), reason="ISO's schemas are not at ../shared/data/bank/xsd")
VERSIONS = ["02", "04", "08"]
MOVE = "houbao fund cash-move sandbox"


def entry(minor, day, *, version, words="", status="BOOK", number="r1", details=""):
    side = "DBIT" if minor < 0 else "CRDT"
    amount = f'<Amt Ccy="EUR">{abs(minor) / 100:.2f}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
    booked = f"<Sts><Cd>{status}</Cd></Sts>" if version == "08" else f"<Sts>{status}</Sts>"
    details = details or part(minor, version, words)
    return (
        f"<Ntry>{amount}{booked}<BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{number}</AcctSvcrRef>"
        f"<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd><NtryDtls>{details}</NtryDtls></Ntry>"
    )


def part(minor, version, words):
    """One transaction of a batch."""
    side = "DBIT" if minor < 0 else "CRDT"
    amount = f'<Amt Ccy="EUR">{abs(minor) / 100:.2f}</Amt>'
    sides = f"<CdtDbtInd>{side}</CdtDbtInd>"
    told = f"<AmtDtls><TxAmt>{amount}</TxAmt></AmtDtls>" if version == "02" else f"{amount}{sides}"
    return f"<TxDtls><Refs/>{told}<RmtInf><Ustrd>{words}</Ustrd></RmtInf></TxDtls>"


def message(entries, version, head=""):
    balance = (
        '<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">0.00</Amt>'
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-07-08</Dt></Dt></Bal>"
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>m</MsgId><CreDtTm>2026-07-09T00:00:00Z</CreDtTm></GrpHdr>"
        "<Stmt><Id>s</Id><CreDtTm>2026-07-09T00:00:00Z</CreDtTm>"
        f"<Acct><Id><Othr><Id>a</Id></Othr></Id></Acct>{balance}{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


@pytest.fixture
def market(tmp_path):
    """At the bank: 1,000.00 of capital came in, a deposit of 50.00, and 300.00 went to the provider."""
    market = Market(tmp_path)
    market.accept(PayDeposit(store="oak", minor=eur("50.00"), currency="EUR"), FINANCE)
    market.accept(MoveCash(provider="sandbox", minor=eur("300.00"), currency="EUR"), FINANCE)
    return market


def whole(version):
    day = T.date()
    return [
        entry(100_000, day, version=version, words="capital", number="b1"),
        entry(5_000, day, version=version, words="deposit of oak", number="b2"),
        entry(-30_000, day, version=version, words="to the provider", number="b3"),
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_statement_that_agrees_is_even_in_every_version(market, tmp_path, version):
    done = compared(market, message(whole(version), version), tmp_path, name="bank.xml")
    assert counts(done) == (3, 0, 0, 0)
    assert done.account == "external:bank"
    assert done.format == f"a bank's statement (camt.053.001.{version})"


@schema
@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_read_here_is_valid_by_isos_own_schema(version):
    parts = part(1_000, version, "a") + part(500, version, "b")
    batch = entry(1_500, "2026-07-08", version=version, details=parts)
    valid = etree.XMLSchema(file=str(XSD / f"camt.053.001.{version}.xsd"))
    assert valid.validate(etree.fromstring(message([*whole(version), batch], version))), valid.error_log


@pytest.mark.parametrize("version", VERSIONS)
def test_an_entry_of_several_transactions_is_told_one_by_one(tmp_path, version):
    parts = part(1_000, version, "deposit order_0_5") + part(500, version, "b")
    path = tmp_path / "bank.xml"
    path.write_bytes(message([entry(1_500, "2026-07-08", version=version, details=parts)], version))
    first, second = read_file(path).lines
    assert (first.minor, second.minor) == (1_000, 500)
    assert "order_0_5" in first.tokens
    assert "order_0_5" not in second.tokens
    path.write_bytes(message([entry(1_600, "2026-07-08", version=version, details=parts)], version))
    (together,) = read_file(path).lines
    assert together.minor == 1_600


def test_what_is_not_booked_yet_is_passed_over(market, tmp_path):
    pending = entry(99, T.date(), version="08", status="PDNG", number="b9")
    done = compared(market, message([*whole("08"), pending], "08"), tmp_path, name="bank.xml")
    assert counts(done) == (3, 0, 0, 0)
    assert done.skipped == 1


@pytest.mark.parametrize(
    ("minor", "words", "command"),
    [
        (7_700, "from us", "houbao fund top-up 77.00 EUR --key reconcile-bank-b7"),
        (7_700, "Deposit of store oak, July", "houbao fund deposit oak 77.00 EUR --key reconcile-bank-b7"),
        (-7_700, "to sandbox", f"{MOVE} 77.00 EUR --key reconcile-bank-b7 --at 2026-07-08T00:00:00Z"),
        (7_700, "Payout of Sandbox", f"{MOVE} 77.00 EUR --key reconcile-bank-b7 --at 2026-07-08T00:00:00Z --back"),
    ],
)
def test_what_only_the_bank_has_comes_with_the_command_that_books_it(market, tmp_path, minor, words, command):
    told = [*whole("08"), entry(minor, T.date(), version="08", words=words, number="b7")]
    done = compared(market, message(told, "08"), tmp_path, name="bank.xml")
    assert [finding.command for finding in done.extra] == [command]


def test_a_payout_to_the_bank_that_was_booked_from_the_providers_file_is_known_in_the_banks(market, tmp_path):
    line = txn(6, -1_500, "payout", "po_1")
    (extra,) = compared(market, [line], tmp_path).extra
    assert extra.command == f"{MOVE} 15.00 EUR --key reconcile-txn_6 --at 2026-07-08T12:00:00Z --back"
    assert (extra.entry.source, extra.entry.target) == ("external:bank", "provider:sandbox")
    back = MoveCash(provider="sandbox", minor=1_500, currency="EUR", back=True)
    market.accept(back, Actor("finance", "command-line"), key="reconcile-txn_6")
    assert not compared(market, [line], tmp_path).extra
    told = [*whole("08"), entry(1_500, T.date(), version="08", words="po_1 of sandbox", number="b6")]
    assert compared(market, message(told, "08"), tmp_path, name="bank.xml").even


def test_a_payout_that_was_booked_weeks_later_is_known_in_the_banks_file_of_its_month(market, tmp_path, run):
    line = txn(6, -1_500, "payout", "po_1", at=T - 20 * DAY)
    (extra,) = compared(market, [line], tmp_path).extra
    run(extra.command)
    its_month = [entry(1_500, (T - 19 * DAY).date(), version="08", words="po_1 of sandbox", number="b6")]
    for told in (its_month, whole("08")):
        assert compared(market, message(told, "08"), tmp_path, name="bank.xml").even


def test_what_the_bank_tells_of_a_day_that_has_not_begun_in_utc_is_booked_as_of_now(market, tmp_path):
    tomorrow = entry(-7_700, (T + DAY).date(), version="08", words="to sandbox", number="b7")
    (extra,) = compared(market, message([*whole("08"), tomorrow], "08"), tmp_path, name="bank.xml").extra
    assert extra.command == f"{MOVE} 77.00 EUR --key reconcile-bank-b7"


def test_entries_without_a_number_of_their_own_are_told_apart_by_their_statement(tmp_path):
    ids = set()
    for statement in ("s", "s2"):
        told = message([entry(7_700, T.date(), version="08", number="")], "08").replace(
            b"<Id>s<", f"<Id>{statement}<".encode()
        )
        (tmp_path / "bank.xml").write_bytes(told)
        ids |= {line.id for line in read_file(tmp_path / "bank.xml").lines}
    assert len(ids) == 2


def altered(old, new):
    """A sound statement with one thing in it changed."""
    return message(whole("08"), "08").replace(old.encode(), new.encode())


LAUGHS = '<!DOCTYPE Document [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE Document [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (message([], "08", LAUGHS), "has a document type"),
        (message([], "08", OUTSIDE), "has a document type"),
        (message([], "08", '<!DOCTYPE Document SYSTEM "http://example.org/x.dtd">'), "has a document type"),
        (message([], "08"), "no line of it tells of cash"),
        (b"<html/>", "no message of ISO 20022"),
        (message([], "08")[:-5], "the XML is damaged"),
        (altered("camt.053.001.08", "camt.054.001.08"), "camt.054.001.08; it must be"),
        (altered("camt.053.001.08", "camt.053.001.99"), "camt.053.001.99; it must be"),
        (altered('Ccy="EUR">1000', 'Ccy="XXX">1000'), "statement 1, entry 1: 'XXX' is not"),
        (altered(">1000.00<", ">ten<"), "statement 1, entry 1: 'ten' is not an amount"),
        (altered("DBIT", "DEBT"), "statement 1, entry 3: CdtDbtInd is 'DEBT'"),
        (altered("BookgDt>", "Other>"), "entry 1: it says neither"),
        (altered("2026-07-08</Dt></BookgDt>", "July</Dt></BookgDt>"), "'July' is no date"),
    ],
)
def test_a_damaged_or_dangerous_statement_is_said_with_its_place(tmp_path, content, said):
    path = tmp_path / "bank.xml"
    path.write_bytes(content)
    with pytest.raises(BookError, match=said):
        read_file(path)


def test_a_statement_of_houbaos_own_is_read_back(market, tmp_path):
    house = House(Settings(database_url=f"sqlite:///{market.database.path}"))
    path = tmp_path / "own.xml"
    export_statement(house, Asked(store="oak", form="camt053"), path, lambda *_: None)
    assert [line.minor for line in read_file(path).lines] == [entry.minor for entry in market.statement()]
    house.close()
