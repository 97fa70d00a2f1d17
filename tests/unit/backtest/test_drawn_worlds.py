"""Years drawn from a seed: nothing is known beforehand, nothing depends on more than the seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Hashable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest
from click.testing import CliRunner

from backoffice.backtest.drawing import draw
from backoffice.backtest.report import rows
from backoffice.backtest.simulate import Record, simulate
from backoffice.backtest.world import Luck, World
from backoffice.cli import main
from backoffice.planning import check

CUT = date(2025, 12, 16)  # a Tuesday


@cache
def year(seed: int) -> tuple[World, list[Record]]:
    """Return a short year that begins with empty shelves, so that deliveries are waited for, and what came of it."""
    world = draw(seed, 14, 3)
    world = replace(world, deliveries=[one for one in world.deliveries if one.at.date() >= world.begin])
    return world, simulate(world, 0.9)


def promises(records: list[Record]) -> list[tuple[object, ...]]:
    """Return what was said before the cut."""
    return [
        (one.order, one.engine_on, one.infinite_on, one.engine_promised, one.static_promised)
        for one in records
        if one.ordered_on < CUT
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_without_bad_luck_every_day_is_the_planned_one(seed: int) -> None:
    world = replace(draw(seed, 14, 3), luck=Luck(), breakdowns=())
    records = simulate(world, 0.9)
    assert len(records) > 200
    assert [one.actual_on for one in records] == [one.engine_on for one in records]
    exact = rows(world, records)
    assert [(row.on_time, row.promised, row.width, row.early) for row in exact[:1]] == [(1.0, exact[3].promised, 0.0, 0.0)]


class _OtherFuture(Luck):
    """The same luck until the cut; after it everything is late and spoilt."""

    def __init__(self, of: Luck, last_orders: set[int]) -> None:
        super().__init__(of.seed, of.late, of.spoilt)
        object.__setattr__(self, "last_orders", last_orders)

    def _after_the_cut(self, name: str) -> bool:
        first, *_, last = name.split()
        return int(last) >= CUT.toordinal() if first == "delivery" else int(first) in self.last_orders

    def days_late(self, name: str, item: Hashable) -> int:
        return 15 if self._after_the_cut(name) else super().days_late(name, item)

    def pieces_spoilt(self, name: str, quantity: int) -> int:
        return quantity if self._after_the_cut(name) else super().pieces_spoilt(name, quantity)


def test_what_comes_later_changes_no_promise_given_before() -> None:
    """Another future: no orders, other breakdowns, other luck of what comes after the cut, orders of the last day included."""
    world, records = year(1)
    zone = world.plant.zone
    before = [order for order in world.orders if order.at.astimezone(zone).date() < CUT]
    last = {order.number for order in before if order.at.astimezone(zone).date() == CUT - timedelta(1)}
    stops = [stop for stop in world.breakdowns if stop.starts_at.astimezone(zone).date() < CUT]
    other = replace(world, orders=before, breakdowns=stops, luck=_OtherFuture(world.luck, last))
    found = simulate(other, 0.9)
    assert last
    assert len(promises(records)) == len(before) > 150
    assert promises(found) == promises(records)
    actual = {one.order.number: one.actual_on for one in records}
    assert any(one.actual_on != actual[one.order.number] for one in found)


def test_a_longer_year_begins_the_same() -> None:
    short, long = draw(5, 10, 3), draw(5, 40, 3)
    assert long.orders[: len(short.orders)] == short.orders
    assert set(short.breakdowns) <= set(long.breakdowns)
    assert short.deliveries[0] == long.deliveries[0]
    assert short.luck == long.luck


def test_the_drawn_factories_can_be_planned_on_and_are_loaded_below_capacity() -> None:
    for seed in range(20):
        world = draw(seed, 1, 5)
        assert check(world.factory) == []


def test_the_same_seed_says_the_same_in_another_process() -> None:
    command = [sys.executable, "-m", "backoffice.cli", "plan", "backtest", "--days", "10", "--orders-per-day", "1"]
    said = [
        subprocess.run(
            [*command, "--seed", seed], env={**os.environ, "PYTHONHASHSEED": salt}, capture_output=True, text=True, check=True
        ).stdout
        for seed, salt in (("4", "1"), ("4", "2"), ("5", "1"))
    ]
    assert said[0] == said[1]
    last = json.loads(said[0].splitlines()[-1])
    assert last["backtest"] == {"seed": 4, "days": 10, "orders_per_day": 1, "service_level": 0.95}
    assert [method["method"] for method in last["methods"]][:3] == [
        "this engine",
        "a static lead time, learnt",
        "infinite capacity",
    ]
    assert json.loads(said[2].splitlines()[-1])["methods"] != last["methods"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--days", "0"),
        ("--days", "-3"),
        ("--days", "soon"),
        ("--days", "1.5"),
        ("--days", "1096"),
        ("--seed", "-1"),
        ("--seed", "x"),
        ("--orders-per-day", "0"),
        ("--orders-per-day", "51"),
        ("--service-level", "1"),
        ("--service-level", "0"),
        ("--service-level", "nan"),
        ("--service-level", "high\nest"),
    ],
)
def test_a_bad_number_is_refused_in_one_line(option: str, value: str) -> None:
    result = CliRunner().invoke(main, ["plan", "backtest", option, value])
    assert (result.exit_code, result.stdout) == (2, "")
    [line] = result.stderr.splitlines()
    assert line.startswith(f"Error: {option} is a")
