"""Goods: totals and the ledger, pegs and what they stand on, minutes of a work centre, parcels."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from backoffice.erp import models as t
from backoffice.verify.rule import Query, Rule

OPEN = ("held", "planned")
LIVE = ("held", "paying", "converted")


def _none(value: sa.ColumnElement[Any]) -> sa.Function[int]:
    return sa.func.coalesce(value, 0)


def _ledger() -> Query:
    moved = (
        sa.select(t.StockMovement.item_id, t.StockMovement.warehouse_id, sa.func.sum(t.StockMovement.delta).label("moved"))
        .group_by(t.StockMovement.item_id, t.StockMovement.warehouse_id)
        .subquery()
    )
    same = sa.and_(moved.c.item_id == t.Stock.item_id, moved.c.warehouse_id == t.Stock.warehouse_id)
    return (
        sa.select(t.Stock.item_id, t.Stock.warehouse_id, t.Stock.on_hand, _none(moved.c.moved).label("moved"))
        .outerjoin(moved, same)
        .where(t.Stock.on_hand != _none(moved.c.moved))
        .order_by(t.Stock.item_id, t.Stock.warehouse_id)
    )


def _lot_ledger() -> Query:
    """Return the lots of which other quantities lie there, or are promised, than movements and pegs say."""
    moved = (
        sa.select(t.StockMovement.lot_id, sa.func.sum(t.StockMovement.delta).label("moved"))
        .group_by(t.StockMovement.lot_id)
        .subquery()
    )
    pegged = (
        sa.select(t.Peg.lot_id, sa.func.sum(t.Peg.quantity).label("pegs"))
        .where(t.Peg.used.is_(False))
        .group_by(t.Peg.lot_id)
        .subquery()
    )
    of, lying, promised = t.StockLot, _none(moved.c.moved), _none(pegged.c.pegs)
    return (
        sa.select(of.id, of.number, of.on_hand, lying.label("moved"), of.pegged, promised.label("pegs"))
        .outerjoin(moved, moved.c.lot_id == of.id)
        .outerjoin(pegged, pegged.c.lot_id == of.id)
        .where(sa.or_(of.on_hand != lying, of.pegged != promised))
        .order_by(of.id)
    )


def _lots_of_stock() -> Query:
    """Return the stock of items kept in lots that its lots do not add up to."""
    of = t.StockLot
    lying = (
        sa.select(of.item_id, of.warehouse_id, sa.func.sum(of.on_hand).label("lots"))
        .group_by(of.item_id, of.warehouse_id)
        .subquery()
    )
    found = _none(lying.c.lots)
    return (
        sa.select(t.Stock.item_id, t.Stock.warehouse_id, t.Stock.on_hand, found.label("lots"))
        .join(t.Item, t.Item.id == t.Stock.item_id)
        .outerjoin(lying, sa.and_(lying.c.item_id == t.Stock.item_id, lying.c.warehouse_id == t.Stock.warehouse_id))
        .where(t.Item.days_left.is_not(None), t.Stock.on_hand != found)
        .order_by(t.Stock.item_id, t.Stock.warehouse_id)
    )


def _pegs_without_lot() -> Query:
    """Return the pegs that stand on stock kept in lots and name no lot of it, or another's."""
    of = t.StockLot
    other = sa.or_(of.id.is_(None), of.item_id != t.Peg.item_id, of.warehouse_id != t.Peg.warehouse_id)
    return (
        sa.select(t.Peg.id, t.Peg.item_id, t.Peg.quantity)
        .join(t.Item, t.Item.id == t.Peg.item_id)
        .outerjoin(of, of.id == t.Peg.lot_id)
        .where(t.Item.days_left.is_not(None), t.Peg.kind == "stock", t.Peg.used.is_(False), other)
        .order_by(t.Peg.id)
    )


