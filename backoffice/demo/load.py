"""Make the demo company in an empty database. Dates are relative to its today; everything else is always the same."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from backoffice.db import Database
from backoffice.demo.company import TIMEZONE, write_company
from backoffice.demo.enquiries import write_enquiries
from backoffice.demo.goods import write_goods
from backoffice.demo.orders import write_orders
from backoffice.demo.sales_desk import write_sales_desk
from backoffice.erp import models as t
from backoffice.erp import offers, plan
from backoffice.erp.company import get_warehouse
from backoffice.public.errors import Refused


def load(db: Database, *, media: Path, now: datetime) -> None:
    """Write the whole company in one transaction, its pictures into `media`.

    Raises Refused(exists, name) on a database that has a company: nothing is changed then.
    """
    db.run(lambda session: _write(session, media, now))


def _write(session: Session, media: Path, now: datetime) -> None:
    company = session.get(t.Company, 1)
    if company is not None:
        raise Refused("exists", name=company.name)
    today = now.astimezone(ZoneInfo(TIMEZONE)).date()
    calendars = write_company(session, today=today, now=now)
    warehouse = get_warehouse(session)
    ids = write_goods(session, media=media, calendars=calendars, warehouse_id=warehouse.id, now=now)
    plan.bump(session, master=True)
    write_orders(session, ids, calendars, today=today, now=now)
    write_enquiries(session, now=now)
    write_sales_desk(session, today=today, now=now)  # after what came in before anybody had set a rule
    plan.bump(session)
    offers.refresh(session, None, now=now)
