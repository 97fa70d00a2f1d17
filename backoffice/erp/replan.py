"""When the plan moves under placed orders: find their new day, say so, and say why.

Only what the change touches is planned anew, in the order of the days that were promised. Holds that stood on what is gone
are released: their cart says so on its next page.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.erp import fulfilment, holds, offers, plan, proposing
from backoffice.erp import models as t


def after_change(session: Session, reservation_ids: Iterable[int], *, cause: str, now: datetime) -> int:
    """Plan these reservations anew and publish ExpectedDayMoved for each order's; return how many moved.

    cause: words for people ("Our oak arrives 5 days later"). Locks the plan.
    """
    plan.bump(session)
    rows = session.scalars(
        sa.select(t.Reservation)
        .where(t.Reservation.id.in_(sorted(set(reservation_ids))))
        .order_by(t.Reservation.ready_at, t.Reservation.id)
    ).all()
    moved = 0
    for reservation in rows:
        if reservation.state == "held":
            holds.release(session, reservation.id, now=now)
        elif reservation.state in ("paying", "converted"):
            moved += _again(session, reservation, cause, now)
    return moved


def _again(session: Session, reservation: t.Reservation, cause: str, now: datetime) -> bool:
    before = reservation.ready_at
    touched = {peg.item_id for peg in session.scalars(sa.select(t.Peg).where(t.Peg.reservation_id == reservation.id))}
    proposed = proposing.proposed_for(session, reservation.id)
    planned = holds.plan_again(session, reservation, now=now)
    if reservation.state == "paying":  # its buyer is at the till: they keep the place in the queue, the day is checked when paid
        offers.touch(session, touched, now=now, capacity=True)
        return False
    proposing.propose(session, reservation, now=now, reuse=proposed)
    fulfilment.reschedule(session, reservation, now=now)
    offers.touch(session, touched, now=now, capacity=True)
    if planned and reservation.ready_at == before:
        return False
    events.publish(
        session,
        events.ExpectedDayMoved(
            reservation_id=reservation.id,
            order_ref=reservation.order_ref or "",
            ready_at=reservation.ready_at if planned else None,
            cause=cause,
            at=now,
        ),
    )
    return True