def _lost_movements() -> Query:
    kept = sa.exists().where(t.Stock.item_id == t.StockMovement.item_id, t.Stock.warehouse_id == t.StockMovement.warehouse_id)
    return (
        sa.select(t.StockMovement.item_id, t.StockMovement.warehouse_id, sa.func.count().label("movements"))
        .where(~kept)
        .group_by(t.StockMovement.item_id, t.StockMovement.warehouse_id)
        .order_by(t.StockMovement.item_id, t.StockMovement.warehouse_id)
    )


def _totals() -> Query:
    def of(*states: str) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((t.Reservation.state.in_(states), t.Peg.quantity), else_=0))

    pegged = (
        sa.select(
            t.Peg.item_id,
            t.Peg.warehouse_id,
            of("held", "paying").label("held"),
            of("converted").label("ordered"),
        )
        .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
        .where(t.Peg.kind == "stock", t.Peg.used.is_(False), t.Reservation.state.in_(LIVE))
        .group_by(t.Peg.item_id, t.Peg.warehouse_id)
        .subquery()
    )
    same = sa.and_(pegged.c.item_id == t.Stock.item_id, pegged.c.warehouse_id == t.Stock.warehouse_id)
    held, ordered = _none(pegged.c.held), _none(pegged.c.ordered)
    return (
        sa.select(
            t.Stock.item_id,
            t.Stock.warehouse_id,
            t.Stock.reserved,
            held.label("held"),
            t.Stock.allocated,
            ordered.label("ordered"),
        )
        .outerjoin(pegged, same)
        .where(sa.or_(t.Stock.reserved != held, t.Stock.allocated != ordered))
        .order_by(t.Stock.item_id, t.Stock.warehouse_id)
    )


def _reservations() -> Query:
    """Return the live ones whose pegs do not add up; one that nobody has a day for stands on none, and says so."""
    pegged = (
        sa.select(t.Peg.reservation_id, sa.func.sum(t.Peg.quantity).label("pegged"))
        .where(t.Peg.production_order_id.is_(None))
        .group_by(t.Peg.reservation_id)
        .subquery()
    )
    found = _none(pegged.c.pegged)
    without_a_day = sa.and_(pegged.c.pegged.is_(None), sa.cast(t.Reservation.chain, sa.Text) == "[]")
    return (
        sa.select(t.Reservation.id, t.Reservation.state, t.Reservation.quantity, found.label("pegged"))
        .outerjoin(pegged, pegged.c.reservation_id == t.Reservation.id)
        .where(t.Reservation.state.in_(LIVE), t.Reservation.quantity != found, ~without_a_day, ~t.Reservation.kit)
        .order_by(t.Reservation.id)
    )


def _kits() -> Query:
    """Return the kits whose parts are not where they are."""
    kit, part = t.Reservation, aliased(t.Reservation)
    own = part.split_from_id == kit.id
    with_it = sa.exists().where(own, part.state == kit.state)
    astray = sa.exists().where(own, kit.state.in_(("held", "paying")), part.state != kit.state)
    return sa.select(kit.id, kit.state).where(kit.kit, sa.or_(kit.state.in_(LIVE) & ~with_it, astray)).order_by(kit.id)


def _leftovers() -> Query:
    return (
        sa.select(t.Peg.id, t.Peg.reservation_id, t.Peg.kind, t.Peg.quantity)
        .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
        .where(t.Reservation.state == "released", t.Peg.used.is_(False))
        .order_by(t.Peg.id)
    )


def _supply(supply: type[Any], peg_of: sa.SQLColumnExpression[int | None], *open_ones: sa.ColumnElement[bool]) -> Query:
    pegged = sa.select(peg_of.label("of"), sa.func.sum(t.Peg.quantity).label("pegged")).group_by(peg_of).subquery()
    found = _none(pegged.c.pegged)
    return (
        sa.select(supply.id, supply.item_id, supply.pegged, found.label("pegs"))
        .outerjoin(pegged, pegged.c.of == supply.id)
        .where(supply.pegged != found, *open_ones)
        .order_by(supply.id)
    )


