"""Reference rates of the European Central Bank: its published files, from a disk or fetched over https.

It reads the history (`eurofxref-hist.csv`, alone or in its zip), the last 90 days and the last day (`.xml`, `.csv`),
told apart by content, not by name. A file is taken whole or not at all.
"""

import http.client
import re
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener
from xml.parsers import expat

from msgspec import Struct

from houbao import __version__
from houbao.core.exchange import PIVOT, Rate, ecb_counts_from, parse_rate
from houbao.core.money import DIGITS
from houbao.core.terms import DETAIL

SOURCE = "ECB"
GAP = "N/A"

MOST_BYTES = 32 * 1024 * 1024
"""The largest file that is read, unpacked; the whole history of 1999 to 2026 has 2 MB."""

SECONDS = 30.0
"""How long a file may take on its way."""

_CHUNK = 64 * 1024
LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Names of this machine: what goes there, nobody on the way can read or change."""


class RatesError(Exception):
    """A file of rates that cannot be fetched or read: what was found, and in which line."""

    def __init__(self, words: str) -> None:
        super().__init__(words if len(words) <= DETAIL else f"{words[: DETAIL - 1]}…")


class Published(Struct, frozen=True):
    """What a file says. `unknown` names the currencies that were left out because ISO 4217 no longer lists them."""

    rates: tuple[Rate, ...]
    unknown: tuple[str, ...]


class Cell(NamedTuple):
    """One rate as it is written, and its line in the file."""

    line: int
    day: str
    currency: str
    text: str


# --- reading -------------------------------------------------------------------------------------------------------


def read_file(path: Path) -> Published:
    """The rates of a file. RatesError where it cannot be read."""
    try:
        with path.open("rb") as file:
            content = _at_most(file, path.name)
    except OSError as error:
        raise RatesError(f"cannot read {path}: {error.strerror or error}") from None
    return read(content)


def read(content: bytes) -> Published:
    """The rates of a file's bytes: CSV, XML, or a zip of one of them. RatesError names the line that is wrong."""
    if content.startswith(b"PK"):
        content = _unzipped(content)
    content = content.removeprefix(b"\xef\xbb\xbf")
    cells = _xml_cells(content) if content.lstrip().startswith(b"<") else _csv_cells(content)
    return _published(cells)


def _published(cells: Iterable[Cell]) -> Published:
    rates: list[Rate] = []
    unknown: dict[str, None] = {}
    days: dict[str, datetime] = {}
    today: str | None = None
    seen: set[str] = set()
    for line, day, currency, text in cells:
        if day != today:
            if day in days:
                raise RatesError(f"line {line}: the day {day} stands there twice")
            days[day] = ecb_counts_from(_day(line, day))
            today, seen = day, set()
        if not re.fullmatch(r"[A-Z]{3}", currency, re.ASCII) or currency == PIVOT:
            raise RatesError(f"line {line}: {currency!r} is not the code of a currency that has a rate in {PIVOT}")
        if currency in seen:
            raise RatesError(f"line {line}: {currency} stands there twice for {day}")
        seen.add(currency)
        if text == GAP:
            continue
        if currency not in DIGITS:
            unknown[currency] = None
            continue
        try:
            rates.append(parse_rate(PIVOT, currency, text, published_at=days[day], source=SOURCE))
        except ValueError as error:
            raise RatesError(f"line {line}, {currency}: {error}") from None
    if not rates:
        raise RatesError("there are no rates in it: take a file of the ECB's euro foreign exchange reference rates")
    return Published(tuple(rates), tuple(unknown))


def _day(line: int, text: str) -> date:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
            return date.fromisoformat(text)
        # The CSV of one day writes it out: 30 October 2026.
        return date(*time.strptime(text, "%d %B %Y")[:3])
    except ValueError:
        raise RatesError(f"line {line}: {text!r} is not a day such as 2026-10-30") from None


