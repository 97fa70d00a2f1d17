"""`make bench-mutation`: change the rules of stock, reservation and settlement in every small way; a test must turn red.

mutmut makes the changes (each function's own, one at a time) and runs the tests that reach the function; pyproject.toml says
which modules and which tests. What survives is listed with the reason that `mutants.toml` gives. Ends with 1 if fewer than 90 of
100 are killed, if one that survives has no reason, or if there is a reason for one that does not: the numbers have moved then.
The last line is JSON. (Source: Jia and Harman, An Analysis and Survey of the Development of Mutation Testing, IEEE TSE 37(5),
2011.)
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REASONS = Path(__file__).with_name("mutants.toml")
GOAL = 0.90
DEAD = frozenset({"killed", "timeout", "segfault", "caught by type check"})  # a loop without an end is noticed too
PROCESSES = os.cpu_count() or 2


def main() -> None:
    """Run and print."""
    started = time.perf_counter()
    shutil.rmtree(ROOT / "mutants", ignore_errors=True)
    mutmut = [sys.executable, "-m", "mutmut"]
    subprocess.run([*mutmut, "run", "--max-children", str(PROCESSES)], cwd=ROOT, check=True, stdout=sys.stderr)
    told = subprocess.run([*mutmut, "results", "--all", "true"], cwd=ROOT, check=True, capture_output=True, text=True)
    found = dict(line.strip().rsplit(": ", 1) for line in told.stdout.splitlines() if "__mutmut_" in line)
    reasons: dict[str, str] = tomllib.loads(REASONS.read_text())["survivors"]
    dead, all_of = Counter[str](), Counter[str]()
    for name, state in found.items():
        module = name.partition(".x")[0]
        all_of[module] += 1
        dead[module] += state in DEAD
    for module in sorted(all_of):
        print(f"{module:<40} {dead[module]:>5} of {all_of[module]:>5} killed  {dead[module] / all_of[module]:6.1%}")
    survivors = {name: state for name, state in found.items() if state not in DEAD}
    unexplained = [name for name in survivors if name not in reasons]
    for name, state in survivors.items():
        print(f"  {name} ({state}): {reasons.get(name, 'NO REASON')}")
    outdated = sorted(reasons.keys() - survivors.keys())
    for name in outdated:
        print(f"  {name} (does not survive): its reason is out of date")
    share = sum(dead.values()) / max(1, len(found))
    figures = {
        "mutants": len(found),
        "killed": sum(dead.values()),
        "share": round(share, 4),
        "unexplained": len(unexplained),
        "outdated": len(outdated),
    }
    print(json.dumps({"bench": "mutation", **figures, "seconds": round(time.perf_counter() - started)}))
    raise SystemExit(share < GOAL or bool(unexplained or outdated))


if __name__ == "__main__":
    main()
