"""Reminders of invoices on account that are overdue: one mail for each level, whoever runs this and however often."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import company_roles, orders, timeline
from backoffice.crm.models import Party
from backoffice.db import Database
from backoffice.erp import models as t
from backoffice.erp.company import get_company, local_today
from backoffice.payments import on_account
from backoffice.payments.models import Receivable

LEVELS = (1,)  # days after the due day on which each level is reached
MOST = 200


def level_of(due_on: date, today: date) -> int:
    """Return how often an open invoice should have been reminded of by today. Pure."""
    return sum(today >= due_on + timedelta(days=days) for days in LEVELS)


def remind(db: Database, *, now: datetime) -> int:
    """Write the mails that are due, each in a transaction of its own; return how many."""
    with db.read() as session:
        today = local_today(get_company(session), now)
        first = today - timedelta(days=LEVELS[0])
        late = on_account.open_ones().where(Receivable.due_on <= first, Receivable.reminded < len(LEVELS))
        ids = [row[0].payment_id for row in session.execute(late.order_by(Receivable.payment_id).limit(MOST))]
    return sum(db.run(lambda session, one=one: _remind(session, one, today, now)) for one in ids)  # type: ignore[misc] # bound early


def _remind(session: Session, payment_id: int, today: date, now: datetime) -> bool:
    """Raise the level and write the mail, unless somebody did it before, or it was paid meanwhile."""
    found = session.execute(
        on_account.open_ones()
        .where(Receivable.payment_id == payment_id)
        .with_for_update(of=Receivable)
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        return False
    owed, payment, order = found
    if owed.due_on is None or (level := level_of(owed.due_on, today)) <= owed.reminded:
        return False
    owed.reminded = level
    session.flush()
    invoice = session.scalar(sa.select(t.Invoice.number).where(t.Invoice.cause == f"order:{order.number}"))
    left = {"amount_minor": payment.amount_minor - payment.refunded_minor - owed.received_minor, "currency": payment.currency}
    frame = orders.mail_frame(session, order)
    payload = frame | {"invoice": invoice or "", "due_on": owed.due_on.isoformat(), "amount": left}
    people = _reminded(session, owed.company_id) or [(frame["to"], frame["name"], frame["language"])]
    for to, name, language in people:
        whom = {"to": to, "name": name, "language": language}
        events.publish(session, events.MailWanted("invoice_overdue", f"order:{order.number}", payload | whom, now))
    timeline.record(session, order.party_id, "invoice_reminded", text=invoice or "", order_ref=order.number, values=left, now=now)
    return True


def _reminded(session: Session, company_id: int) -> list[tuple[str, str, str]]:
    """Return (address, name, language) of who is written to about a company's invoices."""
    roles = [name for name, role in company_roles.ROLES.items() if role.reminded]
    people = sa.select(Party.email, Party.name, Party.language).where(
        Party.company_id == company_id, Party.company_role.in_(roles), Party.email.is_not(None)
    )
    return [(str(email), name, language) for email, name, language in session.execute(people.order_by(Party.id))]
