"""Real processes for the tests: the provider on a port of its own, and children that may die (child.py)."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from engine.child import DIED, Plan, Report
from given import Market

CHILD = Path(__file__).with_name("child.py")
SRC = Path(__file__).parents[2] / "src"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SRC)}
SECONDS = 120
"""A child that takes longer hangs."""


@contextmanager
def provider(log: Path, script: str = "", hold: float = 0) -> Iterator[str]:
    """The simulated bank as a process; gives host:port. An answer that never comes is held for `hold` seconds."""
    command = [sys.executable, "-m", "houbao.gateways.refunds.server", "--port", "0"]
    command += ["--log", str(log), "--script", script, "--hold", str(hold)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert process.stdout
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def bank_log(log: Path) -> list[dict[str, Any]]:
    """What the bank has on paper, read without its own code."""
    return [json.loads(line) for line in log.read_text().splitlines()]


def payments(log: Path) -> list[tuple[str, int]]:
    """(payment, minor units) of all that left the bank, in order."""
    return [(entry["payment"], entry["minor"]) for entry in bank_log(log) if entry.get("did") == "paid"]


def copy_of(market: Market, folder: Path) -> Path:
    """A copy of a closed market's database."""
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(market.database.path, folder / "market.db"))


def write(plan: Plan) -> Path:
    """Put the plan on paper, beside its database."""
    path = Path(plan.database).with_suffix(f".{os.urandom(4).hex()}.plan")
    path.write_bytes(msgspec.json.encode(plan))
    return path


def start(path: Path | None = None) -> subprocess.Popen[str]:
    """A child that follows the plan on that paper; without one, a nursery."""
    command = [sys.executable, str(CHILD), *([str(path)] if path else [])]
    return subprocess.Popen(command, text=True, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def report_of(path: Path) -> Report:
    """What came of the plan on that paper."""
    return msgspec.json.decode(path.with_suffix(".report").read_bytes(), type=Report)


def run_together(plans: list[Plan]) -> list[Report]:
    """Children that all begin at the same moment, and live."""
    papers = [write(plan) for plan in plans]
    children = [start(paper) for paper in papers]
    for child in children:
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate(timeout=SECONDS)
        assert child.returncode == 0
    return [report_of(paper) for paper in papers]


class Nursery:
    """Children one after the other, each a process of its own, without the time of its imports."""

    def __init__(self) -> None:
        self.process = start()

    def close(self) -> None:
        self.process.communicate()

    def run(self, plan: Plan) -> Report:
        """A child that lives to the end of its plan."""
        paper = write(plan)
        assert self._exit_code(paper) == 0
        return report_of(paper)

    def dies(self, plan: Plan) -> None:
        """A child that gets to the point where it is to die, and dies."""
        assert self._exit_code(write(plan)) == DIED, f"{plan.die_at} was never passed"

    def _exit_code(self, paper: Path) -> int:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{paper}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())
