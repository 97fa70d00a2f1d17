"""Load per work centre and day: how many open minutes there are and how many are given to production orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import calendars
from backoffice.erp.models import OperationSlot, ProductionOrder, Reservation, WorkCentre, WorkCentreStop
from backoffice.planning.calendars import Calendar
from backoffice.planning.instants import MINUTE, micros

DAYS = 28
Spans = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class DayLoad:
    """One day of one work centre, in minutes of all its lanes. stopped: minutes lost to stops."""

    day: date
    capacity: int
    used: int
    stopped: int

    @property
    def percent(self) -> int:
        """Return how full the day is; a day with work but no open time left counts as 100."""
        if self.capacity == 0:
            return 100 if self.used else 0
        return round(100 * self.used / self.capacity)

    @property
    def level(self) -> str:
        """Return closed | stopped | free | busy | full, for colour and word."""
        if self.capacity == 0:
            return "stopped" if self.stopped else "closed"
        return "full" if self.percent >= 90 else "busy" if self.percent >= 60 else "free"


@dataclass(frozen=True, slots=True)
class CentreLoad:
    """One work centre over the days shown."""

    centre: WorkCentre
    days: Sequence[DayLoad]

    @property
    def percent(self) -> int:
        """Return how full the whole time is."""
        capacity = sum(one.capacity for one in self.days)
        return round(100 * sum(one.used for one in self.days) / capacity) if capacity else 0


def find_load(session: Session, first: date, *, now: datetime) -> Sequence[CentreLoad]:
    """Return four weeks from `first`, a date at each work centre's own place; every work centre by name."""
    last = first + timedelta(days=DAYS - 1)
    expanded = calendars.load_all(session, first - timedelta(days=1), last + timedelta(days=1))
    centres = session.execute(sa.select(WorkCentre).order_by(WorkCentre.name, WorkCentre.id)).scalars().all()
    margin = timedelta(days=2)  # time zones, and stops that cross midnight
    low, high = datetime.combine(first, time(), UTC) - margin, datetime.combine(last, time(), UTC) + margin
    slots, stops = _slots(session, low, high, now), _stops(session, low, high)
    days = [first + timedelta(days=step) for step in range(DAYS)]
    return [
        CentreLoad(
            centre,
            [measure(expanded[centre.calendar_id], day, centre.lanes, slots[centre.id], stops[centre.id]) for day in days],
        )
        for centre in centres
    ]


def measure(calendar: Calendar, day: date, lanes: int, slots: Spans, stops: Spans) -> DayLoad:
    """Return one day's load. slots, stops: [start, end) in microseconds; slots of all lanes, stops may overlap.

    A slot uses only open time: an operation that pauses over night takes no minutes of the night.
    """
    opening = calendar.open_on(day)
    open_left = _without(opening, _merged(stops))
    full, left = _length(opening), _length(open_left)
    used = sum(_overlap(slot, span) for slot in slots for span in open_left)
    return DayLoad(day, left * lanes // MINUTE, used // MINUTE, (full - left) * lanes // MINUTE)


def _slots(session: Session, low: datetime, high: datetime, now: datetime) -> defaultdict[int, Spans]:
    alive = sa.or_(ProductionOrder.state == "planned", Reservation.state == "paying", Reservation.expires_at > now)
    rows = session.execute(
        sa.select(OperationSlot.work_centre_id, OperationSlot.starts_at, OperationSlot.ends_at)
        .join(ProductionOrder, ProductionOrder.id == OperationSlot.production_order_id)
        .join(Reservation, Reservation.id == ProductionOrder.reservation_id, isouter=True)
        .where(OperationSlot.ends_at > low, OperationSlot.starts_at < high)
        .where(ProductionOrder.state.in_(("planned", "held")), alive)
    )
    return _grouped((centre, start, end) for centre, start, end in rows)


def _stops(session: Session, low: datetime, high: datetime) -> defaultdict[int, Spans]:
    rows = session.execute(
        sa.select(WorkCentreStop.work_centre_id, WorkCentreStop.starts_at, WorkCentreStop.ends_at).where(
            WorkCentreStop.ends_at > low, WorkCentreStop.starts_at < high
        )
    )
    return _grouped((centre, start, end) for centre, start, end in rows)


def _grouped(rows: Iterable[tuple[int, datetime, datetime]]) -> defaultdict[int, Spans]:
    found: defaultdict[int, Spans] = defaultdict(list)
    for centre, start, end in rows:
        found[centre].append((micros(start), micros(end)))
    return found


def _merged(spans: Spans) -> Spans:
    merged: Spans = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _without(spans: Spans, holes: Spans) -> Spans:
    left: Spans = []
    for start, end in spans:
        for low, high in holes:
            if high <= start or end <= low:
                continue
            if start < low:
                left.append((start, low))
            start = min(high, end)
        if start < end:
            left.append((start, end))
    return left


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def _length(spans: Spans) -> int:
    return sum(end - start for start, end in spans)
