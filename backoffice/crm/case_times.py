"""By when a case is answered and solved: open office minutes of its priority, as the company sets them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.crm.answer_time import add_open_time, find_calendar
from backoffice.crm.case_rules import PRIORITIES, USUAL, Minutes
from backoffice.crm.models import CaseDeadline
from backoffice.public.errors import BadInput

MOST_MINUTES = 20_000  # what eight open hours a day come to within the days that are looked ahead
ONE = timedelta(minutes=1)


def find_minutes(session: Session) -> dict[str, Minutes]:
    """Return priority → its minutes, the most urgent first."""
    rows = {row.priority: Minutes(row.answer_minutes, row.solve_minutes) for row in session.scalars(sa.select(CaseDeadline))}
    return {priority: rows.get(priority, USUAL[priority]) for priority in PRIORITIES}


def save_minutes(session: Session, wanted: Mapping[str, Minutes], *, by: str, role: str = "", now: datetime) -> None:
    """Write the minutes of every priority; cases that are open keep their deadlines.

    Raises BadInput(invalid_form, answer_<priority> | solve_<priority>).
    """
    wrong = {}
    for priority in PRIORITIES:
        answer, solve = wanted.get(priority, Minutes(0, 0))
        if not 0 < answer <= MOST_MINUTES:
            wrong[f"answer_{priority}"] = "bad_number"
        if not answer <= solve <= MOST_MINUTES:
            wrong[f"solve_{priority}"] = "bad_number"
    if wrong:
        raise BadInput("invalid_form", wrong)
    before, after = find_minutes(session), {priority: wanted[priority] for priority in PRIORITIES}
    for priority, (answer, solve) in after.items():
        session.merge(CaseDeadline(priority=priority, answer_minutes=answer, solve_minutes=solve))
    session.flush()
    if before != after:
        details = {"before": before, "after": after}
        audit.record(session, "case_deadlines.save", "case_deadlines", actor=by, role=role, details=details, now=now)


def deadlines(session: Session, priority: str, start: datetime) -> tuple[datetime, datetime]:
    """Return by when a case opened at `start` is answered, and solved; where no office hours are known all hours count."""
    calendar = find_calendar(session, start, start)
    answer, solve = (timedelta(minutes=one) for one in find_minutes(session)[priority])
    if calendar is None:
        return start + answer, start + solve
    return add_open_time(calendar, start, answer), add_open_time(calendar, start, solve)


def open_minutes(session: Session, start: datetime, end: datetime) -> int:
    """Return how many open office minutes lie between two instants; all of them where no office hours are known."""
    calendar = find_calendar(session, start, end)
    if calendar is None:
        return (end - start) // ONE
    return sum((closes - opens for opens, closes in calendar.open_intervals(start, end)), timedelta()) // ONE
