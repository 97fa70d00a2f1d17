"""R10, R11, R13, small: an outside ERP has each order once, in sequence, whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from backoffice.config import Settings
from backoffice.db import Database
from tests.conftest import NOW, FixedClock
from tests.erp_double import BAD, ErpDouble
from tests.faults.figures import Walk
from tests.faults.hand_off import FastClock, Hall, away_for_an_hour, killed_workers, with_all_faults


@pytest.fixture
def hall(sqlite_url: str, settings_for: Callable[..., Settings]) -> Iterator[Hall]:
    """A shop and its ERP over SQLite."""
    clock = FixedClock(NOW)
    erp = ErpDouble(clock).start()
    opened = Hall(settings_for(sqlite_url, erp_url=erp.url), clock, erp)
    yield opened
    opened.stop()
    erp.stop()


def test_after_an_hour_without_it_all_is_delivered_within_a_minute(hall: Hall) -> None:
    came = away_for_an_hour(hall, orders=40)
    assert (came.wrong, came.seconds <= 60) == ([], True)


@pytest.mark.parametrize("seed", [1, 2])
def test_with_all_its_faults_each_order_is_there_once(hall: Hall, seed: int) -> None:
    hall.erp.faults, hall.erp.seed = BAD, seed
    came = with_all_faults(hall, orders=60, kinds=["placed", "cancelled"])
    assert came.wrong == []


@pytest.mark.slow  # processes of its own and a clock that runs: half a minute, more where the machine is busy
@pytest.mark.postgresql
def test_workers_that_are_killed_lose_nothing_and_double_nothing(postgres_db: Database, settings_for: Callable[..., Any]) -> None:
    clock = FastClock(time.time(), 30)
    erp = ErpDouble(clock).start()
    settings = settings_for(postgres_db.url, erp_url=erp.url, erp_max_processing_seconds=150)
    came = killed_workers(settings, erp, clock, orders=15, workers=2, kills=1, seed=1, poison=False)
    erp.stop()
    assert came.wrong == []


@pytest.mark.parametrize("seed", [1, 2])
def test_figures_are_never_more_than_lies_on_the_shelf(hall: Hall, seed: int) -> None:
    hall.erp.on_hand["STOOL"] = 40
    hall.erp.faults, hall.erp.seed = BAD, seed
    walk = Walk(hall, seed)
    walk.go(60)
    assert walk.wrong == []
    assert walk.counts["exact"] > 0
