"""`houbao export …`: its commands, thin; what they do is in modules of their own."""

from pathlib import Path

from cyclopts import App

from houbao.commands.options import DatabaseUrl, Json
from houbao.commands.terminal import opened, say

export_app = App(name="export", help="Everything that leaves in another program's form.")


@export_app.command
def lake(folder: Path, *, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Write events, disputes, transfers and orders as Parquet, a folder a month; an older lake there is replaced."""
    from houbao.commands import lakes, progress

    with opened(database) as house, progress.shown() as shown:
        manifest = lakes.export(house, folder, shown)
    say(manifest, lakes.told(folder, manifest), as_json=as_json)
