"""One time axis: integer microseconds since 1970-01-01 UTC, and the way there from wall clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MINUTE = 60_000_000
DAY = 1440 * MINUTE

_WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock has no zone yet


def micros(at: datetime) -> int:
    """Return the microseconds from 1970-01-01 UTC to `at`. Raises TypeError if `at` has no zone."""
    return (at - EPOCH) // MICROSECOND


def moment(instant: int) -> datetime:
    """Return the aware UTC datetime of an instant in microseconds."""
    return EPOCH + timedelta(microseconds=instant)


def local_instant(day: date, minute: int, zone: ZoneInfo) -> int:
    """Return the instant (microseconds) at which clocks in `zone` show `minute` of `day`; 1440 is the next midnight.

    A wall time shown twice (clocks go back) means its first showing; one that is skipped (clocks go forward) means
    the instant of the change. So neighbouring shifts tile the time on every day of the year: none is lost or doubled.
    """
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 - zone added below
    shown = (wall - _WALL_EPOCH) // MICROSECOND
    before = shown - _offset(wall.replace(tzinfo=zone))
    after = shown - _offset(wall.replace(tzinfo=zone, fold=1))
    return before if after >= before else _change_between(after, before, zone)


def local_same_clock(at: datetime, day: date, zone: ZoneInfo) -> int:
    """Return the instant on `day` at which clocks in `zone` show the same time of day as they do at `at`."""
    wall = at.astimezone(zone)
    minute = wall.hour * 60 + wall.minute
    return local_instant(day, minute, zone) + wall.second * 1_000_000 + wall.microsecond


def next_hour(now: datetime, hour: int, zone: ZoneInfo) -> datetime:
    """Return the next instant, after `now`, at which clocks in `zone` show `hour` o'clock; in UTC."""
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=ahead) for ahead in range(3))  # a day without that hour has the instant of its change
    return next(at for day in days if (at := moment(local_instant(day, hour * 60, zone))) > now)


def _offset(aware: datetime) -> int:
    offset = aware.utcoffset()
    return 0 if offset is None else offset // MICROSECOND


def _change_between(low: int, high: int, zone: ZoneInfo) -> int:
    """Return the first instant in (low, high] with the offset of `high`: the change of the clocks, by bisection."""
    new = _offset(moment(high).astimezone(zone))
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(moment(middle).astimezone(zone)) == new:
            high = middle
        else:
            low = middle
    return high
