"""Pegs as rows: give supplies to a reservation, take them back, hand them on. Each guarded by the database.

Totals follow the reservation's state: a hold's stock is *reserved*, a placed order's is *allocated*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from backoffice.db import PlanMoved, table_of, write_rows
from backoffice.erp import allotting, decisions, lots, margins, stock
from backoffice.erp import models as t
from backoffice.erp.company import get_company
from backoffice.erp.snapshot import SupplyKey
from backoffice.planning.outcome import Outcome, Peg
from backoffice.wording import day_in

COMMITTED = ("converted", "shipped")


def total_of(state: str) -> str:
    """Return which stock total carries the pegs of a reservation in this state."""
    return "allocated" if state in COMMITTED else "reserved"


def write(
    session: Session,
    reservation: t.Reservation,
    outcome: Outcome,
    *,
    item: t.Item,
    reuse: Sequence[t.ProductionOrder] = (),
    in_lots: Collection[int] = (),
    arrives_on: date | None = None,
) -> list[t.ProductionOrder]:
    """Write an outcome's production orders, slots and pegs for a reservation; return the orders. The caller flushes.

    item: what is reserved. reuse: its own production orders that were stripped before and may carry the new work under their
    old numbers. in_lots: items kept in lots, of which pegs say when they are used; arrives_on: when that is, of what is reserved.
    Raises PlanMoved when a supply has gone in the meantime: ask the plan again.
    """
    orders = _write_orders(session, reservation, outcome, list(reuse))
    rows = [_peg_row(session, reservation, item, peg, orders) for peg in sorted(outcome.pegs, key=_lock_order)]
    if in_lots:
        _say_when_used(session, rows, in_lots, arrives_on, orders)
    write_rows(session, [row for row in rows if not decisions.is_planned(row)])
    session.add_all(row for row in rows if decisions.is_planned(row))  # the plan's log sees what goes through the session
    return orders


def _say_when_used(
    session: Session,
    rows: Sequence[t.Peg],
    in_lots: Collection[int],
    arrives_on: date | None,
    orders: Sequence[t.ProductionOrder],
) -> None:
    begin = {order.id: day_in(get_company(session).timezone, order.starts_at) for order in orders}
    for row in rows:
        if row.item_id in in_lots:
            row.use_on = begin[row.production_order_id] if row.production_order_id else arrives_on


def _lock_order(peg: Peg) -> tuple[str, int, int]:
    key = cast(SupplyKey, peg.supply) if peg.kind in ("stock", "receipt") else ("", 0)
    # what is kept changes the row of its supply too: those are locked by item
    rows = {"stock": "stock", "receipt": "po"}[peg.kind] if key[0] in ("kept", "lot") else key[0]
    return (str(rows), int(cast(int, peg.item)), int(key[1]))


def _write_orders(
    session: Session, reservation: t.Reservation, outcome: Outcome, reuse: list[t.ProductionOrder]
) -> list[t.ProductionOrder]:
    orders: list[t.ProductionOrder] = []
    state = "planned" if reservation.state in COMMITTED else "held"
    for make in outcome.makes:
        order = next((old for old in reuse if old.item_id == make.item), None)
        if order is None:
            order = t.ProductionOrder(number=f"new-{reservation.id}-{len(orders)}", item_id=cast(int, make.item))
            session.add(order)
        else:
            reuse.remove(order)
        order.quantity, order.pegged, order.state = int(make.quantity), 0, state
        order.reservation_id = reservation.id
        order.starts_at, order.ready_at = make.starts_at, make.ready_at
        if make.demand is None and not order.learns:
            order.learns, order.first_ready_at = margins.of_made(outcome), make.ready_at
        if order.id is None:
            session.flush()
            order.number = f"MO-{order.id:05d}"
        for slot in make.slots:
            session.add(
                t.OperationSlot(
                    production_order_id=order.id,
                    work_centre_id=cast(int, slot.work_centre),
                    position=slot.position,
                    lane=slot.lane,
                    starts_at=slot.starts_at,
                    ends_at=slot.ends_at,
                )
            )
        orders.append(order)
    return orders


def _peg_row(session: Session, reservation: t.Reservation, item: t.Item, peg: Peg, orders: list[t.ProductionOrder]) -> t.Peg:
    quantity = int(peg.quantity)
    row = t.Peg(
        reservation_id=reservation.id,
        production_order_id=None if peg.demand is None else orders[peg.demand].id,
        item_id=cast(int, peg.item),
        quantity=quantity,
        kind=peg.kind,
        available_at=peg.available_at,
    )
    if peg.kind == "make":
        order = orders[cast(int, peg.supply)]
        row.supply_order_id = order.id
        order.pegged += quantity  # a row that this transaction has just written: nobody else can see it
    elif peg.kind == "stock":
        _take_stock(session, reservation, item, row, cast(SupplyKey, peg.supply))
    elif peg.kind == "receipt":
        _take_receipt(session, reservation, row, cast(SupplyKey, peg.supply))
    else:
        row.supplier_id = cast(int, peg.supply)
    return row


def _take_stock(session: Session, reservation: t.Reservation, item: t.Item, row: t.Peg, supply: SupplyKey) -> None:
    kind, supply_id = supply
    if kind == "kept":
        _take_kept(session, reservation, row, supply_id)
        return
    if kind == "lot":
        lot = session.get_one(t.StockLot, supply_id)
        row.lot_id, supply_id = lot.id, lot.warehouse_id
    row.warehouse_id = supply_id
    keep = item.safety_stock if row.item_id == item.id else 0
    take = stock.allocate if reservation.state in COMMITTED else stock.reserve
    if not take(session, row.item_id, supply_id, row.quantity, keep=keep):
        raise PlanMoved(f"stock of item {row.item_id}")
    if row.lot_id is not None and not lots.change(session, row.lot_id, pegged=row.quantity):
        raise PlanMoved(f"lot {row.lot_id}")


def _take_kept(session: Session, reservation: t.Reservation, row: t.Peg, allotment_id: int) -> None:
    whose, total = reservation.customer_class, total_of(reservation.state)
    kept = allotting.take(session, allotment_id, row.quantity, customer_class=whose, total=total)
    if kept is None:
        raise PlanMoved(f"allotment {allotment_id}")
    row.allotment_id = kept.id
    row.warehouse_id, row.purchase_order_line_id = kept.warehouse_id, kept.purchase_order_line_id


def _take_receipt(session: Session, reservation: t.Reservation, row: t.Peg, supply: SupplyKey) -> None:
    kind, supply_id = supply
    if kind == "kept":
        _take_kept(session, reservation, row, supply_id)
        return
    if kind == "po":
        row.purchase_order_line_id = supply_id
        taken = change_receipt(session, supply_id, row.quantity)
    else:
        row.kind, row.supply_order_id = "make", supply_id
        taken = change_production(session, supply_id, row.quantity)
    if not taken:
        raise PlanMoved(f"{kind} {supply_id}")


def change_receipt(session: Session, line_id: int, delta: int) -> bool:
    """Add `delta` to what is pegged of a purchase order line; tell whether the line covers it."""
    line = t.PurchaseOrderLine
    free = line.quantity - line.received - line.pegged - line.allotted
    return _changed(  # how much of it is pegged, the pegs themselves say
        session,
        sa.update(line)
        .where(line.id == line_id, line.pegged + delta >= 0, free >= delta if delta > 0 else sa.true())
        .values(pegged=line.pegged + delta),
    )


def change_production(session: Session, order_id: int, delta: int) -> bool:
    """Add `delta` to what is pegged of a production order; tell whether it covers it."""
    order = t.ProductionOrder
    return _changed(
        session,
        sa.update(order)
        .where(order.id == order_id, order.pegged + delta <= order.quantity, order.pegged + delta >= 0)
        .values(pegged=order.pegged + delta),
    )


def _changed(session: Session, statement: sa.Update) -> bool:
    result = session.execute(statement.execution_options(synchronize_session="fetch", **decisions.NOTED))
    return cast("CursorResult[Any]", result).rowcount == 1


def lock(session: Session, *conditions: sa.ColumnElement[bool]) -> None:
    """Lock the reservations whose pegs match, in order: until we are done nobody converts, ships or releases one of them.

    Read pegs and states after this, never before: who had the lock until now may have changed them.
    """
    ids = sa.select(t.Peg.reservation_id).where(*conditions)
    session.execute(sa.select(t.Reservation.id).where(t.Reservation.id.in_(ids)).order_by(t.Reservation.id).with_for_update())


_UNUSED = (
    sa.select(t.Peg)
    .where(t.Peg.reservation_id == sa.bindparam("reservation_id"), t.Peg.used.is_(False))
    .order_by(t.Peg.kind, t.Peg.item_id, t.Peg.id)
    .execution_options(populate_existing=True)
)


def pegs_of(session: Session, reservation_id: int) -> list[t.Peg]:
    """Return the pegs of a reservation that are not used up yet, in locking order."""
    return list(session.scalars(_UNUSED, {"reservation_id": reservation_id}))


def strip(session: Session, reservation: t.Reservation, *, state: str) -> list[t.ProductionOrder]:
    """Take every unused supply from a reservation (whose totals stand as for `state`); return its open production orders.

    They are cancelled, so that nobody takes what they no longer make for a supply; `write` may put them to use again.
    """
    return strip_all(session, {reservation.id: state})[reservation.id][1]


def strip_all(session: Session, states: Mapping[int, str]) -> dict[int, tuple[list[t.Peg], list[t.ProductionOrder]]]:
    """Strip reservations as `strip` does, all in one go; return for each the pegs that it had and its production orders.

    states: reservation → the state that its totals stand as. The pegs are rows no more: they are only to look at.
    """
    found: dict[int, tuple[list[t.Peg], list[t.ProductionOrder]]] = {one: ([], []) for one in states}
    mine = t.Peg.reservation_id.in_(sorted(states)), t.Peg.used.is_(False)
    pegs = session.scalars(
        sa.select(t.Peg).where(*mine).order_by(t.Peg.kind, t.Peg.item_id, t.Peg.id).execution_options(populate_existing=True)
    ).all()
    orders = session.scalars(
        sa.select(t.ProductionOrder)
        .where(t.ProductionOrder.reservation_id.in_(sorted(states)), t.ProductionOrder.state.in_(["held", "planned"]))
        .order_by(t.ProductionOrder.id)
        .execution_options(populate_existing=True)
    ).all()
    for order in orders:
        found[order.reservation_id or 0][1].append(order)
    given = Counter[_Supplied]()
    for peg in pegs:
        found[peg.reservation_id][0].append(peg)
        given[_supply_of(peg, states[peg.reservation_id])] += peg.quantity
    own = {order.id: given.pop(("make", order.item_id, order.id, "", 0, 0), 0) for order in orders}
    for supply, quantity in sorted(given.items()):
        _return(session, supply, quantity)
    _cancel(session, orders, own)
    session.execute(sa.delete(t.Peg).where(*mine).execution_options(synchronize_session=False, **decisions.NOTED))
    for peg in pegs:
        decisions.note(session, peg, gone=True)
        session.expunge(peg)
    return found


def _cancel(session: Session, orders: Sequence[t.ProductionOrder], given: Mapping[int, int]) -> None:
    """Cancel production orders and their slots. given: order → what is not pegged of it any more."""
    if not orders:
        return
    slots = sa.delete(t.OperationSlot).where(t.OperationSlot.production_order_id.in_(sorted(given)))
    session.execute(slots.execution_options(synchronize_session="fetch", **decisions.NOTED))  # with their orders, below
    table = table_of(t.ProductionOrder)
    cancel = sa.update(table).where(table.c.id == sa.bindparam("cancelled_id"))
    session.connection().execute(
        cancel.values(state="cancelled", pegged=table.c.pegged - sa.bindparam("given")),
        [{"cancelled_id": order_id, "given": quantity} for order_id, quantity in sorted(given.items())],
    )
    for order in orders:
        set_committed_value(order, "state", "cancelled")
        set_committed_value(order, "pegged", order.pegged - given[order.id])
        decisions.note(session, order)


def give_back(session: Session, peg: t.Peg, *, state: str) -> None:
    """Return one peg's quantity to its supply."""
    _return(session, _supply_of(peg, state), peg.quantity)


