"""`make bench-pages`: a category of 24 and a product page with its day, beside an empty Flask view under the same server.

1,000 and 10,000 generated products on PostgreSQL, gunicorn with 2 processes, rounds of the three interleaved. "kept" is
what a visitor meets whose page was asked for within the minute; "drawn" asks for another page each time, so that none is
kept. The ratio is requests per second over the empty view's, of the same rounds. Prints a table and a last JSON line.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.tables import metadata
from tests.bench.generate import CATEGORIES, grow
from tests.bench.serving import ask, cpu_of, percentile
from tests.need import Gunicorn, postgres_database

CLIENTS = 4


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--requests", type=int, default=400, help="in each round, of each page")
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    for products in given.products:
        with tempfile.TemporaryDirectory() as folder, postgres_database() as url:
            figures[str(products)] = measure(url, Path(folder), products, given.rounds, given.requests)
    print(json.dumps({"bench": "pages", "figures": figures}))


def measure(url: str, folder: Path, products: int, rounds: int, requests: int) -> dict[str, Any]:
    """Return the figures of one size."""
    db = Database(url)
    metadata.create_all(db.engine)
    started = time.perf_counter()
    grow(db, products, now=datetime.now(UTC))  # noqa: DTZ - never naive
    db.dispose()
    print(f"{products} products made in {time.perf_counter() - started:.0f} s", flush=True)
    settings = Settings(
        database_url=url, var_dir=folder, secret_key="b" * 40, demo=False, trusted_hosts="127.0.0.1", log_json=True
    )
    shop = Gunicorn(settings, workers=2, threads=4, log=folder / "shop.log")
    empty = Gunicorn(settings, workers=2, threads=4, log=folder / "empty.log", app="tests.bench.serving:empty_app()")
    try:
        shop.wait_until_ready()
        empty.wait_until_ready(path="/")
        return compare(shop, empty, products, rounds, requests)
    finally:
        shop.stop()
        empty.stop()


def compare(shop: Gunicorn, empty: Gunicorn, products: int, rounds: int, requests: int) -> dict[str, Any]:
    """Interleave rounds of the pages and of the empty view; print and return the figures."""
    numbers = itertools.count()
    plans: dict[str, Any] = {
        "empty": lambda: ask(empty.address, "/", empty.pid, clients=CLIENTS, requests=requests * 2),
        "category kept": lambda: ask(shop.address, "/c/range-3", shop.pid, clients=CLIENTS, requests=requests),
        "product kept": lambda: ask(shop.address, "/p/thing-10", shop.pid, clients=CLIENTS, requests=requests),
        "category drawn": lambda: drawn(shop, (f"/c/range-{n % CATEGORIES}?n={n}" for n in numbers), requests // 4),
        "product drawn": lambda: drawn(shop, (f"/p/thing-{n % products}?n={n}" for n in numbers), requests // 4),
    }
    for plan in plans.values():
        plan()  # warm: connections, templates, first offers
    got: dict[str, list[Any]] = {name: [] for name in plans}
    for _ in range(rounds):
        for name, plan in plans.items():
            got[name].append(plan())
    figures: dict[str, Any] = {}
    rate = {name: sum(len(r.took) for r in rows) / sum(r.seconds for r in rows) for name, rows in got.items()}
    for name, rows in got.items():
        took = [one for row in rows for one in row.took]
        figures[name] = {
            "per_second": round(rate[name], 1),
            "cpu_ms": round(1000 * sum(row.cpu_seconds for row in rows) / len(took), 2),
            "p50_ms": round(1000 * percentile(took, 0.5), 2),
            "p99_ms": round(1000 * percentile(took, 0.99), 2),
            "ratio": round(rate[name] / rate["empty"], 3),
            "failed": sum(row.failed for row in rows),
        }
        shown = "  ".join(f"{key} {value:>8}" for key, value in figures[name].items())
        print(f"{products:>6} {name:<15} {shown}", flush=True)
    return figures


def drawn(shop: Gunicorn, paths: Iterator[str], requests: int) -> Any:
    """Ask for another page each time: what nobody asked for before must be drawn."""
    from tests.bench.serving import Round

    todo = [next(paths) for _ in range(requests)]
    took: list[float] = []
    failed = 0
    lock = threading.Lock()

    def run(mine: list[str]) -> None:
        nonlocal failed
        connection = http.client.HTTPConnection(urlsplit(shop.address).netloc, timeout=60)
        for path in mine:
            started = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            with lock:
                took.append(time.perf_counter() - started)
                failed += answer.status != 200
        connection.close()

    threads = [threading.Thread(target=run, args=(todo[n::CLIENTS],)) for n in range(CLIENTS)]
    before, started = cpu_of(shop.pid), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Round(time.perf_counter() - started, cpu_of(shop.pid) - before, tuple(took), failed)


if __name__ == "__main__":
    main()
