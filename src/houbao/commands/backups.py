"""`houbao db backup` and `houbao db copy`: a database as it is at one moment, verified, in a file of its own."""

import sqlite3
from pathlib import Path

from msgspec import Struct

from houbao.commands.databases import check_parts
from houbao.commands.terminal import CommandFailed, settings
from houbao.settings import Settings
from houbao.store.backup import copy_to
from houbao.store.verify import verify
from houbao.wiring import evidence_of, path_of, provider_log_of


class Kept(Struct):
    """A copy: of what, where, how large, up to which event. `apart` is what belongs to the database and lies beside
    it: the copy does not hold that."""

    database: str
    file: str
    bytes: int
    events: int
    verify: str
    apart: list[str]

    def told(self) -> list[str]:
        """It in lines."""
        held = f"{self.file}: {self.bytes:,} bytes, {self.events:,} events, verify: {self.verify}"
        return [held, *(f"apart, copy it too: {place}" for place in self.apart)]


def backed_up(database: str | None, file: Path) -> Kept:
    """Copy the database to a new file. Raises CommandFailed."""
    return _kept(settings(database), file)


def copied(source: str, target: str, parts: int) -> Kept:
    """Copy a database to a new one, both named by their URLs. Raises CommandFailed, SettingsError."""
    check_parts(parts)
    return _kept(settings(source), path_of(target))


def _kept(asked: Settings, file: Path) -> Kept:
    source = path_of(asked.database_url)
    if not source.exists():
        raise CommandFailed(f"no database at {source}")
    try:
        copy_to(source, file)
    except FileExistsError:
        raise CommandFailed(f"{file} is there already: name a new file, nothing is written over") from None
    except (OSError, sqlite3.Error) as error:
        raise CommandFailed(f"{source} cannot be copied to {file}: {error}") from None
    if found := verify(file):
        raise CommandFailed(f"{file} is written, and is not what its events say: {found[0]} (houbao verify says all)")
    with sqlite3.connect(file) as copy:
        (events,) = copy.execute("SELECT count(*) FROM events").fetchone()
    copy.close()
    beside = (provider_log_of(source), Path(evidence_of(asked).folder))
    return Kept(
        database=str(source),
        file=str(file),
        bytes=file.stat().st_size,
        events=events,
        verify="ok",
        apart=[str(place) for place in beside if place.exists()],
    )
