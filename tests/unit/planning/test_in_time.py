"""The day turned round: when goods must be ready to arrive by it. Exact values, and the forward rule as judge."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backoffice.planning import Calendar, Shipping, ready_in_time, ship
from tests.unit.planning.models import berlin

WEEK = {day: [(0, 1440)] for day in range(5)}
PLANT = Calendar("Europe/Berlin", WEEK, {date(2026, 12, 25): ()})
ROAD = Calendar("Europe/Berlin", WEEK, {date(2026, 12, 25): ()})
DOOR = Calendar("Europe/Berlin", {day: [(0, 1440)] for day in range(6)}, {date(2026, 12, 25): (), date(2026, 12, 26): ()})
ONE_DAY = Shipping("Europe/Berlin", 0, 14 * 60, PLANT, 1, ROAD, DOOR)
NOW = berlin("2026-11-24 09:00")  # a Tuesday


@pytest.mark.parametrize(
    ("by", "until"),
    [
        ("2026-11-24", None),  # nothing is there on the day it leaves
        ("2026-11-25", "2026-11-24 14:00"),
        ("2026-11-29", "2026-11-26 14:00"),  # a Sunday: what comes on Friday; the carrier brings nothing on Saturday
        ("2026-11-30", "2026-11-27 14:00"),
        ("2026-12-27", "2026-12-23 14:00"),  # Christmas Day is no day of the carrier's
        ("2026-12-28", "2026-12-24 14:00"),
        ("2026-11-23", None),  # over
    ],
)
def test_by_hand(by: str, until: str | None) -> None:
    found = ready_in_time(date.fromisoformat(by), ONE_DAY, now=NOW)
    assert found == ([] if until is None else [(None, berlin(until))])


def test_a_day_to_pack_lets_a_closed_day_be_as_early_as_the_open_one_before() -> None:
    packs = Shipping("Europe/Berlin", 1, 14 * 60, PLANT, 1, ROAD, DOOR)
    assert ready_in_time(date(2026, 12, 1), packs, now=NOW) == [
        (None, berlin("2026-11-27 14:00")),  # Friday: packed on Monday, there on Tuesday
        (berlin("2026-11-28 00:00"), berlin("2026-11-28 14:00")),
        (berlin("2026-11-29 00:00"), berlin("2026-11-29 14:00")),
    ]


def test_after_the_cut_off_the_same_day_is_out_of_reach() -> None:
    assert ready_in_time(date(2026, 11, 25), ONE_DAY, now=berlin("2026-11-24 13:59")) != []
    assert ready_in_time(date(2026, 11, 25), ONE_DAY, now=berlin("2026-11-24 14:00")) == []


zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Africa/Cairo", "UTC"])
weeks = st.sets(st.integers(0, 6), min_size=1).map(lambda days: {day: [(0, 1440)] for day in sorted(days)})
holidays = st.sets(st.integers(-3, 30), max_size=8)
minutes = st.one_of(st.sampled_from([0, 1, 14 * 60, 1439, 1440]), st.integers(4 * 60, 1440))  # clocks change before four
starts = st.sampled_from([date(2026, 3, 20), date(2026, 10, 20), date(2026, 12, 18)])


@st.composite
def ways(draw: st.DrawFn) -> tuple[Shipping, date]:
    first = draw(starts)

    def calendar() -> Calendar:
        closed = {first + timedelta(days=day): () for day in draw(holidays)}
        return Calendar(zone, draw(weeks), closed)

    zone = draw(zones)
    delivery = draw(st.sampled_from([None, calendar()]))
    way = Shipping(zone, draw(st.integers(0, 2)), draw(minutes), calendar(), draw(st.integers(0, 4)), calendar(), delivery)
    return way, first


@given(ways(), st.integers(0, 25), st.integers(-1, 20 * 1440), st.integers(0, 14 * 1440), st.sampled_from([0, 1, 59_999_999]))
@example((ONE_DAY, date(2026, 11, 20)), 5, 4 * 1440 + 779, 0, 59_999_999)
def test_it_says_what_the_forward_rule_says(
    made: tuple[Shipping, date], days: int, ready_after: int, now_after: int, micros: int
) -> None:
    way, first = made
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    now = start + timedelta(minutes=now_after)
    ready = start + timedelta(minutes=ready_after, microseconds=micros)
    by = first + timedelta(days=days)
    shipped = ship(max(ready, now), way)
    arrives = shipped is not None and shipped.deliver_on <= by
    windows = ready_in_time(by, way, now=now)
    inside = [1 for since, until in windows if (since is None or since <= ready) and ready < until]
    assert len(inside) == int(arrives)
    for since, until in windows:  # and its edges are where the answer changes
        edge = ship(until, way)
        assert edge is None or edge.deliver_on > by or any(start == until for start, _ in windows)
        assert since is None or since > now
