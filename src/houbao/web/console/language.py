"""The reader's language, time zone and way of writing money: everything that a page says goes through a `Voice`.

Messages are English sentences in templates and Python; catalogues (`web/locale/*/LC_MESSAGES/console.po`) hold the
other languages. `%(name)s` is filled in, and
escaped.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.core import UnknownLocaleError, get_locale_identifier, parse_locale
from babel.dates import format_datetime, get_timezone_location
from babel.numbers import format_decimal
from babel.support import NullTranslations
from markupsafe import Markup, escape

from houbao.core import money
from houbao.core.calendars import zone_of
from houbao.core.exchange import Rate as ExchangeRate
from houbao.core.score import Rate
from houbao.engine.speech import LANGUAGES, compiled, unpointed, written

LOCALE = Path(__file__).parents[1] / "locale"
MINUS = "\u2212"


def N_(message: str) -> str:
    """Marks a message that is said later."""
    return message


def catalogue(language: str) -> Path:
    """Where a language's messages are."""
    return LOCALE / language.replace("-", "_") / "LC_MESSAGES" / "console.po"


@lru_cache
def translations(language: str) -> NullTranslations:
    """The messages of a language; English needs none."""
    return compiled(catalogue(language), language)


def negotiate(chosen: str, accepted: str) -> str:
    """The language of a reader: the one chosen, else the first of the browser's `Accept-Language` that there is."""
    if chosen in LANGUAGES:
        return chosen
    wishes: list[tuple[float, str]] = []
    for wish in accepted.split(","):
        name, _, weight = wish.partition(";q=")
        number = float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight.strip()) else 1.0
        wishes.append((-number, name.strip().lower()))
    for _, name in sorted(wishes, key=lambda wish: wish[0]):
        for language in LANGUAGES:
            if name.partition("-")[0] == language.partition("-")[0] and "hant" not in name:
                return language
    return "en"


