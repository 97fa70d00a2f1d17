"""Counting: what is really on the shelf. If promises stand on goods that are not there, the newest find another supply."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.erp import chains, decisions, offers, pegging, plan, replan, stock
from backoffice.erp import models as t
from backoffice.public.errors import BadInput, NotFound
from backoffice.public.orders import CauseLink


def count_stock(
    session: Session,
    item_id: int,
    warehouse_id: int,
    counted: int,
    *,
    ref: str,
    actor: str,
    lot_id: int | None = None,
    cause: str = "count",
    now: datetime,
) -> int:
    """Set on hand to what was counted; return by how much it moved. Locks the plan.

    lot_id: the lot that was counted, of an item kept in lots. cause: count, or expired: what is too old was thrown away.
    Raises NotFound(unknown_record), BadInput(bad_quantity), Refused(already_moved), Refused(lot_missing),
    Refused(not_enough_stock) when there would be less than what lies in closed parcels.
    """
    if not 0 <= counted <= 10**9:
        raise BadInput("bad_quantity")
    item = session.get(t.Item, item_id)
    if item is None:
        raise NotFound("unknown_record")
    plan.bump(session)
    decisions.because(session, "counted_fewer", now=now)
    stock.ensure_row(session, item_id, warehouse_id, now=now)
    here = _here(item_id, warehouse_id, lot_id)
    pegging.lock(session, *here)
    row = stock.get_stock(session, item_id, warehouse_id, lock=True)
    pegging.lock(session, *here)  # those who came in between too; from here on nobody can
    lot = _get_lot(session, lot_id, item_id, warehouse_id) if lot_id is not None else None
    delta = counted - (lot.on_hand if lot else row.on_hand)
    short = (lot.pegged if lot else row.allocated + row.reserved) - counted
    losing = _newest_on(session, here, short) if short > 0 else []
    stock.move(session, item_id, warehouse_id, delta, cause=cause, ref=ref, actor=actor, lot_id=lot_id, now=now)
    origin = chains.Origin(CauseLink("shelf", item.name))
    replan.after_change(session, losing, cause=causes.of("counted_fewer", item=item.name), origin=origin, now=now)
    offers.touch(session, [item_id], now=now)
    return delta


def _get_lot(session: Session, lot_id: int, item_id: int, warehouse_id: int) -> t.StockLot:
    lot = session.get(t.StockLot, lot_id, populate_existing=True, with_for_update=True)
    if lot is None or (lot.item_id, lot.warehouse_id) != (item_id, warehouse_id):
        raise NotFound("unknown_record")
    return lot


def _here(item_id: int, warehouse_id: int, lot_id: int | None) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions for pegs that stand on this stock, or on this lot of it."""
    return (
        sa.true() if lot_id is None else t.Peg.lot_id == lot_id,
        t.Peg.item_id == item_id,
        t.Peg.warehouse_id == warehouse_id,
        t.Peg.kind == "stock",
        t.Peg.used.is_(False),
    )


def _newest_on(session: Session, here: Sequence[sa.ColumnElement[bool]], short: int) -> list[int]:
    """Take the newest promises off this stock until `short` is free; return their reservations.

    What is being picked loses its goods last, a closed parcel never does.
    """
    rows = session.execute(
        sa.select(t.Peg, t.Reservation)
        .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
        .outerjoin(t.ShipmentLine, t.ShipmentLine.reservation_id == t.Reservation.id)
        .outerjoin(t.Shipment, t.Shipment.id == t.ShipmentLine.shipment_id)
        .where(*here, sa.func.coalesce(t.Shipment.state, "") != "packed")
        .order_by(sa.case((t.Shipment.state == "picking", 1), else_=0), t.Reservation.id.desc(), t.Peg.id.desc())
        .execution_options(populate_existing=True)
    ).all()
    losing: list[tuple[t.Peg, str]] = []
    for peg, reservation in rows:
        if short <= 0:
            break
        losing.append((peg, reservation.state))
        short -= peg.quantity
    pegging.take_off(session, losing)
    return [peg.reservation_id for peg, _ in losing]
