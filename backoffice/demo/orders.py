"""What is on its way to the demo company: purchase orders, and orders that its workshop makes for stock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.demo.company import TIMEZONE
from backoffice.erp import calendars, rescheduling
from backoffice.erp import models as t
from backoffice.planning.calendars import Calendar

Ids = Mapping[str, int]

# supplier → lines (sku, quantity, open warehouse days from today; −2 = it should have come two days ago)
_PURCHASES = (
    ("EBERTAL", 9, (("BOARD-ASH", 30, -2), ("POST-ASH", 40, -2))),
    ("EBERTAL", 3, (("BOARD-OAK", 40, 4),)),
    ("KELLER", 12, (("BOARD-WALNUT", 16, 8), ("POST-WALNUT", 10, 8))),
    ("KOLB", 2, (("HINGE", 40, 3), ("HOOK-BRASS", 20, 6))),
    ("WIESENTHAL", 6, (("SLATS", 8, 7),)),
    ("PERLBACH", 7, (("GLOCKE-LINEN", 8, 6), ("GLOCKE-MOSS", 6, 6), ("GLOCKE-BRICK", 6, 12))),
    ("PERLBACH", 11, (("MOND-LINEN", 8, 5), ("MOND-MOSS", 6, 7), ("MOND-BRICK", 6, 15))),
)

# made for stock, in this order: (sku, quantity)
_PRODUCTION = (
    ("AMSEL-OAK", 8),
    ("NISCHE-60-WALNUT", 10),
    ("WERRA-120-OAK", 4),
    ("KIESEL-WALNUT", 5),
    ("WERRA-150-OAK", 3),
    ("AMSEL-WALNUT", 6),
    ("WERRA-120-ASH", 3),
    ("WERRA-150-ASH", 2),
)


def write_orders(session: Session, ids: Ids, calendar_ids: Ids, *, today: date, now: datetime) -> None:
    """Write the open purchase and production orders. The plan's version row and the master data must stand."""
    open_days = calendars.load(session, calendar_ids["warehouse"], *calendars.horizon(today))
    _write_purchases(session, ids, open_days, today)
    for number, (sku, quantity) in enumerate(_PRODUCTION, start=1):
        _make_for_stock(session, f"MO-{today:%y}{number:03}", ids[sku], quantity, now)


def _write_purchases(session: Session, ids: Ids, open_days: Calendar, today: date) -> None:
    suppliers = {row.code: row.id for row in session.scalars(sa.select(t.Supplier))}
    parts = {row.id: row.parts_per_unit for row in session.scalars(sa.select(t.Item))}
    for number, (supplier, ordered_ago, lines) in enumerate(_PURCHASES, start=1):
        order = t.PurchaseOrder(
            number=f"PO-{today:%y}{number:03}",
            supplier_id=suppliers[supplier],
            ordered_at=_at(_open_day(open_days, today, -ordered_ago), time(10)),
        )
        session.add(order)
        session.flush()
        session.add_all(
            t.PurchaseOrderLine(
                purchase_order_id=order.id,
                item_id=ids[sku],
                quantity=quantity * parts[ids[sku]],
                due_at=_at(_open_day(open_days, today, days), time(11)),
            )
            for sku, quantity, days in lines
        )
    session.flush()


def _open_day(calendar: Calendar, today: date, count: int) -> date:
    """Return the day that lies `count` open days after today, or before it."""
    day = today
    while count:
        day += timedelta(days=1 if count > 0 else -1)
        if calendar.is_open_day(day):
            count -= 1 if count > 0 else -1
    return day


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, ZoneInfo(TIMEZONE))


def _make_for_stock(session: Session, number: str, item_id: int, quantity: int, now: datetime) -> None:
    """Plan an order whose components are on the bench already: into the earliest free minutes, by the plan's own rule."""
    steps = session.scalars(
        sa.select(t.RoutingOperation).where(t.RoutingOperation.item_id == item_id).order_by(t.RoutingOperation.position)
    ).all()
    start = now - timedelta(minutes=now.minute % 15 - 15, seconds=now.second, microseconds=now.microsecond)
    order = t.ProductionOrder(number=number, item_id=item_id, quantity=quantity, starts_at=start, ready_at=start)
    session.add(order)
    session.flush()
    later = now + timedelta(days=1)  # a place that the search is free to leave
    session.add_all(
        t.OperationSlot(
            production_order_id=order.id,
            work_centre_id=step.work_centre_id,
            position=position,
            lane=0,
            starts_at=later,
            ends_at=later,
        )
        for position, step in enumerate(steps)
    )
    session.flush()
    rescheduling.push(session, order, now=now)