def _csv_cells(content: bytes) -> Iterator[Cell]:
    """A line of codes, then a line for each day; all may end with a comma."""
    try:
        lines = content.decode("ascii").splitlines()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise RatesError(f"line {line}: it has bytes that are no text") from None
    head, *codes = _cells(lines[0]) if lines else [""]
    if head != "Date" or not codes:
        raise RatesError("line 1: it must be the names of the columns, Date,USD,JPY and so on")
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        day, *texts = _cells(line)
        if len(texts) != len(codes):
            raise RatesError(f"line {number}: {len(texts)} rates for {len(codes)} currencies; is the file whole?")
        for code, text in zip(codes, texts, strict=True):
            yield Cell(number, day, code, text)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removesuffix(",").split(",")]


def _xml_cells(content: bytes) -> list[Cell]:
    """`<Cube time="…">` for each day, in it `<Cube currency="USD" rate="1.1172"/>` for each currency."""
    cells: list[Cell] = []
    day = ""

    def start(name: str, given: dict[str, str]) -> None:
        nonlocal day
        if name.rpartition(":")[2] != "Cube":
            return
        day = given.get("time", day)
        if "currency" in given:
            cells.append(Cell(parser.CurrentLineNumber, day, given["currency"], given.get("rate", "")))

    def refuse(*_: Any) -> None:
        raise RatesError(f"line {parser.CurrentLineNumber}: a file of rates has no document type definition")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    # Definitions can make a few bytes very many.
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise RatesError(f"line {error.lineno}: not XML: {expat.ErrorString(error.code)}") from None
    return cells


def _unzipped(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if name.endswith((".csv", ".xml"))]
            if len(names) != 1:
                raise RatesError(f"the zip has {len(names)} files of rates (.csv, .xml), one is needed")
            with archive.open(names[0]) as file:
                return _at_most(file, names[0])
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise RatesError(f"the zip is damaged or locked: {error}") from None


def _at_most(file: IO[bytes], name: str) -> bytes:
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise RatesError(f"{name} is larger than {MOST_BYTES} bytes")
    return content


# --- fetching ------------------------------------------------------------------------------------------------------


def fetch(url: str, *, seconds: float = SECONDS, most: int = MOST_BYTES) -> bytes:
    """The file at that address: https only (http on this machine), at most `most` bytes.

    `seconds` is for each step until the file begins to come, and then for all of it. RatesError says what went wrong.
    """
    _check_address(url)
    request = Request(url, headers={"User-Agent": f"houbao/{__version__}"})
    try:
        with build_opener(_Redirects).open(request, timeout=seconds) as answer:
            return _body(answer, url, seconds, most)
    except HTTPError as error:
        with error:
            raise RatesError(f"{url} answered {error.code} {error.reason}") from None
    except TimeoutError:
        raise _too_slow(url, seconds) from None
    except URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise _too_slow(url, seconds) from None
        raise RatesError(f"{url} cannot be reached: {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise RatesError(f"{url} broke off: {error or type(error).__name__}") from None


def _body(answer: http.client.HTTPResponse, url: str, seconds: float, most: int) -> bytes:
    length = answer.headers.get("Content-Length", "")
    announced = int(length) if length.isascii() and length.isdecimal() and len(length) < 19 else None
    until = time.monotonic() + seconds
    content = bytearray()
    # One piece at a time, for a server that sends a byte a second would never run into the socket's own limit.
    while piece := answer.read1(_CHUNK):
        content += piece
        if len(content) > most:
            break
        if time.monotonic() > until:
            raise _too_slow(url, seconds)
    if len(content) > most or (announced or 0) > most:
        raise RatesError(f"{url} is larger than {most} bytes")
    if announced is not None and len(content) < announced:
        raise RatesError(f"{url} broke off after {len(content)} of {announced} bytes")
    return bytes(content)


class _Redirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> Request | None:
        try:
            _check_address(newurl)
        except RatesError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        safe = (parts.scheme == "https" and parts.hostname) or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    except ValueError:
        safe = False
    if not safe:
        raise RatesError(f"{url} is no https address: rates decide amounts, so nobody may change them on the way")


def _too_slow(url: str, seconds: float) -> RatesError:
    return RatesError(f"{url} took longer than {seconds:g} seconds")
