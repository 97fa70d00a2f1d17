"""The next hour by a clock on the wall, also in the nights in which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from backoffice.planning.instants import next_hour

BERLIN, KATHMANDU, APIA = (ZoneInfo(name) for name in ("Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia"))


def at(month: int, day: int, hour: int, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "hour", "zone", "due"),
    [
        (at(11, 30, 8), 3, BERLIN, at(12, 1, 2)),
        (at(11, 30, 1, 59), 3, BERLIN, at(11, 30, 2)),
        (at(11, 30, 2), 3, BERLIN, at(12, 1, 2)),  # at the hour itself it has been done
        (at(11, 30, 22), 3, KATHMANDU, at(12, 1, 21, 15)),  # +5:45: today's three o'clock was 21:15 yesterday
        (at(3, 28, 12), 3, BERLIN, at(3, 29, 1)),  # the clocks go from two to three
        (at(3, 28, 12), 2, BERLIN, at(3, 29, 1)),  # two o'clock is skipped: at the change
        (at(10, 24, 12), 2, BERLIN, at(10, 25, 0)),  # two o'clock is shown twice: the first
        (at(10, 25, 0, 30), 2, BERLIN, at(10, 26, 1)),  # and not again an hour later
        (at(12, 29, 20, year=2011), 3, APIA, at(12, 30, 10, year=2011)),  # of a day that Samoa left out: at the change
    ],
)
def test_the_next_hour(now: datetime, hour: int, zone: ZoneInfo, due: datetime) -> None:
    assert next_hour(now, hour, zone) == due
