"""The program that searches: reads a problem as JSON on standard input, writes answers to standard output, a line each.

Each is better than the one before, the last one is what it found: now and then the library does not come back at its limit, and
who has to kill it still has the best until then.

Started by `process`, never imported by the rest: whatever the solver does to its process, it does to this one alone.
Source of the model: interval variables on folded time, one `no overlap` for each lane (OR-Tools CP-SAT).
"""

from __future__ import annotations

import json
import resource
import sys
import time
from itertools import pairwise
from typing import Any

from ortools.sat.python import cp_model

WORKERS = 2
SEED = 1
MOST_MEMORY = 4 << 30  # bytes of address space, most of them never touched
LATENESS_SHARE = 0.6  # of the time, for the first of the two aims
STATUS = {cp_model.OPTIMAL: "optimal", cp_model.FEASIBLE: "feasible", cp_model.INFEASIBLE: "impossible"}


def main() -> None:
    """Answer one problem."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    say(answer(json.load(sys.stdin)))


def say(found: dict[str, Any]) -> None:
    """Write an answer down at once."""
    print(json.dumps(found), flush=True)


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Return status, lateness and places for a problem (see `problem.Problem`) and the `seconds` it may take."""
    began, seconds = time.monotonic(), asked["seconds"]
    floor = Floor(asked)
    floor.model.minimize(floor.lateness)
    found = floor.solve(seconds * (LATENESS_SHARE if asked["early"] else 1))
    left = began + seconds - time.monotonic()
    if not asked["early"] or not found["places"] or left <= 0:
        return found
    floor.model.add(floor.lateness <= found["lateness"])
    floor.begin_with(found["places"])
    floor.model.minimize(floor.total)
    earlier = floor.solve(left)
    if not earlier["places"]:
        return found | {"status": "feasible"}
    proven = found["status"] == earlier["status"] == "optimal"
    return earlier | {"status": "optimal" if proven else "feasible"}


