"""`houbao db …` and `houbao verify`: making a database, and deriving everything in it again."""

from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from houbao.commands.terminal import CommandFailed, opened, settings
from houbao.core.money import DIGITS
from houbao.core.programme import Mode
from houbao.store.verify import verify
from houbao.wiring import create_database, path_of

SHOWN = 20
"""How many differences are shown; in JSON five times as many."""


class Made(Struct):
    """A database that is there: whether it was made by this, and in which currency its programme then is."""

    path: str
    made: bool
    currency: str = ""
    parts: int = 1

    def told(self) -> str:
        """It in a line."""
        if not self.made:
            return f"{self.path} is up to date; options make new ones alone"
        return f"{self.path} made: programme `standard` in {self.currency}, one part"


def make(database: str | None, currency: str, parts: int, mode: Mode = "capital", also: tuple[str, ...] = ()) -> Made:
    """Make the database if there is none. Raises CommandFailed."""
    check_parts(parts)
    for code in (currency, *also):
        if code not in DIGITS:
            raise CommandFailed(f"{code!r} is not an ISO 4217 currency")
    url = settings(database).database_url
    if path_of(url).exists():
        with opened(database):
            return Made(str(path_of(url)), made=False)
    create_database(url, currency=currency, launched_at=datetime.now(UTC), mode=mode, also_covers=also)
    return Made(str(path_of(url)), made=True, currency=currency)


def check_parts(parts: int) -> None:
    """Raises CommandFailed for more parts than there may be."""
    if parts != 1:
        raise CommandFailed("this version has one part; more parts come with PostgreSQL")


def folder_beside(database: str | None) -> Path | None:
    """The folder of a database's file, which need not be there itself. Raises CommandFailed where there is none."""
    if database is None:
        return None
    folder = path_of(database).absolute().parent
    if not folder.is_dir():
        raise CommandFailed(f"no folder {folder}: name a file in one that is there")
    return folder


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
