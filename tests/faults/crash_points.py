"""Play a flow once undisturbed, then again with an end at each point: the outcome must be the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.faults.flows import Flow, outcome, play
from tests.faults.stage import Stage


def differences(
    open_stage: Callable[[], Stage], flow: Flow, *, every: int = 1, first: int = 1, at: str = ""
) -> tuple[int, list[str]]:
    """Return how many points were tried, and one line for each after which something is otherwise or does not add up.

    open_stage: gives an empty stage each time. every, first: only each so many-th point, from that one on.
    at: only points whose name holds this.
    """
    expected, points = _ended_at(open_stage, flow, 0)
    tried = [point for point, name in enumerate(points, 1) if at in name][first - 1 :: every]
    found = [f"undisturbed: {line}" for line in expected["breaches"]]
    for point in tried:
        came, _ = _ended_at(open_stage, flow, point)
        found += [f"ended {points[point - 1]} ({point}): {name}: {came[name]}" for name in came if came[name] != expected[name]]
    return len(tried), found


def _ended_at(open_stage: Callable[[], Stage], flow: Flow, point: int) -> tuple[dict[str, Any], list[str]]:
    """Play with an end at a point (0: none); return (what came of it, the points passed)."""
    stage = open_stage()
    try:
        wrong = play(stage, flow, point)
        assert stage.deaths == (point > 0), point  # an end that does not happen would prove nothing
        return {**outcome(stage), "breaches": wrong}, stage.points
    finally:
        stage.stop()
