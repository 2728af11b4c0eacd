"""A bank's statement: ISO 20022 camt.053, versions 02, 04 and 08.

The XML is read by expat itself, and a document type is refused: without one there are no entities, neither large nor
from elsewhere.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from houbao.books.external import External, File, checked, file_of, tokens_of
from houbao.books.extract import BookError
from houbao.core.money import DIGITS, parse
from houbao.core.said import Said

VERSIONS = ("02", "04", "08")
_MESSAGE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(\w+\.\d{3}\.\d{3})\.(\d{2})", re.ASCII)


def read_xml(data: bytes) -> File:
    """The file of a bank's statement; what is not booked yet is skipped. Raises BookError."""
    document = _parsed(data)
    space, _, name = document.tag.rpartition(" ")
    found = _MESSAGE.fullmatch(space)
    if name != "Document" or not found:
        raise BookError(Said("an XML file whose first element is %(name)s is no message of ISO 20022", name=repr(name)))
    message, version = found.groups()
    form = f"{message}.{version}"
    if message != "camt.053.001" or version not in VERSIONS:
        said = Said(
            "the message is %(message)s; it must be camt.053.001, version %(versions)s",
            message=form,
            versions=VERSIONS,
        )
        raise BookError(said)
    lines: list[External] = []
    skipped = 0
    for at, statement in enumerate(_all(document, "BkToCstmrStmt", "Stmt"), 1):
        named = _text(statement, "Id") or at
        for number, entry in enumerate(_all(statement, "Ntry"), 1):
            place = Said("statement %(at)s, entry %(number)s", at=at, number=number)
            if (_text(entry, "Sts", "Cd") or _text(entry, "Sts")) != "BOOK":
                skipped += 1
                continue
            lines += _lines(place, entry, f"{named}-{number}")
    return file_of(Said("a bank's statement (%(message)s)", message=form), "bank", lines, skipped)


def _parsed(data: bytes) -> Element:
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data

    def refuse(*_: object) -> None:
        raise BookError(
            Said("the XML has a document type: no bank's statement does, and it could name files or grow huge")
        )

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BookError(Said("the XML is damaged: %(error)s", error=error)) from None
    return builder.close()


def _lines(place: str, entry: Element, number: str) -> Iterator[External]:
    """One line for each transaction of the entry where each says its amount, else one for the whole."""
    whole, code = _amount(place, entry, "Amt")
    day = _day(place, entry)
    kind = _text(entry, "BkTxCd", "Prtry", "Cd") or _text(entry, "BkTxCd", "Domn", "Fmly", "SubFmlyCd") or "entry"
    own = _text(entry, "AcctSvcrRef")
    common = [own, _text(entry, "NtryRef"), _text(entry, "AddtlNtryInf")]
    sides = [(detail, _side(place, detail, entry)) for detail in _all(entry, "NtryDtls", "TxDtls")]
    parts = [(detail, side * _detail_amount(place, detail, code)) for detail, side in sides]
    total = _side(place, entry, entry) * whole
    if len(parts) > 1 and all(minor for _, minor in parts) and sum(minor for _, minor in parts) == total:
        for at, (detail, minor) in enumerate(parts, 1):
            tokens = tokens_of(*common, *_words(detail))
            yield External(
                Said("%(place)s, transaction %(number)s", place=place, number=at),
                f"{own or number}/{at}",
                day,
                minor,
                code,
                kind,
                tokens,
            )
        return
    tokens = tokens_of(*common, *(word for detail, _ in sides for word in _words(detail)))
    yield External(place, own or number, day, total, code, kind, tokens)


def _amount(place: str, node: Element, *path: str) -> tuple[int, str]:
    """(minor units, currency)."""
    found = _first(node, *path)
    if found is None:
        raise BookError(Said("%(place)s: the amount is missing", place=place))
    code = found.get("Ccy", "")
    if code not in DIGITS:
        raise BookError(Said("%(place)s: %(code)s is not a currency of ISO 4217", place=place, code=repr(code)))
    try:
        return checked(place, parse(found.text or "", code)), code
    except ValueError as error:
        raise BookError(Said("%(place)s: %(error)s", place=place, error=error)) from None


def _detail_amount(place: str, detail: Element, code: str) -> int:
    """What a transaction of an entry says of its own amount in the entry's currency; 0 where it does not."""
    for path in (("Amt",), ("AmtDtls", "TxAmt", "Amt")):
        if _first(detail, *path) is not None:
            minor, own = _amount(place, detail, *path)
            return minor if own == code else 0
    return 0


def _side(place: str, node: Element, entry: Element) -> int:
    side = _text(node, "CdtDbtInd") or _text(entry, "CdtDbtInd")
    if side not in ("CRDT", "DBIT"):
        raise BookError(Said("%(place)s: CdtDbtInd is %(side)s, neither CRDT nor DBIT", place=place, side=repr(side)))
    return 1 if side == "CRDT" else -1


def _day(place: str, entry: Element) -> date:
    for name in ("BookgDt", "ValDt"):
        for kind in ("Dt", "DtTm"):
            if text := _text(entry, name, kind):
                try:
                    return datetime.fromisoformat(text).date()
                except ValueError:
                    raise BookError(Said("%(place)s: %(text)s is no date", place=place, text=repr(text))) from None
    raise BookError(Said("%(place)s: it says neither when it was booked nor its value date", place=place))


# --- the tree ------------------------------------------------------------------------------------------------------


def _name(node: Element) -> str:
    return node.tag.rpartition(" ")[2]


def _all(node: Element, *path: str) -> list[Element]:
    """The elements at the end of a path of names."""
    found = [node]
    for name in path:
        found = [child for one in found for child in one if _name(child) == name]
    return found


def _first(node: Element, *path: str) -> Element | None:
    return next(iter(_all(node, *path)), None)


def _text(node: Element, *path: str) -> str:
    found = _first(node, *path)
    return (found.text or "").strip() if found is not None else ""


def _words(detail: Element) -> Iterator[str]:
    """Every text of what may name something of ours: references, what the payment is for, further words."""
    for name in ("Refs", "RmtInf", "AddtlTxInf"):
        for part in _all(detail, name):
            for node in part.iter():
                if node.text and node.text.strip():
                    yield node.text.strip()
