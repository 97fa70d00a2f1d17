"""A better sequence for the near part of a floor: searched for by the solver, dated by the engine, judged by the rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backoffice.optimiser import process, rules
from backoffice.optimiser.floor import Demand, Floor, Sequencing
from backoffice.optimiser.problem import Answer, Problem
from backoffice.optimiser.window import BadSequence, Layout, Window
from backoffice.public.errors import Refused

Solve = Callable[[Problem, float], Answer]


class BadProposal(Refused):
    """Say why what the solver proposed is not done: it is no sequence, or it breaks a rule."""

    def __init__(self, why: str) -> None:
        super().__init__("bad_proposal", why=why)
        self.why = why

    def __str__(self) -> str:
        return f"bad_proposal: {self.why}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """New places of the operations that move, and what is gained: lateness and waiting in microseconds, summed over all.

    earlier: who has it earlier, and when. proven: there is no better sequence.
    """

    places: Sequencing
    lateness_saved: int
    time_saved: int
    earlier: Sequence[tuple[Demand, int]]
    proven: bool

    @property
    def is_better(self) -> bool:
        """Tell whether it is worth doing: first less lateness, then all of it earlier."""
        return (self.lateness_saved, self.time_saved) > (0, 0)


def propose(window: Window, seconds: float, solve: Solve = process.solve) -> Proposal:
    """Return the best sequence found in `seconds`; without a better one, a proposal that moves nothing.

    Raises SolverFailed where there is no answer, BadProposal where the answer does not stand up to the rules.
    """
    if not window.chosen:
        return Proposal({}, 0, 0, (), True)
    layout = Layout(window)
    answer = solve(layout.problem(), seconds)
    if not answer.places:
        if answer.status == "impossible":  # today's plan is an answer, so this is no true word
            raise BadProposal("it says that today's plan is impossible")
        return Proposal({}, 0, 0, (), False)
    try:
        places = layout.dated(answer)
    except BadSequence as error:
        raise BadProposal(str(error)) from error
    keys = [operation.key for _, operation in layout.operations]
    if wrong := rules.faults(window.floor, places, keys, window.frozen):
        raise BadProposal("; ".join(sorted({fault.rule for fault in wrong})))
    proposal = _weigh(window, places, proven=answer.status == "optimal")
    return proposal if proposal.is_better else Proposal({}, 0, 0, (), proposal.proven)


def _weigh(window: Window, places: Sequencing, *, proven: bool) -> Proposal:
    """Return what places gain over today's."""
    floor, lateness, time, earlier = window.floor, 0, 0, []
    for demand in floor.demands:
        before, after = ready_at(floor, demand, {}), ready_at(floor, demand, places)
        lateness += max(0, before - demand.due) - max(0, after - demand.due)
        time += before - after
        if after < before:
            earlier.append((demand, after))
    moved = {
        one.key: places[one.key]
        for _, one in window.operations()
        if (one.lane, one.starts_at, one.ends_at) != (places[one.key].lane, places[one.key].starts_at, places[one.key].ends_at)
    }
    return Proposal(moved, lateness, time, earlier, proven)


def ready_at(floor: Floor, demand: Demand, places: Sequencing) -> int:
    """Return when somebody has all that they wait for."""
    return max([demand.others_at, *(rules.ready_at(floor.lots[key], places) for key in demand.lots)])
