"""Working calendars: which days are open, and which instants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from backoffice.planning.instants import local_instant, micros, moment

HORIZON_DAYS = 3 * 366
"""How far any search looks, in days. What does not happen within three years is answered with "never"."""

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Open times of one place: a week of local intervals, and dates that differ from it.

    timezone: IANA name. weekly: weekday (0 = Monday) -> intervals [start, end) in minutes of the local day, 1440 =
    midnight; a day left out is closed. exceptions: that date has these intervals instead; a holiday is ().
    Raises zoneinfo.ZoneInfoNotFoundError for an unknown timezone.
    """

    timezone: str
    weekly: Mapping[int, Sequence[tuple[int, int]]]
    exceptions: Mapping[date, Sequence[tuple[int, int]]] = field(default_factory=dict)
    zone: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look the timezone up once."""
        object.__setattr__(self, "zone", ZoneInfo(self.timezone))

    def intervals_on(self, day: date) -> Sequence[tuple[int, int]]:
        """Return the local intervals of `day` in minutes of the day, as they were given."""
        special = self.exceptions.get(day)
        return self.weekly.get(day.weekday(), ()) if special is None else special

    def is_open_day(self, day: date) -> bool:
        """Tell whether `day` has any open time."""
        return any(start < end for start, end in self.intervals_on(day))

    def next_open_day(self, day: date) -> date | None:
        """Return `day` if it is open, else the first open day after it; None if there is none within the horizon."""
        for _ in range(HORIZON_DAYS):
            if self.is_open_day(day):
                return day
            day += _ONE_DAY
        return None

    def add_open_days(self, day: date, count: int) -> date | None:
        """Return the `count`-th open day after `day` (0: `day` itself, open or not); None beyond the horizon."""
        for _ in range(HORIZON_DAYS):
            if count <= 0:
                return day
            day += _ONE_DAY
            count -= self.is_open_day(day)
        return day if count <= 0 else None

    def open_on(self, day: date) -> list[tuple[int, int]]:
        """Return the open intervals of the local `day` as instants (microseconds), sorted; overlaps are merged."""
        merged: list[tuple[int, int]] = []
        for first, last in sorted(self.intervals_on(day)):
            start, end = local_instant(day, first, self.zone), local_instant(day, last, self.zone)
            if start >= end:
                continue
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def open_intervals(self, from_at: datetime, horizon: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the open intervals in UTC within [from_at, horizon), in order; those that touch are joined.

        from_at, horizon: aware datetimes. On the day the clocks change an interval is as long as it really is.
        """
        low, high = micros(from_at), micros(horizon)
        held: tuple[int, int] | None = None
        day, last = from_at.astimezone(self.zone).date() - _ONE_DAY, horizon.astimezone(self.zone).date()
        while day <= last:
            for start, end in self.open_on(day):
                start, end = max(start, low), min(end, high)
                if start >= end:
                    continue
                if held and start <= held[1]:
                    held = (held[0], max(end, held[1]))
                    continue
                if held:
                    yield moment(held[0]), moment(held[1])
                held = (start, end)
            day += _ONE_DAY
        if held:
            yield moment(held[0]), moment(held[1])
