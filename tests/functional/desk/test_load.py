"""One day's load, worked out by hand: only open minutes count, stops take them away, lanes multiply them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from backoffice.erp.load import Load, find_load, measure
from backoffice.planning.calendars import Calendar
from backoffice.planning.instants import micros
from tests.company import at
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

PLANT = Calendar("Europe/Berlin", {day: [(360, 840)] for day in range(5)})  # 06:00 to 14:00: 480 minutes
TUESDAY, SATURDAY = date(2026, 11, 24), date(2026, 11, 28)
AtDesk = Callable[[str], Colleague]
Times = list[tuple[tuple[int, ...], tuple[int, ...]]]


def spans(times: Times) -> list[tuple[int, int]]:
    """Turn Berlin wall-clock times into microseconds."""
    return [(micros(at(*start)), micros(at(*end))) for start, end in times]


@pytest.mark.parametrize(
    ("day", "lanes", "firm", "stops", "expected"),
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
def test_minutes(day: date, lanes: int, firm: Times, stops: Times, expected: tuple[int, int, int]) -> None:
    load = measure(PLANT, day, lanes, spans(firm), [], spans(stops))
    assert (load.open, load.firm, load.stopped) == expected
    load = measure(PLANT, day, lanes, [], spans(firm), spans(stops))
    assert (load.open, load.held, load.firm, load.stopped) == (expected[0], expected[1], 0, expected[2])


@pytest.mark.parametrize(
    ("opening", "firm", "held", "stopped", "percents", "level"),
    [
        (480, 0, 0, 0, (0, 0), "free"),
        (480, 283, 0, 0, (59, 59), "free"),
        (480, 200, 88, 0, (60, 42), "busy"),
        (480, 0, 432, 0, (90, 0), "full"),
        (0, 0, 0, 0, (0, 0), "closed"),
        (0, 0, 0, 480, (0, 0), "stopped"),
        (0, 30, 0, 480, (100, 100), "stopped"),
    ],
)
def test_levels(opening: int, firm: int, held: int, stopped: int, percents: tuple[int, int], level: str) -> None:
    load = Load(TUESDAY, TUESDAY, opening, firm, held, stopped)
    assert ((load.percent, load.firm_percent), load.level) == (percents, level)


def test_firm_and_held_stand_apart_by_day_and_by_week_on_both_databases(shop: Workshop, now: datetime) -> None:
    """One table each: the saw needs 10 + 20 minutes for the top, assembly 30 + 60 for the table."""
    shop.buy(TABLE=1)
    shop.cart(TABLE=2)  # held: saw 10 + 40, assembly 30 + 120
    with shop.db.read() as session:
        days = find_load(session, TUESDAY, weeks=2, now=now)
        weeks = find_load(session, TUESDAY, weeks=2, by="week", now=now)
        later = find_load(session, TUESDAY, weeks=2, now=now + timedelta(minutes=16))  # the hold is over
    assert [(one.centre.name, len(one.parts)) for one in days] == [("Assembly", 14), ("Saw", 14)]
    assert [(one.parts[0].open, one.parts[0].firm, one.parts[0].held) for one in days] == [(480, 90, 150), (480, 30, 50)]
    assert [(one.parts[0].firm, one.parts[0].held) for one in later] == [(90, 0), (30, 0)]
    # from Tuesday: four working days, then five, then the Monday of the third week
    assert [[(part.first.day, part.last.day, part.open) for part in one.parts] for one in weeks] == 2 * [
        [(24, 29, 4 * 480), (30, 6, 5 * 480), (7, 7, 480)]
    ]
    for by_day, by_week in zip(days, weeks, strict=True):
        assert (by_day.whole.used, by_day.whole.open) == (by_week.whole.used, by_week.whole.open)
        assert by_week.whole.used == by_day.parts[0].used


def test_the_page_draws_and_tells_the_same_and_leads_to_what_fills_it(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(TABLE=1)
    workshop.cart(TABLE=2)
    petra = at_desk("Petra")
    page = petra.get("/desk/planning/load?weeks=2")
    assert page.count("<title>Tue 24 Nov: 50 %</title>") == 1  # assembly: 240 of 480 minutes
    assert "1.5 + 2.5 / 8 <a" in page
    assert "Week" in petra.get("/desk/planning/load?weeks=13&by=week")
    week = petra.get("/desk/planning/load/2?day=2026-11-24&until=2026-11-29")
    assert ("Tue 24 Nov to Sun 29 Nov" in week, week.count("a cart, held")) == (True, 1)
    for nonsense in ("weeks=9999&by=hour", "weeks=&by=", "weeks=4&by=day&weeks=5"):
        assert "Together" in petra.get(f"/desk/planning/load?{nonsense}")
    petra.get("/desk/planning/load/2?day=2026-11-24&until=1999-01-01")
