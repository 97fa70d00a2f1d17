"""The reports by mail, weekly or monthly, for each manager who asked for them; once for each period, whoever sends it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import reports
from backoffice.crm.forecasting import month_of
from backoffice.crm.models import ReportMail
from backoffice.crm.reports import Span
from backoffice.db import Database
from backoffice.erp.company import get_company, local_today
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput

EVERY = ("week", "month")


def period(every: str, today: date) -> tuple[date, date]:
    """Return the last whole week (from Monday) or month before today's: its first day, and the day after it."""
    if every == "month":
        return month_of(today, -1), month_of(today)
    monday = today - timedelta(days=today.weekday())
    return monday - timedelta(weeks=1), monday


def choose(session: Session, staff_id: int, every: str, *, language: str, now: datetime) -> None:
    """Send somebody the reports from the next whole period on, or (every: "") no more. Raises BadInput(invalid_form, every)."""
    if every and every not in EVERY:
        raise BadInput("invalid_form", {"every": "bad_choice"})
    row = session.get(ReportMail, staff_id)
    if not every:
        if row is not None:
            session.delete(row)
        return
    sent_for = period(every, local_today(get_company(session), now))[0]
    session.merge(ReportMail(staff_id=staff_id, every=every, language=language, sent_for=sent_for))


def send_due(db: Database, *, base_url: str, now: datetime) -> int:
    """Write to everybody whose next period is over; return to how many. Each in a transaction of its own."""
    with db.read() as session:
        today = local_today(get_company(session), now)
        rows = session.execute(
            sa.select(ReportMail.staff_id, ReportMail.every)
            .join(Staff, Staff.id == ReportMail.staff_id)
            .where(Staff.active, Staff.role == "admin")
            .order_by(ReportMail.staff_id)
        ).all()
    sent = 0
    for staff_id, every in rows:
        send = partial(_send, staff_id=staff_id, every=every, today=today, base_url=base_url, now=now)
        sent += db.run(send)
    return sent


def _send(session: Session, *, staff_id: int, every: str, today: date, base_url: str, now: datetime) -> bool:
    first, end = period(every, today)
    taken = session.execute(
        sa.update(ReportMail)
        .where(ReportMail.staff_id == staff_id, ReportMail.every == every, ReportMail.sent_for < first)
        .values(sent_for=first)
        .returning(ReportMail.language)
        .execution_options(synchronize_session=False)
    ).first()
    if taken is None:
        return False  # they had it, or another worker is writing it
    company, person = get_company(session), session.get_one(Staff, staff_id)
    span = Span(first, end, ZoneInfo(company.timezone))
    funnel, answers = reports.find_funnel(session, span), reports.find_answers(session, span, now=now)
    payload = {
        "to": person.email,
        "name": person.name,
        "language": taken.language,
        "shop": company.name,
        "first_on": first.isoformat(),
        "last_on": (end - timedelta(days=1)).isoformat(),
        "came": sum(one.came for one in funnel),
        "won": sum(one.won for one in funnel),
        "lost": sum(one.lost for one in funnel),
        "in_time": sum(one.in_time for one in answers),
        "late": sum(one.late + one.overdue for one in answers),
        "link": f"{base_url.rstrip('/')}/desk/reports" if base_url else "",
    }
    events.publish(session, events.MailWanted("report", f"report:{staff_id}:{first}", payload, now))
    return True
