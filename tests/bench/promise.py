"""`make bench-promise`: the promise engine in one process, without a database.

100,000 SKUs (30,000 sold and made to order, 20,000 made parts, 50,000 bought parts), bills of two levels, 20 work centres of two
lanes, Monday to Friday 06:00 to 22:00. Orders are planned one after another, as they come. Prints a table and a last JSON line.

"planned": every order searched for, from an empty plan. "folded": a plan built from what was decided (what is left of supplies,
and slots), nothing searched for; its digest must be the planned one's. And a plan that was asked many questions in between must
be the same as one that was asked none. Ends with 1 where digests differ.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from backoffice.planning import (
    BomLine,
    Booking,
    Calendar,
    Factory,
    Item,
    Operation,
    Outcome,
    Plan,
    Supply,
    Surplus,
    WorkCentre,
)
from tests.bench.serving import percentile

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SOLD, PARTS, BOUGHT, CENTRES = 30_000, 20_000, 50_000, 20
ASKED = timedelta(days=40)  # from now on: as late as possible, but ready by then
GROWTH = (1_000, 10_000, 100_000)  # operations in the plan


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--quotes", type=int, default=20_000, help="from stock; a tenth as many from production")
    parser.add_argument("--growth", type=int, nargs="*", default=list(GROWTH))
    given = parser.parse_args()
    before = resident()
    world, making = timed(make_world)
    figures: dict[str, Any] = {"skus": len(world.factory.item_by), "world_seconds": round(making, 2)}
    orders = world.orders(given.orders)
    cpu = time.process_time()
    (plan, outcomes), seconds = timed(lambda: planned(world, orders))
    cpu = time.process_time() - cpu  # what it takes where others need the cores too
    slots = sum(len(make.slots) for outcome in outcomes for make in outcome.makes)
    figures |= {
        "orders": len(orders),
        "operations": slots,
        "planned_seconds": round(seconds, 2),
        "planned_cpu_seconds": round(cpu, 2),
    }
    print(f"{len(orders):,} orders, {slots:,} operations planned from nothing in {seconds:.2f} s ({cpu:.2f} s of CPU)")
    folded, seconds = timed(lambda: fold(world, outcomes))
    figures |= {"folded_seconds": round(seconds, 2), "memory_mb": round(resident() - before)}
    print(f"the same plan folded from what was decided in {seconds:.2f} s; memory {figures['memory_mb']} MB")
    figures["atp"] = shown("from stock", ask(plan, world.lying(given.quotes)))
    figures["ctp"] = shown("from production", ask(plan, world.made(given.quotes // 10)))
    figures["asked"] = shown("for an asked instant", ask(plan, world.made(given.quotes // 10), due=NOW + ASKED))
    asked = planned(world, orders, between=lambda plan, number: plan.quote(world.sold[number % SOLD], 2))[0]
    digests = {plan.digest(), folded.digest(), asked.digest()}
    figures["digests_equal"] = len(digests) == 1
    print(f"planned, folded and asked in between are {'one plan' if len(digests) == 1 else 'DIFFERENT PLANS'}")
    figures["growth"] = {str(operations): grown(world, operations, given.quotes // 20) for operations in given.growth}
    print(json.dumps({"bench": "promise", "figures": figures}))
    sys.exit(0 if figures["digests_equal"] else 1)


class World:
    """Master data and opening stock, the same each time."""

    def __init__(self, factory: Factory, supplies: Sequence[Supply], sold: Sequence[int], stocked: Sequence[int]) -> None:
        self.factory, self.supplies, self.sold, self.stocked = factory, supplies, sold, stocked

    def orders(self, number: int) -> list[tuple[int, int]]:
        """Return (item, quantity) of so many orders for what is made."""
        random = Random(2)  # noqa: S311 - the same orders each time, not a secret
        return [(random.choice(self.sold), random.randint(1, 3)) for _ in range(number)]

    def lying(self, number: int) -> list[tuple[int, int]]:
        """Return questions that stock answers."""
        random = Random(3)  # noqa: S311 - the same questions each time
        return [(random.choice(self.stocked), random.randint(1, 3)) for _ in range(number)]

    def made(self, number: int) -> list[tuple[int, int]]:
        """Return questions that need production on both levels."""
        random = Random(4)  # noqa: S311 - the same questions each time
        return [(random.choice(self.sold), random.randint(1, 3)) for _ in range(number)]


def make_world() -> World:
    """Return 100,000 SKUs with their bills, routings, work centres and stock."""
    random = Random(1)  # noqa: S311 - the same world each time, not a secret
    week = Calendar("Europe/Berlin", {day: [(360, 1320)] for day in range(5)})
    sold, parts = range(SOLD), range(SOLD, SOLD + PARTS)
    bought = range(SOLD + PARTS, SOLD + PARTS + BOUGHT)
    items = [Item(key, "make") for key in (*sold, *parts)]
    items += [Item(key, "buy", lead_days=random.randint(2, 20), minimum=10, multiple=5) for key in bought]
    boms = {key: [BomLine(random.choice(parts), 1), *_some(random, bought, 3)] for key in sold}
    boms |= {key: _some(random, bought, 2) for key in parts}
    routings = {key: _steps(random, 4) for key in sold} | {key: _steps(random, random.randint(2, 3)) for key in parts}
    centres = [WorkCentre(centre, "week", lanes=2) for centre in range(CENTRES)]
    stocked = list(bought)
    supplies = [Supply(("stock", key), key, random.randint(20, 400), NOW, "stock") for key in stocked]
    supplies += [
        Supply(("po", key), key, random.randint(20, 200), NOW + timedelta(days=random.randint(1, 30)), "receipt")
        for key in random.sample(bought, 10_000)
    ]
    return World(Factory({"week": week}, items, boms, routings, centres, timezone="Europe/Berlin"), supplies, sold, stocked)


def _some(random: Random, items: Sequence[int], number: int) -> list[BomLine]:
    return [BomLine(item, random.randint(1, 4)) for item in random.sample(items, number)]


def _steps(random: Random, number: int) -> list[Operation]:
    return [Operation(random.randrange(CENTRES), random.choice((0, 5, 10)), random.randint(2, 8)) for _ in range(number)]


def planned(
    world: World, orders: Iterable[tuple[int, int]], *, between: Callable[[Plan, int], object] = lambda plan, number: None
) -> tuple[Plan, list[Outcome]]:
    """Return a plan with these orders in it, each searched for in turn, and what was decided. between: asked after each."""
    plan, outcomes = Plan(world.factory, NOW, world.supplies, ()), []
    for number, (item, quantity) in enumerate(orders):
        outcomes.append(plan.commit(item, quantity))
        between(plan, number)
    return plan, outcomes


def fold(world: World, outcomes: Sequence[Outcome]) -> Plan:
    """Return the plan that follows from what was decided, without any search."""
    left: dict[Hashable, Any] = {supply.key: supply.quantity for supply in world.supplies}
    later: list[tuple[Surplus, datetime]] = []
    bookings = []
    for commit, outcome in enumerate(outcomes):
        for peg in outcome.pegs:
            if peg.supply is not None and peg.kind in ("stock", "receipt"):
                left[peg.supply] -= peg.quantity
        _surpluses(world, outcome, commit, left, later)
        bookings += [
            Booking(slot.work_centre, slot.lane, slot.starts_at, slot.ends_at) for make in outcome.makes for slot in make.slots
        ]
    supplies = [
        Supply(supply.key, supply.item, left[supply.key], supply.available_at, supply.kind)
        for supply in world.supplies
        if left[supply.key] > 0
    ]
    supplies += [Supply(key, key.item, left[key], at, "receipt") for key, at in later if left[key] > 0]
    return Plan(world.factory, NOW, supplies, bookings)


def _surpluses(
    world: World, outcome: Outcome, commit: int, left: dict[Hashable, Any], later: list[tuple[Surplus, datetime]]
) -> None:
    """Add what purchases yield beyond their need: ten at least, fives after that."""
    wanted: dict[Hashable, list[Any]] = {}
    for peg in outcome.pegs:
        if peg.kind == "buy":
            wanted.setdefault(peg.item, []).append(peg)
    for item, pegs in wanted.items():
        ordered = sum(max(10, -(-peg.quantity // 5) * 5) for peg in pegs if peg.supply is None)
        key = Surplus(commit, item, None)
        left[key] = left.get(key, 0) + ordered - sum(peg.quantity for peg in pegs)
        later.append((key, pegs[0].available_at))


def ask(plan: Plan, questions: Iterable[tuple[int, int]], *, due: datetime | None = None) -> list[float]:
    """Return how many milliseconds each question takes."""
    gc.collect()
    took = []
    for item, quantity in questions:
        started = time.perf_counter_ns()
        plan.quote(item, quantity, due=due)
        took.append((time.perf_counter_ns() - started) / 1e6)
    return took


def grown(world: World, operations: int, quotes: int) -> dict[str, float]:
    """Return the figures of a plan of about so many operations."""
    orders = world.orders(max(1, round(operations / 6.5)))
    (plan, _), seconds = timed(lambda: planned(world, orders))
    return {"planned_seconds": round(seconds, 2)} | shown(f"{operations:,} operations", ask(plan, world.made(quotes)))


def shown(name: str, took: list[float]) -> dict[str, float]:
    """Print and return median and slowest hundredth, in milliseconds."""
    figures = {"p50_ms": round(statistics.median(took), 4), "p99_ms": round(percentile(took, 0.99), 4)}
    print(
        f"{name:<22} p50 {figures['p50_ms']:>8.4f} ms   p99 {figures['p99_ms']:>8.4f} ms   ({len(took):,} questions)", flush=True
    )
    return figures


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what some work gives, and the seconds it takes."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def resident() -> float:
    """Return the memory that this process has, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
