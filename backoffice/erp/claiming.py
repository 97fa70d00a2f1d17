"""What was promised of items kept in lots, and may be moved to other supplies that are there in time and fresh enough.

The plan says which of these pegs a new promise moves (`Outcome.moved`), and `making_room` moves them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from backoffice.erp import factory as masters
from backoffice.erp import lots
from backoffice.erp import models as t
from backoffice.planning.model import Claim, Supply

LIVE = ("held", "paying", "converted")


def claims(
    session: Session, items: Iterable[int], warehouse_id: int, ignored: sa.ColumnElement[bool], *, receipts: bool, now: datetime
) -> Sequence[Claim]:
    """Return the promises on these items' lots in a warehouse, and (receipts) on what comes. No statement where none is in lots.

    ignored: the condition for reservations that do not count. What is being picked, and work that has begun, keeps its lots.
    """
    in_lots = masters.load(session, now=now).lots
    wanted = sorted(in_lots.keys() & set(items))
    if not wanted:
        return ()
    peg, order = t.Peg, t.ProductionOrder
    here = peg.lot_id.is_not(None) & (peg.warehouse_id == warehouse_id)
    rows = session.execute(
        sa.select(
            peg.id,
            peg.item_id,
            peg.quantity,
            sa.func.coalesce(peg.lot_id, peg.purchase_order_line_id, peg.supply_order_id),
            peg.kind,
            peg.available_at,
            sa.type_coerce(peg.use_on, sa.Date()),
            t.StockLot.best_before_on,
            sa.func.coalesce(order.starts_at, t.Reservation.ready_at, type_=t.Reservation.ready_at.type),
        )
        .join(t.Reservation, t.Reservation.id == peg.reservation_id)
        .outerjoin(order, order.id == peg.production_order_id)
        .outerjoin(t.StockLot, t.StockLot.id == peg.lot_id)
        .where(
            peg.item_id.in_(wanted),
            peg.used.is_(False),
            peg.use_on.is_not(None),
            sa.or_(here, peg.kind.in_(["receipt", "make"])) if receipts else here,
            t.Reservation.state.in_(LIVE),
            ~ignored,
            ~in_hand(),
            sa.or_(order.id.is_(None), order.starts_at > now),
        )
        .order_by(peg.id)
    )
    found = []
    for peg_id, item_id, quantity, number, kind, available_at, use_on, best_before_on, by in rows:
        key = {"stock": "lot", "receipt": "po", "make": "mo"}[kind], number
        until = best_before_on and lots.expires_on(best_before_on, in_lots[item_id])
        supply = Supply(key, item_id, 0, available_at, "stock" if kind == "stock" else "receipt", until)
        found.append(Claim(peg_id, item_id, quantity, supply, max(by, available_at), use_on))
    return found


def in_hand() -> sa.Exists:
    """Return the condition for reservations that are being picked, or lie in a closed parcel."""
    line, shipment = aliased(t.ShipmentLine), aliased(t.Shipment)
    inside = line.reservation_id == t.Reservation.id, shipment.id == line.shipment_id
    return sa.exists().where(*inside, shipment.state.in_(["picking", "packed"]))
