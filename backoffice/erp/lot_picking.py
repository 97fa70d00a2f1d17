"""Picking from lots: first expired, first out, as the pegs say; whoever scans another lot that is fresh enough takes that one.

How much of each lot lies in the parcel is noted at its pegs (`Peg.picked`), so that what leaves the stock is what was taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import lots, pegging
from backoffice.erp import models as t
from backoffice.public.errors import Refused

Named = Sequence[tuple[t.Peg, t.StockLot]]


def lock(session: Session, shipment_id: int) -> None:
    """Let nobody move the pegs of a parcel's lots until we are done. Before the parcel is locked, as who plans anew does."""
    inside = sa.select(t.ShipmentLine.reservation_id).where(t.ShipmentLine.shipment_id == shipment_id)
    pegging.lock(session, t.Peg.reservation_id.in_(inside), t.Peg.lot_id.is_not(None))


def find_lot(session: Session, shipment_id: int, number: str) -> t.StockLot | None:
    """Return the lot, of an item in the parcel, whose number was scanned."""
    shipment = session.get_one(t.Shipment, shipment_id)
    items = session.scalars(sa.select(t.ShipmentLine.item_id).where(t.ShipmentLine.shipment_id == shipment_id)).all()
    return lots.find_scanned(session, number, items, shipment.warehouse_id)


def put_back(session: Session, reservation_ids: Iterable[int]) -> None:
    """Say that nothing of these reservations' lots lies in a parcel."""
    mine = t.Peg.reservation_id.in_(sorted(reservation_ids)), t.Peg.picked > 0, t.Peg.used.is_(False)
    for peg in session.scalars(sa.select(t.Peg).where(*mine).order_by(t.Peg.id).execution_options(populate_existing=True)):
        peg.picked = 0
    session.flush()


def agree(session: Session, lines: Iterable[t.ShipmentLine]) -> None:
    """Let lines of lots have picked what their pegs say: what was planned anew, or not found, is noted there no more."""
    picked = {line.reservation_id: line for line in lines if line.picked}
    if not picked:
        return
    session.flush()
    rows = session.execute(
        sa.select(t.Reservation.id, sa.func.coalesce(sa.func.sum(t.Peg.picked), 0))
        .join(t.Item, t.Item.id == t.Reservation.item_id)
        .outerjoin(t.Peg, (t.Peg.reservation_id == t.Reservation.id) & t.Peg.used.is_(False) & t.Peg.lot_id.is_not(None))
        .where(t.Reservation.id.in_(sorted(picked)), t.Item.days_left.is_not(None))
        .group_by(t.Reservation.id)
    )
    for reservation_id, there in rows:
        picked[reservation_id].picked = there


def count(
    session: Session, line: t.ShipmentLine, item: t.Item, delta: int, lot: t.StockLot | None, *, arrives_on: date | None
) -> None:
    """Note from which lots `delta` more pieces lie in the parcel, or fewer; lot: the one that was scanned.

    arrives_on: when the parcel arrives if it leaves now. Raises Refused(lot_too_old | lot_promised, number), Refused(too_many).
    """
    named = lots.named_for(session, [line.reservation_id])[line.reservation_id]
    if lot is not None and delta > 0:
        room = sum(peg.quantity - peg.picked for peg, one in named if one.id == lot.id)
        if room < delta:
            _swap(session, named, lot, delta - room)
            named = lots.named_for(session, [line.reservation_id])[line.reservation_id]
    left = abs(delta)
    for peg, one in named if delta > 0 else reversed(named):
        if lot is not None and one.id != lot.id:
            continue
        part = min(left, peg.quantity - peg.picked if delta > 0 else peg.picked)
        if part and delta > 0:
            _require_fresh(one, item, arrives_on)
        peg.picked += part if delta > 0 else -part
        left -= part
    if left:
        raise Refused("too_many", sku=item.sku, picked=line.picked, quantity=line.quantity)
    session.flush()


def _require_fresh(lot: t.StockLot, item: t.Item, arrives_on: date | None) -> None:
    if arrives_on is None or not lots.is_good(lot, item.days_left or 0, arrives_on):
        raise Refused("lot_too_old", number=lot.number, best_before_on=lot.best_before_on)


def _swap(session: Session, named: Named, lot: t.StockLot, quantity: int) -> None:
    """Let `quantity` of a reservation stand on another lot of the same shelf, instead of what it would take last."""
    both = sorted({lot.id, *(one.id for _, one in named)})
    session.execute(sa.select(t.StockLot.id).where(t.StockLot.id.in_(both)).order_by(t.StockLot.id).with_for_update())
    if not lots.change(session, lot.id, pegged=quantity):
        raise Refused("lot_promised", number=lot.number)
    for peg, one in reversed(named):
        part = min(quantity, peg.quantity - peg.picked)
        if one.id == lot.id or part == 0:
            continue
        lots.change(session, one.id, pegged=-part)
        if part == peg.quantity:
            peg.lot_id = lot.id
        else:
            session.add(_part_of(peg, lot, part))
            peg.quantity -= part
        quantity -= part
    session.flush()


def _part_of(peg: t.Peg, lot: t.StockLot, quantity: int) -> t.Peg:
    same = ("reservation_id", "item_id", "kind", "warehouse_id", "available_at", "use_on")
    return t.Peg(**{name: getattr(peg, name) for name in same}, lot_id=lot.id, quantity=quantity)