_Supplied = tuple[str, int, int, str, int, int]  # kind, item, row, of stock the total that carries it, allotment, lot


def _supply_of(peg: t.Peg, state: str) -> _Supplied:
    """Return what a peg stands on, in the order of locking."""
    number = peg.warehouse_id or peg.purchase_order_line_id or peg.supply_order_id or 0
    total = total_of(state) if peg.kind == "stock" else ""
    return peg.kind, peg.item_id, number, total, peg.allotment_id or 0, peg.lot_id or 0


def _return(session: Session, supply: _Supplied, quantity: int) -> None:
    kind, item_id, number, total, allotment_id, lot_id = supply
    kept = quantity if allotment_id and allotting.give_back(session, allotment_id, quantity) else 0
    if kind == "stock":
        stock.change(session, item_id, number, **{total: -quantity}, **({"allotted": kept} if kept else {}))
        if lot_id:
            lots.change(session, lot_id, pegged=-quantity)
    elif kind == "receipt":
        if kept:
            allotting.change_line(session, number, kept)
        change_receipt(session, number, -quantity)
    elif kind == "make":
        change_production(session, number, -quantity)


def to_stock(
    session: Session, peg: t.Peg, warehouse_id: int, quantity: int, *, lot_id: int | None = None, now: datetime
) -> t.Peg:
    """Say that `quantity` of a peg now lies in the warehouse; what is still to come stays a peg of its own.

    The stock totals are the caller's: they change with the movement that brought the goods.
    """
    if quantity < peg.quantity:
        rest = t.Peg(
            reservation_id=peg.reservation_id,
            production_order_id=peg.production_order_id,
            item_id=peg.item_id,
            quantity=peg.quantity - quantity,
            kind=peg.kind,
            purchase_order_line_id=peg.purchase_order_line_id,
            supply_order_id=peg.supply_order_id,
            allotment_id=peg.allotment_id,
            available_at=peg.available_at,
            use_on=peg.use_on,
        )
        session.add(rest)
        peg.quantity = quantity
    peg.kind, peg.warehouse_id, peg.lot_id, peg.available_at = "stock", warehouse_id, lot_id, now
    peg.purchase_order_line_id = peg.supply_order_id = peg.allotment_id = None
    session.flush()
    return peg
