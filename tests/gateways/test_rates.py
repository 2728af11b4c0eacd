"""The files of the European Central Bank as published, what is wrong in others by line, and a server on loopback that
behaves as servers do. Nothing here leaves the machine."""

import re
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest

from houbao.core.exchange import Rate, rate_at, settle
from houbao.gateways import rates as gateway
from houbao.gateways.rates import Published, RatesError, fetch, read, read_file

HISTORY = Path(__file__).parents[2].parent / "shared" / "data" / "rates" / "eurofxref-hist.zip"
published_history = pytest.mark.skipif(not HISTORY.exists(), reason="the published rates are not here")

CSV = """\
Date,USD,JPY,CYP,ISK,
2018-07-09,1.1789,130.21,N/A,125.2,
2018-07-06,1.1724,129.65,N/A,125.2,
2007-12-31,1.4721,164.93,0.585274,91.54,
"""
XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
    xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
  <Cube>
    <Cube time="2018-07-09"><Cube currency="USD" rate="1.1789"/><Cube currency="JPY" rate="130.21"/></Cube>
    <Cube time="2018-07-06"><Cube currency="USD" rate="1.1724"/><Cube currency="JPY" rate="129.65"/></Cube>
  </Cube>
</gesmes:Envelope>
"""
ONE_DAY = "Date, USD, JPY, \n09 July 2018, 1.1789, 130.21, \n"
SUNDAY = datetime(2018, 7, 8, 12, tzinfo=UTC)


def zipped(**files: str) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_", "."), text)
    return out.getvalue()


def told(published: Published) -> list[tuple[str, str, str]]:
    """(time, currency, rate) of every rate."""
    return [
        (f"{rate.published_at:%Y-%m-%d %H:%M}", rate.quote, str(Fraction(rate.numerator, rate.denominator)))
        for rate in published.rates
    ]


# --- files ---------------------------------------------------------------------------------------------------------


def test_the_history_is_read_with_its_gaps_and_without_currencies_that_are_no_more():
    published = read(CSV.encode())
    assert published.unknown == ("CYP",)
    assert len(published.rates) == 9
    assert all((rate.base, rate.source) == ("EUR", "ECB") for rate in published.rates)
    assert told(published)[:2] == [
        ("2018-07-09 14:00", "USD", str(Fraction("1.1789"))),
        ("2018-07-09 14:00", "JPY", str(Fraction("130.21"))),
    ]


def test_zip_csv_and_xml_say_the_same():
    of_csv = [rate for rate in read(CSV.encode()).rates if rate.quote != "ISK" and rate.published_at.year == 2018]
    assert list(read(XML.encode()).rates) == of_csv
    assert read(zipped(hist_csv=CSV)) == read(CSV.encode())
    assert read(zipped(daily_xml=XML)) == read(XML.encode())
    assert list(read(ONE_DAY.encode()).rates) == of_csv[:2]


@pytest.mark.parametrize("change", [lambda s: s.replace("\n", "\r\n"), lambda s: "\ufeff" + s, lambda s: s + "\n\n"])
def test_line_ends_and_marks_of_other_machines_change_nothing(change: Callable[[str], str]):
    assert read(change(CSV).encode()) == read(CSV.encode())
    assert read(change(XML).encode()) == read(XML.encode())


@pytest.mark.parametrize(
    ("found", "instead", "words"),
    [
        ("Date,", "Day,", "line 1: it must be the names of the columns"),
        ("130.21", "130,21", "line 2: 5 rates for 4 currencies"),
        ("1.1724,129.65", "1.1724", "line 3: 3 rates for 4 currencies"),
        ("129.65", "-129.65", "line 3, JPY: '-129.65' is not a rate"),
        ("129.65", "", "line 3, JPY: '' is not a rate"),
        ("129.65", "0.0", "line 3, JPY: 0/10 is no rate"),
        ("2018-07-06", "2018-02-30", "line 3: '2018-02-30' is not a day"),
        ("2018-07-06", "20180706", "line 3: '20180706' is not a day"),
        ("2018-07-06", "6 Juli 2018", "line 3: '6 Juli 2018' is not a day"),
        ("2018-07-06", "2018-07-09", "line 3: USD stands there twice for 2018-07-09"),
        ("2007-12-31", "2018-07-09", "line 4: the day 2018-07-09 stands there twice"),
        ("CYP", "cyp", "line 2: 'cyp' is not the code of a currency"),
        ("CYP", "EUR", "line 2: 'EUR' is not the code of a currency"),
        ("JPY", "USD", "line 2: USD stands there twice for 2018-07-09"),
        ("164.93", "164.93\xe9", "line 4: it has bytes that are no text"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(found: str, instead: str, words: str):
    assert found in CSV
    with pytest.raises(RatesError, match=re.escape(words)):
        read(CSV.replace(found, instead).encode())


@pytest.mark.parametrize(
    ("found", "instead", "words"),
    [
        ("</Cube>\n  </Cube>", "</Cube>", "line 9: not XML: mismatched tag"),
        ('rate="129.65"', "", "line 8, JPY: '' is not a rate"),
        ('time="2018-07-06"', "", "line 8: USD stands there twice for 2018-07-09"),
        ('time="2018-07-09"', "", "line 7: '' is not a day"),
        (
            "<gesmes:Envelope",
            '<!DOCTYPE x [<!ENTITY a "aa">]><gesmes:Envelope',
            "line 2: a file of rates has no document",
        ),
        ("Cube", "Square", "there are no rates in it"),
    ],
)
def test_what_is_wrong_in_xml_is_named_with_its_line(found: str, instead: str, words: str):
    assert found in XML
    with pytest.raises(RatesError, match=re.escape(words)):
        read(XML.replace(found, instead).encode())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1: it must be the names of the columns"),
        (b"Date,USD,\n", "there are no rates in it"),
        (b"<html><p>Maintenance</p></html>", "there are no rates in it"),
        (b"PK\x03\x04", "the zip is damaged"),
        (zipped(hist_csv=CSV)[:-30], "the zip is damaged"),
        (zipped(notes_txt=CSV), "the zip has 0 files of rates"),
        (zipped(one_csv=CSV, two_csv=CSV), "the zip has 2 files of rates"),
    ],
)
def test_a_file_of_something_else_is_said(content: bytes, words: str):
    with pytest.raises(RatesError, match=words):
        read(content)


def test_a_file_that_unpacks_to_too_much_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gateway, "MOST_BYTES", 1000)
    with pytest.raises(RatesError, match=r"hist\.csv is larger than 1000 bytes"):
        read(zipped(hist_csv=CSV + "\n" * 1000))
    (tmp_path / "hist.csv").write_text(CSV + "\n" * 1000)
    with pytest.raises(RatesError, match=r"hist\.csv is larger than 1000 bytes"):
        read_file(tmp_path / "hist.csv")


def test_a_file_is_read_from_a_disk(tmp_path: Path):
    (tmp_path / "any-name").write_text(CSV)
    assert read_file(tmp_path / "any-name") == read(CSV.encode())
    with pytest.raises(RatesError, match=r"cannot read .*: No such file"):
        read_file(tmp_path / "missing.csv")


# --- the history as published --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def history() -> tuple[Rate, ...]:
    return read_file(HISTORY).rates


@published_history
def test_the_whole_history_is_read(history: tuple[Rate, ...]):
    assert len(history) == 187_208
    assert history[-1].published_at == datetime(1999, 1, 4, 15, tzinfo=UTC)


@published_history
def test_a_refund_of_100_00_brl_on_a_sunday_settled_on_monday_costs_34_cents_more(history: tuple[Rate, ...]):
    approved = rate_at(history, "EUR", "BRL", SUNDAY)
    settled = rate_at(history, "EUR", "BRL", datetime(2018, 7, 9, 14, tzinfo=UTC))
    assert approved and settled
    assert Fraction(approved.numerator, approved.denominator) == Fraction("4.6279")
    assert Fraction(settled.numerator, settled.denominator) == Fraction("4.5564")
    done = settle(10000, "BRL", "EUR", approved=approved, settled=settled)
    assert (done.booked, done.taken, done.difference) == (2161, 2195, 34)


@published_history
def test_no_currency_that_is_still_published_was_ever_left_out_for_longer_than_a_rate_may_be_old(
    history: tuple[Rate, ...],
):
    stopped = {"ISK": datetime(2018, 2, 1, tzinfo=UTC)}
    last = max(rate.published_at for rate in history)
    at: dict[str, list[datetime]] = {}
    for rate in reversed(history):
        if rate.published_at >= stopped.get(rate.quote, rate.published_at):
            at.setdefault(rate.quote, []).append(rate.published_at)
    for currency, times in at.items():
        if times[-1] == last:
            gaps = [later - earlier for earlier, later in pairwise(times)]
            assert max(gaps).days <= 5, currency


# --- fetching ------------------------------------------------------------------------------------------------------


class Quiet(ThreadingHTTPServer):
    """A server that does not mind when nobody listens any more."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


