"""When a lead must be answered: a number of open office hours after it came in. Pure, but for reading the calendar."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from backoffice.erp import calendars
from backoffice.erp.models import Company
from backoffice.planning.calendars import Calendar

ANSWER_WITHIN = timedelta(hours=8)
LOOK_AHEAD = timedelta(days=60)


def add_open_time(calendar: Calendar, start: datetime, amount: timedelta) -> datetime:
    """Return the instant by which `amount` of open time has passed since `start` (aware).

    A calendar that does not open enough within 60 days gives the end of those days.
    """
    left = amount
    for opens, closes in calendar.open_intervals(start, start + LOOK_AHEAD):
        if closes - opens >= left:
            return opens + left
        left -= closes - opens
    return start + LOOK_AHEAD


def answer_due(session: Session, now: datetime) -> datetime:
    """Return when a lead that comes in now must be answered; the same time tomorrow where no office hours are known."""
    company = session.get(Company, 1)
    if company is None or company.office_calendar_id is None:
        return now + timedelta(days=1)
    today = now.astimezone(ZoneInfo(company.timezone)).date()
    margin = timedelta(days=1)
    calendar = calendars.load(session, company.office_calendar_id, today - margin, today + LOOK_AHEAD + margin)
    return add_open_time(calendar, now, ANSWER_WITHIN)
