"""The company, its warehouses and where it delivers, as the rest asks for them: read once for each state of the master data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import Base, kept
from backoffice.erp import models as t
from backoffice.erp import plan
from backoffice.public.errors import NotFound

PREMISES = "premises"


@dataclass(frozen=True, slots=True)
class Premises:
    """What stands still while customers buy. Bare rows, not objects of a session: whoever changes one has to load it.

    warehouses: in the order of their ids, the works first. zones: (country, prefix) → row; transits: (warehouse, country,
    prefix) → days; services: code → row. margins: source (see erp.margins) → open days that promises are given beyond the plan's
    day. tiers: item → (from so many pieces on, price of each), the fewest pieces first.
    """

    company: t.Company
    warehouses: Mapping[int, t.Warehouse]
    zones: Mapping[tuple[str, str], t.ShippingZone]
    transits: Mapping[tuple[int, str, str], int]
    services: Mapping[str, t.ShippingService]
    countries: tuple[str, ...]
    margins: Mapping[str, int]
    tiers: Mapping[int, Sequence[tuple[int, int]]]


def premises(session: Session) -> Premises:
    """Return the company with its places, read again only after the master data changed. Raises NotFound(no_company)."""
    version = plan.master_version(session)
    known: tuple[int, Premises] | None = kept(session).get(PREMISES)
    if known is not None and known[0] == version:
        return known[1]
    found = _read(session)
    if version:  # a company that is just being founded has no version yet
        kept(session)[PREMISES] = (version, found)
    return found


def _read(session: Session) -> Premises:
    session.flush()
    company = _rows(session, t.Company)
    if not company:
        raise NotFound("no_company")
    zones = {(row.country, row.prefix): row for row in _rows(session, t.ShippingZone)}
    tiers: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in session.execute(_TIERS):
        tiers[row.item_id].append((row.from_quantity, row.price_minor))
    return Premises(
        company=cast(t.Company, company[0]),
        warehouses={row.id: cast(t.Warehouse, row) for row in _rows(session, t.Warehouse)},
        zones={key: cast(t.ShippingZone, row) for key, row in zones.items()},
        transits={(row.warehouse_id, row.country, row.prefix): row.transit_days for row in _rows(session, t.WarehouseTransit)},
        services={row.code: cast(t.ShippingService, row) for row in _rows(session, t.ShippingService)},
        countries=tuple(sorted({country for country, _ in zones})),
        margins={source: days for source, days in session.execute(sa.select(t.Margin.source, t.Margin.days))},  # noqa: C416 - rows are no pairs to mypy
        tiers=dict(tiers),
    )


_TIERS = sa.select(t.PriceTier.item_id, t.PriceTier.from_quantity, t.PriceTier.price_minor).order_by(
    t.PriceTier.item_id, t.PriceTier.from_quantity
)


def _rows(session: Session, table: type[Base]) -> list[sa.Row[Any]]:
    return list(session.execute(sa.select(*table.__table__.columns).order_by(table.__table__.c.id)))


def get_company(session: Session) -> t.Company:
    """Return the company, to read. Raises NotFound(no_company) on an empty database."""
    return premises(session).company


def get_warehouse(session: Session, warehouse_id: int | None = None) -> t.Warehouse:
    """Return a warehouse, to read; without an id the works, which is the first. Raises NotFound(no_company)."""
    warehouses = premises(session).warehouses
    found = next(iter(warehouses.values()), None) if warehouse_id is None else warehouses.get(warehouse_id)
    if found is None:
        raise NotFound("no_company")
    return found


def local_today(company: t.Company, now: datetime) -> date:
    """Return today's date where the company is."""
    return now.astimezone(ZoneInfo(company.timezone)).date()
