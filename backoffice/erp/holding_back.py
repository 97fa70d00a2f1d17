"""Orders that must not leave for now: nothing more of them is picked, packed or given to the carrier until that ends."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.public.errors import Refused

STEPS = ("picking", "packed", "shipped")


def hold_back(session: Session, order_ref: str, *, now: datetime) -> None:
    """Let nothing more of an order leave; what a colleague is doing with one of its parcels at this moment is waited for."""
    parcels = sa.select(t.Shipment.id).where(t.Shipment.order_ref == order_ref).order_by(t.Shipment.id)
    session.execute(parcels.with_for_update())
    if session.get(t.HeldOrder, order_ref) is None:
        session.add(t.HeldOrder(order_ref=order_ref, since_at=now))
        session.flush()


def let_go_on(session: Session, order_ref: str) -> None:
    """Let an order leave again."""
    session.execute(sa.delete(t.HeldOrder).where(t.HeldOrder.order_ref == order_ref))


def require_free(session: Session, order_ref: str) -> None:
    """Raise Refused(on_hold) while nothing of an order may leave. The caller has locked its parcel."""
    if session.scalar(sa.select(t.HeldOrder.order_ref).where(t.HeldOrder.order_ref == order_ref)):
        raise Refused("on_hold", order_ref=order_ref)


def is_free() -> sa.ColumnElement[bool]:
    """Return the condition for parcels (t.Shipment) of orders that may leave."""
    return ~sa.exists().where(t.HeldOrder.order_ref == t.Shipment.order_ref)
