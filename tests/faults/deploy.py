"""Shard `deploy` (R21): `make bench-restart` as rows: rolling restarts under a load that is really there, no request may fail."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.restart import prepare, restart_under_load
from tests.faults.rows import Row, adds_up
from tests.need import postgres_database
from tests.units import running

NEARLY = 0.98  # of the wanted rate: the first ones have to come to the door


def rows(restarts: str = "10", per_second: str = "50", between: str = "150") -> Iterator[Row]:
    """Yield what came of it."""
    with tempfile.TemporaryDirectory() as folder, postgres_database() as url, running(prepare(url, folder), Path(folder)) as shop:
        found = restart_under_load(shop, int(restarts), float(per_second), int(between))
        whole = adds_up(url, "R21")
    figure = f"{found['failed']} of {found['requests']} failed, p99 {found['p99_ms']} ms, {found['per_second']} a second"
    for line in found["why"]:
        print("   ", line)
    came = found["per_second"]
    yield Row(
        "R21 requests that came through",
        f"≥ {NEARLY:.0%} of {per_second} a second",
        f"{came} a second",
        came >= NEARLY * float(per_second),
    )
    yield Row(
        f"R21 {restarts} rolling restarts",
        "0 requests fail, each stops in time",
        figure,
        not found["failed"] and found["all_in_time"],
    )
    yield whole
