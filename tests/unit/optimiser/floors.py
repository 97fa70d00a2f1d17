"""Small floors, with hours instead of microseconds: Monday 23 November 2026, 00:00 UTC is hour 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from backoffice.optimiser.floor import Demand, Floor, Lot, Operation, Sequencing
from backoffice.planning.calendars import Calendar
from backoffice.planning.capacity import Axis
from backoffice.planning.instants import MINUTE, micros

HOUR = 60 * MINUTE
MONDAY = micros(datetime(2026, 11, 23, tzinfo=UTC))
ALWAYS = {day: [(0, 1440)] for day in range(7)}
DAYS = {day: [(360, 840)] for day in range(5)}  # 06:00 to 14:00
LATE = {day: [(840, 1320)] for day in range(5)}  # 14:00 to 22:00


def at(hour: float) -> int:
    """Return an instant."""
    return MONDAY + round(hour * HOUR)


def hours(instant: int) -> float:
    """Return an instant as hours."""
    return (instant - MONDAY) / HOUR


def axis(week: Mapping[int, list[tuple[int, int]]], stops: Iterable[tuple[float, float]] = ()) -> Axis:
    """Return the working time of a week."""
    return Axis(Calendar("UTC", week), [(at(start), at(end)) for start, end in stops], MONDAY)


def operation(key: int, centre: int, start: float, end: float, length: float | None = None, lane: int = 0) -> Operation:
    """Return an operation; length: its hours of work, without one as long as it takes."""
    return Operation(key, centre, lane, at(start), at(end), round((end - start if length is None else length) * HOUR))


def lot(key: int, *operations: Operation, stays: bool = False, inputs: float = 0, spare: bool = False) -> Lot:
    """Return a lot with its dates as its operations have them."""
    first, last = min(one.starts_at for one in operations), max(one.ends_at for one in operations)
    return Lot(key, first, last, operations, stays, at(inputs), spare)


def demand(key: int, *lots: int, told: float, others: float = 0, due: float | None = None) -> Demand:
    """Return somebody who waits for lots."""
    return Demand(key, lots, at(told), at(others), at(told if due is None else due))


def floor(
    lots: Iterable[Lot],
    demands: Iterable[Demand],
    feeds: Iterable[tuple[int, int]] = (),
    *,
    lanes: Mapping[int, int] | None = None,
    axes: Mapping[int, Axis] | None = None,
) -> Floor:
    """Return a floor of two work centres with one lane each, always open, where nothing else is said."""
    return Floor(
        {one.key: one for one in lots},
        list(feeds),
        list(demands),
        {1: 1, 2: 1} | dict(lanes or {}),
        {1: axis(ALWAYS), 2: axis(ALWAYS)} | dict(axes or {}),
    )


def seen(places: Sequencing) -> dict[int, tuple[int, float, float]]:
    """Return places as operation → (lane, start, end) in hours."""
    return {key: (place.lane, hours(place.starts_at), hours(place.ends_at)) for key, place in sorted(places.items())}
