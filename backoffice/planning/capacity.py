"""Capacity: the working-time axis of a work centre and the earliest place on its lanes.

On the axis closed time is folded out: it counts only microseconds in which the work centre is open. An operation that
pauses over a night is one unbroken stretch there, and "not through another operation" means that stretches of one
lane do not overlap.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from threading import Lock
from typing import NamedTuple

from backoffice.planning.calendars import Calendar
from backoffice.planning.instants import local_instant, moment
from backoffice.planning.lanes import Lane, merge

_GROW_DAYS = 64
_ONE_DAY = timedelta(days=1)


class Axis:
    """The open time of one work centre, folded lazily from a first instant on; instants are microseconds.

    Threads may share one: growing is locked, and what a reader may look at is complete before it is counted in `_total`.

    opens[i], closes[i]: the i-th open interval; before[i]: working time before it.
    """

    __slots__ = ("_calendar", "_day", "_growing", "_stops", "_total", "before", "closes", "grown_to", "opens", "origin")

    def __init__(self, calendar: Calendar, stops: Iterable[tuple[int, int]], origin: int) -> None:
        """Prepare the axis from `origin` on; nothing before it counts as working time."""
        self._calendar = calendar
        self._stops = merge(stops)
        self._day: date = moment(origin).astimezone(calendar.zone).date() - _ONE_DAY
        self.origin = origin
        self.grown_to = origin
        self.opens: list[int] = []
        self.closes: list[int] = []
        self.before: list[int] = []
        self._total = 0
        self._growing = Lock()

    def total(self) -> int:
        """Return the working time known so far."""
        return self._total

    def work_at(self, instant: int) -> int:
        """Return the working time that lies before `instant`."""
        while self.grown_to <= instant:
            self._grow()
        place = bisect_right(self.opens, instant) - 1
        if place < 0:
            return 0
        return self.before[place] + min(instant, self.closes[place]) - self.opens[place]

    def reach(self, work: int, limit: int) -> bool:
        """Tell whether `work` of working time has passed by `limit`, folding the calendar as far as needed."""
        while self.total() < work and self.grown_to <= limit:
            self._grow()
        return self.total() >= work

    def start_of(self, work: int) -> int:
        """Return the instant at which the stretch of work after `work` begins; `reach(work + 1)` must hold."""
        place = bisect_right(self.before, work) - 1
        return self.opens[place] + work - self.before[place]

    def end_of(self, work: int) -> int:
        """Return the instant at which `work` (> 0) has been done; `reach(work)` must hold."""
        place = bisect_left(self.before, work) - 1
        return self.opens[place] + work - self.before[place]

    def _grow(self) -> None:
        """Fold the next days."""
        with self._growing:
            for _ in range(_GROW_DAYS):
                for start, end in self._calendar.open_on(self._day):
                    for piece in without(start, end, self._stops):
                        self._append(*piece)
                self._day += _ONE_DAY
            self.grown_to = max(self.grown_to, local_instant(self._day, 0, self._calendar.zone))

    def _append(self, start: int, end: int) -> None:
        start = max(start, self.origin, self.closes[-1] if self.closes else self.origin)
        if start >= end:
            return
        if self.closes and start == self.closes[-1]:
            self.closes[-1] = end
        else:
            self.before.append(self._total)
            self.closes.append(end)
            self.opens.append(start)
        self._total += end - start


Span = tuple[int, int, int]
"""Lane, start and end of a booking, in microseconds."""


class Place(NamedTuple):
    """Where an operation goes: lane, instants, and the stretch of working time (equal ends: nothing to reserve)."""

    lane: int
    starts_at: int
    ends_at: int
    work_start: int
    work_end: int


class Centre:
    """One work centre in a plan: its axis, its lanes (None = unlimited) and its frozen zone."""

    __slots__ = ("axis", "frozen", "lanes")

    def __init__(self, axis: Axis, lanes: int | None, frozen: int) -> None:
        """Open `lanes` empty lanes; nothing starts before the instant `frozen`."""
        self.axis = axis
        self.lanes = None if lanes is None else [Lane() for _ in range(lanes)]
        self.frozen = frozen

    def load(self, bookings: Iterable[Span]) -> None:
        """Book (lane, start, end) in instants, on a centre without bookings yet.

        A booking of a lane that no longer exists blocks one that does: its work has still to be done.
        """
        if self.lanes is not None:
            self.lanes = [Lane(stretches) for stretches in _by_lane(self.axis, len(self.lanes), bookings)]

    def busy(self, instant: int) -> list[list[tuple[int, int]]]:
        """Return what is busy after `instant`, per lane, as instants (start, end)."""
        of, past = self.axis, self.axis.work_at(instant)
        return [
            [(of.start_of(max(start, past)), of.end_of(end)) for start, end in lane.stretches() if end > past]
            for lane in self.lanes or ()
        ]

    def find(self, not_before: int, length: int, limit: int) -> Place | None:
        """Return the earliest place for `length` of work from `not_before` on; the lowest lane among equals.

        None if it would not be done by `limit`. Without work (length 0) no lane and no open time is needed.
        """
        instant = max(not_before, self.frozen)
        if length == 0:
            return Place(0, instant, instant, 0, 0) if instant <= limit else None
        if instant + length > limit:
            return None
        work = self.axis.work_at(instant)
        lane, start = 0, work
        if self.lanes is not None:
            lane, start = _earliest(self.lanes, work, length)
        if not self.axis.reach(start + length, limit):
            return None
        ends_at = self.axis.end_of(start + length)
        return Place(lane, self.axis.start_of(start), ends_at, start, start + length) if ends_at <= limit else None

    def find_latest(self, by: int, length: int, not_before: int) -> Place | None:
        """Return the latest place for `length` of work that is done at `by`; the lowest lane among equals.

        None if it would have to start before `not_before` or in the frozen zone.
        """
        first = max(not_before, self.frozen)
        if by - length < first:
            return None
        if length == 0:
            return Place(0, by, by, 0, 0)
        end = self.axis.work_at(by)
        lane, start = 0, end - length
        if self.lanes is not None and start >= 0:
            lane, start = _latest(self.lanes, end, length)
        if start < self.axis.work_at(first):
            return None
        return Place(lane, self.axis.start_of(start), self.axis.end_of(start + length), start, start + length)

    def never_opens(self, instant: int, limit: int) -> bool:
        """Tell whether there is no open time at all between `instant` and `limit`."""
        return not self.axis.reach(self.axis.work_at(max(instant, self.frozen)) + 1, limit)


class Booked:
    """What is booked at one work centre, made ready once for the questions to come. Never changed: see `changed`."""

    __slots__ = ("_apart", "_lanes", "axis", "count")

    def __init__(self, axis: Axis, lanes: int | None, bookings: Iterable[Span]) -> None:
        """Book (lane, start, end) in instants on `lanes` lanes, as `Centre.load` does."""
        busy = _by_lane(axis, lanes or 0, bookings) if lanes is not None else []
        self.axis, self.count = axis, lanes
        self._lanes = tuple(Lane(stretches).look() for stretches in busy)
        self._apart = sum(map(_length, busy)) == sum(_length(lane.stretches()) for lane in self._lanes)

    def changed(self, gone: Iterable[Span], new: Iterable[Span]) -> Booked | None:
        """Return the same without some bookings and with some more; None: where bookings overlap, it has to be made anew."""
        if not self._apart:
            return None
        lanes, own = list(self._lanes), set[int]()
        for spans, leaves in ((gone, True), (new, False)):
            for lane, stretches in enumerate(_by_lane(self.axis, len(lanes), spans) if lanes else ()):
                if stretches and lane not in own:
                    lanes[lane] = lanes[lane].copy()
                    own.add(lane)
                for start, end in stretches:
                    if not leaves and not lanes[lane].is_free(start, end):
                        return None
                    if start < end:
                        (lanes[lane].release if leaves else lanes[lane].reserve)(start, end)
        other = Booked.__new__(Booked)
        other.axis, other.count, other._lanes, other._apart = self.axis, self.count, tuple(lanes), True
        return other

    def open(self, frozen: int) -> Centre:
        """Return the work centre for one question, which may do with it what it likes."""
        centre = Centre(self.axis, None, frozen)
        if self.count is not None:
            centre.lanes = [lane.copy() for lane in self._lanes]
        return centre


def _by_lane(axis: Axis, lanes: int, bookings: Iterable[Span]) -> list[list[tuple[int, int]]]:
    """Return for each lane what is booked on it, in working time; a lane that no longer exists is one that does."""
    busy: list[list[tuple[int, int]]] = [[] for _ in range(lanes)]
    for lane, start, end in bookings:
        busy[lane % lanes].append((axis.work_at(start), axis.work_at(end)))
    return busy


def _length(stretches: Iterable[tuple[int, int]]) -> int:
    return sum(end - start for start, end in stretches)


def _earliest(lanes: Sequence[Lane], work: int, length: int) -> tuple[int, int]:
    best, start = 0, lanes[0].gap(work, length)
    for number in range(1, len(lanes)):
        if start == work:
            break
        other = lanes[number].gap(work, length)
        if other < start:
            best, start = number, other
    return best, start


def _latest(lanes: Sequence[Lane], end: int, length: int) -> tuple[int, int]:
    best, start = 0, lanes[0].gap_before(end, length)
    for number in range(1, len(lanes)):
        if start == end - length:
            break
        other = lanes[number].gap_before(end, length)
        if other > start:
            best, start = number, other
    return best, start


def without(start: int, end: int, stops: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what is left of [start, end) outside `stops` (sorted, disjoint)."""
    pieces = []
    for stop_start, stop_end in stops[max(0, bisect_left(stops, (start, start)) - 1) :]:
        if stop_start >= end:
            break
        if stop_start > start:
            pieces.append((start, stop_start))
        start = max(start, stop_end)
    if start < end:
        pieces.append((start, end))
    return pieces
