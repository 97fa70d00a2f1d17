"""The table of days around changing clocks, year ends, leap days and holidays: `ship` names the same."""

from __future__ import annotations

from datetime import date

from backoffice.planning import Calendar, Shipping, ship
from tests.reference_days import CLOSED, Case, cases

ALL_DAY = [(0, 1440)]


def named(case: Case) -> tuple[date, date]:
    """Return the days that we name."""
    week = dict.fromkeys(range(7 if case.daily else 5), ALL_DAY)
    closed = () if case.daily else CLOSED[case.zone]
    days = Calendar(case.zone, week, {date.fromisoformat(day): () for day in closed})
    found = ship(case.ready_at, Shipping(case.zone, 0, case.cutoff_minute, days, 1, days))
    assert found is not None
    return found.ship_on, found.deliver_on


def test_every_day_of_the_table() -> None:
    wrong = [(case, named(case)) for case in cases() if named(case) != (case.ship_on, case.deliver_on)]
    assert (len(list(cases())), wrong) == (108, [])