class Floor:
    """The model of a problem: where each task goes, how late the targets are, and when they are there in sum."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.model = cp_model.CpModel()
        self.asked = asked
        self.tasks = asked["tasks"]
        self.starts: list[Any] = []
        self.lanes: list[dict[int, Any]] = []
        self._steps: list[tuple[int, Any, int]] = []  # task, whether it is past a closed time, the work from which it is
        self._place_tasks()
        self._put_in_order()
        self.lateness, self.total = self._aim()
        today = [task["today"] for task in self.tasks]
        if all(today):
            self.begin_with(today)

    def solve(self, seconds: float) -> dict[str, Any]:
        """Return the best found in so much time."""
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = seconds
        solver.parameters.num_workers = WORKERS
        solver.parameters.random_seed = SEED
        status = STATUS.get(solver.solve(self.model, Teller(self)), "unknown")
        if status not in ("optimal", "feasible"):
            return {"status": status, "lateness": 0, "places": []}
        return self.read(solver, status)

    def read(self, found: Any, status: str) -> dict[str, Any]:
        """Return as an answer what the solver (or the callback in its search) has found."""
        taken = [next(lane for lane, bit in lanes.items() if found.boolean_value(bit)) for lanes in self.lanes]
        places = list(zip(taken, map(found.value, self.starts), strict=True))
        return {"status": status, "lateness": found.value(self.lateness), "places": places}

    def begin_with(self, places: list[tuple[int, int]]) -> None:
        """Search from these lanes and starts on."""
        self.model.clear_hints()  # type: ignore[no-untyped-call] # the library left this one without types
        for start, lanes, (lane, at) in zip(self.starts, self.lanes, places, strict=True):
            self.model.add_hint(start, at)
            for number, bit in lanes.items():
                self.model.add_hint(bit, number == lane)
        for task, past, work in self._steps:
            self.model.add_hint(past, places[task][1] >= work)

    def _place_tasks(self) -> None:
        """Give each task a start and one of its lanes; a lane does one task at a time."""
        model, on_lane = self.model, dict[int, list[Any]]()
        for lane, start, end in self.asked["busy"]:
            on_lane.setdefault(lane, []).append(model.new_fixed_size_interval_var(start, end - start, f"busy {lane}"))
        for number, task in enumerate(self.tasks):
            start = model.new_int_var(task["earliest"], task["latest"] - task["length"], f"start {number}")
            bits = {lane: model.new_bool_var(f"{number} on {lane}") for lane in task["lanes"]}
            model.add_exactly_one(bits.values())
            for lane, bit in bits.items() if task["length"] else ():  # what takes no time needs no lane
                interval = model.new_optional_fixed_size_interval_var(start, task["length"], bit, f"{number} in {lane}")
                on_lane.setdefault(lane, []).append(interval)
            self.starts.append(start)
            self.lanes.append(bits)
        for intervals in on_lane.values():
            model.add_no_overlap(intervals)

    def _put_in_order(self) -> None:
        """Let each task begin when those before it are done: in folded time where both have one axis, else in instants."""
        for first, then in self.asked["after"]:
            if self.tasks[first]["axis"] == self.tasks[then]["axis"]:
                self.model.add(self.starts[then] >= self.starts[first] + self.tasks[first]["length"])
            else:
                self.model.add(self._instant(then, ends=False) >= self._instant(first, ends=True))

    def _aim(self) -> tuple[Any, Any]:
        """Return the weighted lateness of the targets, and the sum of the instants at which they are there."""
        late, there = [], []
        for number, target in enumerate(self.asked["targets"]):
            ends = [self._instant(task, ends=True) for task in target["tasks"]]
            last = max((self._latest(task) for task in target["tasks"]), default=0)
            at = self.model.new_int_var(target["others"], max(target["others"], last), f"there {number}")
            for end in ends:
                self.model.add(at >= end)
            there.append(at)
            after = self.model.new_int_var(0, max(0, last - target["due"], target["others"] - target["due"]), f"late {number}")
            self.model.add(after >= at - target["due"])
            late.append(target["weight"] * after)
        return cp_model.LinearExpr.sum(late), cp_model.LinearExpr.sum(there)

    def _instant(self, task: int, *, ends: bool) -> Any:
        """Return the instant at which a task starts or ends: its work, and each closed time that lies before it."""
        told, axis = self.tasks[task], self.asked["axes"][self.tasks[task]["axis"]]
        least, most = told["earliest"], told["latest"] - told["length"]
        shift, instant, before = axis[0][0], self.starts[task] + (told["length"] if ends else 0), 0
        for (opens, closes), (again, _) in pairwise(axis):
            before += closes - opens
            work = before - told["length"] + 1 if ends else before  # the least start that lies past this closed time
            if work <= least:
                shift += again - closes
            elif work <= most:
                past = self.model.new_bool_var(f"{task} past {before}")
                self.model.add(self.starts[task] >= work).only_enforce_if(past)
                self.model.add(self.starts[task] < work).only_enforce_if(~past)
                self._steps.append((task, past, work))
                instant += (again - closes) * past
            else:
                break
        return instant + shift

    def _latest(self, task: int) -> int:
        """Return the last instant at which a task may end."""
        work, axis = self.tasks[task]["latest"], self.asked["axes"][self.tasks[task]["axis"]]
        for opens, closes in axis:
            if work <= closes - opens:
                return int(opens + work)
            work -= closes - opens
        return int(axis[-1][1] + work)


class Teller(cp_model.CpSolverSolutionCallback):
    """Writes each better answer down as it is found."""

    def __init__(self, floor: Floor) -> None:
        super().__init__()
        self._floor = floor

    def on_solution_callback(self) -> None:
        """Say it."""
        say(self._floor.read(self, "feasible"))


if __name__ == "__main__":
    main()
