"""Load per work centre: how many open minutes there are in a day or a week, and how many are given to production orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import calendars, standing
from backoffice.erp.models import OperationSlot, ProductionOrder, Reservation, WorkCentre, WorkCentreStop
from backoffice.planning.calendars import Calendar
from backoffice.planning.capacity import without
from backoffice.planning.instants import MINUTE, micros
from backoffice.planning.lanes import merge

Step = Literal["day", "week"]
WEEKS = (2, 4, 8, 13)
Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Load:
    """One day or week of one work centre, in minutes of all its lanes.

    open: by its calendar, less stops. firm: given to placed orders and to stock. held: to carts that may still go.
    stopped: lost to stops.
    """

    first: date
    last: date
    open: int
    firm: int
    held: int
    stopped: int

    @property
    def used(self) -> int:
        """Return the minutes that are given away, firm or held."""
        return self.firm + self.held

    @property
    def percent(self) -> int:
        """Return how full it is; where there is work but no open time left it counts as 100."""
        return _share(self.used, self.open)

    @property
    def firm_percent(self) -> int:
        """Return how full it would be if every hold ended; never more than `percent`."""
        return _share(self.firm, self.open)

    @property
    def level(self) -> str:
        """Return closed | stopped | free | busy | full, for colour and word."""
        if self.open == 0:
            return "stopped" if self.stopped else "closed"
        return "full" if self.percent >= 90 else "busy" if self.percent >= 60 else "free"


@dataclass(frozen=True, slots=True)
class CentreLoad:
    """One work centre over the time shown."""

    centre: WorkCentre
    parts: Sequence[Load]

    @property
    def whole(self) -> Load:
        """Return the whole time as one."""
        return _together(self.parts)


def find_load(session: Session, first: date, *, weeks: int = 4, by: Step = "day", now: datetime) -> Sequence[CentreLoad]:
    """Return so many weeks from `first`, a date at each work centre's own place; every work centre by name.

    by: week: Monday to Sunday; the first one begins with `first`, the last one ends with the time asked for.
    """
    days = [first + timedelta(days=step) for step in range(7 * weeks)]
    expanded = calendars.load_all(session, days[0] - timedelta(days=1), days[-1] + timedelta(days=1))
    hours = calendars.of_centres(session, expanded)
    centres = session.execute(sa.select(WorkCentre).order_by(WorkCentre.name, WorkCentre.id)).scalars().all()
    margin = timedelta(days=2)  # time zones, and stops that cross midnight
    low, high = datetime.combine(days[0], time(), UTC) - margin, datetime.combine(days[-1], time(), UTC) + margin
    firm, held = _slots(session, low, high, now)
    stops = _stops(session, low, high)
    found = []
    for one in centres:
        calendar, mine = hours[one.id], (firm[one.id], held[one.id], stops[one.id])
        loads = [measure(calendar, day, one.lanes, *mine) for day in days]
        found.append(CentreLoad(one, loads if by == "day" else _weekly(loads)))
    return found


def measure(calendar: Calendar, day: date, lanes: int, firm: Spans, held: Spans, stops: Spans) -> Load:
    """Return one day's load. firm, held, stops: [start, end) in microseconds; slots of all lanes, stops may overlap.

    A slot uses only open time: an operation that pauses over night takes no minutes of the night.
    """
    opening, closed = calendar.open_on(day), merge(stops)
    left = [piece for start, end in opening for piece in without(start, end, closed)]
    full, rest = _length(opening), _length(left)
    return Load(day, day, rest * lanes // MINUTE, _used(firm, left), _used(held, left), (full - rest) * lanes // MINUTE)


def _weekly(days: Sequence[Load]) -> list[Load]:
    weeks: dict[tuple[int, int], list[Load]] = defaultdict(list)
    for one in days:
        year, week, _ = one.first.isocalendar()
        weeks[year, week].append(one)
    return [_together(parts) for parts in weeks.values()]


def _together(parts: Sequence[Load]) -> Load:
    return Load(
        parts[0].first,
        parts[-1].last,
        sum(one.open for one in parts),
        sum(one.firm for one in parts),
        sum(one.held for one in parts),
        sum(one.stopped for one in parts),
    )


def _slots(session: Session, low: datetime, high: datetime, now: datetime) -> tuple[dict[int, Spans], dict[int, Spans]]:
    """Return work centre → spans of placed orders and stock, and the same of live holds."""
    rows = session.execute(
        sa.select(OperationSlot.work_centre_id, OperationSlot.starts_at, OperationSlot.ends_at, ProductionOrder.state)
        .join(ProductionOrder, ProductionOrder.id == OperationSlot.production_order_id)
        .join(Reservation, Reservation.id == ProductionOrder.reservation_id, isouter=True)
        .where(OperationSlot.ends_at > low, OperationSlot.starts_at < high, standing.is_open(now))
    ).all()
    firm = _grouped((centre, start, end) for centre, start, end, state in rows if state == "planned")
    return firm, _grouped((centre, start, end) for centre, start, end, state in rows if state == "held")


def _stops(session: Session, low: datetime, high: datetime) -> dict[int, Spans]:
    rows = session.execute(
        sa.select(WorkCentreStop.work_centre_id, WorkCentreStop.starts_at, WorkCentreStop.ends_at).where(
            WorkCentreStop.ends_at > low, WorkCentreStop.starts_at < high
        )
    )
    return _grouped((centre, start, end) for centre, start, end in rows)


def _grouped(rows: Iterable[tuple[int, datetime, datetime]]) -> dict[int, Spans]:
    found: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for centre, start, end in rows:
        found[centre].append((micros(start), micros(end)))
    return defaultdict(list, found)


def _used(slots: Spans, open_left: Spans) -> int:
    if not open_left:
        return 0
    low, high = open_left[0][0], open_left[-1][1]
    near = [one for one in slots if one[0] < high and one[1] > low]
    return sum(max(0, min(one[1], end) - max(one[0], start)) for one in near for start, end in open_left) // MINUTE


def _share(used: int, there: int) -> int:
    if there == 0:
        return 100 if used else 0
    return round(100 * used / there)


def _length(spans: Spans) -> int:
    return sum(end - start for start, end in spans)
