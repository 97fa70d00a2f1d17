"""Shards `erp` (R10, R12: an outside ERP that is away, sends stale and absurd stock), `erp-orders` and `erp-changes` (R11: it has
no idempotency), and `erp-workers` (R13: workers that carry to it are killed).
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backoffice.db import Database
from backoffice.tables import metadata
from tests.conftest import NOW, FixedClock
from tests.erp_double import BAD, GOOD, ErpDouble, Faults
from tests.faults.crash import settings_for
from tests.faults.figures import Walk
from tests.faults.hand_off import FastClock, Hall, Outcome, away_for_an_hour, hush, killed_workers, with_all_faults
from tests.faults.rows import Row
from tests.need import postgres_database

SHOPS = 2  # at once, one for each core


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
        hall = Hall(settings_for(url, Path(name)).model_copy(update={"erp_url": erp.url}), clock, erp)
        yield hall
        hall.stop()
        erp.stop()


def rows() -> Iterator[Row]:
    """R10 and R12."""
    hush()
    with _hall() as hall:
        came = away_for_an_hour(hall, orders=500)
        figure = f"{came.seconds:.0f} s, {came.most_at_once} at once, {len(came.wrong)} wrong"
        yield Row("R10 ERP away for an hour, 500 orders", "<= 60 s, once each, in sequence", figure, _well(came, 60))
    yield from figures()


def orders(many: str = "10000", seed: str = "7") -> Iterator[Row]:
    """R11: so many orders."""
    came, asked = _by_two_shops(int(many), int(seed), ["placed"])
    figure = f"{came.orders} orders, {asked} asked, {len(came.wrong)} wrong"
    yield Row("R11 ERP without idempotency", "0 duplicate, 0 missing", figure, _well(came))


def changes(many: str = "2500", seed: str = "8") -> Iterator[Row]:
    """R11: so many orders with two changes each."""
    came, asked = _by_two_shops(int(many), int(seed), ["placed", "redirected", "cancelled"])
    figure = f"{came.orders} orders, {asked} asked, {len(came.wrong)} wrong"
    yield Row("R11 with two changes each", "in sequence, 0 duplicate, 0 missing", figure, _well(came))


def _by_two_shops(many: int, seed: int, kinds: list[str]) -> tuple[Outcome, int]:
    """Let two shops, each a process with an ERP of its own, hand over a half each; return (outcome, times asked)."""
    with multiprocessing.get_context("spawn").Pool(SHOPS) as pool:
        halves = pool.starmap(_delivered, [(many // SHOPS, seed + 100 * shop, kinds) for shop in range(SHOPS)], chunksize=1)
    wrong = [line for half, _ in halves for line in half.wrong]
    most, seconds = max(half.most_at_once for half, _ in halves), max(half.seconds for half, _ in halves)
    return Outcome(sum(half.orders for half, _ in halves), seconds, most, wrong), sum(asked for _, asked in halves)


def _delivered(many: int, seed: int, kinds: list[str]) -> tuple[Outcome, int]:
    hush()
    with _hall(BAD, seed=seed) as hall:
        came = with_all_faults(hall, orders=many, kinds=kinds)
        return came, hall.erp.calls["POST orders"]


def figures(walks: str = "8", steps: str = "200") -> Iterator[Row]:
    """R12: stock figures of every kind, while orders are bought, handed over, shipped and cancelled."""
    hush()
    exact, fewer, wrong = 0, 0, list[str]()
    for seed in range(int(walks)):
        with _hall(BAD, seed=seed) as hall:
            hall.erp.on_hand["STOOL"] = 60
            walk = Walk(hall, seed)
            walk.go(int(steps))
            exact, fewer, wrong = exact + walk.counts["exact"], fewer + walk.counts["fewer"], wrong + walk.wrong
    figure = f"{walks} walks, {exact} exact, {fewer} fewer, {len(wrong)} wrong"
    print(*(f"    {line}" for line in wrong[:5]), sep="\n" if wrong else "", end="\n" if wrong else "")
    yield Row("R12 stale, older, partial, absurd stock", "never more than lies there", figure, not wrong)


def workers() -> Iterator[Row]:
    """R13: 4 workers, 2,000 messages, 10 of them killed, one order that the ERP falls over."""
    hush()
    with tempfile.TemporaryDirectory() as name, postgres_database() as url:
        db = Database(url)
        metadata.create_all(db.engine)
        db.dispose()
        clock = FastClock(time.time(), 30)
        erp = ErpDouble(clock).start()
        erp.takes = 0.02
        settings = settings_for(url, Path(name)).model_copy(update={"erp_url": erp.url, "erp_max_processing_seconds": 300})
        came = killed_workers(settings, erp, clock, orders=500, workers=4, kills=10, seed=3, poison=True)
        erp.stop()
        figure = f"{came.seconds:.0f} s, {came.most_at_once} at once, {len(came.wrong)} wrong"
        yield Row("R13 4 workers, 2,000 messages, 10 killed", "effect once, in order, poison isolated", figure, _well(came))


def _well(came: Outcome, most_seconds: float = float("inf")) -> bool:
    for line in came.wrong[:5]:
        print("   ", line)
    return not came.wrong and came.seconds <= most_seconds and came.most_at_once <= 10
