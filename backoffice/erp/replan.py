"""When the plan moves under placed orders: find their new day, say so, and say why.

Only what the change touches is planned anew, in the order of the days that were promised. Holds that stood on what is gone
are released: their cart says so on its next page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes, events
from backoffice.db import Database
from backoffice.erp import chains, decisions, delaying, fulfilment, holds, offers, pegging, plan, proposing
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.public.orders import Cause


def after_change(
    session: Session, reservation_ids: Iterable[int], *, cause: Cause, origin: chains.Origin | None = None, now: datetime
) -> int:
    """Plan these reservations anew and publish ExpectedDaysMoved, once for each order; return how many moved.

    Whoever was promised what their production orders make beyond their own need is planned anew with them.
    cause: see backoffice/causes.py; origin: where it began, for its chain. Locks the plan and the reservations.
    """
    plan.bump(session)
    decisions.because(session, cause.code, now=now)
    rows = _locked(session, with_dependants(session, reservation_ids))
    ways = chains.routes(session, origin, [row.id for row in rows]) if origin else {}
    for reservation in rows:
        if reservation.state == "held":
            holds.release(session, reservation.id, now=now)
    placed = [reservation for reservation in rows if reservation.state in ("paying", "converted")]
    # a dead hold counts for nobody, so what it still keeps is given back before others are given it
    holds.reclaim_minutes(session, now=now)
    holds.reclaim(session, masters.load(session, now=now).below(r.item_id for r in placed), now=now)
    stripped = [_strip(session, reservation) for reservation in placed]
    moved = [one.reservation for one in stripped if _again(session, one, now)]
    of_order: dict[str, list[events.Move]] = defaultdict(list)
    for one in moved:
        why = replace(cause, chain=ways.get(one.id, ()))
        of_order[one.order_ref or ""].append(events.Move(one.id, one.ready_at if one.chain else None, why))
    for order_ref, moves in of_order.items():
        events.publish(session, events.ExpectedDaysMoved(order_ref, tuple(moves), now))
    return len(moved)


def find_days(db: Database, *, now: datetime) -> int:
    """Try again for what was ordered and stands without a day; return how many have one now."""
    with db.read() as session:
        waiting = list(session.scalars(_without_day()))
    return db.run(lambda session: after_change(session, waiting, cause=causes.of("found_again"), now=now)) if waiting else 0


def _without_day() -> sa.Select[int]:
    """Select the reservations of placed orders that nothing stands behind and that no closed parcel holds."""
    waiting = t.Shipment.state.in_(["waiting", "to_pick", "picking"])
    pegged = sa.select(t.Peg.id).where(t.Peg.reservation_id == t.Reservation.id).exists()
    return (
        sa.select(t.Reservation.id)
        .join(t.ShipmentLine, t.ShipmentLine.reservation_id == t.Reservation.id)
        .join(t.Shipment, t.Shipment.id == t.ShipmentLine.shipment_id)
        .where(t.Reservation.state == "converted", waiting, ~pegged)
        .order_by(t.Reservation.id)
        .distinct()
    )


@dataclass(frozen=True, slots=True)
class _Stripped:
    """A reservation without supplies, and what of its old ones may be put to use again."""

    reservation: t.Reservation
    had_day: bool
    items: list[int]
    made: list[t.ProductionOrder]
    proposed: list[t.PurchaseOrderLine]


def with_dependants(session: Session, reservation_ids: Iterable[int]) -> set[int]:
    """Return the reservations and all that were given what production orders of theirs make beyond their need."""
    found: set[int] = set()
    waiting = set(reservation_ids)
    while waiting:
        found |= waiting
        given = sa.select(t.Peg.reservation_id).join(t.ProductionOrder, t.ProductionOrder.id == t.Peg.supply_order_id)
        waiting = set(session.scalars(given.where(t.ProductionOrder.reservation_id.in_(sorted(waiting))))) - found
    return found


def lock(session: Session, reservation_ids: set[int]) -> None:
    """Let nobody else move these reservations until we are done; locked in the order of their ids."""
    wanted = t.Reservation.id.in_(sorted(reservation_ids))
    session.execute(sa.select(t.Reservation.id).where(wanted).order_by(t.Reservation.id).with_for_update())


def _locked(session: Session, reservation_ids: set[int]) -> Sequence[t.Reservation]:
    """Return the reservations as they are once nobody else can move them, in the order of their days."""
    lock(session, reservation_ids)
    wanted = t.Reservation.id.in_(sorted(reservation_ids))
    return session.scalars(
        sa.select(t.Reservation)
        .where(wanted)
        .order_by(t.Reservation.ready_at, t.Reservation.id)
        .execution_options(populate_existing=True)
    ).all()


def _strip(session: Session, reservation: t.Reservation) -> _Stripped:
    items, proposed = holds.items_of(session, reservation), proposing.proposed_for(session, reservation.id)
    had_day = bool(reservation.chain)
    return _Stripped(reservation, had_day, items, pegging.strip(session, reservation, state=reservation.state), proposed)


def _again(session: Session, stripped: _Stripped, now: datetime) -> bool:
    """Find new supplies for a stripped reservation; tell whether its goods are ready at another instant now."""
    reservation = stripped.reservation
    before = reservation.ready_at, reservation.warehouse_id
    planned = holds.plan_again(session, reservation, reuse=stripped.made, now=now)
    if planned:
        delaying.keep_back(session, reservation, now=now)
    offers.touch(session, {*stripped.items, *holds.items_of(session, reservation)}, now=now, capacity=True)
    if reservation.state == "paying":  # its buyer is at the till: they keep the place in the queue, the day is checked when paid
        return False
    proposing.propose(session, reservation, pegging.pegs_of(session, reservation.id), now=now, reuse=stripped.proposed)
    fulfilment.reschedule(session, reservation, now=now)
    if planned != stripped.had_day:
        return True
    return planned and (reservation.ready_at, reservation.warehouse_id) != before
