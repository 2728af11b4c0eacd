"""`houbao policy publish`, `list`, `promise`: which policy version is in force when, and what it means for a store."""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from houbao.commands.times import time_of
from houbao.core.policy_file import parse_policy
from houbao.core.programme import policy_in_force
from houbao.core.promise import Section, promise
from houbao.core.terms import Refused
from houbao.shipped import policy_text
from houbao.store.deeds import COMMAND_LINE
from houbao.store.policies import Version, programme_of, publish_text
from houbao.wiring import House


class Published(Struct):
    """What came of publishing. `new` is false where the same text was there already: then nothing changed."""

    policy: Version
    new: bool

    def told(self) -> str:
        """It as a line of text."""
        policy = self.policy
        assert policy.start is not None
        said = "published" if self.new else "was published before, nothing changed"
        since = f"in force in {policy.programme} from {policy.start:%Y-%m-%d %H:%M:%S} UTC"
        return f"version {policy.version} {said}: {since}, SHA-256 {policy.digest}"


def publish(house: House, text: str, programme: str, start: str) -> Published:
    """Publish a policy's text; `start` as written on the command line, empty for now. Raises as `publish_text`."""
    at = time_of("--from", start) if start else None
    wall = datetime.now(UTC)
    done = publish_text(house.database, programme, text, house.clock(), at, by=COMMAND_LINE, wall=wall)
    return Published(*done)


def listed(versions: list[Version]) -> list[str]:
    """The versions as lines of text."""
    width = max(len("version"), *(len(one.version) for one in versions))
    lines = [f"{'version':<{width}}  {'programme':<12} {'from (UTC)':<19} {'state':<8}  SHA-256"]
    for one in versions:
        since = f"{one.start:%Y-%m-%d %H:%M:%S}" if one.start else "-"
        state = one.state.replace("_", " ")
        lines.append(f"{one.version:<{width}}  {one.programme or '-':<12} {since:<19} {state:<8}  {one.digest}")
    return lines


class Page(Struct):
    """What the guarantee does for a store, under one policy version."""

    version: str
    title: str
    sections: Sequence[Section]

    def told(self) -> list[str]:
        """It as lines of text."""
        lines = [f"{self.title}, version {self.version}: what the guarantee does for you"]
        for section in self.sections:
            lines += ["", section.title, *(f"  {line}" for line in section.lines)]
        return lines


def promised(house: House, version: str, programme: str) -> Page:
    """The page of a version, empty for the one in force in the programme now.

    Raises Refused: unknown_programme, no_policy."""
    known = programme_of(house.database.connection, programme)
    wanted = version or policy_in_force(known, house.clock())
    text = house.database.policy_text(wanted)
    if text is None:
        raise Refused("no_policy", f"no policy version {wanted!r} in this database")
    policy = parse_policy(text)
    return Page(policy.version, policy.title, promise(policy, known.currency, known.mode))


def promised_as_shipped() -> Page:
    """The page of the shipped policy, in EUR, for a fund that the platform fills."""
    policy = parse_policy(policy_text())
    return Page(policy.version, policy.title, promise(policy, "EUR", "capital"))
