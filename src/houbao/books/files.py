"""A provider's or a bank's file, whatever its format is: that is seen by what stands in it."""

from pathlib import Path

from houbao.books.bank import read_xml
from houbao.books.external import MOST_BYTES, File
from houbao.books.extract import BookError
from houbao.books.stripe import is_report, read_csv, read_json


def read_file(path: Path) -> File:
    """What the file says. Raises BookError: cannot be read, of no format that is known, or damaged."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BookError(f"{path} has more than {MOST_BYTES >> 20} MiB: take a shorter span")
        data = path.read_bytes()
    except OSError as error:
        raise BookError(f"cannot read {path}: {error.strerror or error}") from None
    try:
        return _read(data)
    except BookError as error:
        raise BookError(f"{path}: {error}") from None


def _read(data: bytes) -> File:
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise BookError("the file is empty")
    if start.startswith(b"<") or data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return read_xml(data)
    if start.startswith((b"{", b"[")):
        return read_json(start)
    if is_report(start.splitlines()[0].decode("utf-8", "replace")):
        return read_csv(start)
    raise BookError(
        "neither Stripe's balance transactions (JSON, or a report as CSV) nor a bank's camt.053 (XML): give the file as"
        " it was downloaded"
    )
