"""`make bench-purchase`: whole purchases (cart, hold, checkout, paid in the sandbox, order) per second, 8 buyers at once.

Over HTTP as browsers do it, 5 requests each over one connection, gunicorn with 2 processes on PostgreSQL. `stock`:
everybody buys another thing from stock; `made`: everybody buys something that is planned and made, so all queue at the plan.
Prints figures and a last JSON line.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.tables import metadata
from tests.bench.generate import MADE_EVERY, grow
from tests.bench.serving import cpu_of, percentile
from tests.buyers import Browser, buy
from tests.faults.rows import adds_up
from tests.need import Gunicorn, postgres_database

AT_ONCE = 8


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--purchases", type=int, default=400)
    parser.add_argument("--products", type=int, default=1_000)
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, postgres_database() as url:
        db = Database(url)
        metadata.create_all(db.engine)
        grow(db, given.products, now=datetime.now(UTC))  # noqa: DTZ - never naive
        db.dispose()
        settings = Settings(
            database_url=url, var_dir=Path(folder), secret_key="b" * 40, demo=False, trusted_hosts="127.0.0.1", log_json=True
        )
        shop = Gunicorn(settings, workers=2, threads=4, log=Path(folder) / "shop.log")
        try:
            shop.wait_until_ready()
            bought(shop, [n for n in range(16) if n % MADE_EVERY])  # warm
            from_stock = [n for n in range(given.products) if n % MADE_EVERY]
            figures["stock"] = bought(shop, [from_stock[n % len(from_stock)] for n in range(given.purchases)])
            figures["made"] = bought(shop, [n * MADE_EVERY for n in range(given.purchases // 8)])
        finally:
            shop.stop()
        whole = adds_up(url, "purchases")
    for name, one in figures.items():
        print(name, "  ".join(f"{key} {value}" for key, value in one.items()))
    print(json.dumps({"bench": "purchase", "at_once": AT_ONCE, "figures": figures, "verify": whole.figure}))
    raise SystemExit(not whole.met)


def bought(shop: Gunicorn, things: list[int]) -> dict[str, Any]:
    """Let 8 buyers buy all of these things; return the figures."""
    took: list[float] = []
    said: Counter[str] = Counter()
    lock = threading.Lock()

    def run(mine: list[tuple[int, int]]) -> None:
        for who, n in mine:
            started = time.perf_counter()
            browser = Browser(shop.address, stays=True)
            answer = buy(shop.address, f"thing-{n}", f"SKU-{n}", who, browser)
            browser.leave()
            with lock:
                took.append(time.perf_counter() - started)
                said[answer] += 1

    numbered = list(enumerate(things))
    threads = [threading.Thread(target=run, args=(numbered[n::AT_ONCE],)) for n in range(AT_ONCE)]
    before, started = cpu_of(shop.pid), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    return {
        "per_second": round(said["bought"] / seconds, 1),
        "cpu_ms": round(1000 * (cpu_of(shop.pid) - before) / len(things), 1),
        "p50_ms": round(1000 * percentile(took, 0.5)),
        "p99_ms": round(1000 * percentile(took, 0.99)),
        "said": dict(said),
    }


if __name__ == "__main__":
    main()
