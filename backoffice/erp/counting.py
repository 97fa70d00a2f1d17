"""Counting: what is really on the shelf. If promises stand on goods that are not there, the newest find another supply."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.erp import offers, pegging, plan, replan, stock
from backoffice.public.errors import BadInput, NotFound


def count_stock(session: Session, item_id: int, warehouse_id: int, counted: int, *, ref: str, actor: str, now: datetime) -> int:
    """Set on hand to what was counted; return by how much it moved. Locks the plan.

    Raises NotFound(unknown_record), BadInput(bad_quantity), Refused(already_moved).
    """
    if not 0 <= counted <= 10**9:
        raise BadInput("bad_quantity")
    item = session.get(t.Item, item_id)
    if item is None:
        raise NotFound("unknown_record")
    plan.bump(session)
    stock.ensure_row(session, item_id, warehouse_id, now=now)
    row = stock.get_stock(session, item_id, warehouse_id)
    delta = counted - row.on_hand
    short = row.allocated + row.reserved - counted
    losing = _newest_on(session, item_id, warehouse_id, short) if short > 0 else []
    stock.move(session, item_id, warehouse_id, delta, cause="count", ref=ref, actor=actor, now=now)
    replan.after_change(session, losing, cause=f"{item.name}: fewer on the shelf than counted before", now=now)
    offers.touch(session, [item_id], now=now)
    return delta


def _newest_on(session: Session, item_id: int, warehouse_id: int, short: int) -> list[int]:
    """Take the newest promises off this stock until `short` is free; return their reservations."""
    rows = session.execute(
        sa.select(t.Peg, t.Reservation)
        .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
        .where(t.Peg.item_id == item_id, t.Peg.warehouse_id == warehouse_id, t.Peg.kind == "stock", t.Peg.used.is_(False))
        .order_by(t.Reservation.id.desc(), t.Peg.id.desc())
    ).all()
    losing: list[int] = []
    for peg, reservation in rows:
        if short <= 0:
            break
        pegging.give_back(session, peg, state=reservation.state)
        session.delete(peg)
        losing.append(reservation.id)
        short -= peg.quantity
    session.flush()
    return losing
