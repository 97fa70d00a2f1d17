"""What has become free brings late promises forward: those that gain a whole day are planned anew, the others stay as they are.

A cancelled order, a station that works again, a receipt that comes earlier: each frees goods or minutes. Only promises that
are late, or that nobody has a day for, are tried, the oldest promise first; what gains nothing is rolled back as if it had
never been tried. Nobody's day gets worse by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.erp import holds, replan
from backoffice.erp import models as t
from backoffice.public.orders import Cause

MOST = 20  # tried in one change; the others are tried with the next one
FREED = causes.of("freed")


@dataclass(frozen=True, slots=True)
class Freed:
    """Items and work centres of which something has become free."""

    item_ids: frozenset[int] = frozenset()
    centre_ids: frozenset[int] = frozenset()


class _NoGainError(Exception):
    """Nothing was gained: what was tried is rolled back."""


def of_orders(session: Session, reservation_ids: Iterable[int]) -> Freed:
    """Return what reservations keep, to be asked before they give it back."""
    wanted = sorted(set(reservation_ids))
    rows = [session.get_one(t.Reservation, one) for one in wanted]
    items = {item for row in rows for item in holds.items_of(session, row)}
    slots = sa.select(t.OperationSlot.work_centre_id).join(
        t.ProductionOrder, t.ProductionOrder.id == t.OperationSlot.production_order_id
    )
    return Freed(frozenset(items), frozenset(session.scalars(slots.where(t.ProductionOrder.reservation_id.in_(wanted)))))


def after_freeing(session: Session, freed: Freed, *, cause: Cause = FREED, now: datetime) -> int:
    """Plan late promises anew that may use what is free; return how many come at least a day earlier. Locks the plan."""
    return sum(_try(session, one, cause, now) for one in _late(session, freed))


def _try(session: Session, reservation_id: int, cause: Cause, now: datetime) -> bool:
    if replan.with_dependants(session, [reservation_id]) != {reservation_id}:
        return False  # others stand on what it makes: they must not lose by its gain
    before = _day(session, reservation_id)
    try:
        with session.begin_nested():
            replan.after_change(session, [reservation_id], cause=cause, now=now)
            after = _day(session, reservation_id)
            if after is None or (before is not None and after >= before):
                raise _NoGainError
    except _NoGainError:
        return False
    return True


def _day(session: Session, reservation_id: int) -> date | None:
    """Return the day on which a reservation's parcel is expected; None: nobody knows one."""
    if not session.get_one(t.Reservation, reservation_id, populate_existing=True).chain:
        return None
    return session.scalar(
        sa.select(t.Shipment.expected_on)
        .join(t.ShipmentLine, t.ShipmentLine.shipment_id == t.Shipment.id)
        .where(t.ShipmentLine.reservation_id == reservation_id)
    )


def _late(session: Session, freed: Freed) -> list[int]:
    """Return the late reservations that may use what is free, the oldest promise first."""
    pegged = sa.select(t.Peg.reservation_id).where(t.Peg.item_id.in_(freed.item_ids), t.Peg.used.is_(False))
    busy = (
        sa.select(t.ProductionOrder.reservation_id)
        .join(t.OperationSlot, t.OperationSlot.production_order_id == t.ProductionOrder.id)
        .where(t.OperationSlot.work_centre_id.in_(freed.centre_ids), t.ProductionOrder.state == "planned")
    )
    without_day = ~sa.select(t.Peg.id).where(t.Peg.reservation_id == t.Reservation.id).exists()
    return list(
        session.scalars(
            sa.select(t.Reservation.id)
            .join(t.ShipmentLine, t.ShipmentLine.reservation_id == t.Reservation.id)
            .join(t.Shipment, t.Shipment.id == t.ShipmentLine.shipment_id)
            .where(
                t.Reservation.state == "converted",
                t.Shipment.state == "waiting",
                sa.or_(t.Shipment.expected_on > t.Shipment.promised_on, without_day),
                sa.or_(t.Reservation.item_id.in_(freed.item_ids), t.Reservation.id.in_(pegged), t.Reservation.id.in_(busy)),
            )
            .order_by(t.Shipment.promised_on, t.Reservation.id)
            .limit(MOST)
        )
    )
