"""What is put to the solver and what comes back: plain numbers, so that both fit through a pipe as JSON.

Time is counted in any whole unit, as long as it is one. Tasks, lanes and targets are named by their place in the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Task:
    """Work of `length` (>= 0) on one of `lanes`, not begun before `earliest` and done by `latest`."""

    length: int
    lanes: Sequence[int]
    earliest: int
    latest: int


@dataclass(frozen=True, slots=True)
class Target:
    """Tasks that must all be done for somebody; each unit of time after `due` weighs `weight`."""

    tasks: Sequence[int]
    due: int = 0
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """after: pairs (first, then): the second task begins when the first is done. A lane does one task at a time."""

    tasks: Sequence[Task]
    after: Sequence[tuple[int, int]]
    targets: Sequence[Target]


@dataclass(frozen=True, slots=True)
class Answer:
    """The best that was found. lateness: the targets' weighted time after due; places: lane and start of each task.

    status: optimal = nothing is better; unknown = nothing was found in the time given; impossible = nothing can be.
    The last two have no places.
    """

    status: Literal["optimal", "feasible", "unknown", "impossible"]
    lateness: int
    places: Sequence[tuple[int, int]]
