"""Run the solver in a process of its own, within a limit of time; whatever becomes of it, we live on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from backoffice.optimiser.problem import Answer, Problem
from backoffice.public.errors import Refused

SOLVER = (sys.executable, "-P", str(Path(__file__).with_name("solver.py")))
GRACE_SECONDS = 10.0  # beyond its limit: to start, to load the library, to write the answer down


class SolverFailed(Refused):
    """Say that the solver gave no answer: it crashed, was killed at its limit, or wrote what is none."""

    def __init__(self, why: str) -> None:
        super().__init__("solver_failed", why=why)
        self.why = why

    def __str__(self) -> str:
        return f"solver_failed: {self.why}"


def solve(problem: Problem, seconds: float, *, command: Sequence[str] = SOLVER, grace: float = GRACE_SECONDS) -> Answer:
    """Return the solver's answer after at most `seconds` (> 0) of search.

    It is killed `grace` seconds later; what it had found until then is the answer. It is given as the solver gives it: whoever
    uses it checks it first. Raises SolverFailed.
    """
    asked = json.dumps({**asdict(problem), "seconds": seconds})
    try:
        done = subprocess.run(  # noqa: S603 - our own program, and nothing of the problem is in the command
            command, input=asked, capture_output=True, text=True, timeout=seconds + grace, env={}, check=False
        )
    except subprocess.TimeoutExpired as error:
        told = error.stdout or b""  # bytes, whatever was asked for
        lines = (told if isinstance(told, str) else told.decode()).split("\n")[:-1]  # what was being written is none
        if lines:
            return _read(lines[-1], len(problem.tasks))
        raise SolverFailed(f"killed after {seconds + grace:g} seconds") from error
    except OSError as error:
        raise SolverFailed(f"not started: {error}") from error
    if done.returncode != 0:
        raise SolverFailed(f"ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return _read(done.stdout.rstrip().rpartition("\n")[2], len(problem.tasks))


def _read(text: str, tasks: int) -> Answer:
    """Return the answer that was written. Raises SolverFailed for anything else."""
    try:
        raw = json.loads(text)
        answer = Answer(raw["status"], int(raw["lateness"]), [(int(lane), int(start)) for lane, start in raw["places"]])
    except (ValueError, TypeError, KeyError) as error:
        raise SolverFailed("its answer cannot be read") from error
    found = answer.status in ("optimal", "feasible")
    if not found and answer.status not in ("unknown", "impossible"):
        raise SolverFailed(f"unknown status {answer.status}")
    if len(answer.places) != (tasks if found else 0):
        raise SolverFailed(f"{len(answer.places)} places for {tasks} tasks")
    return answer
