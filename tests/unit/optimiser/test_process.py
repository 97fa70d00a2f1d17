"""The solver's process: whatever it does to itself, the caller gets an answer or an error of ours."""

from __future__ import annotations

import json
import sys

import pytest

from backoffice.optimiser import process
from backoffice.optimiser.problem import Answer, Problem, Target, Task
from backoffice.optimiser.process import SolverFailed
from backoffice.public.errors import ShopError

PROBLEM = Problem([[(0, 9)]], [Task(3, (0, 1), 0, 9), Task(4, (0,), 2, 9)], [(0, 1)], [Target((1,), due=5, weight=2)])


def program(text: str) -> tuple[str, ...]:
    return (sys.executable, "-P", "-c", text)


def says(answer: object) -> tuple[str, ...]:
    return program(f"import sys; sys.stdin.read(); print({json.dumps(json.dumps(answer))})")


def test_a_problem_is_answered() -> None:
    answer = process.solve(PROBLEM, 60)
    assert (answer.status, answer.lateness) == ("optimal", 4)  # 3 + 4 is 2 after the due, twice
    [(_, first), (lane, second)] = answer.places
    assert (first, lane, second) == (0, 0, 3)


def test_what_cannot_be_is_said() -> None:
    assert process.solve(Problem([[(0, 5)]], [Task(3, (0,), 0, 5), Task(3, (0,), 0, 5)], [], []), 60) == Answer(
        "impossible", 0, []
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import os; os.abort()", "ended with -6: "),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended with -9: "),
        ("raise MemoryError('no more')", "MemoryError: no more"),
        ("print('{')", "its answer cannot be read"),
        ("print('[]')", "its answer cannot be read"),
        ("", "its answer cannot be read"),
    ],
)
def test_a_crash_is_an_error_of_ours(text: str, why: str) -> None:
    with pytest.raises(SolverFailed) as raised:
        process.solve(PROBLEM, 60, command=program(text))
    assert isinstance(raised.value, ShopError)
    assert raised.value.code == "solver_failed"
    assert why in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"status": "optimal", "lateness": 0, "places": [[0, 0]]}, "1 places for 2 tasks"),
        ({"status": "unknown", "lateness": 0, "places": [[0, 0], [0, 3]]}, "2 places for 2 tasks"),
        ({"status": "fine", "lateness": 0, "places": []}, "unknown status fine"),
        ({"status": "optimal", "lateness": 0, "places": [[0], [0, 3]]}, "its answer cannot be read"),
        ({"status": "optimal", "places": []}, "its answer cannot be read"),
    ],
)
def test_an_answer_that_is_none_is_an_error_of_ours(answer: object, why: str) -> None:
    with pytest.raises(SolverFailed, match=why):
        process.solve(PROBLEM, 60, command=says(answer))


def test_it_is_killed_at_its_limit() -> None:
    with pytest.raises(SolverFailed, match=r"killed after 0\.3 seconds"):
        process.solve(PROBLEM, 0.2, command=program("import threading; threading.Event().wait()"), grace=0.1)


def test_what_it_had_found_when_it_is_killed_is_the_answer() -> None:
    found = [{"status": "feasible", "lateness": late, "places": [[0, 0], [0, 3 + late]]} for late in (4, 2)]
    lines = "".join(json.dumps(one) + "\n" for one in found) + '{"status": "feas'
    text = f"import sys, threading; sys.stdout.write({lines!r}); sys.stdout.flush(); threading.Event().wait()"
    assert process.solve(PROBLEM, 2, command=program(text), grace=1) == Answer("feasible", 2, [(0, 0), (0, 5)])


def test_a_program_that_is_not_there_is_an_error_of_ours() -> None:
    with pytest.raises(SolverFailed, match="not started"):
        process.solve(PROBLEM, 1, command=("/nowhere/solver",))


def test_it_is_told_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPFLOOR_SECRET_KEY", "s" * 40)
    tells = "import os, sys; sys.exit(' '.join(name for name in os.environ if name.startswith('SHOPFLOOR')) or 0)"
    with pytest.raises(SolverFailed, match="its answer cannot be read"):  # it had nothing to tell
        process.solve(PROBLEM, 60, command=program(tells))
