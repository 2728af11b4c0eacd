"""`houbao demo` at the terminal: where the database goes, progress, and the report in words or JSON."""

import json
import sqlite3
import sys
from pathlib import Path
from typing import NoReturn

import msgspec
from msgspec import structs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from houbao import wiring
from houbao.demo.report import stories, told
from houbao.demo.run import CURRENCY, run
from houbao.settings import Settings

DEFAULT = "sqlite:///houbao-demo/houbao.db"
HOST, PORT = "127.0.0.1", 8000
"""Where the demonstration is served: for this machine alone."""


def demonstrate(
    settings: Settings,
    *,
    olist: Path | None,
    orders: int,
    seed: int,
    database: str | None,
    as_json: bool,
    serves: bool,
    port: int = PORT,
) -> None:
    """Play into a fresh database, print the report, and serve it with a sign-in for each role. The default
    demonstration database is made anew each time; one that was named is never overwritten. As JSON, or where the books
    are not right, nothing is served."""
    if not 1 <= orders <= 1_000_000:
        _stop(f"--orders is {orders}: give 1 to 1000000")
    url = database or DEFAULT
    path = wiring.path_of(url)
    settings = structs.replace(settings, database_url=url, smtp_host="", mail_folder="", sandbox_provider="")
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=as_json or not console.is_terminal) as bars:
        task = bars.add_task("Playing", total=None)
        report = run(
            settings,
            olist=olist,
            orders=orders,
            seed=seed,
            anew=database is None,
            progress=lambda done, whole: bars.update(task, completed=done, total=whole),
        )
    if as_json:
        print(json.dumps(msgspec.to_builtins(report), ensure_ascii=False, indent=2))
    else:
        with sqlite3.connect(path) as connection:
            lines = [*told(report, CURRENCY), *stories(connection)]
        print("\n".join(lines))
        print(f"verify: {report.verify}")
        rate = f"{report.disputes_per_second:,.0f} disputes/s, all orders, mails and deadlines included"
        print(f"{report.seconds:.1f} s ({rate}), peak memory {report.peak_memory_mb} MB")
        mails, log = path.with_suffix(".mails"), path.with_suffix(".provider.jsonl")
        print(f"Database {path}, mails {mails}/, provider's log {log}")
        print(f"Next: ./dev fund status --database {url} · ./dev verify --database {url}")
    if report.verify != "ok":
        sys.exit(1)
    if serves and not as_json:
        _serve(settings, path, port)


def _serve(settings: Settings, path: Path, port: int) -> None:
    from houbao.commands.listening import listen_or_anywhere
    from houbao.commands.serving import serve
    from houbao.demo.signins import open_doors
    from houbao.demo.signins import told as told_signins

    signins, password = open_doors(path)
    at = listen_or_anywhere(HOST, port)
    print("\n".join(told_signins(signins, password, f"http://{HOST}:{at.getsockname()[1]}")), flush=True)
    serve(settings, [at])


def _stop(message: str) -> NoReturn:
    print(f"houbao: {message}", file=sys.stderr)
    sys.exit(1)
