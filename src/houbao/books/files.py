"""A provider's or a bank's file, whatever its format is: that is seen by what stands in it."""

from pathlib import Path

from houbao.books.bank import read_xml
from houbao.books.external import MOST_BYTES, File
from houbao.books.extract import BookError
from houbao.books.stripe import is_report, read_csv, read_json
from houbao.core.said import Said


def read_file(path: Path, name: str = "") -> File:
    """What the file says; it goes by its path, or by that name. Raises BookError: cannot be read, of no format that is
    known, or damaged."""
    name = name or str(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BookError(
                Said("%(file)s has more than %(most)s MiB: take a shorter span", file=name, most=MOST_BYTES >> 20)
            )
        data = path.read_bytes()
    except OSError as error:
        raise BookError(Said("cannot read %(file)s: %(error)s", file=name, error=error.strerror or error)) from None
    try:
        return _read(data)
    except BookError as error:
        raise BookError(Said("%(file)s: %(why)s", file=name, why=error.args[0])) from None


def _read(data: bytes) -> File:
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise BookError(Said("the file is empty"))
    if start.startswith(b"<") or data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return read_xml(data)
    if start.startswith((b"{", b"[")):
        return read_json(start)
    if is_report(start.splitlines()[0].decode("utf-8", "replace")):
        return read_csv(start)
    raise BookError(
        Said(
            "neither Stripe's balance transactions (JSON, or a report as CSV) nor a bank's camt.053 (XML): give the"
            " file as it was downloaded"
        )
    )
