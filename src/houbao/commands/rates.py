"""`houbao rates`: exchange rates into a database, from a file or from the European Central Bank itself."""

from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from houbao.core.exchange import Rate
from houbao.gateways.rates import fetch, read, read_file
from houbao.store.rates import keep, latest
from houbao.wiring import House


class Taken(Struct, frozen=True):
    """What became of a file of rates: how many, of which days, and which currencies ISO 4217 no longer lists."""

    new: int
    known: int
    first: str
    last: str
    left_out: tuple[str, ...]


def take(house: House, source: Path | str) -> Taken:
    """Keep the rates of a file, or of what is fetched from an address.

    Raises RatesError; Refused: rate_changed."""
    published = read_file(source) if isinstance(source, Path) else read(fetch(source))
    kept = keep(house.database, published.rates)
    days = [rate.published_at for rate in published.rates]
    first, last = (f"{day:%Y-%m-%d}" for day in (min(days), max(days)))
    return Taken(kept.new, kept.known, first, last, published.unknown)


def listed(house: House) -> list[Rate]:
    """The last rate of each currency."""
    return latest(house.database.connection)


def told(answer: Taken | list[Rate]) -> list[str]:
    """Either answer as lines of text."""
    if isinstance(answer, Taken):
        lines = [f"Rates of {answer.first} to {answer.last}: {answer.new:,} new, {answer.known:,} known already"]
        if answer.left_out:
            lines.append(f"Left out, no currencies of ISO 4217 any more: {', '.join(answer.left_out)}")
        return lines
    if not answer:
        return ["No rates: `houbao rates FILE` or `houbao rates --fetch` brings them in."]
    return [
        f"1 {rate.base} = {Decimal(rate.numerator) / rate.denominator:.9g} {rate.quote},"
        f" from {rate.published_at:%Y-%m-%d %H:%M} UTC ({rate.source})"
        for rate in answer
    ]
