"""`houbao policy publish` and `list`: which policy version is in force when."""

from msgspec import Struct

from houbao.commands.times import time_of
from houbao.store.policies import Version, publish_text
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
    return Published(*publish_text(house.database, programme, text, house.clock(), at))


def listed(versions: list[Version]) -> list[str]:
    """The versions as lines of text."""
    width = max(len("version"), *(len(one.version) for one in versions))
    lines = [f"{'version':<{width}}  {'programme':<12} {'from (UTC)':<19} {'state':<8}  SHA-256"]
    for one in versions:
        since = f"{one.start:%Y-%m-%d %H:%M:%S}" if one.start else "-"
        state = one.state.replace("_", " ")
        lines.append(f"{one.version:<{width}}  {one.programme or '-':<12} {since:<19} {state:<8}  {one.digest}")
    return lines
