"""Move a production order to the next free minutes of its work centres."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.planning.capacity import Centre
from backoffice.planning.instants import micros, moment
from backoffice.planning.model import duration

LOOK_AHEAD = timedelta(days=3 * 366)


def push(session: Session, order: t.ProductionOrder, *, not_before: datetime | None = None, now: datetime) -> list[int]:
    """Give the order's operations the earliest minutes from its old start on; return the reservations that wait for it.

    not_before: an instant from which on they may begin, if that is later.
    """
    master = masters.load(session, now=now)
    limit = micros(now + LOOK_AHEAD)
    clock = max(micros(order.starts_at), micros(now), micros(not_before or now))
    steps = master.factory.recipe(order.item_id).steps
    slots = session.scalars(
        sa.select(t.OperationSlot).where(t.OperationSlot.production_order_id == order.id).order_by(t.OperationSlot.position)
    ).all()
    for slot in slots:
        if slot.ends_at <= now:
            continue  # this operation is behind us
        centre = _centre(session, master, slot.work_centre_id, order.id, now)
        length = duration(steps[slot.position].at(slot.work_centre_id), order.quantity) if slot.position < len(steps) else 0
        place = centre.find(clock, length, limit)
        if place is None:
            break  # it never opens again: the slot stays, late, and the planner sees it
        slot.lane, slot.starts_at, slot.ends_at = place.lane, moment(place.starts_at), moment(place.ends_at)
        clock = place.ends_at
        session.flush()
    if slots:
        order.starts_at = min(slot.starts_at for slot in slots)
        order.ready_at = max(slot.ends_at for slot in slots)
    elif moment(clock) > order.starts_at:  # nothing to do at a station: it takes as long as before
        order.starts_at, order.ready_at = moment(clock), max(order.ready_at, moment(clock))
    session.flush()
    return list(session.scalars(sa.select(t.Peg.reservation_id).where(t.Peg.supply_order_id == order.id).distinct()))


def _centre(session: Session, master: masters.Master, centre_id: int, order_id: int, now: datetime) -> Centre:
    """Return the work centre with everybody else's work in it."""
    work_centre = master.factory.centre_by[centre_id]
    centre = Centre(master.factory.axis(centre_id, micros(now)), work_centre.lanes, micros(now))
    rows = session.execute(
        sa.select(t.OperationSlot.lane, t.OperationSlot.starts_at, t.OperationSlot.ends_at)
        .join(t.ProductionOrder, t.ProductionOrder.id == t.OperationSlot.production_order_id)
        .where(
            t.OperationSlot.work_centre_id == centre_id,
            t.OperationSlot.ends_at > now,
            t.OperationSlot.production_order_id != order_id,
            t.ProductionOrder.state.in_(["held", "planned"]),
        )
    )
    centre.load([(lane, max(micros(starts), micros(now)), micros(ends)) for lane, starts, ends in rows if starts < ends])
    return centre