def _allotted(supply: type[Any], of: sa.SQLColumnExpression[int | None], *same: sa.ColumnElement[bool]) -> Query:
    """Return the supplies that keep another quantity for classes of customers than their allotments have left."""
    left = sa.select(sa.func.sum(t.Allotment.quantity - t.Allotment.taken)).where(
        t.Allotment.released_at.is_(None), of.is_not(None), *same
    )
    found = _none(left.correlate(supply).scalar_subquery())
    return (
        sa.select(supply.id, supply.item_id, supply.allotted, found.label("left"))
        .where(supply.allotted != found)
        .order_by(supply.id)
    )


def _overlaps() -> Query:
    """Return each slot that begins in its lane before an earlier one has ended."""
    slot, lane = t.OperationSlot, (t.OperationSlot.work_centre_id, t.OperationSlot.lane)
    in_order = sa.over(
        sa.func.max(slot.ends_at), partition_by=lane, order_by=(slot.starts_at, slot.ends_at, slot.id), rows=(None, -1)
    )
    busy = (
        sa.select(slot.id, slot.work_centre_id, slot.lane, slot.starts_at, in_order.label("busy_until"))
        .join(t.ProductionOrder, t.ProductionOrder.id == slot.production_order_id)
        .where(t.ProductionOrder.state.in_(OPEN), slot.starts_at < slot.ends_at)
        .subquery()
    )
    return (
        sa.select(busy.c.id, busy.c.work_centre_id, busy.c.lane).where(busy.c.starts_at < busy.c.busy_until).order_by(busy.c.id)
    )


def _precedence() -> Query:
    """Return each operation that begins before the one before it in its order has ended."""
    slot = t.OperationSlot
    before = sa.over(
        sa.func.max(slot.ends_at), partition_by=slot.production_order_id, order_by=(slot.position, slot.id), rows=(None, -1)
    )
    steps = (
        sa.select(slot.id, slot.production_order_id, slot.position, slot.starts_at, before.label("ended_at"))
        .join(t.ProductionOrder, t.ProductionOrder.id == slot.production_order_id)
        .where(t.ProductionOrder.state.in_(OPEN))
        .subquery()
    )
    return (
        sa.select(steps.c.id, steps.c.production_order_id, steps.c.position)
        .where(steps.c.starts_at < steps.c.ended_at)
        .order_by(steps.c.id)
    )


def _offers() -> Query:
    """Return what is shown as buyable from stock and current, though no warehouse could give one piece of it."""
    free = sa.exists().where(
        t.Stock.item_id == t.Item.id, t.Stock.on_hand - t.Stock.allocated - t.Item.safety_stock >= 1
    )  # holds may have run out since, so they do not count here
    return (
        sa.select(t.Item.id, t.Item.sku)
        .join(t.Offer, t.Offer.item_id == t.Item.id)
        .where(t.Item.sell_from == "stock", t.Offer.listed, t.Offer.valid_until > sa.bindparam("now"), ~free.correlate(t.Item))
        .order_by(t.Item.id)
    )


def _shipped() -> Query:
    """Return each item and warehouse of which other quantities left the shelf than parcels took."""
    parcels = (
        sa.select(t.Peg.item_id, t.Peg.warehouse_id, sa.func.sum(t.Peg.quantity).label("taken"))
        .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
        .where(t.Reservation.state == "shipped", t.Peg.used.is_(True), t.Peg.kind == "stock", t.Peg.production_order_id.is_(None))
        .group_by(t.Peg.item_id, t.Peg.warehouse_id)
        .subquery()
    )
    left = (
        sa.select(t.StockMovement.item_id, t.StockMovement.warehouse_id, sa.func.sum(-t.StockMovement.delta).label("left"))
        .where(t.StockMovement.cause == "shipment")
        .group_by(t.StockMovement.item_id, t.StockMovement.warehouse_id)
        .subquery()
    )
    same = sa.and_(parcels.c.item_id == t.Stock.item_id, parcels.c.warehouse_id == t.Stock.warehouse_id)
    also = sa.and_(left.c.item_id == t.Stock.item_id, left.c.warehouse_id == t.Stock.warehouse_id)
    taken, gone = _none(parcels.c.taken), _none(left.c.left)
    return (
        sa.select(t.Stock.item_id, t.Stock.warehouse_id, taken.label("taken"), gone.label("gone"))
        .outerjoin(parcels, same)
        .outerjoin(left, also)
        .where(taken != gone)
        .order_by(t.Stock.item_id, t.Stock.warehouse_id)
    )


