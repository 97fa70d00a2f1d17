"""The working-time axis and its lanes, against a slow model that looks at every minute."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from backoffice.planning import Calendar, lanes
from backoffice.planning.capacity import Axis, Centre, without
from backoffice.planning.instants import MINUTE, micros, moment
from backoffice.planning.lanes import Lane, merge
from tests.unit.planning.models import PLANT, berlin

START = micros(berlin("2026-03-27 06:00"))  # the clocks change two days later
spans = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 40)).map(lambda s: (s[0], s[0] + s[1])), max_size=12)


@given(spans)
def test_merge_covers_the_same_points(intervals: list[tuple[int, int]]) -> None:
    merged = merge(intervals)
    covered = {point for start, end in intervals for point in range(start, end)}
    assert {point for start, end in merged for point in range(start, end)} == covered
    assert all(before[1] < after[0] for before, after in pairwise(merged))


@given(st.integers(0, 300), st.integers(1, 100), spans)
def test_without_leaves_what_no_stop_covers(start: int, length: int, stops: list[tuple[int, int]]) -> None:
    pieces = without(start, start + length, merge(stops))
    closed = {point for low, high in stops for point in range(low, high)}
    assert {point for low, high in pieces for point in range(low, high)} == set(range(start, start + length)) - closed


@given(spans, st.integers(0, 320), st.integers(1, 60))
def test_a_gap_is_the_first_that_is_free(busy: list[tuple[int, int]], work: int, length: int) -> None:
    taken = {point for start, end in busy for point in range(start, end)}
    expected = next(at for at in range(work, 1000) if not taken & set(range(at, at + length)))
    assert Lane(busy).gap(work, length) == expected


@given(spans, st.lists(st.tuples(st.sampled_from(["ask", "ask", "back"]), st.integers(0, 400), st.integers(1, 30)), max_size=60))
def test_a_lane_in_many_chunks_is_a_set_of_points(busy: list[tuple[int, int]], asks: list[tuple[str, int, int]]) -> None:
    """Reserve, and give back in any order, in chunks of two to four stretches; a plain set says what is right."""
    with mock.patch.object(lanes, "_CHUNK", 4):
        lane = Lane(busy)
        taken = {point for start, end in busy for point in range(start, end)}
        given_out: list[tuple[int, int]] = []
        for action, work, length in asks:
            if action == "back" and given_out:
                start, end = given_out.pop(work % len(given_out))
                lane.release(start, end)
                taken -= set(range(start, end))
            else:
                start = lane.gap(work, length)
                assert start == next(at for at in range(work, 5000) if not taken & set(range(at, at + length)))
                lane.reserve(start, start + length)
                taken |= set(range(start, start + length))
                given_out.append((start, start + length))
            stretches = lane.stretches()
            assert {point for low, high in stretches for point in range(low, high)} == taken
            assert all(before[1] < after[0] for before, after in pairwise(stretches))


@given(
    st.lists(st.tuples(st.integers(0, 1430), st.integers(1, 600)), max_size=5),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6000), st.integers(1, 900)), max_size=8),
    st.integers(0, 5000),
    st.integers(0, 700),
    st.integers(1, 3),
)
def test_the_earliest_place_is_what_a_look_at_every_minute_finds(
    shifts: list[tuple[int, int]],
    bookings: list[tuple[int, int, int]],
    not_before: int,
    length: int,
    count: int,
) -> None:
    weekly = {day: [(start, min(1440, start + minutes)) for start, minutes in shifts] for day in (0, 2, 4, 5, 6)}
    calendar = Calendar("Europe/Berlin", weekly)
    limit = START + 12_000 * MINUTE
    centre = Centre(Axis(calendar, [(START + 500 * MINUTE, START + 900 * MINUTE)], START), count, START)
    centre.load((lane, START + at * MINUTE, START + (at + minutes) * MINUTE) for lane, at, minutes in bookings)
    place = centre.find(START + not_before * MINUTE, length * MINUTE, limit)

    opened = [
        (round((low - moment(START)) / timedelta(minutes=1)), round((high - moment(START)) / timedelta(minutes=1)))
        for low, high in calendar.open_intervals(moment(START), moment(limit))
    ]
    minutes_open = {m for low, high in opened for m in range(low, high)} - set(range(500, 900))
    expected = None if length else (0, not_before, not_before)
    for lane in range(count if length else 0):
        busy = {m for number, at, span in bookings if number % count == lane for m in range(at, at + span)}
        run: list[int] = []
        for minute in sorted(m for m in minutes_open if m >= not_before):
            run = [] if minute in busy else [*run, minute]
            if len(run) == length:
                if expected is None or run[0] < expected[1]:
                    expected = (lane, run[0], run[-1] + 1)
                break
    found = place and (place.lane, (place.starts_at - START) // MINUTE, (place.ends_at - START) // MINUTE)
    assert found == expected


def test_the_axis_grows_as_far_as_it_is_asked() -> None:
    axis = Axis(PLANT, [], START)
    assert axis.reach(1, START + MINUTE)
    assert axis.opens[-1] < START + 100 * 1440 * MINUTE
    year = START + 400 * 1440 * MINUTE
    assert axis.work_at(year) == 286 * 480 * MINUTE - 0
    assert not Axis(Calendar("Europe/Berlin", {}), [], START).reach(1, year)
