"""Shards `crash-sqlite-…`, `crash-postgresql-…` (R7): an end before and after every commit and delivery of each flow.

Each half of a flow's points is tried in a process of its own: an app keeps some 4 MB when it is gone, and there are hundreds.
"""

from __future__ import annotations

import logging
import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.tables import metadata
from tests.conftest import NOW, FixedClock, empty
from tests.faults.crash_points import differences
from tests.faults.parts import FLOWS, PARTS
from tests.faults.rows import Row
from tests.faults.stage import Stage
from tests.need import postgres_database

AT_ONCE = 2  # halves of a flow's points, one for each core


def rows(database: str, part: str, *names: str) -> Iterator[Row]:
    """Yield a row for each flow of a part (names: only these)."""
    chosen = [flow.name for flow in PARTS[part] if not names or flow.name in names]
    context = multiprocessing.get_context("spawn")
    with context.Pool(AT_ONCE, maxtasksperchild=1) as pool:
        for name in chosen:
            halves = pool.starmap(_half, [(database, name, first) for first in range(1, AT_ONCE + 1)], chunksize=1)
            tried, found = sum(half[0] for half in halves), [line for half in halves for line in half[1]]
            for line in found[:5]:
                print("   ", line)
            target = "0 differences from an undisturbed run"
            yield Row(f"R7 crash points: {name}", target, f"{tried} points, {len(found)} differences", not found)


def _half(database: str, name: str, first: int) -> tuple[int, list[str]]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    [flow] = [one for one in FLOWS if one.name == name]
    with {"sqlite": _over_sqlite, "postgresql": _over_postgresql}[database]() as open_stage:
        return differences(open_stage, flow, every=AT_ONCE, first=first)


def settings_for(url: str, folder: Path) -> Settings:
    """Return the settings of a fresh shop in a folder."""
    shutil.rmtree(folder / "var", ignore_errors=True)
    key = "a key for the rig only, 32 letters!"
    return Settings(database_url=url, var_dir=folder / "var", secret_key=key, demo=True, reoptimise_seconds=0)


@contextmanager
def _over_sqlite() -> Iterator[Callable[[], Stage]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def open_stage() -> Stage:
            for path in folder.glob("shop.db*"):
                path.unlink()
            db = Database(f"sqlite:///{folder}/shop.db")
            metadata.create_all(db.engine)
            db.dispose()
            return Stage(settings_for(f"sqlite:///{folder}/shop.db", folder), FixedClock(NOW))

        yield open_stage


@contextmanager
def _over_postgresql() -> Iterator[Callable[[], Stage]]:
    with tempfile.TemporaryDirectory() as name, postgres_database() as url:
        db = Database(url)
        metadata.create_all(db.engine)
        db.dispose()

        def open_stage() -> Stage:
            empty(url)
            return Stage(settings_for(url, Path(name)), FixedClock(NOW))

        yield open_stage
