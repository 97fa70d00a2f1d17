"""`make bench-promise-http`: a promise as a shop pays for it: asked over HTTP, and committed on PostgreSQL.

10,800 placed orders of 108 products of two levels, 64,800 operations on 20 work centres of two lanes, and 1,000 products from
stock beside them. Quotes: GET /api/v1/promises of gunicorn, one client on one kept connection, a product at a time; those from
stock and those made apart, and those made while another process commits before each question. Commits: `holds.hold` of a made
item in its own transaction, with its pegs, production orders and slots, and the touching of all offers that its minutes can
move, in a process that looks for garbage as a web process does. Goals: p99 below 15 ms and 25 ms. Prints them beside the figures,
the processor time of the web processes for each question, and a last JSON line.
"""

from __future__ import annotations

import argparse
import http.client
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp import decisions, holds, promising
from backoffice.tables import metadata
from backoffice.web import tuning
from tests.bench import slip
from tests.bench.generate import MADE_EVERY, add_products
from tests.bench.serving import cpu_of, percentile
from tests.company import open_company
from tests.need import Gunicorn, postgres_database

WARM = 40
GOALS = {  # p99, ms
    "quote from stock": 15,
    "quote from production": 15,
    "quote as the plan moves": 15,
    "commit of a made item": 25,
}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=1_000, help="from stock")
    parser.add_argument("--orders", type=int, default=10_800, help="in the plan before anything is measured")
    parser.add_argument("--quotes", type=int, default=1_000, help="of each kind; half as many as the plan moves")
    parser.add_argument("--commits", type=int, default=500)
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, postgres_database() as url:
        db = Database(url)
        made, stocked = open_floor(db, given.products, given.orders)
        tuning.post_worker_init(None)
        settings = Settings(
            database_url=url, var_dir=Path(folder), secret_key="b" * 40, demo=False, trusted_hosts="127.0.0.1", log_json=True
        )
        shop = Gunicorn(settings, workers=2, threads=4, log=Path(folder) / "shop.log")
        try:
            shop.wait_until_ready()
            for name, skus, number, between in (
                ("quote from stock", stocked, given.quotes, None),
                ("quote from production", made, given.quotes, None),
                ("quote as the plan moves", made, given.quotes // 2, lambda n: commit(db, made[n % len(made)])),
            ):
                figures[name] = shown(name, *quotes(shop, [skus[n % len(skus)] for n in range(number + WARM)], between))
        finally:
            shop.stop()
        took = [commit(db, made[n % len(made)]) for n in range(given.commits + WARM)][WARM:]
        figures["commit of a made item"] = shown(
            "commit of a made item", [1000 * one for one, _ in took], sum(cpu for _, cpu in took)
        )
        db.dispose()
    print(json.dumps({"bench": "promise-http", "figures": figures}))


def open_floor(db: Database, products: int, orders: int) -> tuple[list[str], list[str]]:
    """Write the company with its open orders; return what is made and what lies there, as SKUs."""
    metadata.create_all(db.engine)
    now = datetime.now(UTC)
    db.run(lambda session: open_company(session, now=now))
    slip.fill(db, orders // slip.OF_EACH, now=now)
    add_products(db, products, now=now)
    db.run(lambda session: decisions.correct(session, now=now))  # written past the program: the log has to be told
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
    return [f"P-{n}" for n in range(orders // slip.OF_EACH)], [f"SKU-{n}" for n in range(products) if n % MADE_EVERY]


def quotes(shop: Gunicorn, skus: list[str], between: Callable[[int], object] | None) -> tuple[list[float], float]:
    """Ask for the day of each, one after another; return the milliseconds that each took, and the seconds of processor time.

    The first ones do not count. between: what happens before each of them.
    """
    connection = http.client.HTTPConnection(urlsplit(shop.address).netloc, timeout=60)
    took = []
    cpu = 0.0
    for number, sku in enumerate(skus):
        if between is not None:
            between(number)
        if number == WARM:
            cpu = cpu_of(shop.pid)
        started = time.perf_counter()
        connection.request("GET", f"/api/v1/promises?sku={sku}&postcode=10115")
        answer = connection.getresponse()
        body = answer.read()
        took.append(1000 * (time.perf_counter() - started))
        if answer.status != 200:
            raise RuntimeError(f"{sku}: {answer.status} {body[:300]!r}")
    connection.close()
    return took[WARM:], cpu_of(shop.pid) - cpu


def commit(db: Database, sku: str) -> tuple[float, float]:
    """Hold one of a made item; return the seconds and the processor time that it took."""
    with db.read() as session:
        item = promising.get_item(session, sku)
    now = datetime.now(UTC)
    started, cpu = time.perf_counter(), time.process_time()
    db.run(lambda session: holds.hold(session, item, 1, owner="bench", minutes=600, postcode="10115", country="DE", now=now))
    return time.perf_counter() - started, time.process_time() - cpu


def shown(name: str, took: list[float], cpu: float) -> dict[str, Any]:
    """Print and return median and slowest hundredth beside the goal, and the processor time of each, in milliseconds."""
    figures = {
        "p50_ms": round(percentile(took, 0.5), 1),
        "p99_ms": round(percentile(took, 0.99), 1),
        "cpu_ms": round(1000 * cpu / len(took), 2),
        "goal_p99_ms": GOALS[name],
    }
    met = figures["p99_ms"] < GOALS[name]
    print(
        f"{name:<24} p50 {figures['p50_ms']:>6} ms  p99 {figures['p99_ms']:>6} ms  goal p99 < {GOALS[name]} ms"
        f"  {'met' if met else 'NOT MET'}  CPU {figures['cpu_ms']} ms  ({len(took):,})",
        flush=True,
    )
    return figures | {"met": met}


if __name__ == "__main__":
    main()
