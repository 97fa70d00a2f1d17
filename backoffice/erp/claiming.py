"""What was promised of items kept in lots, and may be moved to other supplies that are there in time and fresh enough.

The plan says which of these pegs a new promise moves (`Outcome.moved`), and `making_room` moves them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from backoffice.erp import factory as masters
from backoffice.erp import lots
from backoffice.erp import models as t
from backoffice.erp.company import get_company
from backoffice.planning.model import Claim, Supply
from backoffice.wording import day_in

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
            order.starts_at,
            t.Reservation.ready_at,
            t.Shipment.expected_on,
        )
        .join(t.Reservation, t.Reservation.id == peg.reservation_id)
        .outerjoin(order, order.id == peg.production_order_id)
        .outerjoin(t.StockLot, t.StockLot.id == peg.lot_id)
        .outerjoin(t.ShipmentLine, t.ShipmentLine.reservation_id == peg.reservation_id)
        .outerjoin(t.Shipment, t.Shipment.id == t.ShipmentLine.shipment_id)
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
    timezone, found = get_company(session).timezone, []
    for peg_id, item_id, quantity, number, kind, available_at, noted_on, best_before_on, starts_at, ready_at, expected_on in rows:
        by, use_on = starts_at or ready_at, _use_on(noted_on, starts_at, expected_on, timezone)
        key = {"stock": "lot", "receipt": "po", "make": "mo"}[kind], number
        until = best_before_on and lots.expires_on(best_before_on, in_lots[item_id])
        supply = Supply(key, item_id, 0, available_at, "stock" if kind == "stock" else "receipt", until)
        found.append(Claim(peg_id, item_id, quantity, supply, max(by, available_at), use_on))
    return found


def use_days(session: Session, peg_ids: Iterable[int]) -> dict[int, date]:
    """Return the day on which what each of these pegs promises must still be good, as its work and its parcel stand now."""
    rows = session.execute(
        sa.select(t.Peg.id, t.Peg.use_on, t.ProductionOrder.starts_at, t.Shipment.expected_on)
        .outerjoin(t.ProductionOrder, t.ProductionOrder.id == t.Peg.production_order_id)
        .outerjoin(t.ShipmentLine, t.ShipmentLine.reservation_id == t.Peg.reservation_id)
        .outerjoin(t.Shipment, t.Shipment.id == t.ShipmentLine.shipment_id)
        .where(t.Peg.id.in_(sorted(peg_ids)), t.Peg.use_on.is_not(None))
    )
    timezone = get_company(session).timezone
    return {
        number: _use_on(noted_on, starts_at, expected_on, timezone)
        for number, noted_on, starts_at, expected_on in rows
        if noted_on is not None
    }


def _use_on(noted_on: date, starts_at: datetime | None, expected_on: date | None, timezone: str) -> date:
    """Return the later of the day that was noted with the promise and the one by now: work and parcels move after it."""
    by_now = day_in(timezone, starts_at) if starts_at is not None else expected_on
    return max(noted_on, by_now or noted_on)


def in_hand() -> sa.Exists:
    """Return the condition for reservations that are being picked, or lie in a closed parcel."""
    line, shipment = aliased(t.ShipmentLine), aliased(t.Shipment)
    inside = line.reservation_id == t.Reservation.id, shipment.id == line.shipment_id
    return sa.exists().where(*inside, shipment.state.in_(["picking", "packed"]))
