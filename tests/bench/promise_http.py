"""`make bench-promise-http`: a promise as a shop pays for it: asked over HTTP, and committed on PostgreSQL.

1,000 generated products, a fifth of them made, and 200 held orders in the plan. Quotes: GET /api/v1/promises of gunicorn, one
client on one kept connection, a product at a time, those from stock and those made apart. Commits: `holds.hold` of a made item in
its own transaction, with its pegs, production orders and slots, and the touching of all offers that its minutes can move. Goals:
p99 below 15 ms and 25 ms. Prints them beside the figures, and a last JSON line.
"""

from __future__ import annotations

import argparse
import http.client
import json
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp import holds
from backoffice.erp import models as t
from backoffice.tables import metadata
from tests.bench.generate import MADE_EVERY, grow
from tests.bench.serving import percentile
from tests.need import Gunicorn, postgres_database

WARM = 40
GOALS = {"quote from stock": 15, "quote from production": 15, "commit of a made item": 25}  # p99, ms


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=1_000)
    parser.add_argument("--held", type=int, default=200, help="orders in the plan before anything is measured")
    parser.add_argument("--quotes", type=int, default=1_000, help="of each kind")
    parser.add_argument("--commits", type=int, default=300)
    given = parser.parse_args()
    took: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, postgres_database() as url:
        db = Database(url)
        metadata.create_all(db.engine)
        grow(db, given.products, now=datetime.now(UTC))
        commit(db, given.held, given.products)
        settings = Settings(
            database_url=url, var_dir=Path(folder), secret_key="b" * 40, demo=False, trusted_hosts="127.0.0.1", log_json=True
        )
        shop = Gunicorn(settings, workers=2, threads=4, log=Path(folder) / "shop.log")
        try:
            shop.wait_until_ready()
            made = range(0, given.products, MADE_EVERY)
            stocked = [n for n in range(given.products) if n % MADE_EVERY]
            took["quote from stock"] = quotes(shop, (stocked[n % len(stocked)] for n in range(given.quotes + WARM)))
            took["quote from production"] = quotes(shop, (made[n % len(made)] for n in range(given.quotes + WARM)))
        finally:
            shop.stop()
        took["commit of a made item"] = commit(db, given.commits, given.products)
        db.dispose()
    print(json.dumps({"bench": "promise-http", "figures": {name: shown(name, one) for name, one in took.items()}}))


def quotes(shop: Gunicorn, numbers: Iterable[int]) -> list[float]:
    """Ask for the day of each product, one after another; return the milliseconds that each took, without the first ones."""
    connection = http.client.HTTPConnection(urlsplit(shop.address).netloc, timeout=60)
    took = []
    for number in numbers:
        started = time.perf_counter()
        connection.request("GET", f"/api/v1/promises?sku=SKU-{number}&postcode=10115")
        answer = connection.getresponse()
        body = answer.read()
        took.append(1000 * (time.perf_counter() - started))
        if answer.status != 200:
            raise RuntimeError(f"SKU-{number}: {answer.status} {body[:300]!r}")
    connection.close()
    return took[WARM:]


def commit(db: Database, number: int, products: int) -> list[float]:
    """Hold made items, one after another; return the milliseconds that each took."""
    with db.read() as session:
        made = session.scalars(
            sa.select(t.Item).where(t.Item.sku.in_([f"SKU-{n}" for n in range(0, products, MADE_EVERY)])).order_by(t.Item.id)
        ).all()
    took = []
    for count in range(number):
        item, now = made[count % len(made)], datetime.now(UTC)
        started = time.perf_counter()
        db.run(lambda s, i=item, n=now: holds.hold(s, i, 1, owner="bench", minutes=600, postcode="10115", country="DE", now=n))
        took.append(1000 * (time.perf_counter() - started))
    return took


def shown(name: str, took: list[float]) -> dict[str, Any]:
    """Print and return median and slowest hundredth, in milliseconds, beside the goal."""
    figures = {"p50_ms": round(percentile(took, 0.5), 1), "p99_ms": round(percentile(took, 0.99), 1), "goal_p99_ms": GOALS[name]}
    met = figures["p99_ms"] < GOALS[name]
    print(
        f"{name:<22} p50 {figures['p50_ms']:>6} ms  p99 {figures['p99_ms']:>6} ms  goal p99 < {GOALS[name]} ms"
        f"  {'met' if met else 'NOT MET'}  ({len(took):,})"
    )
    return figures | {"met": met}


if __name__ == "__main__":
    main()
