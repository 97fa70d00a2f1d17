"""Replay the year day by day: every method names its day when the order comes, then the floor does what it does.

All methods see the same orders and the same luck, and the works are run the same way whoever named the day: by the
engine's plan, made anew every morning. Nothing is known before it has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backoffice.backtest.floor import Floor
from backoffice.backtest.methods import Margin, day_of, group_of, without_load
from backoffice.backtest.world import Order, World
from backoffice.planning import Factory, Plan
from backoffice.planning.calendars import HORIZON_DAYS
from backoffice.planning.instants import local_instant, micros, moment
from backoffice.planning.residuals import open_days

Progress = Callable[[int, int], None]
"""Told days done and days in all, while orders come."""


@dataclass(slots=True)
class Record:
    """One order: the days that were named for it, and the day it was ready (None: not yet).

    engine_on, infinite_on: first guesses with and without load. engine_promised, static_promised: with their learnt margins.
    """

    order: Order
    ordered_on: date
    engine_on: date
    infinite_on: date
    engine_promised: date
    static_promised: date
    group: Hashable
    actual_on: date | None = None


@dataclass(slots=True)
class _Seller:
    """Who names the days: the margins, and what was named so far."""

    world: World
    engine: Margin
    static: Margin

    def learn(self, record: Record, actual_on: date) -> None:
        """Take in a finished order."""
        record.actual_on = actual_on
        self.engine.learn(record.group, open_days(self.world.plant, record.engine_on, actual_on))
        self.static.learn("all", open_days(self.world.plant, record.ordered_on, actual_on))

    def add(self, day: date, margin: int) -> date:
        """Return the day `margin` open days later. Raises ValueError if the plant does not open that often."""
        later = self.world.plant.add_open_days(day, margin)
        if later is None:
            raise ValueError("the plant never opens again")
        return later


def simulate(world: World, level: float, progress: Progress | None = None) -> list[Record]:
    """Return a record for every order, in their order.

    level: the share of orders that should be in time, 0 < level < 1. Raises ValueError if an order can never be made.
    """
    floor, seller = Floor(world), _Seller(world, Margin(level), Margin(level))
    infinite = without_load(world.factory)
    records: dict[int, Record] = {}
    zone, day = world.plant.zone, world.begin
    coming = sorted(world.orders, key=lambda order: (order.at, order.number))
    last = coming[-1].at.astimezone(zone).date() if coming else day
    place = 0
    while place < len(coming) or floor.open:
        now, until = local_instant(day, 0, zone), local_instant(day + timedelta(1), 0, zone)
        for job, ended_at in floor.finished(now):
            seller.learn(records[job.order.number], moment(ended_at).astimezone(zone).date())
        floor.believe(now)
        while place < len(coming) and coming[place].at < moment(until):
            order = coming[place]
            records[order.number] = _promise(order, floor, seller, infinite)
            place += 1
        floor.work(until)
        day += timedelta(1)
        if progress and day <= last:
            progress((day - world.begin).days, (last - world.begin).days)
        if day > last + timedelta(HORIZON_DAYS):
            raise ValueError("the works never get done with what was ordered")
    return list(records.values())


def _promise(order: Order, floor: Floor, seller: _Seller, infinite: Factory) -> Record:
    """Let every method name its day, and take the order in."""
    at: datetime = order.at.astimezone(seller.world.plant.zone)
    supplies = floor.supplies(order.at)
    unloaded = Plan(infinite, order.at, supplies, ()).quote(order.item, order.quantity)
    outcome = Plan(floor.factory, order.at, supplies, floor.bookings(micros(order.at))).commit(order.item, order.quantity)
    engine_on, group = day_of(outcome, order.number, at), group_of(outcome)
    record = Record(
        order,
        at.date(),
        engine_on,
        day_of(unloaded, order.number, at),
        seller.add(engine_on, seller.engine.days(group)),
        seller.add(at.date(), seller.static.days("all")),
        group,
    )
    floor.accept(order, outcome)
    return record
