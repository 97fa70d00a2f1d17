"""`make bench-reoptimise`: what half a minute of search gains on a floor of 1,000 operations, in process, without a database.

20 work centres of one or two lanes in an early or a late shift, filled first come, first served; every tenth order was cancelled
since and left its hole, every tenth is a day late. Compared with moving everything up in today's order, which needs no solver.
Prints a table and a last JSON line; ends with 1 where the proposal is refused.
"""

from __future__ import annotations

import argparse
import json
import time
from random import Random

from backoffice.optimiser.floor import Demand, Floor, Lot, Operation
from backoffice.optimiser.problem import Answer, Problem
from backoffice.optimiser.proposing import propose
from backoffice.optimiser.window import choose
from backoffice.planning.calendars import Calendar
from backoffice.planning.capacity import Axis, Centre
from backoffice.planning.instants import DAY, MINUTE

CENTRES, HOUR, HORIZON = 20, 60 * MINUTE, 400 * DAY
MONDAY = 20_780 * DAY  # 23 November 2026
SHIFTS = ((360, 840), (840, 1320))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=30)
    given = parser.parse_args()
    floor = fill(given.operations)
    window = choose(floor, MONDAY, MONDAY + 28 * DAY, given.operations)
    figures = {"operations": len(window.operations()), "orders": len(floor.demands)}
    print(f"{figures['operations']} operations of {figures['orders']} orders")
    for name, solve in (("moved up", moved_up), ("searched for", None)):
        started = time.perf_counter()
        found = propose(window, given.seconds, solve) if solve else propose(window, given.seconds)
        figures[name] = {
            "seconds": round(time.perf_counter() - started, 1),
            "late_hours_saved": found.lateness_saved // HOUR,
            "hours_saved": found.time_saved // HOUR,
            "orders_earlier": len(found.earlier),
            "proven": found.proven,
        }
        print(name, figures[name], flush=True)
    print(json.dumps({"bench": "reoptimise", "figures": figures}))


def moved_up(problem: Problem, seconds: float) -> Answer:
    """Answer with today's order."""
    return Answer("feasible", 0, [task.today or (0, 0) for task in problem.tasks])


def fill(operations: int) -> Floor:
    """Return a floor of about so many operations: orders of two lots, the first of two operations, the second of three."""
    random = Random(5)  # noqa: S311 - the same floor each time, not a secret
    axes = {key: Axis(Calendar("UTC", {day: [random.choice(SHIFTS)] for day in range(5)}), [], MONDAY) for key in range(CENTRES)}
    lanes = {key: random.choice((1, 1, 2)) for key in range(CENTRES)}
    centres = {key: Centre(axes[key], lanes[key], MONDAY) for key in range(CENTRES)}
    lots: dict[int, Lot] = {}
    feeds, demands, count = [], [], 0
    for order in range(round(operations / 5 / 0.9)):
        begin = clock = MONDAY + random.choice((0, 0, 1, 2)) * DAY
        made = []
        for number in (2, 3):
            steps = []
            for _ in range(number):
                steps.append(put(random, centres, count, clock))
                clock, count = steps[-1].ends_at, count + 1
            made.append(Lot(2 * order + len(made), steps[0].starts_at, clock, steps, False, begin, False))
        if random.random() < 0.1:
            continue  # cancelled since
        lots |= {lot.key: lot for lot in made}
        feeds.append((made[0].key, made[1].key))
        demands.append(Demand(order, [made[1].key], clock, begin, clock - (DAY if random.random() < 0.1 else 0)))
    return Floor(lots, feeds, demands, lanes, axes)


def put(random: Random, centres: dict[int, Centre], key: int, clock: int) -> Operation:
    """Give an operation the earliest place at some work centre."""
    number, length = random.randrange(CENTRES), random.choice((1, 2, 4, 6)) * HOUR // 2
    centre = centres[number]
    place = centre.find(clock, length, MONDAY + HORIZON)
    assert place is not None
    assert centre.lanes is not None
    centre.lanes[place.lane].reserve(place.work_start, place.work_end)
    return Operation(key, number, place.lane, place.starts_at, place.ends_at, length)


if __name__ == "__main__":
    main()
