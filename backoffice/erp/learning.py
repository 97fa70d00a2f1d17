"""Learn from what really came: note it beside what was said first, and now and then learn the margins of promises anew.

The residuals are turned into margins by `planning.residuals`, the code whose worth the backtest measures (docs/backtest.md). The
table `margin` is part of the master data: when a margin moves, its version does, and every offer is computed again.
A parcel is measured by the carrier's own day, without what was kept in reserve: else a margin would learn itself away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import Database
from backoffice.erp import factory as masters
from backoffice.erp import margins, offers, plan
from backoffice.erp import models as t
from backoffice.erp.company import get_warehouse
from backoffice.planning.calendars import Calendar
from backoffice.planning.residuals import REMEMBERED, open_days, quantile

Kind = Literal["receipt", "made", "carrier"]


@dataclass(frozen=True, slots=True)
class Experience:
    """What is known of a source, a supplier or a kind: its newest residuals in open days, below 0: early."""

    source: str
    residuals: Sequence[int]

    @property
    def on_time(self) -> float:
        """Return the share that came by the day first said."""
        return sum(days <= 0 for days in self.residuals) / len(self.residuals)

    def margin(self, level: int) -> int | None:
        """Return the margin that keeps `level` in 100; None: too few are known."""
        return quantile(self.residuals, Fraction(level, 100))


def note_receipt(session: Session, line: t.PurchaseOrderLine, supplier_id: int, *, now: datetime) -> None:
    """Note how late a receipt was, once all of it is here."""
    if line.first_due_at is not None:
        calendar = margins.works_calendar(session, masters.load(session, now=now))
        days = _local(calendar, line.first_due_at), _local(calendar, now)
        _note(session, "receipt", line.id, margins.of_receipt(line.item_id), days, calendar, supplier_id=supplier_id, now=now)


def note_made(session: Session, order: t.ProductionOrder, *, now: datetime) -> None:
    """Note how late a production order was that a promise was given for."""
    if order.first_ready_at is not None:
        calendar = margins.works_calendar(session, masters.load(session, now=now))
        days = _local(calendar, order.first_ready_at), _local(calendar, now)
        _note(session, "made", order.id, order.learns, days, calendar, now=now)


def note_parcel(session: Session, parcel: t.Shipment, on: date, *, now: datetime) -> None:
    """Note how late a carrier was with a parcel that arrived `on`, by its own day as of when it left."""
    first_on = parcel.carrier_on or parcel.expected_on
    if first_on is not None:
        warehouse = get_warehouse(session, parcel.warehouse_id)
        calendar = masters.load(session, now=now).calendars[warehouse.carrier_calendar_id]
        source = margins.of_carrier(parcel.warehouse_id, parcel.carrier)
        _note(session, "carrier", parcel.id, source, (first_on, on), calendar, now=now)


def learn(db: Database, *, now: datetime) -> bool:
    """Learn the margins anew from what came since; tell whether one of them moved, and with it every offer."""
    with db.read() as session:
        level = session.scalar(sa.select(t.Company.service_level))
        if level is None:
            return False
        known = {row.source: row.days for row in session.scalars(sa.select(t.Margin))}
        if known == {source: days for source, (days, _) in _learnt(session, level).items()}:
            return False
    db.run(lambda session: learn_now(session, now=now))
    return True


def learn_now(session: Session, *, now: datetime) -> None:
    """Write down the margins at the company's service level (0: none), as of now. Locks the plan; every offer is touched."""
    plan.bump(session, master=True)
    level = session.scalars(sa.select(t.Company.service_level)).one()
    session.execute(sa.delete(t.Margin))
    rows = [
        {"source": source, "days": days, "level": level, "residuals": count, "learnt_at": now}
        for source, (days, count) in _learnt(session, level).items()
    ]
    if rows:
        session.execute(sa.insert(t.Margin), rows)
    offers.touch_all(session, now=now)


def find_experience(session: Session) -> list[Experience]:
    """Return what is known of every source, every supplier and every kind, in the order of their names."""
    residual = t.Residual
    age = sa.func.row_number().over(partition_by=residual.source, order_by=residual.id.desc()).label("age")
    newest = sa.select(residual.id, residual.kind, residual.source, residual.supplier_id, residual.days, age).subquery()
    seen: dict[str, list[int]] = defaultdict(list)
    for row in session.execute(sa.select(newest).where(newest.c.age <= REMEMBERED).order_by(newest.c.id)):
        wider = (row.kind,) if row.supplier_id is None else (margins.of_supplier(row.supplier_id), row.kind)
        for source in (row.source, *wider):
            seen[source].append(row.days)
    return [Experience(source, tuple(days)) for source, days in sorted(seen.items())]


def _learnt(session: Session, level: int) -> Mapping[str, tuple[int, int]]:
    """Return source → (margin, how many residuals it was learnt from), for each of which enough is known."""
    if level == 0:
        return {}
    found = ((one.source, one.margin(level), len(one.residuals)) for one in find_experience(session))
    return {source: (days, count) for source, days, count in found if days is not None}


def _note(
    session: Session,
    kind: Kind,
    number: int,
    source: str,
    days: tuple[date, date],
    calendar: Calendar,
    *,
    supplier_id: int | None = None,
    now: datetime,
) -> None:
    """Write a residual of the row `number`. days: as said first, and as it came."""
    residual = t.Residual(kind=kind, source=source, supplier_id=supplier_id, ref=f"{kind}:{number}", at=now)
    residual.first_on, residual.came_on = days
    residual.days = open_days(calendar, *days)
    session.add(residual)
    session.flush()


def _local(calendar: Calendar, at: datetime) -> date:
    return at.astimezone(calendar.zone).date()
