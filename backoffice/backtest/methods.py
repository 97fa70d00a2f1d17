"""How a day is named: a first guess of the method, and a margin of open days learnt from how late such guesses were."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction

from backoffice.planning import Factory, Outcome
from backoffice.planning.residuals import Residuals, waited_for

FALLBACK = 5
"""Open days of margin while fewer orders are finished than the level needs."""


class Margin:
    """Open days to add to a first guess so that a share `level` of orders is in time, learnt as the shop itself learns it."""

    def __init__(self, level: float) -> None:
        """Begin without experience."""
        self.level = Fraction(str(level))
        self._residuals = Residuals()

    def learn(self, group: Hashable, residual: int) -> None:
        """Take in how many open days a finished order came after its guess."""
        self._residuals.learn(group, residual)

    def days(self, group: Hashable) -> int:
        """Return the margin for the next order of a group; while there are too few orders, the worst that was seen."""
        found = self._residuals.margin(group, self.level)
        return max(FALLBACK, *self._residuals.together(), 0) if found is None else found


def without_load(factory: Factory) -> Factory:
    """Return the factory as planning with infinite capacity sees it: any number of lanes, no stops."""
    centres = [replace(centre, lanes=None, frozen_until=None) for centre in factory.centre_by.values()]
    return replace(factory, work_centres=centres, stops=())


def group_of(outcome: Outcome) -> Hashable:
    """Return what decides an answer: the bought item that is waited for, or "floor" if none is.

    So every supplier has a record of its own.
    """
    found = waited_for(outcome)
    return "floor" if found is None else found


def day_of(outcome: Outcome, order: Hashable, now: datetime) -> date:
    """Return the local day of `now`'s zone on which an outcome is ready. Raises ValueError if it never is."""
    if outcome.ready_at is None:
        raise ValueError(f"order {order} can never be made: {outcome.reason} {outcome.blocked}")
    return outcome.ready_at.astimezone(now.tzinfo).date()
