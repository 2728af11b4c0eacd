"""`houbao db …` and `houbao verify`: making a database, and deriving everything in it again."""

from datetime import UTC, datetime

from houbao.commands.terminal import CommandFailed, opened, settings
from houbao.core.money import DIGITS
from houbao.core.programme import Mode
from houbao.store.verify import verify
from houbao.wiring import create_database, path_of

SHOWN = 20
"""How many differences are shown; in JSON five times as many."""


def make(database: str | None, currency: str, parts: int, mode: Mode = "capital", also: tuple[str, ...] = ()) -> str:
    """Make the database if there is none; returns what to say. Raises CommandFailed."""
    if parts != 1:
        raise CommandFailed("this version has one part; more parts come with PostgreSQL")
    for code in (currency, *also):
        if code not in DIGITS:
            raise CommandFailed(f"{code!r} is not an ISO 4217 currency")
    url = settings(database).database_url
    if path_of(url).exists():
        with opened(database):
            return f"{path_of(url)} is up to date; options make new ones alone"
    create_database(url, currency=currency, launched_at=datetime.now(UTC), mode=mode, also_covers=also)
    return f"{path_of(url)} made: programme `standard` in {currency}, one part"


def differences(database: str | None) -> list[str]:
    """Where what is stored is not what the events say. Raises CommandFailed where there is no database."""
    path = path_of(settings(database).database_url)
    if not path.exists():
        raise CommandFailed(f"no database at {path}: `houbao db upgrade` makes one, `houbao demo` a demonstration")
    return [str(difference) for difference in verify(path)]


def told(found: list[str]) -> list[str]:
    """They as lines of text."""
    more = [f"verify: … {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return [*(f"verify: {difference}" for difference in found[:SHOWN]), *more] or ["verify: ok"]
