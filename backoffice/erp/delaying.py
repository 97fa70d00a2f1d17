"""Production that cannot begin yet: it and all that is made of it move behind that instant, whoever waits is told.

The instant stays with the production order, so that planning its promise anew for another reason does not forget it.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.erp import rescheduling


def keep_back(session: Session, reservation: t.Reservation, *, now: datetime) -> bool:
    """Move what a reservation has made behind the instants before which it cannot begin; its own ready instant follows.

    Tell whether anything had to move.
    """
    orders = session.scalars(
        sa.select(t.ProductionOrder)
        .where(t.ProductionOrder.reservation_id == reservation.id, t.ProductionOrder.state.in_(["held", "planned"]))
        .order_by(t.ProductionOrder.id)
    ).all()
    by_id = {order.id: order for order in orders}
    waiting = [order for order in orders if order.not_before_at and order.not_before_at > order.starts_at]
    if not waiting:
        return False
    while waiting:
        order = waiting.pop(0)
        rescheduling.push(session, order, not_before=_earliest(session, order), now=now)
        for peg in session.scalars(sa.select(t.Peg).where(t.Peg.supply_order_id == order.id, t.Peg.used.is_(False))):
            peg.available_at = order.ready_at
            above = by_id.get(peg.production_order_id or 0)
            if above is not None and above.starts_at < order.ready_at:
                waiting.append(above)
        session.flush()
    own = sa.select(sa.func.max(t.Peg.available_at)).where(
        t.Peg.reservation_id == reservation.id, t.Peg.production_order_id.is_(None), t.Peg.used.is_(False)
    )
    ready_at = session.scalars(own).one()
    if ready_at is not None and ready_at > reservation.ready_at:
        reservation.ready_at = ready_at
        *before, last = reservation.chain
        reservation.chain = [*before, {**last, "ends_at": ready_at.isoformat()}]
    session.flush()
    return True


def _earliest(session: Session, order: t.ProductionOrder) -> datetime | None:
    """Return when an order may begin: what it cannot begin before, and when its components are there."""
    components = sa.select(sa.func.max(t.Peg.available_at)).where(t.Peg.production_order_id == order.id, t.Peg.used.is_(False))
    instants = [at for at in (order.not_before_at, session.scalars(components).one()) if at is not None]
    return max(instants) if instants else None
