"""`./dev test [--long] [pytest arguments]`: every check and every test, in the set-up environment.

Checks first (form, types, import law), then the tests on all cores. `--long` also runs what CI only samples.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKS = (
    ("form", ["ruff", "check", "src", "tests", "examples"]),
    ("format", ["ruff", "format", "--check", "src", "tests", "examples"]),
    ("types", ["ty", "check", "src", "--error-on-warning"]),
    ("import law", ["lint-imports", "--no-logo"]),
)


def main(arguments: list[str]) -> int:
    long = "--long" in arguments
    rest = [argument for argument in arguments if argument != "--long"]
    if not rest:
        for name, command in CHECKS:
            done = subprocess.run(
                [ROOT / ".venv" / "bin" / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True
            )
            print(f"{name}: {'ok' if done.returncode == 0 else 'failed'}", flush=True)
            if done.returncode:
                print(done.stdout, done.stderr)
                return 1
    marks = [] if long else ["-m", "not long"]
    workers = ["-n", str(max(2, os.cpu_count() or 2)), "--dist", "worksteal"]
    tests = [sys.executable, "-m", "pytest", *marks, *(workers if not rest else []), *rest]
    return subprocess.run(tests, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
