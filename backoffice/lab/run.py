"""Run a model: decide its commitments in order, answer its quotes on the result, and say what came of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from backoffice.lab.document import BadModel
from backoffice.lab.model import Ask, Model
from backoffice.lab.write import Names, number, written
from backoffice.planning import Outcome, Plan, ledger
from backoffice.planning.plan import ShipsOn
from backoffice.planning.shipping import ship


@dataclass(frozen=True, slots=True)
class Decided:
    """A line with its answer; None for a quantity of 0, which needs none."""

    ask: Ask
    outcome: Outcome | None


def run(model: Model) -> dict[str, Any]:
    """Return the answers of a model as plain data for JSON. The same model gives the same answers in any process.

    Raises BadModel for a job shop that cannot be solved, SolverFailed if the solver cannot run.
    """
    plan = Plan(model.factory, model.now, model.supplies, (), _ships_on(model))
    names = Names()
    decided = _commit_all(model, plan, names)
    quoted = [Decided(ask, _quote(plan, ask) if ask.quantity else None) for ask in model.quotes]
    answers = {
        "commitments": [written(model, names, d.ask, d.outcome) for d in decided],
        "quotes": [written(model, names, d.ask, d.outcome) for d in quoted],
        "buckets": _buckets(model),
        "jobshop": _jobshop(model),
    }
    state = json.dumps([answers["commitments"], plan.digest()], sort_keys=True)
    return {**answers, "plan_hash": sha256(state.encode()).hexdigest()}


def _ships_on(model: Model) -> ShipsOn | None:
    shipping = model.shipping
    if shipping is None:
        return None

    def ships_on(ready_at: datetime) -> date | None:
        shipped = ship(ready_at, shipping)
        return None if shipped is None else shipped.ship_on

    return ships_on


def _commit_all(model: Model, plan: Plan, names: Names) -> Sequence[Decided]:
    """Commit by (priority, position) and return the lines in the order of the model, their pegs as they are in the end."""
    order = sorted(range(len(model.commitments)), key=lambda place: (model.commitments[place].priority, place))
    outcomes: dict[int, Outcome] = {}
    for place in order:
        ask = model.commitments[place]
        if ask.quantity:
            outcomes[place] = plan.commit(ask.item, ask.quantity, due=ask.due, partial=ask.partial)
            names.commit(ask.id, outcomes[place])
    for turn, (place, outcome) in enumerate(outcomes.items()):
        outcomes[place] = plan.review(turn, outcome)
    return [Decided(ask, outcomes.get(place)) for place, ask in enumerate(model.commitments)]


def _quote(plan: Plan, ask: Ask) -> Outcome:
    return plan.quote(ask.item, ask.quantity, due=ask.due, partial=ask.partial)


def _buckets(model: Model) -> dict[str, Any] | None:
    if model.buckets is None:
        return None
    rows = ledger(model.buckets.on_hand, model.buckets.supply, model.buckets.committed)
    return {
        "discrete": [None if value is None else number(value) for value in rows.discrete],
        "projected": [number(value) for value in rows.projected],
        "promisable": [number(value) for value in rows.promisable],
    }


def _jobshop(model: Model) -> dict[str, Any] | None:
    if model.jobshop is None:
        return None
    from backoffice.optimiser.jobshop import BadJobShop, solve  # a large library: only where a job shop is asked

    try:
        solved = solve(model.jobshop.machine, model.jobshop.duration, model.jobshop.seconds)
    except BadJobShop as error:
        raise BadModel([f"jobshop: {error}"]) from error
    return {"makespan": solved.makespan, "optimal": solved.optimal}
