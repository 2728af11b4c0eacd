"""What all commands share: opening a database, printing, and ending with a message a person can act on. Heavy imports
happen inside the functions, so that help is instant."""

import json
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from houbao.settings import Settings
    from houbao.wiring import House


class CommandFailed(Exception):
    """A command was refused or a check failed: exit 1, with the message."""


def settings(database: str | None = None) -> "Settings":
    """The settings, of another database where one is named."""
    from msgspec import structs

    from houbao import settings as kept

    loaded = kept.load()
    return structs.replace(loaded, database_url=database) if database else loaded


def named_database() -> str | None:
    """The database that the settings name, where they do: for commands that have something to show without one."""
    from houbao.settings import Settings

    url = settings().database_url
    return url if url != Settings().database_url else None


@contextmanager
def openable(database: str | None) -> Generator[None]:
    """Inside of it the database is opened. Raises CommandFailed where it cannot be."""
    import sqlite3

    from houbao.store.sqlite import DatabaseError

    try:
        yield
    except DatabaseError as error:
        raise CommandFailed(str(error)) from None
    except sqlite3.DatabaseError as error:
        raise CommandFailed(f"{settings(database).database_url} cannot be opened: {error}") from None


@contextmanager
def opened(database: str | None) -> "Generator[House]":
    """The database with all that serves it, closed afterwards. Raises CommandFailed where it cannot be used."""
    from houbao.wiring import House

    with openable(database):
        house = House(settings(database))
    try:
        yield house
    finally:
        house.close()


def say(answer: object, lines: Iterable[str], *, as_json: bool) -> None:
    """Print an answer: as one JSON document, or in lines."""
    if as_json:
        import msgspec

        print(json.dumps(msgspec.to_builtins(answer), ensure_ascii=False, indent=2))
    else:
        print("\n".join(lines))


def tell(error: Exception) -> None:
    """Leave with a message where the error is one that a person can mend."""
    from houbao.books.extract import BookError
    from houbao.core.policy import PolicyError
    from houbao.core.terms import Refused
    from houbao.feeds.mapping import FeedError
    from houbao.feeds.tables import OlistError
    from houbao.gateways.rates import RatesError
    from houbao.insight.engines import EngineError
    from houbao.insight.lake import LakeError
    from houbao.settings import SettingsError

    match error:
        case PolicyError():
            fail("the policy cannot be used:", *error.faults, code="bad_policy")
        case Refused():
            fail(f"refused ({error.code}): {error.detail}", code=error.code)
        case OlistError() | RatesError() | LakeError() | EngineError() | FeedError():
            fail(str(error))
        case SettingsError():
            print(f"houbao: {error}", file=sys.stderr)
            sys.exit(2)
        case BookError():
            fail(str(error))


def fail(*lines: str, code: str = "") -> None:
    """Say why, and leave with 1; whoever asked for one JSON document gets one that says so."""
    if "--json" in sys.argv[1:]:
        print(json.dumps({"error": "\n".join(lines), "code": code or None}, ensure_ascii=False, indent=2))
    print("houbao: " + "\n  ".join(lines), file=sys.stderr)
    sys.exit(1)
