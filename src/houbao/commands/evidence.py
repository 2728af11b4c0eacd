"""`houbao evidence …`: photographs into the folder of evidence, and out of it for good."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter, validators

from houbao.commands.options import DatabaseUrl, Json
from houbao.commands.terminal import CommandFailed, opened, say, settings

if TYPE_CHECKING:
    from houbao.gateways.evidence import EvidenceFolder

evidence_app = App(name="evidence", help="Photographs as evidence: take one in, erase one.")


@evidence_app.command
def add(file: Path, *, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Take a photograph in and print the digest by which disputes name it. Nothing but its pixels is kept."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"cannot read {file}: {error.strerror}") from None
    kept = _folder(database).keep(content)
    said = f"{kept.digest} · {kept.media}, {kept.width} × {kept.height}, {kept.bytes:,} bytes"
    say(kept, [said], as_json=as_json)


@evidence_app.command
def erase(digest: str, *more: str, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Erase photographs by their digests, for good; what names them stays, and shows nothing. Twice is as once."""
    evidence = _folder(database)
    done = {one: evidence.erase(one) for one in (digest, *more)}
    answer = {
        "erased": [one for one, was in done.items() if was],
        "unknown": [one for one, was in done.items() if not was],
    }
    lines = [f"{one} {'erased' if was else 'was not there'}" for one, was in done.items()]
    say(answer, lines, as_json=as_json)


@evidence_app.command
def tidy(
    *,
    days: Annotated[int, Parameter(help="How long ago it was sent", validator=validators.Number(gte=1))] = 30,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Erase photographs that were sent long ago and that no dispute names."""
    from datetime import UTC, datetime, timedelta

    from houbao.store.queries import evidence_named

    with opened(database) as house:
        old = house.evidence.sent_before(datetime.now(UTC) - timedelta(days=days))
        named = evidence_named(house.database.connection, 0) if old else set()
        erased = [digest for digest in old if digest not in named and house.evidence.erase(digest)]
    say({"erased": erased}, [f"{len(erased)} photographs erased that no dispute names"], as_json=as_json)


def _folder(database: str | None) -> "EvidenceFolder":
    from houbao.wiring import evidence_of

    return evidence_of(settings(database))
