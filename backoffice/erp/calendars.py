"""Calendars from the database, with holidays expanded into dates for the planning core."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.erp.public_holidays import holiday_names
from backoffice.planning.calendars import Calendar

Intervals = Sequence[tuple[int, int]]


def load_all(session: Session, from_on: date, to_on: date) -> dict[int, Calendar]:
    """Return every calendar by its id, holidays between the two days' years expanded."""
    weekly: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for shift in session.scalars(sa.select(t.CalendarShift).order_by(t.CalendarShift.starts_minute)):
        weekly[shift.calendar_id][shift.weekday].append((shift.starts_minute, shift.ends_minute))
    exceptions: dict[int, dict[date, Intervals]] = defaultdict(dict)
    for row in session.scalars(sa.select(t.CalendarException)):
        exceptions[row.calendar_id][row.on_day] = [(int(a), int(b)) for a, b in row.intervals]
    calendars = {}
    for calendar in session.scalars(sa.select(t.Calendar)):
        closed: dict[date, Intervals] = dict.fromkeys(holiday_names(calendar.holidays, from_on.year, to_on.year), ())
        calendars[calendar.id] = Calendar(calendar.timezone, dict(weekly[calendar.id]), closed | exceptions[calendar.id])
    return calendars


def of_centres(session: Session, calendars: Mapping[int, Calendar]) -> dict[int, Calendar]:
    """Return work centre → its calendar; one with days of its own has a calendar of its own, with those days in it."""
    own: dict[int, dict[date, Intervals]] = defaultdict(dict)
    for row in session.scalars(sa.select(t.WorkCentreException)):
        own[row.work_centre_id][row.on_day] = [(int(a), int(b)) for a, b in row.intervals]
    found = {}
    for centre_id, calendar_id in session.execute(sa.select(t.WorkCentre.id, t.WorkCentre.calendar_id)):
        shared = calendars[calendar_id]
        days = own.get(centre_id)
        found[centre_id] = Calendar(shared.timezone, shared.weekly, {**shared.exceptions, **days}) if days else shared
    return found


def load(session: Session, calendar_id: int, from_on: date, to_on: date) -> Calendar:
    """Return one calendar. Raises KeyError if there is none of that id."""
    return load_all(session, from_on, to_on)[calendar_id]


@lru_cache(maxsize=256)
def delivery_calendar(timezone: str, region: str, year: int) -> Calendar:
    """Return the days on which parcels are handed over in a region: Monday to Saturday without its holidays."""
    weekly = {weekday: [(0, 1440)] for weekday in range(6)}
    return Calendar(timezone, weekly, dict.fromkeys(holiday_names(region, year - 1, year + 4), ()))


def horizon(today: date) -> tuple[date, date]:
    """Return the days between which holidays are expanded: longer than any promise looks ahead."""
    return today - timedelta(days=366), today + timedelta(days=4 * 366)
