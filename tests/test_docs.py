"""The documents are true: what they show is run, what is printed from tables is current, every link leads somewhere."""

import os
import re
import shlex
import socket
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest

from feeds.test_olist import review, write

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
SECONDS = 60
"""A command that takes longer hangs."""

SMALL = {
    "./dev demo": "./dev demo --orders 60 --no-serve",
    "./dev bench open-dispute": "./dev bench open-dispute --disputes 20 --rounds 1 --among 0",
    "./dev bench import-orders": "./dev bench import-orders --orders 40 --known 0",
    "./dev bench backtest": "./dev bench backtest --rows 2400 --rounds 1",
}
"""What a document shows at its full size is run at a small one."""


def all_files() -> list[str]:
    """Every file of the repository, also those not yet committed."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(name for name in found.stdout.split("\0") if name and (ROOT / name).is_file())


def documents() -> list[str]:
    return [name for name in all_files() if name.endswith(".md")]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# --- what is shown is run ------------------------------------------------------------------------------------------


class Shown(NamedTuple):
    """A command of a document and the lines shown below it."""

    command: str
    lines: list[str]


def console(text: str) -> list[Shown]:
    """The commands in the fences marked `console`, without those marked `# not run`. A line with … shows nothing."""
    shown: list[Shown] = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                shown.append(Shown(line.removeprefix("$ "), []))
            elif line.strip() and "…" not in line:
                shown[-1].lines.append(plain(line))
    return [one for one in shown if not one.command.endswith("# not run")]


def plain(line: str) -> str:
    """A line without what hangs on how many events there were before: the numbers in ids."""
    return re.sub(r"\b((?:order|dispute|attempt)_0_)[0-9]+", r"\1#", line.strip())


def expected_exit(command: str) -> int:
    """0, or what a comment behind the command says."""
    found = re.search(r"# exit ([0-9])$", command)
    return int(found[1]) if found else 0


@pytest.fixture
def folder(tmp_path):
    """A working folder as after the set-up: `./dev` runs houbao, and `olist/` holds a marketplace of one order."""
    dev = tmp_path / "dev"
    dev.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m houbao "$@"\n')
    dev.chmod(0o755)
    (tmp_path / "olist").mkdir()
    write(tmp_path / "olist", reviews=[review()])
    return tmp_path


@pytest.fixture
def shell(folder):
    """Runs a command there as a reader's shell would: gives what it says and its exit code. One that ends in `&` goes
    on until the test ends; it has said its first line."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("HOUBAO_")}
    surroundings["PYTHONPATH"] = str(SOURCE)
    servers: list[subprocess.Popen[str]] = []

    def run(command: str) -> tuple[str, int]:
        background = command.endswith("&")
        process = subprocess.Popen(
            ["sh", "-c", f"exec {command.removesuffix('&')}" if background else command],
            cwd=folder,
            env=surroundings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        servers.append(process)
        if background:
            assert process.stdout
            return process.stdout.readline(), 0
        return process.communicate(timeout=SECONDS)[0], process.returncode

    yield run
    for server in servers:
        server.kill()
        server.communicate()


def free_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


@pytest.mark.parametrize("page", [name for name in documents() if console(read(name))])
def test_every_command_of_a_document_does_what_it_shows(page, shell):
    port = free_port()
    for command, shown in console(read(page)):
        said, code = shell(SMALL.get(command, command).replace("8700", port))
        assert code == expected_exit(command), f"{command}\n{said}"
        lines = {plain(line) for line in said.replace(port, "8700").splitlines()}
        assert [line for line in shown if line not in lines] == [], f"{command}\n{said}"


def test_the_readme_shows_the_two_commands_first():
    commands = re.findall(r"^\$ (\./dev \w+)", read("README.md"), re.MULTILINE)
    assert commands[:2] == ["./dev demo", "./dev test"]


# --- what is printed from tables is current ------------------------------------------------------------------------


def printed_by(script: str) -> str:
    run = subprocess.run(
        [sys.executable, script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout


def test_the_page_of_lives_is_printed_from_the_tables_the_program_runs_by():
    assert read("docs/lifecycle.md") == printed_by("docs/make_lifecycle.py")


def test_the_table_of_rules_is_printed_from_the_policy_that_ships():
    found = re.search(r"<!-- rules: .*? -->\n(.*)<!-- end of rules -->", read("docs/policy.md"), re.DOTALL)
    assert found
    assert found[1] == printed_by("docs/make_policy_table.py")


def test_the_policy_page_names_every_fact_comparison_timer_and_private_fact():
    from houbao.core.conditions import COMPARISONS, FACTS, PRIVATE_FACTS
    from houbao.core.policy import REFUSALS, Timers
    from houbao.core.policy_file import TABLES

    page = read("docs/policy.md")
    cells = {name for line in page.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line)}
    assert {*FACTS, *COMPARISONS, *REFUSALS, *Timers.__struct_fields__} <= cells
    fields = {f"{table}.{field}" for table in ("limits", "returns", "premium") for field in TABLES[table]}
    assert [name for name in (*fields, *TABLES["score"]) if f"`{name}`" not in page] == []
    (private,) = re.findall(r"\*\*Private\.\*\*.*?\n\n", page, re.DOTALL)
    assert all(f"`{name}`" in private for name in PRIVATE_FACTS)


def test_the_ledger_page_names_every_kind_of_transfer():
    kinds = set(re.findall(r'\("(\w+)", (?!")', read("src/houbao/core/ledger.py")))
    assert len(kinds) > 8
    assert kinds <= set(re.findall(r"\*(\w+)\* ", read("docs/ledger.md")))


def test_the_import_page_names_every_reason_and_repair():
    source = read("src/houbao/feeds/tables.py") + read("src/houbao/feeds/olist.py")
    page = read("docs/how-to/import-olist.md")
    reasons = re.findall(r'(?:Skip|\.skip|_give_up)\((?:[a-z]+, )?"(\w+)"', source)
    reasons += re.findall(r'unusable\[order\] = "(\w+)"', source)
    repairs = re.findall(r'repairs\["(\w+)"\]', source)
    assert len(set(reasons)) > 10
    assert len(set(repairs)) > 5
    assert [name for name in (*reasons, *repairs) if f"`{name}`" not in page] == []


def test_the_import_page_names_every_rule_by_which_a_row_is_ignored():
    sources = (read(str(path.relative_to(ROOT))) for path in (SOURCE / "houbao" / "feeds").glob("*.py"))
    rules = {rule for source in sources for rule in re.findall(r'Ignored\("(\w+)"\)', source)}
    assert len(rules) > 5
    assert [rule for rule in rules if f"`{rule}`" not in read("docs/how-to/import-orders.md")] == []


def test_the_order_format_page_names_every_field_and_every_event():
    from typing import get_args

    from houbao.feeds.mapping import COLUMNS
    from houbao.feeds.order_format import LineDocument, OrderDocument, OrderEventDocument, PaymentDocument

    page = read("docs/order-format.md")
    events = get_args(OrderEventDocument)
    fields = {
        field for one in (OrderDocument, LineDocument, PaymentDocument, *events) for field in one.__struct_fields__
    }
    names = fields | {event.__struct_config__.tag for event in events} | COLUMNS
    assert sorted(name for name in names if f"`{name}`" not in page) == []


def test_the_readme_lists_every_setting():
    from houbao.settings import Settings

    readme = read("README.md")
    assert [name for name in Settings.__struct_fields__ if f"`{name}`" not in readme] == []


def map_of_rooms() -> dict[str, list[str]]:
    """Folder of the source → the files that the map names in it. A deeper line goes on with the one above."""
    block = next(part for part in read("docs/architecture.md").split("```") if "\n  core/" in part)
    named: dict[str, list[str]] = defaultdict(list)
    folders: list[tuple[int, str]] = []
    for line in block.splitlines():
        indent, text = len(line) - len(line.lstrip()), line.strip()
        if indent <= DEEPEST_ENTRY:
            folders = [(depth, name) for depth, name in folders if depth < indent]
            if folder := re.match(r"([\w/]+)/", text):
                folders.append((indent, folder[1]))
        named["/".join(name for _, name in folders)] += re.findall(r"\w+\.py\b", text)
    return named


DEEPEST_ENTRY = 6
"""How far an entry of the map is indented at most; its description stands further right."""


def test_the_map_of_rooms_names_every_file_in_its_room_and_no_other():
    kept: dict[str, list[str]] = defaultdict(list)
    for path in sorted((SOURCE / "houbao").rglob("*.py")):
        if not path.name.startswith("__"):
            kept[path.parent.relative_to(ROOT).as_posix()].append(path.name)
    named = map_of_rooms()
    assert [f"{room}/{name}" for room, names in named.items() for name in names if name not in kept[room]] == []
    in_part = ("src/houbao/commands/", "src/houbao/bench/")
    unnamed = [f"{room}/{name}" for room, names in kept.items() for name in names if name not in named[room]]
    assert [path for path in unnamed if not path.startswith(in_part)] == []


# --- nothing leads astray, nothing leaks ---------------------------------------------------------------------------


def slug(heading: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", documents())
def test_every_link_of_a_document_leads_somewhere(page):
    text = re.sub(r"```.*?```", "", read(page), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), f"{page}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(slug, headings), f"{page}: {target}"


FORBIDDEN = (
    re.compile(r"pypi[.]org|pythonhosted[.]|artifactory|://[^/\s]*nexus|--index-url|--extra-index", re.IGNORECASE),
    re.compile(r"/(?:home|Users)/[a-z][\w.-]*/|/root/[\w.]|/private/var/"),
)
"""Hosts of package indexes and what steers to them; paths that only one person's machine has."""


def test_no_file_names_an_index_of_packages_or_a_path_of_somebodys_machine():
    here = [str(ROOT), str(ROOT.parent / "shared")] if len(ROOT.parts) > 2 else []
    for name in all_files():
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        for pattern in FORBIDDEN:
            found = pattern.search(text)
            assert found is None or name == "tests/test_docs.py", f"{name}: {found}"
        assert not [path for path in here if path in text], name


def test_the_lock_files_hold_no_address():
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert "://" not in read(name), name
