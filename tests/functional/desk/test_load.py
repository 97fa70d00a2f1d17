"""One day's load, worked out by hand: only open minutes count, stops take them away, lanes multiply them."""

from __future__ import annotations

from datetime import date

import pytest

from backoffice.desk.load import DayLoad, measure
from backoffice.planning.calendars import Calendar
from backoffice.planning.instants import micros
from tests.company import at

PLANT = Calendar("Europe/Berlin", {day: [(360, 840)] for day in range(5)})  # 06:00 to 14:00: 480 minutes
TUESDAY, SATURDAY = date(2026, 11, 24), date(2026, 11, 28)
Times = list[tuple[tuple[int, ...], tuple[int, ...]]]


def spans(times: Times) -> list[tuple[int, int]]:
    """Turn Berlin wall-clock times into microseconds."""
    return [(micros(at(*start)), micros(at(*end))) for start, end in times]


@pytest.mark.parametrize(
    ("day", "lanes", "slots", "stops", "expected"),
    [
        (TUESDAY, 1, [], [], (480, 0, 0)),
        (TUESDAY, 1, [((24, 6), (24, 8))], [], (480, 120, 0)),
        (TUESDAY, 2, [((24, 6), (24, 8)), ((24, 6), (24, 7))], [], (960, 180, 0)),
        (TUESDAY, 1, [((24, 13), (25, 7))], [], (480, 60, 0)),  # pauses over night
        (TUESDAY, 1, [((23, 6), (25, 14))], [], (480, 480, 0)),  # all day long
        (TUESDAY, 1, [((24, 6), (24, 10))], [((24, 8), (24, 9))], (420, 180, 60)),  # stands still meanwhile
        (TUESDAY, 1, [], [((24, 4), (24, 7)), ((24, 6), (24, 8)), ((24, 13), (24, 20))], (300, 0, 180)),  # overlapping
        (TUESDAY, 3, [], [((23, 0), (26, 0))], (0, 0, 1440)),
        (SATURDAY, 1, [((27, 6), (30, 8))], [], (0, 0, 0)),
    ],
)
def test_minutes(day: date, lanes: int, slots: Times, stops: Times, expected: tuple[int, int, int]) -> None:
    load = measure(PLANT, day, lanes, spans(slots), spans(stops))
    assert (load.capacity, load.used, load.stopped) == expected


@pytest.mark.parametrize(
    ("capacity", "used", "stopped", "percent", "level"),
    [
        (480, 0, 0, 0, "free"),
        (480, 283, 0, 59, "free"),
        (480, 288, 0, 60, "busy"),
        (480, 432, 0, 90, "full"),
        (0, 0, 0, 0, "closed"),
        (0, 0, 480, 0, "stopped"),
    ],
)
def test_levels(capacity: int, used: int, stopped: int, percent: int, level: str) -> None:
    load = DayLoad(TUESDAY, capacity, used, stopped)
    assert (load.percent, load.level) == (percent, level)
