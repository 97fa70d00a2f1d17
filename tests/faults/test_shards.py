"""A small seed of each shard of `make bench-faults` that needs no long run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.faults import baskets, buyers, clocks, lost_money, migrations, overload, restore, soak
from tests.faults.rows import Row
from tests.need import lacks

pytestmark = [pytest.mark.postgresql, pytest.mark.enable_socket]


def missed(rows: Iterator[Row]) -> list[Row]:
    return [row for row in rows if not row.met]


@pytest.mark.slow  # what a killed worker was carrying waits until its lease has run out
def test_some_buyers_and_two_kills() -> None:
    assert missed(buyers.rows("7", "40", "10", "2")) == []


@pytest.mark.slow
def test_a_small_drill_of_the_way_back() -> None:
    assert missed(restore.rows("4", "4")) == []


def test_a_few_baskets() -> None:
    assert missed(baskets.rows("3", "16")) == []


@pytest.mark.slow
def test_a_machine_an_hour_ahead() -> None:
    if shutil.which("faketime") is None:
        lacks("faketime", "clocks cannot be set wrong")
    assert missed(clocks.rows("+1h")) == []


@pytest.mark.slow
def test_the_newest_migrations_under_load() -> None:
    assert missed(migrations.rows("500", "3")) == []


@pytest.mark.slow  # what the shop can answer is measured first
def test_a_short_flood() -> None:
    assert missed(overload.rows("5", "5")) == []


def test_a_few_whose_money_comes_too_late() -> None:
    assert missed(lost_money.late("8", "2")) == []


def test_an_hour_or_two_with_faults() -> None:
    assert missed(soak.rows("0.1", "3", "0.5")) == []
