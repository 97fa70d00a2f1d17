"""`make bench-jobshop`: how long it takes to find and prove the optimum of every job shop in SHOPFLOOR_CASES/jobshop.json.

The time is that of a whole question: starting the process, loading the library, search, proof. Goal: 5 seconds each.
Prints a table and a last JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

from backoffice.optimiser.jobshop import solve


def main() -> None:
    """Run and print; ends with 1 where the cases are not there or an optimum was not proven."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    folder = os.environ.get("SHOPFLOOR_CASES")
    if not folder:
        sys.exit("SHOPFLOOR_CASES is not set: the folder with jobshop.json")
    instances = json.loads(Path(folder, "jobshop.json").read_text(encoding="utf-8"))["instances"]
    figures, proven = {}, True
    print(f"{'case':<8} {'makespan':>8} {'proven':>7} {'median s':>9} {'slowest s':>10}")
    for name, case in instances.items():
        seconds = []
        for _ in range(given.rounds):
            started = time.perf_counter()
            solved = solve(case["machine"], case["duration"], 30)
            seconds.append(time.perf_counter() - started)
            proven = proven and solved.optimal and solved.makespan == case["optimum"]
        figures[name] = {
            "makespan": solved.makespan,
            "optimal": solved.optimal,
            "median_seconds": round(statistics.median(seconds), 3),
            "slowest_seconds": round(max(seconds), 3),
        }
        print(f"{name:<8} {solved.makespan:>8} {solved.optimal!s:>7} {statistics.median(seconds):>9.2f} {max(seconds):>10.2f}")
    print(json.dumps({"bench": "jobshop", "figures": figures}))
    sys.exit(0 if proven else 1)


if __name__ == "__main__":
    main()
