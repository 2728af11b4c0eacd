"""A statement on paper, set by typst: the same statement gives the same bytes.

A character that no font has would be printed as an empty box, in silence. So all characters are looked at first: each
is drawn by itself, and compared with one that no font can have.
"""

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC
from functools import partial
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from babel.numbers import format_decimal

from houbao.books.extract import BookError, Extract, Language, Line, Sheet, dispute_of, order_of
from houbao.books.words import HEADINGS, word
from houbao.core.money import DIGITS, decimal

FONTS = ("Libertinus Serif", "Noto Serif CJK SC", "Noto Sans CJK SC", "Source Han Serif SC", "DejaVu Sans")
"""The first comes with typst; what it lacks is taken from those that follow, then from any other font there is."""

MOST_LINES = 20_000
LOCALES: dict[Language, str] = {"en": "en", "zh": "zh_Hans", "es": "es", "pt": "pt_BR", "ru": "ru"}
NOBODY_HAS = "\U0010ffff"
_PROBE = """#set text(font: json(bytes(sys.inputs.fonts)))
#for one in json(bytes(sys.inputs.characters)) { page(width: 40pt, height: 40pt, margin: 5pt, one) }
"""
_GLYPH = re.compile(rb'href="#(g[0-9A-F]+)"')


def pdf(extract: Extract, fonts: Path | None = None, *, system_fonts: bool = True) -> bytes:
    """The statement as PDF, with more fonts from a folder. Raises BookError where typst is missing, where no font has a
    character, or for more than MOST_LINES lines."""
    told = _told(extract)
    if lacking := missing(_characters(told), fonts, system_fonts=system_fonts):
        some = ", ".join(f"{one} (U+{ord(one):04X})" for one in lacking[:5])
        raise BookError(
            f"no font has {some}{' …' if lacking[5:] else ''}: install one that does (for Chinese Debian's"
            " fonts-noto-cjk), or name a folder of fonts with --fonts"
        )
    source = files("houbao.books").joinpath("statement.typ").read_bytes()
    return bytes(_typeset(fonts, system_fonts)(source, format="pdf", sys_inputs={"told": json.dumps(told)}))


def missing(characters: Iterable[str], fonts: Path | None = None, *, system_fonts: bool = True) -> list[str]:
    """Those of the characters that no font has. Raises BookError where typst is missing."""
    asked = list(characters)
    inputs = {"fonts": json.dumps(FONTS), "characters": json.dumps([NOBODY_HAS, *asked])}
    pages = _typeset(fonts, system_fonts)(_PROBE.encode(), format="svg", sys_inputs=inputs)
    box, *drawn = [_GLYPH.findall(page) for page in pages]
    return [one for one, glyphs in zip(asked, drawn, strict=True) if set(glyphs) & set(box)]


def _typeset(fonts: Path | None, system_fonts: bool) -> Callable[..., Any]:
    found = [str(fonts)] if fonts else []
    return partial(_typst().compile, font_paths=found, ignore_system_fonts=not system_fonts)


def _typst() -> Any:
    try:
        return import_module("typst")
    except ImportError:
        raise BookError("a PDF needs typst: pip install 'houbao[books]'") from None


def _characters(told: Any) -> list[str]:
    """Every character that would be drawn, once."""
    match told:
        case str():
            return sorted({one for one in told if not one.isspace()})
        case dict():
            return _characters("".join("".join(_characters(value)) for value in told.values()))
        case list() | tuple():
            return _characters("".join("".join(_characters(value)) for value in told))
        case _:
            return []


def _told(extract: Extract) -> dict[str, Any]:
    language = extract.language
    return {
        "title": f"{word('heading', 'statement', language)} {extract.store}",
        "language": language,
        "fonts": FONTS,
        "words": {name: word("heading", name, language) for name in HEADINGS},
        "store": extract.store,
        "name": extract.name,
        "first": str(extract.first),
        "last": str(extract.last),
        "made": f"{extract.made_at.astimezone(UTC):%Y-%m-%d %H:%M}",
        "sheets": [_sheet(extract, sheet) for sheet in extract.sheets],
    }


def _sheet(extract: Extract, sheet: Sheet) -> dict[str, Any]:
    code = sheet.currency
    lines: list[list[str]] = []
    incoming = outgoing = 0
    for line in sheet.lines:
        if len(lines) == MOST_LINES:
            raise BookError(f"the statement has more than {MOST_LINES:,} lines in {code}: take a shorter span")
        incoming += max(line.entry.minor, 0)
        outgoing -= min(line.entry.minor, 0)
        lines.append(_row(extract, line))
    totals = {"opening": sheet.opening, "incoming": incoming, "outgoing": outgoing, "closing": sheet.closing}
    amounts = {name: _amount(minor, code, extract.language) for name, minor in totals.items()}
    return {"currency": code, "lines": lines, **amounts}


def _row(extract: Extract, line: Line) -> list[str]:
    entry, purpose, language = line.entry, line.purpose, extract.language
    about = (
        purpose.order or order_of(extract, line),
        purpose.dispute or dispute_of(extract, line),
        word("reason", purpose.reason, language),
        purpose.rule.replace("_", " "),
    )
    return [
        f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M}",
        word("kind", entry.kind, language),
        " · ".join(text for text in about if text),
        _amount(entry.minor, entry.currency, language),
        _amount(entry.balance, entry.currency, language),
    ]


def _amount(minor: int, currency: str, language: Language) -> str:
    """The amount as people of that language write it."""
    digits = DIGITS[currency]
    pattern = f"#,##0.{'0' * digits}" if digits else "#,##0"
    return format_decimal(decimal(minor, currency), pattern, locale=LOCALES[language], decimal_quantization=False)
