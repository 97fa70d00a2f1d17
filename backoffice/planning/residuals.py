"""A margin learnt from residuals: how many open days after the plan's own day what was promised really came.

The plan names the day if nothing goes wrong. What goes wrong is learnt for each group of promises that wait for the same
thing, and added to the next promise of that group.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from math import ceil

from backoffice.planning.calendars import Calendar
from backoffice.planning.instants import local_same_clock, moment
from backoffice.planning.outcome import Outcome

REMEMBERED = 200
"""Residuals of a group that its margin is learnt from: the newest."""


def quantile(residuals: Iterable[int], level: Fraction) -> int | None:
    """Return the margin that a share `level` of what comes next does not pass, never below 0; None: they are too few.

    It is the ceil((n + 1) x level)-th smallest of the n residuals: the finite-sample quantile of split conformal prediction
    (Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World, 2005; Lei et al., JASA 113, 2018). It holds for
    exchangeable promises; a busy season breaks that a little, which is why only the newest are remembered.
    """
    ordered = sorted(residuals)
    rank = ceil((len(ordered) + 1) * level)
    return max(0, ordered[rank - 1]) if rank <= len(ordered) else None


class Residuals:
    """The newest residuals of each group. Groups learn on their own (Mondrian; Vovk et al., 4.5)."""

    def __init__(self) -> None:
        """Begin without experience."""
        self._seen: dict[Hashable, deque[int]] = {}

    def learn(self, group: Hashable, residual: int) -> None:
        """Take in how many open days after its plan's day something came; early is below 0."""
        self._seen.setdefault(group, deque(maxlen=REMEMBERED)).append(residual)

    def of(self, group: Hashable) -> Sequence[int]:
        """Return the residuals of a group."""
        return tuple(self._seen.get(group, ()))

    def together(self) -> Sequence[int]:
        """Return the residuals of all groups."""
        return [residual for seen in self._seen.values() for residual in seen]

    def groups(self) -> Mapping[Hashable, Sequence[int]]:
        """Return every group with its residuals."""
        return self._seen

    def margin(self, group: Hashable, level: Fraction) -> int | None:
        """Return the margin of a group, of all groups together while it has too few of its own; None: those are too few too."""
        own = quantile(self.of(group), level)
        return quantile(self.together(), level) if own is None else own


def waited_for(outcome: Outcome) -> Hashable | None:
    """Return the item, coming or still to be bought, whose arrival decides an answer; None: nothing that comes does."""
    return next((link.item for link in outcome.chain if link.kind in ("receipt", "buy")), None)


def open_days(calendar: Calendar, from_day: date, to_day: date) -> int:
    """Return how many open days lie after `from_day` up to `to_day`; below 0 if `to_day` is earlier."""
    if to_day < from_day:
        return -open_days(calendar, to_day, from_day)
    days = (date.fromordinal(number) for number in range(from_day.toordinal() + 1, to_day.toordinal() + 1))
    return sum(map(calendar.is_open_day, days))


def later(ready_at: datetime, days: int, calendar: Calendar) -> datetime:
    """Return the instant `days` open days after `ready_at`, at the same time of its local day; itself if it never opens again."""
    if days <= 0:
        return ready_at
    day = calendar.add_open_days(ready_at.astimezone(calendar.zone).date(), days)
    return ready_at if day is None else moment(local_same_clock(ready_at, day, calendar.zone))