class Voice:
    """Says things to one reader: `language` is one of LANGUAGES, `zone` an IANA name, `now` the database's time."""

    def __init__(self, language: str, zone: str, now: datetime) -> None:
        self.language = language if language in LANGUAGES else "en"
        self.locale = _locale(self.language)
        known = zone_of(zone)
        self.zone: tzinfo = known or UTC
        self.zone_name = zone if known else "UTC"
        self.now = now
        self.messages = translations(self.language)

    # --- words -----------------------------------------------------------------------------------------------------

    def say(self, message: str, /, **values: object) -> Markup:
        """A message in the reader's language; values are escaped, the message itself may hold tags."""
        return Markup(self.messages.ugettext(message) if message else "") % _shown(values)

    def say_n(self, one: str, many: str, n: int, /, **values: object) -> Markup:
        """A message that hangs on a count, which it shows as `%(n)s`."""
        return Markup(self.messages.ungettext(one, many, n)) % _shown({"n": self.count(n), **values})

    def listed(self, parts: list[str]) -> Markup:
        """A, B and C."""
        *most, last = [escape(part) for part in parts] or [Markup("")]
        if not most:
            return Markup(last)
        return self.say(N_("%(first)s and %(last)s"), first=self.say(N_(", ")).join(most), last=last)

    # --- money and figures -----------------------------------------------------------------------------------------

    def money(self, minor: int, currency: str) -> str:
        """An amount with its symbol: €25.00."""
        return (MINUS if minor < 0 else "") + written(abs(minor), currency, str(self.locale))

    def change(self, before: int, after: int, currency: str) -> str:
        """An amount that changes: €200.00 → €175.00; only the amount where it does not."""
        if before == after:
            return self.money(before, currency)
        return f"{self.money(before, currency)} → {self.money(after, currency)}"

    def amount(self, minor: int, currency: str, *, signed: bool = False) -> str:
        """An amount in a column whose head names the currency: 25.00; `signed`: +25.00, −25.00."""
        digits = money.DIGITS[currency]
        text = format_decimal(Decimal(money.decimal(abs(minor), currency)), format=_pattern(digits), locale=self.locale)
        return (MINUS if minor < 0 else "+" if signed else "") + text

    def count(self, n: int) -> str:
        """A whole number: 1,204."""
        return format_decimal(n, locale=self.locale)

    def percent(self, rate: Rate) -> str:
        """A share in per cent with two decimals, cut; "–" where there is nothing to be a share of."""
        if not rate.of:
            return "–"
        share = format_decimal(Decimal(rate.n * 10_000 // rate.of) / 100, format="#,##0.00", locale=self.locale)
        return str(self.say(N_("%(share)s %%"), share=share))

    def percent_of(self, ten_thousandths: int) -> str:
        """A share given in ten-thousandths: 5.00 %."""
        return self.percent(Rate(ten_thousandths, 10_000))

    def points(self, micros: int, *, signed: bool = False) -> str:
        """Points of the score, cut to two decimals: 86.25."""
        text = format_decimal(Decimal(abs(micros) // 10_000) / 100, format="#,##0.00", locale=self.locale)
        return (MINUS if micros < 0 else "+" if signed else "") + text

    def weight(self, ten_thousandths: int) -> str:
        """A weight in the search: 0.916."""
        return format_decimal(Decimal(ten_thousandths) / 10_000, format="0.000#", locale=self.locale)

    def thousandths(self, n: int) -> str:
        """A ratio given in thousandths: 1.204."""
        return format_decimal(Decimal(n) / 1000, format="#,##0.000", locale=self.locale)

    def rate(self, rate: ExchangeRate) -> str:
        """An exchange rate with six decimals: 1 EUR = 4.627900 BRL."""
        value = Decimal(rate.numerator * 1_000_000 // rate.denominator) / 1_000_000
        return f"1 {rate.base} = {format_decimal(value, format='0.000000', locale=self.locale)} {rate.quote}"

    # --- time ------------------------------------------------------------------------------------------------------

    def when(self, at: datetime) -> str:
        """A moment on the reader's clock, cut to the minute: Tue 14 Jul, 18:20; with the year where it is another."""
        pattern = N_("EEE d MMM, HH:mm") if self._this_year(at) else N_("EEE d MMM y, HH:mm")
        return self._format(at, pattern)

    def moment(self, at: datetime) -> str:
        """A moment with its seconds, where they matter: Tue 14 Jul 2026, 18:20:07."""
        return self._format(at, N_("EEE d MMM y, HH:mm:ss"))

    def dated(self, at: datetime) -> str:
        """A moment with its year: Tue 14 Jul 2026, 18:20."""
        return self._format(at, N_("EEE d MMM y, HH:mm"))

    def day(self, at: datetime | date) -> str:
        """A day: Tue 14 Jul."""
        pattern = N_("EEE d MMM") if self._this_year(at) else N_("EEE d MMM y")
        return self._format(at, pattern)

    def month(self, day: date) -> str:
        """A month: July 2026."""
        return self._format(day, N_("LLLL y"))

    def iso(self, at: datetime | date) -> str:
        """For the attribute `datetime`."""
        return at.astimezone(self.zone).isoformat(timespec="minutes") if isinstance(at, datetime) else at.isoformat()

    def place(self) -> Markup:
        """Whose clock it is: Berlin."""
        if self.zone_name in ("UTC", "Etc/UTC", "Etc/GMT", "GMT"):
            return Markup("UTC")
        return escape(get_timezone_location(self.zone_name, locale=self.locale, return_city=True))

    def left(self, due: datetime) -> Markup:
        """How long is left, in two units: 2 d 4 h left."""
        if due <= self.now:
            return self.say(N_("due now"))
        return self.say(N_("%(span)s left"), span=self.span(due - self.now))

    def span(self, wait: timedelta) -> Markup:
        """A stretch of time in its two largest units: 2 d 4 h, 3 h 20 min, 45 s."""
        seconds = int(wait.total_seconds())
        days, hours, minutes = seconds // 86_400, seconds % 86_400 // 3600, seconds % 3600 // 60
        if days:
            return self.say(N_("%(d)s d %(h)s h"), d=days, h=hours) if hours else self.say(N_("%(d)s d"), d=days)
        if hours:
            return (
                self.say(N_("%(h)s h %(m)s min"), h=hours, m=minutes) if minutes else self.say(N_("%(h)s h"), h=hours)
            )
        if minutes:
            return self.say(N_("%(m)s min"), m=minutes)
        return self.say(N_("%(s)s s"), s=seconds)

    def _format(self, at: datetime | date, pattern: str) -> str:
        local = at.astimezone(self.zone) if isinstance(at, datetime) else datetime(at.year, at.month, at.day)  # noqa: DTZ001
        return unpointed(format_datetime(local, str(self.say(pattern)), locale=self.locale))

    def _this_year(self, at: datetime | date) -> bool:
        year = at.astimezone(self.zone).year if isinstance(at, datetime) else at.year
        return year == self.now.astimezone(self.zone).year


@lru_cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(get_locale_identifier(parse_locale(language, sep="-")))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def _pattern(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, Markup) else escape(value) for name, value in values.items()}
