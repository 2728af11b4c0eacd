"""What is said to somebody who reads it elsewhere than in the console: in their language, by their clocks.

Messages are English sentences; catalogues (`engine/locale/*/LC_MESSAGES/letters.po`) hold the other languages.
`%(name)s` is filled in. Babel is imported when the first word is said.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from houbao.core import money
from houbao.core.calendars import zone_of

if TYPE_CHECKING:
    from babel.support import NullTranslations

LANGUAGES = {"en": "English", "zh-Hans": "简体中文", "es": "Español", "pt-BR": "Português (Brasil)", "ru": "Русский"}
"""Language → its own name. English is what messages are written in; each of the others has a catalogue."""
LOCALE = Path(__file__).parent / "locale"


def N_(message: str) -> str:
    """Marks a message that is said later."""
    return message


def catalogue(language: str) -> Path:
    """Where a language's messages are."""
    return LOCALE / language.replace("-", "_") / "LC_MESSAGES" / "letters.po"


def language_of(tag: str) -> str:
    """The language that a reader who wants `tag` (BCP 47, such as zh-CN) is spoken to in; English for all unknown."""
    first = tag.lower().partition("-")[0]
    return next((language for language in LANGUAGES if language.partition("-")[0] == first), "en")


def compiled(path: Path, language: str) -> "NullTranslations":
    """A catalogue's messages; none where there is no such file, as for English. Compiled when they are read, so that no
    binary is kept."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po
    from babel.support import NullTranslations, Translations

    if not path.exists():
        return NullTranslations()
    messages = BytesIO()
    with path.open("rb") as file:
        write_mo(messages, read_po(file, locale=language.replace("-", "_")))
    messages.seek(0)
    return Translations(messages)


@lru_cache
def _messages(language: str) -> "NullTranslations":
    return compiled(catalogue(language), language)


def written(minor: int, currency: str, locale: str) -> str:
    """An amount as a locale of CLDR writes it, its symbol where the locale has it: €25.00; 25,00 €. Its decimals are
    those of ISO 4217."""
    from babel.numbers import format_currency

    amount, pattern = Decimal(money.decimal(minor, currency)), _pattern(currency, locale)
    return str(format_currency(amount, currency, pattern, locale=locale, currency_digits=False))


def unpointed(told: str) -> str:
    """A date without the points of its abbreviations, which would meet the one that ends a sentence: 14 de jul."""
    return re.sub(r"(?<=[^\W\d_])\.", "", told)


@lru_cache
def symbols(currency: str) -> tuple[str, ...]:
    """How the languages write a currency, without spaces, the longest first: US$, $."""
    from babel.numbers import get_currency_symbol

    written_so = (get_currency_symbol(currency, language.replace("-", "_")) for language in LANGUAGES)
    known = {"".join(symbol.split()) for symbol in written_so}
    return tuple(sorted(known, key=len, reverse=True))


@lru_cache
def _pattern(currency: str, locale: str) -> str:
    """The locale's own pattern, with the currency's decimals. A symbol that ends in a letter stands apart."""
    from babel import Locale
    from babel.numbers import get_currency_symbol

    digits = money.DIGITS[currency]
    usual = Locale.parse(locale).currency_formats["standard"].pattern
    pattern = usual.replace("0.00", "0." + "0" * digits if digits else "0")
    apart = get_currency_symbol(currency, locale)[-1].isalpha()
    return pattern.replace("¤#", "¤\N{NO-BREAK SPACE}#") if apart else pattern


class Speech:
    """Says things to one reader: `language` is a tag of BCP 47, `zone` an IANA name; an unknown zone is told in UTC."""

    def __init__(self, language: str = "", zone: str = "UTC") -> None:
        self.language = language_of(language)
        known = zone_of(zone)
        self._zone, self._zone_name = (known, zone) if known and zone != "UTC" else (UTC, "")
        self._locale = self.language.replace("-", "_")

    def say(self, message: str, **values: object) -> str:
        """A message in the reader's language, with its values."""
        if not message:
            return ""
        said = str(_messages(self.language).ugettext(message))
        return said % values if values or "%(" in said else said

    def join(self, sentences: Iterable[str]) -> str:
        """Sentences one behind the other: Chinese has no space between them."""
        return ("" if self.language.startswith("zh") else " ").join(filter(None, sentences))

    def money(self, minor: int, currency: str) -> str:
        """An amount as the reader's language writes it: €25.00."""
        return written(minor, currency, self._locale)

    def when(self, at: datetime | None) -> str:
        """A time as the reader's clocks show it, with UTC beside it: no clock change leaves a doubt. Seconds are cut,
        so that nobody is told to have longer than they have."""
        if at is None:
            return self.say(N_("the time in our latest mail"))
        utc = at.astimezone(UTC)
        if not self._zone_name:
            return self.say(N_("%(time)s UTC"), time=self._told(utc))
        from babel.dates import get_timezone_location

        local = at.astimezone(self._zone)
        beside = f"{utc:%H:%M}" if utc.date() == local.date() else self._told(utc)
        place = get_timezone_location(self._zone_name, locale=self._locale, return_city=True)
        return self.say(N_("%(time)s %(place)s time (%(utc)s UTC)"), time=self._told(local), place=place, utc=beside)

    def _told(self, at: datetime) -> str:
        from babel.dates import format_datetime

        return unpointed(str(format_datetime(at, self.say(N_("EEE dd MMM y, HH:mm")), locale=self._locale)))
