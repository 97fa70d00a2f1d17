"""Taking an order back: nothing of it is picked, made or bought any more, and all that it kept is free again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.erp import fulfilment, gaining, holds, plan, proposing, replan
from backoffice.erp import models as t
from backoffice.public.errors import Refused

TOO_LATE = ("packed", "shipped", "delivered")
ITS_MAKER_IS_GONE = causes.of("maker_cancelled")


def cancel(session: Session, order_ref: str, *, now: datetime) -> bool:
    """Cancel every parcel of an order and give back its goods, receipts and minutes; False if that was done before.

    Whoever was promised what its production would make beyond its own need is planned anew; who is late and gains a day by
    what is free now, too. Locks the plan.
    Raises Refused(too_late_to_cancel) once one parcel is closed; nothing has changed then.
    """
    plan.bump(session)
    own = set(session.scalars(sa.select(t.Reservation.id).where(t.Reservation.order_ref == order_ref)))
    touched = replan.with_dependants(session, own)
    replan.lock(session, touched)
    parcels = session.scalars(
        sa.select(t.Shipment)
        .where(t.Shipment.order_ref == order_ref)
        .order_by(t.Shipment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if any(parcel.state in TOO_LATE for parcel in parcels):
        raise Refused("too_late_to_cancel", order_ref=order_ref)
    for parcel in parcels:
        fulfilment.drop(session, parcel, now=now)
    freed = gaining.of_orders(session, own)
    taken_back = [one for one in sorted(own) if take_back(session, one, now=now)]
    if others := touched - own:
        replan.after_change(session, others, cause=ITS_MAKER_IS_GONE, now=now)
    if taken_back:
        gaining.after_freeing(session, freed, now=now)
    return bool(taken_back)


def take_back(session: Session, reservation_id: int, *, now: datetime) -> bool:
    """Give back what one reservation of a placed order keeps, and its proposals. The caller holds the plan's lock."""
    proposed = proposing.proposed_for(session, [reservation_id])[reservation_id]
    if not holds.take_back(session, reservation_id, now=now):
        return False
    proposing.drop(session, proposed)
    return True


def is_possible(session: Session, order_ref: str) -> bool:
    """Tell whether an order could still be cancelled."""
    return is_open(session.scalars(sa.select(t.Shipment.state).where(t.Shipment.order_ref == order_ref)))


def is_open(states: Iterable[str]) -> bool:
    """Tell whether an order with parcels in these states could still be cancelled: none is closed, and not all are cancelled."""
    states = list(states)
    return any(state != "cancelled" for state in states) and not any(state in TOO_LATE for state in states)
