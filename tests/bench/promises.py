"""Measure the promise engine alone: `make bench-promises`. Prints figures and, last, a line of JSON.

A generated works: 100,000 items (finished goods of two levels, bought parts), 20 work centres, 10,000 orders committed one
after another (about 65,000 operations). Then quotes on that plan: from stock, from production, and for an asked instant.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from backoffice.planning import BomLine, Calendar, Factory, Item, Operation, Plan, Supply, WorkCentre

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=ZoneInfo("Europe/Berlin"))
FINISHED, MIDDLE, BOUGHT = 20_000, 20_000, 60_000
CENTRES = 20
ORDERS = 10_000
QUOTES = 5_000


def works(pick: random.Random) -> tuple[Factory, list[Supply]]:
    """Return the works and what is there and coming."""
    items = [Item(("F", n), "make") for n in range(FINISHED)] + [Item(("M", n), "make") for n in range(MIDDLE)]
    items += [Item(("B", n), "buy", lead_days=pick.randint(2, 15)) for n in range(BOUGHT)]
    boms = {
        ("F", n): [
            *(BomLine(("M", pick.randrange(MIDDLE)), pick.randint(1, 2)) for _ in range(2)),
            *(BomLine(("B", pick.randrange(BOUGHT)), pick.randint(1, 4)) for _ in range(2)),
        ]
        for n in range(FINISHED)
    }
    boms |= {("M", n): [BomLine(("B", pick.randrange(BOUGHT)), pick.randint(1, 4)) for _ in range(2)] for n in range(MIDDLE)}

    def operations(count: int) -> list[Operation]:
        return [Operation(pick.randrange(CENTRES), 5, pick.randint(1, 3)) for _ in range(count)]

    routings = {("F", n): operations(3) for n in range(FINISHED)} | {("M", n): operations(2) for n in range(MIDDLE)}
    week = Calendar("Europe/Berlin", {day: [(360, 1320)] for day in range(5)})
    centres = [WorkCentre(n, "week", pick.choice([1, 2, 2])) for n in range(CENTRES)]
    supplies = [Supply(("s", n), ("B", n), pick.randint(0, 300), NOW, "stock") for n in range(BOUGHT)]
    supplies += [
        Supply(
            ("r", n), ("B", pick.randrange(BOUGHT)), pick.randint(20, 200), NOW + timedelta(hours=pick.randint(5, 900)), "receipt"
        )
        for n in range(BOUGHT)
    ]
    supplies += [Supply(("m", n), ("M", n), pick.randint(0, 2), NOW, "stock") for n in range(0, MIDDLE, 4)]
    supplies += [Supply(("f", n), ("F", n), 50, NOW, "stock") for n in range(0, FINISHED, 2)]
    return Factory({"week": week}, items, boms, routings, centres, (), True, "Europe/Berlin"), supplies


def measure(ask: Callable[[int], object], keys: Sequence[int]) -> dict[str, float]:
    """Return median and p99 of asking each key once, in milliseconds."""
    took = []
    for key in keys:
        begun = time.perf_counter()
        ask(key)
        took.append((time.perf_counter() - begun) * 1_000)
    took.sort()
    return {"median_ms": round(took[len(took) // 2], 4), "p99_ms": round(took[len(took) * 99 // 100], 4)}


def main() -> None:
    """Build the works, commit the orders, ask."""
    pick = random.Random(7)  # noqa: S311 - a bench wants the same works again, not a secret
    factory, supplies = works(pick)
    plan = Plan(factory, NOW, supplies, ())
    made = [n for n in range(FINISHED) if n % 2]
    begun, operations = time.process_time(), 0
    for _ in range(ORDERS):
        operations += sum(len(make.slots) for make in plan.commit(("F", pick.choice(made)), pick.randint(1, 5)).makes)
    from_scratch = time.process_time() - begun
    figures: dict[str, object] = {"operations": operations, "from_scratch_s": round(from_scratch, 2)}
    stocked, asked = [pick.randrange(0, FINISHED, 2) for _ in range(QUOTES)], [pick.choice(made) for _ in range(QUOTES)]
    figures["atp"] = measure(lambda n: plan.quote(("F", n), 3), stocked)
    figures["ctp"] = measure(lambda n: plan.quote(("F", n), 3), asked)
    due = NOW + timedelta(days=40)
    try:
        figures["asked_instant"] = measure(lambda n: plan.quote(("F", n), 3, due=due), asked)
    except TypeError:
        figures["asked_instant"] = {}
    for name, figure in figures.items():
        print(f"{name:16} {figure}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