def _unpicked() -> Query:
    return (
        sa.select(t.Shipment.number, t.ShipmentLine.item_id, t.ShipmentLine.picked, t.ShipmentLine.quantity)
        .join(t.Shipment, t.Shipment.id == t.ShipmentLine.shipment_id)
        .where(t.Shipment.state.in_(("packed", "shipped", "delivered")), t.ShipmentLine.picked < t.ShipmentLine.quantity)
        .order_by(t.ShipmentLine.id)
    )


_of_line = t.Peg.purchase_order_line_id
_of_order = t.Peg.supply_order_id
RULES = (
    Rule("I1", "item {item_id} in warehouse {warehouse_id}: {on_hand} on hand, the ledger has {moved}", _ledger()),
    Rule("I1", "item {item_id} in warehouse {warehouse_id}: {movements} movements and no total", _lost_movements()),
    Rule(
        "I1",
        "lot {id} ({number}): {on_hand} on hand, the ledger has {moved}; {pegged} promised, pegs have {pegs}",
        _lot_ledger(),
    ),
    Rule("I1", "item {item_id} in warehouse {warehouse_id}: {on_hand} on hand, its lots have {lots}", _lots_of_stock()),
    Rule("I2", "peg {id} of {quantity} stands on stock of item {item_id} and names no lot of it", _pegs_without_lot()),
    Rule(
        "I2",
        "item {item_id} in warehouse {warehouse_id}: {reserved} reserved, holds have {held};"
        " {allocated} allocated, orders have {ordered}",
        _totals(),
    ),
    Rule("I2", "reservation {id} ({state}) of {quantity} stands on {pegged}", _reservations()),
    Rule("I2", "kit {id} is {state}, and its parts are not", _kits()),
    Rule("I2", "peg {id} ({kind}, {quantity}) was left behind by reservation {reservation_id}", _leftovers()),
    Rule(
        "I3",
        "purchase order line {id}, item {item_id}: {pegged} promised, pegs have {pegs}",
        _supply(t.PurchaseOrderLine, _of_line),
    ),
    Rule(
        "I3",
        "production order {id}, item {item_id}: {pegged} promised, pegs have {pegs}",
        _supply(t.ProductionOrder, _of_order, t.ProductionOrder.state.in_(OPEN)),
    ),
    Rule(
        "I2",
        "stock {id}, item {item_id}: {allotted} kept for classes, their allotments have {left}",
        _allotted(
            t.Stock,
            t.Allotment.warehouse_id,
            t.Allotment.item_id == t.Stock.item_id,
            t.Allotment.warehouse_id == t.Stock.warehouse_id,
        ),
    ),
    Rule(
        "I3",
        "purchase order line {id}, item {item_id}: {allotted} kept for classes, their allotments have {left}",
        _allotted(
            t.PurchaseOrderLine, t.Allotment.purchase_order_line_id, t.Allotment.purchase_order_line_id == t.PurchaseOrderLine.id
        ),
    ),
    Rule("I3", "slot {id} overlaps another in lane {lane} of work centre {work_centre_id}", _overlaps()),
    Rule(
        "I3",
        "slot {id}, step {position} of production order {production_order_id}, begins before the step before it ends",
        _precedence(),
    ),
    Rule("I11", "item {id} ({sku}) is shown as buyable, and no warehouse has a piece of it to give", _offers()),
    Rule("I12", "item {item_id} in warehouse {warehouse_id}: parcels took {taken}, the ledger has {gone}", _shipped()),
    Rule("I12", "parcel {number}, item {item_id}: {picked} of {quantity} picked, and yet packed", _unpicked()),
)
