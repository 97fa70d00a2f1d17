"""What is put to the solver and what comes back: plain numbers, so that both fit through a pipe as JSON.

Instants are whole numbers of any unit, as long as it is one. An axis is when something is open: (opens, closes) in order. Work is
counted along an axis with its closed time folded out, from its first opening on: so work that pauses over a night is one stretch.
Axes, tasks and lanes are named by their place in the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Task:
    """Work of `length` (>= 0) on one of `lanes`, along `axis`: begun at `earliest` or later, done at `latest` or before.

    today: lane and start in the plan as it stands, to begin the search with. All but lanes are counted along the axis.
    """

    length: int
    lanes: Sequence[int]
    earliest: int
    latest: int
    axis: int = 0
    today: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Tasks that must all be done for somebody, who has it then, but not before `others` (an instant).

    Each unit of time after `due` (an instant) weighs `weight`.
    """

    tasks: Sequence[int]
    due: int = 0
    weight: int = 1
    others: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """A lane does one task at a time. The least weighted lateness of the targets is searched for.

    after: pairs (first, then): the second task begins when the first is done. busy: (lane, start, end) that are taken, along
    the axis of the lane's tasks. early: afterwards, of all with that lateness, the one whose targets come earliest in sum.
    """

    axes: Sequence[Sequence[tuple[int, int]]]
    tasks: Sequence[Task]
    after: Sequence[tuple[int, int]]
    targets: Sequence[Target]
    busy: Sequence[tuple[int, int, int]] = ()
    early: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The best that was found. lateness: the targets' weighted time after due; places: lane and start of each task.

    status: optimal = nothing is better; unknown = nothing was found in the time given; impossible = nothing can be.
    The last two have no places.
    """

    status: Literal["optimal", "feasible", "unknown", "impossible"]
    lateness: int
    places: Sequence[tuple[int, int]]
