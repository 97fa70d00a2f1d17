"""`make bench-faults SHARD=…`: attack the site and print what is left of it: test, target, figure.

Shards: `crash-sqlite`, `crash-postgresql` (R7: an end before and after every commit and every delivery of each flow of
`tests/faults/flows.py`); `doors` (S2, S5, S9, S10: guessed links, told-apart accounts, bots, tries at one moment).
Ends with 1 if a target was missed. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.tables import metadata
from tests.bench import doors
from tests.conftest import NOW, FixedClock, empty
from tests.faults.crash_points import differences
from tests.faults.flows import FLOWS
from tests.faults.stage import Stage
from tests.need import postgres_database


class Row(NamedTuple):
    """One line of the table. met: whether the figure is what the target asks for."""

    test: str
    target: str
    figure: str
    met: bool


def main() -> None:
    """Run one shard and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shard", choices=sorted(SHARDS))
    shard = parser.parse_args().shard
    started = time.perf_counter()
    rows = []
    for row in SHARDS[shard]():
        rows.append(row)
        print(f"{row.test:<34} {row.target:<44} {row.figure:<34} {'met' if row.met else 'MISSED'}", flush=True)
    missed = [row.test for row in rows if not row.met]
    seconds = round(time.perf_counter() - started)
    print(json.dumps({"bench": "faults", "shard": shard, "tests": len(rows), "missed": missed, "seconds": seconds}))
    raise SystemExit(bool(missed))


def crash(stages: Callable[[], Iterator[Callable[[], Stage]]]) -> Iterator[Row]:
    """R7: every point of every flow."""
    with contextmanager(stages)() as open_stage:
        for flow in FLOWS:
            tried, found = differences(open_stage, flow)
            for line in found[:5]:
                print("   ", line)
            target = "0 differences from an undisturbed run"
            yield Row(f"R7 crash points: {flow.name}", target, f"{tried} points, {len(found)} differences", not found)


def _settings(url: str, folder: Path) -> Settings:
    shutil.rmtree(folder / "var", ignore_errors=True)
    key = "a key for the rig only, 32 letters!"
    return Settings(database_url=url, var_dir=folder / "var", secret_key=key, demo=True, reoptimise_seconds=0)


def _over_sqlite() -> Iterator[Callable[[], Stage]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def open_stage() -> Stage:
            for path in folder.glob("shop.db*"):
                path.unlink()
            db = Database(f"sqlite:///{folder}/shop.db")
            metadata.create_all(db.engine)
            db.dispose()
            return Stage(_settings(f"sqlite:///{folder}/shop.db", folder), FixedClock(NOW))

        yield open_stage


def _over_postgresql() -> Iterator[Callable[[], Stage]]:
    with tempfile.TemporaryDirectory() as name, postgres_database() as url:
        db = Database(url)
        metadata.create_all(db.engine)
        db.dispose()

        def open_stage() -> Stage:
            empty(url)
            return Stage(_settings(url, Path(name)), FixedClock(NOW))

        yield open_stage


SHARDS: dict[str, Callable[[], Iterator[Row]]] = {
    "doors": lambda: (Row(*tried) for tried in doors.attack()),
    "crash-sqlite": lambda: crash(_over_sqlite),
    "crash-postgresql": lambda: crash(_over_postgresql),
}


if __name__ == "__main__":
    main()
