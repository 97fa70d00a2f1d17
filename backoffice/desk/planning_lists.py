"""Read models of the planning desk: production orders, receipts, stops, and what is broken today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import Order, OrderLine
from backoffice.desk.warehouse_tasks import options_of
from backoffice.erp.models import (
    Item,
    OperationSlot,
    Peg,
    ProductionOrder,
    PurchaseOrder,
    PurchaseOrderLine,
    Reservation,
    Supplier,
    WorkCentre,
    WorkCentreStop,
)

MOST = 300


@dataclass(frozen=True, slots=True)
class Operation:
    """Minutes of a work centre within a production order."""

    work_centre: str
    slot: OperationSlot


@dataclass(frozen=True, slots=True)
class Made:
    """A production order that is not done. order_ref: whose it is; empty = for stock or a cart that still holds it."""

    order: ProductionOrder
    item: Item
    options: str
    order_ref: str
    operations: Sequence[Operation]
    late: bool


@dataclass(frozen=True, slots=True)
class Coming:
    """A purchase order line that is not all here. orders: the customers' orders that wait for it."""

    line: PurchaseOrderLine
    order: PurchaseOrder
    supplier: str
    item: Item
    late: bool
    orders: Sequence[str]

    @property
    def open(self) -> int:
        """Return what is still to come, in smallest units."""
        return self.line.quantity - self.line.received


@dataclass(frozen=True, slots=True)
class Slipped:
    """An order line whose expected day is later than its promised one."""

    number: str
    line: OrderLine


@dataclass(frozen=True, slots=True)
class Stop:
    """Hours in which a work centre stands still."""

    stop: WorkCentreStop
    work_centre: str
    running: bool


def find_made(session: Session, *, now: datetime) -> Sequence[Made]:
    """Return open production orders by the time they are ready; held ones only while their cart's hold lives."""
    alive = sa.or_(
        ProductionOrder.state == "planned",
        sa.and_(
            ProductionOrder.state == "held",
            sa.or_(Reservation.state == "paying", sa.and_(Reservation.state == "held", Reservation.expires_at > now)),
        ),
    )
    rows = session.execute(
        sa.select(ProductionOrder, Item, Reservation.order_ref)
        .join(Item, Item.id == ProductionOrder.item_id)
        .join(Reservation, Reservation.id == ProductionOrder.reservation_id, isouter=True)
        .where(alive)
        .order_by(ProductionOrder.ready_at, ProductionOrder.id)
        .limit(MOST)
    ).all()
    operations = _operations(session, [order.id for order, _, _ in rows])
    return [
        Made(order, item, options_of(item), ref or "", operations.get(order.id, ()), order.ready_at < now)
        for order, item, ref in rows
    ]


def find_coming(session: Session, *, now: datetime, line_id: int | None = None) -> Sequence[Coming]:
    """Return receipts still to come, the late ones first because they are due first."""
    query = (
        sa.select(PurchaseOrderLine, PurchaseOrder, Supplier.name, Item)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.purchase_order_id)
        .join(Supplier, Supplier.id == PurchaseOrder.supplier_id)
        .join(Item, Item.id == PurchaseOrderLine.item_id)
        .where(PurchaseOrder.state.in_(("ordered", "proposed")), PurchaseOrderLine.received < PurchaseOrderLine.quantity)
        .order_by(PurchaseOrderLine.due_at, PurchaseOrderLine.id)
        .limit(MOST)
    )
    if line_id is not None:
        query = query.where(PurchaseOrderLine.id == line_id)
    rows = session.execute(query).all()
    waiting = _orders_waiting(session, [line.id for line, *_ in rows])
    return [
        Coming(line, order, supplier, item, line.due_at < now, waiting.get(line.id, ())) for line, order, supplier, item in rows
    ]


def find_slipped(session: Session) -> Sequence[Slipped]:
    """Return lines of orders not yet shipped that will come later than was promised, the worst first."""
    rows = session.execute(
        sa.select(Order.number, OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.state.in_(("placed", "confirmed", "picking")), OrderLine.expected_on > OrderLine.promised_on)
        .order_by(OrderLine.promised_on, OrderLine.id)
        .limit(MOST)
    ).all()
    return [Slipped(number, line) for number, line in rows]


def find_stops(session: Session, *, now: datetime) -> Sequence[Stop]:
    """Return stops that are not over, by their start."""
    rows = session.execute(
        sa.select(WorkCentreStop, WorkCentre.name)
        .join(WorkCentre, WorkCentre.id == WorkCentreStop.work_centre_id)
        .where(WorkCentreStop.ends_at > now)
        .order_by(WorkCentreStop.starts_at, WorkCentreStop.id)
    ).all()
    return [Stop(stop, name, stop.starts_at <= now) for stop, name in rows]


def find_work_centres(session: Session) -> Sequence[WorkCentre]:
    """Return every work centre by name."""
    return session.execute(sa.select(WorkCentre).order_by(WorkCentre.name, WorkCentre.id)).scalars().all()


def _operations(session: Session, order_ids: Sequence[int]) -> Mapping[int, Sequence[Operation]]:
    rows = session.execute(
        sa.select(OperationSlot, WorkCentre.name)
        .join(WorkCentre, WorkCentre.id == OperationSlot.work_centre_id)
        .where(OperationSlot.production_order_id.in_(order_ids))
        .order_by(OperationSlot.production_order_id, OperationSlot.starts_at, OperationSlot.position)
    ).all()
    found: dict[int, list[Operation]] = defaultdict(list)
    for slot, name in rows:
        found[slot.production_order_id].append(Operation(name, slot))
    return found


def _orders_waiting(session: Session, line_ids: Sequence[int]) -> Mapping[int, Sequence[str]]:
    rows = session.execute(
        sa.select(Peg.purchase_order_line_id, Reservation.order_ref)
        .join(Reservation, Reservation.id == Peg.reservation_id)
        .where(Peg.purchase_order_line_id.in_(line_ids), Peg.used.is_(False), Reservation.order_ref.is_not(None))
        .distinct()
        .order_by(Reservation.order_ref)
    ).all()
    found: dict[int, list[str]] = defaultdict(list)
    for line_id, ref in rows:
        if line_id is not None and ref:
            found[line_id].append(ref)
    return found
