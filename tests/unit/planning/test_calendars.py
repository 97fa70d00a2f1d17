"""Open days and open instants, on ordinary days and on those when the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.planning import Calendar
from backoffice.planning.instants import local_instant, micros, moment
from tests.unit.planning.models import PLANT, berlin


def test_open_days() -> None:
    plant = Calendar("Europe/Berlin", PLANT.weekly, {date(2026, 12, 24): (), date(2026, 12, 26): [(480, 720)]})
    assert [plant.is_open_day(date(2026, 12, day)) for day in (23, 24, 25, 26, 27)] == [True, False, True, True, False]
    assert plant.next_open_day(date(2026, 12, 24)) == date(2026, 12, 25)
    assert plant.next_open_day(date(2026, 12, 26)) == date(2026, 12, 26)
    assert plant.add_open_days(date(2026, 12, 23), 3) == date(2026, 12, 28)
    assert plant.add_open_days(date(2026, 12, 24), 0) == date(2026, 12, 24)


def test_a_calendar_that_never_opens_says_so() -> None:
    never = Calendar("Europe/Berlin", {0: [(600, 600)]}, {date(2020, 1, 1): [(0, 1440)]})
    assert never.next_open_day(date(2026, 1, 1)) is None
    assert never.add_open_days(date(2026, 1, 1), 1) is None
    assert list(never.open_intervals(berlin("2026-01-01 00:00"), berlin("2027-01-01 00:00"))) == []


def test_open_intervals_are_cut_and_joined() -> None:
    night = Calendar("Europe/Berlin", {0: [(1320, 1440)], 1: [(0, 360), (300, 420), (600, 660)]})
    assert list(night.open_intervals(berlin("2026-11-23 23:00"), berlin("2026-11-24 10:30"))) == [
        (berlin("2026-11-23 23:00"), berlin("2026-11-24 07:00")),
        (berlin("2026-11-24 10:00"), berlin("2026-11-24 10:30")),
    ]


@pytest.mark.parametrize(
    ("day", "intervals", "hours"),
    [
        (date(2026, 3, 29), [(0, 1440)], 23),
        (date(2026, 10, 25), [(0, 1440)], 25),
        (date(2026, 3, 29), [(120, 180)], 0),  # 02:00 to 03:00 is skipped
        (date(2026, 3, 29), [(150, 240)], 1),  # 02:30 to 04:00: the shift begins when the clocks jump to 03:00
        (date(2026, 10, 25), [(120, 180)], 2),  # 02:00 to 03:00 happens twice
        (date(2026, 10, 25), [(0, 150), (150, 360)], 7),  # two shifts tile the longer night
    ],
)
def test_days_on_which_the_clocks_change(day: date, intervals: list[tuple[int, int]], hours: int) -> None:
    calendar = Calendar("Europe/Berlin", {}, {day: intervals})
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    found = calendar.open_intervals(start, start + timedelta(days=3))
    assert sum((end - begin for begin, end in found), timedelta()) == timedelta(hours=hours)


zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"])


@given(zones, st.dates(date(2024, 1, 1), date(2027, 12, 31)), st.integers(0, 1440))
def test_a_local_instant_shows_the_minute_it_was_asked_for(zone: str, day: date, minute: int) -> None:
    instant = moment(local_instant(day, minute, ZoneInfo(zone)))
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 - wall time is what is tested
    shown = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if shown != wall:  # skipped: the instant is the change itself, a microsecond earlier shows an earlier time
        before = (instant - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert before < wall < shown


@given(zones, st.dates(date(2024, 1, 1), date(2027, 12, 31)), st.lists(st.integers(0, 1440), min_size=2, max_size=6))
def test_shifts_that_tile_a_day_have_its_length(zone: str, day: date, minutes: list[int]) -> None:
    cuts = [0, *sorted(minutes), 1440]
    calendar = Calendar(zone, {}, {day: list(pairwise(cuts))})
    whole = local_instant(day, 1440, ZoneInfo(zone)) - local_instant(day, 0, ZoneInfo(zone))
    assert sum(end - start for start, end in calendar.open_on(day)) == whole


def test_an_instant_needs_a_zone() -> None:
    with pytest.raises(TypeError):
        micros(datetime(2026, 1, 1))  # noqa: DTZ001 - a naive instant must be refused
