"""`make bench-defects`: plant each seeded defect in a copy of the program and run the test that must see it.

Before, each test is run in the copy as it is and must be green. Prints a line for each defect and a last JSON line; ends with 1
if one was not caught.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.defects.seeded import SEEDED, Defect

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".venv", ".git", "var", "build", "__pycache__", ".*_cache", "node_modules")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of defects")
    only = parser.parse_args().only
    chosen = [defect for defect in SEEDED if not only or defect.number in only]
    caught = []
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "copy"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        for test in dict.fromkeys(defect.test for defect in chosen):
            if not _passes(copy, test):
                raise SystemExit(f"red without any defect: {test}")
        for defect in chosen:
            seen = _is_seen(copy, defect)
            caught += [defect.number] if seen else []
            print(f"{defect.number:>2}  {'red' if seen else 'NOT SEEN':<9} {defect.name:<84} {defect.test}", flush=True)
    print(json.dumps({"bench": "defects", "planted": len(chosen), "caught": len(caught)}))
    raise SystemExit(len(caught) < len(chosen))


def _is_seen(copy: Path, defect: Defect) -> bool:
    file = copy / defect.file
    whole = file.read_text()
    assert whole.count(defect.old) == 1, defect
    file.write_text(whole.replace(defect.old, defect.new))
    try:
        return not _passes(copy, defect.test)
    finally:
        file.write_text(whole)


def _passes(copy: Path, test: str) -> bool:
    """Run tests in the copy, none of them skipped."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *shlex.split(test)]
    environment = os.environ | {"SHOPFLOOR_REQUIRE": "postgresql", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{test} could not be run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 0


if __name__ == "__main__":
    main()
