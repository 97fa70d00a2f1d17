"""The last step of a parcel: it arrived, on a day that somebody knows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.erp import learning
from backoffice.erp import models as t
from backoffice.erp.company import get_company, local_today
from backoffice.public.errors import BadInput


def deliver(session: Session, shipment_ids: Sequence[int], on: date, *, actor: str, now: datetime) -> int:
    """Say that shipped parcels arrived on a day; return how many are new. What arrived before keeps its day.

    Raises BadInput(invalid_form, on) for a day that is not over yet and for one before the parcel left: nothing is changed then.
    """
    if on > local_today(get_company(session), now):
        raise BadInput("invalid_form", {"on": "future_date"})
    found = session.scalars(
        sa.select(t.Shipment)
        .where(t.Shipment.id.in_(sorted(set(shipment_ids))), t.Shipment.state == "shipped")
        .order_by(t.Shipment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    company = get_company(session)
    if any(one.shipped_at and on < local_today(company, one.shipped_at) for one in found):
        raise BadInput("invalid_form", {"on": "before_it_left"})
    for one in found:
        learning.note_parcel(session, one, on, now=now)
        one.state, one.expected_on, one.version = "delivered", on, one.version + 1
    session.flush()
    for one in found:
        mine = session.scalars(sa.select(t.ShipmentLine.reservation_id).where(t.ShipmentLine.shipment_id == one.id)).all()
        events.publish(
            session, events.ShipmentDelivered(one.order_ref, now, actor, on, _complete(session, one.order_ref), tuple(mine))
        )
    return len(found)


def arrived_on(session: Session, reservation_ids: Sequence[int]) -> date | None:
    """Return the day on which the last of these goods arrived; None while one of their parcels is on its way or to come."""
    rows = session.execute(
        sa.select(t.Shipment.state, t.Shipment.expected_on)
        .join(t.ShipmentLine, t.ShipmentLine.shipment_id == t.Shipment.id)
        .where(t.ShipmentLine.reservation_id.in_(sorted(reservation_ids)), t.Shipment.state != "cancelled")
    ).all()
    days = [day for state, day in rows if state == "delivered" and day is not None]
    return max(days) if days and len(days) == len(rows) else None


def _complete(session: Session, order_ref: str) -> bool:
    states = session.scalars(
        sa.select(t.Shipment.state).where(t.Shipment.order_ref == order_ref, t.Shipment.state != "cancelled")
    ).all()
    return all(state == "delivered" for state in states)
