"""Shifts, holidays, clock changes and shipping, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.lab.models import NOW, at, quote, times

BOX: dict[str, Any] = {"items": {"BOX": {"source": "make"}}}


def kiln(minutes: int) -> dict[str, Any]:
    return {**BOX, "routings": {"BOX": [{"work_centre": "KILN", "fixed_minutes": minutes}]}}


def test_a_night_shift_and_a_holiday() -> None:
    # Monday and Tuesday nights, 22:00 to 06:00, each two entries. 6 January 2027, Epiphany, is a Wednesday and a holiday in
    # Bavaria: the half of the night that lies on it falls out. From Monday the 4th at noon 600 minutes: Monday 22:00 to 24:00
    # (120), Tuesday 00:00 to 06:00 (360), Tuesday 22:00 to 24:00 (120) = 600. One more is done in the night after next Monday.
    nights = {"mon": [["22:00", "24:00"]], "tue": [["00:00", "06:00"], ["22:00", "24:00"]], "wed": [["00:00", "06:00"]]}
    works: dict[str, Any] = {
        "now": "2027-01-04T12:00:00+01:00",
        "work_centres": {"KILN": {"calendar": "nights"}},
        "calendars": {"nights": {"weekly": nights, "holidays": "DE-BY"}},
    }
    line = quote("BOX", 1, **kiln(600), **works)
    assert times(line) == [("KILN", "2027-01-04T22:00:00+01:00", "2027-01-06T00:00:00+01:00")]
    assert quote("BOX", 1, **kiln(601), **works)["ready_at"] == "2027-01-11T22:01:00+01:00"
    works["calendars"]["nights"]["holidays"] = "DE-BE"  # in Berlin it is a night like any other
    assert quote("BOX", 1, **kiln(601), **works)["ready_at"] == "2027-01-06T00:01:00+01:00"
    works["calendars"]["nights"] |= {"holidays": "DE-BY", "exceptions": {"2027-01-06": [["12:00", "13:00"]]}}
    assert quote("BOX", 1, **kiln(601), **works)["ready_at"] == "2027-01-06T12:01:00+01:00"  # an exception is stronger


def test_a_night_with_a_change_of_the_clocks() -> None:
    # 28 March 2026, 22:00 to 06:00: clocks go forward, the night has 7 hours, and 420 minutes end at 06:00, not before.
    works = {
        "now": "2026-03-28T12:00:00+01:00",
        "work_centres": {"KILN": {"calendar": "nights"}},
        "calendars": {"nights": {"weekly": {"sat": [["22:00", "24:00"]], "sun": [["00:00", "06:00"]]}}},
    }
    assert quote("BOX", 1, **kiln(420), **works)["ready_at"] == "2026-03-29T06:00:00+02:00"
    assert (
        quote("BOX", 1, "2026-03-29T06:00:00+02:00", **kiln(60), **works)["operations"][0]["start"] == "2026-03-29T05:00:00+02:00"
    )


def test_every_calendar_has_its_own_zone() -> None:
    # 06:00 in New York is 12:00 in Berlin.
    works = {
        "work_centres": {"KILN": {"calendar": "there"}},
        "calendars": {"there": {"timezone": "America/New_York", "weekly": {"tue": [["06:00", "14:00"]]}}},
    }
    assert times(quote("BOX", 1, **kiln(60), **works)) == [("KILN", at("24 12:00"), at("24 13:00"))]


def test_a_calendar_that_never_opens_again() -> None:
    works = {"work_centres": {"KILN": {"calendar": "never"}}, "calendars": {"never": {}}}
    line = quote("BOX", 1, **kiln(60), **works)
    assert (line["ready_at"], line["ship_on"], line["basis"], line["operations"]) == (None, None, None, [])
    assert line["reasons"] == ["it can never come: the calendar of KILN never opens again"]
    assert quote("BOX", 1, **kiln(0), **works)["ready_at"] == NOW  # no time needs no open time


@pytest.mark.parametrize(
    ("now", "ship_on", "deliver_on"),
    [
        ("2026-11-24T12:59:59+00:00", "2026-11-24", "2026-11-26"),  # a second before 14:00 in Berlin
        ("2026-11-24T13:00:00+00:00", "2026-11-25", "2026-11-27"),  # exactly at the cut-off is after it
        ("2026-11-27T13:00:00+00:00", "2026-11-30", "2026-12-02"),  # after Friday comes Monday
        ("2026-11-28T08:00:00+00:00", "2026-11-30", "2026-12-02"),  # a closed day: the next open one
        (
            "2026-12-23T08:00:00+00:00",
            "2026-12-23",
            "2026-12-28",
        ),  # Christmas Eve is open, the 25th a holiday; the 26th a Saturday
    ],
)
def test_the_cut_off(now: str, ship_on: str, deliver_on: str) -> None:
    line = quote(
        "A",
        1,
        now=now,
        calendars={
            "plant": {"weekly": {day: [["06:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}, "holidays": "DE"}
        },
        items={"A": {"source": "none"}},
        stock=[{"id": "s", "item": "A", "quantity": 1}],
        shipping={"cutoff": "14:00", "warehouse_calendar": "plant", "transit_days": 2, "carrier_calendar": "plant"},
    )
    assert (line["ship_on"], line["deliver_on"]) == (ship_on, deliver_on)


def test_without_shipping_both_days_are_the_ready_day_in_the_zone_of_the_model() -> None:
    late = {
        "items": {"A": {"source": "none"}},
        "stock": [{"id": "s", "item": "A", "quantity": 1}],
        "now": "2026-11-24T23:30:00+00:00",
    }
    line = quote("A", 1, **late)
    assert (line["ready_at"], line["ship_on"], line["deliver_on"]) == ("2026-11-25T00:30:00+01:00", "2026-11-25", "2026-11-25")