class Scripted(BaseHTTPRequestHandler):
    """Answers by path."""

    def do_GET(self) -> None:
        """Behave as the path says."""
        self.server.asked.append((self.path, self.headers["User-Agent"]))  # type: ignore[attr-defined]
        body = CSV.encode()
        match self.path:
            case "/ok":
                self._say(200, body)
            case "/chunked":
                self._head(200, ("Transfer-Encoding", "chunked"))
                self.wfile.write(b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:50], body[50:], b"")))
            case "/chunk-cut":
                self._head(200, ("Transfer-Encoding", "chunked"))
                self.wfile.write(b"ff\r\n" + body[:50])
            case "/cut":
                self._head(200, ("Content-Length", "1000"))
                self.wfile.write(body[:100])
            case "/says-large":
                self._say(200, body, "9" * 18)
            case "/large":
                self._head(200)
                self.wfile.write(b"x" * 5000)
            case "/mute":
                time.sleep(1)
            case "/drip":
                self._head(200)
                for _ in range(20):
                    self.wfile.write(b"x")
                    time.sleep(0.1)
            case "/moved":
                self._head(302, ("Location", "/ok"))
            case "/moved-off":
                self._head(302, ("Location", "http://rates.example/ok"))
            case "/moved-to-file":
                self._head(302, ("Location", "file:///etc/hosts"))
            case "/loop":
                self._head(302, ("Location", "/loop"))
            case "/nonsense":
                self.wfile.write(b"nonsense\r\n\r\n")
            case "/nothing":
                pass
            case _:
                self._say(int(self.path[1:]), b"no")

    def _head(self, status: int, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.end_headers()

    def _say(self, status: int, body: bytes, length: str = "") -> None:
        self._head(status, ("Content-Length", length or str(len(body))))
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    with Quiet(("127.0.0.1", 0), Scripted) as server:
        server.asked = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def address(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize("path", ["/ok", "/chunked", "/moved"])
def test_a_file_is_fetched_whole(server: ThreadingHTTPServer, address: str, path: str):
    assert fetch(address + path) == CSV.encode()
    assert server.asked[-1][1].startswith("houbao/")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/404", "answered 404 Not Found"),
        ("/503", "answered 503 Service Unavailable"),
        ("/cut", "broke off after 100 of 1000 bytes"),
        ("/chunk-cut", "broke off"),
        ("/large", "is larger than 1000 bytes"),
        ("/says-large", "is larger than 1000 bytes"),
        ("/nonsense", "broke off: nonsense"),
        ("/nothing", "broke off|cannot be reached"),
        ("/loop", "answered 302"),
        ("/moved-off", "http://rates.example/ok is no https address"),
        ("/moved-to-file", "answered 302"),
    ],
)
def test_what_goes_wrong_on_the_way_is_said(address: str, path: str, words: str):
    with pytest.raises(RatesError, match=words):
        fetch(address + path, most=1000)


@pytest.mark.parametrize("path", ["/mute", "/drip"])
def test_a_server_that_takes_too_long_is_not_waited_for(address: str, path: str):
    with pytest.raises(RatesError, match=r"took longer than 0\.3 seconds"):
        fetch(address + path, seconds=0.3)


@pytest.mark.parametrize(
    "url",
    ["http://www.ecb.europa.eu/x.zip", "ftp://127.0.0.1/x", "file:///etc/hosts", "", "x", "https:[", "data:,Date"],
)
def test_only_https_is_asked(url: str):
    with pytest.raises(RatesError, match="is no https address"):
        fetch(url)


def test_nobody_listening_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Quiet(("127.0.0.1", 0), Scripted) as gone:
        port = gone.server_port
    with pytest.raises(RatesError, match="cannot be reached"):
        fetch(f"http://127.0.0.1:{port}/ok")


def test_https_without_a_known_certificate_is_not_believed(address: str):
    with pytest.raises(RatesError, match="cannot be reached"):
        fetch(address.replace("http:", "https:") + "/ok")
