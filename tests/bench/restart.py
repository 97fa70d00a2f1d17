"""`make bench-restart`: rolling restarts under load; not one request may fail.

The units of docs/units over PostgreSQL: two web servers of one process each on one socket, and a worker, restarted one after
the other while some 50 requests a second come in: pages over kept connections, purchases up to the paid order, log-ins at a
desk. Prints figures and a last JSON line; ends with 1 if a request failed or a service did not stop in time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backoffice import staff
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.tables import metadata
from tests.bench.generate import MADE_EVERY, grow
from tests.bench.serving import percentile
from tests.need import postgres_database
from tests.units import Shop, running
from tests.visitors import Visitors

EMAIL, PASSWORD = "sam@werk.test", "a long password"
PRODUCTS = 200


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--restarts", type=int, default=10)
    parser.add_argument("--per-second", type=float, default=50)
    parser.add_argument("--between", type=int, default=150, help="requests between two restarts")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, postgres_database() as url, running(prepare(url, folder), Path(folder)) as shop:
        figures = restart_under_load(shop, given.restarts, given.per_second, given.between)
    for name, one in figures.items():
        print(f"{name:<14} {one}")
    print(json.dumps({"bench": "restart", "figures": figures}))
    raise SystemExit(figures["failed"] > 0 or not figures["all_in_time"])


def prepare(url: str, folder: str) -> Settings:
    """Make a company with products and somebody who may log in; return the settings of its shop."""
    db = Database(url)
    metadata.create_all(db.engine)
    now = datetime.now(UTC)
    grow(db, PRODUCTS, now=now)
    db.run(lambda session: staff.add(session, email=EMAIL, name="Sam", role="sales", password=PASSWORD, now=now))
    db.dispose()
    return Settings(database_url=url, var_dir=folder, secret_key="b" * 40, demo=False, trusted_hosts="127.0.0.1", log_json=True)


def restart_under_load(shop: Shop, restarts: int, per_second: float, between: int) -> dict[str, Any]:
    """Restart everything so and so often while visitors come; return the figures."""
    from_stock = [number for number in range(PRODUCTS) if number % MADE_EVERY]
    started, in_time = time.perf_counter(), True
    with Visitors(shop.address, from_stock, per_second=per_second, logs_in=(EMAIL, PASSWORD)) as visitors:
        visitors.wait_for(between)
        for _ in range(restarts):
            in_time = shop.restart() and in_time
            visitors.wait_for(between)
        seconds, came = time.perf_counter() - started, len(visitors.tally.took)  # who goes does not wait for a turn any more
    tally = visitors.tally
    return {
        "requests": len(tally.took) + len(tally.failed),
        "failed": len(tally.failed),
        "restarts": restarts,
        "all_in_time": in_time,
        "seconds": round(seconds, 1),
        "per_second": round(came / seconds, 1),
        "p50_ms": round(1000 * percentile(tally.took, 0.5)),
        "p99_ms": round(1000 * percentile(tally.took, 0.99)),
        "slowest_ms": round(1000 * max(tally.took)),
        "said": dict(tally.said),
        "why": tally.failed[:5],
    }


if __name__ == "__main__":
    main()
