"""What is free right now, read for just the items that a question can touch, as a plan for the planning core.

Whose minutes and goods count: placed orders always; holds only while they live; the asker's own holds never, so that a
buyer does not compete with themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.planning.model import Booking, Factory, Supply
from backoffice.planning.plan import Plan, SellFrom

# what a supply is called in the plan: ("stock", warehouse) | ("po", purchase order line) | ("mo", production order)
SupplyKey = tuple[Literal["stock", "po", "mo"], int]


def ignored(now: datetime, own: str | None, without: Iterable[int] = ()) -> sa.ColumnElement[bool]:
    """Return the condition for reservations that do not count for this asker: expired holds, their own, and `without`."""
    conditions = [sa.and_(t.Reservation.state == "held", t.Reservation.expires_at <= now)]
    if own is not None:
        conditions.append(sa.and_(t.Reservation.owner_ref == own, t.Reservation.state.in_(["held", "paying"])))
    if ids := sorted(without):
        conditions.append(t.Reservation.id.in_(ids))
    return sa.or_(*conditions)


def load(
    session: Session,
    item_ids: Iterable[int],
    *,
    now: datetime,
    own: str | None = None,
    sell_from: SellFrom = "production",
    reclaimed: bool = False,
) -> Plan:
    """Return the plan as it stands at the works for questions about `item_ids`.

    reclaimed: the asker has just released every expired hold on them, and has none of their own.

    sell_from: what may answer them, so that no more is read: stock; incoming = stock and receipts; production = also all
    their components and the work centres.
    """
    master = masters.load(session, now=now)
    made = sell_from == "production"
    items = sorted(master.below(item_ids) if made else set(item_ids))
    back = Counter[tuple[str, int, int]]() if reclaimed else _given_back(session, items, now=now, own=own)
    supplies = list(_stock(session, items, back, now, _WORKS))
    if sell_from != "stock":
        supplies += [*_receipts(session, items, back), *_making(session, items, back)]
    centres = _centres(master.factory, items) if made else set()
    return Plan(master.factory, now, supplies, _bookings(session, centres, now=now, own=own) if centres else ())


def load_shelf(session: Session, item_ids: Iterable[int], warehouse_id: int, *, now: datetime, own: str | None = None) -> Plan:
    """Return a plan of nothing but what stands ready of `item_ids` in one warehouse."""
    items = sorted(set(item_ids))
    back = _given_back(session, items, now=now, own=own)
    return Plan(masters.load(session, now=now).factory, now, list(_stock(session, items, back, now, warehouse_id)), ())


def free_without(session: Session, item_ids: Iterable[int], reservation_ids: Iterable[int], *, now: datetime) -> list[Supply]:
    """Return what would be free of exactly these items, in every warehouse, if these reservations had nothing any more."""
    items, without = sorted(set(item_ids)), sorted(set(reservation_ids))
    back = _given_back(session, items, now=now, own=None, without=without)
    stock = _stock(session, items, back, now, None)
    return [*stock, *_receipts(session, items, back), *_making(session, items, back, without)]


def _given_back(
    session: Session, items: list[int], *, now: datetime, own: str | None, without: Iterable[int] = ()
) -> Counter[tuple[str, int, int]]:
    """Return (kind, supply, item) → quantity pegged by reservations that do not count."""
    pegs = session.execute(
        sa.select(
            t.Peg.kind,
            t.Peg.warehouse_id,
            t.Peg.purchase_order_line_id,
            t.Peg.supply_order_id,
            t.Peg.item_id,
            t.Peg.quantity,
        )
        .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
        .where(ignored(now, own, without), t.Peg.item_id.in_(items), t.Peg.used.is_(False))
    )
    back: Counter[tuple[str, int, int]] = Counter()
    for kind, warehouse_id, line_id, order_id, item_id, quantity in pegs:
        if kind != "buy":
            back[kind, warehouse_id or line_id or order_id or 0, item_id] += quantity
    return back


_WORKS = sa.select(sa.func.min(t.Warehouse.id)).scalar_subquery()


def _stock(
    session: Session,
    items: list[int],
    back: Counter[tuple[str, int, int]],
    now: datetime,
    warehouse: int | sa.ScalarSelect[int | None] | None,
) -> Iterable[Supply]:
    """Yield what is free of each item in a warehouse (None: in each)."""
    free_of = t.Stock.on_hand - t.Stock.allocated - t.Stock.reserved
    rows = session.execute(
        sa.select(t.Stock.warehouse_id, t.Stock.item_id, free_of).where(
            t.Stock.item_id.in_(items), sa.true() if warehouse is None else t.Stock.warehouse_id == warehouse
        )
    )
    for warehouse_id, item_id, free in rows:
        quantity = free + back["stock", warehouse_id, item_id]
        if quantity > 0:
            yield Supply(("stock", warehouse_id), item_id, quantity, now, "stock")


def _receipts(session: Session, items: list[int], back: Counter[tuple[str, int, int]]) -> Iterable[Supply]:
    line = t.PurchaseOrderLine
    rows = session.execute(
        sa.select(line.id, line.item_id, line.quantity - line.received - line.pegged, line.due_at)
        .join(t.PurchaseOrder, t.PurchaseOrder.id == line.purchase_order_id)
        .where(line.item_id.in_(items), t.PurchaseOrder.state == "ordered")
    )
    for line_id, item_id, free, due_at in rows:
        quantity = free + back["receipt", line_id, item_id]
        if quantity > 0:
            yield Supply(("po", line_id), item_id, quantity, due_at, "receipt")


def _making(
    session: Session, items: list[int], back: Counter[tuple[str, int, int]], without: Iterable[int] = ()
) -> Iterable[Supply]:
    """Yield what production orders make beyond what is promised of it; not those made for `without`."""
    order = t.ProductionOrder
    kept = sa.or_(order.reservation_id.is_(None), order.reservation_id.not_in(sorted(without)))
    rows = session.execute(
        sa.select(order.id, order.item_id, order.quantity - order.pegged, order.ready_at).where(
            order.item_id.in_(items), order.state == "planned", kept
        )
    )
    for order_id, item_id, free, ready_at in rows:
        quantity = free + back["make", order_id, item_id]
        if quantity > 0:
            yield Supply(("mo", order_id), item_id, quantity, ready_at, "receipt")


def _centres(factory: Factory, items: Iterable[int]) -> set[int]:
    """Return the work centres that making these items can ask for minutes of."""
    operations = (operation for item in items for operation in factory.routings.get(item, ()))
    return {int(str(centre)) for operation in operations for centre in (operation.work_centre, *operation.alternates)}


def _bookings(session: Session, centres: set[int], *, now: datetime, own: str | None) -> Iterable[Booking]:
    slot, order = t.OperationSlot, t.ProductionOrder
    rows = session.execute(
        sa.select(slot.work_centre_id, slot.lane, slot.starts_at, slot.ends_at)
        .join(order, order.id == slot.production_order_id)
        .outerjoin(t.Reservation, t.Reservation.id == order.reservation_id)
        .where(
            slot.work_centre_id.in_(sorted(centres)),
            slot.ends_at > now,
            order.state.in_(["held", "planned"]),
            sa.or_(order.reservation_id.is_(None), sa.not_(ignored(now, own))),
        )
    )
    for work_centre_id, lane, starts_at, ends_at in rows:
        if starts_at < ends_at:
            yield Booking(work_centre_id, lane, starts_at, ends_at)
