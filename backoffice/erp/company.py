"""The company and its warehouses, as the rest asks for them."""

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
    session.info["company"] = company  # a session keeps rows only while somebody else does: asked for in every use case
    return company


def get_warehouse(session: Session, warehouse_id: int | None = None) -> t.Warehouse:
    """Return a warehouse; without an id the works, which is the first. Raises NotFound(no_company) where there is none."""
    known: dict[int | None, t.Warehouse] = session.info.setdefault("warehouses", {})
    if warehouse_id not in known:
        query = sa.select(t.Warehouse).order_by(t.Warehouse.id).limit(1)
        warehouse = session.scalar(query if warehouse_id is None else query.where(t.Warehouse.id == warehouse_id))
        if warehouse is None:
            raise NotFound("no_company")
        known[warehouse_id] = warehouse
    return known[warehouse_id]


def local_today(company: t.Company, now: datetime) -> date:
    """Return today's date where the company is."""
    return now.astimezone(ZoneInfo(company.timezone)).date()
