"""The classical job-shop problem: jobs of operations on machines, in the least total time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backoffice.optimiser import process
from backoffice.optimiser.problem import Problem, Target, Task
from backoffice.public.errors import BadInput

MOST_OPERATIONS = 10_000
LONGEST = 2**40  # of all durations together: sums stay far from what 64 bits hold
Rows = Sequence[Sequence[int]]


class BadJobShop(BadInput):
    """Say what is wrong with a job-shop problem."""

    def __init__(self, fault: str) -> None:
        super().__init__("bad_job_shop", fault=fault)
        self.fault = fault

    def __str__(self) -> str:
        return self.fault


@dataclass(frozen=True, slots=True)
class Solved:
    """The least makespan that was found; `optimal`: there is none smaller."""

    makespan: int
    optimal: bool


def solve(machine: Rows, duration: Rows, seconds: float) -> Solved:
    """Return the least makespan found within `seconds` (> 0). Operation k of job j takes duration[j][k] on machine[j][k].

    Machines count from 0; a machine does one operation at a time, a job's operations follow each other in their order.
    Without an answer in time the makespan is that of taking the jobs in turn. Raises BadJobShop, SolverFailed.
    """
    _require_job_shop(machine, duration, seconds)
    latest = _in_turn(machine, duration)
    problem = _problem(machine, duration, latest)
    if not problem.tasks:
        return Solved(0, True)
    answer = process.solve(problem, seconds)
    if not answer.places:
        return Solved(latest, False)
    ends = (start + task.length for task, (_, start) in zip(problem.tasks, answer.places, strict=True))
    return Solved(max(ends), answer.status == "optimal")


def _problem(machine: Rows, duration: Rows, latest: int) -> Problem:
    """Return a problem with one target, due at once: its lateness is the makespan."""
    tasks: list[Task] = []
    after: list[tuple[int, int]] = []
    last: list[int] = []
    for machines, durations in zip(machine, duration, strict=True):
        first = len(tasks)
        tasks += [Task(length, (lane,), 0, latest) for lane, length in zip(machines, durations, strict=True)]
        after += [(number, number + 1) for number in range(first, len(tasks) - 1)]
        last += [len(tasks) - 1] if len(tasks) > first else []
    return Problem([[(0, latest)]], tasks, after, [Target(last)])


def _in_turn(machine: Rows, duration: Rows) -> int:
    """Return the makespan when the first operations of all jobs are taken first, then the second ones, and so on."""
    free: dict[int, int] = {}
    ready = [0] * len(machine)
    for place in range(max(map(len, machine), default=0)):
        for job, machines in enumerate(machine):
            if place < len(machines):
                ready[job] = free[machines[place]] = max(ready[job], free.get(machines[place], 0)) + duration[job][place]
    return max(ready, default=0)


def _require_job_shop(machine: Rows, duration: Rows, seconds: float) -> None:
    if not 0 < seconds < float("inf"):
        raise BadJobShop("seconds must be a number above 0")
    if len(machine) != len(duration):
        raise BadJobShop(f"machine has {len(machine)} jobs, duration has {len(duration)}")
    for job, (machines, durations) in enumerate(zip(machine, duration, strict=True)):
        if len(machines) != len(durations):
            raise BadJobShop(f"job {job}: {len(machines)} machines for {len(durations)} durations")
        for name, numbers in (("machine", machines), ("duration", durations)):
            for place, number in enumerate(numbers):
                if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                    raise BadJobShop(f"job {job}, operation {place}: {name} must be a whole number, 0 or more")
    if sum(map(len, machine)) > MOST_OPERATIONS:
        raise BadJobShop(f"more than {MOST_OPERATIONS} operations")
    if sum(map(sum, duration)) > LONGEST:
        raise BadJobShop(f"all durations together are longer than {LONGEST}")
