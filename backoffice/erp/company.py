"""The company and its one warehouse, as the rest asks for them."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.public.errors import NotFound


def get_company(session: Session) -> t.Company:
    """Return the company. Raises NotFound(no_company) on an empty database."""
    company = session.get(t.Company, 1)
    if company is None:
        raise NotFound("no_company")
    return company


def get_warehouse(session: Session) -> t.Warehouse:
    """Return the warehouse that ships: the first. Raises NotFound(no_company) on an empty database."""
    warehouse = session.scalar(sa.select(t.Warehouse).order_by(t.Warehouse.id).limit(1))
    if warehouse is None:
        raise NotFound("no_company")
    return warehouse


def local_today(company: t.Company, now: datetime) -> date:
    """Return today's date where the company is."""
    return now.astimezone(ZoneInfo(company.timezone)).date()
