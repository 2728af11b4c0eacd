"""The suite notices a bug: each of a few is put into a copy of the sources, and the tests named for it must fail."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from mutants.bugs import BUGS, Bug

ROOT = Path(__file__).parents[2]
PASSED, FAILED = 0, 1


def copy_of_the_sources(folder: Path) -> Path:
    """A copy of src, its bytecode with it, so that only what is changed is compiled."""
    return Path(shutil.copytree(ROOT / "src", folder / "src"))


def run(src: Path, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run those tests on those sources, in a process of their own."""
    plain = ["-x", "-q", "-p", "no:cacheprovider", "-o", f"pythonpath={src} tests"]
    # Without plugins: to load them takes longer than the tests.
    environment = {
        **os.environ,
        "PYTHONPATH": str(src),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plain, *tests],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


SAMPLED = 3
"""Of so many bugs CI tries one; the others are tried by `./dev test --long`."""


def tried() -> list[ParameterSet]:
    """The bugs, by name; those that CI leaves out are marked."""
    marks = [() if n % SAMPLED == 0 else (pytest.mark.long,) for n in range(len(BUGS))]
    return [pytest.param(bug, marks=mark, id=bug.name.replace(" ", "_")) for bug, mark in zip(BUGS, marks, strict=True)]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name.replace(" ", "_"))
def test_a_bug_has_its_one_place(bug: Bug) -> None:
    assert (ROOT / "src" / "houbao" / bug.file).read_text().count(bug.old) == 1


@pytest.mark.parametrize("bug", tried())
def test_the_suite_notices_that(bug: Bug, tmp_path: Path) -> None:
    src = copy_of_the_sources(tmp_path)
    file = src / "houbao" / bug.file
    text = file.read_text()
    assert text.count(bug.old) == 1, f"{bug.file} must have it once: {bug.old}"
    file.write_text(text.replace(bug.old, bug.new))
    done = run(src, bug.caught_by)
    assert done.returncode == FAILED, done.stdout + done.stderr
    assert "SyntaxError" not in done.stdout
    assert "NameError" not in done.stdout


def test_the_same_tests_pass_without_a_bug(tmp_path: Path) -> None:
    done = run(copy_of_the_sources(tmp_path), sorted({test for bug in BUGS for test in bug.caught_by}))
    assert done.returncode == PASSED, done.stdout + done.stderr
