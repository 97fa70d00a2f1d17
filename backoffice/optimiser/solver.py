"""The program that searches: reads a problem as JSON on standard input, writes the answer to standard output.

Started by `process`, never imported by the rest: whatever the solver does to its process, it does to this one alone.
Source of the model: interval variables, one `no overlap` for each lane (OR-Tools CP-SAT).
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

from ortools.sat.python import cp_model

WORKERS = 2
SEED = 1
MOST_MEMORY = 4 << 30  # bytes of address space, most of them never touched
STATUS = {cp_model.OPTIMAL: "optimal", cp_model.FEASIBLE: "feasible", cp_model.INFEASIBLE: "impossible"}


def main() -> None:
    """Answer one problem."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    json.dump(answer(json.load(sys.stdin)), sys.stdout)


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Return status, lateness and places for a problem (see `problem.Problem`) and the `seconds` it may take."""
    model = cp_model.CpModel()
    starts, choices = _tasks(model, asked["tasks"])
    ends = [start + task["length"] for start, task in zip(starts, asked["tasks"], strict=True)]
    for first, then in asked["after"]:
        model.add(starts[then] >= ends[first])
    lateness = _lateness(model, asked, ends)
    model.minimize(lateness)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = asked["seconds"]
    solver.parameters.num_workers = WORKERS
    solver.parameters.random_seed = SEED
    status = STATUS.get(solver.solve(model), "unknown")
    if status not in ("optimal", "feasible"):
        return {"status": status, "lateness": 0, "places": []}
    places = [(_chosen(solver, lanes), solver.value(start)) for start, lanes in zip(starts, choices, strict=True)]
    return {"status": status, "lateness": solver.value(lateness), "places": places}


def _tasks(model: cp_model.CpModel, tasks: list[dict[str, Any]]) -> tuple[list[Any], list[dict[int, Any]]]:
    """Return each task's start and, for each lane it may take, whether it does. A lane does one task at a time."""
    starts, choices = [], []
    on_lane: dict[int, list[cp_model.IntervalVar]] = {}
    for number, task in enumerate(tasks):
        start = model.new_int_var(task["earliest"], task["latest"] - task["length"], f"start {number}")
        chosen = {lane: model.new_bool_var(f"lane {lane} for {number}") for lane in task["lanes"]}
        model.add_exactly_one(chosen.values())
        for lane, choice in chosen.items() if task["length"] else ():  # what takes no time needs no lane
            interval = model.new_optional_fixed_size_interval_var(start, task["length"], choice, f"{number} on {lane}")
            on_lane.setdefault(lane, []).append(interval)
        starts.append(start)
        choices.append(chosen)
    for intervals in on_lane.values():
        model.add_no_overlap(intervals)
    return starts, choices


def _lateness(model: cp_model.CpModel, asked: dict[str, Any], ends: list[Any]) -> Any:
    """Return the weighted time by which the targets are missed."""
    latest = max((task["latest"] for task in asked["tasks"]), default=0)
    terms = []
    for number, target in enumerate(asked["targets"]):
        late = model.new_int_var(0, max(0, latest - target["due"]), f"late {number}")
        for task in target["tasks"]:
            model.add(late >= ends[task] - target["due"])
        terms.append(target["weight"] * late)
    return cp_model.LinearExpr.sum(terms)


def _chosen(solver: cp_model.CpSolver, lanes: dict[int, Any]) -> int:
    return next(lane for lane, choice in lanes.items() if solver.boolean_value(choice))


if __name__ == "__main__":
    main()
