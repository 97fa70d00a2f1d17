"""Read models of the planning desk: production orders, receipts, stops, and what is broken today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import OrderLine
from backoffice.desk.listing import PAGE, contains
from backoffice.desk.warehouse_tasks import options_of
from backoffice.erp import standing
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
from backoffice.public.errors import NotFound


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
    supplier_email: str
    item: Item
    late: bool
    orders: Sequence[str]

    @property
    def open(self) -> int:
        """Return what is still to come, in smallest units."""
        return self.line.quantity - self.line.received


@dataclass(frozen=True, slots=True)
class Filling:
    """An operation that uses a work centre. promised_on: the day its customer was promised, where there is one."""

    slot: OperationSlot
    order: ProductionOrder
    item: Item
    order_ref: str
    promised_on: date | None


@dataclass(frozen=True, slots=True)
class Stop:
    """Hours in which a work centre stands still."""

    stop: WorkCentreStop
    work_centre: str
    running: bool


def find_made(
    session: Session, *, now: datetime, query: str = "", page: int = 1, late: bool = False
) -> tuple[Sequence[Made], int]:
    """Return one page of open production orders by the time they are ready, and how many there are.

    Held ones only while their cart's hold lives. query: order, item or customer's order; late: only those past their time.
    """
    wanted = (
        sa.select(ProductionOrder, Item, Reservation.order_ref)
        .join(Item, Item.id == ProductionOrder.item_id)
        .join(Reservation, Reservation.id == ProductionOrder.reservation_id, isouter=True)
        .where(standing.is_open(now), contains(query, ProductionOrder.number, Item.sku, Item.name, Reservation.order_ref))
    )
    if late:
        wanted = wanted.where(ProductionOrder.ready_at < now)
    ordered = wanted.order_by(ProductionOrder.ready_at, ProductionOrder.id)
    rows = session.execute(ordered.limit(PAGE).offset((page - 1) * PAGE)).all()
    operations = _operations(session, [order.id for order, _, _ in rows])
    made = [
        Made(order, item, options_of(item), ref or "", operations.get(order.id, ()), order.ready_at < now)
        for order, item, ref in rows
    ]
    return made, _count(session, wanted.with_only_columns(ProductionOrder.id))


def find_coming(
    session: Session, *, now: datetime, query: str = "", page: int = 1, only: sa.ColumnElement[bool] | None = None
) -> tuple[Sequence[Coming], int]:
    """Return one page of receipts still to come, the late ones first because they are due first, and how many there are.

    query: item, purchase order or supplier; only: a further condition, for example `is_late`.
    """
    wanted = (
        sa.select(PurchaseOrderLine, PurchaseOrder, Supplier.name, Supplier.email, Item)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.purchase_order_id)
        .join(Supplier, Supplier.id == PurchaseOrder.supplier_id)
        .join(Item, Item.id == PurchaseOrderLine.item_id)
        .where(PurchaseOrder.state.in_(("ordered", "proposed")), PurchaseOrderLine.received < PurchaseOrderLine.quantity)
        .where(contains(query, PurchaseOrder.number, Item.sku, Item.name, Supplier.name))
    )
    if only is not None:
        wanted = wanted.where(only)
    ordered = wanted.order_by(PurchaseOrderLine.due_at, PurchaseOrderLine.id)
    rows = session.execute(ordered.limit(PAGE).offset((page - 1) * PAGE)).all()
    waiting = _orders_waiting(session, [line.id for line, *_ in rows])
    coming = [
        Coming(line, order, supplier, email, item, line.due_at < now, waiting.get(line.id, ()))
        for line, order, supplier, email, item in rows
    ]
    return coming, _count(session, wanted.with_only_columns(PurchaseOrderLine.id))


def get_coming(session: Session, line_id: int, *, now: datetime) -> Coming:
    """Return one receipt that is still to come. Raises NotFound(unknown_receipt)."""
    coming, _ = find_coming(session, now=now, only=PurchaseOrderLine.id == line_id)
    if not coming:
        raise NotFound("unknown_receipt")
    return coming[0]


def is_late(now: datetime) -> sa.ColumnElement[bool]:
    """Tell of receipts that were ordered and whose time is over."""
    return sa.and_(PurchaseOrder.state == "ordered", PurchaseOrderLine.due_at < now)


def is_ordered() -> sa.ColumnElement[bool]:
    """Tell of receipts that were ordered: their day can move."""
    return PurchaseOrder.state == "ordered"


def is_proposed() -> sa.ColumnElement[bool]:
    """Tell of receipts that nobody has ordered yet."""
    return PurchaseOrder.state == "proposed"


def find_slots(
    session: Session, centre_id: int, low: datetime, high: datetime, *, now: datetime, page: int = 1
) -> tuple[WorkCentre, Sequence[Filling], int]:
    """Return a work centre, one page of the operations that use it between two instants, and how many there are.

    Raises NotFound(unknown_work_centre).
    """
    centre = session.get(WorkCentre, centre_id)
    if centre is None:
        raise NotFound("unknown_work_centre")
    wanted = (
        sa.select(OperationSlot, ProductionOrder, Item, Reservation.order_ref, OrderLine.promised_on)
        .join(ProductionOrder, ProductionOrder.id == OperationSlot.production_order_id)
        .join(Item, Item.id == ProductionOrder.item_id)
        .join(Reservation, Reservation.id == ProductionOrder.reservation_id, isouter=True)
        .join(OrderLine, OrderLine.reservation_id == sa.func.coalesce(Reservation.split_from_id, Reservation.id), isouter=True)
        .where(OperationSlot.work_centre_id == centre_id, OperationSlot.starts_at < high, OperationSlot.ends_at > low)
        .where(standing.is_open(now))
    )
    ordered = wanted.order_by(OperationSlot.starts_at, OperationSlot.id)
    rows = session.execute(ordered.limit(PAGE).offset((page - 1) * PAGE)).all()
    filling = [Filling(slot, order, item, ref or "", promised_on) for slot, order, item, ref, promised_on in rows]
    return centre, filling, _count(session, wanted.with_only_columns(OperationSlot.id))


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


def _count(session: Session, rows: sa.Select[Any]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0


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
