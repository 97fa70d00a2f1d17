"""How a day is named: a first guess of the method, and a margin of open days learnt from how late such guesses were."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import replace
from datetime import date, datetime
from math import ceil

from backoffice.planning import Factory, Outcome

REMEMBERED = 200
"""Finished orders of a group that its margin is learnt from."""
FALLBACK = 5
"""Open days of margin while fewer orders are finished than the level needs."""


class Margin:
    """Open days to add to a first guess so that a share `level` of orders is in time.

    It is the ceil((n + 1) x level)-th smallest of the last n residuals (open days the order came after the guess), never
    below 0: the finite-sample quantile of split conformal prediction (Vovk, Gammerman, Shafer: Algorithmic Learning in a
    Random World, 2005; Lei et al., JASA 113, 2018), for each group of orders on its own (Mondrian; the same book, 4.5).
    It holds for exchangeable orders; a busy season breaks that a little, which is why only the newest are remembered.
    """

    def __init__(self, level: float) -> None:
        """Begin without experience."""
        self.level = level
        self._seen: dict[Hashable, deque[int]] = {}

    def learn(self, group: Hashable, residual: int) -> None:
        """Take in how many open days a finished order came after its guess."""
        self._seen.setdefault(group, deque(maxlen=REMEMBERED)).append(residual)

    def days(self, group: Hashable) -> int:
        """Return the margin for the next order of a group; of all groups together while it has too few orders of its own."""
        everything = [residual for seen in self._seen.values() for residual in seen]
        for residuals in (sorted(self._seen.get(group, ())), sorted(everything)):
            rank = ceil((len(residuals) + 1) * self.level)
            if rank <= len(residuals):
                return max(0, residuals[rank - 1])
        return max(FALLBACK, *everything, 0)


def without_load(factory: Factory) -> Factory:
    """Return the factory as planning with infinite capacity sees it: any number of lanes, no stops."""
    centres = [replace(centre, lanes=None, frozen_until=None) for centre in factory.centre_by.values()]
    return replace(factory, work_centres=centres, stops=())


def group_of(outcome: Outcome) -> Hashable:
    """Return what decides an answer: the bought item that is waited for, or "floor" if none is.

    So every supplier has a record of its own.
    """
    return next((link.item for link in outcome.chain if link.kind in ("receipt", "buy")), "floor")


def day_of(outcome: Outcome, order: Hashable, now: datetime) -> date:
    """Return the local day of `now`'s zone on which an outcome is ready. Raises ValueError if it never is."""
    if outcome.ready_at is None:
        raise ValueError(f"order {order} can never be made: {outcome.reason} {outcome.blocked}")
    return outcome.ready_at.astimezone(now.tzinfo).date()
