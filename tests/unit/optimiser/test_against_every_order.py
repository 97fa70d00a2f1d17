"""Random floors: the proposal is as good as the best of every order of the operations, placed hour by hour on a grid."""

from __future__ import annotations

from itertools import permutations
from random import Random

import pytest

from backoffice.optimiser import rules
from backoffice.optimiser.floor import Floor, Place, Sequencing
from backoffice.optimiser.proposing import propose, ready_at
from backoffice.optimiser.window import choose
from tests.unit.optimiser.floors import ALWAYS, DAYS, HOUR, LATE, MONDAY, at, axis, demand, floor, lot, operation

HOURS = 24 * 12
WEEKS = (ALWAYS, DAYS, LATE)


class Grid:
    """Work centres as lists of their open hours, and which of them are taken: nothing of the engine's."""

    def __init__(self, weeks: dict[int, dict[int, list[tuple[int, int]]]]) -> None:
        self.open = {
            centre: [
                hour for hour in range(HOURS) if any(start <= hour % 24 * 60 < end for start, end in week.get(hour // 24 % 7, ()))
            ]
            for centre, week in weeks.items()
        }
        self.taken: dict[int, set[int]] = {centre: set() for centre in weeks}

    def put(self, centre: int, ready: int, length: int) -> tuple[int, int]:
        """Take the first free stretch of open hours."""
        hours = self.open[centre]
        for first, hour in enumerate(hours):
            stretch = hours[first : first + length]
            if hour >= ready and not self.taken[centre].intersection(stretch):
                self.taken[centre].update(stretch)
                return hour, stretch[-1] + 1
        raise AssertionError("the grid is too short")


def random_floor(random: Random) -> tuple[Floor, dict[int, dict[int, list[tuple[int, int]]]], list[tuple[int, int, int, int]]]:
    """Return a floor that was filled carelessly, its weeks, and its operations as (key, lot, centre, hours)."""
    weeks = {1: random.choice(WEEKS), 2: random.choice(WEEKS)}
    grid, lots, tasks, demands = Grid(weeks), [], [], []
    for key in range(1, 4):
        clock, mine = random.randint(0, 30), []
        for step in range(random.randint(1, 2)):
            centre, length = random.randint(1, 2), random.randint(1, 9)
            start, clock = grid.put(centre, clock + random.randint(0, 12), length)
            mine.append(operation(10 * key + step, centre, start, clock, length))
            tasks.append((10 * key + step, key, centre, length))
        lots.append(lot(key, *mine))
    ready = {one.key: (one.ready_at - MONDAY) // HOUR for one in lots}
    feeds = [(1, 3)] if lots[0].ready_at <= lots[2].starts_at and random.random() < 0.7 else []
    for key in (2, 3) if feeds else (1, 2, 3):
        told = ready[key] + random.choice((0, 0, 6))
        demands.append(demand(key, key, told=told, due=told - random.choice((0, 12)), others=told if told > ready[key] else 0))
    return floor(lots, demands, feeds, axes={centre: axis(week) for centre, week in weeks.items()}), weeks, tasks


def score(of: Floor, places: Sequencing) -> tuple[int, int]:
    """Return lateness and the sum of the instants at which everybody has all, as less is better."""
    ready = [(ready_at(of, one, places), one.due) for one in of.demands]
    return sum(max(0, at - due) for at, due in ready), sum(at for at, _ in ready)


def best_of_all_orders(
    of: Floor, weeks: dict[int, dict[int, list[tuple[int, int]]]], tasks: list[tuple[int, int, int, int]]
) -> tuple[int, int]:
    """Return the best score that any order reaches without breaking a rule."""
    best = score(of, {})
    keys = [key for key, *_ in tasks]
    for order in permutations(tasks):
        grid, done, places = Grid(weeks), dict[int, int](), dict[int, Place]()
        for key, mine, centre, length in order:
            before = [key - 1] if key % 10 else [one for one, other, *_ in tasks if (other, mine) in of.feeds]
            if any(one not in done for one in before):
                break
            start, end = grid.put(centre, max([0, *(done[one] for one in before)]), length)
            done[key], places[key] = end, Place(0, at(start), at(end))
        else:
            if not rules.faults(of, places, keys, MONDAY):
                best = min(best, score(of, places))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_the_proposal_is_as_good_as_the_best_order(seed: int) -> None:
    of, weeks, tasks = random_floor(Random(seed))  # noqa: S311 - the same floors each time, not a secret
    window = choose(of, MONDAY, at(HOURS), 1_000)
    assert len(window.chosen) == 3
    found = propose(window, 60)
    before, best = score(of, {}), best_of_all_orders(of, weeks, tasks)
    assert found.proven
    assert (found.lateness_saved, found.time_saved) == (before[0] - best[0], before[1] - best[1])
    assert score(of, found.places) == best
