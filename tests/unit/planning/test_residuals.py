"""The margin that is learnt from residuals, worked out by hand."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from backoffice.planning.calendars import Calendar
from backoffice.planning.residuals import REMEMBERED, Residuals, later, open_days, quantile

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = Calendar("Europe/Berlin", {day: [(360, 840)] for day in range(5)}, {date(2026, 3, 16): []})
LEVEL = Fraction(95, 100)


@pytest.mark.parametrize(
    ("residuals", "level", "margin"),
    [
        (range(1, 20), Fraction(95, 100), 19),  # ceil(20 x 0.95) = the 19th of 19
        (range(1, 19), Fraction(95, 100), None),  # ceil(19 x 0.95) = the 19th of 18: too few
        (range(1, 40), Fraction(95, 100), 38),  # ceil(40 x 0.95) = the 38th of 39
        ([7, 0, 0, 3], Fraction(80, 100), 7),  # ceil(5 x 0.8) = the 4th of 4
        ([7, 0, 0, 3], Fraction(60, 100), 3),  # ceil(5 x 0.6) = the 3rd
        ([-4, -1, -9, -2], Fraction(80, 100), 0),  # early is no reason to name a day before the plan's
        ([], Fraction(50, 100), None),
    ],
)
def test_the_quantile_that_holds_for_the_next_one(residuals: range | list[int], level: Fraction, margin: int | None) -> None:
    assert quantile(residuals, level) == margin


def test_only_the_newest_are_remembered() -> None:
    seen = Residuals()
    for _ in range(REMEMBERED):
        seen.learn("leg", 9)
    for _ in range(REMEMBERED - 10):
        seen.learn("leg", 1)
    # 190 ones and ten nines: the 191st of 200 at 95 %
    assert (len(seen.of("leg")), seen.margin("leg", LEVEL)) == (REMEMBERED, 9)
    seen.learn("leg", 1)
    assert seen.margin("leg", LEVEL) == 1


def test_a_group_with_too_few_has_the_margin_of_all_together() -> None:
    seen = Residuals()
    for residual in range(1, 20):
        seen.learn("leg", residual)
    assert seen.margin("foot", LEVEL) == 19
    seen.learn("foot", 30)
    assert seen.margin("foot", LEVEL) == 30  # the 20th of the 20 that there are now
    assert Residuals().margin("foot", LEVEL) is None


def test_open_days_are_counted_to_either_side() -> None:
    friday, monday, wednesday = date(2026, 3, 6), date(2026, 3, 9), date(2026, 3, 18)
    assert (open_days(WEEK, friday, monday), open_days(WEEK, monday, friday), open_days(WEEK, friday, friday)) == (1, -1, 0)
    assert open_days(WEEK, date(2026, 3, 13), wednesday) == 2  # the Monday between is closed


def test_a_margin_keeps_the_time_of_day_over_the_change_of_the_clocks() -> None:
    friday = datetime(2026, 3, 27, 13, 30, tzinfo=BERLIN)
    assert later(friday, 1, WEEK).astimezone(BERLIN) == datetime(2026, 3, 30, 13, 30, tzinfo=BERLIN)
    assert later(friday, 0, WEEK) is friday
