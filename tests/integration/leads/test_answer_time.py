"""When an answer is due: 8 open hours, over nights, weekends and holidays; worked out by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from backoffice.crm.answer_time import ANSWER_WITHIN, LOOK_AHEAD, add_open_time
from backoffice.planning.calendars import Calendar
from tests.company import at

# Monday to Friday, 09:00 to 17:00; Friday 25 December 2026 is a holiday
OFFICE = Calendar("Europe/Berlin", {day: [(540, 1020)] for day in range(5)}, {date(2026, 12, 25): ()})


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (at(24, 9), at(24, 17)),  # a whole office day
        (at(24, 7), at(24, 17)),  # before it opens
        (at(24, 12), at(25, 12)),  # 5 hours on Tuesday, 3 on Wednesday
        (at(24, 17), at(25, 17)),  # at closing time the day is over
        (at(27, 16, 59), at(30, 16, 59)),  # Friday, one minute left: the rest on Monday
        (at(28, 10), at(30, 17)),  # Saturday
        (at(24, 12, month=12), at(28, 12, month=12)),  # Christmas Eve: 5 hours, then holiday and weekend
    ],
)
def test_due_after_eight_open_hours(asked: datetime, due: datetime) -> None:
    assert add_open_time(OFFICE, asked, ANSWER_WITHIN) == due


def test_an_office_that_never_opens_is_due_in_the_end() -> None:
    never = Calendar("Europe/Berlin", {})
    assert add_open_time(never, at(24, 9), ANSWER_WITHIN) == at(24, 9) + LOOK_AHEAD


def test_a_lunch_break_does_not_count() -> None:
    broken = Calendar("Europe/Berlin", {day: [(540, 720), (780, 1020)] for day in range(5)})
    assert add_open_time(broken, at(24, 9), timedelta(hours=4)) == at(24, 14)
