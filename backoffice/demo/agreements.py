"""What the demo company has agreed with a company that buys often: its people's roles, a limit, a price list."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import company_prices, terms
from backoffice.crm.models import Party
from backoffice.db import Database
from backoffice.demo.company import TIMEZONE
from backoffice.demo.customers import NORDLICHT
from backoffice.erp import price_lists
from backoffice.erp.models import Staff

LIMIT_MINOR, DUE_DAYS, PERCENT_OFF = 500_000, 30, 8
PRICES = {("AMSEL-OAK", 1): 27_500, ("AMSEL-OAK", 6): 25_900}
AS_TYPED = (NORDLICHT, NORDLICHT.upper())  # each of its people typed it as they do; who came first named it
ROLES = ("buyer", "approver", "accounting")


def write_agreements(db: Database, *, now: datetime) -> None:
    """Write them down, in one transaction, once the company has bought."""
    db.run(lambda session: _write(session, now))


def _write(session: Session, now: datetime) -> None:
    keeper = session.scalars(sa.select(Staff).where(Staff.role == "admin").order_by(Staff.id)).first()
    company = session.scalars(sa.select(Party).where(Party.kind == "company", Party.name.in_(AS_TYPED))).first()
    if keeper is None or company is None:
        return
    people = session.scalars(sa.select(Party.id).where(Party.company_id == company.id).order_by(Party.id))
    for person_id, role in zip(people.all(), ROLES, strict=False):
        terms.set_role(session, person_id, company.id, role, by=keeper, now=now)
    terms.set_terms(session, company.id, LIMIT_MINOR, due_days=DUE_DAYS, pause_overdue=True, by=keeper, now=now)
    row = price_lists.make(session, "Partner", percent_off=PERCENT_OFF, by=keeper.email, now=now)
    price_lists.change(
        session, row.id, name=row.name, percent_off=PERCENT_OFF, prices=PRICES, version=1, by=keeper.email, now=now
    )
    first = now.astimezone(ZoneInfo(TIMEZONE)).date()
    last = first + timedelta(days=365)
    company_prices.assign(session, company.id, row.id, valid_from=first, valid_to=last, by=keeper, now=now)
