"""When a lead must be answered: a number of open office hours after it came in. Pure, but for reading the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from backoffice.erp import calendars
from backoffice.erp.models import Company
from backoffice.planning.calendars import Calendar
from backoffice.public.errors import BadInput

ANSWER_WITHIN = timedelta(hours=8)
LOOK_AHEAD = timedelta(days=60)
FURTHEST = timedelta(days=730)


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
    calendar = find_calendar(session, now, now)
    return add_open_time(calendar, now, ANSWER_WITHIN) if calendar else now + timedelta(days=1)


def find_calendar(session: Session, earliest: datetime, now: datetime) -> Calendar | None:
    """Return the office's hours, holidays in them from `earliest` to 60 days after `now`; None: no office hours are known."""
    company = session.get(Company, 1)
    if company is None or company.office_calendar_id is None:
        return None
    zone, margin = ZoneInfo(company.timezone), timedelta(days=1)
    first, last = earliest.astimezone(zone).date() - margin, now.astimezone(zone).date() + LOOK_AHEAD + margin
    return calendars.load(session, company.office_calendar_id, first, last)


def come_back_at(session: Session, on: date | None, now: datetime) -> datetime | None:
    """Return when to come back to somebody: as the office opens on that day or the next open one; today, before it closes.

    None stays None. Raises BadInput(invalid_form, follow_up_on → past_date | bad_date) for a day before today or too far away.
    """
    company = session.get(Company, 1)
    if on is None:
        return None
    zone = ZoneInfo(company.timezone if company else "UTC")
    today = now.astimezone(zone).date()
    if on < today:
        raise BadInput("invalid_form", {"follow_up_on": "past_date"})
    if on > today + FURTHEST:
        raise BadInput("invalid_form", {"follow_up_on": "bad_date"})
    morning = datetime.combine(on, time(9), zone).astimezone(UTC)
    if company is None or company.office_calendar_id is None:
        return max(morning, now)
    calendar = calendars.load(session, company.office_calendar_id, today - timedelta(days=1), on + LOOK_AHEAD)
    start = max(datetime.combine(on, time(0), zone), now)
    opens, closes = next(calendar.open_intervals(start, start + LOOK_AHEAD), (morning, morning))
    return closes if opens.astimezone(zone).date() == today else opens
