"""Job shops: known optima, small ones by hand, and input that is none."""

from __future__ import annotations

import json
import os
from itertools import permutations, product
from pathlib import Path
from random import Random
from typing import Any

import pytest

from backoffice.optimiser.jobshop import LONGEST, BadJobShop, Solved, solve

SECONDS = 60  # a limit for a busy machine; what is asked here is proven in well under one


def known() -> dict[str, Any]:
    folder = os.environ.get("SHOPFLOOR_CASES")
    if not folder:
        pytest.skip("SHOPFLOOR_CASES is not set: the folder of worked cases is not read")
    instances: dict[str, Any] = json.loads(Path(folder, "jobshop.json").read_text(encoding="utf-8"))["instances"]
    return instances


def test_every_known_optimum_is_found_and_proven() -> None:
    cases = known()
    assert {name: case["optimum"] for name, case in cases.items()} == {"ft06": 55, "la01": 666}
    for name, case in cases.items():
        assert solve(case["machine"], case["duration"], SECONDS) == Solved(case["optimum"], True), name


# (machine, duration) -> the least makespan, by hand
BY_HAND = {
    "nothing to do": ([], [], 0),
    "a job without operations": ([[]], [[]], 0),
    "one job: the sum": ([[0, 1]], [[3, 4]], 7),
    "one machine: the sum, whatever the order": ([[0], [0], [0]], [[3], [4], [5]], 12),
    "the short first step goes first: 1 + 5 + 4, not 4 + 4 + 5": ([[0, 1], [0, 1]], [[4, 4], [1, 5]], 10),
    "a job comes back to its machine": ([[0, 0], [0]], [[3, 4], [2]], 9),
    "no time at all": ([[0, 1], [1, 0]], [[0, 0], [0, 0]], 0),
    "what takes no time waits for no machine": ([[0], [1, 0, 2]], [[9], [4, 0, 4]], 9),
    "jobs of different length": ([[0], [0, 1, 2]], [[5], [1, 2, 3]], 6),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_by_hand(case: str) -> None:
    machine, duration, makespan = BY_HAND[case]
    assert solve(machine, duration, SECONDS) == Solved(makespan, True)


def best_of_all_orders(machine: list[list[int]], duration: list[list[int]]) -> int:
    """Return the least makespan by trying every order of the jobs on every machine: an independent method."""
    jobs, machines = range(len(machine)), sorted({m for row in machine for m in row})
    best = sum(map(sum, duration))
    for orders in product(permutations(jobs), repeat=len(machines)):
        place = dict(zip(machines, map(list, orders), strict=True))
        done, ready, free = [0] * len(machine), [0] * len(machine), dict.fromkeys(machines, 0)
        moved = True
        while moved:
            moved = False
            for job in jobs:
                while done[job] < len(machine[job]):
                    at = machine[job][done[job]]
                    if place[at][0] != job:
                        break
                    place[at].pop(0)
                    ready[job] = free[at] = max(ready[job], free[at]) + duration[job][done[job]]
                    done[job] += 1
                    moved = True
        if all(count == len(row) for count, row in zip(done, machine, strict=True)):
            best = min(best, max(ready))
    return best


def test_small_random_job_shops_agree_with_trying_every_order() -> None:
    random = Random(7)  # noqa: S311 - the same job shops each time, not a secret
    for _ in range(4):
        machine = [random.sample(range(3), 3) for _ in range(3)]
        duration = [[random.randint(1, 9) for _ in range(3)] for _ in range(3)]
        assert solve(machine, duration, SECONDS) == Solved(best_of_all_orders(machine, duration), True)


@pytest.mark.parametrize(
    ("machine", "duration", "fault"),
    [
        ([[0]], [[1], [2]], "machine has 1 jobs, duration has 2"),
        ([[0, 1]], [[1]], "job 0: 2 machines for 1 durations"),
        ([[0], [-1]], [[1], [1]], "job 1, operation 0: machine must be a whole number, 0 or more"),
        ([[0, 0]], [[1, -3]], "job 0, operation 1: duration must be a whole number, 0 or more"),
        ([[0]], [[1.5]], "job 0, operation 0: duration must be a whole number, 0 or more"),
        ([[True]], [[1]], "job 0, operation 0: machine must be a whole number, 0 or more"),
        ([[0]], [[LONGEST + 1]], f"all durations together are longer than {LONGEST}"),
        ([[0] * 10_001], [[1] * 10_001], "more than 10000 operations"),
    ],
)
def test_what_is_no_job_shop_is_named(machine: Any, duration: Any, fault: str) -> None:
    with pytest.raises(BadJobShop) as raised:
        solve(machine, duration, 1)
    assert (raised.value.code, str(raised.value)) == ("bad_job_shop", fault)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_limit_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(BadJobShop, match="seconds must be a number above 0"):
        solve([[0]], [[1]], seconds)


def test_without_time_to_search_there_is_still_an_answer_and_it_is_not_called_optimal() -> None:
    random = Random(3)  # noqa: S311 - the same job shops each time, not a secret
    machine = [random.sample(range(20), 20) for _ in range(40)]
    duration = [[random.randint(1, 99) for _ in range(20)] for _ in range(40)]
    solved = solve(machine, duration, 0.001)
    assert not solved.optimal
    assert max(map(sum, duration)) <= solved.makespan <= sum(map(sum, duration))
