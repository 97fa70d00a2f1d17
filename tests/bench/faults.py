"""`make bench-faults SHARD=…`: attack the site and print what is left of it: test, target, figure.

Shards: `crash-sqlite`, `crash-postgresql` (R7: an end before and after every commit and every delivery of each flow of
`tests/faults/flows.py`); `erp` (R10, R11, R12: an outside ERP that is away, has no idempotency, sends stale and absurd stock) and
`erp-workers` (R13: workers that carry to it are killed).
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
from tests.conftest import NOW, FixedClock, empty
from tests.erp_double import BAD, GOOD, ErpDouble, Faults
from tests.faults.crash_points import differences
from tests.faults.figures import Walk
from tests.faults.flows import FLOWS
from tests.faults.hand_off import FastClock, Hall, Outcome, away_for_an_hour, hush, killed_workers, with_all_faults
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


@contextmanager
def _hall(faults: Faults = GOOD, seed: int = 1) -> Iterator[Hall]:
    """Open a shop with an outside ERP, over SQLite, by a clock that only the run moves."""
    with tempfile.TemporaryDirectory() as name:
        clock, url = FixedClock(NOW), f"sqlite:///{name}/shop.db"
        db = Database(url)
        metadata.create_all(db.engine)
        db.dispose()
        erp = ErpDouble(clock, seed=seed, faults=faults).start()
        erp.takes = 0.02
        hall = Hall(_settings(url, Path(name)).model_copy(update={"erp_url": erp.url}), clock, erp)
        yield hall
        hall.stop()
        erp.stop()


def outside_erp(orders: int = 4_000, walks: int = 8) -> Iterator[Row]:
    """R10, R11 and R12."""
    hush()
    with _hall() as hall:
        came = away_for_an_hour(hall, orders=500)
        figure = f"{came.seconds:.0f} s, {came.most_at_once} at once, {len(came.wrong)} wrong"
        yield Row("R10 ERP away for an hour, 500 orders", "<= 60 s, once each, in sequence", figure, _well(came, 60))
    with _hall(BAD, seed=7) as hall:
        came = with_all_faults(hall, orders=orders)
        figure = f"{came.orders} orders, {hall.erp.calls['POST orders']} asked, {len(came.wrong)} wrong"
        yield Row("R11 ERP without idempotency", "0 duplicate, 0 missing", figure, _well(came))
    with _hall(BAD, seed=8) as hall:
        came = with_all_faults(hall, orders=orders // 4, kinds=["placed", "redirected", "cancelled"])
        yield Row(
            "R11 with two changes each",
            "in sequence, 0 duplicate, 0 missing",
            f"{came.orders} orders, {len(came.wrong)} wrong",
            _well(came),
        )
    exact, fewer, wrong = 0, 0, list[str]()
    for seed in range(walks):
        with _hall(BAD, seed=seed) as hall:
            hall.erp.on_hand["STOOL"] = 60
            walk = Walk(hall, seed)
            walk.go(200)
            exact, fewer, wrong = exact + walk.counts["exact"], fewer + walk.counts["fewer"], wrong + walk.wrong
    figure = f"{walks} walks, {exact} exact, {fewer} fewer, {len(wrong)} wrong"
    print(*(f"    {line}" for line in wrong[:5]), sep="\n" if wrong else "", end="\n" if wrong else "")
    yield Row("R12 stale, older, partial, absurd stock", "never more than lies there", figure, not wrong)


def erp_workers() -> Iterator[Row]:
    """R13: 4 workers, 2,000 messages, 10 of them killed, one order that the ERP falls over."""
    hush()
    with tempfile.TemporaryDirectory() as name, postgres_database() as url:
        db = Database(url)
        metadata.create_all(db.engine)
        db.dispose()
        clock = FastClock(time.time(), 30)
        erp = ErpDouble(clock).start()
        erp.takes = 0.02
        settings = _settings(url, Path(name)).model_copy(update={"erp_url": erp.url, "erp_max_processing_seconds": 300})
        came = killed_workers(settings, erp, clock, orders=500, workers=4, kills=10, seed=3, poison=True)
        erp.stop()
        figure = f"{came.seconds:.0f} s, {came.most_at_once} at once, {len(came.wrong)} wrong"
        yield Row("R13 4 workers, 2,000 messages, 10 killed", "effect once, in order, poison isolated", figure, _well(came))


def _well(came: Outcome, most_seconds: float = float("inf")) -> bool:
    for line in came.wrong[:5]:
        print("   ", line)
    return not came.wrong and came.seconds <= most_seconds and came.most_at_once <= 10


SHARDS: dict[str, Callable[[], Iterator[Row]]] = {
    "crash-sqlite": lambda: crash(_over_sqlite),
    "crash-postgresql": lambda: crash(_over_postgresql),
    "erp": outside_erp,
    "erp-workers": erp_workers,
}


if __name__ == "__main__":
    main()
