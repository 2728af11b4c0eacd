"""`houbao export lake DIR`: all of the past as Parquet."""

from collections.abc import Callable
from pathlib import Path

from houbao.commands.terminal import CommandFailed
from houbao.insight.lake import Manifest, write_lake
from houbao.store import history
from houbao.store.reading import reading
from houbao.wiring import House

MISSING = "{what} needs {needs}, which comes with the extra `{extra}`: pip install 'houbao[{extra}]'"


def need(what: str, extra: str, *modules: str) -> None:
    """Raises CommandFailed where a library that comes with an extra is not installed."""
    from importlib.util import find_spec

    if missing := [name for name in modules if find_spec(name) is None]:
        raise CommandFailed(MISSING.format(what=what, needs=" and ".join(missing), extra=extra))


def export(house: House, folder: Path, progress: Callable[[str, int, int], None]) -> Manifest:
    """Write the lake, in one read transaction, beside whoever writes. Raises LakeError, CommandFailed."""
    need("the lake", "analytics", "pyarrow")
    with reading(house.database.path) as connection:
        return write_lake(folder, history.past(connection, 0), house.clock(), progress)


def told(folder: Path, manifest: Manifest) -> list[str]:
    """What was written, as lines of text."""
    (head,) = manifest.parts
    lines = [f"{folder}: the past up to event {head.position:,}, booked {head.booked_at:%Y-%m-%d %H:%M:%S} UTC"]
    for name, filed in manifest.tables.items():
        months = [*filed.months]
        span = f"{months[0]} to {months[-1]}" if months else "no month"
        lines.append(f"  {name:<10} {filed.rows:>12,} rows, {span}")
    lines.append(f"  chain head {head.chain}")
    return lines
