"""`houbao export …`: its commands, thin; what they do is in modules of their own."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from houbao.commands.options import DatabaseUrl, Json
from houbao.commands.terminal import CommandFailed, opened, say

export_app = App(name="export", help="Everything that leaves in another program's form.")

From = Annotated[str, Parameter(name="--from", help="The first day, such as 2026-07-01 (UTC); default: from the start")]
To = Annotated[str, Parameter(name="--to", help="The last day, whole; default: until now")]
Output = Annotated[Path | None, Parameter(help="The file to write; default: what is written goes to standard output")]


@export_app.command
def accounting(
    *,
    program: Annotated[Literal["hledger", "beancount"], Parameter(name="--format")],
    start: From = "",
    end: To = "",
    output: Output = None,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """The whole ledger as a journal for hledger or Beancount, with every balance asserted at its end."""
    from houbao.commands import exporting, progress

    _check_output(output, as_json=as_json)
    with opened(database) as house, progress.shown() as shown:
        exporting.export_journal(house, program, start, end, output, shown)
    _tell(program, output, as_json=as_json)


@export_app.command
def statement(
    store: str,
    *,
    form: Annotated[Literal["csv", "xlsx", "pdf", "camt053"], Parameter(name="--format")],
    currency: Annotated[str, Parameter(help="Only this one; default: each that the store has")] = "",
    start: From = "",
    end: To = "",
    language: Annotated[Literal["en", "zh", "es", "pt", "ru"], Parameter(help="Of xlsx and pdf")] = "en",
    fonts: Annotated[Path | None, Parameter(help="A folder of more fonts, for pdf")] = None,
    output: Output = None,
    database: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """A store's statement: opening balance, every line with what it was for, closing balance."""
    from houbao.commands import exporting, progress

    asked = exporting.Asked(
        store=store, form=form, currency=currency, start=start, end=end, language=language, fonts=fonts
    )
    _check_output(output, as_json=as_json)
    with opened(database) as house, progress.shown() as shown:
        exporting.export_statement(house, asked, output, shown)
    _tell(form, output, as_json=as_json)


@export_app.command
def lake(folder: Path, *, database: DatabaseUrl = None, as_json: Json = False) -> None:
    """Write events, disputes, transfers and orders as Parquet, a folder a month; an older lake there is replaced."""
    from houbao.commands import lakes, progress

    with opened(database) as house, progress.shown() as shown:
        manifest = lakes.export(house, folder, shown)
    say(manifest, lakes.told(folder, manifest), as_json=as_json)


def _check_output(output: Path | None, *, as_json: bool) -> None:
    """Standard output is for one thing: what is exported, or the document that tells of it."""
    if as_json and output is None:
        raise CommandFailed("--json tells where the export was written: name a file with --output")


def _tell(form: str, output: Path | None, *, as_json: bool) -> None:
    if as_json and output is not None:
        say({"format": form, "file": str(output), "bytes": output.stat().st_size}, [], as_json=True)
